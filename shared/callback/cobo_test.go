package callback

import (
	"crypto/ed25519"
	"crypto/sha256"
	"strconv"
	"testing"
	"time"

	"farrier/shared/chain"
)

// coboTransaction is the documents' example of an event, shortened.
func coboTransaction(event, kind, status, on, token, destination string) string {
	return `{"event_id": "8f2e919a-6a7b-4a9b-8c1a-4c0b3f5b8b1f", "url": "https://example.com/webhook", "created_timestamp": 1701396866000, "type": "` + event + `", "data": {
		"data_type": "Transaction", "transaction_id": "aff0e1cb", "request_id": "760a1955", "wallet_id": "f47ac10b", "type": "` + kind + `", "status": "` + status + `",
		"chain_id": "` + on + `", "token_id": "` + token + `", "source": {"source_type": "DepositFromAddress"}, "destination": ` + destination + `,
		"transaction_hash": "` + txA + `", "created_timestamp": 1610445878970, "updated_timestamp": 1610445878970}}`
}

func coboSenders(t testing.TB) []provider {
	private, public := ed25519Pair(t)
	_, other := ed25519Pair(t)
	const usdt = "eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f"
	s := Settings{Assets: map[string]KnownAsset{"MATIC_USDT": {usdt, 6}}}
	const deposit = `{"destination_type": "DepositToAddress", "wallet_id": "f47ac10b", "wallet_type": "Custodial", "address": "0x94ed", "amount": "1.5", "tx_info": {"vout_n": 3}}`
	const payout = `{"destination_type": "Address", "account_output": {"address": "0x94ed", "memo": "m", "amount": "1.5"}}`
	said := func(kind Kind, index, word string) []Notice {
		return []Notice{{
			Kind: kind, Chain: "eip155:137", Tx: txA, Index: index, Address: "0x94ed", Object: "aff0e1cb", Reference: "760a1955", Detail: word,
			Asset: usdt, Decimals: 6, Amount: smallest(t, "1500000"),
		}}
	}
	own := func(on chain.ID, amount string) Notice {
		known, _ := coinOf(on)
		return Notice{Kind: DepositConfirmed, Chain: on, Tx: txA, Index: "3", Address: "0x94ed", Object: "aff0e1cb", Reference: "760a1955", Detail: "Completed",
			Asset: known.Asset, Decimals: known.Decimals, Amount: smallest(t, amount)}
	}
	order := func(status string) string {
		return `{"event_id":"e-2","type":"payment.order.status.updated","data":{"data_type":"PaymentOrder","order_id":"O1","psp_order_code":"order-7","pricing_currency":"USD",
			"pricing_amount":"10","payable_currency":"MATIC_USDT","chain_id":"MATIC","payable_amount":"10","receive_address":"0x94ed","status":"` + status + `","received_token_amount":"9.5"}}`
	}
	ordered := func(kind Kind, status string, paid bool) []Notice {
		n := Notice{Kind: kind, Chain: "eip155:137", Address: "0x94ed", Object: "O1", Reference: "order-7", Detail: status}
		if paid {
			n.Asset, n.Decimals, n.Amount = usdt, 6, smallest(t, "9500000")
		}
		return []Notice{n}
	}
	refund := func(status string) string {
		return `{"type":"payment.refund.status.updated","data":{"data_type":"PaymentRefund","refund_id":"R1","order_id":"O1","token_id":"MATIC_USDT","chain_id":"MATIC","amount":"1.5","to_address":"0x94ed","status":"` + status + `"}}`
	}
	refunded := Notice{Kind: PaymentRefunded, Chain: "eip155:137", Address: "0x94ed", Object: "R1", Reference: "O1", Detail: "Completed", Asset: usdt, Decimals: 6, Amount: smallest(t, "1500000")}
	pending := refunded
	pending.Kind, pending.Detail = Other, "Pending"
	many := said(PayoutBroadcast, "", "Broadcasting")[0]
	many.Address, many.Asset, many.Decimals, many.Amount, many.Code = "", "", 0, Notice{}.Amount, "MATIC_USDT"
	reads := []reading{
		{coboTransaction("wallets.transaction.succeeded", "Deposit", "Completed", "ETH", "ETH", deposit), []Notice{own("eip155:1", "1500000000000000000")}},
		{coboTransaction("wallets.transaction.succeeded", "Deposit", "Completed", "TRON", "TRON", deposit), []Notice{own("tron:0x2b6653dc", "1500000")}},
		{coboTransaction("wallets.transaction.updated", "Withdrawal", "Broadcasting", "MATIC", "MATIC_USDT", `{"destination_type":"Address","utxo_outputs":[{"amount":"1"},{"amount":"2"}]}`), []Notice{many}},
		{coboTransaction("wallets.transaction.updated", "Withdrawal", "Broadcasting", "MATIC", "MATIC_USDT", `{"utxo_outputs":[{"address":"0x94ed","amount":"1.5"}]}`), said(PayoutBroadcast, "", "Broadcasting")},
		{coboTransaction("wallets.transaction.succeeded", "ContractCall", "Completed", "ETH", "ETH", `{}`), []Notice{{Kind: Other, Object: "aff0e1cb", Detail: "ContractCall"}}},
		{coboTransaction("payment.transaction.late", "Deposit", "Completed", "MATIC", "MATIC_USDT", deposit), said(DepositConfirmed, "3", "Completed")},
		{`{"type":"wallets.mpc.tss_request.created","data":{"data_type":"TSSRequest"}}`, []Notice{{Kind: Other, Detail: "wallets.mpc.tss_request.created"}}},
		{order("Pending"), ordered(PaymentPending, "Pending", false)}, {order("Processing"), ordered(PaymentPending, "Processing", false)},
		{order("Completed"), ordered(PaymentPaid, "Completed", true)}, {order("Expired"), ordered(PaymentExpired, "Expired", false)},
		{order("Underpaid"), ordered(PaymentPartial, "Underpaid", true)},
		{refund("Completed"), []Notice{refunded}}, {refund("Pending"), []Notice{pending}},
	}
	for status, kind := range map[string]Kind{
		"Submitted": DepositSeen, "PendingScreening": DepositSeen, "Confirming": DepositSeen, "Rejected": DepositSeen, "Completed": DepositConfirmed, "Failed": DepositReverted,
	} {
		reads = append(reads, reading{coboTransaction("wallets.transaction.updated", "Deposit", status, "MATIC", "MATIC_USDT", deposit), said(kind, "3", status)})
	}
	for status, kind := range map[string]Kind{
		"Submitted": Other, "PendingAuthorization": Other, "PendingSignature": Other, "Broadcasting": PayoutBroadcast, "Confirming": PayoutBroadcast,
		"Completed": PayoutFinal, "Failed": PayoutFailed, "Rejected": PayoutFailed,
	} {
		reads = append(reads, reading{coboTransaction("wallets.transaction.updated", "Withdrawal", status, "MATIC", "MATIC_USDT", payout), said(kind, "", status)})
	}
	return []provider{{
		name: "cobo", connection: connected(t, "cobo", s), keys: withSecrets(public), others: withSecrets(other),
		signature: inHeader("biz-resp-signature"), signed: []part{inHeader("biz-timestamp")}, window: 5 * time.Minute,
		body: coboTransaction("wallets.transaction.created", "Deposit", "Submitted", "ETH", "ETH", deposit), event: "8f2e919a-6a7b-4a9b-8c1a-4c0b3f5b8b1f",
		sign: func(_ testing.TB, at time.Time, body []byte) Delivery {
			stamp := strconv.FormatInt(at.UnixMilli(), 10)
			once := sha256.Sum256([]byte(string(body) + "|" + stamp))
			twice := sha256.Sum256(once[:])
			return Delivery{Body: body, Headers: Headers{"biz-timestamp": stamp, "biz-resp-signature": inHex.encode(ed25519.Sign(private, twice[:]))}}
		},
		reads: reads, unknown: `{"event_id":"e","type":"rumour.spread","data":{}}`,
	}}
}

