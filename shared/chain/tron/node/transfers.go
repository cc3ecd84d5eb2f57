package node

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"farrier/shared/chain"
	"farrier/shared/chain/jsonrpc"
	"farrier/shared/chain/pool"
)

// Transfers asks the ranges who is paid, and then each transaction that pays us for itself.
func (n *Node) Transfers(ctx context.Context, from, to uint64, owned chain.Owned) ([]chain.Transfer, error) {
	found, err := pool.Put(ctx, n.pool, n.inRange(ctx, from, to, owned, false))
	return found.Transfers, err
}

// Settled asks the solid blocks, where the rule of finality goes by them, and takes what the endpoints tell alike.
func (n *Node) Settled(ctx context.Context, from, to uint64, owned chain.Owned) ([]chain.Transfer, error) {
	solid := n.config.Finality.Tag != ""
	found, err := pool.Agreed(ctx, n.pool, pool.Told.Same, n.inRange(ctx, from, to, owned, solid))
	if err == nil {
		n.pool.ToldAlike(to)
	}
	return found.Transfers, err
}

func (n *Node) inRange(ctx context.Context, from, to uint64, owned chain.Owned, solid bool) func(*endpoint) (pool.Told, error) {
	return func(e *endpoint) (pool.Told, error) {
		found, err := n.between(ctx, e, from, to, owned, solid)
		return found, pool.Wide(err, from, to)
	}
}

func (n *Node) between(ctx context.Context, e *endpoint, from, to uint64, owned chain.Owned, solid bool) (pool.Told, error) {
	s := sighting{node: n, endpoint: e, by: map[word]*claim{}}
	if err := s.look(ctx, from, to); err != nil {
		return pool.Told{}, err
	}
	ours, err := owned(ctx, s.receivers())
	if err != nil {
		return pool.Told{}, pool.Ours(err)
	}
	readings, err := n.readAll(ctx, e, s.paying(ours), solid)
	if err != nil {
		return pool.Told{}, err
	}
	end, err := n.canonical(ctx, e, to, readings)
	if err != nil {
		return pool.Told{}, err
	}
	if s.last != nil && s.last.String() != end.Hash {
		return pool.Told{}, pool.ErrReorganised
	}
	out := pool.Told{End: end.Hash}
	for _, r := range readings {
		moved, err := n.moved(r)
		if err != nil {
			return pool.Told{}, err
		}
		out.Transfers = append(out.Transfers, slices.DeleteFunc(moved, func(t chain.Transfer) bool { return !ours[t.To] })...)
	}
	return out, nil
}

// claim is one transaction that a range of blocks says to pay somebody.
type claim struct {
	tx     word
	block  word
	to     []account
	coin   *coin
	events map[uint64]event // of configured tokens, by their place in the block
}

// sighting is what one endpoint claims of a range of blocks.
type sighting struct {
	node     *Node
	endpoint *endpoint
	by       map[word]*claim
	last     *word // the block up to which blocks were read whole
}

// of is the claim about a transaction, which all must tell of the same block.
func (s *sighting) of(tx, block word) (*claim, error) {
	c := s.by[tx]
	if c == nil {
		c = &claim{tx: tx, block: block, events: map[uint64]event{}}
		s.by[tx] = c
	}
	if c.block != block {
		return nil, pool.ErrReorganised
	}
	return c, nil
}

// look reads a range, in halves where the endpoint will not tell it at once: a node answers for 5,000 blocks
// at the most (https://tronprotocol.github.io/documentation-en/api/json-rpc/filter/eth_getLogs/), some
// providers for fewer. More than 10,000 results it refuses with -32005 (JsonRpcTooManyResultException), which elsewhere is a limit of calls too.
func (s *sighting) look(ctx context.Context, from, to uint64) error {
	before := s.last
	err := s.logs(ctx, from, to)
	if err == nil && !s.node.config.Native.Ignore {
		for at := from; err == nil && at <= to; at += most {
			err = s.blocks(ctx, at, min(to, at+most-1))
		}
	}
	if err == nil || !jsonrpc.TooMuch(err) || from >= to || jsonrpc.Late(err) {
		return err
	}
	s.last = before // what the range told so far is told again
	half := from + (to-from)/2
	if err := s.look(ctx, from, half); err != nil {
		return err
	}
	return s.look(ctx, half+1, to)
}

// logs asks for the last block of the range in the same breath: for blocks that a node does not have yet it
// answers without an error what it has (LogBlockQuery of java-tron).
func (s *sighting) logs(ctx context.Context, from, to uint64) error {
	if len(s.node.asked) == 0 {
		return nil
	}
	end := byHeight(to)
	q := &jsonrpc.Call{Method: askLogs, Params: []any{map[string]any{
		"fromBlock": hexutil.EncodeUint64(from), "toBlock": hexutil.EncodeUint64(to),
		"address": s.node.asked, "topics": []any{"0x" + transferred.String()},
	}}, Cap: jsonrpc.Large}
	if err := s.endpoint.Ask(ctx, end, q); err != nil {
		return err
	}
	if _, err := s.node.shown(end, to); err != nil {
		return err
	}
	var events jsonrpc.List[event]
	if err := q.Read(&events); err != nil {
		return err
	}
	for _, l := range events {
		if err := s.log(l, from, to); err != nil {
			return err
		}
	}
	return nil
}

