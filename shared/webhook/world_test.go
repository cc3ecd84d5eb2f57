package webhook

import (
	"bytes"
	"context"
	"crypto/md5" // #nosec G501 -- the SDK checks SQS's answer by it
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/id"
	"farrier/shared/parts"
	"farrier/shared/queue"
	"farrier/shared/seal"
)

// life is a process as its outside sees it: it makes calls, and may meet an accident at one of them.
type life struct {
	mu       sync.Mutex
	calls    int
	at       int // the call that meets the accident, counted from 1; 0 for none
	accident accident
	stopped  bool
	outside  aws.HTTPClient
}

type accident string

const (
	stopBefore accident = "stopped before" // the call was not sent
	stopAfter  accident = "stopped after"  // the call was done, and its answer did not come back
	doneTwice  accident = "done twice"     // the first answer was lost, and the SDK tried again
)

var errStopped = errors.New("the process was stopped")

func (l *life) call(r *http.Request, do func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	l.mu.Lock()
	if l.stopped {
		l.mu.Unlock()
		return nil, errStopped
	}
	l.calls++
	here := l.calls == l.at
	l.stopped = here && l.accident != doneTwice
	l.mu.Unlock()
	if !here {
		return do(r)
	}
	if l.accident == stopBefore {
		return nil, errStopped
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer, err := do(r)
	if err != nil {
		return nil, err
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	if l.accident == stopAfter {
		return nil, errStopped
	}
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	return do(again)
}

// again is the next process: it says whether the one before was stopped.
func (l *life) again() (wasStopped bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	wasStopped, l.stopped = l.stopped, false
	return wasStopped
}

// Do is the SDK's HTTP client.
func (l *life) Do(r *http.Request) (*http.Response, error) { return l.call(r, l.outside.Do) }

// transport is net/http's.
type transport struct {
	life *life
	next http.RoundTripper
}

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	return t.life.call(r, t.next.RoundTrip)
}

// ground is what worlds stand on: real tables and a real key.
type ground struct {
	deliveries, endpoints, states, events string
	key                                   string
}

func newGround(t *testing.T) ground {
	t.Helper()
	_, key := parts.Key(t)
	return ground{
		deliveries: parts.Table(t, parts.Index{Name: dueIndex, Partition: "due_shard", Sort: "due_at"}).Name,
		endpoints:  parts.Table(t).Name, states: statesTable(t).Name, events: parts.Table(t).Name, key: key,
	}
}

// world is one event on its way to one endpoint, with a clock and a queue of its own.
type world struct {
	t    *testing.T
	life *life

	mu      sync.Mutex
	now     time.Time
	waiting []*message
	letters []Letter
	posts   []string // webhook-ids, in the order of their arrival

	courier  Courier
	sweeper  Sweeper
	sender   Sender
	endpoint Endpoint
	event    event.Event
	judge    *standardwebhooks.Webhook
	sqs      *httptest.Server
	server   *httptest.Server
	asides   Deliveries // a way to the table that no stop concerns
}

type message struct {
	name, body string
	visible    time.Time
	receives   int
}

// visibility is how long SQS keeps a message from others that someone has taken.
const visibility = 6 * time.Minute

// newWorld makes an endpoint that answers its nth POST (from 1) by reply, and an event with its first job.
func newWorld(t *testing.T, g ground, reply func(n int, w http.ResponseWriter)) *world {
	t.Helper()
	w := &world{t: t, life: &life{outside: cloud.HTTPClient()}, now: noon}
	w.server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) { w.receive(out, r, reply) }))
	w.sqs = httptest.NewServer(http.HandlerFunc(w.enqueue))
	t.Cleanup(w.server.Close)
	t.Cleanup(w.sqs.Close)

	store, keys := w.aws("FARRIER_TEST_DYNAMODB"), w.aws("FARRIER_TEST_AWS")
	db := dynamodb.NewFromConfig(store)
	queues := w.aws("FARRIER_TEST_AWS")
	queues.BaseEndpoint = &w.sqs.URL
	jobs := sqs.NewFromConfig(queues)
	endpoints := Endpoints{
		Table: dynamo.Table{Client: db, Name: g.endpoints}, Now: w.clock, Random: rand.Reader, Local: true,
		Seal: &seal.Sealer{Client: kms.NewFromConfig(keys), KeyID: g.key, Now: w.clock},
	}
	deliveries := Deliveries{Table: dynamo.Table{Client: db, Name: g.deliveries}}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	client := NewClient(Options{Local: true, Now: time.Now, Limit: 5 * time.Second})
	client.http.Transport = transport{w.life, client.http.Transport}
	w.courier = Courier{
		Events: event.Store{Table: dynamo.Table{Client: db, Name: g.events}, Now: w.clock}, Endpoints: endpoints, Deliveries: deliveries,
		States: States{Table: dynamo.Table{Client: db, Name: g.states}, Now: w.clock},
		Places: Places{Table: dynamo.Table{Client: db, Name: g.states}, Together: 8, PerEndpoint: 2, Now: w.clock, Sleep: cloud.Sleep},
		Sleep:  func(context.Context, time.Duration) error { return nil },
		Jobs:   queue.Queue{Client: jobs, URL: w.sqs.URL + "/jobs"}, DeadLetters: queue.Queue{Client: jobs, URL: w.sqs.URL + "/letters"},
		Client: client, Now: w.clock, Random: half{}, AtOnce: 3, Log: quiet,
		Metrics: cloud.Metrics{Out: io.Discard, Now: w.clock},
	}
	w.sweeper = Sweeper{Deliveries: deliveries, Endpoints: endpoints, States: w.courier.States, Jobs: w.courier.Jobs, Now: w.clock, AtOnce: 1, PerShard: 100, Log: quiet,
		Metrics: cloud.Metrics{Out: io.Discard, Now: w.clock}}
	w.sender = Sender{Events: w.courier.Events, Endpoints: endpoints, Deliveries: deliveries, Jobs: w.courier.Jobs, Now: w.clock, Random: rand.Reader}
	w.asides = Deliveries{Table: dynamo.Table{Client: dynamodb.NewFromConfig(parts.Config(t, "FARRIER_TEST_DYNAMODB")), Name: g.deliveries}}
	w.begin()
	return w
}

