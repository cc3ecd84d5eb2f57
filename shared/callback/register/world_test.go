package register

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"farrier/shared/callback"
	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/outside"
	"farrier/shared/parts"
	"farrier/shared/queue"
	"farrier/shared/seal"
	"farrier/shared/stream"
	"farrier/shared/wallet"
)

var ctx = context.Background()

// service is both providers, as their documents tell of them: it keeps a set of addresses for each webhook and takes
// those keys that are valid.
type service struct {
	*httptest.Server
	mu       sync.Mutex
	valid    map[string]bool            // keys
	watched  map[string]map[string]bool // webhook → addresses
	calls    []string                   // "<webhook> <addresses>"
	statuses map[string]int             // webhook → in place of an answer
	slow     time.Duration
	to       string // where a redirect leads
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Webhook string   `json:"webhook_id"`
		Add     []string `json:"addresses_to_add"`
		Remove  []string `json:"addresses_to_remove"`
		Address []string `json:"address"`
	}
	text, _ := io.ReadAll(r.Body)
	if json.Unmarshal(text, &body) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	webhook, key, addresses, most := "", "", body.Address, 1_000_000
	switch {
	case r.Host == "dashboard.alchemy.com" && r.Method == http.MethodPatch && r.URL.Path == "/api/update-webhook-addresses" && body.Remove != nil:
		webhook, key, addresses, most = body.Webhook, r.Header.Get("X-Alchemy-Token"), body.Add, 500
	case r.Host == "api.moralis-streams.com" && r.Method == http.MethodPost:
		webhook, _ = strings.CutPrefix(strings.TrimSuffix(r.URL.Path, "/address"), "/streams/evm/")
		key = r.Header.Get("X-API-Key")
	}
	s.calls = append(s.calls, fmt.Sprintf("%s %d", webhook, len(addresses)))
	time.Sleep(s.slow)
	switch {
	case s.to != "":
		http.Redirect(w, r, s.to, http.StatusTemporaryRedirect)
	case s.statuses[webhook] != 0:
		w.WriteHeader(s.statuses[webhook])
		_, _ = fmt.Fprintf(w, `{"message": "the key %s is at fault"}`, key) // who knows what they say
	case !s.valid[key]:
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprintf(w, `{"message": "the key %s is unknown"}`, key)
	case s.watched[webhook] == nil:
		w.WriteHeader(http.StatusNotFound)
	case len(addresses) == 0 || len(addresses) > most:
		w.WriteHeader(http.StatusBadRequest)
	default:
		for _, a := range addresses {
			s.watched[webhook][a] = true
		}
		_, _ = io.WriteString(w, "{}")
	}
}

func (s *service) has(webhook string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.watched[webhook]))
}

// took are the calls since the last time it was asked.
func (s *service) took() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	slices.Sort(calls)
	return calls
}

// RoundTrip asks the service in place of the provider, whose name stays in the header Host.
func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	to, _ := url.Parse(s.URL)
	r = r.Clone(r.Context())
	r.Host, r.URL.Host = r.URL.Host, to.Host
	return outside.NewClient(outside.Options{Local: true, Roots: roots}).Transport.RoundTrip(r)
}

// world is the real store, queues and KMS, and the service.
type world struct {
	*testing.T
	service     *service
	connections callback.Connections
	payments    dynamo.Table
	jobs        queue.Queue
	letters     queue.Queue
	function    Function
	now         time.Time
	said        *bytes.Buffer // logs and metrics
	secrets     []string
}

const (
	webhookA, webhookB = "wh_a", "wh_b"
	streamA            = "3fa84f64-5717-4562-b3fc-2c963f66afa6"
	merchantA          = "mer_01KAJ5K7Q0M4T8X2V6B9N3R1ZC"
	merchantB          = "mer_01KAJ5K7Q0M4T8X2V6B9N3R1ZD"
	rightKey           = "a right key of the account"
)

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), said: &bytes.Buffer{}, secrets: []string{rightKey}}
	client, key := parts.Key(t)
	now := func() time.Time { return w.now }
	sealer := &seal.Sealer{Client: client, KeyID: key, Now: now}
	w.connections = callback.Connections{
		Table: parts.Table(t), Sealer: sealer, Now: now, Random: rand.Reader,
	}
	w.payments, w.jobs, w.letters = parts.Table(t), parts.Queue(t), parts.Queue(t)
	w.service = &service{
		valid: map[string]bool{rightKey: true}, statuses: map[string]int{},
		watched: map[string]map[string]bool{webhookA: {}, webhookB: {}, streamA: {}},
	}
	w.service.Server = httptest.NewTLSServer(w.service)
	t.Cleanup(w.service.Close)
	log := slog.New(slog.NewTextHandler(w.said, nil))
	dispatcher := &Dispatcher{Connections: w.connections, Jobs: w.jobs, Now: now}
	w.function = Function{
		Records: stream.Consumer{Handle: dispatcher.Handle, Aside: w.letters, Log: log},
		Registrar: &Registrar{
			Connections: w.connections, Payments: w.payments, Sealer: sealer, Jobs: w.jobs, DeadLetters: w.letters,
			HTTP: &http.Client{Transport: w.service, CheckRedirect: outside.NewClient(outside.Options{}).CheckRedirect},
			Log:  log, Metrics: cloud.Metrics{Out: w.said, Now: now},
		},
	}
	t.Cleanup(func() {
		for _, secret := range w.secrets {
			if strings.Contains(w.said.String(), secret) {
				t.Errorf("a key is in the log: %s", w.said)
			}
		}
	})
	return w
}

