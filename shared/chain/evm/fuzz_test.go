package evm_test

import (
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"farrier/shared/chain/evm"
)

// FuzzParseAddress: an address is taken in one case or with the checksum that go-ethereum gives it, and in no other
// spelling; it has one canonical form, from which the checksummed one follows.
func FuzzParseAddress(f *testing.F) {
	for _, s := range eip55 {
		f.Add(s)
		f.Add("0x" + strings.ToUpper(s[2:]))
		f.Add(s[:41] + strings.ToUpper(s[41:]))
	}
	f.Add("0X52908400098527886e0f7030069857d2e4169ee7")
	f.Add("0x0x908400098527886e0f7030069857d2e4169ee7")
	f.Add("0x52908400098527886e0f7030069857d2e4169e\xef\xbc\x97")
	f.Fuzz(func(t *testing.T, s string) {
		digits, prefixed := strings.CutPrefix(s, "0x")
		judge := common.HexToAddress(s).Hex()
		good := prefixed && len(digits) == 40 && common.IsHexAddress(s) && (digits == strings.ToLower(digits) || digits == strings.ToUpper(digits) || s == judge)
		address, err := evm.ParseAddress(s)
		if (err == nil) != good {
			t.Fatalf("%q: %q, %v", s, address, err)
		}
		if err != nil {
			if address != "" || err != evm.ErrAddress {
				t.Fatalf("%q: %q, %v", s, address, err)
			}
			return
		}
		if again, err := evm.ParseAddress(address); err != nil || again != address || address != strings.ToLower(judge) {
			t.Fatalf("%q is %q and then %q, %v", s, address, again, err)
		}
		if spelt := evm.Checksum(address); spelt != judge {
			t.Fatalf("%q is spelt %q, and by go-ethereum %q", address, spelt, judge)
		}
	})
}
