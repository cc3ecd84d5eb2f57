package proof

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"farrier/shared/chain"
	"farrier/shared/payment"
)

// Step is one thing that happens in a history.
type Step struct {
	Move string // its name in Moves
	A, B int    // which, how many: what they mean is the move's
	Plan []Planned
}

// Planned is trouble at one call of the step's invocation, as Trouble says.
type Planned struct {
	At        int
	Fault     Fault
	Writing   bool
	Meanwhile *Step // in another process, just before the call; it has no plan of its own
}

func (s Step) String() string {
	text := fmt.Sprintf("%s(%d, %d)", s.Move, s.A, s.B)
	for _, p := range s.Plan {
		if p.Fault != Sound {
			text += fmt.Sprintf(" [from call %d on, %s]", p.At, p.Fault)
		}
		if p.Meanwhile != nil {
			text += fmt.Sprintf(" [before %s from %d on: %s]", what(p.Writing), p.At, p.Meanwhile)
		}
	}
	return text
}

func what(writing bool) string {
	if writing {
		return "the first write"
	}
	return "the first call"
}

// Do lets a step happen.
func (h *History) Do(s Step) {
	var troubles []Trouble
	for _, p := range s.Plan {
		t := Trouble{At: p.At, Fault: p.Fault, Writing: p.Writing}
		if p.Meanwhile != nil {
			t.Meanwhile = h.meanwhile(func() { h.Do(*p.Meanwhile) })
		}
		troubles = append(troubles, t)
	}
	h.Expect(troubles)
	Moves[s.Move].Do(h, s.A, s.B)
	h.Expect(nil)
}

// meanwhile is what another process does, told in the timeline.
func (h *History) meanwhile(do func()) func() {
	return func() {
		h.Say("          meanwhile:")
		h.Elsewhere(do)
	}
}

// Move is a kind of step.
type Move struct {
	Often  int      // how often it is chosen, beside the others
	Calls  int      // about how many calls its invocation makes; 0 where it is none, and meets no trouble
	Rivals []string // what gets in its way most, when it happens in the middle of it
	Do     func(h *History, a, b int)
}

// Moves are all that can happen, by name.
var Moves = map[string]Move{
	"ask":       {4, 3, []string{"ask"}, ask},
	"pay":       {6, 0, nil, pay},
	"mine":      {5, 0, nil, func(h *History, a, _ int) { h.mine(1 + a%5) }},
	"settle":    {5, 0, nil, settle},
	"deadline":  {3, 0, nil, deadline},
	"regret":    {2, 0, nil, regret},
	"halves":    {2, 0, nil, halves},
	"cancel":    {2, 2, []string{"credit", "expire", "cancel"}, cancel},
	"decide":    {3, 2, []string{"credit", "decide"}, decide},
	"fork":      {2, 0, nil, fork},
	"shift":     {2, 0, nil, shift},
	"late news": {2, 0, nil, lateNews},
	"undone":    {2, 0, nil, undone},
	"patience":  {3, 0, nil, patience},
	"hasty":     {2, 0, nil, hasty},
	"hide":      {2, 0, nil, hide},
	"echo":      {2, 0, nil, echo},
	"overdue":   {2, 0, nil, overdue},
	"reorg":     {3, 0, nil, func(h *History, a, b int) { h.reorganise(1+a%3, b) }},
	"deep":      {2, 0, nil, func(h *History, a, b int) { h.reorganise(4+a%5, b) }},
	"hold":      {1, 0, nil, hold},
	"node":      {2, 0, nil, node},
	"call back": {3, 3, []string{"call back"}, callBack},
	"speak":     {4, 3, []string{"speak"}, speak},
	"wait":      {4, 0, nil, wait},
	"watch":     {8, 16, []string{"watch", "reorg", "deep", "look"}, func(h *History, _, _ int) { _, _ = h.Watch() }},
	"interpret": {3, 8, []string{"interpret"}, consume(0)},
	"credit":    {8, 5, []string{"credit", "credit", "credit", "expire", "watch"}, consume(1)},
	"tell":      {8, 4, []string{"tell"}, consume(2)},
	"tell more": {1, 4, nil, consume(3)},
	"look":      {2, 12, []string{"watch", "reorg"}, work(0)},
	"deliver":   {5, 5, []string{"deliver", "sweep"}, work(1)},
	"expire":    {4, 2, []string{"credit"}, work(2)},
	"sweep":     {2, 10, []string{"sweep", "deliver"}, func(h *History, _, _ int) { h.Sweep() }},
	"rewind":    {2, 0, nil, rewind},
	"shop":      {3, 0, nil, shop},

	"rotate":       {2, 6, []string{"deliver", "rotate"}, rotate},
	"switch":       {2, 3, []string{"deliver", "tell", "switch"}, onOff},
	"choose":       {1, 3, []string{"deliver", "tell"}, choose},
	"resend":       {2, 4, []string{"deliver", "sweep", "resend"}, resend},
	"make up":      {2, 5, []string{"make up", "go on"}, makeUp},
	"replay":       {2, 5, []string{"replay", "go on"}, replay},
	"go on":        {3, 10, []string{"go on", "deliver", "resend"}, work(6)},
	"tell trouble": {1, 4, []string{"tell trouble"}, func(h *History, a, b int) { consume(4+a%2)(h, a/2, b) }},
	"poll":         {3, 3, []string{"tell", "poll"}, func(h *History, a, _ int) { h.poll(1 + a%5) }},
	"grudge":       {1, 0, nil, grudge},
	"joining":      {2, 0, nil, joining},
	"outage":       {2, 0, nil, outage},
	"gap":          {2, 0, nil, gap},
	"twice":        {2, 0, nil, twice},
	"change word":  {2, 0, nil, changeWord},
	"behind":       {2, 0, nil, behind},
}

