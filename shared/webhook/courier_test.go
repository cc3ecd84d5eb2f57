package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"farrier/shared/dynamo"
	"farrier/shared/problem"
	"farrier/shared/queue"
)

func TestConformanceAFirstSuccessIsOneWriteAndEndsTheDelivery(t *testing.T) {
	w := newWorld(t, newGround(t), func(n int, out http.ResponseWriter) { _, _ = out.Write([]byte("thanks")) })
	w.run()
	d := w.delivery()
	if d.Status != Delivered || d.Version != 1 || d.Made != 1 || d.Attempts[0].Answer != "thanks" || d.NextAt != nil || d.Merchant != w.event.Merchant {
		t.Errorf("%+v", d)
	}
	if w.life.calls != 4 { // one reading of delivery, endpoint, state and event, KMS, the POST, the record
		t.Errorf("%d calls", w.life.calls)
	}
	if len(w.posts) != 1 || len(w.waiting) != 0 || len(w.letters) != 0 {
		t.Errorf("%d posts, %d jobs, %d letters", len(w.posts), len(w.waiting), len(w.letters))
	}
}

func TestConformanceAttemptsFollowTheScheduleByTheQueueAndThenByTheTable(t *testing.T) {
	w := newWorld(t, newGround(t), statuses(500))
	w.run()
	d := w.delivery()
	if d.Status != Failed || d.Reason != Exhausted || d.Made != 10 || d.DueAt != "" || d.DueShard != "" {
		t.Errorf("%+v", d)
	}
	at := noon
	for i, a := range d.Attempts {
		at = at.Add(schedule[i])
		if late := a.At.Sub(at); late < 0 || late > 2*time.Minute || a.N != i+1 || a.Status != 500 {
			t.Errorf("attempt %d at %v, want %v: %+v", i+1, a.At, at, a)
		}
		at = a.At
	}
	job := w.firstJob()
	job.Attempt = 10
	if !slices.Equal(w.letters, []Letter{{Job: job, Reason: Exhausted}}) {
		t.Errorf("the dead letters are %+v", w.letters)
	}
	for _, name := range w.posts {
		if name != w.event.ID {
			t.Errorf("the webhook-id changed to %s", name)
		}
	}
}

// Every call of the process meets every accident, one in each run. Whatever happens: what must be said is
// said, what was answered is recorded, and no endpoint hears more than one attempt too many.
func TestConformanceAnAccidentAtAnyCallLosesNothing(t *testing.T) {
	g := newGround(t)
	for _, story := range []struct {
		name  string
		reply func(int, http.ResponseWriter)
		check func(t *testing.T, w *world)
	}{
		{"at the first attempt", statuses(200), wasDelivered},
		{"at the fourth, by queue and by table", statuses(500, 503, 500, 200), wasDelivered},
		{"not at all, and the endpoint is disabled", statuses(500, 410), wasDisabled},
	} {
		plain := newWorld(t, g, story.reply)
		plain.run()
		calls := plain.life.calls
		story.check(t, plain)
		for stop := 1; stop <= calls; stop++ {
			for _, accident := range []accident{stopBefore, stopAfter, doneTwice} {
				t.Run(fmt.Sprintf("%s/call %d %s", story.name, stop, accident), func(t *testing.T) {
					w := newWorld(t, g, story.reply)
					w.life.at, w.life.accident = stop, accident
					w.run()
					story.check(t, w)
					if len(w.posts) > len(plain.posts)+1 {
						t.Errorf("%d posts, %d without a stop", len(w.posts), len(plain.posts))
					}
				})
			}
		}
	}
}

func wasDelivered(t *testing.T, w *world) {
	t.Helper()
	d := w.delivery()
	if d.Status != Delivered || d.Attempts[len(d.Attempts)-1].Status != 200 {
		t.Errorf("%+v", d)
	}
	if len(w.letters) > 0 {
		t.Errorf("dead letters: %v", w.letters)
	}
}

