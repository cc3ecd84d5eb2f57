package payout

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"farrier/shared/chain"
	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/money"
)

// State is how far a payout has come.
type State string

// The states.
const (
	Requested  State = "requested"  // recorded, looked at by nobody
	Checked    State = "checked"    // the rules allow it; it waits for approvals
	Approved   State = "approved"   // approvals are complete, or none are needed
	Reserved   State = "reserved"   // its money is set aside in the book
	Signed     State = "signed"     // a transaction is signed and kept
	Broadcast  State = "broadcast"  // a node was given the bytes
	Confirming State = "confirming" // an attempt is in a canonical block that is not final
	Final      State = "final"      // paid
	Failed     State = "failed"     // not paid: refused before it was signed, or undone by the chain (a reverted transaction)
	Replaced   State = "replaced"   // not paid: another transaction has its nonce
	Cancelled  State = "cancelled"  // taken back before it was signed
	Held       State = "held"       // waits for a person
)

var moves = map[State][]State{
	"":         {Requested},
	Requested:  {Checked, Held, Failed, Cancelled},
	Checked:    {Approved, Held, Failed, Cancelled},
	Approved:   {Reserved, Held, Failed, Cancelled},
	Reserved:   {Signed, Held, Failed, Cancelled},
	Held:       {Requested, Checked, Approved, Reserved, Failed, Cancelled}, // back to where it was held
	Signed:     {Broadcast, Confirming, Replaced},                           // confirming: somebody else had the bytes
	Broadcast:  {Confirming, Replaced},
	Confirming: {Broadcast, Confirming, Final, Failed, Replaced}, // to itself: included again in another block
	Final:      {Confirming, Broadcast},                          // a reorganisation
	Failed:     {Confirming, Broadcast},                          // the same, of a transaction that was mined and reverted
	Replaced:   {Confirming, Broadcast},
}

// CanMove says whether a payout may go from one state to another.
func CanMove(from, to State) bool { return slices.Contains(moves[from], to) }

// States are all that there are.
func States() []State {
	return []State{Requested, Checked, Approved, Reserved, Signed, Broadcast, Confirming, Final, Failed, Replaced, Cancelled, Held}
}

// MaxAttempts is how many transactions may be signed for one payout.
const MaxAttempts = 20

// Payout is what a merchant asked us to pay, and how far that has come.
type Payout struct {
	PK string `dynamodbav:"pk"` // merchant
	SK string `dynamodbav:"sk"` // payout id

	ID string `dynamodbav:"id"`

	Asset      money.Asset       `dynamodbav:"asset"`
	Symbol     string            `dynamodbav:"symbol"`
	Decimals   int               `dynamodbav:"decimals"`
	Amount     money.Amount      `dynamodbav:"amount"`
	To         string            `dynamodbav:"to"`       // canonical spelling of the asset's chain's family
	Wallet     string            `dynamodbav:"wallet"`   // the address that pays
	FeeMost    money.Amount      `dynamodbav:"fee_most"` // in the chain's own coin, for all attempts together, since one at most is mined
	Reference  string            `dynamodbav:"reference"`
	Requester  string            `dynamodbav:"requester"` // id of the key that asked
	Metadata   map[string]string `dynamodbav:"metadata,omitempty"`
	Likenesses []Likeness        `dynamodbav:"likenesses,omitempty"` // what the destination looks like and is not
	Contract   bool              `dynamodbav:"contract,omitempty"`   // the destination may be a contract
	Speed      Speed             `dynamodbav:"speed,omitempty"`      // "" is Normal

	State     State     `dynamodbav:"state"`
	HeldFrom  State     `dynamodbav:"held_from,omitempty"`
	Reason    string    `dynamodbav:"reason,omitempty"` // why it is held, failed, replaced or cancelled
	Round     int       `dynamodbav:"round"`            // how often the chain took its end back
	Booked    bool      `dynamodbav:"booked"`           // money is reserved for it
	Parts     []Part    `dynamodbav:"parts,omitempty"`  // where that money was taken from; they sum to the amount
	Nonce     *uint64   `dynamodbav:"nonce,omitempty"`  // of all its attempts, allocated before the first is signed
	Attempts  []Attempt `dynamodbav:"attempts,omitempty"`
	Mined     *Mined    `dynamodbav:"mined,omitempty"`
	Overtaker string    `dynamodbav:"overtaker,omitempty"` // the transaction that has its nonce, of one that is replaced
	Unwanted  string    `dynamodbav:"unwanted,omitempty"`  // why it is to be cancelled, by whoever keeps the book (see Unwant)
	History   []Change  `dynamodbav:"history,omitempty"`   // its states so far, this one among them

	CreatedAt time.Time `dynamodbav:"created_at"`
	UpdatedAt time.Time `dynamodbav:"updated_at"`
	Version   int64     `dynamodbav:"version"` // from 1, raised by every write

	// OpenChain is set while something may still happen to the payout, for a sparse index: OpenOn of its chain until it has
	// ended, WatchedOn while an end that the chain made may be taken back.
	OpenChain string `dynamodbav:"open_chain,omitempty"`
	// Events are the types of the events that the write of this version stands for.
	Events []string   `dynamodbav:"events,omitempty"`
	Before event.Mark `dynamodbav:"before,omitempty"` // the event before them
}

