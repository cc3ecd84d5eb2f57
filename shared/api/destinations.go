package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/merchant"
	"farrier/shared/payout"
	"farrier/shared/problem"
)

type newDestination struct {
	Body struct {
		Merchant  string `json:"merchant" pattern:"^mer_[0-9A-HJKMNP-TV-Z]{26}$" patternDescription:"a merchant's id" doc:"whose list it is"`
		Address   string `json:"address" minLength:"1" maxLength:"128" doc:"on EVM chains, in mixed case with its checksum (EIP-55)" example:"0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"`
		Label     string `json:"label,omitempty" minLength:"1" maxLength:"100" doc:"for people" example:"Bob, supplier"`
		Lookalike bool   `json:"lookalike,omitempty" doc:"you have compared all characters of an address that begins and ends like one that is known, and mean this one"`
	}
}

type listDestinations struct {
	Acting
	Paging
}

type oneDestination struct {
	Acting
	Address string `path:"address" maxLength:"128" doc:"the destination"`
}

type destinationAnswer struct{ Body payout.DestinationView }

func (a *API) destinationRoutes(to huma.API) {
	const list = "/v1/destinations"
	register(a, to, route{
		ID: "allow-destination", Method: http.MethodPost, Path: list, Tag: "Destinations", Summary: "Put a destination on a merchant's list",
		More: "For approvers. Where the policy says so, only destinations on the list are paid, and new ones after a wait, in which others can see who added them. " +
			"The same one again changes nothing, its label neither.",
		Room: Approving, Scope: merchant.DestinationsWrite, Status: http.StatusCreated, Errors: []int{http.StatusNotFound},
		Example: map[string]any{"merchant": "mer_" + exampleULID, "address": exampleDestination.Address, "label": exampleDestination.Label}, Answer: exampleDestination,
	}, a.allowDestination)
	register(a, to, route{
		ID: "list-destinations", Method: http.MethodGet, Path: list, Tag: "Destinations", Summary: "List a merchant's destinations",
		More: "A page may be short, or empty, and have a next one.",
		Room: Approving, Scope: merchant.PayoutsRead, Errors: []int{http.StatusNotFound}, Answer: Page[payout.DestinationView]{Data: []payout.DestinationView{exampleDestination}},
	}, a.listDestinations)
	register(a, to, route{
		ID: "disallow-destination", Method: http.MethodDelete, Path: list + "/{address}", Tag: "Destinations", Summary: "Take a destination off a merchant's list",
		More: "For approvers. At once; one that is put back waits again.",
		Room: Approving, Scope: merchant.DestinationsWrite, Status: http.StatusNoContent, Errors: []int{http.StatusNotFound},
	}, a.disallowDestination)
}

func (a *API) allowDestination(ctx context.Context, in *newDestination) (*destinationAnswer, error) {
	owner, err := a.merchantFor(ctx, in.Body.Merchant)
	if err != nil {
		return nil, err
	}
	address, err := payout.ParseAddress(evm, in.Body.Address)
	if err != nil {
		return nil, problem.Field("address", err.Error())
	}
	if in.Body.Label != "" {
		if err := problem.Text("label", in.Body.Label, payout.MaxLabel); err != nil {
			return nil, err
		}
	}
	known, err := a.Known.Like(ctx, owner.ID, evm, payout.EndsOf(address))
	if err != nil {
		return nil, err
	}
	if like := payout.Likenesses(address, known); len(like) > 0 && !in.Body.Lookalike {
		return nil, problem.Field("address", like[0].Detail(evm))
	}
	d, err := a.Known.Allowed.Allow(ctx, owner.ID, evm, address, in.Body.Label, callerOf(ctx).Name())
	if err != nil {
		return nil, err
	}
	a.logged(ctx, "a destination was allowed", "merchant", owner.ID, "version", d.Version)
	return &destinationAnswer{Body: a.destination(d)}, nil
}

func (a *API) destination(d payout.Destination) payout.DestinationView {
	return d.View(evm, a.Policy.Wait)
}

func (a *API) listDestinations(ctx context.Context, in *listDestinations) (*Listed[payout.DestinationView], error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	all, next, err := a.Known.Allowed.List(ctx, owner.ID, in.Limit, in.Cursor)
	return listed(all, next, a.destination), err
}

func (a *API) disallowDestination(ctx context.Context, in *oneDestination) (*struct{}, error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	address, err := payout.ParseAddress(evm, in.Address)
	if err != nil {
		return nil, errNoDestination
	}
	switch d, err := a.Known.Allowed.Get(ctx, owner.ID, evm, address); {
	case err != nil:
		return nil, err
	case d.Version == 0:
		return nil, errNoDestination
	}
	d, err := a.Known.Allowed.Disallow(ctx, owner.ID, evm, address)
	if err != nil {
		return nil, err
	}
	a.logged(ctx, "a destination was taken off a list", "merchant", owner.ID, "version", d.Version)
	return nil, nil
}

var (
	errNoDestination   = problem.New(problem.NotFound, "there is no such destination on the list")
	exampleDestination = payout.DestinationView{
		Address: "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", Label: "Bob, supplier", AllowedAt: exampleTime, AllowedBy: "apr_" + exampleULID, From: exampleTime.Add(payout.UsualWait),
	}
)
