package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/callback"
	"farrier/shared/dynamo"
	"farrier/shared/gateway"
	"farrier/shared/merchant"
	"farrier/shared/problem"
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
		callback.Care
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

// changedConnection asks for a change; see callback.Change.
type changedConnection struct {
	Acting
	ID   string `path:"id"`
	Body struct {
		Version     int64             `json:"version" minimum:"1" doc:"of the connection that was read; where it has another by now, nothing is changed and the answer is 409"`
		Trust       trustName         `json:"trust,omitempty" doc:"what a callback brings about"`
		Enabled     *bool             `json:"enabled,omitempty" doc:"false: every callback is refused"`
		Secret      string            `json:"secret,omitempty" minLength:"1" maxLength:"4096" doc:"to be added: a secret that the provider signs with, or its public key"`
		Keys        []string          `json:"keys,omitempty" minItems:"1" maxItems:"10" maxLength:"4096" doc:"several to be added, in place of secret"`
		NewSecret   bool              `json:"new_secret,omitempty" doc:"one is made and added, and shown in this answer alone"`
		OldUntil    string            `json:"old_until,omitempty" maxLength:"40" doc:"until when those that were there before a new one are believed: a time within 30 days, or now; without it 24 hours"`
		Remove      []string          `json:"remove,omitempty" minItems:"1" maxItems:"10" maxLength:"8" doc:"fingerprints of secrets that are believed no more, at once"`
		Credentials map[string]string `json:"credentials,omitempty" maxProperties:"10" doc:"named secrets, each added or in the place of the one before"`
		Clear       []string          `json:"clear,omitempty" minItems:"1" maxItems:"20" maxLength:"100" doc:"names of settings that are taken away before others are set, such as sources or credentials.api_key"`
		callback.Settings
		callback.Care
	}
}

type listConnections struct {
	Acting
	Paging
}

type oneConnection struct {
	Acting
	ID string `path:"id"`
}

type newOrderAddress struct {
	Acting
	ID   string `path:"id"`
	Body struct {
		Order string `json:"order" minLength:"1" maxLength:"128" doc:"your name for the order; payers see it" example:"order-1042"`
	}
}

// ConnectionWithURL is a connection and its address.
type ConnectionWithURL struct {
	callback.ConnectionView
	CallbackURL string `json:"callback_url" doc:"what to give to the provider"`
}

// ConnectionWithSecret is a connection with what is shown once.
type ConnectionWithSecret struct {
	ConnectionWithURL
	Secret string `json:"secret,omitempty" doc:"what the provider signs with, where it was made here; it is shown this once"`
}

// OrderAddress is where a wallet calls back to for one order.
type OrderAddress struct {
	Order       string `json:"order"`
	CallbackURL string `json:"callback_url" doc:"to be given to the payer's wallet; what comes there is believed for this order alone"`
}

type (
	connectionAnswer           struct{ Body ConnectionWithURL }
	connectionWithSecretAnswer struct{ Body ConnectionWithSecret }
	orderAddressAnswer         struct{ Body OrderAddress }
)

