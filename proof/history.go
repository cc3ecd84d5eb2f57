package proof

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"farrier/shared/chain"
	"farrier/shared/dynamo"
	"farrier/shared/money"
	"farrier/shared/payment"
	"farrier/shared/wallet"
	"farrier/shared/webhook"
)

// History is one run of the world: what its people ask for and do, step by step.
type History struct {
	*World

	asked    map[string]payment.Payment // answers by order, as the merchant has them
	unasked  map[string]payment.Request // orders that were not answered yet
	requests map[string]payment.Request // what was asked for each order: the first time, and so ever after
	words    map[string][]word          // what the merchant may have decided about an order since it was last answered, and that
	paid     int                        // transactions made
	sent     []string                   // transactions that the chain has, or has had
	trimmed  bool                       // a stream forgot records that nobody had read
	complain []string                   // what a merchant or a payer has to complain of at once
	tooSoon  []string                   // deposits that were final before their blocks were

	noting     sync.Mutex
	settled    map[string]bool      // deliveries, by event and endpoint, that were ever at their end
	made       map[string]int       // attempts of them
	unanswered map[string]int       // of those: to which no answer came
	succeeded  map[string]time.Time // by endpoint: the last attempt that did
	hasty      []string             // endpoints that were disabled too soon
	cursor     string               // of who polls for events
	polled     map[string]bool      // those that it was given

	early []string // events that came before the one before them
}

// NewHistory begins in an empty world over a chain in memory.
func NewHistory(t TB, a *AWS, tables Tables, settings ...Setting) *History {
	t.Helper()
	return NewHistoryOn(t, a, tables, nil, settings...)
}

// NewHistoryOn begins in an empty world over a chain that holds no payment yet; nil is one in memory.
func NewHistoryOn(t TB, a *AWS, tables Tables, on Chain, settings ...Setting) *History {
	t.Helper()
	a.Wipe(t)
	h := &History{World: NewWorld(t, a, tables, on, settings...), asked: map[string]payment.Payment{}, unasked: map[string]payment.Request{},
		requests: map[string]payment.Request{}, words: map[string][]word{},
		settled: map[string]bool{}, made: map[string]int{}, unanswered: map[string]int{}, succeeded: map[string]time.Time{}, polled: map[string]bool{}}
	h.cursor = h.Feed.Begin(time.Time{})
	a.hear["deposits"], a.hear["deliveries"], a.hear["endpoints"] = h.noteFinality, h.noteDelivery, h.noteEndpoint
	for _, l := range h.Listeners {
		if l.Settings.Ordered {
			l.hears = h.inOrder(l)
		}
		l.meets = h.disabled(l)
	}
	for range 4 { // so that no reorganisation reaches back to before the watch began
		if _, err := h.Watch(); err != nil {
			t.Fatalf("the watch did not begin: %v", err)
		}
		h.mine(Deepest / 2)
	}
	return h
}

// Ask is a merchant's back end asking for a payment, once. The order is its reference and its Idempotency-Key.
func (h *History) Ask(order string, amount string, expires time.Duration) bool {
	return h.AskWith(order, amount, expires, func(*payment.Request) {})
}

// AskWith is Ask, where the first request for the order is changed.
func (h *History) AskWith(order string, amount string, expires time.Duration, change func(*payment.Request)) bool {
	request, again := h.requests[order]
	if !again {
		request = payment.Request{
			Merchant: Merchant, Accounts: h.place.accounts, Shards: Accounts, Asset: string(h.Asset), Amount: h.place.amount(amount), Reference: order,
			ExpiresIn: int64(expires.Seconds()), IdempotencyKey: order,
		}
		change(&request)
		h.requests[order] = request
	}
	before, answered := h.asked[order]
	p, err := h.create(order, request)
	if err != nil {
		if !answered {
			h.unasked[order] = request
		}
		return false
	}
	delete(h.unasked, order)
	if answered && (p.ID != before.ID || p.Address != before.Address || !p.ExpiresAt.Equal(before.ExpiresAt)) {
		h.complain = append(h.complain, fmt.Sprintf("%s was answered with %s and then with %s", order, before.ID, p.ID))
	}
	h.asked[order] = p
	return true
}

