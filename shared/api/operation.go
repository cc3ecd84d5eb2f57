package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"farrier/shared/merchant"
)

// route is what is to be said of an operation beside the types of what it takes and gives.
type route struct {
	ID, Method, Path string
	Tag, Summary     string
	More             string         // what the summary leaves out
	Scope            merchant.Scope // that the key must have; empty for a route that takes no key
	Also             merchant.Scope // a second one that it must have
	Status           int            // of success; 200 where it is 0
	Errors           []int          // that this route has besides those that all have
	Example          any            // of a body that is asked
	Answer           any            // of a body that is given
	Keyed            bool           // takes an Idempotency-Key, as every POST does
	Nulls            []string       // fields that may be null
	Blank            string         // a parameter that may be there without a value
	Room             Room           // that serves it; Front where it is empty
	OwnRecord        bool           // the thing that is made is itself the record of its Idempotency-Key
}

// register adds an operation to the routes and to the document.
func register[In, Out any](a *API, to huma.API, r route, handle func(context.Context, *In) (*Out, error)) {
	huma.Register(to, r.operation(), func(ctx context.Context, in *In) (*Out, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, a.explain(ctx, a.operations[r.ID], err)
		}
		return out, nil
	})
	for status, answer := range a.operations[r.ID].Responses {
		if example, ok := exampleProblems[status]; ok {
			answer.Content["application/problem+json"].Example = example
		}
	}
}

func (r route) operation() huma.Operation {
	op := huma.Operation{
		OperationID: r.ID, Method: r.Method, Path: r.Path, Tags: []string{r.Tag}, Summary: r.Summary, Description: r.More,
		DefaultStatus: max(r.Status, http.StatusOK), MaxBodyBytes: -1, // readable has measured it
		Errors:    append([]int{http.StatusBadRequest, http.StatusUnprocessableEntity}, r.Errors...),
		Responses: map[string]*huma.Response{},
		Metadata:  map[string]any{"route": r},
	}
	if r.Scope != "" {
		var names []string
		for _, s := range r.scopes() {
			names = append(names, string(s))
		}
		op.Security = []map[string][]string{{"key": names}}
		op.Description = fmt.Sprintf("%sScope: `%s`.", sentence(r.More), strings.Join(names, "` and `"))
		op.Errors = append(op.Errors, http.StatusUnauthorized, http.StatusForbidden)
	}
	if r.takesBody() {
		op.Errors = append(op.Errors, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	if r.isKeyed() {
		op.Errors = append(op.Errors, http.StatusConflict)
		op.Parameters = append(op.Parameters, idempotencyParameter(r.OwnRecord))
	}
	if r.Example != nil {
		op.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{"application/json": {Example: r.Example}}}
	}
	if r.Answer != nil {
		op.Responses[strconv.Itoa(op.DefaultStatus)] = &huma.Response{Content: map[string]*huma.MediaType{"application/json": {Example: r.Answer}}}
	}
	return op
}

// scopes are those that the key must have.
func (r route) scopes() []merchant.Scope {
	if r.Also != "" {
		return []merchant.Scope{r.Scope, r.Also}
	}
	return []merchant.Scope{r.Scope}
}

func (r route) takesBody() bool { return r.Method == http.MethodPost || r.Method == http.MethodPatch }

// isKeyed says whether the route takes an Idempotency-Key.
func (r route) isKeyed() bool { return r.Keyed || r.Method == http.MethodPost }

func sentence(s string) string {
	if s == "" {
		return ""
	}
	return s + "\n\n"
}

// The two ways in which a key makes a request safe: its answer is kept, or what it made is found again.
const (
	answerKept = "Makes the request safe to send again: for a day the same key and body get the first answer again."
	foundAgain = "Stands for one request for ever: the same request under it gives what the first one made, as it stands now; another one is refused (422 key_reused). " +
		"A request that is refused does not spend it."
)

func idempotencyParameter(ownRecord bool) *huma.Param {
	least, most, meaning := 1, 255, answerKept
	if ownRecord {
		meaning = foundAgain
	}
	return &huma.Param{
		Name: IdempotencyKey, In: "header",
		Description: meaning,
		Schema:      &huma.Schema{Type: huma.TypeString, MinLength: &least, MaxLength: &most, Pattern: `^[ -~]+$`},
		Example:     "order-1042",
	}
}

// adapter gives huma's operations to the mux, each behind what a request passes first.
type adapter struct {
	*http.ServeMux
	api *API
}

// Handle is called by huma for each operation.
func (d adapter) Handle(op *huma.Operation, handle func(huma.Context)) {
	d.api.operations[op.OperationID] = op
	r, _ := op.Metadata["route"].(route)
	var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handle(humago.NewContext(op, r, w))
	})
	h = d.api.recovered(h) // here, so that once sees a panic as a failure of ours
	if r.isKeyed() && !r.OwnRecord {
		h = d.api.once(op, h)
	}
	if r.isKeyed() {
		h = d.api.keyed(op, h)
	}
	h = d.api.readable(op, r, h)
	if r.Scope != "" {
		h = d.api.authorised(op, r.scopes(), h)
	}
	if !d.api.served(r) {
		h = http.HandlerFunc(d.api.notServed)
	}
	d.ServeMux.Handle(r.Method+" "+r.Path, h)
}
