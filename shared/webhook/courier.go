package webhook

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/queue"
)

// Courier carries events to endpoints: it makes the attempts that jobs in the queue ask for.
type Courier struct {
	Events      event.Store
	Endpoints   Endpoints
	Deliveries  Deliveries
	Jobs        queue.Queue
	DeadLetters queue.Queue
	States      States
	Places      Places
	Client      *Client
	Now         cloud.Clock
	Sleep       func(context.Context, time.Duration) error
	Random      io.Reader
	AtOnce      int           // attempts of one batch that run side by side
	SlowAfter   time.Duration // how long an attempt may take without a place; 0 for what is usual
	Log         *slog.Logger
	Metrics     cloud.Metrics
}

// Invoke is the Lambda handler of the queue. A job that met trouble of ours is answered as failed, and
// SQS brings it again; trouble of the endpoint is a result.
func (c Courier) Invoke(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
	troubles := make([]error, len(batch.Records))
	work, err := c.gather(ctx, batch.Records, troubles)
	if err != nil {
		for i := range troubles {
			troubles[i] = err
		}
	}
	for i, trouble := range cloud.SideBySide(len(work), c.AtOnce, func(i int) error { return c.handle(ctx, work[i]) }) {
		troubles[work[i].message] = trouble
	}
	answer := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for i, err := range troubles {
		if err != nil {
			message := batch.Records[i].MessageId
			c.Metrics.Count("JobFailed", 1, nil)
			c.Log.ErrorContext(ctx, "job failed", "message", message, "error", err)
			answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: message})
		}
	}
	return answer, nil
}

// found is a job with all that is known of it.
type found struct {
	message  int
	job      Job
	redriven bool // a dead letter that was put back
	wants    []dynamo.Want

	delivery Delivery
	endpoint *Endpoint // nil where it was deleted
	state    State
	told     *event.Event // nil where it is not recorded
}

// gather reads a batch's messages and, in one request, everything that is known of their jobs. A job that is in the batch
// twice is handled once.
func (c Courier) gather(ctx context.Context, messages []events.SQSMessage, troubles []error) ([]found, error) {
	var work []found
	var wanted []dynamo.Want
	seen := map[Job]bool{}
	for i, message := range messages {
		job, redriven, err := parseJob(message.Body)
		if err != nil {
			troubles[i] = err
			continue
		}
		name := job
		name.Turn, name.Trial = nil, false
		if seen[name] && !redriven {
			continue
		}
		seen[name] = true
		one := found{message: i, job: job, redriven: redriven, wants: c.wants(job)}
		work, wanted = append(work, one), append(wanted, one.wants...)
	}
	var unread *dynamo.UnreadError
	items, err := dynamo.GetMany(ctx, c.Deliveries.Table.Client, wanted)
	if err != nil && !errors.As(err, &unread) {
		return nil, err
	}
	readable := work[:0]
	for _, f := range work {
		if unread.AnyOf(f.wants) {
			troubles[f.message] = err
		} else if troubles[f.message] = f.read(items); troubles[f.message] == nil {
			readable = append(readable, f)
		}
	}
	return readable, nil
}

// wants are a job's delivery, endpoint, state and event.
func (c Courier) wants(j Job) []dynamo.Want {
	return []dynamo.Want{
		{Table: c.Deliveries.Table.Name, Key: dynamo.Key{PK: j.Event, SK: j.Endpoint}},
		{Table: c.Endpoints.Table.Name, Key: dynamo.Key{PK: j.Merchant, SK: j.Endpoint}},
		{Table: c.States.Table.Name, Key: dynamo.Key{PK: j.Merchant, SK: j.Endpoint}},
		{Table: c.Events.Table.Name, Key: dynamo.Key{PK: j.Merchant, SK: j.Event}},
	}
}