func (h *History) create(order string, request payment.Request) (payment.Payment, error) {
	var p payment.Payment
	err := h.Run("api", "payment for "+order, func(ctx context.Context) (err error) {
		p, err = h.in().payments.Create(ctx, request)
		return err
	})
	return p, err
}

// AskWrongly asks for an order in another way than it was asked for first, which has to be refused.
func (h *History) AskWrongly(order string, change func(*payment.Request)) {
	request, known := h.requests[order]
	if !known || h.asked[order].ID == "" {
		return
	}
	change(&request)
	if p, err := h.create(order+", otherwise", request); err == nil {
		h.complain = append(h.complain, fmt.Sprintf("another request for %s was answered with %s", order, p.ID))
	}
}

// Addresses are those that were ever claimed for a payment, in their order. A payer may know one although the
// merchant's request was stopped right after.
func (h *History) Addresses() []wallet.Address {
	var all []wallet.Address
	for _, item := range h.AWS.Written("addresses") {
		var a wallet.Address
		if err := dynamo.Unmarshal(item, &a); err != nil {
			h.T.Fatalf("%v", err)
		}
		if a.Address != "" { // else it is a name that is taken
			all = append(all, a)
		}
	}
	return all
}

// told are the addresses that the merchant has for its orders.
func (h *History) told() []string {
	var addresses []string
	for _, order := range slices.Sorted(maps.Keys(h.asked)) {
		addresses = append(addresses, h.asked[order].Address)
	}
	return addresses
}

// Transfer is one in a new transaction of the payer's.
func (h *History) Transfer(to string, units int64) chain.Transfer {
	h.paid++
	return Token(h.Asset, fmt.Sprintf("0x%064x", h.paid), "log-0", to, units)
}

// Include mines a block with these transfers and gives them as they were included: a real chain names a transaction
// only when it has it.
func (h *History) Include(transfers ...chain.Transfer) []chain.Transfer {
	included := h.Chain.Mine(h.Now(), transfers...)
	for _, t := range included {
		h.sent = append(h.sent, t.Tx)
		h.Say("chain     block %d: %s %s of %s to %s", t.Block.Height, t.Tx[60:], t.Amount, t.Asset[len(t.Asset)-4:], t.To[:8])
	}
	return included
}

// End lets everything be well again, waits until nothing waits, and once more after the streams have brought
// all that they still know again; it gives what is broken then.
func (h *History) End() []string {
	h.Heal()
	for range 70 { // enough for the second look that the watch takes lazily
		h.Chain.Mine(h.Now())
		h.Wait(time.Second)
		if h.paid > 0 && h.paid%3 == 0 { // block by block, so that nothing else makes it look; where nobody paid there is nothing to find
			h.look()
		}
	}
	for _, again := range []bool{false, true} {
		if again {
			h.Wait(4 * time.Hour)
			h.Say("the time of every payment is over, and every stream brings everything again")
			h.rewind(keepsAll)
		}
		for mended := true; mended; mended = h.mend() {
			if err := h.Drain(); err != nil {
				return append(h.Broken(), err.Error())
			}
		}
		h.Wait(time.Minute) // later than the feed looks back
		for h.poll(100) {
		}
		if broken := h.Broken(); len(broken) > 0 {
			return broken
		}
	}
	return nil
}

const keepsAll = 1 << 30

// rewind has every consumer begin up to n records before where it was, as when AWS has lost its checkpoint.
func (h *History) rewind(n int) {
	for _, c := range h.in().consumers {
		for shard := range shards {
			h.AWS.Pass(c.notion, c.name(), shard, max(0, h.AWS.Position(c.notion, c.name(), shard)-n))
		}
	}
}

