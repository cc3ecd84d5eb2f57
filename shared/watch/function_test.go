package watch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"farrier/shared/cloud"
	"farrier/shared/watch"
)

// function is the Lambda function over watchers of a world; its sleep moves the world's clock.
type function struct {
	*watch.Function
	w       *world
	mu      sync.Mutex
	log     *bytes.Buffer
	metrics *bytes.Buffer
	slept   []time.Duration
	asleep  func() // called in each sleep
}

func (w *world) function(watchers ...*watch.Watcher) *function {
	f := &function{w: w, log: &bytes.Buffer{}, metrics: &bytes.Buffer{}, asleep: func() {}}
	now := func() time.Time { f.mu.Lock(); defer f.mu.Unlock(); return w.clock }
	f.Function = &watch.Function{
		Watchers: watchers, Now: now, Log: slog.New(slog.NewTextHandler(locked{&f.mu, f.log}, nil)),
		Metrics: cloud.Metrics{Out: locked{&f.mu, f.metrics}, Now: time.Now},
		Sleep: func(_ context.Context, d time.Duration) error {
			f.mu.Lock()
			w.clock = w.clock.Add(d)
			f.slept = append(f.slept, d)
			f.mu.Unlock()
			f.asleep()
			return nil
		},
	}
	for _, x := range watchers {
		x.Now, x.Log = now, f.Log
	}
	return f
}

type locked struct {
	mu  *sync.Mutex
	out *bytes.Buffer
}

func (l locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.Write(b)
}

// event is a real event with its placeholders filled in.
func event(t *testing.T, file string, replace ...string) json.RawMessage {
	t.Helper()
	text, err := os.ReadFile("../../events/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return json.RawMessage(strings.NewReplacer(replace...).Replace(string(text)))
}

func (f *function) minute() []watch.Summary {
	f.w.t.Helper()
	ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: fmt.Sprint(f.w.clock)})
	out, err := f.Invoke(ctx, event(f.w.t, "watch-schedule.json"))
	if err != nil {
		f.w.t.Fatal(err)
	}
	return out.([]watch.Summary)
}

// lookAt sends looks in one batch and gives the numbers of those that are to come again.
func (f *function) lookAt(received int, bodies ...string) []string {
	f.w.t.Helper()
	var batch events.SQSEvent
	for i, body := range bodies {
		batch.Records = append(batch.Records, events.SQSMessage{
			MessageId: fmt.Sprint(i), Body: body, EventSource: "aws:sqs",
			Attributes: map[string]string{"ApproximateReceiveCount": fmt.Sprint(received)},
		})
	}
	payload, _ := json.Marshal(batch)
	out, err := f.Invoke(context.Background(), payload)
	if err != nil {
		f.w.t.Fatal(err)
	}
	again := []string{}
	for _, item := range out.(events.SQSEventResponse).BatchItemFailures {
		again = append(again, item.ItemIdentifier)
	}
	return again
}

func look(tx string) string { return fmt.Sprintf(`{"chain":%q,"tx":%q}`, someChain, tx) }

// rest is into how many steps a rest of 15 seconds is cut where blocks come every two.
const rest = 8

func TestTheFunctionPassesOncePerBlockWhileADepositIsPendingAndSeldomOtherwise(t *testing.T) {
	w := newWorld(t, 10)
	f := w.function(w.watcher())
	f.asleep = func() {
		if len(f.slept) == 2*rest {
			w.chain.mine(pays("a", ours, 5))
		} else {
			w.chain.mine()
		}
	}
	sums := f.minute()
	// Two rests, four blocks until the deposit is final, one more rest.
	if len(f.slept) != 2*rest+4+rest || sums[0].Passes != 1+1+1+4+1 {
		t.Errorf("slept %s, %d passes", f.slept, sums[0].Passes)
	}
	if s := sums[0]; s.Found != 1 || s.Trouble != "" || s.Chain != someChain || s.Pending != 0 {
		t.Errorf("%+v", s)
	}
	w.has("a final@25")
	for _, metric := range []string{"BlocksBehind", "DepositsFound", "DepositsPending"} {
		if !strings.Contains(f.metrics.String(), metric) {
			t.Errorf("no metric %s", metric)
		}
	}
	if !strings.Contains(f.log.String(), "msg=watched") {
		t.Errorf("log: %s", f.log)
	}
}

