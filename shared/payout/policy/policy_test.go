package policy

import (
	"errors"
	"strings"
	"testing"
	"time"

	"farrier/shared/approval"
	"farrier/shared/money"
	"farrier/shared/payout"
)

const (
	ether = "eip155:1/slip44:60"
	ann   = "apr_01JD0Z5T3N8Q4W7R2X9Y6V1K5M"
	whole = `{"rules": [{"asset": "eip155:1/slip44:60", "above": "10", "need": 1, "of": ["` + ann + `"], "in_order": true}], "age": "12h",
		"limits": [{"asset": "eip155:1/slip44:60", "scope": "payout", "most": "100"}, {"asset": "eip155:1/slip44:60", "scope": "day", "most": "250"}],
		"fees": [{"chain": "eip155:1", "most": "20", "day": "50"}], "destinations": "any", "wait": "1h",
		"least": [{"asset": "eip155:1/slip44:60", "amount": "7"}]}`
)

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

func parsed(t *testing.T, text string) Policy {
	t.Helper()
	p, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAPolicyIsReadAsItIsWritten(t *testing.T) {
	p := parsed(t, whole)
	rule, err := p.Approvals.RuleFor(ether, money.Units(11))
	if err != nil || rule.Need != 1 || !rule.InOrder || p.Approvals.Age != 12*time.Hour {
		t.Errorf("%+v, %v, %s", rule, err, p.Approvals.Age)
	}
	if p.Destinations != Any || p.Wait != time.Hour || len(p.Limits) != 2 || p.Limits[1].Most.Cmp(money.Units(250)) != 0 {
		t.Errorf("%+v", p)
	}
	if p.LeastOf(ether).Cmp(money.Units(7)) != 0 || p.LeastOf("eip155:10/slip44:60").Sign() != 0 {
		t.Errorf("%+v", p.Least)
	}
	if fee, err := p.Fees.Of("eip155:1"); err != nil || fee.Most.Cmp(money.Units(20)) != 0 || fee.Day.Cmp(money.Units(50)) != 0 {
		t.Errorf("%+v, %v", fee, err)
	}
}

func TestWhatCannotBeMeantIsRefusedByTheFieldsName(t *testing.T) {
	for field, text := range map[string]string{
		"follows":                    `{} {}`,
		"unexpected EOF":             `{`,
		`"limit"`:                    `{"limit": []}`,
		"rules[0]: json":             `{"rules": [{"asset": "eip155:1/slip44:60", "abov": "1"}]}`,
		"rules[0]: money":            `{"rules": [{"asset": "eip155:1/slip44:60", "above": "1.5"}]}`,
		"rules[0].need":              `{"rules": [{"asset": "eip155:1/slip44:60", "above": "1", "need": 1}]}`,
		"rules[0].of[0]":             `{"rules": [{"asset": "eip155:1/slip44:60", "above": "1", "need": 1, "of": ["ann"]}]}`,
		"rules[1].above":             `{"rules": [{"asset": "eip155:1/slip44:60", "above": "1"}, {"asset": "eip155:1/slip44:60", "above": "1"}]}`,
		"age":                        `{"age": "-1h"}`,
		"limits[0].scope":            `{"limits": [{"asset": "eip155:1/slip44:60", "scope": "fee_day", "most": "1"}]}`,
		"limits[0].asset":            `{"limits": [{"asset": "ether", "scope": "day", "most": "1"}]}`,
		"limits[0]: json: cannot un": `{"limits": [{"asset": "eip155:1/slip44:60", "scope": "day", "most": 1}]}`,
		"fees[0].chain":              `{"fees": [{"chain": "bip122:000000000019d6689c085ae165831e93", "most": "1", "day": "1"}]}`,
		"fees[1].chain":              `{"fees": [{"chain": "eip155:1", "most": "1", "day": "1"}, {"chain": "eip155:1", "most": "2", "day": "2"}]}`,
		"fees[0].most":               `{"fees": [{"chain": "eip155:1", "most": "-1", "day": "1"}]}`,
		"fees[0].day":                `{"fees": [{"chain": "eip155:1", "most": "2", "day": "1"}]}`,
		"destinations":               `{"destinations": "all"}`,
		"wait":                       `{"wait": "-1s"}`,
		"least[0].asset":             `{"least": [{"asset": "ether", "amount": "1"}]}`,
		"least[1].asset":             `{"least": [{"asset": "eip155:1/slip44:60", "amount": "1"}, {"asset": "eip155:1/slip44:60", "amount": "2"}]}`,
		"least[0].amount":            `{"least": [{"asset": "eip155:1/slip44:60", "amount": "-1"}]}`,
	} {
		if p, err := Parse(text); err == nil || !strings.Contains(err.Error(), field) || p.Limits != nil {
			t.Errorf("%s: %v is not about %s", text, err, field)
		}
	}
}

func TestWhatIsNotAllowedIsForbidden(t *testing.T) {
	out := payout.Payout{PK: "mer_1", Asset: ether, Amount: money.Units(100), FeeMost: money.Units(20), To: "0xa"}
	listed := func(ago time.Duration) payout.Destination {
		at := noon.Add(-ago)
		return payout.Destination{AllowedAt: &at}
	}
	counted := payout.Counts{}.Add(out, noon)
	var fee *payout.FeeError
	var destination *DestinationError
	var over *payout.ExceededError
	var unlimited *payout.UnlimitedError
	var unruled *approval.NoRuleError
	none := parsed(t, `{}`)
	if none.Destinations != Allowed || none.Wait != payout.UsualWait {
		t.Errorf("%+v", none)
	}
	if _, err := none.Approvals.RuleFor(ether, out.Amount); !errors.As(err, &unruled) {
		t.Error(err)
	}
	strict := `"fees": [{"chain": "eip155:1", "most": "20", "day": "50"}], "limits": []`
	for what, c := range map[string]struct {
		policy  string
		change  func(*payout.Payout)
		d       payout.Destination
		counted payout.Counts
		want    any // nil where it is allowed
	}{
		"all is well":                       {policy: whole},
		"no fee":                            {policy: `{"destinations": "any"}`, want: &fee},
		"another chain":                     {policy: whole, change: func(p *payout.Payout) { p.Asset = "eip155:10/slip44:60" }, want: &fee},
		"a fee over the payout's":           {policy: whole, change: func(p *payout.Payout) { p.FeeMost = money.Units(21) }, want: &fee},
		"no fee at all":                     {policy: whole, change: func(p *payout.Payout) { p.FeeMost = money.Units(0) }, want: &fee},
		"fees over the day's":               {policy: whole, counted: counted.Add(out, noon), want: &fee},
		"over the payout's limit":           {policy: whole, change: func(p *payout.Payout) { p.Amount = money.Units(101) }, want: &over},
		"over the day's":                    {policy: whole, counted: payout.Counts{{Day: "2026-11-29", Scope: payout.AssetDay, Asset: ether}: money.Units(151)}, want: &over},
		"as much as the day has":            {policy: whole, counted: payout.Counts{{Day: "2026-11-29", Scope: payout.AssetDay, Asset: ether}: money.Units(150)}},
		"no limit":                          {policy: `{"destinations": "any", ` + strict + `}`, want: &unlimited},
		"not on the list":                   {policy: `{` + strict + `}`, want: &destination},
		"too new on the list":               {policy: `{` + strict + `}`, d: listed(payout.UsualWait - time.Second), want: &destination},
		"long enough on the list":           {policy: `{` + strict + `}`, d: listed(payout.UsualWait), want: &unlimited},
		"on the list, where none must wait": {policy: `{"wait": "0s", ` + strict + `}`, d: listed(0), want: &unlimited},
	} {
		p := out
		if c.change != nil {
			c.change(&p)
		}
		err := parsed(t, c.policy).Allows(p, c.d, c.counted, noon)
		if c.want == nil && err != nil || c.want != nil && !errors.As(err, c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
