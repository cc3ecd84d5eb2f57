package ledger

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"farrier/shared/deposit"
	"farrier/shared/dynamo"
	"farrier/shared/money"
	"farrier/shared/problem"
)

// Store reads the book; package credit writes it.
type Store struct {
	Entries  dynamo.Table
	Balances dynamo.Table
}

// Balance reads an account's balance, or the empty one at version 0.
func (s Store) Balance(ctx context.Context, d deposit.Deposit) (Balance, error) {
	key := BalanceKey(d.Merchant, d.Asset, d.Shard)
	b := Balance{PK: key.PK, SK: key.SK, Asset: d.Asset, Decimals: d.Decimals, Shard: d.Shard}
	err := s.Balances.Get(ctx, key, &b)
	if errors.Is(err, dynamo.ErrMissing) {
		return b, nil
	}
	return b, err
}

// Of reads all entries of a deposit.
func (s Store) Of(ctx context.Context, d deposit.Deposit) ([]Entry, error) {
	var entries []Entry
	err := dynamo.Each(ctx, s.Entries, dynamo.Query{PK: PartitionOf(d.Merchant, d.Shard), Prefix: PrefixOf(d)}, func(e Entry) error {
		entries = append(entries, e)
		return nil
	})
	return entries, err
}

// EachOf hands every entry of a payment to f, those of a deposit in their order.
func (s Store) EachOf(ctx context.Context, merchant, payment string, shards int, f func(Entry) error) error {
	for shard := range max(shards, 1) {
		if err := dynamo.Each(ctx, s.Entries, dynamo.Query{PK: PartitionOf(merchant, shard), Prefix: payment + "/"}, f); err != nil {
			return err
		}
	}
	return nil
}

// Total is what a merchant has of one asset, all shards together.
type Total struct {
	Asset     money.Asset
	Decimals  int
	Legs      Legs
	Entries   int64
	UpdatedAt time.Time
}

// Totals reads a merchant's balances, an asset each.
func (s Store) Totals(ctx context.Context, merchant string) ([]Total, error) {
	var totals []Total
	err := dynamo.Each(ctx, s.Balances, dynamo.Query{PK: merchant}, func(b Balance) error {
		if n := len(totals); n == 0 || totals[n-1].Asset != b.Asset {
			totals = append(totals, Total{Asset: b.Asset, Decimals: b.Decimals})
		}
		t := &totals[len(totals)-1]
		t.Legs, t.Entries = t.Legs.Plus(b.Legs), t.Entries+b.Entries
		if b.UpdatedAt.After(t.UpdatedAt) {
			t.UpdatedAt = b.UpdatedAt
		}
		return nil
	})
	return totals, err
}

// List reads a page of a merchant's entries, those of the newest payments first. The shards' pages are
// merged: sort keys compare across shards, so the last one given is where the next page begins in each.
func (s Store) List(ctx context.Context, merchant string, shards int, limit int32, after string) ([]Entry, string, error) {
	if after != "" && !validCursor(after) {
		return nil, "", problem.Field("cursor", "is not one that this list gave")
	}
	most := limit + 1 // one more than the page, to know whether another follows
	if after != "" {
		most++ // To is inclusive: the cursor's own entry was on the page before
	}
	var all []Entry
	for shard := range max(shards, 1) {
		page, _, err := dynamo.List[Entry](ctx, s.Entries, dynamo.Query{
			PK: PartitionOf(merchant, shard), Descending: true, Limit: most, To: after,
		})
		if err != nil {
			return nil, "", err
		}
		all = append(all, page...)
	}
	slices.SortFunc(all, func(a, b Entry) int { return cmp.Compare(b.SK, a.SK) })
	if after != "" {
		all = slices.DeleteFunc(all, func(e Entry) bool { return e.SK >= after })
	}
	if len(all) <= int(limit) {
		return all, "", nil
	}
	return all[:limit], all[limit-1].SK, nil
}

func validCursor(s string) bool {
	return len(s) <= 200 && strings.Count(s, "/") == 3
}

// EntryView is an entry as merchants see it. Amounts are integers in the asset's smallest unit, and as
// Amount the leg "available" in the asset's own unit.
type EntryView struct {
	ID          string         `json:"id"`
	Kind        Kind           `json:"kind" enum:"credit,reversal,void"`
	Asset       string         `json:"asset"`
	Amount      string         `json:"amount" doc:"change of what is available, in the asset's own unit"`
	AmountUnits string         `json:"amount_units" doc:"change of what is available, in the asset's smallest unit"`
	Legs        map[Leg]string `json:"legs" doc:"in the asset's smallest unit; they sum to zero"`
	Deposit     string         `json:"deposit"`
	Payment     string         `json:"payment" doc:"empty where a provider's object names none"`
	Chain       string         `json:"chain,omitempty"`
	Transaction string         `json:"transaction,omitempty"`
	Connection  string         `json:"connection,omitempty" doc:"whose provider holds the money; absent for transfers on a chain"`
	Object      string         `json:"object,omitempty" doc:"the provider's id of the payment or transfer"`
	At          time.Time      `json:"at"`
}

// View shows the entry.
func (e Entry) View() EntryView {
	return EntryView{
		ID: e.ID, Kind: e.Kind, Asset: string(e.Asset), Amount: e.Legs[Available].Decimal(e.Decimals), AmountUnits: e.Legs[Available].String(),
		Legs: e.Legs.texts(), Deposit: e.Deposit, Payment: e.Payment, Chain: string(e.Chain), Transaction: e.Tx,
		Connection: e.Connection, Object: e.Object, At: e.At,
	}
}

// TotalView is a balance as merchants see it.
type TotalView struct {
	Asset          string         `json:"asset"`
	Available      string         `json:"available" doc:"in the asset's own unit"`
	AvailableUnits string         `json:"available_units" doc:"in the asset's smallest unit"`
	Legs           map[Leg]string `json:"legs" doc:"in the asset's smallest unit; they sum to zero"`
	Entries        int64          `json:"entries" doc:"how many entries the balance sums"`
	UpdatedAt      time.Time      `json:"updated_at"`
}

// View shows the total.
func (t Total) View() TotalView {
	return TotalView{
		Asset: string(t.Asset), Available: t.Legs[Available].Decimal(t.Decimals), AvailableUnits: t.Legs[Available].String(),
		Legs: t.Legs.texts(), Entries: t.Entries, UpdatedAt: t.UpdatedAt,
	}
}

func (l Legs) texts() map[Leg]string {
	out := map[Leg]string{}
	for leg, a := range l {
		out[leg] = a.String()
	}
	return out
}
