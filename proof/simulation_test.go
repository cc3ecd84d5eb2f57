package proof_test

import (
	"flag"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"farrier/proof"
)

// Where `go test` is not told otherwise: a few histories, always the same ones, of sixty steps on average.
var unlessAsked = map[string]string{"rapid.seed": "1", "rapid.checks": "20", "rapid.steps": "60"}

// TestHistories runs random histories, one for each seed: `make sim SEED=1 RUNS=200`. What fails is made
// smaller and printed as a timeline.
func TestHistories(t *testing.T) {
	flag.Visit(func(f *flag.Flag) { delete(unlessAsked, f.Name) })
	for name, value := range unlessAsked {
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	a, tables := account(t)
	began, tally := time.Now(), proof.Tally{}
	rapid.Check(t, func(t *rapid.T) {
		var settings []proof.Setting
		if rapid.Bool().Draw(t, "filtered") {
			settings = append(settings, proof.Filtered)
		}
		if more := [][]proof.Setting{nil, {proof.Ordered}, {proof.Limited}, {proof.Falling}}[rapid.IntRange(0, 3).Draw(t, "more endpoints")]; more != nil {
			settings = append(settings, more...)
		}
		h := proof.NewHistory(t, a, tables, settings...)
		steps := map[string]func(*rapid.T){}
		for _, name := range proof.Deck() {
			move, _, _ := strings.Cut(name, "#")
			steps[name] = func(t *rapid.T) { h.Do(step(t, move, true)) }
		}
		t.Repeat(steps)
		broken := h.End()
		tally.Add(h)
		if len(broken) > 0 {
			t.Fatalf("%s\n\n%s", strings.Join(broken, "\n"), h.Timeline())
		}
	})
	t.Logf("%s; %.1f histories a second", tally, float64(tally.Histories)/time.Since(began).Seconds())
}

// step is a random step of a kind. Half of the invocations meet trouble.
func step(t *rapid.T, move string, plans bool) proof.Step {
	s := proof.Step{Move: move, A: rapid.IntRange(0, 255).Draw(t, "a"), B: rapid.IntRange(0, 255).Draw(t, "b")}
	if plans && proof.Moves[move].Calls > 0 && rapid.Bool().Draw(t, "trouble") {
		s.Plan = append(s.Plan, trouble(t, proof.Moves[move]))
		if rapid.Bool().Draw(t, "more trouble") {
			s.Plan = append(s.Plan, trouble(t, proof.Moves[move]))
		}
	}
	return s
}

func trouble(t *rapid.T, with proof.Move) proof.Planned {
	p := proof.Planned{At: rapid.IntRange(1, with.Calls).Draw(t, "at")}
	if rapid.Bool().Draw(t, "meanwhile") {
		names := proof.Deck()
		if len(with.Rivals) > 0 && rapid.IntRange(0, 3).Draw(t, "anybody") < 3 {
			names = with.Rivals
		}
		move, _, _ := strings.Cut(rapid.SampledFrom(names).Draw(t, "move"), "#")
		s := step(t, move, false)
		p.Meanwhile = &s
		p.Writing = rapid.Bool().Draw(t, "before a write")
		return p
	}
	p.Fault = rapid.SampledFrom(proof.Faults).Draw(t, "fault")
	return p
}

func account(t testing.TB) (*proof.AWS, proof.Tables) {
	t.Helper()
	a := proof.NewAWS(config(t))
	return a, a.MakeTables(t)
}
