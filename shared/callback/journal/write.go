package journal

import (
	"context"
	"errors"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/callback"
	"farrier/shared/dynamo"
	"farrier/shared/stream"
)

// Handle writes down a batch of the callbacks' stream.
func (j Journal) Handle(ctx context.Context, records []events.DynamoDBEventRecord) []error {
	answers := make([]error, len(records))
	batches := map[string]*batch{}
	for i, record := range records {
		if record.EventName == string(events.DynamoDBOperationTypeRemove) {
			continue // forgotten; what was only marked is listed where it was
		}
		var receipt callback.Receipt
		err := dynamo.Unmarshal(dynamo.Image(record.Change.NewImage), &receipt)
		if err == nil && (receipt.PK == "" || receipt.SK == "" || receipt.ReceivedAt.IsZero()) {
			err = errors.New("journal: the record holds no receipt")
		}
		if err != nil {
			answers[i] = stream.Unfit{Reason: err}
			continue
		}
		of := batches[receipt.PK]
		if of == nil {
			of = &batch{}
			batches[receipt.PK] = of
		}
		of.add(i, receipt)
	}
	for connection, of := range batches {
		err := j.write(ctx, connection, of)
		for _, i := range of.records {
			answers[i] = err
		}
	}
	return answers
}

// batch is what a batch has of one connection.
type batch struct {
	records []int // their places in it
	entries []Entry
	ttl     int64 // of what is kept longest
}

func (b *batch) add(place int, receipt callback.Receipt) {
	b.records = append(b.records, place)
	b.entries = append(b.entries, Entry{At: receipt.ReceivedAt, Receipt: receipt.SK})
	b.ttl = max(b.ttl, receipt.TTL)
}

// write writes items that may have been written before: what stands under their names is the same.
func (j Journal) write(ctx context.Context, connection string, of *batch) error {
	for _, i := range itemsOf(connection, of.entries, of.ttl) {
		err := j.Table.Create(ctx, i)
		var exists *dynamo.ExistsError
		if err != nil && !errors.As(err, &exists) {
			return err
		}
	}
	return nil
}
