package payout

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"farrier/shared/money"
)

// bump is by how many parts of a hundred both prices of a later attempt are higher than the one's before: less is refused by
// nodes as underpriced (PriceBump of go-ethereum's legacy pool, read in v1.17).
const bump = 10

// Errors of adding an attempt.
var (
	ErrNonce    = errors.New("payout: this is not its nonce")
	ErrFee      = errors.New("payout: an attempt may cost more than the payout's fee may be")
	ErrBump     = fmt.Errorf("payout: both prices of an attempt must be %d%% above those of the one before", bump)
	ErrTip      = errors.New("payout: the tip is above the whole price, or less than nothing")
	ErrAttempts = fmt.Errorf("payout: it has %d attempts, and more are not made", MaxAttempts)
	ErrOrder    = errors.New("payout: an attempt's number is not the next")
	ErrHash     = errors.New("payout: two attempts have the same transaction, or one has none")
)

// Cost is the most that the attempt's fee can be.
func (a Attempt) Cost() money.Amount {
	cost, err := money.FromBig(new(big.Int).Mul(a.FeePerGas.Big(), new(big.Int).SetUint64(a.Gas)))
	if err != nil { // above any cap
		largest := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))
		cost, _ = money.FromBig(largest)
	}
	return cost
}

// Least are the lowest prices that the next attempt may have; zero for the first.
func (p Payout) Least() (feePerGas, tipPerGas money.Amount) {
	if len(p.Attempts) == 0 {
		return feePerGas, tipPerGas
	}
	last := p.Attempts[len(p.Attempts)-1]
	return bumped(last.FeePerGas), bumped(last.TipPerGas)
}

// bumped is a price and bump parts of a hundred more, rounded up.
func bumped(price money.Amount) money.Amount {
	up := new(big.Int).Mul(price.Big(), big.NewInt(100+bump))
	up.Add(up, big.NewInt(99)).Quo(up, big.NewInt(100))
	raised, err := money.FromBig(up)
	if err != nil {
		return price
	}
	return raised
}

// Fits says why an attempt may not be the payout's next: whoever signs asks before it does.
func (p Payout) Fits(a Attempt) error {
	feePerGas, tipPerGas := p.Least()
	switch {
	case len(p.Attempts) >= MaxAttempts:
		return ErrAttempts
	case a.N != len(p.Attempts)+1:
		return ErrOrder
	case p.Nonce == nil || a.Nonce != *p.Nonce:
		return ErrNonce
	case a.TipPerGas.Sign() < 0 || a.TipPerGas.Cmp(a.FeePerGas) > 0:
		return ErrTip
	case a.FeePerGas.Cmp(feePerGas) < 0 || a.TipPerGas.Cmp(tipPerGas) < 0:
		return ErrBump
	case a.Cost().Cmp(p.FeeMost) > 0:
		return ErrFee
	}
	return nil
}

// Sign is the payout with one more signed transaction: the first makes it signed, a later one leaves the state as it is. An
// attempt that the payout has already changes nothing; the same number with another transaction is ErrOrder.
func (p Payout) Sign(a Attempt, now time.Time) (Payout, error) {
	if a.N >= 1 && a.N <= len(p.Attempts) && p.Attempts[a.N-1].Hash == a.Hash {
		return p, nil
	}
	switch p.State {
	case Reserved, Signed, Broadcast:
	default:
		return p, &MoveError{From: p.State, To: Signed}
	}
	if err := p.Fits(a); err != nil {
		return p, err
	}
	if a.Hash == "" || slices.ContainsFunc(p.Attempts, func(other Attempt) bool { return other.Hash == a.Hash }) {
		return p, ErrHash
	}
	p.Attempts = append(slices.Clone(p.Attempts), a)
	if p.State == Reserved {
		return p.moved(Signed, now)
	}
	return p.next(now), nil
}

