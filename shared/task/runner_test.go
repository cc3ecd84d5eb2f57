package task

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/id"
	"farrier/shared/parts"
	"farrier/shared/problem"
)

// count is a Kind that counts to an end, and remembers how often it came past each number.
type count struct {
	*desk
	to int
}

func (c count) Step(_ context.Context, t Task, room int) (Step, error) {
	from, _ := strconv.Atoi(t.Position)
	n := min(room, c.to-from)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.steps = append(c.steps, done{c.now, n})
	if c.during != nil {
		c.during(t)
	}
	return Step{Position: strconv.Itoa(from + n), Looked: n, Sent: n, Total: c.to, Done: from+n == c.to}, nil
}

type done struct {
	at time.Time
	n  int
}

// desk is where a test's tasks are worked at: real table, its own clock and queue.
type desk struct {
	t      *testing.T
	mu     sync.Mutex
	now    time.Time
	steps  []done
	during func(Task) // in the middle of a step, with the clock held
	outbox *parts.Outbox
	Runner
}

func newDesk(t *testing.T, to int) *desk {
	t.Helper()
	d := &desk{t: t, now: noon, outbox: &parts.Outbox{}}
	clock := func() time.Time { return d.now }
	d.Runner = Runner{
		Tasks: Tasks{Table: parts.Table(t), Queue: d.outbox.Queue("tasks", d.outbox), Now: clock, Random: rand.Reader},
		Kinds: map[string]Kind{"count": count{d, to}}, Slice: 40 * time.Second,
		Sleep: func(_ context.Context, wait time.Duration) error { d.now = d.now.Add(wait); return nil },
		Log:   slog.New(slog.DiscardHandler),
	}
	return d
}

func (d *desk) task(subject, terms string, rate int) Task {
	d.t.Helper()
	name, err := id.New("tsk", d.now, rand.Reader)
	d.must(err)
	return Task{Owner: "mer_1", ID: name, Kind: "count", Subject: subject, Terms: terms, Rate: rate}
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) get(t Task) Task {
	d.t.Helper()
	got, err := d.Tasks.Get(context.Background(), t.Owner, t.ID)
	d.must(err)
	return got
}

// run handles messages until there are none.
func (d *desk) run() (messages int) {
	d.t.Helper()
	for range 1000 {
		sent := d.outbox.Take("tasks")
		if len(sent) == 0 {
			return messages
		}
		for _, m := range sent {
			messages++
			d.now = d.now.Add(m.Delay)
			d.must(d.Handle(context.Background(), events.SQSMessage{Body: m.Body}))
		}
	}
	d.t.Fatal("it never ends")
	return 0
}

func TestConformanceATaskRunsToItsEndInSlices(t *testing.T) {
	d := newDesk(t, 1000)
	one, err := d.Tasks.Start(context.Background(), d.task("a", "{}", 10))
	d.must(err)
	if messages := d.run(); messages != 3 {
		t.Errorf("%d slices of 40 seconds for 100 seconds", messages)
	}
	got := d.get(one)
	if got.State != Done || got.Progress.Sent != 1000 || got.Progress.Total != 1000 || got.EndedAt == nil {
		t.Errorf("%+v", got)
	}
}

func TestConformanceTheRateIsKeptOverEverySecond(t *testing.T) {
	d := newDesk(t, 700)
	began := d.now
	_, err := d.Tasks.Start(context.Background(), d.task("a", "{}", 7))
	d.must(err)
	d.run()
	sum := 0
	for i, s := range d.steps {
		if i > 0 && s.at.Sub(d.steps[i-1].at) < time.Second*time.Duration(d.steps[i-1].n)/7 {
			t.Fatalf("the step at %s came too soon", s.at.Sub(began))
		}
		sum += s.n
		if s.n > 7 {
			t.Fatalf("%d at once", s.n)
		}
	}
	if sum != 700 || d.now.Sub(began) < 99*time.Second || d.now.Sub(began) > 101*time.Second {
		t.Errorf("%d in %s", sum, d.now.Sub(began))
	}
}

