package payment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/problem"
)

// Cancel takes a payment back to which nothing has been credited. Done again it changes nothing. Money that comes all the
// same is credited to the merchant: that of a block before this moment counts in time, and later money is late.
func (s Store) Cancel(ctx context.Context, merchant, name string) (Payment, error) {
	return s.act(ctx, merchant, name, func(p Payment, now time.Time) (Payment, string, error) {
		switch {
		case p.CancelledAt != nil:
			return p, "", nil
		case p.Credited():
			return p, "", problem.New(problem.Conflict, fmt.Sprintf("money has been credited to this payment, which is %s: it cannot be cancelled", p.StatusAt(now)))
		case p.over(now):
			return p, "", problem.New(problem.Conflict, "this payment's time is over: there is nothing to cancel")
		}
		p.CancelledAt = &now
		p.Status = p.StatusAt(now)
		return p, "payment." + string(p.Status), nil
	})
}

// Decide records the merchant's word about money that is not as it was asked for. The same word again changes nothing.
func (s Store) Decide(ctx context.Context, merchant, name string, about About, action Action, by string) (Payment, error) {
	if action != Accept && action != Refund {
		return Payment{}, problem.Field("action", "must be accept or refund")
	}
	if about != AboutPartial && about != AboutOver && about != AboutLate {
		return Payment{}, problem.Field("about", "must be partial, over or late")
	}
	return s.act(ctx, merchant, name, func(p Payment, now time.Time) (Payment, string, error) {
		p, is, changed := p.Decide(about, action, by, now)
		switch {
		case !is:
			return p, "", problem.New(problem.Conflict, fmt.Sprintf("nothing of this payment is to be decided about as %s", about))
		case !changed:
			return p, "", nil
		}
		return p, "payment.decided", nil
	})
}

// act changes a payment at the version that was read, and decides anew where another writer was faster. A change without
// an event is none.
func (s Store) act(ctx context.Context, merchant, name string, change func(Payment, time.Time) (Payment, string, error)) (Payment, error) {
	for {
		read, err := s.Get(ctx, merchant, name)
		if err != nil {
			return Payment{}, err
		}
		now := s.Now().UTC().Truncate(time.Millisecond)
		changed, event, err := change(read, now)
		if err != nil || event == "" {
			return changed, err
		}
		changed = changed.Next(now, event)
		if err = s.Payments.Replace(ctx, changed, read.Version); !errors.Is(err, dynamo.ErrStale) {
			return changed, err
		}
	}
}
