package callback

import (
	"context"
	"strings"

	"farrier/shared/chain"
)

// tokenPocket is the wallet TokenPocket, whose app on the payer's phone posts what became of a request to the callbackUrl
// in it (https://github.com/TP-Lab/tp-wallet-sdk, README.md and "TokenPocket Protocol EN.md" of 2023-09-19, read 2026-11-24).
// Nothing is signed and nothing in it is believed: it only says where to look, and the URL's secret is one order's alone.
// The answer {"code":0} is what the app takes for success; it does not try again.
var tokenPocket = Source{
	Trusts: []Trust{Look}, CheckSecret: checkSharedText, NewSecret: newSharedText, Orders: true, Verify: verifyTokenPocket, Read: readTokenPocket,
	Answer: Answer{Status: ok.Status, ContentType: "application/json", Body: `{"code":0}`},
}

// verifyTokenPocket: one that knows an order's URL can say different things of that order, each once. They are looks only.
func verifyTokenPocket(_ context.Context, d Delivery, _ Settings, k Keys) (string, error) {
	order, err := orderOf(d, k.Secrets)
	if err != nil {
		return "", err
	}
	doc, err := parseJSON(d.Body)
	if err != nil || doc.name("result") == "" {
		return eventID(order + "/" + hashed(d.Body)), nil
	}
	return eventID(strings.Join([]string{order, doc.name("actionId"), doc.name("result"), doc.name("txID")}, "/")), nil
}

// tokenPocketPays are the actions by which a payer pays; "login" and "sign" are others.
var tokenPocketPays = map[string]bool{"": true, "transfer": true, "pushTransaction": true}

// readTokenPocket: result is 0 where the payer cancelled, 1 where the app has sent the transaction, 2 where it failed. A
// hash means broadcast and not paid, and it may be missing though the result is 1: then the chain is looked at. What the
// app calls failed may be on the chain all the same, so that is looked at too.
func readTokenPocket(body []byte, s Settings, _ Keys) ([]Notice, error) {
	doc, err := parseJSON(body)
	if err != nil {
		return nil, err
	}
	result, err := doc.requiredName("result")
	if err != nil {
		return nil, err
	}
	action := doc.text("action")
	n := Notice{Chain: s.on(tokenPocketChain(doc)), Tx: doc.name("txID"), Reference: doc.name("actionId"), Detail: detail(doc.text("message"))}
	switch {
	case action == "login", action == "sign":
		return []Notice{{Kind: Other, Reference: n.Reference, Detail: detail(action)}}, nil
	case !tokenPocketPays[action]:
		return nil, unknownEvent(action)
	case result == "1":
		n.Kind = DepositSeen
	case result == "0", result == "2":
		n.Kind = PaymentFailed
		n.Detail = or(n.Detail, map[string]string{"0": "cancelled", "2": "failed"}[result])
	default:
		return nil, unknownEvent(result)
	}
	return []Notice{n}, nil
}

// tokenPocketChain: "chainId" and "network" of newer apps, "blockchain" of older ones. TRON's number is an EVM one, too.
func tokenPocketChain(doc document) chain.ID {
	if on, known := chainNamed(or(doc.text("network"), doc.text("blockchain"))); known && !strings.HasPrefix(string(on), "eip155:") {
		return on
	}
	if on, known := chainNumbered(doc.name("chainId")); known {
		if on == "eip155:728126428" {
			return "tron:0x2b6653dc"
		}
		return on
	}
	on, _ := chainNamed(doc.text("blockchain")) // "network" alone does not say which: all EVM chains are "ethereum"
	return on
}
