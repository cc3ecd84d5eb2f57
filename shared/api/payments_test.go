package api

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"farrier/shared/chain"
	"farrier/shared/deposit"
	"farrier/shared/dynamo"
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
	second := b.post(key, "/v1/payments", orderNamed("order-2")).want(t, http.StatusCreated)
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
	second := b.post(key, "/v1/payments", orderNamed("order-2")).want(t, http.StatusCreated)
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

// orderNamed is the order with another reference.
func orderNamed(reference string) map[string]any {
	other := maps.Clone(order)
	other["reference"] = reference
	return other
}

// credited puts money into a stored payment, as credit does.
func (b *bench) credited(owner, id string, units int64, late bool) {
	b.t.Helper()
	p, err := b.Payments.Get(context.Background(), owner, id)
	if err != nil {
		b.t.Fatal(err)
	}
	after, event := p.Credit(p.Asset, money.Units(units), late, b.now)
	if err := b.Payments.Payments.Replace(context.Background(), after.Next(b.now, event), p.Version); err != nil {
		b.t.Fatal(err)
	}
}

// partlyPaid is a payment of which a part has come when its time is over, and the clock stands there.
func (b *bench) partlyPaid(owner, key, reference string) string {
	b.t.Helper()
	id := b.post(key, "/v1/payments", orderNamed(reference)).want(b.t, http.StatusCreated).text("id")
	b.credited(owner, id, 4_000_000, false)
	b.now = b.now.Add(2 * time.Hour)
	return id
}

func TestAReferenceIsOnePayment(t *testing.T) {
	b := newBench(t)
	_, key := b.merchant()
	made := b.post(key, "/v1/payments", order, "idempotency-key", "k1").want(t, http.StatusCreated)
	if again := b.post(key, "/v1/payments", order).want(t, http.StatusCreated); again.Body != made.Body {
		t.Errorf("%s\n%s", made.Body, again.Body)
	}
	used := b.post(key, "/v1/payments", order, "idempotency-key", "k2").wantProblem(t, http.StatusConflict, "reference_used")
	if !strings.Contains(used.text("detail"), made.text("id")) {
		t.Errorf("%s", used.Body)
	}
	other := maps.Clone(order)
	other["amount"] = "11"
	b.post(key, "/v1/payments", other).wantProblem(t, http.StatusConflict, "reference_used")
	b.post(key, "/v1/payments", other, "idempotency-key", "k1").wantProblem(t, http.StatusUnprocessableEntity, "key_reused")
}

func TestAPaymentIsCancelledWhereNothingHasCome(t *testing.T) {
	b := newBench(t)
	owner, key := b.merchant("payments:read", "payments:write")
	id := b.post(key, "/v1/payments", order).want(t, http.StatusCreated).text("id")
	_, reader := b.merchant("payments:read")
	b.post(reader, "/v1/payments/"+id+"/cancel", nil).wantProblem(t, http.StatusForbidden, "forbidden")
	_, other := b.merchant()
	b.post(other, "/v1/payments/"+id+"/cancel", nil).wantProblem(t, http.StatusNotFound, "not_found")
	for range 2 {
		r := b.post(key, "/v1/payments/"+id+"/cancel", nil).want(t, http.StatusOK)
		if r.text("status") != "cancelled" || r.text("cancelled_at") == "" {
			t.Errorf("%s", r.Body)
		}
	}
	paid := b.post(key, "/v1/payments", orderNamed("order-2")).want(t, http.StatusCreated).text("id")
	b.credited(owner, paid, 10_500_000, false)
	b.post(key, "/v1/payments/"+paid+"/cancel", nil).wantProblem(t, http.StatusConflict, "conflict")
}

