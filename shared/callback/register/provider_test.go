package register

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"

	"farrier/shared/callback"
)

// exchange is one of testdata/exchanges.json, which says where it is from.
type exchange struct {
	Webhook   string
	Key       string
	Addresses []string
	Request   struct {
		Method  string
		URL     string
		Headers map[string]string
		Body    any
	}
	Response struct {
		Status int
		Body   json.RawMessage
	}
	Statuses []int `json:"documented_statuses"`
}

func exchanges(t testing.TB) map[string]exchange {
	t.Helper()
	text, err := os.ReadFile("testdata/exchanges.json")
	var file struct{ Exchanges map[string]exchange }
	if err != nil || json.Unmarshal(text, &file) != nil || len(file.Exchanges) != len(providers) {
		t.Fatalf("%d exchanges for %d providers, %v", len(file.Exchanges), len(providers), err)
	}
	return file.Exchanges
}

func TestARequestIsTheDocumentedOne(t *testing.T) {
	for name, e := range exchanges(t) {
		r, err := providers[name].request(context.Background(), e.Webhook, e.Key, e.Addresses)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(r.Body)
		var body any
		if err := json.Unmarshal(text, &body); err != nil || !reflect.DeepEqual(body, e.Request.Body) {
			t.Errorf("%s: %s, %v", name, text, err)
		}
		if r.Method != e.Request.Method || r.URL.String() != e.Request.URL || r.ContentLength != int64(len(text)) {
			t.Errorf("%s: %s %s of %d bytes", name, r.Method, r.URL, r.ContentLength)
		}
		for header, value := range e.Request.Headers {
			if r.Header.Get(header) != value {
				t.Errorf("%s: %s: %q", name, header, r.Header.Get(header))
			}
		}
	}
}

func TestEachProviderThatIsToldHasItsAPI(t *testing.T) {
	var names []string
	for name := range providers {
		names = append(names, name)
	}
	slices.Sort(names)
	if !slices.Equal(names, callback.Registrars()) {
		t.Errorf("%v have an API here, %v are told", names, callback.Registrars())
	}
}

func TestEachDocumentedStatusIsOver(t *testing.T) {
	again := []int{429, 500, 503}
	for name, e := range exchanges(t) {
		for _, status := range e.Statuses {
			if status != http.StatusOK && passing(status) != slices.Contains(again, status) {
				t.Errorf("%s: %d comes again: %t", name, status, passing(status))
			}
		}
	}
}

func TestMoralisIsCalledNoMoreOftenThanItAllows(t *testing.T) {
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	slots := map[time.Time]bool{}
	for second := range 5 * 60 {
		now := noon.Add(time.Duration(second) * time.Second)
		delay := moralis.delay(now)
		if delay <= 0 || delay > 75*time.Second {
			t.Fatalf("held back for %s", delay)
		}
		slots[now.Add(delay)] = true
	}
	if len(slots) > 5 {
		t.Errorf("the jobs of five minutes come at %d times", len(slots))
	}
	if alchemy.delay(noon) != 0 {
		t.Error("alchemy's jobs are held back")
	}
}
