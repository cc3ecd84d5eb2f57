package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"farrier/shared/chain"
	"farrier/shared/cloud"
	"farrier/shared/deposit"
	"farrier/shared/dynamo"
)

// Watcher looks at one chain. Several may look at the same chain at once.
type Watcher struct {
	Config   chain.Config
	Node     chain.Node
	Passes   dynamo.Table
	Owners   Owners
	Deposits deposit.Store
	AtOnce   int // deposits that are written at the same time; 0 for 16
	Agree    int // how many endpoints the Node has agree where that is asked for: with one, its word is all there is
	Now      cloud.Clock
	Log      *slog.Logger

	mu      sync.Mutex
	journal journal
	applied int64  // the last entry whose deposits are surely written, as far as this process knows
	span    uint64 // how many new blocks the next pass takes at the most
	settle  uint64 // how many blocks that have become final it takes at the most
	forgot  error  // that this pass goes on from the anchor, since entries have expired
}

// Progress is where a pass has brought the watch.
type Progress struct {
	Height  uint64 // up to which every block was looked at
	Behind  uint64 // blocks from there to the head
	Final   uint64 // up to which every deposit is final, but for large ones that wait for more
	Blocks  uint64 // that this pass was the first to look at
	Gone    uint64 // blocks that had been looked at and were reorganised away
	Found   int    // deposits that no pass had found before
	Pending int    // deposits that are not final yet
	Stands  bool   // the final height has stood still for much longer than it should, while a deposit waits for it
	Unsure  error  // why nothing became final: chain.ErrUnsure, or nil
	Forgot  error  // that entries had expired which were needed: ErrForgotten, or nil
}

// Trouble that passes by itself: the next pass tries again.
var (
	// ErrBehind: the node's head is below a block that a pass has been through. The node lags, or the
	// chain was rolled back and has yet to grow as high again.
	ErrBehind = errors.New("watch: the head is older than what was looked at before")
	// ErrReorganised: the chain changed while the pass looked at it.
	ErrReorganised = errors.New("watch: the chain was reorganised during the pass")
	// ErrContradiction: two answers about the same block exclude each other.
	ErrContradiction = errors.New("watch: the node contradicts itself")
)

// errCrowded: the next pass takes fewer blocks.
var errCrowded = errors.New("watch: more deposits in these blocks than one entry names")

// ErrNoCommonBlock: none of the blocks that the journal knows is canonical. It is another chain, or one
// that was reorganised for longer than the journal reaches back. A person must decide; nothing is written.
var ErrNoCommonBlock = errors.New("watch: the chain has no block in common with the journal")

const (
	widest = 500 // blocks in a pass
	// A pass that takes longer than slow is halved, so that each ends well within an invocation.
	slow = 8 * time.Second
	// most is how many deposits an entry names: about 150 bytes each, of the 400 KB that an item holds.
	most = 1000
	// lazily is after how many final blocks they are looked at again although no deposit waits there.
	lazily = 64
	// races is how often a pass is begun anew because another watcher was faster.
	races = 5
)

// Pass looks at what is new on the chain and at what has become final.
func (w *Watcher) Pass(ctx context.Context) (Progress, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.journal.table, w.journal.chain = w.Passes, w.Config.ID
	for range races {
		now, err := w.pass(ctx)
		if !errors.Is(err, errOvertaken) {
			return now, err
		}
	}
	return Progress{}, errOvertaken
}

func (w *Watcher) pass(ctx context.Context) (Progress, error) {
	w.forgot = nil
	s, err := w.sight(ctx)
	if err != nil {
		return Progress{}, err
	}
	next, due := w.plan(s)
	if !due {
		return w.progress(s, 0), nil
	}
	gone := w.journal.newest().To - s.base.To
	if w.forgot != nil {
		gone = 0 // they are looked at anew, and were not reorganised away
	}
	began := w.Now()
	next, found, err := w.scan(ctx, s, next)
	if errors.Is(err, chain.ErrUnsure) {
		w.narrowSettled(next)
		s = s.unsureOf(err)
		if next, due = w.plan(s); !due {
			return w.progress(s, 0), nil
		}
		next, found, err = w.scan(ctx, s, next)
	}
	if err != nil {
		w.narrow(next)
		return Progress{}, err
	}
	news := w.journal.unnamed(found)
	entry, err := w.record(ctx, s.base, next, news)
	if err != nil {
		return Progress{}, err
	}
	if err := w.apply(ctx, entry, found, s.final); err != nil {
		return Progress{}, err
	}
	w.pace(next, w.Now().Sub(began))
	p := w.progress(s, len(news))
	p.Blocks, p.Gone = next.To+1-min(next.From, next.To+1), gone
	return p, w.keepAnchor(ctx, s.base)
}

