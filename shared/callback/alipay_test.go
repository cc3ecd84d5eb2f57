package callback

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"farrier/shared/money"
)

const (
	alipayApp = "2014072300007148"
	// The example of Alipay's documentation, in JSON, with other names.
	alipayPaid = `{"total_amount": "2.00", "buyer_id": "2088000000000000", "body": "大乐透 & 1", "trade_no": "2016071921001003030200089909", "refund_fee": "0.00",
		"notify_time": "2016-07-19 14:10:49", "subject": "100%+", "charset": "utf-8", "notify_type": "trade_status_sync", "out_trade_no": "0719141034-6418",
		"trade_status": "TRADE_SUCCESS", "version": "1.0", "app_id": "` + alipayApp + `", "empty": "", "notify_id": "4a91b7a78a503640467525113fb7d8bg8e"}`
)

// alipayForm is a notice of the fields in a body of JSON, signed.
func alipayForm(t testing.TB, body []byte) url.Values {
	t.Helper()
	doc, err := parseJSON(body)
	if err != nil {
		t.Fatal(err)
	}
	fields, err := doc.fields()
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"sign_type": {"RSA2"}, "sign": {rsaSigned(t, rsaSenders()[0], []byte(sortedFields(fields, true)))}}
	for name, value := range fields {
		form.Set(name, value)
	}
	return form
}

func alipaySenders(t testing.TB) []provider {
	with := func(n int) Keys {
		return Keys{Secrets: []string{rsaPEM(t, rsaSenders()[n])}, Credentials: map[string]string{"app_id": alipayApp}}
	}
	says := func(status string, more ...string) string {
		said := strings.Replace(alipayPaid, "TRADE_SUCCESS", status, 1)
		for i := 0; i < len(more); i += 2 {
			said = strings.Replace(said, more[i], more[i+1], 1)
		}
		return said
	}
	n := func(kind Kind, units int64) []Notice {
		return []Notice{{Kind: kind, Asset: "iso4217:CNY", Decimals: 2, Amount: money.Units(units), Object: "2016071921001003030200089909", Reference: "0719141034-6418"}}
	}
	return []provider{{
		name: "alipay", connection: connected(t, "alipay", Settings{}), keys: with(0), others: with(1), body: alipayPaid, inside: true,
		sign: func(t testing.TB, _ time.Time, body []byte) Delivery {
			return Delivery{Body: []byte(alipayForm(t, body).Encode()), Headers: Headers{}}
		},
		signature: inField("sign"), signed: []part{inField("trade_status"), inField("total_amount"), inField("app_id"), inField("notify_id"), inField("subject")},
		event: "4a91b7a78a503640467525113fb7d8bg8e",
		reads: []reading{
			{alipayPaid, n(PaymentPaid, 200)},
			{says("TRADE_FINISHED"), n(PaymentPaid, 200)},
			{says("WAIT_BUYER_PAY"), n(PaymentPending, 200)},
			{says("TRADE_CLOSED"), n(PaymentExpired, 200)},
			{says("TRADE_SUCCESS", `"refund_fee": "0.00"`, `"refund_fee": "0.50"`), n(PaymentRefunded, 50)},
			{says("TRADE_CLOSED", `"refund_fee": "0.00"`, `"refund_fee": "2.00", "gmt_refund": "2016-07-20 10:00:00.000"`), n(PaymentRefunded, 200)},
		},
		unknown: says("TRADE_UNHEARD_OF"),
	}}
}

func TestAlipaysSDKIsBelieved(t *testing.T) {
	var vectors []struct{ SDK, Key, Kind, Body, Altered string }
	judged(t, "alipay.json", &vectors)
	if len(vectors) != 5 {
		t.Fatal(len(vectors))
	}
	for _, v := range vectors {
		keys := Keys{Secrets: []string{v.Key}, Credentials: map[string]string{"app_id": alipayApp}}
		if event, err := verifyAlipay(t.Context(), Delivery{Body: []byte(v.Body)}, Settings{}, keys); event != "4a91b7a78a503640467525113fb7d8bg8e" || err != nil {
			t.Errorf("%s: %q, %v", v.SDK, event, err)
		}
		if event, err := verifyAlipay(t.Context(), Delivery{Body: []byte(v.Altered)}, Settings{}, keys); err != NoMatch {
			t.Errorf("altered: %q, %v", event, err)
		}
		notices, err := readAlipay([]byte(v.Body), Settings{}, Keys{})
		if err != nil || len(notices) != 1 || string(notices[0].Kind) != v.Kind {
			t.Errorf("%s: %+v, %v", v.Kind, notices, err)
		}
	}
}

