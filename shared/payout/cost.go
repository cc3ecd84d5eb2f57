package payout

import (
	"context"
	"errors"
	"math/big"
	"time"

	"farrier/shared/chain"
	"farrier/shared/dynamo"
	"farrier/shared/money"
)

// Cost is what transactions of a chain cost now, as pay told last. Prices are in the chain's own coin for a unit of gas.
type Cost struct {
	PK string `dynamodbav:"pk"` // CAIP-2
	SK string `dynamodbav:"sk"` // always "cost"

	Base     money.Amount    `dynamodbav:"base"` // of the next block, which the chain takes whatever the speed
	Prices   map[Speed]Price `dynamodbav:"prices"`
	CoinGas  uint64          `dynamodbav:"coin_gas"`  // what a payout of the coin takes at the most
	TokenGas uint64          `dynamodbav:"token_gas"` // and one of a token
	At       time.Time       `dynamodbav:"at"`        // when the chain was asked
	Version  int64           `dynamodbav:"version"`
}

// Price is what a speed costs (EIP-1559).
type Price struct {
	FeePerGas money.Amount `dynamodbav:"fee_per_gas"` // the most
	TipPerGas money.Amount `dynamodbav:"tip_per_gas"`
}

// CostKey is where a chain's cost lies.
func CostKey(on chain.ID) dynamo.Key { return dynamo.Key{PK: string(on), SK: "cost"} }

// KeepCost is how long a cost is worth anything. The base price rises by an eighth at the most from one block to the next
// (EIP-1559): on a chain of twelve seconds a block it can still be a multiple after a few minutes.
const KeepCost = 15 * time.Minute

// margin is by how many times a payout may cost more than its price says when it is asked for: that much rises while it
// waits for approvals, or is replaced by later attempts.
const margin = 3

// Gas is what a payout of an asset takes at the most.
func (c Cost) Gas(asset money.Asset) uint64 {
	if asset.Kind() == "slip44" {
		return c.CoinGas
	}
	return c.TokenGas
}

// Fee is what a payout of an asset costs at a speed now, as far as the base price stays what it is.
func (c Cost) Fee(asset money.Asset, s Speed) money.Amount {
	price := c.Prices[s]
	each := c.Base.Add(price.TipPerGas)
	if each.Cmp(price.FeePerGas) > 0 {
		each = price.FeePerGas
	}
	return times(each, c.Gas(asset))
}

// Asks is the most that the first attempt of a payout costs.
func (c Cost) Asks(asset money.Asset, s Speed) money.Amount {
	return times(c.Prices[s].FeePerGas, c.Gas(asset))
}

// Most is what a payout may cost that is asked for now: margin times what its first attempt does, but no more than what any
// payout may.
func (c Cost) Most(asset money.Asset, s Speed, cap money.Amount) money.Amount {
	most := times(c.Asks(asset, s), margin)
	if most.Cmp(cap) > 0 {
		return cap
	}
	return most
}

func times(a money.Amount, n uint64) money.Amount {
	product, err := money.FromBig(new(big.Int).Mul(a.Big(), new(big.Int).SetUint64(n)))
	if err != nil { // more than anything costs
		return a
	}
	return product
}

// Costs keeps what chains cost. It is pay's to write.
type Costs struct {
	Table dynamo.Table
}

// ErrNoCost says that it is not known what a chain costs.
var ErrNoCost = errors.New("payout: nobody has told what this chain costs now")

// Get reads what a chain costs; ErrNoCost where nobody has told that within KeepCost.
func (s Costs) Get(ctx context.Context, on chain.ID, now time.Time) (Cost, error) {
	var c Cost
	err := s.Table.Get(ctx, CostKey(on), &c)
	switch {
	case errors.Is(err, dynamo.ErrMissing):
		return c, ErrNoCost
	case err == nil && now.Sub(c.At) > KeepCost:
		return c, ErrNoCost
	}
	return c, err
}

// Tell keeps what a chain costs. What is older than what is there changes nothing.
func (s Costs) Tell(ctx context.Context, on chain.ID, c Cost) error {
	for range attempts {
		var before Cost
		err := s.Table.Get(ctx, CostKey(on), &before)
		if err != nil && !errors.Is(err, dynamo.ErrMissing) || c.At.Before(before.At) {
			return err
		}
		key := CostKey(on)
		c.PK, c.SK, c.Version = key.PK, key.SK, before.Version+1
		if err = s.Table.Follow(ctx, c, before.Version); !errors.Is(err, dynamo.ErrStale) {
			return err
		}
	}
	return errBusy
}
