package interpreter

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/callback"
	"farrier/shared/deposit"
	"farrier/shared/seal"
	"farrier/shared/stream"
)

// api is NOWPayments' on this machine.
type api struct {
	status int
	body   string
	asked  int
}

func (a *api) RoundTrip(request *http.Request) (*http.Response, error) {
	a.asked++
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, a.body)
	}))
	defer server.Close()
	to, _ := url.Parse(server.URL)
	request = request.Clone(request.Context())
	request.URL.Scheme, request.URL.Host = to.Scheme, to.Host
	return http.DefaultTransport.RoundTrip(request)
}

// asking is a reader whose connection asks NOWPayments.
func asking(t testing.TB) (*reader, *api) {
	t.Helper()
	r, a := gateway(t), &api{status: http.StatusOK}
	sealer := r.Keyring.Sealer
	sealed, err := sealer.Seal(context.Background(), seal.Owner{"connection": r.connection.ID, "credential": "api_key"}, []byte("an API key of some length"))
	if err != nil {
		t.Fatal(err)
	}
	r.connection.Credentials = map[string]string{"api_key": sealed}
	r.trusts(t, "nowpayments", callback.Ask, r.connection.Settings)
	r.Asker = callback.Asker{Sealer: sealer, HTTP: &http.Client{Transport: a}}
	r.Consumer.Redriven = stream.Each(r.Interpreter.Redriven)
	return r, a
}

// queued brings what waits in the function's own queue, and gives how many messages failed.
func (r *reader) queued(t testing.TB) (failed int) {
	t.Helper()
	var batch events.SQSEvent
	for _, body := range messages(t, r.Own) {
		batch.Records = append(batch.Records, events.SQSMessage{MessageId: "m", EventSource: "aws:sqs", Body: body})
	}
	if len(batch.Records) == 0 {
		return 0
	}
	payload, err := json.Marshal(batch)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := r.Invoke(context.Background(), payload)
	if err != nil {
		t.Fatal(err)
	}
	return len(answer.BatchItemFailures)
}

func TestTheProviderIsAskedOutOfTheQueueAndItsAnswerIsBooked(t *testing.T) {
	r, a := asking(t)
	r.tells(t, nowPaid("finished", "1000"))
	if held := r.held(t); len(held) != 0 || a.asked != 0 {
		t.Fatalf("booked %+v, or asked %d times, in the stream", held, a.asked)
	}
	a.body = nowPaid("finished", "10")
	if failed := r.queued(t); failed != 0 || a.asked != 1 {
		t.Fatalf("%d failed, asked %d times", failed, a.asked)
	}
	r.holds(t, deposit.Final, 10_000_000)
}

func TestAForgedPaymentIsAContradictionAndMovesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   callback.Outcome
	}{
		"unpaid":         {http.StatusOK, nowPaid("waiting", "0"), callback.Contradiction},
		"none":           {http.StatusNotFound, "", callback.Contradiction},
		"another object": {http.StatusOK, strings.Replace(nowPaid("finished", "10"), "5077125051", "6", 1), callback.Unreadable},
		"not JSON":       {http.StatusOK, "<html>", callback.Unreadable},
	} {
		r, a := asking(t)
		a.status, a.body = c.status, c.body
		event := r.tells(t, nowPaid("finished", "10"))
		if failed := r.queued(t); failed != 0 || len(r.held(t)) != 0 {
			t.Errorf("%s: %d failed, %+v", name, failed, r.held(t))
		}
		if stored := r.stored(t, event); stored.Outcome != c.want {
			t.Errorf("%s: %+v", name, stored)
		}
	}
}

func TestARefundThatTheAPIDoesNotTellOfIsAContradiction(t *testing.T) {
	r, a := asking(t)
	a.body = nowPaid("finished", "10")
	r.tells(t, nowPaid("finished", "10"))
	r.queued(t)
	event := r.tells(t, nowPaid("refunded", "10"))
	r.queued(t)
	r.holds(t, deposit.Final, 10_000_000)
	if stored := r.stored(t, event); stored.Outcome != callback.Contradiction {
		t.Errorf("%+v", stored)
	}
}

func TestTroubleOutsideComesAgainByTheQueue(t *testing.T) {
	r, a := asking(t)
	a.status = http.StatusBadGateway
	event := r.tells(t, nowPaid("finished", "10"))
	receipt := r.stored(t, event)
	if failed := r.queued(t); failed != 1 || len(r.held(t)) != 0 {
		t.Fatalf("%d failed", failed)
	}
	a.status, a.body = http.StatusOK, nowPaid("finished", "10")
	r.redrive(t, receipt)
	r.redrive(t, receipt)
	r.holds(t, deposit.Final, 10_000_000)
	if strings.Contains(r.told.String(), "API key") {
		t.Error("a credential is in the log")
	}
}

func TestWhatMovesNoMoneyIsNotAskedAbout(t *testing.T) {
	r, a := asking(t)
	for _, status := range []string{"waiting", "confirming", "expired", "failed"} {
		r.tells(t, nowPaid(status, "0"))
	}
	if waiting := messages(t, r.Own); len(waiting) != 0 || a.asked != 0 {
		t.Errorf("%v", waiting)
	}
}

func TestWhatIsToBeAskedAboutHoldsItsKeyAlone(t *testing.T) {
	r, _ := asking(t)
	r.tells(t, nowPaid("finished", "10"))
	waiting := messages(t, r.Own)
	if len(waiting) != 1 || strings.Contains(waiting[0], "finished") || len(waiting[0]) > 2048 {
		t.Errorf("%v", waiting)
	}
}

func TestTheGravestOutcomeIsThatOfTheReceipt(t *testing.T) {
	if len(gravest) != len(metrics) {
		t.Errorf("%d outcomes, %d metrics", len(gravest), len(metrics))
	}
	for _, o := range callback.Outcomes() {
		if o != callback.Conflict && (metrics[o] == "" || !slices.Contains(gravest, o)) {
			t.Errorf("%s has no metric, or no place", o)
		}
	}
}
