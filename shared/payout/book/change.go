package book

import (
	"farrier/shared/ledger"
	"farrier/shared/money"
	"farrier/shared/payout"
)

// change is what a payout's move means for the book.
type change struct {
	money ledger.Kind // of the payout's own asset, in each of its parts; "" where the book says nothing
	fees  ledger.Kind // of the chain's coin
	fee   money.Amount
	tx    string
}

// changeOf reads it off the payout before and after.
func changeOf(before, after payout.Payout) change {
	switch {
	case after.Round > before.Round && before.State == payout.Final:
		return onChain(before, ledger.Unpaid, ledger.Unfee)
	case after.Round > before.Round:
		return onChain(before, ledger.Reserve, ledger.Unfee)
	case after.Booked && !before.Booked:
		return change{money: ledger.Reserve}
	case before.Booked && !after.Booked && after.State == payout.Final:
		return onChain(after, ledger.Paid, ledger.Fee)
	case before.Booked && !after.Booked:
		return onChain(after, ledger.Release, ledger.Fee)
	}
	return change{}
}

// onChain is a change by what the chain says of a payout, which may be nothing.
func onChain(p payout.Payout, moved, fees ledger.Kind) change {
	c := change{money: moved, fees: fees, tx: p.Overtaker}
	if p.Mined != nil {
		c.fee, c.tx = p.Mined.Fee, p.Attempts[p.Mined.Attempt-1].Hash
	}
	return c
}

// legsOf are the legs of an entry of a payout.
func legsOf(kind ledger.Kind, amount money.Amount) ledger.Legs {
	switch kind {
	case ledger.Reserve:
		return between(ledger.Available, ledger.Reserved, amount)
	case ledger.Release:
		return between(ledger.Reserved, ledger.Available, amount)
	case ledger.Paid:
		return between(ledger.Reserved, ledger.Custody, amount)
	case ledger.Unpaid:
		return between(ledger.Custody, ledger.Reserved, amount)
	case ledger.Fee:
		return between(ledger.Fees, ledger.Custody, amount)
	default: // Unfee
		return between(ledger.Custody, ledger.Fees, amount)
	}
}

func between(from, to ledger.Leg, amount money.Amount) ledger.Legs {
	return ledger.Legs{from: amount.Neg(), to: amount}
}
