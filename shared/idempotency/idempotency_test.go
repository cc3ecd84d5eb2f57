package idempotency

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/parts"
	"farrier/shared/problem"
	"farrier/shared/seal"
)

// bench is a store on real parts whose clock the test moves.
type bench struct {
	Store
	now time.Time
	t   *testing.T
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), t: t}
	clock := func() time.Time { return b.now }
	table := parts.Table(t)
	client, key := parts.Key(t)
	b.Store = Store{Table: table, Sealer: &seal.Sealer{Client: client, KeyID: key, Now: clock}, Now: clock, Random: rand.Reader}
	return b
}

func (b *bench) begin(c Call) (*Run, *Answer, error) {
	b.t.Helper()
	return b.Begin(context.Background(), c)
}

func (b *bench) mustRun(c Call) *Run {
	b.t.Helper()
	run, answer, err := b.begin(c)
	if err != nil || run == nil || answer != nil {
		b.t.Fatalf("run %v, answer %v, %v", run, answer, err)
	}
	return run
}

func (b *bench) keep(run *Run, a Answer) {
	b.t.Helper()
	if err := run.Keep(context.Background(), a); err != nil {
		b.t.Fatal(err)
	}
}

var (
	call   = Call{Caller: "mer_1", Route: "POST /v1/things", Key: "key-1", Asked: []byte(`{"a":1}`)}
	answer = Answer{Status: 201, Header: map[string]string{"Content-Type": "application/json"}, Body: []byte(`{"secret":"whsec_x"}` + "\n")}
)

