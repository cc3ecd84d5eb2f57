package node

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"farrier/shared/chain"
	"farrier/shared/chain/jsonrpc"
	"farrier/shared/chain/pool"
	"farrier/shared/money"
)

// batch is how many blocks or receipts are asked for in one HTTP request.
const batch = 20

// Transfers finds the transfers to owned addresses in three steps, each of which checks the one before:
// what the logs (and, for the coin, the blocks' transactions) claim, to whom; what the receipts of
// exactly those transactions say; which blocks are canonical at their heights.
func (n *Node) Transfers(ctx context.Context, from, to uint64, owned chain.Owned) ([]chain.Transfer, error) {
	found, err := pool.Put(ctx, n.pool, n.inRange(ctx, from, to, owned))
	return found.Transfers, err
}

// Settled believes the transfers only as endpoints that agree on the last block's hash tell them alike: an
// endpoint that keeps a log from us, or a fork of its own, is noticed.
func (n *Node) Settled(ctx context.Context, from, to uint64, owned chain.Owned) ([]chain.Transfer, error) {
	found, err := pool.Agreed(ctx, n.pool, pool.Told.Same, n.inRange(ctx, from, to, owned))
	if err == nil {
		n.pool.ToldAlike(to)
	}
	return found.Transfers, err
}

func (n *Node) inRange(ctx context.Context, from, to uint64, owned chain.Owned) func(*endpoint) (pool.Told, error) {
	return func(e *endpoint) (pool.Told, error) {
		cs, err := n.claims(ctx, e, from, to)
		if err != nil {
			return pool.Told{}, pool.Wide(err, from, to)
		}
		ours, err := owned(ctx, cs.addresses())
		if err != nil {
			return pool.Told{}, pool.Ours(err)
		}
		transfers, err := n.proved(ctx, e, cs, ours)
		return pool.Told{Transfers: transfers, End: cs.end.Hash}, pool.Wide(err, from, to)
	}
}

// claim is one transaction that is said to pay somebody.
type claim struct {
	tx     string
	block  chain.Block // without its time
	to     []string
	native *transaction
	moves  []move
	logs   map[uint64]eventLog // every Transfer of a configured token that was told, by its place in the block
}

// claims are those of one range, by transaction.
type claims struct {
	by  map[string]*claim
	end chain.Block // the last of the range
}

// of is the claim about a transaction, which all must tell of the same block.
func (cs *claims) of(tx string, block chain.Block) (*claim, error) {
	c := cs.by[tx]
	if c == nil {
		c = &claim{tx: tx, block: block, logs: map[uint64]eventLog{}}
		cs.by[tx] = c
	}
	if c.block.Hash != block.Hash || c.block.Height != block.Height {
		return nil, pool.ErrReorganised
	}
	return c, nil
}

