package proof

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"farrier/shared/callback"
	"farrier/shared/callback/interpreter"
	"farrier/shared/callback/receiver"
	"farrier/shared/chain"
	"farrier/shared/cloud"
	"farrier/shared/credit"
	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/event/notify"
	"farrier/shared/ledger"
	"farrier/shared/money"
	"farrier/shared/parts"
	"farrier/shared/payment"
	"farrier/shared/queue"
	"farrier/shared/seal"
	"farrier/shared/stream"
	"farrier/shared/timer"
	"farrier/shared/webhook"
)

// XPub is the account of the world's merchants: m/44'/60'/0' of "test test test test test test test test test test test junk".
const XPub = "xpub6Ce9NcJvTk36xtLSrJLZqE7wtgA5deCeYs7rSQtreh4cj6ByPtrg9sD7V2FNFLPnf8heNP3FGkeV9qwfzvZNSd54JoNXVsXFYSYwHsnJxqP"

// Names of the queues.
const (
	looks, deliveries, expiry                       = "looks", "deliveries", "expiry"
	interpretAside, creditAside, notifyAside, undue = "interpret-dead-letters", "credit-dead-letters", "notify-dead-letters", "deliveries-dead-letters"
)

// Tables are a world's tables by notion; several worlds may share them, since no two share a key.
type Tables map[string]string

// MakeTables makes the tables on the store behind a.
func MakeTables(t testing.TB, a *AWS) Tables {
	t.Helper()
	tables := Tables{}
	for _, notion := range []string{"connections", "addresses", "passes", "deposits", "payments", "entries", "balances", "events", "endpoints"} {
		tables[notion] = a.Table(t, notion)
	}
	tables["callbacks"] = a.Table(t, "callbacks", parts.Index{Name: "trouble", Partition: "trouble", Sort: "trouble_at"})
	tables["deliveries"] = a.Table(t, "deliveries", parts.Index{Name: "due", Partition: "due_shard", Sort: "due_at"})
	return tables
}

// World is the whole system in one process, with one chain, one merchant and one provider.
type World struct {
	T     testing.TB
	AWS   *AWS
	Chain *Chain
	Asset money.Asset
	Shop  *Shop

	Merchant   string
	Connection callback.Connection
	secret     string // of the connection
	Endpoint   webhook.Endpoint

	Payments  payment.Store
	Ledger    ledger.Store
	Deposits  dynamo.Table
	Receiver  *receiver.Receiver
	consumers []consumer
	courier   webhook.Courier
	watch     func(context.Context) error

	mu    sync.Mutex
	clock time.Time
	stop  *Plan
}

// consumer is a function over a stream.
type consumer struct {
	function, notion string
	wants            func(events.DynamoDBEventRecord) bool
	invoke           func(context.Context, json.RawMessage) (events.SQSEventResponse, error)
}

// Plan stops the world's invocations at one call of the whole history.
type Plan struct {
	At    int // the At-th call of the history, from 1; 0 is never
	After bool
	Calls int // made so far
	Hit   string
}

