package pool

import (
	"context"
	"errors"
	"time"

	"farrier/shared/chain"
	"farrier/shared/chain/jsonrpc"
)

// News is that an endpoint has entered or left trouble.
type News struct {
	Chain    chain.ID
	Endpoint string // the host; where two differ and nobody decides, both
	Kind     Kind
	Entered  bool
	Err      error // where it entered
	Resting  int   // how many of the chain's endpoints are in trouble now
}

const (
	checkEvery   = time.Minute      // between two looks at an endpoint's chain
	shortest     = 30 * time.Second // the first rest of an endpoint in trouble
	longest      = 10 * time.Minute // the last, and the most that a Retry-After is honoured
	jitter       = 15 * time.Second // how much older than another's an honest endpoint's head may be
	forgets      = 2 * time.Minute  // after which it no longer counts that an endpoint was behind
	trial        = time.Minute      // after which a question that tries an endpoint is taken for dead
	held         = time.Second      // for which a request must be out when the caller's time ends, to count as slow
	contradicted = 3                // answers that exclude each other, within a minute of each other: no reorganisation
)

// member is an endpoint and what we think of it. The pool's lock guards it.
type member[E Endpoint] struct {
	endpoint E
	checked  time.Time // when it last said that it is on our chain

	kind      Kind // its trouble; empty in good order
	err       error
	rest      time.Duration
	restUntil time.Time
	waitUntil time.Time // it asked not to be asked before
	trying    time.Time // its rest is over, and since then a question is out that tries it
	left      time.Time // when it last left trouble

	slow       error     // its last answer took too long
	low        time.Time // when it was last far behind
	head       uint64    // how high it was then
	excludes   int       // answers that excluded each other
	excludesAt time.Time
}

// inTurn are the endpoints in their order, those that rest apart, and without those that asked to be left alone. One
// whose rest is over comes first, so that it is tried. Of those that disagreed only a question that many answer can tell.
func (p *Pool[E]) inTurn(many bool) (turn, resting []*member[E], waiting []error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.options.Now()
	var tried, fresh []*member[E]
	for _, m := range p.all {
		switch {
		case now.Before(m.waitUntil):
			waiting = append(waiting, &waitError{until: m.waitUntil, said: named(m, m.err)})
		case m.kind == "":
			fresh = append(fresh, m)
		case len(tried) == 0 && now.Sub(m.trying) > trial && !now.Before(m.restUntil) && (many || m.kind != Disagrees):
			m.trying = now
			tried = append(tried, m)
		default:
			resting = append(resting, m)
		}
	}
	return append(tried, fresh...), resting, waiting
}

// failed notes an endpoint's error and makes it rest, where the error is one of those that an endpoint in good order does not give.
func (p *Pool[E]) failed(m *member[E], err error) {
	var behind *behindError
	far := errors.As(err, &behind) && behind.seen-behind.head > p.slack()
	switch {
	case behind != nil && !far: // a block or two: the next one may know more
		p.tried(m)
	case errors.Is(err, ErrReorganised) && !p.excludes(m):
		p.tried(m)
	default:
		p.rests(m, kindOf(err), err)
	}
	if far && !behind.guessed {
		p.compareHeads(m, behind.head)
	}
}

// excludes counts answers that exclude each other: once is a reorganisation, time and again is a lie.
func (p *Pool[E]) excludes(m *member[E]) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.options.Now()
	if now.Sub(m.excludesAt) > time.Minute {
		m.excludes = 0
	}
	m.excludes, m.excludesAt = m.excludes+1, now
	return m.excludes >= contradicted
}

// tried ends a trial without a result.
func (p *Pool[E]) tried(m *member[E]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m.trying = time.Time{}
}

