package callback

import (
	"context"
	"crypto/sha512"
	"testing"
	"time"

	"farrier/shared/money"
)

func tatumSenders(t testing.TB) []provider {
	const to = "0xF64E82131BE01618487Da5142fc9d289cbb60E9d"
	coin := Notice{Kind: DepositSeen, Chain: "eip155:1", Tx: txA, Address: to, Asset: "eip155:1/slip44:60", Amount: money.Units(1_000_000_000_000_000), Decimals: 18}
	out := coin
	out.Kind = PayoutBroadcast
	failed := coin
	failed.Kind = PayoutFailed
	body := func(fields string) string {
		return `{"address":"` + to + `","counterAddress":"0x690B9A9E9aa1C9dB991C7721a92d351Db4FaC990","blockNumber":2913059,"txId":"` + txA + `",` + fields + `}`
	}
	tether := Settings{Assets: map[string]KnownAsset{"0xc2132D05D31c914a87C6611C10748AEb04B58e8F": {"eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f", 6}}}
	return []provider{{
		name: "tatum", connection: connected(t, "tatum", tether), keys: withSecrets(shared), others: withSecrets("a secret of another account"),
		signature: inHeader("x-payload-hash"), body: `{"subscriptionType": "PAID_FEE"}`,
		sign: func(_ testing.TB, _ time.Time, body []byte) Delivery {
			return Delivery{Body: body, Headers: Headers{"x-payload-hash": inBase64.encode(hmacOf(sha512.New, shared, string(body)))}}
		},
		reads: []reading{
			{body(`"amount":"0.001","asset":"ETH","type":"native","chain":"ethereum-mainnet","subscriptionType":"ADDRESS_EVENT"`), []Notice{coin}},
			{body(`"amount":"-0.001","asset":"ETH","type":"native","chain":"ethereum-mainnet","subscriptionType":"ADDRESS_EVENT"`), []Notice{out}},
			{body(`"amount":"0.001","chain":"ethereum-mainnet","subscriptionType":"INCOMING_NATIVE_TX"`), []Notice{coin}},
			{body(`"amount":"-0.001","chain":"ethereum-mainnet","subscriptionType":"OUTGOING_NATIVE_TX"`), []Notice{out}},
			{body(`"amount":"-0.001","type":"native","chain":"ethereum-mainnet","subscriptionType":"OUTGOING_FAILED_TX"`), []Notice{failed}},
			{body(`"amount":"1.5","contractAddress":"0xc2132D05D31c914a87C6611C10748AEb04B58e8F","chain":"polygon-mainnet","subscriptionType":"INCOMING_FUNGIBLE_TX"`), []Notice{
				{Kind: DepositSeen, Chain: "eip155:137", Tx: txA, Address: to, Asset: "eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f", Amount: money.Units(1500000), Decimals: 6},
			}},
			{body(`"amount":"1.5","asset":"USDC_MATIC","type":"fungible","chain":"polygon-mainnet","subscriptionType":"ADDRESS_EVENT"`), []Notice{
				{Kind: DepositSeen, Chain: "eip155:137", Tx: txA, Address: to, Code: "USDC_MATIC"},
			}},
			{body(`"amount":"1","type":"nft","tokenId":"7","chain":"polygon-mainnet","subscriptionType":"ADDRESS_EVENT"`), []Notice{{Kind: Other, Detail: "ADDRESS_EVENT"}}},
			{`{"chain":"ethereum-mainnet","txs":["0x1"],"subscriptionType":"FAILED_TXS_PER_BLOCK"}`, []Notice{{Kind: Other, Detail: "FAILED_TXS_PER_BLOCK"}}},
		},
		unknown: `{"subscriptionType":"SOMETHING_NEW"}`,
	}}
}

// The documentation has one whole webhook with its secret and its hash
// (https://docs.tatum.io/docs/authenticating-notification-webhooks, step 3, read 2026-11-24).
func TestTatumsPublishedWebhook(t *testing.T) {
	const body = `{"address":"TJG7iciLGjsib9qhe6U6F7M2vxYJuDjWNM","amount":"20","counterAddress":"TVf3RVEtzKtMfqQaCAWs9d4HKbC4bZGaWP","asset":"TRON",` +
		`"blockNumber":44087791,"txId":"93442189d7bccbe009f8ab594831ff9d7d258cab712d74a404cd3dccdc4c6d69","type":"native","tokenId":null,"chain":"tron-testnet",` +
		`"subscriptionType":"ADDRESS_EVENT"}`
	d := Delivery{Body: []byte(body), At: signedAt, Headers: Headers{
		"content-type": "application/json", "x-payload-hash": "WdhYQft+qP8LpYAdeOMncUzIZ7DSUWX9JVSjeGH3F4mCreUxtIpTl2VYigm+qUvkfSQ0lWmTrzADm4mGxSVcxA==",
	}}
	event, err := connected(t, "tatum", Settings{}).Verify(context.Background(), d, withSecrets("c354b83b-d31b-4dda-9bab-d6a67715a1ed"))
	if err != nil || event != hashed(d.Body) {
		t.Errorf("%q, %v", event, err)
	}
	// A test network is no name that we know: without the connection's chain nobody can look.
	notices, err := readTatum(d.Body, Settings{}, Keys{})
	if err != nil || len(notices) != 1 || !notices[0].Lost() || notices[0].Code != "TRON" || notices[0].Amount.Sign() != 0 {
		t.Errorf("%+v, %v", notices, err)
	}
	notices, err = readTatum(d.Body, Settings{Chain: "tron:0x94a9059e", Assets: map[string]KnownAsset{"TRON": {"tron:0x94a9059e/slip44:195", 6}}}, Keys{})
	if err != nil || len(notices) != 1 || notices[0].Amount.Cmp(money.Units(20_000_000)) != 0 || notices[0].Chain != "tron:0x94a9059e" {
		t.Errorf("%+v, %v", notices, err)
	}
}

func TestATatumAmountThatCannotBeReadIsNamed(t *testing.T) {
	for _, amount := range []string{`"1,5"`, `"--1"`, `""`, `{}`, `"0.0000000000000000001"`, `"1e999"`} {
		_, err := readTatum([]byte(`{"txId":"`+txA+`","type":"native","chain":"ethereum-mainnet","subscriptionType":"ADDRESS_EVENT","amount":`+amount+`}`), Settings{}, Keys{})
		if err != ReadError("amount is missing, or is no amount") {
			t.Errorf("%s: %v", amount, err)
		}
	}
}
