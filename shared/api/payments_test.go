package api

import (
	"context"
	"net/http"
	"strconv"
	"testing"
	"time"

	"farrier/shared/chain"
	"farrier/shared/deposit"
	"farrier/shared/ledger"
	"farrier/shared/money"
)

var order = map[string]any{"asset": asset, "amount": "10.50", "reference": "order-1", "expires_in": 600, "metadata": map[string]string{"customer": "c-77"}}

func TestAPaymentIsAskedForReadAndListed(t *testing.T) {
	b := newBench(t)
	_, key := b.merchant("payments:read", "payments:write")
	made := b.post(key, "/v1/payments", order).want(t, http.StatusCreated)
	if made.text("status") != "waiting" || made.text("amount") != "10.50" || made.text("amount_units") != "10500000" || made.text("asset") != asset ||
		made.text("expires_at") != b.now.Add(10*time.Minute).Format(time.RFC3339) {
		t.Fatalf("%s", made.Body)
	}
	uris, _ := made.JSON["uris"].(map[string]any)
	if uris["address"] != made.JSON["address"] || uris["eip681"] == "" {
		t.Fatalf("%s", made.Body)
	}
	got := b.get(key, "/v1/payments/"+made.text("id"), "").want(t, http.StatusOK)
	if got.text("id") != made.text("id") || got.text("address") != made.text("address") || len(got.JSON["deposits"].([]any)) != 0 {
		t.Fatalf("%s", got.Body)
	}
	b.now = b.now.Add(time.Minute)
	second := b.post(key, "/v1/payments", order).want(t, http.StatusCreated)
	if second.text("address") == made.text("address") {
		t.Fatal("two payments share an address")
	}
	page := b.get(key, "/v1/payments", "limit=1").want(t, http.StatusOK)
	rest := b.get(key, "/v1/payments", "limit=1&cursor="+page.text("next")).want(t, http.StatusOK)
	if page.data(t)[0]["id"] != second.text("id") || rest.data(t)[0]["id"] != made.text("id") {
		t.Fatalf("%s\n%s", page.Body, rest.Body)
	}
}

func TestAPaymentHasTheTimeThatIsUsual(t *testing.T) {
	b := newBench(t)
	_, key := b.merchant()
	made := b.post(key, "/v1/payments", map[string]any{"asset": asset, "amount": "1", "reference": "r"}).want(t, http.StatusCreated)
	if made.text("expires_at") != b.now.Add(time.Hour).Format(time.RFC3339) {
		t.Fatalf("%s", made.Body)
	}
}

func TestTheSameKeyAndBodyMakeOnePayment(t *testing.T) {
	b := newBench(t)
	_, key := b.merchant()
	first := b.post(key, "/v1/payments", order, "idempotency-key", "k1").want(t, http.StatusCreated)
	b.now = b.now.Add(time.Minute)
	again := b.post(key, "/v1/payments", order, "idempotency-key", "k1").want(t, http.StatusCreated)
	if again.Body != first.Body {
		t.Fatalf("%s\n%s", first.Body, again.Body)
	}
	other := map[string]any{"asset": asset, "amount": "10.51", "reference": "order-1"}
	b.post(key, "/v1/payments", other, "idempotency-key", "k1").wantProblem(t, http.StatusUnprocessableEntity, "key_reused")
	_, another := b.merchant()
	if r := b.post(another, "/v1/payments", order, "idempotency-key", "k1").want(t, http.StatusCreated); r.text("id") == first.text("id") {
		t.Fatal("two merchants share a key")
	}
}

func TestTheOperatorActsForTheMerchantThatItNames(t *testing.T) {
	b := newBench(t)
	owner, key := b.merchant()
	b.post(operatorKey, "/v1/payments", order).wantProblem(t, http.StatusUnprocessableEntity, "invalid")
	body := map[string]any{"merchant": owner}
	for k, v := range order {
		body[k] = v
	}
	made := b.post(operatorKey, "/v1/payments", body).want(t, http.StatusCreated)
	b.get(key, "/v1/payments/"+made.text("id"), "").want(t, http.StatusOK)
	b.get(operatorKey, "/v1/payments/"+made.text("id"), "merchant="+owner).want(t, http.StatusOK)
	b.get(operatorKey, "/v1/payments/"+made.text("id"), "").wantProblem(t, http.StatusUnprocessableEntity, "invalid")
	b.get(operatorKey, "/v1/payments", "merchant=mer_"+exampleULID).wantProblem(t, http.StatusNotFound, "not_found")
}

