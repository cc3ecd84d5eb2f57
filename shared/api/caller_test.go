package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/callback"
	"farrier/shared/merchant"
)

// each calls f for every operation of the document.
func each(a *API, f func(path string, op *huma.Operation)) {
	for path, item := range a.document.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				f(path, op)
			}
		}
	}
}

func scopeOf(op *huma.Operation) string {
	if len(op.Security) == 0 {
		return ""
	}
	return op.Security[0]["key"][0]
}

func filled(path string) string {
	return strings.NewReplacer("{id}", "x", "{key}", "x", "{address}", "x").Replace(path)
}

func TestWithoutAKeyNothingButHealthPublicKeysEventTypesAndTheDocumentIsAnswered(t *testing.T) {
	b := newBench(t)
	_, key := b.merchant()
	each(b.API, func(path string, op *huma.Operation) {
		if scopeOf(op) == "" {
			if !slices.Contains([]string{"health", "get-webhook-keys", "list-event-types", "get-event-type"}, op.OperationID) {
				t.Errorf("%s %s takes no key", op.Method, path)
			}
			return
		}
		for name, authorization := range map[string]string{
			"none": "", "not a key": "Bearer hello", "no scheme": key, "another scheme": "Basic " + key, "a wrong secret": "Bearer " + key[:57] + strings.Repeat("A", 43),
			"twice": "Bearer " + key + ",Bearer " + key, "empty": "Bearer ", "the operator's, cut short": "Bearer " + operatorKey[1:],
		} {
			// The body is no JSON: who calls is decided before it is looked at.
			r := b.do(call{method: op.Method, path: filled(path), headers: map[string]string{"authorization": authorization}, body: []byte("{")})
			r.wantProblem(t, http.StatusUnauthorized, "unauthorized")
			if r.Headers["www-authenticate"] != "Bearer" {
				t.Errorf("%s: %v", name, r.Headers)
			}
		}
	})
	b.get("", "/v1/health", "").want(t, http.StatusOK)
	b.get("", "/openapi.json", "").want(t, http.StatusOK)
}

func TestAKeyWithEveryOtherScopeIsNotEnough(t *testing.T) {
	b := newBench(t)
	owner, all := b.merchant()
	each(b.API, func(path string, op *huma.Operation) {
		scope := scopeOf(op)
		if scope == "" {
			return
		}
		key := all // which is not the operator's
		if merchant.Scope(scope).OfMerchant() {
			var others []string
			for _, s := range merchant.Grantable {
				if string(s) != scope && s != merchant.Everything {
					others = append(others, string(s))
				}
			}
			key = b.post(operatorKey, "/v1/merchants/"+owner+"/keys", map[string]any{"name": "k", "scopes": others}).want(t, http.StatusCreated).text("key")
		}
		r := b.do(call{method: op.Method, path: filled(path), key: key, body: []byte("{")}).wantProblem(t, http.StatusForbidden, "forbidden")
		if !strings.Contains(r.text("detail"), scope) {
			t.Errorf("%s %s: %s", op.Method, path, r.Body)
		}
	})
}

// TestHistoryIsSentToNoOneWhoMayNotReadIt: a new endpoint would get it all by a replay.
func TestHistoryIsSentToNoOneWhoMayNotReadIt(t *testing.T) {
	b := newBench(t)
	owner, all := b.merchant()
	one := "/v1/webhook-endpoints/" + b.post(all, "/v1/webhook-endpoints", hook).want(t, http.StatusCreated).text("id")
	writes := b.post(operatorKey, "/v1/merchants/"+owner+"/keys", map[string]any{"name": "k", "scopes": []string{"webhooks:write"}}).want(t, http.StatusCreated).text("key")
	for path, body := range map[string]map[string]any{
		"/recover": lastHour, "/replay": {"from": "2026-11-20T10:00:00Z", "until": "2026-11-20T11:00:00Z"},
	} {
		if r := b.post(writes, one+path, body).wantProblem(t, http.StatusForbidden, "forbidden"); !strings.Contains(r.text("detail"), "events:read") {
			t.Errorf("%s: %s", path, r.Body)
		}
	}
	b.post(writes, one+"/disable", nil).want(t, http.StatusOK)
}

