package approval

import (
	"context"
	"errors"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/id"
	"farrier/shared/problem"
)

// Decision is what an approver said.
type Decision string

// The decisions.
const (
	Approve Decision = "approve"
	Reject  Decision = "reject"
)

// Approval is what one approver said of one payout.
type Approval struct {
	PK string `dynamodbav:"pk"` // payout
	SK string `dynamodbav:"sk"` // approver

	Payout   string    `dynamodbav:"payout"`
	Approver string    `dynamodbav:"approver"`
	Hash     string    `dynamodbav:"hash"` // SHA-256 of the canonical payout that the approver was shown, in hex
	Decision Decision  `dynamodbav:"decision"`
	Code     string    `dynamodbav:"code"` // of the second factor, as it was given
	MadeAt   time.Time `dynamodbav:"made_at"`
	Version  int64     `dynamodbav:"version"` // from 1; raised where it is given again, with another code
}

// ApprovalView is an approval as the API shows it, without its code.
type ApprovalView struct {
	Payout   string    `json:"payout"`
	Approver string    `json:"approver"`
	Hash     string    `json:"hash" doc:"SHA-256 of the canonical form of the payout that was approved"`
	Decision Decision  `json:"decision" enum:"approve,reject"`
	MadeAt   time.Time `json:"made_at"`
}

// View shows the approval.
func (a Approval) View() ApprovalView {
	return ApprovalView{Payout: a.Payout, Approver: a.Approver, Hash: a.Hash, Decision: a.Decision, MadeAt: a.MadeAt}
}

// Saying is what an approver says now.
type Saying struct {
	Payout   string
	Approver Approver
	Hash     string
	Decision Decision
	Code     string
}

// Approvals keeps approvals. It is the function approve's to write, and the signer's to read.
type Approvals struct {
	Table dynamo.Table
	Now   func() time.Time
}

// errDecided: what was decided stays.
var errDecided = problem.New(problem.Conflict, "you have decided the opposite about this payout, and that stays")

// Record keeps what an approver says. The same again is success; the same decision with another code, or of another hash,
// takes the place of the one before, which was too old, mistyped or of what the payout no longer is. The opposite of what
// was decided is refused.
func (s Approvals) Record(ctx context.Context, said Saying) (Approval, error) {
	a, err := said.approval(s.Now().UTC().Truncate(time.Millisecond))
	if err != nil {
		return a, err
	}
	for {
		var stored Approval
		err := s.Table.Get(ctx, dynamo.Key{PK: a.PK, SK: a.SK}, &stored)
		switch {
		case errors.Is(err, dynamo.ErrMissing):
		case err != nil:
			return a, err
		case stored.Decision != a.Decision:
			return stored, errDecided
		case stored.Hash == a.Hash && stored.Code == a.Code:
			return stored, nil
		}
		a.Version = stored.Version + 1
		if err := s.Table.Follow(ctx, a, stored.Version); !errors.Is(err, dynamo.ErrStale) {
			return a, err
		}
	}
}

// Of reads all that was said of a payout.
func (s Approvals) Of(ctx context.Context, payout string) ([]Approval, error) {
	var all []Approval
	err := dynamo.Each(ctx, s.Table, dynamo.Query{PK: payout}, func(a Approval) error {
		all = append(all, a)
		return nil
	})
	return all, err
}

// approval checks what is said.
func (said Saying) approval(now time.Time) (Approval, error) {
	switch {
	case !id.Valid("out", said.Payout):
		return Approval{}, problem.New(problem.NotFound, "there is no such payout")
	case said.Decision != Approve && said.Decision != Reject:
		return Approval{}, problem.Field("decision", "must be approve or reject")
	case !isHash(said.Hash):
		return Approval{}, problem.Field("hash", "must be the payout's hash, 64 hex digits in lower case")
	case !wellFormed(said.Code):
		return Approval{}, problem.Field("code", "must be the 6 digits that your authenticator shows")
	}
	return Approval{
		PK: said.Payout, SK: said.Approver.ID, Payout: said.Payout, Approver: said.Approver.ID, Hash: said.Hash,
		Decision: said.Decision, Code: said.Code, MadeAt: now,
	}, nil
}

func isHash(s string) bool {
	if len(s) != 64 {
		return false
	}
	for i := range len(s) {
		if !(s[i] >= '0' && s[i] <= '9' || s[i] >= 'a' && s[i] <= 'f') {
			return false
		}
	}
	return true
}
