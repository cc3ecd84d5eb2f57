package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/gateway"
	"farrier/shared/problem"
)

// Problem is the answer to whatever is not a success (RFC 9457). Nothing in it repeats what was sent,
// except the names of fields.
type Problem struct {
	Type    string       `json:"type" doc:"always about:blank: the code says more" example:"about:blank"`
	Title   string       `json:"title" doc:"the status in words" example:"Unprocessable Entity"`
	Status  int          `json:"status" example:"422"`
	Detail  string       `json:"detail" doc:"what is wrong, for a person" example:"amount: must be more than zero"`
	Code    problem.Code `json:"code" doc:"what is wrong, for a program" example:"invalid" enum:"malformed,invalid,unauthorized,forbidden,not_found,wrong_method,conflict,reference_used,frozen,too_large,unsupported,key_reused,key_in_use,unavailable,internal"`
	Errors  []Wrong      `json:"errors,omitempty" doc:"the fields that are wrong"`
	Request string       `json:"request,omitempty" doc:"of an internal error: name it when you report the error"`
}

// Wrong is one field that is wrong.
type Wrong struct {
	In      string `json:"in" enum:"body,query,path,header" example:"body"`
	Field   string `json:"field" doc:"empty where the body as a whole is wrong" example:"amount"`
	Message string `json:"message" example:"must be more than zero"`
}

// Error makes a Problem an error for huma.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is the status that huma answers with.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is RFC 9457's.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

func newProblem(code problem.Code, detail string, wrong ...Wrong) *Problem {
	status := (&problem.Error{Code: code}).Status()
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Code: code, Errors: wrong}
}

func internal(ctx context.Context) *Problem {
	p := newProblem(problem.Internal, problem.Of(nil).Detail)
	p.Request = gateway.OriginOf(ctx).RequestID
	return p
}

// explain turns an error into what the caller may see of it. What is not a problem goes to the log alone.
func (a *API) explain(ctx context.Context, op *huma.Operation, err error) *Problem {
	var asked *Problem
	if errors.As(err, &asked) {
		return asked
	}
	known := problemsIn(err)
	if len(known) == 0 {
		a.Log.ErrorContext(ctx, "request failed", "request", gateway.OriginOf(ctx).RequestID, "error", err)
		return internal(ctx)
	}
	var wrong []Wrong
	for _, k := range known {
		if k.Field != "" {
			wrong = append(wrong, Wrong{In: whereIs(op, k.Field), Field: clip(k.Field), Message: k.Detail})
		}
	}
	if len(wrong) == 0 {
		return newProblem(known[0].Code, known[0].Detail)
	}
	return newProblem(known[0].Code, wrong[0].Field+": "+wrong[0].Message, wrong...)
}

// exampleProblems are for the document, by status.
var exampleProblems = map[string]*Problem{
	"400": newProblem(problem.Malformed, "the body is not JSON: read until byte 17"),
	"401": newProblem(problem.Unauthorized, "give a key that is valid, as Authorization: Bearer …"),
	"403": newProblem(problem.Forbidden, "this key does not have the scope payments:write"),
	"404": newProblem(problem.NotFound, "there is no such payment"),
	"409": newProblem(problem.KeyInUse, "the first call with this Idempotency-Key is still running; come again in a minute"),
	"413": newProblem(problem.TooLarge, "the body is longer than 262144 bytes"),
	"415": newProblem(problem.Unsupported, "the body must be JSON, with Content-Type: application/json"),
	"422": newProblem(problem.Invalid, "amount: must be more than zero", Wrong{In: "body", Field: "amount", Message: "must be more than zero"}),
	"503": newProblem(problem.Unavailable, "it is not known just now what a transaction on eip155:137 costs; come again in a few minutes"),
	"500": newProblem(problem.Internal, problem.Of(nil).Detail),
}

// problemsIn finds every problem in an error that may join several.
func problemsIn(err error) []*problem.Error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*problem.Error
		for _, e := range joined.Unwrap() {
			all = append(all, problemsIn(e)...)
		}
		return all
	}
	var one *problem.Error
	if errors.As(err, &one) {
		return []*problem.Error{one}
	}
	return nil
}

// refuse answers with what is wrong. The operation is nil where no route was found.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, op *huma.Operation, err error) {
	a.write(w, a.explain(r.Context(), op, err))
}

func (a *API) write(w http.ResponseWriter, p *Problem) {
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer") // RFC 6750, section 3
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// whereIs says where a field that a store names stands in the request.
func whereIs(op *huma.Operation, field string) string {
	if op != nil {
		for _, p := range op.Parameters {
			if p.Name == field {
				return p.In
			}
		}
	}
	return "body"
}

// longestField is how much of a name that the caller invented is repeated.
const longestField = 100

func clip(field string) string {
	if len(field) <= longestField {
		return field
	}
	return strings.ToValidUTF8(field[:longestField], "") + "…"
}

// fromHuma is huma's way to make an error. It takes the place and the message of what huma found and leaves
// the value.
func fromHuma(status int, message string, errs ...error) huma.StatusError {
	var wrong []Wrong
	for _, err := range errs {
		var d *huma.ErrorDetail
		if errors.As(err, &d) {
			wrong = append(wrong, wrongOf(d))
		}
	}
	if len(wrong) > 0 {
		message = cmp.Or(wrong[0].Field, "body") + ": " + wrong[0].Message
	}
	switch status {
	case http.StatusUnprocessableEntity:
		return newProblem(problem.Invalid, message, wrong...)
	case http.StatusBadRequest:
		return newProblem(problem.Malformed, message, wrong...)
	default:
		return internal(context.Background())
	}
}

func wrongOf(d *huma.ErrorDetail) Wrong {
	in, field, _ := strings.Cut(d.Location, ".")
	if rest, ok := strings.CutPrefix(in, "body["); ok {
		in, field = "body", "["+rest
	}
	message := d.Message
	if name, ok := cutAround(message, "expected required property ", " to be present"); ok { // huma names the object that lacks it
		field, message = strings.TrimPrefix(field+"."+name, "."), "is missing"
	}
	if strings.HasPrefix(message, "json: ") { // the decoder repeats what it could not read
		message = "cannot be read"
	}
	return Wrong{In: in, Field: clip(field), Message: message}
}

func cutAround(s, before, after string) (string, bool) {
	s, ok := strings.CutPrefix(s, before)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(s, after)
}