func TestConformanceOnlyOneTaskAboutASubjectRuns(t *testing.T) {
	d := newDesk(t, 50)
	ctx := context.Background()
	first, err := d.Tasks.Start(ctx, d.task("a", `{"n":1}`, 10))
	d.must(err)
	if same, err := d.Tasks.Start(ctx, d.task("a", `{"n":1}`, 99)); err != nil || same.ID != first.ID || same.Rate != 10 {
		t.Errorf("the same again is %+v, %v", same, err)
	}
	_, err = d.Tasks.Start(ctx, d.task("a", `{"n":2}`, 10))
	if !problem.Is(err, problem.Conflict) || !strings.Contains(err.Error(), first.ID) {
		t.Errorf("other terms: %v", err)
	}
	if _, err := d.Tasks.Start(ctx, d.task("b", `{"n":2}`, 10)); err != nil {
		t.Errorf("another subject: %v", err)
	}
	d.must2(d.Tasks.Pause(ctx, first.Owner, first.ID))
	if _, err = d.Tasks.Start(ctx, d.task("a", `{"n":2}`, 10)); !problem.Is(err, problem.Conflict) {
		t.Errorf("beside a paused one: %v", err)
	}
	d.must2(d.Tasks.Cancel(ctx, first.Owner, first.ID))
	next, err := d.Tasks.Start(ctx, d.task("a", `{"n":2}`, 10))
	if err != nil || next.ID == first.ID {
		t.Errorf("after its end: %v", err)
	}
	d.run()
	if got := d.get(next); got.State != Done {
		t.Errorf("%+v", got)
	}
	if again, err := d.Tasks.Start(ctx, Task{Owner: next.Owner, ID: next.ID, Kind: next.Kind, Subject: next.Subject, Terms: next.Terms, Rate: 10}); err != nil || again.State != Done {
		t.Errorf("the same id after its end: %+v, %v", again, err)
	}
	if _, err := d.Tasks.Start(ctx, Task{Owner: next.Owner, ID: next.ID, Kind: next.Kind, Subject: "c", Terms: next.Terms, Rate: 10}); !problem.Is(err, problem.Conflict) {
		t.Errorf("other work under an id that is taken: %v", err)
	}
}

func (d *desk) must2(_ Task, err error) { d.t.Helper(); d.must(err) }

func TestConformanceOfManyWhoStartAtOnceOneTaskComes(t *testing.T) {
	d := newDesk(t, 50)
	var mu sync.Mutex
	var all sync.WaitGroup
	names := map[string]int{}
	for range 12 {
		asked := d.task("a", "{}", 10)
		all.Go(func() {
			started, err := d.Tasks.Start(context.Background(), asked)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			names[started.ID]++
		})
	}
	all.Wait()
	d.run()
	list, _, err := d.Tasks.List(context.Background(), "mer_1", 50, "")
	if len(names) != 1 || err != nil || len(list) != 1 || list[0].State != Done || list[0].Progress.Sent != 50 {
		t.Errorf("%v, %d listed, %v", names, len(list), err)
	}
}

func TestConformanceTwoCopiesOfAMessageDoTheWorkOnce(t *testing.T) {
	d := newDesk(t, 1000)
	one, err := d.Tasks.Start(context.Background(), d.task("a", "{}", 10))
	d.must(err)
	first := d.outbox.Take("tasks")[0]
	var overtaken error
	d.during = func(t Task) { // the second copy comes while the first is in the middle of its third step
		if t.Steps == 2 {
			d.during = nil
			d.mu.Unlock()
			overtaken = d.Handle(context.Background(), events.SQSMessage{Body: first.Body})
			d.mu.Lock()
		}
	}
	err = d.Handle(context.Background(), events.SQSMessage{Body: first.Body})
	if !errors.Is(err, errOvertaken) || overtaken != nil { // the second one was faster, so that the first lets go
		t.Fatalf("%v, %v", err, overtaken)
	}
	d.must(d.Handle(context.Background(), events.SQSMessage{Body: first.Body})) // what was let go comes again, and is old
	d.run()
	if got := d.get(one); got.State != Done || got.Progress.Sent != 1000 {
		t.Errorf("%+v", got)
	}
}

