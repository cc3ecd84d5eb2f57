package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/dynamo"
	"farrier/shared/gateway"
	"farrier/shared/idempotency"
	"farrier/shared/merchant"
	"farrier/shared/parts"
	"farrier/shared/problem"
	"farrier/shared/queue"
)

// FuzzBody: a body that passes is one JSON value without nulls, fractions and doubled names, and passes again in the
// spelling that Go gives it; another is refused in words of ours.
func FuzzBody(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,"x",{"b":true}]}`, `{"a":1}{"a":1}`, "{\"a\":\"\xff\"}", `{"a":{"b":1,"\u0062":2}}`, `{"a":1e2}`, `{"a":-0}`, `{"a":[null]}`, `{"":{"":[[]]}}`, `{"a":"\ud83d\ude00\u0000"}`, `[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]`,
		`{"a":9223372036854775808}`, "\xef\xbb\xbf{}", `{"a":1,}`, ` 7 `, `"`,
	} {
		f.Add([]byte(s))
	}
	text := regexp.MustCompile(`"(\\.|[^"\\])*"`)
	f.Fuzz(func(t *testing.T, body []byte) {
		if err := checkJSON(body); err != nil {
			var p *problem.Error
			if !errors.As(err, &p) || p.Code != problem.Malformed && p.Code != problem.Invalid {
				t.Fatalf("%q: %v is no problem of the body", body, err)
			}
			return
		}
		in := json.NewDecoder(bytes.NewReader(body))
		in.UseNumber()
		var value any
		if err := in.Decode(&value); err != nil || in.More() {
			t.Fatalf("%q passes: %v", body, err)
		}
		names, plain := measured(value)
		if written := bytes.Count(text.ReplaceAll(body, nil), []byte(":")); written != names || !plain {
			t.Fatalf("%q passes: of %d names %d are left", body, written, names)
		}
		again, err := json.Marshal(value)
		if err != nil || checkJSON(again) != nil {
			t.Fatalf("%q passes and %q does not: %v", body, again, checkJSON(again))
		}
	})
}

// measured counts the names in a value, and says whether it is made of texts, truths and whole numbers alone.
func measured(value any) (names int, plain bool) {
	switch v := value.(type) {
	case string, bool:
		return 0, true
	case json.Number:
		_, err := strconv.ParseInt(v.String(), 10, 64)
		return 0, err == nil
	case []any:
		plain = true
		for _, e := range v {
			n, ok := measured(e)
			names, plain = names+n, plain && ok
		}
		return names, plain
	case map[string]any:
		plain = true
		for _, e := range v {
			n, ok := measured(e)
			names, plain = names+n+1, plain && ok
		}
		return names, plain
	default:
		return 0, false
	}
}

// asked is a request as the fuzzer makes it: an operation of the document, or any method and path.
type asked struct {
	which                        byte
	method, id, query, key, kind string
	body                         []byte
}

// seeds are requests of every operation, with bodies that are whole, spoilt and none.
func seeds(f *testing.F, a *API, owner string) []*huma.Operation {
	a.build.Do(a.routes)
	var all []*huma.Operation
	each(a, func(_ string, op *huma.Operation) { all = append(all, op) })
	slices.SortFunc(all, func(a, b *huma.Operation) int { return strings.Compare(a.OperationID, b.OperationID) })
	add := func(q asked) { f.Add(q.which, q.method, q.id, q.query, q.key, q.kind, q.body) }
	for i, op := range all {
		q := asked{which: byte(i), id: "x"}
		if full, ok := fullBodies[op.OperationID]; ok {
			q.kind, q.body = "application/json", encode(f, full)
			if _, acts := full["merchant"]; acts {
				q.body = encode(f, change(full, "merchant", owner))
			}
			add(q)
			q.key = "\x7f"
			add(q)
			q.key, q.body = "", q.body[:len(q.body)-2]
			add(q)
		}
		q.id, q.query, q.key = "mer_"+exampleULID, "merchant="+owner, "order-1"
		add(q)
		for _, p := range op.Parameters {
			values := []string{"con_" + exampleULID}
			if p.Name == "cursor" {
				values = []string{"0", opaque(`{"pk":"` + owner + `","sk":"pay_` + exampleULID + `"}`), opaque("pay_" + exampleULID + "/eip155:31337/0x01/log-0"), opaque("\xff///"), opaque(strings.Repeat("/", 1500))}
			}
			for _, v := range values {
				if p.In == "query" {
					q.query = "merchant=" + owner + "&" + p.Name + "=" + v
					add(q)
				}
			}
		}
	}
	add(asked{which: 255, method: "GET", id: "/v1//payments"})
	add(asked{which: 255, method: "BREW", id: "/v1/payments", query: "%zz"})
	add(asked{which: 255, method: "CONNECT", id: "/../v1/payments/%2e%2e/x", query: "a=1&a=2"})
	add(asked{which: 255, method: "HEAD", id: "/openapi.json"})
	add(asked{which: 255, method: "POST", id: "/v1/merchants", body: []byte(`{"name":"Shop","xpub":"` + knownPrivateKey + `"}`)})
	add(asked{which: 255, method: "POST", id: "/v1/connections", key: "\x7f", body: []byte(`{"provider":"hmac","secret":"0123456789abcdef0123456789abcdef","keys":["a"]}`)})
	return all
}

