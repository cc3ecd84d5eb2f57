package callback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"farrier/shared/chain"
	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/id"
	"farrier/shared/problem"
	"farrier/shared/seal"
)

// Look is the only trust so far: what comes over the connection asks for our own look at the chain.
const Look = "look"

// Connection is who may tell us something: one provider's account of one merchant.
type Connection struct {
	PK string `dynamodbav:"pk"` // the id
	SK string `dynamodbav:"sk"` // always "connection"

	ID        string    `dynamodbav:"id"`
	Merchant  string    `dynamodbav:"merchant"`
	Provider  string    `dynamodbav:"provider"`
	Trust     string    `dynamodbav:"trust"`
	Settings  Settings  `dynamodbav:"settings"`
	Sealed    string    `dynamodbav:"sealed"` // the secrets, one a line, sealed for this connection
	CreatedAt time.Time `dynamodbav:"created_at"`
	Version   int64     `dynamodbav:"version"` // from 1, raised by every write
}

// Settings are what differs between connections of one provider.
type Settings struct {
	// Chain is the chain that every callback is about; without it the body names one.
	Chain           string `json:"chain,omitempty" dynamodbav:"chain,omitempty"`
	ChainPath       string `json:"chain_path,omitempty" dynamodbav:"chain_path,omitempty"`             // default "data.chain"
	TransactionPath string `json:"transaction_path,omitempty" dynamodbav:"transaction_path,omitempty"` // default "data.transaction"

	HMAC *HMAC `json:"hmac,omitempty" dynamodbav:"hmac,omitempty"` // of the provider "hmac"
}

// Verify proves a delivery and gives the provider's id of the event; see Source.
func (c Connection) Verify(d Delivery, secrets []string) (event string, err error) {
	source, err := sourceOf(c.Provider)
	if err != nil {
		return "", err
	}
	return source.Verify(d, c.Settings, secrets)
}

// Answer is what the provider takes for success. Verify has found the source before.
func (c Connection) Answer() Answer { return sources[c.Provider].Answer }

// Hints are what a body that Verify proved says; the error is a ReadError where it says nothing.
func (c Connection) Hints(body []byte) ([]Hint, error) {
	source, err := sourceOf(c.Provider)
	if err != nil {
		return nil, err
	}
	return source.Read(body, c.Settings)
}

// Secrets opens the connection's secrets and public keys.
func (c Connection) Secrets(ctx context.Context, sealer *seal.Sealer) ([]string, error) {
	text, err := sealer.Open(ctx, owner(c.ID), c.Sealed)
	if err != nil {
		return nil, err
	}
	return strings.Split(string(text), "\n"), nil
}

func owner(connection string) seal.Owner { return seal.Owner{"connection": connection} }

// VerifyForNobody spends the time that verifying for a connection takes, where there is none.
func VerifyForNobody(d Delivery) {
	_, _ = verifyStandardWebhooks(d, Settings{}, []string{symmetricPrefix + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})
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
	Merchant string   `json:"merchant"`
	Provider string   `json:"provider"`
	Trust    string   `json:"trust,omitempty"`  // default "look"
	Secret   string   `json:"secret,omitempty"` // or
	Keys     []string `json:"keys,omitempty"`   // several secrets and public keys at once
	Settings
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
	sealed, err := c.Sealer.Seal(ctx, owner(name), []byte(strings.Join(secrets, "\n")))
	if err != nil {
		return Connection{}, "", err
	}
	conn = Connection{
		PK: name, SK: "connection", ID: name, Merchant: asked.Merchant, Provider: asked.Provider, Trust: asked.Trust,
		Settings: asked.Settings, Sealed: sealed, CreatedAt: now, Version: 1,
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

// ConnectionView is a connection as the API shows it: without its secrets.
type ConnectionView struct {
	ID       string `json:"id"`
	Merchant string `json:"merchant"`
	Provider string `json:"provider"`
	Trust    string `json:"trust"`
	Settings
	CreatedAt time.Time `json:"created_at"`
}

// View is what the API shows.
func (c Connection) View() ConnectionView {
	return ConnectionView{ID: c.ID, Merchant: c.Merchant, Provider: c.Provider, Trust: c.Trust, Settings: c.Settings, CreatedAt: c.CreatedAt}
}

// chainForm is a CAIP-2 name (https://chainagnostic.org/CAIPs/caip-2, read 2026-11-21).
func chainForm(s string) bool {
	const lower, digits = "abcdefghijklmnopqrstuvwxyz", "-0123456789"
	namespace, reference, _ := strings.Cut(s, ":")
	return madeOf(namespace, lower+digits, 3, 8) && madeOf(reference, lower+strings.ToUpper(lower)+digits+"_", 1, 32)
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
	if a.Trust = or(a.Trust, Look); a.Trust != Look {
		return Source{}, problem.Field("trust", `must be "look"`)
	}
	if err := a.Settings.settle(chains); err != nil {
		return Source{}, err
	}
	return source, source.Settle(&a.Settings)
}

func (s *Settings) settle(chains *chain.Set) error {
	switch {
	case s.Chain != "" && !chainForm(s.Chain):
		return problem.Field("chain", `must be a CAIP-2 chain such as "eip155:137"`)
	case s.Chain != "" && s.ChainPath != "":
		return problem.Field("chain_path", "cannot be set beside chain")
	case s.ChainPath != "" && !pathForm(s.ChainPath):
		return problem.Field("chain_path", pathRule)
	case s.TransactionPath != "" && !pathForm(s.TransactionPath):
		return problem.Field("transaction_path", pathRule)
	}
	if s.Chain != "" && chains != nil {
		if _, configured := chains.Chain(chain.ID(s.Chain)); !configured {
			return problem.Field("chain", "is not a configured chain")
		}
	}
	return nil
}

const (
	mostSecrets   = 10
	longestSecret = 256 // ten of them are less than the 4,096 bytes that KMS encrypts
)

// secrets are all that the connection shall have, and the one among them that was made here.
func (a Asked) secrets(source Source, random io.Reader) (all []string, made string, err error) {
	switch {
	case a.Secret != "" && len(a.Keys) > 0:
		return nil, "", problem.Field("keys", "cannot be set beside secret")
	case len(a.Keys) > mostSecrets:
		return nil, "", problem.Field("keys", fmt.Sprintf("must be at most %d", mostSecrets))
	case a.Secret != "":
		return []string{a.Secret}, "", checkSecret(source, "secret", a.Secret)
	case len(a.Keys) > 0:
		for i, k := range a.Keys {
			if err := checkSecret(source, fmt.Sprintf("keys[%d]", i), k); err != nil {
				return nil, "", err
			}
		}
		return a.Keys, "", nil
	case source.NewSecret == nil:
		return nil, "", problem.Field("secret", "is required: the provider gives it")
	}
	made, err = source.NewSecret(random)
	return []string{made}, made, err
}

func checkSecret(source Source, field, secret string) error {
	if err := source.CheckSecret(secret); err != nil {
		return problem.Field(field, err.Error())
	}
	return nil
}
