package callback

import (
	"context"
	"crypto/sha256"
	"strings"
	"time"
)

// coinbaseCDP is the Coinbase Developer Platform, the successor of Coinbase Commerce
// (https://docs.cdp.coinbase.com/webhooks/verify-signatures, openapi.yaml of https://github.com/coinbase/cdp-sdk, and
// the packages hook0-client 1.1.0 (npm) and 2.0.3 (PyPI), whose service it uses; read 2026-11-24):
// X-Hook0-Signature holds t, the time in seconds, and v0, v1 or both, each an HMAC-SHA256 in hex by the secret of the
// subscription. v0 is over "t.body", v1 over "t.names.values.body" with the names of headers in h and their values. Where
// there is a v1 it must be right: a v0 beside it proves nothing, so that nobody can choose the weaker. Every attempt is
// signed anew (hook0, output-worker/src/work.rs); the examples take five minutes. It wants 2xx, up to 60 attempts.
var coinbaseCDP = Source{
	Trusts: []Trust{Look, Statement}, CheckSecret: checkSharedText, Verify: verifyCoinbaseCDP, Read: readCoinbaseCDP, Answer: ok,
}

func verifyCoinbaseCDP(_ context.Context, d Delivery, _ Settings, k Keys) (string, error) {
	given, err := hook0Parts(d.Headers["x-hook0-signature"])
	if err != nil {
		return "", err
	}
	if err := d.inTime(given["t"], time.Second, standardWindow); err != nil {
		return "", err
	}
	signature, content := given["v0"], given["t"]+"."
	if strong, has := given["v1"]; has {
		names := strings.ToLower(given["h"])
		values, err := hook0Values(d.Headers, names)
		if err != nil {
			return "", err
		}
		signature, content = strong, content+names+"."+values+"."
	}
	if err := hmacSigned(sha256.New, k.Secrets, inHex, signature, content, string(d.Body)); err != nil {
		return "", err
	}
	// x-event-id is signed by v1 alone: the body's own id, or the body, is the same under both.
	return d.eventAt("eventId", "eventID"), nil
}

const longestHook0 = 4096

