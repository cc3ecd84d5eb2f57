package pool

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"farrier/shared/chain"
)

// Endpoint is one of a chain's nodes.
type Endpoint interface {
	// Name is for people and must hold no key: the host.
	Name() string
	// OnChain asks the endpoint which chain it is on: a *WrongChainError where it is another.
	OnChain(ctx context.Context) error
}

// Options are what a Pool is made of, besides its endpoints.
type Options struct {
	Chain chain.ID
	Now   func() time.Time
	// Agree is how many endpoints must agree where agreement is asked for; 0 for two, or one where there is one.
	Agree     int
	BlockTime time.Duration // the usual one; 0 where heads are not to be held against the clock
	Tell      func(News)    // of trouble; may be nil
}

// Of are the options of a configured chain.
func Of(c chain.Config, now func() time.Time, tell func(News)) Options {
	return Options{Chain: c.ID, Now: now, Agree: c.Finality.Agree, BlockTime: time.Duration(c.BlockTime), Tell: tell}
}

// Pool is the endpoints of one chain in their order of preference.
type Pool[E Endpoint] struct {
	options Options
	all     []*member[E]

	mu       sync.Mutex
	seen     uint64 // the highest block that any endpoint has shown us by its height
	seenAt   time.Time
	alike    uint64 // the highest that as many as must told alike
	disputed bool   // endpoints differ, and nobody decides
}

// Tip may be had from an endpoint: its newest height. One that lagged is asked for it before it is believed again.
type Tip interface {
	Tip(ctx context.Context) (uint64, error)
}

// New makes a Pool. Nothing is asked before a question is put.
func New[E Endpoint](o Options, endpoints ...E) (*Pool[E], error) {
	if len(endpoints) == 0 {
		return nil, fmt.Errorf("node: %s has no endpoint", o.Chain)
	}
	if o.Agree < 0 || o.Agree > len(endpoints) {
		return nil, fmt.Errorf("node: finality.agree of %s: %d of %d endpoints cannot agree", o.Chain, o.Agree, len(endpoints))
	}
	if o.Agree == 0 {
		o.Agree = min(2, len(endpoints))
	}
	p := &Pool[E]{options: o}
	for _, e := range endpoints {
		p.all = append(p.all, &member[E]{endpoint: e})
	}
	return p, nil
}

// Agree is how many endpoints must agree.
func (p *Pool[E]) Agree() int { return p.options.Agree }

// Put puts a question to the endpoints in turn until one answers. "Not found" is an answer only where
// no other endpoint in good order knows better; those that rest are asked only where none of the others answered.
func Put[E Endpoint, T any](ctx context.Context, p *Pool[E], question func(E) (T, error)) (T, error) {
	r := begin(p, question, false)
	var none T
	for _, some := range [][]*member[E]{r.turn, r.resting} {
		for _, m := range some {
			answer, ok, err := r.ask(ctx, m)
			if ok {
				p.well(m, false)
			}
			if ok || err != nil {
				return answer, err
			}
		}
		if r.notFound > 0 {
			return none, chain.ErrNotFound
		}
	}
	return none, errors.Join(r.troubles...)
}

// Agreed is the answer that as many endpoints as must give alike. Where they differ others decide, and those
// who said otherwise are in trouble. It is chain.ErrUnsure where there are not enough to decide, and
// chain.ErrNotFound where all that must say so. Where one did not answer because it was asked too much at once (Wide) it is
// that error, and not chain.ErrUnsure: asked for less, it may.
func Agreed[E Endpoint, T any](ctx context.Context, p *Pool[E], same func(a, b T) bool, question func(E) (T, error)) (T, error) {
	r := begin(p, question, true)
	var said []camp[E, T]
	answers := 0
	for _, m := range slices.Concat(r.turn, r.resting) {
		answer, ok, err := r.ask(ctx, m)
		switch {
		case err != nil:
			release(p, said)
			return answer, err
		case !ok:
			continue
		}
		answers++
		said = joined(said, same, answer, m)
		for i, c := range said {
			if len(c.members) == p.options.Agree {
				decided(p, said, i)
				return c.answer, nil
			}
		}
	}
	release(p, said)
	var none T
	switch {
	case answers == 0 && r.notFound >= p.options.Agree:
		return none, chain.ErrNotFound
	case len(said) > 1:
		p.disputes(names(said))
		return none, errors.Join(append(r.troubles, fmt.Errorf("%w: %s disagree", chain.ErrUnsure, names(said)))...)
	}
	return none, r.tooFew(answers)
}

// Every puts a question to each endpoint in good order, or, where none of them answers, to those that rest, and gives all
// answers. It is an error where nobody answers.
func Every[E Endpoint, T any](ctx context.Context, p *Pool[E], question func(E) (T, error)) ([]T, error) {
	r := begin(p, question, false)
	var all []T
	for _, some := range [][]*member[E]{r.turn, r.resting} {
		for _, m := range some {
			answer, ok, err := r.ask(ctx, m)
			if err != nil && len(all) == 0 {
				return nil, err
			}
			if err != nil { // those that were asked before have taken it
				return all, nil
			}
			if ok {
				p.well(m, false)
				all = append(all, answer)
			}
		}
		if len(all) > 0 {
			return all, nil
		}
	}
	return nil, errors.Join(r.troubles...)
}