func wasDisabled(t *testing.T, w *world) {
	t.Helper()
	d := w.delivery()
	e, err := w.courier.Endpoints.Get(context.Background(), w.endpoint.Merchant, w.endpoint.ID)
	// A stop after the POST may lose the record of a 410; the next attempt meets it again.
	if err != nil || d.Status != Failed || d.Reason != Gone || e.Enabled || e.DisabledReason != string(Gone) {
		t.Errorf("%+v %+v %v", d, e, err)
	}
}

// The last attempt's dead letter must be there whatever happens between its record and its sending.
func TestConformanceAnAccidentAroundTheLastAttemptStillLeavesADeadLetter(t *testing.T) {
	g := newGround(t)
	lastOf := func(w *world) { // nine attempts were made
		d := Delivery{Event: w.event.ID, Endpoint: w.endpoint.ID, Merchant: w.event.Merchant, Status: Pending, Made: 9, Step: 9, NextAt: &noon, UpdatedAt: noon, Version: 1}
		w.must(w.asides.write(context.Background(), d))
		w.waiting = nil
		w.must(w.courier.Jobs.Send(context.Background(), d.job().Message(0)))
		w.life.calls = 0
	}
	plain := newWorld(t, g, statuses(500))
	lastOf(plain)
	plain.run()
	for stop := 1; stop <= plain.life.calls; stop++ {
		for _, accident := range []accident{stopBefore, stopAfter, doneTwice} {
			w := newWorld(t, g, statuses(500))
			lastOf(w)
			w.life.at, w.life.accident = stop, accident
			w.run()
			if d := w.delivery(); d.Status != Failed || d.Reason != Exhausted || d.Made != 10 || len(w.letters) == 0 {
				t.Errorf("call %d %s: %+v, %d letters", stop, accident, d, len(w.letters))
			}
		}
	}
}

func TestConformanceTheSameJobAgainIsNotPostedAgain(t *testing.T) {
	w := newWorld(t, newGround(t), statuses(500, 200))
	first := w.nextMessage()
	copyOfFirst := *first
	w.deliver(first)
	w.deliver(&copyOfFirst) // SQS delivers at least once
	if len(w.posts) != 1 {
		t.Errorf("%d posts", len(w.posts))
	}
	// The second sequel comes only when the first has been attempted and recorded, so that they never run side by side.
	if len(w.waiting) != 2 || w.waiting[1].visible.Sub(w.waiting[0].visible) < sequelSlack {
		t.Errorf("%d sequels", len(w.waiting))
	}
	w.run()
	if d := w.delivery(); d.Status != Delivered || len(w.posts) != 2 {
		t.Errorf("%d posts, %+v", len(w.posts), d)
	}
}

// Two copies of one job run at the same time: the endpoint fails one and accepts the other.
func TestConformanceASuccessIsNotForgottenWhenAFailureBesideItWasRecordedFirst(t *testing.T) {
	arrived, proceed := make(chan struct{}), make(chan struct{})
	w := newWorld(t, newGround(t), func(n int, out http.ResponseWriter) {
		if n == 1 { // accepted, but slow to answer
			close(arrived)
			<-proceed
			return
		}
		out.WriteHeader(http.StatusInternalServerError)
	})
	job := w.nextMessage()
	slow := make(chan error)
	go func() { slow <- w.handle(job) }()
	<-arrived
	w.must(w.handle(job))
	if d := w.delivery(); d.Status != Pending || d.Made != 1 {
		t.Errorf("%+v", d)
	}
	close(proceed)
	w.must(<-slow)
	if d := w.delivery(); d.Status != Delivered || d.Made != 2 || d.Attempts[0].Status != 500 || d.Attempts[1].Status != 200 {
		t.Errorf("%+v", d)
	}
	w.run()
	if d := w.delivery(); d.Made != 2 || len(w.posts) != 2 {
		t.Errorf("%d posts, %+v", len(w.posts), d)
	}
}

