package webhook

import (
	"cmp"
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"io"
	"reflect"
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
	Local  bool     // the local run: http and loopback are allowed
	Own    []string // where the API itself is called: no endpoint may be there
}

// Request asks for an endpoint. ID is empty for a new one; an id that is derived from what the caller
// knows the request by makes a second run find the first one's endpoint, and its secret.
type Request struct {
	ID       string
	Merchant string
	Settings
	Private
}

// Private is what a merchant gives of an endpoint that is kept sealed and not shown again. What is nil stays as it is.
type Private struct {
	Headers  map[string]string // an empty one takes all away
	Identity *Identity         // an empty one takes it away
}

// Create makes an endpoint and returns it with its secret, which is shown this once.
func (e Endpoints) Create(ctx context.Context, r Request) (Endpoint, string, error) {
	now := e.now()
	given, err := r.Private.read(now)
	if err = errors.Join(e.check(r.Settings), err); err != nil {
		return Endpoint{}, "", err
	}
	if err := e.mayHave(ctx, r.Merchant, r.ID); err != nil {
		return Endpoint{}, "", err
	}
	if r.ID == "" {
		if r.ID, err = id.New("ep", now, e.Random); err != nil {
			return Endpoint{}, "", err
		}
	}
	keys, secret, err := e.newKeys(ctx, r.ID, r.Signing)
	if err != nil {
		return Endpoint{}, "", err
	}
	r.Pinned = cmp.Or(r.Pinned, event.Newest())
	made := Endpoint{
		Merchant: r.Merchant, ID: r.ID, Settings: r.tidied(), ChosenAt: now, Enabled: true,
		Keys: keys, CreatedAt: now, UpdatedAt: now, Version: 1,
	}
	put, err := e.seal(ctx, r.ID, given)
	if err != nil {
		return Endpoint{}, "", err
	}
	return e.record(ctx, put(made), secret)
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
	case !reflect.DeepEqual(stored.asked(), made.asked()):
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

// All reads all of a merchant's endpoints. What cannot be read is named by the second answer, a dynamo.ErrUnreadable, and
// keeps nobody from the others.
func (e Endpoints) All(ctx context.Context, merchant string) (all []Endpoint, unreadable, err error) {
	var wrong []error
	err = e.Table.Each(ctx, dynamo.Query{PK: merchant}, func(item dynamo.Item) error {
		var one Endpoint
		if err := dynamo.Unmarshal(item, &one); err != nil {
			wrong = append(wrong, fmt.Errorf("webhook: endpoint %s of %s: %w", dynamo.KeyOf(item).SK, merchant, err))
		} else {
			all = append(all, one)
		}
		return nil
	})
	return all, errors.Join(wrong...), err
}

// mayHave refuses an endpoint beyond the most that a merchant may have, but not the one that an earlier run of its request made.
func (e Endpoints) mayHave(ctx context.Context, merchant, name string) error {
	there, count := false, 0
	err := e.Table.Each(ctx, dynamo.Query{PK: merchant}, func(item dynamo.Item) error {
		there = there || dynamo.KeyOf(item).SK == name
		count++
		return nil
	})
	if err == nil && count >= MaxEndpoints && !there {
		return problem.New(problem.Conflict, fmt.Sprintf("there are %d endpoints, the most that a merchant may have", MaxEndpoints))
	}
	return err
}

// Update changes an endpoint's settings by edit, which may be called again where another change came first, and what is
// kept sealed of it. Where v1a is turned on, the endpoint gets a key for it.
func (e Endpoints) Update(ctx context.Context, merchant, name string, edit func(*Settings), p Private) (Endpoint, error) {
	given, wrong := p.read(e.now())
	one, err := e.Get(ctx, merchant, name)
	if err != nil {
		return Endpoint{}, err
	}
	edit(&one.Settings)
	if err := errors.Join(e.check(one.Settings), wrong); err != nil {
		return Endpoint{}, err
	}
	put, err := e.seal(ctx, name, given)
	if err != nil {
		return Endpoint{}, err
	}
	var fresh Keys // for v1a, where there are none
	if one.Pair == "" && one.Signing.ed25519() {
		if fresh.Pair, fresh.Public, err = e.newPair(ctx, name); err != nil {
			return Endpoint{}, err
		}
	}
	changed, err := e.change(ctx, merchant, name, func(now time.Time, one Endpoint) Endpoint {
		before := one
		edit(&one.Settings)
		if wrong = e.check(one.Settings); wrong != nil { // beside what another has changed meanwhile
			return before
		}
		one.Settings = one.tidied()
		if one.Pair == "" {
			one.Pair, one.Public = fresh.Pair, fresh.Public
		}
		return put(one)
	})
	return changed, errors.Join(wrong, err)
}

func (e Endpoints) check(s Settings) error {
	return errors.Join(s.check(e.Local), s.checkServers(e.Own))
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
	return e.note(ctx, merchant, name, func(now time.Time, one Endpoint) Endpoint {
		if !one.UpdatedAt.After(then) {
			return one.disabled(reason, now)
		}
		return one
	})
}

// recovered notes that a recover is done, which went until a moment.
func (e Endpoints) recovered(ctx context.Context, merchant string, terms Terms, until time.Time) error {
	return e.note(ctx, merchant, terms.Endpoint, func(_ time.Time, one Endpoint) Endpoint { return one.recovered(terms, until) })
}

// Rotate gives the endpoint new keys, all that it signs with, and returns the secret, which is shown this once. Those
// before sign too for the overlap. A rotation whose randomness is that of the last one is that one. One that began before the
// last one is refused: it may have been done, and its secret rotated away since, because it was known to others.
func (e Endpoints) Rotate(ctx context.Context, merchant, name string, overlap time.Duration, began time.Time) (Endpoint, string, error) {
	if overlap < 0 || overlap > LongestOverlap {
		return Endpoint{}, "", problem.Field("overlap", fmt.Sprintf("must be from 0 to %d seconds", int(LongestOverlap/time.Second)))
	}
	before, err := e.Get(ctx, merchant, name)
	if err != nil {
		return Endpoint{}, "", err
	}
	present, err := e.open(ctx, name, before.Secret)
	if err != nil {
		return Endpoint{}, "", err
	}
	signing := before.Signing
	if before.Pair != "" { // it may be turned on again
		signing = ByBoth
	}
	keys, secret, err := e.newKeys(ctx, name, signing)
	if err != nil {
		return Endpoint{}, "", err
	}
	if hmac.Equal([]byte(shown(present)), []byte(secret)) {
		return before, secret, nil
	}
	var overtaken error
	rotated, err := e.change(ctx, merchant, name, func(now time.Time, one Endpoint) Endpoint {
		if one.Secret == keys.Secret {
			return one
		}
		if one.RotatedAt != nil && one.RotatedAt.After(began) {
			overtaken = errOvertaken
			return one
		}
		if one.Pair != "" && keys.Pair == "" { // v1a was turned on just now, by a key as new as these
			keys.Pair, keys.Public = one.Pair, one.Public
		}
		return one.rotated(keys, overlap, now)
	})
	if err = errors.Join(err, overtaken); err != nil {
		return Endpoint{}, "", err
	}
	return rotated, secret, nil
}

var errOvertaken = problem.New(problem.Conflict, "the secret was rotated by another request after this one began; ask for another rotation, under another Idempotency-Key")

// missed notes that an event of this time is held for a disabled endpoint.
func (e Endpoints) missed(ctx context.Context, merchant, name string, at time.Time) error {
	return e.note(ctx, merchant, name, func(_ time.Time, one Endpoint) Endpoint {
		switch {
		case one.Enabled && (one.MissedSince == nil || at.Before(*one.MissedSince)): // it was enabled meanwhile
			one.MissedSince = &at
		case !one.Enabled && at.Before(one.missesFrom()):
			one.HeldSince = &at
		}
		return one
	})
}

// Delete forgets an endpoint, also one that cannot be read. Deliveries that wait for it are recorded as failed when their
// time comes.
func (e Endpoints) Delete(ctx context.Context, merchant, name string) error {
	if _, err := e.Get(ctx, merchant, name); err != nil && !errors.Is(err, dynamo.ErrUnreadable) {
		return err
	}
	return e.Table.Delete(ctx, dynamo.Key{PK: merchant, SK: name})
}

// change writes what f makes of the endpoint; f may be called again where another change came first,
// and a change that changes nothing writes nothing. Since when it is disabled is written where that was not noted: with this
// write the moment that stood for it is gone.
func (e Endpoints) change(ctx context.Context, merchant, name string, f func(now time.Time, one Endpoint) Endpoint) (Endpoint, error) {
	for {
		before, err := e.Get(ctx, merchant, name)
		if err != nil {
			return Endpoint{}, err
		}
		now := e.now()
		plain := before
		plain.Told, plain.DisabledAt = nil, before.offSince()
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

// note is change for what we found out about an endpoint: one that was deleted meanwhile is no trouble.
func (e Endpoints) note(ctx context.Context, merchant, name string, f func(now time.Time, one Endpoint) Endpoint) error {
	_, err := e.change(ctx, merchant, name, f)
	if problem.Is(err, problem.NotFound) {
		return nil
	}
	return err
}

// newKeys makes what an endpoint signs with; the secret is as it is shown.
func (e Endpoints) newKeys(ctx context.Context, endpoint string, by Signing) (keys Keys, secret string, err error) {
	key, err := newSecret(e.Random)
	if err != nil {
		return Keys{}, "", err
	}
	if keys.Secret, err = e.Seal.Seal(ctx, ownerOf(endpoint), key); err != nil {
		return Keys{}, "", err
	}
	if by.ed25519() {
		keys.Pair, keys.Public, err = e.newPair(ctx, endpoint)
	}
	return keys, shown(key), err
}

func (e Endpoints) newPair(ctx context.Context, endpoint string) (sealed, public string, err error) {
	pair, err := newPair(e.Random)
	if err != nil {
		return "", "", err
	}
	sealed, err = e.Seal.Seal(ctx, ownerOf(endpoint), pair)
	return sealed, publicOf(pair), err
}

func (e Endpoints) open(ctx context.Context, endpoint, sealed string) ([]byte, error) {
	return e.Seal.Open(ctx, ownerOf(endpoint), sealed)
}

// checked is a Private that may be sealed.
type checked struct {
	headers map[string]string
	takeOff bool // the certificate that there is
	chain   [][]byte
	key     []byte
}

func (p Private) read(now time.Time) (checked, error) {
	c := checked{headers: p.Headers}
	err := checkHeaders(p.Headers)
	switch {
	case p.Identity == nil:
	case *p.Identity == Identity{}:
		c.takeOff = true
	default:
		var wrong error
		c.chain, c.key, wrong = p.Identity.read(now)
		err = errors.Join(err, wrong)
	}
	return c, err
}

// seal seals what was given for an endpoint, and says how an endpoint gets it.
func (e Endpoints) seal(ctx context.Context, endpoint string, given checked) (put func(Endpoint) Endpoint, err error) {
	var headers *Headers
	if len(given.headers) > 0 {
		headers = &Headers{Names: namesOf(given.headers)}
		if headers.Sealed, err = e.Seal.Seal(ctx, ownerOf(endpoint), []byte(wireHeaders(given.headers))); err != nil {
			return nil, err
		}
	}
	var client *ClientCertificate
	if given.chain != nil {
		client = &ClientCertificate{Chain: given.chain}
		if client.Key, err = e.Seal.Seal(ctx, ownerOf(endpoint), given.key); err != nil {
			return nil, err
		}
	}
	return func(one Endpoint) Endpoint {
		if given.headers != nil {
			one.Headers = headers
		}
		if client != nil || given.takeOff {
			one.Client = client
		}
		return one
	}, nil
}

// pack makes an attempt's request of an event: everything but the URL.
func (e Endpoints) pack(ctx context.Context, one Endpoint, told event.Event, why Cause, at time.Time) (parcel, error) {
	p := parcel{ID: told.ID, At: at, Cause: why, Limit: one.timeout()}
	var err error
	if p.Payload, p.Version, err = told.Body(one.Payload, one.Pinned); err != nil {
		return parcel{}, err
	}
	if p.Signatures, err = e.signatures(ctx, one, p.ID, at, p.Payload); err != nil {
		return parcel{}, err
	}
	if one.Headers != nil {
		wire, err := e.open(ctx, one.ID, one.Headers.Sealed)
		if err != nil {
			return parcel{}, err
		}
		p.Headers = headersOf(string(wire))
	}
	if one.Client != nil {
		key, err := e.open(ctx, one.ID, one.Client.Key)
		if err != nil {
			return parcel{}, err
		}
		p.Identity = &identity{name: one.Client.Key, chain: one.Client.Chain, key: key}
	}
	return p, nil
}

// signatures signs a payload with every key that the endpoint has at a moment.
func (e Endpoints) signatures(ctx context.Context, one Endpoint, name string, at time.Time, payload string) (string, error) {
	var by []signer
	for _, keys := range one.signing(at) {
		if one.Signing.hmac() {
			secret, err := e.open(ctx, one.ID, keys.Secret)
			if err != nil {
				return "", err
			}
			by = append(by, hmacSigner(secret))
		}
		if one.Signing.ed25519() && keys.Pair != "" {
			pair, err := e.open(ctx, one.ID, keys.Pair)
			if err != nil {
				return "", err
			}
			by = append(by, ed25519Signer(pair))
		}
	}
	return sign(by, name, at, payload), nil
}

func ownerOf(endpoint string) seal.Owner { return seal.Owner{"endpoint": endpoint} }

func (e Endpoints) now() time.Time { return e.Now().UTC().Truncate(time.Millisecond) }
