package pool_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"farrier/shared/chain"
	"farrier/shared/chain/jsonrpc"
	"farrier/shared/chain/pool"
)

func (w *world) after(d time.Duration) { w.now = w.now.Add(d) }

// heard is what was told since the last time.
func (w *world) heard(want ...string) {
	w.t.Helper()
	if fmt.Sprint(w.news) != fmt.Sprint(want) {
		w.t.Errorf("told %q, want %q", w.news, want)
	}
	w.news = nil
}

func TestAnEndpointInTroubleRestsTwiceAsLongEachTime(t *testing.T) {
	a, b := &fake{name: "a", err: errDown}, &fake{name: "b"}
	w := newWorld(t, 1, a, b)
	_, _ = w.put()
	asked := 1
	for _, rest := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 10 * time.Minute, 10 * time.Minute} {
		w.after(rest - 1)
		if _, err := w.put(); err != nil || a.asked != asked {
			t.Fatalf("%s: asked %d times while it rests, %v", rest, a.asked, err)
		}
		w.after(1)
		asked++
		for range 2 {
			if _, _ = w.put(); a.asked != asked {
				t.Fatalf("%s: tried %d times, want %d", rest, a.asked, asked)
			}
		}
	}
	w.heard("a is unreachable, 1 resting")
	a.err = nil
	w.after(10 * time.Minute)
	if _, err := w.put(); err != nil || a.asked != asked+1 {
		t.Error("it is not tried again")
	}
	w.heard("a is no longer unreachable, 0 resting")
	a.err = errDown // soon again: no fresh start
	_, _ = w.put()
	w.after(9 * time.Minute)
	if before := a.asked; w.putAsks(a) != before {
		t.Error("its rest began anew with half a minute")
	}
}

// putAsks is how often an endpoint was asked once a question has been put.
func (w *world) putAsks(f *fake) int {
	_, _ = w.put()
	return f.asked
}

func TestWhereAllRestTheyAreTriedAllTheSameAndTheirRestGrowsNoLonger(t *testing.T) {
	a := &fake{name: "a", err: errDown}
	w := newWorld(t, 0, a)
	for range 20 {
		if _, err := w.put(); !errors.Is(err, errDown) {
			t.Fatal(err)
		}
		w.after(time.Second)
	}
	if a.asked != 20 {
		t.Errorf("asked %d times", a.asked)
	}
	a.err = nil
	if _, err := w.put(); err != nil {
		t.Error(err)
	}
	w.heard("a is unreachable, 1 resting", "a is no longer unreachable, 0 resting")
}

func TestWhoAsksToBeLeftAloneIsLeftAloneWithinBounds(t *testing.T) {
	for said, honoured := range map[time.Duration]time.Duration{time.Second: time.Second, time.Minute: time.Minute, 240 * time.Hour: 10 * time.Minute} {
		a := &fake{name: "a", err: &jsonrpc.StatusError{Status: 429, RetryAfter: said}}
		w := newWorld(t, 0, a)
		_, _ = w.put()
		w.after(honoured - 1)
		var status *jsonrpc.StatusError
		if _, err := w.put(); !errors.As(err, &status) || a.asked != 1 {
			t.Errorf("%s: asked %d times, %v", said, a.asked, err)
		}
		if _, err := w.agreed(); !errors.As(err, &status) || a.asked != 1 {
			t.Errorf("%s: asked %d times, %v", said, a.asked, err)
		}
		w.after(1)
		if w.putAsks(a) != 2 {
			t.Errorf("%s: it is not asked after it", said)
		}
		w.heard("a is throttled, 1 resting")
	}
}

func TestTroubleIsToldByItsKind(t *testing.T) {
	for want, err := range map[string]error{
		"throttled":      &jsonrpc.StatusError{Status: 429},
		"wrong chain":    &pool.WrongChainError{Want: "1", Got: "2"},
		"strange answer": jsonrpc.Strange("m", "null"),
		"refused":        &jsonrpc.RefusedError{Code: -32601},
		"unreachable":    &jsonrpc.StatusError{Status: 502},
	} {
		w := newWorld(t, 0, &fake{name: "a", err: fmt.Errorf("wrapped: %w", err)})
		_, _ = w.put()
		w.heard("a is " + want + ", 1 resting")
	}
	for err, want := range map[error]string{
		&jsonrpc.StatusError{Status: 503, RetryAfter: time.Second}: "throttled",
		&jsonrpc.StatusError{Status: 401}:                          "refused",
		&jsonrpc.RefusedError{Code: -32005}:                        "throttled",
		&jsonrpc.TooLargeError{}:                                   "strange answer",
		fmt.Errorf("%w: no block", pool.ErrBehind):                 "lag",
	} {
		w := newWorld(t, 0, &fake{name: "a", err: err})
		_, _ = w.put()
		w.heard("a is " + want + ", 1 resting")
	}
}

