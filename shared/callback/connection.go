package callback

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"farrier/shared/chain"
	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/id"
	"farrier/shared/problem"
	"farrier/shared/seal"
)

// Connection is who may tell us something: one provider's account of one merchant.
type Connection struct {
	PK string `dynamodbav:"pk"` // the id
	SK string `dynamodbav:"sk"` // always "connection"

	ID       string   `dynamodbav:"id"`
	Merchant string   `dynamodbav:"merchant"`
	Shards   int      `dynamodbav:"shards,omitempty"` // of the merchant's accounts, fixed when the merchant was made; 0 is 1
	Provider string   `dynamodbav:"provider"`
	Trust    Trust    `dynamodbav:"trust"`
	Settings Settings `dynamodbav:"settings"`
	Sealed   string   `dynamodbav:"sealed"` // what verifies, see sealedSecrets; "" where the provider publishes its keys
	// Credentials are the named secrets beside, each sealed by itself: KMS takes 4,096 bytes at once, and a private
	// RSA key of 4,096 bits in PEM has 3,243.
	Credentials map[string]string `dynamodbav:"credentials,omitempty"`
	Marks       []Mark            `dynamodbav:"marks,omitempty"` // of what is sealed, in its order
	Disabled    bool              `dynamodbav:"disabled,omitempty"`
	Care
	CreatedAt time.Time `dynamodbav:"created_at"`
	UpdatedAt time.Time `dynamodbav:"updated_at"`
	Version   int64     `dynamodbav:"version"`          // from 1, raised by every write
	Change    string    `dynamodbav:"change,omitempty"` // names the change that made this version

	// RegistersFrom is the version from which its merchant's addresses are registered with the provider; 0: they are not.
	RegistersFrom int64 `dynamodbav:"registers_from,omitempty"`

	WatchedSince time.Time `dynamodbav:"watched_since"` // an alarm waits for its callbacks, see Care; zero: none does
}

// Verify proves a delivery and gives the provider's id of the event; see Source. Where it comes from is looked at
// first, before a key is opened.
func (c Connection) Verify(ctx context.Context, d Delivery, keys KeyOpener) (event string, err error) {
	source, err := sourceOf(c.Provider)
	switch {
	case err != nil:
		return "", err
	case c.Disabled:
		return "", Disabled
	case !c.Settings.allows(d.SourceIP):
		return "", NotAllowed
	}
	opened, err := keys.Keys(ctx, c.toVerify(source))
	if err != nil {
		return "", err
	}
	return source.Verify(ctx, d, c.Settings, opened)
}

// toVerify is the connection without the credentials that only reading needs.
func (c Connection) toVerify(source Source) Connection {
	c.Credentials = maps.Clone(c.Credentials)
	for _, credential := range source.Credentials {
		if credential.Reads {
			delete(c.Credentials, credential.Name)
		}
	}
	return c
}

// Answer is what the provider takes for success. Verify has found the source before.
func (c Connection) Answer() Answer { return sources[c.Provider].Answer }

// Notices are what a body that Verify proved says; the error is a ReadError or an UnknownError where it says
// nothing, and Closed where its keys could not be opened just now.
func (c Connection) Notices(ctx context.Context, body []byte, keys KeyOpener) ([]Notice, error) {
	source, err := sourceOf(c.Provider)
	if err != nil {
		return nil, err
	}
	var opened Keys
	if source.Encrypted {
		if opened, err = keys.Keys(ctx, c); err != nil {
			return nil, Closed{err}
		}
	}
	return source.Read(body, c.Settings, opened)
}

// Closed is trouble with opening a connection's keys: it may be over in a moment.
type Closed struct{ Reason error }

func (c Closed) Error() string { return "callback: keys: " + c.Reason.Error() }
func (c Closed) Unwrap() error { return c.Reason }

