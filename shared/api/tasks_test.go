package api

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"farrier/shared/event"
	"farrier/shared/id"
	"farrier/shared/parts"
	"farrier/shared/queue"
	"farrier/shared/webhook"
)

// lastHour is the hour before a bench's now.
var lastHour = map[string]any{"since": "2026-11-20T11:00:00Z"}

// task begins one for an endpoint.
func (b *bench) task(key, endpoint string) string {
	b.t.Helper()
	begun := b.post(key, "/v1/webhook-endpoints/"+endpoint+"/recover", lastHour).want(b.t, http.StatusAccepted)
	return begun.JSON["task"].(map[string]any)["id"].(string)
}

func TestARecoverIsForetoldBegunPausedAndEnded(t *testing.T) {
	b := newBench(t)
	owner, key := b.merchant("webhooks:read", "webhooks:write", "events:read")
	one := "/v1/webhook-endpoints/" + b.post(key, "/v1/webhook-endpoints", hook).want(t, http.StatusCreated).text("id")
	for i, kind := range []event.Type{event.PaymentPaid, event.DepositFinal} {
		at := b.now.Add(-time.Duration(30+i) * time.Minute)
		told, err := event.New(event.Event{Merchant: owner, ID: id.Derived("evt", at, string(kind)), Type: kind, CreatedAt: at, Object: "pay_" + exampleULID, Version: 2}, map[string]string{})
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Events.Record(context.Background(), told); err != nil {
			t.Fatal(err)
		}
	}
	dry := b.post(key, one+"/recover", map[string]any{"since": "2026-11-20T11:00:00Z", "dry_run": true}).want(t, http.StatusAccepted)
	if f, _ := dry.JSON["dry_run"].(map[string]any); f["would_send"] != 1.0 || f["complete"] != true || f["skipped"].(map[string]any)["not_chosen"] != 1.0 || dry.JSON["task"] != nil {
		t.Fatalf("%s", dry.Body)
	}
	if list := b.get(key, "/v1/tasks", "").want(t, http.StatusOK).data(t); len(list) != 0 {
		t.Fatalf("a dry run has begun something: %v", list)
	}
	name := b.task(key, one[strings.LastIndex(one, "/")+1:])
	if twice := b.task(key, one[strings.LastIndex(one, "/")+1:]); twice != name {
		t.Fatalf("pressed twice: %s and %s", name, twice)
	}
	if r := b.post(key, one+"/recover", map[string]any{"since": "2026-11-20T10:00:00Z"}).wantProblem(t, http.StatusConflict, "conflict"); !strings.Contains(r.text("detail"), name) {
		t.Fatalf("%s", r.Body)
	}
	path := "/v1/tasks/" + name
	for _, step := range []struct{ verb, state string }{{"pause", "paused"}, {"resume", "running"}, {"cancel", "cancelled"}, {"cancel", "cancelled"}} {
		if r := b.post(key, path+"/"+step.verb, nil).want(t, http.StatusOK); r.text("state") != step.state {
			t.Fatalf("%s: %s", step.verb, r.Body)
		}
		if step.verb == "pause" {
			if r := b.patch(key, path, map[string]any{"rate": 7}).want(t, http.StatusOK); r.JSON["rate"] != 7.0 {
				t.Fatalf("%s", r.Body)
			}
		}
	}
	b.post(key, path+"/resume", nil).wantProblem(t, http.StatusConflict, "conflict")
	b.patch(key, path, map[string]any{"rate": 8}).wantProblem(t, http.StatusConflict, "conflict")
	got := b.get(key, path, "").want(t, http.StatusOK)
	if terms, _ := got.JSON["terms"].(map[string]any); got.text("kind") != "recover" || terms["since"] != "2026-11-20T11:00:00Z" || got.JSON["rate"] != 7.0 {
		t.Fatalf("%s", got.Body)
	}
	if list := b.get(key, "/v1/tasks", "").want(t, http.StatusOK).data(t); len(list) != 1 || list[0]["id"] != name {
		t.Fatalf("%v", list)
	}
}

func TestARecoverUnderAnIdempotencyKeyIsBegunOnce(t *testing.T) {
	b := newBench(t)
	_, key := b.merchant()
	one := "/v1/webhook-endpoints/" + b.post(key, "/v1/webhook-endpoints", hook).want(t, http.StatusCreated).text("id")
	c := call{method: http.MethodPost, path: one + "/recover", key: key, body: encode(t, lastHour), headers: map[string]string{"idempotency-key": "recover-1"}}
	first := b.do(c).want(t, http.StatusAccepted)
	name := first.JSON["task"].(map[string]any)["id"].(string)
	b.post(key, "/v1/tasks/"+name+"/cancel", nil).want(t, http.StatusOK)
	if again := b.do(c).want(t, http.StatusAccepted); again.Body != first.Body {
		t.Errorf("%s\n%s", first.Body, again.Body)
	}
	if list := b.get(key, "/v1/tasks", "").want(t, http.StatusOK).data(t); len(list) != 1 {
		t.Errorf("%v", list)
	}
}

