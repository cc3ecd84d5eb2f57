package webhook

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"farrier/shared/event"
	"farrier/shared/outside"
)

var broken = outcome{Status: 500, Trouble: "status 500: only 2xx is success"}

// inVain is a state after so many attempts in vain, a minute apart, each when it may be made.
func inVain(n int, o outcome) (State, time.Time) {
	s, now := State{}, noon
	for range n {
		trying := s.RestUntil != nil
		if s.resting(now) {
			now = *s.RestUntil
		}
		s = s.failed(o, trying, now, now)
		now = now.Add(time.Minute)
	}
	return s, now
}

func TestAnEndpointRestsAfterFiveAttemptsInVainAndLongerEachTime(t *testing.T) {
	if s, _ := inVain(4, broken); s.RestUntil != nil || s.Streak != 4 || s.Line != "" {
		t.Errorf("after four: %+v", s)
	}
	s, now := inVain(5, broken)
	now = now.Add(-time.Minute)
	var lengths []time.Duration
	for range 8 {
		lengths = append(lengths, s.RestUntil.Sub(now))
		if !s.resting(now) || s.toBeTried(now) || s.Line != lined {
			t.Errorf("it does not rest: %+v", s)
		}
		now = *s.RestUntil
		if s.resting(now) || !s.toBeTried(now) {
			t.Error("its rest has no end")
		}
		if s = s.trial(now); !s.resting(now) {
			t.Error("while one tries it, others do too")
		}
		now = now.Add(time.Second)
		s = s.failed(broken, true, now, now)
	}
	want := []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second, 80 * time.Second, 160 * time.Second, longestRest, longestRest, longestRest}
	if !slices.Equal(lengths, want) {
		t.Errorf("it rests %v, want %v", lengths, want)
	}
}

func TestAnEndpointThatSaysItCannotIsSparedAtOnce(t *testing.T) {
	for _, c := range []struct {
		o    outcome
		rest time.Duration
	}{
		{outcome{Status: 429}, firstRest}, {outcome{Status: 502}, firstRest}, {outcome{Status: 503}, firstRest}, {outcome{Status: 504}, firstRest},
		{outcome{Status: 429, RetryAfter: 3 * time.Minute}, 3 * time.Minute},
		{outcome{Status: 429, RetryAfter: time.Second}, firstRest},
		{outcome{Status: 503, RetryAfter: 30 * 24 * time.Hour}, askedRest},
		{outcome{Status: 500, RetryAfter: 2 * time.Minute}, 2 * time.Minute},
		{outcome{Status: 500}, 0}, {outcome{Status: 404}, 0}, {outcome{Status: 302}, 0}, {outcome{Trouble: outside.NoConnection}, 0}, {outcome{Trouble: outside.NoTime}, 0},
	} {
		s := State{}.failed(c.o, false, noon, noon)
		if rest := c.rest > 0; rest != s.resting(noon) || (rest && s.RestUntil.Sub(noon) != c.rest) {
			t.Errorf("%+v: %+v", c.o, s.RestUntil)
		}
	}
	if s, now := inVain(2, outcome{Trouble: outside.NoTime}); !s.resting(now.Add(-time.Minute)) {
		t.Error("one that hangs twice goes on being called")
	}
}

func TestWhatWasUnderWayWhenARestBeganTellsNothingNew(t *testing.T) {
	s, now := inVain(5, broken)
	now = now.Add(-time.Minute + time.Second)
	if after := s.failed(broken, false, now.Add(-10*time.Second), now); after.Streak != 5 || !after.RestUntil.Equal(*s.RestUntil) || after.Rests != 1 {
		t.Errorf("%+v", after)
	}
	if after := s.succeeded(); !after.clear() || after.Line != lined {
		t.Errorf("a success beside it does not end the rest, or forgets the line: %+v", after)
	}
}

func TestAMerchantIsToldOnceThatAnEndpointFailsAndOnceThatItIsBack(t *testing.T) {
	s, now := State{}, noon
	told := 0
	for range 200 {
		s.Events = nil
		s = s.failed(broken, s.RestUntil != nil, now, now)
		told += len(s.Events)
		if early := now.Sub(noon) < failingTold; early == s.Told {
			t.Fatalf("after %s told is %t", now.Sub(noon), s.Told)
		}
		now = now.Add(time.Minute)
	}
	s.Events = nil
	back := s.succeeded()
	if told != 1 || !slices.Equal(back.Events, []string{string(event.EndpointRecovered)}) || back.Told {
		t.Errorf("told %d times, %+v", told, back)
	}
	back.Events = nil
	if again := back.succeeded(); len(again.Events) != 0 {
		t.Error("told twice that it is back")
	}
	if s, _ := inVain(3, broken); len(s.succeeded().Events) != 0 {
		t.Error("its merchant hears of an end of which it never heard the beginning")
	}
}

// In any second, at most as many attempts have their turns as the limit says, and one more for the second's ends.
func TestNoMoreAttemptsHaveTheirTurnsInASecondThanTheLimitSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 1000).Draw(t, "limit")
		var all []time.Time
		s, now := State{}, noon
		for range rapid.IntRange(1, 30).Draw(t, "asked") {
			now = now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "later")) * time.Millisecond)
			ahead := time.Duration(rapid.SampledFrom([]int{0, 1, 10}).Draw(t, "ahead")) * time.Second
			var turns []time.Time
			s, turns = s.turns(limit, rapid.IntRange(0, 50).Draw(t, "wanted"), now, ahead)
			for _, turn := range turns {
				if turn.Before(now) || turn.After(now.Add(ahead)) {
					t.Fatalf("a turn at %s, now %s", turn, now)
				}
			}
			all = append(all, turns...)
		}
		for i, first := range all {
			n := 0
			for _, turn := range all[i:] {
				if turn.Sub(first) < time.Second {
					n++
				}
			}
			if n > limit+1 {
				t.Fatalf("%d turns in the second after %s", n, first)
			}
		}
		if s, turns := (State{}).turns(limit, 1, noon, 0); len(turns) != 1 || s.NextTurn == nil {
			t.Fatal("the first has to wait")
		}
	})
}

func TestTheURLThatAnsweredIsUsedFirstForAWhile(t *testing.T) {
	s := State{}.using(0, noon)
	if s.Using != 0 || s.UsingUntil != nil {
		t.Errorf("the first is remembered: %+v", s)
	}
	s = s.using(2, noon)
	if s.from(noon.Add(time.Minute)) != 2 || s.from(noon.Add(slowFor)) != 0 {
		t.Errorf("%+v", s)
	}
	if later := s.using(2, noon.Add(time.Minute)); !later.UsingUntil.Equal(*s.UsingUntil) {
		t.Error("each success is a write")
	}
	if later := s.using(2, noon.Add(6*time.Minute)); later.UsingUntil.Equal(*s.UsingUntil) {
		t.Error("it is forgotten while it is in use")
	}
}
