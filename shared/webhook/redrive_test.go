package webhook

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"farrier/shared/parts"
	"farrier/shared/queue"
	"farrier/shared/task"
)

const (
	deadEvent    = "evt_01KAJ5M6K2QJ0W8Z3X5C7V9B1N"
	deadEndpoint = "ep_01KAJ5K9D3R5T7Y9P1S3F5G7H9"
)

func deadJob(attempt int) Job {
	return Job{Merchant: "mer_01KAJ5K7Q0M4T8X2V6B9N3R1ZC", Event: deadEvent, Endpoint: deadEndpoint, Attempt: attempt}
}

// letters are queues of a test's own, with a redrive.
func letters(t *testing.T) (Letters, task.Task) {
	t.Helper()
	return Letters{Dead: parts.Queue(t), Jobs: parts.Queue(t)}, task.Task{ID: "tsk_1", Owner: task.Operator}
}

func bodies(t *testing.T, q queue.Queue) (all []types.Message) {
	t.Helper()
	for {
		out, err := q.Client.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{QueueUrl: &q.URL, MaxNumberOfMessages: 10, VisibilityTimeout: 60, WaitTimeSeconds: 1})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return all
		}
		all = append(all, out.Messages...)
	}
}

// redriven does steps of a redrive to its end.
func redriven(t *testing.T, l Letters, one task.Task, room int) (sum task.Step) {
	t.Helper()
	sum.Skipped = map[string]int{}
	for range 50 {
		step, err := l.Step(context.Background(), one, room)
		if err != nil {
			t.Fatal(err)
		}
		if step.Sent > room {
			t.Fatalf("%d moved where there is room for %d", step.Sent, room)
		}
		one.Position = step.Position
		sum.Looked += step.Looked
		sum.Sent += step.Sent
		for why, n := range step.Skipped {
			sum.Skipped[why] += n
		}
		if step.Done {
			sum.Left = step.Left
			return sum
		}
	}
	t.Fatal("it never ends")
	return sum
}

func TestConformanceARedriveMovesEveryLetterAsItIs(t *testing.T) {
	l, one := letters(t)
	sent := map[string]bool{}
	for i := range 23 {
		var body any = Letter{Job: deadJob(i + 1), Reason: Exhausted}
		if i%2 == 0 {
			body = deadJob(i + 1) // SQS itself moved it there
		}
		if err := l.Dead.Send(context.Background(), queue.Message{Body: body}); err != nil {
			t.Fatal(err)
		}
		text, _ := json.Marshal(body)
		sent[string(text)] = true
	}
	one.CreatedAt = time.Now().Add(time.Second)
	if sum := redriven(t, l, one, 7); sum.Sent != 23 || sum.Looked != 23 || len(sum.Skipped) != 0 || sum.Left != "" {
		t.Errorf("%+v", sum)
	}
	for _, m := range bodies(t, l.Jobs) {
		if !sent[*m.Body] {
			t.Errorf("%s is no letter, or moved twice", *m.Body)
		}
		delete(sent, *m.Body)
	}
	if len(sent) != 0 {
		t.Errorf("lost: %v", sent)
	}
	if pile, err := l.Look(context.Background()); err != nil || pile.About != 0 || pile.OldestAt != nil {
		t.Errorf("%+v, %v", pile, err)
	}
}

func TestConformanceARedriveLeavesWhatIsNewerAndWhatNobodyCanRead(t *testing.T) {
	l, one := letters(t)
	ctx := context.Background()
	if err := l.Dead.Send(ctx, queue.Message{Body: "no letter"}, queue.Message{Body: Letter{Job: deadJob(10), Reason: Exhausted}}); err != nil {
		t.Fatal(err)
	}
	one.CreatedAt = time.Now().Add(-time.Hour) // what lies there has failed again since
	if sum := redriven(t, l, one, 50); sum.Left == "" || sum.Sent != 0 || sum.Skipped[skipUnreadable] != 1 || sum.Skipped[skipNewer] != 1 {
		t.Errorf("%+v", sum)
	}
	if moved := bodies(t, l.Jobs); len(moved) != 0 {
		t.Errorf("%d moved", len(moved))
	}
}

