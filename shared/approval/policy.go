package approval

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"farrier/shared/id"
	"farrier/shared/money"
)

// UsualAge is how long an approval counts, where the policy says nothing else.
const UsualAge = 24 * time.Hour

// Rule says whose approvals a payout above an amount needs.
type Rule struct {
	Asset   money.Asset  `json:"asset"`
	Above   money.Amount `json:"above"` // in the smallest unit; of the rules of an asset the one with the greatest amount below the payout's counts
	Need    int          `json:"need"`
	Of      []string     `json:"of"`       // ids of approvers
	InOrder bool         `json:"in_order"` // whether those that count must have been made in the order of Of
}

// Policy is all rules.
type Policy struct {
	Rules []Rule        `json:"rules"`
	Age   time.Duration `json:"-"` // how long an approval counts; 0 is UsualAge
}

// NoRuleError says that nobody has said who approves payouts of an asset: then none is let go. Where none are needed a rule
// says so, by needing none above zero.
type NoRuleError struct{ Asset money.Asset }

func (e *NoRuleError) Error() string {
	return fmt.Sprintf("no rule says who approves payouts of %s, and without one none is made", e.Asset)
}

// RuleFor finds the rule that a payout of an amount falls under. Below the least amount of an asset's rules none are needed.
func (p Policy) RuleFor(asset money.Asset, amount money.Amount) (Rule, error) {
	found, ruled := Rule{Asset: asset}, false
	for _, r := range p.Rules {
		if r.Asset != asset {
			continue
		}
		ruled = true
		if amount.Cmp(r.Above) > 0 && r.Above.Cmp(found.Above) >= 0 {
			found = r
		}
	}
	if !ruled {
		return Rule{}, &NoRuleError{asset}
	}
	return found, nil
}

// Known says what of a policy cannot be meant, by its place.
func (p Policy) Known() error {
	seen := map[string]bool{}
	for i, r := range p.Rules {
		place := fmt.Sprintf("rules[%d].", i)
		if parsed, err := money.ParseAsset(string(r.Asset)); err != nil || parsed != r.Asset {
			return fmt.Errorf("%sasset: must be a CAIP-19 asset in its one spelling", place)
		}
		switch key := string(r.Asset) + " " + r.Above.String(); {
		case seen[key]:
			return fmt.Errorf("%sabove: another rule of the asset has the same", place)
		case r.Above.Sign() < 0:
			return fmt.Errorf("%sabove: must not be negative", place)
		case r.Need < 0 || r.Need > len(r.Of):
			return fmt.Errorf("%sneed: must be from 0 to the number of approvers", place)
		default:
			seen[key] = true
		}
		for j, name := range r.Of {
			if !id.Valid("apr", name) {
				return fmt.Errorf("%sof[%d]: is not the id of an approver", place, j)
			}
			if slices.Contains(r.Of[:j], name) {
				return fmt.Errorf("%sof[%d]: is named twice", place, j)
			}
		}
	}
	if p.Age < 0 {
		return fmt.Errorf("age: must not be negative")
	}
	return nil
}

// Asked is the payout as the signer reads it.
type Asked struct {
	Payout    string
	Hash      string // of its canonical form
	Requester string // id of the key that asked
	Asset     money.Asset
	Amount    money.Amount
}

// Reason says why an approval does not count.
type Reason string

// The reasons.
const (
	Unknown    Reason = "unknown"    // no approver has this id
	Disabled   Reason = "disabled"   // the approver was disabled
	NotNamed   Reason = "not_named"  // the rule does not name the approver
	Requester  Reason = "requester"  // the approver asked for the payout
	OtherOne   Reason = "other_one"  // it is of another payout
	OtherHash  Reason = "other_hash" // the payout is not what was approved
	TooOld     Reason = "too_old"    // it was made too long ago
	Future     Reason = "future"     // it was made later than now: the clock of who wrote it is off
	WrongCode  Reason = "wrong_code" // the code is not the approver's
	ClockOff   Reason = "clock_off"  // the code is the approver's, of another time
	CodeUsed   Reason = "code_used"  // the code was used for something else
	Locked     Reason = "locked"     // the approver gave too many wrong codes
	OutOfOrder Reason = "out_of_order"
)

// Failure says which approval does not count, and why. It is safe to show.
type Failure struct {
	Approver string `json:"approver"`
	Reason   Reason `json:"reason"`
	Detail   string `json:"detail"`
}

func (f Failure) Error() string { return f.Approver + ": " + f.Detail }

func failure(approver string, why Reason, detail string, values ...any) *Failure {
	return &Failure{Approver: approver, Reason: why, Detail: fmt.Sprintf(detail, values...)}
}

// Verdict is whether a payout may go.
type Verdict struct {
	Granted  bool      `json:"granted"`
	Rejected string    `json:"rejected,omitempty"` // the approver who rejected it; "" where none has
	Need     int       `json:"need"`               // approvals that the rule wants
	Counted  []string  `json:"counted"`            // approvers whose approvals count, in the order of their making
	Failures []Failure `json:"failures,omitempty"` // approvals that do not
}

// Error says why a payout may not go, or what it waits for.
func (v Verdict) Error() string {
	var out strings.Builder
	switch {
	case v.Granted:
		out.WriteString("granted")
	case v.Rejected != "":
		return "rejected by " + v.Rejected
	default:
		fmt.Fprintf(&out, "%d of %d approvals count", len(v.Counted), v.Need)
	}
	for _, f := range v.Failures {
		out.WriteString("; " + f.Error())
	}
	return out.String()
}

