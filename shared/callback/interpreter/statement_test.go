package interpreter

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"farrier/shared/callback"
	"farrier/shared/chain"
	"farrier/shared/deposit"
	"farrier/shared/money"
	"farrier/shared/payment"
	"farrier/shared/wallet"
)

// trusts changes what the reader's connection is: of a provider, with a trust. What it is signed with does not matter here.
func (r *reader) trusts(t testing.TB, provider string, trust callback.Trust, settings callback.Settings) {
	t.Helper()
	r.connection.Provider, r.connection.Trust, r.connection.Settings, r.connection.Shards = provider, trust, settings, 4
	r.connection.Version++
	if err := r.Known.Connections.Table.Replace(context.Background(), r.connection, r.connection.Version-1); err != nil {
		t.Fatal(err)
	}
	r.Known = &callback.Known{Connections: r.Known.Connections}
}

// gateway is a reader whose connection is NOWPayments' and is believed.
func gateway(t testing.TB) *reader {
	t.Helper()
	r := open(t)
	r.trusts(t, "nowpayments", callback.Statement, callback.Settings{Assets: map[string]callback.KnownAsset{
		"usdttrc20": {Asset: "tron:0x2b6653dc/trc20:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", Decimals: 6},
		"usdtmatic": {Asset: "eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f", Decimals: 6},
	}})
	return r
}

var told int

// tells brings one body.
func (r *reader) tells(t testing.TB, body string) (event string) {
	t.Helper()
	told++
	event = fmt.Sprintf("evt_%d", told)
	if failed := r.bring(t, r.keep(t, event, body)); failed != nil {
		t.Fatal(failed)
	}
	return event
}

func nowPaid(status, paid string, more ...string) string {
	return fmt.Sprintf(`{"payment_id":5077125051,"payment_status":%q,"pay_amount":10,"actually_paid":%s,"pay_currency":"usdttrc20","price_currency":"usd"%s}`,
		status, paid, strings.Join(append([]string{""}, more...), ","))
}

