package node

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"farrier/shared/chain"
)

// Options are what a Node is made of.
type Options struct {
	Config    chain.Config
	Endpoints []string // in the order of preference
	Now       func() time.Time
	Transport http.RoundTripper // http.DefaultTransport where nil
}

// Node is a chain.Node over the endpoints of one EVM chain.
type Node struct {
	config    chain.Config
	chainID   string // decimal
	tokens    map[string]chain.Token
	endpoints []*endpoint
	now       func() time.Time

	mu   sync.Mutex
	seen uint64 // the highest block that any endpoint has shown us by its height
}

var _ chain.Node = (*Node)(nil)

const (
	maxAnswer  = 32 << 20         // a full block of a busy chain has about a megabyte
	patience   = 15 * time.Second // for one HTTP request
	checkEvery = time.Minute      // between two looks at an endpoint's chain id
	rest       = 30 * time.Second // of an endpoint in trouble
	widest     = 500              // blocks in one question; providers cap between 500 and 10,000
)

// New makes a Node. Nothing goes over the network before it is asked something.
func New(o Options) (*Node, error) {
	reference, ok := strings.CutPrefix(string(o.Config.ID), "eip155:")
	if !ok {
		return nil, fmt.Errorf("node: %s is no EVM chain", o.Config.ID)
	}
	if len(o.Endpoints) == 0 {
		return nil, fmt.Errorf("node: %s has no endpoint", o.Config.ID)
	}
	n := &Node{config: o.Config, chainID: reference, tokens: map[string]chain.Token{}, now: o.Now}
	for _, t := range o.Config.Tokens {
		n.tokens[t.Address] = t
	}
	for i, text := range o.Endpoints {
		u, err := url.Parse(text)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			return nil, fmt.Errorf("node: endpoint %d of %s is no http or https URL", i, o.Config.ID)
		}
		n.endpoints = append(n.endpoints, &endpoint{
			name:   u.Hostname(),
			client: client{url: text, http: &http.Client{Transport: o.Transport, Timeout: patience}, cap: maxAnswer},
			span:   widest,
		})
	}
	return n, nil
}

// endpoint is one of a chain's nodes and what we think of it.
type endpoint struct {
	client
	name string // the host, which holds no key as the rest of the URL may

	mu        sync.Mutex
	checked   time.Time // when it last said that it is on our chain
	restUntil time.Time
	span      uint64 // how many blocks it last answered for at once
}

// Head is the newest block of the first endpoint that is not behind.
func (n *Node) Head(ctx context.Context) (chain.Block, error) {
	return put(ctx, n, func(e *endpoint) (chain.Block, error) {
		head, err := e.blockByTag(ctx, "latest")
		if err != nil {
			return chain.Block{}, err
		}
		return head, n.notBehind(head.Height)
	})
}

// Final follows the chain's rule. It never goes above the head that it is asked for.
func (n *Node) Final(ctx context.Context, head chain.Block) (uint64, error) {
	if n.config.Finality.Tag == "" {
		return head.Height - min(head.Height, n.config.Finality.Depth), nil
	}
	return put(ctx, n, func(e *endpoint) (uint64, error) {
		final, err := e.blockByTag(ctx, n.config.Finality.Tag)
		return min(final.Height, head.Height), err
	})
}

// BlockAt is the canonical block at a height. It is ErrNotFound only where no endpoint knows it.
func (n *Node) BlockAt(ctx context.Context, height uint64) (chain.Block, error) {
	return put(ctx, n, func(e *endpoint) (chain.Block, error) {
		q := blockQuestion(height, false)
		if err := e.ask(ctx, q); err != nil {
			return chain.Block{}, err
		}
		if q.null() {
			return chain.Block{}, chain.ErrNotFound
		}
		return n.shown(q, height)
	})
}

func blockQuestion(height uint64, full bool) *call {
	return &call{method: "eth_getBlockByNumber", params: []any{hexutil.EncodeUint64(height), full}}
}

