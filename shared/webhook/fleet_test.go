package webhook

import (
	"context"
	"crypto/md5" // #nosec G501 -- the SDK checks SQS's answer by it
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/id"
	"farrier/shared/parts"
	"farrier/shared/queue"
	"farrier/shared/seal"
)

// fleet is the function deliver with several processes, its queue, and the sweep, in real time but for the clock, which may
// run faster. Store and key service are real; the queue is in memory, first in, first out, and has none of SQS's fairness.
type fleet struct {
	t       testing.TB
	speed   int
	started time.Time
	courier Courier
	sweeper Sweeper

	mu      sync.Mutex
	waiting []*message
	letters int
	failed  int           // jobs that came again
	taken   chan struct{} // a message was sent

	stop func()
}

// newFleet starts workers that each handle one batch of up to ten messages at a time.
func newFleet(t testing.TB, workers, speed int, slowAfter, timeout time.Duration, places int) *fleet {
	t.Helper()
	f := &fleet{t: t, speed: speed, started: time.Now(), taken: make(chan struct{}, 1<<10)}
	queues := httptest.NewServer(http.HandlerFunc(f.enqueue))
	t.Cleanup(queues.Close)
	db := dynamodb.NewFromConfig(parts.Config(t, "FARRIER_TEST_DYNAMODB"))
	keys, key := parts.Key(t)
	cfg := parts.Config(t, "FARRIER_TEST_AWS")
	cfg.BaseEndpoint = &queues.URL
	jobs := queue.Queue{Client: sqs.NewFromConfig(cfg), URL: queues.URL + "/jobs"}
	states := parts.TableOn(t, db, parts.Index{Name: linedIndex, Partition: "line", Sort: "sk"})
	quiet, metrics := slog.New(slog.DiscardHandler), cloud.Metrics{Out: io.Discard, Now: f.now}
	endpoints := Endpoints{
		Table: parts.TableOn(t, db), Seal: &seal.Sealer{Client: keys, KeyID: key, Now: time.Now}, Now: f.now, Random: rand.Reader, Local: true,
	}
	deliveries := Deliveries{Table: parts.TableOn(t, db, parts.Index{Name: dueIndex, Partition: "due_shard", Sort: "due_at"})}
	f.courier = Courier{
		Events: event.Store{Table: parts.TableOn(t, db), Now: f.now}, Endpoints: endpoints, Deliveries: deliveries,
		Jobs: jobs, DeadLetters: queue.Queue{Client: jobs.Client, URL: queues.URL + "/letters"},
		States: States{Table: states, Now: f.now}, Places: Places{Table: states, Together: places, PerEndpoint: PlacesForOne, Now: f.now, Sleep: cloud.Sleep},
		Client: NewClient(Options{Local: true, Now: time.Now, Limit: timeout}), Now: f.now, Sleep: f.sleep, Random: rand.Reader,
		AtOnce: 10, SlowAfter: slowAfter, Log: quiet, Metrics: metrics,
	}
	f.sweeper = Sweeper{Deliveries: deliveries, Endpoints: endpoints, States: f.courier.States, Jobs: jobs, Now: f.now, Sleep: f.sleep,
		AtOnce: 8, PerShard: 250, Log: quiet, Metrics: metrics}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for range workers {
		all.Go(func() { f.work(ctx) })
	}
	all.Go(func() { f.sweep(ctx) })
	f.stop = sync.OnceFunc(func() { cancel(); all.Wait() })
	t.Cleanup(f.stop)
	return f
}

func (f *fleet) now() time.Time {
	return f.started.Add(time.Duration(f.speed) * time.Since(f.started))
}

func (f *fleet) sleep(ctx context.Context, d time.Duration) error {
	return cloud.Sleep(ctx, d/time.Duration(f.speed))
}