func bytesOf(t *testing.T, run *Run) string {
	t.Helper()
	b := make([]byte, 100)
	if _, err := io.ReadFull(run.Random, b); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestConformanceTheFirstAnswerIsGivenAgainForADay(t *testing.T) {
	b := newBench(t)
	b.keep(b.mustRun(call), answer)
	for _, later := range []time.Duration{0, time.Hour, KeepFor - time.Hour - time.Millisecond} {
		b.now = b.now.Add(later)
		run, again, err := b.begin(call)
		if err != nil || run != nil || again.Status != answer.Status || !bytes.Equal(again.Body, answer.Body) || again.Header["Content-Type"] != "application/json" {
			t.Fatalf("after %s: %v, %+v, %v", later, run, again, err)
		}
	}
	b.now = b.now.Add(time.Millisecond)
	b.mustRun(call) // a day is over: it is a new request
}

func TestConformanceAnotherBodyUnderTheSameKeyIsRefused(t *testing.T) {
	b := newBench(t)
	other := call
	other.Asked = []byte(`{"a":2}`)
	run := b.mustRun(call)
	if _, _, err := b.begin(other); !problem.Is(err, problem.KeyReused) {
		t.Fatalf("while running: %v", err)
	}
	b.keep(run, answer)
	if _, _, err := b.begin(other); !problem.Is(err, problem.KeyReused) {
		t.Fatalf("after: %v", err)
	}
}

func TestConformanceCallersRoutesAndKeysAreApart(t *testing.T) {
	b := newBench(t)
	b.keep(b.mustRun(call), answer)
	for _, c := range []Call{
		{Caller: "mer_2", Route: call.Route, Key: call.Key, Asked: call.Asked},
		{Caller: call.Caller, Route: "POST /v1/others", Key: call.Key, Asked: call.Asked},
		{Caller: call.Caller, Route: call.Route, Key: "key-2", Asked: call.Asked},
	} {
		b.mustRun(c)
	}
}

func TestConformanceOfManyAtOnceOneRuns(t *testing.T) {
	b := newBench(t)
	var (
		all  sync.WaitGroup
		mu   sync.Mutex
		runs int
	)
	for range 20 {
		all.Go(func() {
			run, _, err := b.Begin(context.Background(), call)
			mu.Lock()
			defer mu.Unlock()
			if run != nil {
				runs++
			} else if !problem.Is(err, problem.KeyInUse) {
				t.Errorf("%v", err)
			}
		})
	}
	all.Wait()
	if runs != 1 {
		t.Fatalf("%d runs", runs)
	}
}

func TestConformanceAKilledCallFreesItsKeyAfterAMinuteAndTheSecondRunMakesTheSame(t *testing.T) {
	b := newBench(t)
	first := b.mustRun(call)
	b.now = b.now.Add(Lease - time.Millisecond)
	if _, _, err := b.begin(call); !problem.Is(err, problem.KeyInUse) {
		t.Fatalf("within the minute: %v", err)
	}
	b.now = b.now.Add(time.Millisecond)
	second := b.mustRun(call)
	if !second.At.Equal(first.At) || bytesOf(t, first) != bytesOf(t, second) {
		t.Fatal("the second run would make another thing")
	}
	if _, _, err := b.begin(call); !problem.Is(err, problem.KeyInUse) {
		t.Fatalf("while the second runs: %v", err)
	}
	b.keep(second, answer)
	if err := first.Keep(context.Background(), answer); err == nil {
		t.Fatal("the first, late, kept its answer over the second's")
	}
}

func TestConformanceACallThatFailedOnOurSideFreesItsKeyAtOnce(t *testing.T) {
	b := newBench(t)
	first := b.mustRun(call)
	if err := first.Release(context.Background()); err != nil {
		t.Fatal(err)
	}
	second := b.mustRun(call)
	if !second.At.Equal(first.At) || bytesOf(t, first) != bytesOf(t, second) {
		t.Fatal("the second run would make another thing")
	}
	if err := second.Release(context.Background()); err != nil {
		t.Fatal(err)
	}
	other := call
	other.Asked = []byte(`{"a":2}`)
	if _, _, err := b.begin(other); !problem.Is(err, problem.KeyReused) {
		t.Fatalf("half of the first may have been made: %v", err)
	}
}

func TestConformanceNoTwoKeysGrowTheSameRandomness(t *testing.T) {
	b := newBench(t)
	other := call
	other.Key = "key-2"
	if bytesOf(t, b.mustRun(call)) == bytesOf(t, b.mustRun(other)) {
		t.Fatal("they do")
	}
}

func TestConformanceALongAnswerIsKept(t *testing.T) {
	b := newBench(t)
	long := Answer{Status: 200, Body: bytes.Repeat([]byte("x"), 100_000)} // KMS alone would take 4,096
	b.keep(b.mustRun(call), long)
	if _, again, err := b.begin(call); err != nil || !bytes.Equal(again.Body, long.Body) {
		t.Fatalf("%v", err)
	}
}

func TestConformanceTheTableHoldsNothingOfTheAnswerOrTheKey(t *testing.T) {
	b := newBench(t)
	run := b.mustRun(call)
	b.keep(run, answer)
	var item map[string]any
	if err := b.Table.Get(context.Background(), dynamo.Key{PK: run.record.PK, SK: "answer"}, &item); err != nil {
		t.Fatal(err)
	}
	for name, v := range item {
		for _, secret := range []string{"whsec_x", call.Key, `"a":1`} {
			if s, ok := v.(string); ok && strings.Contains(s, secret) {
				t.Errorf("%s holds %q", name, secret)
			}
		}
	}
	if ttl, _ := item["ttl"].(float64); int64(ttl) != b.now.Add(KeepFor).Unix() {
		t.Errorf("ttl %v", item["ttl"])
	}
}

func TestAnAnswerOpensInItsOwnRecordAlone(t *testing.T) {
	key := bytes.Repeat([]byte{7}, dataKeySize)
	sealed, err := sealUnder(key, "record", answer, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open(key, "record", sealed); err != nil {
		t.Fatal(err)
	}
	if _, err := open(key, "another", sealed); err == nil {
		t.Error("it opened in another record")
	}
	for _, damaged := range []string{"", "AAAA", "!", sealed[:len(sealed)-8]} {
		if _, err := open(key, "record", damaged); err == nil {
			t.Errorf("%.10q opened", damaged)
		}
	}
}

func TestWhatCanBeAKey(t *testing.T) {
	for key, ok := range map[string]bool{
		"a": true, "order 1042, try 1": true, strings.Repeat("~", 255): true,
		"": false, strings.Repeat("a", 256): false, "é": false, "a\tb": false, "a\x7f": false, "\xff": false,
	} {
		if err := CheckKey(key); (err == nil) != ok {
			t.Errorf("%.20q: %v", key, err)
		}
	}
}
