package payout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/money"
)

// Counted is the signer's own table of what went out: nobody else writes to it.
type Counted struct {
	Table dynamo.Table
	Now   func() time.Time
}

// count is one counter.
type count struct {
	PK string `dynamodbav:"pk"` // the counter
	SK string `dynamodbav:"sk"` // always "count"

	Sum       money.Amount `dynamodbav:"sum"`
	Version   int64        `dynamodbav:"version"`
	ExpiresAt int64        `dynamodbav:"expires_at"` // in Unix seconds: a day's counter is of no use later
}

// once says that a payout is counted.
type once struct {
	PK string `dynamodbav:"pk"` // payout id
	SK string `dynamodbav:"sk"` // always "payout"

	Hash    string    `dynamodbav:"hash"` // of its canonical form
	Day     string    `dynamodbav:"day"`
	At      time.Time `dynamodbav:"at"`
	Version int64     `dynamodbav:"version"`
}

// keepCounts is how long a day's counters are kept, for people to look at.
const keepCounts = 40 * 24 * time.Hour

// ErrOtherPayout says that another payout was counted under the same id.
var ErrOtherPayout = errors.New("payout: one with this id was counted, and it was another")

// Count checks a payout against the limits and counts it, all at once: once, however many attempts it has and whoever races.
// It is an *ExceededError or an *UnlimitedError where the payout is over a limit, and then nothing is counted.
func (s Counted) Count(ctx context.Context, p Payout, limits Limits) error {
	hash, err := p.Hash()
	if err != nil {
		return err
	}
	for range attempts {
		now := s.Now().UTC().Truncate(time.Millisecond)
		done, err := s.before(ctx, p.ID, hash)
		if done || err != nil {
			return err
		}
		stored, err := s.read(ctx, p.counters(now))
		if err != nil {
			return err
		}
		counts := Counts{}
		for _, c := range p.counters(now) {
			counts[c] = stored[c.key()].Sum
		}
		if err := limits.Check(p, counts, now); err != nil {
			return err
		}
		mark := once{PK: p.ID, SK: "payout", Hash: hash, Day: now.Format(time.DateOnly), At: now, Version: 1}
		writes := []dynamo.Write{{Table: s.Table, Item: mark}}
		for _, c := range p.counters(now) {
			before := stored[c.key()]
			after := count{PK: c.key(), SK: "count", Sum: before.Sum.Add(p.Amount), Version: before.Version + 1, ExpiresAt: now.Add(keepCounts).Unix()}
			write := dynamo.Write{Table: s.Table, Item: after}
			if before.Version > 0 {
				write.Expected = &before.Version
			}
			writes = append(writes, write)
		}
		err = dynamo.Transact(ctx, s.Table.Client, writes)
		var cancelled *dynamo.Cancelled
		if !errors.As(err, &cancelled) {
			return err
		}
	}
	return errBusy
}

// before says whether the payout is counted already.
func (s Counted) before(ctx context.Context, payout, hash string) (bool, error) {
	var stored once
	err := s.Table.Get(ctx, dynamo.Key{PK: payout, SK: "payout"}, &stored)
	switch {
	case errors.Is(err, dynamo.ErrMissing):
		return false, nil
	case err != nil:
		return false, err
	case stored.Hash != hash:
		return false, fmt.Errorf("%s: %w", payout, ErrOtherPayout)
	}
	return true, nil
}

func (s Counted) read(ctx context.Context, counters []Counter) (map[string]count, error) {
	var wanted []dynamo.Want
	for _, c := range counters {
		wanted = append(wanted, dynamo.Want{Table: s.Table.Name, Key: dynamo.Key{PK: c.key(), SK: "count"}})
	}
	found, err := dynamo.GetMany(ctx, s.Table.Client, wanted)
	if err != nil {
		return nil, err
	}
	out := map[string]count{}
	for want, item := range found {
		var c count
		if err := dynamo.Unmarshal(item, &c); err != nil {
			return nil, err
		}
		out[want.Key.PK] = c
	}
	return out, nil
}
