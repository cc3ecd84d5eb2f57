package node

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"farrier/shared/chain/jsonrpc"
)

// keyHeader carries the key of TronGrid and of those who took over its manner
// (https://developers.tron.network/reference/select-network, read on 2026-11-29).
const keyHeader = "TRON-PRO-API-KEY"

// open reads an endpoint: the URL below which /jsonrpc, /wallet and /walletsolidity lie. The one of the
// JSON-RPC API itself is taken for it too. A key is written as the password of a user TRON-PRO-API-KEY:
// what stands there is known to be secret to whatever shows URLs (net/url's Redacted, browsers, proxies'
// logs), and it is taken out of the URL here before anything is asked.
func open(text string, transport http.RoundTripper) (*endpoint, error) {
	client, err := jsonrpc.Open(text, transport)
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(client.URL)
	if err != nil {
		return nil, err // not reached: Open has read it
	}
	if key, ok := base.User.Password(); ok && strings.EqualFold(base.User.Username(), keyHeader) {
		client.Header = http.Header{http.CanonicalHeaderKey(keyHeader): {key}}
		base.User = nil
	}
	base.Path, base.RawPath = below(base.Path), below(base.RawPath)
	e := &endpoint{Client: client, base: base}
	client.URL = e.at("jsonrpc")
	return e, nil
}

func below(path string) string { return strings.TrimSuffix(strings.TrimSuffix(path, "/"), "/jsonrpc") }

func (e *endpoint) at(path string) string { return e.base.JoinPath(path).String() }

// tell asks the HTTP API and reads its answer. Nothing there is answered with {}: tell then gives false.
func (e *endpoint) tell(ctx context.Context, path string, question any, into any) (bool, error) {
	body, err := json.Marshal(question)
	if err != nil {
		return false, err
	}
	client := *e.Client
	client.URL = e.at(path)
	answer, status, err := client.Post(ctx, body)
	switch {
	case err != nil:
		return false, err
	case status.Status != http.StatusOK:
		return false, &status
	case bytes.Equal(bytes.TrimSpace(answer), []byte("{}")):
		return false, nil
	}
	var refused struct {
		Error string `json:"Error"`
	}
	if list := bytes.HasPrefix(bytes.TrimSpace(answer), []byte("[")); !list && json.Unmarshal(answer, &refused) != nil {
		return false, jsonrpc.Strange(path, "the answer is not a whole JSON object")
	}
	if refused.Error != "" {
		return false, refusal(path, refused.Error)
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return false, jsonrpc.Strange(path, "not of the expected form")
	}
	return true, nil
}

// throttled is what a node says, with HTTP status 200, to one who asks too often
// (https://tronprotocol.github.io/documentation-en/api/http/, read on 2026-11-29).
const throttled = "lack of computing resources"

func refusal(path, says string) error {
	if strings.Contains(says, throttled) {
		return &jsonrpc.StatusError{Status: http.StatusTooManyRequests}
	}
	return &jsonrpc.RefusedError{Method: path, Message: says}
}