func TestTheFunctionCatchesUpWithoutRest(t *testing.T) {
	w := newWorld(t, 10)
	w.pass(w.watcher())
	w.chain.mineEmpty(3000)
	w.chain.mine(pays("a", ours, 5))
	f := w.function(w.watcher())
	sums := f.minute()
	if sums[0].Behind != 0 || sums[0].Height != 3010 || sums[0].Passes < 7 {
		t.Errorf("%+v", sums)
	}
	w.has("a confirming@3010")
}

func TestTheFunctionGoesOnAtOnceWhenALookHasFoundSomething(t *testing.T) {
	w := newWorld(t, 10)
	f := w.function(w.watcher())
	f.asleep = func() {
		w.chain.mine(pays(fmt.Sprint("a", len(f.slept)), stranger, 5))
		if len(f.slept) == 1 {
			w.chain.mine(pays("a", ours, 5))
			w.pass(w.watcher()) // a look's, in another process
		}
		if len(f.slept) == rest {
			w.has("a final@11")
		}
	}
	f.minute()
	if len(f.slept) < rest {
		t.Errorf("slept %v", f.slept)
	}
}

func TestOneChainsTroubleIsItsOwn(t *testing.T) {
	w := newWorld(t, 10)
	w.chain.mine(pays("a", ours, 5))
	deaf, strange := w.watcher(), w.watcher()
	deaf.Config.ID, strange.Config.ID = "eip155:1", "eip155:56"
	deaf.Node, strange.Node = newChain(1), newChain(1)
	deaf.Node.(*fakeChain).before = func(string) error { return errors.New("node: 503") }
	strange.Node.(*fakeChain).before = func(string) error { panic("a strange answer") }
	f := w.function(deaf, strange, w.watcher())
	sums := f.minute()
	if sums[0].Trouble == "" || sums[1].Trouble == "" || sums[2].Trouble != "" {
		t.Errorf("%+v", sums)
	}
	w.has("a confirming@10")
	if n := strings.Count(f.metrics.String(), `"WatchTrouble":1`); n != 2 {
		t.Errorf("%d alarms", n)
	}
}

func TestOnlyOneLoopAtATimeHoldsAChain(t *testing.T) {
	w := newWorld(t, 10)
	var second []watch.Summary
	f := w.function(w.watcher())
	g := w.function(w.watcher())
	f.asleep = func() {
		if second == nil {
			second = g.minute()
		}
	}
	if first := f.minute(); first[0].Elsewhere {
		t.Error("the first loop did not hold the chain")
	}
	if !second[0].Elsewhere || second[0].Passes != 0 {
		t.Errorf("%+v", second)
	}
	w.clock = w.clock.Add(time.Minute)
	if third := f.minute(); third[0].Elsewhere {
		t.Error("the lease did not end by itself")
	}
}

func TestALookFindsADepositAtOnce(t *testing.T) {
	w := newWorld(t, 10)
	w.pass(w.watcher())
	b := w.chain.mine(pays("a", ours, 5))
	f := w.function(w.watcher())
	out, err := f.Invoke(t.Context(), event(t, "watch-look.json", "0x"+strings.Repeat("ab", 32), hash("a")))
	if answer := out.(events.SQSEventResponse); err != nil || answer.BatchItemFailures == nil || len(answer.BatchItemFailures) != 0 {
		t.Errorf("%+v, %v", answer, err)
	}
	w.has(fmt.Sprintf("a confirming@%d", b.Height))
}

