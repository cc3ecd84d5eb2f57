package api

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/approval"
	"farrier/shared/chain"
	"farrier/shared/merchant"
	"farrier/shared/payout"
	"farrier/shared/problem"
	"farrier/shared/signer"
)

type newApproval struct {
	ID   string `path:"id" doc:"the payout's id"`
	Body struct {
		Merchant string `json:"merchant" pattern:"^mer_[0-9A-HJKMNP-TV-Z]{26}$" patternDescription:"a merchant's id" doc:"whose payout it is"`
		Hash     string `json:"hash" pattern:"^[0-9a-f]{64}$" patternDescription:"64 hex digits in lower case" maxLength:"64" doc:"SHA-256 of the canonical text that you were shown, made by you"`
		Code     string `json:"code" pattern:"^[0-9]{6}$" patternDescription:"the 6 digits that your authenticator shows" maxLength:"6" doc:"of your authenticator; each is used once" example:"123456"`
	}
}

type listWaiting struct {
	Chain string `query:"chain" required:"true" minLength:"1" maxLength:"41" pattern:"^eip155:[1-9][0-9]{0,30}$" patternDescription:"the CAIP-2 id of an EVM chain" doc:"CAIP-2"`
	Paging
}

// Waiting is a payout as an approver is shown it.
type Waiting struct {
	payout.View
	Merchant  string `json:"merchant"`
	Requester string `json:"requester" doc:"the key that asked, or operator: whoever holds it does not approve"`
	Canonical string `json:"canonical" doc:"what is approved: its SHA-256 is the hash. Read it, and make the hash yourself"`
}

// ToApprove is a payout with what is needed to let it go, and what was said of it.
type ToApprove struct {
	Waiting
	Need      int                     `json:"need" doc:"how many approvals it needs"`
	Of        []string                `json:"of" doc:"whose"`
	InOrder   bool                    `json:"in_order" doc:"they must be made in that order"`
	Approvals []approval.ApprovalView `json:"approvals" doc:"what was said so far"`
}

// Judged is what an approver said and what the signer says of it.
type Judged struct {
	Approval approval.ApprovalView `json:"approval"`
	Verdict  approval.Verdict      `json:"verdict"`
}

type (
	toApproveAnswer struct{ Body ToApprove }
	judgedAnswer    struct{ Body Judged }
)

func (a *API) approvalRoutes(to huma.API) {
	const one = "/v1/payouts/{id}"
	missing := []int{http.StatusNotFound}
	register(a, to, route{
		ID: "list-waiting-payouts", Method: http.MethodGet, Path: "/v1/approvals", Tag: "Approvals", Summary: "List the payouts of a chain that wait for approvals, the oldest first",
		More: "For approvers and the operator, of all merchants. A page may be short, or empty, and have a next one: payouts in other states are left out of it.",
		Room: Approving, Scope: merchant.ApprovalsRead, Answer: Page[Waiting]{Data: []Waiting{exampleWaiting}},
	}, a.listWaiting)
	register(a, to, route{
		ID: "get-payout-approvals", Method: http.MethodGet, Path: one + "/approvals", Tag: "Approvals", Summary: "Get what is to be approved of a payout, and what was said of it",
		Room: Approving, Scope: merchant.PayoutsRead, Errors: missing, Answer: exampleToApprove,
	}, a.getToApprove)
	for _, d := range []struct {
		decision      approval.Decision
		summary, more string
		answer        Judged
	}{
		{approval.Approve, "Approve a payout", "For an approver whom the policy names, and who did not ask for it. The signer checks the code at once: where it is wrong, or was used, this is refused by the field code, and may be sent again with the next one.", exampleJudged},
		{approval.Reject, "Reject a payout", "For an approver whom the policy names. It ends the payout, whatever others say, unless it is signed already.", exampleRejected},
	} {
		register(a, to, route{
			ID: string(d.decision) + "-payout", Method: http.MethodPost, Path: one + "/" + string(d.decision), Tag: "Approvals", Summary: d.summary, More: d.more,
			Room: Approving, Scope: merchant.ApprovalsWrite, Errors: missing,
			Example: map[string]any{"merchant": "mer_" + exampleULID, "hash": exampleHash, "code": "123456"}, Answer: d.answer,
		}, func(ctx context.Context, in *newApproval) (*judgedAnswer, error) {
			return a.decide(ctx, in, d.decision)
		})
	}
}

func (a *API) listWaiting(ctx context.Context, in *listWaiting) (*Listed[Waiting], error) {
	open, next, err := a.Payouts.Open(ctx, chain.ID(in.Chain), in.Limit, in.Cursor)
	waiting := slices.DeleteFunc(open, func(p payout.Payout) bool { return p.State != payout.Checked })
	return listed(waiting, next, waitingOf), err
}

