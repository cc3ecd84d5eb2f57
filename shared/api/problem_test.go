package api

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/problem"
)

func TestAPathThatIsNot(t *testing.T) {
	for _, path := range []string{"/", "/v1", "/v1/", "/v1/payment", "/v1/payments/", "//v1/payments", "/v1/../v1/payments", "/v1//payments", "/docs", "/openapi.yaml", "/schemas/Payment.json", "/v1/payments/a/b", "", "/%FF"} {
		r := do(t, unwired(), call{method: http.MethodGet, path: path}).wantProblem(t, http.StatusNotFound, "not_found")
		if strings.Contains(r.Body, "payment") {
			t.Errorf("%s: %s", path, r.Body)
		}
	}
}

func TestAMethodThatAPathDoesNotTake(t *testing.T) {
	for path, c := range map[string]struct{ method, allow string }{
		"/v1/payments":           {http.MethodDelete, "GET, HEAD, POST"},
		"/v1/payments/x":         {http.MethodPost, "GET, HEAD"},
		"/v1/merchants":          {http.MethodGet, "POST"},
		"/v1/health":             {"BREW", "GET, HEAD"},
		"/openapi.json":          {http.MethodPut, "GET, HEAD"},
		"/v1/events/x":           {http.MethodOptions, "GET, HEAD"},
		"/v1/merchants/x/keys/y": {http.MethodPatch, "DELETE"},
	} {
		r := do(t, unwired(), call{method: c.method, path: path}).wantProblem(t, http.StatusMethodNotAllowed, "wrong_method")
		if r.Headers["allow"] != c.allow {
			t.Errorf("%s %s: Allow: %s", c.method, path, r.Headers["allow"])
		}
	}
}

func TestAnErrorOfOursIsToldToTheLogAlone(t *testing.T) {
	b := newBench(t)
	_, key := b.merchant()
	b.Payments.Payments.Name = "no-such-table"
	r := b.get(key, "/v1/payments", "").wantProblem(t, http.StatusInternalServerError, "internal")
	if strings.Contains(r.Body, "no-such-table") || r.text("request") != "request-1" {
		t.Errorf("%s", r.Body)
	}
	if log := b.log.String(); !strings.Contains(log, "no-such-table") || !strings.Contains(log, `"request":"request-1"`) || strings.Contains(log, key) {
		t.Errorf("%s", log)
	}
}

func TestAPanicIsAnErrorOfOurs(t *testing.T) {
	a := unwired()
	w := httptest.NewRecorder()
	a.recovered(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("sw0rd") })).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "sw0rd") || !strings.Contains(w.Body.String(), `"internal"`) {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
}

func TestWhatIsExplained(t *testing.T) {
	a := unwired()
	a.build.Do(a.routes)
	op := a.operations["create-payment"]
	for name, c := range map[string]struct {
		err    error
		code   problem.Code
		wrongs []Wrong
	}{
		"a field":               {problem.Field("amount", "is odd"), problem.Invalid, []Wrong{{"body", "amount", "is odd"}}},
		"a header":              {problem.Field("Idempotency-Key", "is odd"), problem.Invalid, []Wrong{{"header", "Idempotency-Key", "is odd"}}},
		"several fields":        {errors.Join(problem.Field("a", "1"), errors.Join(problem.Field("b", "2"))), problem.Invalid, []Wrong{{"body", "a", "1"}, {"body", "b", "2"}}},
		"no field":              {problem.New(problem.Conflict, "odd"), problem.Conflict, nil},
		"not a problem":         {errors.New("secret"), problem.Internal, nil},
		"time that was over":    {context.DeadlineExceeded, problem.Internal, nil},
		"an invented name":      {problem.Field(strings.Repeat("é", 300), "x"), problem.Invalid, []Wrong{{"body", strings.Repeat("é", 50) + "…", "x"}}},
		"explained once, stays": {newProblem(problem.TooLarge, "long"), problem.TooLarge, nil},
	} {
		got := a.explain(context.Background(), op, c.err)
		if got.Code != c.code || len(got.Errors) != len(c.wrongs) || strings.Contains(got.Detail, "secret") {
			t.Errorf("%s: %+v", name, got)
			continue
		}
		for i, w := range c.wrongs {
			if got.Errors[i] != w {
				t.Errorf("%s: %+v, want %+v", name, got.Errors[i], w)
			}
		}
	}
}

func TestWhatHumaFindsIsToldWithoutTheValue(t *testing.T) {
	for name, c := range map[string]struct {
		found huma.ErrorDetail
		want  Wrong
	}{
		"in an object":  {huma.ErrorDetail{Location: "body.hmac.header", Message: "expected string", Value: "sw0rd"}, Wrong{"body", "hmac.header", "expected string"}},
		"in a list":     {huma.ErrorDetail{Location: "body[0]", Message: "expected string", Value: 1}, Wrong{"body", "[0]", "expected string"}},
		"in the query":  {huma.ErrorDetail{Location: "query.limit", Message: "invalid integer", Value: "x"}, Wrong{"query", "limit", "invalid integer"}},
		"missing":       {huma.ErrorDetail{Location: "body", Message: "expected required property amount to be present"}, Wrong{"body", "amount", "is missing"}},
		"missing below": {huma.ErrorDetail{Location: "body.hmac", Message: "expected required property header to be present"}, Wrong{"body", "hmac.header", "is missing"}},
		"the decoder":   {huma.ErrorDetail{Location: "body", Message: "json: cannot unmarshal sw0rd"}, Wrong{"body", "", "cannot be read"}},
	} {
		if got := wrongOf(&c.found); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
