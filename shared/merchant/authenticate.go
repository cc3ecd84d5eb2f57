package merchant

import (
	"context"
	"crypto/subtle"
	"errors"
	"sync"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/problem"
)

// KeepFor is how long a key, or that there is none, is remembered.
const KeepFor = time.Minute

// maxKept bounds the memory that a flood of invented keys can take.
const maxKept = 10_000

// Door knows callers by their bearer tokens.
type Door struct {
	Store           Store
	OperatorKeyHash string // SHA-256 of the operator's key, in lower-case hex
	Now             func() time.Time

	mu   sync.Mutex
	kept map[string]known
}

// known is what the table says of a key's id; a zero Hash says that it is not there.
type known struct {
	key      Key
	merchant Merchant
	until    time.Time
}

var errUnknownCaller = problem.New(problem.Unauthorized, "give a key that is valid, as Authorization: Bearer …")

// Authenticate says who holds a token.
func (d *Door) Authenticate(ctx context.Context, token string) (Caller, error) {
	hash := hashOf(token)
	if token != "" && equal(hash, d.OperatorKeyHash) {
		return Caller{Operator: true}, nil
	}
	merchant, key, ok := idsIn(token)
	if !ok {
		return Caller{}, errUnknownCaller
	}
	k, err := d.known(ctx, merchant, key)
	if err != nil {
		return Caller{}, err
	}
	if !equal(hash, k.key.Hash) || k.key.RevokedAt != nil {
		return Caller{}, errUnknownCaller
	}
	return Caller{Merchant: k.merchant, Key: k.key.ID, Scopes: k.key.Scopes}, nil
}

// Forget makes this process ask the table about a key at its next use.
func (d *Door) Forget(merchant, key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.kept, merchant+key)
}

func (d *Door) known(ctx context.Context, merchant, key string) (known, error) {
	if k, ok := d.remember(merchant + key); ok {
		return k, nil
	}
	k, err := d.read(ctx, merchant, key)
	if err != nil {
		return known{}, err
	}
	d.keep(merchant+key, k)
	return k, nil
}

func (d *Door) read(ctx context.Context, merchant, key string) (known, error) {
	var k known
	err := d.Store.Table.Get(ctx, keyOf(merchant, key), &k.key)
	if err == nil {
		k.merchant, err = d.Store.Get(ctx, merchant)
	}
	if errors.Is(err, dynamo.ErrMissing) || problem.Is(err, problem.NotFound) {
		return known{}, nil
	}
	return k, err
}

func (d *Door) remember(name string) (known, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	k, ok := d.kept[name]
	return k, ok && d.Now().Before(k.until)
}

func (d *Door) keep(name string, k known) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.kept == nil || len(d.kept) >= maxKept {
		d.kept = map[string]known{}
	}
	k.until = d.Now().Add(KeepFor)
	d.kept[name] = k
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
