package node_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"testing"
	"time"

	"farrier/shared/chain"
	"farrier/shared/chain/tron/node"
	"farrier/shared/cloud"
	"farrier/shared/deposit"
	"farrier/shared/dynamo"
	"farrier/shared/parts"
	"farrier/shared/wallet"
	"farrier/shared/watch"
)

// watcher is the real one over real tables.
func watcher(t *testing.T, n *node.Node, c chain.Config) (*watch.Watcher, func() []string) {
	t.Helper()
	addresses, deposits := parts.Table(t), deposit.Store{Table: parts.Table(t), Metrics: cloud.Metrics{Out: io.Discard, Now: time.Now}}
	for _, address := range []string{ours, second} {
		key := wallet.KeyOf("tron", address)
		err := addresses.Create(t.Context(), wallet.Address{PK: key.PK, SK: key.SK, Address: address, Merchant: "mer_1", Payment: "pay_1", Shards: 2})
		if exists := new(*dynamo.ExistsError); err != nil && !errors.As(err, exists) {
			t.Fatal(err)
		}
	}
	stored := func() []string {
		all, _, err := deposits.ByMerchant(context.Background(), "mer_1", 0, "")
		if err != nil {
			t.Fatal(err)
		}
		out := []string{}
		for _, d := range all {
			out = append(out, string(d.State)+" "+d.Tx[:8]+" "+d.Index+" "+d.To+" "+d.Amount.String()+" "+string(d.Asset))
		}
		slices.Sort(out)
		return out
	}
	return &watch.Watcher{
		Config: c, Node: n, Passes: parts.Table(t), Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Owners:   watch.Owners{Table: addresses, Family: "tron", Sleep: cloud.Sleep},
		Deposits: deposits,
	}, stored
}

func TestTheWatchFollowsTransfersToFinal(t *testing.T) {
	w, another := honest(t), honest(t)
	both := func(change func(*world)) { change(w); change(another) }
	both(func(w *world) { w.head, w.solid = first+1, first-18 })
	c := config()
	c.Start = first
	x, stored := watcher(t, at(t, c, w, another), c)
	pass := func() watch.Progress {
		t.Helper()
		p, err := x.Pass(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	is := func(want ...string) {
		t.Helper()
		slices.Sort(want)
		if got := stored(); !slices.Equal(got, want) {
			t.Errorf("stored %q\nwant %q", got, want)
		}
	}
	pass()
	is()

	both(func(w *world) { w.head, w.solid = first+20, first+1 })
	pass()
	money := func(state string) []string {
		name := func(file string, at int) string { return recorded(t, file)[at].tx()[:8] }
		return []string{
			state + " " + name("usdt", 0) + " log-0 " + ours + " 25500000 " + tether,
			state + " " + name("two-in-one", 0) + " log-1 " + ours + " 10000000 " + tether,
			state + " " + name("two-in-one", 0) + " log-2 " + second + " 20000000 " + tether,
			state + " " + name("fake", 1) + " log-1 " + ours + " 5 " + tether,
			state + " " + name("trx", 0) + " native " + ours + " 12500000 " + trx,
		}
	}
	is(money("confirming")...)

	// A look by the hash of a transaction, as a callback asks for, changes nothing.
	if unmined, err := x.Look(t.Context(), []string{recorded(t, "usdt")[0].tx()}); err != nil || len(unmined) != 0 {
		t.Errorf("a look: %v, %v", unmined, err)
	}
	is(money("confirming")...)

	// One of the two lags behind: what is final for one alone is not final.
	w.head, w.solid = first+40, first+21
	another.head, another.solid = first+40, first+9
	pass()
	is(money("confirming")...)

	another.solid = first + 21
	if p := pass(); p.Pending != 0 || p.Final < first+20 {
		t.Errorf("%+v", p)
	}
	is(money("final")...)
}

func TestTheWatchDropsWhatAForkTakesAway(t *testing.T) {
	w := serve(t, "usdt")
	w.head, w.solid = first+1, first-18
	c := config()
	c.Start = first
	x, stored := watcher(t, at(t, c, w), c)
	for _, step := range []func(){
		func() {},
		func() { w.head, w.solid = first+12, first+1 },
		func() { w.head, w.forked, w.held = first+15, first+5, nil },
		func() { w.head, w.solid = first+40, first+21 },
	} {
		step()
		if _, err := x.Pass(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	got := stored()
	if len(got) != 1 || got[0] != "dropped "+recorded(t, "usdt")[0].tx()[:8]+" log-0 "+ours+" 25500000 "+tether {
		t.Errorf("stored %q", got)
	}
}

func TestHowOftenANodeIsAskedForAPass(t *testing.T) {
	w, another := serve(t), serve(t)
	move := func(head uint64) { w.head, w.solid, another.head, another.solid = head, head-18, head, head-18 }
	c := config()
	c.Start = first
	x, _ := watcher(t, at(t, c, w, another), c)
	count := func() [2]int {
		t.Helper()
		w.requests, another.requests = 0, 0
		if _, err := x.Pass(t.Context()); err != nil {
			t.Fatal(err)
		}
		return [2]int{w.requests, another.requests}
	}
	move(first + 1)
	count()
	move(first + 2)
	near := count()
	move(first + 1002)
	far := count()
	t.Logf("a pass over one new block %v, over 500 final ones %v, with %v", near, far, w.asked)
	if near[0] > 15 || far[0] > 150 || w.asked["wallet/getblockbylimitnext"] > 150 {
		t.Error("that is more than a provider's plan was reckoned for")
	}
}

// The month is of 30 days with four passes a minute, as the function watch makes them while no deposit waits, each over
// the five blocks of 15 seconds. The figures stand in docs/chains.md.
func TestHowManyCallsATronMonthTakes(t *testing.T) {
	for _, coin := range []bool{false, true} {
		for _, endpoints := range []int{1, 2} {
			worlds := []*world{serve(t), serve(t)}[:endpoints]
			move := func(head uint64) {
				for _, w := range worlds {
					w.head, w.solid = head, head-18
				}
			}
			c := config()
			c.Start, c.Native.Ignore = first, !coin
			n := at(t, c, worlds...)
			x, _ := watcher(t, n, c)
			pass := func() {
				t.Helper()
				if _, err := x.Pass(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			move(first + 100)
			pass()
			before := n.Counts().Calls
			const passes = 64 // 320 blocks: five looks at blocks that have become final
			for i := range uint64(passes) {
				move(first + 105 + 5*i)
				pass()
			}
			each := float64(n.Counts().Calls-before) / passes
			t.Logf("coin %v, %d endpoints: %.1f calls a pass, %.2f million a month", coin, endpoints, each, each*4*60*24*30/1e6)
			if each < 3 || each > 30 {
				t.Error("that is not what was reckoned for")
			}
		}
	}
}
