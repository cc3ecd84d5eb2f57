package watch_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"farrier/shared/chain"
	"farrier/shared/watch"
)

// The history of these tests has every kind of step: deposits found, final, gone before and after that.
// A process is killed at its k-th call to the store, before or after the store has heard it, for every k;
// then the chain may change, and a new process goes on.
func TestAWatcherKilledAtAnyCallLeavesNothingWrong(t *testing.T) {
	for _, c := range []struct{ after, forked, deeper bool }{
		{false, false, false}, {false, true, false}, {true, false, false}, {true, true, false}, {false, true, true}, {true, false, true}, {true, true, true},
	} {
		t.Run(fmt.Sprintf("heard %t, then a fork %t, large ones wait %t", c.after, c.forked, c.deeper), func(t *testing.T) {
			t.Parallel() // each waits for the store most of the time
			for k := 1; ; k++ {
				w := newWorld(t, 10)
				if c.deeper {
					w.waits(3, 3)
				}
				w.pass(w.watcher())
				m := &mortal{left: k, after: c.after}
				dying := w.watcherOver(mortalClient(t, m))
				died := w.history(func() error { _, err := dying.Pass(context.Background()); return err })
				if c.forked {
					w.chain.fork(2)
					w.chain.mineEmpty(3)
				}
				w.settles(w.watcher())
				if err := w.agrees(); err != nil {
					t.Fatalf("killed at call %d: %v; stored %q", k, err, w.stored())
				}
				if !died {
					t.Logf("%d calls", k-1)
					return
				}
			}
		})
	}
}

// history lets the chain grow and fork between passes and says whether a pass failed.
func (w *world) history(pass func() error) bool {
	w.chain.mine(pays("before", ours, 1))
	for _, step := range []func(){
		func() {},
		func() {
			w.chain.mine(pays("final", ours, 2))
			w.chain.mine(pays("lost", ours, 3), pays("moved", alsoOurs, 4))
		},
		func() { w.chain.fork(1); w.chain.mine(); w.chain.mine(pays("moved", alsoOurs, 4)) },
		func() { w.chain.mineEmpty(depth) },
		func() { w.chain.mine(pays("late", ours, 5)); w.chain.mineEmpty(depth + 1) },
		func() { // below what was final
			w.chain.fork(11)
			w.chain.mine(pays("moved", alsoOurs, 4))
			w.chain.mineEmpty(11)
		},
		func() { w.chain.mineEmpty(depth); w.chain.mine(pays("last", ours, 6)) },
	} {
		step()
		if pass() != nil {
			return true
		}
	}
	return false
}

// Random histories: a chain that grows, forks, returns to an old fork, takes transactions away and
// includes them again; a node that fails and hides; processes that are killed; looks; two watchers.
// Then all heals, and the deposits must be what the chain holds.
func TestAnyHistoryEndsWithWhatTheChainHolds(t *testing.T) {
	runs, first := number("WATCH_RUNS", 12), number("WATCH_SEED", 1)
	for seed := first; seed < first+runs; seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			h := &randomHistory{world: newWorld(t, begun), r: rand.New(rand.NewPCG(uint64(seed), 7))}
			if seed%2 == 0 {
				h.waits(20, 1+h.r.IntN(6))
			}
			h.watchers = append(h.watchers, h.watcher(), h.watcher())
			h.passes(0)
			for range 60 {
				h.step()
			}
			h.chain.mineEmpty(int(h.highest))
			h.settles(h.watcher())
			if err := h.agrees(); err != nil {
				t.Errorf("%v\n%s", err, h.told)
			}
		})
	}
}

func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// begun is how high the chain is when the watch begins. It never forks below that.
const begun = 10

type randomHistory struct {
	*world
	r        *rand.Rand
	watchers []*watch.Watcher
	mempool  []chain.Transfer
	old      []fakeBlock
	parent   string // of old
	txs      int
	highest  uint64
	told     string
}

