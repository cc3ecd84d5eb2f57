package proof

import (
	"fmt"
	"time"
)

// Plots are moves of several steps, with their own trouble: they lead where chance alone would seldom get.

// elsewhere is trouble in which another process does something just before a call.
func (h *History) elsewhere(at int, writing bool, do func()) {
	h.Expect([]Trouble{{At: at, Writing: writing, Meanwhile: h.meanwhile(do)}})
}

// creditAll has credit see to all that waits for it.
func (h *History) creditAll() {
	for shard := range shards {
		h.Consume(1, shard, 100)
	}
}

// settle: two payers pay at once, and the watch sees that it is final; sometimes the table answers for one of them only.
func settle(h *History, a, b int) {
	if addresses := h.told(); len(addresses) > 0 {
		h.Include(h.Transfer(addresses[a%len(addresses)], units("3.5")), h.Transfer(addresses[b%len(addresses)], units("7")))
	}
	h.mine(4)
	if a%4 == 3 {
		h.Expect([]Trouble{{At: 1, Fault: Partly}})
	}
	_, _ = h.Watch()
	h.Expect(nil)
}

// deadline: a payer pays a new order as its time ends. Sometimes it is booked in the midst of its expiry, sometimes its
// timer could not be set.
func deadline(h *History, a, b int) {
	order := fmt.Sprintf("hurry-%d", len(h.asked)+len(h.unasked))
	if a%3 == 1 {
		h.Expect([]Trouble{{At: 2, Fault: Throttle}})
	}
	if !h.Ask(order, "10.5", 2*time.Minute) {
		return
	}
	p := h.asked[order]
	h.Include(h.Transfer(p.Address, []int64{units("10.5"), units("4")}[b%2]))
	h.mine(4)
	_, _ = h.Watch()
	h.Wait(max(p.ExpiresAt.Sub(h.Now()), 0) + time.Second)
	h.Say("the time of %s is over", order)
	if a%3 > 0 {
		return
	}
	h.elsewhere(1, true, h.creditAll)
	h.World.Work(2, 0, 10, false)
	h.Expect(nil)
}

// regret: a merchant takes a new order back: before its payer pays, so that the money is late; or while it is about to be
// booked, so that the one of the two that comes second has to see the other.
func regret(h *History, a, b int) {
	order := fmt.Sprintf("hurry-%d", len(h.asked)+len(h.unasked))
	if !h.Ask(order, "10.5", time.Hour) {
		return
	}
	to := h.asked[order].Address
	if b%2 == 0 {
		h.Cancel(order)
		h.Wait(time.Minute)
		h.Include(h.Transfer(to, []int64{units("10.5"), units("4")}[a%2]))
		return
	}
	h.Include(h.Transfer(to, []int64{units("10.5"), units("4")}[a%2]))
	h.mine(4)
	_, _ = h.Watch()
	if a/2%2 == 0 {
		h.elsewhere(1, true, h.creditAll)
		h.Cancel(order)
	} else {
		h.elsewhere(1, true, func() { h.Cancel(order) })
		h.creditAll()
	}
	h.Expect(nil)
}

// halves: a payer pays a new order half in one asset and half in another, or a little less.
func halves(h *History, _, b int) {
	order := fmt.Sprintf("hurry-%d", len(h.asked)+len(h.unasked))
	if !h.AskWith(order, "10.5", time.Hour, h.inTwoAssets) {
		return
	}
	first, second := h.Transfer(h.asked[order].Address, units("5.25")), h.Transfer(h.asked[order].Address, []int64{units("10.5"), units("10.499999")}[b%2])
	second.Asset = h.Other
	h.Include(first, second)
	h.mine(4)
	_, _ = h.Watch()
}

