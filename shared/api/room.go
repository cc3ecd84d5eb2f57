package api

import (
	"context"
	"net/http"
	"strings"

	"farrier/shared/approval"
	"farrier/shared/merchant"
)

// Room is a function that serves operations of the API; the gateway knows by the path which one. The document of either has
// all operations. What a room does not serve it does not find.
type Room string

// The rooms, named as their functions are.
const (
	Front     Room = "api"
	Approving Room = "approve" // alone writes approvers, approvals, freezes and lists of destinations, and asks the signer
)

// served says whether an operation is this room's.
func (a *API) served(r route) bool { return r.room() == a.Room }

// room is whose an operation is: the front's where nothing is said.
func (r route) room() Room {
	if r.Room == "" {
		return Front
	}
	return r.Room
}

// notServed answers in the place of another room.
func (a *API) notServed(w http.ResponseWriter, r *http.Request) { a.refuse(w, r, nil, errNoPath) }

type approverKey struct{}

// approverOf is the approver who calls.
func approverOf(ctx context.Context) approval.Approver {
	by, _ := ctx.Value(approverKey{}).(approval.Approver)
	return by
}

// authenticate says who calls. Approvers are known where they are served.
func (a *API) authenticate(ctx context.Context, token string) (context.Context, merchant.Caller, error) {
	if a.Room != Approving || !strings.HasPrefix(token, approval.KeyPrefix) {
		caller, err := a.Door.Authenticate(ctx, token)
		return ctx, caller, err
	}
	by, err := a.Approvers.Authenticate(ctx, token)
	return context.WithValue(ctx, approverKey{}, by), merchant.Caller{Approver: by.ID}, err
}
