package api

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/gateway"
	"farrier/shared/idempotency"
)

// IdempotencyKey is the header that makes a POST safe to send again.
const IdempotencyKey = "Idempotency-Key"

// keyed refuses what cannot be an Idempotency-Key.
func (a *API) keyed(op *huma.Operation, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, given := r.Header[IdempotencyKey]; given {
			if err := idempotency.CheckKey(r.Header.Get(IdempotencyKey)); err != nil {
				a.refuse(w, r, op, err)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// once gives the first answer again to a POST that comes again under its Idempotency-Key.
func (a *API) once(op *huma.Operation, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(IdempotencyKey) == "" {
			next.ServeHTTP(w, r)
			return
		}
		run, kept, err := a.begin(r)
		switch {
		case err != nil:
			a.refuse(w, r, op, err)
		case kept != nil:
			w.Header().Set("Idempotency-Replayed", "true")
			give(w, *kept)
		default:
			give(w, a.perform(run, next, r))
		}
	})
}

func (a *API) begin(r *http.Request) (*idempotency.Run, *idempotency.Answer, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return a.Answers.Begin(r.Context(), idempotency.Call{
		Caller: callerOf(r.Context()).Name(),
		Route:  r.Method + " " + r.URL.Path,
		Key:    r.Header.Get(IdempotencyKey),
		Asked:  append([]byte(r.URL.RawQuery+"\n"), body...),
	})
}

// perform does the work and keeps its answer, unless it failed for a reason that was not the caller's.
// The answer is true even where it could not be kept: the work, done again, comes out the same.
func (a *API) perform(run *idempotency.Run, next http.Handler, r *http.Request) idempotency.Answer {
	var made gateway.Recorder
	next.ServeHTTP(&made, r.WithContext(context.WithValue(r.Context(), runKey{}, run)))
	answer := idempotency.Answer{Status: made.Status(), Header: map[string]string{}, Body: made.Body()}
	for name := range made.Header() {
		answer.Header[name] = made.Header().Get(name)
	}
	settle := func(ctx context.Context) error { return run.Keep(ctx, answer) }
	if answer.Status >= http.StatusInternalServerError {
		settle = run.Release
	}
	if err := settle(r.Context()); err != nil {
		a.Log.WarnContext(r.Context(), "answer not kept", "request", gateway.OriginOf(r.Context()).RequestID, "error", err)
	}
	return answer
}

func give(w http.ResponseWriter, answer idempotency.Answer) {
	for name, value := range answer.Header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(answer.Status)
	_, _ = w.Write(answer.Body)
}

type runKey struct{}

// runOf is the run that a request's work belongs to; it is nil without an Idempotency-Key.
func runOf(ctx context.Context) *idempotency.Run {
	run, _ := ctx.Value(runKey{}).(*idempotency.Run)
	return run
}

// making is the moment and the randomness that new things are made from: those of the first run where
// the request has an Idempotency-Key, so that a second run makes the same thing.
func (a *API) making(ctx context.Context) (now func() time.Time, random io.Reader) {
	if run := runOf(ctx); run != nil {
		return func() time.Time { return run.At }, run.Random
	}
	return a.Now, a.Random
}
