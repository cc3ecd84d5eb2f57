package webhook

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/event"
)

// Doctor says how a merchant's endpoint does, from what is recorded. Nothing is counted while webhooks are sent, so that
// counting costs nothing until somebody looks.
type Doctor struct {
	Events     event.Store
	Endpoints  Endpoints
	Deliveries Deliveries
	States     States
}

// Condition is how an endpoint does, in a word.
type Condition string

// The conditions, the worst first.
const (
	IsDisabled Condition = "disabled" // nothing is sent
	IsResting  Condition = "resting"  // nothing is sent for a moment, then one attempt tries it
	IsFailing  Condition = "failing"  // the last attempt was in vain
	IsSlow     Condition = "slow"     // it takes long to answer, so that only few attempts are made at once
	IsHealthy  Condition = "healthy"
)

// EndpointHealth is how an endpoint does, as its merchant sees it.
type EndpointHealth struct {
	Endpoint     string     `json:"endpoint"`
	Status       Condition  `json:"status" enum:"healthy,slow,failing,resting,disabled"`
	Reasons      []string   `json:"reasons" doc:"why it is not healthy"`
	FailingSince *time.Time `json:"failing_since,omitempty" doc:"of the first attempt since the last success"`
	InVain       int        `json:"in_vain" doc:"attempts since the last success"`
	NextTry      *time.Time `json:"next_try,omitempty" doc:"when an attempt tries it again, where it rests"`
	DisabledAt   *time.Time `json:"disabled_at,omitempty"`
	MissedSince  *time.Time `json:"missed_since,omitempty" doc:"what happened from then on may not have been delivered; recover sends it"`
	Waiting      int        `json:"waiting" doc:"deliveries in the endpoint's own line; counted up to 1000"`
	Figures      Figures    `json:"figures" doc:"of the last events that the endpoint chooses"`
}

// Figures are counted over the last events that an endpoint chooses.
type Figures struct {
	From      *time.Time     `json:"from,omitempty" doc:"of the first event that is counted"`
	Events    int            `json:"events" doc:"how many are counted"`
	Delivered int            `json:"delivered"`
	Pending   int            `json:"pending"`
	Failed    int            `json:"failed"`
	Held      int            `json:"held"`
	Untried   int            `json:"untried" doc:"on their way for the first time, or made while the endpoint was disabled"`
	Attempts  int            `json:"attempts"`
	Answers   map[string]int `json:"answers" doc:"attempts by HTTP status; those without an answer under none"`
	Latency   Latency        `json:"latency" doc:"of the attempts that were answered, in milliseconds"`
}

// Latency is a distribution in milliseconds. All are 0 where nothing was answered.
type Latency struct {
	P50 int64 `json:"p50"`
	P95 int64 `json:"p95"`
	P99 int64 `json:"p99"`
	Max int64 `json:"max"`
}

const (
	figuresOver  = 200   // events that the endpoint chooses
	figuresRead  = 1000  // events that are read for them at the most
	waitingAtAll = 1_000 // deliveries that are counted in a line at the most
)

// Examine says how an endpoint does.
func (d Doctor) Examine(ctx context.Context, merchant, name string, now time.Time) (EndpointHealth, error) {
	e, err := d.Endpoints.Get(ctx, merchant, name)
	if err != nil {
		return EndpointHealth{}, err
	}
	s, err := d.States.Get(ctx, merchant, name)
	if err != nil {
		return EndpointHealth{}, err
	}
	h := healthOf(e, s, now)
	if h.Waiting, err = d.waiting(ctx, e.ID); err != nil {
		return EndpointHealth{}, err
	}
	h.Figures, err = d.figures(ctx, e)
	return h, err
}

