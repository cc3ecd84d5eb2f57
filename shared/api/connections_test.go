package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"farrier/shared/callback"
)

func TestAConnectionHasAnAddressOfItsOwnAndShowsItsSecretOnce(t *testing.T) {
	b := newBench(t)
	owner, key := b.merchant("connections:write")
	made := b.post(key, "/v1/connections", map[string]any{"provider": "standard-webhooks"}).want(t, http.StatusCreated)
	if made.text("merchant") != owner || !strings.HasPrefix(made.text("secret"), "whsec_") || made.text("trust") != "look" ||
		made.text("callback_url") != "https://api.example.com/callbacks/"+made.text("id") {
		t.Fatalf("%s", made.Body)
	}
	stored, err := b.Connections.Get(context.Background(), made.text("id"))
	if err != nil {
		t.Fatal(err)
	}
	keyring := &callback.Keyring{Sealer: b.Connections.Sealer, Now: time.Now}
	keys, err := keyring.Keys(context.Background(), stored)
	if err != nil || keys.Secrets[0] != made.text("secret") {
		t.Fatalf("%v, %v", keys.Secrets, err)
	}
}

func TestAConnectionWithTheProvidersOwnSecretDoesNotRepeatIt(t *testing.T) {
	b := newBench(t)
	owner, _ := b.merchant()
	const secret = "0123456789abcdef0123456789abcdef"
	r := b.post(operatorKey, "/v1/connections", map[string]any{
		"provider": "hmac", "merchant": owner, "secret": secret, "chain": "eip155:31337", "hmac": map[string]any{"header": "X-Signature", "encoding": "base64"},
	}).want(t, http.StatusCreated)
	if strings.Contains(r.Body, secret) || r.JSON["secret"] != nil {
		t.Fatalf("%s", r.Body)
	}
}

func TestWhereProvidersCallBackTo(t *testing.T) {
	b := newBench(t)
	_, key := b.merchant()
	for name, c := range map[string]struct {
		set  func()
		host string
		want string
	}{
		"the domain that was called, whatever Host says": {func() {}, "evil.example.com", "https://api.example.com/callbacks/"},
		"a domain of our own":                            {func() { b.PublicURL = "https://pay.example.org/" }, "x", "https://pay.example.org/callbacks/"},
		"the local run":                                  {func() { b.PublicURL, b.Local = "", true }, "127.0.0.1:8080", "http://127.0.0.1:8080/callbacks/"},
	} {
		b.PublicURL, b.Local = "", false
		c.set()
		r := b.post(key, "/v1/connections", map[string]any{"provider": "standard-webhooks"}, "host", c.host).want(t, http.StatusCreated)
		if !strings.HasPrefix(r.text("callback_url"), c.want) {
			t.Errorf("%s: %s", name, r.text("callback_url"))
		}
	}
}

// connect makes a connection of Standard Webhooks with a secret that is made.
func (b *bench) connect(key string) (path, secret string) {
	b.t.Helper()
	made := b.post(key, "/v1/connections", map[string]any{"provider": "standard-webhooks"}).want(b.t, http.StatusCreated)
	return "/v1/connections/" + made.text("id"), made.text("secret")
}

// secrets are the fingerprints that an answer shows, and when each ends.
func (r reply) secrets(t testing.TB) (fingerprints, ends []string) {
	t.Helper()
	var shown struct {
		Secrets []struct{ Fingerprint, Ends string } `json:"secrets"`
	}
	if err := json.Unmarshal([]byte(r.Body), &shown); err != nil {
		t.Fatal(err)
	}
	for _, s := range shown.Secrets {
		fingerprints, ends = append(fingerprints, s.Fingerprint), append(ends, s.Ends)
	}
	return fingerprints, ends
}

