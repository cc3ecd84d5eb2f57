package callback

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"farrier/shared/chain"
	"farrier/shared/dynamo"
	"farrier/shared/problem"
)

const (
	usualOverlap = 24 * time.Hour      // how long the secrets before a new one are believed
	mostOverlap  = 30 * 24 * time.Hour // and how long at the most
)

// Change is what shall be otherwise about a connection; what is left out stays.
type Change struct {
	Version   int64 // that was read: a connection that has another by now is not changed
	Trust     Trust
	Enabled   *bool
	Secret    string   // to be added, or
	Keys      []string // several, or
	NewSecret bool     // one that is made here
	OldUntil  string   // until when those that were there before are believed: a time, "now", or "" for usualOverlap
	Remove    []string // secrets, by their fingerprints

	Credentials map[string]string // each is added, or replaces the one of its name
	Settings                      // each that is given takes the place of the one before
	Care
	Clear []string // names of settings, or "credentials.<name>": taken away before anything is set
}

// errChanged is for a change that was decided on something else than what is there.
var errChanged = problem.New(problem.Conflict, "the connection is not at this version any more: read it again")

// Change changes a connection that was read and belongs to the caller. The secret is the one that was made for it, to be
// shown once. The same change again, from the same randomness, gives the same answer and changes nothing.
func (c Connections) Change(ctx context.Context, conn Connection, asked Change) (changed Connection, made string, err error) {
	name, err := changeName(c.Random)
	if err != nil {
		return Connection{}, "", err
	}
	source, err := sourceOf(conn.Provider)
	if err != nil {
		return Connection{}, "", err
	}
	added, made, err := asked.added(source, c.Random)
	switch {
	case err != nil:
		return Connection{}, "", err
	case conn.done(asked, name): // by an earlier run, whose secret is made of the same randomness
		return conn, made, nil
	case conn.Version != asked.Version:
		return Connection{}, "", errChanged
	}
	if changed, err = c.changed(ctx, conn, source, asked, added); err != nil {
		return Connection{}, "", err
	}
	changed.Version, changed.UpdatedAt, changed.Change = conn.Version+1, c.now(), name
	changed = changed.registering(conn)
	if err = errors.Join(c.watch(ctx, changed, conn), c.enlist(ctx, changed, conn)); err != nil {
		return Connection{}, "", err
	}
	err = c.Table.Replace(ctx, changed, conn.Version)
	if !errors.Is(err, dynamo.ErrStale) {
		return changed, made, err
	}
	stored, err := c.Get(ctx, conn.ID)
	if err == nil && !stored.done(asked, name) { // else it was we: the SDK asks again where an answer is lost
		err = errChanged
	}
	return stored, made, err
}

// done says whether a connection is what a change made of it.
func (c Connection) done(asked Change, name string) bool {
	return c.Version == asked.Version+1 && c.Change == name
}

// changeName names a run of a change; a second run of the same request reads the same.
func changeName(random io.Reader) (string, error) {
	b := make([]byte, 8)
	_, err := io.ReadFull(random, b)
	return hex.EncodeToString(b), err
}

func (c Connections) now() time.Time { return c.Now().UTC().Truncate(time.Millisecond) }

// changed is the connection as it is asked for, sealed and not yet written.
func (c Connections) changed(ctx context.Context, conn Connection, source Source, asked Change, added []Secret) (Connection, error) {
	until, err := asked.oldUntil(c.now())
	if err != nil {
		return Connection{}, err
	}
	next := conn
	var secrets []Secret
	if !asked.keepsSecrets() {
		if secrets, err = c.changedSecrets(ctx, conn, source, asked.Remove, added, until); err != nil {
			return Connection{}, err
		}
		next.Sealed, next.Marks = "", marksOf(conn.ID, secrets)
	}
	if next, err = next.settled(asked, source, next.Sealed != "" || len(secrets) > 0, c.Chains); err != nil {
		return Connection{}, err
	}
	sealed, credentials, err := c.seal(ctx, conn.ID, secrets, asked.Credentials)
	if err != nil {
		return Connection{}, err
	}
	next.Sealed = or(next.Sealed, sealed)
	maps.Copy(next.Credentials, credentials)
	return next.watchedFrom(c.now(), conn), nil
}

// settled is the connection with the settings that are asked for.
func (c Connection) settled(asked Change, source Source, hasSecrets bool, chains *chain.Set) (Connection, error) {
	before := c.Settings
	if err := c.clear(asked.Clear); err != nil {
		return c, err
	}
	overlay(&c.Settings, asked.Settings)
	overlay(&c.Care, asked.Care)
	if asked.Enabled != nil {
		c.Disabled = !*asked.Enabled
	}
	var err error
	if asked.Trust != "" {
		if c.Trust, err = settleTrust(asked.Trust, source); err != nil {
			return c, err
		}
	}
	if !reflect.DeepEqual(before, c.Settings) { // what is left as it was may be what today's rules would refuse
		if err := c.Settings.settleFor(c.Provider, source, chains); err != nil {
			return c, err
		}
	}
	if err := c.check(); err != nil {
		return c, err
	}
	return c, checkCredentials(source.trusted(c.Trust), asked.Credentials, c.Credentials, hasSecrets)
}

