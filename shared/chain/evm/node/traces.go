package node

import (
	"math/big"
	"slices"
	"strconv"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"farrier/shared/chain"
	"farrier/shared/chain/jsonrpc"
	"farrier/shared/money"
)

// Coin that a contract sends on leaves no log; only a node that runs the block again can tell of it. There are two ways
// to ask, each for a whole block and for one transaction, and nodes speak one or the other: trace_block (Erigon,
// Nethermind, Reth, anvil: https://openethereum.github.io/JSONRPC-trace-module, flat lists) and
// debug_traceBlockByNumber with the callTracer (geth: https://geth.ethereum.org/docs/developers/evm-tracing/built-in-tracers,
// trees; read 2026-11).

// traceBatch is how many blocks' traces are asked for at once: each may have several megabytes.
const traceBatch = 4

// largestTrace is how many bytes the traces of one transaction may have: a payout to a thousand has about one million.
const largestTrace = 4 << 20

// move is coin that a contract sent within a transaction.
type move struct {
	from, to common.Address
	amount   *big.Int
}

// step is one call frame of a transaction, whichever way it was asked for.
type step struct {
	path   []int // where it stands in the tree of calls; none for the transaction itself
	failed bool
	from   *common.Address
	to     *common.Address
	amount *hexutil.Big // nil where it moves none
}

// moves are what the frames of a transaction moved, in the order in which they ran. A frame that failed took everything
// below it back. The transaction's own value is no part of them.
//
// Their numbers must not depend on which node tells them, or the same money would come twice under two names: some nodes
// leave out calls of precompiled contracts that move nothing (Erigon's tracer does, anvil 1.7.1 does not), so that places
// in the tree of calls differ for the same transaction. So only what moves coin is counted, in the order in which it ran.
func moves(method string, steps []step) ([]move, error) {
	slices.SortStableFunc(steps, func(a, b step) int { return slices.Compare(a.path, b.path) })
	var out []move
	var gone []int // the path of the frame that failed last
	for i, s := range steps {
		switch {
		case (i == 0) != (len(s.path) == 0), i > 0 && slices.Equal(s.path, steps[i-1].path):
			return nil, jsonrpc.Strange(method, "a transaction without its own frame, or two frames in one place")
		case gone != nil && len(s.path) >= len(gone) && slices.Equal(s.path[:len(gone)], gone):
			continue
		case s.failed:
			gone = s.path
			if gone == nil {
				gone = []int{}
			}
			continue
		case i == 0 || s.amount == nil || s.amount.ToInt().Sign() == 0:
			continue
		case s.amount.ToInt().Sign() < 0:
			return nil, jsonrpc.Strange(method, "a negative value")
		case s.from == nil || s.to == nil:
			return nil, jsonrpc.Strange(method, "a frame with value and without sender or receiver")
		case *s.from == *s.to:
			continue
		}
		out = append(out, move{from: *s.from, to: *s.to, amount: s.amount.ToInt()})
	}
	return out, nil
}

// flatTrace is a frame as trace_block tells it.
type flatTrace struct {
	Action struct {
		CallType string          `json:"callType"`
		From     *common.Address `json:"from"`
		To       *common.Address `json:"to"`
		Value    *hexutil.Big    `json:"value"`
		Contract *common.Address `json:"address"`       // that ends itself,
		Refund   *common.Address `json:"refundAddress"` // and who gets what it had
		Balance  *hexutil.Big    `json:"balance"`
	} `json:"action"`
	Result *struct {
		Address *common.Address `json:"address"` // of a contract that was made
	} `json:"result"`
	Error     string       `json:"error"`
	Path      []int        `json:"traceAddress"`
	Tx        *common.Hash `json:"transactionHash"`
	BlockHash *common.Hash `json:"blockHash"`
	Height    *uint64      `json:"blockNumber"`
	Type      string       `json:"type"`
}