func (cs *claims) addresses() []string {
	var out []string
	for _, c := range cs.by {
		out = append(out, c.to...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// claims reads the range in spans that the endpoint is willing to answer for. One that let us wait in vain is not asked again at
// once, and one that names a limit is asked for less once: if that does not help, the limit is not that of an answer.
func (n *Node) claims(ctx context.Context, e *endpoint, from, to uint64) (*claims, error) {
	cs := &claims{by: map[string]*claim{}}
	limited := false
	for from <= to {
		through := min(to, from+e.width()-1)
		err := n.claimsOf(ctx, e, from, through, cs)
		switch {
		case err == nil:
			e.widen()
			from, limited = through+1, false
		case jsonrpc.TooMuch(err) && through > from:
			e.narrow(through - from + 1)
			if jsonrpc.Late(err) || limited && jsonrpc.Limited(err) {
				return nil, err
			}
			limited = jsonrpc.Limited(err)
		default:
			return nil, err
		}
	}
	return cs, nil
}

func (e *endpoint) width() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.span
}

// narrow halves the span after a refusal; widen feels its way back.
func (e *endpoint) narrow(refused uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.span = max(1, min(e.span, refused)/2)
}

func (e *endpoint) widen() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.span = min(widest, e.span+e.span/8+1)
}

func (n *Node) claimsOf(ctx context.Context, e *endpoint, from, to uint64, cs *claims) error {
	if len(n.tokens) > 0 {
		if err := n.tokenClaims(ctx, e, from, to, cs); err != nil {
			return err
		}
	}
	if n.config.Native.Ignore {
		return nil
	}
	atOnce := uint64(batch)
	if n.config.Native.Traces != "" {
		atOnce = traceBatch
	}
	for from <= to {
		through := min(to, from+atOnce-1)
		if err := n.nativeClaims(ctx, e, from, through, cs); err != nil {
			return err
		}
		from = through + 1
	}
	return nil
}

func (n *Node) tokenClaims(ctx context.Context, e *endpoint, from, to uint64, cs *claims) error {
	logs, err := n.logs(ctx, e, from, to, n.tokenAddresses(), cs)
	if from == to && inParts(err) {
		logs, err = n.logsOf(ctx, e, from, cs)
	}
	if err != nil {
		return err
	}
	for _, l := range logs {
		if err := n.addLog(cs, l, from, to); err != nil {
			return err
		}
	}
	return nil
}

// logs asks for the last block of the range in the same breath: an endpoint that has not heard
// of it yet would answer an empty list of logs instead of an error.
func (n *Node) logs(ctx context.Context, e *endpoint, from, to uint64, tokens []string, cs *claims) ([]eventLog, error) {
	last := blockQuestion(to, false)
	q := &jsonrpc.Call{Method: "eth_getLogs", Params: []any{map[string]any{
		"fromBlock": hexutil.EncodeUint64(from), "toBlock": hexutil.EncodeUint64(to),
		"address": tokens, "topics": []any{transferTopic},
	}}, Cap: jsonrpc.Large}
	if err := e.Ask(ctx, last, q); err != nil {
		return nil, err
	}
	var err error
	if cs.end, err = n.shown(last, to); err != nil {
		return nil, err
	}
	var logs jsonrpc.List[eventLog]
	err = q.Read(&logs)
	return logs, err
}

func (n *Node) tokenAddresses() []string {
	var out []string
	for _, t := range n.config.Tokens {
		out = append(out, t.Address)
	}
	return out
}

func (n *Node) addLog(cs *claims, l eventLog, from, to uint64) error {
	const method = "eth_getLogs"
	switch {
	case l.Removed:
		return pool.ErrReorganised
	case l.Address == nil || l.Height == nil || l.BlockHash == nil || l.Tx == nil || l.Index == nil || len(l.Topics) == 0:
		return jsonrpc.Strange(method, "a log without address, block, transaction, index or topics")
	case uint64(*l.Height) < from || uint64(*l.Height) > to:
		return jsonrpc.Strange(method, "a log of block %d, outside %d to %d", *l.Height, from, to)
	case !n.configured(l) || l.Topics[0] != transferTopic:
		return jsonrpc.Strange(method, "a log that was not asked for")
	case !l.isTransfer():
		return nil
	}
	m, err := l.movement(method)
	if err != nil {
		return err
	}
	c, err := cs.of(l.Tx.Hex(), chain.Block{Height: uint64(*l.Height), Hash: l.BlockHash.Hex()})
	if err != nil {
		return err
	}
	c.logs[uint64(*l.Index)] = l
	if m.amount.Sign() > 0 {
		c.to = append(c.to, m.to)
	}
	return nil
}

func (n *Node) configured(l eventLog) bool {
	_, ok := n.tokens[address(l.Address[:])]
	return ok
}

// nativeClaims reads the blocks whole: value that a transaction carries leaves no log. Where it is configured, the
// blocks' traces are asked for besides. Where that is too much at once, in halves, and of one block transaction by transaction.
func (n *Node) nativeClaims(ctx context.Context, e *endpoint, from, to uint64, cs *claims) error {
	err := n.blockClaims(ctx, e, from, to, cs)
	switch {
	case from == to && n.config.Native.Traces != "" && (inParts(err) || jsonrpc.Late(err)):
		return n.oneByOne(ctx, e, from, cs)
	case from == to || !inParts(err):
		return err
	}
	half := from + (to-from)/2
	if err := n.nativeClaims(ctx, e, from, half, cs); err != nil {
		return err
	}
	return n.nativeClaims(ctx, e, half+1, to, cs)
}

func (n *Node) blockClaims(ctx context.Context, e *endpoint, from, to uint64, cs *claims) error {
	var questions, traces []*jsonrpc.Call
	for h := from; h <= to; h++ {
		questions = append(questions, blockQuestion(h, true))
		if n.config.Native.Traces != "" {
			traces = append(traces, n.tracesQuestion(h))
		}
	}
	if err := e.Ask(ctx, slices.Concat(questions, traces)...); err != nil {
		return err
	}
	for i, q := range questions {
		b, block, err := n.addBlock(cs, q, from+uint64(i)) // #nosec G115 -- i is small
		if err != nil {
			return err
		}
		if len(traces) == 0 {
			continue
		}
		if err := n.addMoves(cs, e, traces[i], b, block); err != nil {
			return err
		}
	}
	return nil
}

// addBlock adds what the transactions of a block carry themselves.
func (n *Node) addBlock(cs *claims, q *jsonrpc.Call, height uint64) (b body, block chain.Block, err error) {
	if err = n.readBlock(q, height, &b); err != nil {
		return b, block, err
	}
	if block, err = n.remembered(b.header, height); err != nil {
		return b, block, err
	}
	cs.end = block
	if b.Transactions == nil {
		return b, block, jsonrpc.Strange(q.Method, "a block without transactions")
	}
	for i := range b.Transactions {
		if err := addNative(cs, &b.Transactions[i], block); err != nil {
			return b, block, err
		}
	}
	return b, block, nil
}

func addNative(cs *claims, t *transaction, block chain.Block) error {
	const method = getBlock
	switch {
	case t.Hash == nil || t.From == nil || t.Value == nil:
		return jsonrpc.Strange(method, "a transaction without hash, sender or value")
	case t.BlockHash != nil && t.BlockHash.Hex() != block.Hash:
		return jsonrpc.Strange(method, "a transaction of another block")
	case t.To == nil || t.Value.ToInt().Sign() == 0:
		return nil
	}
	c, err := cs.of(t.Hash.Hex(), chain.Block{Height: block.Height, Hash: block.Hash})
	if err != nil {
		return err
	}
	c.native, c.to = t, append(c.to, address(t.To[:]))
	return nil
}

// proved are the claims that pay us, as the receipts of their transactions tell them, each in a block
// that is canonical as the last answer arrives. The end of the range is looked at once more with them.
func (n *Node) proved(ctx context.Context, e *endpoint, cs *claims, ours map[string]bool) ([]chain.Transfer, error) {
	var wanted []*claim
	heights := []uint64{cs.end.Height}
	for _, c := range cs.by {
		if slices.ContainsFunc(c.to, func(to string) bool { return ours[to] }) {
			wanted = append(wanted, c)
			heights = append(heights, c.block.Height)
		}
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	slices.SortFunc(wanted, func(a, b *claim) int {
		return cmp.Or(cmp.Compare(a.block.Height, b.block.Height), cmp.Compare(a.tx, b.tx))
	})
	receipts, err := n.receipts(ctx, e, wanted)
	if err != nil {
		return nil, err
	}
	blocks, err := n.blocks(ctx, e, heights)
	if err != nil {
		return nil, err
	}
	if blocks[cs.end.Height].Hash != cs.end.Hash {
		return nil, pool.ErrReorganised
	}
	var out []chain.Transfer
	for i, c := range wanted {
		if receipts[i] == nil {
			continue
		}
		if err := n.agree(c, *receipts[i]); err != nil {
			return nil, err
		}
		block := blocks[c.block.Height]
		if block.Hash != c.block.Hash {
			return nil, pool.ErrReorganised
		}
		moved, err := n.moved(c.tx, block, *receipts[i], c.native, c.moves)
		if err != nil {
			return nil, err
		}
		for _, t := range moved {
			if ours[t.To] {
				out = append(out, t)
			}
		}
	}
	return out, nil
}

// receipts are those of the claims. One that is larger than any answer may be is nil: it has a hundred thousand logs, and proves
// nothing to us. Else anyone could stop the watch with one.
func (n *Node) receipts(ctx context.Context, e *endpoint, wanted []*claim) ([]*receipt, error) {
	out := make([]*receipt, 0, len(wanted))
	for part := range slices.Chunk(wanted, batch) {
		var questions []*jsonrpc.Call
		for _, c := range part {
			questions = append(questions, &jsonrpc.Call{Method: "eth_getTransactionReceipt", Params: []any{c.tx}, Cap: jsonrpc.Large})
		}
		if err := e.askEach(ctx, questions); err != nil {
			return nil, err
		}
		for i, q := range questions {
			var large *jsonrpc.TooLargeError
			if errors.As(q.Err, &large) {
				n.leaveOut(e, part[i].tx, part[i].block, q.Err)
				out = append(out, nil)
				continue
			}
			var r receipt
			if err := q.Read(&r); err != nil {
				return nil, err
			}
			out = append(out, &r)
		}
	}
	return out, nil
}

func (n *Node) blocks(ctx context.Context, e *endpoint, heights []uint64) (map[uint64]chain.Block, error) {
	slices.Sort(heights)
	heights = slices.Compact(heights)
	out := map[uint64]chain.Block{}
	for part := range slices.Chunk(heights, batch) {
		var questions []*jsonrpc.Call
		for _, h := range part {
			questions = append(questions, blockQuestion(h, false))
		}
		if err := e.Ask(ctx, questions...); err != nil {
			return nil, err
		}
		for i, q := range questions {
			block, err := n.shown(q, part[i])
			if err != nil {
				return nil, err
			}
			out[part[i]] = block
		}
	}
	return out, nil
}

// agree holds a transaction's receipt against what the logs told: the same block, success, and exactly
// the same transfers of configured tokens. One more in the receipt means that the logs are incomplete,
// one less that they are made up.
func (n *Node) agree(c *claim, r receipt) error {
	const method = "eth_getTransactionReceipt"
	block, err := r.checked(c.tx)
	if err != nil {
		return err
	}
	if block != c.block {
		return pool.ErrReorganised
	}
	told := 0
	for _, l := range r.Logs {
		if l.Address == nil || !n.configured(l) || !l.isTransfer() {
			continue
		}
		if l.Index == nil {
			return jsonrpc.Strange(method, "a log without index")
		}
		same, ok := c.logs[uint64(*l.Index)]
		if !ok || *same.Address != *l.Address || !slices.Equal(same.Topics, l.Topics) || !slices.Equal(same.Data, l.Data) {
			return jsonrpc.Strange(method, "a receipt with a transfer that eth_getLogs did not tell")
		}
		told++
	}
	if told != len(c.logs) {
		return jsonrpc.Strange(method, "a receipt without a transfer that eth_getLogs told")
	}
	return nil
}

// moved reads a receipt: nothing where the transaction failed, else a transfer for each Transfer log of a
// configured token, numbered by its place in the receipt, one for the value that the transaction carries, and one for
// each time that a contract sent coin on.
func (n *Node) moved(tx string, block chain.Block, r receipt, native *transaction, sent []move) ([]chain.Transfer, error) {
	if !r.succeeded() {
		return nil, nil
	}
	var out []chain.Transfer
	for i, l := range r.Logs {
		if l.Removed {
			return nil, pool.ErrReorganised
		}
		if l.Address == nil || !l.isTransfer() {
			continue
		}
		token, ok := n.tokens[address(l.Address[:])]
		if !ok {
			continue
		}
		m, err := l.movement("eth_getTransactionReceipt")
		if err != nil {
			return nil, err
		}
		if m.amount.Sign() == 0 {
			continue
		}
		out = append(out, chain.Transfer{
			Chain: n.config.ID, Tx: tx, Index: "log-" + strconv.Itoa(i), Block: block,
			Asset: n.config.TokenAsset(token.Address), Decimals: token.Decimals, From: m.from, To: m.to, Amount: m.amount,
		})
	}
	if native != nil && native.To != nil && native.Value.ToInt().Sign() > 0 {
		amount, err := money.FromBig(native.Value.ToInt())
		if err != nil {
			return nil, jsonrpc.Strange("eth_getTransactionByHash", "%v", err)
		}
		out = append(out, chain.Transfer{
			Chain: n.config.ID, Tx: tx, Index: "native", Block: block,
			Asset: n.config.NativeAsset(), Decimals: n.config.Native.Decimals, From: address(native.From[:]), To: address(native.To[:]), Amount: amount,
		})
	}
	sentOn, err := n.sentOn(tx, block, sent)
	return append(out, sentOn...), err
}

// Transaction asks for the receipt, the transaction itself and its traces where the coin counts, and then whether their
// block is canonical.
func (n *Node) Transaction(ctx context.Context, tx string) (chain.Block, []chain.Transfer, error) {
	type answer struct {
		block chain.Block
		moved []chain.Transfer
	}
	a, err := pool.Put(ctx, n.pool, func(e *endpoint) (answer, error) {
		m, err := n.mined(ctx, e, tx)
		if err != nil {
			return answer{}, err
		}
		canonical, err := n.blocks(ctx, e, []uint64{m.block.Height})
		if err != nil {
			return answer{}, err
		}
		if canonical[m.block.Height].Hash != m.block.Hash {
			return answer{}, pool.ErrReorganised
		}
		moved, err := n.moved(tx, canonical[m.block.Height], m.receipt, m.native, m.moves)
		return answer{canonical[m.block.Height], moved}, err
	})
	return a.block, a.moved, err
}

// mined is what is told of a transaction by itself.
type mined struct {
	block   chain.Block // without its time
	receipt receipt
	native  *transaction
	moves   []move
}

func (n *Node) mined(ctx context.Context, e *endpoint, tx string) (mined, error) {
	questions := []*jsonrpc.Call{{Method: "eth_getTransactionReceipt", Params: []any{tx}, Cap: jsonrpc.Large}}
	if !n.config.Native.Ignore {
		questions = append(questions, &jsonrpc.Call{Method: "eth_getTransactionByHash", Params: []any{tx}, Cap: jsonrpc.Large})
	}
	traces := n.config.Native.Traces != "" && !n.leftOut(e, tx)
	if traces {
		questions = append(questions, n.traceQuestion(tx))
	}
	if err := e.askEach(ctx, questions); err != nil {
		return mined{}, err
	}
	if questions[0].Null() {
		return mined{}, n.unknown(ctx, e)
	}
	var m mined
	err := questions[0].Read(&m.receipt)
	if err == nil {
		m.block, err = m.receipt.checked(tx)
	}
	if err == nil && !n.config.Native.Ignore {
		m.native, err = carried(questions[1], tx, *m.receipt.BlockHash)
	}
	if err == nil && traces && beyond(questions[2].Err) {
		n.leaveOut(e, tx, m.block, questions[2].Err)
		return m, nil
	}
	if err == nil && traces {
		m.moves, err = n.movesBy(questions[2], tx, m.block)
	}
	return m, err
}

// unknown believes an endpoint that it does not know a transaction only where it is not behind.
func (n *Node) unknown(ctx context.Context, e *endpoint) error {
	head, err := n.head(ctx, e)
	if err == nil {
		err = n.pool.NotBehind(head.Height)
	}
	if err != nil {
		return err
	}
	return chain.ErrNotFound
}

func carried(q *jsonrpc.Call, tx string, block common.Hash) (*transaction, error) {
	var t transaction
	if err := q.Read(&t); err != nil {
		return nil, err
	}
	switch {
	case t.Hash == nil || t.From == nil || t.Value == nil || t.Hash.Hex() != tx:
		return nil, jsonrpc.Strange(q.Method, "a transaction without sender or value, or another one")
	case t.BlockHash == nil || *t.BlockHash != block:
		return nil, pool.ErrReorganised
	}
	return &t, nil
}
