package callback

import (
	"encoding/json"
	"strings"
	"testing"
)

// tokenPocketSays is a callback of the app's, with more or other fields.
func tokenPocketSays(result, tx, more string) string {
	return `{"ref": "TokenPocket", "protocol": "TokenPocket", "version": "2.0", "action": "transfer", "actionId": "order-7-1", "account": "0x1", "wallet": "0x1",
		"chainId": "137", "network": "ethereum", "result": ` + result + `, "txID": "` + tx + `"` + more + `}`
}

func tokenPocketSenders(t testing.TB) []provider {
	said := func(kind Kind, tx, word string) []Notice {
		return []Notice{{Kind: kind, Chain: "eip155:137", Tx: tx, Reference: "order-7-1", Detail: word}}
	}
	const tron = `{"result":1,"txID":"588c6797534d09e8e0b149c06c11bfd6ca7b96f0d4bba87700fffe7a87b0d988","chainId":"728126428","network":"tron","action":"pushTransaction"}`
	return []provider{unsigned(t, "tokenpocket", tokenPocketSays("1", txA, ""), "order-7/order-7-1/1/"+txA, []reading{
		{tokenPocketSays("1", txA, ""), said(DepositSeen, txA, "")},
		{tokenPocketSays(`"1"`, txA, ""), said(DepositSeen, txA, "")},
		{tokenPocketSays("1", "", ""), said(DepositSeen, "", "")},
		{tokenPocketSays("0", "", ""), said(PaymentFailed, "", "cancelled")},
		{tokenPocketSays("2", "", ""), said(PaymentFailed, "", "failed")},
		{tokenPocketSays("2", txA, `, "message": "out of gas"`), said(PaymentFailed, txA, "out of gas")},
		{tron, []Notice{{Kind: DepositSeen, Chain: "tron:0x2b6653dc", Tx: "588c6797534d09e8e0b149c06c11bfd6ca7b96f0d4bba87700fffe7a87b0d988"}}},
		{strings.Replace(tron, `"network":"tron",`, "", 1), []Notice{{Kind: DepositSeen, Chain: "tron:0x2b6653dc", Tx: "588c6797534d09e8e0b149c06c11bfd6ca7b96f0d4bba87700fffe7a87b0d988"}}},
		{`{"result":1,"txID":"` + txA + `","blockchain":"bsc"}`, []Notice{{Kind: DepositSeen, Chain: "eip155:56", Tx: txA}}},
		{`{"result":1,"txID":"` + txA + `","network":"ethereum"}`, []Notice{{Kind: DepositSeen, Tx: txA}}},
		{`{"action":"login","actionId":"a-1","result":1,"sign":"SIG_K1_K"}`, []Notice{{Kind: Other, Reference: "a-1", Detail: "login"}}},
	}, tokenPocketSays("3", txA, ""))}
}

func TestTokenPocketIsToldWhatItsAppTakesForSuccess(t *testing.T) {
	var said struct{ Code *int }
	if err := json.Unmarshal([]byte(tokenPocket.Answer.Body), &said); err != nil || said.Code == nil || *said.Code != 0 || tokenPocket.Answer.ContentType != "application/json" {
		t.Errorf("%+v, %v", tokenPocket.Answer, err)
	}
}

// Whatever the app says, money is never said to be paid; and a hash that is none asks for the chain alone.
func TestTokenPocketOnlyAsksForALook(t *testing.T) {
	for _, s := range []Source{tokenPocket, imToken, bitPayUnsigned} {
		for _, trust := range s.Trusts {
			if trust == Statement {
				t.Error("an unsigned source may be believed")
			}
		}
	}
	for tx, want := range map[string]Hint{txA: {"eip155:137", txA}, "": {"eip155:137", ""}, "not a hash": {"eip155:137", ""}, "0x12": {"eip155:137", ""}} {
		for _, result := range []string{"0", "1", "2"} {
			got, err := readTokenPocket([]byte(tokenPocketSays(result, tx, "")), Settings{}, Keys{})
			if err != nil || got[0].Kind == PaymentPaid || got[0].Kind == DepositConfirmed {
				t.Fatalf("%+v, %v", got, err)
			}
			if hint, asks := got[0].Hint(); !asks || hint != want {
				t.Errorf("%q: %+v, %v", tx, hint, asks)
			}
		}
	}
	for body, want := range map[string]string{
		`{"txID":"0x1"}`: "result is missing, or is no name", `{"result":null}`: "result is missing, or is no name", `{"result":1,"action":"burn"}`: "the event burn is not known",
	} {
		if _, err := readTokenPocket([]byte(body), Settings{}, Keys{}); err == nil || err.Error() != want {
			t.Errorf("%s: %v", body, err)
		}
	}
}
