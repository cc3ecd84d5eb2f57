package watch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"farrier/shared/chain"
	"farrier/shared/dynamo"
)

// Entry is one pass in the journal: what was looked at, how far that was, and which deposits were found.
// Entries are numbered without gaps and never changed. An entry is written before its deposits are.
type Entry struct {
	PK string `dynamodbav:"pk"` // chain
	SK string `dynamodbav:"sk"` // "pass/" and the number, padded

	Number int64 `dynamodbav:"pass_number"`
	// Base is the entry that this one goes on from. It is the one before, unless that one's blocks were
	// reorganised away.
	Base int64 `dynamodbav:"base"`

	// The pass looked at the blocks From..To, which were new, and once more at those above After up to
	// Final, which had become final. Hash is that of the block To. Again are the heights of older blocks that it looked
	// at once more, since large deposits in them have settled: the heights that these wait for lie above After, up to Final.
	From  uint64   `dynamodbav:"from"`
	To    uint64   `dynamodbav:"to"`
	Hash  string   `dynamodbav:"hash"`
	After uint64   `dynamodbav:"after"`
	Final uint64   `dynamodbav:"final"`
	Again []uint64 `dynamodbav:"again,omitempty"`

	Looked []string `dynamodbav:"looked,omitempty"` // transactions that were looked at by themselves
	Keys   []Key    `dynamodbav:"keys,omitempty"`   // the deposits that were found
	// Open is the oldest entry that may name deposits that this pass, or a later one, has to decide about:
	// those that settle above After and those of the blocks that it found to be reorganised away.
	Open int64 `dynamodbav:"open"`

	At  time.Time `dynamodbav:"at"`
	TTL int64     `dynamodbav:"ttl,omitempty"`
}

// Key names a deposit and the height that it was found at. The names are short: entries are paid for by the KB.
type Key struct {
	Merchant string `dynamodbav:"m"`
	Payment  string `dynamodbav:"p"`
	Tx       string `dynamodbav:"t"`
	Index    string `dynamodbav:"i"`
	Height   uint64 `dynamodbav:"h"`
	// Settles is the height that has to be final before the deposit is, where that is not Height itself.
	Settles uint64 `dynamodbav:"s,omitempty"`
}

// settles is the height that has to be final before the deposit is.
func (k Key) settles() uint64 { return max(k.Height, k.Settles) }

// place is the key without what it waits for, which a new configuration may change.
func (k Key) place() Key {
	k.Settles = 0
	return k
}

// reach is the highest block that a deposit which the entry names waits for; 0 where it names none.
func (e Entry) reach() uint64 {
	reach := uint64(0)
	for _, k := range e.Keys {
		reach = max(reach, k.settles())
	}
	return reach
}

const (
	keepFor  = 7 * 24 * time.Hour // an entry; no reorganisation comes later
	anchorAt = 24 * time.Hour     // how old the anchor may become
	// fades is how old an entry becomes before what it names and is not decided is named anew: half of its life is left for
	// a watch that stands still.
	fades = keepFor / 2
)

// ErrForgotten: entries that name deposits which are not decided have expired, since the watch stood still for days. It goes on
// from its anchor, whose block is below all of these, and comes upon them again.
var ErrForgotten = errors.New("watch: entries of the journal that are still open have expired")

// journal reads and writes the passes of one chain. In memory it keeps the newest entries, back to the
// oldest one that is still open to the last.
type journal struct {
	table dynamo.Table
	chain chain.ID
	tail  []Entry
	begun time.Time // when the anchor was written
}

func passName(number int64) string { return fmt.Sprintf("pass/%015d", number) }

// errOvertaken: another watcher has written the next entry. Read on and decide again.
var errOvertaken = errors.New("watch: another watcher was faster")

// newest is the last entry that was read.
func (j *journal) newest() Entry { return j.tail[len(j.tail)-1] }

// refresh reads what others have written since. It is dynamo.ErrMissing where the watch has never begun.
func (j *journal) refresh(ctx context.Context) error {
	if len(j.tail) == 0 {
		return j.open(ctx)
	}
	if err := j.read(ctx, j.newest().Number+1, 0, func(e Entry) { j.tail = append(j.tail, e) }); err != nil {
		return err
	}
	for j.tail[0].Number < j.newest().Open {
		j.tail = j.tail[1:]
	}
	return nil
}

// open reads the newest entry and those that it says are still open.
func (j *journal) open(ctx context.Context) error {
	page, _, err := dynamo.List[Entry](ctx, j.table, dynamo.Query{PK: string(j.chain), Prefix: "pass/", Descending: true, Limit: 1})
	if err != nil {
		return err
	}
	if len(page) == 0 {
		anchor, err := j.anchor(ctx)
		if err == nil {
			j.tail = []Entry{anchor}
		}
		return err
	}
	var tail []Entry
	if err := j.read(ctx, page[0].Open, page[0].Number, func(e Entry) { tail = append(tail, e) }); err != nil {
		return err
	}
	j.tail = tail
	return nil
}

// reopen reads older entries, back to the one with this number, so that the tail holds all that were open to it. It is
// ErrForgotten where it no longer can.
func (j *journal) reopen(ctx context.Context, oldest int64) error {
	if oldest < j.tail[0].Number {
		var older []Entry
		if err := j.read(ctx, oldest, j.tail[0].Number-1, func(e Entry) { older = append(older, e) }); err != nil {
			return err
		}
		j.tail = append(older, j.tail...)
	}
	if first := j.tail[0].Number; first > oldest || j.holes(0) > 0 {
		return fmt.Errorf("%w: of those from %d to %d", ErrForgotten, oldest, j.newest().Number)
	}
	return nil
}

