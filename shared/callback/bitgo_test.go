package callback

import (
	"crypto/sha256"
	"testing"
	"time"

	"farrier/shared/chain"
)

const bitGoSecret = "v2xb3b1f3d1c5e4a0c9f8a7d6e5c4b3a2918"

// bitGoTransfer is a transfer as BitGo's test network sends it, with another coin.
func bitGoTransfer(direction, state, coin, value string) string {
	return `{"hash": "` + txA + `", "transfer": "67ee1f20433579b93adab161e6401ac7", "coin": "` + coin + `", "type": "transfer", "state": "` + state + `",
		"wallet": "67ee1c55e4a2d5d0707f5aad903afd17", "walletType": "hot", "transferType": "` + direction + `", "baseValue": 28648.0,
		"baseValueString": "` + value + `", "value": 28648, "valueString": "` + value + `", "feeString": "165", "initiator": ["external"], "receiver": "0x94ed"}`
}

func bitGoSenders(t testing.TB) []provider {
	said := func(kind Kind, state string, on chain.ID, code, units string) []Notice {
		n := Notice{Kind: kind, Chain: on, Tx: txA, Address: "0x94ed", Object: "67ee1f20433579b93adab161e6401ac7", Detail: state, Code: code}
		if known, found := coinOf(on); found && code == "" {
			n.Asset, n.Decimals, n.Amount = known.Asset, known.Decimals, smallest(t, units)
		}
		return []Notice{n}
	}
	const polygon = "eip155:137"
	reads := []reading{
		{bitGoTransfer("receive", "confirmed", "polygon:usdc", "28648"), said(DepositConfirmed, "confirmed", polygon, "polygon:usdc", "")},
		{bitGoTransfer("receive", "confirmed", "tbtc", "28648"), said(DepositConfirmed, "confirmed", "", "tbtc", "")},
		{`{"type":"transfer","wallet":"w","hash":"` + txA + `","transfer":"t","coin":"eth"}`, []Notice{{Kind: DepositSeen, Chain: "eip155:1", Tx: txA, Object: "t", Code: "eth"}}},
		{`{"type":"transaction","wallet":"w","hash":"` + txA + `","coin":"eth"}`, []Notice{{Kind: DepositSeen, Chain: "eip155:1", Tx: txA, Object: txA, Code: "eth"}}},
		{`{"type":"transactionRemoved","wallet":"w","hash":"` + txA + `","coin":"eth"}`, []Notice{{Kind: DepositReverted, Chain: "eip155:1", Tx: txA, Object: txA, Code: "eth"}}},
		{`{"type":"pendingapproval","wallet":"w","coin":"eth","state":"pending"}`, []Notice{{Kind: Other, Chain: "eip155:1", Code: "eth", Detail: "pendingapproval"}}},
	}
	for state, kind := range map[string]Kind{"unconfirmed": DepositSeen, "confirmed": DepositConfirmed, "removed": DepositReverted, "failed": DepositReverted, "replaced": DepositReverted} {
		reads = append(reads, reading{bitGoTransfer("receive", state, "polygon", "28648"), said(kind, state, polygon, "", "28648")})
	}
	for state, kind := range map[string]Kind{
		"initialized": Other, "pendingApproval": Other, "signed": Other, "unconfirmed": PayoutBroadcast, "confirmed": PayoutFinal, "failed": PayoutFailed, "removed": PayoutFailed,
	} {
		reads = append(reads, reading{bitGoTransfer("send", state, "polygon", "-28648"), said(kind, state, polygon, "", "28648")})
	}
	return []provider{{
		name: "bitgo", connection: connected(t, "bitgo", Settings{}), keys: withSecrets(bitGoSecret), others: withSecrets("the secret of another enterprise"),
		signature: inHeader("x-signature-sha256"), body: bitGoTransfer("receive", "confirmed", "polygon", "28648"),
		event: "transfer/67ee1c55e4a2d5d0707f5aad903afd17/67ee1f20433579b93adab161e6401ac7/confirmed",
		sign: func(_ testing.TB, _ time.Time, body []byte) Delivery {
			return Delivery{Body: body, Headers: Headers{"x-signature-sha256": inHex.encode(hmacOf(sha256.New, bitGoSecret, string(body)))}}
		},
		reads: reads, unknown: `{"type":"rumour","coin":"eth"}`,
	}}
}

func TestBitGoAsItsPackageSigns(t *testing.T) { agrees(t, "bitgo", "bitgo.json") }

func TestBitGoStatesAndAmountsThatCannotBeRead(t *testing.T) {
	for body, want := range map[string]string{
		`{"coin":"eth"}`: "type is missing, or is no text",
		bitGoTransfer("receive", "bewitched", "polygon", "1"):   "the event bewitched is not known",
		bitGoTransfer("send", "lost", "polygon", "1"):           "the event lost is not known",
		bitGoTransfer("sideways", "confirmed", "polygon", "1"):  "the event sideways is not known",
		bitGoTransfer("", "confirmed", "polygon", "1"):          "the event confirmed is not known",
		bitGoTransfer("receive", "confirmed", "polygon", "-1x"): "valueString is missing, or is no integer of the smallest unit",
		bitGoTransfer("receive", "confirmed", "polygon", "1.5"): "valueString is missing, or is no integer of the smallest unit",
		bitGoTransfer("send", "confirmed", "polygon", "--1"):    "baseValueString is missing, or is no integer of the smallest unit",
	} {
		if got, err := readBitGo([]byte(body), Settings{}, Keys{}); err == nil || err.Error() != want {
			t.Errorf("%+v, %v, want %s", got, err, want)
		}
	}
	// What went out is written with a minus; what came in never is.
	if got, err := readBitGo([]byte(bitGoTransfer("receive", "confirmed", "polygon", "-1")), Settings{}, Keys{}); err == nil {
		t.Errorf("%+v", got)
	}
}
