package receiver

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go/middleware"
	judge "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"farrier/shared/callback"
	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/parts"
	"farrier/shared/seal"
)

const (
	secret  = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	unknown = "con_01JD0000000000000000000000"
	body    = `{"type":"deposit","data":{"chain":"eip155:137","transaction":"0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}`
)

// endpoint is a receiver on the real store and the real KMS, with one connection of Standard Webhooks.
type endpoint struct {
	*Receiver
	connection string
	now        time.Time
	told       bytes.Buffer // log and metrics
	calls      calls
}

// calls counts what goes to AWS, each try of the SDK by itself.
type calls struct {
	requests atomic.Int64
	units    atomic.Int64 // of writing, as the store says
}

func (c *calls) config(cfg aws.Config) aws.Config {
	cfg.APIOptions = append(cfg.APIOptions, func(stack *middleware.Stack) error {
		units := middleware.InitializeMiddlewareFunc("units", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			if put, ok := in.Parameters.(*dynamodb.PutItemInput); ok {
				put.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
			}
			out, meta, err := next.HandleInitialize(ctx, in)
			if put, ok := out.Result.(*dynamodb.PutItemOutput); ok && put.ConsumedCapacity != nil {
				c.units.Add(int64(aws.ToFloat64(put.ConsumedCapacity.CapacityUnits)))
			}
			return out, meta, err
		})
		requests := middleware.DeserializeMiddlewareFunc("requests", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
			c.requests.Add(1)
			return next.HandleDeserialize(ctx, in)
		})
		if err := stack.Initialize.Add(units, middleware.Before); err != nil {
			return err
		}
		return stack.Deserialize.Add(requests, middleware.After)
	})
	return cfg
}

