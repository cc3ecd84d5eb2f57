// Package receiver is the HTTPS endpoint that providers call: POST, GET and HEAD /callbacks/{connection}.
//
// It promises:
//
//   - 2xx is said only when the receipt is stored, so a callback that was acknowledged is never lost.
//     While warm that is one request to AWS: one conditional PutItem.
//   - An unknown connection, an id that is none, and a wrong, missing, doubled, truncated or late signature
//     get the same 401, byte for byte, and nothing is written.
//   - Whatever AWS cannot do just now (or this process is not allowed to) is 503 with Retry-After, so that
//     the provider comes again.
//   - The log says which connection and why, and never holds a body, a secret or a signature.
package receiver

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/callback"
	"farrier/shared/cloud"
	"farrier/shared/problem"
)

const (
	// patience is how long a delivery may wait for AWS. Providers hang up early (NOWPayments after three
	// seconds), and a 503 in time is better than their time-out.
	patience = 2500 * time.Millisecond

	// comeAgain is the seconds after which a provider that heeds Retry-After is asked back.
	comeAgain = "10"
)

// The only things that a sender is told when it is not thanked. They are the same for everyone.
var (
	errRefused     = problem.New(problem.Unauthorized, "no connection has signed this callback within its time window")
	errTooLarge    = problem.New(problem.TooLarge, "the callback is larger than this endpoint takes")
	errNotEncoded  = problem.New(problem.Invalid, "the body is not the base64 that the event says it is")
	errUnavailable = problem.New(problem.Unavailable, "the callback could not be recorded; send it again")
)

// Receiver answers providers.
type Receiver struct {
	Known    *callback.Known
	Keyring  *callback.Keyring
	Receipts callback.Receipts
	Cap      int // the largest body, in bytes
	Metrics  cloud.Metrics
	Log      *slog.Logger
	Now      cloud.Clock
}

// Invoke is the Lambda handler. It never fails: trouble is an answer.
func (r *Receiver) Invoke(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	switch request.RequestContext.HTTP.Method {
	case http.MethodGet, http.MethodHead: // providers check a URL so; it tells nothing of the connection
		return answer(callback.Answer{Status: http.StatusOK}), nil
	case http.MethodPost:
		return r.post(ctx, request), nil
	default:
		return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusMethodNotAllowed, Headers: map[string]string{"allow": "GET, HEAD, POST"}}, nil
	}
}

