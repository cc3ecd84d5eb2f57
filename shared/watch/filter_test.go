package watch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"farrier/shared/dynamo"
	"farrier/shared/parts"
	"farrier/shared/wallet"
	"farrier/shared/watch"
)

const fresh = "0x00000000000000000000000000000000000000a3"

// table is the way to the store, where a test sees each call and may break it.
type table struct {
	mu    sync.Mutex
	after func(call, table string) error // after the store has answered
	keys  int                            // that BatchGetItem was asked for
	calls map[string]int
}

func (h *table) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	_, call, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	var asked struct {
		TableName    string
		RequestItems map[string]struct{ Keys []any }
	}
	if err := json.Unmarshal(body, &asked); err != nil {
		return nil, err
	}
	h.mu.Lock()
	if h.calls == nil {
		h.calls = map[string]int{}
	}
	h.calls[call]++
	for _, of := range asked.RequestItems {
		h.keys += len(of.Keys)
	}
	h.mu.Unlock()
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && h.after != nil {
		if err := h.after(call, asked.TableName); err != nil {
			_ = answer.Body.Close()
			return nil, err
		}
	}
	return answer, err
}

// filtered is a world whose watchers have filters, and one of them, whose filter is loaded, over calls that the test sees.
func filtered(t *testing.T) (*world, *watch.Watcher, *table) {
	t.Helper()
	w := newWorld(t, 10)
	w.filtered = true
	h := &table{}
	x := w.through(h)
	x.Owners.Filter.Load(t.Context())
	w.pass(x)
	return w, x, h
}

func (w *world) through(h *table) *watch.Watcher {
	cfg := parts.Config(w.t, "FARRIER_TEST_DYNAMODB")
	cfg.HTTPClient = &http.Client{Transport: h}
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	return w.watcherOver(dynamodb.NewFromConfig(cfg))
}

// asks makes a pass that asks the table about so many addresses.
func (w *world) asks(x *watch.Watcher, h *table, want int) {
	w.t.Helper()
	h.keys = 0
	if w.pass(x); h.keys != want {
		w.t.Errorf("the table was asked about %d addresses, not %d", h.keys, want)
	}
}

// crowd are strangers' payments.
func crowd(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("0x%040x", 0xc0ffee00+i))
	}
	return out
}

func TestOnlyAboutWhatMayBeOursIsTheTableAsked(t *testing.T) {
	w, x, h := filtered(t)
	for n, to := range crowd(300) {
		w.chain.mine(pays(fmt.Sprintf("x%03d", n), to, 5))
	}
	w.chain.mine(pays("a", ours, 5), pays("b", alsoOurs, 6))
	h.keys, h.calls = 0, nil
	w.pass(x)
	w.has("a confirming@310", "b confirming@310")
	if h.keys > 6 || h.calls["Query"] == 0 {
		t.Errorf("the table was asked about %d addresses; calls %v", h.keys, h.calls)
	}
	w.settles(x)
	w.has("a final@310", "b final@310")
}

func TestAnAddressMadeBetweenTheFetchOfABlockAndItsCheckIsFoundThroughTheFilter(t *testing.T) {
	w, x, _ := filtered(t)
	w.chain.mine(pays("a", fresh, 5))
	var once sync.Once
	w.chain.fetch = func() { once.Do(func() { w.owns(fresh, "pay_3") }) }
	w.pass(x)
	w.has("a confirming@10")
}

func TestAnAddressMadeWhileTheTableIsReadIntoTheFilterIsFound(t *testing.T) {
	w := newWorld(t, 10)
	w.filtered = true
	h := &table{}
	x := w.through(h)
	w.pass(x)
	var once sync.Once
	h.after = func(call, _ string) error {
		if call == "Scan" { // its answer, which does not hold the address, is on the way
			once.Do(func() {
				w.owns(fresh, "pay_3")
				w.clock = w.clock.Add(20 * time.Minute)
			})
		}
		return nil
	}
	x.Owners.Filter.Load(t.Context())
	w.chain.mine(pays("a", fresh, 5))
	w.asks(x, h, 1)
	w.has("a confirming@10")
}

func TestARosterThatCannotBeReadFailsThePass(t *testing.T) {
	w, x, h := filtered(t)
	w.owns(fresh, "pay_3")
	w.chain.mine(pays("a", fresh, 5), pays("b", stranger, 5))
	trouble := errors.New("the roster is not there")
	h.after = func(_, table string) error {
		if table == w.roster.Name {
			return trouble
		}
		return nil
	}
	for range 3 {
		if _, err := x.Pass(t.Context()); err == nil || !strings.Contains(err.Error(), "roster") {
			t.Fatalf("got %v", err)
		}
	}
	w.has()
	h.after = nil
	w.settles(x)
	w.has("a final@10")
}

func TestAWriterWhoseClockIsTwoMinutesOffIsFound(t *testing.T) {
	for _, off := range []time.Duration{-2 * time.Minute, 2 * time.Minute} {
		for _, at := range []time.Duration{0, 12*time.Hour - time.Minute, 12*time.Hour + time.Minute} { // about midnight as well
			w, x, h := filtered(t)
			w.clock = w.clock.Add(at)
			w.chain.mine(pays("x", stranger, 5))
			w.pass(x) // has read up to now
			w.clock = w.clock.Add(2 * time.Second)
			w.makes(fresh, "pay_3", off)
			w.chain.mine(pays("a", fresh, 5))
			w.asks(x, h, 1)
			w.has("a confirming@11")
		}
	}
}