func open(t testing.TB) *endpoint {
	t.Helper()
	e := &endpoint{now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	now := func() time.Time { return e.now }
	_, key := parts.Key(t)
	tables := dynamodb.NewFromConfig(e.calls.config(parts.Config(t, "FARRIER_TEST_DYNAMODB")))
	sealer := func() *seal.Sealer {
		return &seal.Sealer{Client: kms.NewFromConfig(e.calls.config(parts.Config(t, "FARRIER_TEST_AWS"))), KeyID: key, Now: now}
	}
	connections := callback.Connections{Table: parts.TableOn(t, tables), Sealer: sealer(), Now: now, Random: rand.Reader}
	created, _, err := connections.Create(context.Background(), callback.Asked{Merchant: "mer_1", Provider: "standard-webhooks", Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	e.connection = created.ID
	told := &guarded{w: &e.told}
	e.Receiver = &Receiver{
		Known: &callback.Known{Connections: connections}, Keyring: &callback.Keyring{Sealer: sealer(), Now: now},
		Receipts: callback.Receipts{
			Table:   parts.TableOn(t, tables, parts.Index{Name: callback.TroubleIndex, Partition: "trouble", Sort: "trouble_at"}),
			KeepFor: 90 * 24 * time.Hour, Now: now,
		},
		Cap:     256 * 1024,
		Metrics: cloud.Metrics{Out: told, Stack: "test", Now: now}, Log: slog.New(slog.NewJSONHandler(told, nil)), Now: now,
	}
	return e
}

// guarded lets a hundred callers write to one buffer.
type guarded struct {
	mu sync.Mutex
	w  *bytes.Buffer
}

func (g *guarded) Write(b []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.w.Write(b)
}

// request is a callback as API Gateway brings it, signed by the official library.
func (e *endpoint) request(t testing.TB, event, body string, under ...string) events.APIGatewayV2HTTPRequest {
	t.Helper()
	signer, err := judge.NewWebhook(append(under, secret)[0])
	if err != nil {
		t.Fatal(err)
	}
	signature, err := signer.Sign(event, e.now, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return post(e.connection, body, map[string]string{
		"content-type": "application/json", "webhook-id": event,
		"webhook-timestamp": strconv.FormatInt(e.now.Unix(), 10), "webhook-signature": signature,
	})
}

func post(connection, body string, headers map[string]string) events.APIGatewayV2HTTPRequest {
	r := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: "POST /callbacks/{connection}", RawPath: "/callbacks/" + connection,
		PathParameters: map[string]string{"connection": connection}, Headers: headers, Body: body,
	}
	r.RequestContext.HTTP.Method, r.RequestContext.HTTP.SourceIP = "POST", "192.0.2.1"
	return r
}

func with(r events.APIGatewayV2HTTPRequest, header, value string) events.APIGatewayV2HTTPRequest {
	r.Headers = maps.Clone(r.Headers)
	r.Headers[header] = value
	if value == "" {
		delete(r.Headers, header)
	}
	return r
}

func (e *endpoint) send(t testing.TB, r events.APIGatewayV2HTTPRequest) events.APIGatewayV2HTTPResponse {
	t.Helper()
	response, err := e.Invoke(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

func (e *endpoint) receipts(t testing.TB) []callback.Receipt {
	t.Helper()
	page, _, err := e.Receipts.Of(context.Background(), e.connection, 0, "")
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func TestARightCallbackIsAcknowledgedAndKept(t *testing.T) {
	e := open(t)
	response := e.send(t, e.request(t, "msg_1", body))
	if response.StatusCode != 200 || response.Body != "" {
		t.Fatalf("%+v", response)
	}
	kept := e.receipts(t)
	if len(kept) != 1 || kept[0].SK != "msg_1" || string(kept[0].Body) != body || kept[0].SourceIP != "192.0.2.1" || kept[0].Merchant != "mer_1" {
		t.Errorf("%+v", kept)
	}
}

func TestAWarmAcknowledgedCallbackIsOneRequestAndOneWriteUnit(t *testing.T) {
	e := open(t)
	e.send(t, e.request(t, "msg_1", body)) // now the connection and its secret are in memory
	e.calls.requests.Store(0)
	e.calls.units.Store(0)
	if response := e.send(t, e.request(t, "msg_2", body)); response.StatusCode != 200 {
		t.Fatal(response)
	}
	if requests, units := e.calls.requests.Load(), e.calls.units.Load(); requests != 1 || units != 1 {
		t.Errorf("%d requests and %d write units", requests, units)
	}
	for _, r := range e.receipts(t) {
		if size := parts.ItemSize(r); size > 1024 {
			t.Errorf("the receipt takes %d bytes", size)
		}
	}
	e.calls.requests.Store(0)
	e.send(t, e.request(t, "msg_2", body))
	if requests := e.calls.requests.Load(); requests != 1 {
		t.Errorf("the same again takes %d requests", requests)
	}
}

func TestAHundredCopiesAtOnceAreOneReceipt(t *testing.T) {
	e := open(t)
	r := e.request(t, "msg_1", body)
	var copies sync.WaitGroup
	statuses := make([]int, 100)
	for i := range statuses {
		copies.Go(func() {
			response, err := e.Invoke(context.Background(), r)
			if err == nil {
				statuses[i] = response.StatusCode
			}
		})
	}
	copies.Wait()
	for _, status := range statuses {
		if status != 200 {
			t.Fatalf("%v", statuses)
		}
	}
	if kept := e.receipts(t); len(kept) != 1 {
		t.Errorf("%d receipts", len(kept))
	}
}

func TestWhateverIsWrongGetsTheSame401AndNothingIsWritten(t *testing.T) {
	e := open(t)
	right := e.request(t, "msg_1", body)
	signature := right.Headers["webhook-signature"]
	reference := e.send(t, post(unknown, body, right.Headers))
	if reference.StatusCode != 401 || reference.Headers["content-type"] != "application/problem+json" {
		t.Fatalf("%+v", reference)
	}
	elsewhere := func(connection string) events.APIGatewayV2HTTPRequest { return post(connection, body, right.Headers) }
	for name, r := range map[string]events.APIGatewayV2HTTPRequest{
		"unknown connection again":         elsewhere(unknown),
		"malformed connection":             elsewhere("con_x"),
		"no connection":                    elsewhere(""),
		"a connection's id in lower case":  elsewhere(strings.ToLower(e.connection)),
		"wrong signature":                  with(right, "webhook-signature", "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
		"missing signature":                with(right, "webhook-signature", ""),
		"doubled signature":                with(right, "webhook-signature", signature+","+signature),
		"truncated signature":              with(right, "webhook-signature", signature[:len(signature)-4]),
		"signature under two spellings":    with(right, "Webhook-Signature", signature),
		"missing id":                       with(right, "webhook-id", ""),
		"missing timestamp":                with(right, "webhook-timestamp", ""),
		"another body":                     post(e.connection, body+" ", right.Headers),
		"signed with the secret of nobody": post(unknown, "", nobodys(t, e.now)),
	} {
		if got := e.send(t, r); !reflect.DeepEqual(got, reference) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for _, off := range []time.Duration{5*time.Minute + time.Second, -5*time.Minute - time.Second} {
		e.now = e.now.Add(off)
		if got := e.send(t, right); !reflect.DeepEqual(got, reference) {
			t.Errorf("%s off: %+v", off, got)
		}
		e.now = e.now.Add(-off)
	}
	if kept := e.receipts(t); len(kept) != 0 {
		t.Errorf("%+v", kept)
	}
	told := e.told.String()
	if strings.Contains(told, signature) || strings.Contains(told, "deposit") || !strings.Contains(told, `"SignatureRefused":1`) {
		t.Errorf("%s", told)
	}
}

// nobodys are headers signed by the secret that stands in where there is no connection.
func nobodys(t *testing.T, now time.Time) map[string]string {
	t.Helper()
	signer, err := judge.NewWebhook("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	if err != nil {
		t.Fatal(err)
	}
	signature, err := signer.Sign("msg_1", now, nil)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"webhook-id": "msg_1", "webhook-timestamp": strconv.FormatInt(now.Unix(), 10), "webhook-signature": signature}
}

func TestTheSameEventAgainGetsTheSameAnswerAndIsOneReceipt(t *testing.T) {
	e := open(t)
	first := e.send(t, e.request(t, "msg_1", body))
	e.now = e.now.Add(time.Hour) // the provider's retry, stamped anew
	if again := e.send(t, e.request(t, "msg_1", body)); !reflect.DeepEqual(again, first) {
		t.Errorf("%+v, then %+v", first, again)
	}
	if kept := e.receipts(t); len(kept) != 1 {
		t.Errorf("%+v", kept)
	}
}

func TestTheSameEventWithAnotherBodyIsThankedForKeptAndAlarmed(t *testing.T) {
	e := open(t)
	first := e.send(t, e.request(t, "msg_1", body))
	if second := e.send(t, e.request(t, "msg_1", "{}")); !reflect.DeepEqual(second, first) {
		t.Errorf("%+v, then %+v", first, second)
	}
	kept := e.receipts(t)
	if len(kept) != 2 || string(kept[0].Body) != body || kept[0].Outcome != "" || string(kept[1].Body) != "{}" || kept[1].Outcome != callback.Conflict {
		t.Errorf("%+v", kept)
	}
	if !strings.Contains(e.told.String(), `"CallbackConflict":1`) {
		t.Error(e.told.String())
	}
}

func TestABodyOverTheCapIs413BeforeAnythingElse(t *testing.T) {
	e := open(t)
	e.Cap = 10
	e.calls.requests.Store(0)
	encoded := post(unknown, base64.StdEncoding.EncodeToString(make([]byte, 11)), nil)
	encoded.IsBase64Encoded = true
	long := post(unknown, strings.Repeat("!", 100), nil) // not even base64
	long.IsBase64Encoded = true
	for name, r := range map[string]events.APIGatewayV2HTTPRequest{
		"by one": post(e.connection, strings.Repeat("x", 11), nil), "malformed id": post("x", strings.Repeat("x", 11), nil),
		"encoded": encoded, "refused by its length alone": long,
	} {
		if got := e.send(t, r); got.StatusCode != 413 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if n := e.calls.requests.Load(); n != 0 {
		t.Errorf("%d requests", n)
	}
	exactly := e.request(t, "msg_1", "0123456789")
	if got := e.send(t, exactly); got.StatusCode != 200 {
		t.Errorf("at the cap: %+v", got)
	}
}

func TestTheLargestBodyThatTheDefaultCapTakesIsStored(t *testing.T) {
	e := open(t)
	large := strings.Repeat("x", e.Cap)
	if got := e.send(t, e.request(t, "msg_1", large)); got.StatusCode != 200 {
		t.Fatalf("%+v", got)
	}
	if kept := e.receipts(t); len(kept) != 1 || string(kept[0].Body) != large {
		t.Errorf("%d receipts", len(kept))
	}
}

func TestABodyInBase64IsVerifiedAndKeptAsTheBytesThatItMeans(t *testing.T) {
	e := open(t)
	r := e.request(t, "msg_1", "\xff\x00 not UTF-8")
	r.Body, r.IsBase64Encoded = base64.StdEncoding.EncodeToString([]byte(r.Body)), true
	if got := e.send(t, r); got.StatusCode != 200 {
		t.Fatalf("%+v", got)
	}
	if kept := e.receipts(t); len(kept) != 1 || string(kept[0].Body) != "\xff\x00 not UTF-8" {
		t.Errorf("%+v", kept)
	}
	r.Body = "%%%"
	if got := e.send(t, r); got.StatusCode != 422 {
		t.Errorf("not base64: %+v", got)
	}
}

func TestMalformedJSONUnderARightSignatureIsAcknowledgedAndKept(t *testing.T) {
	e := open(t)
	for i, body := range []string{`{"data":`, "\xff\xfe", ""} {
		if got := e.send(t, e.request(t, fmt.Sprint("msg_", i), body)); got.StatusCode != 200 {
			t.Errorf("%q: %+v", body, got)
		}
	}
	if kept := e.receipts(t); len(kept) != 3 {
		t.Errorf("%+v", kept)
	}
}

func TestACheckOfTheURLTellsNothingOfTheConnection(t *testing.T) {
	e := open(t)
	e.calls.requests.Store(0)
	var answers []events.APIGatewayV2HTTPResponse
	for _, method := range []string{"GET", "HEAD"} {
		for _, connection := range []string{e.connection, unknown, "x"} {
			r := post(connection, "", nil)
			r.RequestContext.HTTP.Method = method
			answers = append(answers, e.send(t, r))
		}
	}
	for _, a := range answers {
		if a.StatusCode != 200 || !reflect.DeepEqual(a, answers[0]) {
			t.Errorf("%+v", a)
		}
	}
	if n := e.calls.requests.Load(); n != 0 {
		t.Errorf("%d requests", n)
	}
	r := post(e.connection, "", nil)
	r.RequestContext.HTTP.Method = "PUT"
	if got := e.send(t, r); got.StatusCode != 405 {
		t.Errorf("PUT: %+v", got)
	}
}

// refusing is an AWS whose every port is closed.
func refusing() aws.Config {
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String("http://127.0.0.1:9"),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}
}

func TestWhileATableOrKMSIsDownTheProviderIsAskedToComeAgain(t *testing.T) {
	down := dynamo.Table{Client: dynamodb.NewFromConfig(refusing()), Name: "down"}
	for name, breakIt := range map[string]func(*endpoint){
		"connections": func(e *endpoint) { e.Known.Connections.Table = down },
		"callbacks":   func(e *endpoint) { e.Receipts.Table = down },
		"KMS":         func(e *endpoint) { e.Keyring.Sealer.Client = kms.NewFromConfig(refusing()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := open(t)
			connections, callbacks, client := e.Known.Connections.Table, e.Receipts.Table, e.Keyring.Sealer.Client
			breakIt(e)
			began := time.Now()
			got := e.send(t, e.request(t, "msg_1", body))
			if got.StatusCode != 503 || got.Headers["retry-after"] == "" || got.Headers["content-type"] != "application/problem+json" {
				t.Errorf("%+v", got)
			}
			if took := time.Since(began); took > patience+time.Second {
				t.Errorf("it took %s", took)
			}
			if told := e.told.String(); strings.Contains(told, secret) || !strings.Contains(told, "callback not kept") {
				t.Error(told)
			}
			e.Known.Connections.Table, e.Receipts.Table, e.Keyring.Sealer.Client = connections, callbacks, client
			if got := e.send(t, e.request(t, "msg_1", body)); got.StatusCode != 200 {
				t.Errorf("when it is back: %+v", got)
			}
			if kept := e.receipts(t); len(kept) != 1 {
				t.Errorf("%+v", kept)
			}
		})
	}
}

func TestASecretThatDoesNotOpenIsOurTroubleAndNoRefusal(t *testing.T) {
	e, ctx := open(t), context.Background()
	table := e.Known.Connections
	swapped, err := table.Get(ctx, e.connection)
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := table.Create(ctx, callback.Asked{Merchant: "mer_2", Provider: "standard-webhooks"})
	if err != nil {
		t.Fatal(err)
	}
	swapped.Sealed, swapped.Version = other.Sealed, 2 // sealed for another connection
	if err := table.Table.Replace(ctx, swapped, 1); err != nil {
		t.Fatal(err)
	}
	if got := e.send(t, e.request(t, "msg_1", body)); got.StatusCode != 503 {
		t.Errorf("%+v", got)
	}
}

func TestADeliveryIsWhatTheProviderCalled(t *testing.T) {
	e := open(t)
	r := post(e.connection, body, nil)
	r.RequestContext.DomainName, r.RawQueryString = "pay.example.com", "s=a%20b&s=c&x=1"
	d := e.delivery(r, []byte(body))
	if d.Method != "POST" || d.URL != "https://pay.example.com/callbacks/"+e.connection+"?s=a%20b&s=c&x=1" || !reflect.DeepEqual(d.Query["s"], []string{"a b", "c"}) {
		t.Errorf("%+v", d)
	}
	r.RawQueryString = ""
	if d := e.delivery(r, nil); d.URL != "https://pay.example.com/callbacks/"+e.connection || len(d.Query) != 0 {
		t.Errorf("%+v", d)
	}
}

func TestACallbackFromAnAddressThatIsNotAllowedIsA401LikeAnyOther(t *testing.T) {
	e, ctx := open(t), context.Background()
	made, _, err := e.Known.Connections.Create(ctx, callback.Asked{
		Merchant: "mer_1", Provider: "standard-webhooks", Secret: secret, Settings: callback.Settings{Sources: []string{"192.0.2.0/24"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	e.connection = made.ID
	right := e.request(t, "msg_1", body)
	other := right
	other.RequestContext.HTTP.SourceIP = "198.51.100.1"
	if got, want := e.send(t, other), e.send(t, post(unknown, body, right.Headers)); !reflect.DeepEqual(got, want) || len(e.receipts(t)) != 0 {
		t.Errorf("%+v", got)
	}
	if told := e.told.String(); !strings.Contains(told, string(callback.NotAllowed)) {
		t.Error(told)
	}
	if got := e.send(t, right); got.StatusCode != 200 {
		t.Errorf("%+v", got)
	}
}

func TestAProblemHasTheFormOfRFC9457(t *testing.T) {
	e := open(t)
	response := e.send(t, post(unknown, "{}", nil))
	var p struct {
		Type, Title, Code, Detail string
		Status                    int
	}
	if err := json.Unmarshal([]byte(response.Body), &p); err != nil {
		t.Fatal(err)
	}
	if p.Type != "about:blank" || p.Title != "Unauthorized" || p.Status != 401 || p.Code != "unauthorized" || p.Detail == "" {
		t.Errorf("%+v", p)
	}
}
