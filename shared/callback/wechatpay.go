package callback

import (
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
	"time"
)

// weChatPay is WeChat Pay's APIv3 (https://pay.weixin.qq.com/docs/merchant/apis/h5-payment/payment-notice.html,
// …/weixin-pay-score/refunds/refund-result-notice.html, …/development/interface-rules/build-verify-sign-src.html, and
// github.com/wechatpay-apiv3/wechatpay-go v0.2.21, core/auth/validators and core/notify; read 2026-11-24): RSA with SHA-256
// over time, nonce and body, each with a line feed behind it, and in the body a resource under AES-256-GCM with the
// merchant's APIv3 key. The key that signed is a platform certificate, named by its serial number, or the newer platform
// public key, whose id begins with "PUB_KEY_ID_"; while a merchant changes over, both sign. The API that lists certificates
// encrypts them and takes requests signed with the merchant's own key, so a connection is given them.
//
// WeChat also sends deliveries with a signature that is wrong on purpose ("WECHATPAY/SIGNTEST/…"), and wants them refused.
var weChatPay = Source{
	Trusts: []Trust{Statement, Look}, CheckSecret: checkPublicKey(rsaSHA256), Verify: verifyWeChatPay,
	Credentials: []Credential{{Name: "api_v3_key", Required: true, Reads: true, Check: checkAPIv3Key}}, Read: readWeChatPay, Encrypted: true,
	Answer: ok, // 200 or 204, and nothing else has to be said
}

// weChatPayWindow is that of wechatpay-go, WeChat's own, which refuses older notices: so each attempt is stamped anew,
// though they go on for a day.
const weChatPayWindow = 5 * time.Minute

func checkAPIv3Key(text string) error {
	if len(text) != 32 || !visible(text) {
		return errors.New("must be the APIv3 key: 32 letters and digits, as they were set at WeChat Pay")
	}
	return nil
}

func verifyWeChatPay(_ context.Context, d Delivery, _ Settings, k Keys) (string, error) {
	serial, err := d.Headers.one("wechatpay-serial")
	if err != nil {
		return "", err
	}
	given, err := d.Headers.one("wechatpay-signature")
	if err != nil {
		return "", err
	}
	signature, err := inBase64.decode(given)
	if err != nil {
		return "", err
	}
	lines, err := stampedLines(d, "wechatpay-timestamp", "wechatpay-nonce", time.Second, weChatPayWindow)
	if err != nil {
		return "", err
	}
	keys := keysOfSerial(k.Secrets, serial)
	if len(keys) == 0 {
		return "", KeyUnknown
	}
	if err := keySigned(rsaSHA256, keys, signature, lines); err != nil {
		return "", err
	}
	if doc, err := parseJSON(d.Body); err == nil && doc.name("id") != "" {
		return eventID(doc.name("id")), nil
	}
	return hashed(d.Body), nil
}

// keysOfSerial are the certificate of a serial number, and the keys that came without a certificate.
func keysOfSerial(texts []string, serial string) []crypto.PublicKey {
	var fitting []string
	for _, text := range texts {
		if block, _ := pem.Decode([]byte(text)); block != nil && block.Type == "CERTIFICATE" {
			certificate, err := x509.ParseCertificate(block.Bytes)
			if err != nil || !strings.EqualFold(certificate.SerialNumber.Text(16), strings.TrimLeft(serial, "0")) {
				continue
			}
		}
		fitting = append(fitting, text)
	}
	return publicKeys(fitting)
}

// openResource decrypts what a notice is about.
func openResource(doc document, key string) (document, error) {
	if algorithm := doc.text("resource.algorithm"); algorithm != "AEAD_AES_256_GCM" {
		return document{}, ReadError("resource.algorithm is not AEAD_AES_256_GCM")
	}
	sealed, err := base64.StdEncoding.DecodeString(doc.text("resource.ciphertext"))
	if err != nil {
		return document{}, ReadError("resource.ciphertext is not base64")
	}
	block, err := aes.NewCipher([]byte(key))
	if err != nil {
		return document{}, ReadError("resource cannot be opened: the connection has no APIv3 key")
	}
	gcm, err := cipher.NewGCM(block)
	nonce := doc.text("resource.nonce")
	if err != nil || len(nonce) != gcm.NonceSize() {
		return document{}, ReadError("resource.nonce is not 12 bytes")
	}
	plain, err := gcm.Open(nil, []byte(nonce), sealed, []byte(doc.text("resource.associated_data")))
	if err != nil {
		return document{}, ReadError("resource does not open with the connection's api_v3_key")
	}
	opened, err := parseJSON(plain)
	if err != nil {
		return document{}, ReadError("resource does not hold JSON")
	}
	return opened, nil
}

