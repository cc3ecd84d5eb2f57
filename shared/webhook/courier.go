package webhook

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/problem"
	"farrier/shared/queue"
)

// Courier carries events to endpoints: it makes the attempts that jobs in the queue ask for.
type Courier struct {
	Events      event.Store
	Endpoints   Endpoints
	Deliveries  Deliveries
	Jobs        queue.Queue
	DeadLetters queue.Queue
	Client      *Client
	Now         cloud.Clock
	Random      io.Reader
	AtOnce      int // attempts of one batch that run side by side
	Log         *slog.Logger
	Metrics     cloud.Metrics
}

// Invoke is the Lambda handler of the queue. A job that met trouble of ours is answered as failed, and
// SQS brings it again; trouble of the endpoint is a result.
func (c Courier) Invoke(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
	troubles := make([]error, len(batch.Records))
	places := make(chan struct{}, max(c.AtOnce, 1))
	var all sync.WaitGroup
	for i, message := range batch.Records {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			troubles[i] = c.handle(ctx, message.Body)
		})
	}
	all.Wait()
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

func (c Courier) handle(ctx context.Context, message string) error {
	job, redriven, err := parseJob(message)
	if err != nil {
		return err
	}
	d, err := c.Deliveries.read(ctx, dynamo.Key{PK: job.Event, SK: job.Endpoint})
	if err != nil {
		return err
	}
	d.Merchant = job.Merchant
	if redriven {
		return c.reopen(ctx, job, d)
	}
	now := c.now()
	switch decide(job, d, now) {
	case mend:
		return c.follow(ctx, d, sequelSlack)
	case wait:
		return c.Jobs.Send(ctx, job.Message(d.early(now)))
	case pursue:
		return c.pursue(ctx, d)
	default:
		return nil
	}
}

// pursue makes the next attempt, unless nobody is there to receive it.
func (c Courier) pursue(ctx context.Context, d Delivery) error {
	endpoint, err := c.Endpoints.Get(ctx, d.Merchant, d.Endpoint)
	switch {
	case problem.Is(err, problem.NotFound):
		return c.record(ctx, d.unsent(Failed, Deleted, c.now()))
	case err != nil:
		return err
	case !endpoint.Enabled:
		return c.record(ctx, d.unsent(Held, Disabled, c.now()))
	}
	told, err := c.Events.Get(ctx, d.Merchant, d.Event)
	if err != nil {
		return err // an event is recorded before its jobs are sent: one that is missing is a matter for a person
	}
	at := c.now()
	request, err := c.Endpoints.pack(ctx, endpoint, told, d.Cause, at)
	if err != nil {
		return err
	}
	out := c.Client.post(ctx, endpoint.URL, request)
	if err := ctx.Err(); err != nil {
		return err // it was us who stopped, so this is no result
	}
	c.tell(ctx, d, out)
	return c.record(ctx, d.after(out, at, c.now(), c.Random))
}

// record writes what came of an attempt, and does what follows from it.
func (c Courier) record(ctx context.Context, after Delivery) error {
	err := c.Deliveries.write(ctx, after)
	if errors.Is(err, dynamo.ErrStale) {
		return c.overtaken(ctx, after)
	}
	if err != nil {
		return err
	}
	return c.follow(ctx, after, 0)
}

// overtaken: another run of the same job has recorded its own attempt meanwhile, or this very write
// was done and its answer lost. What is recorded stands, but for one thing: a success is never forgotten.
func (c Courier) overtaken(ctx context.Context, after Delivery) error {
	stored, err := c.Deliveries.read(ctx, after.key())
	if err != nil {
		return err
	}
	if after.Status == Delivered && stored.Status != Delivered {
		return c.record(ctx, stored.alsoDelivered(after, c.now()))
	}
	return c.follow(ctx, stored, sequelSlack)
}

// sequelSlack is by how much a sequel that may be there already comes later than the first one would:
// long enough for that attempt to be made and recorded, so that the second finds it made and no
// endpoint is called twice.
const sequelSlack = Timeout * 2

// follow does what follows from what is recorded. It may be done twice without harm.
func (c Courier) follow(ctx context.Context, d Delivery, slack time.Duration) error {
	switch {
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
