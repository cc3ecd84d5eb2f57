package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/approval"
	"farrier/shared/merchant"
)

type newApprover struct {
	Body struct {
		Name string   `json:"name" minLength:"1" maxLength:"100" doc:"of the person, without a colon" example:"Ann of finance"`
		Keys []string `json:"keys,omitempty" minItems:"1" maxItems:"20" pattern:"^(key_[0-9A-HJKMNP-TV-Z]{26}|operator)$" patternDescription:"the id of a key, or operator" doc:"ids of API keys that the same person holds, and operator for the operator's: what is asked for by them this person does not approve"`
	}
}

type oneApprover struct {
	ID string `path:"id" doc:"the approver's id"`
}

// GivenApprover is an approver with what is shown this once.
type GivenApprover struct {
	approval.ApproverView
	Key     string `json:"key" doc:"what the approver gives as Authorization: Bearer …; it is shown this once" example:"fa_01JD0Z5T3N8Q4W7R2X9Y6V1K5M_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"`
	OTPAuth string `json:"otpauth" doc:"for the approver's authenticator, as a QR code; it is shown this once" example:"otpauth://totp/Farrier:Ann%20of%20finance?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Farrier"`
}

type (
	approverAnswer struct{ Body approval.ApproverView }
	givenAnswer    struct{ Body GivenApprover }
)

func (a *API) approverRoutes(to huma.API) {
	const list = "/v1/approvers"
	register(a, to, route{
		ID: "create-approver", Method: http.MethodPost, Path: list, Tag: "Approvers", Summary: "Make an approver",
		More: "For the operator. The approver approves what the policy names it for; to be named there, a deployment is needed. Key and secret are in this answer and nowhere else.",
		Room: Approving, Scope: merchant.ApproversWrite, Status: http.StatusCreated, Example: map[string]any{"name": "Ann of finance", "keys": []string{"key_" + exampleULID}}, Answer: exampleGiven,
	}, a.createApprover)
	register(a, to, route{
		ID: "list-approvers", Method: http.MethodGet, Path: list, Tag: "Approvers", Summary: "List approvers",
		More: "For approvers and the operator.", Room: Approving, Scope: merchant.ApprovalsRead, Answer: Page[approval.ApproverView]{Data: []approval.ApproverView{exampleApprover.View()}},
	}, a.listApprovers)
	register(a, to, route{
		ID: "disable-approver", Method: http.MethodPost, Path: list + "/{id}/disable", Tag: "Approvers", Summary: "Disable an approver",
		More: "For the operator. At once and for good: what the approver said before does not count any more either.",
		Room: Approving, Scope: merchant.ApproversWrite, Errors: []int{http.StatusNotFound}, Answer: exampleDisabled,
	}, a.disableApprover)
}

// createApprover makes the same approver again where the request comes again under its Idempotency-Key: its moment and its
// randomness are those of the first run.
func (a *API) createApprover(ctx context.Context, in *newApprover) (*givenAnswer, error) {
	approvers := a.Approvers
	approvers.Now, approvers.Random = a.making(ctx)
	made, given, err := approvers.Create(ctx, in.Body.Name, in.Body.Keys)
	if err != nil {
		return nil, err
	}
	a.logged(ctx, "an approver was made", "approver", made.ID)
	return &givenAnswer{Body: GivenApprover{ApproverView: made.View(), Key: given.Key, OTPAuth: given.OTPAuth}}, nil
}

func (a *API) listApprovers(ctx context.Context, in *Paging) (*Listed[approval.ApproverView], error) {
	all, next, err := a.Approvers.List(ctx, in.Limit, in.Cursor)
	return listed(all, next, approval.Approver.View), err
}

func (a *API) disableApprover(ctx context.Context, in *oneApprover) (*approverAnswer, error) {
	by, err := a.Approvers.Disable(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	a.logged(ctx, "an approver was disabled", "approver", by.ID)
	return &approverAnswer{Body: by.View()}, nil
}

var (
	exampleApprover = approval.Approver{ID: "apr_" + exampleULID, Name: "Ann of finance", Keys: []string{"key_" + exampleULID}, CreatedAt: exampleTime}
	exampleDisabled = approval.ApproverView{ID: exampleApprover.ID, Name: exampleApprover.Name, Keys: exampleApprover.Keys, CreatedAt: exampleTime, DisabledAt: &exampleTime}
	exampleGiven    = GivenApprover{
		ApproverView: exampleApprover.View(), Key: "fa_" + exampleULID + "_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		OTPAuth: "otpauth://totp/Farrier:Ann%20of%20finance?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Farrier",
	}
)
