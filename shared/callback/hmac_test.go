package callback

import (
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"farrier/shared/problem"
)

const shared = "It's a Secret to Everybody"

func hmacSenders(t testing.TB) []provider {
	of := func(name string, h HMAC, s Settings) provider {
		s.HMAC = &h
		return provider{
			name: name, connection: connected(t, "hmac", s), keys: withSecrets(shared), others: withSecrets(strings.Repeat("x", 32)),
			signature: inHeader(strings.ToLower(h.Header)),
		}
	}
	body := of("hmac over the body, as GitHub and BTCPay sign", HMAC{Header: "X-Hub-Signature-256", Prefix: "sha256="}, Settings{})
	body.sign = func(_ testing.TB, _ time.Time, body []byte) Delivery {
		return Delivery{Body: body, Headers: Headers{"x-hub-signature-256": "sha256=" + inHex.encode(hmacOf(sha256.New, shared, string(body)))}}
	}
	body.reads = []reading{{`{"data":{"chain":"eip155:137","transaction":"` + txA + `"}}`, []Notice{{Kind: DepositSeen, Chain: "eip155:137", Tx: txA}}}}

	beside := of("hmac of 512 bits in base64 with an id beside it", HMAC{Header: "x-payload-hash", Algorithm: "sha512", Encoding: "base64", EventHeader: "X-Delivery"},
		Settings{Format: "xml", Chain: "eip155:137", TransactionPath: "paid.tx", VersionPath: "paid.@version", Versions: []string{"1", "2"}, Required: []string{"paid.order"}})
	beside.event = "d-1"
	beside.sign = func(_ testing.TB, _ time.Time, body []byte) Delivery {
		return Delivery{Body: body, Headers: Headers{"x-payload-hash": inBase64.encode(hmacOf(sha512.New, shared, string(body))), "x-delivery": "d-1"}}
	}
	beside.reads = []reading{{`<paid version="2"><order>7</order><tx>` + txA + `</tx></paid>`, []Notice{{Kind: DepositSeen, Chain: "eip155:137", Tx: txA}}}}
	beside.unknown = `<paid version="3"><order>7</order></paid>`

	timed := of("hmac with the time in milliseconds and the id", HMAC{Header: "x-sig", TimestampHeader: "X-Time", TimestampUnit: "ms", WindowSeconds: 60, EventHeader: "x-id", Template: "{timestamp}|{id}|{body}"},
		Settings{Format: "form", ChainPath: "chain", TransactionPath: "tx"})
	timed.signed, timed.window, timed.event = []part{inHeader("x-time"), inHeader("x-id")}, time.Minute, "e-1"
	timed.sign = func(_ testing.TB, at time.Time, body []byte) Delivery {
		stamp := strconv.FormatInt(at.UnixMilli(), 10)
		return Delivery{Body: body, Headers: Headers{"x-sig": inHex.encode(hmacOf(sha256.New, shared, stamp, "|e-1|", string(body))), "x-time": stamp, "x-id": "e-1"}}
	}
	timed.reads = []reading{{"chain=eip155:137&tx=" + txA + "&tx=" + txB, []Notice{{Kind: DepositSeen, Chain: "eip155:137", Tx: txA}, {Kind: DepositSeen, Chain: "eip155:137", Tx: txB}}}}
	return []provider{body, beside, timed}
}

// The example of GitHub's documentation
// (https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries, read 2026-11-21).
func TestGitHubsPublishedVectorIsBelieved(t *testing.T) {
	s := Settings{HMAC: &HMAC{Header: "X-Hub-Signature-256", Prefix: "sha256=", EventHeader: "X-GitHub-Delivery"}}
	if err := configurableHMAC.Settle(&s); err != nil {
		t.Fatal(err)
	}
	d := Delivery{Body: []byte("Hello, World!"), Headers: NewHeaders(map[string]string{
		"X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
		"X-GitHub-Delivery":   "72d3162e-cc78-11e3-81ab-4c9367dc0958",
	})}
	for _, spelling := range []func(string) string{strings.Clone, strings.ToUpper} {
		prefix, digest, _ := strings.Cut(d.Headers["x-hub-signature-256"], "=")
		d.Headers["x-hub-signature-256"] = prefix + "=" + spelling(digest)
		event, err := verifyHMAC(t.Context(), d, s, withSecrets(shared))
		if event != "72d3162e-cc78-11e3-81ab-4c9367dc0958" || err != nil {
			t.Errorf("%q, %v", event, err)
		}
	}
}