func (f *found) read(items map[dynamo.Want]dynamo.Item) error {
	f.delivery = Delivery{Event: f.job.Event, Endpoint: f.job.Endpoint, Merchant: f.job.Merchant}
	f.state = State{Merchant: f.job.Merchant, Endpoint: f.job.Endpoint}
	into := []func() any{
		func() any { return &f.delivery },
		func() any { f.endpoint = &Endpoint{}; return f.endpoint },
		func() any { return &f.state },
		func() any { f.told = &event.Event{}; return f.told },
	}
	for i, want := range f.wants {
		if item, ok := items[want]; ok {
			if err := dynamo.Unmarshal(item, into[i]()); err != nil {
				return err
			}
		}
	}
	f.state = f.state.quiet()
	return nil
}

func (c Courier) handle(ctx context.Context, f found) error {
	if f.redriven {
		return c.reopen(ctx, f.job, f.delivery)
	}
	now := c.now()
	switch decide(f.job, f.delivery, now) {
	case mend:
		return c.follow(ctx, f.delivery, sequelSlack)
	case wait:
		return c.Jobs.Send(ctx, f.job.Message(f.delivery.early(now)))
	case pursue:
		return c.pursue(ctx, f)
	default:
		return nil
	}
}

var errNoEvent = errors.New("webhook: the job's event is not recorded") // it is before its jobs are sent: a matter for a person

// pursue makes the next attempt, unless nobody is there to receive it, or it is not its turn.
func (c Courier) pursue(ctx context.Context, f found) error {
	switch {
	case f.endpoint == nil:
		return c.record(ctx, f.delivery, func(d Delivery) Delivery { return d.unsent(Failed, Deleted, c.now()) })
	case !f.endpoint.Enabled:
		return c.hold(ctx, f)
	case f.told == nil:
		return errNoEvent
	}
	if f.endpoint.Ordered {
		if waits, err := c.waitsBehind(ctx, &f); waits || err != nil {
			return err
		}
	}
	mayGo, trying, err := c.turn(ctx, f.job, &f)
	if err != nil {
		return err
	}
	if !mayGo {
		return c.park(ctx, f)
	}
	own := c.placeFor(&f, time.Duration(len(f.endpoint.urls()))*f.endpoint.timeout())
	if f.state.slow(c.now()) && !own.take(ctx) {
		return c.withoutPlace(ctx, f, trying)
	}
	defer own.giveBack(context.WithoutCancel(ctx))
	return c.make(ctx, f, own, trying)
}

// hold has the delivery wait until its endpoint is enabled and somebody recovers what it missed. An event that is older than
// a recover would look back for is noted first.
func (c Courier) hold(ctx context.Context, f found) error {
	if f.told != nil && f.endpoint.missesFrom().After(f.told.CreatedAt) {
		if err := c.Endpoints.missed(ctx, f.delivery.Merchant, f.delivery.Endpoint, f.told.CreatedAt); err != nil {
			return err
		}
	}
	return c.record(ctx, f.delivery, func(d Delivery) Delivery { return d.unsent(Held, Disabled, c.now()) })
}

// make makes the attempt and records what came of it.
func (c Courier) make(ctx context.Context, f found, own *place, trying bool) error {
	at := c.now()
	request, err := c.Endpoints.pack(ctx, *f.endpoint, *f.told, f.delivery.Cause, at)
	if err != nil {
		return err
	}
	made := c.attempt(ctx, f, request, own)
	if err := ctx.Err(); err != nil {
		return err // it was us who stopped, so this is no result
	}
	c.tell(ctx, f.delivery, made.last)
	c.note(ctx, &f, made, trying, at)
	now := c.now()
	err = c.record(ctx, f.delivery, func(d Delivery) Delivery {
		return d.after(made, f.endpoint.waits(), f.state.Line != "", now, c.Random)
	})
	if err != nil {
		return err
	}
	return c.disableWhereHopeless(ctx, f, at, now)
}

// disableWhereHopeless disables an endpoint that nothing has reached for long. What waits in its line is held then.
func (c Courier) disableWhereHopeless(ctx context.Context, f found, at, now time.Time) error {
	since := f.state.FailingSince
	if since == nil || f.state.Streak < restAfter || now.Sub(*since) < failingAtMost {
		return nil
	}
	return c.Endpoints.disableSince(ctx, f.delivery.Merchant, f.delivery.Endpoint, string(Failing), at)
}

