package webhook

import (
	"cmp"
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
	HeldSince      *time.Time `dynamodbav:"held_since,omitempty"`   // while it is disabled: of the oldest event that is held, where that is older than usual
	EnabledAt      *time.Time `dynamodbav:"enabled_at,omitempty"`   // the last time that it was enabled again
	MissedSince    *time.Time `dynamodbav:"missed_since,omitempty"` // what happened from then on may not have been delivered, until a recover has seen to it
	Told           []string   `dynamodbav:"told,omitempty"`         // the types of the events that the write of this version stands for

	Keys
	Former    []Former           `dynamodbav:"former,omitempty"`
	RotatedAt *time.Time         `dynamodbav:"rotated_at,omitempty"` // the last time
	Headers   *Headers           `dynamodbav:"headers,omitempty"`    // the merchant's own
	Client    *ClientCertificate `dynamodbav:"client_certificate,omitempty"`

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
	Signing Signing       `dynamodbav:"signing,omitempty"` // v1, v1a or both

	Timeout  int   `dynamodbav:"timeout,omitempty"`  // seconds for a whole attempt; 0 for the usual
	Schedule []int `dynamodbav:"schedule,omitempty"` // seconds before each attempt, counted from the one before; none for the usual
	Limit    int   `dynamodbav:"limit,omitempty"`    // attempts in a second; 0 for no limit
}

// Keys are what an endpoint's webhooks are signed with. A secret is always there, for when v1 is turned on; a pair is
// from when v1a is.
type Keys struct {
	Secret string `dynamodbav:"secret"`               // sealed: of v1
	Pair   string `dynamodbav:"pair,omitempty"`       // sealed: of v1a, both halves: what is signed with is never put together from what lies open
	Public string `dynamodbav:"public_key,omitempty"` // of v1a, as it is shown
}

// Former are keys that were rotated away and sign for a while yet.
type Former struct {
	Keys
	Until time.Time `dynamodbav:"until"`
}

// Headers are a merchant's own headers, sent with each webhook.
type Headers struct {
	Names  []string `dynamodbav:"names"`  // as they are sent
	Sealed string   `dynamodbav:"sealed"` // names and values
}

// How long rotated keys go on signing beside the new ones.
const (
	Overlap        = 24 * time.Hour // what is usual
	LongestOverlap = 7 * 24 * time.Hour
)

// maxFormer bounds the signatures in one header. More than one is there when a rotation was asked for again.
const maxFormer = 3

// rotated is the endpoint with new keys. None that was there before signs for longer than the overlap.
func (e Endpoint) rotated(keys Keys, overlap time.Duration, now time.Time) Endpoint {
	end := now.Add(overlap)
	var former []Former
	for _, f := range append([]Former{{Keys: e.Keys, Until: end}}, e.Former...) {
		if f.Until.After(end) {
			f.Until = end
		}
		if now.Before(f.Until) && len(former) < maxFormer {
			former = append(former, f)
		}
	}
	e.Keys, e.Former, e.RotatedAt = keys, former, &now
	return e
}

// choice is which events are sent here, and in which order.
func (e Endpoint) choice() any {
	return []any{e.Events, e.Where, e.Ordered}
}

// asked is what the same request makes the same: what is sealed never is, but its names are.
func (e Endpoint) asked() any {
	var headers []string
	if e.Headers != nil {
		headers = e.Headers.Names
	}
	var chain [][]byte
	if e.Client != nil {
		chain = e.Client.Chain
	}
	return []any{e.Settings, headers, chain}
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
	if e.offSince() != nil {
		missed := e.missesFrom()
		if e.MissedSince == nil || missed.Before(*e.MissedSince) {
			e.MissedSince = &missed
		}
	}
	e.Enabled, e.DisabledReason, e.DisabledAt, e.HeldSince, e.EnabledAt = true, "", nil, nil, &now
	return e
}

// offSince is since when the endpoint is disabled; nil for one that is not. One that was disabled by a version that did not
// note the moment was written last then.
func (e Endpoint) offSince() *time.Time {
	if e.DisabledAt == nil && !e.Enabled {
		return &e.UpdatedAt
	}
	return e.DisabledAt
}

// missesFrom is the moment from which on events may be held for a disabled endpoint; zero for one that was never disabled.
func (e Endpoint) missesFrom() time.Time {
	off := e.offSince()
	if off == nil {
		return time.Time{}
	}
	from := off.Add(-e.reach())
	if e.HeldSince != nil && e.HeldSince.Before(from) {
		from = *e.HeldSince
	}
	if from.Before(e.CreatedAt) {
		return e.CreatedAt
	}
	return from
}

// reach is how old an event may be that waited for another attempt when the endpoint was disabled, and so was held:
// its schedule, with the jitter on it, or as long as one waits in the line of an endpoint that fails.
func (e Endpoint) reach() time.Duration {
	var sum time.Duration
	for _, wait := range e.waits() {
		sum += wait
	}
	return max(sum+sum/10, failingAtMost)
}

// recovered is the endpoint once everything was seen to that a recover asked for, which went until a moment. What was kept from
// it until it was enabled may carry a time a little after that; where it was enabled once more since, the recover did not see all.
func (e Endpoint) recovered(t Terms, until time.Time) Endpoint {
	covers := e.EnabledAt != nil && t.enabled(e.EnabledAt) && !until.Before(e.EnabledAt.Add(clocksApart))
	if e.Enabled && covers && e.MissedSince != nil && !t.from().After(*e.MissedSince) {
		e.MissedSince = nil
	}
	return e
}

