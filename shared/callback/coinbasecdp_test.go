package callback

import (
	"crypto/sha256"
	"strconv"
	"strings"
	"testing"
	"time"

	"farrier/shared/money"
)

const cdpEvent = "123e4567-e89b-12d3-a456-426614174000"

func coinbaseCDPSenders(t testing.TB) []provider {
	const usdc = "eip155:8453/erc20:0x833589fcd6edb6e08f4c7c32d4f71b54bda02913"
	stamped := provider{
		name: "coinbase-cdp v0", keys: withSecrets(shared), others: withSecrets("a secret of another subscription"),
		connection: connected(t, "coinbase-cdp", Settings{Assets: map[string]KnownAsset{"USDC": {usdc, 6}, "usdc": {usdc, 6}}}),
		signature:  inHeader("x-hook0-signature"), window: 5 * time.Minute, body: `{"eventId": "` + cdpEvent + `", "eventType": "wallet.message.signed"}`, event: cdpEvent,
		sign: func(_ testing.TB, at time.Time, body []byte) Delivery {
			stamp := strconv.FormatInt(at.Unix(), 10)
			return Delivery{Body: body, Headers: Headers{"x-hook0-signature": "t=" + stamp + ",v0=" + inHex.encode(hmacOf(sha256.New, shared, stamp, ".", string(body)))}}
		},
		reads:   append(append(cdpPaymentReadings(usdc), cdpTransferReadings(usdc)...), cdpChainReadings()...),
		unknown: `{"eventType":"something.new"}`,
	}
	covering := stamped
	covering.name, covering.signed = "coinbase-cdp v1", []part{inHeader("x-event-id"), inHeader("x-event-type")}
	covering.sign = func(_ testing.TB, at time.Time, body []byte) Delivery {
		stamp := strconv.FormatInt(at.Unix(), 10)
		code := inHex.encode(hmacOf(sha256.New, shared, stamp, ".x-event-id x-event-type.e-1.wallet.message.signed.", string(body)))
		return Delivery{Body: body, Headers: Headers{
			"x-event-id": "e-1", "x-event-type": "wallet.message.signed", "x-hook0-signature": "t=" + stamp + ",h=x-event-id x-event-type,v1=" + code,
		}}
	}
	return []provider{stamped, covering}
}

func cdpPaymentReadings(usdc money.Asset) []reading {
	checkout := func(event, status string) string {
		return `{"id":"69163c76","amount":"100.00","currency":"USDC","network":"base","address":"0x742d","eventType":"` + event + `","metadata":{"orderId":"12345"},"status":"` + status +
			`","settlement":{"totalAmount":"100.00","netAmount":"98.75"},"transactionHash":"` + txA + `"}`
	}
	order := func(kind Kind, detail string) []Notice {
		return []Notice{{Kind: kind, Chain: "eip155:8453", Tx: txA, Address: "0x742d", Asset: usdc, Amount: money.Units(100_000_000), Decimals: 6, Object: "69163c76", Reference: "12345", Detail: detail}}
	}
	refunded := order(PaymentRefunded, "checkout.refund.success")
	refunded[0].Amount = money.Units(25_000_000)
	session := func(event, captured, step string) string {
		return `{"eventType":"acceptance.payment_session.` + event + `","eventId":"789k","data":{"paymentSession":{"paymentSessionId":"ps_1","amount":"1.00","asset":"usdc","target":{"address":"0x83","network":"base"},
			"balances":{"captured":"` + captured + `","refunded":"0.50"},"externalReferenceId":"order-1"}` + step + `}}`
	}
	paid := func(kind Kind, event, tx string, units int64) []Notice {
		return []Notice{{Kind: kind, Chain: "eip155:8453", Tx: tx, Address: "0x83", Asset: usdc, Amount: money.Units(units), Decimals: 6, Object: "ps_1", Reference: "order-1",
			Detail: "acceptance.payment_session." + event}}
	}
	step := func(name, status, amount string) string {
		return `,"` + name + `":{"status":"` + status + `","amount":"` + amount + `","onchainTransactions":[{"transactionHash":"` + txB + `","network":"base"}]}`
	}
	return []reading{
		{checkout("checkout.payment.success", "COMPLETED"), order(PaymentPaid, "checkout.payment.success")},
		{checkout("payment_link.payment.success", "COMPLETED"), order(PaymentPaid, "payment_link.payment.success")},
		{checkout("checkout.payment.success", "PROCESSING"), order(PaymentPending, "checkout.payment.success")},
		{checkout("checkout.payment.success", "ACTIVE"), order(PaymentPending, "checkout.payment.success")},
		{checkout("checkout.payment.failed", "FAILED"), order(PaymentFailed, "checkout.payment.failed")},
		{checkout("payment_link.payment.expired", "EXPIRED"), order(PaymentExpired, "payment_link.payment.expired")},
		{strings.Replace(checkout("checkout.refund.success", "PARTIALLY_REFUNDED"), `"status"`, `"refundedAmount":"25.00","status"`, 1), refunded},
		{session("created", "0", ""), paid(PaymentPending, "created", "", 1_000_000)},
		{session("authorization_succeeded", "0", step("authorization", "succeeded", "1.00")), paid(PaymentPending, "authorization_succeeded", txB, 1_000_000)},
		{session("capture_pending", "0", step("capture", "pending", "1.00")), paid(PaymentPending, "capture_pending", txB, 1_000_000)},
		{session("capture_succeeded", "1.00", step("capture", "succeeded", "1.00")), paid(PaymentPaid, "capture_succeeded", txB, 1_000_000)},
		{session("capture_succeeded", "0.4", step("capture", "succeeded", "0.10")), paid(PaymentPartial, "capture_succeeded", txB, 400_000)},
		{session("capture_succeeded", "1.00", step("capture", "pending", "1.00")), paid(PaymentPending, "capture_succeeded", txB, 1_000_000)},
		{session("refund_succeeded", "1.00", step("refund", "succeeded", "0.50")), paid(PaymentRefunded, "refund_succeeded", txB, 500_000)},
		{session("canceled", "0", ""), paid(PaymentFailed, "canceled", "", 1_000_000)},
	}
}

