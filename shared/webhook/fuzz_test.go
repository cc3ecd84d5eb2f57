package webhook

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"farrier/shared/event"
	"farrier/shared/id"
	"farrier/shared/problem"
)

// FuzzURL: a URL is refused by its field's name, or a POST to it is one request to the host that it names, over TLS,
// to no address that is not public, without a password.
func FuzzURL(f *testing.F) {
	for _, s := range []string{
		"https://merchant.example/hooks", "https://merchant.example:8443/a?b=%20&c", "https://[2606:4700::6810:84e5]/", "HTTPS://Merchant.Example", "https://93.184.215.14./",
		"https://user@merchant.example/", "https://@merchant.example/", "https://merchant.example/#", "https://merchant.example:/", "https://127.0.0.1/", "https://[::ffff:10.0.0.1]/",
		"https://0x7f.1/", "https://%31%32%37.0.0.1/", "https://[fe80::1%25eth0]/", "https://a.localhost", "https:///x", "https://a/%0d%0aX: y", "https://a?b c", "http://127.0.0.1:9000/",
		"https://merchant.example\\@127.0.0.1/", "https://[::1]x/", "https://a:00443/", "https://xn--mnchen-3ya.de/", "https://a/..//b/%2e%2e/",
	} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, text string, local bool) {
		if err := checkURL(text, local); err != nil {
			if p := problem.Of(err); p.Code != problem.Invalid || p.Field != "url" || len(text) > 20 && strings.Contains(err.Error(), text) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		u, err := url.Parse(text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if u.Scheme != "https" && (!local || u.Scheme != "http") || u.User != nil || u.Fragment != "" || len(text) > MaxURL {
			t.Fatalf("%q passes", text)
		}
		if address, err := netip.ParseAddr(u.Hostname()); err == nil && !local && (address.IsLoopback() || address.IsPrivate() || address.IsLinkLocalUnicast() || address.Is4In6() || !address.IsGlobalUnicast()) {
			t.Fatalf("%q reaches %v", text, address)
		}
		request, err := http.NewRequest(http.MethodPost, text, strings.NewReader("{}"))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		var wire bytes.Buffer
		if err := request.Write(&wire); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		in := bufio.NewReader(&wire)
		read, err := http.ReadRequest(in)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if read.Host != u.Host || read.URL.Path != max(u.Path, "/") || read.URL.RawQuery != u.RawQuery || len(read.Header) != 2 { // User-Agent, Content-Length
			t.Fatalf("%q is asked for as %q of %q with %v", text, read.RequestURI, read.Host, read.Header)
		}
		if err := checkURL(u.String(), local); err != nil {
			t.Fatalf("%q passes, and %q does not: %v", text, u, err)
		}
	})
}

// FuzzHeader: a header is refused by its name or the field's, or it is one line of the request and reads as it was given,
// also after it was sealed, and none of ours.
func FuzzHeader(f *testing.F) {
	for _, s := range [][2]string{
		{"Authorization", "Bearer abc"}, {"x-a", "a: b"}, {"x-a", "a\r\nX-Injected: 1"}, {"a\r\nb", "c"}, {"host", "a"}, {"Webhook-Id", "a"}, {"wEBHOOK-", "a"}, {"x", " a"}, {"x", "a\t"},
		{"ı", "a"}, {"K", "a"}, {"content\u2010type", "a"}, {"x y", "a"}, {"", ""}, {"x", "\xff"}, {"x", Masked}, {"Idempotency-Key", "a"}, {"proxy-", "a"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		given := map[string]string{name: value}
		if err := checkHeaders(given); err != nil {
			if got := fieldsIn(err); len(got) != 1 || got[0] != "headers" && got[0] != "headers."+name || value != "" && len(value) > 20 && strings.Contains(err.Error(), value) && !strings.Contains(name, value) {
				t.Fatalf("%q: %q: %v", name, value, err)
			}
			return
		}
		p := parcel{ID: "evt_1", Signatures: "v1,abc", Payload: "{}", At: noon, Headers: headersOf(wireHeaders(given))}
		request, err := http.NewRequest(http.MethodPost, "https://merchant.example/", strings.NewReader(p.Payload))
		if err != nil {
			t.Fatal(err)
		}
		request.Header = p.header()
		var wire bytes.Buffer
		if err := request.Write(&wire); err != nil {
			t.Fatalf("%q: %q: %v", name, value, err)
		}
		read, err := http.ReadRequest(bufio.NewReader(&wire))
		if err != nil {
			t.Fatalf("%q: %q: %v", name, value, err)
		}
		plain := parcel{ID: p.ID, Signatures: p.Signatures, At: noon}.header()
		if got := read.Header.Values(name); len(got) != 1 || got[0] != value || read.Host != "merchant.example" || len(read.Header) != len(plain)+1 { // Content-Length in the place of Idempotency-Key
			t.Fatalf("%q: %q is sent as %q", name, value, read.Header)
		}
		for ours := range plain {
			if ours != "Idempotency-Key" && read.Header.Get(ours) != plain.Get(ours) {
				t.Fatalf("%q: %q makes %s %q", name, value, ours, read.Header.Get(ours))
			}
		}
	})
}

