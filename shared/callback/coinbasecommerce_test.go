package callback

import (
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"farrier/shared/money"
)

func coinbaseCommerceSenders(t testing.TB) []provider {
	assets := Settings{Assets: map[string]KnownAsset{"USDC": {"eip155:8453/erc20:0x833589fcd6edb6e08f4c7c32d4f71b54bda02913", 6}}}
	event := func(kind, data string) string {
		return `{"attempt_number":1,"event":{"api_version":"2018-03-22","id":"24934862-d980-46cb-9402-43c81b0cdba6","resource":"event","type":"` + kind +
			`","data":{"id":"2aee9dd1-67b8-43ef-8dfe-977959850f27","code":"XA6G6ZFR","metadata":{"order_id":"ord_99"},"pricing":{"local":{"amount":"1.00","currency":"USD"}}` + data + `}},"id":"29dfb3ad","scheduled_for":"2023-08-30T19:29:20Z"}`
	}
	payment := func(status string) string {
		return `,"payments":[{"network":"base","transaction_id":"` + txA + `","status":"` + status + `","value":{"local":{"amount":"1","currency":"USD"},"crypto":{"amount":"1.5","currency":"USDC"}}}]`
	}
	timeline := func(last string) string { return `,"timeline":[{"status":"NEW"},` + last + `]` }
	asked := func(kind Kind, detail string) Notice {
		return Notice{Kind: kind, Object: "2aee9dd1-67b8-43ef-8dfe-977959850f27", Reference: "ord_99", Detail: detail, Asset: "iso4217:USD", Amount: money.Units(100), Decimals: 2}
	}
	alone := func(kind Kind, detail string) Notice {
		return Notice{Kind: kind, Object: "2aee9dd1-67b8-43ef-8dfe-977959850f27", Reference: "ord_99", Detail: detail}
	}
	settled := alone(PaymentPaid, "charge:confirmed")
	settled.Chain, settled.Asset, settled.Amount, settled.Decimals = "eip155:8453", "eip155:8453/erc20:0x833589fcd6edb6e08f4c7c32d4f71b54bda02913", money.Units(1000000), 6
	brought := func(kind Kind, detail string) Notice {
		n := asked(kind, detail)
		n.Chain, n.Tx, n.Asset, n.Amount, n.Decimals = "eip155:8453", txA, "eip155:8453/erc20:0x833589fcd6edb6e08f4c7c32d4f71b54bda02913", money.Units(1500000), 6
		return n
	}
	seen := func(detail string) Notice {
		return Notice{Kind: DepositSeen, Chain: "eip155:8453", Tx: txA, Object: "2aee9dd1-67b8-43ef-8dfe-977959850f27", Detail: detail}
	}
	return []provider{{
		name: "coinbase-commerce", connection: connected(t, "coinbase-commerce", assets), keys: withSecrets(shared), others: withSecrets("a secret of another account"),
		signature: inHeader("x-cc-webhook-signature"), body: `{"id": 1, "event": {"id": "24934862", "type": "checkout:created"}}`, event: "24934862",
		sign: func(_ testing.TB, _ time.Time, body []byte) Delivery {
			return Delivery{Body: body, Headers: Headers{"x-cc-webhook-signature": inHex.encode(hmacOf(sha256.New, shared, string(body)))}}
		},
		reads: []reading{
			{event("charge:created", timeline(`{"status":"SIGNED"}`)+`,"payments":[]`), []Notice{asked(PaymentPending, "charge:created")}},
			{event("charge:pending", timeline(`{"status":"PENDING"}`)+payment("pending")), []Notice{brought(PaymentPending, "charge:pending"), seen("charge:pending")}},
			{event("charge:confirmed", timeline(`{"status":"COMPLETED"}`)+payment("confirmed")), []Notice{brought(PaymentPaid, "charge:confirmed")}},
			{event("charge:confirmed", timeline(`{"status":"COMPLETED"}`)), []Notice{alone(PaymentPaid, "charge:confirmed")}},
			{strings.Replace(event("charge:confirmed", ""), `"pricing":{`, `"pricing":{"settlement":{"amount":"1","currency":"USDC"},`, 1), []Notice{settled}},
			// What the charge itself says goes before what the event says.
			{event("charge:confirmed", timeline(`{"status":"PENDING"}`)+payment("confirmed")), []Notice{brought(PaymentPending, "charge:confirmed"), seen("charge:confirmed")}},
			{event("charge:confirmed", payment("pending")), []Notice{brought(PaymentPending, "charge:confirmed"), seen("charge:confirmed")}},
			{event("charge:failed", timeline(`{"status":"EXPIRED"}`)), []Notice{asked(PaymentExpired, "charge:failed")}},
			{event("charge:failed", timeline(`{"status":"UNRESOLVED","context":"UNDERPAID"}`)+payment("confirmed")), []Notice{brought(PaymentPartial, "charge:failed")}},
			{event("charge:delayed", timeline(`{"status":"UNRESOLVED","context":"DELAYED"}`)+payment("confirmed")), []Notice{brought(PaymentPending, "charge:delayed"), seen("charge:delayed")}},
			{event("charge:resolved", timeline(`{"status":"RESOLVED"}`)+payment("confirmed")), []Notice{brought(PaymentPaid, "charge:resolved")}},
			{event("charge:confirmed", timeline(`{"status":"REFUNDED"}`)), []Notice{alone(PaymentRefunded, "charge:confirmed")}},
			{event("charge:pending", `,"web3_data":{"success_events":[{"tx_hsh":"`+txA+`","finalized":false}],"transfer_intent":{"metadata":{"chain_id":8453}}}`),
				[]Notice{asked(PaymentPending, "charge:pending"), seen("charge:pending")}},
			{`{"event":{"type":"checkout:created","data":{"id":"7"}}}`, []Notice{{Kind: Other, Object: "7", Detail: "checkout:created"}}},
		},
		unknown: `{"event":{"type":"charge:something","data":{}}}`,
	}}
}

func TestCoinbaseCommerceAsItsOwnPackagesVerify(t *testing.T) {
	agrees(t, "coinbase-commerce", "coinbase-commerce-node.json")
	agrees(t, "coinbase-commerce", "coinbase-commerce-python.json")
}

func TestACommerceAmountThatCannotBeReadIsNamed(t *testing.T) {
	for data, want := range map[string]string{
		`"id":"1","payments":[{"value":{"crypto":{"amount":"1,5","currency":"USDC"}}}]`: "event.data.payments.0.value.crypto.amount is no amount",
		`"id":"1","payments":[{"value":{"local":{"amount":"1.001","currency":"USD"}}}]`: "event.data.payments.0.value.local.amount is no amount of an asset with so many decimals",
		`"id":"1","pricing":{"local":{"amount":"","currency":"USD"}}`:                   "event.data.pricing.local.amount is missing, or is no amount",
		`"name":"no id"`: "event.data.id is missing, or is no name",
	} {
		_, err := readCoinbaseCommerce([]byte(`{"event":{"type":"charge:created","data":{`+data+`}}}`), Settings{}, Keys{})
		if err != ReadError(want) {
			t.Errorf("%s: %v", data, err)
		}
	}
}
