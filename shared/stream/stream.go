// Package stream runs a function over the records of a table's change stream.
//
// It promises: trouble with infrastructure stops the stream at the record that met it, and AWS brings
// it and all after it again; a record that cannot be handled for its content is set aside, whole or as
// much of it as may lie in a queue, with the reason, in the function's dead-letter queue, and the
// stream goes on. Redriving that queue sends the record through the same function again.
package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/queue"
)

// Unfit marks an error that lies in the record's content: running it again cannot help.
type Unfit struct{ Reason error }

func (u Unfit) Error() string { return u.Reason.Error() }
func (u Unfit) Unwrap() error { return u.Reason }

// Aside is a record in the dead-letter queue.
type Aside struct {
	Reason string                     `json:"reason"`
	Record events.DynamoDBEventRecord `json:"record"`
}

// Consumer is a function over a stream, and over the queue of records that were set aside and are redriven.
type Consumer struct {
	// Handle answers for each record: nil, Unfit, or trouble to be tried again.
	Handle func(context.Context, []events.DynamoDBEventRecord) []error
	// Redriven answers for a record out of the queue, where that is not done as Handle does; it may wait for the outside
	// world, as a stream must not. nil: Handle.
	Redriven func(context.Context, []events.DynamoDBEventRecord) []error
	Aside    queue.Queue // the dead-letter queue
	// Plain is as much of a record as is set aside: what is secret in it must not lie in a queue. nil: the whole record.
	Plain func(events.DynamoDBEventRecord) events.DynamoDBEventRecord
	Log   *slog.Logger
}

// Each makes a Handle from a function of one record.
func Each(f func(context.Context, events.DynamoDBEventRecord) error) func(context.Context, []events.DynamoDBEventRecord) []error {
	return func(ctx context.Context, records []events.DynamoDBEventRecord) []error {
		answers := make([]error, len(records))
		for i, r := range records {
			answers[i] = f(ctx, r)
		}
		return answers
	}
}

// Invoke is the Lambda handler, for a stream's batch and for a queue's.
func (c Consumer) Invoke(ctx context.Context, payload json.RawMessage) (events.SQSEventResponse, error) {
	var source struct {
		Records []struct {
			EventSource string `json:"eventSource"`
		}
	}
	if err := decode(payload, &source); err != nil {
		return events.SQSEventResponse{}, fmt.Errorf("event: %w", err)
	}
	if len(source.Records) == 0 {
		return events.SQSEventResponse{}, errors.New("event: has no Records")
	}
	if source.Records[0].EventSource == "aws:sqs" {
		var batch events.SQSEvent
		if err := decode(payload, &batch); err != nil {
			return events.SQSEventResponse{}, fmt.Errorf("event: %w", err)
		}
		return c.queued(ctx, batch), nil
	}
	var batch events.DynamoDBEvent
	if err := decode(payload, &batch); err != nil {
		return events.SQSEventResponse{}, fmt.Errorf("event: %w", err)
	}
	return c.streamed(ctx, batch), nil
}

// decode reads JSON. aws-lambda-go panics over a binary set of anything but texts; here that is an error
// like any other, so that one letter of that kind holds up no other.
func decode(text []byte, into any) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("cannot be read: %v", fault)
		}
	}()
	return json.Unmarshal(text, into)
}

// streamed answers with the first record that AWS shall bring again; it brings all that follow too.
func (c Consumer) streamed(ctx context.Context, batch events.DynamoDBEvent) events.SQSEventResponse {
	for i, err := range c.Handle(ctx, batch.Records) {
		var unfit Unfit
		if errors.As(err, &unfit) {
			c.Log.ErrorContext(ctx, "record set aside", "event", batch.Records[i].EventID, "reason", unfit.Error())
			err = c.Aside.Send(ctx, queue.Message{Body: Aside{Reason: unfit.Error(), Record: c.plain(batch.Records[i])}})
		}
		if err != nil {
			c.Log.WarnContext(ctx, "stream stops here", "event", batch.Records[i].EventID, "error", err)
			return failures(batch.Records[i].Change.SequenceNumber)
		}
	}
	return failures()
}

func (c Consumer) plain(record events.DynamoDBEventRecord) events.DynamoDBEventRecord {
	if c.Plain == nil {
		return record
	}
	return c.Plain(record)
}

// errPosition: AWS itself put a message here when the stream was about to forget a batch. It holds a
// position, not the records; cmd/rederive makes them again from the tables.
var errPosition = errors.New("stream: the message holds no record; run cmd/rederive, then delete it")

// queued handles redriven records one by one; what fails again goes back to the dead-letter queue by SQS's own count.
func (c Consumer) queued(ctx context.Context, batch events.SQSEvent) events.SQSEventResponse {
	var failed []string
	for _, message := range batch.Records {
		var aside Aside
		err := decode([]byte(message.Body), &aside)
		if err == nil && len(aside.Record.Change.Keys) == 0 {
			err = errPosition
		}
		if err == nil {
			err = c.redriven()(ctx, []events.DynamoDBEventRecord{aside.Record})[0]
		}
		if err != nil {
			c.Log.ErrorContext(ctx, "redriven record failed", "message", message.MessageId, "error", err)
			failed = append(failed, message.MessageId)
		}
	}
	return failures(failed...)
}

func (c Consumer) redriven() func(context.Context, []events.DynamoDBEventRecord) []error {
	if c.Redriven != nil {
		return c.Redriven
	}
	return c.Handle
}

func failures(ids ...string) events.SQSEventResponse {
	out := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, name := range ids {
		out.BatchItemFailures = append(out.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: name})
	}
	return out
}
