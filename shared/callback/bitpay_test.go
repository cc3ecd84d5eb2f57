package callback

import (
	"context"
	"crypto/sha256"
	"net/url"
	"testing"
	"time"
)

const bitPayToken = "Bhe3mTyDbpBB1fTgaKgdNh6cK5hS1EBqkSkLVZSmRZzk"

// bitPayInvoice is the documents' example of an IPN, shortened: extended where an event is named.
func bitPayInvoice(event, status, exception string) string {
	data := `{"id": "Hpqc62dfE1ZjzeeH4kEycF", "status": "` + status + `", "price": 10, "currency": "USD", "orderId": "order-7", "currentTime": 1620671313184,
		"exceptionStatus": ` + exception + `, "amountPaid": 17500, "transactionCurrency": "BTC"}`
	if event == "" {
		return data
	}
	return `{"event": {"code": 1003, "name": "` + event + `"}, "data": ` + data + `}`
}

func bitPayReads(t testing.TB) []reading {
	said := func(kind Kind, status string) Notice {
		return Notice{Kind: kind, Object: "Hpqc62dfE1ZjzeeH4kEycF", Reference: "order-7", Detail: status, Code: "BTC"}
	}
	paid := func(status string) []Notice {
		n := said(PaymentPaid, status)
		n.Asset, n.Decimals, n.Amount = "iso4217:USD", 2, smallest(t, "1000")
		return []Notice{n}
	}
	return []reading{
		{bitPayInvoice("", "new", "false"), []Notice{said(PaymentPending, "new")}},
		{bitPayInvoice("invoice_paidInFull", "paid", "false"), []Notice{said(PaymentPending, "paid")}},
		{bitPayInvoice("", "paid", `"paidOver"`), []Notice{said(PaymentPending, "paid")}},
		{bitPayInvoice("invoice_confirmed", "confirmed", "false"), paid("confirmed")},
		{bitPayInvoice("", "confirmed", "false"), paid("confirmed")},
		{bitPayInvoice("invoice_completed", "complete", "false"), paid("complete")},
		{bitPayInvoice("invoice_manuallyNotified", "complete", "false"), paid("complete")},
		{bitPayInvoice("invoice_manuallyNotified", "new", "false"), []Notice{said(PaymentPending, "new")}},
		{bitPayInvoice("invoice_expired", "expired", "false"), []Notice{said(PaymentExpired, "expired")}},
		{bitPayInvoice("invoice_expired", "expired", `"paidPartial"`), []Notice{said(PaymentPartial, "expired")}},
		{bitPayInvoice("invoice_failedToConfirm", "invalid", "false"), []Notice{said(PaymentFailed, "invalid")}},
		{bitPayInvoice("invoice_declined", "declined", "false"), []Notice{said(PaymentFailed, "declined")}},
		{bitPayInvoice("invoice_refundComplete", "complete", "false"), []Notice{
			{Kind: PaymentRefunded, Object: "Hpqc62dfE1ZjzeeH4kEycF", Reference: "order-7", Detail: "invoice_refundComplete"}}},
		{`{"event":{"name":"refund_success"},"data":{"id":"r-1","invoice":"i-1","status":"success","amount":10.5,"currency":"EUR"}}`, []Notice{
			{Kind: PaymentRefunded, Object: "i-1", Refund: "r-1", Reference: "i-1", Detail: "success", Asset: "iso4217:EUR", Decimals: 2, Amount: smallest(t, "1050")}}},
		{`{"event":{"name":"refund_pending"},"data":{"id":"r-1","invoice":"i-1","status":"pending","amount":10.5,"currency":"EUR"}}`, []Notice{
			{Kind: Other, Object: "i-1", Refund: "r-1", Reference: "i-1", Detail: "pending"}}},
		{`{"event":{"code":5003,"name":"payout_completed"},"data":{"id":"p-1","reference":"salary","status":"complete","price":3,"currency":"USD"}}`, []Notice{
			{Kind: PayoutFinal, Object: "p-1", Reference: "salary", Detail: "complete", Asset: "iso4217:USD", Decimals: 2, Amount: smallest(t, "300")}}},
		{`{"event":{"code":5001,"name":"payout_funded"},"data":{"id":"p-1","status":"funded"}}`, []Notice{{Kind: Other, Object: "p-1", Detail: "funded"}}},
		{`{"event":{"code":5004,"name":"payout_cancelled"},"data":{"id":"p-1","status":"cancelled"}}`, []Notice{{Kind: PayoutFailed, Object: "p-1", Detail: "cancelled"}}},
		{`{"event":{"code":4004,"name":"recipient_active"},"data":{"id":"a-1","status":"active"}}`, []Notice{{Kind: Other, Object: "a-1", Detail: "recipient_active"}}},
	}
}

