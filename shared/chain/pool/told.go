package pool

import (
	"slices"

	"farrier/shared/chain"
	"farrier/shared/money"
)

// Told is what an endpoint tells of a range of blocks.
type Told struct {
	Transfers []chain.Transfer
	End       string // the hash of the last block
}

// Same says whether two endpoints tell the same transfers, in the same order, on the same chain.
func (a Told) Same(b Told) bool {
	return a.End == b.End && slices.EqualFunc(a.Transfers, b.Transfers, func(x, y chain.Transfer) bool {
		amounts := x.Amount.Cmp(y.Amount) == 0
		x.Amount, y.Amount = money.Amount{}, money.Amount{}
		return amounts && x == y
	})
}