// TestAWebhookIsRefusedWhateverKeyItBrings: an endpoint may point here with a key among its own headers.
func TestAWebhookIsRefusedWhateverKeyItBrings(t *testing.T) {
	b := newBench(t)
	_, key := b.merchant()
	each(b.API, func(path string, op *huma.Operation) {
		if scopeOf(op) == "" {
			return
		}
		for _, header := range []string{"webhook-id", "webhook-signature", "Webhook-Id"} {
			for _, by := range []string{key, operatorKey} {
				b.do(call{method: op.Method, path: filled(path), key: by, headers: map[string]string{header: ""}, body: []byte("{}")}).wantProblem(t, http.StatusForbidden, "forbidden")
			}
		}
	})
	b.do(call{method: http.MethodGet, path: "/v1/health", headers: map[string]string{"webhook-id": "evt_1"}}).want(t, http.StatusOK)
}

func TestEveryScopeOfTheDocumentCanBeGranted(t *testing.T) {
	a := unwired()
	a.build.Do(a.routes)
	used := []string{"*", "merchants:write"}
	each(a, func(_ string, op *huma.Operation) { used = append(used, scopeOf(op)) })
	for _, s := range merchant.Grantable {
		if !slices.Contains(used, string(s)) {
			t.Errorf("no operation needs %s", s)
		}
	}
	for _, s := range used {
		if s != "" && s != "*" && !(merchant.Caller{Operator: true}).May(merchant.Scope(s)) && !(merchant.Caller{Approver: "apr_1"}).May(merchant.Scope(s)) {
			t.Errorf("no key can have %s", s)
		}
	}
	offered := a.operations["issue-key"].RequestBody.Content["application/json"].Schema
	scopes := a.document.Components.Schemas.SchemaFromRef(offered.Ref).Properties["scopes"].Items.Enum
	if len(scopes) != len(merchant.Grantable) {
		t.Errorf("the document offers %v", scopes)
	}
}

