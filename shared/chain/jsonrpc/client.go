package jsonrpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"
)

// Client speaks to one endpoint.
type Client struct {
	URL    string // may hold the operator's key or user:password: it never appears in an error
	HTTP   *http.Client
	Cap    int64       // bytes of one HTTP answer
	Header http.Header // sent along with every request, such as a provider's key

	name  string
	tally *tally // shared by the client's copies
}

// tally is how much was asked, and how long one request took at the most.
type tally struct{ requests, calls, longest atomic.Int64 }

const (
	maxAnswer = 32 << 20         // a full block of a busy chain has about a megabyte
	small     = 256 << 10        // of a call that says nothing else
	patience  = 15 * time.Second // for one HTTP request
)

// Open is a client of an http or https URL with the usual bounds. Its error does not repeat the URL.
func Open(text string, transport http.RoundTripper) (*Client, error) {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, errors.New("is no http or https URL")
	}
	return &Client{URL: text, HTTP: &http.Client{Transport: transport, Timeout: patience}, Cap: maxAnswer, name: u.Hostname(), tally: &tally{}}, nil
}

// Name is the host, which holds no key as the rest of the URL may.
func (c *Client) Name() string { return c.name }

// Counts is how many HTTP requests were sent since the client was opened, and how many calls they held: providers
// charge for the second. A client that was not opened counts nothing.
func (c *Client) Counts() (requests, calls int64) {
	if c.tally == nil {
		return 0, 0
	}
	return c.tally.requests.Load(), c.tally.calls.Load()
}

func (c *Client) count(calls int) {
	if c.tally != nil {
		c.tally.requests.Add(1)
		c.tally.calls.Add(int64(calls))
	}
}

// Slowest is the longest that a request took since it was last asked for, whether it was answered or not.
func (c *Client) Slowest() time.Duration {
	if c.tally == nil {
		return 0
	}
	return time.Duration(c.tally.longest.Swap(0))
}

func (c *Client) took(since time.Time) {
	if c.tally != nil {
		c.tally.longest.Store(max(c.tally.longest.Load(), int64(time.Since(since))))
	}
}

// Patience is how long the client waits for one request.
func (c *Client) Patience() time.Duration { return c.HTTP.Timeout }

// Call is one question and, once asked, its answer.
type Call struct {
	Method string
	Params []any
	Cap    int64 // bytes of its answer; 0 for a few hundred thousand
	Err    error // of this call alone: *RefusedError

	result json.RawMessage
}

// Medium is the Cap of a call whose answer names a block's transactions: fifty thousand of them.
const Medium = 4 << 20

// Large is the Cap of a call whose answer may be as large as the client takes: a whole block, its traces, logs, receipts.
const Large = math.MaxInt64

// cap is how large the answer to all calls may be.
func (c *Client) cap(calls []*Call) int64 {
	sum := int64(0)
	for _, q := range calls {
		own := q.Cap
		if own == 0 {
			own = small
		}
		sum += min(own, c.Cap-sum)
	}
	return sum
}

type request struct {
	Version string `json:"jsonrpc"`
	ID      int    `json:"id"`
	Method  string `json:"method"`
	Params  []any  `json:"params"`
}

