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

// fake is an endpoint in memory.
type fake struct {
	name   string
	wrong  error // what it says when it is asked for its chain
	says   int
	err    error
	asked  int // questions
	looked int // times that it was asked for its chain
	tip    int
	takes  time.Duration // what each answer takes
	took   time.Duration
}

func (f *fake) Slowest() time.Duration {
	defer func() { f.took = 0 }()
	return f.took
}

func (f *fake) Patience() time.Duration { return 15 * time.Second }

func (f *fake) Tip(context.Context) (uint64, error) { return uint64(f.tip), nil }

func (f *fake) Name() string { return f.name }

func (f *fake) OnChain(context.Context) error {
	f.looked++
	return f.wrong
}

func (f *fake) answer() (int, error) {
	f.asked++
	f.took = max(f.took, f.takes)
	return f.says, f.err
}

type world struct {
	t   *testing.T
	now time.Time
	*pool.Pool[*fake]
	news []string
}

func newWorld(t *testing.T, agree int, endpoints ...*fake) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)}
	p, err := pool.New(pool.Options{
		Chain: "eip155:1", Now: func() time.Time { return w.now }, Agree: agree, BlockTime: 2 * time.Second, Tell: w.told,
	}, endpoints...)
	if err != nil {
		t.Fatal(err)
	}
	w.Pool = p
	return w
}

func (w *world) told(n pool.News) {
	is := "is no longer"
	if n.Entered {
		is = "is"
	}
	if (n.Err != nil) != n.Entered || n.Chain != "eip155:1" {
		w.t.Errorf("%+v", n)
	}
	w.news = append(w.news, fmt.Sprintf("%s %s %s, %d resting", n.Endpoint, is, n.Kind, n.Resting))
}

func (w *world) put() (int, error) { return pool.Put(w.t.Context(), w.Pool, (*fake).answer) }

func (w *world) agreed() (int, error) {
	return pool.Agreed(w.t.Context(), w.Pool, func(a, b int) bool { return a == b }, (*fake).answer)
}

func (w *world) final() (uint64, error) {
	return pool.Final(w.t.Context(), w.Pool, false, func(f *fake) (uint64, error) {
		says, err := f.answer()
		return uint64(says), err
	})
}

var errDown = errors.New("down")

func TestTheNextEndpointAnswersWhereTheFirstIsInTrouble(t *testing.T) {
	a, b := &fake{name: "a", err: errDown}, &fake{name: "b", says: 2}
	w := newWorld(t, 0, a, b)
	for range 2 {
		if got, err := w.put(); got != 2 || err != nil {
			t.Errorf("%d, %v", got, err)
		}
	}
	if a.asked != 1 {
		t.Errorf("the one in trouble was asked %d times", a.asked)
	}
}

func TestNotFoundIsAnAnswerOnlyWhereNoOtherKnowsBetter(t *testing.T) {
	a, b := &fake{name: "a", err: chain.ErrNotFound}, &fake{name: "b", says: 2}
	w := newWorld(t, 0, a, b)
	if got, err := w.put(); got != 2 || err != nil {
		t.Errorf("%d, %v", got, err)
	}
	b.err = errDown
	if _, err := w.put(); !errors.Is(err, chain.ErrNotFound) || a.asked != 2 {
		t.Errorf("%v", err)
	}
}

func TestNotFoundStandsThoughOneThatWasOutvotedSaysOtherwise(t *testing.T) {
	a, b, c := &fake{name: "a", says: 7}, &fake{name: "b", says: 1}, &fake{name: "c", says: 1}
	w := newWorld(t, 0, a, b, c)
	if got, err := w.agreed(); got != 1 || err != nil {
		t.Fatal(got, err)
	}
	b.err, c.err = chain.ErrNotFound, errDown
	if got, err := w.put(); !errors.Is(err, chain.ErrNotFound) || got != 0 || a.asked != 1 {
		t.Errorf("%d, %v, the liar was asked %d times", got, err, a.asked)
	}
	b.err = errDown
	if got, err := w.put(); got != 7 || err != nil {
		t.Errorf("none in good order answers: %d, %v", got, err)
	}
}

func TestTwoMustTellTheSame(t *testing.T) {
	a, b := &fake{name: "a", says: 1}, &fake{name: "b", says: 1}
	w := newWorld(t, 0, a, b)
	if got, err := w.agreed(); got != 1 || err != nil || a.asked != 1 || b.asked != 1 {
		t.Errorf("%d, %v", got, err)
	}
	b.says = 2
	if got, err := w.agreed(); !errors.Is(err, chain.ErrUnsure) || got != 0 {
		t.Errorf("they differ: %d, %v", got, err)
	}
	b.err = errDown
	if _, err := w.agreed(); !errors.Is(err, chain.ErrUnsure) || !errors.Is(err, errDown) {
		t.Errorf("one is down: %v", err)
	}
	b.err = chain.ErrNotFound
	if _, err := w.agreed(); !errors.Is(err, chain.ErrUnsure) || errors.Is(err, chain.ErrNotFound) {
		t.Errorf("one knows nothing: %v", err)
	}
	a.err = chain.ErrNotFound
	if _, err := w.agreed(); !errors.Is(err, chain.ErrNotFound) {
		t.Errorf("both know nothing: %v", err)
	}
}

