package watch_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"farrier/shared/chain"
)

// counted is a chain whose node has asked three calls in one request for each question, of an endpoint in trouble.
type counted struct{ *fakeChain }

func (c counted) Counts() chain.Counts {
	return chain.Counts{Requests: int64(c.questions), Calls: 3 * int64(c.questions), Resting: 1}
}

func TestWhatAMinuteTakesOfTheNodesIsTold(t *testing.T) {
	w := newWorld(t, 10)
	x := w.watcher()
	x.Node = counted{w.chain}
	w.pass(x)
	w.chain.mineEmpty(12)
	f := w.function(x)
	before := w.chain.questions
	s := f.minute()[0]
	asked := int64(w.chain.questions - before)
	if s.Requests != asked || s.Calls != 3*asked || s.Resting != 1 || s.Blocks != 12 || s.PerBlock != 100*s.Calls/12 || asked == 0 {
		t.Errorf("%+v after %d questions", s, asked)
	}
	for _, metric := range []string{"NodeRequests", "NodeCalls", "EndpointsResting"} {
		if !strings.Contains(f.metrics.String(), `"`+metric+`":`) {
			t.Errorf("%s is not told", metric)
		}
	}
}

func TestAFinalHeightThatStandsStillWhileADepositWaitsIsCounted(t *testing.T) {
	w, x := large(t)
	f := w.function(x)
	counted := func(stands bool) {
		t.Helper()
		w.clock = w.clock.Add(time.Minute) // the next one's lease
		f.metrics.Reset()
		want := fmt.Sprintf(`"FinalityStands":%d`, map[bool]int{true: 1}[stands])
		if sums := f.minute(); sums[0].Stands != stands || !strings.Contains(f.metrics.String(), want) {
			t.Errorf("%+v, want %s", sums[0], want)
		}
	}
	after := func(d time.Duration) { w.clock = w.clock.Add(d); w.chain.mine() }
	w.chain.final = func(uint64) uint64 { return 5 } // an endpoint's tag stands still
	after(2 * time.Hour)
	counted(false) // nobody waits
	w.chain.mine(pays("a", ours, 5))
	counted(false)
	for range 3 {
		after(7 * time.Minute)
		counted(false)
	}
	after(7 * time.Minute)
	counted(true)
	f.Watchers[0] = w.watcher() // a new process knows as well
	f.Watchers[0].Now = f.Now
	counted(true)
	w.chain.final = func(head uint64) uint64 { return head - 1 }
	after(time.Second)
	counted(false)
	w.has("a final@11")
	w.chain.mine(pays("b", ours, 1000)) // large: it waits for six blocks more, and the final height moves with it
	counted(false)
	for range 7 {
		after(time.Second)
		counted(false)
	}
	w.has("a final@11", "b final@17")
}