type response struct {
	ID     *int            `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// Ask puts all calls in one HTTP request. Its error is that of the exchange; each call has its own besides.
func (c *Client) Ask(ctx context.Context, calls ...*Call) error {
	requests := make([]request, len(calls))
	for i, q := range calls {
		params := q.Params
		if params == nil {
			params = []any{}
		}
		requests[i] = request{Version: "2.0", ID: i + 1, Method: q.Method, Params: params}
	}
	var question any = requests
	if len(requests) == 1 {
		question = requests[0] // some nodes know no batches
	}
	body, err := json.Marshal(question)
	if err != nil {
		return fmt.Errorf("node: %w", err)
	}
	answer, status, err := c.post(ctx, body, len(calls), c.cap(calls))
	if err != nil {
		return err
	}
	responses, err := parse(answer, len(calls))
	switch {
	case err != nil && status.Status != http.StatusOK:
		return &status
	case err != nil:
		return Strange(calls[0].Method, "%v", err)
	}
	return match(calls, responses)
}

// Post sends a body of JSON and gives what was answered, with which status. It is for nodes that speak another
// API beside JSON-RPC. A throttled request is an error whatever its body says.
func (c *Client) Post(ctx context.Context, body []byte) ([]byte, StatusError, error) {
	return c.post(ctx, body, 1, c.Cap)
}

func (c *Client) post(ctx context.Context, body []byte, calls int, most int64) ([]byte, StatusError, error) {
	c.count(calls)
	defer c.took(time.Now())
	var taken atomic.Bool
	req, err := c.request(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(w httptrace.WroteRequestInfo) { taken.Store(w.Err == nil) },
	}), body)
	if err != nil {
		return nil, StatusError{}, err
	}
	resp, err := stayHere(c.HTTP).Do(req)
	if err != nil {
		if taken.Load() && late(ctx, err) {
			return nil, StatusError{}, &LateError{After: c.Patience()}
		}
		var named *url.Error
		if errors.As(err, &named) {
			err = named.Err // without the URL
		}
		return nil, StatusError{}, fmt.Errorf("node: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	status := StatusError{Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header.Get("Retry-After"))}
	if status.Status == http.StatusTooManyRequests {
		return nil, status, &status
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if late(ctx, err) {
		return nil, status, &LateError{After: c.Patience()}
	}
	if err != nil {
		return nil, status, fmt.Errorf("node: the answer broke off: %w", err)
	}
	if int64(len(answer)) > most {
		return nil, status, &TooLargeError{Cap: most}
	}
	return answer, status, nil
}

// late says whether our own patience ended and not the caller's.
func late(ctx context.Context, err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout() && ctx.Err() == nil
}

// request moves user and password from the URL into the header that they are for.
func (c *Client) request(ctx context.Context, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("node: the endpoint is no URL")
	}
	for name, values := range c.Header {
		req.Header[name] = values
	}
	if user := req.URL.User; user != nil {
		password, _ := user.Password()
		req.SetBasicAuth(user.Username(), password)
		req.URL.User = nil
	}
	req.Header.Set("Content-Type", "application/json")
	return req, nil
}

// stayHere is the client without redirects. A copy shares its transport, and so its connections.
func stayHere(c *http.Client) *http.Client {
	here := *c
	here.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &here
}

// retryAfter reads seconds; a date, which no provider of nodes is known to send, says nothing here
// (https://www.rfc-editor.org/rfc/rfc9110#field.retry-after).
func retryAfter(text string) time.Duration {
	seconds, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second // #nosec G115 -- of 31 bits
}

// parse reads one response or a batch of them, and no more of them than there are questions.
func parse(answer []byte, questions int) ([]response, error) {
	if trimmed := bytes.TrimLeft(answer, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '[' {
		many, err := list[response](answer, questions)
		if errors.Is(err, errTooMany) {
			return nil, err
		}
		if err != nil {
			return nil, errors.New("the answer is not whole JSON")
		}
		return many, nil
	}
	var one response
	if err := json.Unmarshal(answer, &one); err != nil {
		return nil, errors.New("the answer is not whole JSON")
	}
	if one.Result == nil && one.Error == nil {
		return nil, errors.New("the answer is not JSON-RPC")
	}
	return []response{one}, nil
}

// match gives each call its own response: exactly one for each, in any order.
func match(calls []*Call, responses []response) error {
	if len(responses) == 1 && responses[0].Error != nil && (responses[0].ID == nil || len(calls) > 1) {
		return refusal(calls[0], responses[0]) // the request as a whole
	}
	answered := 0
	for _, r := range responses {
		if r.ID == nil || *r.ID < 1 || *r.ID > len(calls) {
			return Strange(calls[0].Method, "an answer that was not asked for")
		}
		q := calls[*r.ID-1]
		switch {
		case q.result != nil || q.Err != nil:
			return Strange(q.Method, "two answers to one question")
		case r.Error != nil:
			q.Err = refusal(q, r)
		case r.Result == nil:
			return Strange(q.Method, "neither a result nor an error")
		default:
			q.result = r.Result
		}
		answered++
	}
	if answered != len(calls) {
		return Strange(calls[0].Method, "%d answers to %d questions", answered, len(calls))
	}
	return nil
}

func refusal(q *Call, r response) error {
	return &RefusedError{Method: q.Method, Code: r.Error.Code, Message: r.Error.Message}
}

// Null says whether the node answered that it knows no such thing.
func (q *Call) Null() bool {
	return q.Err == nil && bytes.Equal(bytes.TrimSpace(q.result), []byte("null"))
}

// Read decodes an answer that must not be null.
func (q *Call) Read(into any) error {
	switch {
	case q.Err != nil:
		return q.Err
	case q.Null():
		return Strange(q.Method, "null")
	}
	if err := json.Unmarshal(q.result, into); err != nil {
		return Strange(q.Method, "not of the expected form")
	}
	return nil
}
