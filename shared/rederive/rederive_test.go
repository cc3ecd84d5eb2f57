package rederive

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"farrier/shared/dynamo"
	"farrier/shared/parts"
	"farrier/shared/queue"
	"farrier/shared/stream"
	"farrier/shared/webhook"
)

// what is stored, as deposits and payments have it
func put(t *testing.T, table dynamo.Table, r row) {
	t.Helper()
	if err := table.Create(context.Background(), r); err != nil {
		t.Fatal(err)
	}
}

func bodies(t *testing.T, q queue.Queue) (all []string) {
	t.Helper()
	for {
		out, err := q.Client.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{QueueUrl: &q.URL, MaxNumberOfMessages: 10, VisibilityTimeout: 60})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return all
		}
		for _, m := range out.Messages {
			all = append(all, *m.Body)
		}
	}
}

func TestWhatChangedSinceAMomentIsToldAgainWithAMinuteForClocksThatAreLate(t *testing.T) {
	since := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	s := Source{
		Callbacks: parts.Table(t), Deposits: parts.Table(t), Payments: parts.Table(t),
		Interpret: parts.Queue(t), Credit: parts.Queue(t), Notify: parts.Queue(t),
	}
	put(t, s.Callbacks, row{PK: "con_1", SK: "evt_1", ReceivedAt: since.Add(-30 * time.Second)})
	put(t, s.Callbacks, row{PK: "con_1", SK: "evt_1#another body", ReceivedAt: since, Outcome: "conflict"})
	put(t, s.Callbacks, row{PK: "con_1", SK: "evt_0", ReceivedAt: since.Add(-time.Hour)})
	for name, r := range map[string]row{
		"final, after":        {State: "final", UpdatedAt: since.Add(time.Second)},
		"final, a clock late": {State: "final", UpdatedAt: since.Add(-30 * time.Second)},
		"final, before":       {State: "final", UpdatedAt: since.Add(-2 * time.Minute)},
		"reversed":            {State: "reversed", Round: 1, UpdatedAt: since},
		"confirming":          {State: "confirming", UpdatedAt: since},
	} {
		r.PK, r.SK = "mer_1", name
		put(t, s.Deposits, r)
	}
	put(t, s.Payments, row{PK: "mer_1", SK: "paid", Events: []string{"payment.paid"}, UpdatedAt: since})
	put(t, s.Payments, row{PK: "mer_1", SK: "new", UpdatedAt: since})
	sent, err := s.Since(context.Background(), since)
	if want := (Sent{CallbacksToInterpret: 1, DepositsToCredit: 3, DepositsToNotify: 4, PaymentsToNotify: 1}); sent != want || err != nil {
		t.Fatalf("%+v, %v", sent, err)
	}
	for _, q := range []struct {
		queue.Queue
		want int
	}{{s.Interpret, 1}, {s.Credit, 3}, {s.Notify, 5}} {
		letters := bodies(t, q.Queue)
		if len(letters) != q.want {
			t.Errorf("%d letters, want %d", len(letters), q.want)
		}
		for _, body := range letters {
			var aside stream.Aside
			if err := json.Unmarshal([]byte(body), &aside); err != nil || len(aside.Record.Change.Keys) != 2 || aside.Reason == "" {
				t.Errorf("%s: %v", body, err)
			}
		}
	}
}

func TestEndpointsInTroubleAreToldAgainWithoutTheirSecrets(t *testing.T) {
	since := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	s := Source{Callbacks: parts.Table(t), Deposits: parts.Table(t), Payments: parts.Table(t), Endpoints: parts.Table(t), EndpointStates: parts.Table(t), Notify: parts.Queue(t)}
	for _, e := range []webhook.Endpoint{
		{ID: "ep_on", Enabled: true},
		{ID: "ep_off", DisabledAt: &since, Told: []string{"endpoint.disabled"}, Settings: webhook.Settings{URL: "https://shop.example/?key=7f3a"}, Keys: webhook.Keys{Secret: "sealed"}},
	} {
		e.Merchant, e.UpdatedAt, e.Version = "mer_1", since, 1
		if err := s.Endpoints.Create(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	for _, one := range []webhook.State{{Endpoint: "ep_on"}, {Endpoint: "ep_off", Events: []string{"endpoint.failing"}}} {
		one.Merchant, one.UpdatedAt, one.Version = "mer_1", since, 1
		if err := s.EndpointStates.Create(t.Context(), one); err != nil {
			t.Fatal(err)
		}
	}
	sent, err := s.Since(t.Context(), since)
	if want := (Sent{EndpointsToNotify: 1, StatesToNotify: 1}); sent != want || err != nil {
		t.Fatalf("%+v, %v", sent, err)
	}
	letters := bodies(t, s.Notify)
	if len(letters) != 2 {
		t.Errorf("%d letters", len(letters))
	}
	for _, body := range letters {
		if !strings.Contains(body, "ep_off") || strings.Contains(body, "7f3a") || strings.Contains(body, "sealed") {
			t.Errorf("%s", body)
		}
	}
}
