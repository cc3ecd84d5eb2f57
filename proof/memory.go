package proof

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"farrier/shared/chain"
	"farrier/shared/id"
	"farrier/shared/money"
)

// Memory is a chain in memory that can reorganise and finalise late.
type Memory struct {
	ID    chain.ID
	Depth uint64 // blocks below the head that are final

	mu      sync.Mutex
	blocks  []block
	forks   int
	pending []chain.Transfer  // in no block yet
	held    uint64            // finality goes no further than this; 0 for no such limit
	highest int               // how many blocks it ever had
	final   map[string]uint64 // by hash: of every block that is final or was, how many final blocks lay above it at the most
}

// Deepest is by how much a chain ever falls behind its own highest block.
const Deepest = 8

type block struct {
	chain.Block
	transfers []chain.Transfer
}

// NewMemory has one empty block.
func NewMemory(name chain.ID, depth uint64, now time.Time) *Memory {
	c := &Memory{ID: name, Depth: depth, final: map[string]uint64{}}
	c.Mine(now)
	return c
}

// Mine adds a block with these transfers and those that are pending.
func (c *Memory) Mine(now time.Time, transfers ...chain.Transfer) []chain.Transfer {
	c.mu.Lock()
	defer c.mu.Unlock()
	waited := len(c.pending)
	transfers = append(c.pending, transfers...)
	c.pending = nil
	height := uint64(len(c.blocks))
	sum := id.Digest(string(c.ID), fmt.Sprint(height), fmt.Sprint(c.forks), fmt.Sprint(transfers))
	b := block{Block: chain.Block{Height: height, Hash: fmt.Sprintf("0x%x", sum), Time: now.Truncate(time.Second)}}
	for _, t := range transfers {
		t.Chain, t.Block = c.ID, b.Block
		b.transfers = append(b.transfers, t)
	}
	c.blocks = append(c.blocks, b)
	c.noteFinal()
	return slices.Clone(b.transfers[waited:])
}

// Submit leaves a transfer for a later block.
func (c *Memory) Submit(t chain.Transfer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending = append(c.pending, t)
}

// Reorganise takes the newest blocks away, down to Deepest below the highest that ever was, and returns the
// transfers that they held.
func (c *Memory) Reorganise(depth int) []chain.Transfer {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forks++
	c.highest = max(c.highest, len(c.blocks))
	keep := min(max(len(c.blocks)-depth, c.highest-Deepest, 1), len(c.blocks))
	var gone []chain.Transfer
	for _, b := range c.blocks[keep:] {
		gone = append(gone, b.transfers...)
	}
	c.blocks = c.blocks[:keep]
	return gone
}

// Hold keeps finality from going on; Release lets it.
func (c *Memory) Hold() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = max(c.finalHeight(), 1)
}

// Release lets finality go on.
func (c *Memory) Release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = 0
	c.noteFinal()
}

// WasFinal says whether a block is or ever was final, so many blocks deeper than the chain's rule asks.
func (c *Memory) WasFinal(hash string, deeper uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	above, final := c.final[hash]
	return final && above >= deeper
}

// finalHeight is the newest final height. The caller holds the lock.
func (c *Memory) finalHeight() uint64 {
	head := c.blocks[len(c.blocks)-1].Height
	final := head - min(head, c.Depth)
	if c.held > 0 {
		final = min(final, c.held)
	}
	return final
}

// noteFinal remembers which blocks are final and how deep, where finality may have gone on. The caller holds the lock.
func (c *Memory) noteFinal() {
	final := c.finalHeight()
	for _, b := range slices.Backward(c.blocks[:final+1]) {
		if above, known := c.final[b.Hash]; known && above >= final-b.Height {
			return
		}
		c.final[b.Hash] = final - b.Height
	}
}

// Canonical are all transfers that the chain holds now, in blocks that are final.
func (c *Memory) Canonical() []chain.Transfer {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []chain.Transfer
	for _, b := range c.blocks[:c.finalHeight()+1] {
		all = append(all, b.transfers...)
	}
	return all
}

// Node is the world's, in its mood.
func (c *Memory) Node(w *World) chain.Node { return w.Node }

// Token is a transfer of the world's token.
func Token(asset money.Asset, tx, index, to string, amount int64) chain.Transfer {
	return chain.Transfer{Tx: tx, Index: index, Asset: asset, Decimals: 6, From: "0x00000000000000000000000000000000000000f0", To: to, Amount: money.Units(amount)}
}

