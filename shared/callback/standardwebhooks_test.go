package callback

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	judge "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const (
	secretA = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	secretB = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
)

func standardWebhooksSenders(t testing.TB) []provider {
	private, public := ed25519Pair(t)
	symmetric := provider{
		name: "standard-webhooks v1", connection: connected(t, "standard-webhooks", Settings{}), keys: withSecrets(secretA), others: withSecrets(secretB),
		signature: inHeader("webhook-signature"), signed: []part{inHeader("webhook-id"), inHeader("webhook-timestamp")}, window: 5 * time.Minute, event: "msg_1",
		sign: func(t testing.TB, at time.Time, body []byte) Delivery {
			return Delivery{Body: body, Headers: officially(t, secretA, "msg_1", at, body)}
		},
	}
	asymmetric := symmetric
	asymmetric.name, asymmetric.keys = "standard-webhooks v1a", withSecrets(publicPrefix+public)
	asymmetric.others = withSecrets(publicPrefix + base64.StdEncoding.EncodeToString(make([]byte, 32)))
	asymmetric.sign = func(_ testing.TB, at time.Time, body []byte) Delivery {
		stamp := strconv.FormatInt(at.Unix(), 10)
		signature := ed25519.Sign(private, []byte("msg_1."+stamp+"."+string(body)))
		return Delivery{Body: body, Headers: Headers{"webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": "v1a," + inBase64.encode(signature)}}
	}
	return []provider{symmetric, asymmetric}
}

// officially signs by the library that the specification's authors publish.
func officially(t testing.TB, secret, event string, at time.Time, body []byte) Headers {
	t.Helper()
	signer, err := judge.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := signer.Sign(event, at, body)
	if err != nil {
		t.Fatal(err)
	}
	return Headers{"webhook-id": event, "webhook-timestamp": strconv.FormatInt(at.Unix(), 10), "webhook-signature": signature}
}

func TestWhatTheOfficialLibrarySignsIsBelieved(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	for _, body := range []string{`{"type":"x"}`, "", "not JSON", "\xff\xfe", strings.Repeat("x", 300_000)} {
		d := Delivery{Headers: officially(t, secretA, "msg_1", at, []byte(body)), Body: []byte(body), At: at}
		event, err := verifyStandardWebhooks(t.Context(), d, Settings{}, withSecrets(secretA))
		if event != "msg_1" || err != nil {
			t.Errorf("%.20q: %q, %v", body, event, err)
		}
	}
}

func TestWhatWeBelieveTheOfficialLibraryBelieves(t *testing.T) {
	signer, err := judge.NewWebhook(secretA)
	if err != nil {
		t.Fatal(err)
	}
	body, at := []byte(`{"a":1}`), time.Now()
	good := officially(t, secretA, "msg_1", at, body)["webhook-signature"]
	for _, signature := range []string{
		good, "v1,AAAA " + good, good + " v1,AAAA", "v2,x " + good + " v1a,y", "  " + good + "  ",
		"", "v1", "v1,", "v1," + good, good[:len(good)-1], good + "=", strings.ToUpper(good), strings.Replace(good, "v1,", "v1a,", 1), strings.Replace(good, ",", ";", 1),
	} {
		h := Headers{"webhook-id": "msg_1", "webhook-timestamp": strconv.FormatInt(at.Unix(), 10), "webhook-signature": signature}
		_, ours := verifyStandardWebhooks(t.Context(), Delivery{Headers: h, Body: body, At: at}, Settings{}, withSecrets(secretA))
		theirs := signer.Verify(body, httpHeaders(h))
		if (ours == nil) != (theirs == nil) {
			t.Errorf("%q: we say %v, the official library %v", signature, ours, theirs)
		}
	}
}