// ask: of three orders, the amount always 10.50; in one asset or in two, with terms of its own or without, with a key or
// without; and sometimes an order that is known is asked for otherwise.
func ask(h *History, a, b int) {
	order := fmt.Sprintf("order-%d", a%3)
	if b%16 == 15 {
		h.AskWrongly(order, wrongly[a/3%len(wrongly)])
		return
	}
	expires := []time.Duration{time.Hour, 2 * time.Minute, 3 * time.Hour}[b%3]
	h.AskWith(order, "10.5", expires, func(r *payment.Request) {
		if a/3%2 == 1 {
			h.inTwoAssets(r)
		}
		if a/6%3 == 1 {
			r.Terms = payment.TermsAsked{Under: points(500), Over: points(1000), Policy: payment.Policy{Over: payment.Hold, Late: payment.Hold}}
		}
		if a/18%2 == 1 {
			r.IdempotencyKey = ""
		}
	})
}

// inTwoAssets offers two in place of one.
func (h *History) inTwoAssets(r *payment.Request) {
	r.Asset, r.Amount = "", ""
	r.Options = []payment.OptionAsked{{Asset: string(h.Asset), Amount: "10.5"}, {Asset: string(h.Other), Amount: "21"}}
}

func points(n int64) *int64 { return &n }

// wrongly are the ways in which a request for an order that is known is another one.
var wrongly = []func(*payment.Request){
	func(r *payment.Request) { r.ExpiresIn += 60 },
	func(r *payment.Request) { r.ExpiresIn, r.IdempotencyKey = r.ExpiresIn+60, "" },
	func(r *payment.Request) { r.IdempotencyKey = "another key" },
	func(r *payment.Request) { // the key of an order stands for it alone
		if r.IdempotencyKey == "" {
			r.IdempotencyKey = "another key"
			return
		}
		r.Reference += " once more"
	},
}

// cancel: the merchant takes one of its orders back.
func cancel(h *History, a, _ int) {
	if order := h.anOrder(a); order != "" {
		h.Cancel(order)
	}
}

// decide: the merchant decides about money that is not as it was asked for.
func decide(h *History, a, b int) {
	if order := h.anOrder(a); order != "" {
		h.Decide(order, []payment.About{payment.AboutPartial, payment.AboutOver, payment.AboutLate}[b%3], []payment.Action{payment.Accept, payment.Refund}[b/3%2])
	}
}

