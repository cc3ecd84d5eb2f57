package node

import (
	"context"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"farrier/shared/chain"
	"farrier/shared/chain/jsonrpc"
	"farrier/shared/chain/pool"
	"farrier/shared/money"
)

// feeBlocks is how many of the newest blocks tell what others pay.
const feeBlocks = 20

// percentiles are who counts as paying little, as usual and well.
var percentiles = []float64{10, 50, 90}

// history is the answer of eth_feeHistory (https://ethereum.github.io/execution-apis/).
type history struct {
	Oldest  *hexutil.Uint64  `json:"oldestBlock"`
	Base    []*hexutil.Big   `json:"baseFeePerGas"` // one more than there are blocks: the next one's
	Used    []float64        `json:"gasUsedRatio"`
	Rewards [][]*hexutil.Big `json:"reward"`
}

// Market reads what others have paid. Blocks without transactions tell nothing of that; where all are empty the endpoint's own
// suggestion counts, if it has one.
func (n *Node) Market(ctx context.Context) (chain.Market, error) {
	return pool.Put(ctx, n.pool, func(e *endpoint) (chain.Market, error) {
		q := &jsonrpc.Call{Method: "eth_feeHistory", Params: []any{hexutil.EncodeUint64(feeBlocks), newest, percentiles}}
		suggested := &jsonrpc.Call{Method: "eth_maxPriorityFeePerGas"}
		if err := e.Ask(ctx, q, suggested); err != nil {
			return chain.Market{}, err
		}
		var h history
		if err := q.Read(&h); err != nil {
			return chain.Market{}, err
		}
		var usual hexutil.Big
		if suggested.Err == nil {
			if err := suggested.Read(&usual); err != nil {
				return chain.Market{}, err
			}
		}
		return h.market(usual.ToInt())
	})
}

func (h history) market(usual *big.Int) (m chain.Market, err error) {
	const method = "eth_feeHistory"
	blocks := len(h.Used)
	switch {
	case h.Oldest == nil || *h.Oldest > tallest || blocks == 0 || len(h.Base) != blocks+1 || len(h.Rewards) != blocks:
		return m, jsonrpc.Strange(method, "not as many fees as blocks")
	case h.Base[blocks] == nil:
		return m, jsonrpc.Strange(method, "no fee of the next block")
	}
	m.Height = uint64(*h.Oldest) + uint64(blocks) - 1 // #nosec G115 -- few blocks
	if m.Base, err = money.FromBig(h.Base[blocks].ToInt()); err != nil || m.Base.Sign() < 0 {
		return m, jsonrpc.Strange(method, "a fee that no block has")
	}
	for i, into := range []*money.Amount{&m.Low, &m.Middle, &m.High} {
		tip, err := h.tip(i, usual)
		if err != nil {
			return m, err
		}
		if *into, err = money.FromBig(tip); err != nil || tip.Sign() < 0 {
			return m, jsonrpc.Strange(method, "a reward that nobody pays")
		}
	}
	return m, nil
}

// tip is the middle of the blocks' rewards at one of the percentiles.
func (h history) tip(percentile int, usual *big.Int) (*big.Int, error) {
	var paid []*big.Int
	for i, rewards := range h.Rewards {
		switch {
		case len(rewards) != len(percentiles) || rewards[percentile] == nil:
			return nil, jsonrpc.Strange("eth_feeHistory", "a block without its rewards")
		case h.Used[i] > 0:
			paid = append(paid, rewards[percentile].ToInt())
		}
	}
	if len(paid) == 0 {
		return usual, nil
	}
	slices.SortFunc(paid, (*big.Int).Cmp)
	return paid[len(paid)/2], nil
}
