// Package problem is the one error type that a caller of the API may see.
//
// It promises: an error made here is safe to show (it names a field and says what is wrong with
// it, never what was sent); every other error is shown as "internal" and its text goes to the log alone.
// The form on the wire is RFC 9457.
package problem

import (
	"errors"
	"net/http"
)

// Code is a stable word for the kind of trouble; clients may branch on it.
type Code string

// The kinds of trouble.
const (
	Malformed     Code = "malformed"      // 400: the body cannot be read as one JSON value
	Invalid       Code = "invalid"        // 422: a field is wrong
	Unauthorized  Code = "unauthorized"   // 401
	Forbidden     Code = "forbidden"      // 403: the key lacks a scope
	NotFound      Code = "not_found"      // 404
	WrongMethod   Code = "wrong_method"   // 405
	Conflict      Code = "conflict"       // 409
	ReferenceUsed Code = "reference_used" // 409: another request has made a payment, or a payout, with this reference
	Frozen        Code = "frozen"         // 409: payouts are frozen
	TooLarge      Code = "too_large"      // 413
	Unsupported   Code = "unsupported"    // 415: another content type than JSON
	KeyReused     Code = "key_reused"     // 422: Idempotency-Key with another body
	KeyInUse      Code = "key_in_use"     // 409: the first call with this Idempotency-Key is still running
	Unavailable   Code = "unavailable"    // 503: come again
	Internal      Code = "internal"       // 500
)

var statuses = map[Code]int{
	Malformed: http.StatusBadRequest, WrongMethod: http.StatusMethodNotAllowed, Unsupported: http.StatusUnsupportedMediaType,
	Invalid: http.StatusUnprocessableEntity, Unauthorized: http.StatusUnauthorized, Forbidden: http.StatusForbidden,
	NotFound: http.StatusNotFound, Conflict: http.StatusConflict, TooLarge: http.StatusRequestEntityTooLarge,
	ReferenceUsed: http.StatusConflict, Frozen: http.StatusConflict, KeyReused: http.StatusUnprocessableEntity, KeyInUse: http.StatusConflict,
	Unavailable: http.StatusServiceUnavailable, Internal: http.StatusInternalServerError,
}

// Error is a trouble that the caller may be told of.
type Error struct {
	Code   Code
	Field  string // where in the request, "amount" or "metadata.order"; empty where no single field is to blame
	Detail string // a sentence without secrets and without what was sent
}

func (e *Error) Error() string {
	if e.Field != "" {
		return e.Field + " " + e.Detail
	}
	return e.Detail
}

// Status is the HTTP status for the code.
func (e *Error) Status() int { return statuses[e.Code] }

// New makes an error of a kind.
func New(code Code, detail string) error { return &Error{Code: code, Detail: detail} }

// Field makes an Invalid error that names the field.
func Field(field, detail string) error { return &Error{Code: Invalid, Field: field, Detail: detail} }

// Of finds the Error in err, or the one that says only "internal".
func Of(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: Internal, Detail: "something went wrong here; it has been logged"}
}

// Is says whether err is a problem of this kind.
func Is(err error, code Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}
