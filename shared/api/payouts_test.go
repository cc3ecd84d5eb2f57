package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/approval"
	"farrier/shared/chain"
	"farrier/shared/dynamo"
	"farrier/shared/ledger"
	"farrier/shared/merchant"
	"farrier/shared/money"
	"farrier/shared/parts"
	"farrier/shared/payout"
	"farrier/shared/payout/desk"
	"farrier/shared/payout/policy"
	"farrier/shared/seal"
	"farrier/shared/signer"
	"farrier/shared/wallet"
)

const (
	local  = chain.ID("eip155:31337")
	hot    = "0x1111111111111111111111111111111111111111"
	payee  = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed" // EIP-55's first example
	double = "0x5aaeffffffffffffffffffffffffffffffffeaed" // begins and ends like it
	// rules let everything on the list of assets go: tests that want approvals say whose.
	rules = `{"rules": [{"asset": "` + asset + `", "above": "0", "need": 0}],
		"limits": [{"asset": "` + asset + `", "scope": "payout", "most": "500000000"}, {"asset": "` + asset + `", "scope": "day", "most": "5000000000"}],
		"fees": [{"chain": "eip155:31337", "most": "1000000000000000", "day": "1000000000000000000"}], "destinations": "any",
		"least": [{"asset": "` + asset + `", "amount": "10000"}]}`
)

// payouts wires what payouts need, and the room of approvers.
func (b *bench) payouts(set *chain.Set, table func(...parts.Index) dynamo.Table, sealer *seal.Sealer) {
	b.t.Helper()
	clock := func() time.Time { return b.now }
	var err error
	if b.Policy, err = policy.Parse(rules); err != nil {
		b.t.Fatal(err)
	}
	b.Payouts = payout.Store{
		Payouts: table(parts.Index{Name: payout.OpenIndex, Partition: "open_chain", Sort: "sk"}), References: table(), Assets: set, Now: clock, Random: rand.Reader,
	}
	b.Known = payout.Known{Allowed: payout.Allowed{Table: table(), Now: clock}, Paid: payout.Paid{Table: table(), Now: clock}}
	b.Freezes = payout.Freezes{Table: table(), Now: clock}
	b.Approvals = approval.Approvals{Table: table(), Now: clock}
	b.Desk = desk.Desk{
		Payouts: b.Payouts, Policy: b.Policy, Costs: payout.Costs{Table: table()}, Freezes: b.Freezes, Known: b.Known,
		Wallets: desk.Fixed{local: hot}, Addresses: b.Payments.Addresses, Ledger: b.Ledger, Now: clock,
	}
	b.codes = approval.Codes{Table: table(), Open: sealer.Open, Now: clock}
	b.approving = &API{
		Door: b.Door, Merchants: b.Merchants, Answers: b.Answers, Payouts: b.Payouts, Approvals: b.Approvals, Pay: b.Pay, Policy: b.Policy, Known: b.Known, Freezes: b.Freezes,
		Approvers: approval.Approvers{Table: table(), Seal: sealer.Seal, Now: clock, Random: rand.Reader},
		Signer:    signer.Client{Invoke: b.signs}, Room: Approving, Now: clock, Random: rand.Reader, Log: b.Log,
	}
}