func TestConformanceWhatTheOwnerWantsTakesHoldWithTheNextStep(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		act  func(d *desk, t Task) error
		then State
	}{
		"pause":  {func(d *desk, t Task) error { _, err := d.Tasks.Pause(ctx, t.Owner, t.ID); return err }, Paused},
		"cancel": {func(d *desk, t Task) error { _, err := d.Tasks.Cancel(ctx, t.Owner, t.ID); return err }, Cancelled},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 1000)
			one, err := d.Tasks.Start(ctx, d.task("a", "{}", 10))
			d.must(err)
			d.during = func(t Task) {
				if t.Steps == 4 {
					d.must(c.act(d, t))
				}
			}
			d.run()
			got := d.get(one)
			if got.State != c.then || got.Progress.Sent != 50 || got.Position != "50" {
				t.Errorf("%+v", got)
			}
			if c.then == Paused {
				d.must2(d.Tasks.Resume(ctx, one.Owner, one.ID))
				d.run()
				if got := d.get(one); got.State != Done || got.Progress.Sent != 1000 {
					t.Errorf("%+v", got)
				}
			}
		})
	}
	d := newDesk(t, 1000)
	one, err := d.Tasks.Start(ctx, d.task("a", "{}", 10))
	d.must(err)
	d.during = func(t Task) {
		if t.Steps == 4 {
			d.must2(d.Tasks.SetRate(ctx, t.Owner, t.ID, 100))
		}
	}
	began := d.now
	d.run()
	if took := d.now.Sub(began); d.get(one).State != Done || took > 15*time.Second {
		t.Errorf("faster: %s", took)
	}
}

