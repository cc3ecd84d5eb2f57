package ledger_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"farrier/shared/deposit"
	"farrier/shared/ledger"
	"farrier/shared/money"
	"farrier/shared/parts"
)

const dollar = money.Asset("eip155:1/erc20:0xaa")

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func entry(merchant, tx string, shard int, asset money.Asset, amount int64, at time.Duration) ledger.Entry {
	d := deposit.Deposit{Merchant: merchant, Shard: shard, Asset: asset, Decimals: 6, Payment: fmt.Sprintf("pay_%03d", at/time.Second), NoticedAt: noon,
		ID: deposit.IDOf("eip155:1", tx, "log-0"), Chain: "eip155:1", Tx: tx, Index: "log-0"}
	legs := ledger.Legs{ledger.Available: money.Units(amount), ledger.Custody: money.Units(-amount)}
	return ledger.EntryFor(d, 0, ledger.Credit, legs, "", noon)
}

func book(t *testing.T, entries ...ledger.Entry) ledger.Store {
	t.Helper()
	s := ledger.Store{Entries: parts.Table(t), Balances: parts.Table(t)}
	balances := map[string]ledger.Balance{}
	for _, e := range entries {
		if err := s.Entries.Create(context.Background(), e); err != nil {
			t.Fatal(err)
		}
		key := ledger.BalanceKey(e.Merchant, e.Asset, e.Shard)
		b := balances[key.PK+key.SK]
		b.PK, b.SK, b.Asset, b.Shard, b.Decimals = key.PK, key.SK, e.Asset, e.Shard, e.Decimals
		balances[key.PK+key.SK] = b.Add(noon, e)
	}
	for _, b := range balances {
		if err := s.Balances.Create(context.Background(), b); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestABalanceIsRebuiltFromItsEntriesAndCompared(t *testing.T) {
	huge, err := money.ParseUnits("115792089237316195423570985008687907853269984665640564039457584007913129639935")
	if err != nil {
		t.Fatal(err)
	}
	big := entry("mer_2", "0x04", 0, "eip155:1/slip44:60", 0, 0)
	big.Legs = ledger.Legs{ledger.Available: huge, ledger.Custody: huge.Neg()}
	s := book(t, entry("mer_1", "0x01", 0, "eip155:1/erc20:0xaa", 10, 0), entry("mer_1", "0x02", 1, "eip155:1/erc20:0xaa", 5, 1), entry("mer_1", "0x03", 0, "eip155:1/erc20:0xbb", 7, 2), big)
	accounts, entries, err := s.Check(context.Background(), func(d ledger.Difference) { t.Error(d) })
	if err != nil || accounts != 4 || entries != 4 {
		t.Fatalf("%d accounts, %d entries, %v", accounts, entries, err)
	}

	// An entry that no balance knows of, and a balance that was moved without an entry.
	if err := s.Entries.Create(context.Background(), entry("mer_1", "0x05", 0, "eip155:1/erc20:0xaa", 1, 3)); err != nil {
		t.Fatal(err)
	}
	moved := ledger.Balance{PK: "mer_3", SK: "eip155:1/erc20:0xaa#0", Asset: "eip155:1/erc20:0xaa", Legs: ledger.Legs{ledger.Available: money.Units(1), ledger.Custody: money.Units(-1)}, Version: 1}
	if err := s.Balances.Create(context.Background(), moved); err != nil {
		t.Fatal(err)
	}
	found := 0
	if _, _, err := s.Check(context.Background(), func(ledger.Difference) { found++ }); err != nil || found != 2 {
		t.Fatalf("%d differences, %v; want 2", found, err)
	}
}

func TestConformanceEntriesOfAllShardsAreListedNewestFirstOverPages(t *testing.T) {
	for shards := 1; shards <= 3; shards++ {
		var want []string
		var all []ledger.Entry
		for i := range 3 { // money of a provider that came for no payment is listed last
			e := entry("mer_1", string(rune('p'+i)), i%shards, dollar, 1, 0)
			e.SK = strings.TrimPrefix(e.SK, e.Payment)
			all, want = append(all, e), append(want, e.SK)
		}
		slices.Sort(want)
		for i := range 9 {
			e := entry("mer_1", string(rune('a'+i)), i%shards, dollar, int64(i+1), time.Duration(i)*time.Second)
			if i%2 == 1 {
				account := ledger.NoBalance("mer_1", dollar, 6, i%shards)
				e = ledger.Outgoing{Merchant: "mer_1", Payout: fmt.Sprintf("out_%03d", i)}.Entry(account, ledger.Reserve, e.Legs, noon)
			}
			all, want = append(all, e), append(want, e.SK)
		}
		slices.Reverse(want)
		s := book(t, all...)
		for limit := int32(1); limit <= 13; limit++ {
			if got := listed(t, s, shards, limit); !slices.Equal(got, want) {
				t.Errorf("%d shards, pages of %d: %v, want %v", shards, limit, got, want)
			}
		}
		if _, _, err := s.List(context.Background(), "mer_1", shards, 3, "zzz"); err == nil {
			t.Error("a cursor of no list was accepted")
		}
	}
}

// listed are the sort keys of a merchant's entries, page after page.
func listed(t *testing.T, s ledger.Store, shards int, limit int32) (keys []string) {
	t.Helper()
	for cursor, pages := "", 0; pages == 0 || cursor != ""; pages++ {
		page, next, err := s.List(context.Background(), "mer_1", shards, limit, cursor)
		if err != nil || pages > 13 {
			t.Fatal(pages, err)
		}
		for _, e := range page {
			keys = append(keys, e.SK)
		}
		cursor = next
	}
	return keys
}
