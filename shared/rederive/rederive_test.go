package rederive

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/money"
	"farrier/shared/parts"
	"farrier/shared/payout"
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
		Callbacks: parts.Table(t), Deposits: parts.Table(t), Payments: parts.Table(t), Payouts: parts.Table(t),
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
	put(t, s.Payouts, row{PK: "mer_1", SK: "held", State: "held", Events: []string{"payout.held"}, UpdatedAt: since})
	put(t, s.Payouts, row{PK: "mer_1", SK: "held before", State: "held", Events: []string{"payout.held"}, UpdatedAt: since.Add(-time.Hour)})
	sent, err := s.Since(context.Background(), since)
	if want := (Sent{CallbacksToInterpret: 1, DepositsToCredit: 3, DepositsToNotify: 4, PaymentsToNotify: 1, PayoutsToNotify: 1}); sent != want || err != nil {
		t.Fatalf("%+v, %v", sent, err)
	}
	for _, q := range []struct {
		queue.Queue
		want int
	}{{s.Interpret, 1}, {s.Credit, 3}, {s.Notify, 6}} {
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

// paid is a payout that is final, as the table has it a day later, when it is watched no more: the last write says nothing.
func paid(t *testing.T, name string, at time.Time) (final, closed payout.Payout) {
	t.Helper()
	p := payout.Payout{
		PK: "mer_1", SK: name, ID: name, Asset: "eip155:137/slip44:966", Symbol: "POL", Decimals: 18, Amount: money.Units(7), FeeMost: money.Units(1_000_000),
		To: "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", Wallet: "0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359", Reference: "salary-17",
		State: payout.Requested, CreatedAt: at, UpdatedAt: at, Version: 1, Events: []string{"payout.requested"},
	}
	for i, step := range []func(payout.Payout, time.Time) (payout.Payout, error){
		payout.Payout.Check, payout.Payout.Approve, payout.Payout.Reserve,
		func(p payout.Payout, at time.Time) (payout.Payout, error) { return p.Allocate(7, at) },
		func(p payout.Payout, at time.Time) (payout.Payout, error) {
			return p.Sign(payout.Attempt{N: 1, Nonce: 7, FeePerGas: money.Units(2), TipPerGas: money.Units(1), Gas: 21_000, Hash: "0xa1", SignedAt: at}, at)
		},
		func(p payout.Payout, at time.Time) (payout.Payout, error) { return p.Sent(1, at) },
		func(p payout.Payout, at time.Time) (payout.Payout, error) {
			return p.Include(payout.Mined{Attempt: 1, Height: 42, BlockHash: "0xb1", Fee: money.Units(42_000)}, at)
		},
		payout.Payout.Settle,
	} {
		var err error
		if p, err = step(p, at.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	closed, err := p.Close(p.UpdatedAt.Add(payout.WatchFor))
	if err != nil || len(closed.Events) > 0 || p.Events[0] != "payout.final" {
		t.Fatalf("%+v, %v", closed, err)
	}
	return p, closed
}

func TestAnEventThatWasForgottenBeforeAWriteThatSaysNothingIsTold(t *testing.T) {
	since := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	s := Source{Payouts: parts.Table(t), Notify: parts.Queue(t), Events: event.Store{Table: parts.Table(t), Now: func() time.Time { return since }}}
	final, closed := paid(t, "out_forgotten", since)
	told, another := paid(t, "out_told", since)
	for _, p := range []payout.Payout{closed, another} {
		if err := s.Payouts.Create(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	e, err := event.Derived(event.Origin{Table: "payouts", Key: told.Key(), Version: told.Version, At: told.UpdatedAt, Object: told.ID}, event.PayoutFinal, told.View())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Events.Record(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if sent, err := s.Since(t.Context(), since); sent != (Sent{PayoutsToNotify: 1}) || err != nil {
		t.Fatalf("%+v, %v", sent, err)
	}
	var aside stream.Aside
	letters := bodies(t, s.Notify)
	if len(letters) != 1 || json.Unmarshal([]byte(letters[0]), &aside) != nil {
		t.Fatalf("%v", letters)
	}
	var again payout.Payout
	if err := dynamo.Unmarshal(dynamo.Image(aside.Record.Change.NewImage), &again); err != nil {
		t.Fatal(err)
	}
	if again.ID != final.ID || again.Version != final.Version || !slices.Equal(again.Events, final.Events) || !reflect.DeepEqual(again.View(), final.View()) {
		t.Errorf("%+v\nwant %+v", again, final)
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
