package watch_test

import (
	"errors"
	"testing"

	"farrier/shared/chain"
	"farrier/shared/watch"
)

func TestWhereTheEndpointsDoNotAgreeNothingBecomesFinalAndWhatIsNewIsSeen(t *testing.T) {
	for _, method := range []string{"Final", "Settled"} {
		t.Run(method, func(t *testing.T) {
			w := newWorld(t, 10)
			x := w.watcher()
			w.pass(x)
			w.chain.mine(pays("a", ours, 5))
			w.pass(x)
			w.chain.unsure(method)
			w.chain.mineEmpty(depth + 1)
			w.chain.mine(pays("b", ours, 5))
			for _, again := range []*watch.Watcher{x, w.watcher()} { // the same process, and a new one
				if p := w.pass(again); !errors.Is(p.Unsure, chain.ErrUnsure) || p.Pending != 2 || p.Behind != 0 {
					t.Errorf("%+v", p)
				}
			}
			w.has("a confirming@10", "b confirming@16")
			w.chain.unsure()
			if p := w.pass(x); p.Unsure != nil {
				t.Errorf("%+v", p)
			}
			w.has("a final@10", "b confirming@16")
			w.settles(x)
			w.has("a final@10", "b final@16")
		})
	}
}

func TestWhatIsNewIsSeenHoweverLongTheEndpointsDoNotAgree(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	w.chain.unsure("Settled")
	for range 3 {
		w.chain.mineEmpty(499)
		for w.pass(x).Behind > 0 {
		}
	}
	w.chain.mine(pays("a", ours, 5))
	w.pass(x)
	w.has("a confirming@1507")
	w.chain.unsure()
	w.settles(x)
	w.has("a final@1507")
}

func TestAWatchBeginsOnlyAtABlockThatTheEndpointsAgreeOn(t *testing.T) {
	for _, method := range []string{"Final", "Sure"} {
		w := newWorld(t, 10)
		w.chain.unsure(method)
		if _, err := w.watcher().Pass(t.Context()); !errors.Is(err, chain.ErrUnsure) {
			t.Errorf("%s: %v", method, err)
		}
		w.chain.unsure()
		w.pass(w.watcher())
	}
}

func TestAFinalDepositIsReversedOnlyWhereTheEndpointsAgree(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	w.chain.mine(pays("a", ours, 5))
	w.settles(x)
	w.has("a final@10")
	gone := w.chain.fork(3 + depth)
	w.chain.mineEmpty(len(gone) + 1)
	w.chain.unsure("Sure")
	for range 2 {
		if _, err := x.Pass(t.Context()); !errors.Is(err, chain.ErrUnsure) {
			t.Errorf("%v", err)
		}
		w.has("a final@10")
	}
	w.chain.unsure()
	w.settles(x)
	w.has("a reversed@10 round 1")
}

func TestALookIsFinalAtOnceOnlyWhereTheEndpointsAgree(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	w.chain.mineEmpty(2000)
	w.chain.mine(pays("a", ours, 5), pays("b", ours, 6))
	w.chain.mineEmpty(depth + 1)
	w.chain.unsure("Settled")
	if unmined, err := x.Look(t.Context(), []string{hash("a")}); err != nil || len(unmined) > 0 {
		t.Fatalf("%v, %v", unmined, err)
	}
	w.has("a confirming@2010")
	w.chain.unsure()
	if unmined, err := x.Look(t.Context(), []string{hash("b")}); err != nil || len(unmined) > 0 {
		t.Fatalf("%v, %v", unmined, err)
	}
	w.has("a confirming@2010", "b final@2010")
	w.settles(x)
	w.has("a final@2010", "b final@2010")
}