// FuzzRetryAfter: whatever an endpoint answers, the next attempt comes no sooner than the schedule says, and within
// little more than a day.
func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"", "120", "-1", "+5", "1.5", "soon", "4294967296", "Sat, 21 Nov 2026 12:01:00 GMT", "Sat, 21 Nov 2026 11:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "Saturday, 21-Nov-26 12:01:00 GMT", "Sat Nov 21 12:01:00 2026", "0x10", "1_0", "٣"} {
		f.Add(s, byte(1))
	}
	f.Fuzz(func(t *testing.T, header string, attempts byte) {
		asked := retryAfter(header, noon)
		if asked < 0 {
			t.Fatalf("%q: %v", header, asked)
		}
		if n, err := strconv.ParseUint(header, 10, 31); err == nil && asked != time.Duration(n)*time.Second {
			t.Fatalf("%q: %v", header, asked)
		}
		made := int(attempts%10) + 1
		wait, more := waitAfter(schedule, made, asked, bytes.NewReader([]byte{0, 0, 0, 0}))
		if more != (made < len(schedule)) {
			t.Fatalf("after %d attempts: more is %t", made, more)
		}
		if more && (wait < schedule[made]-schedule[made]/10 || wait > 27*time.Hour || wait < min(asked, 24*time.Hour)) {
			t.Fatalf("%q after %d attempts: %v", header, made, wait)
		}
	})
}

// FuzzSignature: what we sign with a secret as we show it, the official library believes; another payload it does not.
func FuzzSignature(f *testing.F) {
	f.Add([]byte("0123456789abcdef0123456789abcdef"), "evt_1", int64(1795262400), `{"type":"payment.paid"}`)
	f.Add([]byte{}, "a.b", int64(0), "")
	f.Add([]byte{0xff}, "ü", int64(1)<<40, "\xff\x00")
	f.Fuzz(func(t *testing.T, random []byte, name string, stamp int64, payload string) {
		if name == "" {
			t.Skip()
		}
		key, err := newSecret(bytes.NewReader(append(random, make([]byte, secretBytes)...)))
		if err != nil {
			t.Fatal(err)
		}
		judge, err := standardwebhooks.NewWebhook(shown(key))
		if err != nil {
			t.Fatalf("the secret %q: %v", shown(key), err)
		}
		stamp = max(stamp, -stamp, 0)
		header := http.Header{}
		header.Set("webhook-id", name)
		header.Set("webhook-timestamp", strconv.FormatInt(stamp, 10))
		header.Set("webhook-signature", sign([]signer{hmacSigner(bytes.Repeat([]byte{7}, secretBytes)), hmacSigner(key)}, name, time.Unix(stamp, 0), payload))
		if err := judge.VerifyIgnoringTimestamp([]byte(payload), header); err != nil {
			t.Fatalf("%q at %d: %v", name, stamp, err)
		}
		if judge.VerifyIgnoringTimestamp([]byte(payload+"x"), header) == nil {
			t.Fatalf("%q at %d: another payload is believed", name, stamp)
		}
		public, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(publicOf(ed25519.NewKeyFromSeed(key)), publicPrefix))
		signature, is := strings.CutPrefix(sign([]signer{ed25519Signer(ed25519.NewKeyFromSeed(key))}, name, time.Unix(stamp, 0), payload), "v1a,")
		raw, err := base64.StdEncoding.DecodeString(signature)
		if content := fmt.Sprintf("%s.%d.%s", name, stamp, payload); !is || err != nil || !ed25519.Verify(public, []byte(content), raw) || ed25519.Verify(public, []byte(content+"x"), raw) {
			t.Fatalf("%q at %d: %q by the key %q: %v", name, stamp, signature, publicOf(ed25519.NewKeyFromSeed(key)), err)
		}
	})
}

