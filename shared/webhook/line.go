package webhook

import (
	"context"
	"errors"
	"time"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/problem"
	"farrier/shared/queue"
)

// How a line is let go.
const (
	firstRelease   = 20               // of an endpoint that has just recovered; doubled in each sweep
	largestRelease = 1000             // in one sweep
	emptyFor       = 30 * time.Second // how long a line must be seen to be empty before it is looked at no more
)

// line is an endpoint's line in one sweep.
type line struct {
	sweeper  Sweeper
	endpoint *Endpoint // nil where it was deleted
	state    State
}

// lines lets go from each endpoint's line what may go now. Trouble with one is no trouble of another.
func (s Sweeper) lines(ctx context.Context) (Swept, error) {
	var sum Swept
	keys, err := s.lined(ctx)
	if err != nil {
		return sum, err
	}
	parts := make([]Swept, len(keys))
	first := 0 // another one each time, so that none comes last for ever
	if len(keys) > 0 {
		first = int(s.now().Unix()/int64(sweepEach/time.Second)) % len(keys)
	}
	errs := cloud.SideBySide(len(keys), s.AtOnce, func(i int) (err error) {
		if !s.over() {
			parts[i], err = s.line(ctx, keys[(first+i)%len(keys)])
		}
		return err
	})
	for _, part := range parts {
		sum = sum.and(part)
	}
	sum.Lines = len(keys)
	return sum, errors.Join(errs...)
}

func (s Sweeper) lined(ctx context.Context) ([]dynamo.Key, error) {
	var keys []dynamo.Key
	query := dynamo.Query{PK: lined, Index: linedIndex, PartitionAttr: "line", SortAttr: "sk"}
	err := dynamo.Each(ctx, s.States.Table, query, func(one State) error {
		keys = append(keys, one.key())
		return nil
	})
	return keys, err
}

func (s Sweeper) line(ctx context.Context, key dynamo.Key) (Swept, error) {
	state, err := s.States.Get(ctx, key.PK, key.SK)
	if err != nil || state.Line == "" {
		return Swept{}, err // the index is a little behind its table
	}
	l := line{sweeper: s, state: state}
	one, err := s.Endpoints.Get(ctx, key.PK, key.SK)
	switch {
	case err == nil:
		l.endpoint = &one
	case !problem.Is(err, problem.NotFound):
		return Swept{}, err
	}
	return l.sweep(ctx)
}

// sweep lets go what may go, and forgets a line that stays empty.
func (l line) sweep(ctx context.Context) (Swept, error) {
	now := l.sweeper.now()
	most := l.most(now)
	if most == 0 {
		return Swept{}, nil
	}
	keys, err := l.first(ctx, most, now)
	if err != nil {
		return Swept{}, err
	}
	if len(keys) == 0 {
		return Swept{}, l.empty(ctx, now)
	}
	turns, err := l.turns(ctx, len(keys), now)
	if err != nil || len(turns) == 0 {
		return Swept{}, err
	}
	return l.sweeper.release(ctx, keys[:len(turns)], turns, l.state.RestUntil != nil)
}

// most is how many may be let go at the most. What nobody is there to receive goes at once, to be recorded as held.
func (l line) most(now time.Time) int {
	switch s := l.state; {
	case l.endpoint == nil || !l.endpoint.Enabled:
		return largestRelease
	case s.resting(now):
		return 0
	case s.RestUntil != nil:
		return 1
	case s.slow(now):
		return PlacesForOne * max(int(sweepEach.Milliseconds()/max(s.Took, 1)), 1)
	case l.endpoint.Limit > 0:
		return min(l.endpoint.Limit*int(sweepEach/time.Second), largestRelease)
	default:
		return min(max(firstRelease, 2*s.Release), largestRelease)
	}
}

// turns notes that so many are let go, and gives them their turns. None where the state has changed meanwhile: the next
// sweep looks again.
func (l line) turns(ctx context.Context, n int, now time.Time) ([]time.Time, error) {
	turns := make([]time.Time, n)
	for i := range turns {
		turns[i] = now
	}
	next := l.state
	switch {
	case l.endpoint == nil || !l.endpoint.Enabled:
	case next.RestUntil != nil:
		next = next.trial(now)
	case l.endpoint.Limit > 0:
		next, turns = next.turns(l.endpoint.Limit, n, now, sweepEach)
	default:
		next.Release = n
	}
	if len(turns) == 0 {
		return nil, nil
	}
	next.EmptySince = nil
	_, err := l.sweeper.States.write(ctx, next)
	if errors.Is(err, dynamo.ErrStale) {
		return nil, nil
	}
	return turns, err
}

// first reads the first deliveries of the line that are due.
func (l line) first(ctx context.Context, most int, now time.Time) ([]dynamo.Key, error) {
	var all []Delivery
	for shard := range lineShards {
		found := 0
		query := dueIn(lineOf(l.state.Endpoint, shard))
		query.To, query.Limit = dueAt(now), int32(min(most, 1000)) // #nosec G115 -- at most 1000
		err := dynamo.Each(ctx, l.sweeper.Deliveries.Table, query, func(one Delivery) error {
			all = append(all, one)
			if found++; found >= most {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			return nil, err
		}
	}
	return earliest(all, most), nil
}

// empty notes that nothing is due in the line, or that there has been nothing for a while: then the line is forgotten. It
// stays where deliveries are in it that are due later.
func (l line) empty(ctx context.Context, now time.Time) error {
	next := l.state
	switch {
	case next.EmptySince == nil:
		next.EmptySince = &now
	case now.Sub(*next.EmptySince) < emptyFor:
		return nil
	default:
		later, err := l.anything(ctx)
		if err != nil || later {
			return err
		}
		next.Line, next.EmptySince, next.Release = "", nil, 0
	}
	_, err := l.sweeper.States.write(ctx, next)
	if errors.Is(err, dynamo.ErrStale) {
		return nil
	}
	return err
}

func (l line) anything(ctx context.Context) (bool, error) {
	for shard := range lineShards {
		query := dueIn(lineOf(l.state.Endpoint, shard))
		query.Limit = 1
		page, err := l.sweeper.Deliveries.Table.Query(ctx, query)
		if err != nil || len(page.Items) > 0 {
			return true, err
		}
	}
	return false, nil
}

// release claims deliveries and sends their jobs, each with its turn.
func (s Sweeper) release(ctx context.Context, keys []dynamo.Key, turns []time.Time, trial bool) (Swept, error) {
	var sum Swept
	for from := 0; from < len(keys) && !s.over(); from += sentAtOnce {
		to := min(from+sentAtOnce, len(keys))
		jobs, err := s.claim(ctx, keys[from:to])
		messages := make([]queue.Message, len(jobs))
		now := s.now()
		for i := range jobs {
			jobs[i].Turn, jobs[i].Trial = &turns[from+i], trial
			messages[i] = jobs[i].Message(turns[from+i].Sub(now).Truncate(time.Second))
		}
		if err = errors.Join(err, s.Jobs.Send(ctx, messages...)); err != nil {
			return sum, err
		}
		sum = sum.and(Swept{Sent: len(jobs), Overtaken: to - from - len(jobs)})
	}
	return sum, nil
}