// Node is a node of a chain in memory, in one of its moods.
type Node struct {
	*Memory
	Assets []money.Asset // those that are configured
	Mood   Mood
	Lag    int            // blocks that it is behind, where it lags
	Ghost  chain.Transfer // what it invents

	wait func(time.Duration)
}

// Mood is how a node behaves.
type Mood string

// The moods. A node may lie only about blocks that are not final: about those, and by a single endpoint,
// the watch believes what it is told.
const (
	Well    Mood = ""
	Silent  Mood = "is silent"
	Lagging Mood = "lags"
	Hides   Mood = "hides the transfers of blocks that are not final"
	Invents Mood = "invents a transfer in its newest block"
)

// ask makes one call to the node, with what is planned for it.
func (n *Node) ask(ctx context.Context, method string, answer func() error) error {
	return toNode(ctx, method, n.wait, func() error {
		if n.Mood == Silent {
			return errSilent
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		return answer()
	})
}

// known are the blocks that the node has. The caller holds the lock.
func (n *Node) known() []block {
	if n.Mood == Lagging {
		return n.blocks[:max(len(n.blocks)-n.Lag, 1)]
	}
	return n.blocks
}

// Head is the newest block.
func (n *Node) Head(ctx context.Context) (head chain.Block, err error) {
	err = n.ask(ctx, "head", func() error {
		known := n.known()
		head = known[len(known)-1].Block
		return nil
	})
	return head, err
}

// Final is the newest final height.
func (n *Node) Final(ctx context.Context, head chain.Block) (final uint64, err error) {
	err = n.ask(ctx, "final height", func() error {
		final = min(n.finalHeight(), head.Height-min(head.Height, n.Depth))
		return nil
	})
	return final, err
}

// BlockAt is the block at a height.
func (n *Node) BlockAt(ctx context.Context, height uint64) (at chain.Block, err error) {
	err = n.ask(ctx, fmt.Sprint("block ", height), func() error {
		known := n.known()
		if height >= uint64(len(known)) {
			return chain.ErrNotFound
		}
		at = known[height].Block
		return nil
	})
	return at, err
}

// Transfers are those of a range to owned addresses.
func (n *Node) Transfers(ctx context.Context, from, to uint64, owned chain.Owned) ([]chain.Transfer, error) {
	var all []chain.Transfer
	err := n.ask(ctx, fmt.Sprintf("transfers %d to %d", from, to), func() error {
		all = n.told(from, to)
		return nil
	})
	if err != nil {
		return nil, err
	}
	var addresses []string
	for _, t := range all {
		addresses = append(addresses, t.To)
	}
	ours, err := owned(ctx, addresses)
	return slices.DeleteFunc(all, func(t chain.Transfer) bool { return !ours[t.To] }), err
}

// Settled and Sure are the word of the one endpoint that the world has.
func (n *Node) Settled(ctx context.Context, from, to uint64, owned chain.Owned) ([]chain.Transfer, error) {
	return n.Transfers(ctx, from, to, owned)
}

// Sure is BlockAt.
func (n *Node) Sure(ctx context.Context, height uint64) (chain.Block, error) {
	return n.BlockAt(ctx, height)
}

// told is what the node says of a range. The caller holds the lock.
func (n *Node) told(from, to uint64) []chain.Transfer {
	var all []chain.Transfer
	known := n.known()
	for _, b := range known {
		final := b.Height <= n.finalHeight()
		if b.Height >= from && b.Height <= to && (final || n.Mood != Hides) {
			all = append(all, b.transfers...)
		}
		if newest := b.Height == known[len(known)-1].Height; newest && !final && b.Height <= to && n.Mood == Invents && n.Ghost.To != "" {
			ghost := n.Ghost
			ghost.Chain, ghost.Block, ghost.Tx = n.ID, b.Block, fmt.Sprintf("0x%x", id.Digest("ghost", b.Hash))
			all = append(all, ghost)
		}
	}
	return slices.DeleteFunc(all, func(t chain.Transfer) bool { return !slices.Contains(n.Assets, t.Asset) })
}

// Transaction is what a transaction moved.
func (n *Node) Transaction(ctx context.Context, tx string) (at chain.Block, moved []chain.Transfer, err error) {
	err = n.ask(ctx, "transaction", func() error {
		for _, b := range n.known() {
			for _, t := range b.transfers {
				if t.Tx == tx {
					at, moved = b.Block, append(moved, t)
				}
			}
		}
		if len(moved) == 0 {
			return chain.ErrNotFound
		}
		moved = slices.DeleteFunc(moved, func(t chain.Transfer) bool { return !slices.Contains(n.Assets, t.Asset) })
		return nil
	})
	return at, moved, err
}