// connect makes a connection that registers.
func (w *world) connect(merchant, provider, webhook string) callback.Connection {
	w.Helper()
	name := map[string]string{"alchemy": "auth_token", "moralis": "api_key"}[provider]
	c, _, err := w.connections.Create(ctx, callback.Asked{
		Merchant: merchant, Provider: provider, Secret: "a secret that its callbacks are signed with",
		Settings: callback.Settings{WebhookID: webhook}, Credentials: map[string]string{name: rightKey},
	})
	if err != nil {
		w.Fatal(err)
	}
	return c
}

// change changes a connection.
func (w *world) change(c callback.Connection, asked callback.Change) callback.Connection {
	w.Helper()
	asked.Version = c.Version
	changed, _, err := w.connections.Change(ctx, c, asked)
	if err != nil {
		w.Fatal(err)
	}
	return changed
}

func address(n int) string { return fmt.Sprintf("0x%040x", n) }

// born is the stream's record of a new address.
func born(merchant string, n int) events.DynamoDBEventRecord {
	key := wallet.KeyOf("eip155", address(n))
	return inserted(fmt.Sprint(1000+n), wallet.Address{PK: key.PK, SK: key.SK, Address: address(n), Merchant: merchant, Payment: fmt.Sprint("pay_", n), Path: "0/1"})
}

func inserted(sequence string, item any) events.DynamoDBEventRecord {
	image := dynamo.Told(stored(item))
	return events.DynamoDBEventRecord{
		EventID: "event-" + sequence, EventName: "INSERT", EventSource: "aws:dynamodb",
		Change: events.DynamoDBStreamRecord{
			SequenceNumber: sequence, NewImage: image, Keys: map[string]events.DynamoDBAttributeValue{"pk": image["pk"], "sk": image["sk"]},
		},
	}
}

// invoke runs the function, and gives what comes again.
func (w *world) invoke(payload any) []string {
	w.Helper()
	text, err := json.Marshal(payload)
	if err != nil {
		w.Fatal(err)
	}
	answer, err := w.function.Invoke(ctx, text)
	if err != nil || answer.BatchItemFailures == nil {
		w.Fatalf("%+v, %v", answer, err)
	}
	var again []string
	for _, f := range answer.BatchItemFailures {
		again = append(again, f.ItemIdentifier)
	}
	slices.Sort(again)
	return again
}

func (w *world) streamed(records ...events.DynamoDBEventRecord) []string {
	w.Helper()
	return w.invoke(events.DynamoDBEvent{Records: records})
}

// queued runs the function over messages, which are named "m0", "m1" and so on.
func (w *world) queued(bodies ...any) []string {
	w.Helper()
	var batch events.SQSEvent
	for i, body := range bodies {
		text, is := body.(string)
		if !is {
			b, _ := json.Marshal(body)
			text = string(b)
		}
		batch.Records = append(batch.Records, events.SQSMessage{MessageId: fmt.Sprint("m", i), EventSource: "aws:sqs", Body: text})
	}
	return w.invoke(batch)
}

// taken are the messages that a queue gives now.
func (w *world) taken(q queue.Queue) []any {
	w.Helper()
	var bodies []any
	for {
		out, err := q.Client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &q.URL, MaxNumberOfMessages: 10})
		if err != nil {
			w.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return bodies
		}
		for _, m := range out.Messages {
			bodies = append(bodies, *m.Body)
			if _, err := q.Client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &q.URL, ReceiptHandle: m.ReceiptHandle}); err != nil {
				w.Fatal(err)
			}
		}
	}
}

// held is how many messages a queue holds back.
func (w *world) held(q queue.Queue) string {
	w.Helper()
	name := types.QueueAttributeNameApproximateNumberOfMessagesDelayed
	out, err := q.Client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q.URL, AttributeNames: []types.QueueAttributeName{name}})
	if err != nil {
		w.Fatal(err)
	}
	return out.Attributes[string(name)]
}

// lettered are the reasons in the dead-letter queue; a letter never holds a key.
func (w *world) lettered() []string {
	w.Helper()
	var reasons []string
	for _, body := range w.taken(w.letters) {
		for _, secret := range w.secrets {
			if strings.Contains(body.(string), secret) {
				w.Errorf("a key is in a letter: %s", body)
			}
		}
		var letter Job
		if err := json.Unmarshal([]byte(body.(string)), &letter); err != nil {
			w.Fatal(err)
		}
		reasons = append(reasons, letter.Reason)
	}
	return reasons
}

// pay puts payments into the table, as many as n, from the number on.
func (w *world) pay(merchant string, from, n int, asset string) {
	w.Helper()
	var wait sync.WaitGroup
	places := make(chan struct{}, 16)
	for i := from; i < from+n; i++ {
		places <- struct{}{}
		wait.Go(func() {
			defer func() { <-places }()
			id := fmt.Sprintf("pay_%026d", i)
			err := w.payments.Create(ctx, map[string]string{"pk": merchant, "sk": id, "id": id, "asset": asset, "address": address(i)})
			if err != nil {
				w.Error(err)
			}
		})
	}
	wait.Wait()
}

// stored is an item as the table holds it.
func stored(item any) dynamo.Item {
	return dynamo.Must(item).(*ddb.AttributeValueMemberM).Value
}