func (f flatTrace) step(method string) (step, error) {
	s := step{path: f.Path, failed: f.Error != "", from: f.Action.From}
	switch f.Type {
	case "call":
		s.to = f.Action.To
		switch f.Action.CallType {
		case "call":
			s.amount = f.Action.Value
		case "delegatecall", "staticcall", "callcode": // run with the caller's own value and account, or with none
		default:
			return step{}, jsonrpc.Strange(method, "a call of the kind %.20s", f.Action.CallType)
		}
	case "create":
		s.amount = f.Action.Value
		if f.Result != nil {
			s.to = f.Result.Address
		}
	case "suicide", "selfdestruct":
		s.from, s.to, s.amount = f.Action.Contract, f.Action.Refund, f.Action.Balance
	default:
		return step{}, jsonrpc.Strange(method, "a trace of the kind %.20s", f.Type)
	}
	return s, nil
}

// flatMoves are the moves of each transaction in a list of flat traces, all of one block.
func flatMoves(method string, traces []flatTrace, block chain.Block) (map[common.Hash][]move, error) {
	steps := map[common.Hash][]step{}
	for _, f := range traces {
		if f.Type == "reward" { // of a miner or validator, which no transaction moves
			continue
		}
		switch {
		case f.Tx == nil || f.BlockHash == nil || f.Height == nil:
			return nil, jsonrpc.Strange(method, "a trace without transaction or block")
		case f.BlockHash.Hex() != block.Hash || *f.Height != block.Height:
			return nil, jsonrpc.Strange(method, "a trace of another block")
		}
		s, err := f.step(method)
		if err != nil {
			return nil, err
		}
		steps[*f.Tx] = append(steps[*f.Tx], s)
	}
	return movesOf(method, steps)
}

func movesOf(method string, steps map[common.Hash][]step) (map[common.Hash][]move, error) {
	out := map[common.Hash][]move{}
	for tx, s := range steps {
		m, err := moves(method, s)
		if err != nil {
			return nil, err
		}
		out[tx] = m
	}
	return out, nil
}

// treeTrace is a frame as geth's callTracer tells it.
type treeTrace struct {
	Type  string                  `json:"type"`
	From  *common.Address         `json:"from"`
	To    *common.Address         `json:"to"`
	Value *hexutil.Big            `json:"value"`
	Error string                  `json:"error"`
	Calls jsonrpc.List[treeTrace] `json:"calls"`
}

// deepest is how deep calls go (the EVM's stack of calls holds 1024).
const deepest = 1025

func (f treeTrace) steps(method string, path []int, into *[]step) error {
	if len(path) > deepest {
		return jsonrpc.Strange(method, "calls that are nested deeper than any run")
	}
	s := step{path: path, failed: f.Error != "", from: f.From, to: f.To}
	switch f.Type {
	case "CALL", "CREATE", "CREATE2", "SELFDESTRUCT":
		s.amount = f.Value
	case "DELEGATECALL", "STATICCALL", "CALLCODE":
	default:
		return jsonrpc.Strange(method, "a frame of the kind %.20s", f.Type)
	}
	*into = append(*into, s)
	for i, inner := range f.Calls {
		if err := inner.steps(method, append(slices.Clone(path), i), into); err != nil {
			return err
		}
	}
	return nil
}

func treeMoves(method string, root treeTrace) ([]move, error) {
	var steps []step
	if err := root.steps(method, nil, &steps); err != nil {
		return nil, err
	}
	return moves(method, steps)
}

var callTracer = map[string]any{"tracer": "callTracer"}

// tracesQuestion asks for the traces of a block.
func (n *Node) tracesQuestion(height uint64) *jsonrpc.Call {
	q := &jsonrpc.Call{Method: n.config.Native.Traces, Params: []any{hexutil.EncodeUint64(height)}, Cap: jsonrpc.Large}
	if n.config.Native.Traces == chain.GethTraces {
		q.Params = append(q.Params, callTracer)
	}
	return q
}

