package chain

import (
	"context"

	"farrier/shared/money"
)

// Sender is our way to pay on one chain, beside what Node tells of it. As with Node, a failed call never means "nothing
// there", and may be made again.
type Sender interface {
	// Nonce is how many transactions of an address the newest block knows: the nonce of its next one.
	Nonce(ctx context.Context, address string) (uint64, error)
	// Market is what gas costs now.
	Market(ctx context.Context) (Market, error)
	// Gas is the most that a payment may use: a *WouldFailError where it would not succeed now.
	Gas(ctx context.Context, p Payment) (uint64, error)
	// Contract says whether code lies at an address.
	Contract(ctx context.Context, address string) (bool, error)
	// Send gives signed transactions to every endpoint in good order, in their order, and tells of each what the kindest of
	// them said. It is an error where none answered: what was sent may have arrived all the same.
	Send(ctx context.Context, signed []Signed) ([]Taken, error)
	// Mined are those of the transactions that lie in canonical blocks.
	Mined(ctx context.Context, txs []string) (map[string]Mined, error)
	// SureMined is Mined as two endpoints tell it alike (one, where only one is configured): what it says moves money.
	// ErrUnsure where they do not.
	SureMined(ctx context.Context, txs []string) (map[string]Mined, error)
	// Spender is the transaction of an address that has a nonce, as sure as SureMined; ErrNotFound where none has.
	Spender(ctx context.Context, address string, nonce uint64) (Mined, error)
	// BlocksAt are the canonical blocks at some heights; those above the head are left out.
	BlocksAt(ctx context.Context, heights []uint64) (map[uint64]Block, error)
}

// Payment is what a transaction is to do.
type Payment struct {
	From, To string // in canonical spelling
	Token    string // the token's contract; "" for the chain's own coin
	Amount   money.Amount
}

// Market is what a unit of gas costs, in the smallest unit of the chain's coin.
type Market struct {
	Height uint64       // the newest block that it was read from
	Base   money.Amount // what the next block burns
	// What those pay on top of it who pay little, as usual and well: percentiles of the newest blocks.
	Low, Middle, High money.Amount
}

// Signed is a transaction as it is broadcast.
type Signed struct {
	Tx  string // its hash
	Raw string // its bytes, in hex after 0x
}

// Mined is a transaction in a canonical block.
type Mined struct {
	Tx       string
	Block    Block        // without its time
	Fee      money.Amount // that was paid for it, in the smallest unit of the chain's coin
	Reverted bool         // it did nothing but pay its fee
}

// Same says whether both tell the same.
func (m Mined) Same(other Mined) bool {
	return m.Tx == other.Tx && m.Block == other.Block && m.Reverted == other.Reverted && m.Fee.Cmp(other.Fee) == 0
}

// Taken is what an endpoint said to a signed transaction.
type Taken struct {
	Word   Word
	Detail string // what it said, where it did not take it
}

// Word is what it means, whatever the node calls it.
type Word string

// The words, the kindest first.
const (
	Accepted    Word = "accepted"    // it has it now
	Known       Word = "known"       // it has had it before
	NonceSpent  Word = "nonce_spent" // its nonce lies in a block already, with this transaction or another
	Underpriced Word = "underpriced" // another one with its nonce is there, which it does not pay enough to replace
	TooCheap    Word = "too_cheap"   // it pays less than the node, or the next block, wants at all
	Unfunded    Word = "unfunded"    // the sender has too little of the chain's coin
	Later       Word = "later"       // the node has no place for it now, or wants those before it first
	Refused     Word = "refused"     // for another reason
)

// Has says whether the endpoint has the transaction.
func (t Taken) Has() bool { return t.Word == Accepted || t.Word == Known }

// WouldFailError says why a payment would not succeed now. It is what a node said, and safe to show.
type WouldFailError struct{ Detail string }

func (e *WouldFailError) Error() string { return "chain: the payment would fail: " + e.Detail }
