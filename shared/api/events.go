package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/event"
	"farrier/shared/merchant"
)

type listEvents struct {
	Acting
	Paging
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
		ID: "list-events", Method: http.MethodGet, Path: "/v1/events", Tag: "Events", Summary: "List events, the newest first",
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
	events, next, err := a.Events.List(ctx, owner.ID, in.Limit, in.Cursor)
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
	ID: "evt_" + exampleULID, Type: event.PaymentPaid, Timestamp: exampleTime, Object: "pay_" + exampleULID,
	Data: json.RawMessage(`{"id":"pay_` + exampleULID + `","status":"paid"}`), // and all else that GET /v1/payments/{id} shows
}