// Speed is how soon the payout should be mined, which is paid for by its fee.
type Speed string

// The speeds.
const (
	Slow   Speed = "slow"
	Normal Speed = "normal"
	Fast   Speed = "fast"
)

// Attempt is one signed transaction of a payout.
type Attempt struct {
	N           int          `dynamodbav:"n"` // from 1
	Nonce       uint64       `dynamodbav:"nonce"`
	FeePerGas   money.Amount `dynamodbav:"fee_per_gas"` // the most; in the chain's own coin for a unit of gas
	TipPerGas   money.Amount `dynamodbav:"tip_per_gas"` // of that to the block's maker
	Gas         uint64       `dynamodbav:"gas"`         // the most
	Hash        string       `dynamodbav:"hash"`        // of the transaction
	SignedAt    time.Time    `dynamodbav:"signed_at"`
	BroadcastAt *time.Time   `dynamodbav:"broadcast_at,omitempty"` // first given to a node
	Outcome     Outcome      `dynamodbav:"outcome,omitempty"`
}

// Outcome is what became of an attempt.
type Outcome string

// The outcomes; "" is none yet.
const (
	Succeeded Outcome = "succeeded" // mined, and it paid
	Reverted  Outcome = "reverted"  // mined, and it paid nothing but its fee
	Overtaken Outcome = "overtaken" // another transaction with its nonce was mined
)

// Mined is the block that an attempt lies in, as the chain told last.
type Mined struct {
	Attempt   int          `dynamodbav:"attempt"`
	Height    uint64       `dynamodbav:"height"`
	BlockHash string       `dynamodbav:"block_hash"`
	Fee       money.Amount `dynamodbav:"fee"` // paid, in the chain's own coin
	Reverted  bool         `dynamodbav:"reverted,omitempty"`
}

// Part is what was taken from one part (shard) of the merchant's account.
type Part struct {
	Shard  int          `dynamodbav:"shard"`
	Amount money.Amount `dynamodbav:"amount"`
}

// Change is one change of a payout's state.
type Change struct {
	State  State     `dynamodbav:"state"`
	At     time.Time `dynamodbav:"at"`
	Reason string    `dynamodbav:"reason,omitempty"`
}

// maxHistory bounds what a chain that is reorganised for ever adds to a payout: beyond it the oldest change but the first goes.
const maxHistory = 100

// Chain is where the payout is made.
func (p Payout) Chain() chain.ID { return chain.ID(p.Asset.Chain()) }

// Key is where the payout lies.
func (p Payout) Key() dynamo.Key { return dynamo.Key{PK: p.PK, SK: p.SK} }