// signs answers as the signer does, as far as it judges approvals.
func (b *bench) signs(ctx context.Context, asked []byte) ([]byte, error) {
	var ask signer.Ask
	if err := json.Unmarshal(asked, &ask); err != nil {
		return nil, err
	}
	switch {
	case ask.Custody == signer.KMS:
		return json.Marshal(signer.Answer{Address: hot})
	case ask.Custody == signer.Seed:
		return json.Marshal(signer.Answer{Accounts: wallet.Accounts{"eip155": exampleXPub}})
	}
	p, err := b.Payouts.Get(ctx, ask.Merchant, ask.Payout)
	if err != nil {
		return nil, err
	}
	var frozen *payout.FrozenError
	if err := b.Freezes.Check(ctx, p); errors.As(err, &frozen) {
		return json.Marshal(signer.Answer{Refused: &signer.Refusal{Code: signer.Frozen, Detail: frozen.Error()}})
	}
	said, err := b.Approvals.Of(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	who := map[string]approval.Approver{}
	for _, a := range said {
		if who[a.Approver], err = b.approving.Approvers.Get(ctx, a.Approver); err != nil {
			return nil, err
		}
	}
	hash, _ := p.Hash()
	verdict, err := b.Policy.Approvals.Judge(approval.Asked{Payout: p.ID, Hash: hash, Requester: p.Requester, Asset: p.Asset, Amount: p.Amount}, said, who,
		func(by approval.Approver, a approval.Approval) error { return b.codes.Check(ctx, by, a) }, b.now)
	if err != nil {
		return nil, err
	}
	return json.Marshal(signer.Answer{Verdict: &verdict})
}

// needs has the policy want approvals of these people.
func (b *bench) needs(n int, of ...person) {
	rule := approval.Rule{Asset: asset, Need: n}
	for _, p := range of {
		rule.Of = append(rule.Of, p.id)
	}
	b.Policy.Approvals.Rules = []approval.Rule{rule}
	b.Desk.Policy, b.approving.Policy = b.Policy, b.Policy
}

// person is an approver with key and telephone.
type person struct {
	id, key string
	phone   parts.Authenticator
}

func (b *bench) approver(name string, keys ...string) person {
	b.t.Helper()
	body := map[string]any{"name": name}
	if len(keys) > 0 {
		body["keys"] = keys
	}
	made := b.post(operatorKey, "/v1/approvers", body).want(b.t, http.StatusCreated)
	return person{made.text("id"), made.text("key"), parts.NewAuthenticator(b.t, made.text("otpauth"))}
}

// keyFor is one that may call an operation.
func (b *bench) keyFor(op *huma.Operation, merchants string, by person) string {
	switch scope := merchant.Scope(scopeOf(op)); {
	case scope.OfMerchant():
		return merchants
	case scope.OfApprover():
		return by.key
	}
	return operatorKey
}

// rich is a merchant with 100 USDT on a chain of which it is known what it costs.
func (b *bench) rich(scopes ...string) (owner, key string) {
	b.t.Helper()
	owner, key = b.merchant(scopes...)
	b.fund(owner)
	return owner, key
}

func (b *bench) fund(owner string) {
	b.t.Helper()
	at := ledger.BalanceKey(owner, asset, 0)
	price := payout.Price{FeePerGas: money.Units(3_000_000), TipPerGas: money.Units(1_000_000)}
	err := errors.Join(
		b.Ledger.Balances.Create(context.Background(), ledger.Balance{
			PK: at.PK, SK: at.SK, Asset: asset, Decimals: 6, Legs: ledger.Legs{ledger.Available: money.Units(100_000_000)}, Version: 1,
		}),
		b.Desk.Costs.Tell(context.Background(), local, payout.Cost{
			Base: money.Units(1_000_000), Prices: map[payout.Speed]payout.Price{payout.Slow: price, payout.Normal: price, payout.Fast: price},
			CoinGas: 21_000, TokenGas: 100_000, At: b.now,
		}),
	)
	if err != nil {
		b.t.Fatal(err)
	}
}

func salary(reference string) map[string]any {
	return map[string]any{"asset": asset, "amount": "10.50", "to": payee, "reference": reference, "metadata": map[string]any{"employee": "e-17"}}
}

// asked is a payout that waits for approvals, as pay leaves it.
func (b *bench) asked(owner, key, reference string) reply {
	b.t.Helper()
	made := b.post(key, "/v1/payouts", salary(reference)).want(b.t, http.StatusCreated)
	b.step(owner, made.text("id"), payout.Payout.Check)
	return made
}

// step does what pay does, the book apart.
func (b *bench) step(owner, name string, steps ...func(payout.Payout, time.Time) (payout.Payout, error)) {
	b.t.Helper()
	for _, step := range steps {
		p, err := b.Payouts.Get(context.Background(), owner, name)
		if err != nil {
			b.t.Fatal(err)
		}
		next, err := step(p, b.now)
		if err == nil {
			err = b.Payouts.Payouts.Replace(context.Background(), next, p.Version)
		}
		if err != nil {
			b.t.Fatal(err)
		}
	}
}

// says posts what a person says of a payout, with the next code.
func (b *bench) says(by person, verb, owner string, p reply) reply {
	b.t.Helper()
	b.now = b.now.Add(30 * time.Second)
	return b.post(by.key, "/v1/payouts/"+p.text("id")+"/"+verb, saying(owner, p, by.phone.Code(b.now)))
}

func saying(owner string, p reply, code string) map[string]any {
	return map[string]any{"merchant": owner, "hash": p.text("hash"), "code": code}
}

func names(r reply, field string) bool { return slices.Equal(r.fields(), []string{field}) }

func TestAPayoutIsAskedForReadAndListed(t *testing.T) {
	b := newBench(t)
	_, key := b.rich("payouts:read", "payouts:write")
	made := b.post(key, "/v1/payouts", salary("salary-17")).want(t, http.StatusCreated)
	if made.text("status") != "requested" || made.text("amount_units") != "10500000" || made.text("to") != payee || made.text("speed") != "normal" ||
		made.text("fee_most_units") != "900000000000" || len(made.text("hash")) != 64 {
		t.Fatalf("%s", made.Body)
	}
	if got := b.get(key, "/v1/payouts/"+made.text("id"), "").want(t, http.StatusOK); got.Body != made.Body {
		t.Errorf("%s\n%s", got.Body, made.Body)
	}
	b.now = b.now.Add(time.Minute)
	second := b.post(key, "/v1/payouts", salary("salary-18")).want(t, http.StatusCreated)
	page := b.get(key, "/v1/payouts", "limit=1").want(t, http.StatusOK)
	rest := b.get(key, "/v1/payouts", "limit=1&cursor="+page.text("next")).want(t, http.StatusOK)
	if page.data(t)[0]["id"] != second.text("id") || rest.data(t)[0]["id"] != made.text("id") {
		t.Errorf("%s\n%s", page.Body, rest.Body)
	}
	wallets := b.get(key, "/v1/wallets", "").want(t, http.StatusOK).data(t)
	if len(wallets) != 1 || wallets[0]["chain"] != string(local) || wallets[0]["address"] != hot {
		t.Errorf("%v", wallets)
	}
}

func TestAReferenceIsOnePayout(t *testing.T) {
	b := newBench(t)
	_, key := b.rich()
	made := b.post(key, "/v1/payouts", salary("salary-17"), "idempotency-key", "k1").want(t, http.StatusCreated)
	for _, header := range [][]string{nil, {"idempotency-key", "k1"}, {"idempotency-key", "k2"}} {
		if again := b.post(key, "/v1/payouts", salary("salary-17"), header...).want(t, http.StatusCreated); again.Body != made.Body {
			t.Errorf("%v: %s\n%s", header, made.Body, again.Body)
		}
	}
	other := salary("salary-17")
	other["amount"] = "11"
	used := b.post(key, "/v1/payouts", other).wantProblem(t, http.StatusConflict, "reference_used")
	if !strings.Contains(used.text("detail"), made.text("id")) {
		t.Errorf("%s", used.Body)
	}
}

func TestWhatCannotBePaidOutIsRefusedByTheFieldsName(t *testing.T) {
	b := newBench(t)
	owner, key := b.rich()
	if _, err := b.Known.Allowed.Allow(context.Background(), owner, local, double, "", "apr_1"); err != nil {
		t.Fatal(err)
	}
	ours := b.post(key, "/v1/payments", order).want(t, http.StatusCreated).text("address")
	for name, c := range map[string]struct{ field, value, says string }{
		"a wrong checksum":          {"to", strings.Replace(payee, "aA", "AA", 1), "checksum"},
		"an address of ours":        {"to", ours, "this system"},
		"the wallet that pays":      {"to", hot, "wallet"},
		"the zero address":          {"to", "0x0000000000000000000000000000000000000000", "lost"},
		"the token itself":          {"to", asset[len("eip155:31337/erc20:"):], "lost"},
		"a look-alike":              {"to", payee, "0x5Aae"},
		"zero":                      {"amount", "0", "zero"},
		"dust":                      {"amount", "0.009999", "dust"},
		"over-precision":            {"amount", "10.0000001", "decimal"},
		"more than the balance":     {"amount", "100.000001", "100.00 is available"},
		"more than a payout may be": {"amount", "500.01", "limit"},
		"another family's asset":    {"asset", "tron:0x2b6653dc/slip44:195", ""},
		"an asset without a rule":   {"asset", otherAsset, "rule"},
		"somebody's wallet":         {"wallet", payee, "merchant"},
	} {
		body := salary("salary-17")
		body[c.field] = c.value
		r := b.post(key, "/v1/payouts", body).wantProblem(t, http.StatusUnprocessableEntity, "invalid")
		if !names(r, c.field) || !strings.Contains(strings.ToLower(r.text("detail")), strings.ToLower(c.says)) {
			t.Errorf("%s: %s", name, r.Body)
		}
	}
	body := salary("salary-17")
	body["lookalike"] = true
	made := b.post(key, "/v1/payouts", body).want(t, http.StatusCreated)
	alike, _ := made.JSON["lookalikes"].([]any)
	if len(alike) != 1 || alike[0].(map[string]any)["known"] != "allowed" {
		t.Errorf("what it looks like is not shown: %s", made.Body)
	}
}

func TestAnEstimateSaysWhatAPayoutCostsAndThatNobodyKnows(t *testing.T) {
	b := newBench(t)
	_, key := b.rich("payouts:read")
	b.now = b.now.Add(12 * time.Second)
	asked := map[string]any{"asset": asset, "amount": "10.5"}
	r := b.post(key, "/v1/payout-estimates", asked).want(t, http.StatusOK)
	normal, _ := r.JSON["normal"].(map[string]any)
	if r.JSON["age_seconds"] != 12.0 || normal["fee"] != "0.0000002" || normal["fee_most"] != "0.0000009" || r.text("fee_asset") != "eip155:31337/slip44:60" {
		t.Errorf("%s", r.Body)
	}
	b.now = b.now.Add(payout.KeepCost)
	b.post(key, "/v1/payout-estimates", asked).wantProblem(t, http.StatusServiceUnavailable, "unavailable")
	_, writes := b.merchant()
	b.post(writes, "/v1/payouts", salary("salary-17"), "idempotency-key", "k").wantProblem(t, http.StatusServiceUnavailable, "unavailable")
}

func TestAPayoutIsTakenBackAsLongAsNothingCanBeSigned(t *testing.T) {
	b := newBench(t)
	owner, key := b.rich()
	p := b.asked(owner, key, "salary-17")
	for range 2 {
		r := b.post(key, "/v1/payouts/"+p.text("id")+"/cancel", nil).want(t, http.StatusOK)
		if r.text("status") != "cancelled" || r.text("reason") != "by the merchant" {
			t.Errorf("%s", r.Body)
		}
	}
	p = b.asked(owner, key, "salary-18")
	b.step(owner, p.text("id"), payout.Payout.Approve, payout.Payout.Reserve)
	r := b.do(call{method: http.MethodPost, path: "/v1/payouts/" + p.text("id") + "/cancel", query: "merchant=" + owner, key: operatorKey}).want(t, http.StatusOK)
	if r.text("status") != "reserved" || r.JSON["cancelling"] != true {
		t.Errorf("%s", r.Body)
	}
	p = b.asked(owner, key, "salary-19")
	b.step(owner, p.text("id"), payout.Payout.Approve, payout.Payout.Reserve, func(p payout.Payout, at time.Time) (payout.Payout, error) { return p.Allocate(5, at) })
	b.post(key, "/v1/payouts/"+p.text("id")+"/cancel", nil).wantProblem(t, http.StatusConflict, "conflict")
	_, reads := b.merchant("payouts:read")
	b.post(reads, "/v1/payouts/"+p.text("id")+"/cancel", nil).wantProblem(t, http.StatusForbidden, "forbidden")
	_, other := b.merchant()
	b.post(other, "/v1/payouts/"+p.text("id")+"/cancel", nil).wantProblem(t, http.StatusNotFound, "not_found")
}

func TestTheOperatorHasAPayoutWaitAndGoOn(t *testing.T) {
	b := newBench(t)
	owner, key := b.rich()
	p := b.asked(owner, key, "salary-17")
	act := func(verb string, body map[string]any) reply {
		c := call{method: http.MethodPost, path: "/v1/payouts/" + p.text("id") + "/" + verb, query: "merchant=" + owner, key: operatorKey}
		if body != nil {
			c.body = encode(t, body)
		}
		return b.do(c)
	}
	for range 2 {
		if r := act("hold", map[string]any{"reason": "the payee called"}).want(t, http.StatusOK); r.text("status") != "held" || r.text("reason") != "the payee called" {
			t.Errorf("%s", r.Body)
		}
	}
	if r := act("resume", nil).want(t, http.StatusOK); r.text("status") != "checked" {
		t.Errorf("%s", r.Body)
	}
	act("resume", nil).wantProblem(t, http.StatusConflict, "conflict")
	b.post(key, "/v1/payouts/"+p.text("id")+"/hold", map[string]any{"reason": "x"}).wantProblem(t, http.StatusForbidden, "forbidden")
}

func TestAHistoryHasStatesApprovalsAndTransactions(t *testing.T) {
	b := newBench(t)
	ann := b.approver("Ann")
	b.needs(1, ann)
	owner, key := b.rich()
	p := b.asked(owner, key, "salary-17")
	b.says(ann, "approve", owner, p).want(t, http.StatusOK)
	b.step(owner, p.text("id"), payout.Payout.Approve, payout.Payout.Reserve,
		func(p payout.Payout, at time.Time) (payout.Payout, error) { return p.Allocate(5, at) },
		func(p payout.Payout, at time.Time) (payout.Payout, error) {
			return p.Sign(payout.Attempt{N: 1, Nonce: 5, FeePerGas: money.Units(3), TipPerGas: money.Units(1), Gas: 100_000, Hash: "0xa1", SignedAt: at}, at)
		})
	r := b.get(key, "/v1/payouts/"+p.text("id")+"/history", "").want(t, http.StatusOK)
	var states []string
	for _, c := range r.JSON["history"].([]any) {
		states = append(states, c.(map[string]any)["status"].(string))
	}
	attempts, said := r.JSON["attempts"].([]any), r.JSON["approvals"].([]any)
	if !slices.Equal(states, []string{"requested", "checked", "approved", "reserved", "signed"}) || len(attempts) != 1 || len(said) != 1 {
		t.Fatalf("%s", r.Body)
	}
	if attempts[0].(map[string]any)["transaction"] != "0xa1" || said[0].(map[string]any)["approver"] != ann.id || strings.Contains(r.Body, `"code"`) {
		t.Errorf("%s", r.Body)
	}
}

func TestAnApproverIsShownWhatIsApproved(t *testing.T) {
	b := newBench(t)
	ann, bob := b.approver("Ann"), b.approver("Bob")
	b.needs(2, ann, bob)
	owner, key := b.rich()
	p := b.asked(owner, key, "salary-17")
	b.post(key, "/v1/payouts", salary("salary-18")).want(t, http.StatusCreated) // which pay has not looked at
	waiting := b.get(ann.key, "/v1/approvals", "chain="+string(local)).want(t, http.StatusOK).data(t)
	if len(waiting) != 1 || waiting[0]["id"] != p.text("id") || waiting[0]["merchant"] != owner {
		t.Fatalf("%v", waiting)
	}
	for _, by := range []string{ann.key, operatorKey, key} {
		query := ""
		if by != key {
			query = "merchant=" + owner
		}
		r := b.get(by, "/v1/payouts/"+p.text("id")+"/approvals", query).want(t, http.StatusOK)
		if hashed(r.text("canonical")) != p.text("hash") || r.text("hash") != p.text("hash") || r.JSON["need"] != 2.0 || len(r.JSON["of"].([]any)) != 2 {
			t.Errorf("%s", r.Body)
		}
		if !strings.Contains(r.text("canonical"), `"amount_units":"10500000"`) || !strings.HasPrefix(r.text("requester"), "key_") {
			t.Errorf("%s", r.Body)
		}
	}
	b.get(key, "/v1/approvals", "chain="+string(local)).wantProblem(t, http.StatusForbidden, "forbidden")
}

func TestAPayoutIsApprovedByAsManyAsThePolicyWants(t *testing.T) {
	b := newBench(t)
	ann, bob, eve := b.approver("Ann"), b.approver("Bob"), b.approver("Eve")
	b.needs(2, ann, bob)
	owner, key := b.rich()
	p := b.asked(owner, key, "salary-17")
	granted := func(r reply) bool {
		verdict, _ := r.want(t, http.StatusOK).JSON["verdict"].(map[string]any)
		return verdict["granted"].(bool)
	}
	if granted(b.says(ann, "approve", owner, p)) {
		t.Error("one of two is enough")
	}
	b.says(eve, "approve", owner, p).wantProblem(t, http.StatusForbidden, "forbidden")
	if !granted(b.says(bob, "approve", owner, p)) {
		t.Error("two of two are not")
	}
	b.says(bob, "reject", owner, p).wantProblem(t, http.StatusConflict, "conflict")
	p = b.asked(owner, key, "salary-18")
	if r := b.says(ann, "reject", owner, p).want(t, http.StatusOK); r.JSON["verdict"].(map[string]any)["rejected"] != ann.id {
		t.Errorf("%s", r.Body)
	}
}

func TestWhatDoesNotCountIsRefusedByTheFieldsName(t *testing.T) {
	b := newBench(t)
	owner, key := b.rich()
	ann := b.approver("Ann")
	holder := b.approver("Bob", keyID(key), approval.Operator)
	b.needs(1, ann, holder)
	p, second := b.asked(owner, key, "salary-17"), b.asked(owner, key, "salary-18")
	path := "/v1/payouts/" + p.text("id") + "/approve"
	code := ann.phone.Code(b.now)
	wrong := map[bool]string{true: "000000", false: "000001"}[code != "000000"]
	if r := b.post(ann.key, path, saying(owner, p, wrong)).wantProblem(t, http.StatusUnprocessableEntity, "invalid"); !names(r, "code") {
		t.Errorf("a wrong code: %s", r.Body)
	}
	if r := b.post(ann.key, path, saying(owner, second, code)).wantProblem(t, http.StatusUnprocessableEntity, "invalid"); !names(r, "hash") {
		t.Errorf("the hash of another payout: %s", r.Body)
	}
	b.says(holder, "approve", owner, p).wantProblem(t, http.StatusForbidden, "forbidden") // who holds the requester's key
	b.post(ann.key, path, saying(owner, p, code)).want(t, http.StatusOK)
	if r := b.post(ann.key, "/v1/payouts/"+second.text("id")+"/approve", saying(owner, second, code)).wantProblem(t, http.StatusUnprocessableEntity, "invalid"); !names(r, "code") {
		t.Errorf("a code again: %s", r.Body)
	}
	late := ann.phone.Code(b.now.Add(-10 * time.Minute))
	if r := b.post(ann.key, "/v1/payouts/"+second.text("id")+"/approve", saying(owner, second, late)).wantProblem(t, http.StatusUnprocessableEntity, "invalid"); !names(r, "code") || !strings.Contains(r.text("detail"), "clock") {
		t.Errorf("a clock that is off: %s", r.Body)
	}
	b.post(key, "/v1/payouts/"+second.text("id")+"/cancel", nil).want(t, http.StatusOK)
	r := b.says(ann, "approve", owner, second).wantProblem(t, http.StatusConflict, "conflict")
	if !strings.Contains(r.text("detail"), "cancelled") {
		t.Errorf("approved after it was cancelled: %s", r.Body)
	}
	third := b.asked(owner, key, "salary-19")
	b.post(ann.key, "/v1/freezes", map[string]any{"everything": true, "reason": "theft"}).want(t, http.StatusOK)
	b.says(ann, "approve", owner, third).wantProblem(t, http.StatusConflict, "frozen")
	b.post(operatorKey, "/v1/approvers/"+ann.id+"/disable", nil).want(t, http.StatusOK)
	b.says(ann, "approve", owner, third).wantProblem(t, http.StatusUnauthorized, "unauthorized")
}

func keyID(key string) string { return "key_" + key[30:56] }

func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestApproversAreNoMerchantsAndTheOperatorIsNoApprover(t *testing.T) {
	b := newBench(t)
	owner, key := b.rich()
	ann := b.approver("Ann")
	p := b.asked(owner, key, "salary-17")
	for _, by := range []string{operatorKey, key} {
		b.post(by, "/v1/payouts/"+p.text("id")+"/approve", saying(owner, p, "123456")).wantProblem(t, http.StatusForbidden, "forbidden")
		b.post(by, "/v1/destinations", map[string]any{"merchant": owner, "address": payee}).wantProblem(t, http.StatusForbidden, "forbidden")
		b.post(by, "/v1/freezes/lift", map[string]any{"everything": true}).wantProblem(t, http.StatusForbidden, "forbidden")
	}
	b.post(ann.key, "/v1/approvers", map[string]any{"name": "Eve"}).wantProblem(t, http.StatusForbidden, "forbidden")
	b.get(ann.key, "/v1/payouts", "merchant="+owner).wantProblem(t, http.StatusUnauthorized, "unauthorized") // the front knows no approvers
	b.post(operatorKey, "/v1/merchants/"+owner+"/keys", map[string]any{"name": "k", "scopes": []string{"approvals:write"}}).wantProblem(t, http.StatusUnprocessableEntity, "invalid")
	listed := b.get(ann.key, "/v1/approvers", "").want(t, http.StatusOK)
	if len(listed.data(t)) != 1 || strings.Contains(listed.Body, "secret") || strings.Contains(listed.Body, "hash") {
		t.Errorf("%s", listed.Body)
	}
}

func TestAnApproverIsMadeOnceUnderAnIdempotencyKey(t *testing.T) {
	b := newBench(t)
	body := map[string]any{"name": "Ann", "keys": []string{"operator"}}
	first := b.post(operatorKey, "/v1/approvers", body, "idempotency-key", "k").want(t, http.StatusCreated)
	if again := b.post(operatorKey, "/v1/approvers", body, "idempotency-key", "k").want(t, http.StatusCreated); again.Body != first.Body {
		t.Errorf("%s\n%s", first.Body, again.Body)
	}
}

func TestAListOfDestinationsIsKeptByApprovers(t *testing.T) {
	b := newBench(t)
	owner, key := b.rich()
	ann := b.approver("Ann")
	made := b.post(ann.key, "/v1/destinations", map[string]any{"merchant": owner, "address": strings.ToLower(payee), "label": "Bob"}).want(t, http.StatusCreated)
	if made.text("address") != payee || made.text("allowed_by") != ann.id || made.text("from") != b.now.Add(payout.UsualWait).Format(time.RFC3339) {
		t.Errorf("%s", made.Body)
	}
	poisoned := map[string]any{"merchant": owner, "address": double}
	if r := b.post(ann.key, "/v1/destinations", poisoned).wantProblem(t, http.StatusUnprocessableEntity, "invalid"); !names(r, "address") || !strings.Contains(r.text("detail"), payee) {
		t.Errorf("%s", r.Body)
	}
	for address, says := range map[string]string{strings.Replace(payee, "aA", "AA", 1): "checksum", "0x0000000000000000000000000000000000000000": "lost", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t": ""} {
		r := b.post(ann.key, "/v1/destinations", map[string]any{"merchant": owner, "address": address}).wantProblem(t, http.StatusUnprocessableEntity, "invalid")
		if !names(r, "address") || !strings.Contains(r.text("detail"), says) {
			t.Errorf("%s: %s", address, r.Body)
		}
	}
	list := func(by, query string) []map[string]any {
		return b.get(by, "/v1/destinations", query).want(t, http.StatusOK).data(t)
	}
	if own := list(key, ""); len(own) != 1 || own[0]["label"] != "Bob" {
		t.Errorf("%v", own)
	}
	if got := list(ann.key, "merchant="+owner); len(got) != 1 {
		t.Errorf("%v", got)
	}
	del := call{method: http.MethodDelete, path: "/v1/destinations/" + payee, query: "merchant=" + owner, key: ann.key}
	for range 2 {
		b.do(del).want(t, http.StatusNoContent)
	}
	if got := list(key, ""); len(got) != 0 {
		t.Errorf("%v", got)
	}
	del.path = "/v1/destinations/" + double
	b.do(del).wantProblem(t, http.StatusNotFound, "not_found")
}

func TestAFreezeTakesOneCallAndItsLiftTwoPeople(t *testing.T) {
	b := newBench(t)
	owner, key := b.rich()
	ann, bob := b.approver("Ann"), b.approver("Bob")
	for _, what := range []map[string]any{{"everything": true}, {"asset": asset}, {"merchant": owner}} {
		body := maps.Clone(what)
		body["reason"] = "a key was stolen"
		if r := b.post(operatorKey, "/v1/freezes", body).want(t, http.StatusOK); r.JSON["frozen"] != true || r.text("by") != "operator" {
			t.Errorf("%s", r.Body)
		}
		b.post(key, "/v1/payouts", salary("salary-17")).wantProblem(t, http.StatusConflict, "frozen")
		for _, wish := range []struct {
			by     person
			frozen bool
		}{{ann, true}, {ann, true}, {bob, false}} {
			if r := b.post(wish.by.key, "/v1/freezes/lift", what).want(t, http.StatusOK); r.JSON["frozen"] != wish.frozen {
				t.Errorf("%v: %s", what, r.Body)
			}
		}
	}
	b.post(key, "/v1/payouts", salary("salary-17")).want(t, http.StatusCreated)
	b.post(ann.key, "/v1/freezes/lift", map[string]any{"merchant": "mer_" + exampleULID}).wantProblem(t, http.StatusNotFound, "not_found")
	for _, unclear := range []map[string]any{{"reason": "x"}, {"reason": "x", "everything": false}, {"reason": "x", "everything": true, "asset": asset}, {"reason": "x", "merchant": owner, "asset": asset}} {
		if r := b.post(ann.key, "/v1/freezes", unclear).wantProblem(t, http.StatusUnprocessableEntity, "invalid"); !names(r, "everything") {
			t.Errorf("%v: %s", unclear, r.Body)
		}
	}
	if all := b.get(operatorKey, "/v1/freezes", "").want(t, http.StatusOK).data(t); len(all) != 3 || all[0]["frozen"] != false {
		t.Errorf("%v", all)
	}
}

func TestWalletsAreOpenedByTheOperator(t *testing.T) {
	b := newBench(t)
	owner, _ := b.merchant()
	if r := b.post(operatorKey, "/v1/wallets", map[string]any{"custody": "kms", "chain": string(local)}).want(t, http.StatusCreated); r.text("address") != hot {
		t.Errorf("%s", r.Body)
	}
	if r := b.post(operatorKey, "/v1/wallets", map[string]any{"custody": "seed", "merchant": owner}).want(t, http.StatusCreated); r.JSON["xpubs"].(map[string]any)["eip155"] != exampleXPub {
		t.Errorf("%s", r.Body)
	}
	for field, body := range map[string]map[string]any{
		"chain": {"custody": "kms"}, "merchant": {"custody": "seed"},
	} {
		if r := b.post(operatorKey, "/v1/wallets", body).wantProblem(t, http.StatusUnprocessableEntity, "invalid"); !names(r, field) {
			t.Errorf("%s", r.Body)
		}
	}
}
