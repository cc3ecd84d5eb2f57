package node

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"farrier/shared/chain"
	"farrier/shared/chain/bitcoin"
	"farrier/shared/chain/jsonrpc"
	"farrier/shared/chain/pool"
)

// Options are what a Node is made of.
type Options struct {
	Config    chain.Config
	Endpoints []string // in the order of preference; user and password stand in the URL
	Now       func() time.Time
	Transport http.RoundTripper // http.DefaultTransport where nil
	Tell      func(pool.News)   // of endpoints in trouble; may be nil
}

// Node is a chain.Node over the endpoints of one Bitcoin network.
type Node struct {
	config  chain.Config
	network bitcoin.Network
	pool    *pool.Pool[*endpoint]
}

var (
	_ chain.Node  = (*Node)(nil)
	_ chain.Asked = (*Node)(nil)
)

const (
	// largest is an answer that holds a block: 4 MB at the most (BIP-141), in hex.
	largest = 9 << 20
	// patience is for one request: a full block over a line of 2 Mbit/s.
	patience = 40 * time.Second
)

// New makes a Node. Nothing goes over the network before it is asked something.
func New(o Options) (*Node, error) {
	network, known := bitcoin.NetworkOf(o.Config.ID.Reference())
	switch {
	case o.Config.ID.Namespace() != "bip122" || !known:
		return nil, fmt.Errorf("node: %s is no network of Bitcoin that is known", o.Config.ID)
	case o.Config.Finality.Tag != "":
		return nil, fmt.Errorf("node: finality.tag of %s: Bitcoin knows none; give a depth", o.Config.ID)
	case !o.Config.Native.Ignore && o.Config.Native.Decimals != bitcoin.Decimals:
		return nil, fmt.Errorf("node: native.decimals of %s: a bitcoin has %d", o.Config.ID, bitcoin.Decimals)
	}
	n := &Node{config: o.Config, network: network}
	var endpoints []*endpoint
	for i, text := range o.Endpoints {
		client, err := jsonrpc.Open(text, o.Transport)
		if err != nil {
			return nil, fmt.Errorf("node: endpoint %d of %s %w", i, o.Config.ID, err)
		}
		client.Cap, client.HTTP.Timeout = largest, patience
		endpoints = append(endpoints, &endpoint{Client: client, network: network})
	}
	var err error
	n.pool, err = pool.New(pool.Of(o.Config, o.Now, o.Tell), endpoints...)
	return n, err
}

// Counts is how much the endpoints were asked.
func (n *Node) Counts() chain.Counts { return n.pool.Counts() }

// Head is the newest block that the endpoints which must agree have all reached.
func (n *Node) Head(ctx context.Context) (chain.Block, error) {
	return pool.Head(ctx, n.pool, n.BlockAt, func(e *endpoint) (chain.Block, error) {
		head, err := e.best(ctx)
		if err == nil {
			err = n.pool.NotFromTheFuture("getblockheader", head)
		}
		return head, err
	})
}

// Final is so many blocks below the head: proof of work knows no other rule. Where endpoints must agree, the head is the
// lowest that they name, so that none can make a block look deeper than it lies.
func (n *Node) Final(ctx context.Context, head chain.Block) (uint64, error) {
	reached, err := pool.Final(ctx, n.pool, false, func(e *endpoint) (uint64, error) {
		height, err := e.count(ctx)
		if err != nil {
			return 0, err
		}
		return height, n.pool.NotFarBehind(height)
	})
	if err != nil {
		return 0, err
	}
	lowest := min(head.Height, reached)
	return lowest - min(lowest, n.config.Finality.Depth), nil
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
		hash, err := e.hashAt(ctx, height)
		if err != nil {
			return chain.Block{}, err
		}
		header, err := e.header(ctx, hash)
		if err != nil {
			return chain.Block{}, err
		}
		return chain.Block{Height: height, Hash: hash.String(), Time: header.Timestamp.UTC()}, nil
	}
}
