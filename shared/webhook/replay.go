package webhook

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"farrier/shared/event"
	"farrier/shared/id"
	"farrier/shared/problem"
	"farrier/shared/task"
)

// The kinds of tasks that send again.
const (
	KindRecover = "recover" // what an endpoint chooses and did not get
	KindReplay  = "replay"  // what an endpoint chooses, delivered or not
	KindRedrive = "redrive" // what lies in the dead-letter queue
)

// UsualRate is how many deliveries a second a task asks for where nobody says otherwise.
const UsualRate = 50

// Terms are what was asked for: what happened from one moment, inclusive, until another, exclusive.
type Terms struct {
	Endpoint string     `json:"endpoint"`
	Since    *time.Time `json:"since,omitempty"` // of a recover
	From     *time.Time `json:"from,omitempty"`  // of a replay
	Until    *time.Time `json:"until,omitempty"` // where it is left out: the moment when the task was begun, by any clock
	Types    []string   `json:"types,omitempty"` // of those that the endpoint chooses, only these; patterns
	Round    int        `json:"round,omitempty"` // of a replay: which time it is that somebody wants the same

	EnabledAt *time.Time `json:"enabled_at,omitempty"` // of a recover: when its endpoint was last enabled; what was missed after that is another one's
}

func termsOf(t task.Task) (Terms, error) {
	var terms Terms
	err := json.Unmarshal([]byte(t.Terms), &terms)
	if err == nil && (terms.Endpoint == "" || terms.from().IsZero()) {
		err = fmt.Errorf("webhook: the terms of %s name no endpoint or no time", t.ID)
	}
	return terms, err
}

func (t Terms) from() time.Time {
	switch {
	case t.Since != nil:
		return *t.Since
	case t.From != nil:
		return *t.From
	default:
		return time.Time{}
	}
}

// clocksApart is by how much the clocks of two functions may disagree: what one wrote before another enabled the endpoint
// may carry a time after that.
const clocksApart = 10 * time.Second

func (t Terms) until(begun time.Time) time.Time {
	if t.Until != nil {
		return *t.Until
	}
	if t.EnabledAt != nil && t.EnabledAt.After(begun) {
		begun = *t.EnabledAt
	}
	return begun.Add(clocksApart)
}

// enabled says whether this is the moment at which the endpoint was last enabled.
func (t Terms) enabled(at *time.Time) bool {
	if at == nil || t.EnabledAt == nil {
		return at == t.EnabledAt
	}
	return at.Equal(*t.EnabledAt)
}

// replaces says whether a recover takes the place of an earlier one. That is from before the endpoint was last enabled, so
// that what it has sent may have been held again, behind it; and the later one asks for all that it asks for.
func (t Terms) replaces(earlier Terms) bool {
	return !t.enabled(earlier.EnabledAt) && !t.from().After(earlier.from()) && (t.Until == nil || earlier.Until != nil && !t.Until.Before(*earlier.Until))
}

// text is the terms as a task keeps them: the same for the same.
func (t Terms) text() string {
	b, _ := json.Marshal(t) // of times and strings
	return string(b)
}

// recovering makes the terms of a recover. Where it is not said since when, it is since the endpoint may have missed something.
func recovering(e Endpoint, since, until *time.Time, now time.Time) (Terms, error) {
	if since == nil {
		since = e.MissedSince
	}
	if since == nil {
		return Terms{}, problem.Field("since", "is missing: the endpoint was not disabled since it was last recovered")
	}
	terms := Terms{Endpoint: e.ID, Since: exact(since), Until: exact(until), EnabledAt: e.EnabledAt}
	return terms, terms.check("since", now)
}

// replaying makes the terms of a replay.
func replaying(e Endpoint, from, until time.Time, types []string, round int, now time.Time) (Terms, error) {
	for i, pattern := range types {
		if !matchesAny(pattern) {
			return Terms{}, problem.Field(fmt.Sprintf("types[%d]", i), `is neither an event type, nor the beginning of some with ".*", nor "*"`)
		}
	}
	types = slices.Compact(slices.Sorted(slices.Values(types)))
	terms := Terms{Endpoint: e.ID, From: exact(&from), Until: exact(&until), Types: types, Round: max(round, 1)}
	return terms, terms.check("from", now)
}

// firstMoment bounds what is asked for: nothing that this system tells of is older.
var firstMoment = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// check refuses what cannot be meant. How long the time between is, is for the asker to say: it is read page by page.
func (t Terms) check(first string, now time.Time) error {
	until := now
	if t.Until != nil {
		until = *t.Until
	}
	switch from := t.from(); {
	case from.Before(firstMoment):
		return problem.Field(first, "is before the year 2020")
	case !from.Before(now):
		return problem.Field(first, "is in the future")
	case until.After(now):
		return problem.Field("until", "is in the future")
	case !from.Before(until):
		return problem.Field("until", "is not after "+first)
	default:
		return nil
	}
}

// exact is a moment as it is kept: ids know milliseconds.
func exact(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	at := t.UTC().Truncate(time.Millisecond)
	return &at
}

// replayID names a replay by what it is, so that the same one pressed twice is one. Its time is that of the last
// moment that it is about.
func replayID(merchant string, t Terms) string {
	return id.Derived("tsk", *t.Until, KindReplay, merchant, t.Endpoint, t.From.Format(time.RFC3339Nano), t.Until.Format(time.RFC3339Nano),
		strings.Join(t.Types, " "), strconv.Itoa(t.Round))
}

// Why a task leaves an event alone.
const (
	skipTest      = "test"       // a test is for the endpoint that it was asked for, and over
	skipNotChosen = "not_chosen" // the endpoint does not choose it
	skipType      = "other_type" // it is none of the types that were asked for
	skipOnItsWay  = "on_its_way" // its first attempt is still to come
	skipPending   = "pending"    // an attempt is still to come
	skipDelivered = "delivered"
)

// firstJobs is how long the first job of an event may take to be done. What has no delivery after that has none coming.
const firstJobs = 10 * time.Minute

// unwanted says why an event is left alone whatever became of it; "" where that decides.
func unwanted(terms Terms, e Endpoint, told event.Event) string {
	switch {
	case told.Type == event.EndpointTest:
		return skipTest
	case !e.Chooses(told):
		return skipNotChosen
	case len(terms.Types) > 0 && !slices.ContainsFunc(terms.Types, func(pattern string) bool { return matches(pattern, told.Type) }):
		return skipType
	default:
		return ""
	}
}

// judge says why a delivery of an event that is wanted is not to be sent again; "" where it is.
//
// What was never tried was missed if it happened before the endpoint was last enabled, by any clock, or if it is so old that
// its job must have been done; otherwise the job may be on its way, and asking again would be in vain.
func judge(kind string, e Endpoint, told event.Event, d Delivery, now time.Time) string {
	switch {
	case d.untried() && now.Sub(told.CreatedAt) < firstJobs && !told.CreatedAt.Before(e.enabledSince().Add(clocksApart)):
		return skipOnItsWay
	case d.untried():
		return ""
	case d.Status == Pending && !d.lost(now):
		return skipPending
	case d.Status == Delivered && kind == KindRecover:
		return skipDelivered
	default:
		return ""
	}
}

// untried says that no job of the delivery was ever seen to.
func (d Delivery) untried() bool { return d.Version == 0 || d.announced() }

// causeOf is what the endpoint is told of why an event comes again.
func causeOf(kind string) Cause {
	if kind == KindRecover {
		return Recovered
	}
	return Replayed
}
