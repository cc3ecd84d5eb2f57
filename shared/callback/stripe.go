package callback

import (
	"context"
	"crypto/sha256"
	"errors"
	"math/big"
	"slices"
	"strings"
	"time"

	"farrier/shared/money"
)

// stripe is Stripe (https://docs.stripe.com/webhooks, https://docs.stripe.com/currencies and the packages stripe 23.1.0 for
// Node and 16.1.0 for Python; read 2026-11-24): Stripe-Signature holds t, the time in seconds, and one v1 for each secret of
// the endpoint that is valid (two for up to a day after one was rolled), each the HMAC-SHA256 in hex over "t.body"; other
// schemes count for nothing. Every attempt, for three days, is signed anew; its packages take five minutes. It wants 2xx.
var stripe = Source{
	Trusts: []Trust{Look, Statement, Ask}, CheckSecret: checkStripeSecret, Credentials: []Credential{apiKey("api_key")}, Asking: askStripe,
	Verify: verifyStripe, Read: readStripe, Answer: ok,
}

func checkStripeSecret(secret string) error {
	if err := checkSharedText(secret); err != nil {
		return err
	}
	if !strings.HasPrefix(secret, "whsec_") {
		return errors.New(`must be the endpoint's signing secret, which begins with "whsec_"`)
	}
	return nil
}

func verifyStripe(_ context.Context, d Delivery, _ Settings, k Keys) (string, error) {
	stamp, signatures, err := stripeParts(d.Headers["stripe-signature"])
	if err != nil {
		return "", err
	}
	if err := d.inTime(stamp, time.Second, standardWindow); err != nil {
		return "", err
	}
	matched := false
	for _, given := range signatures {
		if hmacSigned(sha256.New, k.Secrets, inHex, given, stamp, ".", string(d.Body)) == nil {
			matched = true
		}
	}
	if !matched {
		return "", NoMatch
	}
	return d.eventAt("id"), nil
}

// stripeParts reads "t=…,v1=…,v1=…". Of a header that came twice the time is there twice.
func stripeParts(header string) (stamp string, signatures []string, err error) {
	if header == "" {
		return "", nil, HeaderMissing
	}
	for part := range strings.SplitSeq(header, ",") {
		switch name, value, _ := strings.Cut(strings.TrimSpace(part), "="); {
		case name == "t" && stamp != "":
			return "", nil, HeaderDoubled
		case name == "t":
			stamp = value
		case name == "v1":
			signatures = append(signatures, value)
		}
		if len(signatures) > mostSignatures {
			return "", nil, HeaderMalformed
		}
	}
	if stamp == "" || len(signatures) == 0 {
		return "", nil, HeaderMalformed
	}
	return stamp, signatures, nil
}

// stripeEvents are the events that are about a payment, or about money that goes out, and what is read of each.
var stripeEvents = map[string]func(stripeObject) (Notice, error){
	"payment_intent.created":                   stripePayment(PaymentPending, "amount"),
	"payment_intent.processing":                stripePayment(PaymentPending, "amount"),
	"payment_intent.requires_action":           stripePayment(PaymentPending, "amount"),
	"payment_intent.amount_capturable_updated": stripePayment(PaymentPending, "amount"),
	"payment_intent.partially_funded":          stripePayment(PaymentPartial, "amount_received"),
	"payment_intent.succeeded":                 stripePayment(PaymentPaid, "amount_received"),
	"payment_intent.payment_failed":            stripePayment(PaymentFailed, "amount"),
	"payment_intent.canceled":                  stripePayment(PaymentFailed, "amount"),

	"charge.pending":   stripePayment(PaymentPending, "amount"),
	"charge.succeeded": stripePayment(PaymentPaid, "amount_captured"),
	"charge.captured":  stripePayment(PaymentPaid, "amount_captured"),
	"charge.failed":    stripePayment(PaymentFailed, "amount"),
	"charge.expired":   stripePayment(PaymentExpired, "amount"),
	"charge.refunded":  stripePayment(PaymentRefunded, "amount_refunded"),

	"checkout.session.completed":               stripePayment(PaymentPaid, "amount_total"),
	"checkout.session.async_payment_succeeded": stripePayment(PaymentPaid, "amount_total"),
	"checkout.session.async_payment_failed":    stripePayment(PaymentFailed, "amount_total"),
	"checkout.session.expired":                 stripePayment(PaymentExpired, "amount_total"),

	"payout.created": stripePayout, "payout.updated": stripePayout, "payout.paid": stripePayout, "payout.failed": stripePayout,
	"payout.canceled": stripePayout, "payout.reconciliation_completed": stripeOther,

	"crypto.onramp_session.updated": stripeOnramp, "crypto_onramp_session.updated": stripeOnramp, "crypto.onramp_session.created": stripeOther,
}

