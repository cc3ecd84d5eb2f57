package webhook

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/dynamo"
	"farrier/shared/event"
)

// invoke hands one job to the function.
func (f *fleet) invoke(j Job) {
	f.t.Helper()
	body, err := json.Marshal(j)
	if err != nil {
		f.t.Fatal(err)
	}
	answer, err := f.courier.Invoke(context.Background(), events.SQSEvent{Records: []events.SQSMessage{{MessageId: "1", Body: string(body)}}})
	if err != nil || len(answer.BatchItemFailures) > 0 {
		f.t.Fatalf("%v %v", answer, err)
	}
}

// recorded is an event that is told, with its first job.
func (f *fleet) recorded(e Endpoint, object string, n int, previous string) (event.Event, Job) {
	f.t.Helper()
	told := f.event(e, object, n, previous)
	if err := f.courier.Events.Record(context.Background(), told); err != nil {
		f.t.Fatal(err)
	}
	return told, Job{Merchant: e.Merchant, Event: told.ID, Endpoint: e.ID, Attempt: 1}
}

func (f *fleet) delivery(told event.Event, e Endpoint) Delivery {
	f.t.Helper()
	d, err := f.courier.Deliveries.read(context.Background(), dynamo.Key{PK: told.ID, SK: e.ID})
	if err != nil {
		f.t.Fatal(err)
	}
	return d
}

func (f *fleet) state(e Endpoint) State {
	f.t.Helper()
	s, err := f.courier.States.Get(context.Background(), e.Merchant, e.ID)
	if err != nil {
		f.t.Fatal(err)
	}
	return s
}

func (f *fleet) setState(s State) State {
	f.t.Helper()
	written, err := f.courier.States.write(context.Background(), s)
	if err != nil {
		f.t.Fatal(err)
	}
	return written
}

func TestConformanceAnEndpointThatAnswersQuicklyAgainIsSlowNoLonger(t *testing.T) {
	f := newFleet(t, 0, 1, 0, 5*time.Second, 8)
	e := f.endpoint(Settings{URL: newTaker(t, nil).URL})
	until := f.now().Add(time.Minute).UTC().Truncate(time.Millisecond)
	before := f.setState(State{Merchant: e.Merchant, Endpoint: e.ID, SlowUntil: &until, Took: 2500})
	for n := range 3 {
		_, job := f.recorded(e, "pay_1", n, "")
		f.invoke(job)
	}
	if after := f.state(e); !after.SlowUntil.Equal(until) || after.Version != before.Version {
		t.Errorf("quick answers put it off: %+v", after)
	}
}

func TestConformanceAFallbackThatIsGoneDoesNotDisableTheEndpoint(t *testing.T) {
	f := newFleet(t, 0, 1, 0, 5*time.Second, 8)
	gone := newTaker(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) })
	e := f.endpoint(Settings{URL: deadURL(t), Fallbacks: []string{gone.URL}})
	told, job := f.recorded(e, "pay_1", 1, "")
	f.invoke(job)
	now, err := f.courier.Endpoints.Get(context.Background(), e.Merchant, e.ID)
	if d := f.delivery(told, e); err != nil || !now.Enabled || d.Status != Pending || len(d.Attempts) != 2 {
		t.Errorf("%+v %+v %v", now, d, err)
	}
	own := f.endpoint(Settings{URL: gone.URL, Fallbacks: []string{newTaker(t, nil).URL}})
	told, job = f.recorded(own, "pay_1", 1, "")
	f.invoke(job)
	now, err = f.courier.Endpoints.Get(context.Background(), own.Merchant, own.ID)
	if d := f.delivery(told, own); err != nil || now.Enabled || d.Status != Failed || d.Reason != Gone || len(d.Attempts) != 1 {
		t.Errorf("its own 410: %+v %+v %v", now, d, err)
	}
}

func TestConformanceATurnThatIsOverIsNotUsed(t *testing.T) {
	f := newFleet(t, 0, 1, 0, 5*time.Second, 8)
	k := newTaker(t, nil)
	e := f.endpoint(Settings{URL: k.URL, Limit: 1})
	began := time.Now()
	for n := range 5 {
		_, job := f.recorded(e, "pay_1", n, "")
		turn := f.now().Add(-2 * time.Minute)
		job.Turn = &turn
		f.invoke(job)
	}
	if took := time.Since(began); k.count() == 5 && took < 3900*time.Millisecond {
		t.Errorf("5 took %s, one in a second is allowed", took)
	}
}

func TestConformanceADeliveryWhoseJobIsGoneCanBeSentAgain(t *testing.T) {
	f := newFleet(t, 0, 1, 0, 5*time.Second, 8)
	k := newTaker(t, nil)
	e := f.endpoint(Settings{URL: k.URL})
	told, _ := f.recorded(e, "pay_1", 1, "")
	long := f.now().Add(-20 * 24 * time.Hour).UTC()
	d := Delivery{Event: told.ID, Endpoint: e.ID, Merchant: e.Merchant, Made: 1, Step: 1, Version: 1, UpdatedAt: long}.waitInQueue(long)
	if err := f.courier.Deliveries.write(context.Background(), d); err != nil {
		t.Fatal(err)
	}
	if why := judge(KindRecover, e, told, d, f.now()); why != "" {
		t.Errorf("recover leaves it alone: %s", why)
	}
	fresh := d.waitInQueue(f.now())
	if why := judge(KindRecover, e, told, fresh, f.now()); why != skipPending {
		t.Errorf("recover takes one that is on its way: %q", why)
	}
	s := Sender{Events: f.courier.Events, Endpoints: f.courier.Endpoints, Deliveries: f.courier.Deliveries, Jobs: f.courier.Jobs, Now: f.now, Random: rand.Reader}
	if again, err := s.Resend(context.Background(), e.Merchant, d.ID()); err != nil || again.Version != 2 || len(f.waiting) != 1 {
		t.Errorf("%+v %v, %d jobs", again, err, len(f.waiting))
	}
}

