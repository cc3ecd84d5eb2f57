package event

import (
	"strings"
	"testing"
	"time"

	"farrier/shared/id"
	"farrier/shared/problem"
)

// FuzzPlace: a cursor of a feed is refused by its name, or is a place that the store can take and that is written as a
// cursor of the same place.
func FuzzPlace(f *testing.F) {
	at := time.Date(2026, 11, 29, 10, 0, 0, 0, time.UTC)
	name := id.Derived("evt", at, "x")
	for _, p := range []place{{Late: latePlace(at)}, {Event: name, Late: latePlace(at) + name}, {Event: "evt_x", Late: latePlace(at)}, {Late: "x"}, {Late: latePlace(at) + "x"}} {
		f.Add(p.cursor())
	}
	f.Add("")
	f.Add("!")
	f.Add("bnVsbA")
	f.Fuzz(func(t *testing.T, cursor string) {
		p, err := placeOf(cursor)
		if err != nil {
			if problem.Of(err).Field != "after" || len(cursor) > 30 && strings.Contains(err.Error(), cursor) {
				t.Fatalf("%q: %v", cursor, err)
			}
			return
		}
		if len(p.Event) > 30 || len(p.Late) > 44 || len(p.Late) < 14 {
			t.Fatalf("%q: %+v", cursor, p)
		}
		if again, err := placeOf(p.cursor()); err != nil || again != p {
			t.Fatalf("%q: %+v is written as %+v, %v", cursor, p, again, err)
		}
	})
}