func (h *randomHistory) step() {
	h.highest = max(h.highest, h.chain.height())
	switch n := h.r.IntN(20); {
	case n < 5:
		h.pay()
	case n < 7:
		h.say("mine %d", depth)
		h.chain.mineEmpty(h.r.IntN(depth + 2))
	case n < 9:
		h.forks()
	case n < 10 && h.old != nil:
		h.returns()
	case n < 11 && h.txs > 0:
		tx := hash(fmt.Sprintf("%03d", 1+h.r.IntN(h.txs)))
		h.say("look at %s", name(tx))
		_, err := h.watchers[0].Look(context.Background(), []string{tx})
		h.say("… %v", err)
	case n < 12 && h.txs > 0:
		h.hides()
	case n < 13:
		h.fails()
	case n < 15:
		h.dies()
	default:
		h.passes(h.r.IntN(2))
	}
}

func (h *randomHistory) say(format string, args ...any) { h.told += fmt.Sprintf(format+"\n", args...) }

// pay mines a block with a new transfer and, often, those that a fork gave back.
func (h *randomHistory) pay() {
	h.txs++
	to := []string{ours, alsoOurs, stranger}[h.r.IntN(3)]
	block := []chain.Transfer{pays(fmt.Sprintf("%03d", h.txs), to, int64(h.txs))}
	if h.r.IntN(2) == 0 {
		for _, t := range h.mempool {
			if _, _, err := h.chain.Transaction(context.Background(), t.Tx); err != nil {
				block = append(block, t)
			}
		}
		h.mempool = nil
	}
	b := h.chain.mine(block...)
	h.say("block %d with %d transfers, the newest is %03d", b.Height, len(block), h.txs)
}

// forks takes blocks away, sometimes more than are not final; their transfers wait to be included again.
func (h *randomHistory) forks() {
	n := min(1+h.r.IntN(depth+4), int(h.chain.height())-begun)
	if n < 1 {
		return
	}
	h.old = h.chain.fork(n)
	h.parent = h.chain.blocks[h.old[0].Height-1].Hash
	h.say("fork of %d from %d", n, h.old[0].Height)
	for _, b := range h.old {
		for _, t := range b.transfers {
			if h.r.IntN(3) > 0 {
				h.mempool = append(h.mempool, t)
			}
		}
	}
}

// returns makes the blocks that the last fork took away canonical again, where their parent still is.
func (h *randomHistory) returns() {
	at := h.old[0].Height
	if at > h.chain.height()+1 || h.chain.blocks[at-1].Hash != h.parent {
		return
	}
	h.say("return to the old fork from %d", at)
	h.chain.restore(h.old)
	h.old = nil
}

func (h *randomHistory) fails() {
	left := h.r.IntN(6)
	h.say("the node fails after %d calls", left)
	h.chain.before = func(string) error {
		if left--; left < 0 {
			return errors.New("node: 503")
		}
		return nil
	}
	h.passes(0)
	h.chain.before = func(string) error { return nil }
}

// hides lets the node answer without the newest transfer, for one pass and in a block that is not final,
// as a node does that has not caught up yet. What is hidden for ever is not found.
func (h *randomHistory) hides() {
	tx := hash(fmt.Sprintf("%03d", h.txs))
	if b, _, err := h.chain.Transaction(context.Background(), tx); err != nil || b.Height+depth <= h.chain.height() {
		return
	}
	h.say("hide %s", name(tx))
	h.chain.hidden = map[string]bool{tx: true}
	h.passes(1)
	h.chain.hidden = map[string]bool{}
}

func (h *randomHistory) dies() {
	m := &mortal{left: 1 + h.r.IntN(12), after: h.r.IntN(2) == 0}
	h.say("a process dies at call %d, heard %t", m.left, m.after)
	_, err := h.watcherOver(mortalClient(h.t, m)).Pass(context.Background())
	h.say("… %v", err)
	if h.r.IntN(2) == 0 {
		h.watchers[0] = h.watcher() // and so does another
	}
}

func (h *randomHistory) passes(n int) {
	p, err := h.watchers[n].Pass(context.Background())
	h.say("pass of %d: %+v, %v; %q", n, p, err, h.stored())
}
