package main

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"farrier/shared/event"
	"farrier/shared/parts"
	"farrier/shared/queue"
	"farrier/shared/task"
	"farrier/shared/webhook"
)

const (
	shop, endpoint, missed = "mer_01KAJ5K7Q0M4T8X2V6B9N3R1ZC", "ep_01KAJ5K9D3R5T7Y9P1S3F5G7H9", "evt_01KAJ5M6K2QJ0W8Z3X5C7V9B1N"
	named                  = "tsk_01KAJ5P7X1A3C5E7G9J1M3P5R7"
)

// The events bring a slice of a merchant's recover, one of a redrive, and what names no task.
func TestTheEventsOfThisFunctionMoveTheirTasksOn(t *testing.T) {
	ctx, cfg := context.Background(), parts.Config(t, "FARRIER_TEST_AWS")
	t.Setenv("FARRIER_TEST_DYNAMODB", *cfg.BaseEndpoint) // a function has one endpoint for everything
	t.Setenv("FARRIER_TEST_SQS", *cfg.BaseEndpoint)
	tasks, events, endpoints, deliveries := parts.Table(t), parts.Table(t), parts.Table(t), parts.Table(t)
	next, jobs, letters := parts.Queue(t), parts.Queue(t), parts.Queue(t)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": *cfg.BaseEndpoint, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"TASKS_TABLE": tasks.Name, "EVENTS_TABLE": events.Name, "ENDPOINTS_TABLE": endpoints.Name, "DELIVERIES_TABLE": deliveries.Name,
		"TASKS_QUEUE": next.URL, "DELIVERIES_QUEUE": jobs.URL, "DELIVERIES_DEAD_LETTERS": letters.URL,
	} {
		t.Setenv(name, value)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	at := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	paid := event.Event{Merchant: shop, ID: missed, Type: event.PaymentPaid, CreatedAt: at, Object: "pay_1", Version: 2, Payload: "{}"}
	must(events.Create(ctx, paid))
	must(endpoints.Create(ctx, webhook.Endpoint{Merchant: shop, ID: endpoint, Enabled: true, Settings: webhook.Settings{Events: []string{"*"}}, Version: 1}))
	must(deliveries.Create(ctx, webhook.Delivery{Event: missed, Endpoint: endpoint, Merchant: shop, Status: webhook.Failed, Made: 10, Version: 11}))
	must(letters.Send(ctx, queue.Message{Body: webhook.Letter{Job: webhook.Job{Merchant: shop, Event: missed, Endpoint: endpoint, Attempt: 10}, Reason: webhook.Exhausted}}))
	must(tasks.Create(ctx, task.Task{
		Owner: shop, ID: named, Kind: webhook.KindRecover, Terms: `{"endpoint":"` + endpoint + `","since":"2025-11-01T00:00:00Z","until":"2026-11-29T00:00:00Z"}`,
		State: task.Running, Rate: 50, Turn: 1, UpdatedAt: at, Version: 1,
	}))
	must(tasks.Create(ctx, task.Task{Owner: task.Operator, ID: named, Kind: webhook.KindRedrive, Terms: "{}", State: task.Running, Rate: 50, Turn: 2, CreatedAt: time.Now().Add(time.Second), UpdatedAt: at, Version: 1}))

	handler := lambda.NewHandler(wired(time.Now))
	for name, answer := range map[string]string{
		"slice": `{"batchItemFailures":[]}`, "redrive": `{"batchItemFailures":[]}`,
		"unreadable": `{"batchItemFailures":[{"itemIdentifier":"059f36b4-87a3-44ab-83d2-661975830001"}]}`,
	} {
		payload, err := os.ReadFile("../../events/replay-" + name + ".json")
		must(err)
		if out, err := handler.Invoke(ctx, payload); err != nil || string(out) != answer {
			t.Errorf("%s: %s, %v", name, out, err)
		}
	}
	for _, owner := range []string{shop, task.Operator} {
		if done, err := (task.Tasks{Table: tasks}).Get(ctx, owner, named); err != nil || done.State != task.Done || done.Progress.Sent != 1 {
			t.Errorf("%+v, %v", done, err)
		}
	}
}
