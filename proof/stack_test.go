package proof_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"farrier/shared/chain/evm/anvil"
	"farrier/shared/parts"
)

// These tests talk to the whole product as it is deployed: template.yaml on the local AWS, beside a local chain.

// deployed is what .local/stack.json says of a running stack.
type deployed struct {
	API         string `json:"api"`
	OperatorKey string `json:"operator_key"`
	MerchantKey string `json:"merchant_key"`
	RPC         string `json:"rpc"`
	Asset       string `json:"asset"`
	Token       string `json:"token"`
	AWS         string `json:"aws"`
}

// stack is a deployed stack with a shop of the test's own.
type stack struct {
	t testing.TB
	deployed
	chain *anvil.Chain

	shop       *httptest.Server
	secret     string
	connection string // where callbacks go
	signing    string // the connection's secret

	mu   sync.Mutex
	told []webhookRequest
}

type webhookRequest struct {
	header http.Header
	body   []byte
	event  struct {
		Type string
		Data struct{ ID, Status string }
	}
}

func onStack(t *testing.T) *stack {
	t.Helper()
	text, err := os.ReadFile(parts.Endpoint(t, "FARRIER_STACK"))
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{t: t}
	if err := json.Unmarshal(text, &s.deployed); err != nil {
		t.Fatal(err)
	}
	s.chain = anvil.At(t, s.RPC)
	s.shop = httptest.NewServer(http.HandlerFunc(s.take))
	t.Cleanup(s.shop.Close)

	var endpoint, connection struct{ ID, Secret, CallbackURL string }
	s.post("/v1/webhook-endpoints", map[string]any{"url": s.shop.URL, "events": []string{"payment.*"}}, &endpoint)
	s.post("/v1/connections", map[string]any{"provider": "standard-webhooks"}, &connection)
	s.secret, s.connection, s.signing = endpoint.Secret, connection.CallbackURL, connection.Secret
	t.Cleanup(func() { s.request(http.MethodDelete, "/v1/webhook-endpoints/"+endpoint.ID, nil, nil) })
	return s
}

func (s *stack) take(w http.ResponseWriter, r *http.Request) {
	told := webhookRequest{header: r.Header.Clone()}
	told.body, _ = io.ReadAll(r.Body)
	_ = json.Unmarshal(told.body, &told.event)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, told)
	w.WriteHeader(http.StatusNoContent)
}

// request calls the API with the merchant's key and reads the answer.
func (s *stack) request(method, path string, body, out any) int {
	s.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	if body == nil {
		text = nil
	}
	request, err := http.NewRequestWithContext(context.Background(), method, s.API+path, bytes.NewReader(text))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("authorization", "Bearer "+s.MerchantKey)
	request.Header.Set("content-type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	read, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if out != nil {
		// The API's names have underscores; the tests' structs do without.
		if err := json.Unmarshal([]byte(strings.ReplaceAll(string(read), "callback_url", "callbackurl")), out); err != nil {
			s.t.Fatalf("%s %s: %d %s", method, path, answer.StatusCode, read)
		}
	}
	return answer.StatusCode
}

func (s *stack) post(path string, body, out any) {
	s.t.Helper()
	if status := s.request(http.MethodPost, path, body, out); status/100 != 2 {
		s.t.Fatalf("POST %s: %d %+v", path, status, out)
	}
}

type asked struct{ ID, Status, Address, Received string }

func (s *stack) pay(amount string, units int64) (asked, string) {
	s.t.Helper()
	var p asked
	s.post("/v1/payments", map[string]any{"asset": s.Asset, "amount": amount, "reference": fmt.Sprintf("order-%d", time.Now().UnixNano()), "expires_in": 3600}, &p)
	return p, s.chain.Pay(s.Token, strings.ToLower(p.Address), units)
}

// callback posts a provider's signed word and gives the answer's status and body.
func (s *stack) callback(event, tx string) (int, string) {
	body := fmt.Sprintf(`{"type":"transaction.mined","data":{"chain":"eip155:31337","transaction":%q}}`, tx)
	return s.raw(s.connection, s.signing, event, body)
}

