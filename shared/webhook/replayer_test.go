package webhook

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/id"
	"farrier/shared/parts"
	"farrier/shared/problem"
	"farrier/shared/task"
)

// wire sends what is for SQS to the outbox and all else to the real store.
type wire struct {
	outbox *parts.Outbox
	store  aws.HTTPClient
}

func (w wire) Do(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS.") {
		return w.outbox.Do(r)
	}
	return w.store.Do(r)
}

// bureau is where a merchant's events are sent again: one endpoint, real tables, a clock and a queue of its own.
type bureau struct {
	t        *testing.T
	life     *life
	outbox   *parts.Outbox
	now      time.Time
	merchant string
	endpoint Endpoint
	sent     []parts.Sent // jobs, in their order
	asleep   func()       // what happens while the runner waits
	copies   int          // of each message beside the first

	replays Replays
	runner  task.Runner
	asides  Replayer // a way to the tables that no stop concerns
}

type tables struct{ events, endpoints, deliveries, tasks string }

func newTables(t *testing.T) tables {
	t.Helper()
	return tables{parts.Table(t).Name, parts.Table(t).Name, parts.Table(t).Name, parts.Table(t).Name}
}

func newBureau(t *testing.T, on tables) *bureau {
	t.Helper()
	b := &bureau{t: t, outbox: &parts.Outbox{}, now: noon}
	b.life = &life{outside: wire{b.outbox, cloud.HTTPClient()}}
	clock := func() time.Time { return b.now }
	cfg := parts.Config(t, "FARRIER_TEST_DYNAMODB")
	aside := dynamodb.NewFromConfig(cfg)
	cfg.HTTPClient, cfg.Retryer = b.life, func() aws.Retryer { return aws.NopRetryer{} }
	mine := dynamodb.NewFromConfig(cfg)
	over := func(db *dynamodb.Client) Replayer {
		table := func(name string) dynamo.Table { return dynamo.Table{Client: db, Name: name} }
		return Replayer{
			Events: event.Store{Table: table(on.events), Now: clock}, Endpoints: Endpoints{Table: table(on.endpoints), Now: clock},
			Deliveries: Deliveries{Table: table(on.deliveries)}, Jobs: b.outbox.Queue("jobs", b.life), Now: clock,
		}
	}
	b.asides = over(aside)
	tasks := task.Tasks{Table: dynamo.Table{Client: mine, Name: on.tasks}, Queue: b.outbox.Queue("tasks", b.life), Now: clock, Random: rand.Reader}
	b.replays = Replays{Replayer: over(mine), Tasks: tasks, Random: rand.Reader}
	b.runner = task.Runner{
		Tasks: tasks, Kinds: map[string]task.Kind{KindRecover: b.replays.Replayer, KindReplay: b.replays.Replayer}, Slice: 40 * time.Second,
		Sleep: func(_ context.Context, wait time.Duration) error {
			b.now = b.now.Add(wait)
			if b.asleep != nil {
				b.asleep()
			}
			return nil
		},
		Log: slog.New(slog.DiscardHandler),
	}
	b.merchant = b.name("mer", b.now)
	b.endpoint = b.add(Endpoint{Merchant: b.merchant, Settings: Settings{Events: []string{"payment.*"}}})
	return b
}

func (b *bureau) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bureau) name(prefix string, at time.Time) string {
	b.t.Helper()
	name, err := id.New(prefix, at, rand.Reader)
	b.must(err)
	return name
}

// add makes an endpoint that was disabled until two hours ago.
func (b *bureau) add(e Endpoint) Endpoint {
	b.t.Helper()
	missed, back := b.now.Add(-48*time.Hour), b.now.Add(-2*time.Hour)
	e.ID, e.Enabled, e.MissedSince, e.EnabledAt, e.CreatedAt, e.Version = b.name("ep", b.now), true, &missed, &back, noon.Add(-999*time.Hour), 1
	b.must(b.asides.Endpoints.Table.Create(context.Background(), e))
	return e
}

// happened records an event of so long ago.
func (b *bureau) happened(ago time.Duration, t event.Type) event.Event {
	b.t.Helper()
	at := b.now.Add(-ago).Truncate(time.Millisecond)
	e, err := event.New(event.Event{Merchant: b.merchant, ID: b.name("evt", at), Type: t, CreatedAt: at, Object: "pay_1", Version: 1}, map[string]string{"id": "pay_1"})
	b.must(err)
	b.must(b.asides.Events.Record(context.Background(), e))
	return e
}