func TestAThirdDecidesAndTheLiarRests(t *testing.T) {
	a, b, c := &fake{name: "a", says: 7}, &fake{name: "b", says: 1}, &fake{name: "c", says: 1}
	w := newWorld(t, 0, a, b, c)
	if got, err := w.agreed(); got != 1 || err != nil {
		t.Errorf("%d, %v", got, err)
	}
	if got, err := w.put(); got != 1 || err != nil || a.asked != 1 {
		t.Errorf("the liar was asked: %d, %v", got, err)
	}
}

func TestWithOneEndpointItsWordIsTaken(t *testing.T) {
	for _, w := range []*world{newWorld(t, 0, &fake{says: 3}), newWorld(t, 1, &fake{says: 3}, &fake{says: 4})} {
		if got, err := w.agreed(); got != 3 || err != nil {
			t.Errorf("%d, %v", got, err)
		}
	}
	if _, err := newWorld(t, 0, &fake{err: errDown}).agreed(); !errors.Is(err, errDown) || errors.Is(err, chain.ErrUnsure) {
		t.Errorf("%v", err)
	}
}

func TestWhereOneWasAskedTooMuchAtOnceTheErrorIsThatAndNotUnsure(t *testing.T) {
	large := &jsonrpc.TooLargeError{Cap: 1}
	limit := &jsonrpc.RefusedError{Code: -32005}
	for _, x := range []struct {
		a, b   error
		unsure bool
	}{
		{nil, pool.Wide(large, 1, 2), false}, {pool.Wide(&jsonrpc.LateError{}, 1, 2), errDown, false}, {pool.Wide(large, 1, 2), pool.Wide(large, 1, 2), false},
		{nil, pool.Wide(large, 2, 2), true}, {nil, pool.Wide(limit, 1, 2), true}, {nil, pool.Wide(errDown, 1, 2), true}, {nil, errDown, true}, {nil, chain.ErrNotFound, true},
	} {
		a, b := &fake{name: "a", err: x.a}, &fake{name: "b", err: x.b}
		_, err := newWorld(t, 0, a, b).agreed()
		if errors.Is(err, chain.ErrUnsure) != x.unsure || !x.unsure && !jsonrpc.TooMuch(err) {
			t.Errorf("%v and %v: %v", x.a, x.b, err)
		}
	}
	hanging := &fake{name: "b", wrong: &jsonrpc.LateError{}}
	if _, err := newWorld(t, 0, &fake{name: "a"}, hanging).agreed(); !errors.Is(err, chain.ErrUnsure) {
		t.Errorf("one does not even say its chain: %v", err)
	}
}

func TestOursIsNoTroubleOfTheEndpoint(t *testing.T) {
	a, b := &fake{err: pool.Ours(errDown)}, &fake{says: 2}
	w := newWorld(t, 0, a, b)
	for range 2 {
		if _, err := w.put(); err != errDown || b.asked != 0 {
			t.Errorf("%v", err)
		}
	}
}

func TestMoreThanTheEndpointsCannotAgree(t *testing.T) {
	for _, agree := range []int{-1, 2} {
		if _, err := pool.New(pool.Options{Agree: agree}, &fake{}); err == nil {
			t.Errorf("agree %d of one endpoint", agree)
		}
	}
	if _, err := pool.New[*fake](pool.Options{}); err == nil {
		t.Error("no endpoint")
	}
}

func TestTheChainIsAskedForAgainAfterAMinuteAndAfterTrouble(t *testing.T) {
	a := &fake{says: 1}
	w := newWorld(t, 0, a)
	ask := func(want int) {
		t.Helper()
		if _, _ = w.put(); a.looked != want {
			t.Errorf("asked for its chain %d times, want %d", a.looked, want)
		}
	}
	ask(1)
	ask(1)
	w.now = w.now.Add(time.Minute)
	ask(2)
	a.err = errDown
	ask(2)
	a.err = nil
	ask(3)
	a.wrong = &pool.WrongChainError{Want: "1", Got: "2"}
	w.now = w.now.Add(time.Minute)
	asked := a.asked
	var wrong *pool.WrongChainError
	if _, err := w.put(); !errors.As(err, &wrong) || a.asked != asked {
		t.Errorf("%v", err)
	}
}

func TestEveryoneInGoodOrderIsToldAndThoseThatRestWhereNobodyElseAnswers(t *testing.T) {
	a, b, c := &fake{name: "a", err: errDown}, &fake{name: "b", says: 2}, &fake{name: "c", says: 3}
	w := newWorld(t, 0, a, b, c)
	every := func() ([]int, error) { return pool.Every(t.Context(), w.Pool, (*fake).answer) }
	for range 2 {
		if got, err := every(); fmt.Sprint(got) != "[2 3]" || err != nil {
			t.Errorf("%d, %v", got, err)
		}
	}
	if a.asked != 1 {
		t.Errorf("the one that rests was asked %d times", a.asked)
	}
	a.err, a.says, b.err, c.err = nil, 1, errDown, errDown
	if got, err := every(); fmt.Sprint(got) != "[1]" || err != nil {
		t.Errorf("%d, %v", got, err)
	}
	a.err = errDown
	if got, err := every(); err == nil {
		t.Errorf("nobody answers: %d", got)
	}
}
