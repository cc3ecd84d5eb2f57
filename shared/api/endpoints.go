package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/event"
	"farrier/shared/id"
	"farrier/shared/merchant"
	"farrier/shared/webhook"
)

type newEndpoint struct {
	Body struct {
		Merchant string   `json:"merchant,omitempty" pattern:"^mer_[0-9A-HJKMNP-TV-Z]{26}$" patternDescription:"a merchant's id" doc:"the operator names the merchant; a merchant's key acts for its own"`
		URL      string   `json:"url" minLength:"1" maxLength:"2048" doc:"where events are sent by POST" example:"https://shop.example.com/webhooks"`
		Events   []string `json:"events" minItems:"1" maxItems:"50" maxLength:"64" doc:"which events: types, or patterns such as payment.* and *" example:"payment.*"`
	}
}

type changedEndpoint struct {
	Acting
	ID   string `path:"id"`
	Body struct {
		URL    *string   `json:"url,omitempty" minLength:"1" maxLength:"2048" doc:"where events are sent by POST"`
		Events *[]string `json:"events,omitempty" minItems:"1" maxItems:"50" maxLength:"64" doc:"which events"`
	}
}

type listEndpoints struct {
	Acting
	Paging
}

type oneEndpoint struct {
	Acting
	ID string `path:"id"`
}

// EndpointWithSecret is an endpoint with its secret, which is shown this once.
type EndpointWithSecret struct {
	webhook.EndpointView
	Secret string `json:"secret" doc:"what its webhooks are signed with (Standard Webhooks); it is shown this once"`
}

type (
	endpointAnswer           struct{ Body webhook.EndpointView }
	endpointWithSecretAnswer struct{ Body EndpointWithSecret }
)

func (a *API) endpointRoutes(to huma.API) {
	const list, one = "/v1/webhook-endpoints", "/v1/webhook-endpoints/{id}"
	missing := []int{http.StatusNotFound}
	register(a, to, route{
		ID: "create-webhook-endpoint", Method: http.MethodPost, Path: list, Tag: "Webhooks", Summary: "Create a webhook endpoint",
		More:  "Events are sent as Standard Webhooks. The secret is in this answer and nowhere else.",
		Scope: merchant.WebhooksWrite, Status: http.StatusCreated, Errors: missing,
		Example: map[string]any{"url": exampleEndpoint.URL, "events": exampleEndpoint.Events}, Answer: exampleEndpointWithSecret,
	}, a.createEndpoint)
	register(a, to, route{
		ID: "list-webhook-endpoints", Method: http.MethodGet, Path: list, Tag: "Webhooks", Summary: "List webhook endpoints, the newest first",
		Scope: merchant.WebhooksRead, Errors: missing, Answer: Page[webhook.EndpointView]{Data: []webhook.EndpointView{exampleEndpoint}},
	}, a.listEndpoints)
	register(a, to, route{
		ID: "get-webhook-endpoint", Method: http.MethodGet, Path: one, Tag: "Webhooks", Summary: "Get a webhook endpoint",
		Scope: merchant.WebhooksRead, Errors: missing, Answer: exampleEndpoint,
	}, a.getEndpoint)
	register(a, to, route{
		ID: "change-webhook-endpoint", Method: http.MethodPatch, Path: one, Tag: "Webhooks", Summary: "Change a webhook endpoint's URL or events",
		More: "What is left out stays.", Scope: merchant.WebhooksWrite, Errors: missing,
		Example: map[string]any{"events": []string{"payment.paid"}}, Answer: exampleEndpoint,
	}, a.changeEndpoint)
	register(a, to, route{
		ID: "delete-webhook-endpoint", Method: http.MethodDelete, Path: one, Tag: "Webhooks", Summary: "Delete a webhook endpoint",
		Scope: merchant.WebhooksWrite, Status: http.StatusNoContent, Errors: missing,
	}, a.deleteEndpoint)
	register(a, to, route{
		ID: "rotate-webhook-secret", Method: http.MethodPost, Path: one + "/rotate", Tag: "Webhooks", Summary: "Give a webhook endpoint a new secret",
		More:  "The secret is in this answer and nowhere else. For 24 hours the one before signs too.",
		Scope: merchant.WebhooksWrite, Errors: missing, Answer: exampleEndpointWithSecret,
	}, a.rotateEndpoint)
	register(a, to, route{
		ID: "test-webhook-endpoint", Method: http.MethodPost, Path: one + "/test", Tag: "Webhooks", Summary: "Send a test event to a webhook endpoint",
		Scope: merchant.WebhooksWrite, Status: http.StatusAccepted, Errors: missing, Answer: exampleTestEvent,
	}, a.testEndpoint)
	register(a, to, route{
		ID: "disable-webhook-endpoint", Method: http.MethodPost, Path: one + "/disable", Tag: "Webhooks", Summary: "Stop sending to a webhook endpoint",
		Scope: merchant.WebhooksWrite, Errors: missing, Answer: exampleEndpoint,
	}, a.disableEndpoint)
	register(a, to, route{
		ID: "enable-webhook-endpoint", Method: http.MethodPost, Path: one + "/enable", Tag: "Webhooks", Summary: "Send to a webhook endpoint again",
		Scope: merchant.WebhooksWrite, Errors: missing, Answer: exampleEndpoint,
	}, a.enableEndpoint)
}

