package callback

import (
	"strings"
	"testing"

	"farrier/shared/chain"
	"farrier/shared/money"
)

func TestOnlyMoneyOnAChainAsksForALook(t *testing.T) {
	for kind, asks := range looked {
		hint, got := Notice{Kind: kind, Chain: "eip155:137", Tx: txA}.Hint()
		if got != asks || (asks && hint != Hint{"eip155:137", txA}) || (!asks && hint != Hint{}) {
			t.Errorf("%s: %v, %t", kind, hint, got)
		}
		if _, got := (Notice{Kind: kind, Tx: txA}).Hint(); got {
			t.Errorf("%s without a chain asks for a look", kind)
		}
	}
	for _, kind := range []Kind{PaymentPending, ProviderError, Other, PayoutBroadcast, PayoutFinal, PayoutFailed, "of tomorrow"} {
		if looked[kind] {
			t.Errorf("%s asks for a look", kind)
		}
	}
}

func TestATransactionThatIsNoneAsksForItsChainAlone(t *testing.T) {
	for tx, want := range map[string]string{
		"0x" + strings.ToUpper(txA[2:]): txA, "0x12": "", "a b": "", strings.Repeat("x", 500): "",
	} {
		if hint, asks := (Notice{Kind: DepositSeen, Chain: "eip155:1", Tx: tx}).Hint(); !asks || hint.Tx != want {
			t.Errorf("%.20q: %v", tx, hint)
		}
	}
	if hint, _ := (Notice{Kind: DepositSeen, Chain: "tron:0x2b6653dc", Tx: strings.ToUpper(txA[2:])}).Hint(); hint.Tx != txA[2:] {
		t.Error(hint)
	}
}

func TestAPriceIsOfAnAssetThatIsKnownOrKeepsItsCode(t *testing.T) {
	const usdt money.Asset = "eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f"
	s := Settings{Assets: map[string]KnownAsset{"USDTMATIC": {usdt, 6}}}
	for _, c := range []struct {
		code, amount string
		want         Notice
		on           chain.ID
		fails        bool
	}{
		{"USDTMATIC", "10.5", Notice{Asset: usdt, Decimals: 6, Amount: money.Units(10_500_000)}, "eip155:137", false},
		{"USDTMATIC", "0.0000001", Notice{}, "", true},
		{"USDTMATIC", "-1", Notice{}, "", true},
		{"eur", "10.50", Notice{Asset: "iso4217:EUR", Decimals: 2, Amount: money.Units(1050)}, "", false},
		{"JPY", "10", Notice{Asset: "iso4217:JPY", Amount: money.Units(10)}, "", false},
		{"DOGE2\n", "10", Notice{Code: "DOGE2?"}, "", false},
	} {
		var n Notice
		if err := n.price(s, c.code, c.amount); (err != nil) != c.fails {
			t.Errorf("%s %s: %v", c.amount, c.code, err)
		}
		if n.Asset != c.want.Asset || n.Amount.Cmp(c.want.Amount) != 0 || n.Decimals != c.want.Decimals || n.Code != c.want.Code || n.Chain != c.on {
			t.Errorf("%s %s: %+v", c.amount, c.code, n)
		}
	}
}

func TestAProvidersWordIsMadeFitForATableAndALog(t *testing.T) {
	for word, want := range map[string]string{
		"E_42: no": "E_42: no", "a\x00b\nc": "a?b?c", "é": "?", "\xff": "?", strings.Repeat("x", 200): strings.Repeat("x", 128),
	} {
		if got := detail(word); got != want {
			t.Errorf("%q: %q", word, got)
		}
	}
	if nameOf("a\x00") != "" || nameOf("\xff") != "" || nameOf(strings.Repeat("x", 129)) != "" || nameOf("Bestellung 7 ü") == "" {
		t.Error("names")
	}
}

func TestWhatIsNotKnownHasItsOutcome(t *testing.T) {
	for err, want := range map[error]Outcome{unknownEvent("x"): UnknownEvent, unknownVersion("2"): UnknownVersion} {
		if got := err.(UnknownError).Outcome(); got != want {
			t.Errorf("%v: %s", err, got)
		}
	}
	for _, o := range Outcomes() {
		if got, known := ParseOutcome(string(o)); got != o || !known {
			t.Errorf("%s", o)
		}
	}
	if _, known := ParseOutcome(""); known {
		t.Error("what is no trouble is an outcome")
	}
}
