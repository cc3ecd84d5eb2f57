package proof_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestStackAnEndpointsTroubleIsToldToTheOthersAndToWhoeverPolls: the endpoints' stream and its filter, the topic, and the
// list of events that can be followed.
func TestStackAnEndpointsTroubleIsToldToTheOthersAndToWhoeverPolls(t *testing.T) {
	s := onStack(t)
	var listener, other struct{ ID string }
	s.post("/v1/webhook-endpoints", map[string]any{"url": s.shop.URL, "events": []string{"endpoint.*"}, "payload": "thin"}, &listener)
	t.Cleanup(func() { s.request(http.MethodDelete, "/v1/webhook-endpoints/"+listener.ID, nil, nil) })
	s.post("/v1/webhook-endpoints", map[string]any{"url": s.shop.URL + "/hooks?key=7f3a", "events": []string{"*"}}, &other)
	t.Cleanup(func() { s.request(http.MethodDelete, "/v1/webhook-endpoints/"+other.ID, nil, nil) })

	cursor := "after="
	follow := func() (page struct {
		Data []struct {
			ID, Type, Object string
			Data             map[string]any
		}
		Next string
	}) {
		if status := s.request(http.MethodGet, "/v1/events?limit=100&"+cursor, nil, &page); status != http.StatusOK || page.Next == "" {
			t.Fatalf("GET /v1/events?%s: %d, next %q", cursor, status, page.Next)
		}
		cursor = "after=" + page.Next
		return page
	}
	for len(follow().Data) > 0 { // what happened before
	}
	if status := s.request(http.MethodPost, "/v1/webhook-endpoints/"+other.ID+"/disable", nil, nil); status != http.StatusOK {
		t.Fatalf("disable: %d", status)
	}
	s.until("the webhook to the other endpoint", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, told := range s.told {
			if told.event.Type == "endpoint.disabled" && strings.Contains(string(told.body), `"data":{"id":"`+other.ID+`","object":"endpoint"}`) {
				return true
			}
		}
		return false
	})
	s.until("the event to whoever polls", func() bool {
		for _, e := range follow().Data {
			if e.Object == other.ID {
				if e.Type != "endpoint.disabled" || e.Data["reason"] != "by request" || e.Data["server"] != s.shop.URL {
					t.Errorf("%+v", e)
				}
				return true
			}
		}
		return false
	})
}
