package payment

import (
	"slices"
	"time"

	"farrier/shared/money"
)

// Verdict is what the merchant decided about money that was not as it was asked for.
type Verdict struct {
	About   About          `dynamodbav:"about"`
	Action  Action         `dynamodbav:"action"`
	Amounts []money.Amount `dynamodbav:"amounts"` // that it was about, an option each
	At      time.Time      `dynamodbav:"at"`
	By      string         `dynamodbav:"by"`
}

// State is how it stands with money that is not as it was asked for.
type State string

// The states.
const (
	Accepted State = "accepted"
	Held     State = "held"
	ToRefund State = "refund"
)

var stateOf = map[Action]State{Accept: Accepted, Hold: Held, Refund: ToRefund}

// Who decided.
const (
	ByPolicy   = "policy" // no person has
	ByMerchant = "merchant"
	ByOperator = "operator"
)

// Decision is how it stands with such money.
type Decision struct {
	About   About
	State   State
	Amounts []money.Amount // an option each
	At      *time.Time     // nil where the policy says it
	By      string
}

// Standing is what a payment's money comes to at a moment: a pure function of what was asked, what was credited, what the
// merchant decided and the time.
//
// Late money (and too little came in time) counts as if in time where it is accepted. With what counts, too much is about
// "over"; too little, once the end has come, is about "partial". The payment is settled, so that the merchant may hand over
// the goods, where what counts is enough, or where a part was accepted as enough. Where enough came in time, all money
// counts, whenever it came: more of it is about "over".
func (p Payment) Standing(now time.Time) (decisions []Decision, settled bool) {
	options := p.Options()
	counted := each(options, Option.Received)
	if !p.Tolerance.enough(shareOf(options, each(options, inTime))) {
		decisions = p.about(AboutLate, each(options, after))
		counted = each(options, inTime)
		for _, d := range decisions {
			if d.State == Accepted {
				counted = plus(counted, d.Amounts)
			}
		}
	}
	share := shareOf(options, counted)
	switch {
	case p.Tolerance.tooMuch(share):
		return append(decisions, p.about(AboutOver, excess(options, counted))...), true
	case p.Tolerance.enough(share):
		return decisions, true
	case p.closed(now) && !none(counted):
		part := p.about(AboutPartial, counted)
		return append(decisions, part...), part[0].State == Accepted
	}
	return decisions, false
}

// about is how it stands with these amounts: the merchant's verdict stands for what it was about, as long as no less is
// there, and the policy speaks of what came since.
func (p Payment) about(what About, amounts []money.Amount) []Decision {
	var all []Decision
	for _, v := range p.Verdicts {
		if v.About == what && covers(amounts, v.Amounts) {
			all = append(all, Decision{About: what, State: stateOf[v.Action], Amounts: v.Amounts, At: &v.At, By: v.By})
			amounts = minus(amounts, v.Amounts)
		}
	}
	if !none(amounts) {
		all = append(all, Decision{About: what, State: stateOf[p.Policy.about(what)], Amounts: amounts, By: ByPolicy})
	}
	return all
}

// Decide records what the merchant decided about all that is not as it was asked for in one way. It says whether there is
// such money, and whether that changed anything.
func (p Payment) Decide(about About, action Action, by string, now time.Time) (decided Payment, is, changed bool) {
	decisions, _ := p.Standing(now)
	var amounts []money.Amount
	for _, d := range decisions {
		if d.About == about {
			amounts = plus(amounts, d.Amounts)
			is = true
		}
	}
	said := func(v Verdict) bool {
		return v.About == about && v.Action == action && slices.EqualFunc(v.Amounts, amounts, same)
	}
	if !is || slices.ContainsFunc(p.Verdicts, said) {
		return p, is, false
	}
	p.Verdicts = slices.DeleteFunc(slices.Clone(p.Verdicts), func(v Verdict) bool { return v.About == about })
	p.Verdicts = append(p.Verdicts, Verdict{About: about, Action: action, Amounts: amounts, At: now, By: by})
	return p, true, true
}

func same(a, b money.Amount) bool { return a.Cmp(b) == 0 }

// covers says whether no amount is less than the other's.
func covers(amounts, others []money.Amount) bool {
	if len(amounts) != len(others) {
		return false
	}
	for i, other := range others {
		if amounts[i].Cmp(other) < 0 {
			return false
		}
	}
	return true
}

func plus(a, b []money.Amount) []money.Amount {
	if a == nil {
		return b
	}
	out := slices.Clone(a)
	for i := range out {
		out[i] = out[i].Add(b[i])
	}
	return out
}

func minus(a, b []money.Amount) []money.Amount {
	out := slices.Clone(a)
	for i := range out {
		out[i] = out[i].Sub(b[i])
	}
	return out
}