func TestASecretIsRotatedThroughTheAPI(t *testing.T) {
	b := newBench(t)
	_, key := b.merchant("connections:read", "connections:write")
	path, first := b.connect(key)
	changed := b.patch(key, path, map[string]any{"version": 1, "new_secret": true, "old_until": "2026-11-21T00:00:00Z"}).want(t, http.StatusOK)
	second := changed.text("secret")
	if !strings.HasPrefix(second, "whsec_") || second == first {
		t.Fatalf("%s", changed.Body)
	}
	read := b.get(key, path, "").want(t, http.StatusOK)
	fingerprints, ends := read.secrets(t)
	if len(fingerprints) != 2 || fmt.Sprint(ends) != "[2026-11-21T00:00:00Z ]" || read.JSON["version"] != 2.0 || read.JSON["enabled"] != true {
		t.Errorf("%s", read.Body)
	}
	for _, secret := range []string{first, second} {
		if strings.Contains(read.Body, secret) || strings.Contains(b.log.String(), secret) {
			t.Error("the secret is told again")
		}
	}
	removed := b.patch(key, path, map[string]any{"version": 2, "remove": []string{fingerprints[0]}}).want(t, http.StatusOK)
	if left, _ := removed.secrets(t); len(left) != 1 || left[0] != fingerprints[1] || removed.JSON["secret"] != nil {
		t.Errorf("%s", removed.Body)
	}
	b.patch(key, path, map[string]any{"version": 2, "enabled": false}).wantProblem(t, http.StatusConflict, "conflict")
	if r := b.patch(key, path, map[string]any{"version": 3, "remove": []string{fingerprints[0]}}).wantProblem(t, http.StatusUnprocessableEntity, "invalid"); r.fields()[0] != "remove[0]" {
		t.Errorf("%s", r.Body)
	}
}

func TestAChangeUnderAnIdempotencyKeyIsMadeOnce(t *testing.T) {
	b := newBench(t)
	_, key := b.merchant()
	path, _ := b.connect(key)
	body := map[string]any{"version": 1, "new_secret": true}
	first := b.patch(key, path, body, "idempotency-key", "rotate-1").want(t, http.StatusOK)
	again := b.patch(key, path, body, "idempotency-key", "rotate-1").want(t, http.StatusOK)
	if first.Body != again.Body || again.Headers["idempotency-replayed"] != "true" {
		t.Errorf("%s\n%s", first.Body, again.Body)
	}
	b.patch(key, path, map[string]any{"version": 2}, "idempotency-key", "rotate-1").wantProblem(t, http.StatusUnprocessableEntity, "key_reused")
	if fingerprints, _ := b.get(key, path, "").want(t, http.StatusOK).secrets(t); len(fingerprints) != 2 {
		t.Errorf("%v", fingerprints)
	}
}

func TestAConnectionsSettingsAreChangedAndCleared(t *testing.T) {
	b := newBench(t)
	owner, key := b.merchant()
	path := "/v1/connections/" + b.post(operatorKey, "/v1/connections", map[string]any{
		"provider": "hmac", "merchant": owner, "hmac": map[string]any{"header": "x-signature"}, "keep_days": 7, "sources": []string{"192.0.2.1"},
	}).want(t, http.StatusCreated).text("id")
	r := b.patch(key, path, map[string]any{
		"version": 1, "trust": "look", "enabled": false, "quiet_after": 600, "keep_days": 30, "chain": "eip155:31337",
		"sources": []string{"::ffff:192.0.2.7", "2001:db8::/32", "198.51.100.0/24"},
		"assets":  map[string]any{"USDT": map[string]any{"asset": asset, "decimals": 6}},
	}).want(t, http.StatusOK)
	if fmt.Sprint(r.JSON["sources"]) != "[192.0.2.7/32 2001:db8::/32 198.51.100.0/24]" || r.JSON["enabled"] != false || r.JSON["quiet_after"] != 600.0 ||
		r.JSON["keep_days"] != 30.0 || r.text("chain") != "eip155:31337" || r.JSON["hmac"] == nil || r.JSON["assets"] == nil {
		t.Errorf("%s", r.Body)
	}
	r = b.patch(operatorKey, path, map[string]any{"version": 2, "enabled": true, "clear": []string{"sources", "assets", "quiet_after"}}).want(t, http.StatusOK)
	if r.JSON["sources"] != nil || r.JSON["assets"] != nil || r.JSON["quiet_after"] != nil || r.JSON["enabled"] != true || r.text("chain") != "eip155:31337" {
		t.Errorf("%s", r.Body)
	}
	for field, body := range map[string]map[string]any{
		"clear[0]":    {"clear": []string{"merchant"}},
		"sources[1]":  {"sources": []string{"192.0.2.1", "192.0.2.1/24"}},
		"sources[0]":  {"sources": []string{"::ffff:192.0.2.0/120"}},
		"credentials": {"credentials": map[string]any{"api_key": "not for this provider"}},
	} {
		body["version"] = 3
		if r := b.patch(key, path, body).wantProblem(t, http.StatusUnprocessableEntity, "invalid"); r.fields()[0] != field {
			t.Errorf("%s: %s", field, r.Body)
		}
	}
}