func TestOneContradictionIsAReorganisationAndSeveralAreALie(t *testing.T) {
	a, b := &fake{name: "a", err: pool.ErrReorganised}, &fake{name: "b"}
	w := newWorld(t, 1, a, b)
	for range 5 {
		_, _ = w.put()
		w.after(2 * time.Minute)
	}
	w.heard()
	for range 3 {
		_, _ = w.put()
		w.after(15 * time.Second)
	}
	w.heard("a is strange answer, 1 resting")
}

func TestALiarIsToldAndBelievedAgainOnlyOnceItAgrees(t *testing.T) {
	a, b, c := &fake{name: "a", says: 7}, &fake{name: "b", says: 1}, &fake{name: "c", says: 1}
	w := newWorld(t, 0, a, b, c)
	if got, err := w.agreed(); got != 1 || err != nil {
		t.Fatal(got, err)
	}
	w.heard("a is disagrees, 1 resting")
	w.after(time.Minute)
	if w.putAsks(a) != 1 {
		t.Error("it was believed alone")
	}
	if got, err := w.agreed(); got != 1 || err != nil || a.asked != 2 {
		t.Errorf("tried: %d, %v", got, err)
	}
	w.heard()
	w.after(time.Hour)
	a.says = 1
	if got, err := w.agreed(); got != 1 || err != nil || a.asked != 3 {
		t.Errorf("tried: %d, %v", got, err)
	}
	w.heard("a is no longer disagrees, 0 resting")
	b.err, c.err = errDown, errDown
	a.says, a.err = 8, nil
	if got, err := w.put(); got != 8 || err != nil {
		t.Errorf("%d, %v", got, err)
	}
}

func TestTwoThatDifferAreToldOnceAndDecideNothing(t *testing.T) {
	a, b := &fake{name: "a", says: 1}, &fake{name: "b", says: 2}
	w := newWorld(t, 0, a, b)
	for range 3 {
		if _, err := w.agreed(); !errors.Is(err, chain.ErrUnsure) {
			t.Error(err)
		}
	}
	w.heard("a, b is disagrees, 0 resting")
	b.says = 1
	if got, err := w.agreed(); got != 1 || err != nil {
		t.Error(got, err)
	}
	w.heard("all is no longer disagrees, 0 resting")
}

// height asks for the head as a node does, and shows it.
func (w *world) height() (int, error) {
	return pool.Put(w.t.Context(), w.Pool, func(f *fake) (int, error) {
		says, err := f.answer()
		if err == nil {
			err = w.NotBehind(uint64(says))
		}
		if err == nil {
			w.Shown(uint64(says))
		}
		return says, err
	})
}

// lowest asks as many as must agree for the head.
func (w *world) lowest() (uint64, error) {
	return pool.Final(w.t.Context(), w.Pool, false, func(f *fake) (uint64, error) {
		says, err := f.answer()
		if err == nil {
			err = w.NotFarBehind(uint64(says))
		}
		return uint64(says), err
	})
}

func TestWhoIsSlowIsUsedAndThenLeftOut(t *testing.T) {
	a, b := &fake{name: "a", says: 1, takes: 6 * time.Second}, &fake{name: "b", says: 2, takes: 5 * time.Second}
	w := newWorld(t, 1, a, b)
	for want := range 2 {
		if got, err := w.put(); got != want+1 || err != nil {
			t.Errorf("%d, %v", got, err)
		}
	}
	w.heard("a is slow, 1 resting")
	w.after(time.Minute)
	if got, err := w.put(); got != 1 || err != nil {
		t.Errorf("tried: %d, %v", got, err)
	}
	w.after(59 * time.Second)
	if got, err := w.put(); got != 2 || err != nil {
		t.Errorf("still slow: %d, %v", got, err)
	}
	a.takes = time.Second
	w.after(time.Second)
	if got, err := w.put(); got != 1 || err != nil {
		t.Errorf("tried: %d, %v", got, err)
	}
	w.heard("a is no longer slow, 0 resting")
	slow := &fake{name: "a", says: 3, takes: 10 * time.Second}
	alone := newWorld(t, 0, slow)
	for range 3 {
		if got, err := alone.put(); got != 3 || err != nil {
			t.Errorf("there is no other: %d, %v", got, err)
		}
	}
}

