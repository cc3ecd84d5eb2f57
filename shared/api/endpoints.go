package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/event"
	"farrier/shared/id"
	"farrier/shared/merchant"
	"farrier/shared/problem"
	"farrier/shared/webhook"
)

type newEndpoint struct {
	Body struct {
		Merchant string   `json:"merchant,omitempty" pattern:"^mer_[0-9A-HJKMNP-TV-Z]{26}$" patternDescription:"a merchant's id" doc:"the operator names the merchant; a merchant's key acts for its own"`
		URL      string   `json:"url" minLength:"1" maxLength:"2048" doc:"where events are sent by POST" example:"https://shop.example.com/webhooks"`
		Events   []string `json:"events" minItems:"1" maxItems:"50" maxLength:"64" doc:"which events: types, or patterns such as payment.* and *" example:"payment.*"`
		EndpointAsked
	}
}

type changedEndpoint struct {
	Acting
	ID   string `path:"id"`
	Body struct {
		URL    *string   `json:"url,omitempty" minLength:"1" maxLength:"2048" doc:"where events are sent by POST"`
		Events *[]string `json:"events,omitempty" minItems:"1" maxItems:"50" maxLength:"64" doc:"which events"`
		EndpointAsked
	}
}

// EndpointAsked are the settings that an endpoint may have. What is left out is as usual in a new one, and stays in a change.
type EndpointAsked struct {
	FallbackURLs      *[]string                  `json:"fallback_urls,omitempty" maxItems:"4" maxLength:"2048" doc:"used in turn when the first is down"`
	Where             *webhook.Where             `json:"where,omitempty" doc:"of the events, the ones about these things alone; an empty one takes it away"`
	Payload           *event.Form                `json:"payload,omitempty" enum:"full,thin" doc:"full: all that the API shows of the object; thin: only what the event is about; without it full"`
	Version           *payloadVersion            `json:"version,omitempty" doc:"what the data of payloads look like; without it the newest, from then on"`
	Ordered           *bool                      `json:"ordered,omitempty" doc:"events about one object come one after the other: the next when the one before was delivered or given up"`
	Timeout           *int                       `json:"timeout,omitempty" minimum:"1" maximum:"30" doc:"seconds for a whole attempt; without it 15"`
	Schedule          settable[[]int]            `json:"schedule,omitempty" nullable:"true" minItems:"1" maxItems:"15" doc:"seconds before each attempt, counted from the one before: each at most 86400, at most 604800 in all; null for the usual one"`
	Limit             settable[int]              `json:"limit,omitempty" nullable:"true" minimum:"1" maximum:"1000" doc:"attempts in a second; null for no limit"`
	Signing           *webhook.Signing           `json:"signing,omitempty" enum:"v1,v1a,both" doc:"v1: HMAC-SHA256 with the secret; v1a: Ed25519, whose public key is in the endpoint; without it v1"`
	Headers           *map[string]string         `json:"headers,omitempty" maxProperties:"20" doc:"your own, sent with each webhook: all of them, in the place of those before. Values are kept sealed and not shown"`
	ClientCertificate settable[certificateAsked] `json:"client_certificate,omitempty" doc:"shown to your server in the TLS handshake; null takes it away"`
}

// payloadVersion has in the document the versions that the code has.
type payloadVersion string

func (payloadVersion) Schema(huma.Registry) *huma.Schema { return oneOf(event.Versions()) }

type certificateAsked struct {
	_           struct{} `nullable:"true"`
	Certificate string   `json:"certificate" minLength:"1" maxLength:"16384" doc:"PEM: the certificate, and then those that lead to its authority"`
	PrivateKey  string   `json:"private_key" minLength:"1" maxLength:"8192" doc:"PEM: PKCS #8, PKCS #1 or SEC 1, without a password. It is kept sealed and not shown"`
}

// edit puts into the settings what was asked.
func (a EndpointAsked) edit(s *webhook.Settings) {
	put(&s.Fallbacks, a.FallbackURLs)
	put(&s.Where, a.Where)
	put(&s.Payload, a.Payload)
	if a.Version != nil {
		s.Pinned = event.Version(*a.Version)
	}
	put(&s.Ordered, a.Ordered)
	put(&s.Timeout, a.Timeout)
	put(&s.Signing, a.Signing)
	if a.Schedule.given {
		s.Schedule = a.Schedule.value
	}
	if a.Limit.given {
		s.Limit = a.Limit.value
	}
}

