package callback

import (
	"context"
	"crypto/sha512"
	"strconv"
	"strings"
)

// nowPayments is NOWPayments (https://documenter.getpostman.com/view/7907941/S1a32n38 and, for payouts, …/T1DtdF9a, the
// sections on instant payment notifications, and https://nowpayments.zendesk.com/hc/en-us/articles/21395546303389; read 2026-11-24):
// x-nowpayments-sig is the HMAC-SHA512, in hex and by the IPN secret of the account, over the JSON with the keys sorted
// at every depth and nothing between them, numbers as they came. No time is signed apart. It wants an answer within three
// seconds. A list is sorted by its example for JavaScript as if it were an object of its positions, and by those for
// Python and PHP not at all: either is right.
var nowPayments = Source{
	Trusts: []Trust{Look, Statement, Ask}, CheckSecret: checkSharedText, Credentials: []Credential{apiKey("api_key")}, Asking: askNOWPayments,
	Verify: verifyNOWPayments, Read: readNOWPayments, Answer: ok,
}

func verifyNOWPayments(_ context.Context, d Delivery, _ Settings, k Keys) (string, error) {
	given, err := d.Headers.one("x-nowpayments-sig")
	if err != nil {
		return "", err
	}
	doc, err := parseJSON(d.Body)
	if err != nil {
		return "", BodyMalformed
	}
	signed := sortedText(doc.root)
	if err = hmacSigned(sha512.New, k.Secrets, inHex, given, signed); err == NoMatch {
		err = hmacSigned(sha512.New, k.Secrets, inHex, given, sortedText(numbered(doc.root)))
	}
	if err != nil {
		return "", err
	}
	return nowPaymentsEvent(doc, signed), nil
}

// nowPaymentsEvent is a payment or a payout in a state at a time. What is signed is what the body says, so the bytes may
// be no part of it: whoever spaces a body anew would make new events.
func nowPaymentsEvent(doc document, signed string) string {
	object, status := doc.name("payment_id"), doc.name("payment_status")
	if object == "" {
		object, status = "payout:"+doc.name("id"), doc.name("status")
	}
	if at := doc.name("updated_at"); at != "" && status != "" {
		return eventID(object + ":" + status + ":" + at)
	}
	return hashed([]byte(signed))
}

func sortedText(v any) string {
	var b strings.Builder
	writeSorted(&b, v)
	return b.String()
}

// numbered is a value with its lists as objects of their positions.
func numbered(v any) any {
	switch v := v.(type) {
	case map[string]any:
		object := map[string]any{}
		for name, inner := range v {
			object[name] = numbered(inner)
		}
		return object
	case []any:
		object := map[string]any{}
		for i, inner := range v {
			object[strconv.Itoa(i)] = numbered(inner)
		}
		return object
	}
	return v
}

// nowPaymentsStates are the states of a payment. "confirmed" is the blockchain's and "sending" is on its way: the money is
// there when it is "finished".
var nowPaymentsStates = map[string]Kind{
	"waiting": PaymentPending, "confirming": PaymentPending, "confirmed": PaymentPending, "sending": PaymentPending,
	"partially_paid": PaymentPartial, "finished": PaymentPaid, "failed": PaymentFailed, "refunded": PaymentRefunded, "expired": PaymentExpired,
}

// nowPaymentsPayouts are the states of a payout, in capitals.
var nowPaymentsPayouts = map[string]Kind{
	"CREATING": Other, "WAITING": Other, "PROCESSING": Other,
	"SENDING": PayoutBroadcast, "FINISHED": PayoutFinal, "FAILED": PayoutFailed, "REJECTED": PayoutFailed,
}

func readNOWPayments(body []byte, s Settings, _ Keys) ([]Notice, error) {
	doc, err := parseJSON(body)
	if err != nil {
		return nil, err
	}
	if !doc.has("payment_status") && doc.has("batch_withdrawal_id") {
		return nowPaymentsPayout(doc, s)
	}
	status, err := doc.required("payment_status")
	if err != nil {
		return nil, err
	}
	kind, known := nowPaymentsStates[status]
	if !known {
		return nil, unknownEvent(status)
	}
	n := Notice{
		Kind: kind, Chain: s.networkOf(doc.text("network")), Tx: doc.name("payin_hash"), Address: doc.name("pay_address"),
		Reference: doc.name("order_id"), Detail: status,
	}
	if n.Object, err = doc.requiredName("payment_id"); err != nil {
		return nil, err
	}
	amount := "pay_amount" // what is asked for
	if kind == PaymentPaid || kind == PaymentPartial || kind == PaymentRefunded {
		amount = "actually_paid"
	}
	if err := n.worth(doc, s, amount, "pay_currency"); err != nil {
		return nil, err
	}
	return []Notice{n}, nil
}

func nowPaymentsPayout(doc document, s Settings) ([]Notice, error) {
	status, err := doc.required("status")
	if err != nil {
		return nil, err
	}
	kind, known := nowPaymentsPayouts[strings.ToUpper(status)]
	if !known {
		return nil, unknownEvent(status)
	}
	n := Notice{
		Kind: kind, Address: doc.name("address"), Tx: doc.name("hash"), Reference: doc.firstName("unique_external_id", "batch_withdrawal_id"),
		Detail: detail(or(doc.text("error"), status)),
	}
	if n.Object, err = doc.requiredName("id"); err != nil {
		return nil, err
	}
	if err := n.worth(doc, s, "amount", "currency"); err != nil {
		return nil, err
	}
	return []Notice{n}, nil
}
