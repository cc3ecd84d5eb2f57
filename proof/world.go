package proof

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/callback"
	"farrier/shared/callback/receiver"
	"farrier/shared/chain"
	"farrier/shared/event"
	"farrier/shared/ledger"
	"farrier/shared/money"
	"farrier/shared/payment"
	"farrier/shared/rederive"
	"farrier/shared/wallet"
	"farrier/shared/watch"
	"farrier/shared/webhook"
)

// XPub is the account of the world's merchants: m/44'/60'/0' of "test test test test test test test test test test test junk".
const XPub = "xpub6Ce9NcJvTk36xtLSrJLZqE7wtgA5deCeYs7rSQtreh4cj6ByPtrg9sD7V2FNFLPnf8heNP3FGkeV9qwfzvZNSd54JoNXVsXFYSYwHsnJxqP"

// TB is what a world needs of a test.
type TB interface {
	Helper()
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Cleanup(f func())
}

// Start is when a world's clock begins.
var Start = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// Merchant is the world's only one; one account, so that everything meets in it.
const (
	Merchant = "mer_1"
	Accounts = 1
)

// World is the whole system in one process, with one chain, one merchant and one provider.
type World struct {
	T         TB
	AWS       *AWS
	Chain     Chain
	Config    chain.Config // the chain's
	Asset     money.Asset
	Other     money.Asset // which payments can be paid in too
	Shop      *Shop       // behind the first of its endpoints
	Listeners []*Listener

	// The chain where it is one in memory, and its node, with all that only these can do. Else nil.
	Memory *Memory
	Node   *Node

	Provider *Provider
	Gateway  *Gateway
	Payments payment.Store
	Feed     event.Store // for who polls, by the latest of the clocks: further apart than event.Apart nothing is promised
	Ledger   ledger.Store
	Rederive rederive.Source

	filtered bool                      // the watch keeps all addresses in memory
	more     []func(*webhook.Settings) // endpoints beside the first
	place    place                     // where its payments are made

	// The functions run in three processes, so that one can work while another is in the middle of a call.
	processes [3]functions
	working   [3]bool // which are in the middle of a call
	busy      int     // the process that works now

	mu       sync.Mutex
	clock    time.Time
	told     []string  // the timeline
	logged   logbook   // everything that the functions wrote
	troubles []Trouble // of the next invocation
	stopAt   int       // the history's call that ends its invocation; 0 for none
	calls    int       // that the history's invocations have made
	met      int       // faults among them
}

// functions are the rooms as they run in one process, with what they keep in memory.
type functions struct {
	payments  payment.Store
	endpoints webhook.Endpoints
	sender    webhook.Sender
	replays   webhook.Replays
	receiver  *receiver.Receiver
	watcher   *watch.Watcher // nil before a cold start
	cold      func() *watch.Watcher
	consumers []consumer
	workers   []worker
	sweeper   webhook.Sweeper
}

// warm is the process's watcher, with what it remembers of its invocations before.
func (f *functions) warm() *watch.Watcher {
	if f.watcher == nil {
		f.watcher = f.cold()
	}
	return f.watcher
}

func (w *World) in() *functions { return &w.processes[w.busy] }

// Elsewhere lets f happen in another process: none that is in the midst of something.
func (w *World) Elsewhere(f func()) {
	before := w.busy
	w.working[before] = true
	defer func() { w.working[before], w.busy = false, before }()
	w.Swap()
	f()
}

// Swap has another process go on from now on.
func (w *World) Swap() {
	for i := range w.processes {
		if other := (w.busy + 1 + i) % len(w.processes); !w.working[other] {
			w.busy = other
			return
		}
	}
	w.T.Fatalf("proof: all processes are in the midst of something")
}

// consumer is a function over the stream of a notion's table.
type consumer struct {
	function, notion string
	wants            func(events.DynamoDBEventRecord) bool
	invoke           handler
}

// worker is a function over a queue.
type worker struct {
	function, queue string
	dead            string // the queue's dead-letter queue
	receives        int    // after which SQS moves a message there
	invoke          handler
}

type handler func(context.Context, json.RawMessage) (events.SQSEventResponse, error)

// visibility is how long a queue hides a message that somebody has.
const visibility = 6 * time.Minute

const (
	worldChain = chain.ID("eip155:1000")
	worldToken = "0x5fbdb2315678afecb367f032d93f642f64180aa3" // #nosec G101 -- an address
	otherToken = "0xe7f1725e7734ce288f8367e1bb143e90bb3f0512" // #nosec G101 -- an address
)

