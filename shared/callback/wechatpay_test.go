package callback

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"farrier/shared/money"
)

const apiV3Key = "an-api-v3-key-for-tests-of-32-by"

// weChatNotice is a notice of an event with a resource sealed under the key.
func weChatNotice(t testing.TB, event, plain string) string {
	t.Helper()
	block, err := aes.NewCipher([]byte(apiV3Key))
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	const nonce = "a12bytenonce"
	sealed := gcm.Seal(nil, []byte(nonce), []byte(plain), []byte("transaction"))
	body, err := json.Marshal(map[string]any{
		"id": "EV-2018022511223320873", "create_time": "2015-05-20T13:29:35+08:00", "resource_type": "encrypt-resource", "event_type": event,
		"resource": map[string]string{"algorithm": "AEAD_AES_256_GCM", "ciphertext": base64.StdEncoding.EncodeToString(sealed), "associated_data": "transaction", "nonce": nonce},
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(string(body), `"event_type":`, `"event_type": `, 1)
}

func certificatePEM(t testing.TB, serial int64, n int) string {
	t.Helper()
	key := rsaSenders()[n]
	template := x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Unix(1, 0)}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func weChatPaySenders(t testing.TB) []provider {
	signing := func(serial string) func(testing.TB, time.Time, []byte) Delivery {
		return func(t testing.TB, at time.Time, body []byte) Delivery {
			const nonce = "d824f2e086d3c1df967785d13fcd22ef"
			stamp := strconv.FormatInt(at.Unix(), 10)
			signature := rsaSigned(t, rsaSenders()[0], []byte(stamp+"\n"+nonce+"\n"+string(body)+"\n"))
			return Delivery{Body: body, Headers: Headers{"wechatpay-timestamp": stamp, "wechatpay-nonce": nonce, "wechatpay-signature": signature, "wechatpay-serial": serial}}
		}
	}
	with := func(secret string) Keys {
		return Keys{Secrets: []string{secret}, Credentials: map[string]string{"api_v3_key": apiV3Key}}
	}
	order := func(state string) string {
		return weChatNotice(t, "TRANSACTION.SUCCESS", `{"transaction_id":"4200","out_trade_no":"o-1","trade_state":"`+state+`","amount":{"total":100,"payer_total":90,"currency":"CNY"}}`)
	}
	refund := func(event, status string) string {
		return weChatNotice(t, event, `{"transaction_id":"4200","out_trade_no":"o-1","out_refund_no":"r-1","refund_id":"50","refund_status":"`+status+`","amount":{"total":999,"refund":900,"payer_refund":800}}`)
	}
	paid := Notice{Kind: PaymentPaid, Asset: "iso4217:CNY", Decimals: 2, Amount: money.Units(100), Object: "4200", Reference: "o-1"}
	as := func(kind Kind, units int64) Notice {
		n := paid
		n.Kind, n.Amount = kind, money.Units(units)
		return n
	}
	refunded := as(PaymentRefunded, 900)
	refunded.Refund = "50"
	signed := []part{inHeader("wechatpay-timestamp"), inHeader("wechatpay-nonce")}
	byKey := provider{
		name: "wechat-pay by the public key", connection: connected(t, "wechat-pay", Settings{}),
		keys: with(rsaPEM(t, rsaSenders()[0])), others: with(rsaPEM(t, rsaSenders()[1])), sign: signing("PUB_KEY_ID_0000000000000024101100397200000006"),
		body: order("SUCCESS"), signature: inHeader("wechatpay-signature"), signed: signed, window: weChatPayWindow, event: "EV-2018022511223320873",
		reads: []reading{
			{order("SUCCESS"), []Notice{paid}},
			{order("NOTPAY"), []Notice{as(PaymentPending, 100)}},
			{order("USERPAYING"), []Notice{as(PaymentPending, 100)}},
			{order("CLOSED"), []Notice{as(PaymentExpired, 100)}},
			{order("PAYERROR"), []Notice{as(PaymentFailed, 100)}},
			{order("REFUND"), []Notice{{Kind: Other, Object: "4200", Reference: "o-1", Detail: "trade_state REFUND"}}},
			{refund("REFUND.SUCCESS", "SUCCESS"), []Notice{refunded}},
			{refund("REFUND.CLOSED", "CLOSED"), []Notice{{Kind: Other, Object: "4200", Reference: "o-1", Detail: "refund CLOSED r-1"}}},
			{
				weChatNotice(t, "TRANSACTION.SUCCESS", `{"combine_out_trade_no":"c-1","sub_orders":[{"transaction_id":"4200","out_trade_no":"o-1","trade_state":"SUCCESS","amount":{"total_amount":100,"currency":"CNY"}},`+
					`{"transaction_id":"4201","out_trade_no":"o-2","trade_state":"SUCCESS","amount":{"total_amount":7,"currency":"XTS"}}]}`),
				[]Notice{paid, {Kind: PaymentPaid, Code: "XTS", Object: "4201", Reference: "o-2"}},
			},
		},
		unknown: weChatNotice(t, "PAYSCORE.USER_OPEN_SERVICE", `{}`), trouble: refund("REFUND.ABNORMAL", "ABNORMAL"),
	}
	byCertificate := byKey
	byCertificate.name, byCertificate.sign = "wechat-pay by a certificate", signing("0A7BCDEF01234567")
	byCertificate.keys, byCertificate.others = with(certificatePEM(t, 0x0a7bcdef01234567, 0)), with(certificatePEM(t, 0x0a7bcdef01234567, 1))
	byCertificate.signed = append(signed, inHeader("wechatpay-serial"))
	return []provider{byKey, byCertificate}
}

func TestWeChatPaysSDKIsBelieved(t *testing.T) {
	var vectors []struct {
		SDK, Key, APIv3Key string
		Headers            map[string]string
		Body, Plain        string
	}
	judged(t, "wechatpay.json", &vectors)
	if len(vectors) != 4 {
		t.Fatal(len(vectors))
	}
	for _, v := range vectors {
		headers := NewHeaders(v.Headers)
		stamp, err := strconv.ParseInt(headers["wechatpay-timestamp"], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		keys := Keys{Secrets: []string{v.Key}, Credentials: map[string]string{"api_v3_key": v.APIv3Key}}
		d := Delivery{Body: []byte(v.Body), Headers: headers, At: time.Unix(stamp, 0)}
		if event, err := verifyWeChatPay(t.Context(), d, Settings{}, keys); event != "EV-2018022511223320873" || err != nil {
			t.Errorf("%s: %q, %v", v.SDK, event, err)
		}
		notices, err := readWeChatPay(d.Body, Settings{}, keys)
		want := PaymentPaid
		if strings.Contains(v.Plain, "refund_id") {
			want = PaymentRefunded
		}
		if err != nil || len(notices) != 1 || notices[0].Kind != want {
			t.Errorf("%+v, %v", notices, err)
		}
	}
}

func TestWeChatPaysProbesAreRefused(t *testing.T) {
	p := weChatPaySenders(t)[0]
	for _, signature := range []string{"WECHATPAY/SIGNTEST/", "WECHATPAY/SIGNTEST/" + p.sign(t, signedAt, p.says()).Headers["wechatpay-signature"]} {
		d := p.sign(t, signedAt, p.says())
		d.At, d.Headers["wechatpay-signature"] = signedAt, signature
		p.refused(t, "a probe", d, p.keys)
	}
}

func TestACertificateSpeaksForItsOwnSerialNumberOnly(t *testing.T) {
	p := weChatPaySenders(t)[1]
	d := p.sign(t, signedAt, p.says())
	d.At = signedAt
	older := p.keys
	older.Secrets = []string{certificatePEM(t, 7, 0)}
	if _, err := p.verify(d, older); err != KeyUnknown {
		t.Error(err)
	}
	older.Secrets = append(older.Secrets, p.keys.Secrets...)
	if _, err := p.verify(d, older); err != nil {
		t.Error(err)
	}
}

func TestAResourceThatDoesNotOpenSaysSoAndNoMore(t *testing.T) {
	notice := weChatNotice(t, "TRANSACTION.SUCCESS", `{"trade_state":"SUCCESS"}`)
	for name, c := range map[string]struct{ body, key string }{
		"another key":         {notice, strings.Repeat("k", 32)},
		"no key":              {notice, ""},
		"another algorithm":   {strings.Replace(notice, "AEAD_AES_256_GCM", "AEAD_SM4_GCM", 1), apiV3Key},
		"another nonce":       {strings.Replace(notice, "a12bytenonce", "b12bytenonce", 1), apiV3Key},
		"a short nonce":       {strings.Replace(notice, "a12bytenonce", "", 1), apiV3Key},
		"other data":          {strings.Replace(notice, `"transaction"`, `"other"`, 1), apiV3Key},
		"no amount in it":     {notice, apiV3Key},
		"no JSON in it":       {weChatNotice(t, "TRANSACTION.SUCCESS", "hunter2"), apiV3Key},
		"an amount of pieces": {weChatNotice(t, "TRANSACTION.SUCCESS", `{"trade_state":"SUCCESS","amount":{"total":1.5}}`), apiV3Key},
	} {
		got, err := readWeChatPay([]byte(c.body), Settings{}, Keys{Credentials: map[string]string{"api_v3_key": c.key}})
		if _, is := err.(ReadError); !is || got != nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestTheAPIv3KeyHas32Characters(t *testing.T) {
	for _, text := range []string{"", strings.Repeat("k", 31), strings.Repeat("k", 33), strings.Repeat(" ", 32)} {
		if checkAPIv3Key(text) == nil {
			t.Errorf("%q", text)
		}
	}
	if err := checkAPIv3Key(apiV3Key); err != nil {
		t.Error(err)
	}
}
