package callback

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"strconv"
	"strings"
	"testing"
	"time"

	"farrier/shared/money"
)

const (
	binancePaid = `{"bizType": "PAY", "data": "{\"merchantTradeNo\":\"9825382937292\",\"totalFee\":0.88000000,\"transactTime\":1619508939664,\"currency\":\"EUR\",` +
		`\"openUserId\":\"1211HS10K81f4273ac031\",\"productType\":\"Food\",\"productName\":\"Ice Cream\",\"tradeType\":\"WEB\",\"transactionId\":\"M_R_282737362839373\"}",` +
		` "bizId": 29383937493038367292, "bizIdStr": "29383937493038367292", "bizStatus": "PAY_SUCCESS"}`
	binanceRefund = `{"bizType":"PAY_REFUND","bizId":"123","bizIdStr":"123","bizStatus":"REFUND_SUCCESS","data":"{\"merchantTradeNo\":\"9\",\"totalFee\":\"2.5\",\"currency\":\"USDT\",` +
		`\"refundInfo\":\"{\\\"refundRequestId\\\":\\\"r-7\\\",\\\"orderAmount\\\":\\\"2.5\\\",\\\"refundedAmount\\\":\\\"1.5\\\",\\\"refundAmount\\\":\\\"1\\\"}\"}"}`
)

func binancePaySenders(t testing.TB) []provider {
	keys := rsaSenders()
	usdt := KnownAsset{"iso4217:USD", 8}
	paid := Notice{Kind: PaymentPaid, Asset: "iso4217:EUR", Decimals: 2, Amount: money.Units(88), Object: "29383937493038367292", Reference: "9825382937292"}
	closed, named := paid, paid
	named.Reference = "pay_1"
	closed.Kind = PaymentExpired
	return []provider{{
		name: "binance-pay", connection: connected(t, "binance-pay", Settings{Assets: map[string]KnownAsset{"USDT": usdt}}),
		keys: withSecrets(rsaPEM(t, keys[0])), others: withSecrets(rsaPEM(t, keys[1])), body: binancePaid,
		sign: func(t testing.TB, at time.Time, body []byte) Delivery {
			const nonce = "5RhaTrZPhknNv0kDSA2UQ67cPMVNS4sA"
			stamp := strconv.FormatInt(at.UnixMilli(), 10)
			signature := rsaSigned(t, keys[0], []byte(stamp+"\n"+nonce+"\n"+string(body)+"\n"))
			return Delivery{Body: body, Headers: Headers{"binancepay-timestamp": stamp, "binancepay-nonce": nonce, "binancepay-signature": signature, "binancepay-certificate-sn": "1"}}
		},
		signature: inHeader("binancepay-signature"), signed: []part{inHeader("binancepay-timestamp"), inHeader("binancepay-nonce")},
		window: binancePayWindow, event: "PAY:29383937493038367292:PAY_SUCCESS",
		reads: []reading{
			{binancePaid, []Notice{paid}},
			{strings.Replace(binancePaid, ` "bizIdStr": "29383937493038367292",`, "", 1), []Notice{paid}},
			{strings.Replace(binancePaid, "PAY_SUCCESS", "PAY_CLOSED", 1), []Notice{closed}},
			{strings.Replace(binancePaid, `\"merchantTradeNo\"`, `\"passThroughInfo\":\"pay_1\",\"merchantTradeNo\"`, 1), []Notice{named}},
			{strings.Replace(binancePaid, "EUR", "XYZ", 1), []Notice{{Kind: PaymentPaid, Code: "XYZ", Object: paid.Object, Reference: paid.Reference}}},
			{binanceRefund, []Notice{{Kind: PaymentRefunded, Asset: usdt.Asset, Decimals: 8, Amount: money.Units(100000000), Object: "123", Refund: "r-7", Reference: "9"}}},
			{`{"bizType":"PAY_REFUND","bizId":"123","bizStatus":"REFUND_SUCCESS","data":"{\"merchantTradeNo\":\"9\",\"totalFee\":\"2.5\",\"currency\":\"USDT\"}"}`, []Notice{{Kind: ProviderError, Object: "123", Reference: "9", Detail: "PAY_REFUND REFUND_SUCCESS without refundInfo"}}},
			{`{"bizType":"PAY_REFUND","bizId":"123","bizStatus":"REFUND_REJECTED","data":"{\"merchantTradeNo\":\"9\"}"}`, []Notice{{Kind: Other, Object: "123", Reference: "9", Detail: "PAY_REFUND REFUND_REJECTED"}}},
			{`{"bizType":"PAYOUT","bizId":5,"bizStatus":"SUCCESS","data":"{\"requestId\":\"po-1\",\"batchStatus\":\"SUCCESS\",\"currency\":\"USDT\",\"totalAmount\":0.5}"}`, []Notice{{Kind: PayoutFinal, Asset: usdt.Asset, Decimals: 8, Amount: money.Units(50000000), Object: "5", Reference: "po-1"}}},
			{`{"bizType":"PAYOUT","bizId":5,"bizStatus":"ACCEPTED","data":"{}"}`, []Notice{{Kind: Other, Object: "5", Detail: "PAYOUT ACCEPTED"}}},
		},
		unknown: `{"bizType":"PAY","bizId":1,"bizStatus":"PAY_PENDING","data":"{}"}`,
		trouble: `{"bizType":"PAYOUT","bizId":5,"bizStatus":"PART_SUCCESS","data":"{\"currency\":\"USDT\"}"}`,
	}}
}

