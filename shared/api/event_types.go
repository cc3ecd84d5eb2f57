package api

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/deposit"
	"farrier/shared/event"
	"farrier/shared/payment"
	"farrier/shared/payout"
	"farrier/shared/problem"
	"farrier/shared/webhook"
)

// Webhook is what is sent, with the data of a kind of thing.
type Webhook[T any] struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp" doc:"when it happened"`
	Previous  string    `json:"previous,omitempty" doc:"id of the event before it about the same object; absent on the first"`
	Data      T         `json:"data"`
}

// EventType is an entry of the catalogue.
type EventType struct {
	Type    event.Type `json:"type"`
	Meaning string     `json:"meaning"`
	Object  string     `json:"object" enum:"payment,deposit,payout,endpoint" doc:"what its events are about"`
}

// EventTypeInFull is an entry with what its webhooks look like.
type EventTypeInFull struct {
	EventType
	Version  event.Version   `json:"version" doc:"of the full payload; new fields may join it"`
	Versions []event.Version `json:"versions" doc:"that an endpoint can be pinned to, the oldest first"`
	Full     Payload         `json:"full"`
	Thin     Payload         `json:"thin"`
}

// Payload is what a webhook's body looks like.
type Payload struct {
	Schema  json.RawMessage `json:"schema" doc:"JSON Schema, draft 2020-12"`
	Example json.RawMessage `json:"example"`
}

type oneEventType struct {
	Type string `path:"type" maxLength:"64"`
}

type eventTypeAnswer struct{ Body EventTypeInFull }

func (a *API) eventTypeRoutes(to huma.API) {
	register(a, to, route{
		ID: "list-event-types", Method: http.MethodGet, Path: "/v1/event-types", Tag: "Events", Summary: "List the types of events", More: "It takes no key.",
		Answer: Page[EventType]{Data: []EventType{exampleEventType}},
	}, func(context.Context, *struct{}) (*Listed[EventType], error) {
		return listed(event.Catalogue(), "", typed), nil
	})
	register(a, to, route{
		ID: "get-event-type", Method: http.MethodGet, Path: "/v1/event-types/{type}", Tag: "Events", Summary: "Get a type of events, with schemas and examples of its webhooks",
		More: "It takes no key.", Errors: []int{http.StatusNotFound}, Answer: EventTypeInFull{EventType: exampleEventType, Version: event.Newest(), Versions: event.Versions(),
			Full: Payload{Schema: json.RawMessage(`{"type":"object"}`), Example: json.RawMessage(`{}`)}, Thin: Payload{Schema: json.RawMessage(`{"type":"object"}`), Example: json.RawMessage(`{}`)}},
	}, func(_ context.Context, in *oneEventType) (*eventTypeAnswer, error) {
		for _, k := range event.Catalogue() {
			if string(k.Type) == in.Type {
				full, err := inFull(k)
				return &eventTypeAnswer{Body: full}, err
			}
		}
		return nil, problem.New(problem.NotFound, "there is no such type of events")
	})
	tellOfWebhooks(to.OpenAPI())
}

var exampleEventType = EventType{Type: event.PaymentPaid, Meaning: event.Meaning(event.PaymentPaid), Object: "payment"}

func typed(k event.Kind) EventType {
	about, _, _ := strings.Cut(string(k.Type), ".")
	return EventType{Type: k.Type, Meaning: k.Meaning, Object: about}
}

// bodies are the Go types of a type's full and thin payload.
func bodies(t event.Type) (full, thin reflect.Type) {
	thin = reflect.TypeFor[Webhook[event.Named]]()
	switch about := typed(event.Kind{Type: t}).Object; {
	case about == "payment":
		return reflect.TypeFor[Webhook[payment.View]](), thin
	case about == "deposit":
		return reflect.TypeFor[Webhook[deposit.View]](), thin
	case about == "payout":
		return reflect.TypeFor[Webhook[payout.View]](), thin
	case t == event.EndpointTest:
		return reflect.TypeFor[Webhook[webhook.TestedView]](), thin
	default:
		return reflect.TypeFor[Webhook[webhook.TroubleView]](), thin
	}
}

// inFull makes the schemas from the types that payloads are made of, and the examples as payloads are made.
func inFull(k event.Kind) (EventTypeInFull, error) {
	out := EventTypeInFull{EventType: typed(k), Version: event.Newest(), Versions: event.Versions()}
	example, err := exampleOf(k.Type)
	if err != nil {
		return out, err
	}
	full, thin := bodies(k.Type)
	for _, one := range []struct {
		to   *Payload
		from reflect.Type
		form event.Form
	}{{&out.Full, full, event.Full}, {&out.Thin, thin, event.Thin}} {
		text, _, err := example.Body(one.form, event.Newest())
		if err != nil {
			return out, err
		}
		one.to.Example = json.RawMessage(text)
		if one.to.Schema, err = schemaOf(k, one.from); err != nil {
			return out, err
		}
	}
	return out, nil
}

// schemaOf is a schema that stands alone.
func schemaOf(k event.Kind, body reflect.Type) (json.RawMessage, error) {
	parts := huma.NewMapRegistry("#/$defs/", schemaName)
	whole := parts.Schema(body, false, "Webhook")
	whole.Properties["type"].Enum = []any{string(k.Type)}
	whole.Title, whole.Description = string(k.Type), k.Meaning
	rest := maps.Clone(parts.Map())
	maps.DeleteFunc(rest, func(_ string, s *huma.Schema) bool { return s == whole })
	for _, s := range append(slices.Collect(maps.Values(rest)), whole) {
		if s.AdditionalProperties == false { // later payloads may have more
			s.AdditionalProperties = nil
		}
	}
	whole.Extensions = map[string]any{"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": rest}
	return json.Marshal(whole)
}

// tellOfWebhooks puts what is sent to endpoints into the document.
func tellOfWebhooks(doc *huma.OpenAPI) {
	doc.Webhooks = map[string]*huma.PathItem{}
	header := func(name, meaning, example string) *huma.Param {
		return &huma.Param{Name: name, In: "header", Required: true, Description: meaning, Schema: &huma.Schema{Type: huma.TypeString}, Example: example}
	}
	for _, k := range event.Catalogue() {
		full, thin := bodies(k.Type)
		schemas := doc.Components.Schemas
		content := &huma.MediaType{Schema: &huma.Schema{OneOf: []*huma.Schema{schemas.Schema(full, true, ""), schemas.Schema(thin, true, "")}}}
		doc.Webhooks[string(k.Type)] = &huma.PathItem{Post: &huma.Operation{
			OperationID: "webhook-" + strings.ReplaceAll(string(k.Type), ".", "-"), Tags: []string{"Webhooks"}, Summary: string(k.Type), Description: k.Meaning,
			Parameters: []*huma.Param{
				header("webhook-id", "the event's id: the same each time that it is sent", "evt_"+exampleULID),
				header("webhook-timestamp", "seconds since 1970, of this attempt", "1795262400"),
				header("webhook-signature", "Standard Webhooks: v1 or v1a, or several of them apart by spaces", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="),
				header("webhook-version", "what the data look like", string(event.Newest())),
			},
			RequestBody: &huma.RequestBody{Required: true, Description: "full or thin, as the endpoint is set", Content: map[string]*huma.MediaType{"application/json": content}},
			Responses:   map[string]*huma.Response{"2XX": {Description: "It is received. Any other answer, or none, is a failure."}},
		}}
	}
}
