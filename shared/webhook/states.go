package webhook

import (
	"context"
	"errors"
	"reflect"
	"strings"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
)

// States keeps how endpoints do. Its table has the sparse index "lined" over line and sk.
type States struct {
	Table dynamo.Table
	Now   cloud.Clock
}

const linedIndex = "lined"

// Get reads how an endpoint does; one about which nothing was ever noted does well, at version 0.
func (s States) Get(ctx context.Context, merchant, endpoint string) (State, error) {
	found := State{Merchant: merchant, Endpoint: endpoint}
	err := s.Table.Get(ctx, found.key(), &found)
	if errors.Is(err, dynamo.ErrMissing) {
		return found, nil
	}
	return found.quiet(), err
}

// write puts the next version of a state, and gives it as it is for the write after that; dynamo.ErrStale where someone else
// wrote that version.
func (s States) write(ctx context.Context, next State) (State, error) {
	next.Version++
	next.Telling = strings.Join(next.Events, " ")
	next.UpdatedAt = s.Now().UTC()
	return next.quiet(), s.Table.Follow(ctx, next, next.Version-1)
}

// stateTries bounds how often a change is tried where others write at the same moment.
const stateTries = 8

// change writes what f makes of a state that was read before, and reads it again where it has changed since. What changes
// nothing writes nothing.
func (s States) change(ctx context.Context, before State, f func(State) State) (State, error) {
	for range stateTries {
		after := f(before)
		if reflect.DeepEqual(before, after) {
			return before, nil
		}
		written, err := s.write(ctx, after)
		if !errors.Is(err, dynamo.ErrStale) {
			return written, err
		}
		if before, err = s.Get(ctx, before.Merchant, before.Endpoint); err != nil {
			return before, err
		}
	}
	return before, dynamo.ErrStale
}

// join makes sure that the sweep looks at an endpoint's line, which a delivery has just joined.
func (s States) join(ctx context.Context, merchant, endpoint string) error {
	now, err := s.Get(ctx, merchant, endpoint)
	if err == nil {
		_, err = s.change(ctx, now, State.joined)
	}
	return err
}
