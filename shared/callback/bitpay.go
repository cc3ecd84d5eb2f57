package callback

import (
	"context"
	"crypto/sha256"
	"strings"
)

// bitPay is BitPay's webhooks as they are signed since 2024: x-signature is HMAC-SHA256 in base64 over the raw body, and
// the key is the text of the API token with which the invoice was made. The reference does not describe it; BitPay's own
// plugins do it so (github.com/bitpay/bitpay-checkout-for-woocommerce, BitPayLib/class-bitpaywebhookverifier.php and
// class-bitpayipnprocess.php of 7.0.2; pull request 111 of bitpay-checkout-magento2; read 2026-11-24). No time is stamped.
// BitPay wants 200 without a body, and sends again for a time that it does not name
// (https://developer.bitpay.com/reference/notifications).
var bitPay = Source{
	Trusts: []Trust{Look, Ask, Statement}, CheckSecret: checkSharedText, Credentials: []Credential{apiKey("api_token")}, Asking: askBitPay,
	Verify: verifyBitPay, Read: readBitPay, Answer: ok,
}

// bitPayUnsigned is BitPay's webhooks before, of which BitPay itself says that nothing in them may be trusted
// (…/reference/notifications, "BitPay does not sign IPNs"). The order's secret in the notificationURL keeps strangers out.
var bitPayUnsigned = Source{
	Trusts: []Trust{Look, Ask}, CheckSecret: checkSharedText, NewSecret: newSharedText, Orders: true,
	Credentials: []Credential{apiKey("api_token")}, Asking: askBitPay, Verify: verifyBitPayUnsigned, Read: readBitPay, Answer: ok,
}

func verifyBitPay(_ context.Context, d Delivery, _ Settings, k Keys) (string, error) {
	given, err := d.Headers.one("x-signature")
	if err != nil {
		return "", err
	}
	if err := hmacSigned(sha256.New, k.Secrets, inBase64, given, string(d.Body)); err != nil {
		return "", err
	}
	return eventID(bitPayEvent(d.Body)), nil
}

func verifyBitPayUnsigned(_ context.Context, d Delivery, _ Settings, k Keys) (string, error) {
	order, err := orderOf(d, k.Secrets)
	if err != nil {
		return "", err
	}
	return eventID(order + "/" + bitPayEvent(d.Body)), nil
}

// bitPayEvent is what makes an event one, since BitPay names none: the object, the event, the status and the time.
func bitPayEvent(body []byte) string {
	doc, data, err := parseBitPay(body)
	if err != nil || data.name("id") == "" || data.name("status") == "" {
		return hashed(body)
	}
	return strings.Join([]string{data.name("id"), doc.name("event.name"), data.name("status"), data.name("currentTime")}, "/")
}

// parseBitPay reads both formats: the extended one has the object under "data" and the event beside it, the standard one
// is the object.
func parseBitPay(body []byte) (doc, data document, err error) {
	if doc, err = parseJSON(body); err != nil {
		return document{}, document{}, err
	}
	if doc.has("event") {
		return doc, doc.in("data"), nil
	}
	return doc, doc, nil
}

// The statuses of each kind of object (bitpay 8.0.3 on PyPI, models/*/*_status.py; …/reference/notification-codes and
// …/notifications-refunds, read 2026-11-24). An invoice that is "paid" is "no payment guarantee": money is there when it is confirmed.
var (
	bitPayInvoices = map[string]Kind{
		"new": PaymentPending, "paid": PaymentPending, "confirmed": PaymentPaid, "complete": PaymentPaid,
		"expired": PaymentExpired, "invalid": PaymentFailed, "declined": PaymentFailed,
	}
	bitPayRefunds = map[string]Kind{
		"preview": Other, "created": Other, "pending": Other, "success": PaymentRefunded, "canceled": Other, "cancelled": Other, "failure": Other,
	}
	bitPayPayouts = map[string]Kind{
		"new": Other, "funded": Other, "processing": Other, "complete": PayoutFinal, "failed": PayoutFailed, "cancelled": PayoutFailed,
	}
)

func readBitPay(body []byte, s Settings, _ Keys) ([]Notice, error) {
	doc, data, err := parseBitPay(body)
	if err != nil {
		return nil, err
	}
	event := doc.text("event.name")
	if doc.has("event") && event == "" {
		return nil, missing("event.name")
	}
	of, _, _ := strings.Cut(event, "_")
	switch {
	case of == "recipient":
		return []Notice{{Kind: Other, Object: data.name("id"), Detail: detail(event)}}, nil
	case of == "refund":
		return readBitPayRefund(data, s)
	case of == "payout":
		return readBitPayMoney(data, s, bitPayPayouts, payoutAmount(data), data.name("reference"))
	case of == "invoice", event == "":
		return readBitPayInvoice(data, s, event)
	}
	return nil, unknownEvent(event)
}

func readBitPayInvoice(data document, s Settings, event string) ([]Notice, error) {
	if event == "invoice_refundComplete" {
		return []Notice{{Kind: PaymentRefunded, Chain: s.on(""), Object: data.name("id"), Reference: data.name("orderId"), Detail: detail(event)}}, nil
	}
	notices, err := readBitPayMoney(data, s, bitPayInvoices, "price", or(data.name("orderId"), data.name("posData")))
	if err != nil {
		return nil, err
	}
	// Too little came, in time: the invoice expires, and its price is not what was paid.
	if n := &notices[0]; n.Kind == PaymentExpired && data.text("exceptionStatus") == "paidPartial" {
		n.Kind = PaymentPartial
	}
	return notices, nil
}

// readBitPayRefund reads a refund, which is of an invoice. Its amount is of it alone: an invoice may have several.
func readBitPayRefund(data document, s Settings) ([]Notice, error) {
	notices, err := readBitPayMoney(data, s, bitPayRefunds, "amount", data.name("invoice"))
	if err != nil || !data.has("invoice") {
		return notices, err
	}
	notices[0].Object, notices[0].Refund = data.name("invoice"), data.name("id")
	return notices, nil
}

// payoutAmount is the field of a payout's amount: "price" in BitPay's SDKs (8.0), "amount" in the API before.
func payoutAmount(data document) string {
	if data.has("price") {
		return "price"
	}
	return "amount"
}

// readBitPayMoney reads an object by its status. Its amount is what BitPay owes or has paid, in the currency of the
// object: it is money only where the status says so.
func readBitPayMoney(data document, s Settings, kinds map[string]Kind, field, reference string) ([]Notice, error) {
	status, err := data.required("status")
	if err != nil {
		return nil, err
	}
	kind, known := kinds[status]
	if !known {
		return nil, unknownEvent(status)
	}
	n := Notice{Kind: kind, Chain: s.on(""), Object: data.name("id"), Reference: reference, Detail: detail(status), Code: data.name("transactionCurrency")}
	if kind != PaymentPaid && kind != PaymentRefunded && kind != PayoutFinal {
		return []Notice{n}, nil
	}
	amount, err := data.decimal(field)
	if err != nil {
		return nil, err
	}
	if err := n.price(s, data.name("currency"), amount); err != nil {
		return nil, ReadError(field + " is no amount of a currency with so many decimals")
	}
	return []Notice{n}, nil
}