func (a *API) connectionRoutes(to huma.API) {
	const list, one = "/v1/connections", "/v1/connections/{id}"
	missing := []int{http.StatusNotFound}
	register(a, to, route{
		ID: "create-connection", Method: http.MethodPost, Path: list, Tag: "Callbacks", Summary: "Connect a provider",
		More:  "A connection is an address of its own that one provider's callbacks come to, and how they are signed.",
		Scope: merchant.ConnectionsWrite, Status: http.StatusCreated, Errors: missing,
		Example: map[string]any{"provider": "hmac", "chain": "eip155:137", "transaction_path": "data.hash", "hmac": map[string]any{"header": "x-signature"}},
		Answer:  exampleConnectionWithSecret,
	}, a.createConnection)
	register(a, to, route{
		ID: "list-connections", Method: http.MethodGet, Path: list, Tag: "Callbacks", Summary: "List connections, the newest first",
		Scope: merchant.ConnectionsRead, Errors: missing, Answer: Page[ConnectionWithURL]{Data: []ConnectionWithURL{exampleConnection}},
	}, a.listConnections)
	register(a, to, route{
		ID: "get-connection", Method: http.MethodGet, Path: one, Tag: "Callbacks", Summary: "Get a connection",
		More:  "Of each secret it shows a fingerprint and when it ends, and never the secret.",
		Scope: merchant.ConnectionsRead, Errors: missing, Answer: exampleConnection,
	}, a.getConnection)
	register(a, to, route{
		ID: "change-connection", Method: http.MethodPatch, Path: one, Tag: "Callbacks", Summary: "Change a connection: its secrets, settings and trust",
		More: "What is left out stays. A new secret is believed at once, and those before it until old_until; a change is known everywhere after a minute. " +
			"Another keep_days is for the callbacks that come from then on.",
		Scope: merchant.ConnectionsWrite, Errors: missing, Keyed: true,
		Example: map[string]any{"version": 1, "new_secret": true, "old_until": "2026-12-01T00:00:00Z"}, Answer: exampleConnectionWithSecret,
	}, a.changeConnection)
	register(a, to, route{
		ID: "create-order-address", Method: http.MethodPost, Path: one + "/order-addresses", Tag: "Callbacks", Summary: "Make the address that a wallet calls for one order",
		More:  "For wallets and providers that sign nothing: the address holds a secret of this order alone. The same order has the same address until the connection's secret is changed.",
		Scope: merchant.PaymentsWrite, Errors: missing, Example: map[string]any{"order": exampleOrder.Order}, Answer: exampleOrder,
	}, a.createOrderAddress)
}

func (a *API) createConnection(ctx context.Context, in *newConnection) (*connectionWithSecretAnswer, error) {
	owner, err := a.merchantFor(ctx, in.Body.Merchant)
	if err != nil {
		return nil, err
	}
	made, secret, err := a.connections(ctx).Create(ctx, callback.Asked{
		Merchant: owner.ID, Shards: owner.Shards, Provider: string(in.Body.Provider), Trust: callback.Trust(in.Body.Trust), Secret: in.Body.Secret,
		Keys: in.Body.Keys, KeyEnds: in.Body.KeyEnds, Credentials: in.Body.Credentials, Settings: in.Body.Settings, Care: in.Body.Care,
	})
	var stored callback.Connection
	if exists, readErr := dynamo.Exists(err, &stored); exists { // an earlier run of this request made it
		made, err = stored, readErr
	}
	if err != nil {
		return nil, err
	}
	return &connectionWithSecretAnswer{Body: ConnectionWithSecret{ConnectionWithURL: a.withURL(ctx)(made), Secret: secret}}, nil
}

func (a *API) listConnections(ctx context.Context, in *listConnections) (*Listed[ConnectionWithURL], error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	connections, next, err := a.Connections.Of(ctx, owner.ID, in.Limit, in.Cursor)
	return listed(connections, next, a.withURL(ctx)), err
}

func (a *API) getConnection(ctx context.Context, in *oneConnection) (*connectionAnswer, error) {
	connection, err := a.connectionFor(ctx, in.Merchant, in.ID)
	if err != nil {
		return nil, err
	}
	connection, err = a.Connections.Marked(ctx, connection)
	return &connectionAnswer{Body: a.withURL(ctx)(connection)}, err
}

func (a *API) changeConnection(ctx context.Context, in *changedConnection) (*connectionWithSecretAnswer, error) {
	connection, err := a.connectionFor(ctx, in.Merchant, in.ID)
	if err != nil {
		return nil, err
	}
	asked := in.Body
	changed, secret, err := a.connections(ctx).Change(ctx, connection, callback.Change{
		Version: asked.Version, Trust: callback.Trust(asked.Trust), Enabled: asked.Enabled, Secret: asked.Secret, Keys: asked.Keys,
		NewSecret: asked.NewSecret, OldUntil: asked.OldUntil, Remove: asked.Remove, Credentials: asked.Credentials,
		Settings: asked.Settings, Care: asked.Care, Clear: asked.Clear,
	})
	return &connectionWithSecretAnswer{Body: ConnectionWithSecret{ConnectionWithURL: a.withURL(ctx)(changed), Secret: secret}}, err
}

