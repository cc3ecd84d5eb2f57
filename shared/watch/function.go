package watch

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/chain"
	"farrier/shared/chain/family"
	"farrier/shared/cloud"
	"farrier/shared/lease"
	"farrier/shared/queue"
)

// Function is the Lambda function: each minute a loop over each chain, and looks as they come.
type Function struct {
	Watchers []*Watcher // one to a chain
	Filter   *Filter    // that the watchers share; nil for none
	Metrics  cloud.Metrics
	Now      cloud.Clock
	Sleep    func(context.Context, time.Duration) error
	Log      *slog.Logger
}

const (
	reserve = 5 * time.Second  // left of the invocation when the loops end
	minute  = 55 * time.Second // a loop, where the invocation has no deadline of its own
	idle    = 15 * time.Second // between passes while nothing is pending
)

// Invoke answers a schedule's event with a line for each chain, and a queue's batch with what is to come again.
func (f *Function) Invoke(ctx context.Context, payload json.RawMessage) (any, error) {
	var batch events.SQSEvent
	if err := json.Unmarshal(payload, &batch); err != nil {
		return nil, fmt.Errorf("event: %w", err)
	}
	if len(batch.Records) > 0 {
		return f.looks(ctx, batch), nil
	}
	return f.loops(ctx), nil
}

// Summary is what a minute brought on one chain.
type Summary struct {
	Chain     chain.ID `json:"chain"`
	Passes    int      `json:"passes"`
	Height    uint64   `json:"height"`
	Behind    uint64   `json:"behind"`
	Final     uint64   `json:"final"`
	Blocks    uint64   `json:"blocks"` // new ones
	Gone      uint64   `json:"gone"`   // blocks that were reorganised away
	Found     int      `json:"found"`
	Pending   int      `json:"pending"`
	Stands    bool     `json:"stands,omitempty"`    // the final height stands still while deposits are pending
	Trouble   string   `json:"trouble,omitempty"`   // of the last pass
	Unsure    string   `json:"unsure,omitempty"`    // why nothing became final in it
	Forgot    string   `json:"forgot,omitempty"`    // which entries of the journal had expired that were needed
	Elsewhere bool     `json:"elsewhere,omitempty"` // another invocation has the lease
	// What it took of the chain's endpoints: requests, the calls in them, and calls for each new block in hundredths.
	Requests int64 `json:"requests"`
	Calls    int64 `json:"calls"`
	PerBlock int64 `json:"calls_for_100_blocks"`
	Resting  int   `json:"endpoints_resting"`
}

// loops watches all chains side by side until shortly before the deadline. One chain's trouble is its own.
func (f *Function) loops(ctx context.Context) []Summary {
	until := f.Now().Add(minute)
	if deadline, ok := ctx.Deadline(); ok {
		until = deadline.Add(-reserve)
	}
	ctx, cancel := context.WithTimeout(ctx, until.Sub(f.Now()))
	defer cancel()
	// A process that only takes looks asks the table, which costs less than reading it. The reading goes on where the
	// minute ends: what it has found stays good, since the roster is read from its beginning on.
	go f.Filter.Load(context.WithoutCancel(ctx))
	out := make([]Summary, len(f.Watchers))
	f.beside(func(i int, w *Watcher) {
		before := w.counts()
		out[i] = f.loop(ctx, w, until)
		out[i].asked(before, w.counts())
		f.tell(ctx, out[i])
	})
	return out
}

// beside runs a step for each chain in a goroutine of its own.
func (f *Function) beside(step func(int, *Watcher)) {
	var chains sync.WaitGroup
	for i, w := range f.Watchers {
		chains.Go(func() { step(i, w) })
	}
	chains.Wait()
}

