package webhook

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"farrier/shared/event"
)

func TestAnEndpointsHealthHasItsReasons(t *testing.T) {
	at, later := noon.Add(-time.Hour), noon.Add(time.Minute)
	for _, c := range []struct {
		e    Endpoint
		s    State
		want Condition
		says []string
	}{
		{Endpoint{Enabled: true}, State{}, IsHealthy, nil},
		{Endpoint{Enabled: true}, State{SlowUntil: &later}, IsSlow, []string{"longer than 2 seconds"}},
		{Endpoint{Enabled: true}, State{SlowUntil: &at}, IsHealthy, nil},
		{Endpoint{Enabled: true}, State{Streak: 2, FailingSince: &at, Trouble: "status 500"}, IsFailing, []string{"2 attempts in vain since 2026-11-21T11:00:00Z; the last: status 500"}},
		{Endpoint{Enabled: true}, State{Streak: 7, FailingSince: &at, RestUntil: &later, SlowUntil: &later}, IsResting, []string{"spared until 2026-11-21T12:01:00Z", "7 attempts", "longer"}},
		{Endpoint{DisabledReason: "by request"}, State{Streak: 7, FailingSince: &at}, IsDisabled, []string{"by request", "7 attempts"}},
	} {
		h := healthOf(c.e, c.s, noon)
		if h.Status != c.want || len(h.Reasons) != len(c.says) {
			t.Errorf("%+v: want %s", h, c.want)
			continue
		}
		for i, says := range c.says {
			if !strings.Contains(h.Reasons[i], says) {
				t.Errorf("%q does not say %q", h.Reasons[i], says)
			}
		}
	}
}

func TestFiguresAreCountedFromWhatIsRecorded(t *testing.T) {
	var f tally
	told := event.Event{CreatedAt: noon}
	for i := range 100 {
		f.add(told, Delivery{Version: 1, Status: Delivered, Made: 1, Attempts: []Attempt{{Status: 200, Millis: int64(i + 1)}}})
	}
	f.add(told, Delivery{})
	f.add(told, Delivery{Version: 2, Status: Pending, Made: 2, Attempts: []Attempt{{Status: 500, Millis: 3}, {}}, NextAt: &noon})
	f.add(told, Delivery{Version: 1, Status: Held})
	f.add(told, Delivery{Version: 10, Status: Failed, Made: 10})
	f.add(told, Delivery{Version: 1, Status: Pending, Then: "evt_1"})
	got := f.figures()
	want := Figures{From: &noon, Events: 105, Delivered: 100, Pending: 1, Failed: 1, Held: 1, Untried: 2, Attempts: 112,
		Answers: map[string]int{"200": 100, "500": 1, "none": 1}, Latency: Latency{P50: 50, P95: 95, P99: 99, Max: 100}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	if none := (&tally{}).figures(); none.Latency != (Latency{}) || none.Answers == nil {
		t.Errorf("%+v", none)
	}
}
