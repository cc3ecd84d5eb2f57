package payment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/dynamo"
	"farrier/shared/queue"
)

// What keeps a timer's message from being done; it comes again.
var (
	// ErrEarly: the payment's time is not over yet.
	ErrEarly = errors.New("payment: not yet over")
	// ErrUnwritten: there is no such payment. Its request may be running still.
	ErrUnwritten = errors.New("payment: there is no such payment yet")
)

// mostReceives is how often a timer's message comes for a payment that is not there. By then, three times
// the queue's three minutes, whoever was writing it has written it, or was stopped; should the request be
// made again after that, the payment is written as over.
const mostReceives = 3

// OnTimer does what a timer's message asks for.
func (s Store) OnTimer(ctx context.Context, message events.SQSMessage) error {
	var over Expiry
	if err := json.Unmarshal([]byte(message.Body), &over); err != nil {
		return fmt.Errorf("payment: the message is not a timer's: %w", err)
	}
	err := s.Expire(ctx, over)
	if errors.Is(err, ErrUnwritten) && queue.Receives(message) >= mostReceives {
		return nil
	}
	return err
}

// Expire records that a payment's time is over. It changes nothing for a payment that is paid.
func (s Store) Expire(ctx context.Context, e Expiry) error {
	for {
		var p Payment
		err := s.Payments.Get(ctx, dynamo.Key{PK: e.Merchant, SK: e.Payment}, &p)
		if errors.Is(err, dynamo.ErrMissing) {
			return ErrUnwritten
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