// stripeFamilies are the families of events that move no money of a payment, or whose payment tells of it in its own event.
var stripeFamilies = []string{
	"account", "application_fee", "balance", "billing", "billing_portal", "capability", "cash_balance", "charge",
	"checkout", "climate", "coupon", "credit_note", "customer", "customer_cash_balance_transaction", "entitlements",
	"file", "financial_connections", "identity", "invoice", "invoice_payment", "invoiceitem", "issuing_authorization",
	"issuing_card", "issuing_cardholder", "issuing_dispute", "issuing_token", "issuing_transaction", "mandate",
	"payment_link", "payment_method", "person", "plan", "price", "product", "promotion_code", "quote", "radar",
	"refund", "reporting", "review", "setup_intent", "sigma", "source", "subscription_schedule", "tax", "tax_rate",
	"terminal", "test_helpers", "topup", "transfer", "treasury",
}

// stripeObject is what an event is about.
type stripeObject struct {
	document
	event    string
	settings Settings
}

func readStripe(body []byte, s Settings, _ Keys) ([]Notice, error) {
	doc, err := parseJSON(body)
	if err != nil {
		return nil, err
	}
	event, err := doc.required("type")
	if err != nil {
		return nil, err
	}
	if form := doc.text("object"); form != "" && form != "event" { // "v2.core.event" names its object and does not hold it
		return nil, unknownVersion(form)
	}
	read, known := stripeEvents[event]
	if family, _, _ := strings.Cut(event, "."); !known && !slices.Contains(stripeFamilies, family) {
		return nil, unknownEvent(event)
	}
	if !known {
		read = stripeOther
	}
	if _, is := doc.at("data.object").(map[string]any); !is {
		return nil, ReadError("data.object is missing, or is no object")
	}
	n, err := read(stripeObject{doc.in("data.object"), event, s})
	if err != nil {
		return nil, ReadError("data.object." + err.Error())
	}
	if doc.has("livemode") && !doc.truth("livemode") {
		n.Detail = detail(n.Detail + ", test mode")
	}
	return []Notice{n}, nil
}

func stripeOther(o stripeObject) (Notice, error) {
	return Notice{Kind: Other, Object: o.name("id"), Detail: detail(o.event)}, nil
}

// stripePayment reads a payment. A payment intent, its charge and its checkout session all tell of the same payment, so it
// goes by the intent's id where there is one.
func stripePayment(kind Kind, amount string) func(stripeObject) (Notice, error) {
	return func(o stripeObject) (Notice, error) {
		id, err := o.requiredName("id")
		if err != nil {
			return Notice{}, err
		}
		n := Notice{
			Kind: o.settled(kind), Object: or(o.firstName("payment_intent", "payment_intent.id"), id), Detail: detail(o.event),
			Reference: o.firstName("client_reference_id", "metadata.order_id", "metadata.orderId", "metadata.reference"),
		}
		if fault := o.firstName("last_payment_error.code", "failure_code", "cancellation_reason"); kind == PaymentFailed && fault != "" {
			n.Detail = detail(fault)
		}
		if coin := o.in("payment_method_details.crypto"); coin.has("transaction_hash") {
			n.Chain, n.Tx = o.settings.networkOf(coin.text("network")), coin.name("transaction_hash")
		}
		if n.Kind == PaymentPending || !o.has(amount) && amount == "amount_captured" {
			amount = stripeAsked(o)
		}
		// A session without an intent sets something up, or pays an invoice, whose own intent tells of it.
		if strings.HasPrefix(o.event, "checkout.") && n.Object == id {
			n.Kind = Other
			return n, nil
		}
		err = n.stripeUnits(o.document, amount, o.settings)
		return n, err
	}
}