func TestHeldMoneyIsDecidedAbout(t *testing.T) {
	b := newBench(t)
	owner, key := b.merchant("payments:read", "payments:write", "payments:decide")
	id := b.partlyPaid(owner, key, "order-1")
	held := b.get(key, "/v1/payments/"+id, "").want(t, http.StatusOK)
	decisions, _ := json.Marshal(held.JSON["decisions"])
	if want := `[{"about":"partial","amounts":[{"amount":"4.00","amount_units":"4000000","asset":"` + asset + `"}],"by":"policy","state":"held"}]`; string(decisions) != want || held.JSON["settled"] != false {
		t.Fatalf("%s", held.Body)
	}
	b.post(key, "/v1/payments/"+id+"/decide", map[string]any{"about": "over", "action": "accept"}).wantProblem(t, http.StatusConflict, "conflict")
	accepted := b.post(key, "/v1/payments/"+id+"/decide", map[string]any{"about": "partial", "action": "accept"}).want(t, http.StatusOK)
	decisions, _ = json.Marshal(accepted.JSON["decisions"])
	if accepted.JSON["settled"] != true || !strings.Contains(string(decisions), `"by":"merchant","state":"accepted"`) {
		t.Errorf("%s", accepted.Body)
	}
	refund := b.do(call{method: http.MethodPost, path: "/v1/payments/" + id + "/decide", query: "merchant=" + owner, key: operatorKey,
		body: encode(t, map[string]any{"about": "partial", "action": "refund"})}).want(t, http.StatusOK)
	decisions, _ = json.Marshal(refund.JSON["decisions"])
	if refund.JSON["settled"] != false || !strings.Contains(string(decisions), `"by":"operator","state":"refund"`) {
		t.Errorf("%s", refund.Body)
	}
}

func TestAMerchantsSettingsAreThoseOfItsNewPayments(t *testing.T) {
	b := newBench(t)
	owner, key := b.merchant("payments:read", "payments:write", "payments:decide")
	before := b.post(key, "/v1/payments", order).want(t, http.StatusCreated)
	usual, _ := json.Marshal(before.JSON["policy"])
	if string(usual) != `{"late":"hold","over":"accept","partial":"hold"}` {
		t.Errorf("%s", usual)
	}
	patch := func(key, id string, body any) reply {
		return b.do(call{method: http.MethodPatch, path: "/v1/merchants/" + id, key: key, body: encode(t, body)})
	}
	settings := map[string]any{"tolerance": map[string]any{"under_bps": 100}, "policy": map[string]any{"late": "hold"}}
	patch(key, owner, settings).want(t, http.StatusOK)
	b.now = b.now.Add(2 * time.Minute) // what a key's merchant has is remembered for one
	patch(operatorKey, owner, map[string]any{"tolerance": map[string]any{"over_bps": 200}}).want(t, http.StatusOK)
	b.now = b.now.Add(2 * time.Minute)
	after := b.post(key, "/v1/payments", orderNamed("order-2")).want(t, http.StatusCreated)
	terms, _ := json.Marshal([]any{after.JSON["tolerance"], after.JSON["policy"]})
	if string(terms) != `[{"over_bps":200,"under_bps":100},{"late":"hold","over":"accept","partial":"hold"}]` {
		t.Errorf("%s", terms)
	}
	own := maps.Clone(order)
	own["reference"], own["tolerance"], own["policy"] = "order-3", map[string]any{"under_bps": 0}, map[string]any{"late": "refund"}
	named := b.post(key, "/v1/payments", own).want(t, http.StatusCreated)
	terms, _ = json.Marshal([]any{named.JSON["tolerance"], named.JSON["policy"]})
	if string(terms) != `[{"over_bps":200,"under_bps":0},{"late":"refund","over":"accept","partial":"hold"}]` {
		t.Errorf("%s", terms)
	}
	_, other := b.merchant()
	patch(other, owner, settings).wantProblem(t, http.StatusNotFound, "not_found")
	if r := patch(key, owner, map[string]any{"tolerance": map[string]any{"under_bps": 10000}}).wantProblem(t, http.StatusUnprocessableEntity, "invalid"); !slices.Contains(r.fields(), "tolerance.under_bps") {
		t.Errorf("%s", r.Body)
	}
}