func cdpTransferReadings(usdc money.Asset) []reading {
	transfer := func(event, status, source, target string) string {
		return `{"eventID":"a1b2","eventType":"payments.transfers.` + event + `","data":{"transferId":"transfer_1","status":"` + status + `","source":{` + source + `},"sourceAmount":"103.50","sourceAsset":"usd",
			"target":{` + target + `},"targetAmount":"100.00","targetAsset":"usdc","details":{"onchainTransactions":[{"transactionHash":"` + txA + `","network":"base"}]}}}`
	}
	const account, onChain = `"accountId":"account_1","asset":"usdc"`, `"address":"0xabc1","network":"base","asset":"usdc"`
	moved := func(kind Kind, event, address string) []Notice {
		return []Notice{{Kind: kind, Chain: "eip155:8453", Tx: txA, Address: address, Asset: usdc, Amount: money.Units(100_000_000), Decimals: 6, Object: "transfer_1", Detail: "payments.transfers." + event}}
	}
	return []reading{
		{transfer("quoted", "quoted", account, onChain), moved(Other, "quoted", "0xabc1")},
		{transfer("processing", "processing", account, onChain), moved(PayoutBroadcast, "processing", "0xabc1")},
		{transfer("completed", "completed", account, onChain), moved(PayoutFinal, "completed", "0xabc1")},
		{transfer("failed", "failed", account, onChain), moved(PayoutFailed, "failed", "0xabc1")},
		{transfer("completed", "processing", account, onChain), moved(PayoutBroadcast, "completed", "0xabc1")},
		{transfer("quoted", "quoted", onChain, account), moved(PaymentPending, "quoted", "")},
		{transfer("processing", "processing", onChain, account), moved(DepositSeen, "processing", "")},
		{transfer("completed", "completed", onChain, account), moved(DepositConfirmed, "completed", "")},
		{transfer("failed", "failed", onChain, account), moved(DepositReverted, "failed", "")},
		{transfer("completed", "completed", account, account), moved(Other, "completed", "")},
		{`{"eventType":"acceptance.disbursement.succeeded","data":{"disbursementId":"d_1","amount":"25.00","asset":"usdc","externalReferenceId":"r_1","onchainTransactions":[{"transactionHash":"` + txB + `","network":"base"}]}}`,
			[]Notice{{Kind: PayoutFinal, Chain: "eip155:8453", Tx: txB, Asset: usdc, Amount: money.Units(25_000_000), Decimals: 6, Object: "d_1", Reference: "r_1", Detail: "acceptance.disbursement.succeeded"}}},
		{`{"eventType":"acceptance.disbursement.failed","data":{"disbursementId":"d_1","amount":"25.00","asset":"usdc","error":{"code":"insufficient_funds"}}}`,
			[]Notice{{Kind: PayoutFailed, Chain: "eip155:8453", Asset: usdc, Amount: money.Units(25_000_000), Decimals: 6, Object: "d_1", Detail: "insufficient_funds"}}},
		{`{"eventType":"onramp.transaction.success","transactionId":"1f08","status":"ONRAMP_TRANSACTION_STATUS_SUCCESS","purchaseCurrency":"USDC","purchaseNetwork":"ethereum","txHash":"` + txA + `","walletAddress":"0xe0","partnerUserRef":"u_1"}`,
			[]Notice{{Kind: DepositSeen, Chain: "eip155:1", Tx: txA, Address: "0xe0", Code: "USDC", Object: "1f08", Reference: "u_1", Detail: "ONRAMP_TRANSACTION_STATUS_SUCCESS"}}},
		{`{"eventType":"onramp.transaction.created","transactionId":"1f08","status":"ONRAMP_TRANSACTION_STATUS_AWAITING_PAYMENT","txHash":"0x"}`,
			[]Notice{{Kind: Other, Object: "1f08", Detail: "ONRAMP_TRANSACTION_STATUS_AWAITING_PAYMENT"}}},
	}
}

