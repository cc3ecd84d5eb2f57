package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"farrier/shared/approval"
	"farrier/shared/callback"
	"farrier/shared/callback/journal"
	"farrier/shared/chain"
	"farrier/shared/deposit"
	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/gateway"
	"farrier/shared/idempotency"
	"farrier/shared/ledger"
	"farrier/shared/merchant"
	"farrier/shared/parts"
	"farrier/shared/payment"
	"farrier/shared/queue"
	"farrier/shared/seal"
	"farrier/shared/task"
	"farrier/shared/webhook"
)

const (
	operatorKey = "fk_op_for_tests"
	asset       = "eip155:31337/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f"
	otherAsset  = "eip155:31337/erc20:0x3c499c542cef5e3811e1192ce70d8cc03d5c3359"
	chains      = `[{"id":"eip155:31337","name":"Local","block_time":"1s","finality":{"depth":3},
		"tokens":[{"symbol":"USDT","decimals":6,"address":"0xc2132d05d31c914a87c6611c10748aeb04b58e8f"},{"symbol":"USDC","decimals":6,"address":"0x3c499c542cef5e3811e1192ce70d8cc03d5c3359"}]}]`
	// knownPrivateKey is BIP-32's test vector 1 at m.
	knownPrivateKey = "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"
)

// bench is the API on real parts, called by Lambda events: the front, and behind the same gateway the room of approvers.
type bench struct {
	*API
	approving *API
	codes     approval.Codes // the signer's
	t         testing.TB
	now       time.Time
	log       bytes.Buffer
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{t: t, now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)}
	client := dynamodb.NewFromConfig(parts.Config(t, "FARRIER_TEST_DYNAMODB"))
	keys, key := parts.Key(t)
	return b.on(func(indexes ...parts.Index) dynamo.Table { return parts.TableOn(t, client, indexes...) }, keys, key, parts.Queue(t))
}

// on wires the API to its parts.
func (b *bench) on(table func(...parts.Index) dynamo.Table, keys *kms.Client, key string, jobs queue.Queue) *bench {
	b.t.Helper()
	clock := func() time.Time { return b.now }
	sealer := &seal.Sealer{Client: keys, KeyID: key, Now: clock}
	set, err := chain.ParseSet(chains)
	if err != nil {
		b.t.Fatal(err)
	}
	hash := sha256.Sum256([]byte(operatorKey))
	merchants := merchant.Store{Table: table(), Now: clock, Random: rand.Reader}
	told := event.Store{Table: table(), Now: clock}
	endpoints := webhook.Endpoints{Table: table(), Seal: sealer, Now: clock, Random: rand.Reader}
	deliveries := webhook.Deliveries{Table: table(parts.Index{Name: "due", Partition: "due_shard", Sort: "due_at"})}
	states := webhook.States{Table: table(), Now: clock}
	b.API = &API{
		Door:        &merchant.Door{Store: merchants, OperatorKeyHash: hex.EncodeToString(hash[:]), Now: clock},
		Merchants:   merchants,
		Answers:     idempotency.Store{Table: table(), Sealer: sealer, Now: clock, Random: rand.Reader},
		Connections: callback.Connections{Table: table(connectionIndexes...), Sealer: sealer, Chains: set, Now: clock, Random: rand.Reader},
		Receipts:    callback.Receipts{Table: table(parts.Index{Name: callback.TroubleIndex, Partition: "trouble", Sort: "trouble_at"}), KeepFor: time.Hour, Now: clock},
		Journal:     journal.Journal{Table: table(), Now: clock},
		Interpret:   jobs,
		Payments:    payment.Store{Payments: table(), Addresses: table(), Expiry: noTimer{}, Assets: set, Now: clock, Random: rand.Reader},
		Deposits:    deposit.Store{Table: table()},
		Ledger:      ledger.Store{Entries: table(), Balances: table()},
		Endpoints:   endpoints, Events: told, Deliveries: deliveries,
		Doctor: webhook.Doctor{Events: told, Endpoints: endpoints, Deliveries: deliveries, States: states},
		Sender: webhook.Sender{Events: told, Endpoints: endpoints, Deliveries: deliveries, Jobs: jobs, Now: clock, Random: rand.Reader},
		Replays: webhook.Replays{
			Replayer: webhook.Replayer{Events: told, Endpoints: endpoints, Deliveries: deliveries, Jobs: jobs, Now: clock},
			Tasks:    task.Tasks{Table: table(), Queue: jobs, Now: clock, Random: rand.Reader}, Letters: webhook.Letters{Dead: jobs, Jobs: jobs}, Random: rand.Reader,
		},
		Now: clock, Random: rand.Reader, Log: slog.New(slog.NewJSONHandler(&b.log, nil)),
		Room: Front, Pay: jobs,
	}
	b.payouts(set, table, sealer)
	b.build.Do(b.routes)
	b.approving.build.Do(b.approving.routes)
	return b
}

// unwired is the API without a single part behind it: enough for what is refused before any is asked.
func unwired() *API {
	hash := sha256.Sum256([]byte(operatorKey))
	return &API{
		Door: &merchant.Door{OperatorKeyHash: hex.EncodeToString(hash[:]), Now: time.Now},
		Now:  time.Now, Random: rand.Reader, Log: slog.New(slog.NewJSONHandler(io.Discard, nil)), Room: Front,
	}
}

