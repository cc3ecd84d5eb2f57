package callback

import (
	"crypto/sha256"
	"testing"
	"time"

	"farrier/shared/money"
)

const (
	alchemyKey = "whsec_a signing key of one webhook"

	usdcOnEthereum = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
	alchemyToken   = `{"webhookId": "wh_k63lg72rxda78gce", "id": "whevt_vq499kv7elmlbp2v", "createdAt": "2024-01-23T07:42:26.411977228Z",
		"type": "ADDRESS_ACTIVITY", "event": {"network": "ETH_MAINNET", "activity": [{"blockNum": "0xdf34a3", "hash": "` + txA + `",
		"fromAddress": "0x503828976d22510aad0201ac7ec88293211d23da", "toAddress": "0xbe3f4b43db5eb49d1f48f53443b9abce45da3b79",
		"value": 293.092129, "erc721TokenId": null, "erc1155Metadata": null, "asset": "USDC", "category": "token",
		"rawContract": {"rawValue": "0x0000000000000000000000000000000000000000000000000000000011783b21", "address": "` + usdcOnEthereum + `", "decimals": 6},
		"typeTraceAddress": null, "log": {"logIndex": "0x6e", "removed": false}}]}}`
)

func alchemySenders(t testing.TB) []provider {
	usdc := Notice{
		Kind: DepositSeen, Chain: "eip155:1", Tx: txA, Index: "0x6e", Address: "0xbe3f4b43db5eb49d1f48f53443b9abce45da3b79",
		Asset: "eip155:1/erc20:" + usdcOnEthereum, Amount: money.Units(293092129), Decimals: 6, Code: "USDC",
	}
	return []provider{{
		name: "alchemy", connection: connected(t, "alchemy", Settings{}), keys: withSecrets(alchemyKey), others: withSecrets("whsec_a key of another webhook"),
		signature: inHeader("x-alchemy-signature"), body: `{"id": "whevt_1", "type": "NFT_ACTIVITY"}`, event: "whevt_1",
		sign: func(_ testing.TB, _ time.Time, body []byte) Delivery {
			return Delivery{Body: body, Headers: Headers{"x-alchemy-signature": inHex.encode(hmacOf(sha256.New, alchemyKey, string(body)))}}
		},
		reads: []reading{
			{alchemyToken, []Notice{usdc}},
			{`{"type":"ADDRESS_ACTIVITY","event":{"network":"MATIC_MAINNET","activity":[
				{"hash":"` + txA + `","toAddress":"0xbe3f","value":1e-18,"asset":"POL","category":"external","rawContract":{"rawValue":"0x1"}},
				{"hash":"` + txA + `","toAddress":"0xbe3f","category":"internal","typeTraceAddress":"call_0_1","rawContract":{"rawValue":"0x"}},
				{"hash":"` + txA + `","toAddress":"0xbe3f","category":"token","log":{"removed":true},"rawContract":{"address":"nonsense"}},
				{"hash":"` + txA + `","category":"token","erc721TokenId":"0x1","rawContract":{"rawValue":"0x1"}}]}}`, []Notice{
				{Kind: DepositSeen, Chain: "eip155:137", Tx: txA, Address: "0xbe3f", Asset: "eip155:137/slip44:966", Amount: money.Units(1), Decimals: 18, Code: "POL"},
				{Kind: DepositSeen, Chain: "eip155:137", Tx: txA, Address: "0xbe3f", Index: "call_0_1", Asset: "eip155:137/slip44:966", Decimals: 18},
				{Kind: DepositReverted, Chain: "eip155:137", Tx: txA, Address: "0xbe3f"},
			}},
			{`{"type":"ADDRESS_ACTIVITY","event":{"network":"ETH_MAINNET","activity":[]}}`, []Notice{{Kind: Other, Detail: "NFT"}}},
			{`{"type":"MINED_TRANSACTION","event":{"network":"ARB_MAINNET","transaction":{"hash":"` + txA + `","to":"0x7a25"}}}`,
				[]Notice{{Kind: PayoutBroadcast, Chain: "eip155:42161", Tx: txA, Address: "0x7a25", Object: txA, Detail: "MINED_TRANSACTION"}}},
			{`{"type":"DROPPED_TRANSACTION","event":{"network":"OPT_MAINNET","transaction":{"hash":"` + txA + `"}}}`,
				[]Notice{{Kind: PayoutFailed, Chain: "eip155:10", Tx: txA, Object: txA, Detail: "DROPPED_TRANSACTION"}}},
			{`{"type":"GRAPHQL","event":{"network":"BASE_MAINNET","data":{"block":{"logs":[{"transaction":{"hash":"` + txA + `"}},{"index":1}],"transactions":[{"hash":"` + txB + `"}]}}}}`,
				[]Notice{{Kind: DepositSeen, Chain: "eip155:8453", Tx: txA}, {Kind: DepositSeen, Chain: "eip155:8453", Tx: txB}}},
			{`{"type":"GRAPHQL","event":{"data":{"block":{"number":7}}}}`, []Notice{{Kind: Other, Detail: "GRAPHQL"}}},
		},
		unknown: `{"type":"SOMETHING_NEW","event":{}}`,
		trouble: `{"webhookId":"wh_1","id":"whevt_2","type":"ADDRESS_ACTIVITY","event":{"error":"Monthly capacity limit exceeded."}}`,
	}}
}