func TestConformanceADisabledEndpointsEventIsHeldAndADeletedOnesFails(t *testing.T) {
	g, ctx := newGround(t), context.Background()
	w := newWorld(t, g, statuses(500))
	w.deliver(w.nextMessage())
	_, err := w.courier.Endpoints.Disable(ctx, w.endpoint.Merchant, w.endpoint.ID, "by its owner")
	w.must(err)
	w.run()
	if d := w.delivery(); d.Status != Held || d.Reason != Disabled || d.Made != 1 || len(d.Attempts) != 1 || len(w.posts) != 1 {
		t.Errorf("%d posts, %+v", len(w.posts), d)
	}
	w = newWorld(t, g, statuses(500))
	w.must(w.courier.Endpoints.Delete(ctx, w.endpoint.Merchant, w.endpoint.ID))
	w.run()
	if d := w.delivery(); d.Status != Failed || d.Reason != Deleted || len(w.posts) != 0 || len(w.letters) != 0 {
		t.Errorf("%d posts, %+v", len(w.posts), d)
	}
}

func TestConformanceAnEndpointThatWasEnabledAgainIsNotDisabledByAnOld410(t *testing.T) {
	w, ctx := newWorld(t, newGround(t), statuses(410)), context.Background()
	job := w.nextMessage()
	again := *job
	w.deliver(job)
	w.goTo(w.clock().Add(time.Minute))
	_, err := w.courier.Endpoints.Enable(ctx, w.endpoint.Merchant, w.endpoint.ID)
	w.must(err)
	w.deliver(&again)
	if e, err := w.courier.Endpoints.Get(ctx, w.endpoint.Merchant, w.endpoint.ID); err != nil || !e.Enabled {
		t.Errorf("%+v %v", e, err)
	}
}

func TestConformanceWhatIsAskedForByHandIsSentOnceMore(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, newGround(t), statuses(200))
	w.run()
	d, err := w.sender.Resend(ctx, w.event.Merchant, w.delivery().ID())
	if err != nil || d.Status != Pending {
		t.Fatal(d, err)
	}
	if _, err := w.sender.Resend(ctx, w.event.Merchant, d.ID()); err != nil { // pressed twice
		t.Fatal(err)
	}
	w.run()
	if d := w.delivery(); d.Status != Delivered || d.Made != 2 || len(w.posts) != 2 || d.DueAt != "" {
		t.Errorf("%d posts, %+v", len(w.posts), d)
	}
	if _, err := w.sender.Resend(ctx, "mer_other", d.ID()); !problem.Is(err, problem.NotFound) {
		t.Errorf("another merchant's: %v", err)
	}
	_, err = w.sender.Endpoints.Disable(ctx, w.event.Merchant, w.endpoint.ID, "by its owner")
	w.must(err)
	if _, err := w.sender.Resend(ctx, w.event.Merchant, d.ID()); !problem.Is(err, problem.Conflict) {
		t.Errorf("to a disabled endpoint: %v", err)
	}
	w.must(w.sender.Endpoints.Delete(ctx, w.event.Merchant, w.endpoint.ID))
	if _, err := w.sender.Resend(ctx, w.event.Merchant, d.ID()); !problem.Is(err, problem.Conflict) {
		t.Errorf("to a deleted endpoint: %v", err)
	}
}

func TestConformanceAStopWhileResendingLosesNothing(t *testing.T) {
	g, ctx := newGround(t), context.Background()
	for stop := 1; stop <= 4; stop++ { // delivery, endpoint, record, job
		for _, accident := range []accident{stopBefore, stopAfter} {
			w := newWorld(t, g, statuses(410, 200))
			w.run()
			_, err := w.sender.Endpoints.Enable(ctx, w.event.Merchant, w.endpoint.ID)
			w.must(err)
			w.life.calls, w.life.at, w.life.accident = 0, stop, accident
			_, err = w.sender.Resend(ctx, w.event.Merchant, w.delivery().ID())
			if err == nil || !w.life.again() {
				t.Fatalf("call %d %s: it was not stopped", stop, accident)
			}
			if recorded := w.delivery().Status == Pending; recorded != (stop > 3 || stop == 3 && accident == stopAfter) {
				t.Errorf("call %d %s: recorded: %t", stop, accident, recorded)
			}
			if w.delivery().Status != Pending { // nothing happened: the merchant asks again
				_, err = w.sender.Resend(ctx, w.event.Merchant, w.delivery().ID())
				w.must(err)
			}
			w.run()
			if d := w.delivery(); d.Status != Delivered || len(w.posts) != 2 {
				t.Errorf("call %d %s: %d posts, %+v", stop, accident, len(w.posts), d)
			}
		}
	}
}

