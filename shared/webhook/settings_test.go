package webhook

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"farrier/shared/problem"
)

// fieldsIn are the fields that an error names.
func fieldsIn(err error) []string {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []string
		for _, one := range joined.Unwrap() {
			all = append(all, fieldsIn(one)...)
		}
		return all
	}
	var p *problem.Error
	if errors.As(err, &p) {
		return []string{p.Field}
	}
	return nil
}

func TestEverySettingIsCheckedAndNamed(t *testing.T) {
	urls := func(n int) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprintf("https://merchant.example/%d", i))
		}
		return list
	}
	for _, c := range []struct {
		sentence string
		set      func(*Settings)
		field    string // empty where it is fine
	}{
		{"what is usual", func(*Settings) {}, ""},
		{"all fallbacks", func(s *Settings) { s.Fallbacks = urls(4) }, ""},
		{"a fallback too many", func(s *Settings) { s.Fallbacks = urls(5) }, "fallback_urls"},
		{"a fallback without TLS", func(s *Settings) { s.Fallbacks = []string{"https://a.example/", "http://b.example/"} }, "fallback_urls[1]"},
		{"a fallback within", func(s *Settings) { s.Fallbacks = []string{"https://10.0.0.1/"} }, "fallback_urls[0]"},
		{"a fallback twice", func(s *Settings) { s.Fallbacks = append(urls(2), urls(1)...) }, "fallback_urls[2]"},
		{"a fallback that is the url", func(s *Settings) { s.Fallbacks = []string{"HTTPS://Merchant.example/hooks"} }, "fallback_urls[0]"},
		{"a fallback that is the url but for its port", func(s *Settings) { s.Fallbacks = []string{"https://merchant.example:8443/hooks"} }, ""},
		{"no root is the root", func(s *Settings) { s.Fallbacks = []string{"https://a.example", "https://a.example/"} }, "fallback_urls[1]"},
		{"thin", func(s *Settings) { s.Payload = "thin" }, ""},
		{"thick", func(s *Settings) { s.Payload = "thick" }, "payload"},
		{"half a minute", func(s *Settings) { s.Timeout = 30 }, ""},
		{"more than half a minute", func(s *Settings) { s.Timeout = 31 }, "timeout"},
		{"less than no time", func(s *Settings) { s.Timeout = -1 }, "timeout"},
		{"a thousand a second", func(s *Settings) { s.Limit = 1000 }, ""},
		{"more than a thousand a second", func(s *Settings) { s.Limit = 1001 }, "limit"},
		{"fewer than none a second", func(s *Settings) { s.Limit = -1 }, "limit"},
		{"seven days in fifteen attempts", func(s *Settings) { s.Schedule = append(slices.Repeat([]int{86400}, 7), make([]int, 8)...) }, ""},
		{"sixteen attempts", func(s *Settings) { s.Schedule = make([]int, 16) }, "schedule"},
		{"more than seven days", func(s *Settings) { s.Schedule = append(slices.Repeat([]int{86400}, 7), 1) }, "schedule"},
		{"more than a day at once", func(s *Settings) { s.Schedule = []int{0, 86401} }, "schedule[1]"},
		{"back in time", func(s *Settings) { s.Schedule = []int{-1} }, "schedule[0]"},
		{"Ed25519", func(s *Settings) { s.Signing = ByEd25519 }, ""},
		{"a scheme that is not there yet", func(s *Settings) { s.Signing = "v2" }, "signing"},
	} {
		s := wanted.Settings
		c.set(&s)
		got := fieldsIn(s.check(false))
		if want := slices.DeleteFunc([]string{c.field}, func(f string) bool { return f == "" }); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", c.sentence, got, want)
		}
	}
	s := wanted.Settings
	s.Fallbacks, s.Timeout, s.Schedule, s.Limit, s.Signing = []string{""}, 31, []int{-1}, -1, "x"
	if got := strings.Join(fieldsIn(s.check(false)), " "); got != "fallback_urls[0] timeout schedule[0] limit signing" {
		t.Errorf("all that is wrong is not named at once: %s", got)
	}
}