// Same says whether two are the same payout at the same moment, in all that is stored of it.
func (p Payout) Same(other Payout) bool { return reflect.DeepEqual(dynamo.Must(p), dynamo.Must(other)) }

// Ended says that nothing more happens to the payout, reorganisations apart.
func (p Payout) Ended() bool {
	switch p.State {
	case Final, Failed, Replaced, Cancelled:
		return true
	}
	return false
}

// WatchFor is how long an end that the chain made is watched. It is made when its block is final, and no chain's rule takes
// that back; the longest reorganisations that happened all the same lasted less than a day (Ethereum Classic, August 2020).
const WatchFor = 24 * time.Hour

// OpenOn is the OpenChain of payouts of a chain that have not ended.
func OpenOn(c chain.ID) string { return string(c) }

// WatchedOn is the OpenChain of payouts of a chain that have ended on it and are not closed.
func WatchedOn(c chain.ID) string { return string(c) + "/ended" }

// open is the payout's OpenChain.
func (p Payout) open() string {
	switch {
	case !p.Ended():
		return OpenOn(p.Chain())
	case len(p.Attempts) > 0:
		return WatchedOn(p.Chain())
	}
	return ""
}

// Close ends the watch over a payout that ended on the chain, WatchFor after it did. A reorganisation that is told of later is
// followed all the same.
func (p Payout) Close(now time.Time) (Payout, error) {
	switch {
	case p.OpenChain == "":
		return p, nil
	case !p.Ended() || now.Before(p.UpdatedAt.Add(WatchFor)):
		return p, ErrWatched
	}
	p = p.next(now)
	p.OpenChain = ""
	return p, nil
}

// ErrWatched says that it is too early to close a payout.
var ErrWatched = errors.New("payout: something may still happen to it")

// Allocate gives the payout the nonce of all its attempts. The same again changes nothing.
//
// From then on bytes may have been signed for it of which nobody has heard, so it is neither held nor given up.
func (p Payout) Allocate(nonce uint64, now time.Time) (Payout, error) {
	switch {
	case p.Nonce != nil && *p.Nonce == nonce:
		return p, nil
	case p.Nonce != nil:
		return p, ErrNonce
	case p.State != Reserved || p.Unwanted != "":
		return p, &MoveError{From: p.State, To: Signed}
	}
	p = p.next(now)
	p.Nonce = &nonce
	return p, nil
}

// Deallocate takes the nonce from a payout of which nothing was signed. Whoever does it is sure that nothing ever will be with
// that nonce: the signer has claimed it for another transaction.
func (p Payout) Deallocate(now time.Time) (Payout, error) {
	switch {
	case p.Nonce == nil:
		return p, nil
	case len(p.Attempts) > 0:
		return p, ErrNonce
	}
	p = p.next(now)
	p.Nonce = nil
	return p, nil
}

// next is the payout as the next version of itself, standing for these events.
func (p Payout) next(now time.Time, events ...string) Payout {
	p.Before = event.MarkOf(p.Version, p.UpdatedAt, p.Events, p.Before)
	p.Version++
	p.UpdatedAt, p.Events = now, events
	return p
}

// Reopened is the type of the event that an end was taken back.
const Reopened = "payout.reopened"

// told are the states of which merchants are told when a payout comes into them; the others are steps of our own.
var told = []State{Requested, Approved, Held, Broadcast, Confirming, Final, Failed, Replaced, Cancelled}

// in is the payout in another state, standing for what merchants are told of that.
func (p Payout) in(to State, now time.Time) Payout {
	var events []string
	switch {
	case p.Ended():
		events = []string{Reopened}
	case p.State != to && slices.Contains(told, to):
		events = []string{"payout." + string(to)}
	}
	p = p.next(now, events...)
	if p.State != to {
		p.History = append(slices.Clone(p.History), Change{State: to, At: now})
		if len(p.History) > maxHistory {
			p.History = slices.Delete(p.History, 1, 2)
		}
	}
	p.State = to
	p.OpenChain = p.open()
	return p
}

