package callback

import (
	"strings"
	"testing"

	"farrier/shared/chain"
	"farrier/shared/money"
	"farrier/shared/problem"
)

func TestChainsAreKnownByTheNamesThatProvidersUse(t *testing.T) {
	for name, want := range map[string]chain.ID{
		"ETH": "eip155:1", "ETHEREUM": "eip155:1", "ethereum-mainnet": "eip155:1", "ETH_MAINNET": "eip155:1", "ERC20": "eip155:1",
		"MATIC": "eip155:137", "POLYGON": "eip155:137", "Polygon (MATIC)": "eip155:137", "MATIC_POLYGON": "eip155:137", "polygon-mainnet": "eip155:137",
		"BSC": "eip155:56", "BNB": "eip155:56", "BNB_BSC": "eip155:56", "bsc-mainnet": "eip155:56", "BEP20": "eip155:56",
		"ARBITRUM": "eip155:42161", "ARB_MAINNET": "eip155:42161", "arbitrum-one": "eip155:42161", "BASE": "eip155:8453", "OPTIMISM": "eip155:10", "OPT_MAINNET": "eip155:10",
		"TRON": "tron:0x2b6653dc", "TRX": "tron:0x2b6653dc", "TRC20": "tron:0x2b6653dc", "BTC": "bip122:000000000019d6689c085ae165831e93",
		"bitcoin": "bip122:000000000019d6689c085ae165831e93", "SOL": "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", "eip155:11155111": "eip155:11155111", "Avalanche C-Chain": "eip155:43114",
	} {
		if got, known := chainNamed(name); got != want || !known {
			t.Errorf("%s: %q", name, got)
		}
	}
	for _, name := range []string{"", "mainnet", "ETH_SEPOLIA", "ethereum-sepolia", "MATIC_MUMBAI", "tron-testnet", "BTC_TEST", "a:b:c", ":", "eip155:", "é", strings.Repeat("eth", 99)} {
		if got, known := chainNamed(name); known {
			t.Errorf("%.30q is %q", name, got)
		}
	}
	for plain, id := range chainNames {
		if got, known := chainNamed(strings.ToUpper(plain)); got != id || !known || !chainForm(string(id)) {
			t.Errorf("%s: %q", plain, got)
		}
	}
}

func TestEVMChainsAreKnownByTheirNumber(t *testing.T) {
	for number, want := range map[string]chain.ID{"1": "eip155:1", "0x1": "eip155:1", "0x89": "eip155:137", "137": "eip155:137"} {
		if got, known := chainNumbered(number); got != want || !known {
			t.Errorf("%s: %q", number, got)
		}
	}
	for _, number := range []string{"", "0", "0x0", "-1", "x", "1.0", "01", "0x" + strings.Repeat("f", 64)} {
		if got, known := chainNumbered(number); known {
			t.Errorf("%q is %q", number, got)
		}
	}
}

func TestACoinAndATokenAreCAIP19(t *testing.T) {
	for id := range coins {
		coin, known := coinOf(id)
		if a, err := money.ParseAsset(string(coin.Asset)); err != nil || a != coin.Asset || !known || coin.Decimals < 6 {
			t.Errorf("%s: %+v, %v", id, coin, err)
		}
	}
	if _, known := coinOf("eip155:5"); known {
		t.Error("a chain without a coin here")
	}
	for contract, want := range map[string]money.Asset{
		"0xC2132D05D31c914a87C6611C10748AEb04B58e8F": "eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f", "": "", "0x12": "", "USDT": "", "0x" + strings.Repeat("g", 40): "",
	} {
		if got := tokenOn("eip155:137", contract); got != want {
			t.Errorf("%q: %q", contract, got)
		}
	}
	if got := tokenOn("tron:0x2b6653dc", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"); got != "tron:0x2b6653dc/trc20:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t" {
		t.Error(got)
	}
	if got := tokenOn("bip122:000000000019d6689c085ae165831e93", "x"); got != "" {
		t.Error(got)
	}
}

