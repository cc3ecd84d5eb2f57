package jsonrpc

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// AnswerError is an answer that cannot be what it claims to be.
type AnswerError struct {
	Method string
	Reason string
}

func (e *AnswerError) Error() string { return fmt.Sprintf("node: %s: %s", e.Method, e.Reason) }

// Strange is an *AnswerError.
func Strange(method, format string, args ...any) error {
	return &AnswerError{Method: method, Reason: fmt.Sprintf(format, args...)}
}

// RefusedError is an error that the node itself answered: a limit, an unknown method, a range too wide.
type RefusedError struct {
	Method  string
	Code    int
	Message string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("node: %s refused with %d: %.200s", e.Method, e.Code, e.Message)
}

// StatusError is an HTTP answer that is no JSON-RPC: 429 while an account is throttled, 502 of a proxy.
type StatusError struct {
	Status     int
	RetryAfter time.Duration // what the answer asks to wait; 0 where it says nothing
}

func (e *StatusError) Error() string { return fmt.Sprintf("node: HTTP status %d", e.Status) }

// TooLargeError is an answer beyond the cap.
type TooLargeError struct{ Cap int64 }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("node: the answer is larger than %d bytes", e.Cap)
}

// LateError is a question that an endpoint took and did not answer within the time that we wait.
type LateError struct{ After time.Duration }

func (e *LateError) Error() string { return fmt.Sprintf("node: no whole answer within %s", e.After) }

// Codes of JSON-RPC for a limit: Infura's and others' by EIP-1474, Alchemy's by its own
// (https://eips.ethereum.org/EIPS/eip-1474#error-codes, https://www.alchemy.com/docs/reference/error-reference, 2026-11).
const (
	limitExceeded   = -32005
	tooManyRequests = 429
)

// mistaken are the codes of a question that no narrower one mends: no JSON, no request, no such method
// (https://www.jsonrpc.org/specification#error_object).
var mistaken = []int{-32700, -32600, -32601}

// TooMuch says whether a narrower question may be answered where this one was not. It goes by the kind
// of the error and not by its words, which differ from provider to provider
// ("query returned more than 10000 results", "block range is too wide", "response size exceeded").
func TooMuch(err error) bool {
	var refused *RefusedError
	var large *TooLargeError
	var status *StatusError
	return errors.As(err, &refused) && refused.Code != tooManyRequests && !slices.Contains(mistaken, refused.Code) ||
		errors.As(err, &large) || Late(err) ||
		errors.As(err, &status) && status.Status == http.StatusRequestEntityTooLarge
}

// Late says whether we waited in vain. Whoever asks less at once after it should do so in the next question: each costs as long again.
func Late(err error) bool {
	var late *LateError
	return errors.As(err, &late)
}

// Limited says whether a limit was exceeded: that of an answer's size, which asking for half shows, or that of calls in a time.
func Limited(err error) bool {
	var refused *RefusedError
	return errors.As(err, &refused) && (refused.Code == limitExceeded || refused.Code == tooManyRequests)
}
