package callback

import (
	"context"
	"crypto/sha256"
	"strings"
	"time"

	"farrier/shared/chain"
)

// cobo is Cobo WaaS 2. BIZ-RESP-SIGNATURE is Ed25519 in hex over SHA-256 of SHA-256 of the raw body, "|" and
// BIZ-TIMESTAMP, which is in milliseconds; Cobo publishes one key for each environment on the page itself
// (https://cobo.com/developers/v2/guides/webhooks-callbacks/set-up-endpoint; server_demo.py of cobo-waas2 1.46.0; read
// 2026-11-24). The event's own created_timestamp "remains unchanged across retries", and event_id with it; the header is the
// request's, against replays, so a window applies. Cobo wants 200 or 201 within two seconds, and tries 10 times.
//
// An order that is paid is told of as an order and as the transaction that paid it, each under its own id: the transaction
// is what is believed.
//
// Cobo also has callbacks that ask whether a withdrawal may go out, and take the body "ok" for yes. Nothing here ever says so.
var cobo = Source{
	Trusts: []Trust{Look, Statement, Ask}, CheckSecret: checkEd25519, Held: []Kind{DepositConfirmed, DepositReverted}, Verify: verifyCobo, Read: readCobo, Answer: ok,
}

func checkEd25519(text string) error {
	_, err := ed25519Key(text)
	return err
}

func verifyCobo(_ context.Context, d Delivery, _ Settings, k Keys) (string, error) {
	given, err := d.Headers.one("biz-resp-signature")
	if err != nil {
		return "", err
	}
	signature, err := inHex.decode(given)
	if err != nil {
		return "", err
	}
	stamp, err := d.Headers.one("biz-timestamp")
	if err != nil {
		return "", err
	}
	if err := d.inTime(stamp, time.Millisecond, standardWindow); err != nil {
		return "", err
	}
	once := sha256.New()
	for _, part := range [][]byte{d.Body, []byte("|"), []byte(stamp)} {
		_, _ = once.Write(part)
	}
	twice := sha256.Sum256(once.Sum(nil))
	for _, text := range k.Secrets {
		if key, err := ed25519Key(text); err == nil && ed25519Pure.verify(key, signature, twice[:]) {
			return coboEvent(d.Body), nil
		}
	}
	return "", NoMatch
}

func coboEvent(body []byte) string {
	if doc, err := parseJSON(body); err == nil && doc.name("event_id") != "" {
		return eventID(doc.name("event_id"))
	}
	return hashed(body)
}

// coboChains are Cobo's ids of chains whose names are its own; the others are common names. The id of a chain's own coin
// is the chain's.
var coboChains = map[string]chain.ID{
	"BSC_BNB": "eip155:56", "MATIC": "eip155:137", "ARBITRUM_ETH": "eip155:42161", "OPT_ETH": "eip155:10", "BASE_ETH": "eip155:8453",
	"AVAXC": "eip155:43114", "TRON": "tron:0x2b6653dc", "ETH": "eip155:1", "BTC": ownCoins["BTC"], "LTC": ownCoins["LTC"], "DOGE": ownCoins["DOGE"],
	"BCH": ownCoins["BCH"], "DASH": ownCoins["DASH"], "SOL": ownCoins["SOL"], "XRP": ownCoins["XRP"], "XLM": ownCoins["XLM"],
}

// The statuses of transactions (enum TransactionStatus of cobo-waas2 1.46.0), by their type, and those of orders, refunds
// and payouts.
var (
	coboDeposits = map[string]Kind{
		"Submitted": DepositSeen, "PendingScreening": DepositSeen, "PendingAuthorization": DepositSeen, "PendingSignature": DepositSeen,
		"Broadcasting": DepositSeen, "Confirming": DepositSeen, "Pending": DepositSeen, "Rejected": DepositSeen,
		"Completed": DepositConfirmed, "Failed": DepositReverted,
	}
	coboWithdrawals = map[string]Kind{
		"Submitted": Other, "PendingScreening": Other, "PendingAuthorization": Other, "PendingSignature": Other, "Pending": Other,
		"Broadcasting": PayoutBroadcast, "Confirming": PayoutBroadcast, "Completed": PayoutFinal, "Failed": PayoutFailed, "Rejected": PayoutFailed,
	}
	coboOrders = map[string]Kind{
		"Pending": PaymentPending, "Processing": PaymentPending, "Completed": PaymentPaid, "Expired": PaymentExpired, "Underpaid": PaymentPartial,
	}
	coboRefunds = map[string]Kind{
		"AddressPending": Other, "AddressSubmitted": Other, "Pending": Other, "Processing": Other, "PartiallyCompleted": Other, "PendingConfirmation": Other, "Failed": Other, "Completed": PaymentRefunded,
	}
	// coboOthers begin the types that tell of no money (enum WebhookEventType).
	coboOthers = []string{
		"wallets.mpc.", "wallets.addresses.", "wallets.created", "wallets.updated", "wallets.token_listing.", "mpc_vaults.", "organizations.", "fee_station.",
		"wallet.", "token.", "compliance.", "payment.account.", "payment.address.", "payment.settlement.", "payment.payout.", "payment.bank_withdrawal.",
		"payment.subscription.", "payment.charge.", "payment.bulk_send.", "payment.topup.", "payment.order.updated", "payment.refund.updated",
	}
)