// Whoever makes payments is a shop's front, and whoever decides about money is not.
func TestAKeyThatMakesPaymentsDoesNotSayWhatIsPaid(t *testing.T) {
	b := newBench(t)
	owner, maker := b.merchant("payments:read", "payments:write")
	id := b.partlyPaid(owner, maker, "order-1")
	b.post(maker, "/v1/payments/"+id+"/decide", map[string]any{"about": "partial", "action": "accept"}).wantProblem(t, http.StatusForbidden, "forbidden")
	b.patch(maker, "/v1/merchants/"+owner, map[string]any{"tolerance": map[string]any{"under_bps": 9999}}).wantProblem(t, http.StatusForbidden, "forbidden")
	if b.get(maker, "/v1/payments/"+id, "").want(t, http.StatusOK).JSON["settled"] != false {
		t.Error("it is settled")
	}
}

func TestWhoDecidedAndWhoChangedSettingsIsInTheLogByIDs(t *testing.T) {
	b := newBench(t)
	owner, maker := b.merchant("payments:write")
	issued := b.post(operatorKey, "/v1/merchants/"+owner+"/keys", map[string]any{"name": "books", "scopes": []string{"payments:decide"}}).want(t, http.StatusCreated)
	id := b.partlyPaid(owner, maker, "order-1")
	said := func(do func()) string {
		b.log.Reset()
		do()
		return b.log.String()
	}
	decision := said(func() {
		b.post(issued.text("key"), "/v1/payments/"+id+"/decide", map[string]any{"about": "partial", "action": "accept"}).want(t, http.StatusOK)
	})
	own := said(func() {
		b.patch(issued.text("key"), "/v1/merchants/"+owner, map[string]any{"tolerance": map[string]any{"under_bps": 50}}).want(t, http.StatusOK)
	})
	operators := said(func() {
		b.patch(operatorKey, "/v1/merchants/"+owner, map[string]any{"xpubs": map[string]any{"bip122": exampleZPub}}).want(t, http.StatusOK)
	})
	for _, c := range []struct {
		log  string
		says []string
	}{
		{decision, []string{`"payment":"` + id, `"merchant":"` + owner, `"by":"` + owner, `"key":"` + issued.text("id")}},
		{own, []string{`"merchant":"` + owner, `"by":"` + owner, `"key":"` + issued.text("id")}},
		{operators, []string{`"merchant":"` + owner, `"by":"operator"`}},
	} {
		for _, want := range c.says {
			if !strings.Contains(c.log, want) {
				t.Errorf("%s does not say %s", c.log, want)
			}
		}
		if strings.Contains(c.log, issued.text("key")) || strings.Contains(c.log, exampleZPub) || strings.Contains(c.log, "order-1") {
			t.Errorf("%s says more than ids", c.log)
		}
	}
}

func TestAPaymentsWalletCallsBackAtItsOwnAddress(t *testing.T) {
	b := newBench(t)
	_, key := b.merchant()
	connection := b.post(key, "/v1/connections", map[string]any{"provider": "tokenpocket"}).want(t, http.StatusCreated).text("id")
	own := maps.Clone(order)
	own["wallet_callback"] = connection
	made := b.post(key, "/v1/payments", own).want(t, http.StatusCreated)
	address := b.post(key, "/v1/connections/"+connection+"/order-addresses", map[string]any{"order": made.text("id")}).want(t, http.StatusOK).text("callback_url")
	option, _ := made.JSON["options"].([]any)[0].(map[string]any)
	links, _ := option["links"].(map[string]any)
	link, _ := links["tokenpocket"].(string)
	said, err := url.QueryUnescape(strings.TrimPrefix(link, "tpoutside://pull.activity?param="))
	if err != nil || !strings.Contains(said, `"callbackUrl":"`+address+`"`) {
		t.Errorf("%s does not call %s", said, address)
	}
	signed := b.post(key, "/v1/connections", map[string]any{"provider": "standard-webhooks"}).want(t, http.StatusCreated).text("id")
	_, stranger := b.merchant()
	others := b.post(stranger, "/v1/connections", map[string]any{"provider": "tokenpocket"}).want(t, http.StatusCreated).text("id")
	for _, wrong := range []string{signed, others, "con_" + exampleULID} {
		own["wallet_callback"], own["reference"] = wrong, "order-2"
		if r := b.post(key, "/v1/payments", own).wantProblem(t, http.StatusUnprocessableEntity, "invalid"); !slices.Contains(r.fields(), "wallet_callback") {
			t.Errorf("%s", r.Body)
		}
	}
}

