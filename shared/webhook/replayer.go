package webhook

import (
	"cmp"
	"context"
	"errors"
	"time"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/id"
	"farrier/shared/problem"
	"farrier/shared/queue"
	"farrier/shared/task"
)

// Replayer sends events to an endpoint again: the work of the tasks recover and replay.
type Replayer struct {
	Events     event.Store
	Endpoints  Endpoints
	Deliveries Deliveries
	Jobs       queue.Queue
	AtOnce     int // deliveries that are opened side by side; 0 for what is usual
	Now        cloud.Clock
}

const (
	pageOfEvents = dynamo.MaxReads // whose deliveries are read in one request
	looksPerStep = 1_000           // so that a step that finds nothing to send ends soon
	opensAtOnce  = 16
)

// settling is how long after it happened an event may be recorded: what is younger is read by a later step. An event that
// takes longer finds its endpoint enabled, and is sent as any other.
const settling = 30 * time.Second

// Step is task.Kind's.
func (r Replayer) Step(ctx context.Context, t task.Task, room int) (task.Step, error) {
	terms, err := termsOf(t)
	if err != nil {
		return task.Step{Position: t.Position, Fail: "its terms cannot be read"}, nil
	}
	e, err := r.Endpoints.Get(ctx, t.Owner, terms.Endpoint)
	switch {
	case problem.Is(err, problem.NotFound):
		return task.Step{Position: t.Position, Fail: "the endpoint was deleted"}, nil
	case err != nil:
		return task.Step{}, err
	case !e.Enabled:
		return task.Step{Position: t.Position, Pause: "the endpoint is disabled: enable it, then resume"}, nil
	}
	until, settled := terms.until(t.CreatedAt), r.now().Add(-settling)
	step, over, err := r.walk(ctx, t, terms, e, earlier(until, settled), room)
	switch {
	case err != nil || !over:
		return step, err
	case settled.Before(until):
		step.Wait = until.Sub(settled)
		return step, nil
	case t.Kind == KindRecover && !terms.enabled(e.EnabledAt):
		step.Left = "the endpoint was disabled meanwhile: what it missed then is to be recovered too"
	case t.Kind == KindRecover:
		err = r.Endpoints.recovered(ctx, t.Owner, terms, until)
	}
	step.Done = true
	return step, err
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// walk sends what is to be sent of the events from a task's position on, until a moment, or until it has sent as many
// as there is room for, or has looked at many. It says whether it came to the end.
func (r Replayer) walk(ctx context.Context, t task.Task, terms Terms, e Endpoint, until time.Time, room int) (task.Step, bool, error) {
	step := task.Step{Position: t.Position, Skipped: map[string]int{}}
	for step.Looked < looksPerStep && step.Sent < room {
		most := min(pageOfEvents, max(room-step.Sent, 10)) // at a slow rate few are read ahead in vain
		page, more, err := r.page(ctx, t.Owner, terms, e, span{terms.from(), until, step.Position}, most)
		if err != nil {
			return step, false, err
		}
		var wanted []telling
		left := len(page)
		for _, one := range page {
			if len(wanted)+step.Sent == room {
				break
			}
			left--
			step.Looked++
			step.Position = one.event.ID
			if why := one.judged(t, e, r.now()); why != "" {
				step.Skipped[why]++
			} else {
				wanted = append(wanted, one)
			}
		}
		if err := r.send(ctx, t, e, wanted, &step); err != nil {
			return step, false, err
		}
		if left == 0 && !more {
			return step, true, nil
		}
	}
	return step, false, nil
}

// telling is an event and, where it is wanted, what is recorded of its way to an endpoint.
type telling struct {
	event    event.Event
	unwanted string // why it is not
	delivery Delivery
}

// judged says why one is left alone. What the task has opened itself is not: it counts as sent once more, in the step
// that is done again.
func (one telling) judged(t task.Task, e Endpoint, now time.Time) string {
	switch {
	case one.unwanted != "":
		return one.unwanted
	case one.delivery.Task == t.ID && t.ID != "":
		return ""
	default:
		return judge(t.Kind, e, one.event, one.delivery, now)
	}
}

// span is the time that is read, and the last event that was.
type span struct {
	from, until time.Time
	after       string
}

// page reads a page of a merchant's events in the order of time, with the deliveries to an endpoint of those that are wanted,
// and says whether there may be more.
func (r Replayer) page(ctx context.Context, merchant string, terms Terms, e Endpoint, s span, most int) (page []telling, more bool, err error) {
	query := dynamo.Query{PK: merchant, From: max(id.First("evt", s.from), s.after), To: id.LastBefore("evt", s.until), Limit: int32(most)} // #nosec G115 -- at most pageOfEvents
	if query.From > query.To {
		return nil, false, nil
	}
	events, next, err := dynamo.List[event.Event](ctx, r.Events.Table, query)
	if err != nil {
		return nil, false, err
	}
	if len(events) > 0 && events[0].ID == s.after { // the range begins with the last one of the page before
		events = events[1:]
	}
	var wanted []event.Event
	for _, told := range events {
		one := telling{event: told, unwanted: unwanted(terms, e, told)}
		if one.unwanted == "" {
			wanted = append(wanted, told)
		}
		page = append(page, one)
	}
	deliveries, err := r.Deliveries.of(ctx, e.ID, wanted)
	if err != nil {
		return nil, false, err
	}
	for i := range page {
		if page[i].unwanted == "" {
			page[i].delivery, deliveries = deliveries[0], deliveries[1:]
		}
	}
	return page, next != "", nil
}

// of finds the deliveries of events to an endpoint, in their order.
func (d Deliveries) of(ctx context.Context, endpoint string, events []event.Event) ([]Delivery, error) {
	wanted := make([]dynamo.Want, len(events))
	for i, told := range events {
		wanted[i] = dynamo.Want{Table: d.Table.Name, Key: dynamo.Key{PK: told.ID, SK: endpoint}}
	}
	found, err := dynamo.GetMany(ctx, d.Table.Client, wanted)
	if err != nil {
		return nil, err
	}
	all := make([]Delivery, len(events))
	for i, w := range wanted {
		all[i] = Delivery{Event: w.Key.PK, Endpoint: w.Key.SK}
		if item, is := found[w]; is {
			if err := dynamo.Unmarshal(item, &all[i]); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// send opens deliveries again, side by side, and sends their jobs.
func (r Replayer) send(ctx context.Context, t task.Task, e Endpoint, wanted []telling, step *task.Step) error {
	opened := make([]opening, len(wanted))
	troubles := cloud.SideBySide(len(wanted), cmp.Or(r.AtOnce, opensAtOnce), func(i int) (err error) {
		opened[i], err = r.open(ctx, t, e, wanted[i])
		return err
	})
	var jobs []queue.Message
	for _, o := range opened {
		switch {
		case o.skipped != "":
			step.Skipped[o.skipped]++
		case o.job != nil:
			jobs = append(jobs, *o.job)
			fallthrough
		default:
			step.Sent++
		}
	}
	// What was opened is sent for, even if another one met trouble: the next run takes it for sent.
	return errors.Join(errors.Join(troubles...), r.Jobs.Send(ctx, jobs...))
}

// opening is what came of one: a job to send, or why there is none; neither where the task had opened it before.
type opening struct {
	job     *queue.Message
	skipped string
}

// open opens a delivery again, unless it is found to be another one meanwhile. It waits in the table as well as in the
// queue, so that the sweep sends a job of its own should ours never be sent.
func (r Replayer) open(ctx context.Context, t task.Task, e Endpoint, one telling) (opening, error) {
	for d := one.delivery; ; {
		if d.Task == t.ID {
			return opening{}, nil
		}
		if why := judge(t.Kind, e, one.event, d, r.now()); why != "" {
			return opening{skipped: why}, nil
		}
		d.Merchant = t.Owner
		again := d.reopened(causeOf(t.Kind), t.ID, r.now())
		err := r.Deliveries.write(ctx, again)
		if err == nil {
			job := again.job().Message(0)
			return opening{job: &job}, nil
		}
		if !errors.Is(err, dynamo.ErrStale) {
			return opening{}, err
		}
		if d, err = r.Deliveries.read(ctx, again.key()); err != nil {
			return opening{}, err
		}
	}
}

// Forecast is what a task would do.
type Forecast struct {
	Looked   int              `json:"looked_at" doc:"events"`
	Sent     int              `json:"would_send"`
	Skipped  map[string]int   `json:"skipped" doc:"left alone, by why: test, not_chosen, other_type, on_its_way, pending, delivered"`
	ByType   map[string]Tally `json:"by_type" doc:"of the events that the endpoint chooses"`
	Complete bool             `json:"complete" doc:"false where counting stopped early: there is more"`
	Until    *time.Time       `json:"counted_until,omitempty" doc:"when the last event that was counted happened, where counting stopped early"`
}

// Tally is a Forecast's part for one type.
type Tally struct {
	Sent    int            `json:"would_send"`
	Skipped map[string]int `json:"skipped,omitempty"`
}

// What bounds a forecast: it is made while its caller waits, whom API Gateway gives up after 30 seconds
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html).
const (
	countedByForecast = 5_000
	forecastTakes     = 3 * time.Second
)

// forecast counts what a task would do about so many events at the most, and does nothing.
func (r Replayer) forecast(ctx context.Context, t task.Task, terms Terms, e Endpoint, most int) (Forecast, error) {
	began := r.Now()
	f := Forecast{Skipped: map[string]int{}, ByType: map[string]Tally{}}
	s := span{from: terms.from(), until: terms.until(r.now())}
	for f.Looked < most && r.Now().Sub(began) < forecastTakes {
		page, more, err := r.page(ctx, t.Owner, terms, e, s, min(pageOfEvents, most-f.Looked))
		if err != nil {
			return f, err
		}
		for _, one := range page {
			f.count(one.event, one.judged(t, e, r.now()))
			s.after, f.Until = one.event.ID, &one.event.CreatedAt
		}
		if !more {
			f.Complete, f.Until = true, nil
			return f, nil
		}
	}
	return f, nil
}

func (f *Forecast) count(told event.Event, why string) {
	f.Looked++
	if why == skipTest || why == skipNotChosen {
		f.Skipped[why]++
		return
	}
	tally := f.ByType[string(told.Type)]
	if why == "" {
		f.Sent++
		tally.Sent++
	} else {
		f.Skipped[why]++
		if tally.Skipped == nil {
			tally.Skipped = map[string]int{}
		}
		tally.Skipped[why]++
	}
	f.ByType[string(told.Type)] = tally
}

func (r Replayer) now() time.Time { return r.Now().UTC().Truncate(time.Millisecond) }