// Start is when a world's clock begins.
var Start = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// NewWorld wires the functions as their main.go do, with the world's clock, chain and queues.
func NewWorld(t testing.TB, name string, a *AWS, tables Tables) *World {
	t.Helper()
	w := &World{T: t, AWS: a, clock: Start, Merchant: "mer_" + name, stop: &Plan{}}
	a.Now = w.Now
	id := chain.ID("eip155:" + numeric(name))
	set, err := chain.ParseSet(fmt.Sprintf(`[{"id":%q,"name":"World","native":{"symbol":"","ignore":true},"block_time":"1s","finality":{"depth":3},
		"tokens":[{"symbol":"USDT","decimals":6,"address":"0x5fbdb2315678afecb367f032d93f642f64180aa3"}]}]`, id))
	if err != nil {
		t.Fatal(err)
	}
	config, _ := set.Chain(id)
	w.Asset = config.TokenAsset("0x5fbdb2315678afecb367f032d93f642f64180aa3")
	w.Chain = NewChain(id, 3, w.Now())
	w.Shop = newShop(t)
	random := rand.NewChaCha8(sha256.Sum256([]byte(name)))
	log, metrics := slog.New(slog.DiscardHandler), cloud.Metrics{Out: io.Discard, Stack: "proof", Now: w.Now}

	table := func(function, notion string) dynamo.Table {
		return dynamo.Table{Client: dynamodb.NewFromConfig(a.Config(function)), Name: tables[notion]}
	}
	to := func(function, queueName string) queue.Queue {
		return queue.Queue{Client: sqs.NewFromConfig(a.Config(function)), URL: queueName}
	}
	sealer := func(function string) *seal.Sealer {
		return &seal.Sealer{Client: kms.NewFromConfig(a.Config(function)), KeyID: "key", Now: w.Now}
	}

	w.Payments = payment.Store{
		Payments: table("api", "payments"), Addresses: table("api", "addresses"), Assets: set, Now: w.Now, Random: random,
		Expiry: timer.Schedules{Client: scheduler.NewFromConfig(a.Config("api")), Queue: expiry},
	}
	w.Ledger = ledger.Store{Entries: table("check", "entries"), Balances: table("check", "balances")}
	w.Deposits = table("check", "deposits")

	connections := callback.Connections{Table: table("api", "connections"), Sealer: sealer("api"), Chains: set, Now: w.Now, Random: random}
	w.Connection, w.secret, err = connections.Create(context.Background(), callback.Asked{Merchant: w.Merchant, Provider: "standard-webhooks"})
	if err != nil {
		t.Fatal(err)
	}
	endpoints := webhook.Endpoints{Table: table("api", "endpoints"), Seal: sealer("api"), Now: w.Now, Random: random, Local: true}
	var secret string
	w.Endpoint, secret, err = endpoints.Create(context.Background(), webhook.Request{Merchant: w.Merchant, URL: w.Shop.URL, Events: []string{"payment.*"}})
	if err != nil {
		t.Fatal(err)
	}
	w.Shop.secret = secret

	known := func(function string) *callback.Known {
		return &callback.Known{Connections: callback.Connections{Table: table(function, "connections"), Now: w.Now}}
	}
	w.Receiver = &receiver.Receiver{
		Known: known("receive"), Sealer: sealer("receive"), Cap: 256 << 10, Metrics: metrics, Log: log, Now: w.Now,
		Receipts: callback.Receipts{Table: table("receive", "callbacks"), KeepFor: 24 * time.Hour, Now: w.Now},
	}
	interpret := &interpreter.Interpreter{
		Known: known("interpret"), Receipts: callback.Receipts{Table: table("interpret", "callbacks"), Now: w.Now},
		Chains: set, Looks: to("interpret", looks), Metrics: metrics, Log: log,
	}
	crediter := &credit.Crediter{
		Deposits: table("credit", "deposits"), Payments: table("credit", "payments"),
		Ledger:  ledger.Store{Entries: table("credit", "entries"), Balances: table("credit", "balances")},
		Metrics: metrics, Log: log, Now: w.Now, Random: rand.New(rand.NewPCG(1, 1)), // #nosec G404 -- jitter
		Sleep: func(context.Context, time.Duration) error { return nil },
	}
	notifier := notify.Notifier{
		Events:    event.Store{Table: table("notify", "events")},
		Endpoints: webhook.Endpoints{Table: table("notify", "endpoints")},
		Jobs:      to("notify", deliveries),
	}
	over := func(function string, handle func(context.Context, []events.DynamoDBEventRecord) []error, aside string) func(context.Context, json.RawMessage) (events.SQSEventResponse, error) {
		return stream.Consumer{Handle: handle, Aside: to(function, aside), Log: log}.Invoke
	}
	w.consumers = []consumer{
		{"interpret", "callbacks", inserts, over("interpret", stream.Each(interpret.Handle), interpretAside)},
		{"credit", "deposits", settled, over("credit", crediter.Handle, creditAside)},
		{"notify", "payments", changes, over("notify", notifier.Handle, notifyAside)},
		{"notify", "deposits", all, over("notify", notifier.Handle, notifyAside)},
	}
	w.courier = webhook.Courier{
		Events:     event.Store{Table: table("deliver", "events")},
		Endpoints:  webhook.Endpoints{Table: table("deliver", "endpoints"), Seal: sealer("deliver"), Now: w.Now},
		Deliveries: webhook.Deliveries{Table: table("deliver", "deliveries")},
		Jobs:       to("deliver", deliveries), DeadLetters: to("deliver", undue),
		Client: webhook.NewClient(webhook.Options{Local: true, Now: w.Now}), Now: w.Now, Random: random, AtOnce: 1, Log: log, Metrics: metrics,
	}
	w.watch = newWatch(w, table, config, metrics, log)
	return w
}

// The filters of the event source mappings in template.yaml.
func inserts(r events.DynamoDBEventRecord) bool { return r.EventName == "INSERT" }
func changes(r events.DynamoDBEventRecord) bool { return r.EventName == "MODIFY" }
func all(events.DynamoDBEventRecord) bool       { return true }
func settled(r events.DynamoDBEventRecord) bool {
	state := r.Change.NewImage["state"]
	return state.DataType() == events.DataTypeString && (state.String() == "final" || state.String() == "reversed")
}

func numeric(name string) string {
	n := uint32(2166136261)
	for i := range len(name) {
		n = (n ^ uint32(name[i])) * 16777619
	}
	return fmt.Sprint(uint64(n) + 1)
}

// Now is the world's time.
func (w *World) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

