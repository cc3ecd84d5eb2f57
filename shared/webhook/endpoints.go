package webhook

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"time"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/id"
	"farrier/shared/problem"
	"farrier/shared/seal"
)

// MaxEndpoints is how many endpoints a merchant may have: each event may become a job for every one of them.
const MaxEndpoints = 200

// Endpoints keeps endpoints. Sealing and opening need Seal; making them needs Now, Random and Local too.
type Endpoints struct {
	Table  dynamo.Table
	Seal   *seal.Sealer
	Now    cloud.Clock
	Random io.Reader
	Local  bool // the local run: http and loopback are allowed
}

// Request asks for an endpoint. ID is empty for a new one; an id that is derived from what the caller
// knows the request by makes a second run find the first one's endpoint, and its secret.
type Request struct {
	ID       string
	Merchant string
	Settings
}

// Create makes an endpoint and returns it with its secret, which is shown this once.
func (e Endpoints) Create(ctx context.Context, r Request) (Endpoint, string, error) {
	if err := errors.Join(checkURL(r.URL, e.Local), checkPatterns(r.Events), checkVersion(r.Pinned)); err != nil {
		return Endpoint{}, "", err
	}
	others, err := e.All(ctx, r.Merchant)
	if err != nil {
		return Endpoint{}, "", err
	}
	if len(others) >= MaxEndpoints {
		return Endpoint{}, "", problem.New(problem.Conflict, fmt.Sprintf("there are %d endpoints, the most that a merchant may have", MaxEndpoints))
	}
	now := e.now()
	if r.ID == "" {
		if r.ID, err = id.New("ep", now, e.Random); err != nil {
			return Endpoint{}, "", err
		}
	}
	sealed, secret, err := e.newSecret(ctx, r.ID)
	if err != nil {
		return Endpoint{}, "", err
	}
	r.Pinned = cmp.Or(r.Pinned, event.Newest())
	made := Endpoint{
		Merchant: r.Merchant, ID: r.ID, Settings: r.Settings, ChosenAt: now, Enabled: true,
		Secret: sealed, CreatedAt: now, UpdatedAt: now, Version: 1,
	}
	return e.record(ctx, made, secret)
}

// record writes a new endpoint, or returns the one that an earlier run of the same request wrote.
func (e Endpoints) record(ctx context.Context, made Endpoint, secret string) (Endpoint, string, error) {
	err := e.Table.Create(ctx, made)
	var stored Endpoint
	exists, readErr := dynamo.Exists(err, &stored)
	switch {
	case !exists:
		return made, secret, err
	case readErr != nil:
		return Endpoint{}, "", readErr
	case stored.URL != made.URL || !slices.Equal(stored.Events, made.Events):
		return Endpoint{}, "", problem.New(problem.Conflict, "this endpoint exists and is another one")
	}
	key, err := e.open(ctx, stored.ID, stored.Secret)
	if err != nil {
		return Endpoint{}, "", err
	}
	return stored, shown(key), nil
}

// Get reads a merchant's endpoint.
func (e Endpoints) Get(ctx context.Context, merchant, name string) (Endpoint, error) {
	var found Endpoint
	if !id.Valid("ep", name) {
		return found, errNoEndpoint
	}
	err := e.Table.Get(ctx, dynamo.Key{PK: merchant, SK: name}, &found)
	if errors.Is(err, dynamo.ErrMissing) {
		return found, errNoEndpoint
	}
	return found, err
}

var errNoEndpoint = problem.New(problem.NotFound, "there is no such webhook endpoint")

// List reads a page of a merchant's endpoints, the newest first.
func (e Endpoints) List(ctx context.Context, merchant string, limit int32, cursor string) ([]Endpoint, string, error) {
	return dynamo.List[Endpoint](ctx, e.Table, dynamo.Query{PK: merchant, Descending: true, Limit: limit, Cursor: cursor})
}

// All reads all of a merchant's endpoints.
func (e Endpoints) All(ctx context.Context, merchant string) ([]Endpoint, error) {
	var all []Endpoint
	err := e.Table.Each(ctx, dynamo.Query{PK: merchant}, func(item dynamo.Item) error {
		var one Endpoint
		if err := dynamo.Unmarshal(item, &one); err != nil {
			return err
		}
		all = append(all, one)
		return nil
	})
	return all, err
}

// Change is what a merchant wants otherwise; nil leaves it.
type Change struct {
	URL    *string
	Events *[]string
}

// Update changes an endpoint's URL or events.
func (e Endpoints) Update(ctx context.Context, merchant, name string, c Change) (Endpoint, error) {
	var wrong error
	if c.URL != nil {
		wrong = checkURL(*c.URL, e.Local)
	}
	if c.Events != nil {
		wrong = errors.Join(wrong, checkPatterns(*c.Events))
	}
	if wrong != nil {
		return Endpoint{}, wrong
	}
	return e.change(ctx, merchant, name, func(now time.Time, one Endpoint) Endpoint {
		if c.URL != nil {
			one.URL = *c.URL
		}
		if c.Events != nil {
			one.Events = slices.Clone(*c.Events)
		}
		return one
	})
}

