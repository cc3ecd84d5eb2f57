package node

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"farrier/shared/chain"
	"farrier/shared/chain/jsonrpc"
	"farrier/shared/chain/pool"
)

// One block cannot be asked for in parts as a range can. But anyone can make one whose traces are larger than any answer may be:
// each call within a transaction is told with its whole input, and a call of 100,000 bytes costs a few hundred gas.

// inParts says whether smaller questions may be answered now where a large one was not.
func inParts(err error) bool {
	return jsonrpc.TooMuch(err) && !jsonrpc.Limited(err) && !jsonrpc.Late(err)
}

// beyond says whether an answer was larger than we take, or later.
func beyond(err error) bool {
	var large *jsonrpc.TooLargeError
	return errors.As(err, &large) || jsonrpc.Late(err)
}

// askEach asks in halves where the endpoint, or we, will not have all answers at once. What cannot be had by itself has its own error.
func (e *endpoint) askEach(ctx context.Context, questions []*jsonrpc.Call) error {
	err := e.Ask(ctx, questions...)
	switch {
	case err == nil:
		return nil
	case len(questions) == 1 && (inParts(err) || jsonrpc.Late(err)):
		questions[0].Err = err
		return nil
	case !inParts(err):
		return err
	}
	half := len(questions) / 2
	if err := e.askEach(ctx, questions[:half]); err != nil {
		return err
	}
	return e.askEach(ctx, questions[half:])
}

// oneByOne reads a block, and its traces transaction by transaction.
func (n *Node) oneByOne(ctx context.Context, e *endpoint, height uint64, cs *claims) error {
	q := blockQuestion(height, true)
	if err := e.Ask(ctx, q); err != nil {
		return err
	}
	b, block, err := n.addBlock(cs, q, height)
	if err != nil {
		return err
	}
	moved, err := n.movesOneByOne(ctx, e, b, block)
	if err != nil {
		return err
	}
	return cs.add(moved, block)
}

// movesOneByOne leaves out a transaction whose traces cannot be had. Where a node refuses them all, it may have thrown the
// block's state away, and nothing is left out: that is the endpoint's trouble.
func (n *Node) movesOneByOne(ctx context.Context, e *endpoint, b body, block chain.Block) (map[common.Hash][]move, error) {
	moved := map[common.Hash][]move{}
	refused := map[string]error{}
	rest := b.Transactions
	for len(rest) > 0 {
		part := rest[:min(len(rest), e.traces())]
		rest = rest[len(part):]
		var asked []transaction
		var questions []*jsonrpc.Call
		for _, t := range part {
			if !n.leftOut(e, t.Hash.Hex()) {
				asked, questions = append(asked, t), append(questions, n.traceQuestion(t.Hash.Hex()))
			}
		}
		if len(questions) == 0 {
			continue
		}
		if err := e.askEach(ctx, questions); err != nil {
			if jsonrpc.Late(err) {
				e.fewerTraces()
			}
			return nil, err
		}
		for i, q := range questions {
			tx := asked[i].Hash.Hex()
			var no *jsonrpc.RefusedError
			switch {
			case beyond(q.Err):
				n.leaveOut(e, tx, block, q.Err)
			case *asked[i].From == (common.Address{}) && (q.Err != nil || q.Null()): // of the chain itself
			case errors.As(q.Err, &no) && inParts(q.Err):
				refused[tx] = q.Err
			default:
				m, err := n.movesBy(q, tx, block)
				if err != nil {
					return nil, err
				}
				moved[*asked[i].Hash] = m
			}
		}
	}
	for tx, err := range refused {
		if len(moved) == 0 {
			return nil, err
		}
		n.leaveOut(e, tx, block, err)
	}
	return moved, nil
}

func (e *endpoint) traces() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.tracesAtOnce == 0 {
		e.tracesAtOnce = batch
	}
	return e.tracesAtOnce
}

// fewerTraces is for the next question: each that we wait for in vain costs as long again.
func (e *endpoint) fewerTraces() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tracesAtOnce = max(1, e.tracesAtOnce/2)
}

// untraced are the transactions whose inner calls could not be had, and from which endpoints.
type untraced struct {
	mu sync.Mutex
	by map[string]map[*endpoint]bool
}

// mostUntraced is how many are remembered; then it begins anew.
const mostUntraced = 10_000

// leaveOut notes that an endpoint could not tell what happened within a transaction. Each time it is told once.
func (n *Node) leaveOut(e *endpoint, tx string, block chain.Block, err error) {
	n.untraced.mu.Lock()
	if n.untraced.by == nil || len(n.untraced.by) >= mostUntraced {
		n.untraced.by = map[string]map[*endpoint]bool{}
	}
	if n.untraced.by[tx] == nil {
		n.untraced.by[tx] = map[*endpoint]bool{}
	}
	news := !n.untraced.by[tx][e]
	n.untraced.by[tx][e] = true
	n.untraced.mu.Unlock()
	if news {
		n.pool.Mention(e, pool.LeftOut, fmt.Errorf("node: what transaction %s of block %d moves within is not looked at: %w", tx, block.Height, err))
	}
}

// leftOut says whether what happened within a transaction is not looked at: where this endpoint could not tell, and where
// so many could not that those who can are too few to agree. Else a transaction of a size that one endpoint answers and another does
// not would keep all blocks after it from becoming final.
func (n *Node) leftOut(e *endpoint, tx string) bool {
	n.untraced.mu.Lock()
	defer n.untraced.mu.Unlock()
	cannot := n.untraced.by[tx]
	return cannot[e] || len(cannot) > 0 && n.endpoints-len(cannot) < n.pool.Agree()
}

// logsOf asks for the transfers of one block token by token, and where even that is refused for all of its receipts.
func (n *Node) logsOf(ctx context.Context, e *endpoint, height uint64, cs *claims) ([]eventLog, error) {
	var all []eventLog
	for _, token := range n.tokenAddresses() {
		logs, err := n.logs(ctx, e, height, height, []string{token}, cs)
		if inParts(err) {
			return n.logsOfReceipts(ctx, e, height, cs)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, logs...)
	}
	return all, nil
}

func (n *Node) logsOfReceipts(ctx context.Context, e *endpoint, height uint64, cs *claims) ([]eventLog, error) {
	last := blockQuestion(height, false)
	q := &jsonrpc.Call{Method: "eth_getBlockReceipts", Params: []any{hexutil.EncodeUint64(height)}, Cap: jsonrpc.Large}
	if err := e.Ask(ctx, last, q); err != nil {
		return nil, err
	}
	var err error
	if cs.end, err = n.shown(last, height); err != nil {
		return nil, err
	}
	var receipts jsonrpc.List[receipt]
	if err := n.readBlock(q, height, &receipts); err != nil {
		return nil, err
	}
	var out []eventLog
	for _, r := range receipts {
		if r.BlockHash == nil || r.BlockHash.Hex() != cs.end.Hash {
			return nil, jsonrpc.Strange(q.Method, "a receipt of another block")
		}
		for _, l := range r.Logs {
			if l.Address != nil && n.configured(l) && len(l.Topics) > 0 && l.Topics[0] == transferTopic {
				out = append(out, l)
			}
		}
	}
	return out, nil
}