func (s *stack) raw(url, secret, event, body string) (int, string) {
	signer, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		s.t.Error(err)
		return 0, ""
	}
	now := time.Now()
	signature, err := signer.Sign(event, now, []byte(body))
	if err != nil {
		s.t.Error(err)
		return 0, ""
	}
	request, _ := http.NewRequestWithContext(context.Background(), http.MethodPost, url, strings.NewReader(body))
	request.Header.Set("content-type", "application/json")
	request.Header.Set("webhook-id", event)
	request.Header.Set("webhook-timestamp", fmt.Sprint(now.Unix()))
	request.Header.Set("webhook-signature", signature)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Error(err)
		return 0, ""
	}
	defer func() { _ = answer.Body.Close() }()
	text, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text)
}

// until waits for a condition.
func (s *stack) until(what string, holds func() bool) {
	s.t.Helper()
	for end := time.Now().Add(90 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if holds() {
			return
		}
	}
	s.t.Fatalf("%s: not within 90 s", what)
}

func (s *stack) status(p asked) string {
	var now asked
	s.request(http.MethodGet, "/v1/payments/"+p.ID, nil, &now)
	return now.Status
}

// toldOf are the webhooks about a payment, by type.
func (s *stack) toldOf(p asked) map[string][]webhookRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string][]webhookRequest{}
	for _, w := range s.told {
		if w.event.Data.ID == p.ID {
			out[w.event.Type] = append(out[w.event.Type], w)
		}
	}
	return out
}

// page is a list of things of which only a few fields matter.
type page struct {
	Data []struct{ ID, Payment, Kind, Object, Available string }
}

func (s *stack) of(p asked, path string) int {
	s.t.Helper()
	var list page
	if status := s.request(http.MethodGet, path, nil, &list); status != http.StatusOK {
		s.t.Fatalf("GET %s: %d", path, status)
	}
	n := 0
	for _, item := range list.Data {
		if item.Payment == p.ID || item.Object == p.ID {
			n++
		}
	}
	return n
}

func (s *stack) balance() string {
	var list page
	s.request(http.MethodGet, "/v1/balances", nil, &list)
	if len(list.Data) == 0 {
		return "0.00"
	}
	return list.Data[0].Available
}