func TestConformanceAResendWhoseAnswerWasLostIsDoneOnce(t *testing.T) {
	g, ctx := newGround(t), context.Background()
	for call := 1; call <= 4; call++ {
		w := newWorld(t, g, statuses(200))
		w.run()
		w.life.calls, w.life.at, w.life.accident = 0, call, doneTwice
		if _, err := w.sender.Resend(ctx, w.event.Merchant, w.delivery().ID()); err != nil {
			t.Errorf("call %d: %v", call, err)
		}
		w.run()
		if d := w.delivery(); d.Status != Delivered || d.Made != 2 || len(w.posts) != 2 {
			t.Errorf("call %d: %d posts, %+v", call, len(w.posts), d)
		}
	}
}

func TestConformanceADeadLetterThatIsPutBackIsTriedOnceMore(t *testing.T) {
	w := newWorld(t, newGround(t), statuses(500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 200))
	w.run()
	e, err := w.courier.Endpoints.Get(context.Background(), w.endpoint.Merchant, w.endpoint.ID)
	if err != nil || e.Enabled || e.DisabledReason != string(Failing) {
		t.Errorf("after three days in vain: %+v %v", e, err)
	}
	_, err = w.courier.Endpoints.Enable(context.Background(), w.endpoint.Merchant, w.endpoint.ID)
	w.must(err)
	w.must(w.courier.Jobs.Send(context.Background(), queue.Message{Body: w.letters[0], Group: w.endpoint.ID}))
	twice := *w.nextMessage()
	w.waiting = append(w.waiting, &twice)
	w.run()
	if d := w.delivery(); d.Status != Delivered || d.Made != 11 || len(w.posts) != 11 {
		t.Errorf("%d posts, %+v", len(w.posts), d)
	}
}

func TestConformanceATestIsSentToItsEndpointWhateverThatSubscribesTo(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, newGround(t), statuses(200))
	w.waiting = nil
	only := []string{"payment.paid"}
	_, err := w.sender.Endpoints.Update(ctx, w.event.Merchant, w.endpoint.ID, func(s *Settings) { s.Events = only }, Private{})
	w.must(err)
	w.event, err = w.sender.Test(ctx, w.event.Merchant, w.endpoint.ID)
	w.must(err)
	w.run()
	if d := w.delivery(); d.Status != Delivered || len(w.posts) != 1 || w.posts[0] != w.event.ID {
		t.Errorf("%+v", d)
	}
	if view := w.event.View(); view.Type != "endpoint.test" || view.Object != w.endpoint.ID {
		t.Errorf("%+v", view)
	}
}

func TestConformanceOneBadMessageBringsBackItselfAlone(t *testing.T) {
	w := newWorld(t, newGround(t), statuses(200))
	good := w.nextMessage().body
	answer, err := w.courier.Invoke(context.Background(), events.SQSEvent{Records: []events.SQSMessage{
		{MessageId: "a", Body: "nonsense"}, {MessageId: "b", Body: good}, {MessageId: "c", Body: `{"job":{}}`},
	}})
	if err != nil || len(answer.BatchItemFailures) != 2 || answer.BatchItemFailures[0].ItemIdentifier != "a" || answer.BatchItemFailures[1].ItemIdentifier != "c" {
		t.Errorf("%+v %v", answer, err)
	}
	if w.delivery().Status != Delivered {
		t.Error("the good one was not delivered")
	}
	if answer, err := w.courier.Invoke(context.Background(), events.SQSEvent{}); err != nil || answer.BatchItemFailures == nil {
		t.Errorf("the answer to an empty batch is %+v %v: the list must not be null", answer, err)
	}
}

func TestConformanceASlowEndpointDoesNotKeepTheOthersOfItsBatchWaiting(t *testing.T) {
	g, release := newGround(t), make(chan struct{})
	slow := newWorld(t, g, func(int, http.ResponseWriter) { <-release })
	fast := newWorld(t, g, statuses(200))
	batch := events.SQSEvent{Records: []events.SQSMessage{{MessageId: "slow", Body: slow.nextMessage().body}, {MessageId: "fast", Body: fast.nextMessage().body}}}
	done := make(chan struct{})
	go func() { _, _ = slow.courier.Invoke(context.Background(), batch); close(done) }()
	deadline := time.After(3 * time.Second)
	for fast.delivery().Status != Delivered {
		select {
		case <-deadline:
			t.Fatal("it waits")
		case <-time.After(20 * time.Millisecond):
		}
	}
	close(release)
	<-done
}