// The world's rule about large amounts: a transfer of so much, in the token's own unit, waits for so many blocks more.
const (
	largeAmount = "12"
	deeper      = 2
)

// Setting makes a world another one than usual.
type Setting func(*World)

// place is the chain that a world's payments are made on, as it is configured, and the merchant's account there.
type place struct {
	chain    chain.ID
	format   string // of the chain, for its id and for the world's large amount
	accounts wallet.Accounts
	assets   func(chain.Config) (usual, other money.Asset) // the other is empty where there is none
	decimals int                                           // of the usual asset
}

// amount is one that the world's people say in six decimals, as so many of the asset's smallest units in the asset's own unit.
func (p place) amount(text string) string { return money.Units(units(text)).Decimal(p.decimals) }

// onEVM is where payments are made usually: in a token on an EVM chain.
var onEVM = place{
	chain: worldChain, accounts: wallet.Accounts{"eip155": XPub}, decimals: 6,
	format: `{"id":%q,"name":"World","native":{"symbol":"","ignore":true},"block_time":"1s","finality":{"depth":3,
		"deeper":[{"symbol":"USDT","amount":%q,"blocks":%d}]},"tokens":[{"symbol":"USDT","decimals":6,"address":"` + worldToken + `"},{"symbol":"USDC","decimals":6,"address":"` + otherToken + `"}]}`,
	assets: func(c chain.Config) (usual, other money.Asset) {
		return c.TokenAsset(worldToken), c.TokenAsset(otherToken)
	},
}

// OnBitcoin is a world whose payments are made in the coin of Bitcoin's simnet. The account is m/84'/1'/0' of the same phrase as XPub's.
func OnBitcoin(w *World) {
	w.place = place{
		chain:    "bip122:683e86bd5c6d110d91b94b97137ba6bf",
		accounts: wallet.Accounts{"bip122": "tpubDCTawRj1voCsGHoKQopGdxi1UXEfy8eeogsbA7SxDL1j7tvTfwdF6jQNSneAQw5a2x29XY6PWbnKMx68oM7BYoew8eRySvVaLZxkrBzWr4A"},
		format: `{"id":%q,"name":"World","native":{"symbol":"BTC","decimals":8},"block_time":"1s","finality":{"depth":3,
			"deeper":[{"symbol":"BTC","amount":%q,"blocks":%d}]}}`,
		assets:   func(c chain.Config) (usual, other money.Asset) { return c.NativeAsset(), "" },
		decimals: 8,
	}
}

// Filtered is a world whose watch has a filter before the table of addresses.
func Filtered(w *World) { w.filtered = true }

// NewWorld makes an empty world over empty tables, on a chain; nil is one in memory.
func NewWorld(t TB, a *AWS, tables Tables, on Chain, settings ...Setting) *World {
	t.Helper()
	w := &World{T: t, AWS: a, clock: Start.Add(-time.Minute), place: onEVM} // its endpoints are there before anything happens, by every clock
	for _, set := range settings {
		set(w)
	}
	a.Now, a.Wait = w.Now, w.Wait
	set, err := chain.ParseSet("[" + fmt.Sprintf(w.place.format, w.place.chain, w.place.amount(largeAmount), deeper) + "]")
	if err != nil {
		t.Fatalf("%v", err)
	}
	w.Config = set.Chains()[0]
	w.Asset, w.Other = w.place.assets(w.Config)
	if w.Chain = on; on == nil {
		w.Memory = NewMemory(w.Config.ID, w.Config.Finality.Depth, w.Now())
		w.Node = &Node{Memory: w.Memory, Assets: []money.Asset{w.Asset, w.Other}, wait: w.Wait}
		w.Chain = w.Memory
	}
	parts := wiring{World: w, tables: tables, chains: set, random: rand.NewChaCha8(sha256.Sum256([]byte("world")))}
	for i := range w.processes {
		process := parts
		process.behind = time.Duration(i) * 3 * time.Second // no two clocks agree
		w.processes[i] = process.functions(&w.processes[i])
	}
	w.Payments = parts.payments("check")
	polled := parts
	polled.behind = 6 * time.Second
	w.Feed = event.Store{Table: parts.table("api", "events"), Now: polled.Now}
	w.Ledger = ledger.Store{Entries: parts.table("check", "entries"), Balances: parts.table("check", "balances")}
	w.Rederive = rederive.Source{
		Callbacks: parts.table("rederive", "callbacks"), Deposits: parts.table("rederive", "deposits"), Payments: parts.table("rederive", "payments"),
		Events:    event.Store{Table: parts.table("rederive", "events")},
		Endpoints: parts.table("rederive", "endpoints"), EndpointStates: parts.table("rederive", "states"),
		Interpret: parts.to("rederive", "interpret"), Credit: parts.to("rederive", "credit"), Notify: parts.to("rederive", "notify"),
	}
	w.Provider = newProvider(t, callback.Connections{Table: parts.table("api", "connections"), Sealer: parts.sealer("api"), Chains: set, Now: w.Now, Random: parts.random}, w.Config.ID)
	w.Gateway = newGateway(t, callback.Connections{Table: parts.table("api", "connections"), Sealer: parts.sealer("api"), Chains: set, Now: w.Now, Random: parts.random}, w.Asset, w.place.decimals)
	w.Shop = w.listen([]string{"payment.*"}, func(*webhook.Settings) {}).Shop
	for _, change := range w.more {
		w.listen([]string{"payment.*", "endpoint.*"}, change)
	}
	w.clock = Start
	return w
}