func TestARestartLosesNothingOfTheFilter(t *testing.T) {
	w, x, h := filtered(t)
	w.owns(fresh, "pay_3")
	w.pass(x)
	w.chain.mine(pays("a", fresh, 5), pays("b", stranger, 5))
	x = w.through(h)
	w.asks(x, h, 2) // has no base yet, and asks about all
	w.has("a confirming@10")
	w.clock = w.clock.Add(time.Hour)
	x.Owners.Filter.Load(t.Context())
	w.chain.mine(pays("c", fresh, 5), pays("d", stranger, 5))
	w.asks(x, h, 1)
	w.has("a confirming@10", "c confirming@11")
}

func TestAStrangerWhomTheFilterTakesForOneOfOursIsSettledByTheTable(t *testing.T) {
	w, x, h := filtered(t)
	writer := &table{after: func(string, string) error { return errDead }} // stopped between the row and the address
	cfg := parts.Config(t, "FARRIER_TEST_DYNAMODB")
	cfg.HTTPClient, cfg.Retryer = &http.Client{Transport: writer}, func() aws.Retryer { return aws.NopRetryer{} }
	roster := &wallet.Roster{Table: dynamo.Table{Client: dynamodb.NewFromConfig(cfg), Name: w.roster.Name}, Now: func() time.Time { return w.clock }}
	if err := roster.Claim(t.Context(), w.addresses, wallet.Address{PK: "eip155:" + stranger, SK: "address"}); err == nil {
		t.Fatal("it was not stopped")
	}
	w.chain.mine(pays("a", ours, 5), pays("b", stranger, 5))
	h.keys = 0
	w.settles(x)
	w.has("a final@10")
	if h.keys < 2 {
		t.Error("the filter knows that it is nobody's")
	}
}

func TestAFilterThatSleptForADayBeginsAnew(t *testing.T) {
	w, x, h := filtered(t)
	w.clock = w.clock.Add(25 * time.Hour)
	w.owns(fresh, "pay_3")
	w.chain.mine(pays("a", fresh, 5), pays("b", stranger, 5))
	w.asks(x, h, 2)
	w.has("a confirming@10")
	x.Owners.Filter.Load(t.Context())
	w.chain.mine(pays("c", fresh, 5), pays("d", stranger, 5))
	w.asks(x, h, 1)
}

func TestAFilterThatCannotBeLoadedLetsTheTableBeAsked(t *testing.T) {
	w := newWorld(t, 10)
	w.filtered = true
	h := &table{after: func(call, _ string) error {
		if call == "Scan" {
			return errors.New("throttled")
		}
		return nil
	}}
	x := w.through(h)
	x.Owners.Filter.Load(t.Context())
	w.chain.mine(pays("a", ours, 5))
	w.pass(x)
	w.has("a confirming@10")
}

// What the filter holds is told before the watchers share it: they add to it as it is told of.
func TestAFilterIsToldOfBeforeItIsShared(t *testing.T) {
	w := newWorld(t, 10)
	w.filtered = true
	h := &table{}
	x := w.through(h)
	told := 0
	x.Owners.Filter.Log = slog.New(slog.NewTextHandler(writes(func(b []byte) {
		told++
		if _, err := x.Owners.Of(t.Context(), []string{stranger}); err != nil || h.keys != 1 || !bytes.Contains(b, []byte("addresses=2")) {
			t.Errorf("%d keys were asked for, %v: %s", h.keys, err, b)
		}
	}), nil))
	x.Owners.Filter.Load(t.Context())
	h.keys = 0
	if _, err := x.Owners.Of(t.Context(), []string{stranger}); err != nil || h.keys != 0 || told != 1 {
		t.Errorf("%d keys were asked for, told %d times, %v", h.keys, told, err)
	}
}

type writes func([]byte)

func (f writes) Write(b []byte) (int, error) {
	f(b)
	return len(b), nil
}

// Writers with clocks of their own make addresses, and payers pay at once, while two watchers look whose filters are loaded
// at some time or other. Whatever the chain holds is found the first time that its block is looked at.
func TestWhateverIsMadeAtWhateverMomentIsFoundThroughTheFilter(t *testing.T) {
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := newWorld(t, 10)
		w.filtered = true
		x, y := w.watcher(), w.watcher()
		w.pass(x)
		var want []string
		for n := range 60 {
			w.clock = w.clock.Add(time.Duration(r.IntN(300)) * time.Second)
			address := fmt.Sprintf("0x%040x", 0xb000+n)
			w.makes(address, fmt.Sprint("pay_", n), time.Duration(r.IntN(240)-120)*time.Second)
			name := fmt.Sprintf("%03d", n)
			w.chain.mine(pays(name, address, int64(n+1)))
			want = append(want, fmt.Sprintf("%s confirming@%d", name, w.chain.height()))
			switch r.IntN(8) {
			case 0:
				x.Owners.Filter.Load(t.Context())
			case 1:
				y.Owners.Filter.Load(t.Context())
			case 2:
				x = w.watcher()
			}
			w.chain.final = func(uint64) uint64 { return 0 }
			w.pass([]*watch.Watcher{x, y}[r.IntN(2)])
			w.has(want...)
		}
	}
}

func TestAFilterIsLoadedWhileTheLoopRuns(t *testing.T) {
	w := newWorld(t, 10)
	w.filtered = true
	x := w.watcher()
	f := w.function(x)
	f.Filter = x.Owners.Filter
	f.Filter.Now, f.Filter.Roster.Now = f.Now, f.Now
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	if _, err := f.Invoke(ctx, json.RawMessage(`{}`)); err != nil {
		t.Fatal(err)
	}
	h := &table{}
	x.Owners.Table = dynamo.Table{Client: w.through(h).Owners.Table.Client, Name: w.addresses.Name}
	for range 100 {
		h.keys = 0
		w.chain.mine(pays("x", stranger, 5))
		w.pass(x)
		if h.keys == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("the filter was never loaded")
}
