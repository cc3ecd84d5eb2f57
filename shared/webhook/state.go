package webhook

import "time"

// State is how an endpoint does: it is written only where something is amiss with it, or was, or where its attempts are
// limited. An endpoint that does well has none, or a clear one.
type State struct {
	Merchant string `dynamodbav:"pk"`
	Endpoint string `dynamodbav:"sk"`

	Streak       int        `dynamodbav:"streak,omitempty"` // attempts since the last success, all in vain
	FailingSince *time.Time `dynamodbav:"failing_since,omitempty"`
	Trouble      string     `dynamodbav:"trouble,omitempty"` // of the last attempt in vain
	Told         bool       `dynamodbav:"told,omitempty"`    // its merchant was told that it fails

	RestUntil *time.Time `dynamodbav:"rest_until,omitempty"` // no attempts before; then one that tries it
	Rests     int        `dynamodbav:"rests,omitempty"`      // one after the other, each longer
	SlowUntil *time.Time `dynamodbav:"slow_until,omitempty"` // it took long lately: each attempt needs a place beforehand
	NextTurn  *time.Time `dynamodbav:"next_turn,omitempty"`  // where attempts are limited: when the next one may be made
	Release   int        `dynamodbav:"release,omitempty"`    // how many of its line the last sweep let go, while it recovers

	// Line is there while deliveries may wait in the endpoint's own line; the index "lined" is over it.
	Line string `dynamodbav:"line,omitempty"`

	// Events are the types of the events that the write of this version stands for.
	Events    []string  `dynamodbav:"events,omitempty"`
	UpdatedAt time.Time `dynamodbav:"updated_at"`
	Version   int64     `dynamodbav:"version"` // from 1, raised by every write
}
