package pool

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"farrier/shared/chain"
)

const (
	stale = time.Minute     // after which a head is old, where blocks do not take as long themselves
	epoch = 7 * time.Minute // how far a tag of finality moves at a time: an epoch of Ethereum has 6.4, and chains that rest on it wait for it
)

// Head is the lowest head of as many endpoints as must agree, so that one with a head that it made up cannot lead us onto blocks
// that it alone shows. Where fewer answer it is theirs: what is new is seen, and nothing of it is final. One whose head is far
// below another's, and old by its own time, lags, and the next one is asked. Where the lowest is a little below what was
// shown already, that block is asked for again with at.
func Head[E Endpoint](ctx context.Context, p *Pool[E], at func(context.Context, uint64) (chain.Block, error), head func(E) (chain.Block, error)) (chain.Block, error) {
	if p.options.Agree == 1 {
		return Put(ctx, p, func(e E) (chain.Block, error) {
			h, err := head(e)
			if err == nil {
				err = p.NotBehind(h.Height)
			}
			return h, err
		})
	}
	r := begin(p, func(e E) (chain.Block, error) {
		h, err := head(e)
		if err == nil {
			err = p.NotFarBehind(h.Height)
		}
		return h, err
	}, false)
	var said []told[E, chain.Block]
	for _, some := range [][]*member[E]{r.turn, r.resting} {
		for _, m := range some {
			h, ok, err := r.ask(ctx, m)
			if err != nil {
				return chain.Block{}, err
			}
			if !ok {
				continue
			}
			p.well(m, false)
			said = p.withoutStale(append(said, told[E, chain.Block]{m, h}))
			if len(said) == p.options.Agree {
				return p.lowest(ctx, at, said)
			}
		}
		if len(said) > 0 {
			return p.lowest(ctx, at, said)
		}
	}
	return chain.Block{}, errors.Join(r.troubles...)
}

// told is what one endpoint said.
type told[E Endpoint, T any] struct {
	member *member[E]
	answer T
}

// withoutStale leaves out the lowest of heads where it lags.
func (p *Pool[E]) withoutStale(said []told[E, chain.Block]) []told[E, chain.Block] {
	slices.SortFunc(said, func(a, b told[E, chain.Block]) int { return a.answer.Time.Compare(b.answer.Time) })
	oldest, highest := said[0], said[len(said)-1].answer.Height
	for _, s := range said {
		highest = max(highest, s.answer.Height)
	}
	height := oldest.answer.Height
	if height+p.slack() >= highest || p.options.Now().Sub(oldest.answer.Time) <= max(stale, 5*p.options.BlockTime) {
		return said
	}
	p.rests(oldest.member, Lag, &behindError{head: height, seen: highest})
	return said[1:]
}

func (p *Pool[E]) lowest(ctx context.Context, at func(context.Context, uint64) (chain.Block, error), said []told[E, chain.Block]) (chain.Block, error) {
	head := said[0].answer
	for _, s := range said {
		if s.answer.Height < head.Height {
			head = s.answer
		}
	}
	var behind *behindError
	if err := p.NotBehind(head.Height); !errors.As(err, &behind) {
		return head, err
	}
	again, err := at(ctx, behind.seen)
	if errors.Is(err, chain.ErrNotFound) {
		err = behind
	}
	return again, err
}

// Final is the height that as many endpoints as must agree say is final: the lowest of theirs. Where those differ by more than
// finality moves at a time, the others are asked too, and it is the one that so many of all have reached; who is left behind lags.
// With a tag finality moves by an epoch, else block by block. It is chain.ErrUnsure where too few can answer.
func Final[E Endpoint](ctx context.Context, p *Pool[E], byTag bool, question func(E) (uint64, error)) (uint64, error) {
	step := p.slack()
	if byTag {
		step = max(step, p.blocksIn(epoch))
	}
	r := begin(p, question, false)
	var said []told[E, uint64]
	for i, m := range slices.Concat(r.turn, r.resting) {
		if i >= len(r.turn) && len(said) >= p.options.Agree { // who rests is not needed
			break
		}
		height, ok, err := r.ask(ctx, m)
		if err != nil {
			return 0, err
		}
		if !ok {
			continue
		}
		p.well(m, false)
		said = append(said, told[E, uint64]{m, height})
		if len(said) == p.options.Agree && slices.MaxFunc(said, higher).answer-slices.MinFunc(said, higher).answer <= step {
			break
		}
	}
	if len(said) < p.options.Agree {
		return 0, r.tooFew(len(said))
	}
	slices.SortFunc(said, func(a, b told[E, uint64]) int { return higher(b, a) })
	reached := said[p.options.Agree-1].answer
	for _, s := range said[p.options.Agree:] {
		if s.answer+step < reached {
			p.rests(s.member, Lag, &behindError{head: s.answer, seen: reached})
		}
	}
	return reached, nil
}

func higher[E Endpoint](a, b told[E, uint64]) int { return cmp.Compare(a.answer, b.answer) }
