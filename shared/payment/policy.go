package payment

import (
	"fmt"
	"math/big"

	"farrier/shared/money"
	"farrier/shared/problem"
)

// Limits of a tolerance, in basis points.
const (
	MaxUnder = 9999  // something has to come
	MaxOver  = 10000 // twice what was asked
)

// Tolerance is how far from what was asked still counts as what was asked: in basis points, hundredths of a percent, of it.
type Tolerance struct {
	Under int64 `dynamodbav:"under,omitempty" json:"under_bps" minimum:"0" maximum:"9999" doc:"so much less is still paid, in basis points (hundredths of a percent) of what was asked"`
	Over  int64 `dynamodbav:"over,omitempty" json:"over_bps" minimum:"0" maximum:"10000" doc:"so much more is still paid and not over, in basis points of what was asked"`
}

func (t Tolerance) enough(share *big.Rat) bool { return share.Cmp(points(10000-t.Under)) >= 0 }

// tooMuch says whether these amounts, an option each, are. Where they are of several assets, less than a smallest unit of
// the coarsest is not too much: what remains to be paid is rounded up to it.
func (t Tolerance) tooMuch(options []Option, amounts []money.Amount) bool {
	share, most := shareOf(options, amounts), points(10000+t.Over)
	if unit, several := coarsest(options, amounts); several {
		return share.Cmp(most.Add(most, unit)) >= 0
	}
	return share.Cmp(most) > 0
}

// Check refuses what is no tolerance.
func (t Tolerance) Check() error {
	switch {
	case t.Under < 0 || t.Under > MaxUnder:
		return problem.Field("tolerance.under_bps", fmt.Sprintf("must be from 0 to %d", MaxUnder))
	case t.Over < 0 || t.Over > MaxOver:
		return problem.Field("tolerance.over_bps", fmt.Sprintf("must be from 0 to %d", MaxOver))
	}
	return nil
}

// About is a way in which what came is not as it was asked for.
type About string

// The ways.
const (
	AboutPartial About = "partial" // the end has come, and too little money
	AboutOver    About = "over"    // more came than was asked
	AboutLate    About = "late"    // it came after the end, and too little before
)

// Action is what happens with money that is not as it was asked for.
type Action string

// The actions.
const (
	Accept Action = "accept" // it is the merchant's as it is
	Hold   Action = "hold"   // until the merchant decides
	Refund Action = "refund" // it is marked to be sent back; nothing is sent by that
)

// Policy is what to do with money that is not as it was asked for; what is empty is as usual.
type Policy struct {
	Partial Action `dynamodbav:"on_partial,omitempty" json:"partial" enum:"accept,hold,refund" doc:"too little has come by the end; accept: the payment is settled with whatever has come"`
	Over    Action `dynamodbav:"on_over,omitempty" json:"over" enum:"accept,hold,refund" doc:"what came beyond what was asked"`
	Late    Action `dynamodbav:"on_late,omitempty" json:"late" enum:"accept,hold,refund" doc:"what came after the end; accept: it counts as if it had come in time"`
}

// Usual is the policy where nothing is said: neither a part of the money is enough by itself, nor money that comes when the
// price it was asked for may no longer be right.
var Usual = Policy{Partial: Hold, Over: Accept, Late: Hold}

// Or takes from another policy what this one does not say.
func (p Policy) Or(other Policy) Policy {
	return Policy{Partial: p.Partial.or(other.Partial), Over: p.Over.or(other.Over), Late: p.Late.or(other.Late)}
}

func (a Action) or(other Action) Action {
	if a == "" {
		return other
	}
	return a
}

// Check refuses words that are none of the actions.
func (p Policy) Check() error {
	for _, c := range []struct {
		about About
		is    Action
	}{{AboutPartial, p.Partial}, {AboutOver, p.Over}, {AboutLate, p.Late}} {
		if c.is != "" && stateOf[c.is] == "" {
			return problem.Field("policy."+string(c.about), "must be accept, hold or refund")
		}
	}
	return nil
}

func (p Policy) about(a About) Action {
	p = p.Or(Usual)
	return map[About]Action{AboutPartial: p.Partial, AboutOver: p.Over, AboutLate: p.Late}[a]
}