func (r *Receiver) post(ctx context.Context, request events.APIGatewayV2HTTPRequest) events.APIGatewayV2HTTPResponse {
	body, err := r.body(request)
	if err != nil {
		r.Log.WarnContext(ctx, "callback not taken", "reason", err.Error())
		return told(err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	thanks, err := r.take(ctx, request.PathParameters["connection"], r.delivery(request, body))
	if err != nil {
		return told(err)
	}
	return answer(thanks)
}

func (r *Receiver) delivery(request events.APIGatewayV2HTTPRequest, body []byte) callback.Delivery {
	called := "https://" + request.RequestContext.DomainName + request.RawPath // as it came: some providers sign it
	if request.RawQueryString != "" {
		called += "?" + request.RawQueryString
	}
	query, _ := url.ParseQuery(request.RawQueryString) // what cannot be read is not there
	return callback.Delivery{
		Method: request.RequestContext.HTTP.Method, URL: called, Query: query,
		Headers: callback.NewHeaders(request.Headers), Body: body,
		SourceIP: request.RequestContext.HTTP.SourceIP, At: r.Now(),
	}
}

// body is the request's body byte for byte. What is over the cap is refused by its length, before it is decoded.
func (r *Receiver) body(request events.APIGatewayV2HTTPRequest) ([]byte, error) {
	if !request.IsBase64Encoded {
		if len(request.Body) > r.Cap {
			return nil, errTooLarge
		}
		return []byte(request.Body), nil
	}
	if len(request.Body) > base64.StdEncoding.EncodedLen(r.Cap) {
		return nil, errTooLarge
	}
	body, err := base64.StdEncoding.DecodeString(request.Body)
	if err != nil {
		return nil, errNotEncoded
	}
	if len(body) > r.Cap {
		return nil, errTooLarge
	}
	return body, nil
}

// take believes a delivery or not, keeps it, and gives the answer that its provider wants.
func (r *Receiver) take(ctx context.Context, id string, d callback.Delivery) (callback.Answer, error) {
	connection, err := r.Known.Find(ctx, id)
	if errors.Is(err, callback.ErrUnknown) {
		callback.VerifyForNobody(d)
		r.Log.WarnContext(ctx, "callback for no connection")
		r.Metrics.Count("UnknownConnection", 1, nil)
		return callback.Answer{}, errRefused
	}
	if err != nil {
		return callback.Answer{}, r.unavailable(ctx, id, err)
	}
	event, err := connection.Verify(ctx, d, r.Keyring)
	var refused callback.Refused
	if errors.As(err, &refused) {
		r.Log.WarnContext(ctx, "callback refused", "connection", connection.ID, "provider", connection.Provider, "reason", string(refused))
		r.Metrics.Count(metricOf(refused), 1, map[string]string{"connection": connection.ID, "provider": connection.Provider, "reason": string(refused)})
		return callback.Answer{}, errRefused
	}
	if err != nil {
		return callback.Answer{}, r.unavailable(ctx, id, err)
	}
	kept, err := r.Receipts.Keep(ctx, callback.NewReceipt(connection, event, d))
	if err != nil {
		return callback.Answer{}, r.unavailable(ctx, id, err)
	}
	r.tell(ctx, connection, event, kept)
	return connection.Answer(), nil
}

// metricOf tells a right sender whose secret is another by now from whoever tries at a known connection, and both from a
// provider that goes on where nobody listens. What is sent to unknown connections counts as none of them.
func metricOf(refused callback.Refused) string {
	switch refused {
	case callback.NoMatch, callback.KeyUnknown, callback.OutsideWindow:
		return "SignatureRefused"
	case callback.Disabled:
		return "ConnectionDisabled"
	default:
		return "CallbackRefused"
	}
}

// tell counts every delivery of a second body, not only the first of them: a count too many is seen, a lost one is not.
func (r *Receiver) tell(ctx context.Context, c callback.Connection, event string, kept callback.Kept) {
	about := []any{"connection", c.ID, "provider", c.Provider, "event", event, "kept", string(kept)}
	if kept == callback.Beside {
		r.Log.ErrorContext(ctx, "callback with another body under a known id", about...)
		r.Metrics.Count("CallbackConflict", 1, map[string]string{"connection": c.ID, "provider": c.Provider})
		return
	}
	r.Log.InfoContext(ctx, "callback kept", about...)
}

func (r *Receiver) unavailable(ctx context.Context, connection string, err error) error {
	r.Log.ErrorContext(ctx, "callback not kept", "connection", connection, "error", err.Error())
	r.Metrics.Count("CallbackUnavailable", 1, nil)
	return errUnavailable
}

func answer(a callback.Answer) events.APIGatewayV2HTTPResponse {
	response := events.APIGatewayV2HTTPResponse{StatusCode: a.Status, Body: a.Body, Headers: map[string]string{"cache-control": "no-store"}}
	if a.ContentType != "" {
		response.Headers["content-type"] = a.ContentType
	}
	return response
}

// told is a problem on the wire (RFC 9457).
func told(err error) events.APIGatewayV2HTTPResponse {
	p := problem.Of(err)
	body, _ := json.Marshal(struct {
		Type   string       `json:"type"`
		Title  string       `json:"title"`
		Status int          `json:"status"`
		Code   problem.Code `json:"code"`
		Detail string       `json:"detail"`
	}{"about:blank", http.StatusText(p.Status()), p.Status(), p.Code, p.Detail})
	response := answer(callback.Answer{Status: p.Status(), ContentType: "application/problem+json", Body: string(body)})
	if p.Code == problem.Unavailable {
		response.Headers["retry-after"] = comeAgain
	}
	return response
}