func (f *Function) loop(ctx context.Context, w *Watcher, until time.Time) Summary {
	sum := Summary{Chain: w.Config.ID}
	held, err := lease.Take(ctx, w.Passes, string(w.Config.ID), lease.Holder(ctx), f.Now(), until)
	switch {
	case err != nil:
		sum.Trouble = "lease: " + err.Error()
		return sum
	case !held:
		sum.Elsewhere = true
		return sum
	}
	for failed := 0; ; {
		p, err := cloud.Guarded(func() (Progress, error) { return w.Pass(ctx) })
		if ctx.Err() != nil && err != nil { // the minute is over, in the middle of a pass
			if sum.Passes == 0 {
				sum.Trouble = "no pass was finished: " + err.Error()
			}
			return sum
		}
		sum.note(p, err)
		if failed++; err == nil {
			failed = 0
		}
		if !f.wait(ctx, w, pause(time.Duration(w.Config.BlockTime), p, failed), until) {
			return sum
		}
	}
}

// wait lets time pass before the next pass. It ends early when a look has found something meanwhile, so
// that its deposit is followed from block to block at once. It is false where the minute ends before.
func (f *Function) wait(ctx context.Context, w *Watcher, long time.Duration, until time.Time) bool {
	end := f.Now().Add(long)
	if end.After(until) {
		return false
	}
	for {
		step := min(end.Sub(f.Now()), max(time.Duration(w.Config.BlockTime), time.Second))
		if step <= 0 {
			return true
		}
		if f.Sleep(ctx, step) != nil {
			return false
		}
		if f.Now().Before(end) && w.Overtaken(ctx) {
			return true
		}
	}
}

func (s *Summary) note(p Progress, err error) {
	s.Passes++
	s.Trouble, s.Unsure = "", ""
	if err != nil {
		s.Trouble = err.Error()
		return
	}
	s.Height, s.Behind, s.Final, s.Pending, s.Stands = p.Height, p.Behind, p.Final, p.Pending, p.Stands
	s.Found += p.Found
	s.Blocks += p.Blocks
	s.Gone += p.Gone
	if p.Unsure != nil {
		s.Unsure = p.Unsure.Error()
	}
	if p.Forgot != nil {
		s.Forgot = p.Forgot.Error()
	}
}

// asked notes what the minute took of the endpoints.
func (s *Summary) asked(before, after chain.Counts) {
	s.Requests, s.Calls, s.Resting = after.Requests-before.Requests, after.Calls-before.Calls, after.Resting
	if s.Blocks > 0 {
		s.PerBlock = 100 * s.Calls / int64(s.Blocks) // #nosec G115 -- the blocks of a minute
	}
}

// pause is how long to wait after a pass: not at all while far behind, a block while something is
// pending, longer while nothing is, and longer and longer in trouble.
func pause(block time.Duration, p Progress, failed int) time.Duration {
	switch {
	case failed > 0:
		return min(idle, block<<min(failed-1, 10))
	case p.Behind > 0:
		return 0
	case p.Pending > 0:
		return block
	default:
		return max(idle, block)
	}
}

// tell leaves the line and the figures that alarms listen to.
func (f *Function) tell(ctx context.Context, s Summary) {
	name := map[string]string{"chain": string(s.Chain)}
	if s.Trouble != "" || s.Unsure != "" || s.Forgot != "" {
		f.Log.ErrorContext(ctx, "watch in trouble", "summary", s)
		f.Metrics.Count("WatchTrouble", 1, name)
	} else {
		f.Log.InfoContext(ctx, "watched", "summary", s)
	}
	if !s.Elsewhere {
		f.Metrics.Count("NodeRequests", int(s.Requests), name)
		f.Metrics.Count("NodeCalls", int(s.Calls), name)
		f.Metrics.Count("EndpointsResting", s.Resting, name)
	}
	if s.Trouble == "" && !s.Elsewhere {
		f.Metrics.Count("BlocksBehind", int(min(s.Behind, 1<<31)), name)    // #nosec G115 -- bounded
		f.Metrics.Count("BlocksReorganised", int(min(s.Gone, 1<<31)), name) // #nosec G115 -- bounded
		f.Metrics.Count("DepositsFound", s.Found, name)
		f.Metrics.Count("DepositsPending", s.Pending, name)
		f.Metrics.Count("FinalityStands", map[bool]int{true: 1}[s.Stands], name)
	}
}

// Look is a message of the queue of looks.
type Look struct {
	Chain chain.ID `json:"chain"`
	Tx    string   `json:"tx"` // empty: only see what is new
}