// Sent is the payout after a node was given an attempt's bytes, or said that it knows them. Only the first time counts.
func (p Payout) Sent(n int, now time.Time) (Payout, error) {
	if n < 1 || n > len(p.Attempts) {
		return p, ErrOrder
	}
	if p.Attempts[n-1].BroadcastAt != nil {
		return p, nil
	}
	p.Attempts = slices.Clone(p.Attempts)
	p.Attempts[n-1].BroadcastAt = &now
	if p.State == Signed {
		return p.moved(Broadcast, now)
	}
	return p.next(now), nil
}

// ErrElsewhere says that a payout has ended in another block than the one that is told of now. Whoever tells it finds out
// whether that block is gone; if so, the payout is lifted out of it first (Lose).
var ErrElsewhere = errors.New("payout: it has ended in another block")

// Include is the payout after one of its attempts was found in a canonical block. The same block again changes nothing.
func (p Payout) Include(m Mined, now time.Time) (Payout, error) {
	switch {
	case m.Attempt < 1 || m.Attempt > len(p.Attempts):
		return p, ErrOrder
	case p.Mined != nil && p.Mined.Attempt == m.Attempt && p.Mined.BlockHash == m.BlockHash:
		return p, nil
	case p.Ended():
		return p, ErrElsewhere
	}
	p, err := p.moved(Confirming, now)
	if err != nil {
		return p, err
	}
	return p.found(&m), nil
}

// Lose is the payout after what it lies in is known to be gone: its block or, of one that was replaced, the transaction that
// had its nonce. It lies in another block now or, where that is nil, in none, and then its bytes are given to nodes again.
// One that had ended is in its next round, whose money is reserved again in the same transaction. Nothing follows where it
// lies elsewhere, so that late news of an older fork takes nothing back.
func (p Payout) Lose(gone string, in *Mined, now time.Time) (Payout, error) {
	if gone == "" || gone != p.lies() {
		return p, nil
	}
	to, ended := Broadcast, p.Ended()
	if in != nil {
		to = Confirming
		if in.Attempt < 1 || in.Attempt > len(p.Attempts) {
			return p, ErrOrder
		}
	}
	p, err := p.moved(to, now)
	if err != nil {
		return p, err
	}
	if ended {
		p.Round++
		p.Booked = true
	}
	return p.found(in), nil
}

// lies names what the payout lies in on the chain.
func (p Payout) lies() string {
	if p.Mined != nil {
		return p.Mined.BlockHash
	}
	return p.Overtaker
}

// Settle ends a payout whose block is final: paid, or failed where the transaction was reverted.
func (p Payout) Settle(now time.Time) (Payout, error) {
	if p.State != Confirming || p.Mined == nil {
		return p, &MoveError{From: p.State, To: Final}
	}
	to, why := Final, ""
	if p.Mined.Reverted {
		to, why = Failed, "the transaction was mined and reverted; its fee is paid"
	}
	p, err := p.moved(to, now)
	if err != nil {
		return p, err
	}
	p = p.because(why)
	p.Booked, p.Attempts = false, slices.Clone(p.Attempts)
	for i := range p.Attempts {
		p.Attempts[i].Outcome = Overtaken
	}
	p.Attempts[p.Mined.Attempt-1].Outcome = Succeeded
	if p.Mined.Reverted {
		p.Attempts[p.Mined.Attempt-1].Outcome = Reverted
	}
	return p, nil
}

// Overtake ends a payout whose nonce another transaction has, in a block that is final.
func (p Payout) Overtake(tx string, now time.Time) (Payout, error) {
	if tx == "" || slices.ContainsFunc(p.Attempts, func(a Attempt) bool { return a.Hash == tx }) {
		return p, ErrHash
	}
	p, err := p.moved(Replaced, now)
	if err != nil {
		return p, err
	}
	p = p.found(nil).because("another transaction has its nonce")
	p.Overtaker, p.Booked = tx, false
	for i := range p.Attempts {
		p.Attempts[i].Outcome = Overtaken
	}
	return p, nil
}

// found is the payout in a block, or in none, with no outcome yet.
func (p Payout) found(m *Mined) Payout {
	p.Mined, p.Overtaker, p.Reason, p.Attempts = m, "", "", slices.Clone(p.Attempts)
	for i := range p.Attempts {
		p.Attempts[i].Outcome = ""
	}
	return p
}
