package merchant

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/id"
	"farrier/shared/problem"
)

// Key is a merchant's key. Its text is "fk_", the merchant's ULID, the key's ULID and 43 characters of
// secret, so that it is looked up by what is no secret and compared by its hash.
type Key struct {
	PK string `dynamodbav:"pk"` // the merchant's id
	SK string `dynamodbav:"sk"` // "key/" and the key's id

	ID        string     `dynamodbav:"id"`
	Merchant  string     `dynamodbav:"merchant"`
	Name      string     `dynamodbav:"name"`
	Scopes    []Scope    `dynamodbav:"scopes"`
	Hash      string     `dynamodbav:"hash"` // SHA-256 of the text, in hex
	CreatedAt time.Time  `dynamodbav:"created_at"`
	RevokedAt *time.Time `dynamodbav:"revoked_at,omitempty"`
	Version   int64      `dynamodbav:"version"`
}

// KeyView is a key as the API shows it, without its text.
type KeyView struct {
	ID        string    `json:"id" example:"key_01JD0Z5T3N8Q4W7R2X9Y6V1K5M"`
	Merchant  string    `json:"merchant" example:"mer_01JD0Z5T3N8Q4W7R2X9Y6V1K5M"`
	Name      string    `json:"name" example:"shop's back end"`
	Scopes    []Scope   `json:"scopes"`
	CreatedAt time.Time `json:"created_at"`
}

// View shows the key.
func (k Key) View() KeyView {
	return KeyView{ID: k.ID, Merchant: k.Merchant, Name: k.Name, Scopes: k.Scopes, CreatedAt: k.CreatedAt}
}

// IssueKey makes a key and gives its text, which is nowhere else. Run again with the same moment and
// randomness it gives the same key.
func (s Store) IssueKey(ctx context.Context, merchant, name string, scopes []Scope) (Key, string, error) {
	if err := problem.Text("name", name, MaxName); err != nil {
		return Key{}, "", err
	}
	if err := checkScopes(scopes); err != nil {
		return Key{}, "", err
	}
	owner, err := s.Get(ctx, merchant)
	if err != nil {
		return Key{}, "", err
	}
	k, text, err := s.newKey(owner)
	if err != nil {
		return Key{}, "", err
	}
	k.Name, k.Scopes = name, scopes
	err = s.Table.Create(ctx, k)
	var stored Key
	if exists, readErr := dynamo.Exists(err, &stored); exists && readErr == nil && stored.Hash == k.Hash && stored.RevokedAt == nil {
		return stored, text, nil
	}
	return k, text, err
}

func (s Store) newKey(owner Merchant) (Key, string, error) {
	now := s.Now().UTC().Truncate(time.Millisecond)
	name, err := id.New("key", now, s.Random)
	if err != nil {
		return Key{}, "", err
	}
	var secret [32]byte
	if _, err := io.ReadFull(s.Random, secret[:]); err != nil {
		return Key{}, "", err
	}
	text := "fk_" + owner.ID[len("mer_"):] + "_" + name[len("key_"):] + "_" + base64.RawURLEncoding.EncodeToString(secret[:])
	key := keyOf(owner.ID, name)
	return Key{PK: key.PK, SK: key.SK, ID: name, Merchant: owner.ID, Hash: hashOf(text), CreatedAt: now, Version: 1}, text, nil
}

// RevokeKey ends a key. A key that is revoked already stays as it is.
func (s Store) RevokeKey(ctx context.Context, merchant, name string) error {
	if !id.Valid("mer", merchant) || !id.Valid("key", name) {
		return errNoKey
	}
	for {
		var k Key
		err := s.Table.Get(ctx, keyOf(merchant, name), &k)
		if errors.Is(err, dynamo.ErrMissing) {
			return errNoKey
		}
		if err != nil || k.RevokedAt != nil {
			return err
		}
		now := s.Now().UTC().Truncate(time.Millisecond)
		k.RevokedAt, k.Version = &now, k.Version+1
		if err := s.Table.Replace(ctx, k, k.Version-1); !errors.Is(err, dynamo.ErrStale) {
			return err
		}
	}
}

var errNoKey = problem.New(problem.NotFound, "there is no such key")

func keyOf(merchant, name string) dynamo.Key { return dynamo.Key{PK: merchant, SK: "key/" + name} }

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// textLength is that of "fk_" + ULID + "_" + ULID + "_" + 32 bytes in base64url.
const textLength = 3 + 26 + 1 + 26 + 1 + 43

// idsIn finds the merchant's and the key's id in a key's text.
func idsIn(text string) (merchant, key string, ok bool) {
	if len(text) != textLength || !strings.HasPrefix(text, "fk_") || text[29] != '_' || text[56] != '_' {
		return "", "", false
	}
	merchant, key = "mer_"+text[3:29], "key_"+text[30:56]
	return merchant, key, id.Valid("mer", merchant) && id.Valid("key", key)
}

func checkScopes(scopes []Scope) error {
	if len(scopes) == 0 {
		return problem.Field("scopes", "names none")
	}
	for i, s := range scopes {
		switch {
		case s.OfOperator() || s.OfApprover() || slices.Contains(ofBoth, s):
			return problem.Field("scopes", "has "+string(s)+", which no merchant's key has")
		case !slices.Contains(Grantable, s):
			return problem.Field("scopes", "has one that does not exist")
		case slices.Contains(scopes[:i], s):
			return problem.Field("scopes", "has one twice")
		}
	}
	return nil
}
