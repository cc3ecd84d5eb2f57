package callback

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// senders make the senders of each source: one line for each, and a function in the source's own test.
var senders = []func(testing.TB) []provider{
	alchemySenders,
	alipaySenders,
	binancePaySenders,
	bitGoSenders,
	bitPaySenders,
	btcpayServerSenders,
	circleSenders,
	coboSenders,
	coinbaseCDPSenders,
	coinbaseCommerceSenders,
	coinPaymentsLegacySenders,
	coinPaymentsSenders,
	epusdtSenders,
	fireblocksSenders,
	hmacSenders,
	imTokenSenders,
	moralisSenders,
	nowPaymentsSenders,
	quickNodeSenders,
	safeheronSenders,
	standardWebhooksSenders,
	stripeSenders,
	tatumSenders,
	tokenPocketSenders,
	weChatPaySenders,
}

// provider is a sender for the suite that every source must pass: one for each way in which a source may be signed.
type provider struct {
	name       string     // "standard-webhooks v1a"
	connection Connection // with its Provider, and settled Settings: see connected
	keys       Keys       // with those that verify
	others     Keys       // of the same form, that did not sign
	// sign gives the delivery as the provider sends it at a time, to say body: signed over these bytes, or (where
	// inside) with the signature put in, or the content encrypted.
	sign func(t testing.TB, at time.Time, body []byte) Delivery
	body string // a body that the provider may send, of JSON with a space in it; "" for usualBody
	// signature is where the signature lies; signed are the places of what it covers beside the body.
	signature part
	signed    []part
	window    time.Duration // 0: the provider stamps no time
	event     string        // the provider's id of the event in body; "" where the body's hash stands for it
	// inside: what is signed is what the body says and not its bytes, so that another spacing of it is believed and a
	// body that cannot be read is refused.
	inside bool

	reads   []reading
	unknown string // a body of an event that nobody knows; "" where there are no kinds of events
	trouble string // a body of the provider's own error; "" where it has none
}

// reading is what a body says.
type reading struct {
	body string
	want []Notice
}

const usualBody = `{"data": {"chain": "eip155:137", "transaction": ""}}`