// enqueue is SQS's SendMessageBatch.
func (f *fleet) enqueue(out http.ResponseWriter, r *http.Request) {
	var in struct {
		QueueUrl string
		Entries  []struct {
			Id, MessageBody string
			DelaySeconds    int
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		f.t.Error(err)
	}
	type sent struct{ Id, MessageId, MD5OfMessageBody string }
	answer := struct {
		Successful []sent
		Failed     []string
	}{Failed: []string{}}
	for _, e := range in.Entries {
		sum := md5.Sum([]byte(e.MessageBody)) // #nosec G401
		answer.Successful = append(answer.Successful, sent{e.Id, "m", hex.EncodeToString(sum[:])})
		if strings.HasSuffix(in.QueueUrl, "/letters") {
			f.mu.Lock()
			f.letters++
			f.mu.Unlock()
			continue
		}
		f.put(e.MessageBody, f.now().Add(time.Duration(e.DelaySeconds)*time.Second))
	}
	out.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_ = json.NewEncoder(out).Encode(answer)
}

func (f *fleet) put(body string, visible time.Time) {
	f.mu.Lock()
	f.waiting = append(f.waiting, &message{body: body, visible: visible})
	f.mu.Unlock()
	select {
	case f.taken <- struct{}{}:
	default:
	}
}

// take is up to ten messages whose time has come.
func (f *fleet) take() []*message {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	var some, others []*message
	for i, m := range f.waiting {
		if len(some) == 10 {
			others = append(others, f.waiting[i:]...)
			break
		}
		if m.visible.After(now) {
			others = append(others, m)
		} else {
			some = append(some, m)
		}
	}
	f.waiting = others
	return some
}

func (f *fleet) work(ctx context.Context) {
	for ctx.Err() == nil {
		some := f.take()
		if len(some) == 0 {
			select {
			case <-ctx.Done():
			case <-f.taken:
			case <-time.After(50 * time.Millisecond):
			}
			continue
		}
		var batch events.SQSEvent
		for i, m := range some {
			batch.Records = append(batch.Records, events.SQSMessage{MessageId: strconv.Itoa(i), Body: m.body})
		}
		answer, err := f.courier.Invoke(ctx, batch)
		if err != nil && ctx.Err() == nil {
			f.t.Error(err)
		}
		for _, failed := range answer.BatchItemFailures {
			if i, err := strconv.Atoi(failed.ItemIdentifier); err == nil && ctx.Err() == nil {
				f.mu.Lock()
				f.failed++
				f.mu.Unlock()
				f.put(some[i].body, f.now().Add(30*time.Second))
			}
		}
	}
}

func (f *fleet) sweep(ctx context.Context) {
	for f.sleep(ctx, sweepEach) == nil {
		if _, err := f.sweeper.Run(ctx); err != nil && ctx.Err() == nil {
			f.t.Logf("a sweep: %v", err)
		}
	}
}

// endpoint makes an endpoint of a merchant of its own.
func (f *fleet) endpoint(s Settings) Endpoint {
	f.t.Helper()
	merchant, err := id.New("mer", time.Now(), rand.Reader)
	if err != nil {
		f.t.Fatal(err)
	}
	s.Events = []string{"*"}
	made, _, err := f.courier.Endpoints.Create(context.Background(), Request{Merchant: merchant, Settings: s})
	if err != nil {
		f.t.Fatal(err)
	}
	return made
}

// tell records an event of 300 bytes for an endpoint and sends its job. Events about one object form a chain.
func (f *fleet) tell(e Endpoint, object string, n int, previous string) event.Event {
	f.t.Helper()
	told := f.event(e, object, n, previous)
	if err := f.courier.Events.Record(context.Background(), told); err != nil {
		f.t.Fatal(err)
	}
	f.send(e, told)
	return told
}

func (f *fleet) event(e Endpoint, object string, n int, previous string) event.Event {
	f.t.Helper()
	told, err := event.Derived(event.Origin{Table: "payments", Key: dynamo.Key{PK: e.Merchant, SK: object}, Version: int64(n + 1), At: f.now(), Object: object},
		event.PaymentPaid, map[string]string{"id": object, "filling": strings.Repeat("x", 150), "n": strconv.Itoa(n)})
	if err != nil {
		f.t.Fatal(err)
	}
	told.Previous = previous
	return told
}

func (f *fleet) send(e Endpoint, told event.Event) {
	body, err := json.Marshal(Job{Merchant: e.Merchant, Event: told.ID, Endpoint: e.ID, Attempt: 1})
	if err != nil {
		f.t.Fatal(err)
	}
	f.put(string(body), f.now())
}

// taker is a merchant's server that notes what came, and when.
type taker struct {
	*httptest.Server
	mu     sync.Mutex
	came   []string // webhook-ids
	at     []time.Time
	now    int // requests that it holds
	most   int // at one time
	bodies []string
}

func newTaker(t testing.TB, reply func(w http.ResponseWriter, r *http.Request)) *taker {
	t.Helper()
	k := &taker{}
	k.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		k.mu.Lock()
		k.came, k.at, k.bodies = append(k.came, r.Header.Get("webhook-id")), append(k.at, time.Now()), append(k.bodies, string(body))
		k.now++
		k.most = max(k.most, k.now)
		k.mu.Unlock()
		if reply != nil {
			reply(w, r)
		}
		k.mu.Lock()
		k.now--
		k.mu.Unlock()
	}))
	t.Cleanup(k.CloseClientConnections)
	return k
}

