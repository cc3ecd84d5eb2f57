package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"farrier/shared/callback"
	"farrier/shared/dynamo"
	"farrier/shared/parts"
	"farrier/shared/stream"
)

// heard is a connection that callbacks come to.
type heard struct {
	*bench
	connection callback.Connection
	merchant   string
	key        string
}

func hear(t *testing.T) *heard {
	t.Helper()
	h := &heard{bench: newBench(t)}
	h.merchant, h.key = h.bench.merchant()
	path, _ := h.connect(h.key)
	var err error
	if h.connection, err = h.Connections.Get(context.Background(), strings.TrimPrefix(path, "/v1/connections/")); err != nil {
		t.Fatal(err)
	}
	return h
}

// keep keeps a callback, and brings it to the journal as the stream does.
func (h *heard) keep(event, body string) callback.Receipt {
	h.t.Helper()
	d := callback.Delivery{Headers: callback.NewHeaders(map[string]string{"Content-Type": "application/json"}), Body: []byte(body), At: h.now}
	kept, err := h.Receipts.Keep(context.Background(), callback.NewReceipt(h.connection, event, d))
	if err != nil {
		h.t.Fatal(err)
	}
	page, _, err := h.Receipts.Of(context.Background(), h.connection.ID, 0, "")
	if err != nil {
		h.t.Fatal(err)
	}
	for _, stored := range page {
		if stored.Event() == event && string(stored.Body) == body {
			if kept != callback.Again {
				h.journal(stored)
			}
			h.now = h.now.Add(time.Second)
			return stored
		}
	}
	h.t.Fatalf("%s was not kept", event)
	return callback.Receipt{}
}

func (h *heard) journal(receipt callback.Receipt) {
	h.t.Helper()
	image := dynamo.Told(dynamo.Must(receipt).(*types.AttributeValueMemberM).Value)
	record := events.DynamoDBEventRecord{EventName: "INSERT", Change: events.DynamoDBStreamRecord{NewImage: image}}
	if err := h.Journal.Handle(context.Background(), []events.DynamoDBEventRecord{record})[0]; err != nil {
		h.t.Fatal(err)
	}
}

func eventsOf(list []map[string]any) string {
	var names []string
	for _, c := range list {
		names = append(names, fmt.Sprint(c["event"], "/", c["outcome"]))
	}
	return strings.Join(names, " ")
}

