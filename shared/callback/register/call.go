package register

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"farrier/shared/callback"
	"farrier/shared/outside"
)

const (
	callTime   = 10 * time.Second // for an answer
	callMargin = 15 * time.Second // that an invocation must have left, to begin a call
	answerMost = 64 << 10         // bytes of an answer that are read, so that the connection can be used again
)

// refused is a provider's answer that the same request would get for ever.
type refused struct {
	provider string
	status   int
}

func (r refused) Error() string {
	return fmt.Sprintf("register: %s answered %d: %s", r.provider, r.status, r.meaning())
}

// meaning says what somebody has to do. What the provider itself says of it is not read: it may hold the key.
func (r refused) meaning() string {
	switch r.status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return "the key is not taken, or may not do this; give the connection another"
	case http.StatusPaymentRequired:
		return "the plan does not cover it"
	case http.StatusNotFound, http.StatusGone:
		return "there is no webhook or stream of this id for this key"
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return "it does not take these addresses; the webhook may be full, or not one of addresses"
	default:
		return "it is not an answer to this request"
	}
}

// lasting says that the connection as it is gets the same answer for all addresses.
func (r refused) lasting() bool {
	switch r.status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return false
	}
	return true
}

// passing are the answers of the 4xx that may be others in a while.
func passing(status int) bool {
	return status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status == http.StatusTooEarly
}

var errNoTime = errors.New("register: no time is left for a call")

// call registers addresses, at most as many as the provider takes at once. Its error is refused, or trouble that may be
// over in a while; neither holds the key.
func (r *Registrar) call(ctx context.Context, c callback.Connection, key string, addresses []string) error {
	if end, has := ctx.Deadline(); has && time.Until(end) < callMargin {
		return errNoTime
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	request, err := providers[c.Provider].request(ctx, c.Settings.WebhookID, key, addresses)
	if err != nil {
		return errors.New("register: no request can be made")
	}
	answer, err := r.HTTP.Do(request)
	if err != nil {
		return fmt.Errorf("register: %s: %s", c.Provider, outside.Trouble(err))
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, answerMost))
	switch {
	case answer.StatusCode >= 200 && answer.StatusCode < 300:
		return nil
	case passing(answer.StatusCode):
		return fmt.Errorf("register: %s answered %d", c.Provider, answer.StatusCode)
	default:
		return refused{c.Provider, answer.StatusCode}
	}
}
