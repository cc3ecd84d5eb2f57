package callback

import (
	"context"
	"crypto/sha256"
	"strings"
)

// btcpayServer is a BTCPay Server that a merchant runs (https://docs.btcpayserver.org/API/Greenfield/v1/#tag/Webhooks, and
// https://github.com/btcpayserver/btcpayserver: Plugins/Webhooks/WebhookSender.cs and BTCPayServer.Client/Models; read
// 2026-11-24): BTCPay-Sig is "sha256=" and the HMAC-SHA256 over the raw body in hex, by the webhook's secret, which its
// owner may choose. No time is signed apart. It wants 2xx, and tries again what is answered with 5xx, 408 or 429, or not at
// all, after ten seconds, a minute and six times ten minutes; each of these deliveries has its own id in the body.
var btcpayServer = Source{
	Trusts: []Trust{Look, Statement}, CheckSecret: checkSharedText, NewSecret: newSharedText,
	Verify: verifyBTCPayServer, Read: readBTCPayServer, Answer: ok,
}

func verifyBTCPayServer(_ context.Context, d Delivery, _ Settings, k Keys) (string, error) {
	given, err := d.Headers.one("btcpay-sig")
	if err != nil {
		return "", err
	}
	given, prefixed := strings.CutPrefix(given, "sha256=")
	if !prefixed {
		return "", HeaderMalformed
	}
	if err := hmacSigned(sha256.New, k.Secrets, inHex, given, string(d.Body)); err != nil {
		return "", err
	}
	return d.eventAt("deliveryId"), nil
}

// btcpayInvoices are the events of an invoice. Paid in full and unconfirmed is "Processing", which is not paid; paid after
// it has expired waits for its owner; a refund that is offered has not been taken.
var btcpayInvoices = map[string]Kind{
	"InvoiceCreated": PaymentPending, "InvoiceProcessing": PaymentPending, "InvoicePaidAfterExpiration": PaymentPending,
	"InvoiceSettled": PaymentPaid, "InvoiceExpired": PaymentExpired, "InvoiceExpiredPaidPartial": PaymentPartial,
	"InvoiceInvalid": PaymentFailed, "InvoiceRefund": Other,
}

// btcpayPayouts are the states of a payout.
var btcpayPayouts = map[string]Kind{
	"AwaitingApproval": Other, "AwaitingPayment": Other, "InProgress": PayoutBroadcast, "Completed": PayoutFinal, "Cancelled": PayoutFailed,
}

// btcpayOthers are about subscriptions, of which the invoices tell.
var btcpayOthers = map[string]bool{
	"SubscriberCreated": true, "SubscriberCredited": true, "SubscriberCharged": true, "SubscriberActivated": true,
	"SubscriberPhaseChanged": true, "SubscriberDisabled": true, "SubscriberNeedUpgrade": true, "PaymentReminder": true,
	"PlanStarted": true, "CreditRefunded": true,
}

func readBTCPayServer(body []byte, s Settings, _ Keys) ([]Notice, error) {
	doc, err := parseJSON(body)
	if err != nil {
		return nil, err
	}
	event, err := doc.required("type")
	if err != nil {
		return nil, err
	}
	kind, isInvoice := btcpayInvoices[event]
	switch {
	case strings.HasPrefix(doc.name("invoiceId"), "__test__"), strings.HasPrefix(event, "PaymentRequest"), btcpayOthers[event]:
		return []Notice{{Kind: Other, Detail: detail(event)}}, nil
	case event == "InvoiceReceivedPayment" || event == "InvoicePaymentSettled":
		return btcpayPayment(doc, event, s)
	case strings.HasPrefix(event, "Payout"):
		return btcpayPayout(doc, event)
	case !isInvoice:
		return nil, unknownEvent(event)
	}
	n := Notice{Kind: kind, Reference: doc.name("metadata.orderId"), Detail: event}
	if n.Object, err = doc.requiredName("invoiceId"); err != nil {
		return nil, err
	}
	switch {
	case event == "InvoiceExpired" && doc.truth("partiallyPaid"):
		n.Kind = PaymentPartial
	case event == "InvoiceSettled" && doc.truth("manuallyMarked"): // somebody said so: no money need have come
		n.Kind, n.Detail = Other, event+", marked by hand"
	case doc.truth("overPaid"):
		n.Detail = event + ", paid over"
	}
	return []Notice{n}, nil
}

// btcpayPayment is one payment of an invoice, which may have several: it goes by its own id, and says nothing of the whole.
func btcpayPayment(doc document, event string, s Settings) ([]Notice, error) {
	id, err := doc.requiredName("payment.id")
	if err != nil {
		return nil, err
	}
	method, err := doc.requiredName("paymentMethodId")
	if err != nil {
		return nil, err
	}
	n := Notice{
		Object: id, Reference: or(doc.name("metadata.orderId"), doc.name("invoiceId")), Address: doc.name("payment.destination"),
		Detail: detail(event + ", " + method),
	}
	coin, way, _ := strings.Cut(method, "-")
	on := s.networkOf(coin)
	settled := event == "InvoicePaymentSettled" && doc.text("payment.status") != "Invalid"
	switch {
	case way == "" || way == "CHAIN": // "BTC-CHAIN", before version 2 "BTC": its id is the output, "transaction-place"
		n.Chain, n.Kind = on, DepositSeen
		n.Tx, n.Index, _ = strings.Cut(id, "-")
		if settled {
			n.Kind = DepositConfirmed
		}
	case settled: // of Lightning, where nothing is on a chain
		n.Kind = PaymentPartial
	default:
		n.Kind = PaymentPending
	}
	if doc.text("payment.status") == "Invalid" {
		n.Kind = PaymentFailed
	}
	if err := n.btcpayValue(doc, coin, s); err != nil {
		return nil, err
	}
	return []Notice{n}, nil
}

// btcpayValue is in the coin's own unit.
func (n *Notice) btcpayValue(doc document, coin string, s Settings) error {
	value, err := doc.decimal("payment.value")
	if err != nil {
		return err
	}
	known, found := s.Assets[coin]
	if !found {
		known, found = coinOf(s.networkOf(coin))
	}
	if !found {
		n.Code = coin
		return nil
	}
	n.Asset, n.Decimals = known.Asset, known.Decimals
	if n.Amount, err = decimalUnits(value, known.Decimals); err != nil {
		return ReadError("payment.value is no amount of an asset with so many decimals")
	}
	return nil
}

func btcpayPayout(doc document, event string) ([]Notice, error) {
	id, err := doc.requiredName("payoutId")
	if err != nil {
		return nil, err
	}
	state, err := doc.required("payoutState")
	if err != nil {
		return nil, err
	}
	kind, known := btcpayPayouts[state]
	if !known {
		return nil, unknownEvent(event + " " + state)
	}
	return []Notice{{Kind: kind, Object: id, Reference: doc.name("pullPaymentId"), Detail: detail(state)}}, nil
}
