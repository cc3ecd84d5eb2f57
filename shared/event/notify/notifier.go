package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"

	lambda "github.com/aws/aws-lambda-go/events"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/payment"
	"farrier/shared/queue"
	"farrier/shared/stream"
	"farrier/shared/webhook"
)

// Notifier tells merchants' endpoints of changes.
type Notifier struct {
	Events    event.Store
	Endpoints webhook.Endpoints
	Payments  dynamo.Table
	Jobs      queue.Queue
	Owners    Owners
	Metrics   cloud.Metrics
}

// Handle is a stream.Consumer's. All jobs of a batch are sent together, at its end; behind a record that met trouble nothing
// is told.
func (n Notifier) Handle(ctx context.Context, records []lambda.DynamoDBEventRecord) []error {
	answers := make([]error, len(records))
	jobs := make([][]queue.Message, len(records))
	known := endpointsOf{}
	for i, record := range records {
		jobs[i], answers[i] = n.tell(ctx, known, record)
		if forAPerson(answers[i]) {
			answers[i] = stream.Unfit{Reason: answers[i]}
		} else if answers[i] != nil {
			// The stream stops here, and what follows comes again with it. Were it told of now, it could overtake this one.
			for j := range answers[i+1:] {
				answers[i+1+j] = answers[i]
			}
			break
		}
	}
	n.send(ctx, jobs, answers)
	return answers
}

// forAPerson says whether trying again is of no use: the record says what it may not, or something that was read for it is
// stored in a way that nobody reads.
func forAPerson(err error) bool {
	return errors.Is(err, errContent) || errors.Is(err, event.ErrTold) || errors.Is(err, dynamo.ErrUnreadable)
}

// errContent: what a record stands for cannot be told.
var errContent = errors.New("notify: the record cannot be told")

// tell records a change's events and says which jobs they need, even beside an error for a person: that comes after
// everything that can be told.
func (n Notifier) tell(ctx context.Context, known endpointsOf, record lambda.DynamoDBEventRecord) ([]queue.Message, error) {
	told, err := derive(record)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errContent, err)
	}
	if len(told.events) == 0 {
		return nil, nil
	}
	endpoints, unreadable, err := n.endpoints(ctx, known, told.merchant)
	if err != nil {
		return nil, err
	}
	var jobs []queue.Message
	var twice error
	for _, e := range told.events {
		if told.onlyWanted {
			if !slices.ContainsFunc(endpoints, func(one webhook.Endpoint) bool { return one.Listens(e.Type) }) {
				continue
			}
			if e.Metadata, err = n.metadata(ctx, e.Merchant, told.payment); err != nil {
				return nil, err
			}
		}
		choosing := choosers(e, endpoints)
		if told.onlyWanted && len(choosing) == 0 {
			continue
		}
		err := n.Events.Record(ctx, e)
		if errors.Is(err, event.ErrTold) { // the first telling stands and is sent; a person looks at the second
			twice = err
		} else if err != nil {
			return nil, err
		}
		if told.health != nil {
			if err := n.Owners.Tell(ctx, e, told.health.At(endpoints)); err != nil {
				return nil, err
			}
		}
		jobs = append(jobs, jobsOf(e, choosing)...)
	}
	return jobs, errors.Join(unreadable, twice)
}

// metadata is what the payment of a deposit was asked for with; it never changes. Nil where a payment has none, or where
// money came to a payment whose request was stopped before it was written.
func (n Notifier) metadata(ctx context.Context, merchant, name string) (map[string]string, error) {
	if name == "" {
		return nil, nil
	}
	var p payment.Payment
	err := n.Payments.Get(ctx, dynamo.Key{PK: merchant, SK: name}, &p)
	if errors.Is(err, dynamo.ErrMissing) {
		return nil, nil
	}
	return p.Metadata, err
}

// send sends every record's jobs. Where SQS is in trouble, none of these records is done.
func (n Notifier) send(ctx context.Context, jobs [][]queue.Message, answers []error) {
	var all []queue.Message
	for _, some := range jobs {
		all = append(all, some...)
	}
	err := n.Jobs.Send(ctx, all...)
	if err == nil {
		return
	}
	for i, some := range jobs {
		if len(some) > 0 {
			answers[i] = err
		}
	}
}

// choosers are the endpoints that an event is for: also those that are disabled, for which it is kept.
func choosers(e event.Event, endpoints []webhook.Endpoint) []webhook.Endpoint {
	return slices.DeleteFunc(slices.Clone(endpoints), func(one webhook.Endpoint) bool { return !one.Chooses(e) })
}

func jobsOf(e event.Event, choosing []webhook.Endpoint) []queue.Message {
	var jobs []queue.Message
	for _, endpoint := range choosing {
		if endpoint.Enabled {
			jobs = append(jobs, webhook.Job{Merchant: e.Merchant, Event: e.ID, Endpoint: endpoint.ID, Attempt: 1}.Message(0))
		}
	}
	return jobs
}

// endpointsOf remembers merchants' endpoints for one batch: each of its changes was made before they are read.
type endpointsOf map[string]struct {
	readable   []webhook.Endpoint
	unreadable error
}

func (n Notifier) endpoints(ctx context.Context, known endpointsOf, merchant string) (readable []webhook.Endpoint, unreadable, err error) {
	of, ok := known[merchant]
	if ok {
		return of.readable, of.unreadable, nil
	}
	if of.readable, of.unreadable, err = n.Endpoints.All(ctx, merchant); err != nil {
		return nil, nil, err
	}
	if of.unreadable != nil {
		n.Metrics.Count("EndpointUnreadable", 1, map[string]string{"merchant": merchant, "reason": of.unreadable.Error()})
	}
	known[merchant] = of
	return of.readable, of.unreadable, nil
}
