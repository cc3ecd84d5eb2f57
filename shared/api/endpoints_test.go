package api

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"farrier/shared/event"
	"farrier/shared/webhook"
)

var hook = map[string]any{"url": "https://shop.example.com/hooks", "events": []string{"payment.*"}}

func TestAnEndpointsLife(t *testing.T) {
	b := newBench(t)
	_, key := b.merchant("webhooks:read", "webhooks:write")
	made := b.post(key, "/v1/webhook-endpoints", hook).want(t, http.StatusCreated)
	if !strings.HasPrefix(made.text("secret"), "whsec_") || made.JSON["enabled"] != true {
		t.Fatalf("%s", made.Body)
	}
	one := "/v1/webhook-endpoints/" + made.text("id")
	for _, path := range []string{one, "/v1/webhook-endpoints"} {
		if r := b.get(key, path, "").want(t, http.StatusOK); !strings.Contains(r.Body, made.text("id")) || strings.Contains(r.Body, "whsec_") {
			t.Fatalf("%s: %s", path, r.Body)
		}
	}
	changed := b.patch(key, one, map[string]any{"events": []string{"payment.paid", "deposit.*"}}).want(t, http.StatusOK)
	if changed.text("url") != hook["url"] || len(changed.JSON["events"].([]any)) != 2 {
		t.Fatalf("%s", changed.Body)
	}
	rotated := b.post(key, one+"/rotate", nil).want(t, http.StatusOK)
	if rotated.text("secret") == made.text("secret") || !strings.HasPrefix(rotated.text("secret"), "whsec_") {
		t.Fatalf("%s", rotated.Body)
	}
	if r := b.post(key, one+"/disable", nil).want(t, http.StatusOK); r.JSON["enabled"] != false {
		t.Fatalf("%s", r.Body)
	}
	b.post(key, one+"/test", nil).wantProblem(t, http.StatusConflict, "conflict")
	if r := b.post(key, one+"/enable", nil).want(t, http.StatusOK); r.JSON["enabled"] != true {
		t.Fatalf("%s", r.Body)
	}
	b.do(call{method: http.MethodDelete, path: one, key: key}).want(t, http.StatusNoContent)
	b.get(key, one, "").wantProblem(t, http.StatusNotFound, "not_found")
}

func TestAnEndpointHasEverySettingAndWhatIsLeftOutOfAChangeStays(t *testing.T) {
	b := newBench(t)
	_, key := b.merchant()
	made := b.post(key, "/v1/webhook-endpoints", withSettings(map[string]any{})).want(t, http.StatusCreated)
	one := "/v1/webhook-endpoints/" + made.text("id")
	asSet := map[string]any{
		"fallback_urls": []any{"https://spare.example.com/hooks"}, "where": map[string]any{"assets": []any{asset}, "metadata": map[string]any{"customer": "c-77"}},
		"payload": "thin", "ordered": true, "timeout": 20.0, "schedule": []any{0.0, 60.0}, "limit": 10.0, "signing": "both", "headers": map[string]any{"Customer": "********"},
	}
	same := func(r reply, want map[string]any) {
		t.Helper()
		for name, value := range want {
			if !reflect.DeepEqual(r.JSON[name], value) {
				t.Errorf("%s is %v, want %v", name, r.JSON[name], value)
			}
		}
	}
	same(made, asSet)
	if c, _ := made.JSON["client_certificate"].(map[string]any); c["subject"] != "CN=farrier.example.com" || len(c["fingerprint"].(string)) != 64 || strings.Contains(made.Body, "PRIVATE") {
		t.Errorf("%s", made.Body)
	}
	same(b.patch(key, one, map[string]any{"events": []string{"*"}}).want(t, http.StatusOK), asSet)
	asUsual := b.patch(key, one, map[string]any{
		"fallback_urls": []string{}, "where": map[string]any{}, "payload": "full", "ordered": false, "timeout": 15, "schedule": nil, "limit": nil,
		"signing": "v1", "headers": map[string]any{}, "client_certificate": nil,
	}).want(t, http.StatusOK)
	same(asUsual, map[string]any{
		"fallback_urls": nil, "where": nil, "payload": "full", "ordered": false, "timeout": 15.0, "limit": nil, "signing": "v1", "headers": nil, "client_certificate": nil, "public_keys": nil,
		"schedule": []any{0.0, 5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 50400.0, 72000.0, 86400.0},
	})
	plain := b.post(key, "/v1/webhook-endpoints", hook).want(t, http.StatusCreated)
	for _, name := range []string{"payload", "ordered", "timeout", "limit", "signing", "schedule"} {
		same(plain, map[string]any{name: asUsual.JSON[name]})
	}
}

