package money

import (
	"math/big"
	"regexp"
	"strings"
	"testing"
)

// FuzzParseDecimal: what is read is what math/big's rationals read, to the last unit, and is written so that it is
// read back; what is refused is no decimal number, has more decimals than the asset, or does not fit a uint256.
func FuzzParseDecimal(f *testing.F) {
	largest := maxUnits.String()
	f.Add("10.50", uint8(6))
	f.Add("0.000000000000000001", uint8(18))
	f.Add("007.000", uint8(3))
	f.Add("0.0000001", uint8(6))
	f.Add(largest, uint8(0))
	f.Add("0."+strings.Repeat("0", 255-len(largest))+largest, uint8(255))
	f.Add("1_000", uint8(6))
	f.Fuzz(func(t *testing.T, s string, decimals uint8) {
		a, err := ParseDecimal(s, int(decimals))
		want := judged(s, int(decimals))
		if (err == nil) != (want != nil) {
			t.Fatalf("%q at %d decimals: %v, %v; the judge reads %v", s, decimals, a, err, want)
		}
		if err != nil {
			return
		}
		if a.Big().Cmp(want) != 0 {
			t.Fatalf("%q at %d decimals: %v; the judge reads %v", s, decimals, a, want)
		}
		if back, err := ParseDecimal(a.Decimal(int(decimals)), int(decimals)); err != nil || back.Cmp(a) != 0 {
			t.Fatalf("%q at %d decimals: %s is written %s, which is read as %s, %v", s, decimals, a, a.Decimal(int(decimals)), back, err)
		}
	})
}

var decimalForm = regexp.MustCompile(`^[0-9]+(\.([0-9]+))?$`)

// judged is the whole number of units that a text stands for, by means that ParseDecimal does not use; nil where it is none.
func judged(s string, decimals int) *big.Int {
	parts := decimalForm.FindStringSubmatch(s)
	if parts == nil || len(parts[2]) > decimals {
		return nil
	}
	value, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil)
	value.Mul(value, new(big.Rat).SetInt(scale))
	if !value.IsInt() || value.Num().BitLen() > 256 {
		return nil
	}
	return value.Num()
}

// FuzzParseUnits: an integer in the smallest unit has one spelling, and it is the one that is written.
func FuzzParseUnits(f *testing.F) {
	for _, s := range []string{"0", "-5", "-0", "007", "+1", "1e3", maxUnits.String(), "-" + maxUnits.String(), maxUnits.String() + "0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseUnits(s)
		if err == nil && a.String() != s {
			t.Fatalf("%q is read as %s", s, a)
		}
		judge, ok := new(big.Int).SetString(s, 10)
		if fits := ok && judge.String() == s && judge.BitLen() <= 256; fits != (err == nil) {
			t.Fatalf("%q: %v", s, err)
		}
	})
}

// FuzzAmountText: what a table gives back is an integer or refused, and is written in one spelling.
func FuzzAmountText(f *testing.F) {
	for _, s := range []string{"0", "-0", "+7", "10.50", "1e3", "0x10", "1_000", "", " 1"} {
		f.Add([]byte(s))
	}
	integer := regexp.MustCompile(`^[-+]?[0-9]+$`)
	f.Fuzz(func(t *testing.T, text []byte) {
		var a, again Amount
		err := a.UnmarshalText(text)
		if (err == nil) != integer.Match(text) {
			t.Fatalf("%q: %v", text, err)
		}
		if err != nil {
			return
		}
		written, err := a.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		if err := again.UnmarshalText(written); err != nil || again.Cmp(a) != 0 || again.String() != string(written) {
			t.Fatalf("%q is written %q, and that is read as %v, %v", text, written, again, err)
		}
	})
}

// FuzzParseAsset: an asset has one spelling, and its three parts are all of it.
func FuzzParseAsset(f *testing.F) {
	for _, s := range []string{
		"eip155:137/erc20:0xC2132D05D31c914a87C6611C10748AEb04B58e8F", "eip155:137/slip44:966", "bip122:000000000019d6689c085ae165831e93/slip44:0",
		"eip155:1/erc721:0x06012c8cf97BEaD5deAe237070F9587f8E7A266d/771769", "eip155:137/erc20:0x1\n", "cosmos:cosmoshub-3/slip44:118",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAsset(s)
		if err != nil {
			if a != "" || len(s) > 20 && strings.Contains(err.Error(), s) {
				t.Fatalf("%q: %q, %v", s, a, err)
			}
			return
		}
		if again, err := ParseAsset(string(a)); err != nil || again != a || !strings.EqualFold(s, string(a)) {
			t.Fatalf("%q is %q and then %q, %v", s, a, again, err)
		}
		if whole := a.Chain() + "/" + a.Kind() + ":" + a.Reference(); whole != string(a) {
			t.Fatalf("%q falls into %q", a, whole)
		}
		if strings.HasPrefix(s, "eip155:") && string(a) != strings.ToLower(s) {
			t.Fatalf("%q is %q", s, a)
		}
	})
}
