package node

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"

	"farrier/shared/chain"
	"farrier/shared/chain/jsonrpc"
	"farrier/shared/chain/pool"
	"farrier/shared/money"
)

// mature is how many blocks lie on one whose coinbase may be spent (consensus).
const mature = 100

// Transfers reads the blocks of the range whole.
func (n *Node) Transfers(ctx context.Context, from, to uint64, owned chain.Owned) ([]chain.Transfer, error) {
	if n.config.Native.Ignore || from > to {
		return nil, nil
	}
	return pool.Put(ctx, n.pool, func(e *endpoint) ([]chain.Transfer, error) {
		end, err := n.end(ctx, e, to)
		if err != nil {
			return nil, err
		}
		return n.inRange(ctx, e, from, to, end, owned)
	})
}

// Settled reads the blocks that lead to the one which the endpoints agree is the last of the range. All that these hold follows
// from that one's hash, so that it does not matter who shows them.
func (n *Node) Settled(ctx context.Context, from, to uint64, owned chain.Owned) ([]chain.Transfer, error) {
	if n.config.Native.Ignore || from > to {
		return nil, nil
	}
	same := func(a, b chainhash.Hash) bool { return a == b }
	end, err := pool.Agreed(ctx, n.pool, same, func(e *endpoint) (chainhash.Hash, error) { return n.end(ctx, e, to) })
	if err != nil {
		return nil, err
	}
	n.pool.ToldAlike(to)
	return pool.Put(ctx, n.pool, func(e *endpoint) ([]chain.Transfer, error) { return n.inRange(ctx, e, from, to, end, owned) })
}

// end is the hash of the last block of a range. An endpoint that has not heard of it yet is of no use: near the head that is no trouble.
func (n *Node) end(ctx context.Context, e *endpoint, to uint64) (chainhash.Hash, error) {
	hash, err := e.hashAt(ctx, to)
	if errors.Is(err, chain.ErrNotFound) {
		err = n.pool.Unknown(to)
	}
	return hash, err
}

// inRange goes from the end backwards, so that all blocks are of one chain, and sees at last that it is still the endpoint's.
// The owners are asked for block by block: a range may hold a million outputs.
func (n *Node) inRange(ctx context.Context, e *endpoint, from, to uint64, end chainhash.Hash, owned chain.Owned) ([]chain.Transfer, error) {
	var found [][]chain.Transfer
	hash := end
	for height := to; ; height-- {
		block, err := n.block(ctx, e, hash, height)
		if err != nil {
			return nil, err
		}
		ours, err := n.owned(ctx, n.inBlock(block, height), owned)
		if err != nil {
			return nil, pool.Ours(err)
		}
		found, hash = append(found, ours), block.Header.PrevBlock
		if height == from {
			break
		}
	}
	switch still, err := n.end(ctx, e, to); {
	case err != nil:
		return nil, err
	case still != end:
		return nil, pool.ErrReorganised
	}
	slices.Reverse(found)
	return slices.Concat(found...), nil
}

// block is a whole block. Only what is proved to lie so high makes an endpoint that is lower look behind: a header holds no height.
func (n *Node) block(ctx context.Context, e *endpoint, hash chainhash.Hash, height uint64) (*wire.MsgBlock, error) {
	block, err := e.block(ctx, hash, height)
	if err == nil {
		n.pool.Shown(height)
	}
	return block, err
}

func (n *Node) owned(ctx context.Context, all []chain.Transfer, owned chain.Owned) ([]chain.Transfer, error) {
	var to []string
	for _, t := range all {
		to = append(to, t.To)
	}
	slices.Sort(to)
	ours, err := owned(ctx, slices.Compact(to))
	return slices.DeleteFunc(all, func(t chain.Transfer) bool { return !ours[t.To] }), err
}

func (n *Node) inBlock(block *wire.MsgBlock, height uint64) []chain.Transfer {
	at := chain.Block{Height: height, Hash: block.BlockHash().String(), Time: block.Header.Timestamp.UTC()}
	var out []chain.Transfer
	for _, tx := range block.Transactions {
		out = append(out, n.moved(tx, at)...)
	}
	return out
}

