package callback

import (
	"context"
	"strings"

	"farrier/shared/chain"
)

// imToken is the wallet imToken, which calls no server: it opens the merchant's page (imtokenv2://navigate/DappView?url=…),
// the page asks the wallet that it finds in the browser (EIP-1193) to send a transaction, and posts what it was answered.
// So the form of the body is ours:
//
//	{"chain": "eip155:137", "hash": "0x…", "reference": "…"}     or, with what eth_chainId answers, {"chainId": "0x89", "hash": …}
//	{"chain": "eip155:137", "error": {"code": 4001}, "reference": "…"}                    where the payer refused
//
// Nothing is signed: the URL's secret is one order's alone, and the hash only says where to look. A page may post it as
// text/plain: then the browser asks for no permission first.
var imToken = Source{
	Trusts: []Trust{Look}, CheckSecret: checkSharedText, NewSecret: newSharedText, Orders: true, Verify: verifyImToken, Read: readImToken, Answer: ok,
}

func verifyImToken(_ context.Context, d Delivery, _ Settings, k Keys) (string, error) {
	order, err := orderOf(d, k.Secrets)
	if err != nil {
		return "", err
	}
	doc, err := parseJSON(d.Body)
	if err != nil || (doc.name("hash") == "" && doc.name("error.code") == "") {
		return eventID(order + "/" + hashed(d.Body)), nil
	}
	return eventID(strings.Join([]string{order, doc.name("hash"), doc.name("error.code")}, "/")), nil
}

func readImToken(body []byte, s Settings, _ Keys) ([]Notice, error) {
	doc, err := parseJSON(body)
	if err != nil {
		return nil, err
	}
	on, known := chainNamed(doc.text("chain"))
	if !known {
		on, known = chainNumbered(doc.name("chainId"))
	}
	if !known && s.Chain == "" {
		return nil, ReadError("chain is missing, or is no chain")
	}
	n := Notice{Chain: s.on(on), Tx: doc.name("hash"), Reference: doc.name("reference")}
	switch {
	case n.Tx != "":
		if _, err := canonical(chain.ID(n.Chain), n.Tx); err != nil {
			return nil, ReadError("hash " + err.Error())
		}
		n.Kind = DepositSeen
	case doc.has("error.code"):
		n.Kind, n.Detail = PaymentFailed, detail(doc.name("error.code"))
	default:
		return nil, ReadError("hash is missing")
	}
	return []Notice{n}, nil
}