// FuzzJob: a message is unreadable, or it is one attempt with the names of an event and an endpoint, which goes
// through the queue, and through the dead-letter queue and back, as it is.
func FuzzJob(f *testing.F) {
	plain := `{"merchant":"mer_1","event":"evt_01JD0000000000000000000000","endpoint":"ep_01JD0000000000000000000000","attempt":10}`
	for _, s := range []string{
		plain, `{"job":` + plain + `,"reason":"no attempt succeeded"}`, `{"job":null}`, `{"job":` + plain + `,"attempt":1}`, strings.Replace(plain, ":10", ":1e1", 1), strings.Replace(plain, ":10", ":0", 1),
		strings.Replace(plain, ":10", ":9223372036854775808", 1), strings.Replace(plain, "evt_", "EVT_", 1), plain + plain, `[` + plain + `]`, `null`, ``, "\xff",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		job, _, err := parseJob(text)
		if err != nil {
			if !errors.Is(err, errUnreadable) || job != (Job{}) {
				t.Fatalf("%q: %+v, %v", text, job, err)
			}
			return
		}
		if !id.Valid("evt", job.Event) || !id.Valid("ep", job.Endpoint) || job.Merchant == "" || job.Attempt < 1 {
			t.Fatalf("%q: %+v", text, job)
		}
		for redriven, body := range map[bool]any{false: job.Message(0).Body, true: Letter{Job: job, Reason: Exhausted}} {
			sent, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			if again, put, err := parseJob(string(sent)); err != nil || again != job || put != redriven {
				t.Fatalf("%q is sent as %s and read as %+v, %t, %v", text, sent, again, put, err)
			}
		}
	})
}

// FuzzAnswer: of any answer what is kept can be shown, is short, and is the start of what came where that can be shown.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{"ok", "a\x00b\x1b[31m", "\xff\xfe", strings.Repeat("é", 300), strings.Repeat("\xff", 600), "x" + strings.Repeat("\U0001F40E", 200), "\u202e\ufeff", "a\r\nb"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		kept := printable(answer)
		if len(kept) > KeptAnswer || !utf8.ValidString(kept) {
			t.Fatalf("%q is kept as %d bytes: %q", answer, len(kept), kept)
		}
		if strings.ContainsFunc(kept, func(r rune) bool { return r != '\n' && r != '\t' && r != utf8.RuneError && !unicode.IsPrint(r) }) {
			t.Fatalf("%q is kept as %q", answer, kept)
		}
		whole := !strings.ContainsRune(kept, utf8.RuneError)
		if whole && !bytes.HasPrefix(answer, []byte(kept)) || whole && len(kept) < min(len(answer), KeptAnswer)-utf8.UTFMax {
			t.Fatalf("of %q is kept %q", answer, kept)
		}
	})
}

// FuzzDeliveryID: a path names no delivery, or one in the one spelling of its id.
func FuzzDeliveryID(f *testing.F) {
	for _, s := range []string{"dlv_01JD0000000000000000000000_01JD0000000000000000000001", "dlv_01jd0000000000000000000000_01JD0000000000000000000001", "dlv_81JD0000000000000000000000_01JD0000000000000000000001", "dlv__", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		key, ok := keyOfID(name)
		if d := (Delivery{Event: key.PK, Endpoint: key.SK}); ok && (d.ID() != name || !id.Valid("evt", key.PK) || !id.Valid("ep", key.SK)) {
			t.Fatalf("%q is %v, which is called %q", name, key, d.ID())
		}
	})
}

// FuzzPattern: a pattern is taken exactly where it is "*", a type, or the beginning of some up to a dot with ".*".
func FuzzPattern(f *testing.F) {
	for _, s := range []string{"*", "payment.*", "payment.paid", "payment*", "*.paid", "", ".*", "payment.**", "payment..*", "PAYMENT.*", "payment.paid.*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		taken := map[string]bool{"*": true}
		for _, kind := range event.Catalogue() {
			parts := strings.Split(string(kind.Type), ".")
			for n := 1; n < len(parts); n++ {
				taken[strings.Join(parts[:n], ".")+".*"] = true
			}
			taken[string(kind.Type)] = true
		}
		err := checkPatterns([]string{"*", pattern})
		if (err == nil) != taken[pattern] || err != nil && problem.Of(err).Field != "events[1]" {
			t.Fatalf("%q: %v", pattern, err)
		}
		wanted := slices.ContainsFunc(event.Catalogue(), func(k event.Kind) bool {
			return Endpoint{Settings: Settings{Events: []string{pattern}}}.Listens(k.Type)
		})
		if wanted != taken[pattern] {
			t.Fatalf("%q: an endpoint wants something is %t", pattern, wanted)
		}
	})
}
