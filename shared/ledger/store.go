package ledger

import (
	"context"
	"errors"
	"time"

	"farrier/shared/deposit"
	"farrier/shared/dynamo"
	"farrier/shared/money"
)

// Store reads the book; package credit writes what comes in, package payout/book what goes out.
type Store struct {
	Entries  dynamo.Table
	Balances dynamo.Table
}

// Balance reads the balance of a part of an account, or the empty one at version 0.
func (s Store) Balance(ctx context.Context, merchant string, asset money.Asset, decimals, shard int) (Balance, error) {
	b := NoBalance(merchant, asset, decimals, shard)
	err := s.Balances.Get(ctx, BalanceKey(merchant, asset, shard), &b)
	if errors.Is(err, dynamo.ErrMissing) {
		return b, nil
	}
	return b, err
}

// Parts reads the balances of all parts of an account in which anything was booked.
func (s Store) Parts(ctx context.Context, merchant string, asset money.Asset) ([]Balance, error) {
	var all []Balance
	err := dynamo.Each(ctx, s.Balances, dynamo.Query{PK: merchant, Prefix: string(asset) + "#"}, func(b Balance) error {
		all = append(all, b)
		return nil
	})
	return all, err
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

// EachOf hands every entry of a payment or a payout to f, those of a deposit in their order.
func (s Store) EachOf(ctx context.Context, merchant, of string, shards int, f func(Entry) error) error {
	for shard := range max(shards, 1) {
		if err := dynamo.Each(ctx, s.Entries, dynamo.Query{PK: PartitionOf(merchant, shard), Prefix: of + "/"}, f); err != nil {
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

// EntryView is an entry as merchants see it. Amounts are integers in the asset's smallest unit, and as
// Amount the leg "available" in the asset's own unit.
type EntryView struct {
	ID          string         `json:"id"`
	Kind        Kind           `json:"kind" enum:"credit,reversal,void,reserve,release,paid,fee,unpaid,unfee"`
	Asset       string         `json:"asset"`
	Amount      string         `json:"amount" doc:"change of what is available, in the asset's own unit"`
	AmountUnits string         `json:"amount_units" doc:"change of what is available, in the asset's smallest unit"`
	Legs        map[Leg]string `json:"legs" doc:"in the asset's smallest unit; they sum to zero"`
	Deposit     string         `json:"deposit,omitempty"`
	Payment     string         `json:"payment,omitempty" doc:"absent where a provider's object names none"`
	Payout      string         `json:"payout,omitempty" doc:"in place of deposit and payment"`
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
		Legs: e.Legs.texts(), Deposit: e.Deposit, Payment: e.Payment, Payout: e.Payout, Chain: string(e.Chain), Transaction: e.Tx,
		Connection: e.Connection, Object: e.Object, At: e.At,
	}
}

// TotalView is a balance as merchants see it.
type TotalView struct {
	Asset          string         `json:"asset"`
	Available      string         `json:"available" doc:"in the asset's own unit"`
	AvailableUnits string         `json:"available_units" doc:"in the asset's smallest unit"`
	Reserved       string         `json:"reserved" doc:"set aside for payouts, in the asset's own unit"`
	ReservedUnits  string         `json:"reserved_units" doc:"set aside for payouts, in the asset's smallest unit"`
	Legs           map[Leg]string `json:"legs" doc:"in the asset's smallest unit; they sum to zero"`
	Entries        int64          `json:"entries" doc:"how many entries the balance sums"`
	UpdatedAt      time.Time      `json:"updated_at"`
}

// View shows the total.
func (t Total) View() TotalView {
	return TotalView{
		Asset: string(t.Asset), Available: t.Legs[Available].Decimal(t.Decimals), AvailableUnits: t.Legs[Available].String(),
		Reserved: t.Legs[Reserved].Decimal(t.Decimals), ReservedUnits: t.Legs[Reserved].String(), Legs: t.Legs.texts(), Entries: t.Entries, UpdatedAt: t.UpdatedAt,
	}
}

func (l Legs) texts() map[Leg]string {
	out := map[Leg]string{}
	for leg, a := range l {
		out[leg] = a.String()
	}
	return out
}