// call is the request to send.
func (q asked) call(all []*huma.Operation, key string) call {
	c := call{method: q.method, path: q.id, query: q.query, key: key, body: q.body, headers: map[string]string{}}
	if int(q.which) < len(all) {
		op := all[q.which]
		c.method, c.path = op.Method, strings.NewReplacer("{id}", q.id, "{key}", q.id, "{address}", q.id).Replace(op.Path)
		if !merchant.Scope(scopeOf(op)).OfMerchant() && scopeOf(op) != "" {
			c.key = operatorKey
		}
	}
	if q.kind != "" {
		c.headers["content-type"] = q.kind
	}
	if q.key != "" {
		c.headers["idempotency-key"] = q.key
	}
	return c
}

// judge ends the input where an answer is not one that the document tells of, holds what was sent, or came of a panic.
func (b *bench) judge(t *testing.T, c call, r reply) {
	t.Helper()
	if strings.Contains(b.log.String(), `"panic"`) {
		t.Fatalf("%s %s %q %q: %s", c.method, c.path, c.query, c.body, b.log.String())
	}
	op := b.operationOf(c)
	if op == nil {
		if r.StatusCode != http.StatusNotFound && r.StatusCode != http.StatusMethodNotAllowed && c.path != "/openapi.json" {
			t.Fatalf("%s %s: %d %s", c.method, c.path, r.StatusCode, r.Body)
		}
	} else if told := op.Responses[strconv.Itoa(r.StatusCode)]; told == nil {
		t.Fatalf("%s %s %q %q: the document does not tell of %d %s", c.method, c.path, c.query, c.body, r.StatusCode, r.Body)
	} else if media := told.Content[r.Headers["content-type"]]; media == nil && len(told.Content)+len(r.Body) > 0 {
		t.Fatalf("%s %s: %d has the content type %q", c.method, c.path, r.StatusCode, r.Headers["content-type"])
	} else if media != nil {
		b.conforms(t, media.Schema, r)
	}
	if key, given := c.headers["idempotency-key"]; given && op != nil && op.Method == http.MethodPost && idempotency.CheckKey(key) != nil && (r.StatusCode < 300 || r.StatusCode >= 500) {
		t.Fatalf("%s %s passes under the key %q", c.method, c.path, key)
	}
	if r.StatusCode < 300 {
		return
	}
	if r.Headers["content-type"] != "application/problem+json" || r.JSON["code"] == "" || r.JSON["detail"] == "" || r.JSON["status"] != float64(r.StatusCode) {
		t.Fatalf("%s %s: no problem: %d %v %s", c.method, c.path, r.StatusCode, r.Headers, r.Body)
	}
	for _, sent := range secretsOf(c) {
		if strings.Contains(r.Body, sent) {
			t.Fatalf("%s %s repeats %q: %s", c.method, c.path, sent, r.Body)
		}
	}
}

// operationOf is the operation that a request is for; nil where no path and method of the document are meant.
func (b *bench) operationOf(c call) *huma.Operation {
	e := events.APIGatewayV2HTTPRequest{RawPath: c.path}
	e.RequestContext.HTTP.Method = c.method
	_, pattern := b.mux.Handler(gateway.Request(context.Background(), e))
	for _, op := range b.operations {
		if op.Method+" "+op.Path == pattern && !strings.Contains(c.path, "//") {
			return op
		}
	}
	return nil
}