func waitingOf(p payout.Payout) Waiting {
	text, _ := p.Canonical() // what has none was never stored
	return Waiting{View: p.View(), Merchant: p.PK, Requester: p.Requester, Canonical: string(text)}
}

func (a *API) getToApprove(ctx context.Context, in *onePayout) (*toApproveAnswer, error) {
	p, err := a.payoutFor(ctx, in)
	if err != nil {
		return nil, err
	}
	said, err := a.Approvals.Of(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	rule, _ := a.Policy.Approvals.RuleFor(p.Asset, p.Amount) // without one it is not signed, whatever is said of it
	return &toApproveAnswer{Body: ToApprove{
		Waiting: waitingOf(p), Need: rule.Need, Of: append([]string{}, rule.Of...), InOrder: rule.InOrder,
		Approvals: listed(said, "", approval.Approval.View).Body.Data,
	}}, nil
}

// decide records what an approver says, and has the signer judge at once. What is recorded and does not count may be said
// again with another code.
func (a *API) decide(ctx context.Context, in *newApproval, d approval.Decision) (*judgedAnswer, error) {
	p, err := a.Payouts.Get(ctx, in.Body.Merchant, in.ID)
	if err != nil {
		return nil, err
	}
	by := approverOf(ctx)
	if err := decidable(p, by, d, in.Body.Hash); err != nil {
		return nil, err
	}
	said, err := a.Approvals.Record(ctx, approval.Saying{Payout: p.ID, Approver: by, Hash: in.Body.Hash, Decision: d, Code: in.Body.Code})
	if err != nil {
		return nil, err
	}
	verdict, err := a.Signer.Check(ctx, p.PK, p.ID)
	if err != nil {
		return nil, refused(err)
	}
	a.logged(ctx, "an approver decided about a payout", "merchant", p.PK, "payout", p.ID, "decision", d, "granted", verdict.Granted)
	a.hint(ctx, p)
	if err := uncounted(verdict, by.ID); err != nil {
		return nil, err
	}
	verdict.Counted = append([]string{}, verdict.Counted...)
	return &judgedAnswer{Body: Judged{Approval: said.View(), Verdict: verdict}}, nil
}

// decidable says early what would not count.
func decidable(p payout.Payout, by approval.Approver, d approval.Decision, hash string) error {
	actual, err := p.Hash()
	switch {
	case err != nil:
		return err
	case p.Ended() || p.Unwanted != "" || len(p.Attempts) > 0:
		return problem.New(problem.Conflict, "the payout is "+string(p.State)+": there is nothing to decide any more")
	case hash != actual:
		return problem.Field("hash", "is not that of this payout: look at it again")
	case d == approval.Approve && by.Asked(p.Requester):
		return problem.New(problem.Forbidden, "whoever asks for a payout does not approve it")
	}
	return nil
}

// uncounted says why what an approver said does not count.
func uncounted(v approval.Verdict, approver string) error {
	at := slices.IndexFunc(v.Failures, func(f approval.Failure) bool { return f.Approver == approver })
	if at < 0 || v.Rejected == approver {
		return nil
	}
	f := v.Failures[at]
	switch f.Reason {
	case approval.WrongCode, approval.ClockOff, approval.CodeUsed, approval.Locked:
		return problem.Field("code", "does not count: "+f.Detail)
	case approval.OtherHash:
		return problem.Field("hash", "does not count: "+f.Detail)
	case approval.Requester, approval.NotNamed, approval.Disabled, approval.Unknown:
		return problem.New(problem.Forbidden, f.Detail)
	}
	return problem.New(problem.Conflict, "it does not count: "+f.Detail)
}

// refused is a refusal of the signer as the API tells it.
func refused(err error) error {
	var no *signer.Refusal
	if !errors.As(err, &no) {
		return err
	}
	switch no.Code {
	case signer.NotFound:
		return problem.New(problem.NotFound, no.Detail)
	case signer.Frozen:
		return problem.New(problem.Frozen, no.Detail)
	}
	return problem.New(problem.Conflict, "the signer refuses: "+no.Detail)
}

var (
	exampleRule      = []string{"apr_" + exampleULID, "apr_01JD0Z5T3N8Q4W7R2X9Y6V1K5N"}
	exampleWaiting   = waitingOf(paidOut("payout.requested"))
	exampleToApprove = ToApprove{Waiting: exampleWaiting, Need: 2, Of: exampleRule, Approvals: []approval.ApprovalView{exampleApproval}}
	exampleJudged    = Judged{Approval: exampleApproval, Verdict: approval.Verdict{Need: 2, Counted: exampleRule[:1]}}
	exampleRejected  = Judged{
		Approval: approval.ApprovalView{Payout: examplePayout.ID, Approver: exampleRule[0], Hash: exampleHash, Decision: approval.Reject, MadeAt: exampleTime},
		Verdict:  approval.Verdict{Rejected: exampleRule[0], Need: 2, Counted: []string{}},
	}
)
