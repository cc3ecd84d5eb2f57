package payment

import (
	"context"
	"errors"
	"time"

	"farrier/shared/dynamo"
)

// ErrEarly says that the message came before the payment's time was over.
var ErrEarly = errors.New("payment: not yet over")

// Expire records that a payment's time is over. It changes nothing for a payment that is paid, or
// that does not exist (a request that was stopped before its payment was written).
func (s Store) Expire(ctx context.Context, e Expiry) error {
	for {
		var p Payment
		err := s.Payments.Get(ctx, dynamo.Key{PK: e.Merchant, SK: e.Payment}, &p)
		if errors.Is(err, dynamo.ErrMissing) {
			return nil
		}
		if err != nil {
			return err
		}
		now := s.Now().UTC().Truncate(time.Millisecond)
		if now.Before(p.ExpiresAt) {
			return ErrEarly
		}
		ended, changed := p.Expire(now)
		if !changed {
			return nil
		}
		err = s.Payments.Replace(ctx, ended.Next(now, "payment."+string(ended.Status)), p.Version)
		if !errors.Is(err, dynamo.ErrStale) {
			return err
		}
	}
}
