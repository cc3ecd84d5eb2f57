package watch_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/watch"
)

// expires lets time to live take away the entries whose time has come, and gives how many are left.
func (w *world) expires() (left int) {
	w.t.Helper()
	for _, e := range w.entries() {
		if e.TTL > w.clock.Unix() {
			left++
		} else if err := w.passes.Delete(w.t.Context(), dynamo.Key{PK: e.PK, SK: e.SK}); err != nil {
			w.t.Fatal(err)
		}
	}
	return left
}

func (w *world) entries() (out []watch.Entry) {
	w.t.Helper()
	err := w.passes.Each(w.t.Context(), dynamo.Query{PK: string(someChain), Prefix: "pass/"}, func(item dynamo.Item) error {
		var e watch.Entry
		err := dynamo.Unmarshal(item, &e)
		out = append(out, e)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func TestADepositThatWaitsForLongerThanEntriesLiveIsStillKnown(t *testing.T) {
	for _, anew := range []bool{false, true} { // one process, and one for each pass
		t.Run(fmt.Sprint(anew), func(t *testing.T) {
			w, x := large(t)
			w.chain.mine(pays("a", ours, 1000), pays("gone", ours, 2000))
			w.chain.mineEmpty(depth + 1)
			w.pass(x)
			w.has("a confirming@10", "gone confirming@10")
			w.chain.unsure("Final")
			for day := range 16 {
				w.chain.mine(pays(fmt.Sprint("d", day), alsoOurs, 5))
				w.clock = w.clock.Add(20 * time.Hour)
				w.expires()
				if anew {
					x = w.watcher()
				}
				if p := w.pass(x); p.Forgot != nil || p.Pending != day+3 {
					t.Fatalf("day %d: %+v", day, p)
				}
			}
			for _, e := range w.entries() {
				if e.Number < 5 {
					t.Fatal("no entry has expired")
				}
			}
			w.chain.unsure()
			w.chain.blocks[10].transfers = w.chain.blocks[10].transfers[:1] // the chain never had it
			w.settles(x)
			if err := w.agrees(); err != nil {
				t.Error(err)
			}
			if got := w.stored(); got[0] != "a final@10" || got[len(got)-1] != "gone dropped@10" {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestMoreKeysThanOneEntryHoldsAreNamedAnew(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	const many = 1100
	for n := range many {
		w.chain.mine(pays(fmt.Sprintf("x%04d", n), ours, 5))
	}
	w.chain.unsure("Final")
	for w.pass(x).Behind > 0 {
	}
	w.clock = w.clock.Add(4 * 24 * time.Hour)
	w.chain.mine()
	w.pass(x)
	w.clock = w.clock.Add(4 * 24 * time.Hour)
	w.expires()
	w.chain.unsure()
	w.chain.mine()
	if p := w.pass(w.watcher()); p.Forgot != nil {
		t.Fatalf("%+v", p)
	}
	w.settles(w.watcher())
	if err := w.agrees(); err != nil {
		t.Error(err)
	}
}

func TestAnOpenEntryThatHasExpiredIsToldAndItsDepositsAreFoundAgain(t *testing.T) {
	w, x := large(t)
	w.chain.mine(pays("a", ours, 1000))
	w.chain.mineEmpty(depth + 1)
	w.pass(x)
	w.chain.mine()
	w.clock = w.clock.Add(2 * 24 * time.Hour)
	w.pass(x)
	w.has("a confirming@10")
	w.clock = w.clock.Add(6 * 24 * time.Hour) // the watch stands still
	if left := w.expires(); left != 1 {
		t.Fatal(left)
	}
	w.chain.mineEmpty(200)
	p, err := w.watcher().Pass(t.Context())
	if err != nil || !errors.Is(p.Forgot, watch.ErrForgotten) || p.Gone != 0 {
		t.Fatalf("%+v %v", p, err)
	}
	w.has("a final@10")
	for range 3 { // and it goes on from there
		w.chain.mineEmpty(70)
		if p := w.pass(w.watcher()); p.Forgot != nil || p.Height != w.chain.height() {
			t.Errorf("%+v", p)
		}
	}
}

func TestWhatWasForgottenIsInTheMinutesLineAndCounted(t *testing.T) {
	w, x := large(t)
	w.chain.mine(pays("a", ours, 1000))
	w.chain.mineEmpty(depth + 1)
	w.pass(x)
	w.chain.mine()
	w.pass(x)
	entries := w.entries()
	for _, e := range entries[:len(entries)-1] {
		if err := w.passes.Delete(t.Context(), dynamo.Key{PK: e.PK, SK: e.SK}); err != nil {
			t.Fatal(err)
		}
	}
	f := w.function(w.watcher())
	if sums := f.minute(); len(sums) != 1 || !strings.Contains(sums[0].Forgot, "expired") {
		t.Errorf("%+v", sums)
	}
	if !strings.Contains(f.log.String(), "the journal has forgotten") {
		t.Error("it is not logged")
	}
	if !strings.Contains(f.metrics.String(), `"WatchTrouble":1`) {
		t.Error("it is not counted")
	}
}