func TestTheEventOfAnHMACIsNamedByTheHeaderThePathOrTheBody(t *testing.T) {
	for name, c := range map[string]struct {
		hmac   HMAC
		header string
		body   string
		want   string
	}{
		"header":                        {HMAC{EventHeader: "x-id"}, "e-1", `{"id":"e-2"}`, "e-1"},
		"header missing":                {HMAC{EventHeader: "x-id"}, "", "{}", hashed([]byte("{}"))},
		"path to text":                  {HMAC{EventPath: "event.id"}, "", `{"event":{"id":"e-2"}}`, "e-2"},
		"path to a number, as it came":  {HMAC{EventPath: "id"}, "", `{"id":12345678901234567890}`, "12345678901234567890"},
		"path into a list":              {HMAC{EventPath: "events.0.id"}, "", `{"events":[{"id":"e-3"}]}`, "e-3"},
		"path to nothing":               {HMAC{EventPath: "id"}, "", `{}`, hashed([]byte(`{}`))},
		"path to an object":             {HMAC{EventPath: "id"}, "", `{"id":{}}`, hashed([]byte(`{"id":{}}`))},
		"path in a body that is broken": {HMAC{EventPath: "id"}, "", `{"id":"e-`, hashed([]byte(`{"id":"e-`))},
		"neither":                       {HMAC{}, "e-1", `{"id":"e-2"}`, hashed([]byte(`{"id":"e-2"}`))},
	} {
		d := Delivery{Body: []byte(c.body), Headers: Headers{"x-id": c.header, "x-sig": "s"}}
		if got := c.hmac.event(d, ""); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestAnEventHeaderThatCameTwiceIsRefused(t *testing.T) {
	h := HMAC{EventHeader: "x-id", Template: "{body}"}
	if _, err := h.signed(Delivery{Headers: Headers{"x-id": "a,b"}}); !errors.Is(err, HeaderDoubled) {
		t.Error(err)
	}
}

func TestPlaceholdersInABodyAreNotFilledIn(t *testing.T) {
	h := HMAC{Template: "{timestamp}.{body}", TimestampHeader: "x-time", TimestampUnit: "s", WindowSeconds: 1}
	content, err := h.signed(Delivery{Headers: Headers{"x-time": "5"}, Body: []byte("{timestamp}{body}"), At: time.Unix(5, 0)})
	if content != "5.{timestamp}{body}" || err != nil {
		t.Errorf("%q, %v", content, err)
	}
}

func TestWhatIsLeftOutOfAnHMACHasItsUsualValue(t *testing.T) {
	for want, h := range map[HMAC]HMAC{
		{Header: "x-sig", Algorithm: "sha256", Encoding: "hex", Template: "{body}"}:                                                                                {Header: "X-Sig"},
		{Header: "x-sig", Algorithm: "sha256", Encoding: "hex", Template: "{timestamp}.{body}", TimestampHeader: "x-time", TimestampUnit: "s", WindowSeconds: 300}: {Header: "x-sig", TimestampHeader: "X-Time"},
	} {
		if err := h.settle(); err != nil || h != want {
			t.Errorf("%+v, %v", h, err)
		}
	}
}

func TestSettlingLeavesWhatTheCallerHasAlone(t *testing.T) {
	given := HMAC{Header: "X-Sig"}
	if err := configurableHMAC.Settle(&Settings{HMAC: &given}); err != nil || given != (HMAC{Header: "X-Sig"}) {
		t.Errorf("%+v, %v", given, err)
	}
}

func TestSettingsOfAnHMACThatCannotWorkAreRefusedByName(t *testing.T) {
	for _, c := range []struct {
		field string
		hmac  HMAC
	}{
		{"hmac.header", HMAC{}},
		{"hmac.header", HMAC{Header: "two words"}},
		{"hmac.header", HMAC{Header: "naïve"}},
		{"hmac.header", HMAC{Header: strings.Repeat("x", 65)}},
		{"hmac.algorithm", HMAC{Header: "x", Algorithm: "md5"}},
		{"hmac.encoding", HMAC{Header: "x", Encoding: "base32"}},
		{"hmac.prefix", HMAC{Header: "x", Prefix: "a,b"}},
		{"hmac.prefix", HMAC{Header: "x", Prefix: "\n"}},
		{"hmac.prefix", HMAC{Header: "x", Prefix: strings.Repeat("x", 33)}},
		{"hmac.timestamp_header", HMAC{Header: "x", TimestampHeader: "a b"}},
		{"hmac.timestamp_header", HMAC{Header: "x", WindowSeconds: 5}},
		{"hmac.timestamp_header", HMAC{Header: "x", TimestampUnit: "s"}},
		{"hmac.timestamp_unit", HMAC{Header: "x", TimestampHeader: "t", TimestampUnit: "h"}},
		{"hmac.window_seconds", HMAC{Header: "x", TimestampHeader: "t", WindowSeconds: -1}},
		{"hmac.window_seconds", HMAC{Header: "x", TimestampHeader: "t", WindowSeconds: 604801}},
		{"hmac.event_header", HMAC{Header: "x", EventHeader: "a b"}},
		{"hmac.event_path", HMAC{Header: "x", EventPath: "a..b"}},
		{"hmac.event_path", HMAC{Header: "x", EventPath: "a", EventHeader: "b"}},
		{"hmac.template", HMAC{Header: "x", Template: "nothing"}},
		{"hmac.template", HMAC{Header: "x", Template: "{body}{body}"}},
		{"hmac.template", HMAC{Header: "x", Template: "{timestamp}.{body}"}},
		{"hmac.template", HMAC{Header: "x", Template: "{body}", TimestampHeader: "t"}},
		{"hmac.template", HMAC{Header: "x", Template: "{id}.{body}"}},
		{"hmac.template", HMAC{Header: "x", Template: "{url}{body}"}},
		{"hmac.template", HMAC{Header: "x", Template: "{body}" + strings.Repeat("x", 128)}},
	} {
		err := configurableHMAC.Settle(&Settings{HMAC: &c.hmac})
		if !problem.Is(err, problem.Invalid) || problem.Of(err).Field != c.field {
			t.Errorf("%+v: %v", c.hmac, err)
		}
	}
}
