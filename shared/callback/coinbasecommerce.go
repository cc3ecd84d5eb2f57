package callback

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
)

// coinbaseCommerce is Coinbase Commerce (https://docs.cdp.coinbase.com/commerce/api-arcitecture/webhooks-security and
// …/webhooks-fields, and the packages coinbase-commerce-node 1.0.4 and coinbase-commerce 1.0.1; read 2026-11-24):
// X-CC-Webhook-Signature is the HMAC-SHA256 over the raw body in hex, by the shared secret of the account's webhooks. No
// time is stamped. It wants 200, and tries again for three days; each attempt counts itself in the body. The money goes to
// the merchant's own wallet, or to the merchant's account there.
var coinbaseCommerce = Source{
	Trusts: []Trust{Look, Statement, Ask}, CheckSecret: checkSharedText, Credentials: []Credential{apiKey("api_key")}, Asking: askCoinbaseCommerce,
	Verify: verifyCoinbaseCommerce, Read: readCoinbaseCommerce, Answer: ok,
}

func verifyCoinbaseCommerce(_ context.Context, d Delivery, _ Settings, k Keys) (string, error) {
	given, err := d.Headers.one("x-cc-webhook-signature")
	if err != nil {
		return "", err
	}
	if err := hmacSigned(sha256.New, k.Secrets, inHex, given, string(d.Body)); err != nil {
		return "", err
	}
	return d.eventAt("event.id"), nil
}

// coinbaseCommerceKinds are the events. "pending" is on the chain and not final, "delayed" came after the charge had
// expired and waits for the merchant: neither is paid.
var coinbaseCommerceKinds = map[string]Kind{
	"charge:created": PaymentPending, "charge:pending": PaymentPending, "charge:delayed": PaymentPending,
	"charge:confirmed": PaymentPaid, "charge:resolved": PaymentPaid, "charge:failed": PaymentFailed,
	"checkout:created": Other, "checkout:updated": Other, "checkout:deleted": Other,
	"invoice:created": Other, "invoice:viewed": Other, "invoice:payment_pending": PaymentPending, "invoice:paid": Other,
	"invoice:voided": Other,
}

// coinbaseCommerceStatus are what the last entry of a charge's timeline says, where that is less than, or other than, the event.
var coinbaseCommerceStatus = map[string]Kind{
	"NEW": PaymentPending, "SIGNED": PaymentPending, "PENDING": PaymentPending,
	"EXPIRED": PaymentExpired, "CANCELED": PaymentFailed, "FAILED": PaymentFailed,
	"REFUND PENDING": Other, "PENDING REFUND": Other, "REFUNDED": PaymentRefunded,
}

func readCoinbaseCommerce(body []byte, s Settings, _ Keys) ([]Notice, error) {
	doc, err := parseJSON(body)
	if err != nil {
		return nil, err
	}
	event, err := doc.required("event.type")
	if err != nil {
		return nil, err
	}
	kind, known := coinbaseCommerceKinds[event]
	switch {
	case !known:
		return nil, unknownEvent(event)
	case !strings.HasPrefix(event, "charge:"):
		return []Notice{{Kind: kind, Object: doc.name("event.data.id"), Detail: event}}, nil
	}
	charge := doc.in("event.data")
	n := Notice{Detail: event, Reference: charge.firstName("metadata.order_id", "metadata.orderId", "metadata.custom")}
	if n.Object, err = charge.requiredName("id"); err != nil {
		if n.Object, err = charge.requiredName("code"); err != nil { // charges of 2017 had a code alone
			return nil, ReadError("event.data.id is missing, or is no name")
		}
	}
	n.Kind = coinbaseCommerceKind(charge, kind)
	return coinbaseCommercePayments(charge, s, n)
}

// coinbaseCommerceKind goes by the charge's own status, not only by the event: whatever says that it is not paid wins.
func coinbaseCommerceKind(charge document, kind Kind) Kind {
	timeline := charge.list("timeline")
	if len(timeline) == 0 || kind == PaymentPending {
		return kind
	}
	last := timeline[len(timeline)-1]
	switch status, context := strings.ToUpper(last.text("status")), last.text("context"); {
	case status == "UNRESOLVED" && context == "UNDERPAID":
		return PaymentPartial
	case status == "UNRESOLVED":
		return PaymentPending
	default:
		if told, less := coinbaseCommerceStatus[status]; less {
			return told
		}
		return kind
	}
}

// coinbaseCommercePayments are one notice for each payment on a chain, of what it brought; for a charge without one, of its price.
func coinbaseCommercePayments(charge document, s Settings, n Notice) ([]Notice, error) {
	payments := charge.list("payments")
	if len(payments) == 0 {
		if err := n.coinbaseCommercePrice(charge, s); err != nil {
			return nil, err
		}
		return append([]Notice{n}, coinbaseCommerceOnChain(charge, s, n)...), nil
	}
	var notices []Notice
	for i, payment := range payments {
		one := n
		one.Chain, one.Tx = s.networkOf(payment.text("network")), payment.name("transaction_id")
		if n.Kind == PaymentPaid && !coinbaseCommerceDone[strings.ToUpper(payment.text("status"))] {
			one.Kind = PaymentPending
		}
		for _, value := range []string{"value.crypto", "value.local"} {
			if !payment.has(value + ".amount") {
				continue
			}
			if err := one.worth(payment, s, value+".amount", value+".currency"); err != nil {
				return nil, ReadError(fmt.Sprintf("event.data.payments.%d.%s", i, err))
			}
			break
		}
		notices = append(notices, one)
		if one.Kind == PaymentPending && one.Tx != "" && one.Chain != "" { // on the chain, not final: worth a look
			notices = append(notices, Notice{Kind: DepositSeen, Chain: one.Chain, Tx: one.Tx, Object: one.Object, Detail: one.Detail})
		}
	}
	return notices, nil
}

// coinbaseCommerceDone are the states of a payment that is through.
var coinbaseCommerceDone = map[string]bool{"": true, "CONFIRMED": true, "COMPLETED": true}

// coinbaseCommercePrice is what was settled or, while nothing is paid, what is asked for in the merchant's currency: that is
// never what came.
func (n *Notice) coinbaseCommercePrice(charge document, s Settings) error {
	prices := []string{"pricing.settlement"}
	switch n.Kind {
	case PaymentPending, PaymentExpired, PaymentFailed:
		prices = append(prices, "pricing.local")
	case PaymentRefunded: // all of it
		return nil
	}
	for _, price := range prices {
		if charge.has(price + ".amount") {
			if err := n.worth(charge, s, price+".amount", price+".currency"); err != nil {
				return ReadError("event.data." + err.Error())
			}
			return nil
		}
	}
	return nil
}

// coinbaseCommerceOnChain is where charges without payments have their transactions.
func coinbaseCommerceOnChain(charge document, s Settings, n Notice) []Notice {
	var notices []Notice
	on := s.networkOf("")
	if number := charge.name("web3_data.transfer_intent.metadata.chain_id"); on == "" && number != "" {
		on, _ = chainNumbered(number)
	}
	for _, success := range charge.list("web3_data.success_events") {
		if tx := success.firstName("tx_hsh", "tx_hash"); tx != "" && on != "" {
			notices = append(notices, Notice{Kind: DepositSeen, Chain: on, Tx: tx, Object: n.Object, Detail: n.Detail})
		}
	}
	return notices
}
