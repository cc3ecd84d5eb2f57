package api

import (
	"context"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"farrier/shared/idempotency"
	"farrier/shared/parts"
)

// making are the calls that make something, for a merchant and its endpoint.
func makings(owner, endpoint string) map[string]struct {
	key, path string
	body      map[string]any
} {
	type c = struct {
		key, path string
		body      map[string]any
	}
	return map[string]c{
		"merchant":   {operatorKey, "/v1/merchants", map[string]any{"name": "Shop", "xpub": exampleXPub}},
		"key":        {operatorKey, "/v1/merchants/" + owner + "/keys", map[string]any{"name": "k", "scopes": []string{"*"}}},
		"approver":   {operatorKey, "/v1/approvers", map[string]any{"name": "Ann"}},
		"connection": {operatorKey, "/v1/connections", map[string]any{"merchant": owner, "provider": "standard-webhooks"}},
		"endpoint":   {operatorKey, "/v1/webhook-endpoints", map[string]any{"merchant": owner, "url": hook["url"], "events": hook["events"]}},
		"rotation":   {operatorKey, "/v1/webhook-endpoints/" + endpoint + "/rotate", nil},
		"test":       {operatorKey, "/v1/webhook-endpoints/" + endpoint + "/test", nil},
	}
}

// send posts for the operator, which names the merchant in the query where there is no body.
func (b *bench) send(path, owner string, body map[string]any, idempotencyKey string) reply {
	b.t.Helper()
	c := call{method: http.MethodPost, path: path, key: operatorKey, headers: map[string]string{"idempotency-key": idempotencyKey}}
	if body == nil {
		c.query = "merchant=" + owner
	} else {
		c.body = encode(b.t, body)
	}
	return b.do(c)
}

func (b *bench) withEndpoint() (owner, key, endpoint string) {
	b.t.Helper()
	owner, key = b.merchant()
	return owner, key, b.post(key, "/v1/webhook-endpoints", hook).want(b.t, http.StatusCreated).text("id")
}

func TestTheFirstAnswerIsGivenAgain(t *testing.T) {
	b := newBench(t)
	owner, _, endpoint := b.withEndpoint()
	for name, c := range makings(owner, endpoint) {
		first := b.send(c.path, owner, c.body, "k-"+name)
		if first.StatusCode >= 300 || first.Headers["idempotency-replayed"] != "" {
			t.Fatalf("%s: %d %s", name, first.StatusCode, first.Body)
		}
		again := b.send(c.path, owner, c.body, "k-"+name)
		if again.StatusCode != first.StatusCode || again.Body != first.Body || again.Headers["content-type"] != first.Headers["content-type"] || again.Headers["idempotency-replayed"] != "true" {
			t.Errorf("%s: %+v, then %+v", name, first, again)
		}
	}
}

func TestARefusalIsAnAnswerToo(t *testing.T) {
	b := newBench(t)
	body := map[string]any{"name": "Shop", "xpub": "xpub-of-nobody"}
	first := b.post(operatorKey, "/v1/merchants", body, "idempotency-key", "k").wantProblem(t, http.StatusUnprocessableEntity, "invalid")
	again := b.post(operatorKey, "/v1/merchants", body, "idempotency-key", "k").wantProblem(t, http.StatusUnprocessableEntity, "invalid")
	if first.Body != again.Body || again.Headers["idempotency-replayed"] != "true" {
		t.Fatalf("%s\n%s", first.Body, again.Body)
	}
}

func TestAnotherBodyOrQueryUnderTheSameKeyIsRefused(t *testing.T) {
	b := newBench(t)
	owner, _, endpoint := b.withEndpoint()
	other, _ := b.merchant()
	for name, c := range makings(owner, endpoint) {
		b.send(c.path, owner, c.body, "k-"+name)
		changed := map[string]any{"unlike": "before"}
		if c.body == nil {
			changed = nil
		}
		b.send(c.path, other, changed, "k-"+name).wantProblem(t, http.StatusUnprocessableEntity, "key_reused")
	}
}