// aws is a configuration whose every call is the process's. The SDK tries nothing again: a stop is a stop.
func (w *world) aws(name string) aws.Config {
	cfg := parts.Config(w.t, name)
	cfg.HTTPClient = w.life
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	return cfg
}

func (w *world) begin() {
	w.t.Helper()
	ctx := context.Background()
	merchant, err := id.New("mer", noon, rand.Reader)
	w.must(err)
	var secret string
	w.endpoint, secret, err = w.courier.Endpoints.Create(ctx, Request{Merchant: merchant, Settings: Settings{URL: w.server.URL + "/hooks", Events: []string{"*"}}})
	w.must(err)
	w.judge, err = standardwebhooks.NewWebhook(secret)
	w.must(err)
	w.event, err = event.Derived(event.Origin{Table: "payments", Key: dynamo.Key{PK: merchant, SK: "pay_1"}, Version: 2, At: noon, Object: "pay_1"},
		event.PaymentPaid, map[string]string{"id": "pay_1", "reference": "A&B"})
	w.must(err)
	w.must(w.courier.Events.Record(ctx, w.event))
	w.must(w.courier.Jobs.Send(ctx, w.firstJob().Message(0)))
	w.life.calls = 0
}

func (w *world) firstJob() Job {
	return Job{Merchant: w.event.Merchant, Event: w.event.ID, Endpoint: w.endpoint.ID, Attempt: 1}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// half is randomness without jitter.
type half struct{}

func (half) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 0
	}
	b[0] = 0x80
	return len(b), nil
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// receive is the merchant's server.
func (w *world) receive(out http.ResponseWriter, r *http.Request, reply func(int, http.ResponseWriter)) {
	body, _ := io.ReadAll(r.Body)
	if err := w.judge.VerifyIgnoringTimestamp(body, r.Header); err != nil || string(body) != string(w.event.Payload) {
		w.t.Errorf("the official library refuses the webhook: %v", err)
	}
	w.mu.Lock()
	w.posts = append(w.posts, r.Header.Get("webhook-id"))
	n := len(w.posts)
	if stamp := r.Header.Get("webhook-timestamp"); stamp != strconv.FormatInt(w.now.Unix(), 10) {
		w.t.Errorf("the attempt is stamped %s, not with its own time", stamp)
	}
	w.mu.Unlock()
	reply(n, out)
}

