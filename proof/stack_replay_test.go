package proof_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

// sending is a task, alone or as the answer that began it.
type sending struct {
	ID, State string
	Progress  struct{ Sent int }
	Task      *sending
}

func (s *stack) done(what string, begun sending) sending {
	s.t.Helper()
	var now sending
	s.until(what, func() bool {
		s.request(http.MethodGet, "/v1/tasks/"+begun.Task.ID, nil, &now)
		return now.State != "running"
	})
	if now.State != "done" {
		s.t.Fatalf("%s: %+v", what, now)
	}
	return now
}

func TestStackWhatAnEndpointMissedIsRecoveredAndWhatItGotIsReplayed(t *testing.T) {
	s := onStack(t)
	var mu sync.Mutex
	got := map[string][]string{} // the webhook-ids, by the header webhook-replay
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		why := r.Header.Get("webhook-replay")
		got[why] = append(got[why], r.Header.Get("webhook-id"))
	}))
	t.Cleanup(server.Close)
	count := func(why string) int {
		mu.Lock()
		defer mu.Unlock()
		return len(got[why])
	}
	var endpoint struct {
		ID          string
		MissedSince string `json:"missed_since"`
	}
	s.post("/v1/webhook-endpoints", map[string]any{"url": server.URL, "events": []string{"payment.cancelled"}}, &endpoint)
	one := "/v1/webhook-endpoints/" + endpoint.ID
	t.Cleanup(func() { s.request(http.MethodDelete, one, nil, nil) })
	s.post(one+"/disable", nil, nil)
	began := time.Now().Add(-time.Second).UTC()
	for i := range 3 {
		var p asked
		s.post("/v1/payments", map[string]any{"asset": s.Asset, "amount": "1.00", "reference": fmt.Sprintf("replay-%d-%d", i, time.Now().UnixNano()), "expires_in": 3600}, &p)
		s.post("/v1/payments/"+p.ID+"/cancel", nil, nil)
		s.until("another endpoint is told", func() bool { return len(s.toldOf(p)["payment.cancelled"]) > 0 })
	}
	ended := time.Now().UTC()
	s.post(one+"/enable", nil, &endpoint)
	if endpoint.MissedSince == "" {
		t.Fatal("nothing is offered")
	}
	var begun sending
	s.post(one+"/recover", map[string]any{"rate": 100}, &begun)
	s.until("what was missed", func() bool { return count("recover") >= 3 })
	if done := s.done("the recover", begun); done.Progress.Sent != 3 {
		t.Errorf("%+v", done)
	}
	begun = sending{}
	s.post(one+"/replay", map[string]any{"from": began, "until": ended, "rate": 100}, &begun)
	if done := s.done("the replay", begun); done.Progress.Sent != 3 {
		t.Errorf("%+v", done)
	}
	s.until("what is replayed", func() bool { return count("replay") >= 3 })
	mu.Lock()
	defer mu.Unlock()
	first, again := slices.Compact(slices.Sorted(slices.Values(got["recover"]))), slices.Compact(slices.Sorted(slices.Values(got["replay"])))
	if len(got[""]) != 0 || len(first) != 3 || !slices.Equal(first, again) {
		t.Errorf("%v", got)
	}
}

func TestStackDeadLettersAreLookedAtAndPutBack(t *testing.T) {
	s := onStack(t)
	merchant := s.MerchantKey
	s.MerchantKey = s.OperatorKey
	t.Cleanup(func() { s.MerchantKey = merchant })
	var pile struct{ About *int }
	if status := s.request(http.MethodGet, "/v1/dead-letters", nil, &pile); status != http.StatusOK || pile.About == nil {
		t.Fatalf("%d %+v", status, pile)
	}
	var begun sending
	s.post("/v1/dead-letters/redrive", nil, &begun)
	s.done("the redrive", begun)
}
