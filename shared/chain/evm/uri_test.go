package evm_test

import (
	"testing"

	"farrier/shared/chain/evm"
	"farrier/shared/money"
)

// The forms are those of https://eips.ethereum.org/EIPS/eip-681, the addresses those of its examples.
func TestPaymentURIsFollowEIP681(t *testing.T) {
	max, err := money.ParseUnits("115792089237316195423570985008687907853269984665640564039457584007913129639935")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what, asset, to, want string
		amount                money.Amount
	}{
		{"a token", "eip155:1/erc20:0x89205a3a3b2a69de6dbf7f01ed13b2108b2c43e7", "0x8e23ee67d1332ad560396262c48ffbb01f93d052",
			"ethereum:0x89205A3A3b2A69De6Dbf7f01ED13B2108B2c43e7@1/transfer?address=0x8e23Ee67d1332aD560396262C48ffbB01F93D052&uint256=1", money.Units(1)},
		{"the chain's own coin", "eip155:137/slip44:966", "0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359",
			"ethereum:0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359@137?value=2014000000000000000", money.Units(2014000000000000000)},
		{"every digit of a uint256", "eip155:1/slip44:60", "0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359",
			"ethereum:0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359@1?value=" + max.String(), max},
		{"no EVM chain", "bip122:000000000019d6689c085ae165831e93/slip44:0", "bc1q", "", money.Units(1)},
		{"no fungible asset", "eip155:1/erc721:0x06012c8cf97bead5deae237070f9587f8e7a266d", "0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359", "", money.Units(1)},
	} {
		if got := evm.PaymentURI(money.Asset(c.asset), c.to, c.amount); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.what, got, c.want)
		}
	}
}