func TestAPaymentCanBePaidInEachOfItsOptions(t *testing.T) {
	b := newBench(t)
	owner, key := b.merchant()
	body := map[string]any{"reference": "order-1", "options": []any{map[string]any{"asset": asset, "amount": "10.50"}, map[string]any{"asset": otherAsset, "amount": "21"}}}
	made := b.post(key, "/v1/payments", body).want(t, http.StatusCreated)
	b.credited(owner, made.text("id"), 5_250_000, false)
	got := b.get(key, "/v1/payments/"+made.text("id"), "").want(t, http.StatusOK)
	options, _ := got.JSON["options"].([]any)
	second, _ := options[1].(map[string]any)
	if len(options) != 2 || second["remaining"] != "10.50" || second["address"] != got.text("address") || got.text("status") != "partial" || got.text("received") != "5.25" {
		t.Errorf("%s", got.Body)
	}
	for _, wrong := range []any{
		map[string]any{"reference": "order-2", "options": []any{}},
		map[string]any{"reference": "order-2", "options": []any{body["options"].([]any)[0], body["options"].([]any)[0]}},
		map[string]any{"reference": "order-2"},
	} {
		b.post(key, "/v1/payments", wrong).wantProblem(t, http.StatusUnprocessableEntity, "invalid")
	}
}

func TestAStatementIsOfWhatWasAskedAndWhatCame(t *testing.T) {
	b := newBench(t)
	owner, key := b.merchant("payments:read", "payments:write")
	made := b.post(key, "/v1/payments", order).want(t, http.StatusCreated)
	d := b.arrive(owner, made.text("id"), made.text("address"), "0xaa")
	legs := ledger.Legs{ledger.Available: d.Amount, ledger.Custody: d.Amount.Neg()}
	if err := b.Ledger.Entries.Create(context.Background(), ledger.EntryFor(d, 0, ledger.Credit, legs, ledger.TowardInTime, b.now)); err != nil {
		t.Fatal(err)
	}
	b.credited(owner, made.text("id"), 10_500_000, false)
	got := b.get(key, "/v1/payments/"+made.text("id")+"/statement", "").want(t, http.StatusOK)
	line, _ := got.JSON["lines"].([]any)[0].(map[string]any)
	sum, _ := got.JSON["sums"].([]any)[0].(map[string]any)
	if line["counts"] != "in_time" || sum["in_time_units"] != "10500000" || sum["remaining"] != "0.00" || got.JSON["payment"].(map[string]any)["status"] != "paid" {
		t.Errorf("%s", got.Body)
	}
	_, other := b.merchant()
	b.get(other, "/v1/payments/"+made.text("id")+"/statement", "").wantProblem(t, http.StatusNotFound, "not_found")
}

// A merchant that had no EVM account when it was made has its references at their names, also when it has one.
func TestAMerchantsReferencesStayWhereTheyAreClaimed(t *testing.T) {
	b := newBench(t)
	owner := b.post(operatorKey, "/v1/merchants", map[string]any{"name": "Shop", "xpubs": map[string]any{"bip122": exampleZPub}}).want(t, http.StatusCreated).text("id")
	key := b.post(operatorKey, "/v1/merchants/"+owner+"/keys", map[string]any{"name": "k", "scopes": []string{"*"}}).want(t, http.StatusCreated).text("key")
	b.patch(operatorKey, "/v1/merchants/"+owner, map[string]any{"xpubs": map[string]any{"eip155": exampleXPub}}).want(t, http.StatusOK)
	b.post(key, "/v1/payments", order).want(t, http.StatusCreated)
	named := 0
	if err := b.Payments.Addresses.Scan(context.Background(), func(item dynamo.Item) error {
		var claim struct {
			SK string `dynamodbav:"sk"`
		}
		err := dynamo.Unmarshal(item, &claim)
		if claim.SK == "reference" {
			named++
		}
		return err
	}); err != nil || named != 1 {
		t.Errorf("%d references, %v", named, err)
	}
}