// arrive writes a deposit for a payment, as watch does.
func (b *bench) arrive(owner, payment, address, tx string) deposit.Deposit {
	b.t.Helper()
	amount, err := money.ParseUnits("10500000")
	if err != nil {
		b.t.Fatal(err)
	}
	key := deposit.KeyOf(owner, payment, chain.ID("eip155:31337"), tx, "log-0")
	d := deposit.Deposit{
		PK: key.PK, SK: key.SK, ID: deposit.IDOf("eip155:31337", tx, "log-0"), Merchant: owner, Payment: payment, Chain: "eip155:31337", Tx: tx, Index: "log-0",
		Asset: asset, Decimals: 6, From: "0x01", To: address, Amount: amount, State: deposit.Final, Height: 7, BlockHash: "0xb", BlockTime: b.now,
		NoticedAt: b.now, UpdatedAt: b.now, Version: 1,
	}
	if err := b.Deposits.Table.Create(context.Background(), d); err != nil {
		b.t.Fatal(err)
	}
	return d
}

func TestDepositsAreListedForAMerchantAndForAPayment(t *testing.T) {
	b := newBench(t)
	owner, key := b.merchant()
	first := b.post(key, "/v1/payments", order).want(t, http.StatusCreated)
	second := b.post(key, "/v1/payments", order).want(t, http.StatusCreated)
	b.arrive(owner, first.text("id"), first.text("address"), "0xaa")
	b.arrive(owner, second.text("id"), second.text("address"), "0xbb")
	if all := b.get(key, "/v1/deposits", "").want(t, http.StatusOK).data(t); len(all) != 2 {
		t.Fatalf("%v", all)
	}
	one := b.get(key, "/v1/deposits", "payment="+first.text("id")).want(t, http.StatusOK).data(t)
	if len(one) != 1 || one[0]["transaction"] != "0xaa" || one[0]["amount"] != "10.50" || one[0]["status"] != "final" {
		t.Fatalf("%v", one)
	}
	with := b.get(key, "/v1/payments/"+first.text("id"), "").want(t, http.StatusOK).JSON["deposits"].([]any)
	if len(with) != 1 {
		t.Fatalf("%v", with)
	}
}

func TestEntriesAndBalancesAreListed(t *testing.T) {
	b := newBench(t)
	owner, key := b.merchant("ledger:read")
	var balance ledger.Balance
	for i := range 3 {
		d := b.arrive(owner, "pay_"+exampleULID[:25]+strconv.Itoa(i), "0x02", "0x0"+strconv.Itoa(i))
		legs := ledger.Legs{ledger.Available: d.Amount, ledger.Custody: d.Amount.Neg()}
		e := ledger.EntryFor(d, 0, ledger.Credit, legs, ledger.TowardInTime, b.now)
		if err := b.Ledger.Entries.Create(context.Background(), e); err != nil {
			t.Fatal(err)
		}
		at := ledger.BalanceKey(owner, asset, 0)
		balance = ledger.Balance{PK: at.PK, SK: at.SK, Asset: asset, Decimals: 6, Legs: balance.Legs, Entries: balance.Entries, Version: balance.Version}.Add(b.now, e)
		b.now = b.now.Add(time.Second)
	}
	if err := b.Ledger.Balances.Create(context.Background(), balance); err != nil {
		t.Fatal(err)
	}
	totals := b.get(key, "/v1/balances", "").want(t, http.StatusOK).data(t)
	if len(totals) != 1 || totals[0]["available"] != "31.50" || totals[0]["available_units"] != "31500000" || totals[0]["entries"] != 3.0 {
		t.Fatalf("%v", totals)
	}
	page := b.get(key, "/v1/entries", "limit=2").want(t, http.StatusOK)
	rest := b.get(key, "/v1/entries", "limit=2&cursor="+page.text("next")).want(t, http.StatusOK)
	got := append(page.data(t), rest.data(t)...)
	if len(got) != 3 || rest.JSON["next"] != nil || got[0]["transaction"] != "0x02" || got[2]["transaction"] != "0x00" || got[0]["amount"] != "10.50" {
		t.Fatalf("%s\n%s", page.Body, rest.Body)
	}
}