func TestConnectionsAreListedToTheirMerchant(t *testing.T) {
	b := newBench(t)
	owner, key := b.merchant()
	_, stranger := b.merchant()
	var made []string
	for range 3 {
		path, _ := b.connect(key)
		made = append([]string{strings.TrimPrefix(path, "/v1/connections/")}, made...)
		b.now = b.now.Add(time.Second)
	}
	first := b.get(key, "/v1/connections", "limit=2").want(t, http.StatusOK)
	rest := b.get(operatorKey, "/v1/connections", "merchant="+owner+"&limit=2&cursor="+first.text("next")).want(t, http.StatusOK)
	var listed []string
	for _, c := range append(first.data(t), rest.data(t)...) {
		listed = append(listed, c["id"].(string))
		if c["callback_url"] != "https://api.example.com/callbacks/"+c["id"].(string) || c["secret"] != nil {
			t.Errorf("%v", c)
		}
	}
	if fmt.Sprint(listed) != fmt.Sprint(made) {
		t.Errorf("%v, want %v", listed, made)
	}
	if list := b.get(stranger, "/v1/connections", "").want(t, http.StatusOK).data(t); len(list) != 0 {
		t.Errorf("%v", list)
	}
	path := "/v1/connections/" + made[0]
	b.get(stranger, path, "").wantProblem(t, http.StatusNotFound, "not_found")
	b.patch(stranger, path, map[string]any{"version": 1}).wantProblem(t, http.StatusNotFound, "not_found")
	b.post(stranger, path+"/order-addresses", map[string]any{"order": "1"}).wantProblem(t, http.StatusNotFound, "not_found")
	b.get(operatorKey, path, "").want(t, http.StatusOK)
	b.get(key, "/v1/connections/con_"+exampleULID, "").wantProblem(t, http.StatusNotFound, "not_found")
}

func TestAnOrderHasAnAddressOfItsOwn(t *testing.T) {
	b := newBench(t)
	_, key := b.merchant("connections:write", "payments:write")
	made := b.post(key, "/v1/connections", map[string]any{"provider": "tokenpocket"}).want(t, http.StatusCreated)
	path := "/v1/connections/" + made.text("id") + "/order-addresses"
	first := b.post(key, path, map[string]any{"order": "order 7&8"}).want(t, http.StatusOK)
	address, err := url.Parse(first.text("callback_url"))
	if err != nil || !strings.HasPrefix(first.text("callback_url"), made.text("callback_url")+"?") || address.Query().Get("order") != "order 7&8" || first.text("order") != "order 7&8" {
		t.Fatalf("%s, %v", first.Body, err)
	}
	again := b.post(key, path, map[string]any{"order": "order 7&8"}).want(t, http.StatusOK)
	other := b.post(key, path, map[string]any{"order": "order 7&9"}).want(t, http.StatusOK)
	of := func(r reply) string { u, _ := url.Parse(r.text("callback_url")); return u.Query().Get("secret") }
	if of(first) == "" || of(first) != of(again) || of(first) == of(other) || strings.Contains(first.Body, made.text("secret")) {
		t.Errorf("%s\n%s\n%s", first.Body, again.Body, other.Body)
	}
	signed, _ := b.connect(key)
	b.post(key, signed+"/order-addresses", map[string]any{"order": "7"}).wantProblem(t, http.StatusUnprocessableEntity, "invalid")
}
