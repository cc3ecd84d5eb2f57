package pool

import (
	"context"
	"errors"
	"fmt"
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
	Agree int // how many endpoints must agree where agreement is asked for; 0 for two, or one where there is one
}

// Pool is the endpoints of one chain in their order of preference.
type Pool[E Endpoint] struct {
	options Options
	all     []*member[E]

	mu   sync.Mutex
	seen uint64 // the highest block that any endpoint has shown us by its height
}

const (
	checkEvery = time.Minute      // between two looks at an endpoint's chain
	rest       = 30 * time.Second // of an endpoint in trouble
)

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

// member is an endpoint and what we think of it.
type member[E Endpoint] struct {
	endpoint E

	mu        sync.Mutex
	checked   time.Time // when it last said that it is on our chain
	restUntil time.Time
}

// Put puts a question to the endpoints in turn until one answers. "Not found" is an answer only where
// no other endpoint in good order knows better.
func Put[E Endpoint, T any](ctx context.Context, p *Pool[E], question func(E) (T, error)) (T, error) {
	r := round[E, T]{pool: p, question: question}
	for _, m := range p.inTurn() {
		if answer, ok, err := r.ask(ctx, m); ok || err != nil {
			return answer, err
		}
	}
	var none T
	if r.notFound > 0 {
		return none, chain.ErrNotFound
	}
	return none, errors.Join(r.troubles...)
}

// Some puts a question to as many endpoints as must agree, and gives each one's answer. It is for questions
// to which good endpoints may answer differently, such as how high the chain is. It is chain.ErrUnsure where too few answer.
func Some[E Endpoint, T any](ctx context.Context, p *Pool[E], question func(E) (T, error)) ([]T, error) {
	r := round[E, T]{pool: p, question: question}
	var out []T
	for _, m := range p.inTurn() {
		answer, ok, err := r.ask(ctx, m)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, answer)
		}
		if len(out) == p.options.Agree {
			return out, nil
		}
	}
	return nil, r.tooFew(len(out))
}

// Agreed is the answer that as many endpoints as must give alike. Where they differ others decide, and those
// who said otherwise are in trouble. It is chain.ErrUnsure where there are not enough to decide, and
// chain.ErrNotFound where all that must say so.
func Agreed[E Endpoint, T any](ctx context.Context, p *Pool[E], same func(a, b T) bool, question func(E) (T, error)) (T, error) {
	r := round[E, T]{pool: p, question: question}
	var said []camp[E, T]
	answers := 0
	for _, m := range p.inTurn() {
		answer, ok, err := r.ask(ctx, m)
		switch {
		case err != nil:
			return answer, err
		case !ok:
			continue
		}
		answers++
		said = joined(said, same, answer, m)
		for i, c := range said {
			if len(c.members) == p.options.Agree {
				outvoted(p, said, i)
				return c.answer, nil
			}
		}
	}
	var none T
	switch {
	case answers == 0 && r.notFound >= p.options.Agree:
		return none, chain.ErrNotFound
	case len(said) > 1:
		return none, errors.Join(append(r.troubles, fmt.Errorf("%w: they disagree", chain.ErrUnsure))...)
	}
	return none, r.tooFew(answers)
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

// round is one question on its way through the endpoints.
type round[E Endpoint, T any] struct {
	pool     *Pool[E]
	question func(E) (T, error)
	troubles []error
	notFound int
}

// ask puts the question to one endpoint. Its error ends the round; an endpoint that did not answer is noted.
func (r *round[E, T]) ask(ctx context.Context, m *member[E]) (answer T, ok bool, err error) {
	if err = m.onChain(ctx, r.pool.options.Now()); err == nil {
		answer, err = r.question(m.endpoint)
	}
	var ours foreign
	switch {
	case err == nil:
		return answer, true, nil
	case errors.As(err, &ours):
		return answer, false, ours.error
	case ctx.Err() != nil:
		return answer, false, ctx.Err()
	case errors.Is(err, chain.ErrNotFound):
		r.notFound++
	default:
		m.inTrouble(r.pool.options.Now())
		r.troubles = append(r.troubles, fmt.Errorf("%s: %w", m.endpoint.Name(), err))
	}
	return answer, false, nil
}

func (r *round[E, T]) tooFew(answers int) error {
	if r.pool.options.Agree > 1 {
		r.troubles = append(r.troubles, fmt.Errorf("%w: %d of %d answered", chain.ErrUnsure, answers, r.pool.options.Agree))
	}
	return errors.Join(r.troubles...)
}

// outvoted makes those rest who said something else than the camp that won.
func outvoted[E Endpoint, T any](p *Pool[E], said []camp[E, T], won int) {
	for i, c := range said {
		for _, m := range c.members {
			if i != won {
				m.inTrouble(p.options.Now())
			}
		}
	}
}

// inTurn are the endpoints in their order, those that rest at the end.
func (p *Pool[E]) inTurn() []*member[E] {
	now := p.options.Now()
	var fresh, resting []*member[E]
	for _, m := range p.all {
		if m.rests(now) {
			resting = append(resting, m)
		} else {
			fresh = append(fresh, m)
		}
	}
	return append(fresh, resting...)
}

func (m *member[E]) rests(now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return now.Before(m.restUntil)
}

// inTrouble makes the endpoint rest and say its chain again before it is believed again.
func (m *member[E]) inTrouble(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.restUntil, m.checked = now.Add(rest), time.Time{}
}

// onChain asks the endpoint which chain it is on, unless it said so just now.
func (m *member[E]) onChain(ctx context.Context, now time.Time) error {
	m.mu.Lock()
	fresh := !m.checked.IsZero() && now.Before(m.checked.Add(checkEvery))
	m.mu.Unlock()
	if fresh {
		return nil
	}
	if err := m.endpoint.OnChain(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.checked = now
	return nil
}

// Shown notes that an endpoint showed a block by its height: from now on we know that the chain is that high.
func (p *Pool[E]) Shown(height uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = max(p.seen, height)
}

// NotBehind compares a head with the blocks that were really shown, not with heads that were claimed:
// a head that was a lie must not make all honest ones look old.
func (p *Pool[E]) NotBehind(head uint64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if head < p.seen {
		return fmt.Errorf("%w: %d after %d", ErrBehind, head, p.seen)
	}
	return nil
}