// was records what became of an event at the endpoint.
func (b *bureau) was(e event.Event, s Status) event.Event {
	b.t.Helper()
	d := Delivery{Event: e.ID, Endpoint: b.endpoint.ID, Merchant: b.merchant, Status: s, Made: 10, Step: 10, UpdatedAt: e.CreatedAt, Version: 4}
	b.must(b.asides.Deliveries.Table.Create(context.Background(), d))
	return e
}

func (b *bureau) delivery(e event.Event) Delivery {
	b.t.Helper()
	d, err := b.asides.Deliveries.read(context.Background(), dynamo.Key{PK: e.ID, SK: b.endpoint.ID})
	b.must(err)
	return d
}

func (b *bureau) task(name string) task.Task {
	b.t.Helper()
	tasks := b.replays.Tasks
	tasks.Table.Client = b.asides.Events.Table.Client
	found, err := tasks.Get(context.Background(), b.merchant, name)
	b.must(err)
	return found
}

// run lets the messages of tasks arrive until there are none, as SQS does: one is gone only when a living process said so.
func (b *bureau) run() {
	b.t.Helper()
	type waiting struct {
		body string
		at   time.Time
	}
	var queue []waiting
	copied := map[string]bool{}
	for range 500 {
		for _, m := range b.outbox.Take("tasks") {
			queue = append(queue, waiting{m.Body, b.now.Add(m.Delay)})
			for range b.copies {
				if !copied[m.Body] {
					queue = append(queue, waiting{m.Body, b.now.Add(m.Delay)})
				}
			}
			copied[m.Body] = true
		}
		if len(queue) == 0 {
			b.sent = append(b.sent, b.outbox.Take("jobs")...)
			return
		}
		slices.SortStableFunc(queue, func(a, c waiting) int { return a.at.Compare(c.at) })
		next := queue[0]
		queue = queue[1:]
		if next.at.After(b.now) {
			b.now = next.at
		}
		err := b.runner.Handle(context.Background(), events.SQSMessage{Body: next.body})
		if b.life.again() || err != nil {
			queue = append(queue, waiting{next.body, b.now.Add(visibility)})
		}
	}
	b.t.Fatal("it never ends")
}

func (b *bureau) again() Again { return Again{Merchant: b.merchant, Endpoint: b.endpoint.ID} }

// jobsOf counts the jobs for an event.
func (b *bureau) jobsOf(e event.Event) (n int) {
	for _, s := range b.sent {
		var j Job
		if json.Unmarshal([]byte(s.Body), &j) != nil || s.Group != b.endpoint.ID || j.Merchant != b.merchant {
			b.t.Errorf("a job that is none of the endpoint's: %+v", s)
		}
		if j.Event == e.ID {
			n++
		}
	}
	return n
}