// VerifyForNobody spends the time that verifying for a connection takes, where there is none.
func VerifyForNobody(d Delivery) {
	nobodys := Keys{Secrets: []string{symmetricPrefix + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}
	_, _ = verifyStandardWebhooks(context.Background(), d, Settings{}, nobodys)
}

// ErrUnknown says that there is no such connection.
var ErrUnknown = errors.New("callback: no such connection")

// Connections is the table of connections.
type Connections struct {
	Table  dynamo.Table
	Sealer *seal.Sealer
	Chains *chain.Set // the configured chains; nil leaves a fixed chain unchecked
	Now    cloud.Clock
	Random io.Reader
}

// Asked is what the API is asked for by POST /v1/connections.
type Asked struct {
	Merchant    string
	Shards      int // of the merchant's accounts
	Provider    string
	Trust       Trust       // default: the source's usual one
	Secret      string      // or
	Keys        []string    // several secrets and public keys at once
	KeyEnds     []time.Time // when the first of Keys, in their order, are believed no more; the others stay
	Credentials map[string]string
	Settings
	Care
}

// Create makes a connection. The secret is the one that was made for it, to be shown once; empty where the
// caller gave its own. An error is problem.Invalid with the field's name, or trouble of ours.
func (c Connections) Create(ctx context.Context, asked Asked) (conn Connection, secret string, err error) {
	source, err := asked.settle(c.Chains)
	if err != nil {
		return Connection{}, "", err
	}
	secrets, secret, err := asked.secrets(source, c.Random)
	if err != nil {
		return Connection{}, "", err
	}
	now := c.Now().UTC().Truncate(time.Millisecond)
	name, err := id.New("con", now, c.Random)
	if err != nil {
		return Connection{}, "", err
	}
	sealed, credentials, err := c.seal(ctx, name, secrets, asked.Credentials)
	if err != nil {
		return Connection{}, "", err
	}
	conn = Connection{
		PK: name, SK: "connection", ID: name, Merchant: asked.Merchant, Shards: asked.Shards, Provider: asked.Provider, Trust: asked.Trust,
		Settings: asked.Settings, Sealed: sealed, Credentials: credentials, Marks: marksOf(name, secrets), Care: asked.Care,
		CreatedAt: now, UpdatedAt: now, Version: 1,
	}
	conn = conn.watchedFrom(now, Connection{}).registering(Connection{})
	if err := errors.Join(c.watch(ctx, conn, Connection{}), c.enlist(ctx, conn, Connection{})); err != nil {
		return Connection{}, "", err
	}
	return conn, secret, c.Table.Create(ctx, conn)
}

// Get reads a connection; ErrUnknown where there is none. What is no connection's id never reaches the table.
func (c Connections) Get(ctx context.Context, connection string) (Connection, error) {
	if !id.Valid("con", connection) {
		return Connection{}, ErrUnknown
	}
	var conn Connection
	err := c.Table.Get(ctx, dynamo.Key{PK: connection, SK: "connection"}, &conn)
	if errors.Is(err, dynamo.ErrMissing) {
		return Connection{}, ErrUnknown
	}
	return conn, err
}

// MerchantIndex is the index of each merchant's connections; its keys are "merchant" and "id".
const MerchantIndex = "merchant"

// Of is a page of a merchant's connections, the newest first.
func (c Connections) Of(ctx context.Context, merchant string, limit int32, cursor string) ([]Connection, string, error) {
	keys, next, err := dynamo.List[Connection](ctx, c.Table, dynamo.Query{
		PK: merchant, Index: MerchantIndex, PartitionAttr: "merchant", SortAttr: "id", Descending: true, Limit: limit, Cursor: cursor,
	})
	if err != nil {
		return nil, "", err
	}
	var page []Connection
	for _, k := range keys { // the index holds keys only; a merchant has few connections
		conn, err := c.Get(ctx, k.PK)
		if err != nil {
			return nil, "", err
		}
		page = append(page, conn)
	}
	return page, next, nil
}

// ConnectionView is a connection as the API shows it: without its secrets.
type ConnectionView struct {
	ID       string `json:"id"`
	Merchant string `json:"merchant"`
	Provider string `json:"provider"`
	Trust    Trust  `json:"trust"`
	Enabled  bool   `json:"enabled" doc:"where it is not, every callback is refused"`
	Settings
	Care
	Secrets     []Mark    `json:"secrets,omitempty" doc:"what callbacks are verified with"`
	Credentials []string  `json:"credentials,omitempty" doc:"the names of those that it has"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
	Version     int64     `json:"version" doc:"to give with a change"`
}

// View is what the API shows.
func (c Connection) View() ConnectionView {
	return ConnectionView{
		ID: c.ID, Merchant: c.Merchant, Provider: c.Provider, Trust: c.Trust, Enabled: !c.Disabled, Settings: c.Settings, Care: c.Care,
		Secrets: c.Marks, Credentials: slices.Sorted(maps.Keys(c.Credentials)), CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt, Version: c.Version,
	}
}

// settle completes what was asked for; its errors name the field.
func (a *Asked) settle(chains *chain.Set) (Source, error) {
	if a.Merchant == "" {
		return Source{}, problem.Field("merchant", "is required")
	}
	source, err := sourceOf(a.Provider)
	if err != nil {
		return Source{}, problem.Field("provider", "must be one of "+strings.Join(Providers(), ", "))
	}
	if a.Trust, err = settleTrust(a.Trust, source); err != nil {
		return Source{}, err
	}
	if err := a.settleFor(a.Provider, source, chains); err != nil {
		return Source{}, err
	}
	if err := a.check(); err != nil {
		return Source{}, err
	}
	return source, checkCredentials(source.trusted(a.Trust), a.Credentials, nil, a.Secret != "" || len(a.Keys) > 0)
}

// settleFor completes settings for one provider.
func (s *Settings) settleFor(provider string, source Source, chains *chain.Set) error {
	if err := s.settle(chains); err != nil {
		return err
	}
	if err := s.fits(provider, source); err != nil {
		return err
	}
	if source.Settle == nil {
		return nil
	}
	return source.Settle(s)
}