// conforms holds an answer's body against the document's schema.
func (b *bench) conforms(t *testing.T, schema *huma.Schema, r reply) {
	t.Helper()
	var res huma.ValidateResult
	huma.Validate(b.document.Components.Schemas, schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, r.JSON, &res)
	if len(res.Errors) > 0 {
		t.Fatalf("%s: %v", r.Body, res.Errors)
	}
}

// secretsOf are the values of a request that are long enough to be told from chance. Names of fields are no secrets.
func secretsOf(c call) []string {
	sent := []string{c.key, c.headers["idempotency-key"]}
	var named []string
	query, _ := url.ParseQuery(c.query)
	for name, values := range query {
		named, sent = append(named, name), append(sent, values...)
	}
	var body any
	if json.Unmarshal(c.body, &body) == nil {
		sent = append(sent, texts(body)...)
	}
	collectNames(body, &named)
	return slices.DeleteFunc(sent, func(s string) bool {
		return len(s) < 20 || slices.ContainsFunc(named, func(name string) bool { return strings.Contains(name, s) })
	})
}

func texts(value any) []string {
	var out []string
	switch v := value.(type) {
	case string:
		out = append(out, v)
	case []any:
		for _, e := range v {
			out = append(out, texts(e)...)
		}
	case map[string]any:
		for _, e := range v {
			out = append(out, texts(e)...)
		}
	}
	return out
}

func collectNames(value any, names *[]string) {
	switch v := value.(type) {
	case []any:
		for _, e := range v {
			collectNames(e, names)
		}
	case map[string]any:
		for name, e := range v {
			*names = append(*names, name)
			collectNames(e, names)
		}
	}
}

// FuzzRequestsWithoutAStore: a request that can be refused for itself is, before any part is asked, as the document
// tells; one that passes meets tables that are out of reach, and gets the 500 of ours that says nothing.
func FuzzRequestsWithoutAStore(f *testing.F) {
	away := &outOfReach{}
	b := (&bench{t: f, now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)}).without(away)
	all := seeds(f, b.API, "mer_"+exampleULID)
	f.Fuzz(func(t *testing.T, which byte, method, id, query, key, kind string, body []byte) {
		b.log.Reset()
		before := away.asked.Load()
		c := asked{which, method, id, query, key, kind, body}.call(all, operatorKey)
		r := do(t, b.roomOf(c), c)
		b.judge(t, c, r)
		reached := away.asked.Load() > before
		if failed := r.StatusCode >= 500; failed != reached || failed && (r.JSON["code"] != "internal" || strings.Contains(r.Body, "sw0rd")) {
			t.Fatalf("%s %s %q %q: a part was asked is %t: %d %s\n%s", c.method, c.path, c.query, c.body, reached, r.StatusCode, r.Body, b.log.String())
		}
	})
}

// FuzzRequests: no request whatsoever, by a merchant or by the operator, on real tables, keys and queues, is answered
// by an error of ours.
func FuzzRequests(f *testing.F) {
	b := newBench(f)
	owner, key := b.rich()
	all := seeds(f, b.API, owner)
	f.Fuzz(func(t *testing.T, which byte, method, id, query, header, kind string, body []byte) {
		b.log.Reset()
		for _, caller := range []string{key, operatorKey} {
			c := asked{which, method, id, query, header, kind, body}.call(all, caller)
			r := do(t, b.roomOf(c), c)
			b.judge(t, c, r)
			if r.StatusCode >= 500 {
				t.Fatalf("%s %s %q %q %q: %d %s\n%s", c.method, c.path, c.query, header, c.body, r.StatusCode, r.Body, b.log.String())
			}
		}
	})
}

// outOfReach is a network on which no part of AWS answers.
type outOfReach struct{ asked atomic.Int64 }

func (o *outOfReach) Do(*http.Request) (*http.Response, error) {
	o.asked.Add(1)
	return nil, errors.New("sw0rd: out of reach")
}

func (b *bench) without(away *outOfReach) *bench {
	cfg := aws.Config{Region: "us-east-1", HTTPClient: away, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""), RetryMaxAttempts: 1}
	tables := dynamodb.NewFromConfig(cfg)
	return b.on(func(...parts.Index) dynamo.Table { return dynamo.Table{Client: tables, Name: "table"} }, kms.NewFromConfig(cfg), "key", queue.Queue{Client: sqs.NewFromConfig(cfg), URL: "http://queue"})
}