// Heal ends every trouble: the node, the chain's finality and the shop are well again, the operator redrives
// dead letters and derives again what the streams forgot, the provider is thanked, and the merchant answered.
func (h *History) Heal() {
	h.Say("everything is well again")
	h.troubles = nil
	if h.Memory != nil {
		h.Node.Mood = Well
		h.Memory.Release()
	}
	for _, l := range h.Listeners {
		l.Recover()
	}
	h.Wait(time.Minute) // what is enabled from now on is enabled later than anything that happened before, by every clock
	for _, order := range slices.Sorted(maps.Keys(h.unasked)) {
		if !h.Ask(order, h.unasked[order].Amount, 0) {
			h.T.Fatalf("broken: a request is answered once everything is well\n    %s\n\n%s", order, h.Timeline())
		}
	}
	for _, n := range h.Provider.unthanked {
		h.Callback(n)
	}
	h.Provider.unthanked = nil
	h.redrive()
}

// redrive puts dead letters back into the queues that they came from. Letters of deliveries that were given up are elsewhere.
func (h *History) redrive() {
	for _, k := range h.in().workers {
		for _, m := range h.AWS.Take(k.dead, 0, 1000) {
			h.Say("operator  redrives a letter of %s", k.dead)
			h.AWS.Put(k.queue, m.Body, 0)
		}
	}
	for _, c := range h.in().consumers {
		h.trimmed = h.AWS.Trim(c.notion, c.name()) > 0 || h.trimmed
	}
	if h.trimmed {
		h.Say("operator  derives again what streams have forgotten")
		if _, err := h.Rederive.Since(context.Background(), Start); err != nil {
			h.T.Fatalf("%v", err)
		}
	}
}

func exhausted(m Message) bool {
	var letter webhook.Letter
	return json.Unmarshal([]byte(m.Body), &letter) == nil && letter.Reason == webhook.Exhausted
}

// ErrRestless says that the system did not come to rest.
var ErrRestless = errors.New("the system never came to rest")

// Drain lets time pass until nothing waits. The chain stands still meanwhile.
func (h *History) Drain() error {
	watching, troubled, patience := true, 0, 30*time.Second
	if slices.ContainsFunc(h.Listeners, func(l *Listener) bool { return l.Closed() }) {
		patience = 90 * time.Minute // its endpoint is tried for three days, until it is disabled
	}
	for range 2000 {
		before, left := h.AWS.Changes(), h.left()
		busy := false
		if watching {
			busy = h.look()
			watching = busy
		}
		busy = h.serve() || busy
		if h.sweepable() {
			h.Sweep()
		}
		if busy && (h.AWS.Changes() != before || h.left() != left) {
			continue
		}
		if busy { // the same trouble again and again
			if troubled++; troubled == 10 {
				return h.restless()
			}
			h.Wait(time.Minute)
			continue
		}
		troubled = 0
		next := h.nextDue()
		if next.IsZero() {
			return nil
		}
		h.Wait(max(next.Sub(h.Now()), 0) + patience)
	}
	return h.restless()
}

// left is how many messages lie in the queues.
func (h *History) left() (n int) {
	for _, k := range h.in().workers {
		n += len(h.AWS.Waiting(k.queue))
	}
	return n
}

// restless says what waits yet.
func (h *History) restless() error {
	var waits []string
	for _, k := range h.in().workers {
		for _, m := range h.AWS.Waiting(k.queue) {
			waits = append(waits, k.queue+": "+m.Body)
		}
	}
	for _, d := range h.deliveries() {
		if d.Status == webhook.Pending {
			waits = append(waits, d.ID()+" is pending, due at "+d.DueAt)
		}
	}
	for _, s := range h.states() {
		if s.Line != "" {
			waits = append(waits, s.Endpoint+" has a line")
		}
	}
	return fmt.Errorf("%w at %s; there wait %q", ErrRestless, h.Now(), waits)
}

