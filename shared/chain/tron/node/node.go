package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"farrier/shared/chain"
	"farrier/shared/chain/jsonrpc"
	"farrier/shared/chain/pool"
	"farrier/shared/chain/tron"
)

// Options are what a Node is made of.
type Options struct {
	Config    chain.Config
	Endpoints []string // in the order of preference; open says how each is written
	Now       func() time.Time
	Transport http.RoundTripper // http.DefaultTransport where nil
	Tell      func(pool.News)   // of endpoints in trouble; may be nil
}

// Node is a chain.Node over the endpoints of one TRON network.
type Node struct {
	config chain.Config
	tokens map[account]chain.Token
	asked  []string // the tokens' contracts as JSON-RPC spells them
	pool   *pool.Pool[*endpoint]
}

var (
	_ chain.Node  = (*Node)(nil)
	_ chain.Asked = (*Node)(nil)
)

// Tags of finality: both are the newest block on which more than two thirds of the witnesses have built.
const (
	Solid     = "solid"     // as /walletsolidity/getnowblock tells it, which every version does
	Finalized = "finalized" // as JSON-RPC tells it, since java-tron 4.8.0; it is a smaller answer
)

// New makes a Node. Nothing goes over the network before it is asked something.
func New(o Options) (*Node, error) {
	reference, ok := strings.CutPrefix(string(o.Config.ID), "tron:")
	if !ok {
		return nil, fmt.Errorf("node: %s is no TRON network", o.Config.ID)
	}
	if tag := o.Config.Finality.Tag; tag != "" && tag != Solid && tag != Finalized {
		return nil, fmt.Errorf("node: finality.tag of %s: must be %q or %q", o.Config.ID, Solid, Finalized)
	}
	n := &Node{config: o.Config, tokens: map[account]chain.Token{}}
	for _, t := range o.Config.Tokens {
		spelt, err := tron.Hex(t.Address)
		if err != nil {
			return nil, fmt.Errorf("node: token %s of %s: %w", t.Symbol, o.Config.ID, err)
		}
		n.asked = append(n.asked, spelt)
		n.tokens[account(hexutil.MustDecode(spelt))] = t
	}
	var endpoints []*endpoint
	for i, text := range o.Endpoints {
		e, err := open(text, o.Transport)
		if err != nil {
			return nil, fmt.Errorf("node: endpoint %d of %s %w", i, o.Config.ID, err)
		}
		e.chainID = reference
		endpoints = append(endpoints, e)
	}
	var err error
	n.pool, err = pool.New(pool.Of(o.Config, o.Now, o.Tell), endpoints...)
	return n, err
}

// endpoint is one of a network's nodes. Its Client speaks JSON-RPC; tell asks the HTTP API.
type endpoint struct {
	*jsonrpc.Client
	base    *url.URL // below which both lie; it may hold a provider's key
	chainID string   // what eth_chainId must answer
}

// OnChain asks for the last four bytes of the first block's hash
// (https://tronprotocol.github.io/documentation-en/api/json-rpc/node/eth_chainId/).
func (e *endpoint) OnChain(ctx context.Context) error {
	q := &jsonrpc.Call{Method: "eth_chainId"}
	if err := e.Ask(ctx, q); err != nil {
		return err
	}
	var id hexutil.Bytes
	if err := q.Read(&id); err != nil {
		return err
	}
	if got := id.String(); got != e.chainID {
		return &pool.WrongChainError{Want: e.chainID, Got: fmt.Sprintf("%.40s", got)}
	}
	return nil
}

const (
	askBlock   = "eth_getBlockByNumber"
	askLogs    = "eth_getLogs"
	askReceipt = "eth_getTransactionReceipt"
)

// Counts is how much the endpoints were asked.
func (n *Node) Counts() chain.Counts { return n.pool.Counts() }

// Head is the newest block that the endpoints which must agree have all reached.
func (n *Node) Head(ctx context.Context) (chain.Block, error) {
	return pool.Head(ctx, n.pool, n.BlockAt, func(e *endpoint) (chain.Block, error) {
		head, err := e.block(ctx, "latest")
		if err == nil {
			err = n.pool.NotFromTheFuture(askBlock, head)
		}
		return head, err
	})
}

func (n *Node) newest(ctx context.Context, e *endpoint) (chain.Block, error) {
	head, err := e.block(ctx, "latest")
	if err != nil {
		return chain.Block{}, err
	}
	return head, n.pool.NotBehind(head.Height)
}

