package approval

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/id"
	"farrier/shared/problem"
	"farrier/shared/seal"
)

// Limits of what is asked for.
const (
	MaxName = 100
	MaxKeys = 20
)

// KeyPrefix is what the text of an approver's key begins with.
const KeyPrefix = "fa_"

// Approver is a person who may let payouts go. The text of the key is "fa_", the approver's ULID and 43 characters of secret.
type Approver struct {
	PK string `dynamodbav:"pk"` // always "approver": there are few, and they are listed
	SK string `dynamodbav:"sk"` // the approver's id

	ID         string     `dynamodbav:"id"`
	Name       string     `dynamodbav:"name"`
	Hash       string     `dynamodbav:"hash"`           // SHA-256 of the key's text, in hex
	Secret     string     `dynamodbav:"secret"`         // of the second factor, sealed for the signer
	Keys       []string   `dynamodbav:"keys,omitempty"` // ids of API keys that the same person holds, Operator for the operator's: what is asked for by them this person does not approve
	CreatedAt  time.Time  `dynamodbav:"created_at"`
	DisabledAt *time.Time `dynamodbav:"disabled_at,omitempty"`
	Version    int64      `dynamodbav:"version"`
}

// ApproverView is an approver as the API shows it, without key and secret.
type ApproverView struct {
	ID         string     `json:"id" example:"apr_01JD0Z5T3N8Q4W7R2X9Y6V1K5M"`
	Name       string     `json:"name" example:"Ann of finance"`
	Keys       []string   `json:"keys,omitempty" doc:"API keys that the same person holds; operator is the operator's"`
	CreatedAt  time.Time  `json:"created_at"`
	DisabledAt *time.Time `json:"disabled_at,omitempty"`
}

// View shows the approver.
func (a Approver) View() ApproverView {
	return ApproverView{ID: a.ID, Name: a.Name, Keys: a.Keys, CreatedAt: a.CreatedAt, DisabledAt: a.DisabledAt}
}

// Operator is the operator's key among those that a person holds, and who asks for a payout with it.
const Operator = "operator"

// Asked says whether the approver is who asked: a key's id names the requester.
func (a Approver) Asked(requester string) bool {
	return requester == a.ID || slices.Contains(a.Keys, requester)
}

// SecretOwner is the encryption context of an approver's secret: a role with leave for {"room": "sign"} alone opens it, and
// for no other approver.
func SecretOwner(approver string) seal.Owner {
	return seal.Owner{"room": "sign", "approver": approver}
}

// Given is what an approver is given once, and nobody can read again.
type Given struct {
	Key     string // bearer
	OTPAuth string // to be shown as a QR code
}

// Approvers keeps approvers.
type Approvers struct {
	Table  dynamo.Table
	Seal   func(ctx context.Context, owner seal.Owner, secret []byte) (string, error) // a seal.Sealer's
	Now    func() time.Time
	Random io.Reader
}

// Create makes an approver, and what it gives is nowhere else. Run again with the same moment and randomness it finds the one
// that it made. What a stop in the middle leaves behind is an approver whom
// nobody can be.
func (s Approvers) Create(ctx context.Context, name string, keys []string) (Approver, Given, error) {
	if err := checkApprover(name, keys); err != nil {
		return Approver{}, Given{}, err
	}
	now := s.Now().UTC().Truncate(time.Millisecond)
	named, err := id.New("apr", now, s.Random)
	if err != nil {
		return Approver{}, Given{}, err
	}
	var random [32 + secretLength]byte
	if _, err := io.ReadFull(s.Random, random[:]); err != nil {
		return Approver{}, Given{}, err
	}
	key := KeyPrefix + strings.TrimPrefix(named, "apr_") + "_" + base64.RawURLEncoding.EncodeToString(random[:32])
	secret := random[32:]
	sealed, err := s.Seal(ctx, SecretOwner(named), secret)
	if err != nil {
		return Approver{}, Given{}, err
	}
	at := approverKey(named)
	a := Approver{PK: at.PK, SK: at.SK, ID: named, Name: name, Hash: hashOf(key), Secret: sealed, Keys: keys, CreatedAt: now, Version: 1}
	err = s.Table.Create(ctx, a)
	var stored Approver
	if exists, readErr := dynamo.Exists(err, &stored); exists && readErr == nil && stored.Hash == a.Hash && stored.DisabledAt == nil {
		a, err = stored, nil // key and secret are made of the same bytes: where the one is the same, the other is
	}
	if err != nil {
		return Approver{}, Given{}, err
	}
	return a, Given{Key: key, OTPAuth: otpauth(secret, name)}, nil
}