// fork: the watch is overtaken by another, or dies, over a new transfer, whose block is then reorganised away.
func fork(h *History, a, b int) {
	addresses := h.told()
	if len(addresses) == 0 {
		return
	}
	t := h.Transfer(addresses[a%len(addresses)], units("2.5"))
	if b%2 == 0 {
		h.Include(t)
		h.Expect([]Trouble{{At: 1 + a%3, Writing: true, Fault: StopAfter}})
	} else {
		h.elsewhere(1, true, func() {
			h.Include(t)
			_, _ = h.Watch()
		})
	}
	_, _ = h.Watch()
	h.Expect(nil)
	h.reorganise(1, b/2)
}

// shift: while the watch looks, final blocks give way to a shorter fork, which holds the same in a block that is not final.
func shift(h *History, a, b int) {
	addresses := h.told()
	if len(addresses) == 0 {
		return
	}
	h.Include(h.Transfer(addresses[a%len(addresses)], units("1.5")))
	h.mine(4)
	h.elsewhere(1+b%16, false, func() {
		gone := h.Chain.Reorganise(5)
		h.Say("chain     reorganised by 5 blocks, which held %d transfers", len(gone))
		h.Include(gone...)
	})
	_, _ = h.Watch()
	h.Expect(nil)
	h.mine(5)
}

// lateNews: final blocks are reorganised away, and while one watch takes back what they held, it comes to be final in
// other blocks, as another watch sees, who goes on alone.
func lateNews(h *History, a, b int) {
	depth := 5 + a%4
	gone := h.Chain.Reorganise(depth)
	h.Say("chain     reorganised by %d blocks, which held %d transfers", depth, len(gone))
	h.mine(depth)
	h.elsewhere(1+b%24, false, func() {
		h.Include(gone...)
		h.mine(4)
		_, _ = h.Watch()
	})
	_, _ = h.Watch()
	h.Expect(nil)
	h.Swap()
}

// undone: while credit is about to book a final transfer, its block is reorganised away, and credit elsewhere hears of that.
func undone(h *History, a, b int) {
	addresses := h.told()
	if len(addresses) == 0 {
		return
	}
	h.Include(h.Transfer(addresses[a%len(addresses)], units("5.5")))
	h.mine(4)
	_, _ = h.Watch()
	for shard := range shards {
		if !h.Waits(1, shard) {
			continue
		}
		h.elsewhere(1+b%2, b%4 < 3, func() {
			h.reorganise(5, b)
			_, _ = h.Watch()
			h.creditAll()
		})
		h.Consume(1, shard, 100)
		h.Expect(nil)
	}
}

// patience: a payer pays much, and the watch sees its block become final and then deep enough. In between the block may be
// reorganised away, or the watch dies.
func patience(h *History, a, b int) {
	addresses := h.told()
	if len(addresses) == 0 {
		return
	}
	h.Include(h.Transfer(addresses[a%len(addresses)], units("20")))
	if a%2 == 0 {
		_, _ = h.Watch()
	}
	h.mine(3)
	_, _ = h.Watch()
	if b%4 == 0 {
		h.reorganise(4, b/4)
		return
	}
	if b%4 == 1 {
		h.Swap()
	}
	h.mine(1)
	_, _ = h.Watch()
	h.mine(1)
	if b%4 == 2 {
		h.Expect([]Trouble{{At: 1 + a%3, Writing: true, Fault: StopAfter}})
	}
	_, _ = h.Watch()
	h.Expect(nil)
}

// hasty: a merchant's request dies as soon as it has written something, is made again, and is paid at once, while the watch
// elsewhere goes on with what it has in memory.
func hasty(h *History, _, _ int) {
	_, _ = h.Watch()
	order := fmt.Sprintf("hasty-%d", len(h.asked)+len(h.unasked))
	h.Elsewhere(func() {
		h.Expect([]Trouble{{At: 1, Writing: true, Fault: StopAfter}})
		h.Ask(order, "10.5", time.Hour)
		h.Expect(nil)
	})
	if !h.Ask(order, "10.5", time.Hour) {
		return
	}
	h.Include(h.Transfer(h.asked[order].Address, units("6.5")))
	h.mine(4)
	_, _ = h.Watch()
}

