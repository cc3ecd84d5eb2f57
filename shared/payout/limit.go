package payout

import (
	"fmt"
	"strings"
	"time"

	"farrier/shared/chain"
	"farrier/shared/money"
)

// Scope is what a limit counts over.
type Scope string

// The scopes. A day is a UTC day.
const (
	EachPayout     Scope = "payout"          // one payout
	AssetDay       Scope = "day"             // all of the asset in a day
	MerchantDay    Scope = "merchant_day"    // of the asset, by one merchant in a day
	DestinationDay Scope = "destination_day" // of the asset, to one address in a day, whoever pays
	FeeDay         Scope = "fee_day"         // what all that is signed on a chain in a day may cost; it is set among the fees
)

// Limit is the most of an asset that may be paid out. All limits that a payout falls under hold at once.
type Limit struct {
	Asset money.Asset  `json:"asset"`
	Scope Scope        `json:"scope"`
	Whose string       `json:"whose,omitempty"` // the one merchant or destination that it is about; "" for each
	Most  money.Amount `json:"most"`            // in the smallest unit
}

// Limits are all that are set.
type Limits []Limit

// Counter names what is counted: how much of an asset went out in a scope on a day.
type Counter struct {
	Day   string // "2026-11-29"
	Scope Scope
	Asset money.Asset
	Whose string // the merchant, the destination; the chain of FeeDay; "" of AssetDay
}

// Counts are how much was counted.
type Counts map[Counter]money.Amount

// ExceededError says which limit a payout is over. It is safe to show.
type ExceededError struct {
	Limit   Limit
	Already money.Amount // counted before this payout
	Asked   money.Amount
}

func (e *ExceededError) Error() string {
	if e.Limit.Scope == EachPayout {
		return fmt.Sprintf("limit %s of %s: %s is the most, and %s is asked for", e.Limit.Scope, e.Limit.Asset, e.Limit.Most, e.Asked)
	}
	return fmt.Sprintf("limit %s of %s: %s is the most, %s is out already, and %s more is asked for", e.Limit.Scope, e.Limit.Asset, e.Limit.Most, e.Already, e.Asked)
}

// UnlimitedError says that nobody has set what every asset that is paid out must have: a limit for each payout and one for
// the day.
type UnlimitedError struct {
	Asset money.Asset
	Scope Scope
}

func (e *UnlimitedError) Error() string {
	return fmt.Sprintf("no limit %q is set for %s, and without it nothing is paid out", e.Scope, e.Asset)
}

// counters are what a payout's amount counts in, on the day of a moment.
func (p Payout) counters(now time.Time) []Counter {
	day := dayOf(now)
	return []Counter{
		{day, AssetDay, p.Asset, ""},
		{day, MerchantDay, p.Asset, p.PK},
		{day, DestinationDay, p.Asset, p.To},
	}
}

func feeCounter(on chain.ID, now time.Time) Counter {
	return Counter{dayOf(now), FeeDay, "", string(on)}
}

func dayOf(now time.Time) string { return now.UTC().Format(time.DateOnly) }

// Sum is what something adds to a counter.
type Sum struct {
	Counter Counter
	Amount  money.Amount
}

// Sums are what a payout adds to each counter: its amount, and the most that it may cost.
func (p Payout) Sums(now time.Time) []Sum {
	sums := []Sum{FeeSum(p.Chain(), p.FeeMost, now)}
	for _, c := range p.counters(now) {
		sums = append(sums, Sum{c, p.Amount})
	}
	return sums
}

// FeeSum is what a cost adds to its chain's fees of a day.
func FeeSum(on chain.ID, cost money.Amount, now time.Time) Sum { return Sum{feeCounter(on, now), cost} }

// counter is the one of a scope that the payout counts in; of EachPayout there is none.
func (p Payout) counter(s Scope, now time.Time) Counter {
	for _, c := range p.counters(now) {
		if c.Scope == s {
			return c
		}
	}
	return Counter{}
}

// Check says whether a payout keeps every limit, given what was counted before it. It is an *ExceededError or an
// *UnlimitedError where it does not.
func (l Limits) Check(p Payout, counts Counts, now time.Time) error {
	if p.Amount.Sign() <= 0 {
		return fmt.Errorf("payout: %s is no amount to be paid", p.Amount)
	}
	set := map[Scope]bool{}
	for _, limit := range l {
		counter := p.counter(limit.Scope, now)
		if limit.Asset != p.Asset || limit.Whose != "" && limit.Whose != counter.Whose {
			continue
		}
		if limit.Whose == "" {
			set[limit.Scope] = true
		}
		already := counts[counter]
		if limit.Scope == EachPayout {
			already = money.Amount{}
		}
		if already.Add(p.Amount).Cmp(limit.Most) > 0 {
			return &ExceededError{Limit: limit, Already: already, Asked: p.Amount}
		}
	}
	for _, needed := range []Scope{EachPayout, AssetDay} {
		if !set[needed] {
			return &UnlimitedError{p.Asset, needed}
		}
	}
	return nil
}

// Known says which limit of a configuration cannot be meant, by its place.
func (l Limits) Known() error {
	for i, limit := range l {
		place := fmt.Sprintf("limits[%d].", i)
		switch limit.Scope {
		case MerchantDay, DestinationDay:
		case EachPayout, AssetDay:
			if limit.Whose != "" {
				return fmt.Errorf("%swhose: a limit %s is about nobody alone", place, limit.Scope)
			}
		default:
			return fmt.Errorf("%sscope: must be payout, day, merchant_day or destination_day", place)
		}
		if parsed, err := money.ParseAsset(string(limit.Asset)); err != nil || parsed != limit.Asset {
			return fmt.Errorf("%sasset: must be a CAIP-19 asset in its one spelling", place)
		}
		if limit.Most.Sign() < 0 {
			return fmt.Errorf("%smost: must not be negative", place)
		}
	}
	return nil
}

// Add counts a payout.
func (c Counts) Add(p Payout, now time.Time) Counts {
	out := Counts{}
	for k, v := range c {
		out[k] = v
	}
	for _, s := range p.Sums(now) {
		out[s.Counter] = out[s.Counter].Add(s.Amount)
	}
	return out
}

// key is the counter's name in a table.
func (c Counter) key() string {
	return strings.Join([]string{c.Day, string(c.Scope), string(c.Asset), c.Whose}, "#")
}
