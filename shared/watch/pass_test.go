package watch_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"farrier/shared/chain"
	"farrier/shared/dynamo"
	"farrier/shared/money"
	"farrier/shared/watch"
)

func TestADepositIsConfirmingNearTheHeadAndFinalOnceItIsDeepEnough(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	w.chain.mine(pays("a", ours, 5), pays("b", stranger, 5))
	if p := w.pass(x); p.Found != 1 || p.Pending != 1 || p.Height != 10 {
		t.Errorf("%+v", p)
	}
	w.has("a confirming@10")
	w.chain.mineEmpty(depth - 1)
	w.pass(x)
	w.has("a confirming@10")
	w.chain.mine()
	w.pass(x)
	w.has("a final@10")
	if d := w.all()[0]; d.Version != 2 || d.Merchant != "mer_1" || d.Payment != "pay_1" {
		t.Errorf("%+v", d)
	}
	if p := w.pass(x); p.Pending != 0 || p.Behind != 0 {
		t.Errorf("%+v", p)
	}
}

func TestWhatIsFinalAlreadyIsWrittenOnceAndAsFinal(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	w.chain.mine(pays("a", ours, 5))
	w.chain.mineEmpty(50)
	w.pass(x)
	w.has("a final@10")
	if d := w.all()[0]; d.Version != 1 {
		t.Errorf("version %d", d.Version)
	}
}

func TestADepositMadeBeforeTheFirstPassIsFound(t *testing.T) {
	w := newWorld(t, 10)
	w.chain.mine(pays("a", ours, 5))
	w.pass(w.watcher())
	w.has("a confirming@10")
}

func TestTheWatchBeginsAtTheConfiguredHeight(t *testing.T) {
	w := newWorld(t, 3)
	w.chain.mine(pays("a", ours, 5))
	w.chain.mine(pays("b", ours, 5))
	w.chain.mineEmpty(30)
	x := w.watcher()
	x.Config.Start = 4
	w.pass(x)
	w.has("b final@4")
}

func TestAWatcherStoppedFor5000BlocksMissesNothing(t *testing.T) {
	w := newWorld(t, 10)
	w.pass(w.watcher())
	for n := range 5000 {
		if n%499 == 0 {
			w.chain.mine(pays(fmt.Sprintf("%04d", n), ours, 5))
		} else {
			w.chain.mine()
		}
	}
	seen := map[uint64]bool{}
	w.chain.before = func(call string) error {
		var from, to uint64
		if _, err := fmt.Sscanf(call, "Transfers %d-%d", &from, &to); err == nil {
			if to-from >= 600 {
				t.Errorf("%d blocks at once", to-from+1)
			}
			for h := from; h <= to; h++ {
				seen[h] = true
			}
		}
		return nil
	}
	w.settles(w.watcher())
	if len(w.all()) != 11 {
		t.Errorf("found %q", w.stored())
	}
	if err := w.agrees(); err != nil {
		t.Error(err)
	}
	for h := uint64(10); h <= w.chain.height(); h++ {
		if !seen[h] {
			t.Fatalf("block %d was never looked at", h)
		}
	}
}

func TestATransferReorganisedAwayBeforeItIsFinalIsDropped(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	w.chain.mine(pays("a", ours, 5))
	w.pass(x)
	w.chain.fork(1)
	w.chain.mineEmpty(2)
	w.pass(x)
	w.has("a confirming@10") // it may come back
	w.settles(x)
	w.has("a dropped@10")
}

func TestATransferIncludedAgainIsFollowedToItsNewBlock(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	w.chain.mine(pays("a", ours, 5))
	w.pass(x)
	w.chain.fork(1)
	w.chain.mine()
	w.chain.mine(pays("a", ours, 4)) // moves less this time
	w.pass(x)
	w.has("a confirming@11")
	w.settles(x)
	w.has("a final@11")
	if d := w.all()[0]; d.Version != 3 || d.Amount.Cmp(money.Units(4)) != 0 {
		t.Errorf("%+v", d)
	}
}

func TestADroppedTransferThatComesBackLaterIsFound(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	w.chain.mine(pays("a", ours, 5))
	w.pass(x)
	w.chain.fork(1)
	w.settles(x)
	w.has("a dropped@10")
	w.chain.mine(pays("a", ours, 5))
	w.settles(x)
	if err := w.agrees(); err != nil {
		t.Error(err)
	}
}

func TestATransferReorganisedAwayAfterItWasFinalIsReversed(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	w.chain.mine(pays("a", ours, 5), pays("b", ours, 6), pays("c", ours, 7))
	w.settles(x)
	w.has("a final@10", "b final@10", "c final@10")
	w.chain.fork(8 - 2)
	w.chain.mine(pays("b", ours, 6))
	w.chain.mineEmpty(depth)
	w.chain.mine(pays("c", ours, 7))
	w.pass(x)
	w.has("a reversed@10 round 1", "b final@10 round 1", "c confirming@15 round 1")
	w.settles(x)
	w.has("a reversed@10 round 1", "b final@10 round 1", "c final@15 round 1")
}

