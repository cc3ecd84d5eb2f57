package payout

import (
	"errors"
	"slices"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/money"
)

// Freeze stops payouts: of a merchant, of an asset, or all of them. One call stops, two people lift.
type Freeze struct {
	PK string `dynamodbav:"pk"` // always "freeze"
	SK string `dynamodbav:"sk"` // what is frozen: "all", "asset/…", "merchant/…"

	On       bool      `dynamodbav:"on"`
	By       string    `dynamodbav:"by"` // who froze it last
	Reason   string    `dynamodbav:"reason"`
	At       time.Time `dynamodbav:"at"`
	LiftedBy []string  `dynamodbav:"lifted_by,omitempty"` // who has asked for its lift: two different people lift it
	LiftAt   time.Time `dynamodbav:"lift_at,omitzero"`    // when the last of them did
	Version  int64     `dynamodbav:"version"`
}

// LiftWithin is how long one person's wish to lift waits for another's.
const LiftWithin = 24 * time.Hour

// What can be frozen.
func everything() dynamo.Key { return dynamo.Key{PK: "freeze", SK: "all"} }
func freezeOfAsset(a money.Asset) dynamo.Key {
	return dynamo.Key{PK: "freeze", SK: "asset/" + string(a)}
}
func freezeOfMerchant(m string) dynamo.Key { return dynamo.Key{PK: "freeze", SK: "merchant/" + m} }

// Stop is what a freeze is of.
type Stop struct {
	Asset    money.Asset // of this asset, or
	Merchant string      // by this merchant; or, where both are empty, everything
}

// Key is where the freeze lies.
func (s Stop) Key() dynamo.Key {
	switch {
	case s.Merchant != "":
		return freezeOfMerchant(s.Merchant)
	case s.Asset != "":
		return freezeOfAsset(s.Asset)
	default:
		return everything()
	}
}

// StopsOf are the freezes under which a payout falls.
func StopsOf(p Payout) []dynamo.Key {
	return []dynamo.Key{everything(), freezeOfAsset(p.Asset), freezeOfMerchant(p.PK)}
}

// Errors of lifting.
var (
	ErrNotFrozen = errors.New("it is not frozen")
	ErrNobody    = errors.New("who asks must have a name")
)

// Set is the freeze after somebody froze, or froze again: wishes to lift that came before are gone.
func (f Freeze) Set(who, reason string, now time.Time) (Freeze, error) {
	if who == "" {
		return f, ErrNobody
	}
	f.On, f.By, f.Reason, f.At, f.LiftedBy, f.LiftAt = true, who, reason, now, nil, time.Time{}
	f.Version++
	return f, nil
}

// Lift is the freeze after a person asked for its lift: it is lifted where another has, no longer than LiftWithin ago. The
// same person's wish again changes nothing.
func (f Freeze) Lift(who string, now time.Time) (Freeze, error) {
	waiting := f.On && len(f.LiftedBy) == 1 && now.Sub(f.LiftAt) <= LiftWithin
	switch {
	case who == "":
		return f, ErrNobody
	case (waiting || !f.On) && slices.Contains(f.LiftedBy, who):
		return f, nil
	case !f.On:
		return f, ErrNotFrozen
	case waiting:
		f.LiftedBy, f.On = []string{f.LiftedBy[0], who}, false
	default:
		f.LiftedBy = []string{who}
	}
	f.LiftAt = now
	f.Version++
	return f, nil
}

// FrozenError says what stops a payout. It is safe to show: the reason is for those who may see the freeze.
type FrozenError struct{ What string }

func (e *FrozenError) Error() string { return "payouts are frozen: " + e.What }

// Frozen says whether any of the freezes is on.
func Frozen(freezes []Freeze) error {
	for _, f := range freezes {
		if f.On {
			return &FrozenError{What: f.SK}
		}
	}
	return nil
}
