package payout

import (
	"context"
	"errors"
	"slices"
	"time"

	"farrier/shared/chain"
	"farrier/shared/dynamo"
)

// Allowed keeps the destinations on merchants' lists. It is the function approve's to write, and the signer believes it.
type Allowed struct {
	Table dynamo.Table
	Now   func() time.Time
}

// Get reads a destination; one that is not known is the empty one.
func (s Allowed) Get(ctx context.Context, merchant string, on chain.ID, address string) (Destination, error) {
	key := DestinationKey(merchant, on, address)
	d := Destination{PK: key.PK, SK: key.SK, Address: address}
	err := s.Table.Get(ctx, key, &d)
	if errors.Is(err, dynamo.ErrMissing) {
		return d, nil
	}
	return d, err
}

// List reads a page of a merchant's list. Those that were taken off it are left out, so that a page may be short.
func (s Allowed) List(ctx context.Context, merchant string, limit int32, cursor string) ([]Destination, string, error) {
	page, next, err := dynamo.List[Destination](ctx, s.Table, dynamo.Query{PK: merchant, Limit: limit, Cursor: cursor})
	return slices.DeleteFunc(page, func(d Destination) bool { return d.AllowedAt == nil }), next, err
}

// Allow puts a destination on the list; one that is there keeps its moment, so that nobody has to wait again.
func (s Allowed) Allow(ctx context.Context, merchant string, on chain.ID, address, label, by string) (Destination, error) {
	return s.change(ctx, merchant, on, address, func(d Destination, now time.Time) (Destination, bool) {
		if d.AllowedAt != nil {
			return d, false
		}
		d.AllowedAt, d.AllowedBy, d.Label = &now, by, label
		return d, true
	})
}

// Disallow takes a destination off the list; whoever puts it back waits again.
func (s Allowed) Disallow(ctx context.Context, merchant string, on chain.ID, address string) (Destination, error) {
	return s.change(ctx, merchant, on, address, func(d Destination, _ time.Time) (Destination, bool) {
		was := d.AllowedAt != nil
		d.AllowedAt, d.AllowedBy = nil, ""
		return d, was
	})
}

func (s Allowed) change(ctx context.Context, merchant string, on chain.ID, address string, f func(Destination, time.Time) (Destination, bool)) (Destination, error) {
	for range attempts {
		d, err := s.Get(ctx, merchant, on, address)
		if err != nil {
			return d, err
		}
		next, news := f(d, s.Now().UTC().Truncate(time.Millisecond))
		if !news {
			return d, nil
		}
		next.Version++
		if err = s.Table.Follow(ctx, next, d.Version); !errors.Is(err, dynamo.ErrStale) {
			return next, err
		}
	}
	return Destination{}, errBusy
}

// Paid remembers the destinations that were paid. It is there to tell look-alikes apart, and lets nothing through.
type Paid struct {
	Table dynamo.Table
	Now   func() time.Time
}

// Remember keeps that a destination was paid; the first time counts.
func (s Paid) Remember(ctx context.Context, merchant string, on chain.ID, address string) error {
	key, now := DestinationKey(merchant, on, address), s.Now().UTC().Truncate(time.Millisecond)
	err := s.Table.Create(ctx, Destination{PK: key.PK, SK: key.SK, Address: address, PaidAt: &now, Version: 1})
	var exists *dynamo.ExistsError
	if errors.As(err, &exists) {
		return nil
	}
	return err
}

// Known is what merchants have allowed and paid.
type Known struct {
	Allowed Allowed
	Paid    Paid
}

// Like are the merchant's destinations with the same ends. What was taken off the list and never paid is no longer known.
func (k Known) Like(ctx context.Context, merchant string, on chain.ID, ends Ends) ([]Destination, error) {
	var all []Destination
	for _, table := range []dynamo.Table{k.Allowed.Table, k.Paid.Table} {
		err := dynamo.Each(ctx, table, dynamo.Query{PK: merchant, Prefix: endsPrefix(on, ends)}, func(d Destination) error {
			known := slices.ContainsFunc(all, func(other Destination) bool { return other.Address == d.Address })
			if !known && (d.AllowedAt != nil || d.PaidAt != nil) {
				all = append(all, d)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}