func TestAFinalTransferIsReversedAtOnceEvenWhereFinalityFallsBackWithTheFork(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	w.chain.mine(pays("a", ours, 5))
	w.settles(x)
	w.chain.fork(6)
	w.chain.mineEmpty(7)
	w.chain.final = func(uint64) uint64 { return 6 }
	w.pass(x)
	w.has("a reversed@10 round 1")
}

func TestAChainThatReturnsToItsFirstForkIsFollowedBack(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	w.chain.mine(pays("a", ours, 5))
	w.settles(x)
	first := w.chain.fork(6)
	w.chain.mineEmpty(7)
	w.pass(x)
	w.has("a reversed@10 round 1")
	w.chain.restore(first)
	w.chain.mineEmpty(2)
	w.pass(x)
	w.has("a final@10 round 1")
}

func TestAReorganisationOf150BlocksIsFollowed(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	w.chain.final = func(head uint64) uint64 { return head - min(head, 256) }
	for n := range 300 {
		w.chain.mine(pays(fmt.Sprintf("%03d", n), ours, 5))
		if n%10 == 0 {
			w.pass(x)
		}
	}
	w.pass(x)
	for n, b := range w.chain.fork(150) {
		if n%2 == 0 {
			w.chain.mine(b.transfers...)
		} else {
			w.chain.mine()
		}
	}
	w.chain.mine()
	w.pass(x)
	w.chain.mineEmpty(256)
	w.settles(x)
	if err := w.agrees(); err != nil {
		t.Error(err)
	}
	if n := len(w.all()); n != 300 {
		t.Errorf("%d deposits", n)
	}
}

func TestATransferThatTheNodeHidAtFirstIsFoundWhenItIsFinal(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	w.chain.hidden[hash("a")] = true
	w.chain.mine(pays("a", ours, 5))
	w.chain.mine(pays("b", ours, 5))
	w.pass(x)
	w.has("b confirming@11")
	delete(w.chain.hidden, hash("a"))
	w.settles(x)
	w.has("a final@10", "b final@11")
}

func TestWhatNoEntryNamesIsNotStored(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	w.chain.hidden[hash("a")] = true
	w.chain.mine(pays("a", ours, 5), pays("b", ours, 5))
	w.pass(x)
	delete(w.chain.hidden, hash("a"))
	w.pass(w.watcher()) // makes up for x, and is shown more than x was
	w.has("b confirming@10")
	w.settles(w.watcher())
	w.has("a final@10", "b final@10")
}

func TestATransferThatTheNodeHidInAQuietTimeIsFoundWithinADozenPasses(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	w.chain.hidden[hash("a")] = true
	w.chain.mine(pays("a", ours, 5))
	w.pass(x)
	delete(w.chain.hidden, hash("a"))
	for range 100 {
		w.chain.mine()
		w.pass(x)
	}
	w.has("a final@10")
}

func TestAFinalBlockWhoseTransferIsHiddenStopsThePassAndDropsNothing(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	w.chain.mine(pays("a", ours, 5))
	w.pass(x)
	w.chain.hidden[hash("a")] = true
	w.chain.mineEmpty(depth + 1)
	for range 3 {
		if _, err := x.Pass(t.Context()); !errors.Is(err, watch.ErrContradiction) {
			t.Fatalf("got %v", err)
		}
	}
	w.has("a confirming@10")
	delete(w.chain.hidden, hash("a"))
	w.settles(x)
	w.has("a final@10")
}

func TestATransferThatTheNodeMadeUpIsDropped(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	w.chain.mine(pays("a", ours, 5), pays("b", ours, 5))
	w.pass(x)
	w.chain.blocks[10].transfers[0].To = stranger // the truth
	w.settles(x)
	w.has("a dropped@10", "b final@10")
}

func TestATransactionThatTheNodeMadeUpIsDropped(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	w.chain.mine(pays("a", ours, 5), pays("b", ours, 5))
	w.pass(x)
	w.chain.blocks[10].transfers = w.chain.blocks[10].transfers[1:] // the truth
	w.settles(x)
	w.has("a dropped@10", "b final@10")
}

func TestAnAddressMadeWhileABlockIsBeingScannedIsFound(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	const fresh = "0x00000000000000000000000000000000000000a3"
	w.chain.mine(pays("a", fresh, 5))
	var once sync.Once
	w.chain.fetch = func() { once.Do(func() { w.owns(fresh, "pay_3") }) }
	w.pass(x)
	w.has("a confirming@10")
}