func TestConformanceARecoverSendsWhatWasMissedAndNothingElse(t *testing.T) {
	ctx := context.Background()
	b := newBureau(t, newTables(t))
	failed, held, missed := b.was(b.happened(40*time.Hour, event.PaymentPaid), Failed), b.was(b.happened(30*time.Hour, event.PaymentPaid), Held), b.happened(20*time.Hour, event.PaymentOver)
	alone := map[string]event.Event{
		"delivered": b.was(b.happened(10*time.Hour, event.PaymentPaid), Delivered), "pending": b.was(b.happened(2*time.Hour, event.PaymentPaid), Pending),
		"not chosen": b.happened(8*time.Hour, event.DepositFinal), "a test": b.was(b.happened(7*time.Hour, event.EndpointTest), Failed),
		"before since": b.was(b.happened(60*time.Hour, event.PaymentPaid), Failed), "on its way": b.happened(5*time.Minute, event.PaymentPaid),
	}
	other := newBureau(t, tables{b.asides.Events.Table.Name, b.asides.Endpoints.Table.Name, b.asides.Deliveries.Table.Name, b.replays.Tasks.Table.Name})
	others := other.was(other.happened(20*time.Hour, event.PaymentPaid), Failed)

	forecast, err := b.replays.ForecastRecover(ctx, b.again())
	b.must(err)
	one, err := b.replays.Recover(ctx, b.again())
	b.must(err)
	b.run()

	for what, e := range map[string]event.Event{"failed": failed, "held": held, "missed": missed} {
		d := b.delivery(e)
		if d.Status != Pending || d.Cause != Recovered || d.Task != one.ID || d.Step != 0 || d.DueAt == "" || d.Merchant != b.merchant || b.jobsOf(e) != 1 {
			t.Errorf("%s: %d jobs, %+v", what, b.jobsOf(e), d)
		}
	}
	for what, e := range alone {
		if d := b.delivery(e); d.Task != "" || b.jobsOf(e) != 0 {
			t.Errorf("%s: %d jobs, %+v", what, b.jobsOf(e), d)
		}
	}
	if d := other.delivery(others); d.Status != Failed || d.Version != 4 {
		t.Errorf("another merchant's: %+v", d)
	}
	done := b.task(one.ID)
	want := map[string]int{skipDelivered: 1, skipPending: 1, skipNotChosen: 1, skipTest: 1, skipOnItsWay: 1}
	if done.State != task.Done || done.Progress.Sent != 3 || done.Progress.Looked != 8 || fmt.Sprint(done.Progress.Skipped) != fmt.Sprint(want) {
		t.Errorf("%+v", done)
	}
	if !forecast.Complete || forecast.Sent != 3 || forecast.Looked != 8 || fmt.Sprint(forecast.Skipped) != fmt.Sprint(want) || forecast.ByType["payment.over"].Sent != 1 || forecast.ByType["payment.paid"].Skipped[skipPending] != 1 {
		t.Errorf("foretold: %+v", forecast)
	}
	if e, err := b.asides.Endpoints.Get(ctx, b.merchant, b.endpoint.ID); err != nil || e.MissedSince != nil {
		t.Errorf("the endpoint still offers it: %v, %v", e.MissedSince, err)
	}
	// Pressed again, it finds nothing left.
	again := b.again()
	again.Since = at(-48 * time.Hour)
	two, err := b.replays.Recover(ctx, again)
	b.must(err)
	b.run()
	if got := b.task(two.ID); two.ID == one.ID || got.State != task.Done || got.Progress.Sent != 0 || len(b.sent) != 3 {
		t.Errorf("%+v", got)
	}
}

func TestConformanceAReplaySendsEverythingOnceForEachRound(t *testing.T) {
	ctx := context.Background()
	b := newBureau(t, newTables(t))
	var all []event.Event
	for i := range 12 {
		all = append(all, b.was(b.happened(time.Duration(30-i)*time.Hour, event.PaymentPaid), []Status{Delivered, Failed, Held}[i%3]))
	}
	outside := []event.Event{b.was(b.happened(31*time.Hour, event.PaymentPaid), Delivered), b.was(b.happened(18*time.Hour, event.PaymentPaid), Delivered), b.was(b.happened(25*time.Hour, event.PaymentOver), Delivered)}
	ask := b.again()
	from, until := all[0].CreatedAt, outside[1].CreatedAt // the first is within, the last is not
	ask.From, ask.Until, ask.Types = &from, &until, []string{"payment.paid"}
	one, err := b.replays.Replay(ctx, ask)
	b.must(err)
	if twice, err := b.replays.Replay(ctx, ask); err != nil || twice.ID != one.ID {
		t.Errorf("pressed twice: %+v, %v", twice, err)
	}
	other := ask
	other.Types = nil
	if _, err := b.replays.Replay(ctx, other); !problem.Is(err, problem.Conflict) || !strings.Contains(err.Error(), one.ID) {
		t.Errorf("another one beside it: %v", err)
	}
	b.run()
	for _, e := range all {
		if d := b.delivery(e); d.Status != Pending || d.Cause != Replayed || d.Task != one.ID || d.Version != 5 || b.jobsOf(e) != 1 {
			t.Errorf("%d jobs, %+v", b.jobsOf(e), d)
		}
	}
	for _, e := range outside {
		if b.jobsOf(e) != 0 {
			t.Errorf("%s was sent", e.ID)
		}
	}
	if again, err := b.replays.Replay(ctx, ask); err != nil || again.ID != one.ID || again.State != task.Done || again.Progress.Sent != 12 {
		t.Errorf("pressed again after its end: %+v, %v", again, err)
	}
	b.run()
	if len(b.sent) != 12 {
		t.Errorf("%d jobs", len(b.sent))
	}
	ask.Round = 2
	two, err := b.replays.Replay(ctx, ask)
	b.must(err)
	b.run()
	// Nobody has delivered anything meanwhile, so that the second round finds all on their way.
	if got := b.task(two.ID); two.ID == one.ID || got.State != task.Done || got.Progress.Skipped[skipPending] != 12 {
		t.Errorf("%+v", got)
	}
}