// moved are the outputs of a transaction that pay an address.
func (n *Node) moved(tx *wire.MsgTx, at chain.Block) []chain.Transfer {
	if n.config.Native.Ignore || isCoinbase(tx) && n.config.Finality.Depth < mature {
		return nil
	}
	id := tx.TxHash().String()
	var out []chain.Transfer
	for i, output := range tx.TxOut {
		to, pays := n.network.Paid(output.PkScript)
		if !pays || output.Value == 0 {
			continue
		}
		out = append(out, chain.Transfer{
			Chain: n.config.ID, Tx: id, Index: "out-" + strconv.Itoa(i), Block: at,
			Asset: n.config.NativeAsset(), Decimals: n.config.Native.Decimals, To: to, Amount: money.Units(output.Value),
		})
	}
	return out
}

// Transaction asks which block holds the transaction, and reads that block.
func (n *Node) Transaction(ctx context.Context, tx string) (chain.Block, []chain.Transfer, error) {
	type answer struct {
		block chain.Block
		moved []chain.Transfer
	}
	id, ok := hashOf(tx)
	if !ok {
		return chain.Block{}, nil, chain.ErrNotFound // no transaction has such a name
	}
	a, err := pool.Put(ctx, n.pool, func(e *endpoint) (answer, error) {
		hash, err := n.blockOf(ctx, e, id)
		if err != nil {
			return answer{}, err
		}
		height, err := e.heightOf(ctx, hash)
		if err != nil {
			return answer{}, err
		}
		block, err := n.block(ctx, e, hash, height)
		if err != nil {
			return answer{}, err
		}
		i := slices.IndexFunc(block.Transactions, func(t *wire.MsgTx) bool { return t.TxHash() == id })
		if i < 0 {
			return answer{}, jsonrpc.Strange("getrawtransaction", "a block that does not hold the transaction")
		}
		switch canonical, err := n.end(ctx, e, height); {
		case err != nil:
			return answer{}, err
		case canonical != hash: // an index of transactions may go on naming a block that was given up
			return answer{}, n.unknown(ctx, e)
		}
		at := chain.Block{Height: height, Hash: hash.String(), Time: block.Header.Timestamp.UTC()}
		return answer{at, n.moved(block.Transactions[i], at)}, nil
	})
	return a.block, a.moved, err
}

// blockOf is the block that an endpoint says holds the transaction: ErrNotFound where none does, also while it waits.
func (n *Node) blockOf(ctx context.Context, e *endpoint, id chainhash.Hash) (chainhash.Hash, error) {
	q := &jsonrpc.Call{Method: "getrawtransaction", Params: []any{id.String(), 1}, Cap: jsonrpc.Large}
	if err := e.Ask(ctx, q); err != nil {
		return chainhash.Hash{}, err
	}
	if neverHeardOf(q.Err) {
		return chainhash.Hash{}, n.unknown(ctx, e)
	}
	var answer struct {
		ID    string `json:"txid"`
		Block string `json:"blockhash"`
	}
	if err := q.Read(&answer); err != nil {
		return chainhash.Hash{}, err
	}
	hash, ok := hashOf(answer.Block)
	switch {
	case answer.ID != id.String():
		return chainhash.Hash{}, jsonrpc.Strange(q.Method, "another transaction")
	case answer.Block == "":
		return chainhash.Hash{}, n.unknown(ctx, e)
	case !ok:
		return chainhash.Hash{}, jsonrpc.Strange(q.Method, "a block that has no hash")
	}
	return hash, nil
}

// neverHeardOf says whether a node refused because it knows no such transaction, and would know it if it were there.
// Both say so with code -5, with which they also say that they keep no index of transactions, or that it is not ready; so
// the words count, and only those that are known. Bitcoin Core: "No such mempool or blockchain transaction. Use
// gettransaction for wallet transactions."; without an index "No such mempool transaction. Use -txindex or provide a block
// hash to enable blockchain transaction queries. …", and while it is built "No such mempool transaction. Blockchain
// transactions are still in the process of being indexed. …" (src/rpc/rawtransaction.cpp). btcd 0.26.2: "No information
// available about transaction …"; without an index "The transaction index must be enabled to query the blockchain …".
func neverHeardOf(err error) bool {
	const notFound = -5
	var refused *jsonrpc.RefusedError
	return errors.As(err, &refused) && refused.Code == notFound &&
		(strings.HasPrefix(refused.Message, "No such mempool or blockchain transaction") || strings.HasPrefix(refused.Message, "No information available about transaction"))
}

// unknown believes an endpoint that it does not know a transaction only where it is not behind.
func (n *Node) unknown(ctx context.Context, e *endpoint) error {
	head, err := e.count(ctx)
	if err != nil {
		return err
	}
	if err := n.pool.NotBehind(head); err != nil {
		return err
	}
	return chain.ErrNotFound
}