// anOrder is one of those that were answered; "" where there is none.
func (h *History) anOrder(a int) string {
	orders := slices.Sorted(maps.Keys(h.asked))
	if len(orders) == 0 {
		return ""
	}
	return orders[a%len(orders)]
}

// pay: to an address that the merchant was told, in one of the ways that payers find.
func pay(h *History, a, b int) {
	addresses := h.told()
	if len(addresses) == 0 {
		return
	}
	t := h.Transfer(addresses[a%len(addresses)], units("10.5"))
	if a/8%3 == 0 {
		t.Asset = h.Other
	}
	other := t
	switch b % 8 {
	case 1:
		t = h.Transfer(t.To, units("4"))
	case 2:
		t = h.Transfer(t.To, units("12"))
	case 3: // two transfers in one transaction
		other.Index, other.Amount = "log-1", h.Transfer(t.To, 1).Amount
		h.Include(t, other)
		return
	case 4: // a token of the same symbol that nobody configured
		t.Asset = "eip155:1000/erc20:0x000000000000000000000000000000000000fa4e"
	case 5: // somebody else's address
		t.To = "0x0000000000000000000000000000000000000001"
	case 6: // known to the network, in no block yet
		h.sent = append(h.sent, t.Tx)
		h.Memory.Submit(t)
		h.Say("chain     %s waits", t.Tx[60:])
		return
	case 7: // two payers in one transaction
		other.Index, other.To = "log-1", addresses[(a+1)%len(addresses)]
		h.Include(t, other)
		return
	}
	h.Include(t)
}

func (h *History) mine(n int) {
	for range n {
		h.Chain.Mine(h.Now())
	}
	h.Say("chain     %d blocks", n)
}

// reorganise replaces the newest blocks. What they held comes again in the same block of the new fork, later, or never.
func (h *History) reorganise(depth, how int) {
	gone := h.Chain.Reorganise(depth)
	h.Say("chain     reorganised by %d blocks, which held %d transfers", depth, len(gone))
	var again, later []chain.Transfer
	for i, t := range gone {
		switch (how >> i) % 3 {
		case 0:
			again = append(again, t)
		case 1:
			later = append(later, t)
		default:
			h.Say("chain     %s is gone for good", t.Tx[60:])
		}
	}
	for _, t := range later {
		h.Memory.Submit(t)
	}
	if how%5 != 4 { // else the new fork is still shorter
		h.Include(again...)
		h.mine(depth)
		return
	}
	for _, t := range again {
		h.Memory.Submit(t)
	}
}

func hold(h *History, a, _ int) {
	if a%2 == 0 {
		h.Memory.Hold()
		h.Say("chain     finality stands still")
		return
	}
	h.Memory.Release()
	h.Say("chain     finality goes on")
}

func node(h *History, a, b int) {
	moods := []Mood{Well, Lagging, Hides, Invents, Silent, Well}
	h.Node.Mood, h.Node.Lag = moods[a%len(moods)], 1+b%4
	if addresses := h.Addresses(); len(addresses) > 0 {
		h.Node.Ghost = Token(h.Asset, "", "log-0", addresses[b%len(addresses)].Address, units("10.5"))
	}
	h.Say("node      %s", h.Node.Mood)
}

// callBack: the provider tells of a transaction, or somebody else does.
func callBack(h *History, a, b int) {
	p := h.Provider
	if len(p.unthanked) > 0 && b%4 == 3 { // again what was not thanked for
		n := p.unthanked[0]
		p.unthanked = p.unthanked[1:]
		h.try(n)
		return
	}
	tx := fmt.Sprintf("0x%064x", 0xdead)
	if len(h.sent) > 0 {
		tx = h.sent[a%len(h.sent)]
	}
	n := p.Mined("evt-"+tx[60:], tx)
	switch b % 7 {
	case 1:
		n.Forged, n.Event = true, "forged-"+tx[60:]
	case 2: // another body under a known id
		n.Body = strings.Replace(n.Body, "mined", "dropped", 1)
	case 4:
		n.Event, n.Body = "odd-"+tx[60:], "{"
	case 5:
		n.Event, n.Body = "strange-"+tx[60:], strings.Replace(n.Body, string(h.Config.ID), "eip155:424242", 1)
	case 6: // once overheard, and sent again by a stranger
		n.Forged, n.Overheard, n.Event = true, true, "forged-"+tx[60:]
	}
	h.try(n)
}