func TestConformanceAReplayThatWasCancelledIsBegunAgain(t *testing.T) {
	ctx := context.Background()
	b := newBureau(t, newTables(t))
	e := b.was(b.happened(30*time.Hour, event.PaymentPaid), Delivered)
	ask := b.again()
	ask.From, ask.Until = at(-31*time.Hour), at(-29*time.Hour)
	press := func() task.Task {
		t.Helper()
		one, err := b.replays.Replay(ctx, ask)
		b.must(err)
		return one
	}
	var dead []string
	for range 2 {
		one := press()
		if one.State != task.Running || slices.Contains(dead, one.ID) || press().ID != one.ID {
			t.Fatalf("after %d were cancelled: %+v", len(dead), one)
		}
		_, err := b.replays.Tasks.Cancel(ctx, b.merchant, one.ID)
		b.must(err)
		dead = append(dead, one.ID)
	}
	third := press()
	b.run()
	if again := press(); again.ID != third.ID || again.State != task.Done || again.Progress.Sent != 1 {
		t.Errorf("%+v", again)
	}
	if ask.Round = 3; press().ID != third.ID || b.jobsOf(e) != 1 {
		t.Errorf("the third round is done, and is another one: %d jobs", b.jobsOf(e))
	}
}

// TestConformanceARecoverIsWholeWhereverItIsStopped stops it at each of its calls, before it, after it and with the call
// done twice; each time it ends with every event opened once.
func TestConformanceARecoverIsWholeWhereverItIsStopped(t *testing.T) {
	on := newTables(t)
	for _, how := range []accident{stopBefore, stopAfter, doneTwice} {
		t.Run(string(how), func(t *testing.T) {
			t.Parallel()
			for call := 1; ; call++ {
				b := newBureau(t, on)
				var wanted, alone []event.Event
				for i := range 4 {
					wanted = append(wanted, b.was(b.happened(time.Duration(30-i)*time.Hour, event.PaymentPaid), []Status{Failed, Held}[i%2]))
					alone = append(alone, b.was(b.happened(time.Duration(30-i)*time.Hour, event.PaymentPaid), Delivered))
				}
				wanted = append(wanted, b.happened(5*time.Hour, event.PaymentPaid))
				ask := b.again()
				ask.Rate = 2
				b.runner.Slice = 2 * time.Second // so that turns end too
				one, err := b.replays.Recover(context.Background(), ask)
				b.must(err)
				b.life.calls, b.life.at, b.life.accident = 0, call, how
				began := b.now
				b.run()
				if took := b.now.Sub(began); how == doneTwice && took >= visibility {
					t.Fatalf("call %d: what was done is not known again, so that it took %s", call, took)
				}
				done := b.task(one.ID)
				if done.State != task.Done || done.Progress.Sent != 5 || done.Progress.Looked != 9 || done.Progress.Skipped[skipDelivered] != 4 {
					t.Fatalf("call %d: %+v", call, done)
				}
				for i, e := range wanted {
					d, first := b.delivery(e), int64(5)
					if i == 4 {
						first = 1
					}
					jobs := b.jobsOf(e) // none where the process died after the write: the sweep finds it in the table
					if d.Task != one.ID || d.Version != first || d.DueAt == "" || jobs > 1 && how != doneTwice {
						t.Fatalf("call %d: %d jobs, %+v", call, jobs, d)
					}
				}
				for _, e := range alone {
					if b.delivery(e).Version != 4 {
						t.Fatalf("call %d: what was delivered is touched", call)
					}
				}
				if e, err := b.asides.Endpoints.Get(context.Background(), b.merchant, b.endpoint.ID); err != nil || e.MissedSince != nil {
					t.Fatalf("call %d: the endpoint still offers it", call)
				}
				if b.life.calls < call {
					if call < 20 {
						t.Errorf("only %d calls were stopped", call-1)
					}
					return
				}
			}
		})
	}
}

func TestConformanceCopiesOfEveryMessageSendEachEventOnce(t *testing.T) {
	b := newBureau(t, newTables(t))
	b.copies = 2
	var wanted []event.Event
	for i := range 30 {
		wanted = append(wanted, b.was(b.happened(40*time.Hour-time.Duration(i)*time.Minute, event.PaymentPaid), Failed))
	}
	ask := b.again()
	ask.Rate = 5
	b.runner.Slice = 2 * time.Second
	one, err := b.replays.Recover(context.Background(), ask)
	b.must(err)
	b.run()
	for _, e := range wanted {
		if b.jobsOf(e) != 1 || b.delivery(e).Version != 5 {
			t.Errorf("%d jobs", b.jobsOf(e))
		}
	}
	if got := b.task(one.ID); got.State != task.Done || got.Progress.Sent != 30 {
		t.Errorf("%+v", got)
	}
}

