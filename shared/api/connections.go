package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/callback"
	"farrier/shared/dynamo"
	"farrier/shared/gateway"
	"farrier/shared/merchant"
)

type newConnection struct {
	Body struct {
		Merchant    string            `json:"merchant,omitempty" pattern:"^mer_[0-9A-HJKMNP-TV-Z]{26}$" patternDescription:"a merchant's id" doc:"the operator names the merchant; a merchant's key acts for its own"`
		Provider    providerName      `json:"provider" doc:"how its callbacks are signed"`
		Trust       trustName         `json:"trust,omitempty" doc:"what a callback brings about; look: our own look at the chain; statement: the provider's signed word on money that it holds is believed; ask: the provider's API is asked first, and believed"`
		Secret      string            `json:"secret,omitempty" minLength:"1" maxLength:"4096" doc:"that the provider signs with, or its public key. Without secret and keys one is made, and shown in this answer alone."`
		Keys        []string          `json:"keys,omitempty" minItems:"1" maxItems:"10" maxLength:"4096" doc:"several secrets (whsec_…) and public keys (whpk_…), as while they are rotated; in place of secret"`
		KeyEnds     []time.Time       `json:"key_ends,omitempty" minItems:"1" maxItems:"10" doc:"when the first of keys, in their order, are believed no more; the others stay"`
		Credentials map[string]string `json:"credentials,omitempty" maxProperties:"10" doc:"named secrets that the provider needs beside, such as api_key"`
		callback.Settings
	}
}

// providerName and trustName have in the document what the code has.
type (
	providerName string
	trustName    string
	troubleName  string
)

func (providerName) Schema(huma.Registry) *huma.Schema { return oneOf(callback.Providers()) }
func (trustName) Schema(huma.Registry) *huma.Schema    { return oneOf(callback.Trusts()) }
func (troubleName) Schema(huma.Registry) *huma.Schema  { return oneOf(callback.Outcomes()) }

func oneOf[T ~string](names []T) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, name := range names {
		s.Enum = append(s.Enum, string(name))
	}
	return s
}

// ConnectionWithSecret is a connection with what is shown once.
type ConnectionWithSecret struct {
	callback.ConnectionView
	CallbackURL string `json:"callback_url" doc:"what to give to the provider"`
	Secret      string `json:"secret,omitempty" doc:"what the provider signs with, where it was made here; it is shown this once"`
}

type connectionAnswer struct{ Body ConnectionWithSecret }

func (a *API) connectionRoutes(to huma.API) {
	register(a, to, route{
		ID: "create-connection", Method: http.MethodPost, Path: "/v1/connections", Tag: "Callbacks", Summary: "Connect a provider",
		More:  "A connection is an address of its own that one provider's callbacks come to, and how they are signed.",
		Scope: merchant.ConnectionsWrite, Status: http.StatusCreated, Errors: []int{http.StatusNotFound},
		Example: map[string]any{"provider": "hmac", "chain": "eip155:137", "transaction_path": "data.hash", "hmac": map[string]any{"header": "x-signature"}},
		Answer:  exampleConnection,
	}, a.createConnection)
}

func (a *API) createConnection(ctx context.Context, in *newConnection) (*connectionAnswer, error) {
	owner, err := a.merchantFor(ctx, in.Body.Merchant)
	if err != nil {
		return nil, err
	}
	store := a.Connections
	store.Now, store.Random = a.making(ctx)
	made, secret, err := store.Create(ctx, callback.Asked{
		Merchant: owner.ID, Shards: owner.Shards, Provider: string(in.Body.Provider), Trust: callback.Trust(in.Body.Trust), Secret: in.Body.Secret, Keys: in.Body.Keys,
		KeyEnds: in.Body.KeyEnds, Credentials: in.Body.Credentials, Settings: in.Body.Settings,
	})
	var stored callback.Connection
	if exists, readErr := dynamo.Exists(err, &stored); exists { // an earlier run of this request made it
		made, err = stored, readErr
	}
	if err != nil {
		return nil, err
	}
	return &connectionAnswer{Body: ConnectionWithSecret{ConnectionView: made.View(), CallbackURL: a.base(ctx) + "/callbacks/" + made.ID, Secret: secret}}, nil
}

// base is the API's own address as the outside world sees it. Outside the local run the header Host,
// which a client chooses, has no part in it.
func (a *API) base(ctx context.Context) string {
	origin := gateway.OriginOf(ctx)
	switch {
	case a.PublicURL != "":
		return strings.TrimSuffix(a.PublicURL, "/")
	case a.Local:
		return "http://" + origin.Host
	default:
		return "https://" + origin.Domain
	}
}

var exampleConnection = ConnectionWithSecret{
	ConnectionView: callback.ConnectionView{
		ID: "con_" + exampleULID, Merchant: "mer_" + exampleULID, Provider: "hmac", Trust: callback.Look,
		Settings: callback.Settings{
			Chain: "eip155:137", TransactionPath: "data.hash",
			HMAC: &callback.HMAC{Header: "x-signature", Algorithm: "sha256", Encoding: "hex", Template: "{body}"},
		},
		CreatedAt: exampleTime,
	},
	CallbackURL: "https://pay.example.com/callbacks/con_" + exampleULID,
	Secret:      strings.Repeat("5f0c6b8d", 8),
}
