package gateway

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

// event is one as AWS makes it, shortened to what is read.
const event = `{
  "version": "2.0", "routeKey": "$default", "rawPath": "/v1/payments/pay_1", "rawQueryString": "limit=2&cursor=a%2Fb",
  "cookies": ["a=1", "b=2"],
  "headers": {"host": "abc.execute-api.eu-west-1.amazonaws.com", "x-doubled": "one,two", "content-type": "text/plain"},
  "requestContext": {"domainName": "abc.execute-api.eu-west-1.amazonaws.com", "requestId": "JKJaXmPLvHcESHA=", "stage": "$default",
    "http": {"method": "POST", "path": "/v1/payments/pay_1", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "agent"}},
  "body": "hello", "isBase64Encoded": false
}`

func read(t *testing.T) events.APIGatewayV2HTTPRequest {
	t.Helper()
	var e events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal([]byte(event), &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestARequestIsWhatTheClientSent(t *testing.T) {
	r := Request(context.Background(), read(t))
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ got, want string }{
		"method":  {r.Method, "POST"},
		"path":    {r.URL.Path, "/v1/payments/pay_1"},
		"cursor":  {r.URL.Query().Get("cursor"), "a/b"},
		"host":    {r.Host, "abc.execute-api.eu-west-1.amazonaws.com"},
		"doubled": {r.Header.Get("X-Doubled"), "one,two"},
		"cookies": {r.Header.Get("Cookie"), "a=1; b=2"},
		"address": {r.RemoteAddr, "192.0.2.1"},
		"body":    {string(body), "hello"},
		"domain":  {OriginOf(r.Context()).Domain, "abc.execute-api.eu-west-1.amazonaws.com"},
		"request": {OriginOf(r.Context()).RequestID, "JKJaXmPLvHcESHA="},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", name, c.got, c.want)
		}
	}
}

func TestABodyInBase64IsDecoded(t *testing.T) {
	e := read(t)
	e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString([]byte("\xff\x00\xfe")), true
	body, err := io.ReadAll(Request(context.Background(), e).Body)
	if err != nil || string(body) != "\xff\x00\xfe" {
		t.Fatalf("%q, %v", body, err)
	}
}

func TestABodyThatCannotBeDecodedIsAnErrorOnReading(t *testing.T) {
	e := read(t)
	e.Body, e.IsBase64Encoded = "not base64!", true
	if body, err := io.ReadAll(Request(context.Background(), e).Body); err == nil {
		t.Fatalf("read %q", body)
	}
}

func TestAPathIsTakenWithAndWithoutItsEscapes(t *testing.T) {
	for raw, want := range map[string]string{"/a%20b": "/a b", "/a b": "/a b", "/100%": "/100%", "/%zz": "/%zz", "": ""} {
		e := read(t)
		e.RawPath = raw
		if got := Request(context.Background(), e).URL.Path; got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}

func TestAnAnswerArrivesAsItWasWritten(t *testing.T) {
	for _, body := range []string{"", `{"a":"é"}`, "\xff\xfe\x00"} {
		handle := Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Add("Set-Cookie", "a=1")
			w.Header().Add("Set-Cookie", "b=2")
			w.Header().Add("Vary", "Accept")
			w.Header().Add("Vary", "Origin")
			w.WriteHeader(http.StatusTeapot)
			w.WriteHeader(http.StatusOK) // the first status counts
			_, _ = io.WriteString(w, body)
		}))
		out, err := handle(context.Background(), read(t))
		if err != nil {
			t.Fatal(err)
		}
		got := out.Body
		if out.IsBase64Encoded {
			decoded, err := base64.StdEncoding.DecodeString(out.Body)
			if err != nil {
				t.Fatal(err)
			}
			got = string(decoded)
		}
		if got != body || out.StatusCode != http.StatusTeapot || out.Headers["vary"] != "Accept, Origin" || len(out.Cookies) != 2 {
			t.Errorf("%q: %+v", body, out)
		}
	}
}

func TestAnEventOfNothingIsStillARequest(t *testing.T) {
	handle := Handler(http.NotFoundHandler())
	out, err := handle(context.Background(), events.APIGatewayV2HTTPRequest{})
	if err != nil || out.StatusCode != http.StatusNotFound {
		t.Fatalf("%+v, %v", out, err)
	}
}
