package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/merchant"
	"farrier/shared/webhook"
)

type endpointDeliveries struct {
	Acting
	ID     string `path:"id"`
	Status string `query:"status" enum:"pending,delivered,failed,held" doc:"only those"`
	Paging
}

type endpointHealthAnswer struct{ Body webhook.EndpointHealth }

func (a *API) endpointHealthRoutes(to huma.API) {
	const one = "/v1/webhook-endpoints/{id}"
	missing := []int{http.StatusNotFound}
	register(a, to, route{
		ID: "get-webhook-endpoint-health", Method: http.MethodGet, Path: one + "/health", Tag: "Webhooks", Summary: "Say how a webhook endpoint does, and why",
		More:  "The figures are counted when you ask, over the last 200 events that the endpoint chooses.",
		Scope: merchant.WebhooksRead, Errors: missing, Answer: exampleEndpointHealth,
	}, a.endpointHealth)
	register(a, to, route{
		ID: "list-webhook-endpoint-deliveries", Method: http.MethodGet, Path: one + "/deliveries", Tag: "Webhooks", Summary: "List what was sent to a webhook endpoint, the newest event first",
		More:  "A page is made from a page of your events: it may hold fewer than the limit, or none, and still have a next.",
		Scope: merchant.WebhooksRead, Errors: missing, Answer: Page[webhook.DeliveryView]{Data: []webhook.DeliveryView{exampleDelivery}},
	}, a.endpointDeliveries)
}

func (a *API) endpointHealth(ctx context.Context, in *oneEndpoint) (*endpointHealthAnswer, error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	h, err := a.Doctor.Examine(ctx, owner.ID, in.ID, a.Now().UTC())
	return &endpointHealthAnswer{Body: h}, err
}

func (a *API) endpointDeliveries(ctx context.Context, in *endpointDeliveries) (*Listed[webhook.DeliveryView], error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	deliveries, next, err := a.Doctor.List(ctx, owner.ID, in.ID, webhook.Status(in.Status), in.Limit, in.Cursor)
	return listed(deliveries, next, webhook.Delivery.View), err
}

var exampleEndpointHealth = webhook.EndpointHealth{
	Endpoint: "ep_" + exampleULID, Status: webhook.IsFailing, FailingSince: &exampleTime, InVain: 2,
	Reasons: []string{"2 attempts in vain since 2026-11-21T12:00:00Z; the last: status 500: only 2xx is success"},
	Figures: webhook.Figures{
		From: &exampleTime, Events: 14, Delivered: 12, Pending: 2, Attempts: 14, Answers: map[string]int{"200": 12, "500": 2},
		Latency: webhook.Latency{P50: 41, P95: 60, P99: 88, Max: 88},
	},
}
