package api

import (
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/event"
)

// tells records an event of a merchant that happened at a moment.
func (b *bench) tells(owner string, n int64, at time.Time) event.Event {
	b.t.Helper()
	name := "pay_" + exampleULID
	e, err := event.Derived(event.Origin{Table: "payments", Key: dynamo.Key{PK: owner, SK: name}, Version: n, At: at, Object: name}, event.PaymentPartial, map[string]any{"id": name, "n": n})
	if err == nil {
		err = b.Events.Record(b.t.Context(), e)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return e
}

// follows goes on until a page is empty.
func (b *bench) follows(key, query string) (names []string, next string) {
	b.t.Helper()
	for {
		r := b.get(key, "/v1/events", query).want(b.t, http.StatusOK)
		page := r.JSON["data"].([]any)
		next = r.text("next")
		if len(page) == 0 {
			return names, next
		}
		for _, one := range page {
			names = append(names, one.(map[string]any)["id"].(string))
		}
		query = "limit=2&after=" + next
	}
}

func TestEventsAreFollowedFromTheBeginningFromAMomentAndFromACursor(t *testing.T) {
	b := newBench(t)
	owner, key := b.merchant("events:read")
	began := b.now
	var all []string
	for n := range int64(5) {
		all = append(all, b.tells(owner, n+1, b.now).ID)
		b.now = b.now.Add(time.Second)
	}
	b.now = b.now.Add(time.Minute)
	for _, query := range []string{"after=", "after", "limit=1&after=", "from=0001-01-01T00:00:00Z", "from=" + url.QueryEscape(began.Format(time.RFC3339Nano))} {
		if got, _ := b.follows(key, query); !slices.Equal(got, all) {
			t.Errorf("%s: %v, want %v", query, got, all)
		}
	}
	got, next := b.follows(key, "from="+url.QueryEscape(began.Add(3*time.Second).Format(time.RFC3339Nano)))
	if !slices.Equal(got, all[3:]) {
		t.Errorf("from a moment: %v, want %v", got, all[3:])
	}
	b.now = b.now.Add(time.Minute)
	sixth := b.tells(owner, 6, b.now)
	b.now = b.now.Add(10 * time.Second)
	if got, _ := b.follows(key, "after="+next); !slices.Equal(got, []string{sixth.ID}) {
		t.Errorf("and then %v", got)
	}
	newest := b.get(key, "/v1/events", "").want(t, http.StatusOK).JSON["data"].([]any)
	if len(newest) != 6 || newest[0].(map[string]any)["id"] != sixth.ID {
		t.Errorf("the newest first: %v", newest)
	}
}

func TestWaysOfListingEventsAreNotMixed(t *testing.T) {
	b := newBench(t)
	_, key := b.merchant("events:read")
	for query, field := range map[string]string{
		"after=&cursor=eyJ9": "cursor", "from=2026-11-29T00:00:00Z&cursor=eyJ9": "cursor", "after=&from=2026-11-29T00:00:00Z": "from",
		"from=0001-01-01T00:00:00Z&cursor=eyJ9": "cursor", "after=&from=0001-01-01T00:00:00Z": "from",
		"from=yesterday": "from", "from=": "from", "after=!": "after", "after=e30": "after", "cursor=": "cursor",
	} {
		if r := b.get(key, "/v1/events", query).wantProblem(t, http.StatusUnprocessableEntity, "invalid"); !slices.Equal(r.fields(), []string{field}) {
			t.Errorf("%s: %s", query, r.Body)
		}
	}
}
