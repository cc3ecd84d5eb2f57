package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"farrier/shared/approval"
	"farrier/shared/chain"
	"farrier/shared/money"
	"farrier/shared/payout"
)

// Policy is what may be paid out.
type Policy struct {
	Approvals    approval.Policy
	Limits       payout.Limits
	Fees         payout.Fees
	Destinations Destinations
	Wait         time.Duration // how long a destination is on the list before it is paid
	Least        []Least
}

// Least is the smallest amount of an asset that the API takes: less is dust, whose fee eats it. The signer does not ask for it.
type Least struct {
	Asset  money.Asset  `json:"asset"`
	Amount money.Amount `json:"amount"` // in the smallest unit
}

// LeastOf is the smallest amount of an asset; zero where none is set.
func (p Policy) LeastOf(asset money.Asset) money.Amount {
	for _, l := range p.Least {
		if l.Asset == asset {
			return l.Amount
		}
	}
	return money.Amount{}
}

// Destinations says whom merchants may pay.
type Destinations string

// Whom merchants may pay.
const (
	Any     Destinations = "any"
	Allowed Destinations = "allowed" // those on the merchant's list, after the wait
)

// document is the policy as it is written. The elements of its lists are read one by one, so that what cannot be read is named.
type document struct {
	Rules        []json.RawMessage `json:"rules"`
	Age          chain.Duration    `json:"age"`
	Limits       []json.RawMessage `json:"limits"`
	Fees         []json.RawMessage `json:"fees"`
	Destinations Destinations      `json:"destinations"`
	Wait         *chain.Duration   `json:"wait"`
	Least        []json.RawMessage `json:"least"`
}

// Parse reads the document. Its errors name the field.
func Parse(text string) (Policy, error) {
	p, err := parse(text)
	if err == nil {
		err = p.Known()
	}
	if err != nil {
		return Policy{}, fmt.Errorf("payout policy: %w", err)
	}
	return p, nil
}

func parse(text string) (p Policy, err error) {
	var d document
	if err := strictly([]byte(text), &d); err != nil {
		return p, err
	}
	p = Policy{Destinations: Allowed, Wait: payout.UsualWait}
	p.Approvals.Age = time.Duration(d.Age)
	if p.Approvals.Rules, err = list[approval.Rule]("rules", d.Rules); err != nil {
		return p, err
	}
	if p.Limits, err = list[payout.Limit]("limits", d.Limits); err != nil {
		return p, err
	}
	if p.Fees, err = list[payout.Fee]("fees", d.Fees); err != nil {
		return p, err
	}
	if p.Least, err = list[Least]("least", d.Least); err != nil {
		return p, err
	}
	if d.Destinations != "" {
		p.Destinations = d.Destinations
	}
	if d.Wait != nil {
		p.Wait = time.Duration(*d.Wait)
	}
	return p, nil
}

func list[T any](name string, raw []json.RawMessage) (all []T, err error) {
	for i, text := range raw {
		var one T
		if err := strictly(text, &one); err != nil {
			return nil, fmt.Errorf("%s[%d]: %w", name, i, err)
		}
		all = append(all, one)
	}
	return all, nil
}

// strictly reads one JSON value that has no names but those that are known.
func strictly(text []byte, out any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(out); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the document")
	}
	return nil
}

// Known says what of a policy cannot be meant, by its place.
func (p Policy) Known() error {
	if err := errors.Join(p.Approvals.Known(), p.Limits.Known(), p.Fees.Known()); err != nil {
		return err
	}
	switch {
	case p.Destinations != Any && p.Destinations != Allowed:
		return errors.New("destinations: must be any or allowed")
	case p.Wait < 0:
		return errors.New("wait: must not be negative")
	}
	for i, l := range p.Least {
		parsed, err := money.ParseAsset(string(l.Asset))
		switch {
		case err != nil || parsed != l.Asset:
			return fmt.Errorf("least[%d].asset: must be a CAIP-19 asset in its one spelling", i)
		case slices.ContainsFunc(p.Least[:i], func(before Least) bool { return before.Asset == l.Asset }):
			return fmt.Errorf("least[%d].asset: has another amount already", i)
		case l.Amount.Sign() < 0:
			return fmt.Errorf("least[%d].amount: must not be negative", i)
		}
	}
	return nil
}

// DestinationError says why a destination may not be paid. It is safe to show.
type DestinationError struct {
	From time.Time // when it may be paid; zero where it is not on the list
}

func (e *DestinationError) Error() string {
	if e.From.IsZero() {
		return "the destination is not on the merchant's list"
	}
	return "the destination is new on the merchant's list, and may be paid from " + e.From.UTC().Format(time.RFC3339)
}

// Allows says why a payout is not allowed, given what the merchant's list says of its destination and what was counted before
// it: a *payout.FeeError, a *DestinationError, a *payout.ExceededError or a *payout.UnlimitedError. Whoever has no counts
// learns by it what is over a limit all by itself. Approvals are Approvals' to judge.
func (p Policy) Allows(out payout.Payout, d payout.Destination, counted payout.Counts, now time.Time) error {
	if err := p.Fees.Check(out, counted, now); err != nil {
		return err
	}
	if p.Destinations == Allowed && !d.May(p.Wait, now) {
		from, _ := d.From(p.Wait)
		return &DestinationError{From: from}
	}
	return p.Limits.Check(out, counted, now)
}