// hide: the node hides a transfer for as long as it is near the head.
func hide(h *History, a, _ int) {
	addresses := h.told()
	if len(addresses) == 0 {
		return
	}
	h.mine(4)
	_, _ = h.Watch()
	h.Node.Mood = Hides
	h.Say("node      %s", h.Node.Mood)
	h.Include(h.Transfer(addresses[a%len(addresses)], units("0.5")))
	_, _ = h.Watch()
	h.Node.Mood = Well
	h.Say("node      is well again")
}

// tellAll has notify tell of all that it has not told.
func (h *History) tellAll() {
	for shard := range shards {
		h.Consume(2, shard, 100)
	}
}

// echo: a process dies once it has recorded an attempt that failed, before what follows from it. Sometimes the queue brings
// the same delivery to another process meanwhile, whose acknowledgement is for both.
func echo(h *History, a, _ int) {
	h.tellAll()
	dies := []Trouble{{At: 1, Writing: true, Fault: StopAfter}}
	h.Shop.Behave([]Manner{Broken, Redirects}[a/2%2], 2)
	if a%2 == 0 {
		h.Expect(dies)
	} else if h.AWS.Double("deliveries") {
		h.elsewhere(1, true, func() {
			h.Expect(dies)
			h.World.Work(1, 0, 1, false)
		})
	}
	h.World.Work(1, 0, 1, false)
	h.Expect(nil)
}

// overdue: a shop fails for so long that the next try waits in the table, and the sweep dies over it.
func overdue(h *History, a, _ int) {
	h.tellAll()
	if len(h.AWS.Waiting("deliveries")) == 0 {
		return
	}
	h.Shop.Behave(Broken, 4)
	for range 4 {
		h.World.Work(1, 0, 10, false)
		h.Wait(16 * time.Minute)
	}
	h.Wait(time.Hour)
	h.Expect([]Trouble{{At: 1, Writing: true, Fault: []Fault{StopAfter, Lose, StopBefore}[a%3]}})
	h.Sweep()
	h.Expect(nil)
}

// outage: a shop fails until its endpoint rests, its merchant is told, and the sweep tries it; other events wait in its line
// meanwhile. Sometimes a process dies over one of these steps.
func outage(h *History, a, b int) {
	h.tellAll()
	if len(h.AWS.Waiting("deliveries")) == 0 {
		return
	}
	l := h.listener(b)
	l.Behave([]Manner{Broken, Busy, HangsUp}[a%3], 8)
	for i := range 10 {
		if i == a/3%10 {
			h.Expect([]Trouble{{At: 1 + b%2, Writing: true, Fault: []Fault{StopAfter, StopBefore, Refuse, Lose}[b/2%4]}})
		}
		if i%2 == 0 {
			h.World.Work(1, 0, 10, false)
		} else {
			h.Sweep()
		}
		h.Expect(nil)
		h.Wait([]time.Duration{time.Minute, 6 * time.Minute}[b/8%2])
	}
}

// gap: an endpoint is disabled while events come, enabled, and has what it missed sent: at once, or in the midst of more.
func gap(h *History, a, b int) {
	l := h.listener(a)
	h.Switch(l, false)
	settle(h, a, b)
	h.creditAll()
	if b%2 == 0 {
		h.tellAll()
		h.World.Work(1, 0, 10, false)
	}
	h.Wait(time.Second)
	h.Switch(l, true)
	h.Wait(time.Minute)
	if b%4 < 2 {
		h.tellAll()
	}
	_ = h.MakeUp(l, nil)
	if b%3 == 0 {
		h.Expect([]Trouble{{At: 1 + a%3, Writing: true, Fault: []Fault{StopAfter, StopBefore}[a/4%2]}})
	}
	h.World.Work(6, 0, 1, false)
	h.Expect(nil)
	h.World.Work(1, 0, 10, false)
}