func TestALookRunsAheadOfAScanThatIsFarBehind(t *testing.T) {
	w := newWorld(t, 10)
	w.pass(w.watcher())
	w.chain.mineEmpty(2000)
	w.chain.mine(pays("final", ours, 5))
	w.chain.mineEmpty(depth)
	w.chain.mine(pays("lost", ours, 5))
	w.chain.mine(pays("moved", ours, 5))
	f := w.function(w.watcher())
	if again := f.lookAt(1, look(hash("final")), look(hash("lost")), look(hash("moved"))); len(again) != 0 {
		t.Errorf("again: %v", again)
	}
	w.has("lost confirming@2015", "final final@2010", "moved confirming@2016")
	w.chain.fork(2)
	w.chain.mine(pays("moved", ours, 5))
	w.settles(w.watcher())
	w.has("lost dropped@2015", "final final@2010", "moved final@2015")
	for _, d := range w.all() {
		if name(d.Tx) == "final" && d.Version != 1 {
			t.Errorf("written %d times", d.Version)
		}
	}
}

func TestALookAtATransactionThatIsNotMinedWaitsForTwoBlocksAndComesAgain(t *testing.T) {
	w := newWorld(t, 10)
	w.pass(w.watcher())
	f := w.function(w.watcher())
	if again := f.lookAt(1, look(hash("never")), look("")); fmt.Sprint(again) != "[0]" {
		t.Errorf("again: %v", again)
	}
	if fmt.Sprint(f.slept) != "[2s 2s]" {
		t.Errorf("slept %v", f.slept)
	}
	w.has()
	f.asleep = func() { w.chain.mine(pays("soon", ours, 5)) }
	if again := f.lookAt(1, look(hash("soon"))); len(again) != 0 {
		t.Errorf("again: %v", again)
	}
	w.has("soon confirming@10")
}

func TestALookThatComesInVainOftenEnoughIsDropped(t *testing.T) {
	w := newWorld(t, 10)
	f := w.function(w.watcher())
	for received, want := range map[int]string{4: "[0]", 5: "[]", 6: "[]"} {
		if again := f.lookAt(received, look(hash("never"))); fmt.Sprint(again) != want {
			t.Errorf("received %d times: %v", received, again)
		}
	}
	if !strings.Contains(f.log.String(), "in no block") {
		t.Error("it was dropped without a word")
	}
}

func TestWhatIsNoLookIsDroppedWithALineInTheLog(t *testing.T) {
	w := newWorld(t, 10)
	f := w.function(w.watcher())
	bodies := []string{
		"", "null", "[]", "{", `"x"`, `{"chain":7,"tx":""}`, `{"chain":"eip155:137","tx":""}`, `{"tx":"` + hash("a") + `"}`,
		look("0x12"), look("0x" + strings.Repeat("zz", 32)), look(strings.Repeat("11", 33)), look("0x" + strings.Repeat("1", 1000)), "\xff\xfe",
	}
	if again := f.lookAt(1, bodies...); len(again) != 0 {
		t.Errorf("again: %v", again)
	}
	if n := strings.Count(f.log.String(), "look dropped"); n != len(bodies) {
		t.Errorf("%d lines for %d bodies", n, len(bodies))
	}
	w.has()
}

func TestALookDuringTroubleComesAgainAndItsNeighboursOnOtherChainsDoNot(t *testing.T) {
	w := newWorld(t, 10)
	deaf := w.watcher()
	deaf.Config.ID, deaf.Node = "eip155:1", newChain(1)
	deaf.Node.(*fakeChain).before = func(string) error { return errors.New("node: 503") }
	f := w.function(deaf, w.watcher())
	again := f.lookAt(1, fmt.Sprintf(`{"chain":"eip155:1","tx":%q}`, hash("a")), look(""), `{"chain":"eip155:1","tx":""}`)
	if len(again) != 2 || strings.Contains(fmt.Sprint(again), "1 ") {
		t.Errorf("again: %v", again)
	}
}

func TestALookAtAForeignTransactionWritesNothing(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	w.pass(x)
	w.chain.mine(pays("a", stranger, 5))
	f := w.function(x)
	if again := f.lookAt(1, look(hash("a"))); len(again) != 0 {
		t.Errorf("again: %v", again)
	}
	w.has()
}