func (s *sighting) log(l event, from, to uint64) error {
	switch {
	case l.Removed:
		return pool.ErrReorganised
	case l.Address == nil || l.Height == nil || l.Block == nil || l.Tx == nil || l.Place == nil:
		return jsonrpc.Strange(askLogs, "a log without address, block, transaction or index")
	case uint64(*l.Height) < from || uint64(*l.Height) > to:
		return jsonrpc.Strange(askLogs, "a log of block %d, outside %d to %d", *l.Height, from, to)
	case s.node.tokens[*l.Address].Address == "" || len(l.Topics) == 0 || l.Topics[0] != transferred:
		return jsonrpc.Strange(askLogs, "a log that was not asked for")
	case !l.isTransfer():
		return nil
	}
	if err := named(askLogs, *l.Block, uint64(*l.Height)); err != nil {
		return err
	}
	c, err := s.of(*l.Tx, *l.Block)
	if err != nil {
		return err
	}
	c.events[uint64(*l.Place)] = l
	if !l.ofNothing() {
		c.to = append(c.to, l.party(2))
	}
	return nil
}

// most is how many blocks are read whole at once: a block has up to 2 MB. A node gives a hundred
// (https://tronprotocol.github.io/documentation-en/api/http/block-and-tx-query/getblockbylimitnext/).
const most = 10

// blocks reads blocks whole, each of which must follow from the one before.
func (s *sighting) blocks(ctx context.Context, from, to uint64) error {
	const path = "wallet/getblockbylimitnext"
	var list struct {
		Blocks jsonrpc.List[wholeBlock] `json:"block"`
	}
	if _, err := s.endpoint.tell(ctx, path, map[string]uint64{"startNum": from, "endNum": to + 1}, &list); err != nil {
		return err
	}
	if told := uint64(len(list.Blocks)); told < to-from+1 {
		return s.node.pool.Unknown(from + told)
	} else if told > to-from+1 {
		return jsonrpc.Strange(path, "%d blocks instead of %d", len(list.Blocks), to-from+1)
	}
	for i, b := range list.Blocks {
		if err := b.at(path, from+uint64(i)); err != nil { // #nosec G115 -- i is small
			return err
		}
		if s.last != nil && *s.last != *b.Header.Raw.Parent {
			return pool.ErrReorganised
		}
		s.last = b.ID
		for _, t := range b.Transactions {
			if err := s.transaction(path, t, *b.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// transaction notes whom a transaction pays in coin, and whom it names in a call of a token's transfer. The latter are
// told by the logs too; but a node finds logs by an index that it keeps only while its JSON-RPC is switched
// on (Manager.processBlock of java-tron), and for other blocks it answers without an error that there are none. The
// receipt of a transaction that is known from its block shows that.
func (s *sighting) transaction(path string, t transaction, block word) error {
	if t.Tx == nil {
		return jsonrpc.Strange(path, "a transaction without id")
	}
	moved, err := t.coin(path)
	if err != nil {
		return err
	}
	token, named, calls := t.directly()
	calls = calls && s.node.tokens[token].Address != ""
	if moved == nil && !calls {
		return nil
	}
	c, err := s.of(*t.Tx, block)
	if err != nil {
		return err
	}
	if calls {
		c.to = append(c.to, named)
	}
	if moved != nil {
		c.coin, c.to = moved, append(c.to, moved.to)
	}
	return nil
}

// receivers are all that are said to be paid.
func (s *sighting) receivers() []string {
	distinct := map[account]bool{}
	for _, c := range s.by {
		for _, to := range c.to {
			distinct[to] = true
		}
	}
	out := make([]string, 0, len(distinct))
	for to := range distinct {
		out = append(out, to.String())
	}
	slices.Sort(out)
	return out
}

// paying are the claims that pay us, in the order of their blocks.
func (s *sighting) paying(ours map[string]bool) []*claim {
	out := slices.Collect(maps.Values(s.by))
	out = slices.DeleteFunc(out, func(c *claim) bool {
		return !slices.ContainsFunc(c.to, func(to account) bool { return ours[to.String()] })
	})
	slices.SortFunc(out, func(a, b *claim) int {
		return cmp.Or(cmp.Compare(a.block.height(), b.block.height()), slices.Compare(a.tx[:], b.tx[:]))
	})
	return out
}

// holds compares a claim with what the transaction says for itself. Of one that failed nothing counts, whatever the
// range told of it. Of one that went well every transfer of a configured token must be told by both: one
// more in the receipt means that the logs are incomplete, one less that they are made up.
func (c *claim) holds(r *reading, n *Node) error {
	if *r.receipt.Block != c.block {
		return pool.ErrReorganised
	}
	if !r.succeeded {
		return nil
	}
	count := 0
	for _, l := range r.receipt.Logs {
		if n.tokens[*l.Address].Address == "" || !l.isTransfer() {
			continue
		}
		if same, ok := c.events[uint64(*l.Place)]; !ok || *same.Address != *l.Address || !slices.Equal(same.Topics, l.Topics) || !slices.Equal(same.Data, l.Data) {
			return jsonrpc.Strange(askReceipt, "a receipt with a transfer that eth_getLogs did not tell")
		}
		count++
	}
	switch {
	case count != len(c.events):
		return jsonrpc.Strange(askReceipt, "a receipt without a transfer that eth_getLogs told")
	case (c.coin == nil) != (r.coin == nil) || c.coin != nil && *c.coin != *r.coin:
		return jsonrpc.Strange(askTransaction, "a transaction that its block shows otherwise")
	}
	return nil
}
