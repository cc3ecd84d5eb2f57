package callback

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"os"
	"testing"
	"time"
)

const (
	coinPaymentsSecret = "9ZFHcnGMxawADeXRfDtNkQDCjFUK5998oOMhl51QvzM="
	coinPaymentsURL    = "https://pay.example.com/callbacks/con_01JD0000000000000000000000"
)

// coinPaymentsSigned is a delivery as CoinPayments sends it.
func coinPaymentsSigned(secret, url string, at time.Time, body []byte) Delivery {
	const client = "dc6a16e545c34187ba21a9edbbe484a5"
	stamp := at.UTC().Format("2006-01-02T15:04:05")
	return Delivery{Method: "POST", URL: url, Body: body, Headers: Headers{
		"x-coinpayments-client": client, "x-coinpayments-timestamp": stamp,
		"x-coinpayments-signature": inBase64.encode(hmacOf(sha256.New, secret, "\ufeff", "POST", url, client, stamp, string(body))),
	}}
}

// coinPaymentsInvoice is the documents' example, shortened.
func coinPaymentsInvoice(event, state string) string {
	return `{"id": "8a49a588266246a2ab5f43217ca993bd", "type": "` + event + `", "timestamp": "2024-07-01T11:04:06.8033575+00:00", "invoice": {
		"invoiceId": "0067", "id": "2008d68d-0f66-44ec-8500-68d054b882b9", "invoiceNumber": "0067",
		"amount": {"currency": {"id": 5057, "smartContract": null}, "total": 10000}, "state": "` + state + `", "payments": []}}`
}

// coinPaymentsTransfer is the documents' example of a withdrawal, changed.
func coinPaymentsTransfer(kind, symbol, amount, confirmations string) string {
	return `{"walletId":"4ca18e8e-915b-4a69-a17a-0b0b666858a7","address":"myGTmrMtU6vUULkYRCDxJMggF7egsXhcTi","transactionId":"cb44e78f",
		"txHash":"9d9dd1f6f4a62388797e6beeb76c1a3c34d41942303ce6fb49177d3c88a74d11","spendRequestId":"448c1624","transactionType":"` + kind + `",
		"amount":` + amount + `,"symbol":"` + symbol + `","nativeAmount":"173.35","nativeSymbol":"USD","confirmations":` + confirmations + `,"requiredConfirmations":3}`
}

func coinPaymentsSenders(t testing.TB) []provider {
	invoice := func(kind Kind, state string) []Notice {
		return []Notice{{Kind: kind, Object: "2008d68d-0f66-44ec-8500-68d054b882b9", Reference: "0067", Detail: state}}
	}
	transfer := Notice{
		Tx: "9d9dd1f6f4a62388797e6beeb76c1a3c34d41942303ce6fb49177d3c88a74d11", Address: "myGTmrMtU6vUULkYRCDxJMggF7egsXhcTi",
		Object: "cb44e78f", Reference: "448c1624",
	}
	bitcoin := transfer
	bitcoin.Chain, bitcoin.Asset = "bip122:000000000019d6689c085ae165831e93", "bip122:000000000019d6689c085ae165831e93/slip44:0"
	bitcoin.Decimals, bitcoin.Amount = 8, smallest(t, "200000000")
	seen, confirmed, broadcast, final := bitcoin, bitcoin, bitcoin, bitcoin
	seen.Kind, confirmed.Kind, broadcast.Kind, final.Kind = DepositSeen, DepositConfirmed, PayoutBroadcast, PayoutFinal
	tron := transfer
	tron.Kind, tron.Chain, tron.Code = DepositConfirmed, "tron:0x2b6653dc", "USDT.TRC20"
	test := transfer
	test.Kind, test.Code = PayoutFinal, "LTCT"
	return []provider{{
		name: "coinpayments", connection: connected(t, "coinpayments", Settings{}), keys: withSecrets(coinPaymentsSecret), others: withSecrets("the secret of another client"),
		signature: inHeader("x-coinpayments-signature"), window: 5 * time.Minute,
		signed: []part{inHeader("x-coinpayments-client"), inHeader("x-coinpayments-timestamp"), inMethod(), inURL()},
		body:   coinPaymentsInvoice("InvoiceCreated", "Unpaid"),
		event:  "8a49a588266246a2ab5f43217ca993bd/InvoiceCreated/2024-07-01T11:04:06.8033575+00:00",
		sign: func(_ testing.TB, at time.Time, body []byte) Delivery {
			return coinPaymentsSigned(coinPaymentsSecret, coinPaymentsURL, at, body)
		},
		reads: []reading{
			{coinPaymentsInvoice("InvoiceCreated", "Unpaid"), invoice(PaymentPending, "Unpaid")},
			{coinPaymentsInvoice("invoicePending", "pending"), invoice(PaymentPending, "pending")},
			{coinPaymentsInvoice("invoicePaid", "paid"), invoice(PaymentPaid, "paid")},
			{coinPaymentsInvoice("InvoiceCompleted", "Completed"), invoice(PaymentPaid, "Completed")},
			{coinPaymentsInvoice("invoiceCancelled", "cancelled"), invoice(PaymentFailed, "cancelled")},
			{coinPaymentsInvoice("invoiceTimedOut", "timedOut"), invoice(PaymentExpired, "timedOut")},
			{coinPaymentsInvoice("paymentCreated", "unpaid"), invoice(PaymentPending, "unpaid")},
			{coinPaymentsInvoice("paymentTimedOut", "unpaid"), invoice(PaymentExpired, "unpaid")},
			{coinPaymentsTransfer("UtxoExternalReceive", "BTC", `"2"`, "2"), []Notice{seen}},
			{coinPaymentsTransfer("utxoExternalReceive", "BTC", `2.00000000`, "3"), []Notice{confirmed}},
			{coinPaymentsTransfer("ExternalSpend", "BTC", `"2"`, "0"), []Notice{broadcast}},
			{coinPaymentsTransfer("ExternalSpend", "BTC", `"2"`, "3"), []Notice{final}},
			{coinPaymentsTransfer("accountBasedExternalTokenReceive", "USDT.TRC20", `"2"`, "4"), []Notice{tron}},
			{coinPaymentsTransfer("ExternalSpend", "LTCT", `"2"`, "3"), []Notice{test}},
			{coinPaymentsTransfer("conversion", "BTC", `"2"`, "3"), []Notice{{Kind: Other, Object: "cb44e78f", Detail: "conversion"}}},
			{`{"transactionType":"internalReceive","transactionId":"t-1","symbol":"BTC","amount":"2"}`, []Notice{{Kind: DepositConfirmed, Object: "t-1",
				Chain: bitcoin.Chain, Asset: bitcoin.Asset, Decimals: 8, Amount: bitcoin.Amount}}},
		},
		unknown: coinPaymentsInvoice("invoiceForgotten", "unpaid"),
	}}
}

