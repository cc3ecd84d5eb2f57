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
	Tell      func(pool.News)   // of endpoints in trouble; may be nil
}

// Node is a chain.Node over the endpoints of one EVM chain.
type Node struct {
	config chain.Config
	tokens map[string]chain.Token
	pool   *pool.Pool[*endpoint]

	endpoints int
	untraced  untraced
}

var (
	_ chain.Node  = (*Node)(nil)
	_ chain.Asked = (*Node)(nil)
)

// widest is how many blocks one question is about; providers cap between 500 and 10,000.
const widest = 500

// New makes a Node. Nothing goes over the network before it is asked something.
func New(o Options) (*Node, error) {
	reference, ok := strings.CutPrefix(string(o.Config.ID), "eip155:")
	if !ok {
		return nil, fmt.Errorf("node: %s is no EVM chain", o.Config.ID)
	}
	if o.Config.Native.Ignore {
		o.Config.Native.Traces = ""
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
	n.endpoints = len(endpoints)
	n.pool, err = pool.New(pool.Of(o.Config, o.Now, o.Tell), endpoints...)
	return n, err
}

// endpoint is one of a chain's nodes.
type endpoint struct {
	*jsonrpc.Client
	chainID string // decimal, what it must be

	mu   sync.Mutex
	span uint64 // how many blocks it last answered for at once

	tracesAtOnce int // how many transactions' traces it is asked for
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

// Tip is how high the endpoint is.
func (e *endpoint) Tip(ctx context.Context) (uint64, error) {
	head, err := e.blocksByTag(ctx, newest)
	if err != nil {
		return 0, err
	}
	return head[0].Height, nil
}

// newest is the tag of the head.
const newest = "latest"

// Counts is how much the endpoints were asked.
func (n *Node) Counts() chain.Counts { return n.pool.Counts() }

// Head is the newest block that the endpoints which must agree have all reached.
func (n *Node) Head(ctx context.Context) (chain.Block, error) {
	return pool.Head(ctx, n.pool, n.BlockAt, func(e *endpoint) (chain.Block, error) { return n.head(ctx, e) })
}

func (n *Node) head(ctx context.Context, e *endpoint) (chain.Block, error) {
	at, err := e.blocksByTag(ctx, newest)
	if err != nil {
		return chain.Block{}, err
	}
	if err := n.pool.NotFromTheFuture(getBlock, at[0]); err != nil {
		return chain.Block{}, err
	}
	return at[0], nil
}

// Final follows the chain's rule, as the endpoints that must agree tell it, and never goes above the head
// that it is asked for: a height that one of them made up makes nothing final.
func (n *Node) Final(ctx context.Context, head chain.Block) (uint64, error) {
	rule := n.config.Finality
	if rule.Tag == "" && n.pool.Agree() == 1 {
		return head.Height - min(head.Height, rule.Depth), nil
	}
	reached, err := pool.Final(ctx, n.pool, rule.Tag != "", func(e *endpoint) (uint64, error) { return n.final(ctx, e) })
	if err != nil {
		return 0, err
	}
	final := min(head.Height, reached)
	return final - min(final, rule.Depth), nil
}

// final is the height that the rule's tag names or that its depth counts from. Where several are asked, each is asked for
// its head in the same breath: one that is far behind is noticed here, though it be not the first of them.
func (n *Node) final(ctx context.Context, e *endpoint) (uint64, error) {
	var tags []string
	if n.config.Finality.Tag != "" {
		tags = append(tags, n.config.Finality.Tag)
	}
	if n.pool.Agree() > 1 {
		tags = append(tags, newest)
	}
	at, err := e.blocksByTag(ctx, tags...)
	if err == nil && n.pool.Agree() > 1 {
		err = n.pool.NotFarBehind(at[len(at)-1].Height)
	}
	if err != nil {
		return 0, err
	}
	return at[0].Height, nil
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

const getBlock = "eth_getBlockByNumber"

func blockQuestion(height uint64, full bool) *jsonrpc.Call {
	q := &jsonrpc.Call{Method: getBlock, Params: []any{hexutil.EncodeUint64(height), full}, Cap: jsonrpc.Medium}
	if full {
		q.Cap = jsonrpc.Large
	}
	return q
}

func (e *endpoint) blocksByTag(ctx context.Context, tags ...string) ([]chain.Block, error) {
	var questions []*jsonrpc.Call
	for _, tag := range tags {
		questions = append(questions, &jsonrpc.Call{Method: getBlock, Params: []any{tag, false}, Cap: jsonrpc.Medium})
	}
	if err := e.Ask(ctx, questions...); err != nil {
		return nil, err
	}
	var out []chain.Block
	for _, q := range questions {
		var h header
		if err := q.Read(&h); err != nil {
			return nil, err
		}
		block, err := h.block(q.Method)
		if err != nil {
			return nil, err
		}
		out = append(out, block)
	}
	return out, nil
}

// shown is the block that an endpoint must know: one that does not is behind.
func (n *Node) shown(q *jsonrpc.Call, height uint64) (chain.Block, error) {
	var h header
	if err := n.readBlock(q, height, &h); err != nil {
		return chain.Block{}, err
	}
	return n.remembered(h, height)
}

func (n *Node) readBlock(q *jsonrpc.Call, height uint64, into any) error {
	if q.Null() {
		return n.pool.Unknown(height)
	}
	return q.Read(into)
}

// remembered is the block that was asked for by its height; from now on we know that the chain is that high.
func (n *Node) remembered(h header, height uint64) (chain.Block, error) {
	b, err := h.block(getBlock)
	if err != nil {
		return chain.Block{}, err
	}
	if b.Height != height {
		return chain.Block{}, jsonrpc.Strange(getBlock, "block %d instead of %d", b.Height, height)
	}
	n.pool.Shown(height)
	return b, nil
}