// Final follows the chain's rule: what as many endpoints as must agree have reached. It never goes above
// the head that it is asked for.
func (n *Node) Final(ctx context.Context, head chain.Block) (uint64, error) {
	rule := n.config.Finality
	if rule.Tag == "" && n.pool.Agree() == 1 {
		return head.Height - min(head.Height, rule.Depth), nil
	}
	reached, err := pool.Final(ctx, n.pool, rule.Tag != "", func(e *endpoint) (uint64, error) {
		if rule.Tag != "" {
			return n.solid(ctx, e)
		}
		height, err := e.Tip(ctx)
		if err != nil {
			return 0, err
		}
		return height, n.pool.NotFarBehind(height)
	})
	if err != nil {
		return 0, err
	}
	final := min(head.Height, reached)
	return final - min(final, rule.Depth), nil
}

// Tip is how high the endpoint is.
func (e *endpoint) Tip(ctx context.Context) (uint64, error) {
	head, err := e.block(ctx, "latest")
	return head.Height, err
}

func (n *Node) solid(ctx context.Context, e *endpoint) (uint64, error) {
	if n.config.Finality.Tag == Finalized {
		b, err := e.block(ctx, Finalized)
		return b.Height, err
	}
	const path = "walletsolidity/getnowblock"
	var b wholeBlock
	found, err := e.tell(ctx, path, struct{}{}, &b)
	if err != nil {
		return 0, err
	}
	if !found {
		return 0, jsonrpc.Strange(path, "no block")
	}
	height := b.Header.Raw.Number
	if err := b.at(path, height); err != nil {
		return 0, err
	}
	// A gateway whose parts look at different networks, or at nodes of which one is far behind, shows itself here.
	same, err := n.blockAt(ctx, e, height)
	switch {
	case errors.Is(err, chain.ErrNotFound):
		return 0, fmt.Errorf("%w: JSON-RPC does not know the solid block %d", pool.ErrBehind, height)
	case err == nil && same.Hash != b.ID.String():
		err = jsonrpc.Strange(path, "a solid block %d that JSON-RPC shows otherwise", height)
	}
	return height, err
}

// BlockAt is the canonical block at a height. It is ErrNotFound only where no endpoint knows it.
func (n *Node) BlockAt(ctx context.Context, height uint64) (chain.Block, error) {
	return pool.Put(ctx, n.pool, func(e *endpoint) (chain.Block, error) { return n.blockAt(ctx, e, height) })
}

// Sure is the block that the endpoints agree on.
func (n *Node) Sure(ctx context.Context, height uint64) (chain.Block, error) {
	same := func(a, b chain.Block) bool { return a == b }
	return pool.Agreed(ctx, n.pool, same, func(e *endpoint) (chain.Block, error) { return n.blockAt(ctx, e, height) })
}

func (n *Node) blockAt(ctx context.Context, e *endpoint, height uint64) (chain.Block, error) {
	q := byHeight(height)
	if err := e.Ask(ctx, q); err != nil {
		return chain.Block{}, err
	}
	if q.Null() {
		return chain.Block{}, chain.ErrNotFound
	}
	return n.shown(q, height)
}

func byHeight(height uint64) *jsonrpc.Call {
	return &jsonrpc.Call{Method: askBlock, Params: []any{hexutil.EncodeUint64(height), false}, Cap: jsonrpc.Medium}
}

// block is the one that a tag names.
func (e *endpoint) block(ctx context.Context, tag string) (chain.Block, error) {
	q := &jsonrpc.Call{Method: askBlock, Params: []any{tag, false}, Cap: jsonrpc.Medium}
	if err := e.Ask(ctx, q); err != nil {
		return chain.Block{}, err
	}
	return read(q)
}

func read(q *jsonrpc.Call) (chain.Block, error) {
	var b rpcBlock
	if err := q.Read(&b); err != nil {
		return chain.Block{}, err
	}
	return b.block()
}

// shown is the block that was asked for by its height; from now on we know that the chain is that high.
func (n *Node) shown(q *jsonrpc.Call, height uint64) (chain.Block, error) {
	if q.Null() {
		return chain.Block{}, n.pool.Unknown(height)
	}
	b, err := read(q)
	if err == nil && b.Height != height {
		err = jsonrpc.Strange(q.Method, "block %d instead of %d", b.Height, height)
	}
	if err == nil {
		n.pool.Shown(height)
	}
	return b, err
}
