package callback

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"farrier/shared/money"
)

const stripeSecret = "whsec_a secret of one endpoint"

func stripeSigns(at time.Time, body []byte, secrets ...string) Delivery {
	stamp := strconv.FormatInt(at.Unix(), 10)
	header := "t=" + stamp
	for _, secret := range secrets {
		header += ",v1=" + inHex.encode(hmacOf(sha256.New, secret, stamp, ".", string(body)))
	}
	return Delivery{Body: body, Headers: Headers{"stripe-signature": header}, At: at}
}

func stripeEvent(kind, object string) string {
	return `{"id":"evt_1","object":"event","api_version":"2025-10-29.clover","created":1686089970,"livemode":true,"pending_webhooks":2,"type":"` + kind + `","data":{"object":` + object + `}}`
}

func stripeSenders(t testing.TB) []provider {
	euros := func(kind Kind, detail string) []Notice {
		return []Notice{{Kind: kind, Asset: "iso4217:EUR", Amount: money.Units(1999), Decimals: 2, Object: "pi_1", Reference: "order-1", Detail: detail}}
	}
	intent := func(event, status string) string {
		return stripeEvent(event, `{"id":"pi_1","object":"payment_intent","amount":1999,"amount_received":1999,"currency":"eur","status":"`+status+`","metadata":{"order_id":"order-1"},"last_payment_error":null}`)
	}
	charge := func(event, status, captured, more string) string {
		return stripeEvent(event, `{"id":"ch_1","object":"charge","amount":1999,"amount_captured":1999,"amount_refunded":0,"currency":"eur","status":"`+status+`","paid":true,"captured":`+captured+`,"payment_intent":"pi_1","metadata":{"order_id":"order-1"}`+more+`}`)
	}
	session := func(event, status string) string {
		return stripeEvent(event, `{"id":"cs_1","object":"checkout.session","amount_total":1999,"currency":"eur","status":"complete","payment_status":"`+status+`","payment_intent":"pi_1","client_reference_id":"order-1"}`)
	}
	onChain := euros(PaymentPaid, "charge.succeeded")[0]
	onChain.Chain, onChain.Tx = "eip155:8453", txA
	refunded := euros(PaymentRefunded, "charge.refunded")[0]
	refunded.Amount = money.Units(500)
	payout := func(event, status, fault string) string {
		return stripeEvent(event, `{"id":"po_1","object":"payout","amount":1100,"currency":"usd","status":"`+status+`","failure_code":`+fault+`}`)
	}
	out := func(kind Kind, detail string) []Notice {
		return []Notice{{Kind: kind, Asset: "iso4217:USD", Amount: money.Units(1100), Decimals: 2, Object: "po_1", Detail: detail}}
	}
	return []provider{{
		name: "stripe", connection: connected(t, "stripe", Settings{}), keys: withSecrets(stripeSecret), others: withSecrets("whsec_a secret of another"),
		signature: inHeader("stripe-signature"), window: 5 * time.Minute, body: `{"id": "evt_1", "object": "event", "type": "plan.created"}`, event: "evt_1",
		sign: func(_ testing.TB, at time.Time, body []byte) Delivery { return stripeSigns(at, body, stripeSecret) },
		reads: []reading{
			{intent("payment_intent.succeeded", "succeeded"), euros(PaymentPaid, "payment_intent.succeeded")},
			{intent("payment_intent.created", "requires_payment_method"), euros(PaymentPending, "payment_intent.created")},
			{intent("payment_intent.succeeded", "processing"), euros(PaymentPending, "payment_intent.succeeded")},
			{intent("payment_intent.amount_capturable_updated", "requires_capture"), euros(PaymentPending, "payment_intent.amount_capturable_updated")},
			{intent("payment_intent.canceled", "canceled"), euros(PaymentFailed, "payment_intent.canceled")},
			{strings.Replace(intent("payment_intent.payment_failed", "requires_payment_method"), `"last_payment_error":null`, `"last_payment_error":{"code":"card_declined"}`, 1), euros(PaymentFailed, "card_declined")},
			{charge("charge.succeeded", "succeeded", "true", `,"payment_method_details":{"type":"card"}`), euros(PaymentPaid, "charge.succeeded")},
			{charge("charge.succeeded", "succeeded", "false", ""), euros(PaymentPending, "charge.succeeded")},
			{charge("charge.pending", "pending", "true", ""), euros(PaymentPending, "charge.pending")},
			{charge("charge.captured", "succeeded", "true", ""), euros(PaymentPaid, "charge.captured")},
			{charge("charge.succeeded", "succeeded", "true", `,"payment_method_details":{"type":"crypto","crypto":{"network":"base","token_currency":"usdc","transaction_hash":"`+txA+`","buyer_address":"0x1"}}`), []Notice{onChain}},
			{strings.Replace(charge("charge.refunded", "succeeded", "true", ""), `"amount_refunded":0`, `"amount_refunded":500`, 1), []Notice{refunded}},
			{session("checkout.session.completed", "paid"), euros(PaymentPaid, "checkout.session.completed")},
			{session("checkout.session.completed", "unpaid"), euros(PaymentPending, "checkout.session.completed")},
			{session("checkout.session.async_payment_succeeded", "paid"), euros(PaymentPaid, "checkout.session.async_payment_succeeded")},
			{session("checkout.session.async_payment_failed", "unpaid"), euros(PaymentFailed, "checkout.session.async_payment_failed")},
			{session("checkout.session.expired", "unpaid"), euros(PaymentExpired, "checkout.session.expired")},
			{stripeEvent("checkout.session.completed", `{"id":"cs_2","mode":"setup","payment_status":"no_payment_required"}`), []Notice{{Kind: Other, Object: "cs_2", Detail: "checkout.session.completed"}}},
			{stripeEvent("checkout.session.completed", `{"id":"cs_3","mode":"subscription","payment_status":"paid","amount_total":1999,"currency":"eur","payment_intent":null,"invoice":"in_1"}`),
				[]Notice{{Kind: Other, Object: "cs_3", Detail: "checkout.session.completed"}}},
			{payout("payout.created", "pending", "null"), out(Other, "payout.created")},
			{payout("payout.updated", "in_transit", "null"), out(PayoutBroadcast, "payout.updated")},
			{payout("payout.paid", "paid", "null"), out(PayoutFinal, "payout.paid")},
			{payout("payout.failed", "failed", `"account_closed"`), out(PayoutFailed, "account_closed")},
			{stripeEvent("crypto.onramp_session.updated", `{"id":"cos_1","status":"fulfillment_complete","transaction_details":{"destination_currency":"usdc","destination_network":"polygon","wallet_address":"0x2","transaction_id":"`+txB+`"}}`),
				[]Notice{{Kind: DepositSeen, Chain: "eip155:137", Tx: txB, Address: "0x2", Code: "usdc", Object: "cos_1", Detail: "fulfillment_complete"}}},
			{stripeEvent("crypto.onramp_session.updated", `{"id":"cos_1","status":"requires_payment"}`), []Notice{{Kind: Other, Object: "cos_1", Detail: "requires_payment"}}},
			{strings.Replace(intent("payment_intent.succeeded", "succeeded"), `"livemode":true`, `"livemode":false`, 1), euros(PaymentPaid, "payment_intent.succeeded, test mode")},
			{stripeEvent("charge.dispute.created", `{"id":"dp_1","amount":1000}`), []Notice{{Kind: Other, Object: "dp_1", Detail: "charge.dispute.created"}}},
			{stripeEvent("invoice.paid", `{"id":"in_1","amount_paid":1000}`), []Notice{{Kind: Other, Object: "in_1", Detail: "invoice.paid"}}},
		},
		unknown: stripeEvent("something.new", `{}`),
	}}
}