var connectionIndexes = []parts.Index{{Name: callback.MerchantIndex, Partition: "merchant", Sort: "id"}}

type noTimer struct{}

func (noTimer) At(context.Context, string, time.Time, any) error { return nil }

// call is a request in the making.
type call struct {
	method, path, query, key string
	headers                  map[string]string
	body                     []byte
}

// reply is an answer and what its JSON says.
type reply struct {
	events.APIGatewayV2HTTPResponse
	JSON map[string]any
}

// do sends the call as the event that AWS would make of it.
func do(t testing.TB, a *API, c call) reply {
	t.Helper()
	e := events.APIGatewayV2HTTPRequest{Version: "2.0", RouteKey: "$default", RawPath: c.path, RawQueryString: c.query, Headers: map[string]string{"host": "api.example.com"}}
	e.RequestContext.HTTP.Method, e.RequestContext.HTTP.Path = c.method, c.path
	e.RequestContext.DomainName, e.RequestContext.RequestID = "api.example.com", "request-1"
	if c.key != "" {
		e.Headers["authorization"] = "Bearer " + c.key
	}
	if c.body != nil {
		e.Headers["content-type"] = "application/json"
		e.Body = string(c.body)
		if !utf8.Valid(c.body) {
			e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(c.body), true
		}
	}
	for name, value := range c.headers {
		e.Headers[name] = value
	}
	out, err := gateway.Handler(a)(context.Background(), e)
	if err != nil {
		t.Fatal(err)
	}
	r := reply{APIGatewayV2HTTPResponse: out}
	if strings.Contains(out.Headers["content-type"], "json") {
		if err := json.Unmarshal([]byte(out.Body), &r.JSON); err != nil {
			t.Fatalf("%s %s: %v: %s", c.method, c.path, err, out.Body)
		}
	}
	return r
}

// do calls the room that the gateway calls.
func (b *bench) do(c call) reply {
	b.t.Helper()
	return do(b.t, b.roomOf(c), c)
}

func (b *bench) roomOf(c call) *API {
	if op := b.operationOf(c); op != nil && op.Metadata["route"].(route).room() == Approving {
		return b.approving
	}
	return b.API
}

func (b *bench) get(key, path, query string) reply {
	b.t.Helper()
	return b.do(call{method: http.MethodGet, path: path, query: query, key: key})
}

func (b *bench) post(key, path string, body any, headers ...string) reply {
	b.t.Helper()
	c := call{method: http.MethodPost, path: path, key: key, headers: map[string]string{}}
	if body != nil {
		c.body = encode(b.t, body)
	}
	for i := 0; i < len(headers); i += 2 {
		c.headers[headers[i]] = headers[i+1]
	}
	return b.do(c)
}

func (b *bench) patch(key, path string, body any, headers ...string) reply {
	b.t.Helper()
	c := call{method: http.MethodPatch, path: path, key: key, body: encode(b.t, body), headers: map[string]string{}}
	for i := 0; i < len(headers); i += 2 {
		c.headers[headers[i]] = headers[i+1]
	}
	return b.do(c)
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// want ends the test unless the reply has this status.
func (r reply) want(t testing.TB, status int) reply {
	t.Helper()
	if r.StatusCode != status {
		t.Fatalf("%d, want %d: %s", r.StatusCode, status, r.Body)
	}
	return r
}

// wantProblem ends the test unless the reply is an RFC 9457 problem of this code.
func (r reply) wantProblem(t testing.TB, status int, code string) reply {
	t.Helper()
	r.want(t, status)
	if r.Headers["content-type"] != "application/problem+json" || r.JSON["code"] != code || r.JSON["type"] != "about:blank" ||
		r.JSON["title"] != http.StatusText(status) || r.JSON["status"] != float64(status) || r.JSON["detail"] == "" {
		t.Fatalf("not the problem %s: %v %s", code, r.Headers, r.Body)
	}
	return r
}

// fields are the fields that a problem names.
func (r reply) fields() []string {
	var names []string
	list, _ := r.JSON["errors"].([]any)
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			names = append(names, m["field"].(string))
		}
	}
	return names
}

func (r reply) text(name string) string {
	s, _ := r.JSON[name].(string)
	return s
}

func (r reply) data(t testing.TB) []map[string]any {
	t.Helper()
	list, ok := r.JSON["data"].([]any)
	if !ok {
		t.Fatalf("no list: %s", r.Body)
	}
	out := make([]map[string]any, len(list))
	for i, v := range list {
		out[i], _ = v.(map[string]any)
	}
	return out
}

// merchant makes a merchant and a key with these scopes, through the API.
func (b *bench) merchant(scopes ...string) (id, key string) {
	b.t.Helper()
	if len(scopes) == 0 {
		scopes = []string{"*"}
	}
	id = b.post(operatorKey, "/v1/merchants", map[string]any{"name": "Shop", "xpub": exampleXPub}).want(b.t, http.StatusCreated).text("id")
	return id, b.post(operatorKey, "/v1/merchants/"+id+"/keys", map[string]any{"name": "k", "scopes": scopes}).want(b.t, http.StatusCreated).text("key")
}