func TestAFinalityRuleThatMovesWithoutANewBlockIsFollowed(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	final := uint64(5)
	w.chain.final = func(uint64) uint64 { return final }
	w.chain.mine(pays("a", ours, 5))
	w.pass(x)
	w.has("a confirming@10")
	final = 10
	w.pass(x)
	w.has("a final@10")
}

func TestAFinalHeightThatFallsBackTakesNothingBack(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	w.chain.mine(pays("a", ours, 5))
	w.settles(x)
	w.chain.final = func(uint64) uint64 { return 2 }
	w.chain.mine()
	w.pass(x)
	w.has("a final@10")
}

func TestANodeWhoseHeadIsOlderThanBeforeIsNotBelieved(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	w.chain.mine(pays("a", ours, 5))
	w.pass(x)
	newer := w.chain.fork(3)
	if _, err := x.Pass(t.Context()); !errors.Is(err, watch.ErrBehind) {
		t.Fatalf("got %v", err)
	}
	w.has("a confirming@10")
	w.chain.restore(newer)
	w.settles(x)
	w.has("a final@10")
}

func TestATroubledNodeDelaysAndLosesNothing(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	w.chain.mine(pays("a", ours, 5))
	failures := 0
	for _, method := range []string{"Head", "Final", "BlockAt", "Transfers"} {
		w.chain.before = func(asked string) error {
			if strings.HasPrefix(asked, method) {
				return errors.New("node: 503")
			}
			return nil
		}
		if _, err := x.Pass(t.Context()); err != nil {
			failures++
		}
	}
	w.chain.before = func(string) error { return nil }
	w.has()
	if failures != 4 {
		t.Errorf("%d failures", failures)
	}
	w.settles(x)
	w.has("a final@10")
}

func TestAChainReorganisedDuringAPassIsLookedAtAgain(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	w.chain.mine(pays("a", ours, 5))
	var once sync.Once
	w.chain.fetch = func() { once.Do(func() { w.chain.fork(1); w.chain.mine() }) }
	if _, err := x.Pass(t.Context()); !errors.Is(err, watch.ErrReorganised) {
		t.Errorf("got %v", err)
	}
	w.has()
}

func TestAnotherChainUnderTheSameNameStopsTheWatch(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	w.chain.mine(pays("a", ours, 5))
	w.settles(x)
	w.chain.fork(len(w.chain.blocks))
	w.chain.mineEmpty(40)
	for _, x := range []*watch.Watcher{x, w.watcher()} {
		if _, err := x.Pass(t.Context()); !errors.Is(err, watch.ErrNoCommonBlock) {
			t.Errorf("got %v", err)
		}
	}
	w.has("a final@10")
}

func TestAWatchStoppedForLongerThanEntriesLiveGoesOnFromItsAnchor(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	for range 3 { // the anchor moves on once a day
		w.clock = w.clock.Add(25 * time.Hour)
		w.chain.mineEmpty(100)
		w.pass(x)
		w.pass(x)
	}
	w.chain.mine(pays("a", ours, 5))
	w.chain.mineEmpty(50)
	forgotten := 0
	err := w.passes.Each(t.Context(), dynamo.Query{PK: string(someChain), Prefix: "pass/"}, func(item dynamo.Item) error {
		var e watch.Entry
		if err := dynamo.Unmarshal(item, &e); err != nil {
			return err
		}
		if e.TTL <= e.At.Unix() {
			t.Errorf("entry %d is never forgotten", e.Number)
		}
		forgotten++
		return w.passes.Delete(t.Context(), dynamo.Key{PK: e.PK, SK: e.SK})
	})
	if err != nil || forgotten == 0 {
		t.Fatal(forgotten, err)
	}
	lowest := w.chain.height()
	w.chain.before = func(call string) error {
		var from, to uint64
		if _, err := fmt.Sscanf(call, "Transfers %d-%d", &from, &to); err == nil {
			lowest = min(lowest, from)
		}
		return nil
	}
	w.settles(w.watcher())
	w.has("a final@310")
	if lowest < 100 {
		t.Errorf("it began anew at %d", lowest)
	}
}

func TestMoreDepositsThanOneEntryHoldsAreAllFollowed(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	crowd := func(from, to int) []chain.Transfer {
		var out []chain.Transfer
		for n := from; n < to; n++ {
			p := pays("crowd", ours, 1)
			p.Index = fmt.Sprintf("log-%d", n)
			out = append(out, p)
		}
		return out
	}
	w.chain.mine(crowd(0, 1100)...)
	w.pass(x)
	w.chain.fork(1)
	w.chain.mine(crowd(0, 3)...)
	y := w.watcher()
	w.settles(y)
	if err := w.agrees(); err != nil {
		t.Error(err)
	}
	if n := len(w.all()); n != 1100 {
		t.Errorf("%d deposits", n)
	}
}