func TestCurrenciesHaveTheirDecimals(t *testing.T) {
	for code, want := range map[string]int{"EUR": 2, "usd": 2, "JPY": 0, "KRW": 0, "KWD": 3, "CNY": 2} {
		if got, known := currency(code); !known || got.Decimals != want || string(got.Asset) != currencyPrefix+strings.ToUpper(code) {
			t.Errorf("%s: %+v", code, got)
		}
	}
	for _, code := range []string{"", "EU", "EURO", "BTC", "XXX", "é"} {
		if got, known := currency(code); known {
			t.Errorf("%q is %+v", code, got)
		}
	}
}

func TestAssetsOfAConnectionAreCheckedWhenTheyAreSet(t *testing.T) {
	given := map[string]KnownAsset{"USDT.TRC20": {"eip155:137/erc20:0xC2132D05D31c914a87C6611C10748AEb04B58e8F", 6}, "E": {"iso4217:EUR", 2}}
	s := Settings{Assets: given}
	if err := s.settle(nil); err != nil || s.Assets["USDT.TRC20"].Asset != "eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f" || !strings.Contains(string(given["USDT.TRC20"].Asset), "C2132D") {
		t.Errorf("%v, %v", s.Assets, err)
	}
	many := map[string]KnownAsset{}
	for range 51 {
		many[strings.Repeat("x", len(many)+1)] = KnownAsset{"iso4217:EUR", 2}
	}
	for _, c := range []struct {
		field  string
		assets map[string]KnownAsset
	}{
		{"assets", many}, {"assets", map[string]KnownAsset{"": {"iso4217:EUR", 2}}}, {"assets", map[string]KnownAsset{"a\n": {"iso4217:EUR", 2}}},
		{"assets.a.asset", map[string]KnownAsset{"a": {"USDT", 6}}}, {"assets.a.asset", map[string]KnownAsset{"a": {"iso4217:eur", 2}}}, {"assets.a.asset", map[string]KnownAsset{"a": {"iso4217:BTC", 8}}},
		{"assets.a.decimals", map[string]KnownAsset{"a": {"iso4217:EUR", 37}}}, {"assets.a.decimals", map[string]KnownAsset{"a": {"iso4217:EUR", -1}}},
	} {
		err := (&Settings{Assets: c.assets}).settle(nil)
		if !problem.Is(err, problem.Invalid) || problem.Of(err).Field != c.field {
			t.Errorf("%s: %v", c.field, err)
		}
	}
}

func TestFormsVersionsAndRequiredPathsAreCheckedWhenTheyAreSet(t *testing.T) {
	for _, c := range []struct {
		field string
		s     Settings
	}{
		{"format", Settings{Format: "yaml"}}, {"version_path", Settings{VersionPath: ".", Versions: []string{"1"}}}, {"version_path", Settings{Versions: []string{"1"}}},
		{"versions", Settings{VersionPath: "v"}}, {"versions", Settings{VersionPath: "v", Versions: make([]string, 21)}}, {"versions[1]", Settings{VersionPath: "v", Versions: []string{"1", ""}}},
		{"required", Settings{Required: make([]string, 21)}}, {"required[0]", Settings{Required: []string{"a..b"}}},
	} {
		err := c.s.settle(nil)
		if !problem.Is(err, problem.Invalid) || problem.Of(err).Field != c.field {
			t.Errorf("%s: %v", c.field, err)
		}
	}
	known := Source{}
	for field, s := range map[string]Settings{
		"chain_path": {ChainPath: "a"}, "transaction_path": {TransactionPath: "a"}, "format": {Format: "xml"}, "version_path": {VersionPath: "a"}, "required": {Required: []string{"a"}}, "hmac": {HMAC: &HMAC{}},
	} {
		if err := s.fits("stripe", known); problem.Of(err).Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
