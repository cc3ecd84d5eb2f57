package callback

import (
	"testing"
	"time"

	"farrier/shared/money"
)

const (
	moralisSecret = "a streams secret of an account"

	moralisTest = `{"abi": {}, "block": {"hash": "", "number": "", "timestamp": ""}, "txs": [], "txsInternal": [], "logs": [], "chainId": "",
		"tag": "", "streamId": "", "confirmed": true, "retries": 0, "erc20Approvals": [], "erc20Transfers": [], "nftApprovals": [], "nftTransfers": []}`
)

// moralisBody is a block of a stream, with what it holds.
func moralisBody(confirmed, holds string) string {
	return `{"confirmed":` + confirmed + `,"chainId":"0x89","streamId":"c28d9e2e","tag":"deposits","retries":0,"block":{"number":"15988759","hash":"` + txB + `","timestamp":"1668676247"},` + holds + `}`
}

func moralisSenders(t testing.TB) []provider {
	const usdt = "0xc2132d05d31c914a87c6611c10748aeb04b58e8f"
	token := `"erc20Transfers":[{"transactionHash":"` + txA + `","logIndex":"33","contract":"` + usdt + `","from":"0x01","to":"0x02","value":"1500000",
		"tokenName":"Tether","tokenSymbol":"USDT","tokenDecimals":"6","valueWithDecimals":"1.5"}],"logs":[{"transactionHash":"` + txA + `","logIndex":"33"}],
		"nativeBalances":[{"address":"0x02","balance":"7"}],"txs":[{"hash":"` + txA + `","fromAddress":"0x01","toAddress":"` + usdt + `","value":"0","receiptStatus":"1"}]`
	paid := Notice{
		Kind: DepositConfirmed, Chain: "eip155:137", Tx: txA, Index: "33", Address: "0x02", Asset: "eip155:137/erc20:" + usdt,
		Amount: money.Units(1500000), Decimals: 6, Code: "USDT", Reference: "deposits",
	}
	seen := paid
	seen.Kind = DepositSeen
	coin := Notice{Kind: DepositSeen, Chain: "eip155:137", Tx: txA, Address: "0x04", Asset: "eip155:137/slip44:966", Amount: money.Units(9), Decimals: 18, Reference: "deposits"}
	inner := coin
	inner.Tx, inner.Address = txB, "0x05"
	return []provider{{
		name: "moralis", connection: connected(t, "moralis", Settings{}), keys: withSecrets(moralisSecret), others: withSecrets("a secret of another account"),
		signature: inHeader("x-signature"), body: moralisTest,
		sign: func(_ testing.TB, _ time.Time, body []byte) Delivery {
			return Delivery{Body: body, Headers: Headers{"x-signature": keccakBehind(body, moralisSecret)}}
		},
		reads: []reading{
			{moralisTest, []Notice{{Kind: Other, Detail: "test"}}},
			{moralisBody("true", token), []Notice{paid}},
			{moralisBody("false", token), []Notice{seen}},
			{moralisBody("false", `"txs":[{"hash":"`+txA+`","toAddress":"0x04","value":"9","receiptStatus":"1"},{"hash":"`+txB+`","value":"9","receiptStatus":"0"}],
				"txsInternal":[{"transactionHash":"`+txB+`","to":"0x05","value":"9"}]`), []Notice{coin, inner}},
			{moralisBody("false", `"logs":[{"transactionHash":"`+txA+`","logIndex":"475"}],"txs":[]`), []Notice{{Kind: DepositSeen, Chain: "eip155:137", Tx: txA, Index: "475", Reference: "deposits"}}},
			{moralisBody("true", `"erc20Approvals":[{"transactionHash":"`+txA+`"}]`), []Notice{{Kind: Other, Detail: "no transfer"}}},
		},
	}}
}

// The judge is Moralis's own package, which says of each body whether the signature is right.
func TestMoralisAsItsOwnPackageVerifies(t *testing.T) { agrees(t, "moralis", "moralis.json") }

func TestAMoralisBodyNamesWhatIsWrongWithIt(t *testing.T) {
	for body, want := range map[string]string{
		`{"confirmed":true}`:              "chainId is missing, or is no text",
		`{"chainId":137}`:                 "chainId is missing, or is no text",
		`{"chainId":"solana"}`:            "chainId is not the number of a chain",
		moralisBody("true", `"txs":[{}]`): "txs.0.hash is missing, or is no text",
		moralisBody("true", `"erc20Transfers":[{"transactionHash":"`+txA+`","value":"1.5"}]`): "erc20Transfers.0.value is missing, or is no integer of the smallest unit",
	} {
		if _, err := readMoralis([]byte(body), Settings{}, Keys{}); err != ReadError(want) {
			t.Errorf("%s: %v", body, err)
		}
	}
}
