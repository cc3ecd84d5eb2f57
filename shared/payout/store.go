package payout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"farrier/shared/chain"
	"farrier/shared/dynamo"
	"farrier/shared/id"
	"farrier/shared/problem"
)

// Store keeps payouts and their references. It never signs and never approves.
type Store struct {
	Payouts    dynamo.Table
	References dynamo.Table
	Assets     *chain.Set
	Facts      Facts
	Now        func() time.Time
	Random     io.Reader
}

// claim binds a reference to the request that first used it.
type claim struct {
	PK string `dynamodbav:"pk"` // merchant
	SK string `dynamodbav:"sk"` // "reference/" and the digest of the reference

	Payout    string    `dynamodbav:"payout"`
	Request   string    `dynamodbav:"request"` // fingerprint of what was asked for
	CreatedAt time.Time `dynamodbav:"created_at"`
}

// Hint asks pay to look at a payout now. It may be lost: pay looks at all that are open.
type Hint struct {
	Merchant string `json:"merchant"`
	Payout   string `json:"payout"`
}

// attempts is how often a step is decided anew when another writer was faster.
const attempts = 8

var (
	errBusy = errors.New("payout: others keep changing it; come again")
	errNone = problem.New(problem.NotFound, "there is no such payout")
)

// Create makes the payout, or finds the one that the same request made before. Errors are problems that name the field, or
// trouble with AWS or a node, after which the same call may be made again.
//
// One that is stored already is not looked at again: what is true of its destination may have changed since.
func (s Store) Create(ctx context.Context, r Request) (Payout, error) {
	p, made, err := s.Made(ctx, r)
	if made || err != nil {
		return p, err
	}
	if p, err = s.asked(ctx, r, p); err != nil {
		return Payout{}, err
	}
	first, err := s.claim(ctx, p, r)
	switch {
	case err != nil:
		return Payout{}, err
	case first.Request != p.fingerprint(r): // somebody was faster
		return Payout{}, first.otherwise()
	}
	p.ID, p.SK, p.CreatedAt = first.Payout, first.Payout, first.CreatedAt
	p = p.in(Requested, first.CreatedAt)
	if _, err := p.Hash(); err != nil {
		return Payout{}, err
	}
	return s.record(ctx, p)
}

// Made finds the payout that the same request made before; where there is none it is the one that would be made, without
// wallet, cost and id. Errors are those of Create about the text of the request and its reference.
func (s Store) Made(ctx context.Context, r Request) (p Payout, made bool, err error) {
	if p, err = read(s.Assets, r); err != nil {
		return Payout{}, false, err
	}
	first, claimed, err := s.claimed(ctx, p)
	switch {
	case err != nil || !claimed:
		return p, false, err
	case first.Request != p.fingerprint(r):
		return Payout{}, false, first.otherwise()
	}
	stored, err := s.Get(ctx, p.PK, first.Payout)
	if problem.Is(err, problem.NotFound) { // the run that claimed the reference stopped before it wrote the payout
		return p, false, nil
	}
	return stored, err == nil, err
}

// otherwise says that a reference is that of another request.
func (c claim) otherwise() error {
	return problem.New(problem.ReferenceUsed, fmt.Sprintf("this reference is that of the payout %s, which was asked for otherwise; "+
		"where there is no such payout yet it may still be being made, and sending that first request again finishes it", c.Payout))
}

// record writes the payout, or returns the one that an earlier run of the same request wrote.
func (s Store) record(ctx context.Context, p Payout) (Payout, error) {
	err := s.Payouts.Create(ctx, p)
	var stored Payout
	exists, readErr := dynamo.Exists(err, &stored)
	switch {
	case !exists:
		return p, err
	case readErr != nil:
		return Payout{}, readErr
	default:
		return stored, nil
	}
}

// claimed finds what holds the payout's reference.
func (s Store) claimed(ctx context.Context, p Payout) (claim, bool, error) {
	var stored claim
	err := s.References.Get(ctx, dynamo.Key{PK: p.PK, SK: referenceKey(p)}, &stored)
	if errors.Is(err, dynamo.ErrMissing) {
		return claim{}, false, nil
	}
	return stored, err == nil, err
}

// claim binds the reference to the payout, or gives what holds it.
func (s Store) claim(ctx context.Context, p Payout, r Request) (claim, error) {
	now := s.now()
	name, err := id.New("out", now, s.Random)
	if err != nil {
		return claim{}, err
	}
	mine := claim{PK: p.PK, SK: referenceKey(p), Payout: name, Request: p.fingerprint(r), CreatedAt: now}
	err = s.References.Create(ctx, mine)
	var stored claim
	exists, readErr := dynamo.Exists(err, &stored)
	if exists {
		return stored, readErr
	}
	return mine, err
}

func referenceKey(p Payout) string { return "reference/" + id.Short(p.Reference) }

// fingerprint is of what was asked for. Who asked is in it: a payout has one requester, whom approvers must differ from.
// A wallet that nobody wished for and the fee are not: they are chosen here, and another moment may choose others.
func (p Payout) fingerprint(r Request) string {
	parts := []string{string(p.Asset), p.Amount.String(), p.To, p.Requester, p.Reference, strconv.FormatBool(p.Contract), string(p.Speed), r.Wished}
	first := len(parts)
	for k, v := range p.Metadata {
		parts = append(parts, "metadata\x00"+k+"\x00"+v)
	}
	slices.Sort(parts[first:])
	return id.Short(parts...)
}

func (s Store) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

