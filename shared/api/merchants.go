package api

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/gateway"
	"farrier/shared/merchant"
	"farrier/shared/payment"
	"farrier/shared/problem"
	"farrier/shared/wallet"
)

type newMerchant struct {
	Body struct {
		Name   string `json:"name" minLength:"1" maxLength:"100" example:"Demo shop"`
		XPub   string `json:"xpub,omitempty" minLength:"1" maxLength:"120" doc:"extended public key of the account m/44'/60'/account' (BIP-32, BIP-44) for EVM chains, a short form of xpubs.eip155; never a private one" example:"xpub6Ce9NcJvTk372KjsGfWqbcex5DumjpNquQLApoeQUavSCjEc823BV1tb4rXUuPuht8h2hSxkg2EXUaKUJmniJvRZAELxypsCzBFdtosmV76"`
		XPubs  xpubs  `json:"xpubs,omitzero" doc:"extended public keys by family of chains; one at least, here or as xpub"`
		Shards int    `json:"shards,omitempty" minimum:"1" maximum:"64" default:"1" doc:"how many parts each of its accounts has; more let more payments be credited at once"`
	}
}

// xpubs are an account's extended public key for each family of chains (BIP-32); never a private one.
type xpubs struct {
	EIP155 string `json:"eip155,omitempty" minLength:"1" maxLength:"120" doc:"of m/44'/60'/account' (BIP-44), for EVM chains"`
	BIP122 string `json:"bip122,omitempty" minLength:"1" maxLength:"120" doc:"of m/84'/0'/account' (BIP-84), for Bitcoin: an xpub or zpub, on test networks a tpub or vpub"`
	TRON   string `json:"tron,omitempty" minLength:"1" maxLength:"120" doc:"of m/44'/195'/account' (BIP-44), for TRON"`
}

type changedMerchant struct {
	ID   string `path:"id" doc:"the merchant's id"`
	Body struct {
		Tolerance *toleranceAsked `json:"tolerance,omitempty" doc:"of payments that name none"`
		Policy    *policyAsked    `json:"policy,omitempty" doc:"of payments that name none"`
		XPubs     xpubs           `json:"xpubs,omitzero" doc:"by the operator: for families of chains that the merchant has none for; one that is there stays"`
	}
}

type merchantAnswer struct{ Body merchant.View }

type newKey struct {
	ID   string `path:"id" doc:"the merchant's id"`
	Body struct {
		Name   string           `json:"name" minLength:"1" maxLength:"100" doc:"for people" example:"shop's back end"`
		Scopes []merchant.Scope `json:"scopes" minItems:"1" maxItems:"14" enum:"payments:read,payments:write,payments:decide,ledger:read,webhooks:read,webhooks:write,events:read,connections:read,connections:write,callbacks:read,callbacks:write,payouts:read,payouts:write,*" example:"payments:read,payments:write"`
	}
}

// IssuedKey is a key with its text, which is shown this once.
type IssuedKey struct {
	merchant.KeyView
	Key string `json:"key" doc:"what to give as Authorization: Bearer …; it is shown this once" example:"fk_01JD0Z5T3N8Q4W7R2X9Y6V1K5M_01JD0Z5T3N8Q4W7R2X9Y6V1K5M_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"`
}

type keyAnswer struct{ Body IssuedKey }

type oneKey struct {
	ID  string `path:"id" doc:"the merchant's id"`
	Key string `path:"key" doc:"the key's id"`
}

func (a *API) merchantRoutes(to huma.API) {
	register(a, to, route{
		ID: "create-merchant", Method: http.MethodPost, Path: "/v1/merchants", Tag: "Merchants", Summary: "Create a merchant",
		More: "For the operator.", Scope: merchant.MerchantsWrite, Status: http.StatusCreated, Example: exampleNewMerchant, Answer: exampleMerchant,
	}, a.createMerchant)
	register(a, to, route{
		ID: "change-merchant", Method: http.MethodPatch, Path: "/v1/merchants/{id}", Tag: "Merchants", Summary: "Change what a merchant's payments usually have",
		More:  "For the operator and for the merchant's own keys, which are not shown its extended public keys. What is left out stays; it is known everywhere after a minute at most, and payments that are made keep what they have.",
		Scope: merchant.PaymentsDecide, Errors: []int{http.StatusNotFound}, Example: exampleChangedMerchant, Answer: exampleMerchant,
	}, a.changeMerchant)
	register(a, to, route{
		ID: "issue-key", Method: http.MethodPost, Path: "/v1/merchants/{id}/keys", Tag: "Merchants", Summary: "Issue a key to a merchant",
		More: "For the operator. The key's text is in this answer and nowhere else.", Scope: merchant.MerchantsWrite, Status: http.StatusCreated,
		Errors: []int{http.StatusNotFound}, Example: exampleNewKey, Answer: exampleKey,
	}, a.issueKey)
	register(a, to, route{
		ID: "revoke-key", Method: http.MethodDelete, Path: "/v1/merchants/{id}/keys/{key}", Tag: "Merchants", Summary: "Revoke a merchant's key",
		More: "For the operator. The key is refused everywhere after a minute at most.", Scope: merchant.MerchantsWrite, Status: http.StatusNoContent,
		Errors: []int{http.StatusNotFound},
	}, a.revokeKey)
}