// withoutPlace puts an attempt off. One that was to try its endpoint leaves that to rest on.
func (c Courier) withoutPlace(ctx context.Context, f found, trying bool) error {
	if trying {
		now := c.now()
		if _, err := c.States.change(ctx, f.state, func(s State) State { return s.rested(0, now) }); err != nil {
			return err
		}
	}
	return c.park(ctx, f)
}

// park has the delivery wait for its turn in its endpoint's line.
func (c Courier) park(ctx context.Context, f found) error {
	return c.record(ctx, f.delivery, func(d Delivery) Delivery { return d.parked(c.now()) })
}

// record writes what becomes of a delivery, and does what follows from it. Where someone else has written it meanwhile and
// made no attempt (a later event that waits for it, the sweep's claim), it becomes of that what was to become of it.
func (c Courier) record(ctx context.Context, d Delivery, next func(Delivery) Delivery) error {
	after := next(d)
	err := c.Deliveries.write(ctx, after)
	if err == nil {
		return c.follow(ctx, after, 0)
	}
	if !errors.Is(err, dynamo.ErrStale) {
		return err
	}
	stored, err := c.Deliveries.read(ctx, d.key())
	if err != nil {
		return err
	}
	if stored.Made == d.Made && !stored.settled() && stored.Version > d.Version && !stored.same(after) {
		stored.Merchant = d.Merchant
		return c.record(ctx, stored, next)
	}
	return c.overtaken(ctx, stored, after)
}

// overtaken: another run of the same job has recorded its own attempt meanwhile, or this very write
// was done and its answer lost. What is recorded stands, but for one thing: a success is never forgotten.
func (c Courier) overtaken(ctx context.Context, stored, after Delivery) error {
	if after.Status == Delivered && stored.Status != Delivered {
		return c.record(ctx, stored, func(d Delivery) Delivery { return d.alsoDelivered(after, c.now()) })
	}
	return c.follow(ctx, stored, sequelSlack)
}

// sequelSlack is by how much a sequel that may be there already comes later than the first one would:
// long enough for that attempt to be made and recorded, so that the second finds it made and no
// endpoint is called twice. It is as long as the function may take.
const sequelSlack = 90 * time.Second

// follow does what follows from what is recorded. It may be done twice without harm.
func (c Courier) follow(ctx context.Context, d Delivery, slack time.Duration) error {
	if d.Then != "" && d.settled() {
		if err := c.wake(ctx, d); err != nil {
			return err
		}
	}
	switch {
	case d.Status == Pending && d.inLine():
		return c.States.join(ctx, d.Merchant, d.Endpoint)
	case d.Status == Pending && d.DueAt == "":
		return c.Jobs.Send(ctx, d.job().Message(d.early(c.now())+slack))
	case d.Reason == Gone:
		last := d.Attempts[len(d.Attempts)-1]
		return c.Endpoints.disableSince(ctx, d.Merchant, d.Endpoint, string(Gone), last.At)
	case d.Reason == Exhausted:
		job := d.job()
		job.Attempt = d.Made
		return c.DeadLetters.Send(ctx, queue.Message{Body: Letter{Job: job, Reason: d.Reason}})
	default: // delivered, held, deleted; or the sweep will send the next job
		return nil
	}
}

// reopen gives a delivery whose dead letter was put back one more attempt.
func (c Courier) reopen(ctx context.Context, job Job, d Delivery) error {
	if d.Status != Failed || d.Made != job.Attempt {
		return nil // it was reopened since
	}
	again := d.reopened(Redriven, "", c.now())
	if err := c.Deliveries.write(ctx, again); err != nil {
		return err
	}
	return c.Jobs.Send(ctx, again.job().Message(0))
}

func (c Courier) tell(ctx context.Context, d Delivery, out outcome) {
	if out.delivered() {
		return
	}
	c.Log.InfoContext(ctx, "attempt failed", "event", d.Event, "endpoint", d.Endpoint, "attempt", d.Made+1,
		"trouble", out.Trouble, "millis", out.Took.Milliseconds())
}

func (c Courier) now() time.Time { return c.Now().UTC().Truncate(time.Millisecond) }
