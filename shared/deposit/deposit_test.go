package deposit_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"farrier/shared/chain"
	"farrier/shared/cloud"
	"farrier/shared/deposit"
	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/money"
	"farrier/shared/parts"
	"farrier/shared/wallet"
)

var (
	noon  = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	owner = wallet.Address{Address: "0xa1", Merchant: "mer_1", Payment: "pay_1", Shards: 4}
	dime  = chain.Transfer{
		Chain: "eip155:137", Tx: "0xaa", Index: "log-0", Block: chain.Block{Height: 10, Hash: "0xb10", Time: noon},
		Asset: "eip155:137/erc20:0xc2", Decimals: 6, From: "0xf0", To: "0xa1", Amount: money.Units(10),
	}
	key = deposit.KeyOf("mer_1", "pay_1", "eip155:137", "0xaa", "log-0")
)

func in(block string, t chain.Transfer) chain.Transfer {
	t.Block.Hash = block
	return t
}

type table struct {
	deposit.Store
	t      *testing.T
	alarms *bytes.Buffer
}

func newTable(t *testing.T) table {
	t.Helper()
	alarms := &bytes.Buffer{}
	return table{t: t, alarms: alarms, Store: deposit.Store{
		Table: parts.Table(t), Metrics: cloud.Metrics{Out: alarms, Now: func() time.Time { return noon }},
	}}
}

// sees observes and expects it to be news or not.
func (x table) sees(transfer chain.Transfer, state deposit.State, news bool) {
	x.t.Helper()
	if got, err := x.Observe(x.t.Context(), owner, transfer, state, noon); err != nil || got != news {
		x.t.Errorf("Observe(%s, %s) = %t, %v; want %t", transfer.Block.Hash, state, got, err, news)
	}
}

func (x table) loses(block string, want deposit.State, news bool) {
	x.t.Helper()
	if state, got, err := x.Retract(x.t.Context(), key, block, noon); err != nil || got != news || state != want {
		x.t.Errorf("Retract(%s) = %s, %t, %v; want %s, %t", block, state, got, err, want, news)
	}
}

func (x table) is(state deposit.State, round int, version int64) {
	x.t.Helper()
	if d, err := x.Get(x.t.Context(), key); err != nil || d.State != state || d.Round != round || d.Version != version {
		x.t.Errorf("stored: %s, round %d, version %d, %v; want %s, %d, %d", d.State, d.Round, d.Version, err, state, round, version)
	}
}

func TestADepositIsWrittenOnceForEachStateItReaches(t *testing.T) {
	x := newTable(t)
	x.sees(dime, deposit.Confirming, true)
	x.sees(dime, deposit.Confirming, false)
	x.sees(dime, deposit.Seen, false)
	x.sees(dime, deposit.Final, true)
	x.sees(dime, deposit.Final, false)
	x.sees(dime, deposit.Confirming, false)
	x.is(deposit.Final, 0, 2)
	d, err := x.Get(t.Context(), key)
	if err != nil || d.ID != deposit.IDOf(dime.Chain, dime.Tx, dime.Index) || d.Shard < 0 || d.Shard >= owner.Shards ||
		d.Amount.Cmp(dime.Amount) != 0 || d.Decimals != 6 || !d.BlockTime.Equal(noon) || d.Height != 10 {
		t.Errorf("stored %+v, %v", d, err)
	}
}

func TestADepositIncludedInAnotherBlockSaysWhatThatBlockSays(t *testing.T) {
	x := newTable(t)
	x.sees(dime, deposit.Confirming, true)
	less := in("0xb11", dime)
	less.Amount = money.Units(9)
	x.sees(less, deposit.Confirming, true)
	d, err := x.Get(t.Context(), key)
	if err != nil || d.BlockHash != "0xb11" || d.Amount.Cmp(money.Units(9)) != 0 {
		t.Errorf("stored %+v, %v", d, err)
	}
}

func TestADepositIsDroppedBeforeItIsFinalAndReversedAfter(t *testing.T) {
	x := newTable(t)
	x.sees(dime, deposit.Confirming, true)
	x.loses("0xb10", deposit.Dropped, true)
	x.loses("0xb10", deposit.Dropped, false)
	x.sees(in("0xb11", dime), deposit.Final, true)
	x.loses("0xb11", deposit.Reversed, true)
	x.loses("0xb11", deposit.Reversed, false)
	x.is(deposit.Reversed, 1, 4)
	x.sees(in("0xb12", dime), deposit.Confirming, true)
	x.sees(in("0xb12", dime), deposit.Final, true)
	x.loses("0xb12", deposit.Reversed, true)
	x.is(deposit.Reversed, 2, 7)
	if n := strings.Count(x.alarms.String(), `"DepositReversed":1`); n != 2 {
		t.Errorf("%d alarms", n)
	}
}

func TestADepositIsTakenBackOnlyOutOfTheBlockThatItLiesIn(t *testing.T) {
	x := newTable(t)
	x.sees(dime, deposit.Confirming, true)
	x.sees(in("0xb11", dime), deposit.Final, true)
	x.loses("0xb10", deposit.Final, false)
	x.is(deposit.Final, 0, 2)
}

func TestAFinalDepositToldOfInAnotherBlockIsNotChanged(t *testing.T) {
	x := newTable(t)
	x.sees(dime, deposit.Final, true)
	for _, state := range []deposit.State{deposit.Confirming, deposit.Final} {
		_, err := x.Observe(t.Context(), owner, in("0xb11", dime), state, noon)
		var elsewhere *deposit.ElsewhereError
		if !errors.As(err, &elsewhere) || elsewhere.Stored.BlockHash != "0xb10" {
			t.Errorf("got %v", err)
		}
	}
	x.is(deposit.Final, 0, 1)
}