// Overtaken says whether another watcher of the chain has written an entry since our last pass: one small read.
func (w *Watcher) Overtaken(ctx context.Context) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.journal.tail) == 0 {
		return false
	}
	before := w.journal.newest().Number
	return w.journal.refresh(ctx) == nil && w.journal.newest().Number != before
}

// counts is what was asked of the chain's endpoints so far; nothing where the node does not count.
func (w *Watcher) counts() chain.Counts {
	if n, ok := w.Node.(chain.Asked); ok {
		return n.Counts()
	}
	return chain.Counts{}
}

// sight is what a pass begins with.
type sight struct {
	head   chain.Block
	final  uint64 // the newest final height, by the chain's rule
	unsure error  // why nothing is final for this pass, where that is so
	base   Entry  // the newest entry whose block is still canonical
}

// unsureOf is the sight of a pass whose endpoints do not agree on what is final: it looks at what is new, and lets
// nothing become final.
func (s sight) unsureOf(err error) sight {
	s.final, s.unsure = 0, err
	return s
}

// sight reads the journal and the head, finds the entry to go on from, and makes up for what a watcher
// that died may have left undone.
func (w *Watcher) sight(ctx context.Context) (sight, error) {
	err := w.journal.refresh(ctx)
	if errors.Is(err, dynamo.ErrMissing) {
		if err = w.begin(ctx); err == nil {
			err = w.journal.refresh(ctx)
		}
	}
	if err != nil {
		return sight{}, err
	}
	head, final, unsure := w.head(ctx)
	if unsure != nil && !errors.Is(unsure, chain.ErrUnsure) {
		return sight{}, unsure
	}
	if newest := w.journal.newest(); head.Height < newest.To && !w.gone(ctx, newest) {
		return sight{}, fmt.Errorf("%w: %d after %d", ErrBehind, head.Height, newest.To)
	}
	base, err := w.base(ctx)
	if err != nil {
		return sight{}, err
	}
	s := sight{head: head, final: final, unsure: unsure, base: base}
	return w.makeUp(ctx, s)
}

// lookBack is how far before the newest final block a watch begins that has no configured start: payments
// are taken from the moment of deployment, and the first pass may come later, as after a wrong endpoint was mended.
const lookBack = time.Hour

// begin puts the anchor before the first block to look at: the configured one, or one lookBack before the newest final one.
func (w *Watcher) begin(ctx context.Context) error {
	_, final, err := w.head(ctx)
	if err != nil {
		return err
	}
	before := final - min(final, uint64(lookBack/time.Duration(w.Config.BlockTime))) // #nosec G115 -- both are positive
	if w.Config.Start > 0 {
		before = min(w.Config.Start-1, final)
	}
	at, err := w.Node.Sure(ctx, before)
	if err != nil {
		return fmt.Errorf("first block %d: %w", before, err)
	}
	return w.journal.begin(ctx, at, w.Now())
}

// head is the newest block, believed only once the node shows the same block by its height, and the newest final height.
// It is chain.ErrUnsure, beside the head, where it cannot be told what is final.
func (w *Watcher) head(ctx context.Context) (chain.Block, uint64, error) {
	head, err := w.Node.Head(ctx)
	if err != nil {
		return chain.Block{}, 0, fmt.Errorf("head: %w", err)
	}
	if err := w.still(ctx, head.Height, head.Hash); err != nil {
		return chain.Block{}, 0, err
	}
	final, err := w.Node.Final(ctx, head)
	if err != nil {
		return head, 0, fmt.Errorf("final height: %w", err)
	}
	return head, final, nil
}

// still is ErrReorganised where another block is canonical at that height by now.
func (w *Watcher) still(ctx context.Context, height uint64, hash string) error {
	canonical, err := w.canonical(ctx, height, hash)
	if err == nil && !canonical {
		err = ErrReorganised
	}
	return err
}

func (w *Watcher) canonical(ctx context.Context, height uint64, hash string) (bool, error) {
	at, err := w.Node.BlockAt(ctx, height)
	if err != nil {
		return false, fmt.Errorf("block %d: %w", height, err)
	}
	return at.Hash == hash, nil
}

