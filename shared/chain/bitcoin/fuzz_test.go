package bitcoin_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/btcutil/base58"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/txscript"

	"farrier/shared/chain/bitcoin"
)

// FuzzParseAddress: a text is taken where btcutil takes it for an address of that network, and in no other spelling than
// in one case; it has one canonical form; what is refused is not repeated.
func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{
		"BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", "175tWpb8K1S7NmH4Zx6rewF9WQrcZv245W",
		"tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7", "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y", "bc1zw508d6qejxtdg4y5r3zarvaryvg6kdaj",
		"bc1pfeessrawgf", "bc1gmk9yu", "1111111111111111111114oLvT2", "Sb1", "sb1", "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798", "\xff",
	} {
		for i := range len(references) {
			f.Add(byte(i), s)
		}
	}
	f.Fuzz(func(t *testing.T, which byte, text string) {
		network := references[int(which)%len(references)]
		got, err := bitcoin.ParseAddress(network, text)
		judge := judged(text, parameters[network])
		if got != judge {
			t.Fatalf("%q on %s is %q, %v; by btcutil %q", text, network, got, err, judge)
		}
		if (err == nil) != (got != "") {
			t.Fatalf("%q on %s: %q and %v", text, network, got, err)
		}
		if err != nil {
			var other *bitcoin.NetworkError
			if !errors.Is(err, bitcoin.ErrAddress) && !errors.Is(err, bitcoin.ErrChecksum) && !errors.Is(err, bitcoin.ErrCase) && !errors.Is(err, bitcoin.ErrEncoding) && !errors.Is(err, bitcoin.ErrKind) && !errors.As(err, &other) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if again, err := bitcoin.ParseAddress(network, got); err != nil || again != got {
			t.Fatalf("%q is %q and then %q, %v", text, got, again, err)
		}
		if text != got && text != strings.ToUpper(got) {
			t.Fatalf("%q is a spelling of %q", text, got)
		}
	})
}

var references = []string{mainnet, testnet3, testnet4, signet, regtest, simnet}

// judged is the canonical spelling by btcutil, without what it takes besides addresses (bare keys in hex) and the kind that is
// not taken (pay to anchor). A base58 address that begins with "sb1" it takes for bech32.
func judged(text string, p *chaincfg.Params) string {
	if hash, first, err := base58.CheckDecode(text); err == nil && len(hash) == 20 && (first == p.PubKeyHashAddrID || first == p.ScriptHashAddrID) {
		return text
	}
	address, err := btcutil.DecodeAddress(text, p)
	if err != nil || !address.IsForNet(p) {
		return ""
	}
	switch address.(type) {
	case *btcutil.AddressPubKeyHash, *btcutil.AddressScriptHash, *btcutil.AddressWitnessPubKeyHash, *btcutil.AddressWitnessScriptHash, *btcutil.AddressTaproot:
		return address.EncodeAddress()
	default:
		return ""
	}
}

// FuzzPaid: a script pays the one address that txscript finds in it, or none; the address is read back.
func FuzzPaid(f *testing.F) {
	for _, s := range []string{
		"0014" + strings.Repeat("11", 20), "0020" + strings.Repeat("22", 32), "5120" + strings.Repeat("33", 32), "76a914" + strings.Repeat("44", 20) + "88ac", "a914" + strings.Repeat("55", 20) + "87",
		"6a0568656c6c6f", "51024e73", "", "00", "5220" + strings.Repeat("66", 32), "210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798ac",
	} {
		b, err := hex.DecodeString(s)
		if err != nil {
			f.Fatal(err)
		}
		for i := range len(references) {
			f.Add(byte(i), b)
		}
	}
	f.Fuzz(func(t *testing.T, which byte, script []byte) {
		network := references[int(which)%len(references)]
		n, _ := bitcoin.NetworkOf(network)
		address, ok := n.Paid(script)
		judge := ""
		switch class, told, _, err := txscript.ExtractPkScriptAddrs(script, parameters[network]); class {
		case txscript.WitnessV0PubKeyHashTy, txscript.WitnessV0ScriptHashTy, txscript.WitnessV1TaprootTy, txscript.PubKeyHashTy, txscript.ScriptHashTy:
			if err == nil && len(told) == 1 {
				judge = told[0].EncodeAddress()
			}
		}
		if ok != (address != "") || address != judge {
			t.Fatalf("%x on %s pays %q, by txscript %q", script, network, address, judge)
		}
		if !ok {
			return
		}
		if back, err := bitcoin.ParseAddress(network, address); err != nil || back != address {
			t.Fatalf("%x pays %q, which is read as %q, %v", script, address, back, err)
		}
	})
}
