package deposit

import (
	"context"
	"errors"
	"strings"
	"time"

	"farrier/shared/dynamo"
)

// claim says which payment an object of a provider counts for. It is written once, by whoever comes first with money of
// the object, and stands from then on: so the object has one deposit, whatever later callbacks say of what it is for.
type claim struct {
	PK string `dynamodbav:"pk"` // merchant
	SK string `dynamodbav:"sk"` // "claim"/connection/object

	ID        string    `dynamodbav:"id"` // the deposit's
	Payment   string    `dynamodbav:"payment"`
	NoticedAt time.Time `dynamodbav:"noticed_at"` // no state: it is no deposit
	Version   int64     `dynamodbav:"version"`    // always 1
}

// State records a statement and says whether that was news. paymentOf finds the payment that the object names, or ""; it
// is asked at most once in an object's life. The error is a *ContradictionError where the statement says something else
// than what stands: then nothing has moved.
func (s Store) State(ctx context.Context, st Statement, paymentOf func(context.Context) (string, error), now time.Time) (bool, error) {
	payment, err := s.claimed(ctx, st, paymentOf, now)
	if err != nil {
		return false, err
	}
	for range attempts {
		stored, err := s.Get(ctx, heldKey(st.Merchant, payment, st.Connection, st.Object))
		missing := errors.Is(err, dynamo.ErrMissing)
		if missing {
			stored = firstSaid(st, payment, now)
		} else if err != nil {
			return false, err
		}
		next, news, err := stored.said(st, now)
		if err != nil || !news {
			return false, err
		}
		if missing {
			err = s.Table.Create(ctx, next)
		} else {
			if st.Gone && stored.State == Final { // a refund is no trouble
				s.alarm(next)
			}
			err = s.Table.Replace(ctx, next, stored.Version)
		}
		if overtaken(err) {
			continue
		}
		return err == nil, err
	}
	return false, errBusy
}

// claimed is the payment that an object counts for.
func (s Store) claimed(ctx context.Context, st Statement, paymentOf func(context.Context) (string, error), now time.Time) (string, error) {
	key := dynamo.Key{PK: st.Merchant, SK: strings.Join([]string{"claim", st.Connection, st.Object}, "/")}
	var stands claim
	err := s.Table.Get(ctx, key, &stands)
	if !errors.Is(err, dynamo.ErrMissing) {
		return stands.Payment, err
	}
	payment, err := paymentOf(ctx)
	if err != nil {
		return "", err
	}
	err = s.Table.Create(ctx, claim{PK: key.PK, SK: key.SK, ID: HeldID(st.Connection, st.Object), Payment: payment, NoticedAt: now, Version: 1})
	if exists, readErr := dynamo.Exists(err, &stands); exists {
		return stands.Payment, readErr
	}
	return payment, err
}
