package node

import (
	"context"
	"encoding/hex"
	"errors"
	"math"
	"strings"

	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"

	"farrier/shared/chain"
	"farrier/shared/chain/bitcoin"
	"farrier/shared/chain/jsonrpc"
	"farrier/shared/chain/pool"
)

// endpoint is one of a network's nodes.
type endpoint struct {
	*jsonrpc.Client
	network bitcoin.Network
}

// tallest is the highest block that a node can be asked for: btcd counts in 32 bits.
const tallest = math.MaxInt32

// OnChain asks for the network's first block.
func (e *endpoint) OnChain(ctx context.Context) error {
	got, err := e.askHash(ctx, "getblockhash", 0)
	if err != nil {
		return err
	}
	if got.String() != e.network.Genesis {
		return &pool.WrongChainError{Want: e.network.Reference(), Got: got.String()[:32]}
	}
	return nil
}

// best is the newest block. The height is the endpoint's word alone: a header holds none.
func (e *endpoint) best(ctx context.Context) (chain.Block, error) {
	hash, err := e.askHash(ctx, "getbestblockhash")
	if err != nil {
		return chain.Block{}, err
	}
	raw, height := headerQuestion(hash), heightQuestion(hash)
	if err := e.Ask(ctx, raw, height); err != nil {
		return chain.Block{}, err
	}
	header, err := e.readHeader(raw, hash)
	if err != nil {
		return chain.Block{}, err
	}
	at, err := readHeight(height)
	return chain.Block{Height: at, Hash: hash.String(), Time: header.Timestamp.UTC()}, err
}

// Tip is how high the endpoint is.
func (e *endpoint) Tip(ctx context.Context) (uint64, error) { return e.count(ctx) }

// count is how high the endpoint says that the chain is.
func (e *endpoint) count(ctx context.Context) (uint64, error) {
	q := &jsonrpc.Call{Method: "getblockcount"}
	if err := e.Ask(ctx, q); err != nil {
		return 0, err
	}
	var height uint64
	if err := q.Read(&height); err != nil {
		return 0, err
	}
	if height > tallest {
		return 0, jsonrpc.Strange(q.Method, "a height that no block has")
	}
	return height, nil
}

// hashAt is the hash of the canonical block at a height, as the endpoint tells it: ErrNotFound above its head.
func (e *endpoint) hashAt(ctx context.Context, height uint64) (chainhash.Hash, error) {
	if height > tallest {
		return chainhash.Hash{}, chain.ErrNotFound
	}
	hash, err := e.askHash(ctx, "getblockhash", height)
	if outOfRange(err) {
		return chainhash.Hash{}, chain.ErrNotFound
	}
	return hash, err
}

// outOfRange says whether a node refused because no block is so high: Bitcoin Core with -8, "Block height out of range"
// (src/rpc/blockchain.cpp, 2026-11), btcd with -1, "Block number out of range" (0.26.2).
func outOfRange(err error) bool {
	var refused *jsonrpc.RefusedError
	return errors.As(err, &refused) && (refused.Code == -8 || refused.Code == -1) && strings.Contains(refused.Message, "out of range")
}

// header is a block's, proved.
func (e *endpoint) header(ctx context.Context, hash chainhash.Hash) (wire.BlockHeader, error) {
	q := headerQuestion(hash)
	if err := e.Ask(ctx, q); err != nil {
		return wire.BlockHeader{}, err
	}
	return e.readHeader(q, hash)
}

func headerQuestion(hash chainhash.Hash) *jsonrpc.Call {
	return &jsonrpc.Call{Method: "getblockheader", Params: []any{hash.String(), false}}
}

func (e *endpoint) readHeader(q *jsonrpc.Call, hash chainhash.Hash) (wire.BlockHeader, error) {
	raw, err := readHex(q)
	if err != nil {
		return wire.BlockHeader{}, err
	}
	header, reason := provedHeader(raw, hash, e.network)
	if reason != "" {
		return wire.BlockHeader{}, jsonrpc.Strange(q.Method, "%s", reason)
	}
	return header, nil
}

// heightOf is how high an endpoint says that a block lies.
func (e *endpoint) heightOf(ctx context.Context, hash chainhash.Hash) (uint64, error) {
	q := heightQuestion(hash)
	if err := e.Ask(ctx, q); err != nil {
		return 0, err
	}
	return readHeight(q)
}

func heightQuestion(hash chainhash.Hash) *jsonrpc.Call {
	return &jsonrpc.Call{Method: "getblockheader", Params: []any{hash.String(), true}}
}

func readHeight(q *jsonrpc.Call) (uint64, error) {
	var answer struct {
		Height *int64 `json:"height"`
	}
	if err := q.Read(&answer); err != nil {
		return 0, err
	}
	if answer.Height == nil || *answer.Height < 0 || *answer.Height > tallest {
		return 0, jsonrpc.Strange(q.Method, "a height that no block has")
	}
	return uint64(*answer.Height), nil // #nosec G115 -- not negative
}

// block is a whole block, proved to be the one with that hash and, where blocks say so, at that height.
func (e *endpoint) block(ctx context.Context, hash chainhash.Hash, height uint64) (*wire.MsgBlock, error) {
	q := &jsonrpc.Call{Method: "getblock", Params: []any{hash.String(), 0}, Cap: jsonrpc.Large}
	if err := e.Ask(ctx, q); err != nil {
		return nil, err
	}
	raw, err := readHex(q)
	if err != nil {
		return nil, err
	}
	block, reason := provedBlock(raw, hash, height, e.network)
	if reason != "" {
		return nil, jsonrpc.Strange(q.Method, "%s", reason)
	}
	return block, nil
}

func (e *endpoint) askHash(ctx context.Context, method string, params ...any) (chainhash.Hash, error) {
	q := &jsonrpc.Call{Method: method, Params: params}
	if err := e.Ask(ctx, q); err != nil {
		return chainhash.Hash{}, err
	}
	var text string
	if err := q.Read(&text); err != nil {
		return chainhash.Hash{}, err
	}
	hash, ok := hashOf(text)
	if !ok {
		return chainhash.Hash{}, jsonrpc.Strange(method, "no hash")
	}
	return hash, nil
}

// hashOf reads a hash as nodes write it, 64 digits in lower case with the last byte first. The library also takes shorter ones.
func hashOf(text string) (chainhash.Hash, bool) {
	hash, err := chainhash.NewHashFromStr(text)
	if err != nil || hash.String() != text {
		return chainhash.Hash{}, false
	}
	return *hash, true
}

func readHex(q *jsonrpc.Call) ([]byte, error) {
	var text string
	if err := q.Read(&text); err != nil {
		return nil, err
	}
	raw, err := hex.DecodeString(text)
	if err != nil {
		return nil, jsonrpc.Strange(q.Method, "no hex")
	}
	return raw, nil
}
