package callback

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// binancePay is Binance Pay (https://developers.binance.com/docs/binance-pay/webhook-common, order-notification,
// refund-order-notification, webhook-payout and webhook-query-certificate, all read 2026-11-24): RSA with SHA-256 over time,
// nonce and body, each with a line feed behind it. The public key is what the Query Certificate API answers as "certPublic".
// That API takes a POST signed with the merchant's own secret, so the connection is given the key, and both keys while
// Binance changes it: the header that names one (BinancePay-Certificate-SN, not signed) is not needed.
var binancePay = Source{
	Trusts: []Trust{Statement, Look}, CheckSecret: checkPublicKey(rsaSHA256), Verify: verifyBinancePay, Read: readBinancePay,
	Answer: Answer{Status: http.StatusOK, ContentType: "application/json", Body: `{"returnCode":"SUCCESS","returnMessage":null}`},
}

// binancePayWindow: a notice that was not acknowledged comes up to six times more. Whether each is stamped anew, and over
// what time they come, is not documented; so a day.
const binancePayWindow = 24 * time.Hour

func verifyBinancePay(_ context.Context, d Delivery, _ Settings, k Keys) (string, error) {
	given, err := d.Headers.one("binancepay-signature")
	if err != nil {
		return "", err
	}
	signature, err := inBase64.decode(given)
	if err != nil {
		return "", err
	}
	lines, err := stampedLines(d, "binancepay-timestamp", "binancepay-nonce", time.Millisecond, binancePayWindow)
	if err != nil {
		return "", err
	}
	if err := keySigned(rsaSHA256, publicKeys(k.Secrets), signature, lines); err != nil {
		return "", err
	}
	return binancePayEvent(d.Body), nil
}

// binancePayEvent: a notice has no id of its own; an order is told of once in each status, and once for each refund.
func binancePayEvent(body []byte) string {
	doc, data, err := parseBinancePay(body)
	if err != nil {
		return hashed(body)
	}
	event := doc.name("bizType") + ":" + doc.name("bizIdStr") + ":" + doc.name("bizStatus")
	if refund := data.name("refundInfo.refundRequestId"); refund != "" {
		event += ":" + refund
	}
	return eventID(event)
}

// parseBinancePay reads a notice and its data, which are JSON in a text; what is in them under refundInfo is text of JSON
// or an object. The id of older notices is a number only.
func parseBinancePay(body []byte) (doc, data document, err error) {
	if doc, err = parseJSON(body); err != nil {
		return doc, data, err
	}
	fields, isObject := doc.root.(map[string]any)
	if !isObject {
		return doc, data, ReadError("the body is not an object")
	}
	if doc.name("bizIdStr") == "" {
		fields["bizIdStr"] = doc.at("bizId")
	}
	for _, field := range []string{"bizType", "bizIdStr", "bizStatus"} {
		if _, err := doc.requiredName(field); err != nil {
			return doc, data, err
		}
	}
	text, err := doc.required("data")
	if err != nil {
		return doc, data, err
	}
	if data, err = parseJSON([]byte(text)); err != nil {
		return doc, data, ReadError("data is not JSON")
	}
	if inner, isObject := data.root.(map[string]any); isObject && data.text("refundInfo") != "" {
		refund, err := parseJSON([]byte(data.text("refundInfo")))
		if err != nil {
			return doc, data, ReadError("data.refundInfo is not JSON")
		}
		inner["refundInfo"] = refund.root
	}
	return doc, data, nil
}

// binancePayKinds are notices by their type and status. A refund that was rejected moves nothing; a payout of which a part
// failed needs someone to look at it. Contracts, shared names and providers' rights say nothing of money.
var binancePayKinds = map[string]Kind{
	"PAY PAY_SUCCESS": PaymentPaid, "PAY PAY_CLOSED": PaymentExpired,
	"PAY_REFUND REFUND_SUCCESS": PaymentRefunded, "PAY_REFUND REFUND_REJECTED": Other,
	"PAYOUT ACCEPTED": Other, "PAYOUT PROCESSING": Other, "PAYOUT SUCCESS": PayoutFinal, "PAYOUT PART_SUCCESS": ProviderError,
	"PAYOUT FAILED": PayoutFailed, "PAYOUT CANCELED": PayoutFailed,
	"DIRECT_DEBIT_CT CONTRACT_SIGNED": Other, "DIRECT_DEBIT_CT CONTRACT_TERMINATED": Other, "DIRECT_DEBIT_CT CONTRACT_EXPIRED": Other,
	"SHARE_ACCOUNT_ID SUCCESS": Other,
}

func readBinancePay(body []byte, s Settings, _ Keys) ([]Notice, error) {
	doc, data, err := parseBinancePay(body)
	if err != nil {
		return nil, err
	}
	event := doc.name("bizType") + " " + doc.name("bizStatus")
	kind, known := binancePayKinds[event]
	if !known {
		return nil, unknownEvent(event)
	}
	n := Notice{Kind: kind, Object: doc.name("bizIdStr"), Reference: data.name("merchantTradeNo")}
	if info := data.name("passThroughInfo"); strings.HasPrefix(info, "pay_") {
		n.Reference = info // a payment's own id, whose "_" no merchantTradeNo may have
	}
	field, code := "totalFee", "currency"
	switch kind {
	case PaymentPaid, PaymentExpired:
	case PaymentRefunded: // how much is told to some merchants only; to the others, someone has to look
		n.Refund, field = data.name("refundInfo.refundRequestId"), "refundInfo.refundAmount"
		if !data.has(field) || n.Refund == "" {
			n.Kind, n.Refund, n.Detail = ProviderError, "", detail(event+" without refundInfo")
			return []Notice{n}, nil
		}
	case PayoutFinal, PayoutFailed:
		n.Reference, field = data.name("requestId"), "totalAmount"
	default:
		n.Detail = detail(event)
		return []Notice{n}, nil
	}
	amount, err := data.decimal(field)
	if err != nil {
		return nil, ReadError("data." + err.Error())
	}
	if err := n.price(s, data.text(code), amount); err != nil {
		return nil, ReadError("data." + field + " is no amount of its currency")
	}
	return []Notice{n}, nil
}
