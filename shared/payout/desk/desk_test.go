package desk

import (
	"context"
	"crypto/rand"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"farrier/shared/chain"
	"farrier/shared/ledger"
	"farrier/shared/money"
	"farrier/shared/parts"
	"farrier/shared/payout"
	"farrier/shared/payout/policy"
	"farrier/shared/problem"
	"farrier/shared/wallet"
)

const (
	polygon = chain.ID("eip155:137")
	usdt    = "eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f"
	pol     = "eip155:137/slip44:966"
	idle    = "eip155:1/slip44:60" // on a chain without wallet and policy
	owner   = "mer_01JD0Z5T3N8Q4W7R2X9Y6V1K5M"
	hot     = "0x1111111111111111111111111111111111111111"
	deposit = "0x2222222222222222222222222222222222222222"
	others  = "0x3333333333333333333333333333333333333333"
	payee   = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed" // EIP-55's first example
	double  = "0x5aaeffffffffffffffffffffffffffffffffeaed" // begins and ends like it
	chains  = `[{"id":"eip155:137","name":"Polygon","finality":{"tag":"finalized"},"block_time":"2s",
		"native":{"symbol":"POL","decimals":18,"coin_type":966},"tokens":[{"symbol":"USDT","decimals":6,"address":"0xc2132d05d31c914a87c6611c10748aeb04b58e8f"}]},
		{"id":"eip155:1","name":"Ethereum","finality":{"tag":"finalized"},"block_time":"12s","native":{"symbol":"ETH","decimals":18}}]`
	rules = `{"rules": [{"asset": "` + usdt + `", "above": "0", "need": 0}, {"asset": "` + pol + `", "above": "0", "need": 0}],
		"limits": [{"asset": "` + usdt + `", "scope": "payout", "most": "50000000"}, {"asset": "` + usdt + `", "scope": "day", "most": "100000000"},
			{"asset": "` + pol + `", "scope": "payout", "most": "5000000000000000000"}, {"asset": "` + pol + `", "scope": "day", "most": "9000000000000000000"}],
		"fees": [{"chain": "eip155:137", "most": "1000000000000000", "day": "1000000000000000000"}],
		"least": [{"asset": "` + usdt + `", "amount": "10000"}], "wait": "24h", "destinations": "DESTINATIONS"}`
)

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// newDesk is a desk where a merchant has 40 USDT and 3 POL, and a deposit address.
func newDesk(t *testing.T, destinations policy.Destinations) Desk {
	t.Helper()
	set, err := chain.ParseSet(chains)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := policy.Parse(strings.Replace(rules, "DESTINATIONS", string(destinations), 1))
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return noon }
	d := Desk{
		Payouts: payout.Store{Payouts: parts.Table(t), References: parts.Table(t), Assets: set, Now: now, Random: rand.Reader},
		Policy:  rules,
		Costs:   payout.Costs{Table: parts.Table(t)},
		Freezes: payout.Freezes{Table: parts.Table(t), Now: now},
		Known:   payout.Known{Allowed: payout.Allowed{Table: parts.Table(t), Now: now}, Paid: payout.Paid{Table: parts.Table(t), Now: now}},
		Wallets: Fixed{polygon: hot}, Addresses: parts.Table(t),
		Ledger: ledger.Store{Entries: parts.Table(t), Balances: parts.Table(t)}, Now: now,
	}
	ctx := context.Background()
	price := func(gwei int64) payout.Price {
		return payout.Price{FeePerGas: money.Units(gwei * 1_000_000), TipPerGas: money.Units(1_000_000)}
	}
	err = d.Costs.Tell(ctx, polygon, payout.Cost{
		Base: money.Units(1_000_000), CoinGas: 21_000, TokenGas: 100_000, At: noon.Add(-time.Minute),
		Prices: map[payout.Speed]payout.Price{payout.Slow: price(2), payout.Normal: price(3), payout.Fast: price(11_000)},
	})
	for address, merchant := range map[string]string{deposit: owner, others: "mer_2"} {
		at := wallet.KeyOf("eip155", address)
		err = errors.Join(err, d.Addresses.Create(ctx, wallet.Address{PK: at.PK, SK: at.SK, Address: address, Merchant: merchant}))
	}
	for asset, units := range map[money.Asset]money.Amount{usdt: money.Units(40_000_000), pol: money.Units(3_000_000_000_000_000_000)} {
		at := ledger.BalanceKey(owner, asset, 0)
		err = errors.Join(err, d.Ledger.Balances.Create(ctx, ledger.Balance{PK: at.PK, SK: at.SK, Asset: asset, Legs: ledger.Legs{ledger.Available: units}, Version: 1}))
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func asking() payout.Request {
	return payout.Request{Merchant: owner, Requester: "key_1", Asset: usdt, Amount: "10.50", To: payee, Reference: "salary-17"}
}

func TestConformanceAPayoutIsMadeFromTheHotWalletAndMayCostSomeTimesItsPrice(t *testing.T) {
	d, ctx := newDesk(t, policy.Any), context.Background()
	p, err := d.Create(ctx, asking())
	if err != nil || p.Wallet != hot || p.FeeMost.Cmp(money.Units(3*3_000_000*100_000)) != 0 || p.State != payout.Requested {
		t.Fatalf("%+v, %v", p, err)
	}
	r := asking()
	r.Reference, r.Wished, r.Asset, r.Amount = "another", "0x"+strings.ToUpper(deposit[2:]), pol, "1"
	if p, err := d.Create(ctx, r); err != nil || p.Wallet != deposit || p.FeeMost.Cmp(money.Units(3*3_000_000*21_000)) != 0 {
		t.Errorf("from the merchant's own address: %+v, %v", p, err)
	}
}

func TestConformanceTheSameRequestIsThatPayoutWhateverIsTrueByNow(t *testing.T) {
	d, ctx := newDesk(t, policy.Any), context.Background()
	first, err := d.Create(ctx, asking())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Freezes.Set(ctx, payout.Stop{}, "ann", "theft"); err != nil {
		t.Fatal(err)
	}
	d.Wallets, d.Policy = Fixed{}, policy.Policy{}
	d.Now = func() time.Time { return noon.Add(time.Hour) } // what the chain costs is not known any more
	if again, err := d.Create(ctx, asking()); err != nil || !reflect.DeepEqual(again, first) {
		t.Errorf("%+v, %v; made %+v", again, err, first)
	}
	r := asking()
	r.Wished = deposit
	if _, err := d.Create(ctx, r); !problem.Is(err, problem.ReferenceUsed) {
		t.Error(err)
	}
}

func TestConformanceWhatWouldBeRefusedLaterIsRefusedByTheFieldsName(t *testing.T) {
	d, ctx := newDesk(t, policy.Any), context.Background()
	listed := newDesk(t, policy.Allowed)
	if _, err := listed.Known.Allowed.Allow(ctx, owner, polygon, strings.ToLower(payee), "", "ann"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Known.Allowed.Allow(ctx, owner, polygon, double, "", "ann"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		desk   Desk
		change func(*payout.Request)
		field  string
		says   string
	}{
		"a wrong checksum":               {d, func(r *payout.Request) { r.To = strings.Replace(payee, "aA", "AA", 1) }, "to", "checksum"},
		"a deposit address":              {d, func(r *payout.Request) { r.To = others }, "to", "this system"},
		"the hot wallet":                 {d, func(r *payout.Request) { r.To = hot }, "to", "wallet that pays"},
		"the hot wallet, by another":     {d, func(r *payout.Request) { r.To, r.Wished = hot, deposit }, "to", "this system"},
		"zero":                           {d, func(r *payout.Request) { r.Amount = "0" }, "amount", "more than zero"},
		"over-precision":                 {d, func(r *payout.Request) { r.Amount = "1.0000001" }, "amount", "decimal"},
		"dust by the policy":             {d, func(r *payout.Request) { r.Amount = "0.009" }, "amount", "0.01"},
		"dust by the fee":                {d, func(r *payout.Request) { r.Asset, r.Amount = pol, "0.000000041999999999" }, "amount", "dust"},
		"more than the balance":          {d, func(r *payout.Request) { r.Amount = "40.01" }, "amount", "40.00 is available"},
		"more than a payout may be":      {d, func(r *payout.Request) { r.Amount = "50.01" }, "amount", "limit"},
		"a look-alike":                   {d, func(r *payout.Request) {}, "to", "0x5aAefff"},
		"an asset without policy":        {d, func(r *payout.Request) { r.Asset, r.Amount = idle, "1" }, "asset", "no wallet"},
		"a speed that is too dear":       {d, func(r *payout.Request) { r.Speed = payout.Fast }, "speed", "slower"},
		"a wallet that is somebody's":    {d, func(r *payout.Request) { r.Wished = others }, "wallet", "merchant's"},
		"a wallet that is no address":    {d, func(r *payout.Request) { r.Wished = "0x12" }, "wallet", ""},
		"a destination not on the list":  {listed, func(r *payout.Request) { r.To = double }, "to", "list"},
		"a destination that has to wait": {listed, func(*payout.Request) {}, "to", "2026-11-30T12:00:00Z"},
	} {
		r := asking()
		c.change(&r)
		_, err := c.desk.Create(ctx, r)
		var p *problem.Error
		if !errors.As(err, &p) || p.Field != c.field || !strings.Contains(strings.ToLower(p.Detail), strings.ToLower(c.says)) {
			t.Errorf("%s: %v; the field is %q", name, err, c.field)
		}
	}
	r := asking()
	r.Lookalike = true
	if p, err := d.Create(ctx, r); err != nil || len(p.Likenesses) != 1 {
		t.Errorf("a look-alike that is meant: %+v, %v", p, err)
	}
	d.Policy.Approvals.Rules = nil
	r.Reference = "another"
	if _, err := d.Create(ctx, r); problem.Of(err).Field != "asset" {
		t.Errorf("no rule: %v", err)
	}
	d.Wallets = Fixed{polygon: hot, "eip155:1": hot}
	r.Asset = idle
	if _, err := d.Create(ctx, r); !problem.Is(err, problem.Unavailable) {
		t.Errorf("nobody has told what it costs: %v", err)
	}
}

func TestConformanceWhatIsFrozenIsNotAskedFor(t *testing.T) {
	ctx := context.Background()
	for _, what := range []payout.Stop{{}, {Asset: usdt}, {Merchant: owner}} {
		d := newDesk(t, policy.Any)
		if _, err := d.Freezes.Set(ctx, what, "ann", "theft"); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Create(ctx, asking()); !problem.Is(err, problem.Frozen) {
			t.Errorf("%+v: %v", what, err)
		}
	}
}

func TestConformanceAnEstimateSaysWhatEachSpeedCostsAndHowOldThatIs(t *testing.T) {
	d, ctx := newDesk(t, policy.Any), context.Background()
	e, err := d.Estimate(ctx, usdt, "10.5")
	if err != nil || e.Amount != "10.50" || e.FeeAsset != pol || e.FeeSymbol != "POL" || e.Age != 60 {
		t.Fatalf("%+v, %v", e, err)
	}
	if n := e.Normal; n.Fee != "0.0000002" || n.FeeMostUnits != "900000000000" || n.Total != "" || n.TooDear || !e.Fast.TooDear {
		t.Errorf("%+v", e)
	}
	e, err = d.Estimate(ctx, pol, "1")
	if err != nil || e.Slow.Total != "1.000000042" || e.Slow.TotalUnits != "1000000042000000000" {
		t.Errorf("%+v, %v", e, err)
	}
	for field, asked := range map[string][2]string{"asset": {"USDT", "1"}, "amount": {usdt, "0"}} {
		if _, err := d.Estimate(ctx, asked[0], asked[1]); problem.Of(err).Field != field {
			t.Errorf("%v: %v", asked, err)
		}
	}
	d.Now = func() time.Time { return noon.Add(time.Hour) }
	if _, err = d.Estimate(ctx, usdt, "1"); !problem.Is(err, problem.Unavailable) {
		t.Error(err)
	}
}
