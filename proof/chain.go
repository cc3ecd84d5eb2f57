package proof

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"farrier/shared/chain"
	"farrier/shared/id"
	"farrier/shared/money"
)

// Chain is a chain in memory that can reorganise and fall silent.
type Chain struct {
	ID    chain.ID
	Depth uint64 // blocks below the head that are final

	mu     sync.Mutex
	blocks []block
	forks  int
	Silent bool // the node answers nothing but errors
}

type block struct {
	chain.Block
	transfers []chain.Transfer
}

// NewChain has one empty block.
func NewChain(name chain.ID, depth uint64, now time.Time) *Chain {
	c := &Chain{ID: name, Depth: depth}
	c.Mine(now)
	return c
}

// Mine adds a block with these transfers, and gives them their place in it.
func (c *Chain) Mine(now time.Time, transfers ...chain.Transfer) chain.Block {
	c.mu.Lock()
	defer c.mu.Unlock()
	height := uint64(len(c.blocks))
	sum := id.Digest(string(c.ID), fmt.Sprint(height), fmt.Sprint(c.forks), fmt.Sprint(transfers))
	b := block{Block: chain.Block{Height: height, Hash: fmt.Sprintf("0x%x", sum), Time: now.Truncate(time.Second)}}
	for _, t := range transfers {
		t.Chain, t.Block = c.ID, b.Block
		b.transfers = append(b.transfers, t)
	}
	c.blocks = append(c.blocks, b)
	return b.Block
}

// Reorganise takes the newest blocks away and returns the transfers that they held.
func (c *Chain) Reorganise(depth int) []chain.Transfer {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forks++
	keep := max(len(c.blocks)-depth, 1)
	var gone []chain.Transfer
	for _, b := range c.blocks[keep:] {
		gone = append(gone, b.transfers...)
	}
	c.blocks = c.blocks[:keep]
	return gone
}

// Canonical are all transfers that the chain holds now, in blocks that are final.
func (c *Chain) Canonical() []chain.Transfer {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []chain.Transfer
	for _, b := range c.blocks {
		if b.Height+c.Depth < uint64(len(c.blocks)) {
			all = append(all, b.transfers...)
		}
	}
	return all
}

// Token is a transfer of the world's token.
func Token(asset money.Asset, tx, index, to string, amount int64) chain.Transfer {
	return chain.Transfer{Tx: tx, Index: index, Asset: asset, Decimals: 6, From: "0x00000000000000000000000000000000000000f0", To: to, Amount: money.Units(amount)}
}

var errSilent = errors.New("proof: the node is silent")

// Head is the newest block.
func (c *Chain) Head(context.Context) (chain.Block, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Silent {
		return chain.Block{}, errSilent
	}
	return c.blocks[len(c.blocks)-1].Block, nil
}

// Final is Depth blocks below the head.
func (c *Chain) Final(_ context.Context, head chain.Block) (uint64, error) {
	return head.Height - min(head.Height, c.Depth), nil
}

// BlockAt is the block at a height.
func (c *Chain) BlockAt(_ context.Context, height uint64) (chain.Block, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.Silent:
		return chain.Block{}, errSilent
	case height >= uint64(len(c.blocks)):
		return chain.Block{}, chain.ErrNotFound
	}
	return c.blocks[height].Block, nil
}

// Transfers are those of a range to owned addresses.
func (c *Chain) Transfers(ctx context.Context, from, to uint64, owned chain.Owned) ([]chain.Transfer, error) {
	all, err := c.between(from, to)
	if err != nil {
		return nil, err
	}
	var addresses []string
	for _, t := range all {
		addresses = append(addresses, t.To)
	}
	ours, err := owned(ctx, addresses)
	if err != nil {
		return nil, err
	}
	var found []chain.Transfer
	for _, t := range all {
		if ours[t.To] {
			found = append(found, t)
		}
	}
	return found, nil
}

func (c *Chain) between(from, to uint64) ([]chain.Transfer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Silent {
		return nil, errSilent
	}
	var all []chain.Transfer
	for _, b := range c.blocks {
		if b.Height >= from && b.Height <= to {
			all = append(all, b.transfers...)
		}
	}
	return all, nil
}

// Transaction is what a transaction moved.
func (c *Chain) Transaction(_ context.Context, tx string) (chain.Block, []chain.Transfer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Silent {
		return chain.Block{}, nil, errSilent
	}
	for _, b := range c.blocks {
		var moved []chain.Transfer
		for _, t := range b.transfers {
			if t.Tx == tx {
				moved = append(moved, t)
			}
		}
		if len(moved) > 0 {
			return b.Block, moved, nil
		}
	}
	return chain.Block{}, nil, chain.ErrNotFound
}
