package deposit

import (
	"encoding/base32"
	"fmt"
	"strings"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/id"
	"farrier/shared/money"
)

// Held is what a deposit has of money that a provider holds, in place of a transaction.
type Held struct {
	Connection string `dynamodbav:"connection"` // whose word it is
	Provider   string `dynamodbav:"provider"`
	Object     string `dynamodbav:"object"` // the provider's id of the payment or the transfer

	Said     money.Amount            `dynamodbav:"said"`               // of the object in all, as it stands; 0 where nothing was said yet
	Open     bool                    `dynamodbav:"open,omitempty"`     // said of a part: more may come
	Returned map[string]money.Amount `dynamodbav:"returned,omitempty"` // paid back, by the provider's id of the refund; "-" is all refunds so far
	Taken    bool                    `dynamodbav:"taken,omitempty"`    // taken back whole, whatever is said later
	At       time.Time               `dynamodbav:"at"`                 // when the last of it was told as paid
}

// Statement is a provider's word, that is believed, on money that it holds.
type Statement struct {
	Merchant   string
	Shards     int // of the merchant's accounts
	Connection string
	Provider   string
	Object     string

	Back   bool // it was paid back or, where Gone, never there
	Gone   bool
	Asset  money.Asset  // "" where money was taken back without saying which
	Amount money.Amount // in all, also where it is a part so far; 0 where all was taken back

	Decimals int
	Part     bool      // so far: more may come
	Refund   string    // the provider's id of a refund, where Amount is of it alone; "" where it is of all so far
	At       time.Time // when it was said
}

// allRefunds is the name in Held.Returned of what was paid back in all. No provider's id is that short.
const allRefunds = "-"

// ContradictionError is why a statement moved nothing: it says something else than what stands.
type ContradictionError struct{ Reason string }

func (e *ContradictionError) Error() string { return "deposit: " + e.Reason }

func contradiction(format string, args ...any) error {
	return &ContradictionError{fmt.Sprintf(format, args...)}
}

// HeldID is the public id of the deposit of a provider's object.
func HeldID(connection, object string) string { return idOf("held", connection, object) }

// heldKey is where the deposit of an object lies: among its payment's, or apart from all payments.
func heldKey(merchant, payment, connection, object string) dynamo.Key {
	if payment == "" {
		payment = unpaidFor
	}
	return dynamo.Key{PK: merchant, SK: strings.Join([]string{payment, connection, object}, "/")}
}

// unpaidFor stands in a key in place of a payment. It sorts before every payment.
const unpaidFor = "held"

func idOf(parts ...string) string {
	sum := id.Digest(parts...)
	return "dep_" + base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:])[:26]
}

// Nothing says that a deposit stands for no money that anybody told of: it was paid back before it was told as paid.
func (d Deposit) Nothing() bool { return d.Held != nil && d.Held.Said.Sign() == 0 }

// Came is when the money came: with its block or, where a provider holds it, with the provider's word.
func (d Deposit) Came() time.Time {
	if d.Held != nil {
		return d.Held.At
	}
	return d.BlockTime
}

// firstSaid is the deposit of an object before anything is said of it.
func firstSaid(s Statement, payment string, now time.Time) Deposit {
	key := heldKey(s.Merchant, payment, s.Connection, s.Object)
	d := Deposit{
		PK: key.PK, SK: key.SK, ID: HeldID(s.Connection, s.Object), Merchant: s.Merchant, Payment: payment,
		State: Dropped, NoticedAt: now, Held: &Held{Connection: s.Connection, Provider: s.Provider, Object: s.Object},
	}
	d.Shard = shardOf(d.ID, s.Shards)
	return d
}

// said is the deposit after a statement, and whether that is news. Where the statement contradicts what stands, nothing
// follows from it.
func (d Deposit) said(s Statement, now time.Time) (Deposit, bool, error) {
	held := *d.Held
	news, err := false, error(nil)
	switch {
	case s.Asset != "" && d.Asset != "" && (s.Asset != d.Asset || s.Decimals != d.Decimals):
		err = contradiction("%s was told in %s with %d decimals before, and now in another asset", held.Object, d.Asset, d.Decimals)
	case s.Back:
		news, err = held.back(s)
	default:
		news, err = held.paid(s)
	}
	if err != nil || !news {
		return d, false, err
	}
	d = d.marked()
	d.Held = &held
	if d.Asset == "" {
		d.Asset, d.Decimals = s.Asset, s.Decimals
	}
	return d.restated(now), true, nil
}

// paid takes what was paid: the largest part that was told stands until the whole is told, which stands from then on.
func (h *Held) paid(s Statement) (news bool, err error) {
	before, whole := h.Said.Sign() > 0, h.Said.Cmp(s.Amount)
	switch {
	case s.Amount.Sign() <= 0, h.Taken:
		return false, nil
	case before && s.Part && whole >= 0: // an older part, that came late
		return false, nil
	case before && !h.Open && whole == 0:
		return false, nil
	case before && !h.Open:
		return false, contradiction("%s was told with %s in all before, and now with %s", h.Object, h.Said, s.Amount)
	}
	if whole < 0 {
		h.At = s.At // what came last, came now; else all of it had come before
	}
	h.Said, h.Open = s.Amount, s.Part
	return true, nil
}

// back takes what was paid back. A refund of a name counts once; a total of all refunds only grows.
func (h *Held) back(s Statement) (news bool, err error) {
	if h.Taken {
		return false, nil
	}
	if s.Amount.Sign() <= 0 {
		h.Taken = true
		return true, nil
	}
	name := s.Refund
	if name == "" {
		name = allRefunds
	}
	stood, told := h.Returned[name]
	switch order := stood.Cmp(s.Amount); {
	case told && order == 0, told && name == allRefunds && order > 0:
		return false, nil
	case told && name != allRefunds:
		return false, contradiction("the refund %s was told with %s before, and now with %s", name, stood, s.Amount)
	case !told && len(h.Returned) >= mostRefunds:
		return false, contradiction("%s has had %d refunds", h.Object, mostRefunds)
	}
	returned := map[string]money.Amount{name: s.Amount}
	for other, amount := range h.Returned {
		if other != name {
			returned[other] = amount
		}
	}
	h.Returned = returned
	return true, nil
}

// mostRefunds keeps a deposit's item small.
const mostRefunds = 50

// left is what stands after all refunds.
func (h Held) left() money.Amount {
	left := h.Said
	for _, amount := range h.Returned {
		left = left.Sub(amount)
	}
	if h.Taken || left.Sign() < 0 {
		return money.Amount{}
	}
	return left
}

// restated is the deposit as what was said of it in all makes it. Where that is another amount than the one that may have
// been credited, a round ends and the next begins: the credit is taken back, and what is left is credited.
func (d Deposit) restated(now time.Time) Deposit {
	left := d.Held.left()
	credited := d.State == Final
	switch {
	case left.Sign() > 0 && credited && left.Cmp(d.Amount) == 0: // only what may be said of it later has changed
	case left.Sign() > 0:
		if credited {
			d.Round++
		}
		d.State, d.Amount = Final, left
	case credited:
		d.Round++
		d.State = Reversed // with the amount as it was credited
	case d.State != Reversed:
		d.State = Dropped
	}
	d.UpdatedAt = now
	d.Version++
	return d
}