func TestAnEndpointThatWasDisabledOffersWhatItMissed(t *testing.T) {
	b := newBench(t)
	_, key := b.merchant()
	one := "/v1/webhook-endpoints/" + b.post(key, "/v1/webhook-endpoints", hook).want(t, http.StatusCreated).text("id")
	if r := b.post(key, one+"/recover", nil).wantProblem(t, http.StatusUnprocessableEntity, "invalid"); r.fields()[0] != "since" {
		t.Fatalf("%s", r.Body)
	}
	b.now = b.now.Add(time.Hour)
	b.post(key, one+"/disable", nil).want(t, http.StatusOK)
	b.post(key, one+"/recover", nil).wantProblem(t, http.StatusConflict, "conflict")
	b.post(key, one+"/replay", map[string]any{"from": "2026-11-20T10:00:00Z", "until": "2026-11-20T11:00:00Z"}).wantProblem(t, http.StatusConflict, "conflict")
	b.now = b.now.Add(time.Hour)
	missed := b.post(key, one+"/enable", nil).want(t, http.StatusOK).text("missed_since")
	if missed != "2026-11-20T12:00:00Z" { // it is no older than the endpoint
		t.Fatalf("missed since %s", missed)
	}
	begun := b.post(key, one+"/recover", nil).want(t, http.StatusAccepted)
	if terms := begun.JSON["task"].(map[string]any)["terms"].(map[string]any); terms["since"] != missed {
		t.Errorf("%s", begun.Body)
	}
}

func TestAReplayPressedAgainIsTheSameAndARoundIsAnother(t *testing.T) {
	b := newBench(t)
	_, key := b.merchant()
	one := "/v1/webhook-endpoints/" + b.post(key, "/v1/webhook-endpoints", hook).want(t, http.StatusCreated).text("id")
	body := map[string]any{"from": "2026-11-20T10:00:00Z", "until": "2026-11-20T11:00:00Z"}
	first := b.post(key, one+"/replay", body).want(t, http.StatusAccepted).JSON["task"].(map[string]any)
	b.post(key, "/v1/tasks/"+first["id"].(string)+"/cancel", nil).want(t, http.StatusOK)
	if again := b.post(key, one+"/replay", body).want(t, http.StatusAccepted).JSON["task"].(map[string]any); again["id"] == first["id"] || again["state"] != "running" || again["terms"].(map[string]any)["round"] != 2.0 {
		t.Errorf("one that was cancelled stands in the way: %v", again)
	} else if twice := b.post(key, one+"/replay", body).want(t, http.StatusAccepted).JSON["task"].(map[string]any); twice["id"] != again["id"] {
		t.Errorf("%v", twice)
	} else {
		b.post(key, "/v1/tasks/"+again["id"].(string)+"/cancel", nil).want(t, http.StatusOK)
	}
	body["round"] = 3
	if second := b.post(key, one+"/replay", body).want(t, http.StatusAccepted).JSON["task"].(map[string]any); second["id"] == first["id"] || second["state"] != "running" {
		t.Errorf("%v", second)
	}
	for field, body := range map[string]map[string]any{
		"from":     {"from": "2026-11-20T13:00:00Z", "until": "2026-11-20T14:00:00Z"},
		"until":    {"from": "2026-11-20T11:00:00Z", "until": "2026-11-20T10:00:00Z"},
		"types[1]": {"from": "2026-11-20T10:00:00Z", "until": "2026-11-20T11:00:00Z", "types": []string{"payment.paid", "payment.unheard"}},
	} {
		if r := b.post(key, one+"/replay", body).wantProblem(t, http.StatusUnprocessableEntity, "invalid"); r.fields()[0] != field {
			t.Errorf("%s: %s", field, r.Body)
		}
	}
}

func TestTheOperatorLooksAtDeadLettersAndPutsThemBack(t *testing.T) {
	b := newBench(t)
	_, key := b.merchant()
	dead := parts.Queue(t)
	b.Replays.Letters.Dead = dead
	letter := webhook.Letter{Job: webhook.Job{Merchant: "mer_" + exampleULID, Event: "evt_" + exampleULID, Endpoint: "ep_" + exampleULID, Attempt: 10}, Reason: webhook.Exhausted}
	if err := dead.Send(context.Background(), queue.Message{Body: letter}); err != nil {
		t.Fatal(err)
	}
	pile := b.get(operatorKey, "/v1/dead-letters", "").want(t, http.StatusOK)
	if pile.JSON["about"] != 1.0 || pile.text("oldest_seen_at") == "" || strings.Contains(pile.Body, exampleULID) {
		t.Fatalf("%s", pile.Body)
	}
	time.Sleep(1100 * time.Millisecond) // it is back
	if dry := b.post(operatorKey, "/v1/dead-letters/redrive", map[string]any{"dry_run": true}).want(t, http.StatusAccepted); dry.JSON["dry_run"].(map[string]any)["about"] != 1.0 || dry.JSON["task"] != nil {
		t.Fatalf("%s", dry.Body)
	}
	begun := b.post(operatorKey, "/v1/dead-letters/redrive", nil).want(t, http.StatusAccepted).JSON["task"].(map[string]any)
	if list := b.get(operatorKey, "/v1/tasks", "").want(t, http.StatusOK).data(t); len(list) != 1 || list[0]["id"] != begun["id"] || list[0]["kind"] != "redrive" {
		t.Fatalf("%v", list)
	}
	b.get(key, "/v1/tasks/"+begun["id"].(string), "").wantProblem(t, http.StatusNotFound, "not_found")
	if begun["state"] != "running" {
		t.Errorf("%v", begun)
	}
}