func TestThePublicKeysOfAnEndpointAreOpenToItsReceiverAndNothingElseIsToldOfIt(t *testing.T) {
	b := newBench(t)
	owner, key := b.merchant()
	made := b.post(key, "/v1/webhook-endpoints", map[string]any{"url": hook["url"], "events": hook["events"], "signing": "v1a"}).want(t, http.StatusCreated)
	one := "/v1/webhook-endpoints/" + made.text("id")
	keysOf := func(view any) (names []string) {
		list, _ := view.([]any)
		for _, k := range list {
			names = append(names, k.(map[string]any)["public_key"].(string))
		}
		return names
	}
	first := keysOf(made.JSON["public_keys"])
	open := "/v1/webhook-keys/" + owner + "/" + made.text("id")
	r := b.get("", open, "").want(t, http.StatusOK)
	if !slices.Equal(keysOf(r.JSON["keys"]), first) || len(first) != 1 || !strings.HasPrefix(first[0], "whpk_") || r.Headers["cache-control"] != "public, max-age=60" || len(r.JSON) != 1 {
		t.Fatalf("%v %s", r.Headers, r.Body)
	}
	rotated := b.post(key, one+"/rotate", map[string]any{"overlap": 600}).want(t, http.StatusOK)
	both := keysOf(rotated.JSON["public_keys"])
	if r = b.get("", open, "").want(t, http.StatusOK); len(both) != 2 || both[1] != first[0] || !slices.Equal(keysOf(r.JSON["keys"]), both) || !strings.Contains(r.Body, `"until":"2026-11-20T12:10:00Z"`) {
		t.Fatalf("%s", r.Body)
	}
	if now := keysOf(b.post(key, one+"/rotate", map[string]any{"overlap": 0}).want(t, http.StatusOK).JSON["public_keys"]); len(now) != 1 || slices.Contains(both, now[0]) {
		t.Fatalf("%v after %v", now, both)
	}
	b.patch(key, one, map[string]any{"signing": "v1"}).want(t, http.StatusOK)
	other := b.post(key, "/v1/webhook-endpoints", hook).want(t, http.StatusCreated).text("id")
	var said string
	for _, path := range []string{open, "/v1/webhook-keys/" + owner + "/" + other, "/v1/webhook-keys/mer_" + exampleULID + "/" + other, "/v1/webhook-keys/x/x", "/v1/webhook-keys/" + owner + "/%00"} {
		r := b.get("", path, "")
		r.wantProblem(t, http.StatusNotFound, "not_found")
		if said == "" {
			said = r.Body
		}
		if r.Body != said || r.Headers["cache-control"] != "no-store" {
			t.Errorf("%s: %v %s", path, r.Headers, r.Body)
		}
	}
}

func TestAllThatIsWrongIsNamedAtOnce(t *testing.T) {
	b := newBench(t)
	_, key := b.merchant()
	r := b.post(key, "/v1/webhook-endpoints", map[string]any{"url": "https://127.0.0.1/", "events": []string{"payment.unheard"}}).wantProblem(t, http.StatusUnprocessableEntity, "invalid")
	if got := strings.Join(r.fields(), " "); got != "url events[0]" {
		t.Fatalf("%s", r.Body)
	}
}

