package transaction

import (
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"pgregory.net/rapid"

	"farrier/shared/chain"
	"farrier/shared/money"
)

// foreign signs what go-ethereum can and we do not.
func foreign(t *testing.T, signer types.Signer, data types.TxData) []byte {
	t.Helper()
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	b, err := types.MustSignNewTx(key, signer, data).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBytesThatDoSomethingElseAreRefused(t *testing.T) {
	id, to, zero := big.NewInt(137), common.HexToAddress(payee), common.Address{}
	latest := types.LatestSignerForChainID(id)
	call := paid(Dynamic, token).data()
	dynamic := func(change func(*types.DynamicFeeTx)) []byte {
		x := &types.DynamicFeeTx{ChainID: id, Nonce: 1, GasTipCap: big.NewInt(1), GasFeeCap: big.NewInt(2), Gas: 90_000, To: &to, Value: big.NewInt(3)}
		change(x)
		return foreign(t, latest, x)
	}
	if _, _, err := Decode(dynamic(func(*types.DynamicFeeTx) {})); err != nil {
		t.Fatal(err)
	}
	var field *Error
	for what, c := range map[string]struct {
		bytes []byte
		want  error // nil for an Error
	}{
		"a new contract":          {dynamic(func(x *types.DynamicFeeTx) { x.To = nil }), ErrOther},
		"paid to nobody":          {dynamic(func(x *types.DynamicFeeTx) { x.To = &zero }), nil},
		"some other data":         {dynamic(func(x *types.DynamicFeeTx) { x.Data = []byte("hello") }), ErrOther},
		"an approval":             {dynamic(func(x *types.DynamicFeeTx) { x.Data = append([]byte{0x09, 0x5e, 0xa7, 0xb3}, call[4:]...) }), ErrOther},
		"a call with coin":        {dynamic(func(x *types.DynamicFeeTx) { x.Data = call }), ErrOther},
		"a call and a byte":       {dynamic(func(x *types.DynamicFeeTx) { x.Data, x.Value = append(slices.Clone(call), 0), nil }), ErrOther},
		"a call less a byte":      {dynamic(func(x *types.DynamicFeeTx) { x.Data, x.Value = call[:67], nil }), ErrOther},
		"a payee of 21 bytes":     {dynamic(func(x *types.DynamicFeeTx) { x.Data, x.Value = slices.Clone(call), nil; x.Data[15] = 1 }), ErrOther},
		"a call that pays nobody": {dynamic(func(x *types.DynamicFeeTx) { x.Data, x.Value = slices.Clone(call), nil; clear(x.Data[4:36]) }), nil},
		"a list of access":        {dynamic(func(x *types.DynamicFeeTx) { x.AccessList = types.AccessList{{Address: to}} }), ErrOther},
		"EIP-2930":                {foreign(t, latest, &types.AccessListTx{ChainID: id, Gas: 21_000, GasPrice: big.NewInt(1), To: &to, Value: big.NewInt(1)}), ErrOther},
		"no chain":                {foreign(t, types.HomesteadSigner{}, &types.LegacyTx{Gas: 21_000, GasPrice: big.NewInt(1), To: &to, Value: big.NewInt(1)}), ErrUnbound},
		"nothing":                 {nil, ErrBytes},
		"too much":                {dynamic(func(x *types.DynamicFeeTx) { x.Data = make([]byte, longest) }), ErrBytes},
	} {
		_, _, err := Decode(c.bytes)
		if c.want != nil && !errors.Is(err, c.want) || c.want == nil && !errors.As(err, &field) {
			t.Errorf("%s: %v", what, err)
		}
	}
	unknown := foreign(t, types.LatestSignerForChainID(new(big.Int).Lsh(id, 80)), &types.LegacyTx{Gas: 21_000, GasPrice: big.NewInt(1), To: &to})
	if _, _, err := Decode(unknown); !errors.As(err, &field) || field.Field != "chain" {
		t.Errorf("a chain of over 64 bits: %v", err)
	}
}

// anything draws a good transaction.
var anything = rapid.Custom(func(r *rapid.T) Transaction {
	wei := func(name string, low, high int64) money.Amount {
		return money.Units(rapid.Int64Range(low, high).Draw(r, name))
	}
	t := Transaction{
		Kind:  rapid.SampledFrom([]Kind{Legacy, Dynamic}).Draw(r, "kind"),
		Chain: chain.ID("eip155:" + new(big.Int).SetUint64(rapid.Uint64Range(1, maxChain).Draw(r, "chain")).String()),
		Nonce: rapid.Uint64Range(0, 1<<63).Draw(r, "nonce"), Gas: rapid.Uint64Range(60_000, maxGas).Draw(r, "gas"),
		To: addresses.Draw(r, "to"), Amount: wei("amount", 1, 1<<62),
	}
	t.Price.Max = wei("max", 1, 1<<50)
	if t.Kind == Dynamic {
		t.Price.Tip = wei("tip", 0, t.Price.Max.Big().Int64())
	}
	if rapid.Bool().Draw(r, "of a token") {
		t.Token = addresses.Filter(func(a string) bool { return a != t.To }).Draw(r, "token")
		huge := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 1, 32).Draw(r, "units"))
		if huge.Sign() > 0 {
			t.Amount, _ = money.FromBig(huge)
		}
	}
	return t
})

var addresses = rapid.Custom(func(r *rapid.T) string {
	return strings.ToLower(common.BytesToAddress(rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(r, "address")).Hex())
}).Filter(func(a string) bool { return !strings.HasPrefix(a, nobody) })

func TestEveryTransactionReadsBackToItselfAndNoBitOfItCanChange(t *testing.T) {
	h := sender(t)
	rapid.Check(t, func(r *rapid.T) {
		tx := anything.Draw(r, "transaction")
		signed := h.signs(t, tx)
		back, again, err := Decode(signed.Bytes)
		if err != nil || !back.same(tx) || again.From != h.address() {
			r.Fatalf("%+v: %+v, %+v, %v", tx, back, again, err)
		}
		changed := slices.Clone(signed.Bytes)
		at := rapid.IntRange(0, 8*len(changed)-1).Draw(r, "bit")
		changed[at/8] ^= 1 << (at % 8)
		if _, other, err := Decode(changed); err == nil && other.From == h.address() {
			r.Fatalf("with bit %d changed, it is still the sender's", at)
		}
		if _, _, err := Decode(append(signed.Bytes, 0)); err == nil {
			r.Fatal("a byte may follow")
		}
	})
}

// FuzzDecode: bytes are those of one transaction, or refused.
func FuzzDecode(f *testing.F) {
	for _, tx := range all() {
		f.Add(sender(f).signs(f, tx).Bytes)
	}
	f.Add([]byte{})
	f.Add([]byte{2, 0xc0})
	f.Add([]byte{0xf8, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		tx, signed, err := Decode(b)
		if err != nil {
			return
		}
		if string(signed.Bytes) != string(b) || tx.Check() != nil {
			t.Fatalf("%x reads as %+v", b, tx)
		}
		if _, err := tx.Digest(); err != nil {
			t.Fatal(err)
		}
	})
}