// put sets what was given.
func put[T any](to *T, given *T) {
	if given != nil {
		*to = *given
	}
}

func (a EndpointAsked) private() webhook.Private {
	var p webhook.Private
	put(&p.Headers, a.Headers)
	if a.ClientCertificate.given {
		p.Identity = &webhook.Identity{Certificate: a.ClientCertificate.value.Certificate, PrivateKey: a.ClientCertificate.value.PrivateKey}
	}
	return p
}

// nullSettings may be null in a body.
var nullSettings = []string{"schedule", "limit", "client_certificate"}

type rotatedEndpoint struct {
	Acting
	ID   string `path:"id"`
	Body *rotation
}

type rotation struct {
	Overlap *int `json:"overlap,omitempty" minimum:"0" maximum:"604800" doc:"seconds in which what signed before signs too; 0 ends it at once; without it 86400"`
}

type keysAsked struct {
	Merchant string `path:"merchant"`
	Endpoint string `path:"endpoint"`
}

// WebhookKeys are an endpoint's public keys.
type WebhookKeys struct {
	Keys []webhook.PublicKey `json:"keys" doc:"the present one first, then former ones that sign yet"`
}

type keysAnswer struct {
	CacheControl string `header:"Cache-Control"`
	Body         WebhookKeys
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
		Scope: merchant.WebhooksWrite, Status: http.StatusCreated, Errors: missing, Nulls: nullSettings,
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
		ID: "change-webhook-endpoint", Method: http.MethodPatch, Path: one, Tag: "Webhooks", Summary: "Change a webhook endpoint's settings",
		More:  "What is left out stays. A setting that is a list or an object is given as a whole.",
		Scope: merchant.WebhooksWrite, Errors: missing, Nulls: nullSettings,
		Example: map[string]any{"events": []string{"payment.paid"}}, Answer: exampleEndpoint,
	}, a.changeEndpoint)
	register(a, to, route{
		ID: "delete-webhook-endpoint", Method: http.MethodDelete, Path: one, Tag: "Webhooks", Summary: "Delete a webhook endpoint",
		Scope: merchant.WebhooksWrite, Status: http.StatusNoContent, Errors: missing,
	}, a.deleteEndpoint)
	register(a, to, route{
		ID: "rotate-webhook-secret", Method: http.MethodPost, Path: one + "/rotate", Tag: "Webhooks", Summary: "Give a webhook endpoint a new secret, and a new key where it signs by one",
		More: "The secret is in this answer and nowhere else. What signed before signs too for the overlap. " +
			"A request that another rotation has overtaken is refused (409), however often it comes: no secret that was rotated away comes back.",
		Scope: merchant.WebhooksWrite, Errors: missing, Example: map[string]any{"overlap": 3600}, Answer: exampleEndpointWithSecret,
	}, a.rotateEndpoint)
	register(a, to, route{
		ID: "get-webhook-keys", Method: http.MethodGet, Path: "/v1/webhook-keys/{merchant}/{endpoint}", Tag: "Webhooks", Summary: "Get the public keys of a webhook endpoint",
		More:   "For its receiver: no key of the API is needed. There are some where it signs by v1a.",
		Errors: missing, Answer: WebhookKeys{Keys: exampleKeys},
	}, a.webhookKeys)
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

// endpoints is the store for what this request makes, and when its first run began. What is written has the time of its
// writing: an overlap is counted from there.
func (a *API) endpoints(ctx context.Context) (began time.Time, store webhook.Endpoints) {
	now, random := a.making(ctx)
	store = a.Endpoints
	store.Random, store.Own = random, a.addresses(ctx)
	return now(), store
}

func (a *API) createEndpoint(ctx context.Context, in *newEndpoint) (*endpointWithSecretAnswer, error) {
	owner, err := a.merchantFor(ctx, in.Body.Merchant)
	if err != nil {
		return nil, err
	}
	began, store := a.endpoints(ctx)
	name, err := id.New("ep", began, store.Random) // under an Idempotency-Key the same in every run
	if err != nil {
		return nil, err
	}
	settings := webhook.Settings{URL: in.Body.URL, Events: in.Body.Events}
	in.Body.edit(&settings)
	e, secret, err := store.Create(ctx, webhook.Request{ID: name, Merchant: owner.ID, Settings: settings, Private: in.Body.private()})
	return &endpointWithSecretAnswer{Body: EndpointWithSecret{EndpointView: e.View(a.Now()), Secret: secret}}, err
}