// The documents print an example of a signed request, but not byte for byte: their JSON is laid out for reading, and no
// spelling of it that was tried gives the printed signature. The judge is the documents' recipe, run with their library.
func TestCoinPaymentsAsItsDocumentsSign(t *testing.T) {
	var content struct {
		Judge   string
		Vectors []struct {
			Name, Secret, URL, Body string
			Headers                 map[string]string
			Accepted                bool
		}
	}
	readVectors(t, "coinpayments.json", &content)
	for _, v := range content.Vectors {
		d := Delivery{Method: "POST", URL: v.URL, Headers: NewHeaders(v.Headers), Body: []byte(v.Body), At: signedAt}
		if _, err := verifyCoinPayments(context.Background(), d, Settings{}, withSecrets(v.Secret)); (err == nil) != v.Accepted {
			t.Errorf("%s: %v", v.Name, err)
		}
	}
	if len(content.Vectors) == 0 || content.Judge == "" {
		t.Error("no vectors")
	}
}

// readVectors reads a judge's output.
func readVectors(t *testing.T, name string, into any) {
	t.Helper()
	content, err := os.ReadFile("testdata/judges/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, into); err != nil {
		t.Fatal(err)
	}
}

func TestCoinPaymentsSignsTheURLOfThisConnectionAndOfNoOther(t *testing.T) {
	keys, body := withSecrets(coinPaymentsSecret), []byte(`{}`)
	for url, believed := range map[string]bool{
		coinPaymentsURL: true,
		"http://pay.example.com/callbacks/con_01JD0000000000000000000000":    true, // a local run has no certificate
		"https://pay.example.com/callbacks/con_01JD0000000000000000000001":   false,
		"https://other.example.com/callbacks/con_01JD0000000000000000000000": false,
		"https://pay.example.com/callbacks/con_01JD0000000000000000000000?":  false,
	} {
		d := coinPaymentsSigned(coinPaymentsSecret, url, signedAt, body)
		d.URL, d.At = coinPaymentsURL, signedAt
		if _, err := verifyCoinPayments(context.Background(), d, Settings{}, keys); (err == nil) != believed {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestCoinPaymentsStampsTimesWithoutAZone(t *testing.T) {
	for _, stamp := range []string{"2027-01-15T08:00:00Z", "2027-01-15T08:00:00+00:00", "2027-01-15 08:00:00", "1800000000", "2027-1-15T8:0:0", "today"} {
		d := coinPaymentsSigned(coinPaymentsSecret, coinPaymentsURL, signedAt, nil)
		d.Headers["x-coinpayments-timestamp"], d.At = stamp, signedAt
		if _, err := verifyCoinPayments(context.Background(), d, Settings{}, withSecrets(coinPaymentsSecret)); err != HeaderMalformed {
			t.Errorf("%s: %v", stamp, err)
		}
	}
}

func TestCoinPaymentsSaysPaidByEventAndStateTogether(t *testing.T) {
	for _, body := range []string{
		coinPaymentsInvoice("invoicePaid", "Unpaid"), coinPaymentsInvoice("invoiceCompleted", "pending"), `{"type":"invoicePaid"}`,
	} {
		if got, err := readCoinPayments([]byte(body), Settings{}, Keys{}); err == nil {
			t.Errorf("%+v", got)
		}
	}
}

func TestCoinPaymentsAmountsThatCannotBeReadNameTheirField(t *testing.T) {
	for body, want := range map[string]string{
		coinPaymentsTransfer("UtxoExternalReceive", "BTC", `"1.000000001"`, "3"): "amount is no amount of an asset with so many decimals",
		coinPaymentsTransfer("UtxoExternalReceive", "BTC", `"two"`, "3"):         "amount is no amount",
		coinPaymentsTransfer("UtxoExternalReceive", "BTC", `null`, "3"):          "amount is missing, or is no amount",
		coinPaymentsTransfer("UtxoExternalReceive", "BTC", `"2"`, `"many"`):      "confirmations is missing, or is no integer",
	} {
		if _, err := readCoinPayments([]byte(body), Settings{}, Keys{}); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