func (r *reader) held(t testing.TB) []deposit.Deposit {
	t.Helper()
	all, _, err := r.Deposits.ByMerchant(context.Background(), r.connection.Merchant, 100, "")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (r *reader) holds(t testing.TB, state deposit.State, units int64) {
	t.Helper()
	all := r.held(t)
	if len(all) != 1 || all[0].State != state || (state == deposit.Final && all[0].Amount.Cmp(money.Units(units)) != 0) {
		t.Errorf("%+v, want one %s with %d", all, state, units)
	}
}

func TestAPaidStatementBecomesOneHeldDepositOfTheConnectionsMerchant(t *testing.T) {
	r := gateway(t)
	body := nowPaid("finished", "10.5", `"order_id":"order 1"`)
	r.tells(t, body)
	r.tells(t, body) // under another id
	r.tells(t, nowPaid("finished", "10.50"))
	r.holds(t, deposit.Final, 10_500_000)
	d := r.held(t)[0]
	if d.Merchant != "mer_1" || d.Payment != "" || d.Held.Connection != r.connection.ID || d.Held.Provider != "nowpayments" || d.Held.Object != "5077125051" ||
		d.Asset != "tron:0x2b6653dc/trc20:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t" || d.Decimals != 6 || !d.Held.At.Equal(r.Now()) || d.Version != 1 {
		t.Errorf("%+v %+v", d, d.Held)
	}
	if got := messages(t, r.Looks); len(got) != 0 {
		t.Errorf("looks: %v", got)
	}
}

func TestNothingUnpaidCredits(t *testing.T) {
	for _, status := range []string{"waiting", "confirming", "confirmed", "sending", "failed", "expired"} {
		r := gateway(t)
		event := r.tells(t, nowPaid(status, "10"))
		if held := r.held(t); len(held) != 0 {
			t.Errorf("%s: %+v", status, held)
		}
		if stored := r.stored(t, event); stored.Outcome != "" {
			t.Errorf("%s: %+v", status, stored)
		}
	}
}

func TestAWatchersWordIsNotBelieved(t *testing.T) {
	r := gateway(t)
	r.trusts(t, "nowpayments", callback.Look, r.connection.Settings)
	r.tells(t, nowPaid("finished", "10"))
	if held := r.held(t); len(held) != 0 {
		t.Errorf("%+v", held)
	}
}

func TestPartsGrowAndTheWholeStands(t *testing.T) {
	r := gateway(t)
	r.tells(t, nowPaid("partially_paid", "4"))
	r.holds(t, deposit.Final, 4_000_000)
	r.tells(t, nowPaid("partially_paid", "7"))
	r.tells(t, nowPaid("partially_paid", "4"))
	r.holds(t, deposit.Final, 7_000_000)
	r.tells(t, nowPaid("finished", "10"))
	r.holds(t, deposit.Final, 10_000_000)
}

func TestAnotherAmountOfWhatStandsIsAContradictionAndMovesNothing(t *testing.T) {
	r := gateway(t)
	r.tells(t, nowPaid("finished", "10"))
	event := r.tells(t, nowPaid("finished", "100"))
	r.holds(t, deposit.Final, 10_000_000)
	if stored := r.stored(t, event); stored.Outcome != callback.Contradiction {
		t.Errorf("%+v", stored)
	}
	if !strings.Contains(r.told.String(), `"CallbackContradiction":1`) {
		t.Error("not counted")
	}
}

func TestARefundTakesBackAlsoWhereItComesFirst(t *testing.T) {
	r := gateway(t)
	r.tells(t, nowPaid("finished", "10"))
	r.tells(t, nowPaid("refunded", "10"))
	r.tells(t, nowPaid("finished", "10"))
	r.holds(t, deposit.Reversed, 0)
	other := gateway(t)
	other.tells(t, nowPaid("refunded", "10"))
	other.tells(t, nowPaid("finished", "10"))
	other.holds(t, deposit.Dropped, 0)
}

func TestAnAssetThatTheConnectionDoesNotKnowIsMarkedAndBooksNothing(t *testing.T) {
	r := gateway(t)
	event := r.tells(t, strings.Replace(nowPaid("finished", "10"), "usdttrc20", "fakecoin", 1))
	if stored := r.stored(t, event); stored.Outcome != callback.UnknownAsset || !strings.Contains(stored.Detail, "fakecoin") {
		t.Errorf("%+v", stored)
	}
	if held := r.held(t); len(held) != 0 {
		t.Errorf("%+v", held)
	}
	// The operator adds the asset, and has the callback read again.
	settings := r.connection.Settings
	settings.Assets = map[string]callback.KnownAsset{"fakecoin": {Asset: "iso4217:EUR", Decimals: 2}}
	r.trusts(t, "nowpayments", callback.Statement, settings)
	r.redrive(t, r.stored(t, event))
	r.holds(t, deposit.Final, 1000)
	if stored := r.stored(t, event); stored.Outcome != "" {
		t.Errorf("%+v", stored)
	}
}

// redrive brings a receipt out of the function's own queue.
func (r *reader) redrive(t testing.TB, receipt callback.Receipt) {
	t.Helper()
	if err := r.Interpreter.Redriven(context.Background(), r.record(t, "INSERT", receipt)); err != nil {
		t.Fatal(err)
	}
}

func TestDecimalsOfAConfiguredAssetAreNotTheConnectionsToChoose(t *testing.T) {
	r := open(t)
	r.Chains, _ = chain.ParseSet(`[{"id":"eip155:137","name":"Polygon","block_time":"2s","finality":{"depth":1},"tokens":[{"symbol":"USDT","decimals":6,"address":"0xc2132D05D31c914a87C6611C10748AEb04B58e8F"}]}]`)
	const asset = "eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f"
	r.trusts(t, "nowpayments", callback.Statement, callback.Settings{Assets: map[string]callback.KnownAsset{"usdttrc20": {Asset: asset, Decimals: 18}}})
	if stored := r.stored(t, r.tells(t, nowPaid("finished", "10"))); stored.Outcome != callback.UnknownAsset {
		t.Errorf("%+v", stored)
	}
}

func TestAnObjectCountsForThePaymentThatItsReferenceNames(t *testing.T) {
	r := gateway(t)
	const ours, others = "pay_01M7YZMHG0B7WWSFCS7XJV1HTR", "pay_01M7YZMHG0B7WWSFCS7XJV1HTS"
	for merchant, name := range map[string]string{"mer_1": ours, "mer_2": others} {
		if err := r.Payments.Create(context.Background(), payment.Payment{PK: merchant, SK: name, ID: name, Version: 1}); err != nil {
			t.Fatal(err)
		}
	}
	r.tells(t, nowPaid("finished", "10", `"order_id":"`+ours+`"`))
	r.tells(t, strings.Replace(nowPaid("finished", "10", `"order_id":"`+others+`"`), "5077125051", "1", 1))
	r.tells(t, strings.Replace(nowPaid("finished", "10", `"order_id":"pay_01M7YZMHG0B7WWSFCS7XJV1HTT"`), "5077125051", "2", 1))
	var payments []string
	for _, d := range r.held(t) {
		payments = append(payments, d.Payment)
	}
	if !slices.Equal(payments, []string{ours, "", ""}) {
		t.Errorf("%v", payments)
	}
	// Whatever it names later, it counts for the first, once.
	r.tells(t, nowPaid("finished", "10"))
	r.tells(t, nowPaid("refunded", "10", `"order_id":"`+others+`"`))
	if d := r.held(t)[0]; len(r.held(t)) != 3 || d.Payment != ours || d.State != deposit.Reversed {
		t.Errorf("%+v", d)
	}
}

func TestWhatGoesToAnAddressOfOursIsTheChainWatchs(t *testing.T) {
	r := gateway(t)
	const address = "0xa1b2c3d4e5f60718293a4b5c6d7e8f9012345678"
	key := wallet.KeyOf("eip155", address)
	if err := r.Addresses.Create(context.Background(), wallet.Address{PK: key.PK, SK: key.SK, Address: address, Merchant: "mer_2"}); err != nil {
		t.Fatal(err)
	}
	body := strings.Replace(nowPaid("finished", "10", `"network":"matic"`, `"pay_address":"0xA1B2c3D4e5F60718293a4b5c6d7e8f9012345678"`, `"payin_hash":"`+txA+`"`), "usdttrc20", "usdtmatic", 1)
	r.tells(t, body)
	if held := r.held(t); len(held) != 0 {
		t.Errorf("%+v", held)
	}
	if got := messages(t, r.Looks); !slices.Equal(got, []string{`{"chain":"eip155:137","tx":"` + txA + `"}`}) {
		t.Errorf("%v", got)
	}
	// The same money elsewhere is the provider's.
	r.tells(t, strings.Replace(body, "0xA1B2", "0xA1B3", 1))
	r.holds(t, deposit.Final, 10_000_000)
}

func TestAConflictingSecondBodyIsNotBelieved(t *testing.T) {
	r := gateway(t)
	r.bring(t, r.keep(t, "same", nowPaid("partially_paid", "4")))
	r.keep(t, "same", nowPaid("finished", "1000"))
	page, _, err := r.Receipts.Of(context.Background(), r.connection.ID, 0, "")
	if err != nil || len(page) != 2 {
		t.Fatal(len(page), err)
	}
	for _, receipt := range page {
		r.bring(t, r.record(t, "INSERT", receipt))
		r.redrive(t, receipt)
	}
	r.holds(t, deposit.Final, 4_000_000)
}

func TestMoneyOfAState(t *testing.T) {
	r := open(t)
	r.trusts(t, "stripe", callback.Statement, callback.Settings{})
	r.tells(t, `{"id":"evt_1","object":"event","type":"payment_intent.succeeded","livemode":true,"data":{"object":{"id":"pi_1","status":"succeeded","amount":1050,"amount_received":1050,"currency":"eur"}}}`)
	r.holds(t, deposit.Final, 1050)
	if d := r.held(t)[0]; d.Asset != "iso4217:EUR" || d.Decimals != 2 {
		t.Errorf("%+v", d)
	}
	r.tells(t, `{"id":"evt_2","object":"event","type":"charge.refunded","livemode":true,"data":{"object":{"id":"ch_1","payment_intent":"pi_1","status":"succeeded","amount":1050,"amount_refunded":50,"currency":"eur"}}}`)
	r.holds(t, deposit.Final, 1000)
}