func TestAnEndpointCannotBeThisAPI(t *testing.T) {
	b := newBench(t)
	_, key := b.merchant()
	good := b.post(key, "/v1/webhook-endpoints", hook).want(t, http.StatusCreated).text("id")
	b.PublicURL = "https://pay.example.org"
	for _, own := range []string{"https://api.example.com/v1/wallet-batches", "https://pay.example.org/callbacks/con_" + exampleULID} {
		for field, refused := range map[string]reply{
			"url":              b.post(key, "/v1/webhook-endpoints", map[string]any{"url": own, "events": hook["events"]}),
			"url ":             b.patch(key, "/v1/webhook-endpoints/"+good, map[string]any{"url": own}),
			"fallback_urls[0]": b.patch(key, "/v1/webhook-endpoints/"+good, map[string]any{"fallback_urls": []string{own}}),
		} {
			refused.wantProblem(t, http.StatusUnprocessableEntity, "invalid")
			if got := strings.Join(refused.fields(), " "); got != strings.TrimSpace(field) || !strings.Contains(refused.Body, "address of this API") {
				t.Errorf("%s at %s: %s", field, own, refused.Body)
			}
		}
	}
}

func TestATestEventIsRecordedListedAndSent(t *testing.T) {
	b := newBench(t)
	_, key := b.merchant()
	endpoint := b.post(key, "/v1/webhook-endpoints", hook).want(t, http.StatusCreated).text("id")
	sent := b.post(key, "/v1/webhook-endpoints/"+endpoint+"/test", nil).want(t, http.StatusAccepted)
	if sent.text("type") != "endpoint.test" || sent.JSON["data"] == nil {
		t.Fatalf("%s", sent.Body)
	}
	got := b.get(key, "/v1/events/"+sent.text("id"), "").want(t, http.StatusOK)
	if list := b.get(key, "/v1/events", "").want(t, http.StatusOK).data(t); len(list) != 1 || list[0]["id"] != got.text("id") {
		t.Fatalf("%v", list)
	}
	if list := b.get(key, "/v1/events/"+sent.text("id")+"/deliveries", "").want(t, http.StatusOK).data(t); len(list) != 0 {
		t.Fatalf("%v", list) // it has not been tried yet
	}
	jobs := b.Sender.Jobs
	out, err := jobs.Client.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{QueueUrl: &jobs.URL, WaitTimeSeconds: 5})
	if err != nil || len(out.Messages) != 1 || !strings.Contains(*out.Messages[0].Body, sent.text("id")) {
		t.Fatalf("%+v, %v", out, err)
	}
}

func TestADeliveryIsListedAndSentAgain(t *testing.T) {
	b := newBench(t)
	owner, key := b.merchant()
	endpoint := b.post(key, "/v1/webhook-endpoints", hook).want(t, http.StatusCreated).text("id")
	told, err := event.New(event.Event{Merchant: owner, ID: "evt_" + exampleULID, Type: event.PaymentPaid, CreatedAt: b.now, Object: "pay_" + exampleULID, Version: 2}, map[string]string{"id": "pay_" + exampleULID})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Events.Record(context.Background(), told); err != nil {
		t.Fatal(err)
	}
	failed := webhook.Delivery{Event: told.ID, Endpoint: endpoint, Merchant: owner, Status: webhook.Failed, Reason: webhook.Exhausted, Made: 1,
		Attempts: []webhook.Attempt{{N: 1, At: b.now, Status: 500, Millis: 12, Answer: "oops", Error: "500"}}, UpdatedAt: b.now, Version: 1}
	if err := b.Deliveries.Table.Create(context.Background(), failed); err != nil {
		t.Fatal(err)
	}
	list := b.get(key, "/v1/events/"+told.ID+"/deliveries", "").want(t, http.StatusOK).data(t)
	if len(list) != 1 || list[0]["status"] != "failed" || list[0]["id"] != failed.ID() {
		t.Fatalf("%v", list)
	}
	b.now = b.now.Add(time.Hour)
	again := b.post(key, "/v1/deliveries/"+failed.ID()+"/resend", nil).want(t, http.StatusAccepted)
	if again.text("status") != "pending" || again.text("event") != told.ID {
		t.Fatalf("%s", again.Body)
	}
}
