package callback

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"farrier/shared/outside"
	"farrier/shared/problem"
)

// publisher is a provider that publishes keys at /keys/{id}, each as base64.
type publisher struct {
	*httptest.Server
	keys   map[string]ed25519.PublicKey
	asked  []string
	status int           // in place of an answer
	body   string        // in place of a key
	slow   time.Duration // before an answer
	to     string        // where a redirect leads
}

func publish(t *testing.T) (*publisher, *Keyring, *time.Time) {
	t.Helper()
	p := &publisher{keys: map[string]ed25519.PublicKey{"k-1": make([]byte, 32)}}
	p.Server = httptest.NewTLSServer(p)
	t.Cleanup(p.Close)
	roots := x509.NewCertPool()
	roots.AddCert(p.Certificate())
	now := noon
	return p, &Keyring{Now: func() time.Time { return now }, HTTP: outside.NewClient(outside.Options{Local: true, Roots: roots})}, &now
}

func (p *publisher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := strings.TrimPrefix(r.URL.Path, "/keys/")
	p.asked = append(p.asked, id+r.Header.Get("Authorization"))
	time.Sleep(p.slow)
	key, known := p.keys[id]
	switch {
	case p.to != "":
		http.Redirect(w, r, p.to, http.StatusFound)
	case p.status != 0:
		w.WriteHeader(p.status)
	case p.body != "":
		_, _ = w.Write([]byte(p.body))
	case !known:
		w.WriteHeader(http.StatusNotFound)
	default:
		_, _ = w.Write([]byte(base64.StdEncoding.EncodeToString(key)))
	}
}

// from is where this provider's keys are, one to an address.
func (p *publisher) from() Published {
	return Published{
		Hosts: []string{p.Listener.Addr().String()},
		URL:   func(_ Settings, id string) string { return p.URL + "/keys/" + id },
		Read: func(body []byte, id string) (map[string]crypto.PublicKey, error) {
			key, err := ed25519Key(string(body))
			return map[string]crypto.PublicKey{id: key}, err
		},
	}
}

func (p *publisher) get(k *Keyring, connection, id string) error {
	keys, err := k.published(context.Background(), Connection{ID: connection}, p.from(), nil, id)
	if err == nil && len(keys) == 0 {
		return errors.New("no keys and no error")
	}
	return err
}

