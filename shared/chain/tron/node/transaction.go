package node

import (
	"context"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"farrier/shared/chain"
	"farrier/shared/chain/jsonrpc"
	"farrier/shared/chain/pool"
	"farrier/shared/money"
)

const (
	askTransaction = "wallet/gettransactionbyid"
	askInfo        = "wallet/gettransactioninfobyid"
	askSolidInfo   = "walletsolidity/gettransactioninfobyid"
)

// transferred is keccak256("Transfer(address,address,uint256)"), the same for TRC-20 as for ERC-20
// (https://github.com/tronprotocol/tips/blob/master/tip-20.md).
var transferred = word{
	0xdd, 0xf2, 0x52, 0xad, 0x1b, 0xe2, 0xc8, 0x9b, 0x69, 0xc2, 0xb0, 0x68, 0xfc, 0x37, 0x8d, 0xaa,
	0x95, 0x2b, 0xa7, 0xf1, 0x63, 0xc4, 0xa1, 0x16, 0x28, 0xf5, 0x5a, 0x4d, 0xf5, 0x23, 0xb3, 0xef,
}

// isTransfer says whether an event is a TRC-20's Transfer: a TRC-721's has the same first topic and a fourth, and what a strange
// token may log besides has not one word of data, as the ABI has the amount.
func (l event) isTransfer() bool {
	return len(l.Topics) == 3 && l.Topics[0] == transferred && len(l.Data) == len(word{})
}

// ofNothing says whether a Transfer moves nothing: anyone can make such events for free.
func (l event) ofNothing() bool { return strings.Trim(string(l.Data), "\x00") == "" }

// party is who pays (1) or is paid (2) by a Transfer.
func (l event) party(topic int) account { return account(l.Topics[topic][12:]) }

// reading is what one transaction says of itself, both APIs alike.
type reading struct {
	receipt   receipt
	succeeded bool
	coin      *coin
	block     chain.Block // the canonical one, once that is seen
}

// read asks both APIs about a transaction; about the coin that it moves only where that may count.
// It is ErrNotFound where the node does not know the transaction in a block.
func (n *Node) read(ctx context.Context, e *endpoint, tx word, native, solid bool) (*reading, error) {
	q := receiptQuestion(tx)
	if err := e.Ask(ctx, q); err != nil {
		return nil, err
	}
	if q.Null() {
		return nil, chain.ErrNotFound
	}
	r, err := readReceipt(q, tx)
	if err != nil {
		return nil, err
	}
	return r, e.byItself(ctx, r, native, solid)
}

func receiptQuestion(tx word) *jsonrpc.Call {
	return &jsonrpc.Call{Method: askReceipt, Params: []any{"0x" + tx.String()}, Cap: jsonrpc.Large}
}

func readReceipt(q *jsonrpc.Call, tx word) (*reading, error) {
	r := &reading{}
	if err := q.Read(&r.receipt); err != nil {
		return nil, err
	}
	return r, r.receipt.of(tx)
}

// byItself asks the HTTP API about the one transaction.
func (e *endpoint) byItself(ctx context.Context, r *reading, native, solid bool) error {
	i, err := e.result(ctx, *r.receipt.Tx, solid)
	if err == nil {
		err = r.went(i)
	}
	if err == nil && native && r.succeeded {
		r.coin, err = e.carried(ctx, *r.receipt.Tx)
	}
	return err
}

// went takes the other API's word on how a transaction went.
func (r *reading) went(i info) error {
	if other := i.contradicts(r.receipt); other != "" {
		return jsonrpc.Strange(askInfo, "%s than the receipt", other)
	}
	r.succeeded = *r.receipt.Status == 1 && !i.failed()
	if i.Receipt.Result != success {
		r.receipt.Logs = nil // events of no contract that went well
	}
	return nil
}

// few is how many transactions of a block are asked about one by one. More of them, which anyone can send for next to nothing,
// are read from the results of the whole block, and what coin they carry is what their block says.
const few = 3