func TestAnEntryIsNeverWrittenOverAnother(t *testing.T) {
	w := newWorld(t, 10)
	slow, fast := w.watcher(), w.watcher()
	w.pass(slow)
	w.chain.mine(pays("a", ours, 5))
	overtaken := false
	w.chain.fetch = func() { // the slow one has read block 10 and not yet written
		if !overtaken {
			overtaken = true
			w.chain.mine(pays("b", ours, 5))
			w.pass(fast)
		}
	}
	if p := w.pass(slow); p.Height != 11 {
		t.Errorf("%+v", p)
	}
	last, _, err := dynamo.List[watch.Entry](t.Context(), w.passes, dynamo.Query{PK: string(someChain), Prefix: "pass/", Descending: true, Limit: 1})
	if err != nil || len(last) != 1 || last[0].To != 11 || len(last[0].Keys) != 2 {
		t.Errorf("%+v, %v", last, err)
	}
}

func TestATransactionInTwoCanonicalBlocksIsAContradictionAndTakesNothingBack(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	w.chain.mine(pays("a", ours, 5))
	w.settles(x)
	w.chain.mine(pays("a", ours, 5))
	if _, err := x.Pass(t.Context()); !errors.Is(err, watch.ErrContradiction) {
		t.Errorf("got %v", err)
	}
	w.has("a final@10")
}

func TestTwoWatchersAtOnceWriteOneHistory(t *testing.T) {
	w := newWorld(t, 10)
	w.pass(w.watcher())
	stop := make(chan struct{})
	var running sync.WaitGroup
	for range 3 {
		x := w.watcher()
		running.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_, _ = x.Pass(context.Background())
				}
			}
		})
	}
	for n := range 60 {
		tx := fmt.Sprintf("%03d", n)
		w.chain.mine(pays(tx, ours, int64(n+1)))
		time.Sleep(30 * time.Millisecond)
		if n%7 == 6 {
			gone := w.chain.fork(2)
			for _, b := range gone {
				w.chain.mine(b.transfers...)
			}
			w.chain.mine()
		}
	}
	close(stop)
	running.Wait()
	w.settles(w.watcher())
	if err := w.agrees(); err != nil {
		t.Error(err)
	}
	next := int64(1)
	err := w.passes.Each(t.Context(), dynamo.Query{PK: string(someChain), Prefix: "pass/"}, func(item dynamo.Item) error {
		var e watch.Entry
		err := dynamo.Unmarshal(item, &e)
		if e.Number != next {
			t.Errorf("entry %d after %d", e.Number, next-1)
		}
		next++
		return err
	})
	if err != nil || next < 6 {
		t.Errorf("%d entries, %v", next-1, err)
	}
	for _, d := range w.all() {
		if d.Round > 0 {
			t.Errorf("%s was reversed", name(d.Tx))
		}
	}
}

// However long a watch was stopped, it catches up in chunks, says how far it is after each, and misses nothing.
func TestAWatchDownFor100000BlocksTellsHowFarItIs(t *testing.T) {
	w := newWorld(t, 10)
	w.pass(w.watcher())
	const gap = 100_000
	for n := range gap {
		if n%9973 == 0 {
			w.chain.mine(pays(fmt.Sprintf("%06d", n), ours, 5))
		} else {
			w.chain.mine()
		}
	}
	var next uint64 = 10
	f := w.function(w.watcher())
	w.chain.before = func(call string) error {
		var from, to uint64
		if _, err := fmt.Sscanf(call, "Transfers %d-%d", &from, &to); err == nil {
			if from > next || to-from >= 600 {
				t.Errorf("%d to %d after %d", from, to, next)
			}
			next = max(next, to+1)
			f.mu.Lock()
			w.clock = w.clock.Add(time.Second)
			f.mu.Unlock()
		}
		return nil
	}
	height, minutes := uint64(9), 0
	for behind := uint64(gap); behind > 0; minutes++ {
		sum := f.minute()[0]
		if sum.Trouble != "" || sum.Height <= height || sum.Behind != w.chain.height()-sum.Height {
			t.Fatalf("%+v", sum)
		}
		height, behind = sum.Height, sum.Behind
		t.Logf("after %d minutes at %d, %d behind", minutes+1, height, behind)
	}
	if minutes < 2 {
		t.Errorf("it took %d minutes", minutes)
	}
	w.chain.before = func(string) error { return nil }
	w.settles(w.watcher())
	if err := w.agrees(); err != nil || len(w.all()) != 11 {
		t.Error(len(w.all()), err)
	}
}