func TestConformanceATaskWhoseMessageWasLostIsBroughtBack(t *testing.T) {
	ctx := context.Background()
	for name, back := range map[string]func(d *desk, t Task) (Task, error){
		"a look":     func(d *desk, t Task) (Task, error) { return d.Tasks.Look(ctx, t.Owner, t.ID) },
		"resume":     func(d *desk, t Task) (Task, error) { return d.Tasks.Resume(ctx, t.Owner, t.ID) },
		"once again": func(d *desk, t Task) (Task, error) { return d.Tasks.Start(ctx, t) },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 50)
			asked := d.task("a", "{}", 10)
			d.must2(d.Tasks.Start(ctx, asked))
			d.outbox.Take("tasks") // lost
			d.must2(d.Tasks.Look(ctx, asked.Owner, asked.ID))
			if len(d.outbox.Take("tasks")) != 0 {
				t.Error("a look at a task that is not late sends its message")
			}
			d.now = d.now.Add(StalledAfter + time.Minute)
			d.must2(back(d, asked))
			d.run()
			if got := d.get(asked); got.State != Done || got.Progress.Sent != 50 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestConformanceWhoeverPollsATaskThatWaitsDoesNotPutItOff: its message waits in a long queue, and stays good for its turn.
func TestConformanceATaskThatIsPausedGoesOnWhenItIsAskedForAgain(t *testing.T) {
	ctx := context.Background()
	for name, other := range map[string]bool{"under its id": false, "under another id": true} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 50)
			asked := d.task("a", "{}", 10)
			d.must2(d.Tasks.Start(ctx, asked))
			d.must2(d.Tasks.Pause(ctx, asked.Owner, asked.ID))
			d.run()
			again := asked
			if other {
				again = d.task("a", "{}", 10)
			}
			if got, err := d.Tasks.Start(ctx, again); err != nil || got.ID != asked.ID || got.State != Running {
				t.Fatalf("%+v, %v", got, err)
			}
			d.run()
			if got := d.get(asked); got.State != Done || got.Progress.Sent != 50 {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestConformanceATaskGivesItsPlaceToAnother(t *testing.T) {
	ctx := context.Background()
	d := newDesk(t, 50)
	old := d.task("a", `{"n":1}`, 10)
	d.must2(d.Tasks.Start(ctx, old))
	for _, gives := range []bool{false, true} {
		d.must(d.Tasks.Replace(ctx, old.Owner, "a", func(t Task) bool { return gives && t.ID == old.ID }))
		if got := d.get(old); (got.State == Cancelled) != gives {
			t.Errorf("asked to give its place, %t: %+v", gives, got)
		}
	}
	next := d.task("a", `{"n":2}`, 10)
	d.must2(d.Tasks.Start(ctx, next))
	d.run()
	d.must(d.Tasks.Replace(ctx, old.Owner, "a", func(Task) bool { t.Error("one at its end is asked"); return true }))
	if got := d.get(next); got.State != Done || got.Progress.Sent != 50 {
		t.Errorf("%+v", got)
	}
}

func TestConformanceWhoeverPollsATaskThatWaitsDoesNotPutItOff(t *testing.T) {
	ctx := context.Background()
	d := newDesk(t, 50)
	asked := d.task("a", "{}", 10)
	d.must2(d.Tasks.Start(ctx, asked))
	waits := d.outbox.Take("tasks")[0]
	sent := 0
	for range 6 * 60 { // each ten seconds for an hour
		d.now = d.now.Add(10 * time.Second)
		for _, act := range []func() (Task, error){
			func() (Task, error) { return d.Tasks.Look(ctx, asked.Owner, asked.ID) },
			func() (Task, error) { return d.Tasks.Resume(ctx, asked.Owner, asked.ID) },
			func() (Task, error) { return d.Tasks.Start(ctx, asked) },
		} {
			if got, err := act(); err != nil || got.Turn != 1 {
				t.Fatalf("%+v, %v", got, err)
			}
		}
		sent += len(d.outbox.Take("tasks"))
	}
	if sent < 4 || sent > 6 {
		t.Errorf("its message was sent %d times again in an hour", sent)
	}
	d.must(d.Handle(ctx, events.SQSMessage{Body: waits.Body}))
	d.run()
	if got := d.get(asked); got.State != Done || got.Progress.Sent != 50 {
		t.Errorf("%+v", got)
	}
}

func TestConformanceCopiesOfAnOldMessageSendTheNextOneOnce(t *testing.T) {
	ctx := context.Background()
	d := newDesk(t, 1000)
	d.must2(d.Tasks.Start(ctx, d.task("a", "{}", 10)))
	first := d.outbox.Take("tasks")[0]
	for range 5 {
		d.must(d.Handle(ctx, events.SQSMessage{Body: first.Body}))
	}
	if sent := d.outbox.Take("tasks"); len(sent) != 2 || sent[0].Body != sent[1].Body {
		t.Errorf("%+v", sent)
	}
}

func TestConformanceMessagesThatNameNoTaskAreForAPerson(t *testing.T) {
	d := newDesk(t, 1)
	for _, body := range []string{``, `{}`, `[]`, `{"owner":"mer_1","task":"tsk_1","turn":1}`, `{"owner":"","task":"tsk_01KAJ5P7X1A3C5E7G9J1M3P5R7","turn":1}`,
		`{"owner":"mer_1","task":"tsk_01KAJ5P7X1A3C5E7G9J1M3P5R7","turn":1}`} {
		if err := d.Handle(context.Background(), events.SQSMessage{Body: body}); !errors.Is(err, errUnreadable) {
			t.Errorf("%s: %v", body, err)
		}
	}
	odd := d.task("a", "{}", 10)
	odd.Kind = "unheard"
	d.must2(d.Tasks.Start(context.Background(), odd))
	if err := d.Handle(context.Background(), events.SQSMessage{Body: d.outbox.Take("tasks")[0].Body}); !errors.Is(err, errUnknown) {
		t.Error(err)
	}
	for _, name := range []string{"", "tsk_", "about#a", "tsk_01KAJ5P7X1A3C5E7G9J1M3P5R7", "pay_01KAJ5P7X1A3C5E7G9J1M3P5R7"} {
		if _, err := d.Tasks.Look(context.Background(), "mer_1", name); !problem.Is(err, problem.NotFound) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := d.Tasks.Look(context.Background(), "mer_2", odd.ID); !problem.Is(err, problem.NotFound) {
		t.Error("another's task is shown:", err)
	}
}

func TestConformanceTasksAreListedTheNewestFirstAndNothingElse(t *testing.T) {
	d := newDesk(t, 1)
	var want []string
	for i := range 3 {
		d.now = d.now.Add(time.Second)
		one, err := d.Tasks.Start(context.Background(), d.task(fmt.Sprint(i), "{}", 1))
		d.must(err)
		want = append([]string{one.ID}, want...)
	}
	var got []string
	list, _, err := d.Tasks.List(context.Background(), "mer_1", 50, "")
	for _, one := range list {
		got = append(got, one.ID)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}