// enqueue is SQS's SendMessageBatch.
func (w *world) enqueue(out http.ResponseWriter, r *http.Request) {
	var in struct {
		QueueUrl string
		Entries  []struct {
			Id, MessageBody, MessageGroupId string
			DelaySeconds                    int
		}
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil || r.Header.Get("X-Amz-Target") != "AmazonSQS.SendMessageBatch" {
		w.t.Errorf("a call that is not expected: %s", r.Header.Get("X-Amz-Target"))
	}
	type sent struct{ Id, MessageId, MD5OfMessageBody string }
	answer := struct {
		Successful []sent
		Failed     []string
	}{Failed: []string{}}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range in.Entries {
		sum := md5.Sum([]byte(e.MessageBody)) // #nosec G401
		answer.Successful = append(answer.Successful, sent{e.Id, "m", hex.EncodeToString(sum[:])})
		if strings.HasSuffix(in.QueueUrl, "/letters") {
			var l Letter
			if json.Unmarshal([]byte(e.MessageBody), &l) != nil {
				w.t.Errorf("a dead letter cannot be read: %s", e.MessageBody)
			}
			w.letters = append(w.letters, l)
			continue
		}
		if e.MessageGroupId != w.endpoint.ID && w.endpoint.ID != "" {
			w.t.Errorf("a job of the group %q", e.MessageGroupId)
		}
		w.waiting = append(w.waiting, &message{name: strconv.Itoa(len(w.waiting)), body: e.MessageBody, visible: w.now.Add(time.Duration(e.DelaySeconds) * time.Second)})
	}
	out.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_ = json.NewEncoder(out).Encode(answer)
}

// delivery is what is recorded.
func (w *world) delivery() Delivery {
	w.t.Helper()
	d, err := w.asides.read(context.Background(), dynamo.Key{PK: w.event.ID, SK: w.endpoint.ID})
	w.must(err)
	return d
}

// run lets time pass until nothing waits, neither in the queue nor in the table.
func (w *world) run() {
	w.t.Helper()
	for range 200 {
		next := w.nextMessage()
		due, err := time.Parse(time.RFC3339, w.delivery().DueAt)
		waits := err == nil
		switch {
		case next != nil && (!waits || !next.visible.After(due)):
			w.goTo(next.visible)
			w.deliver(next)
		case waits:
			w.goTo(due)
			w.sweep()
		default:
			return
		}
	}
	w.t.Fatal("it never ends")
}

func (w *world) nextMessage() *message {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) == 0 {
		return nil
	}
	return slices.MinFunc(w.waiting, func(a, b *message) int { return a.visible.Compare(b.visible) })
}

func (w *world) goTo(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if at.After(w.now) {
		w.now = at
	}
}

// handle has one message handled, and says what trouble it met.
func (w *world) handle(m *message) error {
	troubles := make([]error, 1)
	work, err := w.courier.gather(context.Background(), []events.SQSMessage{{Body: m.body}}, troubles)
	if err != nil || troubles[0] != nil {
		return errors.Join(err, troubles[0])
	}
	return w.courier.handle(context.Background(), work[0])
}

// deliver hands a message to the function as SQS does: it is gone only when a living process said so.
func (w *world) deliver(m *message) {
	w.t.Helper()
	m.receives++
	answer, err := w.courier.Invoke(context.Background(), events.SQSEvent{Records: []events.SQSMessage{{MessageId: m.name, Body: m.body}}})
	w.must(err)
	stopped := w.life.again()
	w.mu.Lock()
	defer w.mu.Unlock()
	if stopped || len(answer.BatchItemFailures) > 0 {
		m.visible = w.now.Add(visibility)
		return
	}
	w.waiting = slices.DeleteFunc(w.waiting, func(other *message) bool { return other == m })
}

func (w *world) sweep() {
	w.t.Helper()
	_, err := w.sweeper.Run(context.Background())
	if !w.life.again() {
		w.must(err)
	}
	w.goTo(w.clock().Add(time.Minute)) // until the next sweep
}

// statuses replies with one status after the other, and with the last one from then on.
func statuses(list ...int) func(int, http.ResponseWriter) {
	return func(n int, w http.ResponseWriter) { w.WriteHeader(list[min(n, len(list))-1]) }
}