func stripeAsked(o stripeObject) string {
	if o.has("amount_total") {
		return "amount_total"
	}
	return "amount"
}

// settled goes by the object's own status, not only by the event: what is not paid, or only authorized, is pending.
func (o stripeObject) settled(kind Kind) Kind {
	if kind != PaymentPaid {
		return kind
	}
	family, _, _ := strings.Cut(o.event, ".")
	paid := false
	switch family {
	case "payment_intent":
		paid = o.text("status") == "succeeded"
	case "charge":
		paid = o.text("status") == "succeeded" && o.truth("paid") && o.truth("captured")
	case "checkout": // "completed" comes before money that takes days does
		paid = o.text("payment_status") == "paid"
		if o.text("payment_status") == "no_payment_required" {
			return Other
		}
	}
	if !paid {
		return PaymentPending
	}
	return kind
}

var stripePayouts = map[string]Kind{
	"pending": Other, "in_transit": PayoutBroadcast, "paid": PayoutFinal, "failed": PayoutFailed, "canceled": PayoutFailed,
}

func stripePayout(o stripeObject) (Notice, error) {
	id, err := o.requiredName("id")
	if err != nil {
		return Notice{}, err
	}
	status, err := o.required("status")
	if err != nil {
		return Notice{}, err
	}
	kind, known := stripePayouts[status]
	if !known {
		return Notice{}, ReadError("status is not one that is known")
	}
	n := Notice{
		Kind: kind, Object: id, Reference: o.firstName("metadata.order_id", "metadata.reference"),
		Detail: detail(or(o.name("failure_code"), o.event)),
	}
	err = n.stripeUnits(o.document, "amount", o.settings)
	return n, err
}

// stripeOnramp is a payer who buys coins there: when it is complete, they are on their way to an address on a chain.
func stripeOnramp(o stripeObject) (Notice, error) {
	n := Notice{Kind: Other, Object: o.name("id"), Detail: detail(or(o.text("status"), o.event))}
	if o.text("status") != "fulfillment_complete" {
		return n, nil
	}
	bought := o.in("transaction_details")
	n.Kind, n.Chain, n.Tx = DepositSeen, o.settings.networkOf(bought.text("destination_network")), bought.name("transaction_id")
	n.Address, n.Code = bought.name("wallet_address"), bought.name("destination_currency")
	return n, nil
}

// stripeDecimals are the decimals of Stripe's amounts where they are not those of ISO 4217: it counts the ariary whole, and
// the króna, which has no parts any more, in hundredths (https://docs.stripe.com/currencies and
// https://support.stripe.com/questions/deprecation-of-fractional-isk-charges-and-refunds, read 2026-11-24). What it says of the
// Ugandan shilling has changed between the two: its amounts are not read.
var stripeDecimals = map[string]int{"MGA": 0, "ISK": 2, "UGX": -1}

// stripeUnits sets amount and asset from an integer in Stripe's smallest unit. Its error names the field.
func (n *Notice) stripeUnits(o document, path string, s Settings) error {
	units, err := o.units(path)
	if err != nil {
		return err
	}
	code := o.name("currency")
	known, found := s.asset(code)
	theirs, differs := stripeDecimals[strings.ToUpper(code)]
	if !found || theirs < 0 {
		n.Code = code
		return nil
	}
	if differs && strings.HasPrefix(string(known.Asset), currencyPrefix) {
		whole := false
		if units, whole = rescaled(units, theirs, known.Decimals); !whole {
			return ReadError(path + " is no whole amount of its currency")
		}
	}
	n.Asset, n.Decimals, n.Amount = known.Asset, known.Decimals, units
	return nil
}

// rescaled is an amount in units of other decimals; false where that would lose something.
func rescaled(units money.Amount, from, to int) (money.Amount, bool) {
	scale := func(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(n, 0))), nil) }
	product := new(big.Int).Mul(units.Big(), scale(to-from))
	quotient, rest := new(big.Int).QuoRem(product, scale(from-to), new(big.Int))
	amount, err := money.FromBig(quotient)
	return amount, err == nil && rest.Sign() == 0
}
