package notify

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	lambda "github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/parts"
	"farrier/shared/payment"
	"farrier/shared/queue"
	"farrier/shared/seal"
	"farrier/shared/stream"
	"farrier/shared/webhook"
)

// punctual is a moment at which nothing in those files is late.
var punctual = time.Date(2026, 11, 21, 10, 0, 5, 0, time.UTC)

const merchant = "mer_01KAJ5K7Q0M4T8X2V6B9N3R1ZC" // of the files in events/

func records(t *testing.T, name string) (json.RawMessage, []lambda.DynamoDBEventRecord) {
	t.Helper()
	text, err := os.ReadFile("../../../events/" + name + ".json") // #nosec G304 -- a test's own files
	if err != nil {
		t.Fatal(err)
	}
	var batch lambda.DynamoDBEvent
	if err := json.Unmarshal(text, &batch); err != nil {
		t.Fatal(err)
	}
	return text, batch.Records
}

func TestAPaidPaymentIsToldAsTheAPIShowsIt(t *testing.T) {
	_, batch := records(t, "notify-payment-paid")
	told, err := derive(batch[0])
	if err != nil || len(told.events) != 1 || told.merchant != merchant || told.onlyWanted {
		t.Fatalf("%+v %v", told, err)
	}
	e := told.events[0]
	var p payment.Payment
	if err := dynamo.Unmarshal(dynamo.Image(batch[0].Change.NewImage), &p); err != nil {
		t.Fatal(err)
	}
	view, _ := json.Marshal(p.View(p.UpdatedAt))
	if got := e.View(); e.Type != "payment.paid" || e.Object != p.ID || e.Version != 2 || !e.CreatedAt.Equal(p.UpdatedAt) || !same(t, got.Data, view) {
		t.Errorf("%+v\nwant data %s", e, view)
	}
	if again, _ := derive(batch[0]); !reflect.DeepEqual(again.events[0], e) {
		t.Error("the same record told again is another event")
	}
	if size := parts.ItemSize(e); size > 1024 {
		t.Errorf("recording it costs more than one unit: %d bytes", size)
	}
}

func same(t *testing.T, a, b json.RawMessage) bool {
	t.Helper()
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	left, _ := json.Marshal(x)
	right, _ := json.Marshal(y)
	return string(left) == string(right)
}

func TestAWriteThatStandsForTwoEventsTellsBoth(t *testing.T) {
	record := edited(t, "notify-payment-paid", `"L":[{"S":"payment.paid"}]`, `"L":[{"S":"payment.partial"},{"S":"payment.paid"}]`)
	told, err := derive(record)
	if err != nil || len(told.events) != 2 || told.events[0].ID == told.events[1].ID || told.events[1].Previous != told.events[0].ID {
		t.Errorf("%+v %v", told, err)
	}
}

func TestAnEventNamesTheOneThatTheVersionBeforeWasToldAs(t *testing.T) {
	for name, c := range map[string]struct{ file, before, after, want string }{
		"payment": {"notify-payment-paid", `"L":[{"S":"payment.paid"}]`, `"L":[{"S":"payment.reversed"}]`, "payment.paid"},
		"deposit": {"notify-deposit-final", `"S":"final"`, `"S":"reversed"`, "deposit.final"},
	} {
		_, batch := records(t, c.file)
		first, err := derive(batch[0])
		if err != nil {
			t.Fatal(err)
		}
		e := first.events[0]
		mark := event.MarkOf(e.Version, e.CreatedAt, []string{c.want}, "")
		record := edited(t, c.file, c.before, c.after)
		record.Change.NewImage["version"] = lambda.NewNumberAttribute(strconv.FormatInt(e.Version+1, 10))
		record.Change.NewImage["before"] = lambda.NewStringAttribute(string(mark))
		next, err := derive(record)
		if err != nil || next.events[0].Previous != e.ID {
			t.Errorf("%s: %+v, want %s: %v", name, next, e.ID, err)
		}
	}
}

func TestADepositIsToldByItsState(t *testing.T) {
	for state, want := range map[string]event.Type{
		"seen": "", "confirming": "deposit.confirming", "final": "deposit.final", "dropped": "deposit.dropped",
		"reversed": "deposit.reversed", "conflict": "", "another": "",
	} {
		told, err := derive(edited(t, "notify-deposit-final", `"S":"final"`, `"S":"`+state+`"`))
		switch {
		case err != nil:
			t.Errorf("%s: %v", state, err)
		case want == "" && len(told.events) > 0, want != "" && (len(told.events) != 1 || told.events[0].Type != want || !told.onlyWanted):
			t.Errorf("%s: %+v", state, told)
		}
	}
}