// Enable lets events be sent to the endpoint again.
func (e Endpoints) Enable(ctx context.Context, merchant, name string) (Endpoint, error) {
	return e.change(ctx, merchant, name, func(now time.Time, one Endpoint) Endpoint {
		return one.enabled(now)
	})
}

// Disable stops events from being sent to the endpoint, from the next attempt on.
func (e Endpoints) Disable(ctx context.Context, merchant, name, reason string) (Endpoint, error) {
	return e.change(ctx, merchant, name, func(now time.Time, one Endpoint) Endpoint {
		return one.disabled(reason, now)
	})
}

// disableSince disables an endpoint unless it was changed after a moment: what happened then may be
// mended, and whoever enabled it since knew of it.
func (e Endpoints) disableSince(ctx context.Context, merchant, name, reason string, then time.Time) error {
	_, err := e.change(ctx, merchant, name, func(now time.Time, one Endpoint) Endpoint {
		if !one.UpdatedAt.After(then) {
			return one.disabled(reason, now)
		}
		return one
	})
	if problem.Is(err, problem.NotFound) {
		return nil
	}
	return err
}

// recovered notes that a recover between two moments is done.
func (e Endpoints) recovered(ctx context.Context, merchant, name string, since, until time.Time) error {
	_, err := e.change(ctx, merchant, name, func(_ time.Time, one Endpoint) Endpoint { return one.recovered(since, until) })
	if problem.Is(err, problem.NotFound) {
		return nil
	}
	return err
}

// Rotate gives the endpoint a new secret, which is shown this once. The one before signs too for Overlap.
func (e Endpoints) Rotate(ctx context.Context, merchant, name string) (Endpoint, string, error) {
	if _, err := e.Get(ctx, merchant, name); err != nil {
		return Endpoint{}, "", err
	}
	sealed, secret, err := e.newSecret(ctx, name)
	if err != nil {
		return Endpoint{}, "", err
	}
	rotated, err := e.change(ctx, merchant, name, func(now time.Time, one Endpoint) Endpoint {
		if one.Secret == sealed {
			return one
		}
		return one.rotated(sealed, now)
	})
	if err != nil {
		return Endpoint{}, "", err
	}
	return rotated, secret, nil
}

// Delete forgets an endpoint. Deliveries that wait for it are recorded as failed when their time comes.
func (e Endpoints) Delete(ctx context.Context, merchant, name string) error {
	one, err := e.Get(ctx, merchant, name)
	if err != nil {
		return err
	}
	return e.Table.Delete(ctx, one.key())
}

// change writes what f makes of the endpoint; f may be called again where another change came first,
// and a change that changes nothing writes nothing.
func (e Endpoints) change(ctx context.Context, merchant, name string, f func(now time.Time, one Endpoint) Endpoint) (Endpoint, error) {
	for {
		before, err := e.Get(ctx, merchant, name)
		if err != nil {
			return Endpoint{}, err
		}
		now := e.now()
		plain := before
		plain.Told = nil
		after := f(now, plain)
		if reflect.DeepEqual(plain, after) {
			return before, nil
		}
		if !reflect.DeepEqual(before.choice(), after.choice()) {
			after.ChosenAt = now
		}
		after.Version, after.UpdatedAt = before.Version+1, now
		err = e.Table.Replace(ctx, after, before.Version)
		if !errors.Is(err, dynamo.ErrStale) {
			return after, err
		}
	}
}

func (e Endpoints) newSecret(ctx context.Context, endpoint string) (sealed, secret string, err error) {
	key, err := newSecret(e.Random)
	if err != nil {
		return "", "", err
	}
	sealed, err = e.Seal.Seal(ctx, ownerOf(endpoint), key)
	return sealed, shown(key), err
}

func (e Endpoints) open(ctx context.Context, endpoint, sealed string) ([]byte, error) {
	return e.Seal.Open(ctx, ownerOf(endpoint), sealed)
}

// pack makes an attempt's request of an event: everything but the URL.
func (e Endpoints) pack(ctx context.Context, one Endpoint, told event.Event, why Cause, at time.Time) (parcel, error) {
	body, version, err := told.Body(one.Payload, one.Pinned)
	if err != nil {
		return parcel{}, err
	}
	signatures, err := e.signatures(ctx, one, told.ID, at, body)
	if err != nil {
		return parcel{}, err
	}
	return parcel{ID: told.ID, Signatures: signatures, Payload: body, Version: version, At: at, Cause: why, Limit: one.timeout()}, nil
}

// signatures signs a payload with every secret that the endpoint has at a moment.
func (e Endpoints) signatures(ctx context.Context, one Endpoint, name string, at time.Time, payload string) (string, error) {
	var keys [][]byte
	for _, sealed := range one.signing(at) {
		key, err := e.open(ctx, one.ID, sealed)
		if err != nil {
			return "", err
		}
		keys = append(keys, key)
	}
	return sign(keys, name, at, payload), nil
}

func ownerOf(endpoint string) seal.Owner { return seal.Owner{"endpoint": endpoint} }

func (e Endpoints) now() time.Time { return e.Now().UTC().Truncate(time.Millisecond) }
