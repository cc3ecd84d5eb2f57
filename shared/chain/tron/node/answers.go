package node

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"farrier/shared/chain"
	"farrier/shared/chain/jsonrpc"
	"farrier/shared/chain/tron"
)

// What a node answers, only the fields that we use. A pointer tells an absent field from a zero: JSON-RPC
// always writes a field, the HTTP API leaves out what is zero (JsonFormat of java-tron).

// word is 32 bytes: the name of a transaction or block, a topic. JSON-RPC writes 0x before the digits, the HTTP API does not.
type word [32]byte

// account names an account or contract: 0x and 40 digits in JSON-RPC, 41 and 40 in the HTTP API, 40 in its logs.
type account [20]byte

// octets are bytes of any number, with 0x before them or without.
type octets []byte

var errForm = errors.New("not of the expected form")

// UnmarshalText reads 64 hex digits.
func (w *word) UnmarshalText(text []byte) error {
	return decode(w[:], strings.TrimPrefix(string(text), "0x"))
}

// UnmarshalText reads 40 hex digits after what may stand before them.
func (a *account) UnmarshalText(text []byte) error {
	digits := strings.TrimPrefix(string(text), "0x")
	if len(digits) == 2*len(a)+2 {
		digits = strings.TrimPrefix(digits, "41")
	}
	return decode(a[:], digits)
}

func decode(into []byte, digits string) error {
	b, err := hex.DecodeString(digits)
	if err != nil || len(b) != len(into) {
		return errForm
	}
	copy(into, b)
	return nil
}

// UnmarshalText reads hex digits.
func (o *octets) UnmarshalText(text []byte) (err error) {
	*o, err = hex.DecodeString(strings.TrimPrefix(string(text), "0x"))
	return err
}

func (w word) String() string { return hex.EncodeToString(w[:]) }

func (a account) String() string { return tron.FromBytes(a) }

// height is what a block's id begins with (https://tronprotocol.github.io/documentation-en/api/json-rpc/block-and-tx-query/eth_getBlockByHash/).
func (w word) height() uint64 { return binary.BigEndian.Uint64(w[:8]) }

// rpcBlock is a block as eth_getBlockByNumber shows it.
type rpcBlock struct {
	Number    *hexutil.Uint64 `json:"number"`
	Hash      *word           `json:"hash"`
	Timestamp *hexutil.Uint64 `json:"timestamp"` // in seconds
}

const (
	// tallest is a height that TRON does not reach in 90,000 years.
	tallest = 1_000_000_000_000
	// latest is the last second of the year 9999, in which RFC 3339 ends.
	latest = 253_402_300_799
)

func (b rpcBlock) block() (chain.Block, error) {
	if b.Number == nil || b.Hash == nil || b.Timestamp == nil {
		return chain.Block{}, jsonrpc.Strange(askBlock, "a block without number, hash or timestamp")
	}
	if err := named(askBlock, *b.Hash, uint64(*b.Number)); err != nil {
		return chain.Block{}, err
	}
	if *b.Timestamp > latest {
		return chain.Block{}, jsonrpc.Strange(askBlock, "time %d, which no block has", *b.Timestamp)
	}
	at := time.Unix(int64(*b.Timestamp), 0).UTC() // #nosec G115 -- up to latest
	return chain.Block{Height: uint64(*b.Number), Hash: b.Hash.String(), Time: at}, nil
}

// named holds a block's id against its height.
func named(method string, id word, height uint64) error {
	switch {
	case height > tallest:
		return jsonrpc.Strange(method, "height %d, which no chain has", height)
	case id.height() != height:
		return jsonrpc.Strange(method, "a block of height %d with the id of one of %d", height, id.height())
	}
	return nil
}

// event is a log as JSON-RPC shows it.
type event struct {
	Address *account        `json:"address"`
	Topics  []word          `json:"topics"`
	Data    octets          `json:"data"`
	Height  *hexutil.Uint64 `json:"blockNumber"`
	Block   *word           `json:"blockHash"`
	Tx      *word           `json:"transactionHash"`
	Place   *hexutil.Uint64 `json:"logIndex"` // among all logs of the block
	Removed bool            `json:"removed"`
}

// receipt is what eth_getTransactionReceipt answers.
type receipt struct {
	Tx     *word               `json:"transactionHash"`
	Block  *word               `json:"blockHash"`
	Height *hexutil.Uint64     `json:"blockNumber"`
	Status *hexutil.Uint64     `json:"status"` // 1 where the contract's result is SUCCESS, and where no contract ran
	Logs   jsonrpc.List[event] `json:"logs"`
}

// of sees that a receipt is whole and that of the transaction.
func (r receipt) of(tx word) error {
	switch {
	case r.Tx == nil || r.Block == nil || r.Height == nil || r.Status == nil:
		return jsonrpc.Strange(askReceipt, "a receipt without transaction, block or status")
	case *r.Tx != tx:
		return jsonrpc.Strange(askReceipt, "the receipt of another transaction")
	case *r.Status > 1:
		return jsonrpc.Strange(askReceipt, "status %d", *r.Status)
	}
	for _, l := range r.Logs {
		if l.Address == nil || l.Place == nil {
			return jsonrpc.Strange(askReceipt, "a log without address or index")
		}
	}
	return named(askReceipt, *r.Block, uint64(*r.Height))
}

