package evm

import (
	"encoding/hex"
	"testing"

	"farrier/shared/money"
)

func TestATransferIsCalledByTheFirstBytesOfItsName(t *testing.T) {
	if want := Keccak256([]byte("transfer(address,uint256)"))[:4]; string(want) != string(transfer) {
		t.Errorf("%x, not %x", transfer, want)
	}
}

func TestTheCallOfATransferReadsBackAndNothingElseDoes(t *testing.T) {
	const to = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"
	call := TransferCall(to, money.Units(258))
	if got := hex.EncodeToString(call); got != "a9059cbb0000000000000000000000005aaeb6053f3e94c9b9a09f33669435e7ef1beaed"+
		"0000000000000000000000000000000000000000000000000000000000000102" {
		t.Fatal(got)
	}
	if payee, amount, ok := ReadTransferCall(call); !ok || payee != to || amount.Cmp(money.Units(258)) != 0 {
		t.Errorf("%s %s %t", payee, amount, ok)
	}
	dirty := append([]byte{}, call...)
	dirty[4] = 1
	for what, other := range map[string][]byte{
		"no call": nil, "one byte less": call[:67], "one byte more": append(append([]byte{}, call...), 0), "another name": append([]byte{1}, call[1:]...), "no address": dirty,
	} {
		if _, _, ok := ReadTransferCall(other); ok {
			t.Errorf("%s is read", what)
		}
	}
}