// overlay sets each field that is given.
func overlay[T any](onto *T, given T) {
	to, from := reflect.ValueOf(onto).Elem(), reflect.ValueOf(given)
	for i := range from.NumField() {
		if !from.Field(i).IsZero() {
			to.Field(i).Set(from.Field(i))
		}
	}
}

// clear takes away what is named.
func (c *Connection) clear(names []string) error {
	c.Credentials = maps.Clone(c.Credentials)
	if c.Credentials == nil {
		c.Credentials = map[string]string{}
	}
	for i, name := range names {
		credential, is := strings.CutPrefix(name, "credentials.")
		_, has := c.Credentials[credential]
		if is && has {
			delete(c.Credentials, credential)
			continue
		}
		if !emptied(&c.Settings, name) && !emptied(&c.Care, name) {
			return problem.Field(fmt.Sprintf("clear[%d]", i), "must name a setting, or a credential that the connection has")
		}
	}
	return nil
}

// emptied empties the field of this name in JSON, where there is one.
func emptied[T any](in *T, name string) bool {
	v := reflect.ValueOf(in).Elem()
	for i := range v.NumField() {
		if tag, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ","); tag == name {
			v.Field(i).SetZero()
			return true
		}
	}
	return false
}

// keepsSecrets says whether a change leaves the secrets alone.
func (a Change) keepsSecrets() bool { return !a.adds() && len(a.Remove) == 0 }
func (a Change) adds() bool         { return a.Secret != "" || len(a.Keys) > 0 || a.NewSecret }

// changedSecrets are those that verify after a change, without those that have ended.
func (c Connections) changedSecrets(ctx context.Context, conn Connection, source Source, remove []string, added []Secret, until time.Time) ([]Secret, error) {
	secrets, err := c.open(ctx, conn)
	if err != nil {
		return nil, err
	}
	if secrets, err = without(conn.ID, secrets, remove); err != nil {
		return nil, err
	}
	secrets = slices.DeleteFunc(secrets, func(s Secret) bool {
		again := slices.ContainsFunc(added, func(a Secret) bool { return a.Text == s.Text })
		return again || !s.valid(c.now())
	})
	if len(added) > 0 {
		secrets = append(ended(secrets, until, c.now()), added...)
	}
	return secrets, fitting(source, secrets)
}

// fitting refuses secrets that are too many, or none.
func fitting(source Source, secrets []Secret) error {
	switch {
	case len(secrets) == 0 && source.Published == nil && source.CheckSecret != nil:
		return problem.Field("remove", "would leave nothing to verify with")
	case len(secrets) > mostSecrets:
		return problem.Field("keys", fmt.Sprintf("would be more than %d with those that are there", mostSecrets))
	case len(sealedSecrets(secrets)) > mostSealed:
		return problem.Field("keys", "are too long together with those that are there")
	}
	return nil
}

// added are the secrets that a change brings, and the one among them that is made here.
func (a Change) added(source Source, random io.Reader) (added []Secret, made string, err error) {
	given, field, err := secretOrKeys(a.Secret, a.Keys)
	switch {
	case err != nil:
		return nil, "", err
	case a.NewSecret && len(given) > 0:
		return nil, "", problem.Field("new_secret", "cannot be asked for beside one that is given")
	case len(given) > 0 && source.CheckSecret == nil:
		return nil, "", problem.Field(field, "is not for this provider: it publishes its keys")
	case a.NewSecret && source.NewSecret == nil:
		return nil, "", problem.Field("new_secret", "is not for this provider: it gives its own")
	case a.NewSecret:
		made, err = source.NewSecret(random)
		return []Secret{{Text: made}}, made, err
	}
	added, err = checked(source, field, given)
	return added, "", err
}

// oldUntil is when the secrets that were there before a new one end.
func (a Change) oldUntil(now time.Time) (time.Time, error) {
	const rule = `must be "now" or a time within 30 days, such as 2026-12-01T00:00:00Z`
	if a.OldUntil != "" && !a.adds() {
		return time.Time{}, problem.Field("old_until", "is for a change that adds a secret")
	}
	switch a.OldUntil {
	case "":
		return now.Add(usualOverlap), nil
	case "now":
		return now, nil
	}
	until, err := time.Parse(time.RFC3339, a.OldUntil)
	if err != nil || until.Before(now) || until.After(now.Add(mostOverlap)) {
		return time.Time{}, problem.Field("old_until", rule)
	}
	return until.UTC(), nil
}

// ended are secrets that end at a time, if not before; those that end now are gone.
func ended(secrets []Secret, until, now time.Time) []Secret {
	var ending []Secret
	for _, s := range secrets {
		if s.Ends == nil || s.Ends.After(until) {
			s.Ends = &until
		}
		if s.valid(now) {
			ending = append(ending, s)
		}
	}
	return ending
}

// without are the secrets but those of these fingerprints.
func without(connection string, secrets []Secret, fingerprints []string) ([]Secret, error) {
	for i, name := range fingerprints {
		rest := slices.DeleteFunc(slices.Clone(secrets), func(s Secret) bool { return fingerprint(connection, s.Text) == name })
		if len(rest) == len(secrets) {
			return nil, problem.Field(fmt.Sprintf("remove[%d]", i), "is not the fingerprint of a secret of this connection")
		}
		secrets = rest
	}
	return secrets, nil
}
