package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/callback"
	"farrier/shared/callback/interpreter"
	"farrier/shared/callback/journal"
	"farrier/shared/merchant"
	"farrier/shared/problem"
)

type listCallbacks struct {
	Acting
	Connection string      `query:"connection" pattern:"^con_[0-9A-HJKMNP-TV-Z]{26}$" patternDescription:"a connection's id" doc:"of which connection; without it, trouble must be given"`
	Trouble    troubleName `query:"trouble" doc:"only those that had this trouble, the newest first. Beside connection, pages may be short."`
	From       time.Time   `query:"from" doc:"only those of a connection that came then or later"`
	Until      time.Time   `query:"until" doc:"only those of a connection that came before"`
	Paging
}

type oneCallback struct {
	Acting
	ID string `path:"id"`
}

// CallbackPage is a page of callbacks.
type CallbackPage struct {
	Page[callback.ReceiptView]
	CompleteUntil *time.Time `json:"complete_until,omitempty" doc:"of a connection's list: what came before is in it, unless an alarm says that the journal is held up; what came since may be missing yet"`
}

type (
	callbackPageAnswer struct{ Body CallbackPage }
	callbackAnswer     struct{ Body callback.ReceiptView }
)

func (a *API) callbackRoutes(to huma.API) {
	const list, one = "/v1/callbacks", "/v1/callbacks/{id}"
	missing := []int{http.StatusNotFound}
	register(a, to, route{
		ID: "list-callbacks", Method: http.MethodGet, Path: list, Tag: "Callbacks", Summary: "List what a provider sent, the newest first",
		More: "Callbacks whose signature was right. A connection's are listed by the time at which they came, a little more than a minute after it at the latest; " +
			"those in trouble by the time at which it was found, at once. Pages may be short where callbacks were forgotten.",
		Scope: merchant.CallbacksRead, Errors: missing,
		Answer: CallbackPage{Page: Page[callback.ReceiptView]{Data: []callback.ReceiptView{exampleReceipt}}, CompleteUntil: &exampleTime},
	}, a.listCallbacks)
	register(a, to, route{
		ID: "get-callback", Method: http.MethodGet, Path: one, Tag: "Callbacks", Summary: "Get a callback and what became of it",
		Scope: merchant.CallbacksRead, Errors: missing, Answer: exampleReceipt,
	}, a.getCallback)
	register(a, to, route{
		ID: "reprocess-callback", Method: http.MethodPost, Path: one + "/reprocess", Tag: "Callbacks", Summary: "Read a callback again",
		More: "For one in trouble, after a setting was mended: an asset, a chain, a path. Within a moment its outcome is cleared, or another. Twice does no harm. " +
			"A second body under an event's id (conflict) is not read: the first stands.",
		Scope: merchant.CallbacksWrite, Status: http.StatusAccepted, Errors: missing, Answer: exampleReceipt,
	}, a.reprocessCallback)
}

func (a *API) listCallbacks(ctx context.Context, in *listCallbacks) (*callbackPageAnswer, error) {
	switch {
	case in.Trouble == "" && in.Connection == "":
		return nil, problem.Field("connection", "is missing")
	case in.Trouble == "":
		return a.byTime(ctx, in)
	case !in.From.IsZero():
		return nil, problem.Field("from", "is for a connection's callbacks, not for those in trouble")
	case !in.Until.IsZero():
		return nil, problem.Field("until", "is for a connection's callbacks, not for those in trouble")
	}
	receipts, next, err := a.inTrouble(ctx, in)
	if err != nil {
		return nil, err
	}
	return &callbackPageAnswer{Body: CallbackPage{Page: listed(receipts, next, callback.Receipt.View).Body}}, nil
}

// byTime lists a connection's callbacks by the journal.
func (a *API) byTime(ctx context.Context, in *listCallbacks) (*callbackPageAnswer, error) {
	if _, err := a.connectionFor(ctx, in.Merchant, in.Connection); err != nil {
		return nil, err
	}
	until := a.Now().UTC().Add(-journal.Behind).Truncate(time.Second)
	entries, next, err := a.Journal.List(ctx, journal.Asked{Connection: in.Connection, From: in.From, Until: in.Until, Limit: int(in.Limit), Cursor: in.Cursor})
	if err != nil {
		return nil, err
	}
	keys := make([]string, len(entries))
	for i, e := range entries {
		keys[i] = e.Receipt
	}
	receipts, err := a.Receipts.Named(ctx, in.Connection, keys)
	return &callbackPageAnswer{Body: CallbackPage{Page: listed(receipts, next, callback.Receipt.View).Body, CompleteUntil: &until}}, err
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
	connection, err := a.connectionFor(ctx, in.Merchant, in.Connection)
	if err != nil {
		return nil, "", err
	}
	receipts, next, err := a.Receipts.InTrouble(ctx, connection.Merchant, outcome, in.Limit, in.Cursor)
	return slices.DeleteFunc(receipts, func(r callback.Receipt) bool { return r.PK != connection.ID }), next, err
}

func (a *API) getCallback(ctx context.Context, in *oneCallback) (*callbackAnswer, error) {
	receipt, err := a.receiptFor(ctx, in)
	return &callbackAnswer{Body: receipt.View()}, err
}

func (a *API) reprocessCallback(ctx context.Context, in *oneCallback) (*callbackAnswer, error) {
	receipt, err := a.receiptFor(ctx, in)
	if err != nil {
		return nil, err
	}
	if receipt.Outcome == callback.Conflict {
		return nil, problem.New(problem.Conflict, "another body came under this event's id before, and stands: this one is not read")
	}
	return &callbackAnswer{Body: receipt.View()}, interpreter.Again(ctx, a.Interpret, receipt)
}

// receiptFor finds a callback, if it is the caller's.
func (a *API) receiptFor(ctx context.Context, in *oneCallback) (callback.Receipt, error) {
	missing := problem.New(problem.NotFound, "there is no such callback")
	receipt, err := a.Receipts.Get(ctx, in.ID)
	if errors.Is(err, callback.ErrForgotten) {
		return receipt, missing
	}
	if err != nil {
		return receipt, err
	}
	return receipt, a.owns(ctx, in.Merchant, receipt.Merchant, missing)
}

var exampleReceipt = callback.ReceiptView{
	ID: "cbk_Y29uXzAx", Connection: "con_" + exampleULID, Provider: "hmac", Event: "whevt_1042", Outcome: "accepted",
	ReceivedAt: exampleTime, SourceIP: "192.0.2.1", Headers: map[string]string{"content-type": "application/json"},
	Bytes: 23, Body: `{"data":{"hash":"0x…"}}`,
}