func TestNothingIsToldOfACreatedPaymentOrARemovedItem(t *testing.T) {
	for _, name := range []string{"notify-payment-created", "notify-removed"} {
		_, batch := records(t, name)
		if told, err := derive(batch[0]); err != nil || len(told.events) != 0 {
			t.Errorf("%s: %+v %v", name, told, err)
		}
	}
}

func TestARecordThatCannotBeReadIsUnfit(t *testing.T) {
	for name, record := range map[string]lambda.DynamoDBEventRecord{
		"neither payment nor deposit":  edited(t, "notify-payment-paid", `"id":{"S":"pay_`, `"id":{"S":"wal_`),
		"no id":                        edited(t, "notify-payment-paid", `"id":{"S"`, `"name":{"S"`),
		"an id that is no text":        edited(t, "notify-payment-paid", `"id":{"S":"pay_01KAJ5M2W4H7D9F3K6P8S1V5YE"}`, `"id":{"BOOL":true}`),
		"a type without meaning":       edited(t, "notify-payment-paid", `"payment.paid"`, `"payment.payed"`),
		"an amount that is no number":  edited(t, "notify-payment-paid", `"amount":{"S":"10500000"}`, `"amount":{"S":"ten"}`),
		"a time that is none":          edited(t, "notify-payment-paid", `2026-11-21T10:00:05.123Z`, `yesterday`),
		"no time":                      edited(t, "notify-payment-paid", `"updated_at"`, `"mended_at"`),
		"no version":                   edited(t, "notify-payment-paid", `"version"`, `"revision"`),
		"a mark that is none":          edited(t, "notify-payment-paid", `"version"`, `"before":{"S":"1"},"version"`),
		"a deposit's amount, the same": edited(t, "notify-deposit-final", `"amount":{"S":"10500000"}`, `"amount":{"S":""}`),
	} {
		if _, err := derive(record); err == nil {
			t.Errorf("%s: it is told", name)
		}
	}
}

// edited is the first record of a file with one text replaced.
func edited(t *testing.T, name, from, to string) lambda.DynamoDBEventRecord {
	t.Helper()
	_, batch := records(t, name)
	text, err := json.Marshal(batch[0])
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.ReplaceAll(string(text), from, to)
	if changed == string(text) && from != to {
		t.Fatalf("%s has no %s: %s", name, from, text)
	}
	var record lambda.DynamoDBEventRecord
	if err := json.Unmarshal([]byte(changed), &record); err != nil {
		t.Fatal(err)
	}
	return record
}

// room is a notifier on real parts.
type room struct {
	notifier Notifier
	aside    queue.Queue
	calls    *calls
	counted  *strings.Builder
}

// calls are the notifier's calls to AWS; the one at stop is the last, and after says whether it is done.
type calls struct {
	count, stop int
	refuse      int // the one that is not answered, while the others are
	after       bool
	client      aws.HTTPClient
}

func (c *calls) Do(r *http.Request) (*http.Response, error) {
	c.count++
	stopped := errors.New("the process was stopped")
	switch {
	case c.refuse > 0 && c.count == c.refuse:
		return nil, stopped
	case c.stop > 0 && (c.count > c.stop || c.count == c.stop && !c.after):
		return nil, stopped
	case c.count == c.stop:
		if answer, err := c.client.Do(r); err == nil {
			_ = answer.Body.Close()
		}
		return nil, stopped
	}
	return c.client.Do(r)
}

func newRoom(t *testing.T) room {
	t.Helper()
	c := &calls{client: cloud.HTTPClient()}
	never := func() aws.Retryer { return aws.NopRetryer{} }
	store, queues := parts.Config(t, "FARRIER_TEST_DYNAMODB"), parts.Config(t, "FARRIER_TEST_SQS")
	store.HTTPClient, store.Retryer, queues.HTTPClient, queues.Retryer = c, never, c, never
	db := dynamodb.NewFromConfig(store)
	counted := &strings.Builder{}
	return room{
		notifier: Notifier{
			Events:    event.Store{Table: dynamo.Table{Client: db, Name: parts.Table(t).Name}, Now: func() time.Time { return punctual }},
			Endpoints: webhook.Endpoints{Table: dynamo.Table{Client: db, Name: parts.Table(t).Name}},
			Payments:  dynamo.Table{Client: db, Name: parts.Table(t).Name},
			Jobs:      queue.Queue{Client: sqs.NewFromConfig(queues), URL: parts.Queue(t).URL},
			Metrics:   cloud.Metrics{Out: counted, Now: time.Now},
		},
		aside: parts.Queue(t), calls: c, counted: counted,
	}
}

