package node

import (
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"farrier/shared/chain"
	"farrier/shared/chain/jsonrpc"
	"farrier/shared/money"
)

// What a node answers, only the fields that we use
// (https://ethereum.github.io/execution-apis/). A pointer tells an absent field from a zero.

type header struct {
	Number    *hexutil.Uint64 `json:"number"`
	Hash      *common.Hash    `json:"hash"`
	Timestamp *hexutil.Uint64 `json:"timestamp"`
}

type body struct {
	header
	Transactions jsonrpc.List[transaction] `json:"transactions"`
}

type transaction struct {
	Hash      *common.Hash    `json:"hash"`
	BlockHash *common.Hash    `json:"blockHash"`
	From      *common.Address `json:"from"`
	To        *common.Address `json:"to"` // null where it makes a contract
	Value     *hexutil.Big    `json:"value"`
	Nonce     *hexutil.Uint64 `json:"nonce"`
}

type receipt struct {
	Tx        *common.Hash           `json:"transactionHash"`
	BlockHash *common.Hash           `json:"blockHash"`
	Height    *hexutil.Uint64        `json:"blockNumber"`
	Status    *hexutil.Uint64        `json:"status"`
	Logs      jsonrpc.List[eventLog] `json:"logs"`

	GasUsed  *hexutil.Uint64 `json:"gasUsed"`
	GasPrice *hexutil.Big    `json:"effectiveGasPrice"`
	// L1Fee is what chains of the OP stack take besides, for the data that they publish on Ethereum
	// (https://docs.optimism.io/op-stack/transactions/fees, 2026-11).
	L1Fee *hexutil.Big `json:"l1Fee"`
}

type eventLog struct {
	Address   *common.Address `json:"address"`
	Topics    []common.Hash   `json:"topics"`
	Data      hexutil.Bytes   `json:"data"`
	Height    *hexutil.Uint64 `json:"blockNumber"`
	BlockHash *common.Hash    `json:"blockHash"`
	Tx        *common.Hash    `json:"transactionHash"`
	Index     *hexutil.Uint64 `json:"logIndex"`
	Removed   bool            `json:"removed"`
}

// transferTopic is keccak256("Transfer(address,address,uint256)") (https://eips.ethereum.org/EIPS/eip-20).
var transferTopic = common.HexToHash("0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef")

// tallest is a height that no chain reaches: at a block a millisecond it takes 30,000 years.
// A height above it is a mistake or a lie.
const tallest = 1_000_000_000_000_000

// latest is the last second of the year 9999, in which RFC 3339 ends.
const latest = 253_402_300_799

func (h header) block(method string) (chain.Block, error) {
	switch {
	case h.Number == nil || h.Hash == nil || h.Timestamp == nil:
		return chain.Block{}, jsonrpc.Strange(method, "a block without number, hash or timestamp")
	case *h.Number > tallest:
		return chain.Block{}, jsonrpc.Strange(method, "height %d, which no chain has", *h.Number)
	case *h.Timestamp > latest:
		return chain.Block{}, jsonrpc.Strange(method, "time %d, which no block has", *h.Timestamp)
	}
	return chain.Block{
		Height: uint64(*h.Number), Hash: h.Hash.Hex(), Time: time.Unix(int64(*h.Timestamp), 0).UTC(), // #nosec G115 -- below tallest
	}, nil
}

// checked is the receipt's block, without its time, once the receipt is seen to be whole and of that transaction.
func (r receipt) checked(tx string) (chain.Block, error) {
	const method = "eth_getTransactionReceipt"
	switch {
	case r.Tx == nil || r.BlockHash == nil || r.Height == nil || r.Status == nil:
		return chain.Block{}, jsonrpc.Strange(method, "a receipt without transaction, block or status")
	case r.Tx.Hex() != tx:
		return chain.Block{}, jsonrpc.Strange(method, "the receipt of another transaction")
	case *r.Status > 1:
		return chain.Block{}, jsonrpc.Strange(method, "status %d", *r.Status)
	case *r.Status == 0 && len(r.Logs) > 0:
		return chain.Block{}, jsonrpc.Strange(method, "logs of a transaction that failed")
	case *r.Height > tallest:
		return chain.Block{}, jsonrpc.Strange(method, "height %d, which no chain has", *r.Height)
	}
	return chain.Block{Height: uint64(*r.Height), Hash: r.BlockHash.Hex()}, nil
}

func (r receipt) succeeded() bool { return *r.Status == 1 }

// fee is what the transaction cost.
func (r receipt) fee() (money.Amount, error) {
	const method = "eth_getTransactionReceipt"
	if r.GasUsed == nil || r.GasPrice == nil || r.GasPrice.ToInt().Sign() < 0 || r.L1Fee != nil && r.L1Fee.ToInt().Sign() < 0 {
		return money.Amount{}, jsonrpc.Strange(method, "a receipt without what was paid for gas")
	}
	fee := new(big.Int).SetUint64(uint64(*r.GasUsed))
	fee.Mul(fee, r.GasPrice.ToInt())
	if r.L1Fee != nil {
		fee.Add(fee, r.L1Fee.ToInt())
	}
	amount, err := money.FromBig(fee)
	if err != nil {
		return money.Amount{}, jsonrpc.Strange(method, "a fee that no chain's coin has: %v", err)
	}
	return amount, nil
}

// movement is what one ERC-20 Transfer log says.
type movement struct {
	from, to string
	amount   money.Amount
}

// isTransfer says whether a log is a Transfer of ERC-20: an ERC-721's has the same first topic and a fourth, and what a strange
// token may log besides has not one word of data, as the ABI has the amount.
func (l eventLog) isTransfer() bool {
	return len(l.Topics) == 3 && l.Topics[0] == transferTopic && len(l.Data) == common.HashLength
}

// movement reads a log for which isTransfer holds.
func (l eventLog) movement(method string) (movement, error) {
	amount, err := money.FromBig(new(big.Int).SetBytes(l.Data))
	if err != nil {
		return movement{}, jsonrpc.Strange(method, "%v", err)
	}
	return movement{from: address(l.Topics[1][12:]), to: address(l.Topics[2][12:]), amount: amount}, nil
}

// address is the canonical spelling: lower case.
func address(b []byte) string { return hexutil.Encode(b) }