// rests makes an endpoint rest, and say its chain again before it is believed again. The rest is longer each time that
// it ends in trouble; a question that was put to it meanwhile, since nobody else was left, does not count.
func (p *Pool[E]) rests(m *member[E], kind Kind, err error) {
	p.mu.Lock()
	now := p.options.Now()
	entered := m.kind == ""
	switch {
	case entered && now.Sub(m.left) > longest:
		m.rest, m.restUntil = shortest, now.Add(shortest)
	case entered || !now.Before(m.restUntil):
		m.rest = min(2*max(m.rest, shortest/2), longest)
		m.restUntil = now.Add(m.rest)
	}
	var status *jsonrpc.StatusError
	if errors.As(err, &status) && status.RetryAfter > 0 {
		m.waitUntil = now.Add(min(status.RetryAfter, longest))
	}
	if m.kind != Disagrees { // from which only agreement frees
		m.kind = kind
	}
	m.err, m.checked, m.trying = err, time.Time{}, time.Time{}
	p.tell(entered, News{Endpoint: m.endpoint.Name(), Kind: kind, Entered: true, Err: err})
}

// answered notes whether an endpoint's answer took more than a third of the time that we wait for one: 5 s, for a block of
// Bitcoin 13. The answer counts; but an endpoint that is slow and not dead would use up the caller's time again and again.
func (p *Pool[E]) answered(m *member[E]) {
	err := slow(m, func(patience time.Duration) time.Duration { return patience / 3 })
	p.mu.Lock()
	defer p.mu.Unlock()
	m.slow = err
}

// outlived notes that the caller's time ended while an endpoint was asked. That is its fault only where it held the last of it.
func (p *Pool[E]) outlived(m *member[E], ended error) {
	err := slow(m, func(time.Duration) time.Duration { return held })
	if err == nil || !errors.Is(ended, context.DeadlineExceeded) {
		p.tried(m)
		return
	}
	p.rests(m, Slow, err)
}

// well notes a good answer: an endpoint in trouble leaves it. Of one that disagreed only agreement shows that it is well.
func (p *Pool[E]) well(m *member[E], agreed bool) {
	p.mu.Lock()
	if late := m.slow; late != nil {
		m.slow = nil
		p.mu.Unlock()
		p.rests(m, Slow, late)
		return
	}
	m.trying = time.Time{}
	leaves := m.kind != "" && (agreed || m.kind != Disagrees)
	was := m.kind
	if leaves {
		m.kind, m.err, m.left, m.waitUntil = "", nil, p.options.Now(), time.Time{}
	}
	p.tell(leaves, News{Endpoint: m.endpoint.Name(), Kind: was})
}

// Mention tells of something about an endpoint that does not make it rest.
func (p *Pool[E]) Mention(e E, kind Kind, err error) {
	p.mu.Lock()
	p.tell(true, News{Endpoint: e.Name(), Kind: kind, Entered: true, Err: err})
}

// tell gives the lock back and then tells, if there is news.
func (p *Pool[E]) tell(news bool, n News) {
	n.Chain, n.Resting = p.options.Chain, p.resting()
	p.mu.Unlock()
	if news && p.options.Tell != nil {
		p.options.Tell(n)
	}
}

// Counts is how much the endpoints were asked, and how many of them are in trouble now.
func (p *Pool[E]) Counts() chain.Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := chain.Counts{Resting: p.resting()}
	for _, m := range p.all {
		if c, ok := any(m.endpoint).(interface{ Counts() (int64, int64) }); ok {
			requests, calls := c.Counts()
			out.Requests, out.Calls = out.Requests+requests, out.Calls+calls
		}
	}
	return out
}

func (p *Pool[E]) resting() int {
	n := 0
	for _, m := range p.all {
		if m.kind != "" {
			n++
		}
	}
	return n
}