func TestStackTheOfficialLibrariesAcceptOurWebhooks(t *testing.T) {
	s := onStack(t)
	p, tx := s.pay("10.50", 10_500_000)
	if status, body := s.callback("evt-"+tx, tx); status != http.StatusOK && status != http.StatusNoContent {
		t.Fatalf("the callback got %d %s", status, body)
	}
	s.until("the webhook", func() bool { return len(s.toldOf(p)["payment.paid"]) > 0 })
	told := s.toldOf(p)["payment.paid"][0]
	judge, err := standardwebhooks.NewWebhook(s.secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := judge.Verify(told.body, told.header); err != nil {
		t.Errorf("Go: %v", err)
	}
	headers, _ := json.Marshal(map[string]string{
		"webhook-id": told.header.Get("webhook-id"), "webhook-timestamp": told.header.Get("webhook-timestamp"), "webhook-signature": told.header.Get("webhook-signature"),
	})
	local, err := filepath.Abs("../.local")
	if err != nil {
		t.Fatal(err)
	}
	for name, command := range map[string][]string{
		"npm": {"node", "-e", `const {Webhook} = require(process.argv[1] + "/npm/node_modules/standardwebhooks");
			new Webhook(process.argv[2]).verify(process.argv[3], JSON.parse(process.argv[4]))`, local, s.secret, string(told.body), string(headers)},
		"PyPI": {filepath.Join(local, "venv/bin/python"), "-c", `import sys, json, standardwebhooks
standardwebhooks.Webhook(sys.argv[1]).verify(sys.argv[2], json.loads(sys.argv[3]))`, s.secret, string(told.body), string(headers)},
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil { // #nosec G204 -- a test's own commands
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

func TestStackAHundredCopiesOfACallbackAreOneOfEverything(t *testing.T) {
	s := onStack(t)
	before := s.balance()
	p, tx := s.pay("1.00", 1_000_000)
	var wait sync.WaitGroup
	for range 100 {
		wait.Go(func() {
			status, body := s.callback("evt-"+tx, tx)
			for tries := 1; status == http.StatusServiceUnavailable && tries < 20; tries++ { // a machine at its limit: a provider comes again
				time.Sleep(200 * time.Millisecond)
				status, body = s.callback("evt-"+tx, tx)
			}
			if status/100 != 2 {
				t.Errorf("a copy got %d %s", status, body)
			}
		})
	}
	wait.Wait()
	s.until("paid", func() bool { return s.status(p) == "paid" })
	s.until("the webhook", func() bool { return len(s.toldOf(p)["payment.paid"]) > 0 })
	connection := s.connection[strings.LastIndex(s.connection, "/")+1:]
	var receipts page
	s.until("the callback in the journal", func() bool { // which is written after the callback was answered
		receipts = page{}
		s.request(http.MethodGet, "/v1/callbacks?connection="+connection, nil, &receipts)
		return len(receipts.Data) > 0
	})
	deposits, entries, events := s.of(p, "/v1/deposits?payment="+p.ID), s.of(p, "/v1/entries"), s.of(p, "/v1/events")
	if len(receipts.Data) != 1 || deposits != 1 || entries != 1 || events != 1 {
		t.Errorf("%d receipts, %d deposits, %d entries, %d events; balance was %s and is %s", len(receipts.Data), deposits, entries, events, before, s.balance())
	}
	ids := map[string]bool{}
	for _, w := range s.toldOf(p)["payment.paid"] {
		ids[w.header.Get("webhook-id")] = true
	}
	if len(ids) != 1 {
		t.Errorf("the shop was told under %d ids", len(ids))
	}
}

func TestStackForgedAndUnknownGetTheSame401(t *testing.T) {
	s := onStack(t)
	stranger := "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	unknown := s.connection[:strings.LastIndex(s.connection, "/")] + "/con_01KAJ5K7Q0M4T8X2V6B9N3R1ZC"
	forgedStatus, forged := s.raw(s.connection, stranger, "evt-1", "{}")
	unknownStatus, nobody := s.raw(unknown, stranger, "evt-1", "{}")
	if forgedStatus != http.StatusUnauthorized || unknownStatus != http.StatusUnauthorized || forged != nobody {
		t.Errorf("forged: %d %s\nunknown: %d %s", forgedStatus, forged, unknownStatus, nobody)
	}
	if status, _ := s.raw(s.connection, s.signing, "evt-large", strings.Repeat("x", 300<<10)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("300 KB got %d", status)
	}
}

func TestStackAFakeTokenOfTheSameSymbolCreditsNothing(t *testing.T) {
	s := onStack(t)
	before := s.balance()
	fake := s.chain.Token()
	var p asked
	s.post("/v1/payments", map[string]any{"asset": s.Asset, "amount": "5", "reference": "fake", "expires_in": 3600}, &p)
	tx := s.chain.Pay(fake, strings.ToLower(p.Address), 5_000_000)
	real, realTx := s.pay("2.00", 2_000_000) // when this later one is through, the fake one was looked at
	s.callback("evt-"+tx, tx)
	s.callback("evt-"+realTx, realTx)
	s.until("the real one", func() bool { return s.status(real) == "paid" })
	if status := s.status(p); status != "waiting" || s.of(p, "/v1/deposits?payment="+p.ID) != 0 {
		t.Errorf("the fake one made it %s; balance was %s and is %s", status, before, s.balance())
	}
}

func TestStackATransferReorganisedAwayAfterItsCreditIsTakenBack(t *testing.T) {
	s := onStack(t)
	s.chain.Mine(12) // what other tests paid lies deeper than what goes
	time.Sleep(2 * time.Second)
	before := s.balance()
	p, tx := s.pay("3.00", 3_000_000)
	s.callback("evt-"+tx, tx)
	s.until("paid", func() bool { return s.status(p) == "paid" })
	var head, mined struct{ Number, BlockNumber string }
	s.chain.Call(&mined, "eth_getTransactionReceipt", tx)
	s.chain.Call(&head, "eth_getBlockByNumber", "latest", false)
	s.chain.Reorganise(int(hex(t, head.Number)-hex(t, mined.BlockNumber)) + 2)
	s.callback("evt-look", "")
	s.until("taken back", func() bool { return s.status(p) == "waiting" && s.balance() == before })
	s.until("the webhook", func() bool { return len(s.toldOf(p)["payment.reversed"]) > 0 })
	if n := s.of(p, "/v1/entries"); n != 2 {
		t.Errorf("%d entries, want the credit and its reversal", n)
	}
}

func hex(t *testing.T, s string) (n int64) {
	t.Helper()
	if _, err := fmt.Sscanf(s, "0x%x", &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestStackWhatTheStreamsForgotIsDerivedAgainAndChangesNothing(t *testing.T) {
	s := onStack(t)
	p, tx := s.pay("4.00", 4_000_000)
	s.callback("evt-"+tx, tx)
	s.until("paid", func() bool { return s.status(p) == "paid" })
	s.until("the webhook", func() bool { return len(s.toldOf(p)["payment.paid"]) > 0 })
	before := s.balance()
	for _, command := range [][]string{{"./cmd/rederive", "-since", time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)}, {"./cmd/rebuild"}} {
		run := exec.Command("go", append([]string{"run"}, command...)...) // #nosec G204 -- the repository's own commands
		run.Dir, run.Env = "..", append(os.Environ(), s.names()...)
		if out, err := run.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", command, err, out)
		}
	}
	time.Sleep(3 * time.Second)
	if s.balance() != before || s.of(p, "/v1/entries") != 1 || s.of(p, "/v1/events") != 1 || len(s.toldOf(p)["payment.paid"]) != 1 {
		t.Errorf("balance %s was %s; %d entries, %d events, told %d times", s.balance(), before, s.of(p, "/v1/entries"), s.of(p, "/v1/events"), len(s.toldOf(p)["payment.paid"]))
	}
}

// names are the environment of a command that works on the stack's tables and queues, as an operator takes them from the stack's outputs.
func (s *stack) names() []string {
	s.t.Helper()
	cfg := aws.Config{Region: "us-east-1", BaseEndpoint: &s.AWS, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
	out := []string{"AWS_ENDPOINT_URL=" + s.AWS, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test"}
	tables, err := dynamodb.NewFromConfig(cfg).ListTables(context.Background(), &dynamodb.ListTablesInput{})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, name := range tables.TableNames {
		for notion, variable := range map[string]string{"-CallbacksTable-": "CALLBACKS_TABLE", "-DepositsTable-": "DEPOSITS_TABLE", "-PaymentsTable-": "PAYMENTS_TABLE", "-PayoutsTable-": "PAYOUTS_TABLE", "-EventsTable-": "EVENTS_TABLE", "-EntriesTable-": "ENTRIES_TABLE", "-BalancesTable-": "BALANCES_TABLE"} {
			if strings.Contains(name, notion) {
				out = append(out, variable+"="+name)
			}
		}
	}
	queues, err := sqs.NewFromConfig(cfg).ListQueues(context.Background(), &sqs.ListQueuesInput{})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, url := range queues.QueueUrls {
		for notion, variable := range map[string]string{"-InterpretQueue-": "INTERPRET_QUEUE", "-JournalQueue-": "JOURNAL_QUEUE", "-CreditQueue-": "CREDIT_QUEUE", "-NotifyQueue-": "NOTIFY_QUEUE"} {
			if strings.Contains(url, notion) {
				out = append(out, variable+"="+url)
			}
		}
	}
	return out
}
