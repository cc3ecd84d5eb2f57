package webhook

import (
	"context"
	"errors"
	"slices"

	"farrier/shared/dynamo"
	"farrier/shared/problem"
)

// Deliveries keeps deliveries. Its table has the sparse index "due" over due_shard and due_at.
type Deliveries struct{ Table dynamo.Table }

const dueIndex = "due"

// dueIn asks for what waits in one of the index's partitions, what is due first at the beginning.
func dueIn(partition string) dynamo.Query {
	return dynamo.Query{PK: partition, Index: dueIndex, PartitionAttr: "due_shard", SortAttr: "due_at"}
}

// Get reads a merchant's delivery by its public id.
func (d Deliveries) Get(ctx context.Context, merchant, name string) (Delivery, error) {
	missing := problem.New(problem.NotFound, "there is no such delivery")
	key, ok := keyOfID(name)
	if !ok {
		return Delivery{}, missing
	}
	found, err := d.read(ctx, key)
	if err == nil && (found.Version == 0 || found.Merchant != merchant) {
		return Delivery{}, missing
	}
	return found, err
}

// List reads a page of an event's deliveries, one for each endpoint that was tried.
func (d Deliveries) List(ctx context.Context, merchant, event string, limit int32, cursor string) ([]Delivery, string, error) {
	page, next, err := dynamo.List[Delivery](ctx, d.Table, dynamo.Query{PK: event, Limit: limit, Cursor: cursor})
	return slices.DeleteFunc(page, func(one Delivery) bool { return one.Merchant != merchant }), next, err
}

// read finds a delivery; one that was never tried is there with nothing but its key, at version 0.
func (d Deliveries) read(ctx context.Context, key dynamo.Key) (Delivery, error) {
	found := Delivery{Event: key.PK, Endpoint: key.SK}
	err := d.Table.Get(ctx, key, &found)
	if errors.Is(err, dynamo.ErrMissing) {
		return found, nil
	}
	return found, err
}

// write puts the next version of a delivery: one PutItem, for the first as for every other.
// It returns dynamo.ErrStale where someone else wrote that version.
func (d Deliveries) write(ctx context.Context, next Delivery) error {
	return d.Table.Follow(ctx, next, next.Version-1)
}
