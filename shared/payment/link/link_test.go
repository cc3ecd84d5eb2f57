package link

import (
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"farrier/shared/money"
)

// judged is what other libraries make of the same payments; testdata/judge.mjs says how.
type judged struct {
	Action  string
	Expires int64
	Cases   []struct {
		Name, Asset, Symbol, Units, To, Callback, Page string
		Decimals                                       int
		Links                                          Links
	}
}

func readJudged(t testing.TB) judged {
	t.Helper()
	text, err := os.ReadFile("testdata/judged.json")
	if err != nil {
		t.Fatal(err)
	}
	var all judged
	if err := json.Unmarshal(text, &all); err != nil || len(all.Cases) < 6 {
		t.Fatalf("%d cases, %v", len(all.Cases), err)
	}
	return all
}

func TestEveryLinkIsWhatOtherLibrariesMake(t *testing.T) {
	all := readJudged(t)
	for _, c := range all.Cases {
		amount, err := money.ParseUnits(c.Units)
		if err != nil {
			t.Fatal(err)
		}
		got := Of(Asked{
			Asset: money.Asset(c.Asset), Symbol: c.Symbol, Decimals: c.Decimals, Amount: amount, Address: c.To,
			Name: all.Action, Expires: time.Unix(all.Expires, 0), CallbackURL: c.Callback, PageURL: c.Page,
		})
		if got != c.Links {
			t.Errorf("%s:\n%+v, want\n%+v", c.Name, got, c.Links)
		}
	}
}

var usdt = Asked{
	Asset: "eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f", Symbol: "USDT", Decimals: 6, Amount: money.Units(10_500_000),
	Address: "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", Name: "pay_1", Expires: time.Unix(1795262400, 0),
}

// The exact texts, as the wallets' makers write them.
func TestTheLinksOfAPaymentInUSDTOnPolygon(t *testing.T) {
	l := Of(usdt)
	for name, c := range map[string][2]string{
		"address":  {l.Address, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"},
		"eip681":   {l.EIP681, "ethereum:0xc2132D05D31c914a87C6611C10748AEb04B58e8F@137/transfer?address=0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed&uint256=10500000"},
		"metamask": {l.MetaMask, "https://link.metamask.io/send/0xc2132D05D31c914a87C6611C10748AEb04B58e8F@137/transfer?address=0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed&uint256=10500000"},
		"imtoken":  {l.ImToken, ""},
		"bip21":    {l.BIP21, ""},
	} {
		if c[0] != c[1] {
			t.Errorf("%s: %s, want %s", name, c[0], c[1])
		}
	}
	const want = `{"action":"pushTransaction","actionId":"pay_1","blockchains":[{"chainId":"137","network":"ethereum"}],"expired":"1795262400","protocol":"TokenPocket",` +
		`"txData":"{\"chainId\":\"137\",\"data\":\"0xa9059cbb0000000000000000000000005aaeb6053f3e94c9b9a09f33669435e7ef1beaed0000000000000000000000000000000000000000000000000000000000a037a0\",` +
		`\"gas\":\"0x186a0\",\"to\":\"0xc2132D05D31c914a87C6611C10748AEb04B58e8F\"}","version":"2.0"}`
	if got := paramOf(t, l.TokenPocket); got != want {
		t.Errorf("tokenpocket:\n%s, want\n%s", got, want)
	}
}

// Where the limit holds the price of the data on Ethereum too, a limit of a transfer alone is too low when Ethereum is busy.
func TestTheLimitOfGasIsHigherWhereItHoldsThePriceOfData(t *testing.T) {
	for chain, want := range map[string]string{"137": "0x186a0", "1": "0x186a0", "10": "0x186a0", "42161": "0xf4240"} {
		for _, kind := range []string{"/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f", "/slip44:60"} {
			a := usdt
			a.Asset = money.Asset("eip155:" + chain + kind)
			if got := paramOf(t, Of(a).TokenPocket); !strings.Contains(got, `\"gas\":\"`+want+`\"`) {
				t.Errorf("%s%s: %s, want gas %s", chain, kind, got, want)
			}
		}
	}
}

func TestTokenPocketIsToldWhereToCallBack(t *testing.T) {
	a := usdt
	a.CallbackURL = "https://api.example.com/callbacks/con_1?order=a%2Fb&secret=0f"
	var p struct{ CallbackURL, ActionID string }
	if err := json.Unmarshal([]byte(paramOf(t, Of(a).TokenPocket)), &p); err != nil || p.CallbackURL != a.CallbackURL || p.ActionID != "pay_1" {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestImTokenOpensThePaymentsPage(t *testing.T) {
	a := usdt
	a.PageURL = "https://shop.example/pay?order=1&lang=zh"
	if got, want := Of(a).ImToken, "imtokenv2://navigate/DappView?url=https%3A%2F%2Fshop.example%2Fpay%3Forder%3D1%26lang%3Dzh"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestWhatAWalletDoesNotKnowHasNoLink(t *testing.T) {
	for asset, want := range map[money.Asset]Links{
		"tron:0x94a9059e/slip44:195":                       {Address: "TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6"}, // a test network
		"cosmos:cosmoshub-3/slip44:118":                    {Address: "TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6"},
		"bip122:000000000019d6689c085ae165831e93/slip44:0": {Address: "TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6", BIP21: "bitcoin:TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6?amount=0.105"},
	} {
		a := usdt
		a.Asset, a.Address = asset, "TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6"
		if got := Of(a); got != want {
			t.Errorf("%s: %+v, want %+v", asset, got, want)
		}
	}
}

// paramOf is what stands in a link of TokenPocket's.
func paramOf(t *testing.T, link string) string {
	t.Helper()
	param, ok := strings.CutPrefix(link, "tpoutside://pull.activity?param=")
	if !ok || strings.ContainsAny(param, "+ {\"") {
		t.Fatal(link)
	}
	text, err := url.QueryUnescape(param)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