func TestConformanceTheEventsFilesAreUnderstood(t *testing.T) {
	w := newWorld(t, newGround(t), statuses(200))
	w.endpoint.ID = "" // the files name others
	for name, failures := range map[string]int{"deliver-first": 0, "deliver-second": 0, "deliver-put-back": 0, "deliver-one-unreadable": 1} {
		text, err := os.ReadFile("../../events/" + name + ".json") // #nosec G304 -- a test's own files
		w.must(err)
		var batch events.SQSEvent
		w.must(json.Unmarshal(text, &batch))
		answer, err := w.courier.Invoke(context.Background(), batch)
		if err != nil || len(answer.BatchItemFailures) != failures {
			t.Errorf("%s: %+v %v", name, answer, err)
		}
	}
	d, err := w.asides.read(context.Background(), dynamo.Key{PK: "evt_01KAJ5M6K2QJ0W8Z3X5C7V9B1N", SK: "ep_01KAJ5K9D3R5T7Y9P1S3F5G7H9"})
	if err != nil || d.Status != Failed || d.Reason != Deleted {
		t.Errorf("an endpoint that does not exist: %+v %v", d, err)
	}
}

func TestConformanceAnItemThatManyAskForFailsTheJobsThatNeedItAlone(t *testing.T) {
	w := newWorld(t, newGround(t), statuses(200))
	job, hot := w.nextMessage().body, "evt_01KAJ5K7Q0M4T8X2V6B9N3R1ZC"
	told := w.event
	told.ID = hot
	w.must(w.courier.Events.Record(context.Background(), told))
	w.courier.Deliveries.Table.Client = leavesUnread(w.courier.Deliveries.Table.Client, hot)
	answer, err := w.courier.Invoke(context.Background(), events.SQSEvent{Records: []events.SQSMessage{
		{MessageId: "hot", Body: strings.ReplaceAll(job, w.event.ID, hot)}, {MessageId: "other", Body: job},
	}})
	if err != nil || len(answer.BatchItemFailures) != 1 || answer.BatchItemFailures[0].ItemIdentifier != "hot" {
		t.Errorf("%+v %v", answer, err)
	}
	if !slices.Equal(w.posts, []string{w.event.ID}) || w.delivery().Status != Delivered {
		t.Errorf("posts %v, %+v", w.posts, w.delivery())
	}
}

// leavesUnread is a client whose readings of many items never bring those of a partition.
func leavesUnread(client *dynamodb.Client, pk string) *dynamodb.Client {
	return dynamodb.New(client.Options(), func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
			return s.Initialize.Add(middleware.InitializeMiddlewareFunc("hot", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				asked, many := in.Parameters.(*dynamodb.BatchGetItemInput)
				if !many {
					return next.HandleInitialize(ctx, in)
				}
				answer := &dynamodb.BatchGetItemOutput{UnprocessedKeys: map[string]types.KeysAndAttributes{}}
				others := map[string]types.KeysAndAttributes{}
				for table, of := range asked.RequestItems {
					for _, key := range of.Keys {
						where := others
						if key["pk"].(*types.AttributeValueMemberS).Value == pk {
							where = answer.UnprocessedKeys
						}
						where[table] = types.KeysAndAttributes{ConsistentRead: of.ConsistentRead, Keys: append(where[table].Keys, key)}
					}
				}
				if len(others) > 0 {
					in.Parameters = &dynamodb.BatchGetItemInput{RequestItems: others}
					out, meta, err := next.HandleInitialize(ctx, in)
					if err != nil {
						return out, meta, err
					}
					answer.Responses = out.Result.(*dynamodb.BatchGetItemOutput).Responses
				}
				return middleware.InitializeOutput{Result: answer}, middleware.Metadata{}, nil
			}), middleware.After)
		})
	})
}