// connected is a connection of a provider with its settings as POST /v1/connections would leave them.
func connected(t testing.TB, name string, s Settings) Connection {
	t.Helper()
	asked := Asked{Merchant: "mer_1", Provider: name, Settings: s, Credentials: map[string]string{}}
	source, err := sourceOf(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, settle := range []func() error{
		func() error { return asked.Settings.settle(nil) },
		func() error { return asked.fits(name, source) },
		func() error {
			if source.Settle == nil {
				return nil
			}
			return source.Settle(&asked.Settings)
		},
	} {
		if err := settle(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return Connection{ID: "con_01JD0000000000000000000000", Provider: name, Settings: asked.Settings}
}

// withSecrets are keys that are secrets alone.
func withSecrets(secrets ...string) Keys { return Keys{Secrets: secrets} }

// Keys lets fixed keys stand where a keyring would open them.
func (k Keys) Keys(context.Context, Connection) (Keys, error) { return k, nil }

// part is a place in a delivery.
type part struct{ where, name string }

func inHeader(name string) part { return part{"header", name} } // in lower case
func inQuery(name string) part  { return part{"query", name} }
func inField(name string) part  { return part{"field", name} } // of the body, JSON or a form, at its top
func inURL() part               { return part{"url", ""} }
func inMethod() part            { return part{"method", ""} }

func (p part) String() string { return strings.TrimSpace(p.where + " " + p.name) }

func (p part) of(t testing.TB, d Delivery) string {
	switch p.where {
	case "header":
		return d.Headers[p.name]
	case "query":
		return d.Query.Get(p.name)
	case "url":
		return d.URL
	case "method":
		return d.Method
	}
	if isJSON(d.Body) {
		doc, err := parseJSON(d.Body)
		if err != nil {
			t.Fatal(err)
		}
		if text := doc.text(p.name); text != "" { // a signature is longer than a name
			return text
		}
		return doc.name(p.name)
	}
	form, err := url.ParseQuery(string(d.Body))
	if err != nil {
		t.Fatal(err)
	}
	return form.Get(p.name)
}

// put is the delivery with another value in this place; without it for "".
func (p part) put(t testing.TB, d Delivery, value string) Delivery {
	switch p.where {
	case "header":
		d.Headers = maps.Clone(d.Headers)
		if d.Headers[p.name] = value; value == "" {
			delete(d.Headers, p.name)
		}
	case "query":
		d.Query = maps.Clone(d.Query)
		if d.Query.Set(p.name, value); value == "" {
			d.Query.Del(p.name)
		}
	case "url":
		d.URL = value
	case "method":
		d.Method = value
	default:
		d.Body = withField(t, d.Body, p.name, value)
	}
	return d
}

func isJSON(body []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) }

func withField(t testing.TB, body []byte, name, value string) []byte {
	if !isJSON(body) {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			t.Fatal(err)
		}
		if form.Set(name, value); value == "" {
			form.Del(name)
		}
		return []byte(form.Encode())
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(body, &object); err != nil {
		t.Fatal(err)
	}
	written, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if object[name] = written; value == "" {
		delete(object, name)
	}
	out, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// doubled are the ways in which this place can come twice.
func (p part) doubled(t testing.TB, d Delivery) []Delivery {
	value := p.of(t, d)
	switch p.where {
	case "header":
		return []Delivery{p.put(t, d, value+","+value), p.put(t, d, value+", "+value)}
	case "query":
		twice := p.put(t, d, value)
		twice.Query.Add(p.name, value)
		return []Delivery{twice}
	}
	return nil
}

var signedAt = time.Unix(1_800_000_000, 0)

func (p provider) says() []byte { return []byte(or(p.body, usualBody)) }

func everySender(t testing.TB) []provider {
	var all []provider
	for _, of := range senders {
		all = append(all, of(t)...)
	}
	return all
}

// TestEverySource is what each source must do, whatever its scheme.
func TestEverySource(t *testing.T) {
	for _, p := range everySender(t) {
		t.Run(p.name, func(t *testing.T) {
			t.Run("signature", func(t *testing.T) { p.signatures(t) })
			t.Run("body", func(t *testing.T) { p.bodies(t) })
			t.Run("time", func(t *testing.T) { p.times(t) })
			t.Run("reading", func(t *testing.T) { p.readings(t) })
		})
	}
}

func TestEverySourceIsInTheSuite(t *testing.T) {
	tried := map[string]bool{}
	for _, p := range everySender(t) {
		tried[p.connection.Provider] = true
	}
	if names := slices.Sorted(maps.Keys(tried)); !slices.Equal(names, Providers()) {
		t.Errorf("%v are in the suite, %v are sources", names, Providers())
	}
}

func (p provider) verify(d Delivery, keys Keys) (string, error) {
	return p.connection.Verify(context.Background(), d, keys)
}

func (p provider) believed(t *testing.T, what string, d Delivery, keys Keys, want string) {
	t.Helper()
	event, err := p.verify(d, keys)
	if err != nil || event == "" || event != eventID(event) || (want != "" && event != want) {
		t.Errorf("%s: event %q, want %q, error %v", what, event, want, err)
	}
}

func (p provider) refused(t *testing.T, what string, d Delivery, keys Keys) {
	t.Helper()
	var r Refused
	if event, err := p.verify(d, keys); !errors.As(err, &r) || event != "" {
		t.Errorf("%s: event %q, error %v", what, event, err)
	}
}

func (p provider) eventOf(d Delivery) string { return or(p.event, hashed(d.Body)) }

func (p provider) signatures(t *testing.T) {
	right := p.sign(t, signedAt, p.says())
	right.At = signedAt
	p.believed(t, "right", right, p.keys, p.eventOf(right))
	p.refused(t, "other keys", right, p.others)
	if len(p.keys.Secrets) > 0 {
		both := p.keys
		both.Secrets = append(slices.Clone(p.others.Secrets), p.keys.Secrets...)
		p.believed(t, "right, by the last of several secrets", right, both, p.eventOf(right))
		none := p.keys
		none.Secrets = nil
		p.refused(t, "no secret", right, none)
	}
	shouted := map[string]string{}
	for header, value := range right.Headers {
		shouted[strings.ToUpper(header)] = value
	}
	loud := right
	loud.Headers = NewHeaders(shouted)
	p.believed(t, "headers in capitals", loud, p.keys, p.eventOf(right))
	if p.signature.where == "header" {
		shouted[p.signature.name] = p.signature.of(t, right)
		loud.Headers = NewHeaders(shouted)
		p.refused(t, "signature under two spellings of its name", loud, p.keys)
	}
	other := right
	other.Headers = maps.Clone(right.Headers)
	if other.Headers == nil {
		other.Headers = Headers{}
	}
	other.Headers["content-type"] = "image/png"
	p.believed(t, "another content type", other, p.keys, p.eventOf(right))

	signature := p.signature.of(t, right)
	if signature == "" {
		t.Fatalf("there is no signature in the %s", p.signature)
	}
	for n := range len(signature) {
		p.refused(t, fmt.Sprintf("signature cut to %d", n), p.signature.put(t, right, signature[:n]), p.keys)
		wrong := []byte(signature)
		wrong[n] ^= 1
		p.refused(t, fmt.Sprintf("a bit of character %d of the signature wrong", n), p.signature.put(t, right, string(wrong)), p.keys)
	}
	for what, wrong := range map[string]string{"in other bytes": "\xff\xfe", "in spaces": " ", "of another encoding": "=%" + signature, "with more behind it": signature + "00"} {
		p.refused(t, "signature "+what, p.signature.put(t, right, wrong), p.keys)
	}
	for _, place := range append([]part{p.signature}, p.signed...) {
		value := place.of(t, right)
		p.refused(t, place.String()+" missing", place.put(t, right, ""), p.keys)
		p.refused(t, place.String()+" another", place.put(t, right, value+"1"), p.keys)
		for _, twice := range place.doubled(t, right) {
			p.refused(t, place.String()+" doubled", twice, p.keys)
		}
	}
}

// respaced is the same JSON in other bytes.
func respaced(t *testing.T, body []byte) []byte {
	t.Helper()
	var compact, wide bytes.Buffer
	if err := json.Compact(&compact, body); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(compact.Bytes(), body) {
		return compact.Bytes()
	}
	_ = json.Indent(&wide, body, "", "  ")
	return wide.Bytes()
}

func (p provider) bodies(t *testing.T) {
	right := p.sign(t, signedAt, p.says())
	right.At = signedAt
	with := func(body []byte) Delivery {
		d := right
		d.Body = body
		return d
	}
	if isJSON(right.Body) {
		if again := with(respaced(t, right.Body)); p.inside {
			p.believed(t, "body serialised again", again, p.keys, p.event)
		} else {
			p.refused(t, "body serialised again", again, p.keys)
		}
	}
	if p.signature.where == "query" { // a secret in the URL signs no body
		return
	}
	p.refused(t, "body empty", with(nil), p.keys)
	p.refused(t, "body changed", with(right.Body[1:]), p.keys)
	for what, body := range map[string][]byte{"empty": {}, "not UTF-8": {0xff, 0xfe}, "of ten megabytes": make([]byte, 10<<20), "deep": []byte(strings.Repeat("[", 1<<20))} {
		began := time.Now()
		if p.refused(t, "a body "+what+" under another's signature", with(body), p.keys); !p.inside && len(body) > 0 {
			own := p.sign(t, signedAt, body)
			own.At = signedAt
			p.believed(t, "a body "+what+", signed so", own, p.keys, "")
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("a body %s takes %s", what, took)
		}
	}
}

func (p provider) times(t *testing.T) {
	right := p.sign(t, signedAt, p.says())
	at := func(when time.Time) Delivery {
		d := right
		d.At = when
		return d
	}
	if p.window == 0 {
		p.believed(t, "a year later: no time is stamped", at(signedAt.AddDate(1, 0, 0)), p.keys, p.event)
		return
	}
	p.believed(t, "as old as may be", at(signedAt.Add(p.window)), p.keys, p.event)
	p.believed(t, "as early as may be", at(signedAt.Add(-p.window)), p.keys, p.event)
	p.refused(t, "too old", at(signedAt.Add(p.window+time.Second)), p.keys)
	p.refused(t, "too early", at(signedAt.Add(-p.window-time.Second)), p.keys)
}

// read is what the source says of a delivery's body.
func (p provider) read(body []byte) ([]Notice, error) {
	return sources[p.connection.Provider].Read(body, p.connection.Settings, p.keys)
}

func (p provider) readings(t *testing.T) {
	for _, r := range p.reads {
		got, err := p.read(p.sign(t, signedAt, []byte(r.body)).Body)
		if err != nil || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", r.want) {
			t.Errorf("%s\n says %+v, want %+v, error %v", r.body, got, r.want, err)
		}
		soundNotices(t, got)
	}
	if p.unknown != "" {
		_, err := p.read(p.sign(t, signedAt, []byte(p.unknown)).Body)
		var unknown UnknownError
		if !errors.As(err, &unknown) || len(unknown.Name) > longestName {
			t.Errorf("%s: %v", p.unknown, err)
		}
	}
	if p.trouble != "" {
		got, err := p.read(p.sign(t, signedAt, []byte(p.trouble)).Body)
		if !slices.ContainsFunc(got, func(n Notice) bool { return n.Kind == ProviderError && n.Detail != "" }) || err != nil {
			t.Errorf("%s: %+v, %v", p.trouble, got, err)
		}
	}
	const word = "hunter2"
	for _, body := range []string{
		"", "{}", "[]", "[{}]", "null", "7", `"` + word + `"`, "\xff\xfe", word, "a=" + word, "<a>" + word + "</a>", strings.Repeat("[", 1<<16),
		`{"` + word + `":{"` + word + `":["` + word + `"]}}`, `{"data":"` + word + `","event":{"type":7}}`, usualBody[:20],
	} {
		p.safely(t, []byte(body), word)
	}
}

// safely reads a body that may be anything: it is understood, or refused in words that repeat nothing of it.
func (p provider) safely(t *testing.T, body []byte, word string) {
	t.Helper()
	got, err := p.read(body)
	var unreadable ReadError
	var unknown UnknownError
	switch {
	case err == nil:
		soundNotices(t, got)
	case got != nil || (!errors.As(err, &unreadable) && !errors.As(err, &unknown)):
		t.Errorf("%.60q: %v, %v", body, got, err)
	case word != "" && strings.Contains(string(unreadable), word):
		t.Errorf("%.60q: the error repeats the body: %v", body, err)
	}
}

// soundNotices are fit for a table, a log and a look.
func soundNotices(t *testing.T, notices []Notice) {
	t.Helper()
	for _, n := range notices {
		if _, known := looked[n.Kind]; !known || n.Amount.Sign() < 0 || !printable(n.Detail) {
			t.Errorf("%+v", n)
		}
		for _, text := range []string{string(n.Chain), n.Tx, n.Index, n.Address, n.Code, n.Object, n.Reference, n.Detail} {
			if len(text) > longestName {
				t.Errorf("%d bytes: %.200q", len(text), text)
			}
		}
		if hint, asks := n.Hint(); asks && (hint.Chain == "" || len(hint.Tx) > longestName || (hint.Tx != "" && !visible(hint.Tx))) {
			t.Errorf("%+v", hint)
		}
	}
}

// FuzzEverySource: whatever is sent to whichever source is refused or, where its keys signed just that, believed;
// and whatever a body is, reading it ends in notices, or in an error that says which.
func FuzzEverySource(f *testing.F) {
	all := everySender(f)
	for i, p := range all {
		d := p.sign(f, signedAt, p.says())
		f.Add(byte(i), p.signature.of(f, d), d.Body)
		for _, body := range []string{p.unknown, p.trouble, "<a/>", "a=1"} {
			f.Add(byte(i), "00", []byte(body))
		}
		for _, r := range p.reads {
			f.Add(byte(i), "", p.sign(f, signedAt, []byte(r.body)).Body)
		}
	}
	f.Fuzz(func(t *testing.T, i byte, signature string, body []byte) {
		p := all[int(i)%len(all)]
		right := p.sign(t, signedAt, p.says())
		d := right
		d.At = signedAt
		if p.signature.where != "field" {
			d = p.signature.put(t, d, signature)
		}
		d.Body = body
		event, err := p.verify(d, p.keys)
		var refused Refused
		switch {
		case err != nil && (!errors.As(err, &refused) || event != ""):
			t.Fatalf("%q, %v", event, err)
		case err == nil && event != eventID(event):
			t.Fatalf("%q is not fit for a key", event)
		case err == nil && !p.inside && p.signature.where != "query" && !bytes.Equal(body, right.Body):
			t.Fatalf("a signature was guessed: %q over %q", signature, body)
		}
		p.safely(t, body, "")
	})
}

// BenchmarkVerify: verifications a second of each source.
func BenchmarkVerify(b *testing.B) {
	for _, p := range everySender(b) {
		b.Run(strings.ReplaceAll(p.name, " ", "_"), func(b *testing.B) {
			d := p.sign(b, signedAt, p.says())
			d.At = signedAt
			for b.Loop() {
				if _, err := p.verify(d, p.keys); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A pair of keys of Ed25519, for tests.
func ed25519Pair(t testing.TB) (ed25519.PrivateKey, string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return private, base64.StdEncoding.EncodeToString(public)
}
