package callback

import (
	"context"
	"crypto/sha256"
	"strings"

	"farrier/shared/chain"
)

// bitGo is BitGo's webhooks: x-signature-sha256 is HMAC-SHA256 in hex over the raw body, with the secret token of the
// enterprise for its key (https://developers.bitgo.com/docs/webhooks-overview, read 2026-11-24). No time is stamped. Any 2xx
// is success; a webhook that failed 100 times in a week is suspended.
//
// The header idempotency-key is not signed, so it is no part of the event's id.
var bitGo = Source{
	Trusts: []Trust{Look, Statement, Ask}, CheckSecret: checkSharedText, Verify: verifyBitGo, Read: readBitGo, Answer: ok,
}

func verifyBitGo(_ context.Context, d Delivery, _ Settings, k Keys) (string, error) {
	given, err := d.Headers.one("x-signature-sha256")
	if err != nil {
		return "", err
	}
	if err := hmacSigned(sha256.New, k.Secrets, inHex, given, string(d.Body)); err != nil {
		return "", err
	}
	return bitGoEvent(d.Body), nil
}

// bitGoEvent is what makes an event one: the wallet, its transfer and the state. Without them the body is it.
func bitGoEvent(body []byte) string {
	doc, err := parseJSON(body)
	kind, object := doc.name("type"), or(doc.name("transfer"), doc.name("hash"))
	if err != nil || kind == "" || object == "" || doc.name("state") == "" {
		return hashed(body)
	}
	return eventID(strings.Join([]string{kind, doc.name("wallet"), object, doc.name("state")}, "/"))
}

// bitGoCoins are BitGo's names of chains' own coins (the packages @bitgo/sdk-coin-… on npm bear them, read 2026-11-24). A
// token's name begins with its chain's and a colon ("polygon:usdc"), except on Ethereum.
var bitGoCoins = map[string]chain.ID{
	"btc": ownCoins["BTC"], "ltc": ownCoins["LTC"], "doge": ownCoins["DOGE"], "bch": ownCoins["BCH"], "dash": ownCoins["DASH"], "eth": "eip155:1",
	"trx": ownCoins["TRX"], "sol": ownCoins["SOL"], "xrp": ownCoins["XRP"], "xlm": ownCoins["XLM"],
	"polygon": "eip155:137", "bsc": "eip155:56", "avaxc": "eip155:43114", "arbeth": "eip155:42161", "opeth": "eip155:10",
}

// The states of transfers, by the direction in which the money goes.
var (
	bitGoReceived = map[string]Kind{
		"unconfirmed": DepositSeen, "confirmed": DepositConfirmed,
		"removed": DepositReverted, "failed": DepositReverted, "rejected": DepositReverted, "replaced": DepositReverted,
	}
	bitGoSent = map[string]Kind{
		"initialized": Other, "pendingApproval": Other, "signed": Other, "unconfirmed": PayoutBroadcast, "confirmed": PayoutFinal,
		"removed": PayoutFailed, "failed": PayoutFailed, "rejected": PayoutFailed, "replaced": PayoutFailed,
	}
	// bitGoOthers are the types that tell of no money (https://developers.bitgo.com/docs/webhooks-wallet).
	bitGoOthers = map[string]bool{
		"address_confirmation": true, "admin": true, "circuitBreaker": true, "lowFee": true, "lowFeeAddressBalance": true, "pendingapproval": true,
		"stuckTx": true, "transactionExpire": true, "transaction_finality_on_l1": true, "txRequest": true, "txRequestTransaction": true,
		"block": true, "wallet_confirmation": true, "fundsDeposited": true, "unspentExpiry": true, "twoStepTransfer": true,
	}
)

func readBitGo(body []byte, s Settings, _ Keys) ([]Notice, error) {
	doc, err := parseJSON(body)
	if err != nil {
		return nil, err
	}
	event, err := doc.required("type")
	if err != nil {
		return nil, err
	}
	coin := doc.text("coin")
	own, _, _ := strings.Cut(coin, ":")
	n := Notice{
		Chain: s.on(bitGoCoins[own]), Tx: doc.name("hash"), Address: doc.name("receiver"), Code: detail(coin),
		Object: or(doc.name("transfer"), doc.name("hash")), Reference: doc.name("sequenceId"), Detail: detail(doc.text("state")),
	}
	switch {
	case bitGoOthers[event]:
		n.Kind, n.Detail = Other, detail(event)
	case event == "transactionRemoved":
		n.Kind = DepositReverted
	case event == "transaction": // says nothing of direction or amount: something to look at
		n.Kind = DepositSeen
	case event == "transfer":
		return readBitGoTransfer(doc, s, n)
	default:
		return nil, unknownEvent(event)
	}
	return []Notice{n}, nil
}

// readBitGoTransfer reads a transfer. Older bodies name neither direction, state nor amount: they only ask for a look.
func readBitGoTransfer(doc document, s Settings, n Notice) ([]Notice, error) {
	state, amount := doc.text("state"), ""
	switch direction := doc.text("transferType"); {
	case direction == "" && state == "":
		n.Kind = DepositSeen
		return []Notice{n}, nil
	case direction == "receive":
		n.Kind, amount = bitGoReceived[state], "valueString"
	case direction == "send":
		n.Kind, amount = bitGoSent[state], "baseValueString" // without the fee; "-100" where 100 went out
	default:
		return nil, unknownEvent(or(direction, state))
	}
	if n.Kind == "" {
		return nil, unknownEvent(state)
	}
	return readBitGoAmount(doc, s, n, amount)
}

// readBitGoAmount reads an amount in the smallest unit; what went out has a minus before it. The number beside the text is not read: it may have been rounded.
func readBitGoAmount(doc document, s Settings, n Notice, field string) ([]Notice, error) {
	if !doc.has(field) {
		return []Notice{n}, nil
	}
	text := doc.text(field)
	if field == "baseValueString" {
		text = strings.TrimPrefix(text, "-")
	}
	units, err := document{map[string]any{field: text}}.units(field)
	if err != nil {
		return nil, err
	}
	if known, found := s.coin(doc.text("coin"), bitGoCoins); found {
		n.Code = ""
		n.value(known, units)
	}
	return []Notice{n}, nil
}