// enabledSince is since when events are sent to the endpoint, or were last.
func (e Endpoint) enabledSince() time.Time {
	if e.EnabledAt != nil {
		return *e.EnabledAt
	}
	return e.CreatedAt
}

// timeout is for a whole attempt.
func (e Endpoint) timeout() time.Duration {
	if e.Timeout == 0 {
		return Timeout
	}
	return time.Duration(e.Timeout) * time.Second
}

// urls are where an attempt goes, in the order in which they are tried.
func (s Settings) urls() []string { return append([]string{s.URL}, s.Fallbacks...) }

// signing are the keys that sign at a moment, the present ones first.
func (e Endpoint) signing(now time.Time) []Former {
	keys := []Former{{Keys: e.Keys}}
	for _, f := range e.Former {
		if now.Before(f.Until) {
			keys = append(keys, f)
		}
	}
	return keys
}

func (e Endpoint) key() dynamo.Key { return dynamo.Key{PK: e.Merchant, SK: e.ID} }

// PublicKey is one that a receiver may verify with.
type PublicKey struct {
	PublicKey string     `json:"public_key" doc:"of Ed25519, as Standard Webhooks writes it"`
	Until     *time.Time `json:"until,omitempty" doc:"when a former one signs no more"`
}

// PublicKeys are those that sign at a moment, the present one first.
func (e Endpoint) PublicKeys(now time.Time) []PublicKey {
	if !e.Signing.ed25519() {
		return nil
	}
	var keys []PublicKey
	for _, k := range e.signing(now) {
		switch {
		case k.Public == "": // it is from before v1a was turned on
		case k.Until.IsZero():
			keys = append(keys, PublicKey{PublicKey: k.Public})
		default:
			keys = append(keys, PublicKey{PublicKey: k.Public, Until: &k.Until})
		}
	}
	return keys
}

// EndpointView is an endpoint as its merchant sees it.
type EndpointView struct {
	ID                string                 `json:"id"`
	URL               string                 `json:"url"`
	FallbackURLs      []string               `json:"fallback_urls,omitempty" doc:"used in turn when the first is down"`
	Events            []string               `json:"events" doc:"event types, or patterns such as \"payment.*\" and \"*\""`
	Where             *Where                 `json:"where,omitempty" doc:"of those events, the ones about these things alone"`
	Payload           event.Form             `json:"payload" doc:"how much of an event is sent: full or thin"`
	Version           event.Version          `json:"version" doc:"of the payloads"`
	Ordered           bool                   `json:"ordered" doc:"events about one object come one after the other"`
	Timeout           int                    `json:"timeout" doc:"seconds for a whole attempt"`
	Schedule          []int                  `json:"schedule" doc:"seconds before each attempt, counted from the one before"`
	Limit             int                    `json:"limit,omitempty" doc:"attempts in a second; without it there is no limit"`
	Signing           Signing                `json:"signing" doc:"v1 (HMAC-SHA256), v1a (Ed25519) or both"`
	PublicKeys        []PublicKey            `json:"public_keys,omitempty" doc:"for v1a: the present one first, then former ones that sign yet"`
	Headers           map[string]string      `json:"headers,omitempty" doc:"your own, sent with each webhook; values are not shown"`
	ClientCertificate *ClientCertificateView `json:"client_certificate,omitempty" doc:"shown to your server in the TLS handshake"`
	Enabled           bool                   `json:"enabled"`
	DisabledReason    string                 `json:"disabled_reason,omitempty"`
	MissedSince       *time.Time             `json:"missed_since,omitempty" doc:"the endpoint was disabled, and what happened since this moment may not have reached it: recover sends that"`
	CreatedAt         time.Time              `json:"created_at"`
	UpdatedAt         time.Time              `json:"updated_at"`
}

// View shows the endpoint without its secrets, at a moment.
func (e Endpoint) View(now time.Time) EndpointView {
	v := EndpointView{
		ID: e.ID, URL: e.URL, FallbackURLs: e.Fallbacks, Events: e.Events, Payload: cmp.Or(e.Payload, event.Full), Version: cmp.Or(e.Pinned, event.Versions()[0]), Ordered: e.Ordered,
		Timeout: int(e.timeout() / time.Second), Schedule: e.Schedule, Limit: e.Limit,
		Signing: cmp.Or(e.Signing, ByHMAC), PublicKeys: e.PublicKeys(now),
		Enabled: e.Enabled, DisabledReason: e.DisabledReason, MissedSince: e.MissedSince, CreatedAt: e.CreatedAt, UpdatedAt: e.UpdatedAt,
	}
	if len(e.Schedule) == 0 {
		v.Schedule = UsualSchedule()
	}
	if len(e.Where.Assets)+len(e.Where.Metadata) > 0 {
		v.Where = &e.Where
	}
	if e.Headers != nil {
		v.Headers = map[string]string{}
		for _, name := range e.Headers.Names {
			v.Headers[name] = Masked
		}
	}
	if e.Client != nil {
		v.ClientCertificate = e.Client.View()
	}
	return v
}
