package deposit

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"

	"farrier/shared/chain"
	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/id"
	"farrier/shared/wallet"
)

// Store is the table of deposits. Every step that it makes is one read and at most one write under the
// version that was read; run again, it writes nothing.
type Store struct {
	Table   dynamo.Table
	Metrics cloud.Metrics
}

// attempts is how often a step is decided anew when another writer was faster.
const attempts = 8

// errBusy: others kept changing the same deposit.
var errBusy = errors.New("deposit: others are changing the same deposit; come again")

// Observe records that a transfer to an owner's address is seen, confirming or final, and says whether
// that was news. It is an *ElsewhereError where the deposit is final in another block.
func (s Store) Observe(ctx context.Context, owner wallet.Address, t chain.Transfer, state State, now time.Time) (bool, error) {
	if state != Seen && state != Confirming && state != Final {
		return false, fmt.Errorf("deposit: nobody observes %q", state)
	}
	key := KeyOf(owner.Merchant, owner.Payment, t.Chain, t.Tx, t.Index)
	for range attempts {
		stored, err := s.Get(ctx, key)
		if errors.Is(err, dynamo.ErrMissing) {
			err = s.Table.Create(ctx, first(owner, t, state, now))
			if overtaken(err) {
				continue
			}
			return err == nil, err
		}
		if err != nil {
			return false, err
		}
		next, v := stored.told(t, state, now)
		switch v {
		case asBefore:
			return false, nil
		case elsewhere:
			return false, &ElsewhereError{Stored: stored}
		case contradicts:
			return false, s.keepBeside(ctx, stored, t, now)
		}
		err = s.Table.Replace(ctx, next, stored.Version)
		if overtaken(err) {
			continue
		}
		return err == nil, err
	}
	return false, errBusy
}

// Retract records that the block is gone from the chain: a deposit in it is dropped, or reversed if it
// was final. It gives the state that follows, and whether that was news.
func (s Store) Retract(ctx context.Context, key dynamo.Key, block string, now time.Time) (State, bool, error) {
	for range attempts {
		stored, err := s.Get(ctx, key)
		if err != nil {
			return "", false, err
		}
		next, v := stored.gone(block, now)
		if v == asBefore {
			return stored.State, false, nil
		}
		s.alarm(next)
		err = s.Table.Replace(ctx, next, stored.Version)
		if overtaken(err) {
			continue
		}
		return next.State, err == nil, err
	}
	return "", false, errBusy
}

func overtaken(err error) bool {
	var exists *dynamo.ExistsError
	return errors.Is(err, dynamo.ErrStale) || errors.As(err, &exists)
}

// alarm is raised before the write that it is about: better twice than never.
func (s Store) alarm(d Deposit) {
	alarms := map[State]string{Reversed: "DepositReversed", Conflict: "DepositConflict"}
	if name := alarms[d.State]; name != "" {
		about := map[string]string{"deposit": d.ID, "chain": string(d.Chain), "tx": d.Tx, "merchant": d.Merchant}
		if d.Held != nil {
			about = map[string]string{"deposit": d.ID, "connection": d.Held.Connection, "object": d.Held.Object, "merchant": d.Merchant}
		}
		s.Metrics.Count(name, 1, about)
	}
}

// keepBeside keeps a different telling of a final deposit under a name of its own, once, and raises the alarm.
func (s Store) keepBeside(ctx context.Context, stored Deposit, t chain.Transfer, now time.Time) error {
	d := stored
	d.copyFrom(t)
	sum := id.Digest(string(d.Asset), d.From, d.To, d.Amount.String())
	d.SK = strings.Join([]string{"conflict", stored.SK, base32.StdEncoding.EncodeToString(sum[:10])}, "/")
	d.State, d.NoticedAt, d.UpdatedAt, d.Version, d.Before = Conflict, now, now, 1, ""
	s.alarm(d)
	if err := s.Table.Create(ctx, d); !overtaken(err) {
		return err
	}
	return nil
}

// Get reads a deposit; dynamo.ErrMissing where there is none.
func (s Store) Get(ctx context.Context, key dynamo.Key) (Deposit, error) {
	var d Deposit
	err := s.Table.Get(ctx, key, &d)
	return d, err
}

// ByMerchant is a page of a merchant's deposits, those of the newest payments first and those of no payment last, and the
// cursor of the next page.
func (s Store) ByMerchant(ctx context.Context, merchant string, limit int32, cursor string) ([]Deposit, string, error) {
	return s.list(ctx, dynamo.Query{PK: merchant, From: unpaidFor + "/", To: "pay_~", Descending: true, Limit: limit, Cursor: cursor})
}

// ByPayment is a page of one payment's deposits and the cursor of the next.
func (s Store) ByPayment(ctx context.Context, merchant, payment string, limit int32, cursor string) ([]Deposit, string, error) {
	return s.list(ctx, dynamo.Query{PK: merchant, Prefix: payment + "/", Descending: true, Limit: limit, Cursor: cursor})
}

// EachOf hands every deposit of a payment to f, in the order of ByPayment.
func (s Store) EachOf(ctx context.Context, merchant, payment string, f func(Deposit) error) error {
	return dynamo.Each(ctx, s.Table, dynamo.Query{PK: merchant, Prefix: payment + "/", Descending: true}, f)
}

func (s Store) list(ctx context.Context, q dynamo.Query) ([]Deposit, string, error) {
	return dynamo.List[Deposit](ctx, s.Table, q)
}