// twice: a replay is pressed twice, and the second time in the midst of the first's work, or after it; the process that does it may die once it has
// opened a delivery, so that the task does that step again after the delivery was made.
func twice(h *History, a, b int) {
	h.Wait(time.Minute)
	l, until := h.listener(a), h.Now().Add(-time.Second)
	h.Replay(l, Start.Add(-time.Minute), until, 1)
	h.Expect([]Trouble{{At: 2 + b%2, Writing: true, Fault: []Fault{StopBefore, StopAfter}[b/2%2]}})
	h.World.Work(6, 0, 1, false)
	h.Expect(nil)
	h.World.Work(1, 0, 10, false)
	h.Wait(7 * time.Minute)
	h.Sweep()
	h.World.Work(1, 0, 10, false)
	h.Replay(l, Start.Add(-time.Minute), until, 1)
	h.World.Work(6, 0, 1, false)
	h.World.Work(1, 0, 10, false)
}

// behind: two events about a payment come close together, and the jobs of the second ones are done first; their process may die, or
// the first ones are done in the midst of that.
func behind(h *History, a, b int) {
	order := fmt.Sprintf("hurry-%d", len(h.asked)+len(h.unasked))
	if !h.Ask(order, "10.5", time.Hour) {
		return
	}
	for _, part := range []string{"4", "6.5"} {
		h.Include(h.Transfer(h.asked[order].Address, units(part)))
		h.mine(4)
		_, _ = h.Watch()
		h.creditAll()
	}
	if b%4 == 3 { // the table answers for one of the two only
		h.Expect([]Trouble{{At: 1, Writing: true, Fault: Refuse}})
	}
	h.tellAll()
	h.Expect(nil)
	n := len(h.AWS.Waiting("deliveries"))
	switch {
	case n == 0:
		return
	case b%3 == 0:
		h.Expect([]Trouble{{At: 1 + a%3, Writing: true, Fault: []Fault{StopAfter, StopBefore, Refuse}[a/4%3]}})
	case b%3 == 1:
		h.elsewhere(1+a%2, true, func() { h.World.Work(1, 0, n-1, false) })
	}
	h.World.Work(1, n-1, 1, false)
	h.Expect(nil)
	h.World.Work(1, n-2, 1, false)
}

// event makes one more that endpoints choose, of a payment that is partly paid.
func (h *History) event() bool {
	order := fmt.Sprintf("hurry-%d", len(h.asked)+len(h.unasked))
	if !h.Ask(order, "10.5", time.Hour) {
		return false
	}
	h.Include(h.Transfer(h.asked[order].Address, units("4")))
	h.mine(4)
	_, _ = h.Watch()
	h.creditAll()
	h.tellAll()
	return true
}

// grudge: a shop fails for half an hour and recovers, while the process dies that finds that out; three days later it fails
// once more.
func grudge(h *History, a, _ int) {
	if !h.event() {
		return
	}
	h.Shop.Behave(Broken, 6)
	deliver := func() {
		for range 3 {
			h.World.Work(1, 0, 10, false)
		}
	}
	for range 8 {
		deliver()
		h.Wait(6 * time.Minute)
		h.Sweep()
	}
	h.Shop.Recover()
	h.Wait(6 * time.Minute)
	h.Sweep()
	h.Expect([]Trouble{{At: 1, Writing: true, Fault: []Fault{StopAfter, StopBefore}[a%2]}})
	deliver()
	h.Expect(nil)
	h.Wait(20 * time.Hour)
	h.Sweep()
	deliver()
	h.Wait(53 * time.Hour)
	if h.event() {
		h.Shop.Behave(Broken, 1)
		deliver()
	}
}

// joining: a line is about to be forgotten, as it was empty for a while, just when a delivery joins it.
func joining(h *History, a, b int) {
	l := h.listener(b)
	if !h.event() {
		return
	}
	l.Behave(Busy, 1)
	h.World.Work(1, 0, 10, false)
	h.Wait(3 * time.Minute)
	for range 3 { // it is let go, and the line is found empty
		h.Sweep()
		h.World.Work(1, 0, 10, false)
		h.Wait(time.Minute)
	}
	if !h.event() {
		return
	}
	l.Behave(Busy, 1)
	h.elsewhere(1, true, func() { h.World.Work(1, 0, 10, false) })
	h.Sweep()
	h.Expect(nil)
}
