package payment

import (
	"math/big"

	"farrier/shared/money"
)

// A share is how much of what was asked an amount is, as an exact fraction: 1 is all of it. Shares in several assets add
// up, so that half in one and half in another is all.

// shareOf adds up what these amounts, an option each, are of what was asked in each.
func shareOf(options []Option, amounts []money.Amount) *big.Rat {
	sum := new(big.Rat)
	for i, o := range options {
		sum.Add(sum, o.share(amounts[i]))
	}
	return sum
}

func (o Option) share(a money.Amount) *big.Rat {
	if o.Amount.Sign() <= 0 { // nothing is a share of what was never asked for
		return new(big.Rat)
	}
	return new(big.Rat).SetFrac(a.Big(), o.Amount.Big())
}

// units is what a share is in the option's asset, in whole smallest units: rounded down, or up.
func (o Option) units(share *big.Rat, up bool) money.Amount {
	exact := new(big.Rat).Mul(share, new(big.Rat).SetInt(o.Amount.Big()))
	whole, rest := new(big.Int).QuoRem(exact.Num(), exact.Denom(), new(big.Int))
	if up && rest.Sign() > 0 {
		whole.Add(whole, big.NewInt(1))
	}
	a, _ := money.FromBig(whole) // no share here is more than what has come, or was asked
	return a
}

// each picks an amount of every option.
func each(options []Option, pick func(Option) money.Amount) []money.Amount {
	out := make([]money.Amount, len(options))
	for i, o := range options {
		out[i] = pick(o)
	}
	return out
}

func inTime(o Option) money.Amount { return o.InTime }
func after(o Option) money.Amount  { return o.After }

// Remaining is what a payer who pays by one asset alone must still send in it, an amount for each option: rounded up to
// the smallest unit, and nothing where what counts is enough.
func (p Payment) Remaining() []money.Amount {
	options := p.net()
	_, counted := p.counted(options)
	share := shareOf(options, counted)
	if p.Tolerance.enough(share) {
		return make([]money.Amount, len(options))
	}
	missing := new(big.Rat).Sub(whole, share)
	return each(options, func(o Option) money.Amount { return o.units(missing, true) })
}

// coarsest is the share that the smallest unit of an asset is, of those that have come the one where that is the most; and
// whether several have come.
func coarsest(options []Option, amounts []money.Amount) (unit *big.Rat, several bool) {
	unit, came := new(big.Rat), 0
	for i, o := range options {
		if amounts[i].Sign() <= 0 {
			continue
		}
		came++
		if one := o.share(money.Units(1)); one.Cmp(unit) > 0 {
			unit = one
		}
	}
	return unit, came > 1
}

// excess is what these amounts are more than was asked, taken from the options from the last to the first, rounded down.
func excess(options []Option, amounts []money.Amount) []money.Amount {
	left := new(big.Rat).Sub(shareOf(options, amounts), whole)
	out := make([]money.Amount, len(options))
	for i := len(options) - 1; i >= 0 && left.Sign() > 0; i-- {
		if out[i] = amounts[i]; options[i].share(out[i]).Cmp(left) > 0 {
			out[i] = options[i].units(left, false)
		}
		left.Sub(left, options[i].share(out[i]))
	}
	return out
}

var whole = big.NewRat(1, 1)

// points are so many basis points.
func points(n int64) *big.Rat { return big.NewRat(n, 10000) }