func (a *API) listEndpoints(ctx context.Context, in *listEndpoints) (*Listed[webhook.EndpointView], error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	endpoints, next, err := a.Endpoints.List(ctx, owner.ID, in.Limit, in.Cursor)
	return listed(endpoints, next, func(e webhook.Endpoint) webhook.EndpointView { return e.View(a.Now()) }), err
}

func (a *API) getEndpoint(ctx context.Context, in *oneEndpoint) (*endpointAnswer, error) {
	return a.withEndpoint(ctx, in, a.Endpoints.Get)
}

func (a *API) changeEndpoint(ctx context.Context, in *changedEndpoint) (*endpointAnswer, error) {
	return a.withEndpoint(ctx, &oneEndpoint{in.Acting, in.ID}, func(ctx context.Context, owner, name string) (webhook.Endpoint, error) {
		_, store := a.endpoints(ctx)
		return store.Update(ctx, owner, name, func(s *webhook.Settings) {
			put(&s.URL, in.Body.URL)
			put(&s.Events, in.Body.Events)
			in.Body.edit(s)
		}, in.Body.private())
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

func (a *API) rotateEndpoint(ctx context.Context, in *rotatedEndpoint) (*endpointWithSecretAnswer, error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	overlap := webhook.Overlap
	if in.Body != nil && in.Body.Overlap != nil {
		overlap = time.Duration(*in.Body.Overlap) * time.Second
	}
	began, store := a.endpoints(ctx)
	e, secret, err := store.Rotate(ctx, owner.ID, in.ID, overlap, began)
	return &endpointWithSecretAnswer{Body: EndpointWithSecret{EndpointView: e.View(a.Now()), Secret: secret}}, err
}

var errNoKeys = problem.New(problem.NotFound, "there are no such keys")

// webhookKeys answers anyone. Whoever knows both ids learns the keys and nothing else of the endpoint.
func (a *API) webhookKeys(ctx context.Context, in *keysAsked) (*keysAnswer, error) {
	if !id.Valid("mer", in.Merchant) {
		return nil, errNoKeys
	}
	e, err := a.Endpoints.Get(ctx, in.Merchant, in.Endpoint)
	if err != nil && !problem.Is(err, problem.NotFound) {
		return nil, err
	}
	keys := e.PublicKeys(a.Now())
	if len(keys) == 0 {
		return nil, errNoKeys
	}
	return &keysAnswer{CacheControl: "public, max-age=60", Body: WebhookKeys{Keys: keys}}, nil
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
	return &endpointAnswer{Body: e.View(a.Now())}, err
}

var (
	exampleUntil = exampleTime.Add(time.Hour)
	exampleKeys  = []webhook.PublicKey{
		{PublicKey: "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="},
		{PublicKey: "whpk_3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=", Until: &exampleUntil},
	}
	exampleEndpoint = webhook.EndpointView{
		ID: "ep_" + exampleULID, URL: "https://shop.example.com/webhooks", FallbackURLs: []string{"https://spare.example.com/webhooks"}, Events: []string{"payment.*"},
		Where:   &webhook.Where{Assets: []string{"eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f"}, Metadata: map[string]string{"shop": "north"}},
		Payload: event.Full, Version: event.Newest(), Ordered: true, Timeout: 15, Schedule: webhook.UsualSchedule(), Limit: 50,
		Signing: webhook.ByBoth, PublicKeys: exampleKeys, Headers: map[string]string{"Authorization": webhook.Masked},
		ClientCertificate: &webhook.ClientCertificateView{Subject: "CN=farrier.example.com", Fingerprint: strings.Repeat("0f", 32), ExpiresAt: exampleTime.AddDate(1, 0, 0)},
		Enabled:           true, CreatedAt: exampleTime, UpdatedAt: exampleTime,
	}
	exampleEndpointWithSecret = EndpointWithSecret{EndpointView: exampleEndpoint, Secret: "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}
	exampleTestEvent          = event.View{ID: "evt_" + exampleULID, Type: event.EndpointTest, Timestamp: exampleTime, Object: "ep_" + exampleULID, Version: event.Newest(), Data: []byte(`{"endpoint":"ep_` + exampleULID + `"}`)}
)
