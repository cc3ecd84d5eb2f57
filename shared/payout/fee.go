package payout

import (
	"fmt"
	"time"

	"farrier/shared/chain"
	"farrier/shared/money"
)

// Fee is what payouts of a chain may cost, in the smallest unit of its own coin.
type Fee struct {
	Chain chain.ID     `json:"chain"`
	Most  money.Amount `json:"most"` // one payout, all its attempts together, since one at most is mined
	Day   money.Amount `json:"day"`  // all that is signed on a UTC day
}

// Fees are those of all chains. Of a chain without one nothing is paid out.
type Fees []Fee

// FeeError says why a payout may not cost what it may cost. It is safe to show.
type FeeError struct {
	Chain chain.ID
	Scope Scope // EachPayout or FeeDay; "" where the chain has no fee
	Most  money.Amount
	Asked money.Amount
}

func (e *FeeError) Error() string {
	switch e.Scope {
	case EachPayout:
		return fmt.Sprintf("the fee of a payout on %s: %s is the most, and it may be %s", e.Chain, e.Most, e.Asked)
	case FeeDay:
		return fmt.Sprintf("the fees of a day on %s: %s is the most, and with this they may be %s", e.Chain, e.Most, e.Asked)
	}
	return fmt.Sprintf("no fee is set for %s, and without it nothing is paid out", e.Chain)
}

// Of is a chain's fee.
func (f Fees) Of(on chain.ID) (Fee, error) {
	for _, fee := range f {
		if fee.Chain == on {
			return fee, nil
		}
	}
	return Fee{}, &FeeError{Chain: on}
}

// Check says whether a payout keeps to its chain's fee: the most that it may cost counts, so that once it is signed its price
// can be raised up to that whatever else is signed.
func (f Fees) Check(p Payout, counts Counts, now time.Time) error {
	return f.Allow(p.Chain(), p.FeeMost, counts, now)
}

// Allow says whether something may cost so much on a chain.
func (f Fees) Allow(on chain.ID, cost money.Amount, counts Counts, now time.Time) error {
	fee, err := f.Of(on)
	if err != nil {
		return err
	}
	if cost.Sign() <= 0 || cost.Cmp(fee.Most) > 0 {
		return &FeeError{on, EachPayout, fee.Most, cost}
	}
	if all := counts[feeCounter(on, now)].Add(cost); all.Cmp(fee.Day) > 0 {
		return &FeeError{on, FeeDay, fee.Day, all}
	}
	return nil
}

// Known says which fee of a configuration cannot be meant, by its place.
func (f Fees) Known() error {
	for i, fee := range f {
		place := fmt.Sprintf("fees[%d].", i)
		switch first, _ := f.Of(fee.Chain); {
		case fee.Chain.Namespace() != "eip155" || fee.Chain.Reference() == "":
			return fmt.Errorf("%schain: must be the CAIP-2 id of an EVM chain: payouts are made on those", place)
		case first != fee:
			return fmt.Errorf("%schain: has another fee already", place)
		case fee.Most.Sign() < 0:
			return fmt.Errorf("%smost: must not be negative", place)
		case fee.Day.Cmp(fee.Most) < 0:
			return fmt.Errorf("%sday: must be at least what one payout may cost", place)
		}
	}
	return nil
}
