package watch_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"farrier/shared/deposit"
)

// While the head is reorganised before every pass, a payment that is included again and again, and one that is gone for
// good, are told as what they are; once the chain calms, the watch has what the chain has.
func TestAForkThatNeverEndsMakesNothingFinalAndIsFollowedWhenItDoes(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	w.chain.mine(pays("gone", ours, 7))
	w.chain.mineEmpty(2)
	f := w.function(x)
	gone := uint64(0)
	for i := range 30 {
		gone += f.minute()[0].Gone
		w.clock = w.clock.Add(time.Minute)
		for _, d := range w.all() {
			if d.State == deposit.Final || d.State == deposit.Reversed {
				t.Fatalf("pass %d: %s is %s", i, name(d.Tx), d.State)
			}
		}
		w.chain.fork(3) // and three blocks of another making, with the payment in any of them
		w.chain.mineEmpty(i % 3)
		w.chain.mine(pays("a", ours, 5))
		w.chain.mineEmpty(2 - i%3)
	}
	if gone != 87 || !strings.Contains(f.metrics.String(), `"BlocksReorganised":`) {
		t.Errorf("%d blocks are told to be gone", gone)
	}
	w.settles(x)
	if err := w.agrees(); err != nil {
		t.Error(err)
	}
}

// A chain that is another one each time that it is asked lets no pass end: nothing is stored, and it is told.
func TestAChainThatChangesDuringEveryPassStoresNothingAndIsTold(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	w.chain.mine(pays("a", ours, 5))
	w.chain.fetch = func() {
		w.chain.fork(1)
		w.chain.mine(pays("a", ours, 5))
	}
	f := w.function(x)
	for range 3 {
		if s := f.minute()[0]; s.Trouble == "" || s.Found != 0 {
			t.Errorf("%+v", s)
		}
		w.clock = w.clock.Add(time.Minute)
	}
	w.has()
	if !strings.Contains(f.metrics.String(), `"WatchTrouble":1`) {
		t.Error("it is not told")
	}
	w.chain.fetch = func() {}
	w.settles(x)
	if got := fmt.Sprint(w.stored()); got != "[a final@10]" {
		t.Error(got)
	}
}
