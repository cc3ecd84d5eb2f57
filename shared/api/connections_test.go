package api

import (
	"context"
	"net/http"
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

func TestWhatAProviderSentIsListed(t *testing.T) {
	b := newBench(t)
	_, key := b.merchant()
	made := b.post(key, "/v1/connections", map[string]any{"provider": "standard-webhooks"}).want(t, http.StatusCreated)
	connection, err := b.Connections.Get(context.Background(), made.text("id"))
	if err != nil {
		t.Fatal(err)
	}
	keep := func(event, body string) {
		t.Helper()
		d := callback.Delivery{Headers: callback.NewHeaders(map[string]string{"Content-Type": "application/json"}), Body: []byte(body), At: b.now}
		if _, err := b.Receipts.Keep(context.Background(), callback.NewReceipt(connection, event, d)); err != nil {
			t.Fatal(err)
		}
		b.now = b.now.Add(time.Second)
	}
	keep("event-1", `{"a":1}`)
	keep("event-2", `{"a":2}`)
	keep("event-1", `{"a":3}`) // a conflict

	ofConnection := "connection=" + connection.ID
	first := b.get(key, "/v1/callbacks", ofConnection+"&limit=2").want(t, http.StatusOK)
	rest := b.get(key, "/v1/callbacks", ofConnection+"&limit=2&cursor="+first.text("next")).want(t, http.StatusOK)
	if len(first.data(t)) != 2 || len(rest.data(t)) != 1 || rest.JSON["next"] != nil {
		t.Fatalf("%s\n%s", first.Body, rest.Body)
	}
	for name, query := range map[string]string{
		"of the connection": ofConnection + "&trouble=conflict",
		"of the merchant":   "trouble=conflict",
	} {
		if list := b.get(key, "/v1/callbacks", query).want(t, http.StatusOK).data(t); len(list) != 1 || list[0]["outcome"] != "conflict" || list[0]["event"] != "event-1" {
			t.Errorf("%s: %v", name, list)
		}
	}
	if list := b.get(operatorKey, "/v1/callbacks", ofConnection).want(t, http.StatusOK).data(t); len(list) != 3 {
		t.Errorf("the operator sees %d", len(list))
	}
	b.get(key, "/v1/callbacks", "").wantProblem(t, http.StatusUnprocessableEntity, "invalid")
	if r := b.get(operatorKey, "/v1/callbacks", "trouble=conflict").wantProblem(t, http.StatusUnprocessableEntity, "invalid"); r.fields()[0] != "merchant" {
		t.Errorf("%s", r.Body)
	}
}