// weChatStates are an order's trade_state. A transaction's notice is usually a paid one, but its state is what counts. Of an
// order that was paid back, wholly or in part, the refunds' own notices tell how much.
var weChatStates = map[string]Kind{
	"SUCCESS": PaymentPaid, "NOTPAY": PaymentPending, "USERPAYING": PaymentPending, "ACCEPT": PaymentPending,
	"CLOSED": PaymentExpired, "REVOKED": PaymentFailed, "PAYERROR": PaymentFailed, "REFUND": Other,
}

// weChatRefunds are refund_status: one that is abnormal stays so until the merchant acts, one that is closed moves nothing.
var weChatRefunds = map[string]Kind{"SUCCESS": PaymentRefunded, "ABNORMAL": ProviderError, "CLOSED": Other}

func readWeChatPay(body []byte, _ Settings, k Keys) ([]Notice, error) {
	doc, err := parseJSON(body)
	if err != nil {
		return nil, err
	}
	event, err := doc.required("event_type")
	if err != nil {
		return nil, err
	}
	transaction, refund := strings.HasPrefix(event, "TRANSACTION."), strings.HasPrefix(event, "REFUND.")
	if !transaction && !refund {
		return nil, unknownEvent(event)
	}
	resource, err := openResource(doc, k.Credentials["api_v3_key"])
	if err != nil {
		return nil, err
	}
	if refund {
		n, err := weChatRefund(resource)
		return some(n, err)
	}
	if !resource.has("sub_orders") {
		n, err := weChatOrder(resource, "amount.total")
		return some(n, err)
	}
	var all []Notice
	for _, order := range resource.list("sub_orders") { // several orders that were paid at once
		n, err := weChatOrder(order, "amount.total_amount")
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, nil
}

func some(n Notice, err error) ([]Notice, error) {
	if err != nil {
		return nil, err
	}
	return []Notice{n}, nil
}

func weChatOrder(order document, amount string) (Notice, error) {
	state, err := order.required("trade_state")
	if err != nil {
		return Notice{}, err
	}
	kind, known := weChatStates[state]
	if !known {
		return Notice{}, unknownEvent("trade_state " + state)
	}
	n := Notice{Kind: kind, Object: order.name("transaction_id"), Reference: order.name("out_trade_no")}
	if kind == Other {
		n.Detail = detail("trade_state " + state)
		return n, nil
	}
	if kind != PaymentPaid && !order.has(amount) {
		return n, nil
	}
	return n, n.fen(order, amount)
}

func weChatRefund(refund document) (Notice, error) {
	status, err := refund.required("refund_status")
	if err != nil {
		return Notice{}, err
	}
	kind, known := weChatRefunds[status]
	if !known {
		return Notice{}, unknownEvent("refund_status " + status)
	}
	n := Notice{Kind: kind, Object: refund.name("transaction_id"), Reference: refund.name("out_trade_no")}
	if kind != PaymentRefunded {
		n.Detail = detail("refund " + status + " " + refund.name("out_refund_no"))
		return n, nil
	}
	if n.Refund, err = refund.requiredName("refund_id"); err != nil {
		return Notice{}, err
	}
	return n, n.fen(refund, "amount.refund")
}

// fen sets an amount that comes as an integer of the currency's smallest unit; without a currency that is the fen.
func (n *Notice) fen(doc document, path string) error {
	units, err := doc.units(path)
	if err != nil {
		return err
	}
	code := or(doc.text("amount.currency"), "CNY")
	known, found := currency(code)
	if !found {
		n.Code = detail(code)
		return nil
	}
	n.Asset, n.Decimals, n.Amount = known.Asset, known.Decimals, units
	return nil
}
