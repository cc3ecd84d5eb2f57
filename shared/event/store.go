package event

import (
	"context"
	"errors"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/id"
	"farrier/shared/problem"
)

// ErrTold says that the event was told before, in other words. The first telling stands.
var ErrTold = errors.New("event: recorded before with another payload")

// Store keeps events. Recording them and feeding on them need Now.
type Store struct {
	Table dynamo.Table
	Now   cloud.Clock
}

// Record writes an event: one write unit for each KB, and one more where it comes late. The same event again is no error.
func (s Store) Record(ctx context.Context, e Event) error {
	first := s.record(ctx, e)
	if first != nil && !errors.Is(first, ErrTold) {
		return first
	}
	if err := s.note(ctx, e); err != nil {
		return err
	}
	return first
}

func (s Store) record(ctx context.Context, e Event) error {
	err := s.Table.Create(ctx, e)
	var stored Event
	exists, readErr := dynamo.Exists(err, &stored)
	switch {
	case !exists:
		return err
	case readErr != nil:
		return readErr
	case stored.Payload != e.Payload:
		return ErrTold
	default:
		return nil
	}
}

// Get reads a merchant's event.
func (s Store) Get(ctx context.Context, merchant, name string) (Event, error) {
	var e Event
	if !id.Valid("evt", name) {
		return e, problem.New(problem.NotFound, "there is no such event")
	}
	err := s.Table.Get(ctx, dynamo.Key{PK: merchant, SK: name}, &e)
	if errors.Is(err, dynamo.ErrMissing) {
		return e, problem.New(problem.NotFound, "there is no such event")
	}
	return e, err
}

// List reads a page of a merchant's events, the newest first.
func (s Store) List(ctx context.Context, merchant string, limit int32, cursor string) ([]Event, string, error) {
	return dynamo.List[Event](ctx, s.Table, dynamo.Query{PK: merchant, Descending: true, Limit: limit, Cursor: cursor})
}
