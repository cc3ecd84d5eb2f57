package webhook

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/queue"
)

// Sweeper brings the deliveries that waited in the table back into the queue when their time has come.
type Sweeper struct {
	Deliveries Deliveries
	Jobs       queue.Queue
	Now        cloud.Clock
	PerShard   int // how many deliveries of each of the index's shards one run sends at the most
	Log        *slog.Logger
	Metrics    cloud.Metrics
}

// Swept is what one run did.
type Swept struct {
	Sent      int `json:"sent"`
	Overtaken int `json:"overtaken"` // claimed or attempted by someone else meanwhile
	Remaining int `json:"remaining"` // due, and left for the next run; counted up to countedAtMost for each shard
}

// countedAtMost bounds what a run reads only to say how many remain.
const countedAtMost = 5_000

// Run makes one sweep, all shards side by side. It may run beside another one: each delivery is claimed
// under its version, so that one of the two sends it.
func (s Sweeper) Run(ctx context.Context) (Swept, error) {
	var parts [dueShards]Swept
	var troubles [dueShards]error
	var all sync.WaitGroup
	for shard := range dueShards {
		all.Go(func() { parts[shard], troubles[shard] = s.sweep(ctx, strconv.Itoa(shard)) })
	}
	all.Wait()
	var sum Swept
	for _, p := range parts {
		sum = Swept{Sent: sum.Sent + p.Sent, Overtaken: sum.Overtaken + p.Overtaken, Remaining: sum.Remaining + p.Remaining}
	}
	s.Log.InfoContext(ctx, "swept", "sent", sum.Sent, "overtaken", sum.Overtaken, "remaining", sum.Remaining)
	s.Metrics.Count("DeliveriesDue", sum.Remaining, nil)
	return sum, errors.Join(troubles[:]...)
}

func (s Sweeper) sweep(ctx context.Context, shard string) (Swept, error) {
	keys, remaining, err := s.due(ctx, shard)
	swept := Swept{Remaining: remaining}
	if err != nil {
		return swept, err
	}
	for ten := range slices.Chunk(keys, 10) { // as many as one call to SQS takes
		claimed, err := s.claim(ctx, ten)
		if err == nil {
			err = s.Jobs.Send(ctx, claimed...)
		}
		if err != nil {
			return swept, err
		}
		swept.Sent += len(claimed)
		swept.Overtaken += len(ten) - len(claimed)
	}
	return swept, nil
}

// errEnough ends a count that has gone far enough.
var errEnough = errors.New("webhook: enough counted")

// due reads which deliveries of a shard are due, the oldest first: as many as one run sends, and how many more.
func (s Sweeper) due(ctx context.Context, shard string) (keys []dynamo.Key, remaining int, err error) {
	query := dynamo.Query{PK: shard, To: dueAt(s.now()), Index: dueIndex, PartitionAttr: "due_shard", SortAttr: "due_at"}
	err = s.Deliveries.Table.Each(ctx, query, func(item dynamo.Item) error {
		var d Delivery
		if err := dynamo.Unmarshal(item, &d); err != nil {
			return err
		}
		if len(keys) < s.PerShard {
			keys = append(keys, d.key())
			return nil
		}
		if remaining++; remaining >= countedAtMost {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return keys, remaining, err
}

// claim moves deliveries' due times on, and makes their jobs. What is no longer due was seen to by someone else.
func (s Sweeper) claim(ctx context.Context, keys []dynamo.Key) ([]queue.Message, error) {
	var jobs []queue.Message
	for _, key := range keys {
		d, err := s.Deliveries.read(ctx, key)
		if err != nil {
			return nil, err
		}
		now := s.now()
		if !d.due(now) {
			continue // the index is a little behind its table
		}
		err = s.Deliveries.write(ctx, d.claimed(now))
		if errors.Is(err, dynamo.ErrStale) {
			continue
		}
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, d.job().Message(0))
	}
	return jobs, nil
}

func (s Sweeper) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }
