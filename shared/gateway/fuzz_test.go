package gateway

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

// FuzzEvent: any event that API Gateway could make becomes a request whose body is the one that was sent, or an error
// on reading it; and the answer, whatever its bytes, arrives as it was written.
func FuzzEvent(f *testing.F) {
	f.Add([]byte(event))
	f.Add([]byte("{\"body\":\"\xff\"}"))
	for _, s := range []string{
		`{}`, `{"body":"AAE=","isBase64Encoded":true}`, `{"body":"not base64","isBase64Encoded":true}`, `{"body":"AA","isBase64Encoded":true}`, `{"body":"\ud800"}`, `{"rawPath":"/%zz","rawQueryString":"a=%zz&b"}`,
		`{"rawPath":"","requestContext":{"http":{"method":"a b"}}}`, `{"headers":{"":"x","a b":"\n","host":"h","Host":"g"},"cookies":["a=1","\n"]}`, `{"rawPath":"//a/../b","headers":null,"cookies":null}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var e events.APIGatewayV2HTTPRequest
		if json.Unmarshal(text, &e) != nil {
			return // Lambda gives the function no such event
		}
		want, undecoded := []byte(e.Body), error(nil)
		if e.IsBase64Encoded {
			want, undecoded = base64.StdEncoding.DecodeString(e.Body)
		}
		asked := 0
		out, err := Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked++
			body, err := io.ReadAll(r.Body)
			if (err == nil) != (undecoded == nil) || err == nil && !bytes.Equal(body, want) {
				t.Fatalf("%q: the body is %q, %v; want %q, %v", text, body, err, want, undecoded)
			}
			if r.Method != e.RequestContext.HTTP.Method || r.URL.RawQuery != e.RawQueryString || OriginOf(r.Context()).Domain != e.RequestContext.DomainName || r.Header.Get("Host") != "" {
				t.Fatalf("%q: %+v", text, r)
			}
			w.Header().Set("Content-Type", "text/plain")
			_, _ = w.Write(text)
		}))(context.Background(), e)
		if err != nil || asked != 1 || out.StatusCode != http.StatusOK {
			t.Fatalf("%q: %+v, %v", text, out, err)
		}
		sent, err := json.Marshal(out)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		var got events.APIGatewayV2HTTPResponse
		if err := json.Unmarshal(sent, &got); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		arrived := []byte(got.Body)
		if got.IsBase64Encoded {
			arrived, _ = base64.StdEncoding.DecodeString(got.Body)
		}
		if !bytes.Equal(arrived, text) {
			t.Fatalf("%q arrives as %q", text, arrived)
		}
	})
}