// Vectors that others published: for v1 those of Svix's documentation and of the specification's Rust
// library (libraries/rust/src/lib.rs, test_sign), for v1a the one of the Svix server
// (server/svix-server/src/worker.rs, test_asymmetric_key_signing), whose signature the specification shows.
// All read 2026-11-21.
func TestThePublishedVectorsAreBelieved(t *testing.T) {
	for _, v := range []struct {
		key, event string
		at         int64
		body       string
		signature  string
	}{
		{secretA, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, `{"test": 2432232314}`,
			"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
		{secretB, "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1_649_367_553, `{"email":"test@example.com","username":"test_user"}`,
			"v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="},
		{"whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, `{"test": 2432232314}`,
			"v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="},
	} {
		d := Delivery{Body: []byte(v.body), At: time.Unix(v.at, 0), Headers: Headers{
			"webhook-id": v.event, "webhook-timestamp": strconv.FormatInt(v.at, 10), "webhook-signature": v.signature,
		}}
		if event, err := verifyStandardWebhooks(t.Context(), d, Settings{}, withSecrets(v.key)); event != v.event || err != nil {
			t.Errorf("%s: %q, %v", v.signature, event, err)
		}
	}
}

func TestWhileRotatingAnyKeyAndAnySignatureMayMatch(t *testing.T) {
	at, body := time.Unix(1_800_000_000, 0), []byte("{}")
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	publicKey := publicPrefix + base64.StdEncoding.EncodeToString(public)
	h := officially(t, secretB, "msg_1", at, body)
	byB := h["webhook-signature"]
	byKey := "v1a," + base64.StdEncoding.EncodeToString(ed25519.Sign(private, []byte("msg_1.1800000000.{}")))
	byA := officially(t, secretA, "msg_1", at, body)["webhook-signature"]

	for name, c := range map[string]struct {
		signature string
		secrets   []string
		err       error
	}{
		"the sender has both, we the old":       {byA + " " + byB, []string{secretB}, nil},
		"we have both, the sender the new":      {byA, []string{secretB, secretA}, nil},
		"a public key beside secrets":           {byKey, []string{secretA, publicKey}, nil},
		"both kinds of signature, a secret":     {byKey + " " + byB, []string{secretB}, nil},
		"both kinds of signature, a public key": {byB + " " + byKey, []string{publicKey}, nil},
		"a signature of the other kind":         {byB, []string{publicKey}, NoMatch},
		"a public key is no secret":             {byB, []string{"whsec_" + strings.TrimPrefix(publicKey, publicPrefix)}, NoMatch},
		"none matches":                          {byA, []string{secretB, publicKey}, NoMatch},
		"no secret is left":                     {byA, nil, NoMatch},
	} {
		h["webhook-signature"] = c.signature
		_, err := verifyStandardWebhooks(t.Context(), Delivery{Headers: h, Body: body, At: at}, Settings{}, withSecrets(c.secrets...))
		if !errors.Is(err, c.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStandardWebhooksRefusals(t *testing.T) {
	at, body := time.Unix(1_800_000_000, 0), []byte("{}")
	good := officially(t, secretA, "msg_1", at, body)["webhook-signature"]
	for name, c := range map[string]struct {
		header, value string
		want          Refused
	}{
		"no id":                               {"webhook-id", "", HeaderMissing},
		"the id came twice":                   {"webhook-id", "msg_1,msg_1", HeaderDoubled},
		"the id could be split another way":   {"webhook-id", "msg_1.1800000000", HeaderMalformed},
		"another id":                          {"webhook-id", "msg_2", NoMatch},
		"no timestamp":                        {"webhook-timestamp", "", HeaderMissing},
		"the timestamp came twice":            {"webhook-timestamp", "1800000000,1800000000", HeaderDoubled},
		"a signed timestamp":                  {"webhook-timestamp", "+1800000000", HeaderMalformed},
		"a fraction":                          {"webhook-timestamp", "1800000000.5", HeaderMalformed},
		"a timestamp beyond int64":            {"webhook-timestamp", "99999999999999999999999", HeaderMalformed},
		"another timestamp within the window": {"webhook-timestamp", "1800000001", NoMatch},
		"no signature":                        {"webhook-signature", "", HeaderMissing},
		"the signature came twice":            {"webhook-signature", good + "," + good, HeaderDoubled},
		"twice, joined with a space":          {"webhook-signature", good + ", " + good, HeaderDoubled},
		"a list came twice":                   {"webhook-signature", good + " v1,AAAA," + good, HeaderDoubled},
		"truncated":                           {"webhook-signature", good[:20], NoMatch},
		"truncated by one":                    {"webhook-signature", good[:len(good)-1], NoMatch},
		"truncated to nothing":                {"webhook-signature", "v1,", NoMatch},
		"a version alone":                     {"webhook-signature", "v1", NoMatch},
		"without a version":                   {"webhook-signature", strings.TrimPrefix(good, "v1,"), NoMatch},
		"an unknown version":                  {"webhook-signature", "v9" + strings.TrimPrefix(good, "v1"), NoMatch},
		"more signatures than keys can be":    {"webhook-signature", strings.Repeat("v1,AAAA ", 16) + good, HeaderMalformed},
	} {
		h := Headers{"webhook-id": "msg_1", "webhook-timestamp": "1800000000", "webhook-signature": good}
		h[c.header] = c.value
		if _, err := verifyStandardWebhooks(t.Context(), Delivery{Headers: h, Body: body, At: at}, Settings{}, withSecrets(secretA)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStandardWebhooksKeysHaveTheFormOfTheSpecification(t *testing.T) {
	encoded := func(n int) string { return base64.StdEncoding.EncodeToString(make([]byte, n)) }
	for text, good := range map[string]bool{
		"whsec_" + encoded(24): true, "whsec_" + encoded(64): true, "whpk_" + encoded(32): true,
		"whsec_" + encoded(23): false, "whsec_" + encoded(65): false, "whpk_" + encoded(31): false, "whpk_" + encoded(33): false,
		encoded(32): false, "": false, "whsec_": false, "whpk_": false, "whsec_????": false, "WHSEC_" + encoded(24): false,
		"whsk_" + encoded(64): false, "whsec_" + encoded(32) + "\n": false,
	} {
		if _, err := parseKey(text); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func httpHeaders(h Headers) http.Header {
	out := http.Header{}
	for name, value := range h {
		out.Set(name, value)
	}
	return out
}