// endpoints is the store for what this request makes.
func (a *API) endpoints(ctx context.Context) webhook.Endpoints {
	s := a.Endpoints
	s.Now, s.Random = a.making(ctx)
	return s
}

func (a *API) createEndpoint(ctx context.Context, in *newEndpoint) (*endpointWithSecretAnswer, error) {
	owner, err := a.merchantFor(ctx, in.Body.Merchant)
	if err != nil {
		return nil, err
	}
	now, random := a.making(ctx)
	name, err := id.New("ep", now(), random) // under an Idempotency-Key the same in every run
	if err != nil {
		return nil, err
	}
	e, secret, err := a.endpoints(ctx).Create(ctx, webhook.Request{ID: name, Merchant: owner.ID, Settings: webhook.Settings{URL: in.Body.URL, Events: in.Body.Events}})
	return &endpointWithSecretAnswer{Body: EndpointWithSecret{EndpointView: e.View(), Secret: secret}}, err
}

func (a *API) listEndpoints(ctx context.Context, in *listEndpoints) (*Listed[webhook.EndpointView], error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	endpoints, next, err := a.Endpoints.List(ctx, owner.ID, in.Limit, in.Cursor)
	return listed(endpoints, next, webhook.Endpoint.View), err
}

func (a *API) getEndpoint(ctx context.Context, in *oneEndpoint) (*endpointAnswer, error) {
	return a.withEndpoint(ctx, in, a.Endpoints.Get)
}

func (a *API) changeEndpoint(ctx context.Context, in *changedEndpoint) (*endpointAnswer, error) {
	return a.withEndpoint(ctx, &oneEndpoint{in.Acting, in.ID}, func(ctx context.Context, owner, name string) (webhook.Endpoint, error) {
		return a.Endpoints.Update(ctx, owner, name, webhook.Change{URL: in.Body.URL, Events: in.Body.Events})
	})
}

func (a *API) enableEndpoint(ctx context.Context, in *oneEndpoint) (*endpointAnswer, error) {
	return a.withEndpoint(ctx, in, a.Endpoints.Enable)
}

func (a *API) disableEndpoint(ctx context.Context, in *oneEndpoint) (*endpointAnswer, error) {
	return a.withEndpoint(ctx, in, func(ctx context.Context, owner, name string) (webhook.Endpoint, error) {
		return a.Endpoints.Disable(ctx, owner, name, "by request")
	})
}

func (a *API) deleteEndpoint(ctx context.Context, in *oneEndpoint) (*struct{}, error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	return nil, a.Endpoints.Delete(ctx, owner.ID, in.ID)
}

func (a *API) rotateEndpoint(ctx context.Context, in *oneEndpoint) (*endpointWithSecretAnswer, error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	e, secret, err := a.endpoints(ctx).Rotate(ctx, owner.ID, in.ID)
	return &endpointWithSecretAnswer{Body: EndpointWithSecret{EndpointView: e.View(), Secret: secret}}, err
}

func (a *API) testEndpoint(ctx context.Context, in *oneEndpoint) (*acceptedEvent, error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	sender := a.Sender
	sender.Now, sender.Random = a.making(ctx)
	e, err := sender.Test(ctx, owner.ID, in.ID)
	return &acceptedEvent{Body: e.View()}, err
}

// withEndpoint answers with what f makes of the endpoint asked for.
func (a *API) withEndpoint(ctx context.Context, in *oneEndpoint, f func(ctx context.Context, owner, name string) (webhook.Endpoint, error)) (*endpointAnswer, error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	e, err := f(ctx, owner.ID, in.ID)
	return &endpointAnswer{Body: e.View()}, err
}

var (
	exampleEndpoint = webhook.EndpointView{
		ID: "ep_" + exampleULID, URL: "https://shop.example.com/webhooks", Events: []string{"payment.*"}, Enabled: true,
		CreatedAt: exampleTime, UpdatedAt: exampleTime,
	}
	exampleEndpointWithSecret = EndpointWithSecret{EndpointView: exampleEndpoint, Secret: "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}
	exampleTestEvent          = event.View{ID: "evt_" + exampleULID, Type: event.EndpointTest, Timestamp: exampleTime, Object: "ep_" + exampleULID, Data: []byte(`{"endpoint":"ep_` + exampleULID + `"}`)}
)
