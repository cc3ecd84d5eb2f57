package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/approval"
	"farrier/shared/chain"
	"farrier/shared/chain/family"
	"farrier/shared/gateway"
	"farrier/shared/merchant"
	"farrier/shared/payout"
	"farrier/shared/payout/desk"
	"farrier/shared/problem"
	"farrier/shared/queue"
)

type newPayout struct {
	Body struct {
		Merchant  string            `json:"merchant,omitempty" pattern:"^mer_[0-9A-HJKMNP-TV-Z]{26}$" patternDescription:"a merchant's id" doc:"the operator names the merchant; a merchant's key acts for its own"`
		Asset     string            `json:"asset" minLength:"1" maxLength:"170" doc:"CAIP-19, on an EVM chain" example:"eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f"`
		Amount    string            `json:"amount" minLength:"1" maxLength:"340" doc:"in the asset's own unit; nothing is rounded" example:"10.50"`
		To        string            `json:"to" minLength:"1" maxLength:"128" doc:"who is paid: an address, in mixed case with its checksum (EIP-55)" example:"0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"`
		Reference string            `json:"reference" minLength:"1" maxLength:"128" doc:"your own name for it; one payout alone has it, for ever" example:"salary-17"`
		Wallet    string            `json:"wallet,omitempty" minLength:"1" maxLength:"128" doc:"the address that pays: the chain's wallet where it is left out, or one of the merchant's own deposit addresses" example:"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"`
		Speed     payout.Speed      `json:"speed,omitempty" enum:"slow,normal,fast" default:"normal" doc:"how soon it should be mined, which its fee pays for"`
		Contract  bool              `json:"contract,omitempty" doc:"the destination may be a contract; without it a payout to one fails"`
		Lookalike bool              `json:"lookalike,omitempty" doc:"you have compared all characters of an address that begins and ends like one you know, and mean this one"`
		Metadata  map[string]string `json:"metadata,omitempty" maxProperties:"10" doc:"your own; at most 400 bytes in all"`
	}
}

type newEstimate struct {
	Body struct {
		Asset  string `json:"asset" minLength:"1" maxLength:"170" doc:"CAIP-19, on an EVM chain" example:"eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f"`
		Amount string `json:"amount" minLength:"1" maxLength:"340" doc:"in the asset's own unit" example:"10.50"`
	}
}