// readAll reads the transactions of claims, which are in the order of their blocks.
func (n *Node) readAll(ctx context.Context, e *endpoint, claims []*claim, solid bool) ([]*reading, error) {
	var out []*reading
	for part := range slices.Chunk(claims, batch) {
		all, err := e.receipts(ctx, part)
		if err != nil {
			return nil, err
		}
		out = append(out, all...)
	}
	count := map[word]int{}
	for _, c := range claims {
		count[c.block]++
	}
	var block word
	var results map[word]info
	for i, c := range claims {
		r, err := out[i], error(nil)
		switch {
		case count[c.block] <= few:
			err = e.byItself(ctx, r, c.coin != nil, solid)
		default:
			if block != c.block || results == nil {
				block = c.block
				results, err = e.results(ctx, block.height(), solid)
			}
			if err == nil {
				err = r.went(results[c.tx])
			}
			if r.succeeded {
				r.coin = c.coin
			}
		}
		if err == nil {
			err = c.holds(r, n)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// receipts are asked for in halves where the endpoint will not give them at once.
func (e *endpoint) receipts(ctx context.Context, claims []*claim) ([]*reading, error) {
	var questions []*jsonrpc.Call
	for _, c := range claims {
		questions = append(questions, receiptQuestion(c.tx))
	}
	err := e.Ask(ctx, questions...)
	if half := len(claims) / 2; half > 0 && jsonrpc.TooMuch(err) && !jsonrpc.Late(err) {
		first, err := e.receipts(ctx, claims[:half])
		if err != nil {
			return nil, err
		}
		second, err := e.receipts(ctx, claims[half:])
		return append(first, second...), err
	}
	if err != nil {
		return nil, err
	}
	var out []*reading
	for i, q := range questions {
		if q.Null() {
			return nil, jsonrpc.Strange(askReceipt, "no receipt of a transaction that a block holds")
		}
		r, err := readReceipt(q, claims[i].tx)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// results are how all transactions of a block went
// (https://tronprotocol.github.io/documentation-en/api/http/block-and-tx-query/gettransactioninfobyblocknum/).
func (e *endpoint) results(ctx context.Context, height uint64, solid bool) (map[word]info, error) {
	path := "wallet/gettransactioninfobyblocknum"
	if solid {
		path = "walletsolidity/gettransactioninfobyblocknum"
	}
	var all jsonrpc.List[info]
	if _, err := e.tell(ctx, path, map[string]uint64{"num": height}, &all); err != nil {
		return nil, err
	}
	out := map[word]info{}
	for _, i := range all {
		if i.Tx == nil {
			return nil, jsonrpc.Strange(path, "a result of no transaction")
		}
		out[*i.Tx] = i
	}
	return out, nil
}

func (e *endpoint) result(ctx context.Context, tx word, solid bool) (i info, err error) {
	path := askInfo
	if solid {
		path = askSolidInfo
	}
	found, err := e.tell(ctx, path, map[string]string{"value": tx.String()}, &i)
	if err == nil && !found {
		err = jsonrpc.Strange(path, "no result of a transaction that has a receipt")
	}
	return i, err
}

func (e *endpoint) carried(ctx context.Context, tx word) (*coin, error) {
	var t transaction
	found, err := e.tell(ctx, askTransaction, map[string]string{"value": tx.String()}, &t)
	switch {
	case err != nil:
		return nil, err
	case !found || t.Tx == nil || *t.Tx != tx:
		return nil, jsonrpc.Strange(askTransaction, "not the transaction that was asked for")
	}
	return t.coin(askTransaction)
}

// batch is how many blocks are asked for in one HTTP request; a node takes a hundred.
const batch = 20

// canonical sees that the blocks of all readings are canonical as the last answer arrives, and gives the one at the end.
func (n *Node) canonical(ctx context.Context, e *endpoint, end uint64, readings []*reading) (chain.Block, error) {
	heights := []uint64{end}
	for _, r := range readings {
		heights = append(heights, uint64(*r.receipt.Height))
	}
	slices.Sort(heights)
	at := map[uint64]chain.Block{}
	for part := range slices.Chunk(slices.Compact(heights), batch) {
		var questions []*jsonrpc.Call
		for _, h := range part {
			questions = append(questions, byHeight(h))
		}
		if err := e.Ask(ctx, questions...); err != nil {
			return chain.Block{}, err
		}
		for i, q := range questions {
			b, err := n.shown(q, part[i])
			if err != nil {
				return chain.Block{}, err
			}
			at[part[i]] = b
		}
	}
	for _, r := range readings {
		if r.block = at[uint64(*r.receipt.Height)]; r.block.Hash != r.receipt.Block.String() {
			return chain.Block{}, pool.ErrReorganised
		}
	}
	return at[end], nil
}

// moved is what a transaction moved: nothing where it failed, else a transfer for each Transfer event of a configured
// token, numbered by its place in the receipt, and one for the coin that the transaction itself carries.
func (n *Node) moved(r *reading) ([]chain.Transfer, error) {
	if !r.succeeded {
		return nil, nil
	}
	t := chain.Transfer{Chain: n.config.ID, Tx: r.receipt.Tx.String(), Block: r.block}
	var out []chain.Transfer
	for i, l := range r.receipt.Logs {
		token, ok := n.tokens[*l.Address]
		switch {
		case l.Removed:
			return nil, pool.ErrReorganised
		case !ok || !l.isTransfer() || l.ofNothing():
			continue
		}
		amount, err := money.FromBig(new(big.Int).SetBytes(l.Data))
		if err != nil {
			return nil, jsonrpc.Strange(askReceipt, "%v", err)
		}
		t.Index, t.Asset, t.Decimals = "log-"+strconv.Itoa(i), n.config.TokenAsset(token.Address), token.Decimals
		t.From, t.To, t.Amount = l.party(1).String(), l.party(2).String(), amount
		out = append(out, t)
	}
	if r.coin != nil {
		t.Index, t.Asset, t.Decimals = "native", n.config.NativeAsset(), n.config.Native.Decimals
		t.From, t.To, t.Amount = r.coin.from.String(), r.coin.to.String(), money.Units(r.coin.sun)
		out = append(out, t)
	}
	return out, nil
}

// Transaction asks for the transaction by itself, and then whether its block is canonical.
func (n *Node) Transaction(ctx context.Context, tx string) (chain.Block, []chain.Transfer, error) {
	var name word
	if name.UnmarshalText([]byte(tx)) != nil || name.String() != tx {
		return chain.Block{}, nil, chain.ErrNotFound // no transaction of TRON is named like this
	}
	type answer struct {
		block chain.Block
		moved []chain.Transfer
	}
	a, err := pool.Put(ctx, n.pool, func(e *endpoint) (answer, error) {
		r, err := n.known(ctx, e, name)
		if err != nil {
			return answer{}, err
		}
		block, err := n.canonical(ctx, e, uint64(*r.receipt.Height), []*reading{r})
		if err != nil {
			return answer{}, err
		}
		moved, err := n.moved(r)
		return answer{block, moved}, err
	})
	return a.block, a.moved, err
}

// known believes an endpoint that it does not know a transaction only where it is not behind.
func (n *Node) known(ctx context.Context, e *endpoint, tx word) (*reading, error) {
	r, err := n.read(ctx, e, tx, !n.config.Native.Ignore, false)
	if err != chain.ErrNotFound {
		return r, err
	}
	if _, err := n.newest(ctx, e); err != nil {
		return nil, err
	}
	return nil, chain.ErrNotFound
}