// base walks back from the newest entry, each time to the one that it went on from, until it finds one
// whose block is canonical. Entries that are left out of the walk belong to forks that were given up
// before; even where the chain has returned to such a fork, what they found was taken back since, and
// must be looked at anew.
func (w *Watcher) base(ctx context.Context) (Entry, error) {
	e := w.journal.newest()
	for {
		canonical, err := w.canonicalEntry(ctx, e)
		if err != nil {
			return Entry{}, err
		}
		if canonical {
			return w.reopened(ctx, e)
		}
		if e.SK == anchorName {
			return Entry{}, w.noCommonBlock(ctx, e)
		}
		if e, err = w.journal.entry(ctx, e.Base); err != nil {
			return Entry{}, err
		}
	}
}

// canonicalEntry says whether the entry's block is canonical. An endpoint that says otherwise is believed where those that
// must agree say so too, or where they cannot tell: what is taken back then is not final.
func (w *Watcher) canonicalEntry(ctx context.Context, e Entry) (bool, error) {
	canonical, err := w.canonical(ctx, e.To, e.Hash)
	if canonical || w.Agree < 2 {
		return canonical, err
	}
	at, sure := w.Node.Sure(ctx, e.To)
	switch {
	case errors.Is(sure, chain.ErrNotFound):
		return false, nil
	case errors.Is(sure, chain.ErrUnsure):
		return false, err
	case sure != nil:
		return false, fmt.Errorf("block %d: %w", e.To, sure)
	}
	return at.Hash == e.Hash, nil
}

// gone says whether as many endpoints as must agree say that the entry's block, which is above the head that one of them
// told, is not there: it was made up, or the chain was rolled back. Where one endpoint's word is all there is, it lags.
func (w *Watcher) gone(ctx context.Context, e Entry) bool {
	if w.Agree < 2 {
		return false
	}
	at, err := w.Node.Sure(ctx, e.To)
	return errors.Is(err, chain.ErrNotFound) || err == nil && at.Hash != e.Hash
}

// noCommonBlock is ErrNoCommonBlock, or ErrUnsure where the endpoints do not agree that the anchor's block is not canonical.
func (w *Watcher) noCommonBlock(ctx context.Context, anchor Entry) error {
	if _, err := w.Node.Sure(ctx, anchor.To); errors.Is(err, chain.ErrUnsure) {
		return fmt.Errorf("anchor: %w", err)
	}
	return ErrNoCommonBlock
}

// reopened is a base with all that was open to it in the journal's tail. Where that has expired it is the anchor, whose block
// is below what waited when it was made: what is above it is looked at anew, and what the journal still names decided about.
func (w *Watcher) reopened(ctx context.Context, base Entry) (Entry, error) {
	err := w.journal.reopen(ctx, base.Open)
	switch {
	case !errors.Is(err, ErrForgotten):
		return base, err
	case base.SK == anchorName:
		return base, nil // it stands for the entries before it
	}
	w.forgot = err
	w.Log.ErrorContext(ctx, "the journal has forgotten what is open", "chain", w.Config.ID, "error", err.Error()) // a look's pass tells nobody else
	anchor, err := w.journal.anchor(ctx)
	if err != nil {
		return Entry{}, err
	}
	canonical, err := w.canonicalEntry(ctx, anchor)
	if err == nil && !canonical {
		err = w.noCommonBlock(ctx, anchor)
	}
	return anchor, err
}

// makeUp applies the newest entry again where the watcher that wrote it may have died before it had.
// Older entries are applied: whoever wrote the next one saw to that. An entry of a fork that is gone
// needs no making up: the pass that goes on from below it goes through all that it named.
func (w *Watcher) makeUp(ctx context.Context, s sight) (sight, error) {
	e := w.journal.newest()
	if e.Number != s.base.Number || e.Number <= w.applied || !w.hasWork(e) {
		return s, nil
	}
	found, err := w.find(ctx, e)
	if errors.Is(err, chain.ErrUnsure) {
		return w.makeUpUnsettled(ctx, s.unsureOf(err), e)
	}
	if err != nil {
		return s, err
	}
	return s, w.apply(ctx, e, w.named(found), s.final)
}

// makeUpUnsettled makes up for what was new in the entry, where the endpoints do not agree on what was final in it. That is
// done again: the pass goes on from the final block that the entry went on from.
func (w *Watcher) makeUpUnsettled(ctx context.Context, s sight, e Entry) (sight, error) {
	w.narrowSettled(e)
	after := e.After
	if len(e.Looked) > 0 {
		for _, k := range e.Keys {
			after = min(after, k.Height-min(k.Height, 1))
		}
		if e.After-after > widest {
			return s, s.unsure // too far back to be looked at again
		}
	}
	e.After, e.Final, e.Again = after, after, nil
	found, err := w.find(ctx, e)
	if err != nil {
		return s, err
	}
	before := w.applied
	err = w.apply(ctx, e, w.named(found), 0)
	w.applied = before // it is not, as a whole
	s.base.Final = after
	return s, err
}