// hangs never answers.
func hangs(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func (k *taker) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.came)
}

// eventually waits until something holds.
func eventually(t testing.TB, within time.Duration, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after %s still not: %s", within, what)
		}
	}
}

// deadURL refuses connections.
func deadURL(t testing.TB) string {
	t.Helper()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	return server.URL
}

// Ten endpoints hang and ten are dead, each with 40 events. Without places and rests each of the 400 events of those that hang
// would hold one of the 40 places of four workers for a second and a half: 15 seconds in all.
func TestConformanceEndpointsThatHangOrAreDeadDoNotHoldUpAnother(t *testing.T) {
	f := newFleet(t, 4, 1, 100*time.Millisecond, 1500*time.Millisecond, 4)
	good, bad := newTaker(t, nil), newTaker(t, hangs)
	fine := f.endpoint(Settings{URL: good.URL})
	var others []Endpoint
	for range 10 {
		others = append(others, f.endpoint(Settings{URL: bad.URL}), f.endpoint(Settings{URL: deadURL(t)}))
	}
	for n := range 40 {
		for _, e := range others {
			f.tell(e, "pay_1", n, "")
		}
	}
	began := time.Now()
	for n := range 50 {
		f.tell(fine, "pay_1", n, "")
	}
	eventually(t, 30*time.Second, "the good endpoint has its 50 events", func() bool { return good.count() >= 50 })
	t.Logf("after %s; %d requests hung, %d of them at once", time.Since(began), bad.count(), bad.most)
	if good.count() != 50 {
		t.Errorf("%d arrived", good.count())
	}
	if bad.count() > 200 {
		t.Errorf("%d of 400 were tried at endpoints that never answer", bad.count())
	}
}

func TestConformanceALimitHolds(t *testing.T) {
	f := newFleet(t, 4, 10, 0, 5*time.Second, 4)
	k := newTaker(t, nil)
	e := f.endpoint(Settings{URL: k.URL, Limit: 2}) // 20 in a second of the clock that runs ten times as fast
	for n := range 60 {
		f.tell(e, "pay_1", n, "")
	}
	eventually(t, 30*time.Second, "all 60 have come", func() bool { return k.count() >= 60 })
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.at {
		n := 0
		for _, at := range k.at[i:] {
			if at.Sub(k.at[i]) < 500*time.Millisecond {
				n++
			}
		}
		if n > 10+10 { // a second's worth more: what was held up by a busy machine comes at once
			t.Fatalf("%d came within half a second, in which 10 may", n)
		}
	}
	if took := k.at[len(k.at)-1].Sub(k.at[0]); took < 2*time.Second {
		t.Errorf("60 at 20 in a second took %s", took)
	}
}