func TestWhoHoldsTheLastOfTheCallersTimeIsSlow(t *testing.T) {
	for takes, told := range map[time.Duration]string{900 * time.Millisecond: "[]", 1100 * time.Millisecond: "[a is slow, 1 resting]"} {
		a := &fake{name: "a", takes: takes}
		w := newWorld(t, 1, a, &fake{name: "b"})
		ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-1))
		_, err := pool.Put(ctx, w.Pool, func(f *fake) (int, error) {
			_, _ = f.answer()
			return 0, ctx.Err()
		})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || fmt.Sprint(w.news) != told {
			t.Errorf("%s: %v, told %q", takes, err, w.news)
		}
	}
}

func TestWithAgreeOneWhoWasOutvotedLagsAndIsTriedAgain(t *testing.T) {
	a, b, c := &fake{name: "a", says: 1000, tip: 1000}, &fake{name: "b", says: 100, tip: 100}, &fake{name: "c", says: 101, tip: 101}
	w := newWorld(t, 1, a, b, c)
	_, _ = w.height()
	a.err = errDown // so that the others are asked, of which most say otherwise
	_, _ = w.height()
	a.err = nil
	w.after(time.Minute)
	asked := a.asked
	if a.says, a.tip = 102, 102; w.putAsks(a) != asked+1 {
		t.Errorf("it is never asked again: %q", w.news)
	}
}

func TestALaggingEndpointIsLeftOutUntilItHasCaughtUp(t *testing.T) {
	a, b := &fake{name: "a", says: 100}, &fake{name: "b", says: 101}
	w := newWorld(t, 0, a, b)
	_, _ = w.height()
	a.says, a.tip = 60, 60
	b.says = 110
	if got, err := w.height(); got != 110 || err != nil {
		t.Error(got, err)
	}
	w.heard("a is lag, 1 resting")
	w.after(30 * time.Second)
	if w.putAsks(a) != 2 {
		t.Error("it lags, and was asked something")
	}
	a.says, a.tip = 109, 109
	w.after(time.Hour)
	_, _ = w.put()
	w.heard("a is no longer lag, 0 resting")
}

func TestABlockOrTwoIsNoLag(t *testing.T) {
	a, b := &fake{name: "a", says: 100}, &fake{name: "b", says: 101}
	w := newWorld(t, 0, a, b)
	_, _ = w.height()
	a.says = 94 // 14 seconds
	if got, err := w.height(); got != 101 || err != nil {
		t.Error(got, err)
	}
	if got, err := w.lowest(); got != 94 || err != nil {
		t.Error(got, err)
	}
	w.heard()
}

func TestABlockThatIsNotKnownYetIsNoTroubleNearTheHead(t *testing.T) {
	for height, told := range map[uint64]string{101: "[]", 95: "[]", 80: "[a is lag, 1 resting]"} {
		a, b := &fake{name: "a", says: 100}, &fake{name: "b", says: 100}
		w := newWorld(t, 1, a, b)
		_, _ = w.height()
		got, err := pool.Put(t.Context(), w.Pool, func(f *fake) (int, error) {
			if f == a {
				return 0, w.Unknown(height)
			}
			return f.answer()
		})
		if got != 100 || err != nil || fmt.Sprint(w.news) != told {
			t.Errorf("block %d: %d, %v, told %q", height, got, err, w.news)
		}
	}
}

