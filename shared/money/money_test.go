package money

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestADecimalIsReadExactlyOrRefused(t *testing.T) {
	largest := maxUnits.String()
	for _, c := range []struct {
		in       string
		decimals int
		units    string // empty: refused
	}{
		{"10.50", 6, "10500000"},
		{"0", 6, "0"},
		{"0.000001", 6, "1"},
		{"0.0000001", 6, ""},
		{"10.5000000", 6, ""},
		{"7", 0, "7"},
		{"7.0", 0, ""},
		{"007", 0, "7"},
		{".5", 6, ""},
		{"5.", 6, ""},
		{"", 6, ""},
		{"-1", 6, ""},
		{"+1", 6, ""},
		{"1e3", 6, ""},
		{"1,5", 6, ""},
		{" 1", 6, ""},
		{"٣", 6, ""},
		{"0x10", 6, ""},
		{"NaN", 6, ""},
		{largest, 0, largest},
		{largest[:60] + "." + largest[60:], 18, largest},
		{"0." + strings.Repeat("0", 255-len(largest)) + largest, 255, largest},
		{"0.00", 255, "0"},
		{strings.Repeat("9", 78), 0, ""},
		{strings.Repeat("9", 5000), 18, ""},
	} {
		got, err := ParseDecimal(c.in, c.decimals)
		if (err == nil) != (c.units != "") || (err == nil && got.String() != c.units) {
			t.Errorf("ParseDecimal(%.40q, %d) = %v, %v; want %q", c.in, c.decimals, got, err, c.units)
		}
	}
}

func TestUnitsHaveOneSpelling(t *testing.T) {
	for in, ok := range map[string]bool{"0": true, "-5": true, "12": true, "00": false, "01": false, "-0": false, "+1": false, "1.0": false, "": false, "-": false} {
		if _, err := ParseUnits(in); (err == nil) != ok {
			t.Errorf("ParseUnits(%q): %v", in, err)
		}
	}
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		decimals := rapid.IntRange(0, 30).Draw(t, "decimals")
		a, err := ParseUnits(rapid.StringMatching(`0|[1-9][0-9]{0,60}`).Draw(t, "units"))
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseDecimal(a.Decimal(decimals), decimals)
		if err != nil || back.Cmp(a) != 0 {
			t.Fatalf("%s at %d decimals came back as %s, %v", a, decimals, back, err)
		}
	})
}

func TestADecimalShowsTwoPlacesAndNoIdleZeros(t *testing.T) {
	for _, c := range []struct {
		units    int64
		decimals int
		want     string
	}{
		{10_500_000, 6, "10.50"}, {1, 6, "0.000001"}, {0, 6, "0.00"}, {-2_000_000, 6, "-2.00"}, {5, 0, "5"}, {15, 1, "1.5"}, {1_230_000, 6, "1.23"}, {1_234_000, 6, "1.234"},
	} {
		if got := Units(c.units).Decimal(c.decimals); got != c.want {
			t.Errorf("%d at %d decimals: %s, want %s", c.units, c.decimals, got, c.want)
		}
	}
}

func TestAnAssetHasOneSpelling(t *testing.T) {
	a, err := ParseAsset("eip155:137/erc20:0xC2132D05D31c914a87C6611C10748AEb04B58e8F")
	if err != nil || a != "eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f" {
		t.Fatalf("%s, %v", a, err)
	}
	if a.Chain() != "eip155:137" || a.Kind() != "erc20" || a.Reference() != "0xc2132d05d31c914a87c6611c10748aeb04b58e8f" {
		t.Fatalf("%s %s %s", a.Chain(), a.Kind(), a.Reference())
	}
	for _, wrong := range []string{"", "USDT", "eip155:137", "eip155/erc20:0x", "eip155:137/erc20:", "eip155:137/erc20:0x\x00", "eip155:137 /erc20:0x1", strings.Repeat("a", 300)} {
		if _, err := ParseAsset(wrong); err == nil {
			t.Errorf("ParseAsset(%.30q) was accepted", wrong)
		}
	}
}