// endpoint makes an endpoint of the files' merchant.
func (r room) endpoint(t *testing.T, key keyOf, patterns ...string) webhook.Endpoint {
	t.Helper()
	return r.choosing(t, key, webhook.Where{}, patterns...)
}

func (r room) choosing(t *testing.T, key keyOf, where webhook.Where, patterns ...string) webhook.Endpoint {
	t.Helper()
	return r.makes(t, key, "", where, patterns...)
}

func (r room) makes(t *testing.T, key keyOf, name string, where webhook.Where, patterns ...string) webhook.Endpoint {
	t.Helper()
	e := r.notifier.Endpoints
	e.Seal, e.Now, e.Random = key.sealer(), time.Now, rand.Reader
	made, _, err := e.Create(context.Background(), webhook.Request{ID: name, Merchant: merchant, Settings: webhook.Settings{URL: "https://merchant.example/", Events: patterns, Where: where}})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

type keyOf struct{ sealer func() *seal.Sealer }

func newKey(t *testing.T) keyOf {
	t.Helper()
	client, name := parts.Key(t)
	return keyOf{func() *seal.Sealer { return &seal.Sealer{Client: client, KeyID: name, Now: time.Now} }}
}

func bodies(t *testing.T, q queue.Queue) []string {
	t.Helper()
	client := sqs.NewFromConfig(parts.Config(t, "FARRIER_TEST_SQS"))
	var found []string
	for empty := 0; empty < 2; {
		out, err := client.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{QueueUrl: &q.URL, MaxNumberOfMessages: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			empty++
		}
		for _, m := range out.Messages {
			found = append(found, *m.Body)
		}
	}
	return found
}

func jobs(t *testing.T, r room) []webhook.Job {
	t.Helper()
	var list []webhook.Job
	for _, body := range bodies(t, r.notifier.Jobs) {
		var j webhook.Job
		if err := json.Unmarshal([]byte(body), &j); err != nil {
			t.Fatal(err)
		}
		list = append(list, j)
	}
	slices.SortFunc(list, func(a, b webhook.Job) int { return strings.Compare(a.Endpoint, b.Endpoint) })
	return list
}

func listed(t *testing.T, r room) []event.Event {
	t.Helper()
	list, _, err := r.notifier.Events.List(context.Background(), merchant, 100, "")
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestConformanceEachEndpointThatWantsAnEventGetsOneJob(t *testing.T) {
	r, key := newRoom(t), newKey(t)
	all := r.endpoint(t, key, "*")
	payments := r.endpoint(t, key, "payment.*", "payment.paid")
	r.endpoint(t, key, "deposit.*")
	off := r.endpoint(t, key, "*")
	e := r.notifier.Endpoints
	e.Now = time.Now
	if _, err := e.Disable(context.Background(), merchant, off.ID, "by its owner"); err != nil {
		t.Fatal(err)
	}
	_, batch := records(t, "notify-payment-paid")
	r.calls.count = 0
	if answers := r.notifier.Handle(context.Background(), batch); answers[0] != nil {
		t.Fatal(answers)
	}
	if r.calls.count != 3 { // the endpoints, the event, the jobs
		t.Errorf("%d calls", r.calls.count)
	}
	events := listed(t, r)
	if len(events) != 1 {
		t.Fatalf("%d events", len(events))
	}
	want := []webhook.Job{
		{Merchant: merchant, Event: events[0].ID, Endpoint: all.ID, Attempt: 1},
		{Merchant: merchant, Event: events[0].ID, Endpoint: payments.ID, Attempt: 1},
	}
	slices.SortFunc(want, func(a, b webhook.Job) int { return strings.Compare(a.Endpoint, b.Endpoint) })
	if got := jobs(t, r); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestConformanceADepositsEventIsRecordedOnlyWhereSomebodyWantsIt(t *testing.T) {
	r, key := newRoom(t), newKey(t)
	r.endpoint(t, key, "payment.*")
	_, batch := records(t, "notify-deposit-final")
	_, paid := records(t, "notify-payment-paid")
	if answers := r.notifier.Handle(context.Background(), append(batch, paid...)); answers[0] != nil || answers[1] != nil {
		t.Fatal(answers)
	}
	if events := listed(t, r); len(events) != 1 || events[0].Type != "payment.paid" {
		t.Errorf("%+v", events)
	}
	r.endpoint(t, key, "deposit.final")
	if answers := r.notifier.Handle(context.Background(), batch); answers[0] != nil {
		t.Fatal(answers)
	}
	if events := listed(t, r); len(events) != 2 {
		t.Errorf("%+v", events)
	}
	if got := jobs(t, r); len(got) != 2 {
		t.Errorf("%+v", got)
	}
}

func TestConformanceAPaymentsEventIsRecordedThoughNobodyListens(t *testing.T) {
	r := newRoom(t)
	_, batch := records(t, "notify-payment-paid")
	if answers := r.notifier.Handle(context.Background(), batch); answers[0] != nil {
		t.Fatal(answers)
	}
	if len(listed(t, r)) != 1 || len(jobs(t, r)) != 0 {
		t.Error("want one event and no job")
	}
}

func TestConformanceAStopAtAnyCallIsMadeGoodByTheSameBatchAgain(t *testing.T) {
	_, batch := records(t, "notify-payment-paid")
	_, deposit := records(t, "notify-deposit-final")
	batch = append(batch, deposit...)
	key := newKey(t)
	for stop := 1; stop <= 5; stop++ { // the endpoints, the payment's event, the deposit's payment, its event, the jobs
		for _, after := range []bool{false, true} {
			r := newRoom(t)
			r.endpoint(t, key, "*")
			r.calls.count, r.calls.stop, r.calls.after = 0, stop, after
			answers := r.notifier.Handle(context.Background(), batch)
			if answers[0] == nil && answers[1] == nil {
				t.Fatalf("stop %d, %t: it was not stopped", stop, after)
			}
			for _, err := range answers {
				if unfit := (stream.Unfit{}); errors.As(err, &unfit) {
					t.Errorf("stop %d, %t: %v is taken for a fault of the record", stop, after, err)
				}
			}
			r.calls.stop = 0
			for _, err := range r.notifier.Handle(context.Background(), batch) {
				if err != nil {
					t.Errorf("stop %d, %t: again: %v", stop, after, err)
				}
			}
			told := map[string]bool{}
			for _, j := range jobs(t, r) {
				told[j.Event] = true
			}
			if len(listed(t, r)) != 2 || len(told) != 2 {
				t.Errorf("stop %d, %t: %d events, jobs for %d", stop, after, len(listed(t, r)), len(told))
			}
		}
	}
}

func TestConformanceASecondTellingIsSetAsideAndTheFirstIsSentAllTheSame(t *testing.T) {
	r := newRoom(t)
	r.endpoint(t, newKey(t), "*")
	_, first := records(t, "notify-payment-paid")
	if answers := r.notifier.Handle(context.Background(), first); answers[0] != nil {
		t.Fatal(answers)
	}
	second := edited(t, "notify-payment-paid", `"order-1042"`, `"order-1043"`)
	answers := r.notifier.Handle(context.Background(), []lambda.DynamoDBEventRecord{second})
	if unfit := (stream.Unfit{}); !errors.As(answers[0], &unfit) || !errors.Is(answers[0], event.ErrTold) {
		t.Errorf("%v", answers)
	}
	if events := listed(t, r); len(events) != 1 || !strings.Contains(string(events[0].Payload), "order-1042") {
		t.Errorf("%+v", events)
	}
	if got := jobs(t, r); len(got) != 2 || got[0] != got[1] {
		t.Errorf("%+v", got)
	}
}

func TestConformanceWhatCannotBeReadIsSetAsideAndTheStreamGoesOn(t *testing.T) {
	r := newRoom(t)
	r.endpoint(t, newKey(t), "*")
	consumer := stream.Consumer{Handle: r.notifier.Handle, Aside: r.aside, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	payload, _ := records(t, "notify-unreadable")
	answer, err := consumer.Invoke(context.Background(), payload)
	if err != nil || len(answer.BatchItemFailures) != 0 {
		t.Fatal(answer, err)
	}
	if set := bodies(t, r.aside); len(set) != 1 || !strings.Contains(set[0], "payment.payed") {
		t.Errorf("%v", set)
	}
	if len(jobs(t, r)) != 1 {
		t.Error("the record after it was not told")
	}
	redriven, _ := records(t, "notify-redriven")
	if answer, err := consumer.Invoke(context.Background(), redriven); err != nil || len(answer.BatchItemFailures) != 0 {
		t.Error(answer, err)
	}
	if len(listed(t, r)) != 1 {
		t.Error("a redriven record is another event")
	}
}

const (
	filesPayment = "pay_01KAJ5M2W4H7D9F3K6P8S1V5YE"
	filesAsset   = "eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f"
)

func TestConformanceADepositIsChosenByItsPaymentsMetadataAndTheEventKeepsIt(t *testing.T) {
	r, key := newRoom(t), newKey(t)
	if err := r.notifier.Payments.Create(context.Background(), payment.Payment{PK: merchant, SK: filesPayment, ID: filesPayment, Metadata: map[string]string{"shop": "north"}, Version: 1}); err != nil {
		t.Fatal(err)
	}
	north := r.choosing(t, key, webhook.Where{Metadata: map[string]string{"shop": "north"}}, "deposit.*")
	south := r.choosing(t, key, webhook.Where{Metadata: map[string]string{"shop": "south"}}, "deposit.*")
	other := r.choosing(t, key, webhook.Where{Assets: []string{filesAsset + "0"}}, "*")
	_, batch := records(t, "notify-deposit-final")
	if answers := r.notifier.Handle(context.Background(), batch); answers[0] != nil {
		t.Fatal(answers)
	}
	if got := jobs(t, r); len(got) != 1 || got[0].Endpoint != north.ID {
		t.Errorf("%+v", got)
	}
	kept := listed(t, r)
	if len(kept) != 1 || !north.Chooses(kept[0]) || south.Chooses(kept[0]) || other.Chooses(kept[0]) {
		t.Errorf("what is kept is chosen otherwise: %+v", kept)
	}
}

func TestConformanceADepositThatNoChoiceIsForIsNotRecorded(t *testing.T) {
	r := newRoom(t)
	r.choosing(t, newKey(t), webhook.Where{Metadata: map[string]string{"shop": "north"}}, "deposit.*")
	_, batch := records(t, "notify-deposit-final") // its payment was never written
	if answers := r.notifier.Handle(context.Background(), batch); answers[0] != nil {
		t.Fatal(answers)
	}
	if len(listed(t, r)) != 0 || len(jobs(t, r)) != 0 {
		t.Error("it is recorded")
	}
}

func TestConformanceWhatADisabledEndpointWantsIsRecordedAndNotSent(t *testing.T) {
	r := newRoom(t)
	off := r.endpoint(t, newKey(t), "deposit.*")
	e := r.notifier.Endpoints
	e.Now = time.Now
	if _, err := e.Disable(context.Background(), merchant, off.ID, "by its owner"); err != nil {
		t.Fatal(err)
	}
	_, batch := records(t, "notify-deposit-final")
	if answers := r.notifier.Handle(context.Background(), batch); answers[0] != nil {
		t.Fatal(answers)
	}
	if len(listed(t, r)) != 1 || len(jobs(t, r)) != 0 {
		t.Error("want one event and no job")
	}
}

// Were what comes after it told, an endpoint that wants its events in order could get the later one first: nothing is
// recorded yet of the earlier one for which it has to wait.
func TestConformanceNothingIsToldOfWhatComesAfterARecordInTrouble(t *testing.T) {
	_, batch := records(t, "notify-payment-paid")
	_, deposit := records(t, "notify-deposit-final")
	r := newRoom(t)
	r.endpoint(t, newKey(t), "*")
	r.calls.count, r.calls.refuse = 0, 2 // after the endpoints: the payment's event
	answers := r.notifier.Handle(context.Background(), append(batch, deposit...))
	if answers[0] == nil || answers[1] == nil {
		t.Errorf("done: %v", answers)
	}
	if events, sent := listed(t, r), jobs(t, r); len(events) != 0 || len(sent) != 0 {
		t.Errorf("%d events were recorded, and %d jobs sent", len(events), len(sent))
	}
}

func TestConformanceAnEndpointThatCannotBeReadKeepsNobodyFromBeingTold(t *testing.T) {
	r, key := newRoom(t), newKey(t)
	good, broken := r.endpoint(t, key, "*"), r.endpoint(t, key, "*")
	r.spoil(t, broken)
	paid, _ := records(t, "notify-payment-paid")
	final, _ := records(t, "notify-deposit-final")
	consumer := stream.Consumer{Handle: r.notifier.Handle, Aside: r.aside, Log: slog.New(slog.DiscardHandler)}
	for _, payload := range []json.RawMessage{paid, final} {
		if answer, err := consumer.Invoke(context.Background(), payload); err != nil || len(answer.BatchItemFailures) != 0 {
			t.Fatalf("the stream stops: %v, %v", answer, err)
		}
	}
	if got := jobs(t, r); len(listed(t, r)) != 2 || len(got) != 2 || got[0].Endpoint != good.ID || got[1].Endpoint != good.ID {
		t.Errorf("%d events; jobs %+v", len(listed(t, r)), got)
	}
	letters := bodies(t, r.aside)
	if len(letters) != 2 || !strings.Contains(letters[0], broken.ID) || !strings.Contains(letters[1], broken.ID) {
		t.Errorf("set aside: %v", letters)
	}
	if told := r.counted.String(); strings.Count(told, `"EndpointUnreadable":1`) != 2 || !strings.Contains(told, broken.ID) || !strings.Contains(told, merchant) {
		t.Errorf("nobody is told which it is: %s", told)
	}
	if err := r.notifier.Endpoints.Table.Replace(context.Background(), broken, broken.Version); err != nil { // it is mended
		t.Fatal(err)
	}
	for _, letter := range letters {
		payload, err := json.Marshal(lambda.SQSEvent{Records: []lambda.SQSMessage{{MessageId: "1", EventSource: "aws:sqs", Body: letter}}})
		if err != nil {
			t.Fatal(err)
		}
		if answer, err := consumer.Invoke(context.Background(), payload); err != nil || len(answer.BatchItemFailures) != 0 {
			t.Fatalf("redriven: %v, %v", answer, err)
		}
	}
	again := map[webhook.Job]int{}
	for _, j := range jobs(t, r) {
		again[j]++
	}
	for _, e := range listed(t, r) { // a job that was made before is the same one: deliver finds its delivery
		for _, one := range []webhook.Endpoint{good, broken} {
			if again[webhook.Job{Merchant: merchant, Event: e.ID, Endpoint: one.ID, Attempt: 1}] != 1 {
				t.Errorf("%s of %s: %v", e.ID, one.ID, again)
			}
		}
	}
	if len(again) != 4 {
		t.Errorf("%d jobs: %v", len(again), again)
	}
}

func TestConformanceWhatMeetsTroubleComesAgainThoughAnEndpointCannotBeRead(t *testing.T) {
	r := newRoom(t)
	good := r.endpoint(t, newKey(t), "*")
	r.spoil(t, good)
	_, batch := records(t, "notify-payment-paid")
	r.calls.count, r.calls.refuse = 0, 2 // after the endpoints: the payment's event
	if answers := r.notifier.Handle(context.Background(), batch); answers[0] == nil || forAPerson(answers[0]) {
		t.Errorf("%v does not come again", answers)
	}
}

func TestConformanceADepositWhosePaymentCannotBeReadStopsNothing(t *testing.T) {
	r := newRoom(t)
	r.endpoint(t, newKey(t), "*")
	if err := r.notifier.Payments.Create(context.Background(), map[string]any{"pk": merchant, "sk": filesPayment, "metadata": 7}); err != nil {
		t.Fatal(err)
	}
	_, batch := records(t, "notify-deposit-final")
	_, paid := records(t, "notify-payment-paid")
	answers := r.notifier.Handle(context.Background(), append(batch, paid...))
	if unfit := (stream.Unfit{}); !errors.As(answers[0], &unfit) || answers[1] != nil {
		t.Errorf("%v", answers)
	}
	if got := jobs(t, r); len(got) != 1 {
		t.Errorf("%+v", got)
	}
}

// spoil writes something into an endpoint's item that does not belong there.
func (r room) spoil(t *testing.T, e webhook.Endpoint) {
	t.Helper()
	item := struct {
		webhook.Endpoint
		Enabled string `dynamodbav:"enabled"`
	}{e, "perhaps"}
	if err := r.notifier.Endpoints.Table.Replace(context.Background(), item, e.Version); err != nil {
		t.Fatal(err)
	}
}