// holes is how many entries of the tail lie before its last gap, and no fewer than those.
func (j *journal) holes(n int) int {
	for i, e := range j.tail[1:] {
		if e.Number > j.tail[i].Number+1 {
			n = max(n, i+1)
		}
	}
	return n
}

// fading is how many entries of the tail, the oldest ones, are soon forgotten, or have a gap after them that nobody can
// read over again: what they name must be named anew to stay known.
func (j *journal) fading(now time.Time) int {
	n := 0
	for n < len(j.tail) && now.Sub(j.tail[n].At) > fades {
		n++
	}
	return j.holes(n)
}

// undecided are the keys of the oldest entries of the tail that a pass with this base, or a later one, has to decide about.
func (j *journal) undecided(oldest int, base Entry) []Key {
	last := int64(-1)
	if oldest > 0 {
		last = j.tail[oldest-1].Number
	}
	return j.keys(func(e Entry, k Key) bool {
		return e.Number <= last && (k.settles() > base.Final || e.Number > base.Number)
	})
}

// leave lets go of the oldest entries of the tail, but for its last one.
func (j *journal) leave(oldest int) { j.tail = j.tail[min(oldest, len(j.tail)-1):] }

// read gives f the entries from one number to another, or to the end where that is 0.
func (j *journal) read(ctx context.Context, from, to int64, f func(Entry)) error {
	last := "pass/~"
	if to > 0 {
		last = passName(to)
	}
	return j.table.Each(ctx, dynamo.Query{PK: string(j.chain), From: passName(from), To: last}, func(item dynamo.Item) error {
		var e Entry
		err := dynamo.Unmarshal(item, &e)
		if err == nil {
			f(e)
		}
		return err
	})
}

// entry finds an entry by its number: in memory, in the table or, where that has forgotten it, the anchor.
func (j *journal) entry(ctx context.Context, number int64) (Entry, error) {
	for _, e := range j.tail {
		if e.Number == number {
			return e, nil
		}
	}
	var e Entry
	err := j.table.Get(ctx, dynamo.Key{PK: string(j.chain), SK: passName(number)}, &e)
	if errors.Is(err, dynamo.ErrMissing) {
		return j.anchor(ctx)
	}
	return e, err
}

// keys are the distinct keys of the tail that are wanted.
func (j *journal) keys(wanted func(Entry, Key) bool) []Key {
	seen := map[Key]bool{}
	var out []Key
	for _, e := range j.tail {
		for _, k := range e.Keys {
			if !seen[k] && wanted(e, k) {
				seen[k] = true
				out = append(out, k)
			}
		}
	}
	return out
}

// named are the places of all keys of the tail, and the height that each waits for.
func (j *journal) named() map[Key]uint64 {
	out := map[Key]uint64{}
	for _, e := range j.tail {
		for _, k := range e.Keys {
			out[k.place()] = max(out[k.place()], k.settles())
		}
	}
	return out
}

// unnamed are the keys of findings that the tail does not name yet, or not to wait for as long as they have to.
func (j *journal) unnamed(found []finding) []Key {
	known := j.named()
	var out []Key
	for _, f := range found {
		k := f.key()
		if waits, is := known[k.place()]; !is || waits < k.settles() {
			known[k.place()] = k.settles()
			out = append(out, k)
		}
	}
	return out
}

// append writes the next entry. Only one watcher can: the others are errOvertaken.
func (j *journal) append(ctx context.Context, e Entry) (Entry, error) {
	e.PK, e.SK = string(j.chain), passName(e.Number)
	e.TTL = e.At.Add(keepFor).Unix()
	e.Open = e.Number
	for _, older := range j.tail {
		if older.reach() > e.After || older.Number > e.Base && len(older.Keys) > 0 {
			e.Open = older.Number
			break
		}
	}
	err := j.table.Create(ctx, e)
	var exists *dynamo.ExistsError
	if errors.As(err, &exists) {
		return Entry{}, errOvertaken
	}
	if err != nil {
		return Entry{}, err
	}
	j.tail = append(j.tail, e)
	return e, nil
}

// The anchor is a final block that the watch can go on from when every entry has been forgotten. It is
// never forgotten itself: without it, a watch that was stopped for longer than entries live would begin
// anew at the head and jump over all that happened meanwhile.
const anchorName = "anchor"

func (j *journal) anchor(ctx context.Context) (Entry, error) {
	var e Entry
	err := j.table.Get(ctx, dynamo.Key{PK: string(j.chain), SK: anchorName}, &e)
	j.begun = e.At
	return e, err
}

// begin writes the first anchor, before anything else is written.
func (j *journal) begin(ctx context.Context, at chain.Block, now time.Time) error {
	err := j.table.Create(ctx, anchored(j.chain, 0, at, now))
	var exists *dynamo.ExistsError
	if errors.As(err, &exists) {
		return errOvertaken
	}
	return err
}

// advance moves the anchor to a final block that every entry up to a number stands for.
func (j *journal) advance(ctx context.Context, number int64, at chain.Block, now time.Time) error {
	e := anchored(j.chain, number, at, now)
	err := j.table.PutIf(ctx, e, "pass_number < :number", map[string]any{":number": number})
	if errors.Is(err, dynamo.ErrStale) {
		err = nil // another watcher has moved it on
	}
	if err == nil {
		j.begun = now
	}
	return err
}

func anchored(c chain.ID, number int64, at chain.Block, now time.Time) Entry {
	return Entry{
		PK: string(c), SK: anchorName, Number: number, Base: number, From: at.Height + 1, To: at.Height, Hash: at.Hash,
		After: at.Height, Final: at.Height, Open: number, At: now,
	}
}