// Get reads an approver.
func (s Approvers) Get(ctx context.Context, name string) (Approver, error) {
	var a Approver
	if !id.Valid("apr", name) {
		return a, errNoApprover
	}
	err := s.Table.Get(ctx, approverKey(name), &a)
	if errors.Is(err, dynamo.ErrMissing) {
		return a, errNoApprover
	}
	return a, err
}

// List reads a page of all approvers.
func (s Approvers) List(ctx context.Context, limit int32, cursor string) ([]Approver, string, error) {
	return dynamo.List[Approver](ctx, s.Table, dynamo.Query{PK: approverKey("").PK, Limit: limit, Cursor: cursor})
}

// Disable ends what an approver may do. One that is disabled stays as it is.
func (s Approvers) Disable(ctx context.Context, name string) (Approver, error) {
	for {
		a, err := s.Get(ctx, name)
		if err != nil || a.DisabledAt != nil {
			return a, err
		}
		now := s.Now().UTC().Truncate(time.Millisecond)
		a.DisabledAt, a.Version = &now, a.Version+1
		if err := s.Table.Replace(ctx, a, a.Version-1); !errors.Is(err, dynamo.ErrStale) {
			return a, err
		}
	}
}

// Authenticate says which approver holds a key. Nothing is kept in memory: who is disabled is out at once.
func (s Approvers) Authenticate(ctx context.Context, key string) (Approver, error) {
	name, ok := approverIn(key)
	if !ok {
		return Approver{}, errUnknown
	}
	a, err := s.Get(ctx, name)
	switch {
	case problem.Is(err, problem.NotFound):
		return Approver{}, errUnknown
	case err != nil:
		return Approver{}, err
	case subtle.ConstantTimeCompare([]byte(hashOf(key)), []byte(a.Hash)) != 1 || a.DisabledAt != nil:
		return Approver{}, errUnknown
	}
	return a, nil
}

var (
	errUnknown    = problem.New(problem.Unauthorized, "give an approver's key that is valid, as Authorization: Bearer …")
	errNoApprover = problem.New(problem.NotFound, "there is no such approver")
)

func approverKey(name string) dynamo.Key { return dynamo.Key{PK: "approver", SK: name} }

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// keyLength is that of "fa_" + ULID + "_" + 32 bytes in base64url.
const keyLength = 3 + 26 + 1 + 43

// approverIn finds the approver's id in a key's text.
func approverIn(key string) (string, bool) {
	if len(key) != keyLength || !strings.HasPrefix(key, KeyPrefix) || key[29] != '_' {
		return "", false
	}
	name := "apr_" + key[3:29]
	return name, id.Valid("apr", name)
}

func checkApprover(name string, keys []string) error {
	if err := problem.Text("name", name, MaxName); err != nil {
		return err
	}
	switch {
	case strings.Contains(name, ":"):
		return problem.Field("name", "has a colon, at which authenticators cut it")
	case len(keys) > MaxKeys:
		return problem.Field("keys", fmt.Sprintf("names more than %d", MaxKeys))
	}
	for i, key := range keys {
		if key != Operator && !id.Valid("key", key) {
			return problem.Field(fmt.Sprintf("keys[%d]", i), "is not the id of a key")
		}
	}
	return nil
}