func cdpChainReadings() []reading {
	return []reading{
		{`{"block_number":46218191,"contract_address":"0x940181a94A35A4569E4529A3CDfB74e38FD98631","event_name":"Transfer","log_index":29,"network":"base-mainnet",
			"parameters":{"from":"0xF3","to":"0x61040E143A77F165Ba44543AF4A079F2C809D14b","value":"474891138228179365"},"transaction_hash":"` + txA + `"}`, []Notice{{
			Kind: DepositSeen, Chain: "eip155:8453", Tx: txA, Index: "29", Address: "0x61040E143A77F165Ba44543AF4A079F2C809D14b",
			Asset: "eip155:8453/erc20:0x940181a94a35a4569e4529a3cdfb74e38fd98631", Amount: money.Units(474891138228179365), Detail: "onchain.activity.detected",
		}}},
		{`{"eventId":"1","eventType":"wallet.activity.detected","data":{"network":"base-mainnet","transactionHash":"` + txB + `","logIndex":"0","contractAddress":"0x01","eventName":"Transfer"}}`,
			[]Notice{{Kind: DepositSeen, Chain: "eip155:8453", Tx: txB, Index: "0", Detail: "wallet.activity.detected"}}},
		{`{"transaction_hash":"` + txB + `","address":"0x1","network":"base","confirmed_at":"2025-06-01T10:05:00Z"}`,
			[]Notice{{Kind: PayoutFinal, Chain: "eip155:8453", Tx: txB, Object: txB, Detail: "wallet.transaction.confirmed"}}},
		{`{"eventType":"wallet.transaction.broadcast","data":{"transaction_hash":"` + txB + `","network":"base"}}`,
			[]Notice{{Kind: PayoutBroadcast, Chain: "eip155:8453", Tx: txB, Object: txB, Detail: "wallet.transaction.broadcast"}}},
		{`{"eventType":"customers.customer.deleted"}`, []Notice{{Kind: Other, Detail: "customers.customer.deleted"}}},
	}
}

// Coinbase sends by a service whose own client says of each signature whether it is right.
func TestCoinbaseCDPAsTheClientOfItsServiceVerifies(t *testing.T) {
	agrees(t, "coinbase-cdp", "coinbase-cdp.json")
}

// Who takes the v1 away is left with the v0, over the same body: the event is the same one.
func TestTheWeakerOfTwoSignaturesMakesNoOtherEvent(t *testing.T) {
	both := coinbaseCDPSenders(t)
	body := []byte(both[0].body)
	weak, strong := both[0].sign(t, signedAt, body), both[1].sign(t, signedAt, body)
	weak.At, strong.At = signedAt, signedAt
	one, err1 := both[0].verify(weak, both[0].keys)
	two, err2 := both[1].verify(strong, both[1].keys)
	if one != two || err1 != nil || err2 != nil {
		t.Errorf("%q %v, %q %v", one, err1, two, err2)
	}
	strong.Headers["x-hook0-signature"] += "," + strings.TrimPrefix(weak.Headers["x-hook0-signature"], "t=1800000000,")
	if _, err := both[1].verify(strong, both[1].keys); err != nil {
		t.Errorf("both, right: %v", err)
	}
	strong.Headers["x-event-type"] = "checkout.payment.success"
	if _, err := both[1].verify(strong, both[1].keys); err != NoMatch {
		t.Errorf("a wrong v1 beside a right v0: %v", err)
	}
}

func TestACDPAmountThatCannotBeReadIsNamed(t *testing.T) {
	for body, want := range map[string]string{
		`{"eventType":"checkout.payment.success","id":"1","status":"COMPLETED","amount":"1,0","currency":"USD"}`:                                                         "amount is no amount",
		`{"eventType":"checkout.refund.success","id":"1","amount":"1","currency":"USD"}`:                                                                                 "refundedAmount is missing, or is no amount",
		`{"eventType":"checkout.payment.success","id":"1","amount":"1"}`:                                                                                                 "status is missing, or is no text",
		`{"eventType":"payments.transfers.completed","data":{"transferId":"1","status":"completed","targetAmount":"1.001","targetAsset":"usd"}}`:                         "data.targetAmount is no amount of an asset with so many decimals",
		`{"eventType":"payments.transfers.completed","data":{"transferId":"1","status":"new"}}`:                                                                          "data.status is not that of the event",
		`{"eventType":"acceptance.payment_session.capture_succeeded","data":{"paymentSession":{"paymentSessionId":"1","asset":"usd","balances":{"captured":"x"}}}}`:      "data.paymentSession.balances.captured is no amount",
		`{"eventType":"wallet.activity.detected","data":{"network":"base"}}`:                                                                                             "data.transactionHash is missing, or is no text",
		`{"network":"base","transaction_hash":"0x1","event_name":"Transfer","contract_address":"0x833589fcd6edb6e08f4c7c32d4f71b54bda02913","parameters":{"value":1.5}}`: "parameters.value is missing, or is no integer of the smallest unit",
	} {
		if _, err := readCoinbaseCDP([]byte(body), Settings{}, Keys{}); err != ReadError(want) {
			t.Errorf("%s: %v", body, err)
		}
	}
}
