// Package chain says what a chain can tell, whatever its family: heads, blocks, transfers.
//
// It promises: names are CAIP-2 ids; a Transfer names its block by hash, so that a reader can check
// that the block is still canonical; its index within the transaction does not change when a
// reorganisation includes the same transaction again.
package chain

import (
	"context"
	"errors"
	"strings"
	"time"

	"farrier/shared/money"
)

// ID is a CAIP-2 chain id: "eip155:137" (https://chainagnostic.org/CAIPs/caip-2).
type ID string

// Namespace names the chain's family: "eip155", "bip122", "tron".
func (id ID) Namespace() string {
	namespace, _, _ := strings.Cut(string(id), ":")
	return namespace
}

// Reference tells the chain apart within its family: "137".
func (id ID) Reference() string {
	_, reference, _ := strings.Cut(string(id), ":")
	return reference
}

// Block names a block.
type Block struct {
	Height uint64
	Hash   string    // lower-case hex, after 0x on EVM chains
	Time   time.Time // as the block says, in whole seconds
}

// Transfer is one movement of a configured asset inside one transaction.
type Transfer struct {
	Chain ID
	Tx    string // transaction hash, lower case
	// Index tells the transfers of one transaction apart: "log-N" for the Nth log (from 0) of the
	// transaction's own receipt, "native" for the value that the transaction itself carries, "trace-N" for the
	// Nth time that a contract sends coin on within it, "out-N" for the Nth output of a transaction that has outputs.
	Index    string
	Block    Block
	Asset    money.Asset
	Decimals int    // of the asset, as configured
	From, To string // addresses in their family's canonical spelling; From is empty where no one address pays
	Amount   money.Amount
}

// Owned tells which of the addresses are ours. A Node asks it after it has fetched the blocks that
// name them, so that an address that was stored before its payer could know it is always found.
type Owned func(ctx context.Context, addresses []string) (map[string]bool, error)

// Node is our way to one chain. Every method may fail with any error for trouble of the moment;
// a failed call never means "nothing there".
type Node interface {
	// Head is the newest block that the node knows.
	Head(ctx context.Context) (Block, error)
	// Final is the newest height that the chain's rule calls final: its tag, or its depth below head.
	Final(ctx context.Context, head Block) (uint64, error)
	// BlockAt is the canonical block at a height; ErrNotFound above the head.
	BlockAt(ctx context.Context, height uint64) (Block, error)
	// Transfers are all transfers of configured assets to owned addresses in the blocks from..to, both
	// included, by height, each verified to lie in the block that is canonical at its height as the
	// call answers. Transfers of nothing (amount 0) are left out: anyone can make them for free.
	Transfers(ctx context.Context, from, to uint64, owned Owned) ([]Transfer, error)
	// Transaction is what a mined transaction moved, to whomever: nothing where it failed.
	// ErrNotFound where the canonical chain does not hold it (unknown, pending, reorganised away).
	Transaction(ctx context.Context, tx string) (Block, []Transfer, error)
	// Settled is Transfers for blocks that are final, as two endpoints tell it alike (one, where only one is
	// configured): what it says moves money. ErrUnsure where they do not.
	Settled(ctx context.Context, from, to uint64, owned Owned) ([]Transfer, error)
	// Sure is BlockAt as two endpoints tell it alike: before money is taken back. ErrUnsure where they do not.
	Sure(ctx context.Context, height uint64) (Block, error)
}

// Counts is what a Node's endpoints were asked since it was made, and how they are.
type Counts struct {
	Requests int64 // over HTTP
	Calls    int64 // in them: what providers charge for
	Resting  int   // endpoints in trouble now
}

// Asked is a Node that counts what it asks.
type Asked interface{ Counts() Counts }

// ErrNotFound says that the canonical chain holds no such block or transaction.
var ErrNotFound = errors.New("chain: not found")

// ErrUnsure says that too few endpoints tell the same where several must. Ask again later.
var ErrUnsure = errors.New("chain: too few endpoints tell the same")