// A later event writes the delivery between its reading and its waiting: that is no trouble of ours.
func TestConformanceARaceOfEventsInOrderIsNoFailure(t *testing.T) {
	f := newFleet(t, 4, 20, 0, 5*time.Second, 8)
	k := newTaker(t, nil)
	e := f.endpoint(Settings{URL: k.URL, Ordered: true})
	var all []event.Event
	for p := range 10 {
		previous := ""
		for v := range 5 {
			told, _ := f.recorded(e, "pay_"+string(rune('a'+p)), v, previous)
			previous, all = told.ID, append(all, told)
		}
	}
	for i := range all {
		f.send(e, all[len(all)-1-i])
	}
	eventually(t, 60*time.Second, "all are delivered", func() bool {
		time.Sleep(100 * time.Millisecond)
		for _, told := range all {
			if f.delivery(told, e).Status != Delivered {
				return false
			}
		}
		return true
	})
	f.stop()
	if f.failed != 0 {
		t.Errorf("%d jobs failed", f.failed)
	}
}

func TestConformanceOneMerchantHasAQuarterOfThePlaces(t *testing.T) {
	f := newFleet(t, 0, 1, 0, 5*time.Second, 8)
	var counted strings.Builder
	f.courier.Metrics.Out = &counted
	take := func(who, endpoint, merchant string) bool {
		p := place{courier: f.courier, of: &State{Endpoint: endpoint, Merchant: merchant}, who: who, length: time.Minute}
		return p.take(context.Background())
	}
	if !take("1", "ep_1", "mer_1") || !take("2", "ep_2", "mer_1") || take("3", "ep_3", "mer_1") {
		t.Error("one merchant has more than two of eight places, or fewer")
	}
	if strings.Contains(counted.String(), `"NoPlace"`) || !strings.Contains(counted.String(), `"OwnPlacesTaken":1`) {
		t.Errorf("an alarm about all places is raised by one merchant: %s", counted.String())
	}
	if !take("1", "ep_1", "mer_1") {
		t.Error("who asks again, since the answer was lost, is refused")
	}
	for _, m := range []string{"2", "3", "4"} {
		if !take(m+"a", "ep_"+m+"a", "mer_"+m) || !take(m+"b", "ep_"+m+"b", "mer_"+m) {
			t.Errorf("merchant %s gets no place", m)
		}
	}
	if take("9", "ep_9", "mer_9") {
		t.Error("more places than there are")
	}
	if !strings.Contains(counted.String(), `"NoPlace":1`) {
		t.Errorf("that all places are taken is not counted: %s", counted.String())
	}
	if err := f.courier.Places.GiveBack(context.Background(), "2a"); err != nil || !take("9", "ep_9", "mer_9") {
		t.Errorf("a place that was given back is not free: %v", err)
	}
}

func TestConformanceASweepBeginsNothingWhenItsTimeIsOver(t *testing.T) {
	s, _ := newSweeper(t, noon.Add(time.Hour))
	waitingDeliveries(t, s.Deliveries, 200)
	var calls atomic.Int64 // each takes a second
	s.For = 40 * time.Second
	s.Now = func() time.Time { return noon.Add(10 * time.Hour).Add(time.Duration(calls.Add(1)) * time.Second) }
	swept, err := s.Run(context.Background())
	if err != nil || swept.Sent == 0 || swept.Sent >= 200 {
		t.Errorf("%+v %v", swept, err)
	}
	if jobs := len(jobsIn(t, s.Jobs)); jobs != swept.Sent {
		t.Errorf("%d were claimed and %d sent", swept.Sent, jobs)
	}
}

func TestAnAnswerThatSaysOurHeadersBackIsKeptWithoutThem(t *testing.T) {
	p := parcel{Headers: http.Header{"Authorization": {"Bearer hush-hush"}, "X-Short": {"on"}}}
	got := string(p.masked([]byte("you sent Authorization: Bearer hush-hush; x-short: on")))
	if strings.Contains(got, "hush") || !strings.Contains(got, Masked) || !strings.Contains(got, "x-short: on") {
		t.Error(got)
	}
	if bytes.Contains(parcel{}.masked([]byte("plain")), []byte(Masked)) {
		t.Error("what is not there is masked")
	}
}

func TestWhatFailedBeforeAnEndpointWasEnabledAgainCountsNoMore(t *testing.T) {
	s, _ := inVain(40, broken)
	if s = s.afresh(); !s.clear() || s.Told || s.Rests != 0 || s.Line != lined {
		t.Errorf("%+v", s)
	}
}

func TestADeliveryThatWaitsInOrderLooksLessAndLessOften(t *testing.T) {
	d, now := Delivery{Event: "evt_1", Endpoint: "ep_1"}, noon
	var gaps []time.Duration
	for range 10 {
		d = d.behind(now)
		due, err := time.Parse(time.RFC3339, d.DueAt)
		if err != nil {
			t.Fatal(err)
		}
		gaps = append(gaps, due.Sub(now))
		now = due
	}
	if gaps[0] != 5*time.Minute || gaps[1] != 10*time.Minute || gaps[9] != 6*time.Hour {
		t.Errorf("%v", gaps)
	}
}