func TestOfManyCallsAtOnceOneDoesTheWork(t *testing.T) {
	b := newBench(t)
	_, key := b.merchant()
	var (
		all    sync.WaitGroup
		mu     sync.Mutex
		bodies = map[string]bool{}
	)
	for range 12 {
		all.Go(func() {
			r := b.post(key, "/v1/webhook-endpoints", hook, "idempotency-key", "k")
			mu.Lock()
			defer mu.Unlock()
			switch {
			case r.StatusCode == http.StatusCreated:
				bodies[r.Body] = true
			case r.StatusCode != http.StatusConflict || r.JSON["code"] != "key_in_use":
				t.Errorf("%d %s", r.StatusCode, r.Body)
			}
		})
	}
	all.Wait()
	if made := b.get(key, "/v1/webhook-endpoints", "").want(t, http.StatusOK).data(t); len(bodies) != 1 || len(made) != 1 {
		t.Fatalf("%d answers, %d endpoints", len(bodies), len(made))
	}
}

// forgetful is an HTTP client that loses writes while it is told to.
type forgetful struct {
	losing atomic.Bool
	left   atomic.Int32 // writes that still go through
}

func (f *forgetful) Do(r *http.Request) (*http.Response, error) {
	if f.losing.Load() && strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".PutItem") && f.left.Add(-1) < 0 {
		return nil, http.ErrServerClosed
	}
	return unshared.Do(r)
}

// unshared never meets a connection that the store has just closed, which without retries is an error.
var unshared = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// TestACallThatWasKilledBeforeItsAnswerWasKeptMakesTheSameThingAgain: the work was done, the record of
// the key was not: what a kill between the two leaves behind.
func TestACallThatWasKilledBeforeItsAnswerWasKeptMakesTheSameThingAgain(t *testing.T) {
	b := newBench(t)
	owner, _, endpoint := b.withEndpoint()
	cfg := parts.Config(t, "FARRIER_TEST_DYNAMODB")
	lossy := &forgetful{}
	cfg.HTTPClient, cfg.RetryMaxAttempts = lossy, 1
	b.Answers.Table.Client = dynamodb.NewFromConfig(cfg)
	b.approving.Answers = b.Answers
	for name, c := range makings(owner, endpoint) {
		lossy.left.Store(1) // the claim; the answer after it is lost
		lossy.losing.Store(true)
		first := b.send(c.path, owner, c.body, "k-"+name)
		lossy.losing.Store(false)
		if first.StatusCode >= 300 {
			t.Fatalf("%s: %s", name, first.Body)
		}
		b.send(c.path, owner, c.body, "k-"+name).wantProblem(t, http.StatusConflict, "key_in_use")
		b.now = b.now.Add(idempotency.Lease)
		second := b.send(c.path, owner, c.body, "k-"+name)
		if second.StatusCode != first.StatusCode || second.Headers["idempotency-replayed"] != "" {
			t.Fatalf("%s: %d %s", name, second.StatusCode, second.Body)
		}
		for _, same := range []string{"id", "secret", "key", "otpauth", "created_at", "callback_url"} {
			if first.text(same) != second.text(same) {
				t.Errorf("%s: %s was %q, then %q", name, same, first.text(same), second.text(same))
			}
		}
		if third := b.send(c.path, owner, c.body, "k-"+name); third.Body != second.Body || third.Headers["idempotency-replayed"] != "true" {
			t.Errorf("%s: %s, then %s", name, second.Body, third.Body)
		}
	}
	if list := b.get(operatorKey, "/v1/webhook-endpoints", "merchant="+owner).want(t, http.StatusOK).data(t); len(list) != 2 {
		t.Errorf("%d endpoints", len(list))
	}
	if list := b.get(operatorKey, "/v1/events", "merchant="+owner).want(t, http.StatusOK).data(t); len(list) != 1 {
		t.Errorf("%d events", len(list))
	}
}