func TestADifferentTellingOfAFinalDepositIsKeptBesideItAndAlarmed(t *testing.T) {
	x := newTable(t)
	x.sees(dime, deposit.Final, true)
	more := dime
	more.Amount = money.Units(1000)
	x.sees(more, deposit.Final, false)
	x.sees(more, deposit.Confirming, false)
	x.is(deposit.Final, 0, 1)
	page, err := x.Table.Query(t.Context(), dynamo.Query{PK: "mer_1", Prefix: "conflict/"})
	if err != nil || len(page.Items) != 1 {
		t.Errorf("%d kept, %v", len(page.Items), err)
	}
	if !strings.Contains(x.alarms.String(), `"DepositConflict":1`) {
		t.Error("no alarm")
	}
	all, _, err := x.ByMerchant(t.Context(), "mer_1", 10, "")
	if err != nil || len(all) != 1 || all[0].State != deposit.Final {
		t.Errorf("listed %+v, %v", all, err)
	}
}

func TestAHundredTellingsAtOnceMakeOneDeposit(t *testing.T) {
	x := newTable(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	news := 0
	for range 100 {
		wg.Go(func() {
			changed, err := x.Observe(t.Context(), owner, dime, deposit.Confirming, noon)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if changed {
				news++
			}
		})
	}
	wg.Wait()
	x.is(deposit.Confirming, 0, 1)
	if news > 1 {
		t.Errorf("news %d times", news)
	}
}

func TestNobodyObservesThatADepositIsGone(t *testing.T) {
	x := newTable(t)
	for _, state := range []deposit.State{deposit.Dropped, deposit.Reversed, ""} {
		if _, err := x.Observe(t.Context(), owner, dime, state, noon); err == nil {
			t.Errorf("%q was observed", state)
		}
	}
}

func TestDepositsAreListedByPaymentTheNewestFirst(t *testing.T) {
	x := newTable(t)
	for n, payment := range []string{"pay_1", "pay_2", "pay_2", "pay_3", "pay_20"} {
		o, transfer := owner, dime
		o.Payment, transfer.Tx = payment, fmt.Sprintf("0x%02d", n)
		if _, err := x.Observe(t.Context(), o, transfer, deposit.Confirming, noon); err != nil {
			t.Fatal(err)
		}
	}
	var seen []string
	for cursor := ""; ; {
		page, next, err := x.ByMerchant(t.Context(), "mer_1", 2, cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range page {
			seen = append(seen, d.Payment)
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	if got := strings.Join(seen, " "); got != "pay_3 pay_20 pay_2 pay_2 pay_1" {
		t.Errorf("by merchant: %s", got)
	}
	if page, _, err := x.ByPayment(t.Context(), "mer_1", "pay_2", 10, ""); err != nil || len(page) != 2 {
		t.Errorf("by payment: %d, %v", len(page), err)
	}
}

func TestOnlyTheDrawnArrowsAreMoves(t *testing.T) {
	states := []deposit.State{"", deposit.Seen, deposit.Confirming, deposit.Final, deposit.Dropped, deposit.Reversed, deposit.Conflict}
	drawn := " →seen →confirming →final seen→confirming seen→final seen→dropped confirming→confirming confirming→final confirming→dropped" +
		" final→reversed dropped→seen dropped→confirming dropped→final reversed→confirming reversed→final "
	for _, from := range states {
		for _, to := range states {
			arrow := " " + string(from) + "→" + string(to) + " "
			if got, want := deposit.CanMove(from, to), strings.Contains(drawn, arrow) && to != ""; got != want {
				t.Errorf("%s: %t", arrow, got)
			}
		}
	}
}

func TestADepositCarriesTheMarkOfTheEventBeforeItsOwn(t *testing.T) {
	x := newTable(t)
	for i, step := range []struct {
		move  func()
		event string
	}{
		{func() { x.sees(in("", dime), deposit.Seen, true) }, ""},
		{func() { x.sees(in("0xb1", dime), deposit.Confirming, true) }, "deposit.confirming"},
		{func() { x.sees(in("0xb2", dime), deposit.Confirming, true) }, "deposit.confirming"},
		{func() { x.sees(in("0xb2", dime), deposit.Final, true) }, "deposit.final"},
		{func() { x.loses("0xb2", deposit.Reversed, true) }, "deposit.reversed"},
		{func() { x.sees(in("0xb3", dime), deposit.Final, true) }, "deposit.final"},
	} {
		before, err := x.Get(t.Context(), key)
		if i > 0 && err != nil {
			t.Fatal(err)
		}
		step.move()
		d, err := x.Get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(d.Events(), " "); got != step.event {
			t.Errorf("step %d stands for %q, want %q", i, got, step.event)
		}
		if want := event.MarkOf(before.Version, before.UpdatedAt, before.Events(), before.Before); d.Before != want || (i > 1) != (want != "") {
			t.Errorf("step %d comes after %q, want %q", i, d.Before, want)
		}
	}
}

func TestARefundThatNobodyWasToldOfIsNoEvent(t *testing.T) {
	x := newTable(t)
	for _, step := range []struct {
		said, event string
		after       event.Mark
	}{
		{"back 3", "", ""},
		{"paid 10", "deposit.final", ""},
		{"back 4", "deposit.final", event.MarkOf(2, noon, []string{"deposit.final"}, "")},
		{"back", "deposit.reversed", event.MarkOf(3, noon, []string{"deposit.final"}, "")},
	} {
		x.says(step.said)
		d, err := x.Get(t.Context(), heldKey)
		if got := strings.Join(d.Events(), " "); err != nil || got != step.event || d.Before != step.after {
			t.Errorf("%s: %q after %q, want %q after %q: %v", step.said, got, d.Before, step.event, step.after, err)
		}
	}
}
