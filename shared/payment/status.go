package payment

import (
	"slices"
	"time"

	"farrier/shared/event"
	"farrier/shared/money"
)

// statusWhen is the whole rule. Closed says that the payment's end has come.
func (p Payment) statusWhen(closed bool) Status {
	options := p.Options()
	switch enough := p.Tolerance.enough(shareOf(options, each(options, inTime))); {
	case enough && p.Tolerance.tooMuch(options, each(options, Option.Received)):
		return Over
	case enough:
		return Paid
	case !none(each(options, after)):
		return Late
	case p.CancelledAt != nil:
		return Cancelled
	case closed:
		return Expired
	case !none(each(options, inTime)):
		return Partial
	default:
		return Waiting
	}
}

func none(amounts []money.Amount) bool {
	for _, a := range amounts {
		if a.Sign() != 0 {
			return false
		}
	}
	return true
}

// StatusAt is the status at a moment: a payment whose time is over is expired from that second on,
// also before the timer's message has been handled.
func (p Payment) StatusAt(now time.Time) Status { return p.statusWhen(p.closed(now)) }

// closed says whether the payment's end has come: its time is over, or it was cancelled.
func (p Payment) closed(now time.Time) bool { return p.CancelledAt != nil || p.over(now) }

// over says whether the payment's time is over; once it was recorded as expired it stays so.
func (p Payment) over(now time.Time) bool { return p.Ended || !now.Before(p.ExpiresAt) }

// EndsAt is the payment's end: when its time is over, or when it was cancelled before.
func (p Payment) EndsAt() time.Time {
	if p.CancelledAt != nil && p.CancelledAt.Before(p.ExpiresAt) {
		return *p.CancelledAt
	}
	return p.ExpiresAt
}

// IsAfter says whether money that came with a block of this time came too late.
func (p Payment) IsAfter(block time.Time) bool { return block.After(p.EndsAt()) }

// Credited says whether anything is credited that counts for the payment.
func (p Payment) Credited() bool { return !none(each(p.Options(), Option.Received)) }

// Credit adds a deposit's amount (negative for a reversal) in one of the assets that were asked for, and says which event
// that is.
func (p Payment) Credit(asset money.Asset, amount money.Amount, after bool, now time.Time) (Payment, string) {
	options := p.Options()
	o := &options[p.place(asset)]
	if after {
		o.After = o.After.Add(amount)
	} else {
		o.InTime = o.InTime.Add(amount)
	}
	p = p.withOptions(options)
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
	p.Before = event.MarkOf(p.Version, p.UpdatedAt, p.Events, p.Before)
	p.Version++
	p.UpdatedAt = now
	p.Events = nil
	for i, e := range events {
		if !slices.Contains(events[i+1:], e) { // a version stands once for a type: what came of it comes last
			p.Events = append(p.Events, e)
		}
	}
	return p
}
