package event

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"pgregory.net/rapid"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/parts"
	"farrier/shared/problem"
)

// shelf is an events table with a clock of its own, and what happens before each of its calls to the store.
type shelf struct {
	Store
	now    time.Time
	before func() error
	client aws.HTTPClient
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	s := &shelf{now: origin.At, client: cloud.HTTPClient()}
	cfg := parts.Config(t, "FARRIER_TEST_DYNAMODB")
	cfg.HTTPClient, cfg.Retryer = s, func() aws.Retryer { return aws.NopRetryer{} }
	s.Store = Store{Table: dynamo.Table{Client: dynamodb.NewFromConfig(cfg), Name: parts.Table(t).Name}, Now: func() time.Time { return s.now }}
	return s
}

// Do is the SDK's HTTP client.
func (s *shelf) Do(r *http.Request) (*http.Response, error) {
	if s.before != nil {
		if err := s.before(); err != nil {
			return nil, err
		}
	}
	return s.client.Do(r)
}

// happened is an event of a merchant that happened at a moment.
func happened(t interface {
	Helper()
	Fatal(...any)
}, merchant string, n int64, at time.Time) Event {
	t.Helper()
	o := origin
	o.Key.PK, o.Version, o.At = merchant, n, at
	e, err := Derived(o, PaymentPaid, n)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (s *shelf) records(t *testing.T, events ...Event) {
	t.Helper()
	for _, e := range events {
		if err := s.Record(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
}

// reads reads on until a page is empty, and gives the ids and the cursor.
func (s *shelf) reads(t *testing.T, limit int32, cursor string) (names []string, next string) {
	t.Helper()
	for {
		page, next, err := s.Feed(t.Context(), origin.Key.PK, limit, cursor)
		if err != nil {
			t.Fatal(err)
		}
		if next == "" || len(page) > int(limit) {
			t.Fatalf("%d events, next %q", len(page), next)
		}
		if cursor = next; len(page) == 0 {
			return names, cursor
		}
		for _, e := range page {
			names = append(names, e.ID)
		}
	}
}

func names(events ...Event) (all []string) {
	for _, e := range events {
		all = append(all, e.ID)
	}
	return all
}

func TestConformanceAFeedGivesWhatHappenedInItsOrderWithoutEnd(t *testing.T) {
	s, m := newShelf(t), origin.Key.PK
	var all []Event
	for n := range int64(7) {
		e := happened(t, m, n+1, origin.At.Add(time.Duration(n/2)*time.Second)) // two and two at one moment
		s.now = e.CreatedAt.Add(time.Second)
		s.records(t, e)
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b Event) int { return slices.Compare([]string{a.ID}, []string{b.ID}) })
	s.records(t, happened(t, "mer_other", 1, origin.At))
	begin := s.Begin(time.Time{})
	s.now = s.now.Add(time.Minute)
	for _, limit := range []int32{1, 2, 3, 100} {
		got, cursor := s.reads(t, limit, begin)
		if !slices.Equal(got, names(all...)) {
			t.Errorf("%d at a time: %v, want %v", limit, got, names(all...))
		}
		if again, same := s.reads(t, limit, cursor); len(again) != 0 || same != cursor {
			t.Errorf("%d at a time: and again %v", limit, again)
		}
	}
	if got, _ := s.reads(t, 100, s.Begin(origin.At.Add(2*time.Second))); !slices.Equal(got, names(all[4:]...)) {
		t.Errorf("from a moment: %v, want %v", got, names(all[4:]...))
	}
	if got, _ := s.reads(t, 100, s.Begin(s.now.Add(time.Hour))); len(got) != 0 {
		t.Errorf("from a moment to come: %v", got)
	}
}

func TestConformanceAFeedWaitsUntilWhatHappenedMustHaveBeenRecorded(t *testing.T) {
	s := newShelf(t)
	e := happened(t, origin.Key.PK, 1, origin.At)
	s.records(t, e)
	for after, want := range map[time.Duration]int{0: 0, feedDelay - time.Millisecond: 0, feedDelay + time.Millisecond: 1} {
		s.now = origin.At.Add(after)
		if got, _ := s.reads(t, 10, s.Begin(time.Time{})); len(got) != want {
			t.Errorf("%v later: %v", after, got)
		}
	}
}

func TestConformanceWhatIsRecordedLateIsGivenToThoseWhoPassedItsPlaceAlone(t *testing.T) {
	s, m := newShelf(t), origin.Key.PK
	first, second := happened(t, m, 1, origin.At), happened(t, m, 2, origin.At.Add(10*time.Second))
	beginner := s.Begin(time.Time{})
	s.now = second.CreatedAt
	s.records(t, second)
	s.now = s.now.Add(10 * time.Second)
	got, passed := s.reads(t, 10, beginner)
	if !slices.Equal(got, names(second)) {
		t.Fatalf("%v", got)
	}
	s.records(t, first) // 20 s late
	if got, _ := s.reads(t, 10, passed); len(got) != 0 {
		t.Errorf("before every late one of that moment must be noted: %v", got)
	}
	s.now = s.now.Add(10 * time.Second)
	got, end := s.reads(t, 10, passed)
	if !slices.Equal(got, names(first)) {
		t.Errorf("who passed its place gets %v", got)
	}
	if got, _ := s.reads(t, 10, end); len(got) != 0 {
		t.Errorf("and again %v", got)
	}
	for name, cursor := range map[string]string{"began before": beginner, "begins now": s.Begin(time.Time{})} {
		if got, _ := s.reads(t, 1, cursor); !slices.Equal(got, names(first, second)) {
			t.Errorf("who %s gets %v", name, got)
		}
	}
}

func TestConformanceAPunctualEventCostsOneWriteAndALateOneTwo(t *testing.T) {
	s := newShelf(t)
	for late, want := range map[time.Duration]int{0: 1, punctual: 1, punctual + time.Millisecond: 2} {
		calls := 0
		s.before = func() error { calls++; return nil }
		s.now = origin.At.Add(late)
		s.records(t, happened(t, "mer_"+late.String(), 1, origin.At))
		if calls != want {
			t.Errorf("%v late: %d writes", late, calls)
		}
	}
}

func TestConformanceANoteThatIsItselfLateIsMadeAgain(t *testing.T) {
	s, m := newShelf(t), origin.Key.PK
	cursor := s.Begin(time.Time{})
	calls := 0
	s.before = func() error {
		if calls++; calls == 2 { // the note: a reader gets a later one while it is under way
			s.before = nil
			s.now = s.now.Add(time.Minute)
			s.records(t, happened(t, m, 2, origin.At.Add(time.Second)))
			s.now = s.now.Add(10 * time.Second)
			_, cursor = s.reads(t, 10, cursor)
		}
		return nil
	}
	s.now = origin.At.Add(time.Minute)
	e := happened(t, m, 1, origin.At)
	s.records(t, e)
	s.now = s.now.Add(time.Minute)
	if got, _ := s.reads(t, 10, cursor); !slices.Contains(got, e.ID) {
		t.Errorf("%v", got)
	}
}

func TestConformanceACursorThatNoFeedGaveIsRefused(t *testing.T) {
	s := newShelf(t)
	write := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for _, cursor := range []string{
		"", "!", write("{}"), write("null"), write(`{"e":"evt_x","l":"1795262400123/"}`), write(`{"e":"","l":"1795262400123"}`), write(`{"e":"","l":"/"}`),
		write(`{"e":"","l":"1795262400123/x"}`), write(`{"e":7,"l":"1795262400123/"}`), write(`{"e":"","l":"179526240012ü/"}`),
	} {
		if _, _, err := s.Feed(t.Context(), origin.Key.PK, 10, cursor); problem.Of(err).Field != "after" {
			t.Errorf("%q: %v", cursor, err)
		}
	}
}

// TestConformanceNoReaderMissesAnEvent: recorders are stopped before any call and come again, notes and readings happen
// between any two calls of others, clocks disagree by up to Apart, and readers come at any moment with any limit. Each
// gets every event in the end.
func TestConformanceNoReaderMissesAnEvent(t *testing.T) {
	s := newShelf(t)
	run := 0
	rapid.Check(t, func(r *rapid.T) {
		run++
		m := fmt.Sprintf("mer_%d", run)
		s.before, s.now = nil, origin.At
		truth := origin.At
		ahead := rapid.SliceOfN(rapid.Int64Range(0, Apart.Milliseconds()), 4, 4).Draw(r, "clocks")
		on := func(process int, f func()) { // runs by that process's clock
			was := s.now
			s.now = truth.Add(time.Duration(ahead[process]) * time.Millisecond)
			f()
			s.now = was
		}
		cursors := make([]string, 3)
		seen := make([]map[string]bool, 3)
		for i := range cursors {
			cursors[i], seen[i] = s.Begin(time.Time{}), map[string]bool{}
		}
		var waiting, recorded []Event
		read := func(reader int, limit int32) int {
			page, next, err := s.Feed(context.Background(), m, limit, cursors[reader])
			if err != nil {
				r.Fatal(err)
			}
			cursors[reader] = next
			for _, e := range page {
				seen[reader][e.ID] = true
			}
			return len(page)
		}
		record := func(i int) {
			e := waiting[i]
			if err := s.Record(context.Background(), e); err == nil {
				recorded = append(recorded, e)
				waiting = slices.Delete(waiting, i, i+1)
			}
		}
		pass := func() {
			truth = truth.Add(time.Duration(rapid.SampledFrom([]int{1, 200, 1900, 2500, 6000}).Draw(r, "ms")) * time.Millisecond)
		}
		meanwhile := func(process int) func() error {
			return func() error {
				inner := s.before
				s.before = nil
				defer func() { s.before = inner; s.now = truth.Add(time.Duration(ahead[process]) * time.Millisecond) }()
				switch rapid.SampledFrom([]string{"nothing", "nothing", "time", "stop", "read", "record"}).Draw(r, "meanwhile") {
				case "time":
					pass()
				case "stop":
					if process == 0 {
						return errors.New("stopped")
					}
				case "read":
					on(2, func() { read(2, 2) })
				case "record":
					since := time.Duration(rapid.IntRange(0, 9).Draw(r, "since")) * time.Second
					e := happened(r, m, int64(len(waiting)+len(recorded)+1000), truth.Add(-since))
					on(3, func() {
						if err := s.Record(context.Background(), e); err != nil {
							r.Fatal(err)
						}
					})
					recorded = append(recorded, e)
				}
				return nil
			}
		}
		steps := rapid.IntRange(5, 25).Draw(r, "steps")
		for n := range steps {
			switch rapid.SampledFrom([]string{"happen", "happen", "record", "record", "read", "time"}).Draw(r, "step") {
			case "happen":
				waiting = append(waiting, happened(r, m, int64(n+1), truth.Truncate(time.Millisecond)))
			case "record":
				if len(waiting) > 0 {
					on(0, func() {
						s.before = meanwhile(0)
						record(rapid.IntRange(0, len(waiting)-1).Draw(r, "which"))
						s.before = nil
					})
				}
			case "read":
				on(1, func() {
					s.before = meanwhile(1)
					read(rapid.IntRange(0, 1).Draw(r, "reader"), rapid.Int32Range(1, 4).Draw(r, "limit"))
					s.before = nil
				})
			case "time":
				pass()
			}
		}
		on(0, func() {
			for len(waiting) > 0 {
				record(0)
			}
		})
		truth = truth.Add(time.Minute)
		for reader := range cursors {
			on(1, func() {
				for read(reader, 3) > 0 {
				}
			})
			for _, e := range recorded {
				if !seen[reader][e.ID] {
					r.Fatalf("reader %d never got the event of %v", reader, e.CreatedAt)
				}
			}
		}
	})
}
