package node

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"farrier/shared/chain"
	"farrier/shared/chain/jsonrpc"
	"farrier/shared/chain/pool"
)

// sendAtOnce is how many transactions go in one HTTP request: providers cap batches between 100 and 1,000, and a node answers
// for as many in a few milliseconds.
const sendAtOnce = 100

const sendRaw = "eth_sendRawTransaction"

// Send tells all endpoints: one that accepts and forgets, or that the next block's maker does not hear of, keeps nothing back.
func (n *Node) Send(ctx context.Context, signed []chain.Signed) ([]chain.Taken, error) {
	var out []chain.Taken
	for part := range slices.Chunk(signed, sendAtOnce) {
		said, err := pool.Every(ctx, n.pool, func(e *endpoint) ([]chain.Taken, error) { return e.send(ctx, part) })
		if err != nil {
			return nil, err
		}
		for i := range part {
			best := said[0][i]
			for _, other := range said[1:] {
				if kinder(other[i].Word, best.Word) {
					best = other[i]
				}
			}
			out = append(out, best)
		}
	}
	return out, nil
}

// kindness is the words' order.
var kindness = []chain.Word{
	chain.Accepted, chain.Known, chain.NonceSpent, chain.Underpriced, chain.TooCheap, chain.Unfunded, chain.Later, chain.Refused,
}

func kinder(a, b chain.Word) bool {
	return cmp.Less(slices.Index(kindness, a), slices.Index(kindness, b))
}

func (e *endpoint) send(ctx context.Context, part []chain.Signed) ([]chain.Taken, error) {
	var calls []*jsonrpc.Call
	for _, s := range part {
		calls = append(calls, &jsonrpc.Call{Method: sendRaw, Params: []any{s.Raw}})
	}
	if err := e.askEach(ctx, calls); err != nil {
		return nil, err
	}
	out := make([]chain.Taken, len(calls))
	for i, q := range calls {
		var err error
		if out[i], err = taken(q, part[i].Tx); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// taken reads one answer. What a node refuses for the transaction's sake is an answer; only what is the endpoint's own trouble
// is an error.
func taken(q *jsonrpc.Call, tx string) (chain.Taken, error) {
	var no *jsonrpc.RefusedError
	if errors.As(q.Err, &no) {
		word := wordOf(no.Message)
		if word == chain.Refused && (jsonrpc.Limited(no) || !jsonrpc.TooMuch(no)) {
			return chain.Taken{}, no
		}
		return chain.Taken{Word: word, Detail: short(no.Message)}, nil
	}
	var hash string
	if err := q.Read(&hash); err != nil {
		return chain.Taken{}, err
	}
	if !strings.EqualFold(hash, tx) {
		return chain.Taken{}, jsonrpc.Strange(sendRaw, "the hash of another transaction")
	}
	return chain.Taken{Word: chain.Accepted}, nil
}

// words are what nodes say when they do not take a transaction, in lower case, the more telling first. There is no standard;
// they were read in the sources, in 2026-11: geth core/txpool/errors.go, core/txpool/legacypool, core/error.go; Erigon
// txnprovider/txpool/txpoolcfg; Nethermind TxPool/TxPoolErrorMessages.cs, and AcceptTxResult.cs for what it said before 2026;
// Besu RpcErrorType.java; Reth crates/rpc/rpc-eth-types/src/error and crates/transaction-pool/src/error.rs; anvil
// crates/anvil/src/eth/error.rs.
var words = []struct {
	word chain.Word
	said []string
}{
	{chain.Known, []string{
		"already known",                          // geth, Erigon, Nethermind, Reth
		"alreadyknown",                           // Nethermind before 2026
		"already imported",                       // anvil, Reth's pool
		"known transaction",                      // Besu, old geth
		"existing tx with same hash",             // old Erigon
		"existing txn with same hash",            // Erigon
		"transaction already exists in the pool", // Reth's pool, by way of its RPC
	}},
	{chain.NonceSpent, []string{
		"nonce too low",    // geth, Erigon, Nethermind, Besu, Reth, anvil
		"nonce is too low", // OpenEthereum, which some chains still run
		"oldnonce",         // Nethermind before 2026
	}},
	{chain.Underpriced, []string{
		"replacement transaction underpriced",     // geth, Erigon, Nethermind, Besu, Reth, anvil
		"could not replace existing",              // Erigon
		"insufficient gas price to replace",       // Reth's and anvil's pools
		"replacementnotallowed",                   // Nethermind before 2026
		"another transaction with same nonce",     // OpenEthereum
		"another tx which has the same nonce in",  // Klaytn
		"replacement transaction is underpriced.", // gateways that say it in a sentence
	}},
	{chain.Later, []string{
		"future transaction tries to replace",   // geth, whose pool is full
		"pool is full",                          // geth ("txpool is full"), Erigon ("pending sub-pool is full")
		"out of capacity",                       // geth
		"limit exceeded",                        // geth ("account limit exceeded")
		"in-flight transaction limit",           // geth, of accounts that are delegated
		"gapped-nonce",                          // geth, the same
		"spammer",                               // Erigon, Reth
		"discarded on insert", "discarded when", // Reth, whose pool is full
		"nonce too high", "nonce too far", "noncegap", // Nethermind
		"too distant from current sender nonce", // Besu
		"with a lower nonce exists",             // Besu
		"syncing", "sync is still in progress",  // Nethermind, Besu
	}},
	{chain.TooCheap, []string{
		"underpriced",              // geth, Nethermind, Reth ("transaction underpriced"), Erigon
		"less than block base fee", // geth, Reth, anvil
		"below current base fee",   // Besu
		"fee too low", "feetoolow", // Erigon; Nethermind before 2026
		"gas price below",                // Besu ("… configured minimum gas price"), geth ("transaction gas price below minimum")
		"below chain minimum",            // Reth's pool
		"gas price is too low",           // OpenEthereum
		"gas price too low",              // Arbitrum, Metis
		"less than gas price minimum",    // Celo
		"priority fee below the minimum", // Reth
	}},
	{chain.Unfunded, []string{
		"insufficient funds",            // geth, Erigon, Nethermind, Reth, anvil
		"insufficientfunds",             // Nethermind before 2026
		"insufficient balance",          // OpenEthereum, zkSync
		"exceeds account balance",       // Besu
		"not enough funds", "overdraft", // Arbitrum; geth, of what its other transactions spend
		"does not have enough funds",      // OpenEthereum
		"lack of funds", "lacks balance ", // Reth's EVM
	}},
}

// wordOf is what a refusal means.
func wordOf(said string) chain.Word {
	said = strings.ToLower(said)
	for _, w := range words {
		if slices.ContainsFunc(w.said, func(words string) bool { return strings.Contains(said, words) }) {
			return w.word
		}
	}
	return chain.Refused
}
