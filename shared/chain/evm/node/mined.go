package node

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"farrier/shared/chain"
	"farrier/shared/chain/jsonrpc"
	"farrier/shared/chain/pool"
)

// minedAtOnce is how many receipts of payments, which are short, are asked for in one HTTP request.
const minedAtOnce = 100

// Mined asks for the receipts of many transactions at once, and then whether their blocks are canonical.
func (n *Node) Mined(ctx context.Context, txs []string) (map[string]chain.Mined, error) {
	return pool.Put(ctx, n.pool, n.minedOf(ctx, txs))
}

// SureMined believes it as the endpoints tell it alike.
func (n *Node) SureMined(ctx context.Context, txs []string) (map[string]chain.Mined, error) {
	same := func(a, b map[string]chain.Mined) bool { return maps.EqualFunc(a, b, chain.Mined.Same) }
	return pool.Agreed(ctx, n.pool, same, n.minedOf(ctx, txs))
}

func (n *Node) minedOf(ctx context.Context, txs []string) func(*endpoint) (map[string]chain.Mined, error) {
	return func(e *endpoint) (map[string]chain.Mined, error) {
		found := map[string]chain.Mined{}
		var heights []uint64
		for part := range slices.Chunk(txs, minedAtOnce) {
			if err := n.receiptsOf(ctx, e, part, found); err != nil {
				return nil, err
			}
		}
		for _, m := range found {
			heights = append(heights, m.Block.Height)
		}
		blocks, err := n.blocks(ctx, e, heights)
		if err != nil {
			return nil, err
		}
		for _, m := range found {
			if blocks[m.Block.Height].Hash != m.Block.Hash {
				return nil, pool.ErrReorganised
			}
		}
		return found, nil
	}
}

// receiptsOf believes an endpoint that it has no receipt only where it is not behind.
func (n *Node) receiptsOf(ctx context.Context, e *endpoint, txs []string, found map[string]chain.Mined) error {
	var questions []*jsonrpc.Call
	for _, tx := range txs {
		questions = append(questions, &jsonrpc.Call{Method: "eth_getTransactionReceipt", Params: []any{tx}})
	}
	if err := n.askAtHead(ctx, e, questions...); err != nil {
		return err
	}
	for i, q := range questions {
		if q.Null() {
			continue
		}
		var r receipt
		if err := q.Read(&r); err != nil {
			return err
		}
		block, err := r.checked(txs[i])
		if err != nil {
			return err
		}
		fee, err := r.fee()
		if err != nil {
			return err
		}
		found[txs[i]] = chain.Mined{Tx: txs[i], Block: block, Fee: fee, Reverted: !r.succeeded()}
	}
	return nil
}

// BlocksAt asks for many blocks at once.
func (n *Node) BlocksAt(ctx context.Context, heights []uint64) (map[uint64]chain.Block, error) {
	return pool.Put(ctx, n.pool, func(e *endpoint) (map[uint64]chain.Block, error) {
		head, err := n.head(ctx, e)
		if err == nil {
			err = n.pool.NotFarBehind(head.Height)
		}
		if err != nil {
			return nil, err
		}
		return n.blocks(ctx, e, slices.DeleteFunc(slices.Clone(heights), func(h uint64) bool { return h > head.Height }))
	})
}

// Spender is found by one endpoint and then believed as as many as must agree tell of it.
func (n *Node) Spender(ctx context.Context, address string, nonce uint64) (chain.Mined, error) {
	tx, err := pool.Put(ctx, n.pool, func(e *endpoint) (string, error) { return n.spender(ctx, e, address, nonce) })
	if err != nil {
		return chain.Mined{}, err
	}
	return pool.Agreed(ctx, n.pool, chain.Mined.Same, func(e *endpoint) (chain.Mined, error) {
		q := &jsonrpc.Call{Method: "eth_getTransactionByHash", Params: []any{tx}, Cap: jsonrpc.Large}
		if err := e.Ask(ctx, q); err != nil {
			return chain.Mined{}, err
		}
		if q.Null() {
			return chain.Mined{}, chain.ErrNotFound
		}
		var t transaction
		if err := q.Read(&t); err != nil {
			return chain.Mined{}, err
		}
		if !t.isOf(address, nonce) || t.Hash.Hex() != tx {
			return chain.Mined{}, jsonrpc.Strange(q.Method, "the transaction of another nonce")
		}
		found, err := n.minedOf(ctx, []string{tx})(e)
		if err != nil {
			return chain.Mined{}, err
		}
		m, there := found[tx]
		if !there {
			return chain.Mined{}, chain.ErrNotFound
		}
		return m, nil
	})
}

