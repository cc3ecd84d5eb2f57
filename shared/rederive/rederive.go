// Package rederive tells interpret, credit and notify again of what stands in the tables, for the case that a stream
// forgot records (it keeps them for 24 hours) or was broken.
//
// It promises: each callback is read again, each deposit that is final or was reversed is decided about again, and the newest
// change of each payment and payout and of how each endpoint does is told again; what was done before is found done and changes
// nothing. Callbacks come first: what a trusted provider said stands nowhere else. They are listed in the journal too, where its
// queue is named. A change of a payment or payout that was forgotten and followed by another one is told only by what the later
// one says; where that says nothing, as the last writes of a payout do, the one before it is told, by what stands there now,
// unless it is recorded.
package rederive

import (
	"context"
	"maps"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/problem"
	"farrier/shared/queue"
	"farrier/shared/stream"
	"farrier/shared/webhook"
)

// Source is what is read, and the queues of the functions that are told.
type Source struct {
	Callbacks, Deposits, Payments, Payouts dynamo.Table
	Interpret, Credit, Notify              queue.Queue
	Journal                                queue.Queue // may be left out: nothing but a list depends on it

	Events event.Store // where it is seen what is recorded

	Endpoints, EndpointStates dynamo.Table // may be left out: then nobody is told again of endpoints in trouble
}

// Sent says how many records were sent.
type Sent struct {
	CallbacksToInterpret, CallbacksToJournal, DepositsToCredit, DepositsToNotify, PaymentsToNotify, PayoutsToNotify, EndpointsToNotify, StatesToNotify int
}

// row is what callbacks, deposits, payments and payouts have in common, as far as it matters here.
type row struct {
	PK        string     `dynamodbav:"pk"`
	SK        string     `dynamodbav:"sk"`
	State     string     `dynamodbav:"state"`  // of a deposit
	Round     int        `dynamodbav:"round"`  // how often it was reversed
	Events    []string   `dynamodbav:"events"` // that the last change of a payment, a payout, or of how an endpoint does, stands for
	Before    event.Mark `dynamodbav:"before"` // the event before them
	UpdatedAt time.Time  `dynamodbav:"updated_at"`
	Version   int64      `dynamodbav:"version"`

	DisabledAt *time.Time `dynamodbav:"disabled_at"` // of an endpoint

	ReceivedAt time.Time `dynamodbav:"received_at"` // of a callback
	Outcome    string    `dynamodbav:"outcome"`
}

func (r row) received() bool { return !r.ReceivedAt.IsZero() }
func (r row) followed() bool { return r.received() && r.Outcome != "conflict" }

// at is when a row changed last or, of a callback, when it came.
func (r row) at() time.Time {
	if r.ReceivedAt.IsZero() {
		return r.UpdatedAt
	}
	return r.ReceivedAt
}

func (r row) settled() bool  { return r.State == "final" || r.Round > 0 }
func (r row) deposit() bool  { return r.State != "" }
func (r row) changed() bool  { return len(r.Events) > 0 }
func (r row) disabled() bool { return r.DisabledAt != nil }

// slack is by how much a function's clock may be late: what it wrote after a moment may carry a time before it.
const slack = time.Minute

// Since sends what changed at this moment or later, and what is a minute older.
func (s Source) Since(ctx context.Context, from time.Time) (sent Sent, err error) {
	from = from.Add(-slack)
	for _, part := range []struct {
		table dynamo.Table
		to    queue.Queue
		tell  telling
		sent  *int
	}{
		{s.Callbacks, s.Interpret, where(row.followed, nothing), &sent.CallbacksToInterpret},
		{s.Callbacks, s.Journal, where(row.received, withoutBody), &sent.CallbacksToJournal},
		{s.Deposits, s.Credit, where(row.settled, whole), &sent.DepositsToCredit},
		{s.Deposits, s.Notify, where(row.deposit, whole), &sent.DepositsToNotify},
		{s.Payments, s.Notify, s.newest("payments"), &sent.PaymentsToNotify},
		{s.Payouts, s.Notify, s.newest("payouts"), &sent.PayoutsToNotify},
		{s.Endpoints, s.Notify, where(row.disabled, webhook.Plain), &sent.EndpointsToNotify},
		{s.EndpointStates, s.Notify, where(row.changed, whole), &sent.StatesToNotify},
	} {
		if part.to.URL == "" || part.table.Name == "" {
			continue
		}
		*part.sent, err = send(ctx, part.table, part.to, from, part.tell)
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// telling says whether a row is told again, and with which image.
type telling func(context.Context, row, dynamo.Item) (image dynamo.Item, wanted bool, err error)

// where tells the rows that are wanted.
func where(wanted func(row) bool, image func(dynamo.Item) dynamo.Item) telling {
	return func(_ context.Context, r row, item dynamo.Item) (dynamo.Item, bool, error) {
		return image(item), wanted(r), nil
	}
}

// newest tells the last events of each item of a notion. Where its last write stands for none, the event before is told as if
// that write had made the item what it is now, unless it is recorded: told twice, with other data, it would be a person's.
func (s Source) newest(notion string) telling {
	return func(ctx context.Context, r row, item dynamo.Item) (dynamo.Item, bool, error) {
		if r.changed() || r.Before == "" {
			return item, r.changed(), nil
		}
		written := event.Origin{Table: notion, Key: dynamo.Key{PK: r.PK, SK: r.SK}, Version: r.Version}
		before, t, err := written.Marked(r.Before)
		if err != nil {
			return nil, false, err
		}
		_, err = s.Events.Get(ctx, r.PK, before.Name(t))
		if !problem.Is(err, problem.NotFound) {
			return nil, false, err
		}
		image := maps.Clone(item)
		delete(image, "before")
		image["events"], image["version"], image["updated_at"] = dynamo.Must([]event.Type{t}), dynamo.Must(before.Version), dynamo.Must(before.At)
		return image, true, nil
	}
}

// A callback's body may be large: interpret reads it where it lies, and the journal does not need it.
func whole(item dynamo.Item) dynamo.Item { return item }
func nothing(dynamo.Item) dynamo.Item    { return nil }
func withoutBody(item dynamo.Item) dynamo.Item {
	rest := maps.Clone(item)
	delete(rest, "body")
	return rest
}

// send sends the wanted rows of a table, of those that changed since, as records that were set aside are sent, and says how many.
func send(ctx context.Context, table dynamo.Table, to queue.Queue, from time.Time, tell telling) (int, error) {
	n := 0
	err := table.Scan(ctx, func(item dynamo.Item) error {
		var r row
		if err := dynamo.Unmarshal(item, &r); err != nil {
			return err
		}
		if r.at().Before(from) {
			return nil
		}
		image, wanted, err := tell(ctx, r, item)
		if err != nil || !wanted {
			return err
		}
		n++
		return to.Send(ctx, queue.Message{Body: stream.Aside{Reason: "derived again", Record: events.DynamoDBEventRecord{
			EventID: r.PK + "/" + r.SK, EventName: "MODIFY", EventSource: "aws:dynamodb",
			EventSourceArn: "arn:aws:dynamodb:::table/" + table.Name,
			Change: events.DynamoDBStreamRecord{
				Keys: dynamo.Told(dynamo.Item{"pk": item["pk"], "sk": item["sk"]}), NewImage: dynamo.Told(image), StreamViewType: "NEW_IMAGE",
			},
		}}})
	})
	return n, err
}
