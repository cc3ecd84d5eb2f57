package gateway

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// Origin is where a request came in.
type Origin struct {
	Domain    string // the host name that the API was called by, which AWS vouches for
	Host      string // the header Host, as the client sent it
	RequestID string
}

type originKey struct{}

// OriginOf finds the origin in a request's context; it is empty where no gateway made the request.
func OriginOf(ctx context.Context) Origin {
	origin, _ := ctx.Value(originKey{}).(Origin)
	return origin
}

// Request makes the request that an event stands for.
func Request(ctx context.Context, event events.APIGatewayV2HTTPRequest) *http.Request {
	r := &http.Request{
		Method: event.RequestContext.HTTP.Method,
		URL:    target(event.RawPath, event.RawQueryString),
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:     header(event),
		RemoteAddr: event.RequestContext.HTTP.SourceIP,
		Body:       io.NopCloser(body(event)),
	}
	r.Host = r.Header.Get("Host")
	r.Header.Del("Host")
	origin := Origin{Domain: event.RequestContext.DomainName, Host: r.Host, RequestID: event.RequestContext.RequestID}
	return r.WithContext(context.WithValue(ctx, originKey{}, origin))
}

// target takes the raw path with or without its escapes: an HTTP API has undone them, other callers have not.
func target(path, query string) *url.URL {
	if decoded, err := url.PathUnescape(path); err == nil {
		return &url.URL{Path: decoded, RawPath: path, RawQuery: query}
	}
	return &url.URL{Path: path, RawQuery: query}
}

func header(event events.APIGatewayV2HTTPRequest) http.Header {
	h := http.Header{}
	for name, value := range event.Headers {
		h.Set(name, value)
	}
	if len(event.Cookies) > 0 {
		h.Set("Cookie", strings.Join(event.Cookies, "; "))
	}
	return h
}

func body(event events.APIGatewayV2HTTPRequest) io.Reader {
	text := strings.NewReader(event.Body)
	if event.IsBase64Encoded {
		return base64.NewDecoder(base64.StdEncoding, text)
	}
	return text
}
