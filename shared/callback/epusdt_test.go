package callback

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"farrier/shared/chain"
	"farrier/shared/money"
)

const (
	tron     = chain.ID("tron:0x2b6653dc")
	tronTx   = "12ef6267b42e43959795cf31808d0cc72b3d0a48953ed19c61d4b6665a341d10"
	tronUSDT = money.Asset("tron:0x2b6653dc/trc20:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t")
)

// withFieldsSigned puts into a body the signature that a sender makes who writes numbers so.
func withFieldsSigned(t testing.TB, body []byte, sign fieldSum, write func(json.Number) (string, error)) []byte {
	t.Helper()
	doc, err := parseJSON(body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := fieldsText(doc.root.(map[string]any), write)
	if err != nil {
		t.Fatal(err)
	}
	return withField(t, body, "signature", inHex.encode(sign(text, shared)))
}

const usualOrder = `{"pid": "1000", "trade_id": "20260523171652123456001", "order_id": "ORD-1", "amount": 1000000, "actual_amount": 14.29,
	"receive_address": "TXyz", "token": "USDT", "block_transaction_id": "` + tronTx + `", "status": 2}`

func epusdtSenders(t testing.TB) []provider {
	signing := func(sign fieldSum, write func(json.Number) (string, error)) func(testing.TB, time.Time, []byte) Delivery {
		return func(t testing.TB, _ time.Time, body []byte) Delivery {
			return Delivery{Body: withFieldsSigned(t, body, sign, write), Headers: Headers{}}
		}
	}
	paid := Notice{Kind: PaymentPaid, Chain: tron, Tx: tronTx, Address: "TXyz", Asset: tronUSDT, Decimals: 6, Amount: money.Units(14290000),
		Object: "20260523171652123456001", Reference: "ORD-1"}
	unnamed := paid
	unnamed.Asset, unnamed.Amount, unnamed.Decimals, unnamed.Code = "", money.Amount{}, 0, "TRX"
	old := unnamed
	old.Code, old.Address = "", "TOld"
	waiting := old
	waiting.Kind, waiting.Tx, waiting.Reference = PaymentPending, "", "订单-1"
	expired, failed := waiting, waiting
	expired.Kind, failed.Kind = PaymentExpired, PaymentFailed
	of := func(status string) string {
		return `{"trade_id":"20260523171652123456001","order_id":"订单-1","amount":28.88,"actual_amount":"4.25","token":"TOld","block_transaction_id":"","status":` + status + `}`
	}
	signed := []part{inField("trade_id"), inField("order_id"), inField("amount"), inField("status"), inField("actual_amount"), inField("block_transaction_id")}
	epusdt := provider{
		name: "epusdt 2", connection: connected(t, "epusdt", Settings{Chain: string(tron), Assets: map[string]KnownAsset{"USDT": {tronUSDT, 6}}}),
		keys: withSecrets(shared), others: withSecrets("another secret, of another"), sign: signing(sha256Under, numberWritings[1]), inside: true,
		body: usualOrder, signature: inField("signature"), signed: signed, event: "20260523171652123456001:2:005d90f49e3d1c55",
		unknown: of("7"),
		reads: []reading{
			{usualOrder, []Notice{paid}},
			{strings.Replace(usualOrder, "USDT", "TRX", 1), []Notice{unnamed}},
			{`{"trade_id":"20260523171652123456001","order_id":"ORD-1","amount":100,"actual_amount":14.29,"token":"TOld","block_transaction_id":"` + tronTx + `","status":2}`, []Notice{old}},
			{of("1"), []Notice{waiting}},
		},
	}
	before := epusdt
	before.name, before.sign = "epusdt before 2", signing(md5Before, numberWritings[1])
	bepusdt := epusdt
	bepusdt.name, bepusdt.connection = "bepusdt", connected(t, "bepusdt", Settings{Chain: string(tron)})
	bepusdt.sign, bepusdt.event = signing(md5Before, numberWritings[2]), "20260523171652123456001:2:a291e5ba860728fc"
	bepusdt.reads = []reading{
		{of("1"), []Notice{waiting}}, {of("3"), []Notice{expired}}, {of("6"), []Notice{failed}}, {of(`"4"`), []Notice{failed}},
	}
	return []provider{epusdt, before, bepusdt}
}

// judged reads what a provider's own SDK said; the script beside the file made it, and names the SDK and its version.
func judged(t testing.TB, file string, into any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "judges", file))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatal(err)
	}
}