// sweepable says whether a delivery waits in the table and is due, or a line is there that does not rest.
func (h *History) sweepable() bool {
	now := h.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	rests := map[string]bool{}
	for _, s := range h.states() {
		rests[s.Endpoint] = s.RestUntil != nil && h.Now().Before(*s.RestUntil)
		if s.Line != "" && !rests[s.Endpoint] {
			return true
		}
	}
	return slices.ContainsFunc(h.deliveries(), func(d webhook.Delivery) bool {
		return d.DueAt != "" && d.DueAt <= now && !(rests[d.Endpoint] && inLine(d))
	})
}

func inLine(d webhook.Delivery) bool { return strings.HasPrefix(d.DueShard, d.Endpoint) }

// nextDue is when the next thing that waits is due; zero where nothing waits.
func (h *History) nextDue() time.Time {
	var next time.Time
	sooner := func(at time.Time) {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	for _, k := range h.in().workers {
		for _, m := range h.AWS.Waiting(k.queue) {
			sooner(m.Due)
		}
	}
	lined, rests := map[string]bool{}, map[string]time.Time{}
	for _, s := range h.states() {
		lined[s.Endpoint] = s.Line != ""
		if s.RestUntil != nil {
			rests[s.Endpoint] = *s.RestUntil
		}
	}
	for _, d := range h.deliveries() {
		at, err := time.Parse(time.RFC3339, d.DueAt)
		switch {
		case err == nil && inLine(d) && at.Before(rests[d.Endpoint]):
			sooner(rests[d.Endpoint])
		case err == nil:
			sooner(at)
		case d.Status == webhook.Pending && d.NextAt != nil:
			sooner(*d.NextAt)
		}
		if inLine(d) {
			lined[d.Endpoint] = false
		}
	}
	for endpoint, empty := range lined {
		if empty { // it is forgotten when it was empty for a while
			sooner(later(rests[endpoint], h.Now()))
		}
	}
	return next
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// deliveries are all of them as they stand.
func (h *History) deliveries() []webhook.Delivery { return newest[webhook.Delivery](h, "deliveries") }

// newest are a notion's items as they stand.
func newest[T any](h *History, notion string) []T {
	var out []T
	for _, item := range h.AWS.Items(notion) {
		var one T
		if err := dynamo.Unmarshal(item, &one); err != nil {
			h.T.Fatalf("%v", err)
		}
		out = append(out, one)
	}
	return out
}

// units of the world's token: its six decimals in full.
func units(text string) int64 {
	a, err := money.ParseDecimal(text, 6)
	if err != nil {
		panic(err)
	}
	n, _ := strconv.ParseInt(a.String(), 10, 64)
	return n
}

// Status is how far the payment of an order is, as it is stored.
func (h *History) Status(order string) payment.Status {
	for _, p := range newest[payment.Payment](h, "payments") {
		if p.Reference == order {
			return p.Status
		}
	}
	return ""
}

// Tally counts what histories went through.
type Tally struct{ Histories, Calls, Faults, Payments, Transfers, Entries, Webhooks int }

// Add counts a history in.
func (t *Tally) Add(h *History) {
	t.Histories++
	t.Calls += h.calls
	t.Faults += h.met
	t.Payments += len(h.asked)
	t.Transfers += len(h.sent)
	t.Entries += len(h.AWS.Items("entries"))
	for _, l := range h.Listeners {
		for _, told := range l.Received() {
			t.Webhooks += told.Times
		}
	}
}

func (t Tally) String() string {
	return fmt.Sprintf("%d histories: %d calls, %d faults, %d payments, %d transfers, %d entries, %d webhooks",
		t.Histories, t.Calls, t.Faults, t.Payments, t.Transfers, t.Entries, t.Webhooks)
}
