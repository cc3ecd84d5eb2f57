package pool_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"farrier/shared/chain"
	"farrier/shared/chain/pool"
)

// head asks for the head as a node does; blocks come every two seconds, and the block 1000 is from now.
func (w *world) head() (uint64, error) {
	block := func(height int) chain.Block {
		return chain.Block{Height: uint64(height), Time: w.now.Add(time.Duration(height-1000) * 2 * time.Second)}
	}
	at := func(_ context.Context, height uint64) (chain.Block, error) { return block(int(height)), nil }
	got, err := pool.Head(w.t.Context(), w.Pool, at, func(f *fake) (chain.Block, error) {
		says, err := f.answer()
		return block(says), err
	})
	return got.Height, err
}

func TestTheHeadIsTheLowestOfAsManyAsMustAgree(t *testing.T) {
	for _, x := range []struct {
		a, b, c   *fake
		want      uint64
		told      []string
		thirdToo  bool
		seenSoFar uint64
	}{
		{a: &fake{says: 1000}, b: &fake{says: 999}, c: &fake{says: 998}, want: 999},
		{a: &fake{says: 1700}, b: &fake{says: 1000}, c: &fake{says: 1000}, want: 1000}, // made up, and not the oldest
		{a: &fake{says: 1000}, b: &fake{name: "b", says: 900}, c: &fake{says: 999}, want: 999, told: []string{"b is lag, 1 resting"}, thirdToo: true},
		{a: &fake{name: "a", says: 900}, b: &fake{says: 1000}, c: &fake{says: 999}, want: 999, told: []string{"a is lag, 1 resting"}, thirdToo: true},
		{a: &fake{says: 1000}, b: &fake{name: "b", err: errDown}, c: &fake{says: 999}, want: 999, told: []string{"b is unreachable, 1 resting"}, thirdToo: true},
		{a: &fake{says: 1000}, b: &fake{says: 997}, c: &fake{says: 1000}, want: 999, seenSoFar: 999}, // a little below what was shown
	} {
		w := newWorld(t, 0, x.a, x.b, x.c)
		if x.seenSoFar > 0 {
			w.Shown(x.seenSoFar)
		}
		if got, err := w.head(); got != x.want || err != nil || (x.c.asked > 0) != x.thirdToo {
			t.Errorf("%d %d %d: %d, %v, the third was asked %d times", x.a.says, x.b.says, x.c.says, got, err, x.c.asked)
		}
		w.heard(x.told...)
	}
}

func TestWhereOneAloneAnswersTheHeadIsItsOwn(t *testing.T) {
	a, b := &fake{name: "a", says: 1000}, &fake{name: "b", err: errDown}
	w := newWorld(t, 0, a, b)
	for range 2 {
		if got, err := w.head(); got != 1000 || err != nil {
			t.Error(got, err)
		}
	}
	if b.asked != 1 {
		t.Errorf("the one that rests was asked %d times", b.asked)
	}
	a.err = errDown
	if _, err := w.head(); !errors.Is(err, errDown) {
		t.Error(err)
	}
}

func TestFinalIsWhatAsManyAsMustAgreeHaveReached(t *testing.T) {
	for _, x := range []struct {
		says [3]int
		want uint64
		all  bool
		told []string
	}{
		{says: [3]int{100, 95, 100}, want: 95},
		{says: [3]int{100, 50, 99}, want: 99, all: true, told: []string{"b is lag, 1 resting"}},
		{says: [3]int{900, 50, 49}, want: 50, all: true},
	} {
		a, b, c := &fake{name: "a", says: x.says[0]}, &fake{name: "b", says: x.says[1]}, &fake{name: "c", says: x.says[2]}
		w := newWorld(t, 0, a, b, c)
		if got, err := w.final(); got != x.want || err != nil || (c.asked > 0) != x.all {
			t.Errorf("%v: %d, %v, the third was asked %d times", x.says, got, err, c.asked)
		}
		w.heard(x.told...)
	}
	a, b := &fake{says: 5}, &fake{err: errDown}
	if got, err := newWorld(t, 0, a, b).final(); !errors.Is(err, chain.ErrUnsure) || got != 0 {
		t.Errorf("one answers: %d, %v", got, err)
	}
	if got, err := newWorld(t, 0, a, &fake{says: 900}).final(); got != 5 || err != nil {
		t.Errorf("two differ and there is no third: %d, %v", got, err)
	}
}
