package node

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"farrier/shared/chain"
	"farrier/shared/chain/evm"
	"farrier/shared/chain/jsonrpc"
	"farrier/shared/chain/pool"
)

var _ chain.Sender = (*Node)(nil)

// Nonce asks an endpoint for its head in the same breath: one that is behind counts too little.
func (n *Node) Nonce(ctx context.Context, address string) (uint64, error) {
	return pool.Put(ctx, n.pool, func(e *endpoint) (uint64, error) {
		count := &jsonrpc.Call{Method: "eth_getTransactionCount", Params: []any{address, newest}}
		if err := n.askAtHead(ctx, e, count); err != nil {
			return 0, err
		}
		var nonce hexutil.Uint64
		err := count.Read(&nonce)
		return uint64(nonce), err
	})
}

// askAtHead puts calls about the newest block to an endpoint that is not far behind.
func (n *Node) askAtHead(ctx context.Context, e *endpoint, calls ...*jsonrpc.Call) error {
	head := &jsonrpc.Call{Method: getBlock, Params: []any{newest, false}, Cap: jsonrpc.Medium}
	if err := e.askEach(ctx, append([]*jsonrpc.Call{head}, calls...)); err != nil {
		return err
	}
	var h header
	if err := head.Read(&h); err != nil {
		return err
	}
	block, err := h.block(getBlock)
	if err == nil {
		err = n.pool.NotFarBehind(block.Height)
	}
	return err
}

// delegation begins what an account's code is that has handed its execution to a contract: its key still commands it
// (https://eips.ethereum.org/EIPS/eip-7702).
var delegation = []byte{0xef, 0x01, 0x00}

// Contract says whether code lies at an address that is not merely delegated to.
func (n *Node) Contract(ctx context.Context, address string) (bool, error) {
	return pool.Put(ctx, n.pool, func(e *endpoint) (bool, error) {
		q := &jsonrpc.Call{Method: "eth_getCode", Params: []any{address, newest}}
		if err := n.askAtHead(ctx, e, q); err != nil {
			return false, err
		}
		var code hexutil.Bytes
		if err := q.Read(&code); err != nil {
			return false, err
		}
		delegated := len(code) == len(delegation)+common.AddressLength && slices.Equal(code[:len(delegation)], delegation)
		return len(code) > 0 && !delegated, nil
	})
}

// Bounds of the gas of a payment.
const (
	plainGas = 21_000  // of coin to an address without code, exactly
	mostGas  = 500_000 // the dearest tokens take a third of it
)

// Gas is what an endpoint estimates and, where code runs, a quarter more: what it meets when it is mined may have changed.
func (n *Node) Gas(ctx context.Context, p chain.Payment) (uint64, error) {
	call := map[string]any{"from": p.From, "to": p.To, "value": hexutil.EncodeBig(p.Amount.Big())}
	if p.Token != "" {
		call = map[string]any{"from": p.From, "to": p.Token, "data": hexutil.Encode(evm.TransferCall(p.To, p.Amount))}
	}
	return pool.Put(ctx, n.pool, func(e *endpoint) (uint64, error) {
		q := &jsonrpc.Call{Method: "eth_estimateGas", Params: []any{call}}
		if err := e.Ask(ctx, q); err != nil {
			return 0, err
		}
		if no := wouldFail(q.Err); no != nil {
			return 0, pool.Ours(no)
		}
		var gas hexutil.Uint64
		if err := q.Read(&gas); err != nil {
			return 0, err
		}
		most := uint64(gas)
		if most > plainGas {
			most = min(most, mostGas+1)
			most += most / 4
		}
		switch {
		case most < plainGas:
			return 0, jsonrpc.Strange(q.Method, "less gas than any transaction uses")
		case most > mostGas:
			return 0, pool.Ours(&chain.WouldFailError{Detail: "it needs more gas than a payment may"})
		}
		return most, nil
	})
}

// reverted is the code of a call that the contract undid
// (https://ethereum.github.io/execution-apis/, and rpc.Error of go-ethereum's vm.ErrExecutionReverted).
const reverted = 3

// failing are words of nodes for a call that fails because of what it asks for, in lower case.
var failing = []string{
	"revert",                       // geth, Erigon, Reth, anvil; Nethermind and Besu with the reason
	"insufficient funds",           // geth, Erigon, Reth, anvil
	"insufficient balance",         // Nethermind, zkSync
	"exceeds account balance",      // Besu
	"gas required exceeds",         // geth: at no amount of gas does it succeed
	"out of gas",                   // anvil
	"invalid opcode",               // an assertion of an old contract
	"transaction execution fails",  // Nethermind
	"transaction processing could", // Besu
}

func wouldFail(err error) error {
	var no *jsonrpc.RefusedError
	if !errors.As(err, &no) {
		return nil
	}
	said := strings.ToLower(no.Message)
	if no.Code == reverted || slices.ContainsFunc(failing, func(words string) bool { return strings.Contains(said, words) }) {
		return &chain.WouldFailError{Detail: short(no.Message)}
	}
	return nil
}

// short is what a node said, as much of it as people read.
func short(said string) string {
	said = strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, said), "")
	if len(said) > 160 {
		said = strings.ToValidUTF8(said[:160], "") + "…"
	}
	return said
}