// because is the payout with the reason for what it became just now.
func (p Payout) because(reason string) Payout {
	p.Reason = reason
	p.History[len(p.History)-1].Reason = reason // a slice that in has made
	return p
}

// MoveError says that no arrow leads from one state to the other.
type MoveError struct{ From, To State }

func (e *MoveError) Error() string {
	return fmt.Sprintf("payout: one that is %s does not become %s", e.From, e.To)
}

// moved is the payout in another state. The slices of the one before are never written to.
func (p Payout) moved(to State, now time.Time) (Payout, error) {
	if !p.mayMove(to) {
		return p, &MoveError{From: p.State, To: to}
	}
	return p.in(to, now), nil
}

// mayMove is CanMove with what the payout's own past adds: one that is held goes back only to where it was, and by Resume
// alone, only one that was signed can come back from failed, and one that has a nonce may be signed already.
func (p Payout) mayMove(to State) bool {
	switch {
	case p.State == Reserved && p.Nonce != nil && to != Signed:
		return false
	case p.State == Held && to != Failed && to != Cancelled:
		return false
	case p.State == Failed && len(p.Attempts) == 0:
		return false
	}
	return CanMove(p.State, to)
}

// Check is the payout after its rules were found to hold.
func (p Payout) Check(now time.Time) (Payout, error) { return p.moved(Checked, now) }

// Approve is the payout after its approvals were found complete.
func (p Payout) Approve(now time.Time) (Payout, error) { return p.moved(Approved, now) }

// Reserve is the payout in the transaction that sets its money aside.
func (p Payout) Reserve(now time.Time) (Payout, error) {
	p, err := p.moved(Reserved, now)
	if err == nil {
		p.Booked = true
	}
	return p, err
}

// Hold has the payout wait for a person, who reads why.
func (p Payout) Hold(reason string, now time.Time) (Payout, error) {
	from := p.State
	p, err := p.moved(Held, now)
	if err == nil {
		p.HeldFrom = from
		p = p.because(reason)
	}
	return p, err
}

// Resume has a held payout go on where it was held.
func (p Payout) Resume(now time.Time) (Payout, error) {
	if p.State != Held || !CanMove(Held, p.HeldFrom) {
		return p, &MoveError{From: p.State, To: p.HeldFrom}
	}
	p = p.in(p.HeldFrom, now)
	p.HeldFrom, p.Reason = "", ""
	return p, nil
}

// Refuse ends a payout that is not signed as failed; its reserve, where Booked says that there is one, goes back in the same
// transaction. On the chain it fails by Settle alone.
func (p Payout) Refuse(reason string, now time.Time) (Payout, error) {
	return p.giveUp(Failed, reason, now)
}

// Unwant is the payout after its merchant took it back. It is cancelled at once where no money is reserved for it. Where there
// is some it gets no nonce any more, so that nothing is signed, and waits for whoever keeps the book to cancel it.
func (p Payout) Unwant(reason string, now time.Time) (Payout, error) {
	switch {
	case p.Unwanted != "" || p.State == Cancelled:
		return p, nil
	case !p.Booked:
		return p.Cancel(reason, now)
	case p.Nonce != nil || !CanMove(p.State, Cancelled):
		return p, &MoveError{From: p.State, To: Cancelled}
	}
	p = p.next(now)
	p.Unwanted = reason
	return p, nil
}

// Cancel takes a payout back that is not signed; its reserve goes back in the same transaction.
func (p Payout) Cancel(reason string, now time.Time) (Payout, error) {
	return p.giveUp(Cancelled, reason, now)
}

func (p Payout) giveUp(to State, reason string, now time.Time) (Payout, error) {
	if len(p.Attempts) > 0 {
		return p, &MoveError{From: p.State, To: to}
	}
	p, err := p.moved(to, now)
	if err == nil {
		p.HeldFrom, p.Unwanted, p.Booked = "", "", false
		p = p.because(reason)
	}
	return p, err
}