// compareHeads decides who is wrong where an endpoint's head is far below what was shown. Where most endpoints say so,
// what was shown was no block of the chain, or the chain was rolled back: the others are not believed, and these are. But
// what as many as must have told alike is not undone by those who are below it.
func (p *Pool[E]) compareHeads(m *member[E], head uint64) {
	p.mu.Lock()
	now := p.options.Now()
	m.low, m.head = now, head
	var low, high []*member[E]
	highest := uint64(0)
	for _, x := range p.all {
		if now.Sub(x.low) <= forgets {
			low, highest = append(low, x), max(highest, x.head)
		} else {
			high = append(high, x)
		}
	}
	if len(low) < 2 || len(low) <= len(high) || highest < p.alike-min(p.alike, p.slack()) {
		p.mu.Unlock()
		return
	}
	p.seen, p.seenAt = max(highest, p.alike), now
	for _, x := range low {
		x.low = time.Time{}
	}
	p.mu.Unlock()
	for _, x := range low {
		p.well(x, false)
	}
	kind := Disagrees
	if p.options.Agree == 1 { // nobody would ask whether it agrees again
		kind = Lag
	}
	for _, x := range high {
		p.rests(x, kind, errOutvoted)
	}
}

// slack is how many blocks an honest endpoint's head may be behind another's.
func (p *Pool[E]) slack() uint64 { return max(2, p.blocksIn(jitter)) }

func (p *Pool[E]) blocksIn(d time.Duration) uint64 {
	if p.options.BlockTime <= 0 || d < 0 {
		return 0
	}
	return uint64(d / p.options.BlockTime) // #nosec G115 -- neither is negative
}

// Shown notes that an endpoint showed a block by its height: from now on we know that the chain is that high.
func (p *Pool[E]) Shown(height uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if height >= p.seen {
		p.seen, p.seenAt = height, p.options.Now()
	}
}

// NotBehind compares a head with the blocks that were really shown, not with heads that were claimed:
// a head that was a lie must not make all honest ones look old.
func (p *Pool[E]) NotBehind(head uint64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if head < p.seen {
		return &behindError{head: head, seen: p.seen}
	}
	return p.notAhead(head)
}

// NotFarBehind is NotBehind for an endpoint whose head need not be the newest of all.
func (p *Pool[E]) NotFarBehind(head uint64) error {
	err := p.NotBehind(head)
	var behind *behindError
	if errors.As(err, &behind) && behind.seen-behind.head <= p.slack() {
		return nil
	}
	return err
}

// Unknown is the error of an endpoint that does not know a block that it should. Near the head that is no trouble: behind
// one address a provider may have several nodes, and one of them has heard of a block a moment later than another. Far below
// it the endpoint rests until it says how high it is: it may only have thrown old blocks away, which tells nothing of its head.
func (p *Pool[E]) Unknown(height uint64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return &behindError{head: height - min(height, 1), seen: max(p.seen, height), guessed: true}
}

// ToldAlike notes that as many endpoints as must have told alike of the block at that height: the chain is never again
// taken to be lower.
func (p *Pool[E]) ToldAlike(height uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.options.Agree > 1 {
		p.alike = max(p.alike, height)
	}
}

// NotFromTheFuture says whether a head's own time can be: Bitcoin lets a block be two hours early, no other chain more
// (https://github.com/bitcoin/bitcoin/blob/master/src/chain.h, MAX_FUTURE_BLOCK_TIME, 2026-11).
func (p *Pool[E]) NotFromTheFuture(method string, head chain.Block) error {
	if early := head.Time.Sub(p.options.Now()); early > 2*time.Hour {
		return jsonrpc.Strange(method, "a block from %s, which is yet to come", head.Time.UTC().Format(time.RFC3339))
	}
	return nil
}

// notAhead lets a chain grow by an hour's blocks at once, as after a halt, and besides four times as fast as it should.
func (p *Pool[E]) notAhead(head uint64) error {
	if p.seen == 0 || p.options.BlockTime <= 0 {
		return nil
	}
	most := 1000 + p.blocksIn(time.Hour) + 4*p.blocksIn(p.options.Now().Sub(p.seenAt))
	if head > p.seen+most {
		return &AheadError{Head: head, Seen: p.seen}
	}
	return nil
}