func bitPaySenders(t testing.TB) []provider {
	const event = "Hpqc62dfE1ZjzeeH4kEycF/invoice_confirmed/confirmed/1620671313184"
	body, unknown := bitPayInvoice("invoice_confirmed", "confirmed", "false"), bitPayInvoice("invoice_confirmed", "lost", "false")
	return []provider{
		{
			name: "bitpay", connection: connected(t, "bitpay", Settings{}), keys: withSecrets(bitPayToken), others: withSecrets("another token of another shop"),
			signature: inHeader("x-signature"), body: body, event: event, reads: bitPayReads(t), unknown: unknown,
			sign: func(_ testing.TB, _ time.Time, body []byte) Delivery {
				return Delivery{Body: body, Headers: Headers{"x-signature": inBase64.encode(hmacOf(sha256.New, bitPayToken, string(body)))}}
			},
		},
		unsigned(t, "bitpay-unsigned", body, "order-7/"+event, bitPayReads(t), unknown),
	}
}

const unsignedSecret = "the secret of a connection that nobody signs for"

// unsigned is the sender of an unsigned source: what it must know is the order's URL. It signs no body, so the same body
// in other bytes is believed.
func unsigned(t testing.TB, name, body, event string, reads []reading, unknown string) provider {
	return provider{
		name: name, connection: connected(t, name, Settings{}), keys: withSecrets(unsignedSecret), others: withSecrets("the secret of another connection"),
		signature: inQuery(secretParameter), signed: []part{inQuery(orderParameter)}, body: body, event: event, inside: true, reads: reads, unknown: unknown,
		sign: func(_ testing.TB, _ time.Time, body []byte) Delivery {
			return Delivery{Body: body, Headers: Headers{}, Query: url.Values{"order": {"order-7"}, "secret": {OrderSecret(unsignedSecret, "order-7")}}}
		},
	}
}

func TestAnOrdersSecretOpensNoOtherOrder(t *testing.T) {
	ask := func(order, secret string) error {
		_, err := orderOf(Delivery{Query: url.Values{"order": {order}, "secret": {secret}}}, []string{unsignedSecret})
		return err
	}
	mine := OrderSecret(unsignedSecret, "order-7")
	if err := ask("order-7", mine); err != nil {
		t.Error(err)
	}
	for order, secret := range map[string]string{"order-8": mine, "order-7 ": mine, "order-9": unsignedSecret, "": mine, "order-7": OrderSecret("another", "order-7")} {
		if err := ask(order, secret); err == nil {
			t.Errorf("%q: believed", order)
		}
	}
	if len(mine) != 64 || mine == OrderSecret(unsignedSecret, "order-8") {
		t.Error(mine)
	}
}

func TestBitPaysStatusIsReadAndNotItsEventAlone(t *testing.T) {
	got, err := readBitPay([]byte(bitPayInvoice("invoice_completed", "new", "false")), Settings{}, Keys{})
	if err != nil || got[0].Kind != PaymentPending {
		t.Errorf("%+v, %v", got, err)
	}
	for body, want := range map[string]string{
		`{"event":{"name":"invoice_confirmed"},"data":{}}`:                                        "status is missing, or is no text",
		`{"event":{},"data":{"status":"complete"}}`:                                               "event.name is missing, or is no text",
		`{"id":"i","status":"confirmed","price":"ten","currency":"USD"}`:                          "price is no amount",
		`{"id":"i","status":"confirmed","price":10.001,"currency":"USD"}`:                         "price is no amount of a currency with so many decimals",
		`{"id":"i","status":"complete","currency":"USD"}`:                                         "price is missing, or is no amount",
		`{"event":{"name":"payout_completed"},"data":{"status":"complete","currency":"USD"}}`:     "amount is missing, or is no amount",
		`{"event":{"name":"shop_closed"},"data":{"id":"i","status":"complete","currency":"USD"}}`: "the event shop_closed is not known",
	} {
		if got, err := readBitPay([]byte(body), Settings{}, Keys{}); err == nil || err.Error() != want {
			t.Errorf("%s: %+v, %v, want %s", body, got, err, want)
		}
	}
}

// An event that comes again is the same; another status, or the same one later, is another.
func TestBitPaysEventsAreTheirObjectStatusAndTime(t *testing.T) {
	id := func(body string) string {
		event, err := verifyBitPay(context.Background(), Delivery{
			Body: []byte(body), Headers: Headers{"x-signature": inBase64.encode(hmacOf(sha256.New, bitPayToken, body))},
		}, Settings{}, withSecrets(bitPayToken))
		if err != nil {
			t.Fatal(err)
		}
		return event
	}
	if id(bitPayInvoice("", "paid", "false")) == id(bitPayInvoice("", "confirmed", "false")) || id(bitPayInvoice("", "paid", "false")) == id(bitPayInvoice("invoice_paidInFull", "paid", "false")) {
		t.Error("two events have one id")
	}
	if id(bitPayInvoice("", "paid", "false")) != id(bitPayInvoice("", "paid", `"paidOver"`)) {
		t.Error("one event has two ids")
	}
}
