package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/merchant"
	"farrier/shared/webhook"
)

type listDeliveries struct {
	Acting
	ID string `path:"id" doc:"the event's id"`
	Paging
}

type oneDelivery struct {
	Acting
	ID string `path:"id"`
}

type deliveryAnswer struct{ Body webhook.DeliveryView }

func (a *API) deliveryRoutes(to huma.API) {
	register(a, to, route{
		ID: "list-deliveries", Method: http.MethodGet, Path: "/v1/events/{id}/deliveries", Tag: "Events", Summary: "List an event's deliveries, one for each endpoint",
		More:  "A delivery is there once it has been tried.",
		Scope: merchant.EventsRead, Errors: []int{http.StatusNotFound}, Answer: Page[webhook.DeliveryView]{Data: []webhook.DeliveryView{exampleDelivery}},
	}, a.listDeliveries)
	register(a, to, route{
		ID: "resend-delivery", Method: http.MethodPost, Path: "/v1/deliveries/{id}/resend", Tag: "Events", Summary: "Send an event to an endpoint again",
		More:  "The event keeps its id, so that a receiver that has it already knows it again.",
		Scope: merchant.WebhooksWrite, Status: http.StatusAccepted, Errors: []int{http.StatusNotFound}, Answer: exampleDelivery,
	}, a.resendDelivery)
}

func (a *API) listDeliveries(ctx context.Context, in *listDeliveries) (*Listed[webhook.DeliveryView], error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	e, err := a.Events.Get(ctx, owner.ID, in.ID)
	if err != nil {
		return nil, err
	}
	deliveries, next, err := a.Deliveries.List(ctx, owner.ID, e.ID, in.Limit, in.Cursor)
	return listed(deliveries, next, webhook.Delivery.View), err
}

func (a *API) resendDelivery(ctx context.Context, in *oneDelivery) (*deliveryAnswer, error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	d, err := a.Sender.Resend(ctx, owner.ID, in.ID)
	return &deliveryAnswer{Body: d.View()}, err
}

var exampleDelivery = webhook.DeliveryView{
	ID: "dlv_" + exampleULID + "_" + exampleULID, Event: "evt_" + exampleULID, Endpoint: "ep_" + exampleULID, Status: webhook.Delivered, Made: 1,
	Attempts: []webhook.Attempt{{N: 1, At: exampleTime.Add(time.Second), Status: http.StatusOK, Millis: 41, Answer: "ok", Request: exampleRequest}}, UpdatedAt: exampleTime.Add(time.Second),
}

var exampleRequest = map[string]string{
	"content-type": "application/json", "user-agent": "Farrier/1", "webhook-id": "evt_" + exampleULID, "webhook-timestamp": "1795262401", "webhook-signature": "v1",
}