func readCobo(body []byte, s Settings, _ Keys) ([]Notice, error) {
	doc, err := parseJSON(body)
	if err != nil {
		return nil, err
	}
	event, err := doc.required("type")
	if err != nil {
		return nil, err
	}
	switch data := doc.in("data"); {
	case strings.HasPrefix(event, "wallets.transaction."), strings.HasPrefix(event, "payment.transaction."):
		return readCoboTransaction(data, s)
	case event == "payment.order.status.updated", event == "payment.status.updated":
		return readCoboOrder(data, s)
	case event == "payment.refund.status.updated":
		return readCoboRefund(data, s)
	}
	for _, prefix := range coboOthers {
		if strings.HasPrefix(event, prefix) {
			return []Notice{{Kind: Other, Detail: detail(event)}}, nil
		}
	}
	return nil, unknownEvent(event)
}

// coboKind is what a status says, by a table of them.
func coboKind(data document, kinds map[string]Kind) (Kind, error) {
	status, err := data.required("status")
	if err != nil {
		return "", ReadError("data." + err.Error())
	}
	kind, known := kinds[status]
	if !known {
		return "", unknownEvent(status)
	}
	return kind, nil
}

func readCoboTransaction(data document, s Settings) ([]Notice, error) {
	kinds := map[string]map[string]Kind{"Deposit": coboDeposits, "Withdrawal": coboWithdrawals}[data.text("type")]
	if kinds == nil { // a contract's call, a message, a stake: nobody paid anybody
		return []Notice{{Kind: Other, Object: data.name("transaction_id"), Detail: detail(data.text("type"))}}, nil
	}
	kind, err := coboKind(data, kinds)
	if err != nil {
		return nil, err
	}
	n := Notice{
		Kind: kind, Chain: s.on(coboChain(data.text("chain_id"))), Tx: data.name("transaction_hash"), Index: data.name("destination.tx_info.vout_n"),
		Object: data.name("transaction_id"), Reference: data.name("request_id"), Detail: detail(or(data.text("sub_status"), data.text("status"))),
	}
	to := coboDestination(data.in("destination"))
	if n.Address = to.name("address"); !to.has("amount") {
		n.Code = data.name("token_id")
		return []Notice{n}, nil // to many at once
	}
	if err := coboAmount(&n, s, data, to, "amount", "token_id"); err != nil {
		return nil, ReadError("data.destination." + err.Error())
	}
	return []Notice{n}, nil
}

// coboDestination is the one place that money goes to: a deposit's destination, an account's, or the only output.
func coboDestination(destination document) document {
	if outputs := destination.list("utxo_outputs"); len(outputs) == 1 {
		return outputs[0]
	}
	if destination.has("account_output") {
		return destination.in("account_output")
	}
	return destination
}

func readCoboOrder(data document, s Settings) ([]Notice, error) {
	kind, err := coboKind(data, coboOrders)
	if err != nil {
		return nil, err
	}
	n := Notice{
		Kind: kind, Chain: s.on(coboChain(data.text("chain_id"))), Address: data.name("receive_address"), Object: data.name("order_id"),
		Reference: data.name("psp_order_code"), Detail: detail(data.text("status")),
	}
	if kind == PaymentPending || kind == PaymentExpired {
		return []Notice{n}, nil
	}
	token := "payable_currency"
	if !data.has(token) {
		token = "token_id"
	}
	if err := coboAmount(&n, s, data, data, "received_token_amount", token); err != nil {
		return nil, ReadError("data." + err.Error())
	}
	return []Notice{n}, nil
}

func readCoboRefund(data document, s Settings) ([]Notice, error) {
	kind, err := coboKind(data, coboRefunds)
	if err != nil {
		return nil, err
	}
	n := Notice{
		Kind: kind, Chain: s.on(coboChain(data.text("chain_id"))), Address: data.name("to_address"), Object: data.name("refund_id"),
		Reference: data.name("order_id"), Detail: detail(or(data.text("failed_reason"), data.text("status"))),
	}
	if err := coboAmount(&n, s, data, data, "amount", "token_id"); err != nil {
		return nil, ReadError("data." + err.Error())
	}
	return []Notice{n}, nil
}

func coboChain(id string) chain.ID {
	if on, known := coboChains[id]; known {
		return on
	}
	on, _ := chainNamed(id)
	return on
}

// coboAmount reads an amount; its error begins with the field's name.
func coboAmount(n *Notice, s Settings, data, of document, field, token string) error {
	amount, err := of.decimal(field)
	if err != nil {
		return err
	}
	if n.priceCoin(s, data.name(token), amount, coboChains) != nil {
		return ReadError(field + " is no amount of an asset with so many decimals")
	}
	return nil
}