func TestANoticeOfAnotherAppIsRefused(t *testing.T) {
	p := alipaySenders(t)[0]
	d := p.sign(t, signedAt, p.says())
	for _, app := range []string{"", "2014072300007149"} {
		keys := p.keys
		keys.Credentials = map[string]string{"app_id": app}
		p.refused(t, "app "+app, d, keys)
	}
}

// A partial refund that hides its fields in the value before them would read as a payment.
func TestAFieldOfAlipayCannotHideInAnother(t *testing.T) {
	p := alipaySenders(t)[0]
	form := alipayForm(t, []byte(strings.Replace(alipayPaid, `"refund_fee": "0.00"`, `"refund_fee": "0.50", "receipt": "1"`, 1)))
	form.Set("receipt", "1&refund_fee="+form.Get("refund_fee"))
	form.Del("refund_fee")
	p.refused(t, "a field within a field", Delivery{Body: []byte(form.Encode())}, p.keys)

	form = alipayForm(t, []byte(alipayPaid))
	form.Add("total_amount", "2.00")
	p.refused(t, "a field twice", Delivery{Body: []byte(form.Encode())}, p.keys)
	form = alipayForm(t, []byte(alipayPaid))
	form.Set("notify_type=trade_status_sync&out_trade_no", form.Get("out_trade_no"))
	form.Del("notify_type")
	form.Del("out_trade_no")
	p.refused(t, "a field in a name", Delivery{Body: []byte(form.Encode())}, p.keys)
}

// What is signed are the bytes, whatever the app's character set is (here 大 in GBK).
func TestANoticeInGBKIsBelieved(t *testing.T) {
	p := alipaySenders(t)[0]
	fields := map[string]string{"app_id": alipayApp, "charset": "gbk", "notify_id": "n-1", "subject": "\xb4\xf3", "total_amount": "2.00", "trade_status": "TRADE_SUCCESS", "trade_no": "1"}
	form := url.Values{"sign": {rsaSigned(t, rsaSenders()[0], []byte(sortedFields(fields, true)))}}
	for name, value := range fields {
		form.Set(name, value)
	}
	p.believed(t, "in GBK", Delivery{Body: []byte(form.Encode())}, p.keys, "n-1")
	if notices, err := readAlipay([]byte(form.Encode()), Settings{}, Keys{}); err != nil || notices[0].Kind != PaymentPaid {
		t.Errorf("%+v, %v", notices, err)
	}
}

func TestWhatIsNoTradeIsNotRead(t *testing.T) {
	for body, wanted := range map[string]bool{
		"notify_type=servicewindow&app_id=1":         true,
		"msg_method=alipay.fund.trans.order.changed": true,
		"trade_status=": false,
		"trade_status=TRADE_SUCCESS&total_amount=2.001":                               false,
		"trade_status=TRADE_SUCCESS&total_amount=-1":                                  false,
		"trade_status=TRADE_SUCCESS":                                                  false,
		"trade_status=TRADE_SUCCESS&total_amount=2.00&refund_fee=hunter2":             false,
		"trade_status=TRADE_CLOSED&gmt_refund=2016-07-20+10:00:00&refund_fee=hunter2": false,
		"trade_status=TRADE_SUCCESS&total_amount=2.00&gmt_refund=2016-07-20+10:00:00": false,
	} {
		got, err := readAlipay([]byte(body), Settings{}, Keys{})
		_, is := err.(UnknownError)
		if err == nil || got != nil || is != wanted || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
}