// mostReceives is how often a look comes for a transaction that no block holds. After that it is dropped
// without harm: should the transaction be mined after all, the scan finds it.
const mostReceives = 5

// asked are the looks of a batch at one chain: the transactions, and the messages by transaction.
type asked struct {
	txs      []string
	messages map[string][]events.SQSMessage
}

// looks answers a batch: what could not be looked at, and what is not mined yet, is to come again.
func (f *Function) looks(ctx context.Context, batch events.SQSEvent) events.SQSEventResponse {
	byChain := f.sorted(ctx, batch)
	failed := make([][]events.SQSMessage, len(f.Watchers))
	f.beside(func(i int, w *Watcher) {
		if a := byChain[w.Config.ID]; a != nil {
			before := w.counts()
			failed[i] = f.look(ctx, w, a)
			f.Metrics.Count("NodeCalls", int(w.counts().Calls-before.Calls), map[string]string{"chain": string(w.Config.ID)})
		}
	})
	out := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, messages := range failed {
		for _, m := range messages {
			out.BatchItemFailures = append(out.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
		}
	}
	return out
}

// sorted are the looks by chain. What is no look at a configured chain is left out with a line in the
// log: a hint can cost time, never money.
func (f *Function) sorted(ctx context.Context, batch events.SQSEvent) map[chain.ID]*asked {
	out := map[chain.ID]*asked{}
	for _, w := range f.Watchers {
		out[w.Config.ID] = nil
	}
	for _, m := range batch.Records {
		look, err := read(m.Body)
		a, configured := out[look.Chain]
		if err != nil || !configured {
			f.Log.WarnContext(ctx, "look dropped: it names no configured chain or no transaction", "message", m.MessageId)
			continue
		}
		if a == nil {
			a = &asked{messages: map[string][]events.SQSMessage{}}
			out[look.Chain] = a
		}
		if look.Tx != "" && len(a.messages[look.Tx]) == 0 {
			a.txs = append(a.txs, look.Tx)
		}
		a.messages[look.Tx] = append(a.messages[look.Tx], m)
	}
	return out
}

func read(body string) (Look, error) {
	var l Look
	err := json.Unmarshal([]byte(body), &l)
	if err != nil || l.Tx == "" {
		return l, err
	}
	f, _ := family.Of(l.Chain)
	l.Tx, err = f.Tx(l.Tx)
	return l, err
}

// look looks, and for transactions that are not mined waits for two blocks: a wallet's callback often
// comes before the block does, and the queue would bring it back only after its visibility time-out, six minutes.
func (f *Function) look(ctx context.Context, w *Watcher, a *asked) []events.SQSMessage {
	txs := a.txs
	for waited := 0; ; waited++ {
		unmined, err := cloud.Guarded(func() ([]string, error) { return w.Look(ctx, txs) })
		if err != nil {
			f.Log.ErrorContext(ctx, "look failed", "chain", w.Config.ID, "error", err.Error())
			return a.all()
		}
		if len(unmined) == 0 {
			return nil
		}
		if waited == 2 || !f.rests(ctx, time.Duration(w.Config.BlockTime)) {
			return f.again(ctx, a, unmined)
		}
		txs = unmined
	}
}

// rests waits for a block, if the invocation has the time.
func (f *Function) rests(ctx context.Context, block time.Duration) bool {
	wait := min(block, idle)
	if deadline, ok := ctx.Deadline(); ok && f.Now().Add(wait+reserve).After(deadline) {
		return false
	}
	return f.Sleep(ctx, wait) == nil
}

func (a *asked) all() []events.SQSMessage {
	var out []events.SQSMessage
	for _, m := range a.messages {
		out = append(out, m...)
	}
	return out
}

// again are the messages about transactions that are not mined, but for those that came often enough.
func (f *Function) again(ctx context.Context, a *asked, unmined []string) []events.SQSMessage {
	var out []events.SQSMessage
	for _, tx := range unmined {
		for _, m := range a.messages[tx] {
			if queue.Receives(m) >= mostReceives {
				f.Log.InfoContext(ctx, "look dropped: the transaction is in no block", "message", m.MessageId, "tx", tx)
				continue
			}
			out = append(out, m)
		}
	}
	return out
}