func (a *API) createOrderAddress(ctx context.Context, in *newOrderAddress) (*orderAddressAnswer, error) {
	connection, err := a.connectionFor(ctx, in.Merchant, in.ID)
	if err != nil {
		return nil, err
	}
	address, err := a.orderURL(ctx, connection, in.Body.Order)
	return &orderAddressAnswer{Body: OrderAddress{Order: in.Body.Order, CallbackURL: address}}, err
}

// orderURL is the address of one order at a connection.
func (a *API) orderURL(ctx context.Context, c callback.Connection, order string) (string, error) {
	query, err := a.Connections.OrderAddress(ctx, c, order)
	return a.withURL(ctx)(c).CallbackURL + "?" + query, err
}

// connections is the store for what this request makes.
func (a *API) connections(ctx context.Context) callback.Connections {
	s := a.Connections
	s.Now, s.Random = a.making(ctx)
	return s
}

var errNoConnection = problem.New(problem.NotFound, "there is no such connection")

// connectionFor finds a connection, if it is the caller's. The connection says whose it is, so the operator need not.
func (a *API) connectionFor(ctx context.Context, named, connection string) (callback.Connection, error) {
	found, err := a.Connections.Get(ctx, connection)
	if errors.Is(err, callback.ErrUnknown) {
		return found, errNoConnection
	}
	if err != nil {
		return found, err
	}
	return found, a.owns(ctx, named, found.Merchant, errNoConnection)
}

// owns fails with missing where a thing is another merchant's than the one that the caller acts for.
func (a *API) owns(ctx context.Context, named, of string, missing error) error {
	if named == "" && callerOf(ctx).Operator {
		return nil
	}
	owner, err := a.merchantFor(ctx, named)
	if err == nil && owner.ID != of {
		err = missing
	}
	return err
}

// withURL shows connections with their addresses.
func (a *API) withURL(ctx context.Context) func(callback.Connection) ConnectionWithURL {
	return func(c callback.Connection) ConnectionWithURL {
		return ConnectionWithURL{ConnectionView: c.View(), CallbackURL: a.base(ctx) + "/callbacks/" + c.ID}
	}
}

// addresses are where this API is called, as far as it knows: by the outside world, and by this request.
func (a *API) addresses(ctx context.Context) []string {
	return []string{a.base(ctx), "https://" + gateway.OriginOf(ctx).Domain}
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

var (
	exampleConnection = ConnectionWithURL{
		ConnectionView: callback.ConnectionView{
			ID: "con_" + exampleULID, Merchant: "mer_" + exampleULID, Provider: "hmac", Trust: callback.Look, Enabled: true,
			Settings: callback.Settings{
				Chain: "eip155:137", TransactionPath: "data.hash",
				HMAC: &callback.HMAC{Header: "x-signature", Algorithm: "sha256", Encoding: "hex", Template: "{body}"},
			},
			Secrets: []callback.Mark{{Fingerprint: "5f0c6b8d"}}, CreatedAt: exampleTime, UpdatedAt: exampleTime, Version: 1,
		},
		CallbackURL: "https://pay.example.com/callbacks/con_" + exampleULID,
	}
	exampleConnectionWithSecret = ConnectionWithSecret{ConnectionWithURL: exampleConnection, Secret: strings.Repeat("5f0c6b8d", 8)}
	exampleOrder                = OrderAddress{
		Order: "order-1042", CallbackURL: exampleConnection.CallbackURL + "?order=order-1042&secret=" + strings.Repeat("5f0c6b8d", 8),
	}
)
