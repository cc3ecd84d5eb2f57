package webhook

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"farrier/shared/event"
	"farrier/shared/parts"
)

// received is a webhook as it came, with the key that it is to be judged by.
type received struct {
	Key     string            `json:"key"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

// verdicts asks a program of testdata which webhooks are to be believed.
func verdicts(t *testing.T, program string, webhooks []received) (list []bool) {
	t.Helper()
	parts.Judge(t, program, "standardwebhooks", webhooks, &list)
	if len(list) != len(webhooks) {
		t.Fatalf("%s judges %d webhooks of %d", program, len(list), len(webhooks))
	}
	return list
}

// The judges are standardwebhooks of npm and of PyPI for v1, Node's crypto and Python's cryptography for v1a.
func TestConformanceJudgesOfOtherLanguagesBelieveOurSignaturesWhileKeysAreRotatedAndNothingThatWasChanged(t *testing.T) {
	e, ctx := newEndpoints(t), context.Background()
	var got received
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = received{Body: string(body), Headers: map[string]string{}}
		for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
			got.Headers[name] = r.Header.Get(name)
		}
	}))
	defer server.Close()
	e.Local = true
	asked := wanted
	asked.URL, asked.Signing = server.URL, ByBoth
	one, oldSecret, err := e.Create(ctx, asked)
	if err != nil {
		t.Fatal(err)
	}
	one, newSecret, err := e.Rotate(ctx, one.Merchant, one.ID, time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	told, err := event.New(event.Event{Merchant: one.Merchant, ID: "evt_01JD0000000000000000000000", Type: event.EndpointTest, CreatedAt: noon, Object: one.ID, Version: 1},
		map[string]string{"text": "ü € 𝄞 <&> \"\\ \u2028 \x7f"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := e.pack(ctx, one, told, "", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if out := loopbackClient().post(ctx, one.URL, p); !out.delivered() {
		t.Fatalf("%+v", out)
	}
	changed := func(header, value string) received {
		other := received{Body: got.Body, Headers: maps.Clone(got.Headers)}
		other.Headers[header] = value
		return other
	}
	later := changed("webhook-timestamp", timestamp(p.At.Add(time.Second)))
	another := changed("webhook-id", "evt_01JD0000000000000000000001")
	spoilt := changed("webhook-id", got.Headers["webhook-id"])
	spoilt.Body += " "
	stranger := bytes.Repeat([]byte{9}, secretBytes)
	var cases []received
	var want []bool
	var names []string
	ask := func(name, key string, r received, believed bool) {
		r.Key = key
		cases, want, names = append(cases, r), append(want, believed), append(names, name)
	}
	keys := one.PublicKeys(p.At)
	for name, key := range map[string]string{"old secret": oldSecret, "new secret": newSecret, "new public key": keys[0].PublicKey, "old public key": keys[1].PublicKey} {
		ask(name, key, got, true)
		ask(name+", another time", key, later, false)
		ask(name+", another id", key, another, false)
		ask(name+", another body", key, spoilt, false)
	}
	ask("a stranger's secret", shown(stranger), got, false)
	ask("a stranger's public key", publicOf(ed25519.NewKeyFromSeed(stranger)), got, false)
	for _, program := range []string{"judge.py", "judge.js"} {
		t.Run(program, func(t *testing.T) {
			for i, believed := range verdicts(t, program, cases) {
				if believed != want[i] {
					t.Errorf("%s: believed is %t", names[i], believed)
				}
			}
		})
	}
}