// info is what gettransactioninfobyid answers: how a transaction went.
type info struct {
	Tx      *word  `json:"id"`
	Height  uint64 `json:"blockNumber"`
	Result  string `json:"result"` // FAILED, or nothing
	Receipt struct {
		Result string `json:"result"` // of the contract: SUCCESS, REVERT, OUT_OF_ENERGY, …; nothing where none ran
	} `json:"receipt"`
	Logs jsonrpc.List[struct {
		Address account `json:"address"`
		Topics  []word  `json:"topics"`
		Data    octets  `json:"data"`
	}] `json:"log"`
}

// success is the only result with which a contract's events and a transaction's coin count.
const success = "SUCCESS"

// Results of a transaction itself; the protocol spells the good one so (Tron.proto, TransactionInfo.code).
var fine = []string{"", "SUCESS", success}

// contradicts says in what an info contradicts the receipt of the same transaction. The status is made of the
// contract's result (TransactionReceipt of java-tron), so neither can be had without the other.
func (i info) contradicts(r receipt) string {
	ran := i.Receipt.Result == success || i.Receipt.Result == "" || i.Receipt.Result == "DEFAULT"
	switch {
	case i.Tx == nil || *i.Tx != *r.Tx:
		return "another transaction"
	case i.Height != uint64(*r.Height):
		return "another block"
	case ran != (*r.Status == 1):
		return "another result"
	case len(i.Logs) != len(r.Logs):
		return "other logs"
	}
	for at, l := range i.Logs {
		same := r.Logs[at]
		if l.Address != *same.Address || !slices.Equal(l.Topics, same.Topics) || !slices.Equal(l.Data, same.Data) {
			return "other logs"
		}
	}
	return ""
}

// failed says whether the transaction as a whole went wrong.
func (i info) failed() bool { return !slices.Contains(fine, i.Result) }

// wholeBlock is a block as getblockbylimitnext shows it.
type wholeBlock struct {
	ID     *word `json:"blockID"`
	Header struct {
		Raw struct {
			Number uint64 `json:"number"`
			Parent *word  `json:"parentHash"`
		} `json:"raw_data"`
	} `json:"block_header"`
	Transactions jsonrpc.List[transaction] `json:"transactions"`
}

// at sees that it is the block of that height.
func (b wholeBlock) at(method string, height uint64) error {
	switch {
	case b.ID == nil || b.Header.Raw.Parent == nil:
		return jsonrpc.Strange(method, "a block without id or parent")
	case b.Header.Raw.Number != height:
		return jsonrpc.Strange(method, "block %d instead of %d", b.Header.Raw.Number, height)
	}
	return named(method, *b.ID, height)
}

// transaction is one as blocks and gettransactionbyid show it.
type transaction struct {
	Tx  *word `json:"txID"`
	Ret []struct {
		Result string `json:"contractRet"`
	} `json:"ret"`
	Raw struct {
		Contracts jsonrpc.List[struct {
			Type      string `json:"type"`
			Parameter struct {
				Value json.RawMessage `json:"value"` // of a form that each type has for itself
			} `json:"parameter"`
		}] `json:"contract"`
	} `json:"raw_data"`
}

// contract is the parameter of a transaction that its block calls successful, where it is of that type. A
// transaction has one contract and one result (Manager.processTransaction of java-tron 4.8.0 refuses others).
func (t transaction) contract(kind string) (json.RawMessage, bool) {
	if len(t.Raw.Contracts) != 1 || len(t.Ret) != 1 || t.Ret[0].Result != success || t.Raw.Contracts[0].Type != kind {
		return nil, false
	}
	return t.Raw.Contracts[0].Parameter.Value, true
}

// coin is the TRX that a transaction moves, in sun, of which a million are one TRX.
type coin struct {
	from, to account
	sun      int64
}

// coin is nil where the transaction moves no TRX by itself.
func (t transaction) coin(method string) (*coin, error) {
	value, ok := t.contract("TransferContract")
	if !ok {
		return nil, nil
	}
	var v struct {
		From   *account `json:"owner_address"`
		To     *account `json:"to_address"`
		Amount int64    `json:"amount"`
	}
	if err := json.Unmarshal(value, &v); err != nil || v.From == nil || v.To == nil || v.Amount < 0 {
		return nil, jsonrpc.Strange(method, "a TransferContract without sender, receiver or amount")
	}
	if v.Amount == 0 {
		return nil, nil
	}
	return &coin{from: *v.From, to: *v.To, sun: v.Amount}, nil
}

// selector is what a call of transfer(address,uint256) begins with
// (https://github.com/tronprotocol/tips/blob/master/tip-20.md).
var selector = []byte{0xa9, 0x05, 0x9c, 0xbb}

// directly is whom a call of transfer on a token's own contract pays, as wallets make it.
func (t transaction) directly() (token, to account, ok bool) {
	value, ok := t.contract("TriggerSmartContract")
	var v struct {
		Contract account `json:"contract_address"`
		Data     octets  `json:"data"`
	}
	if !ok || json.Unmarshal(value, &v) != nil || !bytes.HasPrefix(v.Data, selector) {
		return token, to, false
	}
	arguments := v.Data[len(selector):]
	if len(arguments) < 64 || len(bytes.Trim(arguments[32:64], "\x00")) == 0 {
		return token, to, false
	}
	return v.Contract, account(arguments[12:32]), true
}