// movesIn reads the answer to tracesQuestion, by transaction.
func (n *Node) movesIn(q *jsonrpc.Call, block chain.Block) (map[common.Hash][]move, error) {
	if n.config.Native.Traces == chain.FlatTraces {
		var traces jsonrpc.List[flatTrace]
		if err := q.Read(&traces); err != nil {
			return nil, err
		}
		return flatMoves(q.Method, traces, block)
	}
	var traces jsonrpc.List[struct {
		Tx     *common.Hash `json:"txHash"`
		Result *treeTrace   `json:"result"`
		Error  string       `json:"error"`
	}]
	if err := q.Read(&traces); err != nil {
		return nil, err
	}
	out := map[common.Hash][]move{}
	for _, t := range traces {
		if t.Tx == nil || t.Result == nil || t.Error != "" {
			return nil, jsonrpc.Strange(q.Method, "a trace without transaction or result")
		}
		m, err := treeMoves(q.Method, *t.Result)
		if err != nil {
			return nil, err
		}
		out[*t.Tx] = m
	}
	return out, nil
}

// addMoves adds what the contracts of a block sent on. Every transaction that a person sent must have its trace: an
// answer without one would keep money from us. (The zero address signs nothing: chains use it for what they do themselves.)
func (n *Node) addMoves(cs *claims, e *endpoint, q *jsonrpc.Call, b body, block chain.Block) error {
	moved, err := n.movesIn(q, block)
	if err != nil {
		return err
	}
	for i := range b.Transactions {
		t := &b.Transactions[i]
		if _, traced := moved[*t.Hash]; !traced && *t.From != (common.Address{}) {
			return jsonrpc.Strange(q.Method, "no trace of the transaction %s", t.Hash.Hex())
		}
	}
	for tx := range moved {
		if n.leftOut(e, tx.Hex()) {
			delete(moved, tx)
		}
	}
	return cs.add(moved, block)
}

// add notes what the contracts of a block sent on.
func (cs *claims) add(moved map[common.Hash][]move, block chain.Block) error {
	for tx, m := range moved {
		if len(m) == 0 {
			continue
		}
		c, err := cs.of(tx.Hex(), chain.Block{Height: block.Height, Hash: block.Hash})
		if err != nil {
			return err
		}
		c.moves = m
		for _, x := range m {
			c.to = append(c.to, address(x.to[:]))
		}
	}
	return nil
}

// traceQuestion asks for the traces of one transaction.
func (n *Node) traceQuestion(tx string) *jsonrpc.Call {
	if n.config.Native.Traces == chain.GethTraces {
		return &jsonrpc.Call{Method: "debug_traceTransaction", Params: []any{tx, callTracer}, Cap: largestTrace}
	}
	return &jsonrpc.Call{Method: "trace_transaction", Params: []any{tx}, Cap: largestTrace}
}

// movesBy reads the answer to traceQuestion.
func (n *Node) movesBy(q *jsonrpc.Call, tx string, block chain.Block) ([]move, error) {
	if n.config.Native.Traces == chain.GethTraces {
		var root treeTrace
		if err := q.Read(&root); err != nil {
			return nil, err
		}
		return treeMoves(q.Method, root)
	}
	var traces jsonrpc.List[flatTrace]
	if err := q.Read(&traces); err != nil {
		return nil, err
	}
	all, err := flatMoves(q.Method, traces, block)
	if err != nil {
		return nil, err
	}
	m, traced := all[common.HexToHash(tx)]
	if !traced || len(all) != 1 {
		return nil, jsonrpc.Strange(q.Method, "the traces of another transaction")
	}
	return m, nil
}

// sentOn are the moves as transfers.
func (n *Node) sentOn(tx string, block chain.Block, all []move) ([]chain.Transfer, error) {
	var out []chain.Transfer
	for i, m := range all {
		amount, err := money.FromBig(m.amount)
		if err != nil {
			return nil, jsonrpc.Strange(n.traceQuestion(tx).Method, "%v", err)
		}
		out = append(out, chain.Transfer{
			Chain: n.config.ID, Tx: tx, Index: "trace-" + strconv.Itoa(i), Block: block,
			Asset: n.config.NativeAsset(), Decimals: n.config.Native.Decimals,
			From: address(m.from[:]), To: address(m.to[:]), Amount: amount,
		})
	}
	return out, nil
}