// futureBy is by how much the clocks of two functions may differ.
const futureBy = Period

// Judge decides about a payout from what was said of it. The code of an approval is checked last, by check, and only where
// all else is right: a code is used up by it. check answers with a *Failure, or with trouble, which ends the judging.
//
// A rejection ends a payout whatever else is wrong with it, so long as it is of somebody whom the rule names: to stop money
// needs less than to let it go.
func (p Policy) Judge(asked Asked, said []Approval, approvers map[string]Approver, check func(Approver, Approval) error, now time.Time) (Verdict, error) {
	rule, err := p.RuleFor(asked.Asset, asked.Amount)
	if err != nil {
		return Verdict{}, err
	}
	v := Verdict{Need: rule.Need}
	said = slices.Clone(said)
	slices.SortFunc(said, func(a, b Approval) int {
		if c := a.MadeAt.Compare(b.MadeAt); c != 0 {
			return c
		}
		return strings.Compare(a.Approver, b.Approver)
	})
	var good []Approval
	for i, a := range said {
		f := p.fault(asked, rule, a, approvers, now)
		switch {
		case f == nil && slices.ContainsFunc(said[:i], func(before Approval) bool { return before.Approver == a.Approver }):
			f = failure(a.Approver, OtherOne, "a second approval of the same approver")
		case a.Decision == Reject && stops(asked, rule, a, approvers):
			v.Rejected = a.Approver
		case f == nil && a.Decision == Approve:
			good = append(good, a)
		}
		if f != nil {
			v.Failures = append(v.Failures, *f)
		}
	}
	if v.Rejected != "" {
		return v, nil
	}
	good, failures, err := codes(good, approvers, check)
	if err != nil {
		return Verdict{}, err
	}
	v.Failures = append(v.Failures, failures...)
	if rule.InOrder {
		good, failures = inOrder(good, rule.Of)
		v.Failures = append(v.Failures, failures...)
	}
	for _, a := range good {
		v.Counted = append(v.Counted, a.Approver)
	}
	v.Granted = len(v.Counted) >= rule.Need
	return v, nil
}

// stops says whether a rejection is of somebody who may stop the payout.
func stops(asked Asked, rule Rule, a Approval, approvers map[string]Approver) bool {
	by, known := approvers[a.Approver]
	return known && by.DisabledAt == nil && a.Payout == asked.Payout && slices.Contains(rule.Of, a.Approver)
}

// fault says what is wrong with an approval, its code and its order apart.
func (p Policy) fault(asked Asked, rule Rule, a Approval, approvers map[string]Approver, now time.Time) *Failure {
	age := p.Age
	if age == 0 {
		age = UsualAge
	}
	by, known := approvers[a.Approver]
	switch {
	case !known:
		return failure(a.Approver, Unknown, "there is no such approver")
	case by.DisabledAt != nil:
		return failure(a.Approver, Disabled, "the approver is disabled")
	case by.Asked(asked.Requester):
		return failure(a.Approver, Requester, "who asks for a payout does not approve it")
	case !slices.Contains(rule.Of, a.Approver):
		return failure(a.Approver, NotNamed, "the rule does not name this approver")
	case a.Payout != asked.Payout:
		return failure(a.Approver, OtherOne, "it is of another payout")
	case a.Hash != asked.Hash:
		return failure(a.Approver, OtherHash, "the payout is not the one that was approved: its hash is another")
	case now.Sub(a.MadeAt) > age:
		return failure(a.Approver, TooOld, "it is older than %s", age)
	case a.MadeAt.Sub(now) > futureBy:
		return failure(a.Approver, Future, "it was made %s later than now: a clock is off", a.MadeAt.Sub(now).Round(time.Second))
	case a.Decision != Approve && a.Decision != Reject:
		return failure(a.Approver, OtherOne, "it decides nothing")
	}
	return nil
}

// codes keeps the approvals whose code is right.
func codes(said []Approval, approvers map[string]Approver, check func(Approver, Approval) error) (good []Approval, failures []Failure, err error) {
	for _, a := range said {
		var f *Failure
		switch err := check(approvers[a.Approver], a); {
		case err == nil:
			good = append(good, a)
		case errors.As(err, &f):
			failures = append(failures, *f)
		default:
			return nil, nil, err
		}
	}
	return good, failures, nil
}

// inOrder keeps as many approvals as were made in the order of the names, each after the one before it: the longest such
// row, and of several the one that ends first.
func inOrder(said []Approval, names []string) (kept []Approval, failures []Failure) {
	place := func(a Approval) int { return slices.Index(names, a.Approver) }
	rows := make([][]Approval, len(said)) // the longest row that ends with each
	for i, a := range said {
		for j, before := range said[:i] {
			if place(before) < place(a) && before.MadeAt.Before(a.MadeAt) && len(rows[j]) > len(rows[i]) {
				rows[i] = rows[j]
			}
		}
		rows[i] = append(slices.Clone(rows[i]), a)
		if len(rows[i]) > len(kept) {
			kept = rows[i]
		}
	}
	for _, a := range said {
		if !slices.ContainsFunc(kept, func(k Approval) bool { return k.Approver == a.Approver }) {
			failures = append(failures, *failure(a.Approver, OutOfOrder, "it was not made in the order that the rule wants"))
		}
	}
	return kept, failures
}