func TestTheSDKsOfEpusdtAreBelieved(t *testing.T) {
	var vectors []struct{ Provider, SDK, Secret, Body string }
	judged(t, "gateways_of_usdt.json", &vectors)
	if len(vectors) != 27 {
		t.Fatal(len(vectors))
	}
	for _, v := range vectors {
		d := Delivery{Body: []byte(v.Body)}
		if event, err := sources[v.Provider].Verify(t.Context(), d, Settings{}, withSecrets(v.Secret)); err != nil {
			t.Errorf("%s: %s: %q, %v", v.SDK, v.Body, event, err)
		}
		notices, err := sources[v.Provider].Read(d.Body, Settings{Chain: string(tron)}, Keys{})
		if err != nil || (notices[0].Kind == PaymentPaid) != (strings.Contains(v.Body, `"status": 2`)) {
			t.Errorf("%s: %+v, %v", v.Body, notices, err)
		}
	}
}

// The examples of the two documentations: of orders, which are signed as callbacks are (epusdt wiki/API.md, BEpusdt
// docs/api/api.md, read 2026-11-24).
func TestTheExamplesOfEpusdtsDocumentationAreBelieved(t *testing.T) {
	for secret, body := range map[string]string{
		"epusdt_secret_key": `{"pid":"1000","order_id":"ORD202605230001","currency":"cny","token":"usdt","network":"tron","amount":100,
			"notify_url":"https://merchant.example/notify","redirect_url":"https://merchant.example/return","name":"VIP","signature":"476412c422f4dd75c3d533f5c47a9cac"}`,
		"epusdt_password_xasddawqe": `{"order_id":"20220201030210321","amount":42,"notify_url":"http://example.com/notify",
			"redirect_url":"http://example.com/redirect","signature":"1cd4b52df5587cfb1968b0c0c6e156cd"}`,
	} {
		if _, err := bepusdt.Verify(t.Context(), Delivery{Body: []byte(body)}, Settings{}, withSecrets(secret)); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestSignedFieldsCannotBeReadAsOtherFields(t *testing.T) {
	verify := func(body string) (string, error) {
		return epusdt.Verify(t.Context(), Delivery{Body: []byte(body)}, Settings{}, withSecrets(shared))
	}
	body := string(withFieldsSigned(t, []byte(`{"actual_amount":4.25,"order_id":"1","status":1,"trade_id":"x"}`), sha256Under, numberWritings[0]))
	event, err := verify(body)
	if err != nil {
		t.Fatal(err)
	}
	for name, other := range map[string]string{
		"a value that swallows the next field": strings.NewReplacer(`"order_id":"1",`, `"order_id":"1&status=1",`, `"status":1,`, ``).Replace(body),
		"a name that swallows a value":         strings.NewReplacer(`"order_id":"1"`, `"order_id=1":""`).Replace(body),
		"an object":                            strings.Replace(body, `"1"`, `{"1":1}`, 1),
		"a number beside the signed one":       strings.Replace(body, "4.25", "4.2500000000000000001", 1),
	} {
		if event, err := verify(other); err == nil {
			t.Errorf("%s: %q of %s", name, event, other)
		}
	}
	for name, other := range map[string]string{
		"an empty field beside":       strings.Replace(body, "{", `{"x":"","y":null,`, 1),
		"the number as text":          strings.Replace(body, "4.25", `"4.25"`, 1),
		"the number with an exponent": strings.Replace(body, "4.25", "425e-2", 1),
	} {
		if again, err := verify(other); err == nil && again != event {
			t.Errorf("%s: a new event %q", name, again)
		}
	}
}

func TestEpusdtIsAboutTronWhereItsConnectionSaysNothingElse(t *testing.T) {
	body := []byte(`{"trade_id":"t1","order_id":"o1","token":"TNEns8t9jbWENbStkQdVQtHMGpbYsbsJxb","block_transaction_id":"0xab","status":2}`)
	for _, read := range []func([]byte, Settings, Keys) ([]Notice, error){epusdt.Read, bepusdt.Read} {
		for on, want := range map[string]chain.ID{"": tron, "eip155:137": "eip155:137"} {
			if notices, err := read(body, Settings{Chain: on}, Keys{}); err != nil || len(notices) != 1 || notices[0].Chain != want {
				t.Errorf("%+v, %v", notices, err)
			}
		}
	}
}