func TestStripeAsItsOwnPackagesSignAndVerify(t *testing.T) {
	agrees(t, "stripe", "stripe-node.json")
	agrees(t, "stripe", "stripe-python.json")
}

// While a secret is rolled each is there with its own signature, in any order; another scheme counts for nothing.
func TestAnyOfStripesSignaturesWillDo(t *testing.T) {
	const other = "whsec_the secret that is rolled"
	body := []byte(`{"id":"evt_1"}`)
	right := stripeSigns(signedAt, body, stripeSecret).Headers["stripe-signature"]
	for header, want := range map[string]error{
		stripeSigns(signedAt, body, other, stripeSecret).Headers["stripe-signature"]:   nil,
		stripeSigns(signedAt, body, stripeSecret, other).Headers["stripe-signature"]:   nil,
		right + ",v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39": nil,
		strings.Replace(right, "v1=", "v1=not hex,v1=", 1):                             nil,
		strings.Replace(right, "v1=", "v0=", 1):                                        HeaderMalformed,
		stripeSigns(signedAt, body, other).Headers["stripe-signature"]:                 NoMatch,
		right + "," + right: HeaderDoubled,
		right + strings.Repeat(",v1=00", mostSignatures): HeaderMalformed,
	} {
		_, err := verifyStripe(context.Background(), Delivery{Headers: Headers{"stripe-signature": header}, Body: body, At: signedAt}, Settings{}, withSecrets(stripeSecret))
		if !errors.Is(err, want) {
			t.Errorf("%.80s: %v, want %v", header, err, want)
		}
	}
}

