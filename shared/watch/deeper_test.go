package watch_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"farrier/shared/chain"
	"farrier/shared/dynamo"
	"farrier/shared/watch"
)

// waits is the rule that transfers of at least so many units settle so many blocks deeper.
func (w *world) waits(units, blocks int) {
	w.deeper, w.deep = fmt.Sprintf(`{"symbol":"USDT","amount":"0.%06d","blocks":%d}`, units, blocks), blocks
}

// large is a world whose rule lets transfers of 1000 units settle six blocks deeper, with a watcher that has begun.
func large(t *testing.T) (*world, *watch.Watcher) {
	t.Helper()
	w := newWorld(t, 10)
	w.waits(1000, 6)
	x := w.watcher()
	w.pass(x)
	return w, x
}

func TestALargeDepositIsFinalOnlyWhereItIsDeeperThanTheChainAsks(t *testing.T) {
	w, x := large(t)
	w.chain.mine(pays("a", ours, 1000), pays("b", ours, 999))
	for range depth {
		w.pass(x)
		w.has("a confirming@10", "b confirming@10")
		w.chain.mine()
	}
	for range 6 {
		if p := w.pass(x); p.Pending != 1 {
			t.Errorf("%+v", p)
		}
		w.has("a confirming@10", "b final@10")
		w.chain.mine()
	}
	if p := w.pass(x); p.Pending != 0 {
		t.Errorf("%+v", p)
	}
	w.has("a final@10", "b final@10")
	if d := w.all()[0]; d.Version != 2 {
		t.Errorf("version %d", d.Version)
	}
}

func TestALargeDepositsBlockIsLookedAtAgainAsItSettles(t *testing.T) {
	w, x := large(t)
	w.chain.mine(pays("a", ours, 1000))
	w.chain.mineEmpty(depth + 5)
	w.pass(x)
	w.chain.mine()
	looked := false
	w.chain.before = func(call string) error { looked = looked || call == "Transfers 10-10"; return nil }
	w.pass(x)
	w.has("a final@10")
	if !looked {
		t.Error("block 10 was not looked at")
	}
}

func TestALargeDepositThatIsDeepEnoughAlreadyIsWrittenOnceAndAsFinal(t *testing.T) {
	w, x := large(t)
	w.chain.mine(pays("a", ours, 1000))
	w.chain.mineEmpty(50)
	w.pass(x)
	w.has("a final@10")
	if d := w.all()[0]; d.Version != 1 {
		t.Errorf("version %d", d.Version)
	}
}

func TestALargeDepositReorganisedAwayBetweenFinalAndSettledIsDroppedAndNeverReversed(t *testing.T) {
	w, x := large(t)
	w.chain.mine(pays("a", ours, 1000), pays("b", ours, 999))
	w.chain.mineEmpty(depth + 3)
	w.pass(x)
	w.has("a confirming@10", "b final@10")
	w.chain.fork(depth + 4)
	w.chain.mineEmpty(depth + 5)
	w.pass(x)
	w.has("a dropped@10", "b reversed@10 round 1")
	w.settles(x)
	w.has("a dropped@10", "b reversed@10 round 1")
}

func TestALargeDepositIncludedAgainBetweenFinalAndSettledSettlesByItsNewBlock(t *testing.T) {
	w, x := large(t)
	w.chain.mine(pays("a", ours, 1000))
	w.chain.mineEmpty(depth + 3)
	w.pass(x)
	w.chain.fork(depth + 4)
	w.chain.mineEmpty(2)
	w.chain.mine(pays("a", ours, 1000)) // 12
	w.chain.mineEmpty(depth + 5)
	w.pass(x)
	w.has("a confirming@12")
	w.chain.mine()
	w.pass(w.watcher())
	w.has("a final@12")
}

func TestATransferIncludedAgainWithALargeAmountWaits(t *testing.T) {
	w, x := large(t)
	w.chain.mine(pays("a", ours, 5))
	w.pass(x)
	w.chain.fork(1)
	w.chain.mine(pays("a", ours, 1000))
	w.chain.mineEmpty(depth + 5)
	w.pass(x)
	w.has("a confirming@10")
	w.chain.mine()
	w.pass(x)
	w.has("a final@10")
}

func TestALargeDepositThatIsHiddenAsItSettlesStopsThePass(t *testing.T) {
	w, x := large(t)
	w.chain.mine(pays("a", ours, 1000))
	w.chain.mineEmpty(depth + 1)
	w.pass(x)
	w.chain.hidden[hash("a")] = true
	w.chain.mineEmpty(6)
	if _, err := x.Pass(t.Context()); !errors.Is(err, watch.ErrContradiction) {
		t.Fatalf("got %v", err)
	}
	w.has("a confirming@10")
	delete(w.chain.hidden, hash("a"))
	w.pass(x)
	w.has("a final@10")
}

func TestALargeDepositWaitsThoughEveryProcessIsNew(t *testing.T) {
	w, _ := large(t)
	w.chain.mine(pays("a", ours, 1000))
	for n := range depth + 6 {
		w.pass(w.watcher())
		w.has("a confirming@10")
		w.chain.mine(pays(fmt.Sprint("x", n), stranger, 5))
	}
	w.pass(w.watcher())
	w.has("a final@10")
}