func TestCoboAsItsPackageVerifies(t *testing.T) { agrees(t, "cobo", "cobo.json") }

// Both keys that Cobo prints are taken as it prints them, in hex.
func TestCobosKeysAreThoseOfItsDocuments(t *testing.T) {
	for _, key := range []string{"8d4a482641adb2a34b726f05827dba9a9653e5857469b8749052bf4458a86729", "a04ea1d5fa8da71f1dcfccf972b9c4eba0a2d8aba1f6da26f49977b08a0d2718"} {
		if err := cobo.CheckSecret(key); err != nil {
			t.Error(err)
		}
	}
	for _, wrong := range []string{"", "8d4a", "not a key", "8d4a482641adb2a34b726f05827dba9a9653e5857469b8749052bf4458a8672g"} {
		if err := cobo.CheckSecret(wrong); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}

// Cobo's callbacks ask for leave to pay out, and "ok" grants it.
func TestCoboIsNeverToldOK(t *testing.T) {
	if cobo.Answer.Body != "" {
		t.Errorf("%q", cobo.Answer.Body)
	}
}

func TestCoboNamesTheFieldThatCannotBeRead(t *testing.T) {
	for body, want := range map[string]string{
		`{"event_id":"e"}`: "type is missing, or is no text",
		coboTransaction("wallets.transaction.updated", "Deposit", "Bewitched", "ETH", "ETH", `{}`):                  "the event Bewitched is not known",
		coboTransaction("wallets.transaction.updated", "Deposit", "Completed", "ETH", "ETH", `{"amount":"much"}`):   "data.destination.amount is no amount",
		coboTransaction("wallets.transaction.updated", "Deposit", "Completed", "TRON", "TRON", `{"amount":"1e-7"}`): "data.destination.amount is no amount of an asset with so many decimals",
		`{"type":"wallets.transaction.updated","data":{"type":"Deposit"}}`:                                          "data.status is missing, or is no text",
		`{"type":"payment.order.status.updated","data":{"status":"Completed"}}`:                                     "data.received_token_amount is missing, or is no amount",
	} {
		if got, err := readCobo([]byte(body), Settings{}, Keys{}); err == nil || err.Error() != want {
			t.Errorf("%+v, %v, want %s", got, err, want)
		}
	}
}
