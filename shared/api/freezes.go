package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/merchant"
	"farrier/shared/money"
	"farrier/shared/payout"
	"farrier/shared/problem"
)

// Frozen names what is frozen: exactly one of these.
type Frozen struct {
	Everything bool   `json:"everything,omitempty" doc:"all payouts; or"`
	Asset      string `json:"asset,omitempty" minLength:"1" maxLength:"170" doc:"those of an asset, CAIP-19; or" example:"eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f"`
	Merchant   string `json:"merchant,omitempty" pattern:"^mer_[0-9A-HJKMNP-TV-Z]{26}$" patternDescription:"a merchant's id" doc:"those of a merchant"`
}

type newFreeze struct {
	Body struct {
		Frozen
		Reason string `json:"reason" minLength:"1" maxLength:"200" doc:"for people" example:"a key was stolen"`
	}
}

type newLift struct {
	Body struct {
		Frozen
	}
}

type freezeAnswer struct{ Body payout.FreezeView }

func (a *API) freezeRoutes(to huma.API) {
	const list = "/v1/freezes"
	missing := []int{http.StatusNotFound}
	register(a, to, route{
		ID: "freeze", Method: http.MethodPost, Path: list, Tag: "Freezes", Summary: "Freeze payouts: all, those of an asset, or those of a merchant",
		More: "For an approver or the operator. The signer signs nothing more of it from now on. What was signed before may still be mined. Wishes to lift it that came before are gone.",
		Room: Approving, Scope: merchant.FreezesWrite, Errors: missing, Example: map[string]any{"everything": true, "reason": "a key was stolen"}, Answer: exampleFreeze.View(),
	}, a.freeze)
	register(a, to, route{
		ID: "list-freezes", Method: http.MethodGet, Path: list, Tag: "Freezes", Summary: "List what is frozen, and what was",
		More: "For approvers and the operator.", Room: Approving, Scope: merchant.ApprovalsRead, Answer: Page[payout.FreezeView]{Data: []payout.FreezeView{exampleFreeze.View()}},
	}, a.listFreezes)
	register(a, to, route{
		ID: "lift-freeze", Method: http.MethodPost, Path: list + "/lift", Tag: "Freezes", Summary: "Ask for the lift of a freeze",
		More: "For approvers. It is lifted when a second, another one asks for it within a day.",
		Room: Approving, Scope: merchant.ApprovalsWrite, Errors: missing, Example: map[string]any{"everything": true}, Answer: exampleLifting.View(),
	}, a.liftFreeze)
}

func (a *API) freeze(ctx context.Context, in *newFreeze) (*freezeAnswer, error) {
	what, err := a.stop(ctx, in.Body.Frozen)
	if err != nil {
		return nil, err
	}
	if err := problem.Text("reason", in.Body.Reason, payout.MaxReason); err != nil {
		return nil, err
	}
	f, err := a.Freezes.Set(ctx, what, callerOf(ctx).Name(), in.Body.Reason)
	if err != nil {
		return nil, err
	}
	a.logged(ctx, "payouts were frozen", "what", f.SK, "version", f.Version)
	return &freezeAnswer{Body: f.View()}, nil
}

func (a *API) liftFreeze(ctx context.Context, in *newLift) (*freezeAnswer, error) {
	what, err := a.stop(ctx, in.Body.Frozen)
	if err != nil {
		return nil, err
	}
	f, err := a.Freezes.Lift(ctx, what, callerOf(ctx).Name())
	if err != nil {
		return nil, err
	}
	a.logged(ctx, "the lift of a freeze was asked for", "what", f.SK, "frozen", f.On, "version", f.Version)
	return &freezeAnswer{Body: f.View()}, nil
}

func (a *API) listFreezes(ctx context.Context, _ *struct{}) (*Listed[payout.FreezeView], error) {
	all, err := a.Freezes.List(ctx)
	return listed(all, "", payout.Freeze.View), err
}

// stop reads what is to be frozen, or not any more. A name that names nothing is refused: it would freeze nobody.
func (a *API) stop(ctx context.Context, what Frozen) (payout.Stop, error) {
	switch {
	case what.Merchant != "" && what.Asset == "" && !what.Everything:
		_, err := a.merchantFor(ctx, what.Merchant)
		return payout.Stop{Merchant: what.Merchant}, err
	case what.Asset != "" && what.Merchant == "" && !what.Everything:
		asset, err := money.ParseAsset(what.Asset)
		if err != nil {
			return payout.Stop{}, problem.Field("asset", err.Error())
		}
		return payout.Stop{Asset: asset}, nil
	case what.Everything && what.Merchant == "" && what.Asset == "":
		return payout.Stop{}, nil
	}
	return payout.Stop{}, problem.Field("everything", "must be true where neither asset nor merchant is named; name one of the three")
}

var (
	exampleFreeze  = payout.Freeze{SK: payout.Stop{}.Key().SK, On: true, By: "operator", Reason: "a key was stolen", At: exampleTime}
	exampleLifting = payout.Freeze{SK: exampleFreeze.SK, On: true, By: "operator", Reason: "a key was stolen", At: exampleTime, LiftedBy: exampleRule[:1], LiftAt: exampleTime.Add(1)}
)