// Now is the world's time.
func (w *World) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

// Wait moves the clock on.
func (w *World) Wait(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

func (w *World) sleep(ctx context.Context, d time.Duration) error {
	w.Wait(d)
	return ctx.Err()
}

// Say adds a line to the timeline.
func (w *World) Say(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, w.clock.Format("02 15:04:05 ")+fmt.Sprintf(format, args...))
}

// Timeline is what has happened so far, a line each.
func (w *World) Timeline() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.told, "\n")
}

// StopAt plans that the history's k-th call is the last of its invocation: it is done, and its answer never comes.
func (w *World) StopAt(k int) { w.stopAt = k }

// Calls is how many calls the history's invocations have made.
func (w *World) Calls() int { return w.calls }

// Expect plans trouble for the next invocation.
func (w *World) Expect(troubles []Trouble) { w.troubles = troubles }

// Run makes one invocation under the plan. Its error is the function's, or ErrStopped.
func (w *World) Run(function, what string, f func(context.Context) error) error {
	troubles := w.troubles
	w.troubles = nil
	if left := w.stopAt - w.calls; left > 0 {
		troubles = append(troubles, Trouble{At: left, Fault: StopAfter})
	}
	var met []string
	before := w.AWS.Changes()
	calls, stopped, err := Invoke(context.Background(), troubles, func(call string, f Fault) {
		met = append(met, fmt.Sprintf("%s: %s", call, f))
	}, f)
	w.calls += calls
	w.met += len(met)
	if stopped {
		err = ErrStopped
		w.in().watcher = nil // its process is gone, with all that it remembered
	}
	end := "done"
	if err != nil {
		end = strings.SplitN(err.Error(), "\n", 2)[0]
	}
	for _, m := range met {
		w.Say("          %s", m)
	}
	if err != nil || len(met) > 0 || w.AWS.Changes() != before { // what changed nothing is not worth a line
		w.Say("%-9s %s: %s", function, what, end)
	}
	return err
}

// Watch makes one pass over what is new on the chain.
func (w *World) Watch() (watch.Progress, error) {
	var p watch.Progress
	err := w.Run("watch", "pass", func(ctx context.Context) (err error) {
		watcher := w.in().warm()
		watcher.Owners.Filter.Load(ctx)
		p, err = watcher.Pass(ctx)
		return err
	})
	return p, err
}

// Waits says whether a shard has records that the consumer wants.
func (w *World) Waits(which, shard int) bool {
	c := w.in().consumers[which]
	return slices.ContainsFunc(w.AWS.Records(c.notion, c.name(), shard), c.wants)
}

// Consume gives a consumer up to n records of a shard; what it did not answer for stays. It says whether
// there were any.
func (w *World) Consume(which, shard, n int) bool {
	c := w.in().consumers[which]
	position, records := w.AWS.Position(c.notion, c.name(), shard), w.AWS.Records(c.notion, c.name(), shard)
	records = records[:min(n, len(records))]
	var batch []events.DynamoDBEventRecord
	for _, r := range records {
		if c.wants(r) {
			batch = append(batch, r)
		}
	}
	if len(batch) == 0 {
		w.AWS.Pass(c.notion, c.name(), shard, position+len(records))
		return len(records) > 0
	}
	var answer events.SQSEventResponse
	err := w.Run(c.function, fmt.Sprintf("%d of %s", len(batch), c.notion), func(ctx context.Context) (err error) {
		answer, err = c.invoke(ctx, w.payload(events.DynamoDBEvent{Records: batch}))
		return err
	})
	done := len(records)
	if err != nil {
		done = 0
	} else if len(answer.BatchItemFailures) > 0 {
		w.Say("          comes again from %s", strings.TrimLeft(answer.BatchItemFailures[0].ItemIdentifier, "0"))
		for i, r := range records {
			if r.Change.SequenceNumber == answer.BatchItemFailures[0].ItemIdentifier {
				done = i
				break
			}
		}
	}
	// While it ran, another reader of the same shard may have gone further, and AWS keeps the later checkpoint.
	if now := w.AWS.Position(c.notion, c.name(), shard); now < position+done {
		w.AWS.Pass(c.notion, c.name(), shard, position+done)
	}
	return true
}

