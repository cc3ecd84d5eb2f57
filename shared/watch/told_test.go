package watch_test

import (
	"strings"
	"testing"
	"time"

	"farrier/shared/chain"
	"farrier/shared/chain/jsonrpc"
	"farrier/shared/chain/pool"
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

func TestAnEndpointInTroubleIsLoggedAndCountedByItsName(t *testing.T) {
	w := newWorld(t, 1)
	f := w.function(w.watcher())
	n := pool.News{Chain: someChain, Endpoint: "node.example", Kind: pool.Throttled, Entered: true, Err: &jsonrpc.StatusError{Status: 429, RetryAfter: time.Second}, Resting: 1}
	f.Endpoint(n)
	n.Entered, n.Err, n.Resting = false, nil, 0
	f.Endpoint(n)
	for _, part := range []string{"in trouble", "well again", "node.example", "throttled", "429"} {
		if !strings.Contains(f.log.String(), part) {
			t.Errorf("the log has no %q: %s", part, f.log)
		}
	}
	if got := f.metrics.String(); strings.Count(got, `"EndpointTrouble":1`) != 1 || !strings.Contains(got, `"kind":"throttled"`) {
		t.Errorf("%s", got)
	}
}
