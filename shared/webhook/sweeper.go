package webhook

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/queue"
)

// Sweeper brings the deliveries that waited in the table back into the queue when their time, or their turn, has come.
type Sweeper struct {
	Deliveries Deliveries
	Endpoints  Endpoints
	States     States
	Jobs       queue.Queue
	Now        cloud.Clock
	Sleep      func(context.Context, time.Duration) error
	For        time.Duration // how long a run goes on while something waits; 0 for one sweep
	AtOnce     int           // how many of the index's shards, of endpoints' lines, and of each one's deliveries are seen to side by side
	PerShard   int           // how many deliveries of each of the index's shards one sweep sends at the most
	Log        *slog.Logger
	Metrics    cloud.Metrics

	end time.Time // of this run, after which nothing more is begun; zero where it makes one sweep
}

// over says whether the run's time is over.
func (s Sweeper) over() bool { return !s.end.IsZero() && !s.now().Before(s.end) }

// Swept is what one run did.
type Swept struct {
	Sent      int `json:"sent"`
	Overtaken int `json:"overtaken"` // claimed or attempted by someone else meanwhile
	Remaining int `json:"remaining"` // due by their schedule, and left for the next run; counted up to countedAtMost for each shard
	Lines     int `json:"lines"`     // endpoints with deliveries in a line of their own
}

func (s Swept) and(other Swept) Swept {
	return Swept{Sent: s.Sent + other.Sent, Overtaken: s.Overtaken + other.Overtaken, Remaining: s.Remaining + other.Remaining, Lines: s.Lines + other.Lines}
}

// countedAtMost bounds what a run reads only to say how many remain.
const countedAtMost = 5_000

// sweepEach is how long it is from one sweep to the next within a run.
const sweepEach = 10 * time.Second

// Run sweeps, and goes on while deliveries wait in lines, or more are due than one sweep sends. It may run beside another
// one: each delivery is claimed under its version, so that one of the two sends it.
func (s Sweeper) Run(ctx context.Context) (Swept, error) {
	if s.For > 0 {
		s.end = s.now().Add(s.For)
	}
	var sum Swept
	for {
		began := s.now()
		one, err := s.once(ctx)
		sum = sum.and(one)
		sum.Remaining, sum.Lines = one.Remaining, one.Lines
		next := began
		if one.Remaining == 0 {
			next = began.Add(sweepEach)
		}
		if err != nil || (one.Remaining == 0 && one.Lines == 0) || s.end.IsZero() || !next.Before(s.end) || s.over() {
			s.Log.InfoContext(ctx, "swept", "sent", sum.Sent, "overtaken", sum.Overtaken, "remaining", sum.Remaining, "lines", sum.Lines)
			s.Metrics.Count("DeliveriesDue", sum.Remaining, nil)
			s.Metrics.Count("EndpointLines", sum.Lines, nil)
			return sum, err
		}
		if err := s.Sleep(ctx, max(next.Sub(s.now()), 0)); err != nil {
			return sum, err
		}
	}
}

// once makes one sweep: all shards side by side, and all lines.
func (s Sweeper) once(ctx context.Context) (Swept, error) {
	var parts [1 + dueShards]Swept
	troubles := cloud.SideBySide(len(parts), s.AtOnce, func(i int) (err error) {
		if i == 0 {
			parts[i], err = s.lines(ctx)
		} else {
			parts[i], err = s.sweep(ctx, strconv.Itoa(i-1))
		}
		return err
	})
	var sum Swept
	for _, p := range parts {
		sum = sum.and(p)
	}
	return sum, errors.Join(troubles...)
}

func (s Sweeper) sweep(ctx context.Context, shard string) (Swept, error) {
	keys, remaining, err := s.due(ctx, shard)
	swept := Swept{Remaining: remaining}
	if err != nil {
		return swept, err
	}
	for ten := range slices.Chunk(keys, sentAtOnce) {
		if s.over() {
			break
		}
		claimed, err := s.claim(ctx, ten)
		if err = errors.Join(err, s.Jobs.Send(ctx, messages(claimed)...)); err != nil {
			return swept, err
		}
		swept.Sent += len(claimed)
		swept.Overtaken += len(ten) - len(claimed)
	}
	return swept, nil
}

// sentAtOnce is how many one call to SQS takes. No more are claimed before they are sent: what is claimed by a run that is
// stopped comes five minutes later.
const sentAtOnce = 10

func messages(jobs []Job) []queue.Message {
	all := make([]queue.Message, len(jobs))
	for i, j := range jobs {
		all[i] = j.Message(0)
	}
	return all
}

// errEnough ends a count that has gone far enough.
var errEnough = errors.New("webhook: enough counted")

// due reads which deliveries of a shard are due, the oldest first: as many as one run sends, and how many more.
func (s Sweeper) due(ctx context.Context, shard string) (keys []dynamo.Key, remaining int, err error) {
	query := dueIn(shard)
	query.To = dueAt(s.now())
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
func (s Sweeper) claim(ctx context.Context, keys []dynamo.Key) ([]Job, error) {
	claimed := make([]*Job, len(keys))
	errs := cloud.SideBySide(len(keys), s.AtOnce, func(i int) error {
		d, err := s.Deliveries.read(ctx, keys[i])
		if err != nil {
			return err
		}
		now := s.now()
		if !d.due(now) {
			return nil // the index is a little behind its table
		}
		err = s.Deliveries.write(ctx, d.claimed(now))
		if errors.Is(err, dynamo.ErrStale) {
			return nil
		}
		job := d.job()
		claimed[i] = &job
		return err
	})
	var jobs []Job
	for _, j := range claimed {
		if j != nil {
			jobs = append(jobs, *j)
		}
	}
	return jobs, errors.Join(errs...)
}

// earliest are the keys of the deliveries that are due first.
func earliest(all []Delivery, most int) []dynamo.Key {
	slices.SortStableFunc(all, func(a, b Delivery) int { return cmp.Compare(a.DueAt, b.DueAt) })
	var keys []dynamo.Key
	for _, d := range all[:min(len(all), most)] {
		keys = append(keys, d.key())
	}
	return keys
}

func (s Sweeper) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }
