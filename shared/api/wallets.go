package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/chain"
	"farrier/shared/chain/family"
	"farrier/shared/merchant"
	"farrier/shared/problem"
	"farrier/shared/signer"
	"farrier/shared/wallet"
)

type newWallet struct {
	Body struct {
		Custody  signer.Custody `json:"custody" enum:"kms,seed" doc:"kms: a chain's wallet that pays, whose key never leaves KMS; seed: a merchant's seed, which deposit addresses are derived from"`
		Chain    string         `json:"chain,omitempty" pattern:"^eip155:[1-9][0-9]{0,30}$" patternDescription:"the CAIP-2 id of an EVM chain" maxLength:"41" doc:"of kms" example:"eip155:137"`
		Merchant string         `json:"merchant,omitempty" pattern:"^mer_[0-9A-HJKMNP-TV-Z]{26}$" patternDescription:"a merchant's id" doc:"of seed"`
	}
}

// OpenedWallet is what is known of a wallet outside the signer.
type OpenedWallet struct {
	Custody  signer.Custody  `json:"custody" enum:"kms,seed"`
	Chain    string          `json:"chain,omitempty" doc:"of kms"`
	Address  string          `json:"address,omitempty" doc:"of kms: fund it with the chain's coin and with what it pays"`
	Merchant string          `json:"merchant,omitempty" doc:"of seed"`
	XPubs    wallet.Accounts `json:"xpubs,omitempty" doc:"of seed: extended public keys by family of chains, to be given to the merchant by PATCH /v1/merchants/{id}"`
}

type openedAnswer struct{ Body OpenedWallet }

func (a *API) walletRoutes(to huma.API) {
	register(a, to, route{
		ID: "open-wallet", Method: http.MethodPost, Path: "/v1/wallets", Tag: "Payouts", Summary: "Open a wallet that pays, or make a merchant's seed",
		More: "For the operator. The same again is the same wallet.",
		Room: Approving, Scope: merchant.WalletsWrite, Status: http.StatusCreated, Errors: []int{http.StatusNotFound},
		Example: map[string]any{"custody": "kms", "chain": "eip155:137"}, Answer: OpenedWallet{Custody: signer.KMS, Chain: exampleWallet.Chain, Address: exampleWallet.Address},
	}, a.openWallet)
}

func (a *API) openWallet(ctx context.Context, in *newWallet) (*openedAnswer, error) {
	switch on, by := in.Body.Chain, in.Body.Merchant; {
	case in.Body.Custody == signer.KMS && on == "":
		return nil, problem.Field("chain", "is missing")
	case in.Body.Custody == signer.KMS && by != "":
		return nil, problem.Field("merchant", "is not of kms: a chain's wallet is of all")
	case in.Body.Custody == signer.Seed && on != "":
		return nil, problem.Field("chain", "is not of seed: a seed is of all chains")
	case in.Body.Custody == signer.Seed && by == "":
		return nil, problem.Field("merchant", "is missing")
	case in.Body.Custody == signer.KMS:
		return a.openHot(ctx, chain.ID(on))
	default:
		return a.openSeed(ctx, by)
	}
}

func (a *API) openHot(ctx context.Context, on chain.ID) (*openedAnswer, error) {
	address, err := a.Signer.OpenHot(ctx, on)
	if err != nil {
		return nil, refused(err)
	}
	a.logged(ctx, "a wallet was opened", "chain", on)
	return &openedAnswer{Body: OpenedWallet{Custody: signer.KMS, Chain: string(on), Address: family.Show(on, address)}}, nil
}

func (a *API) openSeed(ctx context.Context, named string) (*openedAnswer, error) {
	owner, err := a.merchantFor(ctx, named)
	if err != nil {
		return nil, err
	}
	accounts, err := a.Signer.OpenSeed(ctx, owner.ID)
	if err != nil {
		return nil, refused(err)
	}
	a.logged(ctx, "a seed was made", "merchant", owner.ID)
	return &openedAnswer{Body: OpenedWallet{Custody: signer.Seed, Merchant: owner.ID, XPubs: accounts}}, nil
}
