package callback

import (
	"fmt"
	"testing"

	"farrier/shared/money"
)

// smallest is an amount in an asset's smallest unit.
func smallest(t testing.TB, units string) money.Amount {
	t.Helper()
	a, err := money.ParseUnits(units)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// same compares notices by what they say: an amount holds a pointer.
func same(a, b any) bool { return fmt.Sprintf("%+v", a) == fmt.Sprintf("%+v", b) }

func TestACodeIsWhatTheConnectionSaysOrAChainsOwnCoinAndNeverMoneyOfAState(t *testing.T) {
	s := Settings{Assets: map[string]KnownAsset{"USDC": {"eip155:137/erc20:0x3c499c542cef5e3811e1192ce70d8cc03d5c3359", 6}, "ETH": {"eip155:8453/slip44:60", 18}}}
	for _, c := range []struct {
		code, amount string
		want         Notice
	}{
		{"BTC", "0.00000001", Notice{Chain: "bip122:000000000019d6689c085ae165831e93", Asset: "bip122:000000000019d6689c085ae165831e93/slip44:0", Decimals: 8, Amount: smallest(t, "1")}},
		{"USDC", "1.5", Notice{Chain: "eip155:137", Asset: "eip155:137/erc20:0x3c499c542cef5e3811e1192ce70d8cc03d5c3359", Decimals: 6, Amount: smallest(t, "1500000")}},
		{"ETH", "2", Notice{Chain: "eip155:8453", Asset: "eip155:8453/slip44:60", Decimals: 18, Amount: smallest(t, "2000000000000000000")}},
		{"EUR", "1", Notice{Code: "EUR"}},
		{"TOP", "no amount", Notice{Code: "TOP"}},
	} {
		var got Notice
		if err := got.priceCoin(s, c.code, c.amount, ownCoins); err != nil || !same(got, c.want) {
			t.Errorf("%s: %+v, want %+v, %v", c.code, got, c.want, err)
		}
	}
	for _, wrong := range []string{"", "-1", "0.000000001", "1e-9", "1,5", "NaN"} {
		var got Notice
		if err := got.priceCoin(s, "BTC", wrong, ownCoins); err == nil || !same(got, Notice{}) {
			t.Errorf("%q: %+v, %v", wrong, got, err)
		}
	}
}

func TestAConnectionAboutOneChainIsAboutThatChain(t *testing.T) {
	if got := (Settings{Chain: "eip155:80002"}).on("eip155:137"); got != "eip155:80002" {
		t.Error(got)
	}
	if got := (Settings{}).on("eip155:137"); got != "eip155:137" {
		t.Error(got)
	}
}
