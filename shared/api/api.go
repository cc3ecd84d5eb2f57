package api

import (
	"io"
	"log/slog"
	"net/http"
	"path"
	"runtime/debug"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/approval"
	"farrier/shared/callback"
	"farrier/shared/callback/journal"
	"farrier/shared/deposit"
	"farrier/shared/event"
	"farrier/shared/gateway"
	"farrier/shared/idempotency"
	"farrier/shared/ledger"
	"farrier/shared/merchant"
	"farrier/shared/payment"
	"farrier/shared/payout"
	"farrier/shared/payout/desk"
	"farrier/shared/payout/policy"
	"farrier/shared/problem"
	"farrier/shared/queue"
	"farrier/shared/signer"
	"farrier/shared/webhook"
)

// API is the http.Handler of all routes.
type API struct {
	Door        *merchant.Door
	Merchants   merchant.Store
	Answers     idempotency.Store
	Connections callback.Connections
	Receipts    callback.Receipts
	Journal     journal.Journal // of what providers sent, by time
	Interpret   queue.Queue     // where a receipt is read again
	Payments    payment.Store
	Deposits    deposit.Store
	Ledger      ledger.Store
	Endpoints   webhook.Endpoints
	Events      event.Store
	Deliveries  webhook.Deliveries
	Doctor      webhook.Doctor
	Sender      webhook.Sender // of what is sent because the API was asked to
	Replays     webhook.Replays

	// Of payouts: of what both rooms use, of the front alone, of the room of approvers alone.
	Payouts   payout.Store
	Approvals approval.Approvals
	Pay       queue.Queue // hints
	Policy    policy.Policy
	Desk      desk.Desk
	Known     payout.Known
	Freezes   payout.Freezes
	Approvers approval.Approvers
	Signer    signer.Client

	Room Room

	PublicURL string // the address that providers call, where it is not the one that the request came by
	Local     bool   // the local run speaks plain HTTP

	Now    func() time.Time
	Random io.Reader
	Log    *slog.Logger

	build      sync.Once
	mux        *http.ServeMux
	document   *huma.OpenAPI
	operations map[string]*huma.Operation // by id
}

// ServeHTTP answers a request. The routes and the document are made for the first one, so that a
// function is ready for its event before it builds them.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.build.Do(a.routes)
	w.Header().Set("Cache-Control", "no-store") // answers hold secrets and money
	w.Header().Set("X-Content-Type-Options", "nosniff")
	route, pattern := a.mux.Handler(r)
	switch {
	case path.Clean(r.URL.Path) != r.URL.Path: // the mux would redirect, which no client of an API follows with a POST
		a.refuse(w, r, nil, errNoPath)
	case pattern == "":
		a.refuseRoute(w, r, route)
	default:
		a.recovered(a.mux).ServeHTTP(w, r)
	}
}

var errNoPath = problem.New(problem.NotFound, "there is no such path")

// refuseRoute says what the mux found wrong: the path, or the method.
func (a *API) refuseRoute(w http.ResponseWriter, r *http.Request, found http.Handler) {
	var said gateway.Recorder
	found.ServeHTTP(&said, r)
	if said.Status() == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", said.Header().Get("Allow"))
		a.refuse(w, r, nil, problem.New(problem.WrongMethod, "this path does not take this method; the header Allow names those it takes"))
		return
	}
	a.refuse(w, r, nil, errNoPath)
}

// recovered answers a request whose handler panics like any other internal error.
func (a *API) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if fault := recover(); fault != nil {
				a.Log.ErrorContext(r.Context(), "panic", "request", gateway.OriginOf(r.Context()).RequestID, "fault", fault, "stack", string(debug.Stack()))
				a.write(w, internal(r.Context()))
			}
		}()
		next.ServeHTTP(w, r)
	})
}
