package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/event"
	"farrier/shared/merchant"
	"farrier/shared/problem"
)

type listEvents struct {
	Acting
	Paging
	After string    `query:"after" maxLength:"2048" pattern:"^[A-Za-z0-9_-]*$" patternDescription:"a cursor that this list gave" doc:"follows the events instead, the oldest first: next of the page before; without a value from the beginning"`
	From  time.Time `query:"from" doc:"follows the events instead, the oldest first, from those that happened at this time (RFC 3339) or later; what happened before and is only recorded after you have begun comes too"`

	follows, begins bool // after is there; from is
}

// Resolve sees whether the parameters are there: after without a value, from with the moment that Go takes for none.
func (in *listEvents) Resolve(ctx huma.Context) []error {
	u := ctx.URL()
	in.follows = u.Query().Has("after")
	in.begins = u.Query().Has("from")
	in.After = u.Query().Get("after") // huma reads "true" where there is not even a sign of equality
	return nil
}

type oneEvent struct {
	Acting
	ID string `path:"id"`
}

type (
	eventAnswer   struct{ Body event.View }
	acceptedEvent struct{ Body event.View }
)

func (a *API) eventRoutes(to huma.API) {
	register(a, to, route{
		ID: "list-events", Method: http.MethodGet, Path: "/v1/events", Tag: "Events", Summary: "List events, the newest first, or follow them", Blank: "after",
		More:  followed,
		Scope: merchant.EventsRead, Errors: []int{http.StatusNotFound}, Answer: Page[event.View]{Data: []event.View{exampleEvent}},
	}, a.listEvents)
	register(a, to, route{
		ID: "get-event", Method: http.MethodGet, Path: "/v1/events/{id}", Tag: "Events", Summary: "Get an event",
		More: "Its data is what the webhook carried.", Scope: merchant.EventsRead, Errors: []int{http.StatusNotFound}, Answer: exampleEvent,
	}, a.getEvent)
}

func (a *API) listEvents(ctx context.Context, in *listEvents) (*Listed[event.View], error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	if in.follows || in.begins {
		return a.follow(ctx, owner.ID, in)
	}
	events, next, err := a.Events.List(ctx, owner.ID, in.Limit, in.Cursor)
	return listed(events, next, event.Event.View), err
}

// followed is how the list takes the place of webhooks.
const followed = "Following is the equal of webhooks: begin with `after=` (no value) or with `from`, and go on with `after` set to `next`, which is always there; " +
	"a page without events says that nothing is new yet. No event is left out, and one may come twice: know it by its id. An event is there about five seconds after it happened; " +
	"one that was recorded later than that comes when it was recorded. Events about deposits are recorded where an endpoint wants them, be it a disabled one."

// follow answers with what comes after the cursor, or begins.
func (a *API) follow(ctx context.Context, merchant string, in *listEvents) (*Listed[event.View], error) {
	after := in.After
	switch {
	case in.Cursor != "":
		return nil, problem.Field("cursor", "is of the list with the newest first; follow the events by after or from alone")
	case in.follows && in.begins:
		return nil, problem.Field("from", "stands beside after; begin with the one and go on with the other")
	case after == "":
		after = a.Events.Begin(in.From)
	}
	events, next, err := a.Events.Feed(ctx, merchant, in.Limit, after)
	return listed(events, next, event.Event.View), err
}

func (a *API) getEvent(ctx context.Context, in *oneEvent) (*eventAnswer, error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	e, err := a.Events.Get(ctx, owner.ID, in.ID)
	return &eventAnswer{Body: e.View()}, err
}

var exampleEvent = event.View{
	ID: "evt_" + exampleULID, Type: event.PaymentPaid, Timestamp: exampleTime, Object: "pay_" + exampleULID, Previous: "evt_" + exampleULID, Version: event.Newest(),
	Data: json.RawMessage(`{"id":"pay_` + exampleULID + `","status":"paid"}`), // and all else that GET /v1/payments/{id} shows
}
