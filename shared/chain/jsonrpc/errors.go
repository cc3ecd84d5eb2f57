package jsonrpc

import (
	"errors"
	"fmt"
	"net/http"
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

// TooMuch says whether a narrower question may be answered where this one was not. It goes by the kind
// of the error and not by its words, which differ from provider to provider
// ("query returned more than 10000 results", "block range is too wide", "response size exceeded").
func TooMuch(err error) bool {
	var refused *RefusedError
	var large *TooLargeError
	var status *StatusError
	return errors.As(err, &refused) || errors.As(err, &large) ||
		(errors.As(err, &status) && status.Status == http.StatusRequestEntityTooLarge)
}
