package dynamo_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"farrier/shared/dynamo"
	"farrier/shared/money"
	"farrier/shared/parts"
	"farrier/shared/problem"
)

type thing struct {
	PK      string       `dynamodbav:"pk"`
	SK      string       `dynamodbav:"sk"`
	Amount  money.Amount `dynamodbav:"amount"`
	Version int64        `dynamodbav:"version"`
	Shelf   string       `dynamodbav:"shelf,omitempty"`
	Place   string       `dynamodbav:"place,omitempty"`
}

var ctx = context.Background()

func TestConformanceAnItemIsCreatedOnceAndTheSecondSeesTheFirst(t *testing.T) {
	table := parts.Table(t)
	first := thing{PK: "a", SK: "1", Amount: money.Units(5), Version: 1}
	if err := table.Create(ctx, first); err != nil {
		t.Fatal(err)
	}
	var stored thing
	exists, err := dynamo.Exists(table.Create(ctx, thing{PK: "a", SK: "1", Amount: money.Units(6)}), &stored)
	if !exists || err != nil || stored.Amount.Cmp(first.Amount) != 0 {
		t.Errorf("exists %t with %s, %v", exists, stored.Amount, err)
	}
}

func TestConformanceOfManyWhoCreateAtOnceOneSucceeds(t *testing.T) {
	table := parts.Table(t)
	var mu sync.Mutex
	var wait sync.WaitGroup
	made := 0
	for n := range 30 {
		wait.Go(func() {
			err := table.Create(ctx, thing{PK: "a", SK: "1", Amount: money.Units(int64(n)), Version: 1})
			var exists *dynamo.ExistsError
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				made++
			} else if !errors.As(err, &exists) {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if made != 1 {
		t.Errorf("%d made it", made)
	}
}

func TestConformanceAnItemIsReplacedOnlyAtTheVersionThatWasRead(t *testing.T) {
	table := parts.Table(t)
	if err := table.Create(ctx, thing{PK: "a", SK: "1", Version: 1}); err != nil {
		t.Fatal(err)
	}
	if err := table.Replace(ctx, thing{PK: "a", SK: "1", Version: 2}, 1); err != nil {
		t.Fatal(err)
	}
	if err := table.Replace(ctx, thing{PK: "a", SK: "1", Version: 2}, 1); !errors.Is(err, dynamo.ErrStale) {
		t.Errorf("a stale version: %v", err)
	}
	if err := table.Replace(ctx, thing{PK: "a", SK: "none", Version: 2}, 1); !errors.Is(err, dynamo.ErrStale) {
		t.Errorf("no item: %v", err)
	}
}

func TestConformanceAVersionFollowsTheOneThatWasReadOrNone(t *testing.T) {
	table := parts.Table(t)
	for _, c := range []struct {
		version, read int64
		stale         bool
	}{{2, 1, true}, {1, 0, false}, {1, 0, true}, {2, 1, false}, {2, 1, true}, {3, 2, false}} {
		err := table.Follow(ctx, thing{PK: "a", SK: "1", Version: c.version}, c.read)
		if stale := errors.Is(err, dynamo.ErrStale); stale != c.stale || (err != nil && !stale) {
			t.Errorf("version %d after %d: %v", c.version, c.read, err)
		}
	}
}

func TestConformanceAllDigitsOfAnAmountAreKept(t *testing.T) {
	table := parts.Table(t)
	largest, err := money.ParseUnits("115792089237316195423570985008687907853269984665640564039457584007913129639935")
	if err != nil {
		t.Fatal(err)
	}
	if err := table.Create(ctx, thing{PK: "a", SK: "1", Amount: largest}); err != nil {
		t.Fatal(err)
	}
	var got thing
	if err := table.Get(ctx, dynamo.Key{PK: "a", SK: "1"}, &got); err != nil || got.Amount.Cmp(largest) != 0 {
		t.Errorf("%s, %v", got.Amount, err)
	}
	if err := table.Get(ctx, dynamo.Key{PK: "a", SK: "2"}, &got); !errors.Is(err, dynamo.ErrMissing) {
		t.Errorf("an absent item: %v", err)
	}
}

func TestConformanceATransactionIsAllOrNothingAndSaysWhy(t *testing.T) {
	table := parts.Table(t)
	if err := table.Create(ctx, thing{PK: "a", SK: "taken", Amount: money.Units(1), Version: 1}); err != nil {
		t.Fatal(err)
	}
	if err := table.Create(ctx, thing{PK: "a", SK: "moved", Version: 2}); err != nil {
		t.Fatal(err)
	}
	one := int64(1)
	err := dynamo.Transact(ctx, table.Client, []dynamo.Write{
		{Table: table, Item: thing{PK: "a", SK: "new", Version: 1}},
		{Table: table, Item: thing{PK: "a", SK: "taken", Version: 1}},
		{Table: table, Item: thing{PK: "a", SK: "moved", Version: 2}, Expected: &one},
	})
	var cancelled *dynamo.Cancelled
	if !errors.As(err, &cancelled) || len(cancelled.Exists) != 1 || len(cancelled.Stale) != 1 || cancelled.Stale[0] != 2 {
		t.Fatalf("%v", err)
	}
	var stored thing
	if err := dynamo.Unmarshal(cancelled.Exists[1], &stored); err != nil || stored.Amount.Cmp(money.Units(1)) != 0 {
		t.Errorf("the stored item came as %+v, %v", stored, err)
	}
	if err := table.Get(ctx, dynamo.Key{PK: "a", SK: "new"}, &stored); !errors.Is(err, dynamo.ErrMissing) {
		t.Errorf("a part of it happened: %v", err)
	}
}

func TestConformanceAListIsPagedInItsOrder(t *testing.T) {
	table := parts.Table(t)
	for i := range 7 {
		if err := table.Create(ctx, thing{PK: "a", SK: fmt.Sprintf("x/%d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.Create(ctx, thing{PK: "b", SK: "x/0"}); err != nil {
		t.Fatal(err)
	}
	var got []string
	cursor := ""
	for {
		page, next, err := dynamo.List[thing](ctx, table, dynamo.Query{PK: "a", Prefix: "x/", Descending: true, Limit: 3, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page {
			got = append(got, item.SK)
		}
		if next == "" {
			break
		}
		cursor = next
		if _, _, err := dynamo.List[thing](ctx, table, dynamo.Query{PK: "b", Cursor: cursor}); !problem.Is(err, problem.Invalid) {
			t.Errorf("a cursor of another partition: %v", err)
		}
	}
	if strings.Join(got, " ") != "x/6 x/5 x/4 x/3 x/2 x/1 x/0" {
		t.Errorf("%v", got)
	}
	long := base64.RawURLEncoding.EncodeToString([]byte(`{"pk":"a","sk":"x/` + strings.Repeat("9", 1024) + `"}`))
	for _, forged := range []string{"!", "e30", "eyJwayI6ImEifQ", long} {
		if _, _, err := dynamo.List[thing](ctx, table, dynamo.Query{PK: "a", Cursor: forged}); !problem.Is(err, problem.Invalid) {
			t.Errorf("cursor %q: %v", forged, err)
		}
	}
}

func TestConformanceASparseIndexHoldsOnlyWhatHasItsKeys(t *testing.T) {
	table := parts.Table(t, parts.Index{Name: "shelf", Partition: "shelf", Sort: "place"})
	for _, item := range []thing{{PK: "a", SK: "1"}, {PK: "a", SK: "2", Shelf: "s", Place: "9"}, {PK: "a", SK: "3", Shelf: "s", Place: "1"}} {
		if err := table.Create(ctx, item); err != nil {
			t.Fatal(err)
		}
	}
	page, _, err := dynamo.List[thing](ctx, table, dynamo.Query{PK: "s", To: "5", Index: "shelf", PartitionAttr: "shelf", SortAttr: "place"})
	if err != nil || len(page) != 1 || page[0].SK != "3" {
		t.Errorf("%+v, %v", page, err)
	}
}
