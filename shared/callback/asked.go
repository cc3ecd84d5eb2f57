package callback

import (
	"context"
	"net/http"
	"slices"
	"strings"
)

// apiKey is the credential of a source whose API is asked and needs nothing else. Verifying and reading never open it.
func apiKey(name string) Credential { return Credential{Name: name, Apart: true, Check: checkBearer} }

// askNOWPayments: GET /v1/payment/{payment_id} answers with what a notification has
// (https://documenter.getpostman.com/view/7907941/S1a32n38, "Get payment status", read 2026-11-24).
var askNOWPayments = &Asking{
	Hosts: []string{"api.nowpayments.io"}, Credentials: []string{"api_key"},
	Request: func(ctx context.Context, n Notice, _ Settings, credentials map[string]string) (*http.Request, error) {
		return getJSON(ctx, "https://api.nowpayments.io/v1/payment/"+n.Object, "x-api-key", credentials["api_key"])
	},
	Read: func(body []byte, s Settings) ([]Notice, error) { return readNOWPayments(body, s, Keys{}) },
}

// askBitPay: GET /invoices/{id} with the token of the facade "pos" or "merchant" that made the invoice
// (https://developer.bitpay.com/reference/retrieve-an-invoice and …/c-lite-sdk-retrieve-an-invoice, read 2026-11-24). What was
// paid back is not in it: that is told by notices alone, and those of refunds name the invoice.
var askBitPay = &Asking{
	Hosts: []string{"bitpay.com"}, Credentials: []string{"api_token"},
	Request: func(ctx context.Context, n Notice, _ Settings, credentials map[string]string) (*http.Request, error) {
		request, err := getJSON(ctx, "https://bitpay.com/invoices/"+n.Object, "x-accept-version", "2.0.0")
		if err == nil {
			query := request.URL.Query()
			query.Set("token", credentials["api_token"])
			request.URL.RawQuery = query.Encode()
		}
		return request, err
	},
	Read: func(body []byte, s Settings) ([]Notice, error) {
		doc, err := parseJSON(body)
		if err != nil {
			return nil, err
		}
		return readBitPayInvoice(doc.in("data"), s, "")
	},
}

// askCoinbaseCommerce: GET /charges/{id} answers with the charge that an event holds
// (https://docs.cdp.coinbase.com/api-reference/commerce-api/rest-api/charges, and getCharge of @coinbasejs/commerce 0.1.4;
// read 2026-11-24).
var askCoinbaseCommerce = &Asking{
	Hosts: []string{"api.commerce.coinbase.com"}, Credentials: []string{"api_key"},
	Request: func(ctx context.Context, n Notice, _ Settings, credentials map[string]string) (*http.Request, error) {
		return getJSON(ctx, "https://api.commerce.coinbase.com/charges/"+n.Object, "x-cc-api-key", credentials["api_key"])
	},
	Read: readCoinbaseCharge,
}

// coinbasePaid are the states that end a charge's timeline where it is paid (…/commerce/accepting-payment/faq). No event is
// there to say so: a state that is not known is an error.
var coinbasePaid = []string{"COMPLETED", "CONFIRMED", "RESOLVED"}

func readCoinbaseCharge(body []byte, s Settings) ([]Notice, error) {
	doc, err := parseJSON(body)
	if err != nil {
		return nil, err
	}
	charge := doc.in("data")
	timeline := charge.list("timeline")
	if len(timeline) == 0 {
		return nil, ReadError("data.timeline is missing, or is empty")
	}
	status := strings.ToUpper(timeline[len(timeline)-1].text("status"))
	if _, told := coinbaseCommerceStatus[status]; !told && status != "UNRESOLVED" && !slices.Contains(coinbasePaid, status) {
		return nil, unknownEvent(status)
	}
	n := Notice{Kind: coinbaseCommerceKind(charge, PaymentPaid), Detail: detail(status), Reference: charge.firstName("metadata.order_id", "metadata.orderId", "metadata.custom")}
	if n.Object, err = charge.requiredName("id"); err != nil {
		return nil, ReadError("data.id is missing, or is no name")
	}
	return coinbaseCommercePayments(charge, s, n)
}

// askStripe: a payment goes by its intent, which says what came, and the intent's newest charge, which says what was paid back
// (https://docs.stripe.com/api/payment_intents/retrieve and …/api/expanding_objects, read 2026-11-24). A charge or a session
// without an intent is not asked for.
var askStripe = &Asking{
	Hosts: []string{"api.stripe.com"}, Credentials: []string{"api_key"},
	Request: func(ctx context.Context, n Notice, _ Settings, credentials map[string]string) (*http.Request, error) {
		return getJSON(ctx, "https://api.stripe.com/v1/payment_intents/"+n.Object+"?expand[]=latest_charge", "authorization", "Bearer "+credentials["api_key"])
	},
	Read: readStripeIntent,
}

func readStripeIntent(body []byte, s Settings) ([]Notice, error) {
	doc, err := parseJSON(body)
	if err != nil {
		return nil, err
	}
	if doc.text("object") != "payment_intent" {
		return nil, ReadError("object is not a payment_intent")
	}
	event, status := "payment_intent.processing", doc.text("status")
	switch status {
	case "succeeded":
		event = "payment_intent.succeeded"
	case "canceled":
		event = "payment_intent.canceled"
	case "requires_payment_method", "requires_confirmation", "requires_action", "processing", "requires_capture":
	default:
		return nil, unknownEvent("status " + status)
	}
	paid, err := stripeEvents[event](stripeObject{doc, event, s})
	if err != nil || !doc.has("latest_charge.amount_refunded") {
		return some(paid, err)
	}
	back, err := stripeEvents["charge.refunded"](stripeObject{doc.in("latest_charge"), "charge.refunded", s})
	if err != nil {
		return nil, ReadError("latest_charge." + err.Error())
	}
	if back.Amount.Sign() == 0 {
		return []Notice{paid}, nil
	}
	back.Object, back.Reference = paid.Object, paid.Reference
	return []Notice{paid, back}, nil
}

// askCircle: GET /v1/w3s/transactions/{id} (https://developers.circle.com/api-reference/wallets/developer-controlled-wallets/get-transaction;
// getTransaction of @circle-fin/developer-controlled-wallets 10.8.1; read 2026-11-24).
var askCircle = &Asking{
	Hosts: []string{circleHost}, Credentials: []string{"api_key"},
	Request: func(ctx context.Context, n Notice, _ Settings, credentials map[string]string) (*http.Request, error) {
		return getJSON(ctx, "https://"+circleHost+"/v1/w3s/transactions/"+n.Object, "authorization", "Bearer "+credentials["api_key"])
	},
	Read: func(body []byte, s Settings) ([]Notice, error) {
		doc, err := parseJSON(body)
		if err != nil {
			return nil, err
		}
		tx := doc.in("data.transaction")
		switch direction := tx.text("transactionType"); direction {
		case "INBOUND":
			return readCircleTransaction(tx, s, circleInbound)
		case "OUTBOUND":
			return readCircleTransaction(tx, s, circleOutbound)
		default:
			return nil, unknownEvent("transactionType " + direction)
		}
	},
}
