package ledger

import (
	"strconv"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/money"
)

// Balance is the sum of an account's entries.
type Balance struct {
	PK string `dynamodbav:"pk"` // merchant
	SK string `dynamodbav:"sk"` // asset#shard

	Asset     money.Asset `dynamodbav:"asset"`
	Decimals  int         `dynamodbav:"decimals"`
	Shard     int         `dynamodbav:"shard"`
	Legs      Legs        `dynamodbav:"legs"`
	Entries   int64       `dynamodbav:"entries"` // how many it sums
	UpdatedAt time.Time   `dynamodbav:"updated_at"`
	Version   int64       `dynamodbav:"version"` // from 1; 0 is a balance that is not stored yet
}

// BalanceKey is where an account's balance lies.
func BalanceKey(merchant string, asset money.Asset, shard int) dynamo.Key {
	return dynamo.Key{PK: merchant, SK: string(asset) + "#" + strconv.Itoa(shard)}
}

// NoBalance is the balance of a part of an account that nothing was booked in yet.
func NoBalance(merchant string, asset money.Asset, decimals, shard int) Balance {
	key := BalanceKey(merchant, asset, shard)
	return Balance{PK: key.PK, SK: key.SK, Asset: asset, Decimals: decimals, Shard: shard}
}

// Expected is the version that a write of the next one replaces; a balance at version 0 is created.
func (b Balance) Expected() *int64 {
	if b.Version == 0 {
		return nil
	}
	return &b.Version
}

// Add is the balance with more entries, or with none, at its next version.
func (b Balance) Add(now time.Time, entries ...Entry) Balance {
	for _, e := range entries {
		b.Legs = b.Legs.Plus(e.Legs)
		b.Entries++
	}
	b.UpdatedAt = now
	b.Version++
	return b
}
