package webhook

import (
	"net/http"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/event"
)

// When an endpoint is spared, and for how long.
const (
	restAfter   = 5                // attempts in vain, one after the other
	firstRest   = 10 * time.Second // doubled each time
	longestRest = 5 * time.Minute  // unless the endpoint asks for longer
	askedRest   = time.Hour        // the longest that it may ask for
	trialFor    = time.Minute      // an attempt that tries a resting endpoint is given up after
	slowFor     = 10 * time.Minute // how long one that took long is thought to be slow
	failingTold = 30 * time.Minute // of failing, after which its merchant is told
	// failingAtMost is how long an endpoint may fail without one success until it is disabled. It is the length of the usual
	// schedule (Standard Webhooks, "Deliverability and reliability").
	failingAtMost = 72 * time.Hour
)

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
	Took      int64      `dynamodbav:"took,omitempty"`       // milliseconds, of the last attempt that took long
	NextTurn  *time.Time `dynamodbav:"next_turn,omitempty"`  // where attempts are limited: when the next one may be made

	Using      int        `dynamodbav:"using,omitempty"` // which of its URLs is used first
	UsingUntil *time.Time `dynamodbav:"using_until,omitempty"`

	// Line is there while deliveries may wait in the endpoint's own line; the index "lined" is over it. It is taken away
	// where the line was empty in two sweeps and nobody has joined it in between.
	Line       string     `dynamodbav:"line,omitempty"`
	EmptySince *time.Time `dynamodbav:"empty_since,omitempty"`
	Release    int        `dynamodbav:"release,omitempty"` // how many of its line the last sweep let go, while it recovers

	// Events are the types of the events that the write of this version stands for.
	Events    []string  `dynamodbav:"events,omitempty"`
	Telling   string    `dynamodbav:"telling,omitempty"` // there where Events are: a filter of the stream sees no lists
	UpdatedAt time.Time `dynamodbav:"updated_at"`
	Version   int64     `dynamodbav:"version"` // from 1, raised by every write
}

func (s State) key() dynamo.Key { return dynamo.Key{PK: s.Merchant, SK: s.Endpoint} }

// quiet is a state that was read or written: what its write stood for, the next one does not.
func (s State) quiet() State {
	s.Events, s.Telling = nil, ""
	return s
}

// resting says whether no attempt may be made but one that was let go to try the endpoint.
func (s State) resting(now time.Time) bool { return s.RestUntil != nil && now.Before(*s.RestUntil) }

// toBeTried says whether the endpoint has rested, and nobody tries it.
func (s State) toBeTried(now time.Time) bool { return s.RestUntil != nil && !now.Before(*s.RestUntil) }

// slow says whether each attempt needs a place.
func (s State) slow(now time.Time) bool { return s.SlowUntil != nil && now.Before(*s.SlowUntil) }

// trial is the state while one attempt tries the endpoint: the others wait on.
func (s State) trial(now time.Time) State {
	until := now.Add(trialFor)
	s.RestUntil = &until
	return s
}

// turns gives up to so many attempts their turns, limit of them to a second and evenly spaced (the virtual scheduling of
// ITU-T I.371's generic cell rate algorithm), none later than ahead from now. The state must be written before any of them
// is used.
func (s State) turns(limit, wanted int, now time.Time, ahead time.Duration) (State, []time.Time) {
	each := time.Second / time.Duration(limit)
	next := now
	if s.NextTurn != nil && s.NextTurn.After(now) {
		next = *s.NextTurn
	}
	var turns []time.Time
	for len(turns) < wanted && !next.After(now.Add(ahead)) {
		turns = append(turns, next)
		next = next.Add(each)
	}
	if len(turns) > 0 {
		s.NextTurn = &next
	}
	return s, turns
}

// clear says whether nothing is amiss.
func (s State) clear() bool { return s.Streak == 0 && s.FailingSince == nil && s.RestUntil == nil }

// succeeded is the state after an attempt that was answered with 2xx.
func (s State) succeeded() State {
	if s.clear() {
		return s
	}
	if s.Told {
		s.Events = append(s.Events, string(event.EndpointRecovered))
	}
	s.Streak, s.FailingSince, s.Trouble, s.Told, s.RestUntil, s.Rests, s.Release = 0, nil, "", false, nil, 0, 0
	return s
}

// failed is the state after an attempt in vain. What was under way when the rest began tells nothing new; trying says that
// the attempt was let go to try the endpoint.
func (s State) failed(o outcome, trying bool, at, now time.Time) State {
	if s.FailingSince == nil {
		s.FailingSince = &at
	}
	if !s.Told && now.Sub(*s.FailingSince) >= failingTold {
		s.Told = true
		s.Events = append(s.Events, string(event.EndpointFailing))
	}
	if s.resting(now) && !trying {
		return s
	}
	s.Streak++
	s.Trouble = o.Trouble
	if trying || o.asksForRest() || s.Streak >= restAfter || (o.hung() && s.Streak > 1) {
		s = s.rested(o.RetryAfter, now)
	}
	return s
}

// rested is the state in which the endpoint is spared for a while, longer each time.
func (s State) rested(asked time.Duration, now time.Time) State {
	length := longestRest
	if s.Rests < 6 {
		length = min(firstRest<<s.Rests, longestRest)
	}
	until := now.Add(max(length, min(asked, askedRest)))
	s.RestUntil, s.Line, s.Release = &until, lined, 0
	s.Rests++
	return s
}

// afresh is the state of an endpoint that was enabled again: what was before counts no more.
func (s State) afresh() State {
	s.Streak, s.FailingSince, s.Trouble, s.Told, s.RestUntil, s.Rests = 0, nil, "", false, nil, 0
	return s
}

// slowed is the state after an attempt that took long. It is put off again only when half of its time is over, or the
// attempt took twice or half as long as the one that is remembered.
func (s State) slowed(took time.Duration, now time.Time) State {
	remembered := time.Duration(s.Took) * time.Millisecond
	if s.SlowUntil == nil || s.SlowUntil.Sub(now) < slowFor/2 || took >= 2*remembered || 2*took <= remembered {
		until := now.Add(slowFor)
		s.SlowUntil, s.Took = &until, took.Milliseconds()
	}
	return s
}

// using is the state in which the URL that answered is the first to be used, for as long as a slow one is remembered.
func (s State) using(url int, now time.Time) State {
	until := now.Add(slowFor)
	if url == 0 {
		s.Using, s.UsingUntil = 0, nil
	} else if s.Using != url || s.UsingUntil == nil || s.UsingUntil.Sub(now) < slowFor/2 {
		s.Using, s.UsingUntil = url, &until
	}
	return s
}

// from is the URL to begin with.
func (s State) from(now time.Time) int {
	if s.UsingUntil != nil && now.Before(*s.UsingUntil) {
		return s.Using
	}
	return 0
}

// joined is the state where a delivery has joined the endpoint's line.
func (s State) joined() State {
	s.Line, s.EmptySince = lined, nil
	return s
}

// lined is the one partition of the index over endpoints that have a line.
const lined = "lined"

// asksForRest says whether the answer is one of those after which a sender slows down.
func (o outcome) asksForRest() bool {
	switch o.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	default:
		return o.Status != 0 && !o.delivered() && o.RetryAfter > 0
	}
}

// down says whether another URL is worth trying: no answer came, or the server says that it cannot.
func (o outcome) down() bool { return o.Status == 0 || o.Status >= 500 }