func TestPublishedKeysAreAskedForOnceAnHour(t *testing.T) {
	p, k, now := publish(t)
	for _, after := range []time.Duration{0, time.Minute, 58 * time.Minute} {
		*now = now.Add(after)
		for _, connection := range []string{"con_a", "con_b"} {
			if err := p.get(k, connection, "k-1"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(p.asked) != 1 {
		t.Errorf("asked for %v", p.asked)
	}
	*now = now.Add(time.Minute)
	if err := p.get(k, "con_a", "k-1"); err != nil || len(p.asked) != 2 {
		t.Errorf("after an hour: %v, %v", p.asked, err)
	}
}

func TestWhileTheProviderCannotBeReachedItsKeysServeForADay(t *testing.T) {
	p, k, now := publish(t)
	if err := p.get(k, "con_a", "k-1"); err != nil {
		t.Fatal(err)
	}
	p.status = http.StatusBadGateway
	*now = noon.Add(2 * time.Hour)
	for range 3 { // within a pause
		if err := p.get(k, "con_a", "k-1"); err != nil {
			t.Fatal(err)
		}
	}
	if len(p.asked) != 2 {
		t.Errorf("asked for %v", p.asked)
	}
	*now = noon.Add(24*time.Hour - time.Second)
	if err := p.get(k, "con_a", "k-1"); err != nil || len(p.asked) != 3 {
		t.Errorf("within the day: %v, %v", p.asked, err)
	}
	*now = noon.Add(24 * time.Hour)
	var refused Refused
	if err := p.get(k, "con_a", "k-1"); err == nil || errors.As(err, &refused) {
		t.Errorf("after the day: %v", err)
	}
	p.status, *now = 0, now.Add(publishedRest)
	if err := p.get(k, "con_a", "k-1"); err != nil {
		t.Errorf("when it is back: %v", err)
	}
}

func TestAKeyThatTheProviderTookBackIsNotBelievedAfterTheHour(t *testing.T) {
	p, k, now := publish(t)
	if err := p.get(k, "con_a", "k-1"); err != nil {
		t.Fatal(err)
	}
	delete(p.keys, "k-1")
	*now = now.Add(time.Hour)
	if err := p.get(k, "con_a", "k-1"); !errors.Is(err, KeyUnknown) {
		t.Error(err)
	}
}

func TestUnknownIDsAreAskedForOnceInHalfAMinute(t *testing.T) {
	p, k, now := publish(t)
	for i := range 100 {
		if err := p.get(k, "con_a", fmt.Sprint("guess-", i)); !errors.Is(err, KeyUnknown) {
			t.Fatal(err)
		}
	}
	if len(p.asked) != 1 {
		t.Errorf("%d asks", len(p.asked))
	}
	if err := p.get(k, "con_b", "k-1"); err != nil {
		t.Errorf("another connection: %v", err)
	}
	if err := p.get(k, "con_a", "k-1"); err != nil {
		t.Errorf("what is known: %v", err)
	}
	p.keys["k-2"] = make([]byte, 32)
	*now = now.Add(publishedPause)
	if err := p.get(k, "con_a", "k-2"); err != nil {
		t.Errorf("half a minute later: %v", err)
	}
}

func TestTroubleIsNotAskedForAgainAtOnce(t *testing.T) {
	p, k, now := publish(t)
	p.status = http.StatusForbidden
	for range 10 {
		var refused Refused
		if err := p.get(k, "con_a", "k-1"); err == nil || errors.As(err, &refused) {
			t.Fatal(err)
		}
	}
	if len(p.asked) != 1 {
		t.Errorf("%d asks", len(p.asked))
	}
	p.status, *now = 0, now.Add(publishedRest)
	if err := p.get(k, "con_a", "k-1"); err != nil {
		t.Error(err)
	}
}

func TestIDsThatMeanSomethingInAnAddressAreAskedOfNobody(t *testing.T) {
	p, k, _ := publish(t)
	for _, id := range []string{"..", ".", "a/b", "a?b", "a#b", "a%2fb", "a b", "a\\b", "é", "a\n", strings.Repeat("x", 129)} {
		if err := p.get(k, "con_a", id); !errors.Is(err, KeyUnknown) {
			t.Errorf("%q: %v", id, err)
		}
	}
	if len(p.asked) != 0 {
		t.Errorf("asked for %v", p.asked)
	}
}

func TestOnlyTheProvidersHostIsAskedAndNoRedirectIsFollowed(t *testing.T) {
	other, _, _ := publish(t)
	p, k, _ := publish(t)
	for name, address := range map[string]string{
		"another host": other.URL + "/keys/k-1", "http": strings.Replace(p.URL, "https", "http", 1) + "/keys/k-1",
		"a user": strings.Replace(p.URL, "https://", "https://u:p@", 1) + "/keys/k-1", "no address": "::",
		"another port": "https://127.0.0.1:1/keys/k-1",
	} {
		from := p.from()
		from.URL = func(Settings, string) string { return address }
		if _, err := k.published(context.Background(), Connection{ID: name}, from, nil, "k-1"); err == nil || len(p.asked)+len(other.asked) != 0 {
			t.Errorf("%s: %v, %v %v", name, err, p.asked, other.asked)
		}
	}
	p.to = other.URL + "/keys/k-1"
	if err := p.get(k, "con_a", "k-1"); err == nil || len(other.asked) != 0 {
		t.Errorf("a redirect: %v, %v", err, other.asked)
	}
	p.to = p.URL + "/keys/k-2"
	if err := p.get(k, "con_b", "k-1"); err == nil || len(p.asked) != 2 {
		t.Errorf("a redirect to itself: %v, %v", err, p.asked)
	}
	outer := &Keyring{Now: k.Now, HTTP: outside.NewClient(outside.Options{})}
	if err := p.get(outer, "con_c", "k-1"); err == nil || !strings.Contains(err.Error(), "must be public") {
		t.Errorf("an address inside: %v", err)
	}
}

func TestAnswersThatAreLongOrStrangeAreTrouble(t *testing.T) {
	p, k, _ := publish(t)
	for name, body := range map[string]string{"long": strings.Repeat("A", publishedMost+1), "strange": "hunter2"} {
		p.body = body
		var refused Refused
		if err := p.get(k, name, "k-1"); err == nil || errors.As(err, &refused) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestASlowProviderIsNotWaitedForLong(t *testing.T) {
	p, k, now := publish(t)
	if err := p.get(k, "con_a", "k-1"); err != nil {
		t.Fatal(err)
	}
	p.slow, *now = 2*time.Second, now.Add(2*time.Hour)
	began := time.Now()
	if err := p.get(k, "con_a", "k-1"); err != nil || time.Since(began) > 1900*time.Millisecond {
		t.Errorf("%s, %v", time.Since(began), err)
	}
}

func TestWhatIsAskedWithAConnectionsCredentialsIsItsAlone(t *testing.T) {
	p, k, _ := publish(t)
	from := p.from()
	from.Header = func(credentials map[string]string) http.Header {
		return http.Header{"Authorization": {" " + credentials["api_key"]}}
	}
	for _, connection := range []string{"con_a", "con_b", "con_a"} {
		if _, err := k.published(context.Background(), Connection{ID: connection}, from, map[string]string{"api_key": connection}, "k-1"); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(p.asked, ", "); got != "k-1con_a, k-1con_b" {
		t.Errorf("asked for %s", got)
	}
}

func TestTheSetsOfKeysInMemoryAreBounded(t *testing.T) {
	k := &Keyring{Now: func() time.Time { return noon }}
	for i := range 3 * mostPublished {
		k.keep(fmt.Sprint(i), publishedSet{})
		k.rest(fmt.Sprint(i), vain{})
	}
	if len(k.sets) > mostPublished || len(k.vain) > mostKnown {
		t.Errorf("%d sets, %d asks", len(k.sets), len(k.vain))
	}
}

func TestASecretIsBelievedUntilItsEnd(t *testing.T) {
	table, ctx := connections(t), context.Background()
	c, _, err := table.Create(ctx, Asked{Merchant: "mer_1", Provider: "standard-webhooks", Keys: []string{secretA, secretB}, KeyEnds: []time.Time{noon.Add(time.Hour)}})
	if err != nil {
		t.Fatal(err)
	}
	now := noon
	k := &Keyring{Sealer: table.Sealer, Now: func() time.Time { return now }}
	for _, want := range []struct {
		after   time.Duration
		secrets string
	}{{0, secretA + " " + secretB}, {time.Hour - 1, secretA + " " + secretB}, {time.Hour, secretB}, {1000 * time.Hour, secretB}} {
		now = noon.Add(want.after)
		if keys, err := k.Keys(ctx, c); err != nil || strings.Join(keys.Secrets, " ") != want.secrets {
			t.Errorf("after %s: %d secrets, %v", want.after, len(keys.Secrets), err)
		}
	}
}

func TestSecretsThatWereSealedOneALineAreStillRead(t *testing.T) {
	got, err := parseSecrets([]byte("first\n[second]"))
	if err != nil || len(got) != 2 || got[0].Text != "first" || got[1].Text != "[second]" || got[0].Ends != nil {
		t.Errorf("%v, %v", got, err)
	}
	const pem = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
	if got, err := parseSecrets(sealedSecrets([]Secret{{Text: pem, Ends: &noon}})); err != nil || len(got) != 1 || got[0].Text != pem || !got[0].Ends.Equal(noon) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := parseSecrets([]byte(manySecrets + "[{hunter2")); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}

func TestEachCredentialIsSealedByItself(t *testing.T) {
	table, ctx := connections(t), context.Background()
	source := Source{Credentials: []Credential{{Name: "api_key", Required: true}, {Name: "private_key"}, {Name: "auth_token", Apart: true}}}
	given := map[string]string{"api_key": "an api key", "private_key": strings.Repeat("k", 3243), "auth_token": "a token"}
	_, sealed, err := table.seal(ctx, "con_1", nil, given)
	if err != nil || len(sealed) != 3 {
		t.Fatal(err)
	}
	c, k := Connection{ID: "con_1", Credentials: sealed}, &Keyring{Sealer: table.Sealer, Now: table.Now}
	opened, err := k.credentials(ctx, c, source)
	if err != nil || len(opened) != 2 || opened["api_key"] != "an api key" || opened["private_key"] != given["private_key"] {
		t.Errorf("%d opened, %v", len(opened), err)
	}
	if token, err := c.Credential(ctx, table.Sealer, "auth_token"); token != "a token" || err != nil {
		t.Error(err)
	}
	c.Credentials = map[string]string{"api_key": sealed["private_key"]}
	if _, err := k.credentials(ctx, c, source); err == nil {
		t.Error("one credential opened in another's place")
	}
	if names := c.View().Credentials; len(names) != 1 || names[0] != "api_key" {
		t.Errorf("%v", names)
	}
}

func TestCredentialsAreThoseOfTheProvider(t *testing.T) {
	table := Connections{Chains: chains(t), Now: time.Now, Random: nil} // refused before KMS or table are asked
	_, _, err := table.Create(context.Background(), Asked{Merchant: "m", Provider: "standard-webhooks", Credentials: map[string]string{"hunter2": "hunter2"}})
	if !problem.Is(err, problem.Invalid) || problem.Of(err).Field != "credentials" || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}