// named are the findings that the journal names. The node may show more by now than it did then, but what
// no entry names must not be stored; it is found when its block is final.
func (w *Watcher) named(found []finding) []finding {
	known := w.journal.named()
	return slices.DeleteFunc(found, func(f finding) bool { _, is := known[f.key().place()]; return !is })
}

// hasWork says whether applying the entry could change anything.
func (w *Watcher) hasWork(e Entry) bool {
	return len(e.Keys) > 0 || len(w.doubtful(e)) > 0
}

// plan says which blocks the next pass looks at, and whether there are any: the new ones, and those that
// have become final where that is worth while. Far behind, where blocks that are new to us are final
// already, both are one range, and a deposit in it is written once.
func (w *Watcher) plan(s sight) (Entry, bool) {
	span, settle := w.widest()
	e := Entry{
		Number: w.journal.newest().Number + 1, Base: s.base.Number, At: w.Now(),
		From: s.base.To + 1, To: min(s.head.Height, s.base.To+span), After: s.base.Final,
	}
	e.Final = max(e.After, min(s.final, s.head.Height))
	switch {
	case e.Final >= e.From:
		e.To = min(s.head.Height, max(s.base.To, e.After+span))
	case !w.worthwhile(e):
		e.Final = e.After
	}
	e.Final = min(e.Final, e.To, e.After+settle)
	e.Again = w.again(e)
	return e, e.From <= e.To || e.After < e.Final
}

// worthwhile says whether blocks that have become final are to be looked at again now: where a deposit
// waits for it, or where many have come together. The second look at blocks without deposits finds what
// a node kept from us at the first; that may wait a little.
func (w *Watcher) worthwhile(e Entry) bool {
	return len(w.doubtful(e)) > 0 || e.Final-e.After >= lazily
}

// widest is how many new blocks a pass takes at the most, and how many that have become final. The latter may be
// fewer: as many endpoints as must agree have to answer about them.
func (w *Watcher) widest() (span, settle uint64) {
	if w.span == 0 {
		w.span, w.settle = widest, widest
	}
	return w.span, w.settle
}

// narrow halves what the next pass takes of the blocks that this one took.
func (w *Watcher) narrow(e Entry) {
	span, _ := w.widest()
	w.span = max(1, min(span, e.blocks())/2)
	w.narrowSettled(e)
}

func (w *Watcher) narrowSettled(e Entry) {
	if _, settle := w.widest(); e.Final > e.After {
		w.settle = max(1, min(settle, e.Final-e.After)/2)
	}
}

// pace fits the next pass to the time that this one took.
func (w *Watcher) pace(e Entry, took time.Duration) {
	switch {
	case took > slow:
		w.narrow(e)
	case took < slow/4:
		span, settle := w.widest()
		w.span = min(widest, span*2)
		if e.Final > e.After {
			w.settle = min(widest, settle*2)
		}
	}
}

// blocks is how many blocks a pass looks at.
func (e Entry) blocks() uint64 {
	n := uint64(0)
	for _, r := range e.ranges() {
		n += r.to - r.from + 1
	}
	return n
}

// ranges are the blocks that a pass looks at: single ones whose deposits have settled, those that became final, and
// above them those that are new.
func (e Entry) ranges() []heights {
	var out []heights
	for _, height := range e.Again {
		out = append(out, heights{height, height, true})
	}
	settled, fresh := heights{e.After + 1, e.Final, true}, heights{max(e.From, e.Final+1), e.To, false}
	return append(out, slices.DeleteFunc([]heights{settled, fresh}, heights.none)...)
}

// heights is a range of blocks, both included.
type heights struct {
	from, to uint64
	settled  bool // final: as many endpoints as must agree are asked
}

func (r heights) none() bool { return r.from > r.to }

func (r heights) has(height uint64) bool { return r.from <= height && height <= r.to }

// scan finds the deposits in the blocks of a pass, and is sure that the chain was one and the same from
// the first answer to the last: the end of the range is canonical before and after, and so is the entry
// that the pass goes on from. (The head was read before the base was found to be canonical. Where the
// pass ends at the head, the head alone stands for both.)
func (w *Watcher) scan(ctx context.Context, s sight, e Entry) (Entry, []finding, error) {
	end, atHead := s.head, e.To == s.head.Height
	if !atHead {
		var err error
		if end, err = w.Node.BlockAt(ctx, e.To); err != nil {
			return e, nil, fmt.Errorf("block %d: %w", e.To, err)
		}
	}
	found, err := w.find(ctx, e)
	if err != nil {
		return e, nil, err
	}
	if err := w.still(ctx, end.Height, end.Hash); err != nil {
		return e, nil, err
	}
	if !atHead {
		if err := w.still(ctx, s.base.To, s.base.Hash); err != nil {
			return e, nil, err
		}
	}
	if len(found) > most && e.blocks() > 1 {
		return e, nil, fmt.Errorf("%w: %d in %d", errCrowded, len(found), e.blocks())
	}
	e.Hash = end.Hash
	return e, found, nil
}