func TestARotationThatIsMadeLaterSignsBesideForTheWholeOverlap(t *testing.T) {
	b := newBench(t)
	_, key := b.merchant()
	made := b.post(key, "/v1/webhook-endpoints", map[string]any{"url": hook["url"], "events": hook["events"], "signing": "v1a"}).want(t, http.StatusCreated)
	rotate := func() reply {
		return b.post(key, "/v1/webhook-endpoints/"+made.text("id")+"/rotate", map[string]any{"overlap": 600}, "idempotency-key", "k")
	}
	table := b.Endpoints.Table.Name
	b.Endpoints.Table.Name = "no-such-table"
	rotate().wantProblem(t, http.StatusInternalServerError, "internal")
	b.Endpoints.Table.Name = table
	b.now = b.now.Add(time.Hour) // past the end of an overlap that the first run would have begun
	keys := rotate().want(t, http.StatusOK).JSON["public_keys"].([]any)
	if until := b.now.Add(10 * time.Minute).Format(time.RFC3339); len(keys) != 2 || keys[1].(map[string]any)["until"] != until {
		t.Errorf("%v, want a former one until %s", keys, until)
	}
}

func TestASecretThatWasRotatedAwayIsNotPutBackByTheRequestThatMadeIt(t *testing.T) {
	b := newBench(t)
	owner, _, endpoint := b.withEndpoint()
	path := "/v1/webhook-endpoints/" + endpoint + "/rotate"
	cfg := parts.Config(t, "FARRIER_TEST_DYNAMODB")
	lossy := &forgetful{}
	cfg.HTTPClient, cfg.RetryMaxAttempts = lossy, 1
	b.Answers.Table.Client = dynamodb.NewFromConfig(cfg)
	lossy.left.Store(1) // the claim; the answer after it is lost
	lossy.losing.Store(true)
	b.send(path, owner, nil, "first").want(t, http.StatusOK)
	lossy.losing.Store(false)
	b.now = b.now.Add(idempotency.Lease) // the secret leaks meanwhile
	b.send(path, owner, nil, "second").want(t, http.StatusOK)
	present, err := b.Endpoints.Get(context.Background(), owner, endpoint)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		b.send(path, owner, nil, "first").wantProblem(t, http.StatusConflict, "conflict")
		if after, err := b.Endpoints.Get(context.Background(), owner, endpoint); err != nil || !reflect.DeepEqual(after, present) {
			t.Errorf("%+v, want %+v: %v", after, present, err)
		}
	}
	b.send(path, owner, nil, "third").want(t, http.StatusOK)
}

func TestACallThatFailedOnOurSideMayBeMadeAgainAtOnce(t *testing.T) {
	b := newBench(t)
	_, key := b.merchant()
	table := b.Endpoints.Table.Name
	b.Endpoints.Table.Name = "no-such-table"
	b.post(key, "/v1/webhook-endpoints", hook, "idempotency-key", "k").wantProblem(t, http.StatusInternalServerError, "internal")
	b.Endpoints.Table.Name = table
	b.post(key, "/v1/webhook-endpoints", hook, "idempotency-key", "k").want(t, http.StatusCreated)
}

func TestWhatCannotBeAnIdempotencyKeyIsRefusedByTheHeadersName(t *testing.T) {
	b := newBench(t)
	_, key := b.merchant()
	for name, value := range map[string]string{"empty": "", "too long": strings.Repeat("sw0rdfish", 29), "not ASCII": "sw0rd é", "not UTF-8": "sw0rd\xff", "a tab": "sw0rd\tfish"} {
		for path, body := range map[string]any{"/v1/payments": order, "/v1/webhook-endpoints": hook} {
			r := b.post(key, path, body, "idempotency-key", value).wantProblem(t, http.StatusUnprocessableEntity, "invalid")
			if r.fields()[0] != "Idempotency-Key" || !strings.Contains(r.Body, `"in":"header"`) || strings.Contains(r.Body, "sw0rd") {
				t.Errorf("%s: %s", name, r.Body)
			}
		}
	}
}