func TestConformanceAnEndpointThatGoesInTheMiddleStopsItsTask(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		goes func(b *bureau) error
		then task.State
		back func(b *bureau) error
	}{
		"deleted": {func(b *bureau) error { return b.asides.Endpoints.Delete(ctx, b.merchant, b.endpoint.ID) }, task.Failed, nil},
		"disabled": {func(b *bureau) error {
			_, err := b.asides.Endpoints.Disable(ctx, b.merchant, b.endpoint.ID, "by request")
			return err
		}, task.Paused, func(b *bureau) error { _, err := b.asides.Endpoints.Enable(ctx, b.merchant, b.endpoint.ID); return err }},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBureau(t, newTables(t))
			for i := range 20 {
				b.was(b.happened(40*time.Hour-time.Duration(i)*time.Minute, event.PaymentPaid), Failed)
			}
			ask := b.again()
			ask.Rate = 5
			one, err := b.replays.Recover(ctx, ask)
			b.must(err)
			slept := 0
			b.asleep = func() {
				if slept++; slept == 2 {
					b.must(c.goes(b))
				}
			}
			b.run()
			got := b.task(one.ID)
			if got.State != c.then || got.Progress.Sent != 10 || got.Reason == "" || len(b.sent) != 10 {
				t.Fatalf("%+v", got)
			}
			if c.back == nil {
				if _, err := b.replays.Recover(ctx, ask); !problem.Is(err, problem.NotFound) {
					t.Error(err)
				}
				return
			}
			if _, err := b.replays.ForecastRecover(ctx, ask); !problem.Is(err, problem.Conflict) {
				t.Errorf("a disabled endpoint is recovered: %v", err)
			}
			b.must(c.back(b))
			if _, err := b.replays.Tasks.Resume(ctx, b.merchant, one.ID); err != nil {
				t.Fatal(err)
			}
			b.run()
			if got := b.task(one.ID); got.State != task.Done || got.Progress.Sent != 20 || len(b.sent) != 20 {
				t.Errorf("%+v", got)
			}
			if e, err := b.asides.Endpoints.Get(ctx, b.merchant, b.endpoint.ID); err != nil || e.MissedSince == nil {
				t.Errorf("the second time that it was disabled is forgotten: %v", err)
			}
		})
	}
}

// off and on: the endpoint is disabled and enabled again, a minute later.
func (b *bureau) off() {
	_, err := b.asides.Endpoints.Disable(context.Background(), b.merchant, b.endpoint.ID, "by request")
	b.must(err)
}
func (b *bureau) on() {
	b.now = b.now.Add(time.Minute)
	_, err := b.asides.Endpoints.Enable(context.Background(), b.merchant, b.endpoint.ID)
	b.must(err)
}

// becomes is what comes of a delivery.
func (b *bureau) becomes(e event.Event, s Status, why Reason) {
	b.t.Helper()
	b.must(b.asides.Deliveries.write(context.Background(), b.delivery(e).unsent(s, why, b.now)))
}

// secondOutage is a recover in whose midst the endpoint is disabled: of what it has sent some is delivered, some pending, some
// held once more. Then the endpoint is enabled again.
func (b *bureau) secondOutage() (first task.Task, wanted map[string]event.Event, alone map[string]event.Event) {
	b.t.Helper()
	var all []event.Event
	for i := range 20 {
		all = append(all, b.was(b.happened(40*time.Hour-time.Duration(i)*time.Minute, event.PaymentPaid), Failed))
	}
	ask := b.again()
	ask.Rate = 5
	first, err := b.replays.Recover(context.Background(), ask)
	b.must(err)
	slept := 0
	b.asleep = func() {
		if slept++; slept == 2 {
			b.off()
		}
	}
	b.run()
	b.asleep = nil
	if got := b.task(first.ID); got.State != task.Paused || len(b.sent) != 10 {
		b.t.Fatalf("%d jobs, %+v", len(b.sent), got)
	}
	b.sent = nil
	b.becomes(all[0], Delivered, "")
	b.becomes(all[2], Held, Disabled)
	b.becomes(all[3], Failed, Gone)
	b.now = b.now.Add(time.Minute)
	never := b.happened(30*time.Second, event.PaymentPaid)
	b.on()
	return first, map[string]event.Event{"held again": all[2], "answered 410": all[3], "not come to": all[15], "from the second time": never},
		map[string]event.Event{"delivered": all[0], "pending": all[1]}
}

