package callback

import (
	"crypto/sha512"
	"strings"
	"testing"
	"time"

	"farrier/shared/money"
)

func nowPaymentsSenders(t testing.TB) []provider {
	const usdt = "tron:0x2b6653dc/trc20:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
	payment := func(status string) string {
		return `{"payment_id":5077125051,"invoice_id":null,"payment_status":"` + status + `","pay_address":"TFyx","price_amount":3999.5,"price_currency":"usd","pay_amount":4007.25,
			"actually_paid":1.5e-4,"actually_paid_at_fiat":0,"pay_currency":"usdttrc20","order_id":"RGDBP-21314","purchase_id":"5312822613","outcome_amount":3990,"outcome_currency":"usdttrc20",
			"payment_extra_ids":[5513339153],"fee":{"currency":"usdttrc20","withdrawalFee":0},"created_at":"2024-01-23T07:42:26.411Z","updated_at":1706000000000}`
	}
	asked := func(kind Kind, status string, units int64) []Notice {
		return []Notice{{Kind: kind, Chain: "tron:0x2b6653dc", Address: "TFyx", Asset: usdt, Amount: money.Units(units), Decimals: 6, Object: "5077125051", Reference: "RGDBP-21314", Detail: status}}
	}
	payout := func(status, fault string) string {
		return `{"id":"123456789","batch_withdrawal_id":"987","status":"` + status + `","error":` + fault + `,"currency":"usdttrc20","amount":"200","address":"TFab","hash":"` + strings.TrimPrefix(txA, "0x") + `","updated_at":"2024-01-23T07:50:00.000Z"}`
	}
	sent := func(kind Kind, detail string) []Notice {
		return []Notice{{Kind: kind, Chain: "tron:0x2b6653dc", Tx: strings.TrimPrefix(txA, "0x"), Address: "TFab", Asset: usdt, Amount: money.Units(200_000_000), Decimals: 6, Object: "123456789", Reference: "987", Detail: detail}}
	}
	p := provider{
		name: "nowpayments", connection: connected(t, "nowpayments", Settings{Assets: map[string]KnownAsset{"usdttrc20": {usdt, 6}}}),
		keys: withSecrets(shared), others: withSecrets("a secret of another account"), signature: inHeader("x-nowpayments-sig"), inside: true,
		body: `{"payment_status": "waiting", "payment_id": 7, "updated_at": 1706000000000, "fee": {"b": 1.50, "a": "é</>"}}`, event: "7:waiting:1706000000000",
		sign: func(t testing.TB, _ time.Time, body []byte) Delivery {
			signed, err := sortedJSON(body)
			if err != nil {
				signed = body // it is no JSON: nobody could sign it
			}
			return Delivery{Body: body, Headers: Headers{"x-nowpayments-sig": inHex.encode(hmacOf(sha512.New, shared, string(signed)))}}
		},
		unknown: `{"payment_id":7,"payment_status":"something_new"}`,
	}
	for status, kind := range nowPaymentsStates {
		units := int64(4_007_250_000)
		if kind == PaymentPaid || kind == PaymentPartial || kind == PaymentRefunded {
			units = 150
		}
		p.reads = append(p.reads, reading{payment(status), asked(kind, status, units)})
	}
	for status, kind := range nowPaymentsPayouts {
		p.reads = append(p.reads, reading{payout(status, "null"), sent(kind, status)}, reading{payout(strings.ToLower(status), `"no funds"`), sent(kind, "no funds")})
	}
	return []provider{p}
}

// Only a finished payment is paid, whatever the signature.
func TestOnlyAFinishedPaymentIsPaid(t *testing.T) {
	for status, kind := range nowPaymentsStates {
		if (kind == PaymentPaid) != (status == "finished") {
			t.Errorf("%s is %s", status, kind)
		}
	}
}

// A library of others for Python, and JavaScript's own JSON by the documentation's rule.
func TestNOWPaymentsAsOthersSign(t *testing.T) {
	agrees(t, "nowpayments", "nowpayments-python.json")
	agrees(t, "nowpayments", "nowpayments-node.json")
}

// What is signed is what a body says: its keys in another order are the same event, and another number is none.
func TestANOWPaymentsBodyInAnotherOrderIsTheSameEvent(t *testing.T) {
	p := nowPaymentsSenders(t)[0]
	right := p.sign(t, signedAt, []byte(p.body))
	for body, believed := range map[string]bool{
		`{"updated_at":1706000000000,"fee":{"a":"é</>","b":1.50},"payment_id":7,"payment_status":"waiting"}`:      true,
		`{"updated_at":1706000000000,"fee":{"a":"\u00e9</>","b":1.50},"payment_id":7,"payment_status":"waiting"}`: true,
		`{"updated_at":1706000000000,"fee":{"a":"é</>","b":1.5},"payment_id":7,"payment_status":"waiting"}`:       false,
		`{"updated_at":1706000000000,"fee":{"a":"é</>","b":1.50},"payment_id":7,"payment_status":"finished"}`:     false,
		// Of a key that comes twice the last counts, for the signature and for what is read.
		`{"payment_status":"finished","updated_at":1706000000000,"fee":{"a":"é</>","b":1.50},"payment_id":7,"payment_status":"waiting"}`: true,
		`{"payment_status":"waiting","updated_at":1706000000000,"fee":{"a":"é</>","b":1.50},"payment_id":7,"payment_status":"finished"}`: false,
	} {
		event, err := p.verify(Delivery{Headers: right.Headers, Body: []byte(body), At: signedAt}, p.keys)
		if (err == nil) != believed || (believed && event != p.event) {
			t.Errorf("%s: %q, %v", body, event, err)
		}
	}
}

func TestANOWPaymentsEventWithoutATimeIsWhatIsSigned(t *testing.T) {
	p := nowPaymentsSenders(t)[0]
	wide, narrow := []byte(`{ "payment_id": 7, "payment_status": "waiting" }`), []byte(`{"payment_status":"waiting","payment_id":7}`)
	one, err1 := p.verify(p.sign(t, signedAt, wide), p.keys)
	two, err2 := p.verify(p.sign(t, signedAt, narrow), p.keys)
	if one != two || one != hashed([]byte(`{"payment_id":7,"payment_status":"waiting"}`)) || err1 != nil || err2 != nil {
		t.Errorf("%q %v, %q %v", one, err1, two, err2)
	}
}

func TestANOWPaymentsAmountThatCannotBeReadIsNamed(t *testing.T) {
	for body, want := range map[string]string{
		`{"payment_id":1,"payment_status":"finished","pay_amount":1,"pay_currency":"usd"}`:        "actually_paid is missing, or is no amount",
		`{"payment_id":1,"payment_status":"finished","actually_paid":"1,5","pay_currency":"usd"}`: "actually_paid is no amount",
		`{"payment_id":1,"payment_status":"waiting","pay_amount":1.001,"pay_currency":"usd"}`:     "pay_amount is no amount of an asset with so many decimals",
		`{"payment_status":"finished"}`: "payment_id is missing, or is no name",
		`{"id":"1","batch_withdrawal_id":"2","status":"FINISHED","amount":-1,"currency":"usd"}`: "amount is no amount",
	} {
		if _, err := readNOWPayments([]byte(body), Settings{}, Keys{}); err != ReadError(want) {
			t.Errorf("%s: %v", body, err)
		}
	}
}
