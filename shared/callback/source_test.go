package callback

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"
)

// provider is a sender for the suite that every source must pass.
type provider struct {
	connection Connection
	secret     string
	// sign gives the headers of a delivery as the provider sends them; the bytes of body are signed.
	sign func(t testing.TB, at time.Time, body []byte) Headers
	// signature is the header that holds the signature, signed the others that it covers.
	signature string
	signed    []string
	window    time.Duration // 0: the provider stamps no time
	event     string        // the provider's id of the event; "" where the body's hash stands for it
}

func providers(t testing.TB) map[string]provider {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	const shared = "It's a Secret to Everybody"
	settled := func(h HMAC) Connection {
		s := Settings{HMAC: &h}
		if err := configurableHMAC.Settle(&s); err != nil {
			t.Fatal(err)
		}
		return Connection{Provider: "hmac", Settings: s}
	}
	return map[string]provider{
		"standard-webhooks v1": {
			connection: Connection{Provider: "standard-webhooks"}, secret: secretA,
			signature: "webhook-signature", signed: []string{"webhook-id", "webhook-timestamp"}, window: 5 * time.Minute, event: "msg_1",
			sign: func(t testing.TB, at time.Time, body []byte) Headers {
				return officially(t, secretA, "msg_1", at, body)
			},
		},
		"standard-webhooks v1a": {
			connection: Connection{Provider: "standard-webhooks"}, secret: publicPrefix + base64.StdEncoding.EncodeToString(public),
			signature: "webhook-signature", signed: []string{"webhook-id", "webhook-timestamp"}, window: 5 * time.Minute, event: "msg_1",
			sign: func(_ testing.TB, at time.Time, body []byte) Headers {
				stamp := strconv.FormatInt(at.Unix(), 10)
				signature := ed25519.Sign(private, []byte("msg_1."+stamp+"."+string(body)))
				return Headers{"webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": "v1a," + base64.StdEncoding.EncodeToString(signature)}
			},
		},
		"hmac over the body, as GitHub and BTCPay sign": {
			connection: settled(HMAC{Header: "X-Hub-Signature-256", Prefix: "sha256="}), secret: shared,
			signature: "x-hub-signature-256",
			sign: func(_ testing.TB, _ time.Time, body []byte) Headers {
				mac := hmac.New(sha256.New, []byte(shared))
				mac.Write(body)
				return Headers{"x-hub-signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil))}
			},
		},
		"hmac of 512 bits in base64 with an id beside it": {
			connection: settled(HMAC{Header: "x-payload-hash", Algorithm: "sha512", Encoding: "base64", EventHeader: "X-Delivery"}), secret: shared,
			signature: "x-payload-hash", event: "d-1",
			sign: func(_ testing.TB, _ time.Time, body []byte) Headers {
				mac := hmac.New(sha512.New, []byte(shared))
				mac.Write(body)
				return Headers{"x-payload-hash": base64.StdEncoding.EncodeToString(mac.Sum(nil)), "x-delivery": "d-1"}
			},
		},
		"hmac with the time in milliseconds and the id": {
			connection: settled(HMAC{Header: "x-sig", TimestampHeader: "X-Time", TimestampUnit: "ms", WindowSeconds: 60, EventHeader: "x-id", Template: "{timestamp}|{id}|{body}"}),
			secret:     shared, signature: "x-sig", signed: []string{"x-time", "x-id"}, window: time.Minute, event: "e-1",
			sign: func(_ testing.TB, at time.Time, body []byte) Headers {
				stamp := strconv.FormatInt(at.UnixMilli(), 10)
				mac := hmac.New(sha256.New, []byte(shared))
				mac.Write([]byte(stamp + "|e-1|" + string(body)))
				return Headers{"x-sig": hex.EncodeToString(mac.Sum(nil)), "x-time": stamp, "x-id": "e-1"}
			},
		},
	}
}

// TestEverySource is what each source must do, whatever its scheme.
func TestEverySource(t *testing.T) {
	for name, p := range providers(t) {
		t.Run(name, func(t *testing.T) { p.suite(t) })
	}
}

func (p provider) suite(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	body := []byte(`{"data": {"chain": "eip155:137", "transaction": ""}}`)
	good := p.sign(t, at, body)
	verify := func(d Delivery, secrets ...string) (string, error) { return p.connection.Verify(d, secrets) }
	believed := func(what string, d Delivery, secrets ...string) {
		t.Helper()
		event, err := verify(d, secrets...)
		want := p.event
		if want == "" {
			want = hashed(d.Body)
		}
		if event != want || err != nil {
			t.Errorf("%s: event %q, want %q, error %v", what, event, want, err)
		}
	}
	refused := func(what string, d Delivery, secrets ...string) {
		t.Helper()
		var r Refused
		if event, err := verify(d, secrets...); !errors.As(err, &r) || event != "" {
			t.Errorf("%s: event %q, error %v", what, event, err)
		}
	}
	with := func(header, value string) Delivery {
		h := maps.Clone(good)
		h[header] = value
		return Delivery{Headers: h, Body: body, At: at}
	}

	right := Delivery{Headers: good, Body: body, At: at}
	believed("right", right, p.secret)
	believed("right, by the second of two secrets", right, p.other(), p.secret)
	refused("another secret", right, p.other())
	refused("no secret", right)

	shouted := map[string]string{}
	for header, value := range good {
		shouted[strings.ToUpper(header)] = value
	}
	believed("headers in capitals", Delivery{Headers: NewHeaders(shouted), Body: body, At: at}, p.secret)

	signature := good[p.signature]
	refused("signature missing", with(p.signature, ""), p.secret)
	refused("signature doubled", with(p.signature, signature+","+signature), p.secret)
	refused("signature doubled, joined with a space", with(p.signature, signature+", "+signature), p.secret)
	shouted[p.signature] = signature
	refused("signature under two spellings of its name", Delivery{Headers: NewHeaders(shouted), Body: body, At: at}, p.secret)
	for cut := 1; cut <= len(signature); cut++ {
		refused("signature truncated", with(p.signature, signature[:len(signature)-cut]), p.secret)
	}
	for i := range len(signature) {
		wrong := []byte(signature)
		wrong[i] ^= 1
		refused("a bit of the signature wrong", with(p.signature, string(wrong)), p.secret)
	}
	for _, header := range p.signed {
		refused(header+" missing", with(header, ""), p.secret)
		refused(header+" doubled", with(header, good[header]+","+good[header]), p.secret)
		refused(header+" another", with(header, good[header]+"1"), p.secret)
	}

	refused("body changed", Delivery{Headers: good, Body: append([]byte(nil), body[1:]...), At: at}, p.secret)
	refused("body serialised again", Delivery{Headers: good, Body: []byte(strings.ReplaceAll(string(body), " ", "")), At: at}, p.secret)
	refused("body empty", Delivery{Headers: good, At: at}, p.secret)
	for what, other := range map[string][]byte{"empty": {}, "not UTF-8": {0xff, 0xfe}, "of ten megabytes": make([]byte, 10<<20)} {
		believed("a body "+what+", signed so", Delivery{Headers: p.sign(t, at, other), Body: other, At: at}, p.secret)
	}

	if p.window == 0 {
		believed("a year later: no time is stamped", Delivery{Headers: good, Body: body, At: at.AddDate(1, 0, 0)}, p.secret)
		return
	}
	believed("as old as may be", Delivery{Headers: good, Body: body, At: at.Add(p.window)}, p.secret)
	believed("as early as may be", Delivery{Headers: good, Body: body, At: at.Add(-p.window)}, p.secret)
	refused("too old", Delivery{Headers: good, Body: body, At: at.Add(p.window + time.Millisecond)}, p.secret)
	refused("too early", Delivery{Headers: good, Body: body, At: at.Add(-p.window - time.Millisecond)}, p.secret)
}

// other is a secret of the provider's form that did not sign.
func (p provider) other() string {
	switch {
	case strings.HasPrefix(p.secret, publicPrefix):
		return publicPrefix + base64.StdEncoding.EncodeToString(make([]byte, 32))
	case strings.HasPrefix(p.secret, symmetricPrefix):
		return secretB
	default:
		return strings.Repeat("x", 32)
	}
}

func TestEveryProviderHasAllThatASourceIsAsked(t *testing.T) {
	for _, name := range Providers() {
		s, err := sourceOf(name)
		if err != nil || s.Settle == nil || s.CheckSecret == nil || s.Verify == nil || s.Read == nil || s.Answer.Status/100 != 2 {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}

func TestAProviderOfAnotherVersionIsOurTroubleAndNoRefusal(t *testing.T) {
	c := Connection{Provider: "stripe"}
	_, err := c.Verify(Delivery{}, nil)
	var refused Refused
	if err == nil || errors.As(err, &refused) {
		t.Errorf("verify: %v", err)
	}
	_, err = c.Hints(nil)
	var unreadable ReadError
	if err == nil || errors.As(err, &unreadable) {
		t.Errorf("hints: %v", err)
	}
}

func TestAnEventIDIsAlwaysFitForAKey(t *testing.T) {
	for given, want := range map[string]string{
		"evt_1": "evt_1", "a/b:c=": "a/b:c=", strings.Repeat("x", 256): strings.Repeat("x", 256),
		"a#b": hashed([]byte("a#b")), "a b": hashed([]byte("a b")), "é": hashed([]byte("é")), "": hashed(nil),
		strings.Repeat("x", 257): hashed([]byte(strings.Repeat("x", 257))),
	} {
		if got := eventID(given); got != want {
			t.Errorf("%.20q: %q", given, got)
		}
	}
}
