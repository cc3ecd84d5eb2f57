package callback

import (
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"farrier/shared/money"
)

func btcpayServerSenders(t testing.TB) []provider {
	const bitcoin = "bip122:000000000019d6689c085ae165831e93"
	tx := strings.TrimPrefix(txA, "0x")
	event := func(kind, more string) string {
		return `{"deliveryId":"Ku9U","webhookId":"7Kfk","originalDeliveryId":"Ku9U","isRedelivery":false,"type":"` + kind + `","timestamp":1592312018,"storeId":"9Csk","invoiceId":"inv_1","metadata":{"orderId":"order-1"}` + more + `}`
	}
	said := func(kind Kind, detail string) []Notice {
		return []Notice{{Kind: kind, Object: "inv_1", Reference: "order-1", Detail: detail}}
	}
	payment := func(kind, method, status string) string {
		return event(kind, `,"afterExpiration":false,"paymentMethodId":"`+method+`","payment":{"id":"`+tx+`-1","receivedDate":1592312018,"value":"0.00012345","fee":"0.0","status":"`+status+`","destination":"bc1q"}`)
	}
	paid := func(kind Kind, detail string, onChain bool) []Notice {
		n := Notice{Kind: kind, Address: "bc1q", Asset: bitcoin + "/slip44:0", Amount: money.Units(12345), Decimals: 8, Object: tx + "-1", Reference: "order-1", Detail: detail}
		if onChain {
			n.Chain, n.Tx, n.Index = bitcoin, tx, "1"
		}
		return []Notice{n}
	}
	payout := func(state string) string {
		return `{"deliveryId":"Ku9V","type":"PayoutUpdated","storeId":"9Csk","payoutId":"out_1","pullPaymentId":"pull_1","payoutState":"` + state + `"}`
	}
	out := func(kind Kind, state string) []Notice {
		return []Notice{{Kind: kind, Object: "out_1", Reference: "pull_1", Detail: state}}
	}
	return []provider{{
		name: "btcpay-server", connection: connected(t, "btcpay-server", Settings{}), keys: withSecrets(shared), others: withSecrets("a secret of another webhook"),
		signature: inHeader("btcpay-sig"), body: `{"deliveryId": "Ku9U", "type": "PlanStarted"}`, event: "Ku9U",
		sign: func(_ testing.TB, _ time.Time, body []byte) Delivery {
			return Delivery{Body: body, Headers: Headers{"btcpay-sig": "sha256=" + inHex.encode(hmacOf(sha256.New, shared, string(body)))}}
		},
		reads: []reading{
			{event("InvoiceCreated", ""), said(PaymentPending, "InvoiceCreated")},
			{payment("InvoiceReceivedPayment", "BTC-CHAIN", "Processing"), paid(DepositSeen, "InvoiceReceivedPayment, BTC-CHAIN", true)},
			{payment("InvoicePaymentSettled", "BTC-CHAIN", "Settled"), paid(DepositConfirmed, "InvoicePaymentSettled, BTC-CHAIN", true)},
			{payment("InvoicePaymentSettled", "BTC", "Settled"), paid(DepositConfirmed, "InvoicePaymentSettled, BTC", true)},
			{payment("InvoiceReceivedPayment", "BTC-LN", "Processing"), paid(PaymentPending, "InvoiceReceivedPayment, BTC-LN", false)},
			{payment("InvoicePaymentSettled", "BTC-LN", "Settled"), paid(PaymentPartial, "InvoicePaymentSettled, BTC-LN", false)},
			{payment("InvoiceReceivedPayment", "BTC-CHAIN", "Invalid"), paid(PaymentFailed, "InvoiceReceivedPayment, BTC-CHAIN", true)},
			{event("InvoiceProcessing", `,"overPaid":false`), said(PaymentPending, "InvoiceProcessing")},
			{event("InvoiceProcessing", `,"overPaid":true`), said(PaymentPending, "InvoiceProcessing, paid over")},
			{event("InvoiceSettled", `,"manuallyMarked":false,"overPaid":false`), said(PaymentPaid, "InvoiceSettled")},
			{event("InvoiceSettled", `,"manuallyMarked":false,"overPaid":true`), said(PaymentPaid, "InvoiceSettled, paid over")},
			{event("InvoiceSettled", `,"manuallyMarked":true`), said(Other, "InvoiceSettled, marked by hand")},
			{event("InvoiceExpired", `,"partiallyPaid":false`), said(PaymentExpired, "InvoiceExpired")},
			{event("InvoiceExpired", `,"partiallyPaid":true`), said(PaymentPartial, "InvoiceExpired")},
			{event("InvoiceExpiredPaidPartial", ""), said(PaymentPartial, "InvoiceExpiredPaidPartial")},
			{event("InvoicePaidAfterExpiration", ""), said(PaymentPending, "InvoicePaidAfterExpiration")},
			{event("InvoiceInvalid", `,"manuallyMarked":false`), said(PaymentFailed, "InvoiceInvalid")},
			{event("InvoiceRefund", `,"pullPaymentId":"pull_1"`), said(Other, "InvoiceRefund")},
			{payout("AwaitingApproval"), out(Other, "AwaitingApproval")},
			{payout("InProgress"), out(PayoutBroadcast, "InProgress")},
			{payout("Completed"), out(PayoutFinal, "Completed")},
			{payout("Cancelled"), out(PayoutFailed, "Cancelled")},
			{`{"type":"PaymentRequestCompleted","paymentRequestId":"1","status":"Completed"}`, []Notice{{Kind: Other, Detail: "PaymentRequestCompleted"}}},
			{`{"type":"InvoiceSettled","invoiceId":"__test__7c3f__test__"}`, []Notice{{Kind: Other, Detail: "InvoiceSettled"}}},
		},
		unknown: `{"type":"InvoiceDreamtOf","invoiceId":"inv_1"}`,
	}}
}

// BTCPay Server has no package for verifying in the registries; its documentation says that it signs like GitHub, which
// publishes a signature. It and OpenSSL are the judges.
func TestBTCPayServerAsOpenSSLSignsAndGitHubPublishes(t *testing.T) {
	agrees(t, "btcpay-server", "btcpay-server.json")
}

// A delivery that is sent again has its own id, and is read again: so its owner can send again what went wrong here.
func TestABTCPayDeliverySentAgainIsAnotherEvent(t *testing.T) {
	p := btcpayServerSenders(t)[0]
	again := p.sign(t, signedAt, []byte(`{"deliveryId":"Zz11","originalDeliveryId":"Ku9U","isRedelivery":true,"type":"InvoiceSettled","invoiceId":"inv_1"}`))
	if event, err := p.verify(again, p.keys); event != "Zz11" || err != nil {
		t.Errorf("%q, %v", event, err)
	}
}

func TestABTCPayAmountThatCannotBeReadIsNamed(t *testing.T) {
	for payment, want := range map[string]string{
		`"value":"1,5"`:          "payment.value is no amount",
		`"value":"0.000000001"`:  "payment.value is no amount of an asset with so many decimals",
		`"destination":"bc1qxy"`: "payment.value is missing, or is no amount",
	} {
		_, err := readBTCPayServer([]byte(`{"type":"InvoicePaymentSettled","invoiceId":"1","paymentMethodId":"BTC-CHAIN","payment":{"id":"7-0",`+payment+`}}`), Settings{}, Keys{})
		if err != ReadError(want) {
			t.Errorf("%s: %v", payment, err)
		}
	}
}
