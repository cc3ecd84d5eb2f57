package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"farrier/shared/dynamo"
	"farrier/shared/money"
)

// Difference is an account whose balance is not the sum of its entries.
type Difference struct {
	Account string // "mer_…, asset, shard"
	Stored  Balance
	Rebuilt Balance
}

func (d Difference) String() string {
	return fmt.Sprintf("%s: stored %v of %d entries, rebuilt %v of %d", d.Account, d.Stored.Legs.texts(), d.Stored.Entries, d.Rebuilt.Legs.texts(), d.Rebuilt.Entries)
}

// ErrMoving says that an account was written to during every attempt to read it whole.
var ErrMoving = errors.New("ledger: the account moves too fast to be compared; try again later")

// Check rebuilds every balance from its entries and calls differs for each that is not the same. It
// returns how many accounts and entries it read. It may run while money moves: an account counts only
// when its balance was at the same version before and after its entries were read.
func (s Store) Check(ctx context.Context, differs func(Difference)) (accounts, entries int, err error) {
	partitions := map[string]bool{}
	if err := s.Entries.Scan(ctx, func(item dynamo.Item) error {
		var e Entry
		err := dynamo.Unmarshal(item, &e)
		partitions[e.PK] = true
		return err
	}); err != nil {
		return 0, 0, err
	}
	if err := s.Balances.Scan(ctx, func(item dynamo.Item) error {
		var b Balance
		err := dynamo.Unmarshal(item, &b)
		partitions[PartitionOf(b.PK, b.Shard)] = true
		return err
	}); err != nil {
		return 0, 0, err
	}
	for partition := range partitions {
		stored, rebuilt, err := s.whole(ctx, partition)
		if err != nil {
			return accounts, entries, err
		}
		for asset := range union(stored, rebuilt) {
			accounts++
			entries += int(rebuilt[asset].Entries)
			if a, b := stored[asset], rebuilt[asset]; a.Entries != b.Entries || !a.Legs.Equal(b.Legs) || a.Legs.Sum().Sign() != 0 {
				differs(Difference{Account: partition + " " + string(asset), Stored: a, Rebuilt: b})
			}
		}
	}
	return accounts, entries, nil
}

type byAsset map[money.Asset]Balance

// whole reads a partition's balances and entries as they were at one moment.
func (s Store) whole(ctx context.Context, partition string) (stored, rebuilt byAsset, err error) {
	const attempts = 10
	for range attempts {
		before, err := s.balancesOf(ctx, partition)
		if err != nil {
			return nil, nil, err
		}
		rebuilt := byAsset{}
		err = s.Entries.Each(ctx, dynamo.Query{PK: partition}, func(item dynamo.Item) error {
			var e Entry
			err := dynamo.Unmarshal(item, &e)
			rebuilt[e.Asset] = rebuilt[e.Asset].Add(e.At, e)
			return err
		})
		if err != nil {
			return nil, nil, err
		}
		after, err := s.balancesOf(ctx, partition)
		if err != nil {
			return nil, nil, err
		}
		if sameVersions(before, after) {
			return after, rebuilt, nil
		}
	}
	return nil, nil, fmt.Errorf("%s: %w", partition, ErrMoving)
}

func (s Store) balancesOf(ctx context.Context, partition string) (byAsset, error) {
	merchant, shard, _ := strings.Cut(partition, "/")
	out := byAsset{}
	err := s.Balances.Each(ctx, dynamo.Query{PK: merchant}, func(item dynamo.Item) error {
		var b Balance
		err := dynamo.Unmarshal(item, &b)
		if strings.HasSuffix(b.SK, "#"+shard) {
			out[b.Asset] = b
		}
		return err
	})
	return out, err
}

func sameVersions(a, b byAsset) bool {
	for asset := range union(a, b) {
		if a[asset].Version != b[asset].Version {
			return false
		}
	}
	return true
}

func union(a, b byAsset) map[money.Asset]bool {
	out := map[money.Asset]bool{}
	for asset := range a {
		out[asset] = true
	}
	for asset := range b {
		out[asset] = true
	}
	return out
}