// camp is those endpoints that gave the same answer.
type camp[E Endpoint, T any] struct {
	answer  T
	members []*member[E]
}

func joined[E Endpoint, T any](said []camp[E, T], same func(a, b T) bool, answer T, m *member[E]) []camp[E, T] {
	for i, c := range said {
		if same(c.answer, answer) {
			said[i].members = append(c.members, m)
			return said
		}
	}
	return append(said, camp[E, T]{answer: answer, members: []*member[E]{m}})
}

// decided frees those who gave the answer that won, and makes those rest who gave another.
func decided[E Endpoint, T any](p *Pool[E], said []camp[E, T], won int) {
	p.agrees()
	for i, c := range said {
		for _, m := range c.members {
			if i == won {
				p.well(m, p.options.Agree > 1)
			} else {
				p.rests(m, Disagrees, errOutvoted)
			}
		}
	}
}

// release ends the trials of a question that was not decided.
func release[E Endpoint, T any](p *Pool[E], said []camp[E, T]) {
	for _, c := range said {
		for _, m := range c.members {
			p.tried(m)
		}
	}
}

func names[E Endpoint, T any](said []camp[E, T]) string {
	var all []string
	for _, c := range said {
		for _, m := range c.members {
			all = append(all, m.endpoint.Name())
		}
	}
	return strings.Join(all, ", ")
}

// disputes tells once that endpoints differ and nobody decides; agrees, that they do no longer.
func (p *Pool[E]) disputes(names string) {
	p.mu.Lock()
	news := !p.disputed
	p.disputed = true
	p.tell(news, News{Endpoint: names, Kind: Disagrees, Entered: true, Err: chain.ErrUnsure})
}

func (p *Pool[E]) agrees() {
	p.mu.Lock()
	news := p.disputed
	p.disputed = false
	p.tell(news, News{Endpoint: "all", Kind: Disagrees})
}

// round is one question on its way through the endpoints.
type round[E Endpoint, T any] struct {
	pool     *Pool[E]
	question func(E) (T, error)
	turn     []*member[E]
	resting  []*member[E] // asked where the others do not do
	troubles []error
	notFound int
}

func begin[E Endpoint, T any](p *Pool[E], question func(E) (T, error), many bool) *round[E, T] {
	turn, resting, waiting := p.inTurn(many && p.options.Agree > 1)
	return &round[E, T]{pool: p, question: question, turn: turn, resting: resting, troubles: waiting}
}

// Timed may be had from an endpoint: the longest that one request took since it was last asked for, and how long it waits for one.
type Timed interface {
	Slowest() time.Duration
	Patience() time.Duration
}

// slow is the error of an endpoint of which one request took longer than that.
func slow[E Endpoint](m *member[E], atMost func(patience time.Duration) time.Duration) error {
	if timed, ok := any(m.endpoint).(Timed); ok {
		if took := timed.Slowest(); took > atMost(timed.Patience()) {
			return &slowError{took}
		}
	}
	return nil
}

// ask puts the question to one endpoint. Its error ends the round; an endpoint that did not answer is noted.
func (r *round[E, T]) ask(ctx context.Context, m *member[E]) (answer T, ok bool, err error) {
	_ = slow(m, func(patience time.Duration) time.Duration { return patience }) // what was before does not count
	if err = r.pool.onChain(ctx, m); err == nil {
		answer, err = r.question(m.endpoint)
	}
	var ours foreign
	switch {
	case err == nil:
		r.pool.answered(m)
		return answer, true, nil
	case errors.As(err, &ours):
		r.pool.tried(m)
		return answer, false, ours.error
	case ctx.Err() != nil:
		r.pool.outlived(m, ctx.Err())
		return answer, false, ctx.Err()
	case errors.Is(err, chain.ErrNotFound):
		r.pool.tried(m)
		r.notFound++
	default:
		r.pool.failed(m, err)
		r.troubles = append(r.troubles, named(m, err))
	}
	return answer, false, nil
}

func named[E Endpoint](m *member[E], err error) error {
	return fmt.Errorf("%s: %w", m.endpoint.Name(), err)
}

func (r *round[E, T]) tooFew(answers int) error {
	var tooWide wide
	if r.pool.options.Agree > 1 && !errors.As(errors.Join(r.troubles...), &tooWide) {
		r.troubles = append(r.troubles, fmt.Errorf("%w: %d of %d answered", chain.ErrUnsure, answers, r.pool.options.Agree))
	}
	return errors.Join(r.troubles...)
}

// onChain asks the endpoint which chain it is on, unless it said so just now, and one that lagged how high it is.
func (p *Pool[E]) onChain(ctx context.Context, m *member[E]) error {
	now := p.options.Now()
	p.mu.Lock()
	fresh := !m.checked.IsZero() && now.Before(m.checked.Add(checkEvery))
	lagged := m.kind == Lag
	p.mu.Unlock()
	if fresh {
		return nil
	}
	if err := m.endpoint.OnChain(ctx); err != nil {
		return err
	}
	if tip, ok := any(m.endpoint).(Tip); ok && lagged {
		head, err := tip.Tip(ctx)
		if err == nil {
			err = p.NotFarBehind(head)
		}
		if err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	m.checked = now
	return nil
}
