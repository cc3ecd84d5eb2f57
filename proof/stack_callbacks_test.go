package proof_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// heard is a callback as the API lists it.
type heard struct{ ID, Event, Outcome string }

// listed are a connection's callbacks by time.
func (s *stack) listed(connection, query string) []heard {
	s.t.Helper()
	var list struct{ Data []heard }
	if status := s.request(http.MethodGet, "/v1/callbacks?connection="+connection+query, nil, &list); status != http.StatusOK {
		s.t.Fatalf("GET /v1/callbacks: %d", status)
	}
	return list.Data
}

func TestStackACallbackInTroubleIsMendedAndReadAgain(t *testing.T) {
	s := onStack(t)
	var connection struct{ ID, Secret, CallbackURL string }
	s.post("/v1/connections", map[string]any{
		"provider": "standard-webhooks", "chain": "eip155:31337", "version_path": "version", "versions": []string{"2"},
	}, &connection)
	began := time.Now().Add(-time.Second).UTC().Format(time.RFC3339)
	if status, body := s.raw(connection.CallbackURL, connection.Secret, "evt-1", `{"version":"1","data":{}}`); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	outcome := func() string {
		if list := s.listed(connection.ID, "&from="+began); len(list) == 1 {
			return list[0].Outcome
		}
		return ""
	}
	s.until("the outcome", func() bool { return outcome() == "unknown_version" })
	if list := s.listed(connection.ID, "&until="+began); len(list) != 0 {
		t.Errorf("before it came: %+v", list)
	}
	path := "/v1/connections/" + connection.ID
	if status := s.request(http.MethodPatch, path, map[string]any{"version": 1, "versions": []string{"1", "2"}}, nil); status != http.StatusOK {
		t.Fatalf("PATCH: %d", status)
	}
	var again heard
	s.post("/v1/callbacks/"+s.listed(connection.ID, "")[0].ID+"/reprocess", nil, &again)
	s.until("the outcome is cleared", func() bool { return outcome() == "accepted" })
	if again.Event != "evt-1" {
		t.Errorf("%+v", again)
	}
}

func TestStackASecretIsRotatedAndAnOrderHasItsAddress(t *testing.T) {
	s := onStack(t)
	id := s.connection[strings.LastIndex(s.connection, "/")+1:]
	var changed struct {
		Secret  string
		Secrets []struct{ Fingerprint, Ends string }
	}
	if status := s.request(http.MethodPatch, "/v1/connections/"+id, map[string]any{"version": 1, "new_secret": true}, &changed); status != http.StatusOK {
		t.Fatalf("PATCH: %d", status)
	}
	if len(changed.Secrets) != 2 || changed.Secrets[0].Ends == "" || changed.Secrets[1].Ends != "" {
		t.Errorf("%+v", changed.Secrets)
	}
	for _, secret := range []string{s.signing, changed.Secret} { // nothing of the connection was remembered yet
		if status, body := s.raw(s.connection, secret, "evt-"+secret[6:12], "{}"); status != http.StatusOK {
			t.Errorf("%d %s", status, body)
		}
	}
	var wallet, order struct{ ID, CallbackURL string }
	s.post("/v1/connections", map[string]any{"provider": "tokenpocket"}, &wallet)
	s.post("/v1/connections/"+wallet.ID+"/order-addresses", map[string]any{"order": "order 7&8"}, &order)
	called := func(address string) (int, string) {
		answer, err := http.Post(address, "application/json", strings.NewReader(`{"result":0,"actionId":"a"}`)) // #nosec G107 -- a test's own address
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		text := make([]byte, 100)
		n, _ := answer.Body.Read(text)
		return answer.StatusCode, string(text[:n])
	}
	if status, body := called(order.CallbackURL); status != http.StatusOK || body != `{"code":0}` {
		t.Errorf("%d %s", status, body)
	}
	other := strings.Replace(order.CallbackURL, url.QueryEscape("order 7&8"), "order+9", 1)
	if status, _ := called(other); other == order.CallbackURL || status != http.StatusUnauthorized {
		t.Errorf("another order: %d", status)
	}
}
