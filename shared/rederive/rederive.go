// Package rederive tells interpret, credit and notify again of what stands in the tables, for the case that a stream
// forgot records (it keeps them for 24 hours) or was broken.
//
// It promises: each callback is read again, each deposit that is final or was reversed is decided about again, and the newest
// change of each payment and of how each endpoint does is told again; what was done before is found done and changes nothing. Callbacks come first: what
// a trusted provider said stands nowhere else. They are listed in the journal too, where its queue is named. A change of a payment
// that was forgotten and followed by another one is told only by what the later one says.
package rederive

import (
	"context"
	"maps"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/dynamo"
	"farrier/shared/queue"
	"farrier/shared/stream"
	"farrier/shared/webhook"
)

// Source is what is read, and the queues of the functions that are told.
type Source struct {
	Callbacks, Deposits, Payments dynamo.Table
	Interpret, Credit, Notify     queue.Queue
	Journal                       queue.Queue // may be left out: nothing but a list depends on it

	Endpoints, EndpointStates dynamo.Table // may be left out: then nobody is told again of endpoints in trouble
}

// Sent says how many records were sent.
type Sent struct {
	CallbacksToInterpret, CallbacksToJournal, DepositsToCredit, DepositsToNotify, PaymentsToNotify, EndpointsToNotify, StatesToNotify int
}

// row is what callbacks, deposits and payments have in common, as far as it matters here.
type row struct {
	PK        string    `dynamodbav:"pk"`
	SK        string    `dynamodbav:"sk"`
	State     string    `dynamodbav:"state"`  // of a deposit
	Round     int       `dynamodbav:"round"`  // how often it was reversed
	Events    []string  `dynamodbav:"events"` // that the last change of a payment, or of how an endpoint does, stands for
	UpdatedAt time.Time `dynamodbav:"updated_at"`

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
		table  dynamo.Table
		to     queue.Queue
		wanted func(row) bool
		sent   *int
		image  func(dynamo.Item) dynamo.Item // told with the record
	}{
		{s.Callbacks, s.Interpret, row.followed, &sent.CallbacksToInterpret, nothing},
		{s.Callbacks, s.Journal, row.received, &sent.CallbacksToJournal, withoutBody},
		{s.Deposits, s.Credit, row.settled, &sent.DepositsToCredit, whole},
		{s.Deposits, s.Notify, row.deposit, &sent.DepositsToNotify, whole},
		{s.Payments, s.Notify, row.changed, &sent.PaymentsToNotify, whole},
		{s.Endpoints, s.Notify, row.disabled, &sent.EndpointsToNotify, webhook.Plain},
		{s.EndpointStates, s.Notify, row.changed, &sent.StatesToNotify, whole},
	} {
		if part.to.URL == "" || part.table.Name == "" {
			continue
		}
		*part.sent, err = send(ctx, part.table, part.to, part.image, func(r row) bool { return !r.at().Before(from) && part.wanted(r) })
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// A callback's body may be large: interpret reads it where it lies, and the journal does not need it.
func whole(item dynamo.Item) dynamo.Item { return item }
func nothing(dynamo.Item) dynamo.Item    { return nil }
func withoutBody(item dynamo.Item) dynamo.Item {
	rest := maps.Clone(item)
	delete(rest, "body")
	return rest
}

// send sends the wanted rows of a table as records that were set aside are sent, and says how many.
func send(ctx context.Context, table dynamo.Table, to queue.Queue, image func(dynamo.Item) dynamo.Item, wanted func(row) bool) (int, error) {
	n := 0
	err := table.Scan(ctx, func(item dynamo.Item) error {
		var r row
		if err := dynamo.Unmarshal(item, &r); err != nil {
			return err
		}
		if !wanted(r) {
			return nil
		}
		n++
		return to.Send(ctx, queue.Message{Body: stream.Aside{Reason: "derived again", Record: events.DynamoDBEventRecord{
			EventID: r.PK + "/" + r.SK, EventName: "MODIFY", EventSource: "aws:dynamodb",
			EventSourceArn: "arn:aws:dynamodb:::table/" + table.Name,
			Change: events.DynamoDBStreamRecord{
				Keys: dynamo.Told(dynamo.Item{"pk": item["pk"], "sk": item["sk"]}), NewImage: dynamo.Told(image(item)), StreamViewType: "NEW_IMAGE",
			},
		}}})
	})
	return n, err
}