// TestAnotherMerchantsObjectDoesNotExist makes one of each thing and asks for it with another's key.
func TestAnotherMerchantsObjectDoesNotExist(t *testing.T) {
	b := newBench(t)
	owner, key := b.merchant()
	other, otherKey := b.merchant()
	payment := b.post(key, "/v1/payments", order).want(t, http.StatusCreated).text("id")
	endpoint := b.post(key, "/v1/webhook-endpoints", hook).want(t, http.StatusCreated).text("id")
	connection := b.post(key, "/v1/connections", map[string]any{"provider": "standard-webhooks"}).want(t, http.StatusCreated).text("id")
	told := b.post(key, "/v1/webhook-endpoints/"+endpoint+"/test", nil).want(t, http.StatusAccepted).text("id")
	begun := b.task(key, endpoint)
	delivery := "dlv_" + told[4:] + "_" + endpoint[3:]
	kept := callback.NewReceipt(callback.Connection{ID: connection, Merchant: owner}, "evt-1", callback.Delivery{At: b.now})
	if _, err := b.Receipts.Keep(context.Background(), kept); err != nil {
		t.Fatal(err)
	}
	receipt := kept.View().ID
	for _, c := range []call{
		{method: http.MethodGet, path: "/v1/payments/" + payment},
		{method: http.MethodGet, path: "/v1/webhook-endpoints/" + endpoint},
		{method: http.MethodPatch, path: "/v1/webhook-endpoints/" + endpoint, body: []byte(`{"events":["*"]}`)},
		{method: http.MethodDelete, path: "/v1/webhook-endpoints/" + endpoint},
		{method: http.MethodPost, path: "/v1/webhook-endpoints/" + endpoint + "/rotate"},
		{method: http.MethodPost, path: "/v1/webhook-endpoints/" + endpoint + "/test"},
		{method: http.MethodPost, path: "/v1/webhook-endpoints/" + endpoint + "/disable"},
		{method: http.MethodPost, path: "/v1/webhook-endpoints/" + endpoint + "/enable"},
		{method: http.MethodGet, path: "/v1/callbacks", query: "connection=" + connection},
		{method: http.MethodGet, path: "/v1/callbacks", query: "trouble=conflict&connection=" + connection},
		{method: http.MethodGet, path: "/v1/connections/" + connection},
		{method: http.MethodPatch, path: "/v1/connections/" + connection, body: []byte(`{"version":1,"enabled":false}`)},
		{method: http.MethodPost, path: "/v1/connections/" + connection + "/order-addresses", body: []byte(`{"order":"1"}`)},
		{method: http.MethodGet, path: "/v1/callbacks/" + receipt},
		{method: http.MethodPost, path: "/v1/callbacks/" + receipt + "/reprocess"},
		{method: http.MethodGet, path: "/v1/events/" + told},
		{method: http.MethodGet, path: "/v1/events/" + told + "/deliveries"},
		{method: http.MethodPost, path: "/v1/deliveries/" + delivery + "/resend"},
		{method: http.MethodPost, path: "/v1/webhook-endpoints/" + endpoint + "/recover", body: encode(t, lastHour)},
		{method: http.MethodPost, path: "/v1/webhook-endpoints/" + endpoint + "/replay", body: encode(t, fullBodies["replay-webhook-endpoint"])},
		{method: http.MethodGet, path: "/v1/tasks/" + begun},
		{method: http.MethodPatch, path: "/v1/tasks/" + begun, body: []byte(`{"rate":1}`)},
		{method: http.MethodPost, path: "/v1/tasks/" + begun + "/pause"},
		{method: http.MethodPost, path: "/v1/tasks/" + begun + "/resume"},
		{method: http.MethodPost, path: "/v1/tasks/" + begun + "/cancel"},
	} {
		c.key = otherKey
		b.do(c).wantProblem(t, http.StatusNotFound, "not_found")
		c.key, c.query = operatorKey, strings.TrimPrefix(c.query+"&merchant="+other, "&")
		b.do(c).wantProblem(t, http.StatusNotFound, "not_found")
	}
	if list := b.get(otherKey, "/v1/deposits", "payment="+payment).want(t, http.StatusOK).data(t); len(list) != 0 {
		t.Errorf("%v", list)
	}

	// A cursor leads nobody into another's list.
	b.post(key, "/v1/payments", order).want(t, http.StatusCreated)
	cursor := b.get(key, "/v1/payments", "limit=1").want(t, http.StatusOK).text("next")
	if r := b.get(otherKey, "/v1/payments", "limit=1&cursor="+cursor).wantProblem(t, http.StatusUnprocessableEntity, "invalid"); r.fields()[0] != "cursor" {
		t.Errorf("%s", r.Body)
	}

	// Naming a merchant that exists and one that does not get the same answer.
	var answers []string
	for _, named := range []string{owner, "mer_" + exampleULID} {
		answers = append(answers, b.get(otherKey, "/v1/payments", "merchant="+named).wantProblem(t, http.StatusForbidden, "forbidden").Body)
		answers = append(answers, b.post(otherKey, "/v1/webhook-endpoints", map[string]any{"merchant": named, "url": hook["url"], "events": hook["events"]}).wantProblem(t, http.StatusForbidden, "forbidden").Body)
	}
	if answers[0] != answers[2] || answers[1] != answers[3] {
		t.Errorf("%v", answers)
	}
	b.get(key, "/v1/payments", "merchant="+owner).want(t, http.StatusOK) // its own name is no offence
}