// merchants is the store for what this request makes.
func (a *API) merchants(ctx context.Context) merchant.Store {
	s := a.Merchants
	s.Now, s.Random = a.making(ctx)
	return s
}

func (a *API) createMerchant(ctx context.Context, in *newMerchant) (*merchantAnswer, error) {
	accounts, err := in.Body.XPubs.accounts(in.Body.XPub)
	if err != nil {
		return nil, err
	}
	m, err := a.merchants(ctx).Create(ctx, merchant.Request{Name: in.Body.Name, Accounts: accounts, Shards: in.Body.Shards})
	return &merchantAnswer{Body: m.View()}, in.Body.XPubs.named(in.Body.XPub, err)
}

// named has the error name the field that the key for EVM chains was given in.
func (x xpubs) named(short string, err error) error {
	if p := problem.Of(err); p.Field == "xpub" && short == "" && x.EIP155 != "" {
		return problem.Field("xpubs.eip155", p.Detail)
	}
	return err
}

// accounts are the keys by family, with the short form of the one for EVM chains.
func (x xpubs) accounts(short string) (wallet.Accounts, error) {
	if short != "" && x.EIP155 != "" && short != x.EIP155 {
		return nil, problem.Field("xpubs.eip155", "is another key than xpub; give one of them")
	}
	accounts := wallet.Accounts{}
	for namespace, key := range map[string]string{"eip155": cmp.Or(x.EIP155, short), "bip122": x.BIP122, "tron": x.TRON} {
		if key != "" {
			accounts[namespace] = key
		}
	}
	return accounts, nil
}

func (a *API) changeMerchant(ctx context.Context, in *changedMerchant) (*merchantAnswer, error) {
	caller := callerOf(ctx)
	switch {
	case !caller.Operator && caller.Merchant.ID != in.ID:
		return nil, merchant.ErrNone
	case !caller.Operator && in.Body.XPubs != (xpubs{}): // it says where money goes
		return nil, problem.New(problem.Forbidden, "xpubs are given by the operator")
	}
	accounts, err := in.Body.XPubs.accounts("")
	if err != nil {
		return nil, err
	}
	m, err := a.Merchants.Change(ctx, in.ID, merchant.Change{Terms: termsAsked(in.Body.Tolerance, in.Body.Policy), Accounts: accounts})
	if err != nil {
		return nil, in.Body.XPubs.named("", err)
	}
	a.logged(ctx, "a merchant's settings were set", "merchant", m.ID, "version", m.Version)
	if !caller.Operator {
		return &merchantAnswer{Body: m.View().WithoutKeys()}, nil
	}
	return &merchantAnswer{Body: m.View()}, nil
}

// logged writes who did what changes what counts as paid. It takes ids alone.
func (a *API) logged(ctx context.Context, what string, about ...any) {
	caller := callerOf(ctx)
	a.Log.InfoContext(ctx, what, append(about, "by", caller.Name(), "key", caller.Key, "request", gateway.OriginOf(ctx).RequestID)...)
}

func (a *API) issueKey(ctx context.Context, in *newKey) (*keyAnswer, error) {
	k, text, err := a.merchants(ctx).IssueKey(ctx, in.ID, in.Body.Name, in.Body.Scopes)
	return &keyAnswer{Body: IssuedKey{KeyView: k.View(), Key: text}}, err
}

func (a *API) revokeKey(ctx context.Context, in *oneKey) (*struct{}, error) {
	err := a.Merchants.RevokeKey(ctx, in.ID, in.Key)
	a.Door.Forget(in.ID, in.Key)
	return nil, err
}

var (
	exampleNewMerchant     = map[string]any{"name": "Demo shop", "xpub": exampleXPub, "shards": 1}
	exampleMerchant        = merchant.View{ID: "mer_" + exampleULID, Name: "Demo shop", XPub: exampleXPub, XPubs: wallet.Accounts{"eip155": exampleXPub}, Shards: 1, CreatedAt: exampleTime, Policy: payment.Usual}
	exampleChangedMerchant = map[string]any{"tolerance": map[string]any{"under_bps": 50}, "policy": map[string]any{"late": "hold"}}
	exampleNewKey          = map[string]any{"name": "shop's back end", "scopes": []string{"payments:read", "payments:write"}}
	exampleKey             = IssuedKey{
		KeyView: merchant.KeyView{ID: "key_" + exampleULID, Merchant: "mer_" + exampleULID, Name: "shop's back end",
			Scopes: []merchant.Scope{merchant.PaymentsRead, merchant.PaymentsWrite}, CreatedAt: exampleTime},
		Key: "fk_" + exampleULID + "_" + exampleULID + "_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	}
)

// What the document's examples share.
const (
	exampleULID = "01JD0Z5T3N8Q4W7R2X9Y6V1K5M"
	// exampleXPub is the account m/44'/60'/1' of the mnemonic that every local chain uses.
	exampleXPub = "xpub6Ce9NcJvTk372KjsGfWqbcex5DumjpNquQLApoeQUavSCjEc823BV1tb4rXUuPuht8h2hSxkg2EXUaKUJmniJvRZAELxypsCzBFdtosmV76"
)

var exampleTime = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