func (t transaction) isOf(from string, nonce uint64) bool {
	return t.Hash != nil && t.From != nil && t.Nonce != nil && address(t.From[:]) == from && uint64(*t.Nonce) == nonce
}

// spender asks by the method that is for it (geth from 1.17, Reth, anvil; https://github.com/ethereum/execution-apis/pull/708),
// or looks for the block in which the nonce was spent.
func (n *Node) spender(ctx context.Context, e *endpoint, address string, nonce uint64) (string, error) {
	q := &jsonrpc.Call{Method: "eth_getTransactionBySenderAndNonce", Params: []any{address, hexutil.EncodeUint64(nonce)}, Cap: jsonrpc.Large}
	err := cmp.Or(e.Ask(ctx, q), q.Err)
	var no *jsonrpc.RefusedError
	switch {
	case errors.As(err, &no) && !jsonrpc.Limited(no):
		return n.search(ctx, e, address, nonce)
	case err != nil:
		return "", err
	case q.Null():
		return "", chain.ErrNotFound
	}
	var t transaction
	if err := q.Read(&t); err != nil {
		return "", err
	}
	if !t.isOf(address, nonce) {
		return "", jsonrpc.Strange(q.Method, "the transaction of another nonce")
	}
	return t.Hash.Hex(), nil
}

// recent is how many blocks back every node keeps what accounts were (geth and others keep 128 blocks' states).
const recent = 120

// search halves the blocks among which the nonce was spent. A node that has thrown away what accounts were then refuses it.
func (n *Node) search(ctx context.Context, e *endpoint, address string, nonce uint64) (string, error) {
	head, err := n.head(ctx, e)
	if err != nil {
		return "", err
	}
	spent, err := e.countAt(ctx, address, head.Height)
	if err != nil {
		return "", err
	}
	if spent <= nonce {
		return "", chain.ErrNotFound
	}
	var before uint64 // not spent in before, spent in in
	in := head.Height
	for back := uint64(recent); ; back *= 8 {
		before = head.Height - min(head.Height, back)
		count, err := e.countAt(ctx, address, before)
		if err != nil {
			return "", err
		}
		if count <= nonce {
			break
		}
		if in = before; before == 0 {
			return "", chain.ErrNotFound // before there was a chain
		}
	}
	for in-before > 1 {
		middle := before + (in-before)/2
		count, err := e.countAt(ctx, address, middle)
		if err != nil {
			return "", err
		}
		if count > nonce {
			in = middle
		} else {
			before = middle
		}
	}
	return n.spenderIn(ctx, e, in, address, nonce)
}

func (e *endpoint) countAt(ctx context.Context, address string, height uint64) (uint64, error) {
	q := &jsonrpc.Call{Method: "eth_getTransactionCount", Params: []any{address, hexutil.EncodeUint64(height)}}
	if err := e.Ask(ctx, q); err != nil {
		return 0, err
	}
	var count hexutil.Uint64
	err := q.Read(&count)
	return uint64(count), err
}

func (n *Node) spenderIn(ctx context.Context, e *endpoint, height uint64, address string, nonce uint64) (string, error) {
	q := blockQuestion(height, true)
	if err := e.Ask(ctx, q); err != nil {
		return "", err
	}
	var b body
	if err := n.readBlock(q, height, &b); err != nil {
		return "", err
	}
	for _, t := range b.Transactions {
		if t.isOf(address, nonce) {
			return t.Hash.Hex(), nil
		}
	}
	return "", pool.ErrReorganised
}