// hook0Parts reads "t=…,v0=…,h=…,v1=…". A part that comes twice is how a header that came twice looks.
func hook0Parts(header string) (map[string]string, error) {
	if header == "" {
		return nil, HeaderMissing
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(header, ",") {
		name, value, found := strings.Cut(part, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if _, twice := parts[name]; twice {
			return nil, HeaderDoubled
		}
		if !found || len(header) > longestHook0 {
			return nil, HeaderMalformed
		}
		parts[name] = value
	}
	_, weak := parts["v0"]
	if _, strong := parts["v1"]; !strong && !weak {
		return nil, HeaderMalformed
	}
	return parts, nil
}

// hook0Values are the values of the headers that a signature names. One that is not there is no empty value: its sender
// could be taken for one that never sent it.
func hook0Values(h Headers, names string) (string, error) {
	if names == "" {
		return "", nil
	}
	var values []string
	for name := range strings.SplitSeq(names, " ") {
		value, there := h[name]
		if !there {
			return "", HeaderMissing
		}
		values = append(values, value)
	}
	return strings.Join(values, "."), nil
}

func readCoinbaseCDP(body []byte, s Settings, _ Keys) ([]Notice, error) {
	doc, err := parseJSON(body)
	if err != nil {
		return nil, err
	}
	event := doc.firstName("eventType", "event_type")
	for _, family := range []struct {
		prefix string
		read   func(document, string, Settings) ([]Notice, error)
	}{
		{"checkout.", cdpCheckout}, {"payment_link.", cdpCheckout}, {"payments.transfers.", cdpTransfer},
		{"acceptance.payment_session.", cdpSession}, {"acceptance.disbursement.", cdpDisbursement},
		{"onramp.transaction.", cdpRamp}, {"offramp.transaction.", cdpRamp},
		{"wallet.activity.", cdpActivity}, {"onchain.activity.", cdpActivity}, {"wallet.transaction.", cdpWalletTransaction},
	} {
		if strings.HasPrefix(event, family.prefix) {
			return family.read(doc, event, s)
		}
	}
	switch {
	case event == "" && doc.has("transaction_hash") && doc.has("event_name"): // only a header says what it is
		return cdpActivity(doc, "onchain.activity.detected", s)
	case event == "" && doc.has("transaction_hash"):
		return cdpWalletTransaction(doc, "", s)
	case event == "":
		return nil, missing("eventType")
	case strings.HasPrefix(event, "wallet.") || strings.HasPrefix(event, "customers."): // what was signed, delegated or changed
		return []Notice{{Kind: Other, Detail: detail(event)}}, nil
	}
	return nil, unknownEvent(event)
}

// cdpCheckoutStates are what an event's last word, and its object's status, say of a checkout or a payment link.
var cdpCheckoutStates = map[string]Kind{
	"success COMPLETED": PaymentPaid, "failed FAILED": PaymentFailed, "expired EXPIRED": PaymentExpired,
	"refund.success": PaymentRefunded, "refund.failed": Other, "refund.pending": Other,
}

func cdpCheckout(doc document, event string, s Settings) ([]Notice, error) {
	n := Notice{
		Chain: s.networkOf(doc.text("network")), Tx: doc.name("transactionHash"), Address: doc.name("address"),
		Reference: doc.firstName("metadata.order_id", "metadata.orderId", "metadata.reference"), Detail: detail(event),
	}
	var err error
	if n.Object, err = doc.requiredName("id"); err != nil {
		return nil, err
	}
	_, what, _ := strings.Cut(event, ".")
	state := what
	if last, isPayment := strings.CutPrefix(what, "payment."); isPayment {
		status, err := doc.required("status")
		if err != nil {
			return nil, err
		}
		state = last + " " + strings.ToUpper(status)
		if last != "success" && last != "failed" && last != "expired" {
			return nil, unknownEvent(event)
		}
	}
	kind, known := cdpCheckoutStates[state]
	switch {
	case known:
		n.Kind = kind
	case strings.HasPrefix(what, "payment."): // the checkout's own status says that it is not so far
		n.Kind = PaymentPending
	default:
		return nil, unknownEvent(event)
	}
	amount := "amount"
	// "amount" stays what the checkout was for, "refundedAmount" is of all refunds so far
	// (https://docs.cdp.coinbase.com/api-reference/business-api/rest-api/checkouts/refund-checkout, read 2026-11-24).
	if n.Kind == PaymentRefunded {
		amount = "refundedAmount"
	}
	if err := n.worth(doc, s, amount, "currency"); err != nil {
		return nil, err
	}
	return []Notice{n}, nil
}

// cdpTransfers are the states of a transfer into an account there, and out of one.
var cdpTransfers = map[string]struct{ in, out Kind }{
	"quoted": {PaymentPending, Other}, "processing": {DepositSeen, PayoutBroadcast}, "completed": {DepositConfirmed, PayoutFinal},
	"failed": {DepositReverted, PayoutFailed}, "expired": {PaymentExpired, PayoutFailed},
	"travel_rule_incomplete": {PaymentPending, Other}, "travel_rule_completed": {PaymentPending, Other},
}

func cdpTransfer(doc document, event string, s Settings) ([]Notice, error) {
	transfer := doc.in("data")
	states, known := cdpTransfers[strings.TrimPrefix(event, "payments.transfers.")]
	if !known {
		return nil, unknownEvent(event)
	}
	// The transfer's own status goes before the event: a transfer that is not completed there is not completed.
	if status := transfer.text("status"); strings.HasSuffix(event, ".completed") && status != "completed" {
		if states, known = cdpTransfers[status]; !known {
			return nil, ReadError("data.status is not that of the event")
		}
	}
	n := Notice{Kind: states.out, Reference: transfer.firstName("metadata.reference", "metadata.order_id"), Detail: detail(event)}
	var err error
	if n.Object, err = transfer.requiredName("transferId"); err != nil {
		return nil, ReadError("data." + err.Error())
	}
	switch {
	case transfer.has("target.address"):
		n.Chain, n.Address = s.networkOf(transfer.text("target.network")), transfer.name("target.address")
	case transfer.has("target.accountId") && transfer.has("source.address"):
		n.Kind, n.Chain = states.in, s.networkOf(transfer.text("source.network"))
	case transfer.has("target.accountId"): // between accounts, or from a bank
		n.Kind = Other
	}
	if tx := transfer.in("details.onchainTransactions.0"); tx.has("transactionHash") {
		n.Tx, n.Chain = tx.name("transactionHash"), s.networkOf(tx.text("network"))
	}
	if err := n.worth(transfer, s, "targetAmount", "targetAsset"); err != nil {
		return nil, ReadError("data." + err.Error())
	}
	return []Notice{n}, nil
}

// cdpSessions are the states of a payment that is first authorized and then captured: only what is captured is paid.
var cdpSessions = map[string]Kind{
	"created": PaymentPending, "canceled": PaymentFailed,
	"authorization_pending": PaymentPending, "authorization_succeeded": PaymentPending, "authorization_failed": PaymentFailed,
	"capture_pending": PaymentPending, "capture_succeeded": PaymentPaid, "capture_failed": PaymentFailed,
	"refund_pending": Other, "refund_succeeded": PaymentRefunded, "refund_failed": Other,
	"void_pending": PaymentPending, "void_succeeded": PaymentFailed, "void_failed": PaymentPending,
}

func cdpSession(doc document, event string, s Settings) ([]Notice, error) {
	session := doc.in("data.paymentSession")
	state := strings.TrimPrefix(event, "acceptance.payment_session.")
	kind, known := cdpSessions[state]
	if !known {
		return nil, unknownEvent(event)
	}
	id, err := session.requiredName("paymentSessionId")
	if err != nil {
		return nil, ReadError("data.paymentSession." + err.Error())
	}
	n := Notice{
		Kind: kind, Object: id, Reference: session.name("externalReferenceId"), Detail: detail(event),
		Chain: s.networkOf(session.text("target.network")), Address: session.name("target.address"),
	}
	if step, _, _ := strings.Cut(state, "_"); doc.has("data." + step) { // authorization, capture, refund or void
		n.Tx = doc.name("data." + step + ".onchainTransactions.0.transactionHash")
		// The step's own status goes before the event.
		if status := doc.text("data." + step + ".status"); kind == PaymentPaid && status != "" && status != "succeeded" {
			n.Kind = PaymentPending
		}
	}
	// A session may be captured, and refunded, in several steps: what counts is the sum so far.
	amount := "data.paymentSession.amount"
	switch n.Kind {
	case PaymentPaid:
		amount = "data.paymentSession.balances.captured"
	case PaymentRefunded:
		amount = "data.paymentSession.balances.refunded"
	}
	if err := n.worth(doc, s, amount, "data.paymentSession.asset"); err != nil {
		return nil, err
	}
	if n.Kind == PaymentPaid && cdpPartial(session) {
		n.Kind = PaymentPartial
	}
	return []Notice{n}, nil
}

// cdpPartial says whether less is captured than was asked for.
func cdpPartial(session document) bool {
	asked, errAsked := session.amount("amount", mostDecimals)
	captured, errCaptured := session.amount("balances.captured", mostDecimals)
	return errAsked == nil && errCaptured == nil && captured.Cmp(asked) < 0
}

var cdpDisbursements = map[string]Kind{"pending": PayoutBroadcast, "succeeded": PayoutFinal, "failed": PayoutFailed}

func cdpDisbursement(doc document, event string, s Settings) ([]Notice, error) {
	out := doc.in("data")
	kind, known := cdpDisbursements[strings.TrimPrefix(event, "acceptance.disbursement.")]
	if !known {
		return nil, unknownEvent(event)
	}
	id, err := out.requiredName("disbursementId")
	if err != nil {
		return nil, ReadError("data." + err.Error())
	}
	n := Notice{Kind: kind, Object: id, Reference: out.name("externalReferenceId"), Detail: detail(or(out.text("error.code"), event))}
	tx := out.in("onchainTransactions.0")
	if n.Tx = tx.name("transactionHash"); n.Tx != "" {
		n.Chain = s.networkOf(tx.text("network"))
	}
	if err := n.worth(out, s, "amount", "asset"); err != nil {
		return nil, ReadError("data." + err.Error())
	}
	return []Notice{n}, nil
}

// cdpRamp is a payer who buys or sells coins there: what was bought goes to an address on a chain.
func cdpRamp(doc document, event string, s Settings) ([]Notice, error) {
	n := Notice{
		Kind: Other, Object: doc.name("transactionId"), Reference: doc.name("partnerUserRef"),
		Detail: detail(or(doc.text("status"), event)),
	}
	switch strings.TrimPrefix(doc.text("status"), "ONRAMP_") {
	case "TRANSACTION_STATUS_SUCCESS":
		if strings.HasPrefix(event, "onramp.") {
			n.Kind, n.Chain = DepositSeen, s.networkOf(doc.text("purchaseNetwork"))
			n.Address, n.Code = doc.name("walletAddress"), doc.name("purchaseCurrency")
			if n.Tx = doc.name("txHash"); n.Tx == "0x" {
				n.Tx = ""
			}
		}
	case "":
		return nil, missing("status")
	}
	return []Notice{n}, nil
}

// cdpActivity is an event of a contract: of a token, a transfer. What it moved is read where it is said with the token's
// own name for it.
func cdpActivity(doc document, event string, s Settings) ([]Notice, error) {
	activity, path := doc, ""
	if doc.has("data") {
		activity, path = doc.in("data"), "data."
	}
	n := Notice{
		Kind: DepositSeen, Chain: s.networkOf(activity.text("network")), Tx: activity.firstName("transactionHash", "transaction_hash"),
		Index: activity.firstName("logIndex", "log_index"), Address: activity.name("parameters.to"), Detail: detail(event),
	}
	if n.Tx == "" {
		return nil, missing(path + "transactionHash")
	}
	contract := activity.firstName("contractAddress", "contract_address")
	if n.Asset = tokenOn(n.Chain, contract); n.Asset != "" && activity.has("parameters.value") {
		var err error
		if n.Amount, err = activity.units("parameters.value"); err != nil {
			return nil, ReadError(path + err.Error())
		}
	}
	return []Notice{n}, nil
}

// cdpWalletStates are the times that a transaction of one of our wallets there may carry, the latest first.
var cdpWalletStates = []struct {
	field, event string
	kind         Kind
}{
	{"confirmed_at", "confirmed", PayoutFinal}, {"failed_at", "failed", PayoutFailed}, {"replaced_at", "replaced", Other},
	{"pending_at", "pending", PayoutBroadcast}, {"broadcast_at", "broadcast", PayoutBroadcast},
	{"signed_at", "signed", Other}, {"created_at", "created", Other},
}

func cdpWalletTransaction(doc document, event string, s Settings) ([]Notice, error) {
	at := doc
	if doc.has("data") {
		at = doc.in("data")
	}
	for _, state := range cdpWalletStates {
		if event == "wallet.transaction."+state.event || (event == "" && at.has(state.field)) {
			tx := at.firstName("transaction_hash", "transactionHash")
			on := s.networkOf(at.text("network"))
			return []Notice{{Kind: state.kind, Chain: on, Tx: tx, Object: tx, Detail: "wallet.transaction." + state.event}}, nil
		}
	}
	if event == "" {
		return nil, missing("eventType")
	}
	return nil, unknownEvent(event)
}
