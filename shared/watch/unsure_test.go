package watch_test

import (
	"errors"
	"fmt"
	"testing"

	"farrier/shared/chain"
	"farrier/shared/deposit"
	"farrier/shared/dynamo"
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
			for range 3 { // fewer settled blocks at once, after the trouble
				if p := w.pass(x); p.Unsure != nil {
					t.Errorf("%+v", p)
				}
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

// Each endpoint answers about three settled blocks at once and not about more: the answer is too large, or takes too long.
func TestARangeOfSettledBlocksThatIsTooMuchIsHalvedUntilItFits(t *testing.T) {
	for name, asUnsure := range map[string]error{"unsure": chain.ErrUnsure, "as itself": nil} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 10)
			x := w.watcher()
			w.pass(x)
			w.chain.mine(pays("a", ours, 5))
			w.pass(x)
			settled := false
			w.chain.before = func(call string) error {
				var from, to uint64
				if n, _ := fmt.Sscanf(call, "Transfers %d-%d", &from, &to); n == 2 && settled && to-from+1 > 3 {
					settled = false
					return errors.Join(errors.New("the answer is larger"), asUnsure)
				}
				settled = call == "Settled"
				return nil
			}
			w.chain.mineEmpty(40)
			for range 12 {
				_, _ = x.Pass(t.Context())
			}
			w.has("a final@10")
			w.chain.mine(pays("b", ours, 5))
			w.chain.mineEmpty(depth + 1)
			for range 80 { // two blocks in two passes: it tries more now and then
				_, _ = x.Pass(t.Context())
			}
			w.has("a final@10", "b final@51")
		})
	}
}

func TestANewProcessDuringDisagreementSeesWhatIsNewAndSkipsNothing(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	w.chain.mine(pays("a", ours, 5))
	w.chain.mineEmpty(depth - 1)
	w.pass(x)
	w.chain.mine(pays("b", ours, 5))
	w.stopsAfterTheEntry(x) // the pass that makes a final has written its entry, and no deposit
	w.has("a confirming@10")
	w.chain.unsure("Settled")
	w.chain.mine(pays("c", ours, 5))
	for range 3 {
		if p := w.pass(w.watcher()); !errors.Is(p.Unsure, chain.ErrUnsure) || p.Height != w.chain.height() {
			t.Errorf("%+v", p)
		}
		w.has("a confirming@10", "b confirming@14", "c confirming@15")
	}
	w.chain.unsure()
	w.settles(w.watcher())
	w.has("a final@10", "b final@14", "c final@15")
}

// stopsAfterTheEntry makes a pass that dies between its entry and its deposits.
func (w *world) stopsAfterTheEntry(x *watch.Watcher) {
	w.t.Helper()
	before, store := len(w.entries()), x.Deposits
	x.Deposits = deposit.Store{Table: dynamo.Table{Client: mortalClient(w.t, &mortal{dead: true}), Name: w.deposits.Name}}
	if _, err := x.Pass(w.t.Context()); err == nil || len(w.entries()) != before+1 {
		w.t.Fatalf("%v, %d entries", err, len(w.entries())-before)
	}
	x.Deposits = store
}

func TestOneEndpointThatLagsChangesNothing(t *testing.T) {
	for name, methods := range map[string][]string{"alone": nil, "beside another": {"Sure"}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 20)
			x := w.watcher()
			if methods != nil {
				x.Agree = 2
			}
			w.pass(x)
			w.chain.mine(pays("a", ours, 5))
			w.pass(x)
			entries := len(w.entries())
			newer := w.chain.fork(3)
			w.chain.unsure(methods...)
			if _, err := x.Pass(t.Context()); !errors.Is(err, watch.ErrBehind) {
				t.Errorf("%v", err)
			}
			w.has("a confirming@20")
			if n := len(w.entries()); n != entries {
				t.Errorf("%d entries were written", n-entries)
			}
			w.chain.unsure()
			w.chain.restore(newer)
			w.settles(x)
			w.has("a final@20")
		})
	}
}

func TestAChainThatTheEndpointsAgreeWasRolledBackIsFollowedAtOnce(t *testing.T) {
	w := newWorld(t, 20)
	x := w.watcher()
	x.Agree = 2
	w.pass(x)
	w.chain.mineEmpty(3)
	w.chain.mine(pays("a", ours, 5))
	w.pass(x)
	w.has("a confirming@23")
	w.chain.fork(2)
	w.chain.mine(pays("b", ours, 5))
	if p := w.pass(x); p.Height != 22 {
		t.Errorf("%+v", p)
	}
	w.has("a confirming@23", "b confirming@22")
	w.chain.mine()
	w.settles(x)
	w.has("a dropped@23", "b final@22")
}

func TestWhatSeveralEndpointsDoNotShowInAFinalBlockIsDroppedThoughOneInsistsOnIt(t *testing.T) {
	w, x := large(t)
	x.Agree = 2
	w.chain.mine(pays("a", ours, 5), pays("b", ours, 1000))
	w.pass(x)
	w.has("a confirming@10", "b confirming@10")
	w.chain.hidden[hash("a")] = true // Transaction shows it still, for which one endpoint is asked
	w.chain.mineEmpty(depth)
	w.pass(x)
	w.has("a dropped@10", "b confirming@10")
	w.chain.hidden[hash("b")] = true // as it settles
	w.settles(x)
	w.has("a dropped@10", "b dropped@10")
}

func TestWhatOneEndpointDoesNotShowNearTheHeadIsDecidedOnceItIsFinal(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	x.Agree = 2
	w.pass(x)
	w.chain.mine(pays("a", ours, 5))
	w.chain.mineEmpty(2)
	w.pass(x)
	w.chain.fork(2)
	w.chain.mine()
	w.chain.hidden[hash("a")] = true
	w.pass(x) // the block is canonical, is looked at again, and does not show it
	w.has("a confirming@10")
	delete(w.chain.hidden, hash("a"))
	w.settles(x)
	w.has("a final@10")
}

func TestAnAnchorThatTheEndpointsDoNotAgreeOnIsNotAnotherChain(t *testing.T) {
	w := newWorld(t, 20)
	x := w.watcher()
	x.Agree = 2
	w.pass(x)
	w.chain.fork(20)
	w.chain.mineEmpty(30)
	for i := range w.chain.blocks {
		w.chain.blocks[i].Hash = "0xff" + w.chain.blocks[i].Hash[4:]
	}
	w.chain.unsure("Sure")
	if _, err := x.Pass(t.Context()); !errors.Is(err, chain.ErrUnsure) || errors.Is(err, watch.ErrNoCommonBlock) {
		t.Errorf("%v", err)
	}
	w.chain.unsure()
	if _, err := x.Pass(t.Context()); !errors.Is(err, watch.ErrNoCommonBlock) {
		t.Errorf("%v", err)
	}
}
