package payment

import (
	"time"

	"farrier/shared/money"
)

// statusOf is the whole rule.
func statusOf(amount, inTime, after money.Amount, expired bool) Status {
	switch {
	case inTime.Cmp(amount) >= 0 && inTime.Add(after).Cmp(amount) > 0:
		return Over
	case inTime.Cmp(amount) >= 0:
		return Paid
	case after.Sign() > 0:
		return Late
	case expired:
		return Expired
	case inTime.Sign() > 0:
		return Partial
	default:
		return Waiting
	}
}

// StatusAt is the status at a moment: a payment whose time is over is expired from that second on,
// also before the timer's message has been handled.
func (p Payment) StatusAt(now time.Time) Status {
	return statusOf(p.Amount, p.InTime, p.After, p.over(now))
}

// over says whether the payment's time is over; once it was recorded as expired it stays so.
func (p Payment) over(now time.Time) bool { return p.Ended || !now.Before(p.ExpiresAt) }

// Received is everything credited.
func (p Payment) Received() money.Amount { return p.InTime.Add(p.After) }

// IsAfter says whether money that came with a block of this time came too late.
func (p Payment) IsAfter(block time.Time) bool { return block.After(p.ExpiresAt) }

// Credit adds a deposit's amount (negative for a reversal) and says which event that is.
func (p Payment) Credit(amount money.Amount, after bool, now time.Time) (Payment, string) {
	if after {
		p.After = p.After.Add(amount)
	} else {
		p.InTime = p.InTime.Add(amount)
	}
	p.Status = p.StatusAt(now)
	if amount.Sign() < 0 {
		return p, "payment.reversed"
	}
	return p, "payment." + string(p.Status)
}

// Expire ends the payment's time; it says whether that changed its status.
func (p Payment) Expire(now time.Time) (Payment, bool) {
	before := p.Status
	p.Ended = true
	p.Status = p.StatusAt(now)
	return p, p.Status != before
}

// Next is the payment as the next version of itself, standing for these events.
func (p Payment) Next(now time.Time, events ...string) Payment {
	p.Version++
	p.UpdatedAt = now
	p.Events = nil
	for _, e := range events {
		if len(p.Events) == 0 || p.Events[len(p.Events)-1] != e {
			p.Events = append(p.Events, e)
		}
	}
	return p
}