func TestNoURLMayLeadToTheAPIItself(t *testing.T) {
	own := []string{"https://Pay.example.com/base", "http://127.0.0.1:8080", "https://"}
	for text, refused := range map[string]bool{
		"https://pay.example.com/v1/payments": true, "https://PAY.example.com./": true, "https://pay.example.com:443/x?y": true, "https://pay.example.com:0443/": true,
		"http://pay.example.com/": false, "https://pay.example.com:8443/": false, "https://shop.pay.example.com/": false, "https://example.com/": false,
		"http://127.0.0.1:8080/hooks": true, "http://127.0.0.1:9000/hooks": false, "": false, "https://%zz": false,
	} {
		s := Settings{URL: text, Fallbacks: []string{"https://spare.example/", text}}
		var want []string
		if refused {
			want = []string{"url", "fallback_urls[1]"}
		}
		if got := fieldsIn(s.checkServers(own)); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestAMerchantsHeaderIsOneLineOfHTTPAndNoneThatHTTPOrTheWebhookNeeds(t *testing.T) {
	for _, c := range []struct {
		name, value string
		field       string // empty where it is fine
	}{
		{"Authorization", "Bearer abc.def", ""},
		{"x-api-key", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", ""},
		{"X_Under!#$%&'*+-.^`|~9", "a", ""},
		{"Cookie", "gate=open", ""}, // the merchant's own server asked for it
		{"", "a", "headers"},
		{"a b", "a", "headers"},
		{"a:", "a", "headers"},
		{"a\r\nHost", "a", "headers"},
		{"a\x00", "a", "headers"},
		{"ä", "a", "headers"},
		{"a(b)", "a", "headers"},
		{"x-a", "", "headers.x-a"},
		{"x-a", " a", "headers.x-a"},
		{"x-a", "a ", "headers.x-a"},
		{"x-a", "a\r\nX-Injected: 1", "headers.x-a"},
		{"x-a", "a\nb", "headers.x-a"},
		{"x-a", "a\tb", "headers.x-a"},
		{"x-a", "a\x00b", "headers.x-a"},
		{"x-a", "a\x7f", "headers.x-a"},
		{"x-a", "ä", "headers.x-a"},
		{"x-a", "\xff", "headers.x-a"},
		{"x-a", Masked, "headers.x-a"},
		{"Host", "a", "headers.Host"},
		{"CONTENT-LENGTH", "1", "headers.CONTENT-LENGTH"},
		{"content-type", "text/plain", "headers.content-type"},
		{"Content-Encoding", "gzip", "headers.Content-Encoding"},
		{"transfer-encoding", "chunked", "headers.transfer-encoding"},
		{"connection", "close", "headers.connection"},
		{"keep-alive", "a", "headers.keep-alive"},
		{"upgrade", "h2c", "headers.upgrade"},
		{"te", "trailers", "headers.te"},
		{"trailer", "x", "headers.trailer"},
		{"expect", "100-continue", "headers.expect"},
		{"user-agent", "a", "headers.user-agent"},
		{"accept-encoding", "gzip", "headers.accept-encoding"},
		{"idempotency-key", "a", "headers.idempotency-key"},
		{"proxy-authorization", "a", "headers.proxy-authorization"},
		{"Webhook-Id", "a", "headers.Webhook-Id"},
		{"webhook-anything", "a", "headers.webhook-anything"},
		{"Webhook_Signature", "a", "headers.Webhook_Signature"},
		{"Content_Length", "1", "headers.Content_Length"},
		{"Transfer_Encoding", "chunked", "headers.Transfer_Encoding"},
		{"user-Agent_", "a", ""},
		{"x_shop", "a", ""},
		{"Proxy", "a", "headers.Proxy"},
		{"proxy_connection", "a", "headers.proxy_connection"},
	} {
		got := fieldsIn(checkHeaders(map[string]string{c.name: c.value}))
		if want := slices.DeleteFunc([]string{c.field}, func(f string) bool { return f == "" }); !slices.Equal(got, want) {
			t.Errorf("%q: %q: %v, want %v", c.name, c.value, got, want)
		}
	}
	many := map[string]string{}
	for i := range MaxHeaders {
		many[fmt.Sprintf("x-%d", i)] = "a"
	}
	if err := checkHeaders(many); err != nil {
		t.Error(err)
	}
	many["x-more"] = "a"
	for what, given := range map[string]map[string]string{"too many": many, "too long": {"x-a": strings.Repeat("a", MaxHeaderBytes)}} {
		if got := fieldsIn(checkHeaders(given)); !slices.Equal(got, []string{"headers"}) {
			t.Errorf("%s: %v", what, got)
		}
	}
	if got := fieldsIn(checkHeaders(map[string]string{"x-a": "1", "X-A": "2"})); !slices.Equal(got, []string{"headers.x-a"}) {
		t.Errorf("one name in two spellings: %v", got)
	}
}

func TestHeadersAreSealedAsTheyAreSentAndReadAgain(t *testing.T) {
	given := map[string]string{"authorization": "Bearer a: b", "X-KEY": "c d"}
	if wire := wireHeaders(given); wire != "X-Key: c d\r\nAuthorization: Bearer a: b\r\n" {
		t.Errorf("%q", wire)
	}
	got := headersOf(wireHeaders(given))
	if len(got) != 2 || got.Get("Authorization") != "Bearer a: b" || got.Get("X-Key") != "c d" || !slices.Equal(namesOf(given), []string{"X-Key", "Authorization"}) {
		t.Errorf("%v", got)
	}
}
