package node

import (
	"context"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"farrier/shared/chain"
	"farrier/shared/chain/jsonrpc"
	"farrier/shared/chain/pool"
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
	config chain.Config
	tokens map[string]chain.Token
	pool   *pool.Pool[*endpoint]
}

var _ chain.Node = (*Node)(nil)

// widest is how many blocks one question is about; providers cap between 500 and 10,000.
const widest = 500

// New makes a Node. Nothing goes over the network before it is asked something.
func New(o Options) (*Node, error) {
	reference, ok := strings.CutPrefix(string(o.Config.ID), "eip155:")
	if !ok {
		return nil, fmt.Errorf("node: %s is no EVM chain", o.Config.ID)
	}
	n := &Node{config: o.Config, tokens: map[string]chain.Token{}}
	for _, t := range o.Config.Tokens {
		n.tokens[t.Address] = t
	}
	var endpoints []*endpoint
	for i, text := range o.Endpoints {
		client, err := jsonrpc.Open(text, o.Transport)
		if err != nil {
			return nil, fmt.Errorf("node: endpoint %d of %s %w", i, o.Config.ID, err)
		}
		endpoints = append(endpoints, &endpoint{Client: client, chainID: reference, span: widest})
	}
	var err error
	n.pool, err = pool.New(pool.Options{Chain: o.Config.ID, Now: o.Now, Agree: o.Config.Finality.Agree}, endpoints...)
	return n, err
}

// endpoint is one of a chain's nodes.
type endpoint struct {
	*jsonrpc.Client
	chainID string // decimal, what it must be

	mu   sync.Mutex
	span uint64 // how many blocks it last answered for at once
}

// OnChain asks for the chain's id (https://eips.ethereum.org/EIPS/eip-695).
func (e *endpoint) OnChain(ctx context.Context) error {
	q := &jsonrpc.Call{Method: "eth_chainId"}
	if err := e.Ask(ctx, q); err != nil {
		return err
	}
	var id hexutil.Big
	if err := q.Read(&id); err != nil {
		return err
	}
	if got := (*big.Int)(&id).String(); got != e.chainID {
		return &pool.WrongChainError{Want: e.chainID, Got: got}
	}
	return nil
}

// Head is the newest block of the first endpoint that is not behind.
func (n *Node) Head(ctx context.Context) (chain.Block, error) {
	return pool.Put(ctx, n.pool, func(e *endpoint) (chain.Block, error) {
		head, err := e.blockByTag(ctx, "latest")
		if err != nil {
			return chain.Block{}, err
		}
		return head, n.pool.NotBehind(head.Height)
	})
}

// Final follows the chain's rule. It never goes above the head that it is asked for.
func (n *Node) Final(ctx context.Context, head chain.Block) (uint64, error) {
	if n.config.Finality.Tag == "" {
		return head.Height - min(head.Height, n.config.Finality.Depth), nil
	}
	return pool.Put(ctx, n.pool, func(e *endpoint) (uint64, error) {
		final, err := e.blockByTag(ctx, n.config.Finality.Tag)
		return min(final.Height, head.Height), err
	})
}

// BlockAt is the canonical block at a height. It is ErrNotFound only where no endpoint knows it.
func (n *Node) BlockAt(ctx context.Context, height uint64) (chain.Block, error) {
	return pool.Put(ctx, n.pool, n.blockAt(ctx, height))
}

// Sure is the block that the endpoints agree on.
func (n *Node) Sure(ctx context.Context, height uint64) (chain.Block, error) {
	return pool.Agreed(ctx, n.pool, func(a, b chain.Block) bool { return a == b }, n.blockAt(ctx, height))
}

func (n *Node) blockAt(ctx context.Context, height uint64) func(*endpoint) (chain.Block, error) {
	return func(e *endpoint) (chain.Block, error) {
		q := blockQuestion(height, false)
		if err := e.Ask(ctx, q); err != nil {
			return chain.Block{}, err
		}
		if q.Null() {
			return chain.Block{}, chain.ErrNotFound
		}
		return n.shown(q, height)
	}
}

func blockQuestion(height uint64, full bool) *jsonrpc.Call {
	return &jsonrpc.Call{Method: "eth_getBlockByNumber", Params: []any{hexutil.EncodeUint64(height), full}}
}

func (e *endpoint) blockByTag(ctx context.Context, tag string) (chain.Block, error) {
	q := &jsonrpc.Call{Method: "eth_getBlockByNumber", Params: []any{tag, false}}
	if err := e.Ask(ctx, q); err != nil {
		return chain.Block{}, err
	}
	var h header
	if err := q.Read(&h); err != nil {
		return chain.Block{}, err
	}
	return h.block(q.Method)
}

func (n *Node) shown(q *jsonrpc.Call, height uint64) (chain.Block, error) {
	var h header
	if err := q.Read(&h); err != nil {
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
		return chain.Block{}, jsonrpc.Strange(method, "block %d instead of %d", b.Height, height)
	}
	n.pool.Shown(height)
	return b, nil
}