func (e *endpoint) blockByTag(ctx context.Context, tag string) (chain.Block, error) {
	q := &call{method: "eth_getBlockByNumber", params: []any{tag, false}}
	if err := e.ask(ctx, q); err != nil {
		return chain.Block{}, err
	}
	var h header
	if err := q.read(&h); err != nil {
		return chain.Block{}, err
	}
	return h.block(q.method)
}

func (n *Node) shown(q *call, height uint64) (chain.Block, error) {
	var h header
	if err := q.read(&h); err != nil {
		return chain.Block{}, err
	}
	return n.remembered(h, height)
}

// remembered is the block that was asked for by its height; from now on we know that the chain is that high.
func (n *Node) remembered(h header, height uint64) (chain.Block, error) {
	const method = "eth_getBlockByNumber"
	b, err := h.block(method)
	if err != nil {
		return chain.Block{}, err
	}
	if b.Height != height {
		return chain.Block{}, strange(method, "block %d instead of %d", b.Height, height)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seen = max(n.seen, height)
	return b, nil
}

// notBehind compares a head with the blocks that were really shown, not with heads that were claimed:
// a head that was a lie must not make all honest ones look old.
func (n *Node) notBehind(head uint64) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if head < n.seen {
		return fmt.Errorf("%w: %d after %d", ErrBehind, head, n.seen)
	}
	return nil
}

// foreign marks an error that is not the endpoint's: asking another one would not help.
type foreign struct{ error }

func (f foreign) Unwrap() error { return f.error }

// put puts a question to the endpoints in turn until one answers. "Not found" is an answer only where
// no other endpoint in good order knows better.
func put[T any](ctx context.Context, n *Node, question func(*endpoint) (T, error)) (T, error) {
	var troubles []error
	notFound := false
	for _, e := range n.inTurn() {
		answer, err := ask(ctx, n, e, question)
		var ours foreign
		switch {
		case err == nil:
			return answer, nil
		case errors.As(err, &ours):
			return answer, ours.error
		case ctx.Err() != nil:
			return answer, ctx.Err()
		case errors.Is(err, chain.ErrNotFound):
			notFound = true
		default:
			e.inTrouble(n.now())
			troubles = append(troubles, fmt.Errorf("%s: %w", e.name, err))
		}
	}
	var none T
	if notFound {
		return none, chain.ErrNotFound
	}
	return none, errors.Join(troubles...)
}

func ask[T any](ctx context.Context, n *Node, e *endpoint, question func(*endpoint) (T, error)) (T, error) {
	if err := e.onChain(ctx, n.chainID, n.now()); err != nil {
		var none T
		return none, err
	}
	return question(e)
}

// inTurn are the endpoints in their order, those that rest at the end.
func (n *Node) inTurn() []*endpoint {
	now := n.now()
	var fresh, resting []*endpoint
	for _, e := range n.endpoints {
		if e.rests(now) {
			resting = append(resting, e)
		} else {
			fresh = append(fresh, e)
		}
	}
	return append(fresh, resting...)
}

func (e *endpoint) rests(now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return now.Before(e.restUntil)
}

// inTrouble makes the endpoint rest and say its chain again before it is believed again.
func (e *endpoint) inTrouble(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.restUntil, e.checked = now.Add(rest), time.Time{}
}

// onChain asks the endpoint which chain it is on (https://eips.ethereum.org/EIPS/eip-695), unless it said so just now.
func (e *endpoint) onChain(ctx context.Context, want string, now time.Time) error {
	e.mu.Lock()
	fresh := !e.checked.IsZero() && now.Before(e.checked.Add(checkEvery))
	e.mu.Unlock()
	if fresh {
		return nil
	}
	q := &call{method: "eth_chainId"}
	if err := e.ask(ctx, q); err != nil {
		return err
	}
	var id hexutil.Big
	if err := q.read(&id); err != nil {
		return err
	}
	if got := (*big.Int)(&id).String(); got != want {
		return &WrongChainError{Want: want, Got: got}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.checked = now
	return nil
}
