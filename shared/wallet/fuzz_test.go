package wallet

import (
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcutil/base58"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"farrier/shared/problem"
)

// FuzzParseXPub: a text is an account's public key in its one spelling, from which addresses come; or it is refused
// by the field's name, without a word of it.
func FuzzParseXPub(f *testing.F) {
	for _, s := range []string{account, account[:len(account)-1] + "Q", " " + account, "1" + account, "xprv", "xpub", "", "0OIl", "\xff", strings.Repeat("1", 111)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		x, err := Accounts{"eip155": s}.Of("eip155:137")
		if err != nil {
			refused(t, s, err)
			return
		}
		if written := x.key.String(); written != s {
			t.Fatalf("%q is a second spelling of %q", s, written)
		}
		givesAddresses(t, x)
	})
}

// FuzzXPubFields: whatever stands in the fields of a key whose checksum is right (BIP-32, "Serialization format"),
// only a public point of an account's depth under the main network's version is taken.
func FuzzXPubFields(f *testing.F) {
	known := base58.Decode(account)
	point := known[45:78]
	const public, private = 0x0488B21E, 0x0488ADE4
	f.Add(uint32(public), byte(3), uint32(0x80000000), known[13:45], point)
	f.Add(uint32(private), byte(3), uint32(0), known[13:45], append([]byte{0}, point[1:]...)) // a private key
	f.Add(uint32(public), byte(3), uint32(0), known[13:45], append([]byte{0}, point[1:]...))  // that calls itself public
	f.Add(uint32(private), byte(3), uint32(0), known[13:45], point)                           // a public key that calls itself private
	f.Add(uint32(0x043587CF), byte(3), uint32(0), known[13:45], point)                        // of the test network
	f.Add(uint32(0x04B24746), byte(3), uint32(0), known[13:45], point)                        // zpub (SLIP-132)
	f.Add(uint32(public), byte(0), uint32(0), known[13:45], point)                            // a master key
	f.Add(uint32(public), byte(3), uint32(0), known[13:45], append([]byte{4}, point[1:]...))  // no compressed point
	f.Add(uint32(public), byte(3), uint32(0), known[13:45], append([]byte{2}, known[:32]...)) // perhaps not on the curve
	f.Add(uint32(public), byte(3), uint32(0), known[13:45], append([]byte{2}, make([]byte, 32)...))
	f.Add(uint32(public), byte(3), uint32(0), known[13:45], make([]byte, 33)) // zero is no private key
	f.Fuzz(func(t *testing.T, version uint32, depth byte, child uint32, chainCode, key []byte) {
		if len(chainCode) != 32 || len(key) != 33 {
			t.Skip()
		}
		b := []byte{byte(version >> 24), byte(version >> 16), byte(version >> 8), byte(version), depth, 1, 2, 3, 4, byte(child >> 24), byte(child >> 16), byte(child >> 8), byte(child)}
		b = append(append(b, chainCode...), key...)
		s := withChecksum(b)
		_, offCurve := crypto.DecompressPubkey(key)
		x, err := Accounts{"eip155": s}.Of("eip155:137")
		if good := version == public && depth == AccountDepth && offCurve == nil; good != (err == nil) {
			t.Fatalf("version %x, depth %d, point %x (%v): %v", version, depth, key, offCurve, err)
		}
		if err == nil {
			givesAddresses(t, x)
			return
		}
		refused(t, s, err)
		_, noScalar := crypto.ToECDSA(key[1:])
		if key[0] == 0 && noScalar == nil && !strings.Contains(err.Error(), "PRIVATE") {
			t.Fatalf("a private key is refused as if it were none: %v", err)
		}
	})
}

func refused(t *testing.T, s string, err error) {
	t.Helper()
	if p := problem.Of(err); p.Code != problem.Invalid || p.Field != "xpub" {
		t.Fatalf("%q: %v", s, err)
	}
	if len(s) > 12 && strings.Contains(err.Error(), s) {
		t.Fatalf("the error repeats what was given: %v", err)
	}
}

// givesAddresses checks that the addresses at 0/0, 0/1 and 1/0 are three.
func givesAddresses(t *testing.T, x XPub) {
	t.Helper()
	seen := map[string]bool{}
	for _, at := range [][2]uint32{{0, 0}, {0, 1}, {1, 0}} {
		address, err := x.Address("eip155:137", at[0], at[1])
		if err != nil {
			t.Fatalf("%d/%d: %v", at[0], at[1], err)
		}
		if seen[address] || address != strings.ToLower(common.HexToAddress(address).Hex()) {
			t.Fatalf("%d/%d: %q", at[0], at[1], address)
		}
		seen[address] = true
	}
}