func TestConformanceARecoverAfterASecondOutageSendsAllThatWasMissed(t *testing.T) {
	ctx := context.Background()
	b := newBureau(t, newTables(t))
	first, wanted, alone := b.secondOutage()
	second, err := b.replays.Recover(ctx, b.again())
	b.must(err)
	if twice, err := b.replays.Recover(ctx, b.again()); err != nil || twice.ID != second.ID {
		t.Errorf("pressed twice: %+v, %v", twice, err)
	}
	if got := b.task(first.ID); got.State != task.Cancelled || got.Reason == "" || second.ID == first.ID {
		t.Errorf("%+v", got)
	}
	b.run()
	if got := b.task(second.ID); got.State != task.Done || got.Progress.Sent != 13 {
		t.Errorf("%+v", got)
	}
	for what, e := range wanted {
		if d := b.delivery(e); d.Task != second.ID || d.Status != Pending || b.jobsOf(e) != 1 {
			t.Errorf("%s: %d jobs, %+v", what, b.jobsOf(e), d)
		}
	}
	for what, e := range alone {
		if d := b.delivery(e); d.Task != first.ID || b.jobsOf(e) != 0 {
			t.Errorf("%s: %d jobs, %+v", what, b.jobsOf(e), d)
		}
	}
	if e, err := b.asides.Endpoints.Get(ctx, b.merchant, b.endpoint.ID); err != nil || e.MissedSince != nil {
		t.Errorf("the endpoint still offers it: %v, %v", e.MissedSince, err)
	}
}

func TestConformanceARecoverFromBeforeASecondOutageLeavesWhatItDidNotSeeOnOffer(t *testing.T) {
	ctx := context.Background()
	b := newBureau(t, newTables(t))
	first, wanted, _ := b.secondOutage()
	less := b.again()
	less.Since = at(-39*time.Hour - 30*time.Minute)
	if _, err := b.replays.Recover(ctx, less); !problem.Is(err, problem.Conflict) || !strings.Contains(err.Error(), first.ID) {
		t.Errorf("one that asks for less takes its place: %v", err)
	}
	if _, err := b.replays.Tasks.Resume(ctx, b.merchant, first.ID); err != nil {
		t.Fatal(err)
	}
	b.run()
	if got := b.task(first.ID); got.State != task.Done || got.Reason == "" {
		t.Errorf("%+v", got)
	}
	if e, err := b.asides.Endpoints.Get(ctx, b.merchant, b.endpoint.ID); err != nil || e.MissedSince == nil {
		t.Fatalf("what was held again is offered no more: %v", err)
	}
	second, err := b.replays.Recover(ctx, b.again())
	b.must(err)
	b.run()
	if got := b.task(second.ID); got.State != task.Done {
		t.Errorf("%+v", got)
	}
	for what, e := range wanted {
		if b.jobsOf(e) != 1 {
			t.Errorf("%s: %d jobs", what, b.jobsOf(e))
		}
	}
}

func TestConformanceWhatIsRecordedALittleLateIsRecoveredToo(t *testing.T) {
	b := newBureau(t, newTables(t))
	b.endpoint.EnabledAt = &b.now
	b.must(b.asides.Endpoints.Table.PutIf(context.Background(), b.endpoint, "version = :v", map[string]any{":v": 1}))
	b.was(b.happened(time.Minute, event.PaymentPaid), Failed)
	b.was(b.happened(5*time.Second, event.PaymentPaid), Failed)
	one, err := b.replays.Recover(context.Background(), b.again())
	b.must(err)
	for _, m := range b.outbox.Take("tasks") {
		b.must(b.runner.Handle(context.Background(), events.SQSMessage{Body: m.Body}))
	}
	if got := b.task(one.ID); got.State != task.Running || got.Progress.Sent != 1 {
		t.Fatalf("%+v", got)
	}
	late := b.happened(10*time.Second, event.PaymentPaid) // it happened before the first look, and is recorded after it
	b.now = b.now.Add(settling)
	b.run()
	if got := b.task(one.ID); got.State != task.Done || got.Progress.Sent != 3 || b.jobsOf(late) != 1 {
		t.Errorf("%+v", got)
	}
}

