package deposit

import (
	"encoding/binary"
	"fmt"
	"time"

	"farrier/shared/chain"
	"farrier/shared/id"
	"farrier/shared/wallet"
)

// ElsewhereError says that a deposit is final in another block than the one that is told of now.
// Whoever tells it finds out whether that block is gone; if so, the deposit is retracted first.
type ElsewhereError struct{ Stored Deposit }

func (e *ElsewhereError) Error() string {
	return fmt.Sprintf("deposit: %s is final in block %s", e.Stored.ID, e.Stored.BlockHash)
}

// first is the deposit of a transfer that nobody has noticed before.
func first(owner wallet.Address, t chain.Transfer, state State, now time.Time) Deposit {
	key := KeyOf(owner.Merchant, owner.Payment, t.Chain, t.Tx, t.Index)
	d := Deposit{
		PK: key.PK, SK: key.SK, ID: IDOf(t.Chain, t.Tx, t.Index), Merchant: owner.Merchant, Payment: owner.Payment,
		Chain: t.Chain, Tx: t.Tx, Index: t.Index, State: state, NoticedAt: now, UpdatedAt: now, Version: 1,
	}
	d.Shard = shardOf(d.ID, owner.Shards)
	d.copyFrom(t)
	return d
}

// shardOf spreads deposits over the shards of a merchant's accounts by their own identity.
func shardOf(depositID string, shards int) int {
	if shards <= 1 {
		return 0
	}
	sum := id.Digest(depositID)
	return int(binary.BigEndian.Uint32(sum[:4])) % shards
}

func (d *Deposit) copyFrom(t chain.Transfer) {
	d.Asset, d.Decimals, d.From, d.To, d.Amount = t.Asset, t.Decimals, t.From, t.To, t.Amount
	d.Height, d.BlockHash, d.BlockTime = t.Block.Height, t.Block.Hash, t.Block.Time
}

// tells says whether a transfer says of itself what the deposit says of it, blocks apart.
func (d Deposit) tells(t chain.Transfer) bool {
	return d.Asset == t.Asset && d.From == t.From && d.To == t.To && d.Amount.Cmp(t.Amount) == 0
}

// verdict is what follows from a telling.
type verdict int

const (
	asBefore    verdict = iota // known already, or no arrow leads there
	changes                    // the deposit changes
	elsewhere                  // final in another block
	contradicts                // final in this block, and different
)

// told judges a telling and gives the deposit as it is afterwards.
func (d Deposit) told(t chain.Transfer, state State, now time.Time) (Deposit, verdict) {
	here, same := d.BlockHash == t.Block.Hash, d.tells(t)
	switch {
	case d.State == Final && !here:
		return d, elsewhere
	case d.State == Final && !same:
		return d, contradicts
	case d.State == state && here && same, !CanMove(d.State, state):
		return d, asBefore
	}
	d.copyFrom(t)
	return d.moved(state, now), changes
}

// gone is the deposit after its block is known to be gone. Nothing follows where it lies in another block.
func (d Deposit) gone(block string, now time.Time) (Deposit, verdict) {
	to := Dropped
	if d.State == Final {
		to = Reversed
	}
	if d.BlockHash != block || !CanMove(d.State, to) {
		return d, asBefore
	}
	if to == Reversed {
		d.Round++
	}
	return d.moved(to, now), changes
}

func (d Deposit) moved(to State, now time.Time) Deposit {
	d = d.marked()
	d.State, d.UpdatedAt = to, now
	d.Version++
	return d
}
