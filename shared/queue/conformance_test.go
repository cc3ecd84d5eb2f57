package queue_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"farrier/shared/cloud"
	"farrier/shared/parts"
	"farrier/shared/queue"
)

var ctx = context.Background()

func receive(t *testing.T, q queue.Queue, wait int32) []string {
	t.Helper()
	out, err := q.Client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &q.URL, MaxNumberOfMessages: 10, WaitTimeSeconds: wait})
	if err != nil {
		t.Fatal(err)
	}
	var bodies []string
	for _, m := range out.Messages {
		bodies = append(bodies, *m.Body)
		if _, err := q.Client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &q.URL, ReceiptHandle: m.ReceiptHandle}); err != nil {
			t.Fatal(err)
		}
	}
	return bodies
}

func TestConformanceEveryMessageArrives(t *testing.T) {
	q := parts.Queue(t)
	var messages []queue.Message
	for i := range 23 {
		messages = append(messages, queue.Message{Body: map[string]int{"n": i}, Group: fmt.Sprint("chain-", i%2)})
	}
	if err := q.Send(ctx, messages...); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for end := time.Now().Add(20 * time.Second); len(got) < 23 && time.Now().Before(end); {
		for _, body := range receive(t, q, 1) {
			got[body] = true
		}
	}
	if len(got) != 23 {
		t.Errorf("%d of 23 arrived", len(got))
	}
}

func TestConformanceADelayedMessageIsHeldBack(t *testing.T) {
	q := parts.Queue(t)
	sent := time.Now()
	if err := q.Send(ctx, queue.Message{Body: "later", Delay: 1500 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	if bodies := receive(t, q, 0); len(bodies) != 0 {
		t.Fatal("it came at once")
	}
	for end := sent.Add(20 * time.Second); time.Now().Before(end); {
		if len(receive(t, q, 1)) == 1 {
			if waited := time.Since(sent); waited < 1500*time.Millisecond {
				t.Errorf("it came after %s", waited)
			}
			return
		}
	}
	t.Error("it never came")
}

func TestABatchNamesOnlyTheMessagesThatFailed(t *testing.T) {
	handler := queue.Batch(slog.New(slog.DiscardHandler), cloud.Metrics{Out: io.Discard, Now: time.Now}, func(_ context.Context, m events.SQSMessage) error {
		if m.Body == "bad" {
			return errors.New("no")
		}
		return nil
	})
	answer, err := handler(ctx, events.SQSEvent{Records: []events.SQSMessage{{MessageId: "1", Body: "good"}, {MessageId: "2", Body: "bad"}}})
	if err != nil || len(answer.BatchItemFailures) != 1 || answer.BatchItemFailures[0].ItemIdentifier != "2" {
		t.Errorf("%+v, %v", answer, err)
	}
	all, _ := handler(ctx, events.SQSEvent{Records: []events.SQSMessage{{MessageId: "1", Body: "good"}}})
	if text, _ := json.Marshal(all); string(text) != `{"batchItemFailures":[]}` {
		t.Errorf("nothing failed: %s", text)
	}
}