func healthOf(e Endpoint, s State, now time.Time) EndpointHealth {
	h := EndpointHealth{
		Endpoint: e.ID, Status: IsHealthy, Reasons: []string{}, FailingSince: s.FailingSince, InVain: s.Streak,
		DisabledAt: e.DisabledAt, MissedSince: e.MissedSince,
	}
	because := func(is Condition, reason string) {
		h.Reasons = append(h.Reasons, reason)
		if h.Status == IsHealthy {
			h.Status = is
		}
	}
	if !e.Enabled {
		because(IsDisabled, e.DisabledReason)
	}
	if s.RestUntil != nil {
		h.NextTry = s.RestUntil
		because(IsResting, "it is spared until "+s.RestUntil.Format(time.RFC3339)+"; then one attempt tries it, and the others go on when that succeeds")
	}
	if s.FailingSince != nil {
		because(IsFailing, strconv.Itoa(s.Streak)+" attempts in vain since "+s.FailingSince.Format(time.RFC3339)+"; the last: "+s.Trouble)
	}
	if s.slow(now) {
		because(IsSlow, "it took longer than 2 seconds to answer within the last 10 minutes: at most "+strconv.Itoa(PlacesForOne)+" attempts are made at once")
	}
	return h
}

// waiting counts an endpoint's line.
func (d Doctor) waiting(ctx context.Context, endpoint string) (n int, err error) {
	for shard := range lineShards {
		err = d.Deliveries.Table.Each(ctx, dueIn(lineOf(endpoint, shard)), func(dynamo.Item) error {
			if n++; n >= waitingAtAll {
				return errEnough
			}
			return nil
		})
		if errors.Is(err, errEnough) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

func (d Doctor) figures(ctx context.Context, e Endpoint) (Figures, error) {
	var f tally
	cursor := ""
	for read := 0; read < figuresRead; {
		told, next, err := d.Events.List(ctx, e.Merchant, 100, cursor)
		if err != nil {
			return Figures{}, err
		}
		read += len(told)
		chosen := slices.DeleteFunc(told, func(one event.Event) bool { return !e.Chooses(one) })
		deliveries, err := d.Deliveries.of(ctx, e.ID, chosen)
		if err != nil {
			return Figures{}, err
		}
		for i, one := range deliveries {
			if f.Events < figuresOver {
				f.add(chosen[i], one)
			}
		}
		if cursor = next; next == "" || f.Events >= figuresOver {
			break
		}
	}
	return f.figures(), nil
}

// tally counts deliveries.
type tally struct {
	Figures
	millis []int64
}

func (f *tally) add(told event.Event, d Delivery) {
	f.Events++
	f.From = &told.CreatedAt
	f.Attempts += d.Made
	switch {
	case d.untried():
		f.Untried++
	case d.Status == Delivered:
		f.Delivered++
	case d.Status == Failed:
		f.Failed++
	case d.Status == Held:
		f.Held++
	default:
		f.Pending++
	}
	for _, a := range d.Attempts {
		if f.Answers == nil {
			f.Answers = map[string]int{}
		}
		if a.Status == 0 {
			f.Answers["none"]++
			continue
		}
		f.Answers[strconv.Itoa(a.Status)]++
		f.millis = append(f.millis, a.Millis)
	}
}

func (f *tally) figures() Figures {
	if f.Answers == nil {
		f.Answers = map[string]int{}
	}
	slices.Sort(f.millis)
	if n := len(f.millis); n > 0 {
		at := func(share float64) int64 { return f.millis[min(int(math.Ceil(share*float64(n))), n)-1] }
		f.Latency = Latency{P50: at(0.5), P95: at(0.95), P99: at(0.99), Max: f.millis[n-1]}
	}
	return f.Figures
}

// List reads a page of what was sent to an endpoint, the newest event first; status "" for all. A page may hold fewer
// than asked for, or none, where others follow: it is made from a page of the merchant's events.
func (d Doctor) List(ctx context.Context, merchant, name string, status Status, limit int32, cursor string) ([]Delivery, string, error) {
	e, err := d.Endpoints.Get(ctx, merchant, name)
	if err != nil {
		return nil, "", err
	}
	told, next, err := d.Events.List(ctx, merchant, limit, cursor)
	if err != nil {
		return nil, "", err
	}
	found, err := d.Deliveries.of(ctx, e.ID, told)
	return slices.DeleteFunc(found, func(one Delivery) bool {
		return one.Version == 0 || (status != "" && one.Status != status)
	}), next, err
}
