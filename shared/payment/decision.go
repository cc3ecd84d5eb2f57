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
// What the merchant decided to send back counts for nothing any more, whatever comes or goes after: he may have sent it.
// Late money (and too little came in time) counts as if in time where it is accepted. With what counts, too much is about
// "over"; too little, once the end has come, is about "partial". The payment is settled, so that the merchant may hand over
// the goods, where what counts is enough, or where a part was accepted as enough. Where enough came in time, all money
// counts, whenever it came: more of it is about "over".
func (p Payment) Standing(now time.Time) (decisions []Decision, settled bool) {
	options := p.net()
	decisions, counted := p.counted(options)
	decisions = append(p.sentBack(), decisions...)
	switch {
	case p.Tolerance.tooMuch(options, counted):
		return append(decisions, p.about(AboutOver, excess(options, counted))...), true
	case p.Tolerance.enough(shareOf(options, counted)):
		return decisions, true
	case p.closed(now) && !none(counted):
		part := p.about(AboutPartial, counted)
		return append(decisions, part...), part[0].State == Accepted
	}
	return decisions, false
}

// counted is what counts of the options' money, and how it stands with what came late.
func (p Payment) counted(options []Option) ([]Decision, []money.Amount) {
	if p.Tolerance.enough(shareOf(options, each(options, inTime))) {
		return nil, each(options, Option.Received)
	}
	late, counted := p.about(AboutLate, each(options, after)), each(options, inTime)
	for _, d := range late {
		if d.State == Accepted {
			counted = plus(counted, d.Amounts)
		}
	}
	return late, counted
}

// about is how it stands with these amounts: that the merchant accepted some stands, as long as no less is there, and the
// policy speaks of what came since.
func (p Payment) about(what About, amounts []money.Amount) []Decision {
	var all []Decision
	for _, v := range p.Verdicts {
		if v.About == what && v.Action == Accept && covers(amounts, v.Amounts) {
			all = append(all, v.decision())
			amounts = minus(amounts, v.Amounts)
		}
	}
	if !none(amounts) {
		all = append(all, Decision{About: what, State: stateOf[p.usually(what)], Amounts: amounts, By: ByPolicy})
	}
	return all
}

// usually is what the policy says. Nobody waits for the money of a payment that was cancelled: it is not accepted without a word.
func (p Payment) usually(about About) Action {
	action := p.Policy.about(about)
	if p.CancelledAt != nil && about != AboutOver && action == Accept {
		return Hold
	}
	return action
}

// sentBack is what the merchant decided to send back.
func (p Payment) sentBack() []Decision {
	var all []Decision
	for _, v := range p.Verdicts {
		if v.Action == Refund {
			all = append(all, v.decision())
		}
	}
	return all
}

// net are the options without the money that the merchant decided to send back: what he decided to send back of late money
// comes off that, as far as it is there, and then off the rest.
func (p Payment) net() []Option {
	options := p.Options()
	for _, d := range p.sentBack() {
		for i, amount := range d.Amounts[:min(len(d.Amounts), len(options))] {
			o := &options[i]
			if d.About == AboutPartial {
				take(amount, &o.InTime, &o.After)
			} else {
				take(amount, &o.After, &o.InTime)
			}
		}
	}
	return options
}

// take takes an amount from several in turn, as far as there is any.
func take(amount money.Amount, from ...*money.Amount) {
	for _, f := range from {
		part := amount
		if part.Cmp(*f) > 0 {
			part = *f
		}
		*f, amount = f.Sub(part), amount.Sub(part)
	}
}

func (v Verdict) decision() Decision {
	return Decision{About: v.About, State: stateOf[v.Action], Amounts: v.Amounts, At: &v.At, By: v.By}
}

// Decide records what the merchant decided about all that is not as it was asked for in one way, but for what he decided to
// send back before, which stays. It says whether there is such money, and whether that changed anything.
func (p Payment) Decide(about About, action Action, by string, now time.Time) (decided Payment, is, changed bool) {
	decisions, _ := p.Standing(now)
	var amounts []money.Amount
	var back *Verdict
	for _, d := range decisions {
		if d.About == about && (d.State != ToRefund || d.By == ByPolicy) {
			amounts = plus(amounts, d.Amounts)
		}
	}
	for _, v := range p.Verdicts {
		if v.About == about && v.Action == Refund {
			back = &v
		}
	}
	switch {
	case amounts == nil:
		return p, action == Refund && back != nil, false
	case action == Refund && back != nil:
		amounts = plus(amounts, back.Amounts)
	}
	said := func(v Verdict) bool {
		return v.About == about && v.Action == action && slices.EqualFunc(v.Amounts, amounts, same)
	}
	if slices.ContainsFunc(p.Verdicts, said) {
		return p, true, false
	}
	p.Verdicts = slices.DeleteFunc(slices.Clone(p.Verdicts), func(v Verdict) bool {
		return v.About == about && (v.Action == Accept || action == Refund)
	})
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