func TestOldBlocksThatMostHaveThrownAwaySayNothingOfTheirHeads(t *testing.T) {
	a, b, c := &fake{name: "a", says: 10_000, tip: 10_000}, &fake{name: "b", says: 10_000, tip: 10_000}, &fake{name: "c", says: 10_000, tip: 10_000}
	w := newWorld(t, 2, a, b, c)
	w.Shown(10_000)
	b.err, c.err = w.Unknown(500), w.Unknown(500)
	if got, err := w.agreed(); !errors.Is(err, chain.ErrUnsure) {
		t.Error(got, err)
	}
	w.heard("b is lag, 1 resting", "c is lag, 2 resting")
	if err := w.NotBehind(9_000); !errors.Is(err, pool.ErrBehind) {
		t.Errorf("what was seen is forgotten: %v", err)
	}
	b.err, c.err = nil, nil
	w.after(time.Minute)
	if got, err := w.agreed(); got != 10_000 || err != nil {
		t.Error(got, err)
	}
}

func TestWhatWasToldAlikeIsNotUndoneByThoseBelowIt(t *testing.T) {
	a, b, c := &fake{name: "a", says: 1000}, &fake{name: "b", says: 100}, &fake{name: "c", says: 101}
	w := newWorld(t, 0, a, b, c)
	w.ToldAlike(1000)
	if got, err := w.height(); got != 1000 || err != nil {
		t.Fatal(got, err)
	}
	if got, err := w.lowest(); !errors.Is(err, chain.ErrUnsure) {
		t.Fatal(got, err)
	}
	w.heard("b is lag, 1 resting", "c is lag, 2 resting")
	if err := w.NotBehind(101); !errors.Is(err, pool.ErrBehind) {
		t.Error(err)
	}
}

func TestAHeadThatMostAreBehindIsNoHead(t *testing.T) {
	a, b, c := &fake{name: "a", says: 1000}, &fake{name: "b", says: 100}, &fake{name: "c", says: 101}
	w := newWorld(t, 0, a, b, c)
	if got, err := w.height(); got != 1000 || err != nil {
		t.Fatal(got, err)
	}
	if got, err := w.lowest(); !errors.Is(err, chain.ErrUnsure) {
		t.Fatal(got, err)
	}
	w.heard("b is lag, 1 resting", "c is lag, 2 resting", "b is no longer lag, 1 resting", "c is no longer lag, 0 resting", "a is disagrees, 1 resting")
	if got, err := w.lowest(); got != 100 || err != nil {
		t.Error(got, err)
	}
	if got, err := w.height(); got != 100 && got != 101 || err != nil {
		t.Error(got, err)
	}
}

func TestAHeadThatNoChainCanHaveReachedIsNotBelieved(t *testing.T) {
	a, b := &fake{name: "a", says: 1_000_000}, &fake{name: "b", says: 1_000_010}
	w := newWorld(t, 0, a, b)
	_, _ = w.height()
	w.after(10 * time.Minute)
	a.says = 1_010_000
	if got, err := w.height(); got != 1_000_010 || err != nil {
		t.Error(got, err)
	}
	w.heard("a is strange answer, 1 resting")
	w.after(24 * time.Hour) // the chain, or the watch, stood still for a day
	a.says, b.says = 1_040_000, 1_040_000
	if got, err := w.height(); got != 1_040_000 || err != nil {
		t.Error(got, err)
	}
}

func TestABlockThatIsYetToComeIsStrange(t *testing.T) {
	w := newWorld(t, 0, &fake{})
	for early, ok := range map[time.Duration]bool{-time.Hour: true, 2 * time.Hour: true, 2*time.Hour + 1: false} {
		if err := w.NotFromTheFuture("m", chain.Block{Time: w.now.Add(early)}); (err == nil) != ok {
			t.Errorf("%s: %v", early, err)
		}
	}
}

func TestATrialThatDiedIsTriedAgain(t *testing.T) {
	a, b := &fake{name: "a", err: errDown}, &fake{name: "b"}
	w := newWorld(t, 1, a, b)
	_, _ = w.put()
	w.after(time.Minute)
	func() {
		defer func() { _ = recover() }()
		_, _ = pool.Put(context.Background(), w.Pool, func(*fake) (int, error) { panic("dead") })
	}()
	if before := a.asked; w.putAsks(a) != before {
		t.Error("two try it at once")
	}
	w.after(2 * time.Minute)
	if before := a.asked; w.putAsks(a) != before+1 {
		t.Error("it is never tried again")
	}
}
