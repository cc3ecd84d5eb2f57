package webhook

import (
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/event"
)

// Endpoint is a URL of a merchant, and which events it wants.
type Endpoint struct {
	Merchant string `dynamodbav:"pk"`
	ID       string `dynamodbav:"sk"`

	Settings
	ChosenAt time.Time `dynamodbav:"chosen_at"` // when it was last changed what is sent here

	Enabled        bool       `dynamodbav:"enabled"`
	DisabledReason string     `dynamodbav:"disabled_reason,omitempty"`
	DisabledAt     *time.Time `dynamodbav:"disabled_at,omitempty"`
	EnabledAt      *time.Time `dynamodbav:"enabled_at,omitempty"`   // the last time that it was enabled again
	MissedSince    *time.Time `dynamodbav:"missed_since,omitempty"` // what happened from then on may not have been delivered, until a recover has seen to it
	Told           []string   `dynamodbav:"told,omitempty"`         // the types of the events that the write of this version stands for

	Secret    string    `dynamodbav:"secret"` // sealed
	Former    []Former  `dynamodbav:"former,omitempty"`
	CreatedAt time.Time `dynamodbav:"created_at"`
	UpdatedAt time.Time `dynamodbav:"updated_at"`
	Version   int64     `dynamodbav:"version"` // from 1, raised by every write
}

// Settings are what a merchant says of an endpoint. The zero values are what is usual.
type Settings struct {
	URL       string   `dynamodbav:"url"`
	Fallbacks []string `dynamodbav:"fallbacks,omitempty"` // URLs that are used in turn when the first is down

	Events  []string      `dynamodbav:"events"`            // patterns
	Where   Where         `dynamodbav:"where,omitempty"`   // of those, the events about these things alone
	Payload event.Form    `dynamodbav:"payload,omitempty"` // full or thin
	Pinned  event.Version `dynamodbav:"pinned,omitempty"`  // the version of payloads; the newest at its making
	Ordered bool          `dynamodbav:"ordered,omitempty"` // events of one object come one after the other

	Timeout  int   `dynamodbav:"timeout,omitempty"`  // seconds for a whole attempt; 0 for the usual
	Schedule []int `dynamodbav:"schedule,omitempty"` // seconds before each attempt, counted from the one before; none for the usual
	Limit    int   `dynamodbav:"limit,omitempty"`    // attempts in a second; 0 for no limit
}

// Former is a secret that was rotated away and signs for a while yet.
type Former struct {
	Secret string    `dynamodbav:"secret"` // sealed
	Until  time.Time `dynamodbav:"until"`
}

// Overlap is how long a rotated secret goes on signing beside the new one.
const Overlap = 24 * time.Hour

// maxFormer bounds the signatures in one header. More than one is there when a rotation was asked for again.
const maxFormer = 3

// rotated is the endpoint with a new sealed secret.
func (e Endpoint) rotated(sealed string, now time.Time) Endpoint {
	former := []Former{{Secret: e.Secret, Until: now.Add(Overlap)}}
	for _, f := range e.Former {
		if now.Before(f.Until) && len(former) < maxFormer {
			former = append(former, f)
		}
	}
	e.Secret, e.Former = sealed, former
	return e
}

// choice is which events are sent here, and in which order.
func (e Endpoint) choice() any {
	return []any{e.Events, e.Where, e.Ordered}
}

// disabled is the endpoint to which nothing is sent from now on; one that is disabled already stays so since then.
func (e Endpoint) disabled(reason string, now time.Time) Endpoint {
	if e.Enabled {
		e.Enabled, e.DisabledReason, e.DisabledAt, e.Told = false, reason, &now, []string{string(event.EndpointDisabled)}
	}
	return e
}

// enabled is the endpoint to which events are sent again. It remembers since when it may have missed some.
func (e Endpoint) enabled(now time.Time) Endpoint {
	if e.Enabled {
		return e
	}
	if e.DisabledAt != nil {
		missed := e.DisabledAt.Add(-e.reach())
		if missed.Before(e.CreatedAt) {
			missed = e.CreatedAt
		}
		if e.MissedSince == nil || missed.Before(*e.MissedSince) {
			e.MissedSince = &missed
		}
	}
	e.Enabled, e.DisabledReason, e.DisabledAt, e.EnabledAt = true, "", nil, &now
	return e
}

// reach is how old an event may be that waited for another attempt when the endpoint was disabled, and so was held:
// its schedule, with the jitter on it.
func (e Endpoint) reach() time.Duration {
	var sum time.Duration
	for _, wait := range e.Schedule {
		sum += time.Duration(wait) * time.Second
	}
	if len(e.Schedule) == 0 {
		for _, wait := range schedule {
			sum += wait
		}
	}
	return sum + sum/10
}

// recovered is the endpoint once everything that it chose between two moments was seen to.
func (e Endpoint) recovered(since, until time.Time) Endpoint {
	if e.Enabled && e.MissedSince != nil && !since.After(*e.MissedSince) && e.EnabledAt != nil && !until.Before(*e.EnabledAt) {
		e.MissedSince = nil
	}
	return e
}

// timeout is for a whole attempt.
func (e Endpoint) timeout() time.Duration {
	if e.Timeout == 0 {
		return Timeout
	}
	return time.Duration(e.Timeout) * time.Second
}

// urls are where an attempt goes, in the order in which they are tried.
func (e Endpoint) urls() []string { return append([]string{e.URL}, e.Fallbacks...) }

// signing are the sealed secrets that sign at a moment, the present one first.
func (e Endpoint) signing(now time.Time) []string {
	sealed := []string{e.Secret}
	for _, f := range e.Former {
		if now.Before(f.Until) {
			sealed = append(sealed, f.Secret)
		}
	}
	return sealed
}

func (e Endpoint) key() dynamo.Key { return dynamo.Key{PK: e.Merchant, SK: e.ID} }

// EndpointView is an endpoint as its merchant sees it.
type EndpointView struct {
	ID             string     `json:"id"`
	URL            string     `json:"url"`
	Events         []string   `json:"events" doc:"event types, or patterns such as \"payment.*\" and \"*\""`
	Enabled        bool       `json:"enabled"`
	DisabledReason string     `json:"disabled_reason,omitempty"`
	MissedSince    *time.Time `json:"missed_since,omitempty" doc:"the endpoint was disabled, and what happened since this moment may not have reached it: recover sends that"`
	CreatedAt      time.Time  `json:"created_at"`
	UpdatedAt      time.Time  `json:"updated_at"`
}

// View shows the endpoint without its secrets.
func (e Endpoint) View() EndpointView {
	return EndpointView{
		ID: e.ID, URL: e.URL, Events: e.Events, Enabled: e.Enabled, DisabledReason: e.DisabledReason, MissedSince: e.MissedSince,
		CreatedAt: e.CreatedAt, UpdatedAt: e.UpdatedAt,
	}
}
