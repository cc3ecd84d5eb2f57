package gateway

import (
	"bytes"
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// Handler makes the Lambda handler of an http.Handler.
func Handler(h http.Handler) func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	return func(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		var r Recorder
		h.ServeHTTP(&r, Request(ctx, event))
		return r.response(), nil
	}
}

// Recorder is the http.ResponseWriter that keeps what is written. Its zero value is ready.
type Recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header is what the answer's header will be.
func (r *Recorder) Header() http.Header {
	if r.header == nil {
		r.header = http.Header{}
	}
	return r.header
}

// WriteHeader sets the status; the first one counts.
func (r *Recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *Recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}

// Status is the status that was written; 200 where none was.
func (r *Recorder) Status() int {
	if r.status == 0 {
		return http.StatusOK
	}
	return r.status
}

// Body is what was written.
func (r *Recorder) Body() []byte { return r.body.Bytes() }

func (r *Recorder) response() events.APIGatewayV2HTTPResponse {
	out := events.APIGatewayV2HTTPResponse{StatusCode: r.Status(), Headers: map[string]string{}}
	out.Cookies = r.Header().Values("Set-Cookie")
	for name, values := range r.Header() {
		if name != "Set-Cookie" {
			out.Headers[strings.ToLower(name)] = strings.Join(values, ", ")
		}
	}
	out.Body, out.IsBase64Encoded = text(r.Body())
	return out
}

// text is the body as a JSON string can carry it.
func text(b []byte) (body string, encoded bool) {
	if utf8.Valid(b) {
		return string(b), false
	}
	return base64.StdEncoding.EncodeToString(b), true
}
