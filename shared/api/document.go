package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// huma has settings for the whole process; these are the ones that this API needs.
func init() {
	huma.NewError = fromHuma             // its own errors repeat the refused value
	huma.ValidateStrictCasing = true     // "Amount" is not "amount"
	huma.DefaultArrayNullable = false    // no list is ever null
	huma.ErrorFormatter = inPlainNumbers // not "2.592e+06"
}

func inPlainNumbers(format string, args ...any) string {
	for i, v := range args {
		if f, ok := v.(float64); ok {
			args[i] = strconv.FormatFloat(f, 'f', -1, 64)
		}
	}
	return fmt.Sprintf(format, args...)
}

// routes makes the mux and the document from all operations.
func (a *API) routes() {
	a.mux, a.operations = http.NewServeMux(), map[string]*huma.Operation{}
	h := huma.NewAPI(huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Farrier", Version: "1",
				Description: "Payments in digital money: merchants, payments, deposits, payouts, the ledger and webhooks.\n\n" +
					"Amounts are decimal strings in the asset's own unit (`amount`) and integer strings in its smallest (`amount_units`). " +
					"Errors are RFC 9457 problems. Lists come in pages: give `next` as `cursor` until it is null. " +
					"No operation that needs a key takes a webhook: a request with the header webhook-id or webhook-signature is refused (403 forbidden).",
				License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
			},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", schemaName),
				SecuritySchemes: map[string]*huma.SecurityScheme{"key": {
					Type: "http", Scheme: "bearer",
					Description: "A merchant's key, the operator's, or an approver's. Each operation names the scope, or both, that a merchant's key needs; `*` is all of a merchant's.",
				}},
			},
		},
		Formats:                      map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
	}, adapter{a.mux, a})
	for _, resource := range []func(huma.API){
		a.merchantRoutes, a.connectionRoutes, a.callbackRoutes, a.paymentRoutes, a.depositRoutes, a.ledgerRoutes,
		a.endpointRoutes, a.endpointHealthRoutes, a.eventRoutes, a.eventTypeRoutes, a.deliveryRoutes, a.taskRoutes,
		a.payoutRoutes, a.approvalRoutes, a.approverRoutes, a.destinationRoutes, a.freezeRoutes, a.walletRoutes, a.healthRoutes,
	} {
		resource(h)
	}
	letAnswersGrow(h.OpenAPI())
	a.document = h.OpenAPI()
	a.mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		_ = json.NewEncoder(w).Encode(a.document)
	})
}

// letAnswersGrow takes back huma's promise that no answer has other fields than these: later versions
// will have more. Requests stay strict.
func letAnswersGrow(doc *huma.OpenAPI) {
	asked := map[string]bool{}
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Post, item.Patch} {
			if op != nil && op.RequestBody != nil {
				mark(doc.Components.Schemas, op.RequestBody.Content["application/json"].Schema, asked)
			}
		}
	}
	for name, s := range doc.Components.Schemas.Map() {
		if !asked[name] && s.AdditionalProperties == false {
			s.AdditionalProperties = nil
		}
	}
}

// mark notes the names of all schemas that one is made of.
func mark(schemas huma.Registry, s *huma.Schema, names map[string]bool) {
	if s == nil {
		return
	}
	if s.Ref != "" {
		names[s.Ref[strings.LastIndex(s.Ref, "/")+1:]] = true
		s = schemas.SchemaFromRef(s.Ref)
	}
	mark(schemas, s.Items, names)
	if values, is := s.AdditionalProperties.(*huma.Schema); is {
		mark(schemas, values, names)
	}
	for _, p := range s.Properties {
		mark(schemas, p, names)
	}
}

// schemaName names a schema after its notion: payment.View is "Payment", merchant.KeyView is "Key",
// Page[payment.View] is "PageOfPayment", the body of newPayment is "NewPayment".
func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Name() == "" {
		return notion("." + strings.TrimSuffix(hint, "Body"))
	}
	whole, of, generic := strings.Cut(strings.TrimSuffix(t.String(), "]"), "[")
	if generic {
		return notion(whole) + "Of" + notion(of)
	}
	return notion(whole)
}

// notion is the name for "farrier/shared/payment.View", which is a type of a package.
func notion(qualified string) string {
	pkg, name, _ := strings.Cut(qualified[strings.LastIndex(qualified, "/")+1:], ".")
	name = strings.TrimSuffix(name, "View")
	if name == "" {
		name = pkg
	}
	return strings.ToUpper(name[:1]) + name[1:]
}