// Get reads a merchant's payout.
func (s Store) Get(ctx context.Context, merchant, name string) (Payout, error) {
	var p Payout
	if !id.Valid("out", name) {
		return p, errNone
	}
	err := s.Payouts.Get(ctx, dynamo.Key{PK: merchant, SK: name}, &p)
	if errors.Is(err, dynamo.ErrMissing) {
		return p, errNone
	}
	return p, err
}

// List reads a page of a merchant's payouts, the newest first.
func (s Store) List(ctx context.Context, merchant string, limit int32, cursor string) ([]Payout, string, error) {
	return dynamo.List[Payout](ctx, s.Payouts, dynamo.Query{PK: merchant, Descending: true, Limit: limit, Cursor: cursor})
}

// Open reads a page of the payouts of a chain that have not ended, of all merchants. The index is behind by a moment.
func (s Store) Open(ctx context.Context, on chain.ID, limit int32, cursor string) ([]Payout, string, error) {
	page, err := s.Payouts.Query(ctx, dynamo.Query{Index: OpenIndex, PartitionAttr: "open_chain", PK: OpenOn(on), Limit: limit, Cursor: cursor})
	if err != nil {
		return nil, "", err
	}
	var wanted []dynamo.Want
	for _, item := range page.Items {
		var key struct {
			PK string `dynamodbav:"pk"`
			SK string `dynamodbav:"sk"`
		}
		if err := dynamo.Unmarshal(item, &key); err != nil {
			return nil, "", err
		}
		wanted = append(wanted, dynamo.Want{Table: s.Payouts.Name, Key: dynamo.Key(key)})
	}
	found, err := dynamo.GetMany(ctx, s.Payouts.Client, wanted)
	if err != nil {
		return nil, "", err
	}
	var all []Payout
	for _, want := range wanted {
		var p Payout
		if err := dynamo.Unmarshal(found[want], &p); err != nil {
			return nil, "", err
		}
		all = append(all, p)
	}
	return all, page.Next, nil
}

// OpenIndex is the index of payouts by their OpenChain.
const OpenIndex = "open"

// Step decides about a payout as it stands and writes what was decided, or nothing where that is the payout itself. It
// decides anew where another writer was faster, so that decide must be a pure rule. Moves that the book must know of, those
// that change Booked or the round, are made with it in one transaction and not here.
func (s Store) Step(ctx context.Context, merchant, name string, decide func(Payout, time.Time) (Payout, error)) (Payout, error) {
	var tried Payout
	for range attempts {
		p, err := s.Get(ctx, merchant, name)
		if err != nil || p.Same(tried) { // the same: it was written, and the answer was lost on its way
			return p, err
		}
		next, err := decide(p, s.now())
		switch {
		case err != nil || next.Version == p.Version:
			return p, err
		case next.Booked != p.Booked || next.Round != p.Round:
			return p, ErrBook
		}
		err = s.Payouts.Replace(ctx, next, p.Version)
		if err == nil || !errors.Is(err, dynamo.ErrStale) {
			return next, err
		}
		tried = next
	}
	return Payout{}, errBusy
}

// ErrBook says that a move changes what the book says, and so is made in the book's transaction.
var ErrBook = errors.New("payout: this move is made with the book")

// Freezes keeps what is frozen.
type Freezes struct {
	Table dynamo.Table
	Now   func() time.Time
}

// List reads all that is frozen, and what was and is not any more.
func (s Freezes) List(ctx context.Context) ([]Freeze, error) {
	var all []Freeze
	err := dynamo.Each(ctx, s.Table, dynamo.Query{PK: everything().PK}, func(f Freeze) error {
		all = append(all, f)
		return nil
	})
	return all, err
}

// Set freezes, whatever was before.
func (s Freezes) Set(ctx context.Context, what Stop, who, reason string) (Freeze, error) {
	return s.change(ctx, what, func(f Freeze, now time.Time) (Freeze, error) { return f.Set(who, reason, now) })
}

// Lift asks for a freeze's end; the second person's wish ends it. Errors are problems.
func (s Freezes) Lift(ctx context.Context, what Stop, who string) (Freeze, error) {
	f, err := s.change(ctx, what, func(f Freeze, now time.Time) (Freeze, error) { return f.Lift(who, now) })
	if errors.Is(err, ErrNotFrozen) || errors.Is(err, ErrNobody) {
		return f, problem.New(problem.Conflict, err.Error())
	}
	return f, err
}

func (s Freezes) change(ctx context.Context, what Stop, next func(Freeze, time.Time) (Freeze, error)) (Freeze, error) {
	key := what.Key()
	for range attempts {
		f := Freeze{PK: key.PK, SK: key.SK}
		err := s.Table.Get(ctx, key, &f)
		if err != nil && !errors.Is(err, dynamo.ErrMissing) {
			return f, err
		}
		after, err := next(f, s.Now().UTC().Truncate(time.Millisecond))
		if err != nil || after.Version == f.Version {
			return f, err
		}
		if err = s.Table.Follow(ctx, after, f.Version); !errors.Is(err, dynamo.ErrStale) {
			return after, err
		}
	}
	return Freeze{}, errBusy
}

// Check reads, with strong consistency, whether a payout is frozen: it is a *FrozenError then.
func (s Freezes) Check(ctx context.Context, p Payout) error {
	var wanted []dynamo.Want
	for _, key := range StopsOf(p) {
		wanted = append(wanted, dynamo.Want{Table: s.Table.Name, Key: key})
	}
	found, err := dynamo.GetMany(ctx, s.Table.Client, wanted)
	if err != nil {
		return err
	}
	var freezes []Freeze
	for _, w := range wanted {
		item, there := found[w]
		if !there {
			continue
		}
		var f Freeze
		if err := dynamo.Unmarshal(item, &f); err != nil {
			return err
		}
		freezes = append(freezes, f)
	}
	return Frozen(freezes)
}
