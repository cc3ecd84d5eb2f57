package credit

import (
	"fmt"

	"farrier/shared/deposit"
	"farrier/shared/ledger"
	"farrier/shared/money"
	"farrier/shared/payment"
)

// step is one entry that a deposit still needs.
type step struct {
	deposit deposit.Deposit
	round   int
	kind    ledger.Kind
	booked  *ledger.Entry // the credit that a reversal takes back
}

// stepsFor decides which entries a deposit still needs, from its state and the entries it has.
func stepsFor(d deposit.Deposit, has []ledger.Entry) []step {
	bySlot := map[string]*ledger.Entry{}
	for i, e := range has {
		bySlot[e.SK] = &has[i]
	}
	var steps []step
	for round := range d.Round { // rounds that the chain took back
		booked := bySlot[ledger.Slot(d, round, ledger.Credit)]
		switch {
		case booked == nil:
			steps = append(steps, step{deposit: d, round: round, kind: ledger.Void})
		case booked.Kind == ledger.Credit && bySlot[ledger.Slot(d, round, ledger.Reversal)] == nil:
			was := d // in the next round the same transaction may move another asset
			was.Asset, was.Decimals = booked.Asset, booked.Decimals
			steps = append(steps, step{deposit: was, round: round, kind: ledger.Reversal, booked: booked})
		}
	}
	if d.State == deposit.Final && bySlot[ledger.Slot(d, d.Round, ledger.Credit)] == nil {
		steps = append(steps, step{deposit: d, round: d.Round, kind: ledger.Credit})
	}
	return steps
}

// entry makes the step's entry; p is the deposit's payment, or nil where there is none.
func (s step) entry(c *Crediter, p *payment.Payment) ledger.Entry {
	var legs ledger.Legs
	var toward ledger.Toward
	switch s.kind {
	case ledger.Credit:
		legs = ledger.Legs{ledger.Available: s.deposit.Amount, counter(s.deposit): s.deposit.Amount.Neg()}
		toward = towardOf(s.deposit, p)
	case ledger.Reversal:
		legs, toward = s.booked.Legs.Negative(), s.booked.Toward
	case ledger.Void:
		legs = ledger.Legs{ledger.Available: money.Amount{}, counter(s.deposit): money.Amount{}}
	}
	return ledger.EntryFor(s.deposit, s.round, s.kind, legs, toward, c.now())
}

// counter is the leg that says where the money is.
func counter(d deposit.Deposit) ledger.Leg {
	if d.Held != nil {
		return ledger.Held
	}
	return ledger.Custody
}

// towardOf decides what a deposit counts for: only assets that were asked for count.
func towardOf(d deposit.Deposit, p *payment.Payment) ledger.Toward {
	switch {
	case p == nil || !p.Asks(d.Asset):
		return ""
	case p.IsAfter(d.Came()):
		return ledger.TowardAfter
	default:
		return ledger.TowardInTime
	}
}

// books is one transaction in the making: an account's balance, its new entries and their payments.
type books struct {
	balance  ledger.Balance
	entries  []ledger.Entry
	payments map[string]*move
}

// move is a payment before and after.
type move struct {
	before, after payment.Payment
	events        []string
}

// write adds the entries of all steps to the account and its payments.
func (b *books) write(c *Crediter, steps []step) error {
	for i, s := range steps {
		m := b.payments[s.deposit.Payment]
		var p *payment.Payment
		if m != nil {
			p = &m.after
		}
		e := s.entry(c, p)
		if e.Legs.Sum().Sign() != 0 {
			return fmt.Errorf("entry %s does not sum to zero", e.SK)
		}
		b.entries = append(b.entries, e)
		if m != nil && e.Toward != "" {
			var event string
			m.after, event = m.after.Credit(e.Asset, e.Legs[ledger.Available], e.Toward == ledger.TowardAfter, c.now())
			if !restates(s, steps[i+1:], m.after) {
				m.events = append(m.events, event)
			}
		}
	}
	return nil
}

// restates says that a reversal only makes room for the credit that follows it: what a provider holds of an object is
// another amount now. The credit's event tells of it, and there is one, since it counts for the same payment.
func restates(s step, rest []step, p payment.Payment) bool {
	return s.deposit.Held != nil && s.kind == ledger.Reversal && len(rest) > 0 && rest[0].deposit.ID == s.deposit.ID &&
		rest[0].kind == ledger.Credit && towardOf(rest[0].deposit, &p) != ""
}