// record writes the entry. Before it come entries that look at no block: with what entries name that are soon forgotten and
// is not decided, and with keys beyond what one entry holds.
func (w *Watcher) record(ctx context.Context, base, e Entry, keys []Key) (Entry, error) {
	fading := w.journal.fading(e.At)
	for anew := w.journal.undecided(fading, base); len(anew) > 0; e.Number++ {
		now := anew[:min(most, len(anew))]
		if err := w.name(ctx, base, e, now); err != nil {
			return Entry{}, err
		}
		anew = anew[len(now):]
	}
	w.journal.leave(fading)
	for ; len(keys) > most; e.Number++ {
		if err := w.name(ctx, base, e, keys[:most]); err != nil {
			return Entry{}, err
		}
		keys = keys[most:]
	}
	e.Keys = keys
	return w.journal.append(ctx, e)
}

// name writes an entry in the place of another one that names keys and looks at no block.
func (w *Watcher) name(ctx context.Context, base, e Entry, keys []Key) error {
	more := base
	more.Number, more.Base, more.At, more.Looked, more.Again = e.Number, base.Number, e.At, nil, nil
	more.From, more.After, more.Keys = base.To+1, base.Final, keys
	_, err := w.journal.append(ctx, more)
	return err
}

// keepAnchor moves the anchor on once a day, to the entry that the newest one goes on from: a reorganisation
// deeper than it should be, right after, still finds the anchor canonical.
func (w *Watcher) keepAnchor(ctx context.Context, e Entry) error {
	if w.journal.begun.IsZero() {
		if _, err := w.journal.anchor(ctx); err != nil {
			return err
		}
	}
	if w.Now().Sub(w.journal.begun) < anchorAt {
		return nil
	}
	at, err := w.Node.Sure(ctx, w.settled(e))
	if errors.Is(err, chain.ErrUnsure) {
		return nil // the next pass tries again
	}
	if err != nil {
		return fmt.Errorf("anchor: %w", err)
	}
	return w.journal.advance(ctx, e.Number, at, w.Now())
}

// settled is the highest block up to which all is decided by the entry: below its final block, where a large deposit
// waits for more. Whoever goes on from there, with every entry forgotten, comes upon that deposit again.
func (w *Watcher) settled(e Entry) uint64 {
	height := e.Final
	for _, k := range w.journal.keys(func(_ Entry, k Key) bool { return k.settles() > e.Final && k.Height > 0 }) {
		height = min(height, k.Height-1)
	}
	return height
}

// standing is how long the final height may stand still while a deposit waits for it, besides the time that the blocks take:
// Ethereum's moves every 6.4 minutes (https://ethereum.org/developers/docs/consensus-mechanisms/pos, 2026-11), and an epoch may be missed.
const standing, standingBlocks = 30 * time.Minute, 12

// standsStill says whether the final height does: for longer than it may and than twice the blocks take that have to come
// before the first deposit settles, or before the height moves without one.
func (w *Watcher) standsStill() bool {
	newest := w.journal.newest()
	next := uint64(0)
	for _, k := range w.journal.keys(func(_ Entry, k Key) bool { return k.settles() > newest.Final }) {
		if next == 0 || k.settles() < next {
			next = k.settles()
		}
	}
	if next == 0 {
		return false
	}
	since := newest.At
	for _, e := range slices.Backward(w.journal.tail) {
		if e.Final != newest.Final {
			break
		}
		since = e.At
	}
	blocks := standingBlocks + 2*min(next-newest.Final, lazily)
	return w.Now().Sub(since) > standing+time.Duration(blocks)*time.Duration(w.Config.BlockTime) // #nosec G115 -- some blocks
}

func (w *Watcher) progress(s sight, found int) Progress {
	e := w.journal.newest()
	return Progress{
		Height: e.To, Behind: s.head.Height - min(s.head.Height, e.To), Final: e.Final,
		Found: found, Unsure: s.unsure, Forgot: w.forgot, Stands: w.standsStill(), Pending: len(w.journal.keys(func(_ Entry, k Key) bool { return k.settles() > e.Final })),
	}
}