func TestConformanceThousandsOfEventsAreRecoveredAtTheRateThatWasAskedFor(t *testing.T) {
	b := newBureau(t, newTables(t))
	const many = 2_000 // of 10,000 the local store makes a minute
	e := b.happened(40*time.Hour, event.PaymentPaid)
	places := make(chan struct{}, 16)
	for i := range many - 1 {
		places <- struct{}{}
		go func() {
			defer func() { <-places }()
			one := e
			one.CreatedAt = e.CreatedAt.Add(time.Duration(i) * time.Millisecond)
			one.ID = id.Derived("evt", one.CreatedAt, fmt.Sprint(i))
			if err := b.asides.Events.Record(context.Background(), one); err != nil {
				t.Error(err)
			}
		}()
	}
	for range cap(places) {
		places <- struct{}{}
	}
	ask := b.again()
	ask.Rate = 400
	began, clock := time.Now(), b.now
	one, err := b.replays.Recover(context.Background(), ask)
	b.must(err)
	b.run()
	got := b.task(one.ID)
	took := b.now.Sub(clock)
	t.Logf("%d events in %s of work, %s by the clock", got.Progress.Sent, time.Since(began), took)
	if got.State != task.Done || got.Progress.Sent != many || len(b.sent) != many || took < many/400*time.Second-time.Second || took > many/400*time.Second+settling+clocksApart {
		t.Errorf("%+v", got)
	}
}