// Each payment has five events, which are sent to the queue in the wrong order; the endpoint fails now and then.
func TestConformanceEventsAboutOnePaymentComeInOrderWhereTheEndpointWantsThat(t *testing.T) {
	f := newFleet(t, 4, 20, 0, 5*time.Second, 4)
	var mu sync.Mutex
	n := 0
	k := newTaker(t, func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		n++
		fail := n%4 == 0
		mu.Unlock()
		if fail {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	e := f.endpoint(Settings{URL: k.URL, Ordered: true, Schedule: []int{0, 2, 2, 2, 2, 2, 2, 2, 2, 2}})
	chains := map[string][]string{}
	var all []event.Event
	for p := range 8 {
		object, previous := fmt.Sprintf("pay_%d", p), ""
		for v := range 5 {
			told := f.event(e, object, v, previous)
			if err := f.courier.Events.Record(context.Background(), told); err != nil {
				t.Fatal(err)
			}
			chains[object], previous, all = append(chains[object], told.ID), told.ID, append(all, told)
		}
	}
	for i := range all { // the last ones first
		f.send(e, all[len(all)-1-i])
	}
	delivered := func() int {
		done := 0
		for _, told := range all {
			if d, err := f.courier.Deliveries.read(context.Background(), dynamo.Key{PK: told.ID, SK: e.ID}); err == nil && d.Status == Delivered {
				done++
			}
		}
		return done
	}
	eventually(t, 60*time.Second, "all 40 are delivered", func() bool { time.Sleep(200 * time.Millisecond); return delivered() == len(all) })
	k.mu.Lock()
	defer k.mu.Unlock()
	first := map[string]int{}
	for i, name := range k.came {
		if _, seen := first[name]; !seen {
			first[name] = i
		}
	}
	for object, chain := range chains {
		for i := 1; i < len(chain); i++ {
			if first[chain[i-1]] >= first[chain[i]] {
				t.Errorf("%s: event %d came before event %d", object, i+1, i)
			}
		}
	}
}

func TestConformanceWhereTheFirstURLIsDownTheNextOneIsUsed(t *testing.T) {
	f := newFleet(t, 1, 1, 0, 5*time.Second, 4)
	k := newTaker(t, nil)
	e := f.endpoint(Settings{URL: deadURL(t), Fallbacks: []string{deadURL(t), k.URL}})
	first := f.tell(e, "pay_1", 1, "")
	eventually(t, 10*time.Second, "it came", func() bool { return k.count() == 1 })
	second := f.tell(e, "pay_1", 2, "")
	eventually(t, 10*time.Second, "the second came", func() bool { return k.count() == 2 })
	f.stop()
	for _, c := range []struct {
		told  event.Event
		calls int
	}{{first, 3}, {second, 1}} {
		d, err := f.courier.Deliveries.read(context.Background(), dynamo.Key{PK: c.told.ID, SK: e.ID})
		if err != nil || d.Status != Delivered || d.Made != 1 || len(d.Attempts) != c.calls || d.Attempts[c.calls-1].URL != 2 {
			t.Errorf("%+v %v", d, err)
		}
	}
	if s, err := f.courier.States.Get(context.Background(), e.Merchant, e.ID); err != nil || s.Using != 2 || !s.clear() {
		t.Errorf("%+v %v", s, err)
	}
}

// A flood for an endpoint that was down is let go slowly at first.
func TestConformanceWhatWaitedForAnEndpointComesWhenItIsBackAndNothingIsLost(t *testing.T) {
	f := newFleet(t, 4, 20, 0, 5*time.Second, 4)
	var down sync.Map
	down.Store("down", true)
	k := newTaker(t, func(w http.ResponseWriter, _ *http.Request) {
		if _, is := down.Load("down"); is {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	e := f.endpoint(Settings{URL: k.URL})
	var all []event.Event
	for n := range 200 {
		all = append(all, f.tell(e, "pay_1", n, ""))
	}
	eventually(t, 30*time.Second, "all wait in the line", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.waiting) == 0
	})
	calls := k.count()
	if calls > 60 {
		t.Errorf("%d calls of an endpoint that asked to be spared", calls)
	}
	down.Delete("down")
	eventually(t, 60*time.Second, "all are delivered", func() bool {
		time.Sleep(300 * time.Millisecond)
		for _, told := range all {
			if d, err := f.courier.Deliveries.read(context.Background(), dynamo.Key{PK: told.ID, SK: e.ID}); err != nil || d.Status != Delivered {
				return false
			}
		}
		return true
	})
	if after := k.count() - calls; after > 210 {
		t.Errorf("200 events came %d times", after)
	}
}

func TestConformanceWhatAPersonAsksForIsTriedThoughTheEndpointRests(t *testing.T) {
	f := newFleet(t, 1, 1, 0, 5*time.Second, 4)
	k := newTaker(t, nil)
	e := f.endpoint(Settings{URL: k.URL})
	until := f.now().Add(time.Hour).UTC()
	if _, err := f.courier.States.write(context.Background(), State{Merchant: e.Merchant, Endpoint: e.ID, RestUntil: &until, Streak: 5, FailingSince: &until, Line: lined}); err != nil {
		t.Fatal(err)
	}
	f.tell(e, "pay_1", 1, "")
	s := Sender{Events: f.courier.Events, Endpoints: f.courier.Endpoints, Deliveries: f.courier.Deliveries, Jobs: f.courier.Jobs, Now: f.now, Random: rand.Reader}
	if _, err := s.Test(context.Background(), e.Merchant, e.ID); err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, "the test has come, and the other after the next sweep", func() bool { return k.count() == 1 })
	eventually(t, 10*time.Second, "its success, once it is noted, ends the rest", func() bool {
		s, err := f.courier.States.Get(context.Background(), e.Merchant, e.ID)
		return err == nil && s.RestUntil == nil
	})
	eventually(t, 30*time.Second, "the other one has come after the next sweep", func() bool { return k.count() == 2 })
}

// A flood that was let go meets an endpoint that fails again: what had its turn waits on.
func TestConformanceATurnEndsWhenTheEndpointRestsAgain(t *testing.T) {
	f := newFleet(t, 0, 1, 0, 5*time.Second, 4)
	k := newTaker(t, nil)
	e := f.endpoint(Settings{URL: k.URL})
	until := f.now().Add(time.Minute).UTC()
	if _, err := f.courier.States.write(context.Background(), State{Merchant: e.Merchant, Endpoint: e.ID, RestUntil: &until, Line: lined}); err != nil {
		t.Fatal(err)
	}
	told := f.event(e, "pay_1", 1, "")
	if err := f.courier.Events.Record(context.Background(), told); err != nil {
		t.Fatal(err)
	}
	now := f.now()
	for _, c := range []struct {
		trial bool
		posts int
	}{{false, 0}, {true, 1}} {
		body, _ := json.Marshal(Job{Merchant: e.Merchant, Event: told.ID, Endpoint: e.ID, Attempt: 1, Turn: &now, Trial: c.trial})
		if _, err := f.courier.Invoke(context.Background(), events.SQSEvent{Records: []events.SQSMessage{{MessageId: "1", Body: string(body)}}}); err != nil {
			t.Fatal(err)
		}
		if k.count() != c.posts {
			t.Errorf("trial %t: %d posts", c.trial, k.count())
		}
	}
}
