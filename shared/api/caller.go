package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/merchant"
	"farrier/shared/problem"
)

type callerKey struct{}

func callerOf(ctx context.Context) merchant.Caller {
	caller, _ := ctx.Value(callerKey{}).(merchant.Caller)
	return caller
}

var errWebhook = problem.New(problem.Forbidden, "this is a webhook: point its endpoint at a server of yours, this API takes none")

// isWebhook says that a request was made by a sender of webhooks (Standard Webhooks). An endpoint that points here with a key
// among its own headers would ask for the next webhook by each one, without end.
func isWebhook(r *http.Request) bool {
	return len(r.Header.Values("webhook-id"))+len(r.Header.Values("webhook-signature")) > 0
}

// authorised lets pass whoever has a key with all the scopes, and no webhook.
func (a *API) authorised(op *huma.Operation, scopes []merchant.Scope, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isWebhook(r) {
			a.refuse(w, r, op, errWebhook)
			return
		}
		ctx, caller, err := a.authenticate(r.Context(), bearer(r))
		for _, scope := range scopes {
			if err == nil && !caller.May(scope) {
				err = problem.New(problem.Forbidden, "this key does not have the scope "+string(scope))
			}
		}
		if err != nil {
			a.refuse(w, r, op, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, callerKey{}, caller)))
	})
}

// bearer is the token of the Authorization header (RFC 6750, section 2.1), or empty.
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// Acting is for routes where the operator says for which merchant it acts.
type Acting struct {
	Merchant string `query:"merchant" pattern:"^mer_[0-9A-HJKMNP-TV-Z]{26}$" patternDescription:"a merchant's id" doc:"The operator, and an approver, names the merchant. A merchant's key acts for its own."`
}

// merchantFor is the merchant that a request is about. A merchant's key that names another learns nothing of it.
func (a *API) merchantFor(ctx context.Context, named string) (merchant.Merchant, error) {
	caller := callerOf(ctx)
	switch {
	case (caller.Operator || caller.Approver != "") && named == "":
		return merchant.Merchant{}, problem.Field("merchant", "must be named by the operator, and by approvers")
	case caller.Operator || caller.Approver != "":
		return a.Merchants.Get(ctx, named)
	case named != "" && named != caller.Merchant.ID:
		return merchant.Merchant{}, problem.New(problem.Forbidden, "this key acts for its own merchant alone")
	default:
		return caller.Merchant, nil
	}
}
