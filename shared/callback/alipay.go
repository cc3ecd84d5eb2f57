package callback

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"farrier/shared/money"
)

// alipay is Alipay's asynchronous notice of a trade (https://opendocs.alipay.com/open/270/105902 as repeated at
// https://developer.aliyun.com/article/707619 and /ask/285129, 285132; npm alipay-sdk 4.14.0, checkNotifySignV2; read
// 2026-11-24): a form, and in it the signature, RSA with SHA-256 ("RSA2") over the decoded fields without sign and
// sign_type, sorted by name. The key is Alipay's public key of the app, not the app's own. No time is checked: a notice comes
// eight times within 25 hours until it is answered with "success", and nobody says whether each is stamped anew.
//
// The notice is for the app of the credential app_id only: where Alipay's key is one of several apps, another app's notice is
// rightly signed too.
var alipay = Source{
	Trusts: []Trust{Statement, Look}, CheckSecret: checkPublicKey(rsaSHA256), Verify: verifyAlipay,
	Credentials: []Credential{{Name: "app_id", Required: true, Check: checkAppID}}, Read: readAlipay,
	Answer: Answer{Status: http.StatusOK, ContentType: "text/plain", Body: "success"},
}

func checkAppID(text string) error {
	if !madeOf(text, "0123456789", 8, 32) {
		return errors.New("must be the app's id: 8 to 32 digits")
	}
	return nil
}

// alipayRead are the fields that are believed. None of them may hide in the value of another: the fields are signed as
// they are joined, so "a=1&b=2" is signed the same whether it is two fields or one.
var alipayRead = []string{
	"app_id", "gmt_refund", "msg_method", "notify_id", "notify_type", "out_trade_no", "refund_fee", "total_amount", "trade_no", "trade_status",
}

// alipayFields are a notice's fields, each once, decoded byte for byte: an app may have chosen GBK.
func alipayFields(body []byte) (map[string]string, error) {
	if bytes.Count(body, []byte("&")) >= mostFields {
		return nil, ReadError("the body has too many fields")
	}
	values, err := url.ParseQuery(string(body))
	if err != nil || len(values) == 0 {
		return nil, ReadError("the body is not a form")
	}
	fields := make(map[string]string, len(values))
	for name, given := range values {
		if len(given) > 1 || strings.ContainsAny(name, "&=") {
			return nil, ReadError("the body has a field twice, or one without a name")
		}
		for _, other := range alipayRead {
			if strings.Contains(given[0], "&"+other+"=") {
				return nil, ReadError("the body has a field within a field")
			}
		}
		fields[name] = given[0]
	}
	return fields, nil
}

func verifyAlipay(_ context.Context, d Delivery, _ Settings, k Keys) (string, error) {
	fields, err := alipayFields(d.Body)
	if err != nil {
		return "", BodyMalformed
	}
	signature, err := inBase64.decode(fields["sign"])
	if err != nil {
		return "", BodyMalformed
	}
	text := sortedFields(fields, true, "sign", "sign_type")
	if err := keySigned(rsaSHA256, publicKeys(k.Secrets), signature, []byte(text)); err != nil {
		return "", err
	}
	if app := k.Credentials["app_id"]; app == "" || fields["app_id"] != app {
		return "", NoMatch
	}
	return eventID(or(fields["notify_id"], hashed([]byte(text)))), nil
}

// readAlipay reads the trade's state. A trade that was paid back in part is told as TRADE_SUCCESS once more, and one that
// was paid back wholly as TRADE_CLOSED, like one that nobody paid: what is paid back tells them apart. TRADE_FINISHED says
// that no refund is possible (any more): of a trade that was told as paid before, it says so again.
func readAlipay(body []byte, _ Settings, _ Keys) ([]Notice, error) {
	fields, err := alipayFields(body)
	if err != nil {
		return nil, err
	}
	doc := document{map[string]any{}}
	for name, value := range fields {
		doc.root.(map[string]any)[name] = value
	}
	status := doc.name("trade_status")
	if status == "" {
		if event := or(doc.name("msg_method"), doc.name("notify_type")); event != "" {
			return nil, unknownEvent(event)
		}
		return nil, ReadError("trade_status is missing, or is no name")
	}
	n := Notice{Object: doc.name("trade_no"), Reference: doc.name("out_trade_no")}
	refunded, err := alipayRefund(doc)
	if err != nil {
		return nil, err
	}
	field := "total_amount"
	switch {
	case status == "WAIT_BUYER_PAY":
		n.Kind = PaymentPending
	case refunded && (status == "TRADE_SUCCESS" || status == "TRADE_FINISHED" || status == "TRADE_CLOSED"):
		n.Kind, field = PaymentRefunded, "refund_fee" // all that was paid back of this trade so far
	case status == "TRADE_SUCCESS", status == "TRADE_FINISHED":
		n.Kind = PaymentPaid
	case status == "TRADE_CLOSED":
		n.Kind = PaymentExpired
	default:
		return nil, unknownEvent(status)
	}
	// Where a trade was closed by a refund, all of it was paid back.
	if n.Kind == PaymentPaid || (n.Kind == PaymentRefunded && status != "TRADE_CLOSED") || doc.has(field) {
		yuan := currencies["CNY"]
		if n.Amount, err = doc.amount(field, yuan); err != nil {
			return nil, err
		}
		n.Asset, n.Decimals = money.Asset(currencyPrefix+"CNY"), yuan
	}
	return []Notice{n}, nil
}

// alipayRefund says whether a notice is of a refund. One of a payment may say that 0.00 was paid back.
func alipayRefund(doc document) (bool, error) {
	if doc.has("gmt_refund") {
		return true, nil
	}
	if !doc.has("refund_fee") {
		return false, nil
	}
	fee, err := doc.amount("refund_fee", currencies["CNY"])
	return err == nil && fee.Sign() > 0, err
}
