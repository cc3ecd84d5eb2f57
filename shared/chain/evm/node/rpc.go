package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// client speaks JSON-RPC 2.0 over HTTP to one endpoint (https://www.jsonrpc.org/specification).
type client struct {
	url  string // may hold the operator's key: it never appears in an error
	http *http.Client
	cap  int64 // bytes of one answer
}

// call is one question and, once asked, its answer.
type call struct {
	method string
	params []any
	result json.RawMessage
	err    error // of this call alone: *RefusedError
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

// ask puts all calls in one HTTP request. Its error is that of the exchange; each call has its own besides.
func (c *client) ask(ctx context.Context, calls ...*call) error {
	requests := make([]request, len(calls))
	for i, q := range calls {
		params := q.params
		if params == nil {
			params = []any{}
		}
		requests[i] = request{Version: "2.0", ID: i + 1, Method: q.method, Params: params}
	}
	var question any = requests
	if len(requests) == 1 {
		question = requests[0] // some nodes know no batches
	}
	body, err := json.Marshal(question)
	if err != nil {
		return fmt.Errorf("node: %w", err)
	}
	answer, status, err := c.post(ctx, body)
	if err != nil {
		return err
	}
	responses, err := parse(answer)
	switch {
	case err != nil && status != http.StatusOK:
		return &StatusError{Status: status}
	case err != nil:
		return strange(calls[0].method, "%v", err)
	}
	return match(calls, responses)
}

func (c *client) post(ctx context.Context, body []byte) ([]byte, int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, 0, errors.New("node: the endpoint is no URL")
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		var named *url.Error
		if errors.As(err, &named) {
			err = named.Err // without the URL
		}
		return nil, 0, fmt.Errorf("node: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, c.cap+1))
	if err != nil {
		return nil, 0, fmt.Errorf("node: the answer broke off: %w", err)
	}
	if int64(len(answer)) > c.cap {
		return nil, 0, &TooLargeError{Cap: c.cap}
	}
	return answer, resp.StatusCode, nil
}

// parse reads one response or a batch of them.
func parse(answer []byte) ([]response, error) {
	if trimmed := bytes.TrimLeft(answer, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '[' {
		var many []response
		if err := json.Unmarshal(answer, &many); err != nil {
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
func match(calls []*call, responses []response) error {
	if len(responses) == 1 && responses[0].Error != nil && (responses[0].ID == nil || len(calls) > 1) {
		return refusal(calls[0], responses[0]) // the request as a whole
	}
	answered := 0
	for _, r := range responses {
		if r.ID == nil || *r.ID < 1 || *r.ID > len(calls) {
			return strange(calls[0].method, "an answer that was not asked for")
		}
		q := calls[*r.ID-1]
		switch {
		case q.result != nil || q.err != nil:
			return strange(q.method, "two answers to one question")
		case r.Error != nil:
			q.err = refusal(q, r)
		case r.Result == nil:
			return strange(q.method, "neither a result nor an error")
		default:
			q.result = r.Result
		}
		answered++
	}
	if answered != len(calls) {
		return strange(calls[0].method, "%d answers to %d questions", answered, len(calls))
	}
	return nil
}

func refusal(q *call, r response) error {
	return &RefusedError{Method: q.method, Code: r.Error.Code, Message: r.Error.Message}
}

// null says whether the node answered that it knows no such thing.
func (q *call) null() bool {
	return q.err == nil && bytes.Equal(bytes.TrimSpace(q.result), []byte("null"))
}

// read decodes an answer that must not be null.
func (q *call) read(into any) error {
	switch {
	case q.err != nil:
		return q.err
	case q.null():
		return strange(q.method, "null")
	}
	if err := json.Unmarshal(q.result, into); err != nil {
		return strange(q.method, "not of the expected form")
	}
	return nil
}
