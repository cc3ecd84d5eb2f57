package webhook

import (
	"slices"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/event"
)

// Endpoint is a URL of a merchant, and which events it wants.
type Endpoint struct {
	Merchant string `dynamodbav:"pk"`
	ID       string `dynamodbav:"sk"`

	URL            string    `dynamodbav:"url"`
	Events         []string  `dynamodbav:"events"` // patterns
	Enabled        bool      `dynamodbav:"enabled"`
	DisabledReason string    `dynamodbav:"disabled_reason,omitempty"`
	Secret         string    `dynamodbav:"secret"` // sealed
	Former         []Former  `dynamodbav:"former,omitempty"`
	CreatedAt      time.Time `dynamodbav:"created_at"`
	UpdatedAt      time.Time `dynamodbav:"updated_at"`
	Version        int64     `dynamodbav:"version"` // from 1, raised by every write
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

// Wants says whether an event of this type is to be sent here.
func (e Endpoint) Wants(t event.Type) bool {
	return e.Enabled && slices.ContainsFunc(e.Events, func(pattern string) bool { return matches(pattern, t) })
}

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
	ID             string    `json:"id"`
	URL            string    `json:"url"`
	Events         []string  `json:"events" doc:"event types, or patterns such as \"payment.*\" and \"*\""`
	Enabled        bool      `json:"enabled"`
	DisabledReason string    `json:"disabled_reason,omitempty"`
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"`
}

// View shows the endpoint without its secrets.
func (e Endpoint) View() EndpointView {
	return EndpointView{
		ID: e.ID, URL: e.URL, Events: e.Events, Enabled: e.Enabled, DisabledReason: e.DisabledReason,
		CreatedAt: e.CreatedAt, UpdatedAt: e.UpdatedAt,
	}
}
