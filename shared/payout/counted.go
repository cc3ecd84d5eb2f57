package payout

import (
	"context"
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

// keepCounts is how long a day's counters are kept, for people to look at.
const keepCounts = 40 * 24 * time.Hour

// Tally is what was counted when it was read.
type Tally struct {
	Counts Counts

	table dynamo.Table
	read  map[Counter]count
	at    time.Time
}

// Read reads the counters of sums.
func (s Counted) Read(ctx context.Context, sums []Sum) (Tally, error) {
	t := Tally{Counts: Counts{}, table: s.Table, read: map[Counter]count{}, at: s.Now()}
	var wanted []dynamo.Want
	for _, sum := range sums {
		wanted = append(wanted, s.want(sum.Counter))
	}
	found, err := dynamo.GetMany(ctx, s.Table.Client, wanted)
	if err != nil {
		return t, err
	}
	for _, sum := range sums {
		var c count
		if item, is := found[s.want(sum.Counter)]; is {
			if err := dynamo.Unmarshal(item, &c); err != nil {
				return t, err
			}
		}
		t.read[sum.Counter], t.Counts[sum.Counter] = c, c.Sum
	}
	return t, nil
}

func (s Counted) want(c Counter) dynamo.Want {
	return dynamo.Want{Table: s.Table.Name, Key: dynamo.Key{PK: c.key(), SK: "count"}}
}

// Writes add the sums to what was read. They are made in the transaction that keeps what they are counted for, so that it is
// counted once, and are stale where anything was counted since.
func (t Tally) Writes(sums []Sum) []dynamo.Write {
	var writes []dynamo.Write
	for _, sum := range sums {
		before := t.read[sum.Counter]
		writes = append(writes, t.table.Following(count{
			PK: sum.Counter.key(), SK: "count", Sum: before.Sum.Add(sum.Amount), Version: before.Version + 1,
			ExpiresAt: t.at.Add(keepCounts).Unix(),
		}, before.Version))
	}
	return writes
}