func TestConformanceAForecastSaysWhereItStoppedCounting(t *testing.T) {
	ctx := context.Background()
	b := newBureau(t, newTables(t))
	var all []event.Event
	for i := range 25 {
		all = append(all, b.was(b.happened(40*time.Hour-time.Duration(i)*time.Minute, event.PaymentPaid), Failed))
	}
	e, terms, err := b.replays.recovery(ctx, b.again())
	b.must(err)
	f, err := b.replays.forecast(ctx, task.Task{Owner: b.merchant, Kind: KindRecover}, terms, e, 10)
	if err != nil || f.Complete || f.Looked != 10 || f.Sent != 10 || f.Until == nil || !f.Until.Equal(all[9].CreatedAt) {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err = b.replays.forecast(ctx, task.Task{Owner: b.merchant, Kind: KindRecover}, terms, e, 100); err != nil || !f.Complete || f.Looked != 25 || f.Until != nil {
		t.Errorf("%+v, %v", f, err)
	}
	for _, e := range all {
		if b.delivery(e).Version != 4 {
			t.Error("a forecast has touched a delivery")
		}
	}
}

func TestConformanceAForecastEndsInTime(t *testing.T) {
	b := newBureau(t, newTables(t))
	for i := range 120 {
		b.happened(40*time.Hour-time.Duration(i)*time.Minute, event.PaymentPaid)
	}
	e, terms, err := b.replays.recovery(context.Background(), b.again())
	b.must(err)
	slow := b.replays.Replayer
	slow.Now = func() time.Time { b.now = b.now.Add(40 * time.Millisecond); return b.now } // so that one page takes longer than there is
	f, err := slow.forecast(context.Background(), task.Task{Owner: b.merchant, Kind: KindRecover}, terms, e, countedByForecast)
	if err != nil || f.Complete || f.Looked != pageOfEvents || f.Until == nil {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestConformanceOfWhatIsNotWantedNoDeliveryIsRead(t *testing.T) {
	ctx := context.Background()
	b := newBureau(t, newTables(t))
	for i := range 3 {
		b.happened(40*time.Hour-time.Duration(i)*time.Minute, event.DepositFinal)
		b.happened(30*time.Hour-time.Duration(i)*time.Minute, event.PaymentOver)
	}
	ask := b.again()
	ask.From, ask.Until, ask.Types = at(-48*time.Hour), at(-time.Hour), []string{"payment.paid"}
	e, terms, err := b.replays.repetition(ctx, ask)
	b.must(err)
	for what, look := range map[string]func() (skipped map[string]int, err error){
		"a forecast": func() (map[string]int, error) {
			f, err := b.replays.forecast(ctx, task.Task{Owner: b.merchant, Kind: KindReplay}, terms, e, countedByForecast)
			return f.Skipped, err
		},
		"a step": func() (map[string]int, error) {
			step, _, err := b.replays.walk(ctx, task.Task{Owner: b.merchant, Kind: KindReplay}, terms, e, *ask.Until, 10)
			return step.Skipped, err
		},
	} {
		b.life.calls = 0
		skipped, err := look()
		if b.life.calls != 1 || err != nil || skipped[skipNotChosen] != 3 || skipped[skipType] != 3 {
			t.Errorf("%s: %d calls, %v, %v", what, b.life.calls, skipped, err)
		}
	}
	b.was(b.happened(20*time.Hour, event.PaymentPaid), Failed)
	b.life.calls = 0
	if f, err := b.replays.ForecastReplay(ctx, ask); b.life.calls != 3 || err != nil || f.Sent != 1 {
		t.Errorf("one that is wanted: %d calls, %+v, %v", b.life.calls, f, err)
	}
}

// TestConformanceWhoBeginsOrResumesATaskAndIsStoppedTriesAgain stops them at each of their calls; the same again ends
// with one task that is done.
func TestConformanceWhoBeginsOrResumesATaskAndIsStoppedTriesAgain(t *testing.T) {
	ctx := context.Background()
	on := newTables(t)
	pause := func(b *bureau, one task.Task) {
		_, err := b.replays.Tasks.Pause(ctx, b.merchant, one.ID)
		b.must(err)
		b.outbox.Take("tasks") // its message came while it was paused
	}
	for what, prepare := range map[string]func(b *bureau, one task.Task){
		"begins": nil, "resumes": pause, "asks once more": pause,
		"replaces": func(b *bureau, one task.Task) { pause(b, one); b.off(); b.on() },
	} {
		for _, how := range []accident{stopBefore, stopAfter, doneTwice} {
			for call := 1; ; call++ {
				b := newBureau(t, on)
				wanted := b.was(b.happened(30*time.Hour, event.PaymentPaid), Failed)
				var one task.Task
				act := func() (err error) { one, err = b.replays.Recover(ctx, b.again()); return err }
				if prepare != nil {
					b.must(act())
					prepare(b, one)
				}
				if what == "resumes" {
					act = func() error { _, err := b.replays.Tasks.Resume(ctx, b.merchant, one.ID); return err }
				}
				b.life.calls, b.life.at, b.life.accident = 0, call, how
				for err := act(); b.life.again() || err != nil; err = act() { // a person who gets an error tries again
					if how == doneTwice {
						t.Fatalf("%s, call %d: %v", what, call, err)
					}
				}
				calls := b.life.calls
				b.life.at = 0
				b.run()
				list, _, err := b.replays.Tasks.List(ctx, b.merchant, 10, "")
				list = slices.DeleteFunc(list, func(t task.Task) bool { return what == "replaces" && t.State == task.Cancelled })
				if err != nil || len(list) != 1 || list[0].State != task.Done || list[0].Progress.Sent != 1 || b.jobsOf(wanted) != 1 || b.delivery(wanted).Version != 5 {
					t.Fatalf("%s, %s, call %d: %d jobs, %+v, %v", what, how, call, b.jobsOf(wanted), list, err)
				}
				if calls < call {
					if call < 3 {
						t.Errorf("only %d calls were stopped", call-1)
					}
					break
				}
			}
		}
	}
}

// TestConformanceWhatIsRecoveredGetsItsWholeScheduleAgainEvenIfItsJobIsLost has the courier and the sweep take it on.
func TestConformanceWhatIsRecoveredGetsItsWholeScheduleAgainEvenIfItsJobIsLost(t *testing.T) {
	for name, lost := range map[string]bool{"sent": false, "lost": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, newGround(t), statuses(http.StatusInternalServerError))
			w.run()
			first := w.delivery()
			if first.Status != Failed || first.Reason != Exhausted {
				t.Fatalf("%+v", first)
			}
			w.letters = nil
			again := Replayer{Events: w.courier.Events, Endpoints: w.courier.Endpoints, Deliveries: w.courier.Deliveries, Jobs: w.courier.Jobs, Now: w.clock}
			on, err := w.courier.Endpoints.Enable(context.Background(), w.endpoint.Merchant, w.endpoint.ID) // it was disabled for failing so long
			w.must(err)
			terms := Terms{Endpoint: w.endpoint.ID, Since: on.MissedSince, Until: at(time.Hour)}
			step, err := again.Step(context.Background(), task.Task{ID: "tsk_1", Owner: w.endpoint.Merchant, Kind: KindRecover, Terms: terms.text()}, 10)
			if err != nil || !step.Done || step.Sent != 1 {
				t.Fatalf("%+v, %v", step, err)
			}
			if lost {
				w.waiting = nil
			}
			w.run()
			if d := w.delivery(); d.Status != Failed || d.Made != 2*first.Made || d.Cause != Recovered || len(w.letters) == 0 {
				t.Errorf("%d attempts, then %d: %+v", first.Made, d.Made, d)
			}
		})
	}
}
