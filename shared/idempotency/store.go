package idempotency

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/id"
	"farrier/shared/problem"
	"farrier/shared/seal"
)

const (
	// KeepFor is how long an answer is given again.
	KeepFor = 24 * time.Hour
	// Lease is how long a call may run before its key is free again.
	Lease = time.Minute
	// MaxKey is the longest Idempotency-Key.
	MaxKey = 255
)

// Call is a request under an Idempotency-Key.
type Call struct {
	Caller string // whose key it is: no two callers share one
	Route  string // method and path
	Key    string // the header
	Asked  []byte // all else that the request asks: body, query
}

// Answer is what the first call got.
type Answer struct {
	Status int               `json:"status"`
	Header map[string]string `json:"header"`
	Body   []byte            `json:"body"`
}

// Store keeps answers.
type Store struct {
	Table  dynamo.Table
	Sealer *seal.Sealer
	Now    func() time.Time
	Random io.Reader
}

// record is a key that was used. Without an answer its call is running, or was killed, or failed.
type record struct {
	PK string `dynamodbav:"pk"` // digest of caller, route and key
	SK string `dynamodbav:"sk"` // always "answer"

	Fingerprint string    `dynamodbav:"fingerprint"` // of what was asked
	DataKey     string    `dynamodbav:"data_key"`    // sealed
	At          time.Time `dynamodbav:"at"`          // of the first call
	LeaseUntil  time.Time `dynamodbav:"lease_until"`
	Answer      string    `dynamodbav:"answer,omitempty"` // sealed under the data key
	TTL         int64     `dynamodbav:"ttl"`
	Version     int64     `dynamodbav:"version"`
}

// CheckKey says whether a header's value can be a key.
func CheckKey(key string) error {
	ok := key != "" && len(key) <= MaxKey
	for i := range len(key) {
		ok = ok && key[i] >= ' ' && key[i] <= '~'
	}
	if !ok {
		return problem.Field("Idempotency-Key", "must have 1 to 255 printable ASCII characters")
	}
	return nil
}

// Begin claims a key. It gives a Run for the caller to do the work and then Keep or Release, or the
// answer that the first call got; other errors than problems are trouble with AWS.
func (s Store) Begin(ctx context.Context, c Call) (*Run, *Answer, error) {
	if err := CheckKey(c.Key); err != nil {
		return nil, nil, err
	}
	now := s.Now().UTC().Truncate(time.Millisecond)
	r := record{PK: hexDigest(c.Caller, c.Route, c.Key), SK: "answer", Fingerprint: hexDigest(string(c.Asked))}
	var stored record
	err := s.Table.Get(ctx, dynamo.Key{PK: r.PK, SK: r.SK}, &stored)
	switch {
	case errors.Is(err, dynamo.ErrMissing) || err == nil && stored.forgotten(now):
		return s.claim(ctx, r, stored.Version, now)
	case err != nil:
		return nil, nil, err
	case stored.Fingerprint != r.Fingerprint:
		return nil, nil, problem.New(problem.KeyReused, "this Idempotency-Key was used with another body")
	case stored.Answer != "":
		answer, err := s.openAnswer(ctx, stored)
		return nil, answer, err
	case now.Before(stored.LeaseUntil):
		return nil, nil, errInUse
	default:
		return s.takeOver(ctx, stored, now)
	}
}

var errInUse = problem.New(problem.KeyInUse, "the first call with this Idempotency-Key is still running; come again in a minute")

// forgotten is checked here because DynamoDB removes items up to days after their time.
func (r record) forgotten(now time.Time) bool { return !now.Before(r.At.Add(KeepFor)) }

// claim is the first call: it writes a new record, or one over a forgotten one.
func (s Store) claim(ctx context.Context, r record, forgotten int64, now time.Time) (*Run, *Answer, error) {
	dataKey := make([]byte, dataKeySize)
	if _, err := io.ReadFull(s.Random, dataKey); err != nil {
		return nil, nil, err
	}
	sealed, err := s.Sealer.Seal(ctx, r.owner(), dataKey)
	if err != nil {
		return nil, nil, err
	}
	r.DataKey, r.At, r.LeaseUntil, r.TTL, r.Version = sealed, now, now.Add(Lease), now.Add(KeepFor).Unix(), forgotten+1
	if forgotten == 0 {
		err = s.Table.Create(ctx, r)
	} else {
		err = s.Table.Replace(ctx, r, forgotten)
	}
	return s.begun(r, dataKey, err)
}

// takeOver is a call after one that was killed or failed: the same moment, the same randomness.
func (s Store) takeOver(ctx context.Context, r record, now time.Time) (*Run, *Answer, error) {
	dataKey, err := s.Sealer.Open(ctx, r.owner(), r.DataKey)
	if err != nil {
		return nil, nil, err
	}
	r.LeaseUntil, r.Version = now.Add(Lease), r.Version+1
	return s.begun(r, dataKey, s.Table.Replace(ctx, r, r.Version-1))
}

// begun makes the Run, unless another call was quicker.
func (s Store) begun(r record, dataKey []byte, err error) (*Run, *Answer, error) {
	var exists *dynamo.ExistsError
	if errors.As(err, &exists) || errors.Is(err, dynamo.ErrStale) {
		return nil, nil, errInUse
	}
	if err != nil {
		return nil, nil, err
	}
	random, err := randomness(dataKey)
	return &Run{At: r.At, Random: random, store: s, record: r, dataKey: dataKey}, nil, err
}

func (s Store) openAnswer(ctx context.Context, r record) (*Answer, error) {
	dataKey, err := s.Sealer.Open(ctx, r.owner(), r.DataKey)
	if err != nil {
		return nil, err
	}
	return open(dataKey, r.PK, r.Answer)
}

// owner is the encryption context of the record's data key.
func (r record) owner() seal.Owner { return seal.Owner{"answer": r.PK} }

func hexDigest(parts ...string) string {
	sum := id.Digest(parts...)
	return hex.EncodeToString(sum[:])
}