func (h *History) try(n Notice) {
	if !h.Send(n) && !n.Forged {
		h.Provider.unthanked = append(h.Provider.unthanked, n)
	}
}

func wait(h *History, a, _ int) {
	times := []time.Duration{20 * time.Second, time.Second, time.Minute, 6 * time.Minute, 20 * time.Minute, 70 * time.Minute, 7 * time.Hour, 30 * time.Hour}
	d := times[a%len(times)]
	h.Wait(d)
	h.Say("%s pass", d)
	for _, c := range h.in().consumers {
		if n := h.AWS.Trim(c.notion, c.name()); n > 0 {
			h.trimmed = true
			h.Say("stream    of %s forgets %d records that %s has not read", c.notion, n, c.function)
		}
	}
}

// consume: of a shard that has something for the consumer, if there is one.
func consume(which int) func(*History, int, int) {
	return func(h *History, a, b int) {
		shard := a % shards
		if !h.Waits(which, shard) {
			shard = (shard + 1) % shards
		}
		h.Consume(which, shard, []int{100, 1, 2, 3}[b%4])
	}
}

func work(which int) func(*History, int, int) {
	return func(h *History, a, b int) { h.World.Work(which, a, []int{10, 1, 2}[b%3], b%5 == 4) }
}

func rewind(h *History, _, b int) {
	h.rewind(1 + b%4)
	h.Say("streams   bring up to %d records again", 1+b%4)
}

// rotate: with an overlap, or without.
func rotate(h *History, a, b int) {
	h.Rotate(h.listener(a), []time.Duration{time.Hour, 24 * time.Hour, 0}[b%3])
}

// onOff: the merchant disables an endpoint, or enables it.
func onOff(h *History, a, b int) { h.Switch(h.listener(a), b%3 > 0) }

// choose: fewer events, or those that it chose at first.
func choose(h *History, a, b int) {
	l := h.listener(a)
	if b%2 == 0 {
		h.Choose(l, "payment.paid")
	} else {
		h.Choose(l, l.Settings.Events...)
	}
}

func resend(h *History, a, _ int) {
	if all := h.deliveries(); len(all) > 0 {
		h.Resend(all[a%len(all)])
	}
}

// makeUp: since a moment, or since the endpoint may have missed something.
func makeUp(h *History, a, b int) {
	var since *time.Time
	if b%3 > 0 {
		at := h.Now().Add(-[]time.Duration{time.Hour, 24 * time.Hour}[b%2])
		since = &at
	}
	_ = h.MakeUp(h.listener(a), since)
}

// replay: of the first hours, in two rounds, so that it is often pressed twice.
func replay(h *History, a, b int) {
	until := Start.Add([]time.Duration{time.Minute, 3 * time.Hour}[b/2%2])
	h.Replay(h.listener(a), Start.Add(-time.Minute), until, 1+b%2)
}

func shop(h *History, a, b int) {
	manners := []Manner{Broken, HangsUp, Forgets, Redirects, Hangs, Tarries, Busy, Gone}
	l := h.listener(a / len(manners))
	m, times := manners[a%len(manners)], 1+b%14
	switch {
	case m == Hangs: // each costs real time
		times = 1 + b%2
	case b%14 == 13 && m != Tarries:
		l.Close(m)
		h.Say("shop      of %s %s, for good", l.Endpoint, m)
		return
	}
	l.Behave(m, times)
	h.Say("shop      of %s %s, %d times", l.Endpoint, m, times)
}

// Deck is the moves' names, each as often as it is chosen, and made different by "#1", "#2", ….
func Deck() []string {
	var names []string
	for name, m := range Moves {
		for n := range m.Often {
			names = append(names, fmt.Sprintf("%s#%d", name, n))
		}
	}
	slices.Sort(names)
	return names
}
