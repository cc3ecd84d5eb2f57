package event

import (
	"context"
	"errors"
	"fmt"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/id"
)

// A feed gives what happened up to feedDelay before now, by the time that it happened, which is the order of ids. What is
// recorded within punctual of that time has then been there for longer than clocks disagree; what is recorded later is
// noted a second time, by the time of recording.
const (
	feedDelay = 5 * time.Second
	punctual  = 2 * time.Second
)

// Apart is by how much the clocks of two functions may disagree without a feed skipping an event.
const Apart = feedDelay - punctual

// late notes an event that was recorded late.
type late struct {
	PK string `dynamodbav:"pk"` // merchant + lateSuffix
	SK string `dynamodbav:"sk"` // time of recording, and the event's id
}

const lateSuffix = "#late"

// latePlace is where the late events of a moment begin.
func latePlace(at time.Time) string { return fmt.Sprintf("%013d/", at.UnixMilli()) }

// note records the time at which an event was recorded, if that was late: until it has done so in time itself. It is done
// after every telling, also one again: whoever was stopped before may not have come to it.
func (s Store) note(ctx context.Context, e Event) error {
	happened := e.CreatedAt
	for {
		now := s.Now()
		if now.Sub(happened) <= punctual {
			return nil
		}
		err := s.Table.Create(ctx, late{PK: e.Merchant + lateSuffix, SK: latePlace(now) + e.ID})
		var exists *dynamo.ExistsError
		if err != nil && !errors.As(err, &exists) {
			return err
		}
		happened = now
	}
}

// startOf is the id before which all events of an earlier moment lie.
func startOf(at time.Time) string { return id.First("evt", at) }