type newHold struct {
	Acting
	ID   string `path:"id"`
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"200" doc:"what the merchant reads" example:"the payee called: the address is not theirs"`
	}
}

type onePayout struct {
	Acting
	ID string `path:"id"`
}

// PayoutHistory is a payout with all that became of it.
type PayoutHistory struct {
	payout.View
	History   []payout.ChangeView     `json:"history" doc:"its states so far"`
	Approvals []approval.ApprovalView `json:"approvals" doc:"what approvers said of it"`
}

// HotWallet is an address that pays.
type HotWallet struct {
	Chain   string `json:"chain" doc:"CAIP-2" example:"eip155:137"`
	Address string `json:"address" doc:"as people write it, with its checksum" example:"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"`
}

type (
	payoutAnswer   struct{ Body payout.View }
	historyAnswer  struct{ Body PayoutHistory }
	estimateAnswer struct{ Body desk.Estimate }
)

func (a *API) payoutRoutes(to huma.API) {
	const list, one = "/v1/payouts", "/v1/payouts/{id}"
	missing := []int{http.StatusNotFound}
	register(a, to, route{
		ID: "create-payout", Method: http.MethodPost, Path: list, Tag: "Payouts", Summary: "Ask for a payout",
		More: "It waits for the approvals that the operator's policy wants, and is then paid once, or not at all. The same request with the same reference is the same payout; " +
			"the reference with another request is refused as reference_used. While payouts are frozen it is refused as frozen, and while it is not known what a transaction costs as unavailable (503).",
		Scope: merchant.PayoutsWrite, Status: http.StatusCreated, Errors: []int{http.StatusNotFound, http.StatusServiceUnavailable},
		Example: map[string]any{"asset": examplePayout.Asset, "amount": "10.50", "to": family.Show(examplePayout.Chain(), examplePayout.To), "reference": "salary-17", "metadata": examplePayout.Metadata},
		Answer:  examplePayout.View(),
	}, a.createPayout)
	register(a, to, route{
		ID: "list-payouts", Method: http.MethodGet, Path: list, Tag: "Payouts", Summary: "List payouts, the newest first",
		Scope: merchant.PayoutsRead, Errors: missing, Answer: Page[payout.View]{Data: []payout.View{examplePayout.View()}},
	}, a.listPayouts)
	register(a, to, route{
		ID: "get-payout", Method: http.MethodGet, Path: one, Tag: "Payouts", Summary: "Get a payout",
		Scope: merchant.PayoutsRead, Errors: missing, Answer: examplePaidOut.View(),
	}, a.getPayout)
	register(a, to, route{
		ID: "get-payout-history", Method: http.MethodGet, Path: one + "/history", Tag: "Payouts", Summary: "Get all that became of a payout",
		More:  "Its states, what approvers said, and each signed transaction with its hash, its prices and what became of it.",
		Scope: merchant.PayoutsRead, Errors: missing,
		Answer: PayoutHistory{View: examplePaidOut.View(), History: examplePaidOut.Changes(), Approvals: []approval.ApprovalView{exampleApproval}},
	}, a.getPayoutHistory)
	register(a, to, route{
		ID: "cancel-payout", Method: http.MethodPost, Path: one + "/cancel", Tag: "Payouts", Summary: "Take a payout back",
		More:  "As long as nothing can have been signed for it. Where its money is set aside already it is cancelling until that is released, within a minute, and nothing is signed any more.",
		Scope: merchant.PayoutsWrite, Errors: missing, Answer: exampleUnwanted.View(),
	}, a.cancelPayout)
	register(a, to, route{
		ID: "hold-payout", Method: http.MethodPost, Path: one + "/hold", Tag: "Payouts", Summary: "Have a payout wait for a person",
		More:  "For the operator, as long as nothing can have been signed for it.",
		Scope: merchant.PayoutsHold, Errors: missing, Example: map[string]any{"reason": "the payee called: the address is not theirs"}, Answer: exampleHeld.View(),
	}, a.holdPayout)
	register(a, to, route{
		ID: "resume-payout", Method: http.MethodPost, Path: one + "/resume", Tag: "Payouts", Summary: "Have a payout go on that is held",
		More: "For the operator. It goes on where it was held.", Scope: merchant.PayoutsHold, Errors: missing, Answer: examplePayout.View(),
	}, a.resumePayout)
	register(a, to, route{
		ID: "estimate-payout", Method: http.MethodPost, Path: "/v1/payout-estimates", Tag: "Payouts", Summary: "Say what a payout would cost now, by speed",
		More:  "While nobody has told within a quarter of an hour what a transaction costs there is none: unavailable (503).",
		Scope: merchant.PayoutsRead, Errors: []int{http.StatusServiceUnavailable},
		Example: map[string]any{"asset": examplePayout.Asset, "amount": "10.50"}, Answer: exampleEstimate,
	}, a.estimatePayout)
	register(a, to, route{
		ID: "list-wallets", Method: http.MethodGet, Path: "/v1/wallets", Tag: "Payouts", Summary: "List the wallets that pay, one for each chain",
		Scope: merchant.PayoutsRead, Answer: Page[HotWallet]{Data: []HotWallet{exampleWallet}},
	}, a.listWallets)
}

func (a *API) createPayout(ctx context.Context, in *newPayout) (*payoutAnswer, error) {
	owner, err := a.merchantFor(ctx, in.Body.Merchant)
	if err != nil {
		return nil, err
	}
	p, err := a.Desk.Create(ctx, payout.Request{
		Merchant: owner.ID, Requester: requester(callerOf(ctx)), Asset: in.Body.Asset, Amount: in.Body.Amount, To: in.Body.To, Reference: in.Body.Reference,
		Wished: in.Body.Wallet, Speed: in.Body.Speed, Contract: in.Body.Contract, Lookalike: in.Body.Lookalike, Metadata: in.Body.Metadata,
	})
	if err != nil {
		return nil, err
	}
	a.hint(ctx, p)
	return &payoutAnswer{Body: p.View()}, nil
}

// requester is who asks, by the name of the key.
func requester(c merchant.Caller) string {
	if c.Operator {
		return approval.Operator
	}
	return c.Key
}

// hint asks pay to look at a payout. One that is lost costs time.
func (a *API) hint(ctx context.Context, p payout.Payout) {
	if err := a.Pay.Send(ctx, queue.Message{Body: payout.Hint{Merchant: p.PK, Payout: p.ID}}); err != nil {
		a.Log.WarnContext(ctx, "hint not sent", "payout", p.ID, "request", gateway.OriginOf(ctx).RequestID, "error", err)
	}
}

func (a *API) listPayouts(ctx context.Context, in *listPayments) (*Listed[payout.View], error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	payouts, next, err := a.Payouts.List(ctx, owner.ID, in.Limit, in.Cursor)
	return listed(payouts, next, payout.Payout.View), err
}

// payoutFor is the payout that a request is about.
func (a *API) payoutFor(ctx context.Context, in *onePayout) (payout.Payout, error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return payout.Payout{}, err
	}
	return a.Payouts.Get(ctx, owner.ID, in.ID)
}

func (a *API) getPayout(ctx context.Context, in *onePayout) (*payoutAnswer, error) {
	p, err := a.payoutFor(ctx, in)
	if err != nil {
		return nil, err
	}
	return &payoutAnswer{Body: p.View()}, nil
}

func (a *API) getPayoutHistory(ctx context.Context, in *onePayout) (*historyAnswer, error) {
	p, err := a.payoutFor(ctx, in)
	if err != nil {
		return nil, err
	}
	said, err := a.Approvals.Of(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	return &historyAnswer{Body: PayoutHistory{View: p.View(), History: p.Changes(), Approvals: listed(said, "", approval.Approval.View).Body.Data}}, nil
}

func (a *API) cancelPayout(ctx context.Context, in *onePayout) (*payoutAnswer, error) {
	by := "by the merchant"
	if callerOf(ctx).Operator {
		by = "by the operator"
	}
	return a.stepped(ctx, in, "cancelled", func(p payout.Payout, now time.Time) (payout.Payout, error) { return p.Unwant(by, now) })
}

func (a *API) holdPayout(ctx context.Context, in *newHold) (*payoutAnswer, error) {
	if err := problem.Text("reason", in.Body.Reason, payout.MaxReason); err != nil {
		return nil, err
	}
	return a.stepped(ctx, &onePayout{Acting: in.Acting, ID: in.ID}, "held", func(p payout.Payout, now time.Time) (payout.Payout, error) {
		if p.State == payout.Held && p.Reason == in.Body.Reason {
			return p, nil
		}
		return p.Hold(in.Body.Reason, now)
	})
}

func (a *API) resumePayout(ctx context.Context, in *onePayout) (*payoutAnswer, error) {
	return a.stepped(ctx, in, "resumed", payout.Payout.Resume)
}

// stepped moves a payout, and has pay look at it.
func (a *API) stepped(ctx context.Context, in *onePayout, to string, step func(payout.Payout, time.Time) (payout.Payout, error)) (*payoutAnswer, error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	var was payout.State
	p, err := a.Payouts.Step(ctx, owner.ID, in.ID, func(p payout.Payout, now time.Time) (payout.Payout, error) {
		was = p.State
		return step(p, now)
	})
	var no *payout.MoveError
	switch {
	case errors.As(err, &no):
		return nil, problem.New(problem.Conflict, "the payout is "+string(was)+" and cannot be "+to)
	case err != nil:
		return nil, err
	}
	a.logged(ctx, "a payout was "+to, "merchant", owner.ID, "payout", p.ID, "version", p.Version)
	a.hint(ctx, p)
	return &payoutAnswer{Body: p.View()}, nil
}

func (a *API) estimatePayout(ctx context.Context, in *newEstimate) (*estimateAnswer, error) {
	e, err := a.Desk.Estimate(ctx, in.Body.Asset, in.Body.Amount)
	return &estimateAnswer{Body: e}, err
}

func (a *API) listWallets(ctx context.Context, _ *struct{}) (*Listed[HotWallet], error) {
	var open []HotWallet
	for _, c := range a.Desk.Payouts.Assets.Chains() {
		address, err := a.Desk.Wallets.Hot(ctx, c.ID)
		if err != nil {
			return nil, err
		}
		if address != "" {
			open = append(open, HotWallet{Chain: string(c.ID), Address: family.Show(c.ID, address)})
		}
	}
	return listed(open, "", func(w HotWallet) HotWallet { return w }), nil
}

// evm is any EVM chain: one key has one address on all of them.
const evm = chain.ID("eip155:1")

var (
	examplePaidOut  = paidOut("payout.final")
	exampleHeld     = paidOut("payout.held")
	exampleUnwanted = paidOut("payout.cancelled")
	exampleWallet   = HotWallet{Chain: "eip155:137", Address: family.Show(evm, examplePayout.Wallet)}
	exampleSpeed    = desk.SpeedEstimate{Fee: "0.003", FeeUnits: "3000000000000000", FeeMost: "0.0135", FeeMostUnits: "13500000000000000"}
	exampleEstimate = desk.Estimate{
		Asset: string(examplePayout.Asset), Amount: "10.50", FeeAsset: "eip155:137/slip44:966", FeeSymbol: "POL",
		Slow: exampleSpeed, Normal: exampleSpeed, Fast: exampleSpeed, At: exampleTime, Age: 12,
	}
	exampleHash, _  = examplePayout.Hash()
	exampleApproval = approval.ApprovalView{Payout: examplePayout.ID, Approver: "apr_" + exampleULID, Hash: exampleHash, Decision: approval.Approve, MadeAt: exampleTime}
)