// Wait moves the clock on.
func (w *World) Wait(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

// Run makes one invocation under the plan; it says whether it went to its end without trouble.
func (w *World) Run(function string, f func(context.Context) error) bool {
	stop := Stop{}
	if left := w.stop.At - w.stop.Calls; w.stop.At > 0 && left > 0 {
		stop = Stop{At: left, After: w.stop.After}
	}
	calls, stopped, err := Invoke(context.Background(), stop, f)
	w.stop.Calls += calls
	if stopped {
		w.stop.Hit = function
	}
	return !stopped && err == nil
}

// Callback is a provider's: it comes again until it is acknowledged.
func (w *World) Callback(eventID, tx string) {
	body := fmt.Sprintf(`{"type":"transaction.mined","data":{"chain":%q,"transaction":%q}}`, w.Chain.ID, tx)
	for {
		request := events.APIGatewayV2HTTPRequest{
			Headers: signStandardWebhook(w.secret, eventID, body, w.Now()), Body: base64.StdEncoding.EncodeToString([]byte(body)), IsBase64Encoded: true,
			PathParameters: map[string]string{"connection": w.Connection.ID},
			RequestContext: events.APIGatewayV2HTTPRequestContext{HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: http.MethodPost}},
		}
		status := 0
		ended := w.Run("receive", func(ctx context.Context) error {
			answer, err := w.Receiver.Invoke(ctx, request)
			status = answer.StatusCode
			return err
		})
		if ended && status/100 == 2 {
			return
		}
		w.Wait(time.Second)
	}
}

// Round lets every function work once on what waits for it, and says whether anything waited.
func (w *World) Round() bool {
	busy := false
	w.Run("watch", w.watch)
	for _, c := range w.consumers {
		busy = w.consume(c) || busy
	}
	for _, m := range w.AWS.Take(looks, 10) {
		busy = true
		w.lookAt(m)
	}
	for _, m := range w.AWS.Take(deliveries, 10) {
		busy = true
		if !w.Run("deliver", func(ctx context.Context) error { return answered(w.courier.Invoke(ctx, sqsEvent(m))) }) {
			w.AWS.Return(deliveries, m)
		}
	}
	for _, m := range w.AWS.Take(expiry, 10) {
		busy = true
		var over payment.Expiry
		if err := json.Unmarshal([]byte(m.Body), &over); err != nil {
			w.T.Fatal(err)
		}
		if !w.Run("expire", func(ctx context.Context) error { return w.Payments.Expire(ctx, over) }) {
			w.AWS.Return(expiry, m)
		}
	}
	return busy
}

// consume gives a consumer its records; what it did not answer for comes again.
func (w *World) consume(c consumer) bool {
	records := w.AWS.Stream(c.notion, c.function)
	var batch []events.DynamoDBEventRecord
	for _, r := range records {
		if c.wants(r) {
			batch = append(batch, r)
		}
	}
	if len(batch) == 0 {
		w.AWS.Pass(c.notion, c.function, len(records))
		return false
	}
	payload, err := json.Marshal(events.DynamoDBEvent{Records: batch})
	if err != nil {
		w.T.Fatal(err)
	}
	if w.Run(c.function, func(ctx context.Context) error { return answered(c.invoke(ctx, payload)) }) {
		w.AWS.Pass(c.notion, c.function, len(records))
	}
	return true
}

func (w *World) lookAt(m Message) {
	// The scan sees what a look would; a look only makes it sooner.
	w.Run("watch", w.watch)
	_ = m
}

func answered(answer events.SQSEventResponse, err error) error {
	if err == nil && len(answer.BatchItemFailures) > 0 {
		err = fmt.Errorf("comes again: %v", answer.BatchItemFailures)
	}
	return err
}

func sqsEvent(m Message) events.SQSEvent {
	return events.SQSEvent{Records: []events.SQSMessage{{MessageId: m.ID, Body: m.Body, EventSource: "aws:sqs",
		Attributes: map[string]string{"ApproximateReceiveCount": fmt.Sprint(m.Tries + 1)}}}}
}

// Shop is a merchant's server.
type Shop struct {
	*httptest.Server
	secret string

	mu       sync.Mutex
	Received map[string]int // webhook-id → how often
	Types    map[string]string
}

func newShop(t testing.TB) *Shop {
	s := &Shop{Received: map[string]int{}, Types: map[string]string{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		var told struct{ Type string }
		_ = json.Unmarshal(body, &told)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.Received[r.Header.Get("webhook-id")]++
		s.Types[r.Header.Get("webhook-id")] = told.Type
		rw.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(s.Close)
	return s
}

// signStandardWebhook signs as a provider does: HMAC-SHA256 over id, timestamp and body.
func signStandardWebhook(secret, eventID, body string, at time.Time) map[string]string {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(eventID + "." + stamp + "." + body))
	return map[string]string{
		"webhook-id": eventID, "webhook-timestamp": stamp,
		"webhook-signature": "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)), "content-type": "application/json",
	}
}

// StopAt plans that the history's k-th call to AWS is the last of its invocation: before AWS has it, or after.
func (w *World) StopAt(k int, after bool) { w.stop = &Plan{At: k, After: after} }

// Calls is how many calls the history's invocations have made.
func (w *World) Calls() int { return w.stop.Calls }
