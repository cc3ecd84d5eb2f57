package api

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/callback"
	"farrier/shared/merchant"
	"farrier/shared/problem"
)

type listCallbacks struct {
	Acting
	Connection string      `query:"connection" pattern:"^con_[0-9A-HJKMNP-TV-Z]{26}$" patternDescription:"a connection's id" doc:"of which connection; without it, trouble must be given"`
	Trouble    troubleName `query:"trouble" doc:"only those that had this trouble, the newest first. Beside connection, pages may be short."`
	Paging
}

func (a *API) callbackRoutes(to huma.API) {
	register(a, to, route{
		ID: "list-callbacks", Method: http.MethodGet, Path: "/v1/callbacks", Tag: "Callbacks", Summary: "List what a provider sent",
		More:  "Callbacks whose signature was right, in the order of the provider's own ids.",
		Scope: merchant.CallbacksRead, Errors: []int{http.StatusNotFound},
		Answer: Page[callback.ReceiptView]{Data: []callback.ReceiptView{exampleReceipt}},
	}, a.listCallbacks)
}

func (a *API) listCallbacks(ctx context.Context, in *listCallbacks) (*Listed[callback.ReceiptView], error) {
	list := a.ofConnection
	if in.Trouble != "" {
		list = a.inTrouble
	} else if in.Connection == "" {
		return nil, problem.Field("connection", "is missing")
	}
	receipts, next, err := list(ctx, in)
	if err != nil {
		return nil, err
	}
	return listed(receipts, next, callback.Receipt.View), nil
}

func (a *API) ofConnection(ctx context.Context, in *listCallbacks) ([]callback.Receipt, string, error) {
	if _, err := a.connectionFor(ctx, in); err != nil {
		return nil, "", err
	}
	return a.Receipts.Of(ctx, in.Connection, in.Limit, in.Cursor)
}

func (a *API) inTrouble(ctx context.Context, in *listCallbacks) ([]callback.Receipt, string, error) {
	outcome, _ := callback.ParseOutcome(string(in.Trouble))
	if in.Connection == "" {
		owner, err := a.merchantFor(ctx, in.Merchant)
		if err != nil {
			return nil, "", err
		}
		return a.Receipts.InTrouble(ctx, owner.ID, outcome, in.Limit, in.Cursor)
	}
	connection, err := a.connectionFor(ctx, in)
	if err != nil {
		return nil, "", err
	}
	receipts, next, err := a.Receipts.InTrouble(ctx, connection.Merchant, outcome, in.Limit, in.Cursor)
	return slices.DeleteFunc(receipts, func(r callback.Receipt) bool { return r.PK != connection.ID }), next, err
}

// connectionFor finds the connection asked for, if it is the caller's. The connection says whose it is,
// so the operator need not.
func (a *API) connectionFor(ctx context.Context, in *listCallbacks) (callback.Connection, error) {
	unknown := problem.New(problem.NotFound, "there is no such connection")
	connection, err := a.Connections.Get(ctx, in.Connection)
	if errors.Is(err, callback.ErrUnknown) {
		return connection, unknown
	}
	if err != nil {
		return connection, err
	}
	if in.Merchant == "" && callerOf(ctx).Operator {
		return connection, nil
	}
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err == nil && owner.ID != connection.Merchant {
		err = unknown
	}
	return connection, err
}

var exampleReceipt = callback.ReceiptView{
	ID: "cbk_Y29uXzAx", Connection: "con_" + exampleULID, Provider: "hmac", Event: "whevt_1042", Outcome: "accepted",
	ReceivedAt: exampleTime, SourceIP: "192.0.2.1", Headers: map[string]string{"content-type": "application/json"},
	Bytes: 23, Body: `{"data":{"hash":"0x…"}}`,
}