func (c consumer) name() string { return c.function + " of " + c.notion }

// Work gives a worker up to n due messages, beginning with any of them. Where twice is set the queue has
// them come once more although they were handled. It says whether there were any.
func (w *World) Work(which, first, n int, twice bool) bool {
	k := w.in().workers[which]
	messages := w.AWS.Take(k.queue, first, n)
	if len(messages) == 0 {
		return false
	}
	var batch events.SQSEvent
	for _, m := range messages {
		batch.Records = append(batch.Records, events.SQSMessage{MessageId: m.ID, Body: m.Body, EventSource: "aws:sqs",
			Attributes: map[string]string{"ApproximateReceiveCount": fmt.Sprint(m.Tries + 1)}})
	}
	disturbed := w.met
	if len(w.troubles) > 0 || slices.Contains(w.working[:], true) || w.stopAt > 0 {
		disturbed-- // something may happen in its midst, or it happens in the midst of something
	}
	var answer events.SQSEventResponse
	err := w.Run(k.function, fmt.Sprintf("%d of queue %s", len(messages), k.queue), func(ctx context.Context) (err error) {
		answer, err = k.invoke(ctx, w.payload(batch))
		return err
	})
	if k.queue == "deliveries" && (err != nil || w.met > disturbed) {
		w.disturb(messages)
	}
	failed := map[string]bool{}
	for _, f := range answer.BatchItemFailures {
		failed[f.ItemIdentifier] = true
		w.Say("          %s comes again: %s", f.ItemIdentifier, w.logged.last())
	}
	for _, m := range messages {
		switch {
		case err == nil && !failed[m.ID] && !twice:
			w.AWS.Acknowledge(k.queue, m)
		case m.Tries+1 >= k.receives:
			w.Say("          %s is a dead letter", m.ID)
			w.AWS.Put(k.dead, m.Body, 0)
		default:
			w.AWS.Return(k.queue, m, visibility)
		}
	}
	return true
}

// disturb notes that attempts may have been made that were not recorded.
func (w *World) disturb(messages []Message) {
	for _, m := range messages {
		var job webhook.Job
		_ = json.Unmarshal([]byte(m.Body), &job)
		for _, l := range w.Listeners {
			if l.Endpoint == job.Endpoint {
				l.disturbed[job.Event]++
			}
		}
	}
}

func (w *World) payload(event any) json.RawMessage {
	payload, err := json.Marshal(event)
	if err != nil {
		w.T.Fatalf("%v", err)
	}
	return payload
}

// Round lets every function work once on all that waits for it.
func (w *World) Round() bool {
	busy := w.look()
	return w.serve() || busy
}

// look makes a pass and says whether there is more to see.
func (w *World) look() bool {
	progress, err := w.Watch()
	return err != nil || progress.Found > 0 || progress.Pending > 0 || progress.Behind > 0
}

// serve lets the functions over streams and queues work once on all that waits, and says whether anything did.
func (w *World) serve() bool {
	busy := false
	for c := range w.in().consumers {
		for shard := range shards {
			busy = w.Consume(c, shard, 100) || busy
		}
	}
	for k := range w.in().workers {
		busy = w.Work(k, 0, 10, false) || busy
	}
	return busy
}

// Sweep brings due deliveries back into their queue.
func (w *World) Sweep() {
	_ = w.Run("sweep", "each minute", func(ctx context.Context) error {
		_, err := w.in().sweeper.Run(ctx)
		return err
	})
}

// logbook keeps what the functions write.
type logbook struct {
	mu   sync.Mutex
	text strings.Builder
}

var _ io.Writer = (*logbook)(nil)

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// last is why the last thing failed that was written.
func (l *logbook) last() string {
	lines := strings.Split(strings.TrimSpace(l.String()), "\n")
	for _, line := range slices.Backward(lines) {
		if _, why, is := strings.Cut(line, " error="); is {
			return why
		}
	}
	return ""
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