func TestARedriveSaysWhatItHasLeft(t *testing.T) {
	for _, c := range []struct {
		looked, sent, vain int
		want               string // in it; empty for nothing
	}{
		{0, 0, 0, ""},
		{5, 5, 0, ""},
		{7, 5, 2, ""},
		{3, 0, 1, "nothing was put back"},
		{999, 5, vainLooks, "older ones may be left"},
		{999, 0, vainLooks, "older ones may be left"},
	} {
		if got := left(c.looked, c.sent, c.vain); !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestConformanceALookAtTheDeadLettersTakesNone(t *testing.T) {
	l, _ := letters(t)
	ctx := context.Background()
	if err := l.Dead.Send(ctx, queue.Message{Body: "no letter"}, queue.Message{Body: Letter{Job: deadJob(10), Reason: Exhausted}}, queue.Message{Body: deadJob(3)}); err != nil {
		t.Fatal(err)
	}
	pile, err := l.Look(ctx)
	if err != nil || pile.About != 3 || pile.Seen < 1 || pile.OldestAt == nil || time.Since(*pile.OldestAt) > time.Minute {
		t.Fatalf("%+v, %v", pile, err)
	}
	time.Sleep(1500 * time.Millisecond)
	if left := bodies(t, l.Dead); len(left) != 3 {
		t.Errorf("%d are left", len(left))
	}
}

func TestWhyALetterIsDead(t *testing.T) {
	text := func(v any) string { b, _ := json.Marshal(v); return string(b) }
	for body, why := range map[string]string{
		text(Letter{Job: deadJob(1), Reason: Exhausted}): string(Exhausted),
		text(deadJob(1)): "it could not be handled",
		`"words"`:        skipUnreadable, ``: skipUnreadable, `{"job":{"event":"evt_1"}}`: skipUnreadable,
	} {
		if got := reasonOf(body); got != why {
			t.Errorf("%s: %q", body, got)
		}
	}
	for position, want := range map[string][2]int{"": {}, "1/7": {1, 7}, "0/0": {}, "x": {}, "1/": {1, 0}} {
		if empty, vain := looksOf(position); empty != want[0] || vain != want[1] {
			t.Errorf("%q: %d, %d", position, empty, vain)
		}
	}
}

// within is the same queues, asked by a process that may be stopped at any call.
func (l Letters) within(t *testing.T, one *life) Letters {
	t.Helper()
	cfg := parts.Config(t, "FARRIER_TEST_SQS")
	one.outside = cfg.HTTPClient
	cfg.HTTPClient, cfg.Retryer = one, func() aws.Retryer { return aws.NopRetryer{} }
	client := sqs.NewFromConfig(cfg)
	return Letters{Dead: queue.Queue{Client: client, URL: l.Dead.URL}, Jobs: queue.Queue{Client: client, URL: l.Jobs.URL}}
}

func TestConformanceNoLetterIsLostWhereverARedriveIsStopped(t *testing.T) {
	for _, how := range []accident{stopBefore, stopAfter, doneTwice} {
		t.Run(string(how), func(t *testing.T) {
			t.Parallel()
			for call := 1; call <= 3; call++ { // receive, send, delete
				l, one := letters(t)
				for i := range 3 {
					if err := l.Dead.Send(context.Background(), queue.Message{Body: deadJob(i + 1)}); err != nil {
						t.Fatal(err)
					}
				}
				one.CreatedAt = time.Now().Add(time.Second)
				mortal := &life{at: call, accident: how}
				_, err := l.within(t, mortal).Step(context.Background(), one, 10)
				if stopped := mortal.again(); stopped == (err == nil) || mortal.calls < call {
					t.Fatalf("call %d of %d: %v", call, mortal.calls, err)
				}
				seen := map[string]bool{} // what was taken and not deleted is back after a while: it is there, whoever sees it
				for _, q := range []queue.Queue{l.Jobs, l.Dead} {
					for _, m := range bodies(t, q) {
						seen[*m.Body] = true
					}
				}
				about, err := l.Dead.Client.GetQueueAttributes(context.Background(), &sqs.GetQueueAttributesInput{QueueUrl: &l.Dead.URL,
					AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessagesNotVisible}})
				if err != nil {
					t.Fatal(err)
				}
				if hidden := about.Attributes["ApproximateNumberOfMessagesNotVisible"]; len(seen) != 3 && hidden != "3" {
					t.Errorf("call %d: %d are seen, %s are hidden", call, len(seen), hidden)
				}
			}
		})
	}
}
