package book

import (
	"cmp"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"

	"farrier/shared/dynamo"
	"farrier/shared/ledger"
	"farrier/shared/money"
	"farrier/shared/payout"
)

// MaxParts is from how many parts of an account one payout may take: an entry and a balance for each, the payout itself, and the
// fee's entry and balance fit into one transaction.
const MaxParts = (dynamo.MaxWrites - 3) / 2

// ErrSpread says that the money is there and cannot be moved at once. It is safe to show.
var ErrSpread = errors.New("the amount lies in more parts of the account than can be moved at once; ask for less in one payout")

// ShortError says that less is available than is to be paid. It is safe to show.
type ShortError struct {
	Symbol   string
	Decimals int
	Has      money.Amount // all parts together
	Wants    money.Amount
}

func (e *ShortError) Error() string {
	return fmt.Sprintf("%s %s are available, and %s are to be paid", e.Has.Decimal(e.Decimals), e.Symbol, e.Wants.Decimal(e.Decimals))
}

// Negative says that the account has less than nothing, so that none of its payouts is made.
func (e *ShortError) Negative() bool { return e.Has.Sign() < 0 }

// take decides from which parts of its account a payout's money is taken. All parts that the decision rests on are in touched.
//
// A part that is enough alone is chosen by the payout's id, so that payouts at once do not all ask for the same one; where there
// is none, the largest come first, so that as few as can be are used.
func take(p payout.Payout, balances []ledger.Balance) (parts []payout.Part, touched []ledger.Balance, err error) {
	var has, debt money.Amount
	var give []ledger.Balance
	for _, b := range balances {
		available := b.Legs[ledger.Available]
		has = has.Add(available)
		switch available.Sign() {
		case -1:
			debt = debt.Add(available.Neg())
			touched = append(touched, b)
		case 1:
			give = append(give, b)
		}
	}
	if has.Cmp(p.Amount) < 0 {
		return nil, nil, &ShortError{Symbol: p.Symbol, Decimals: p.Decimals, Has: has, Wants: p.Amount}
	}
	left, uncovered := p.Amount, p.Amount.Add(debt)
	for _, b := range choose(p, give, uncovered) {
		if uncovered.Sign() <= 0 {
			break
		}
		part := b.Legs[ledger.Available]
		uncovered = uncovered.Sub(part)
		touched = append(touched, b)
		if part.Cmp(left) > 0 {
			part = left
		}
		if part.Sign() > 0 {
			left = left.Sub(part)
			parts = append(parts, payout.Part{Shard: b.Shard, Amount: part})
		}
	}
	if len(parts) > MaxParts || 1+len(parts)+len(touched) > dynamo.MaxWrites {
		return nil, nil, ErrSpread
	}
	return parts, touched, nil
}

// choose puts parts in the order in which they are asked.
func choose(p payout.Payout, give []ledger.Balance, need money.Amount) []ledger.Balance {
	var enough []ledger.Balance
	for _, b := range give {
		if b.Legs[ledger.Available].Cmp(need) >= 0 {
			enough = append(enough, b)
		}
	}
	if len(enough) > 0 {
		sum := fnv.New32a()
		_, _ = sum.Write([]byte(p.ID))                       // never fails
		return enough[int(sum.Sum32()%uint32(len(enough))):] // #nosec G115 -- an account has few shards
	}
	slices.SortFunc(give, func(a, b ledger.Balance) int {
		return cmp.Or(b.Legs[ledger.Available].Cmp(a.Legs[ledger.Available]), cmp.Compare(a.Shard, b.Shard))
	})
	return give
}