func TestWhatAProviderSentIsListedByTime(t *testing.T) {
	b := hear(t)
	began := b.now
	b.keep("event-2", `{"a":1}`)
	b.keep("event-1", `{"a":2}`)
	b.keep("event-2", `{"a":3}`) // a conflict
	ofConnection := "connection=" + b.connection.ID
	first := b.get(b.key, "/v1/callbacks", ofConnection+"&limit=2").want(t, http.StatusOK)
	rest := b.get(b.key, "/v1/callbacks", ofConnection+"&limit=2&cursor="+first.text("next")).want(t, http.StatusOK)
	if got := eventsOf(append(first.data(t), rest.data(t)...)); got != "event-2/conflict event-1/accepted event-2/accepted" || rest.JSON["next"] != nil {
		t.Fatalf("%s\n%s", first.Body, rest.Body)
	}
	if got := first.text("complete_until"); got != b.now.Add(-75*time.Second).Format(time.RFC3339) {
		t.Errorf("complete until %s at %s", got, b.now)
	}
	at := func(d time.Duration) string { return began.Add(d).Format(time.RFC3339) }
	for query, want := range map[string]string{
		"&from=" + at(time.Second):                                 "event-2/conflict event-1/accepted",
		"&until=" + at(time.Second):                                "event-2/accepted",
		"&from=" + at(time.Second) + "&until=" + at(2*time.Second): "event-1/accepted",
		"&from=" + at(time.Hour):                                   "",
		"&trouble=conflict":                                        "event-2/conflict",
		"&trouble=unknown_event":                                   "",
	} {
		if got := eventsOf(b.get(b.key, "/v1/callbacks", ofConnection+query).want(t, http.StatusOK).data(t)); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	if list := b.get(b.key, "/v1/callbacks", "trouble=conflict").want(t, http.StatusOK).data(t); len(list) != 1 {
		t.Errorf("%v", list)
	}
	if list := b.get(operatorKey, "/v1/callbacks", ofConnection).want(t, http.StatusOK).data(t); len(list) != 3 {
		t.Errorf("the operator sees %d", len(list))
	}
	b.get(b.key, "/v1/callbacks", "").wantProblem(t, http.StatusUnprocessableEntity, "invalid")
	if r := b.get(operatorKey, "/v1/callbacks", "trouble=conflict").wantProblem(t, http.StatusUnprocessableEntity, "invalid"); r.fields()[0] != "merchant" {
		t.Errorf("%s", r.Body)
	}
	for _, bound := range []string{"from", "until"} {
		r := b.get(b.key, "/v1/callbacks", "trouble=conflict&"+bound+"=2026-11-20T00:00:00Z").wantProblem(t, http.StatusUnprocessableEntity, "invalid")
		if r.fields()[0] != bound {
			t.Errorf("%s", r.Body)
		}
	}
	b.now = b.now.Add(2 * time.Hour) // the bench keeps them for an hour
	if list := b.get(b.key, "/v1/callbacks", ofConnection).want(t, http.StatusOK).data(t); len(list) != 0 {
		t.Errorf("%v", list)
	}
}

func TestACallbackInTroubleIsReadAgain(t *testing.T) {
	b := hear(t)
	b.Interpret = parts.Queue(t)
	stored := b.keep("event-1", `{"a":1}`)
	if err := b.Receipts.Mark(context.Background(), stored, callback.UnknownChain, "why"); err != nil {
		t.Fatal(err)
	}
	id := b.get(b.key, "/v1/callbacks", "trouble=unknown_chain").want(t, http.StatusOK).data(t)[0]["id"].(string)
	if got := b.get(b.key, "/v1/callbacks/"+id, "").want(t, http.StatusOK); got.text("outcome") != "unknown_chain" || got.text("body") != `{"a":1}` {
		t.Errorf("%s", got.Body)
	}
	for range 2 { // pressed twice
		if r := b.post(b.key, "/v1/callbacks/"+id+"/reprocess", nil).want(t, http.StatusAccepted); r.text("id") != id {
			t.Errorf("%s", r.Body)
		}
	}
	for range 2 {
		out, err := b.Interpret.Client.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{QueueUrl: &b.Interpret.URL})
		if err != nil || len(out.Messages) != 1 {
			t.Fatalf("%d messages, %v", len(out.Messages), err)
		}
		var aside stream.Aside
		if err := json.Unmarshal([]byte(*out.Messages[0].Body), &aside); err != nil {
			t.Fatal(err)
		}
		if key := dynamo.StreamKey(aside.Record); key != (dynamo.Key{PK: stored.PK, SK: stored.SK}) {
			t.Errorf("%+v", aside)
		}
	}
}

func TestACallbackThatCannotBeReadAgain(t *testing.T) {
	b := hear(t)
	_, stranger := b.merchant2()
	_, reader := b.key2("callbacks:read")
	first, second := b.keep("event-1", "{}").View().ID, b.keep("event-1", `{"other":1}`).View().ID
	again := func(key, id string) reply { return b.post(key, "/v1/callbacks/"+id+"/reprocess", nil) }
	again(b.key, second).wantProblem(t, http.StatusConflict, "conflict")
	again(stranger, first).wantProblem(t, http.StatusNotFound, "not_found")
	b.get(stranger, "/v1/callbacks/"+first, "").wantProblem(t, http.StatusNotFound, "not_found")
	again(reader, first).wantProblem(t, http.StatusForbidden, "forbidden")
	again(operatorKey, first).want(t, http.StatusAccepted)
	for _, id := range []string{"cbk_", "x", first[:len(first)-4], strings.TrimPrefix(first, "cbk_"), "cbk_Y29uXzAx", "cbk_" + strings.Repeat("A", 2000)} {
		again(b.key, id).wantProblem(t, http.StatusNotFound, "not_found")
	}
	b.now = b.now.Add(2 * time.Hour)
	again(b.key, first).wantProblem(t, http.StatusNotFound, "not_found")
}

func (h *heard) merchant2() (id, key string) { return h.bench.merchant() }

// key2 is another key of the connection's merchant.
func (h *heard) key2(scope string) (id, key string) {
	h.t.Helper()
	return h.merchant, h.post(operatorKey, "/v1/merchants/"+h.merchant+"/keys", map[string]any{"name": "k", "scopes": []string{scope}}).want(h.t, http.StatusCreated).text("key")
}