func TestEachRefundOfAnOrderIsAnEvent(t *testing.T) {
	one, other := binancePayEvent([]byte(binanceRefund)), binancePayEvent([]byte(strings.Replace(binanceRefund, "r-7", "r-8", 1)))
	if one != "PAY_REFUND:123:REFUND_SUCCESS:r-7" || one == other {
		t.Errorf("%q and %q", one, other)
	}
}

// A vector from the test of github.com/dmitrorezn/go-binancepay (binancepay_test.go, read 2026-11-24), a library that is
// not Binance's. Its key has 1,024 bits, which no connection may be given; so what is proved is what is signed, and how.
func TestABinancePayVectorIsBelieved(t *testing.T) {
	block, _ := pem.Decode([]byte(`-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCVAMXVTMIuttHcP1kvSk9V39S7
BqDbY+LC9JfwMzyoubo3fdsqBf4EmB1PfBUigcOL5YBqMKGEE6xmVw6SXCTH4JwX
dqJ4IRiXf76YMt6PB0dMzu/qCmhaGFGkqT6vJM0hHyEbtS/P3FR9ZU+eaOvynLWb
FvXTzIoctZM1IvDrCwIDAQAB
-----END PUBLIC KEY-----`))
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := inBase64.decode("VtniwOFAi4oBKFnvHhY6UZ+wPARf7+yWVbE61Hc7JVdRgqKJ40Yk9k5Gb2Y0S0VLUYOOOhUNUsD7R8GDEr6WH84sAEf8bXa1xYMiyjgeGleTg1MxRJCtrHcxMeMCEXPWmKTeLhn6O+cdvDGq4ZpcTTiQnEvk5xHPcxFrBT637zg=")
	if err != nil {
		t.Fatal(err)
	}
	d := Delivery{
		At:      time.UnixMilli(1611232922428),
		Headers: Headers{"binancepay-timestamp": "1611232922428", "binancepay-nonce": "5RhaTrZPhknNv0kDSA2UQ67cPMVNS4sA"},
		Body: []byte(`{"bizType":"PAY","data":"{\"merchantTradeNo\":\"9825382937292\",\"totalFee\":0.88000000,\"transactTime\":1619508939664,\"currency\":\"EUR\",\"commission\":0,` +
			`\"openUserId\":\"1211HS10K81f4273ac031\",\"productType\":\"Food\",\"productName\":\"Ice Cream\",\"tradeType\":\"WEB\",\"transactionId\":\"M_R_282737362839373\"}",` +
			`"bizId":29383937493038367292,"bizStatus":"PAY_SUCCESS"}`),
	}
	lines, err := stampedLines(d, "binancepay-timestamp", "binancepay-nonce", time.Millisecond, binancePayWindow)
	if err != nil {
		t.Fatal(err)
	}
	if err := keySigned(rsaSHA256, []crypto.PublicKey{key}, signature, lines); err != nil {
		t.Error(err)
	}
}