func TestALargeDepositThatALookFoundWaitsToo(t *testing.T) {
	w, x := large(t)
	w.chain.hidden[hash("a")] = true
	w.chain.mine(pays("a", ours, 1000))
	w.chain.mineEmpty(depth + 3)
	for range 100 { // until its block has been looked at twice
		w.chain.mine()
		if w.pass(x).Final >= 10 {
			break
		}
	}
	delete(w.chain.hidden, hash("a"))
	w.has()
	w.deeper, w.deep = `{"symbol":"USDT","amount":"0.001","blocks":90}`, 90
	x = w.watcher()
	if _, err := x.Look(t.Context(), []string{hash("a")}); err != nil {
		t.Fatal(err)
	}
	w.has("a confirming@10")
	for w.chain.height() < 10+depth+90-1 {
		w.chain.mine()
	}
	w.pass(x)
	w.has("a confirming@10")
	w.chain.mine()
	w.pass(x)
	w.has("a final@10")
}

func TestARuleThatIsNewAtADeploymentHoldsForWhatIsNotFinal(t *testing.T) {
	for _, c := range []struct{ before, after int }{{6, 12}, {12, 6}, {0, 6}, {6, 0}} {
		w := newWorld(t, 10)
		set := func(blocks int) {
			if w.deeper, w.deep = "", 0; blocks > 0 {
				w.waits(1000, blocks)
			}
		}
		set(c.before)
		w.pass(w.watcher())
		w.chain.mine(pays("a", ours, 1000))
		w.chain.mineEmpty(2)
		w.pass(w.watcher())
		set(c.after)
		settled := uint64(10 + depth + c.after)
		for w.chain.height() < settled-1 {
			w.chain.mine()
			w.pass(w.watcher())
			w.has("a confirming@10")
		}
		w.chain.mineEmpty(12) // as long as the old rule may have it wait
		w.settles(w.watcher())
		w.has("a final@10")
	}
}

func TestAWatchThatForgotItsEntriesComesUponALargeDepositAgain(t *testing.T) {
	w, x := large(t)
	w.chain.mineEmpty(40)
	w.pass(x)
	w.chain.mine(pays("a", ours, 1000))
	w.chain.mineEmpty(depth + 3)
	w.pass(x)
	w.chain.mine()
	w.clock = w.clock.Add(25 * time.Hour) // the anchor moves on
	w.pass(x)
	w.has("a confirming@50")
	w.forgets()
	w.settles(w.watcher())
	w.has("a final@50")
}

// forgets lets time to live take every entry away.
func (w *world) forgets() {
	w.t.Helper()
	var keys []dynamo.Key
	err := w.passes.Each(w.t.Context(), dynamo.Query{PK: string(someChain), Prefix: "pass/"}, func(item dynamo.Item) error {
		var e watch.Entry
		err := dynamo.Unmarshal(item, &e)
		keys = append(keys, dynamo.Key{PK: e.PK, SK: e.SK})
		return err
	})
	for _, k := range keys {
		if err == nil {
			err = w.passes.Delete(w.t.Context(), k)
		}
	}
	if err != nil || len(keys) == 0 {
		w.t.Fatal(len(keys), err)
	}
}

func TestOnARealChainALargeDepositSettlesDeeper(t *testing.T) {
	r := newReal(t)
	set, err := chain.ParseSet(fmt.Sprintf(`[{"id":%q,"native":{"symbol":"ETH","decimals":18},"block_time":"2s","finality":{"depth":%d,"deeper":[
		{"symbol":"USDT","amount":"0.001","blocks":6},{"symbol":"ETH","amount":"0.000000000000001","blocks":3}]},
		"tokens":[{"symbol":"USDT","decimals":6,"address":%q}]}]`, someChain, depth, r.token))
	if err != nil {
		t.Fatal(err)
	}
	config, _ := set.Chain(someChain)
	x := r.watcher(func(c *chain.Config) { *c = config })
	r.pass(x)
	large := r.Pay(r.token, ours, 1000) // 6 blocks deeper, and 3 blocks below the last
	coin := r.PayCoin(alsoOurs, 1000)
	small := r.Pay(r.token, ours, 999)
	gone := r.Pay(r.token, alsoOurs, 2000)
	txs := map[string]string{large: "large", coin: "coin", small: "small", gone: "gone"}
	r.Mine(depth)
	r.pass(x)
	r.is(txs, "large log-0 1000 confirming", "coin native 1000 confirming", "small log-0 999 final", "gone log-0 2000 confirming")
	r.Mine(1)
	r.pass(x)
	r.is(txs, "large log-0 1000 confirming", "coin native 1000 final", "small log-0 999 final", "gone log-0 2000 confirming")
	r.Reorganise(depth + 2) // deeper than the chain's rule
	r.Mine(2)
	r.pass(x)
	r.is(txs, "large log-0 1000 final", "coin native 1000 final", "small log-0 999 final", "gone log-0 2000 dropped")
}