// Alchemy publishes no package that signs or verifies; the judge is a tool that we did not write.
func TestAlchemyAsOpenSSLSigns(t *testing.T) { agrees(t, "alchemy", "alchemy.json") }

func TestAlchemyAmountsThatCannotBeReadNameTheirField(t *testing.T) {
	read := func(transfer string) error {
		_, err := readAlchemy([]byte(`{"type":"ADDRESS_ACTIVITY","event":{"network":"ETH_MAINNET","activity":[`+transfer+`]}}`), Settings{}, Keys{})
		return err
	}
	for transfer, want := range map[string]error{
		`{"hash":"0x1","rawContract":{"rawValue":"0xzz"}}`: ReadError("event.activity.0.rawContract.rawValue is missing, or is no integer of the smallest unit"),
		`{"hash":"0x1","rawContract":{"rawValue":1.5}}`:    ReadError("event.activity.0.rawContract.rawValue is missing, or is no integer of the smallest unit"),
		`{"toAddress":"0x1"}`:                              ReadError("event.activity.0.hash is missing, or is no name"),
	} {
		if err := read(transfer); err != want {
			t.Errorf("%s: %v", transfer, err)
		}
	}
}

// A connection to a test network names its chain: what the provider calls it is not in any list.
func TestAWatchersChainIsTheConnections(t *testing.T) {
	notices, err := readAlchemy([]byte(alchemyToken), connected(t, "alchemy", Settings{Chain: "eip155:31337"}).Settings, Keys{})
	if err != nil || len(notices) != 1 || notices[0].Chain != "eip155:31337" || notices[0].Asset != "eip155:31337/erc20:"+usdcOnEthereum {
		t.Errorf("%+v, %v", notices, err)
	}
	unnamed, err := readAlchemy([]byte(`{"type":"ADDRESS_ACTIVITY","event":{"network":"ETH_SEPOLIA","activity":[{"hash":"`+txA+`"}]}}`), Settings{}, Keys{})
	if err != nil || len(unnamed) != 1 || !unnamed[0].Lost() {
		t.Errorf("%+v, %v", unnamed, err)
	}
}

// What a queue cannot take as looks at transactions is one look at what is new on each chain.
func TestABatchOfVeryManyAsksForOneLookOnEachChain(t *testing.T) {
	var many []Notice
	for range mostTransactions {
		many = append(many, Notice{Kind: DepositSeen, Chain: "eip155:1", Tx: txA})
	}
	if got := bounded(many); len(got) != mostTransactions {
		t.Errorf("%d", len(got))
	}
	many = append(many, Notice{Kind: DepositReverted, Chain: "eip155:137", Tx: txB})
	if got := bounded(many); len(got) != 2 || got[0] != (Notice{Kind: DepositSeen, Chain: "eip155:1"}) || got[1] != (Notice{Kind: DepositSeen, Chain: "eip155:137"}) {
		t.Errorf("%+v", got)
	}
}