// Its smallest units are those of ISO 4217 but for a few currencies.
func TestStripesUnitsAreBroughtToThoseOfTheCurrency(t *testing.T) {
	for currency, c := range map[string]struct {
		given, want int64
		decimals    int
	}{
		"usd": {1999, 1999, 2}, "jpy": {500, 500, 0}, "kwd": {5120, 5120, 3}, "krw": {7, 7, 0},
		"mga": {5, 500, 2}, "isk": {500, 5, 0},
	} {
		n, err := readStripe([]byte(stripeEvent("payment_intent.succeeded", fmt.Sprintf(`{"id":"pi","status":"succeeded","amount_received":%d,"currency":"%s"}`, c.given, currency))), Settings{}, Keys{})
		if err != nil || n[0].Amount.Cmp(money.Units(c.want)) != 0 || n[0].Decimals != c.decimals || n[0].Asset != money.Asset("iso4217:"+strings.ToUpper(currency)) {
			t.Errorf("%s: %+v, %v", currency, n, err)
		}
	}
	for _, currency := range []string{"ugx", "usdc"} { // not known for sure, not known at all
		n, err := readStripe([]byte(stripeEvent("payment_intent.succeeded", `{"id":"pi","status":"succeeded","amount_received":500,"currency":"`+currency+`"}`)), Settings{}, Keys{})
		if err != nil || n[0].Code != currency || n[0].Asset != "" || n[0].Amount.Sign() != 0 {
			t.Errorf("%s: %+v, %v", currency, n, err)
		}
	}
}

func TestAStripeBodyNamesWhatIsWrongWithIt(t *testing.T) {
	for object, want := range map[string]string{
		`{"id":"pi","status":"succeeded","amount_received":19.99,"currency":"usd"}`: "data.object.amount_received is missing, or is no integer of the smallest unit",
		`{"id":"pi","status":"succeeded","currency":"usd"}`:                         "data.object.amount_received is missing, or is no integer of the smallest unit",
		`{"id":"pi","status":"succeeded","amount_received":501,"currency":"isk"}`:   "data.object.amount_received is no whole amount of its currency",
		`{"status":"succeeded"}`: "data.object.id is missing, or is no name",
		`null`:                   "data.object is missing, or is no object",
	} {
		if _, err := readStripe([]byte(stripeEvent("payment_intent.succeeded", object)), Settings{}, Keys{}); err != ReadError(want) {
			t.Errorf("%s: %v", object, err)
		}
	}
	_, err := readStripe([]byte(`{"id":"evt_1","object":"v2.core.event","type":"payment_intent.succeeded","related_object":{"id":"pi"}}`), Settings{}, Keys{})
	if want := (UnknownError{"version", "v2.core.event"}); err != want {
		t.Errorf("a thin event: %v", err)
	}
}

func TestAStripeSecretIsOfItsForm(t *testing.T) {
	for secret, right := range map[string]bool{"whsec_0123456789": true, "sk_live_0123456789abc": false, "whsec_1": false, "": false, "whsec_é0123456789": false} {
		if err := checkStripeSecret(secret); (err == nil) != right || (err != nil && secret != "" && strings.Contains(err.Error(), secret)) {
			t.Errorf("%q: %v", secret, err)
		}
	}
}
