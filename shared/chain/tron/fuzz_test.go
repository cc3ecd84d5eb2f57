package tron_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
	"testing"

	"farrier/shared/chain/tron"
)

// FuzzParseAddress: what is taken are 25 bytes in base58 that begin with 0x41 and end with their own checksum, as a
// reader of base58 by math/big tells; it is its own canonical spelling and survives the way through hex.
func FuzzParseAddress(f *testing.F) {
	for text, account := range published {
		f.Add(text)
		f.Add(account)
		f.Add(strings.ToLower(text))
		f.Add("1" + text)
		f.Add(text[:33])
	}
	f.Add("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2")
	f.Add("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6\xef\xbc\x97")
	f.Fuzz(func(t *testing.T, text string) {
		address, err := tron.ParseAddress(text)
		if good := judged(text); (err == nil) != good {
			t.Fatalf("%q: %q, %v, want %v", text, address, err, good)
		}
		if err != nil {
			if address != "" || !errors.Is(err, tron.ErrAddress) {
				t.Fatalf("%q: %q, %v", text, address, err)
			}
			return
		}
		if address != text || len(text) != 34 || text[0] != 'T' {
			t.Fatalf("%q is %q", text, address)
		}
		spelt, err := tron.Hex(address)
		if err != nil {
			t.Fatal(err)
		}
		for _, again := range []string{spelt, "41" + spelt[2:]} {
			if back, err := tron.FromHex(again); err != nil || back != address {
				t.Fatalf("%q is %q and then %q, %v", address, again, back, err)
			}
		}
	})
}

// FuzzFromHex: an account in hex is 20 bytes behind one of the two prefixes, or refused.
func FuzzFromHex(f *testing.F) {
	for _, account := range published {
		f.Add(account)
		f.Add("41" + account[2:])
		f.Add("0x41" + account[2:])
		f.Add(account[2:])
	}
	f.Fuzz(func(t *testing.T, text string) {
		address, err := tron.FromHex(text)
		good := len(text) == 42 && (text[:2] == "0x" || text[:2] == "41")
		if good {
			_, bad := hex.DecodeString(text[2:])
			good = bad == nil
		}
		if (err == nil) != good {
			t.Fatalf("%q: %q, %v, want %v", text, address, err, good)
		}
		if err == nil && !judged(address) {
			t.Fatalf("%q: %q", text, address)
		}
	})
}

// judged reads base58check by means that package tron does not use.
func judged(text string) bool {
	const digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	if len(text) != 34 {
		return false
	}
	n := new(big.Int)
	for _, r := range []byte(text) {
		d := strings.IndexByte(digits, r)
		if d < 0 {
			return false
		}
		n.Add(n.Mul(n, big.NewInt(58)), big.NewInt(int64(d)))
	}
	b := n.Bytes()
	if len(b) != 25 || b[0] != 0x41 {
		return false
	}
	once := sha256.Sum256(b[:21])
	twice := sha256.Sum256(once[:])
	return string(twice[:4]) == string(b[21:])
}
