package merchant

import "slices"

// Scope is what a key may be used for.
type Scope string

// The scopes that a merchant's key can have.
const (
	PaymentsRead     Scope = "payments:read"     // payments and their deposits
	PaymentsWrite    Scope = "payments:write"    // make payments, with the terms that each names, and cancel what nothing was paid of
	PaymentsDecide   Scope = "payments:decide"   // what counts as paid: decide about money that is not as it was asked for, set the terms that are usual
	LedgerRead       Scope = "ledger:read"       // balances and entries
	WebhooksRead     Scope = "webhooks:read"     // webhook endpoints
	WebhooksWrite    Scope = "webhooks:write"    // make and change webhook endpoints, send deliveries again
	EventsRead       Scope = "events:read"       // events and their deliveries
	ConnectionsRead  Scope = "connections:read"  // connections, which providers call back to
	ConnectionsWrite Scope = "connections:write" // make and change connections
	CallbacksRead    Scope = "callbacks:read"    // what providers sent
	CallbacksWrite   Scope = "callbacks:write"   // have it read again
	PayoutsRead      Scope = "payouts:read"      // payouts, destinations, and who said what of them
	PayoutsWrite     Scope = "payouts:write"     // ask for payouts and take them back
	Everything       Scope = "*"                 // all of these
)

// MerchantsWrite makes merchants and their keys, and the operator alone has it. Extended public keys are the operator's to
// give and to see, whatever scope a key has.
const MerchantsWrite Scope = "merchants:write"

// DeadLetters looks at the dead letters of deliveries, which are of all merchants, and puts them back. The operator alone has it.
const DeadLetters Scope = "dead-letters:write"

// What the operator alone does for payouts: make approvers, open wallets, have a payout wait and go on.
const (
	ApproversWrite Scope = "approvers:write"
	WalletsWrite   Scope = "wallets:write"
	PayoutsHold    Scope = "payouts:hold"
)

// What approvers do, who are no merchant's. The operator, who says who they are, is not one of them, and shares only what
// stops payouts.
const (
	ApprovalsRead     Scope = "approvals:read"     // payouts of all merchants that wait for approvals, and what is frozen; the operator too
	ApprovalsWrite    Scope = "approvals:write"    // approve and reject payouts, lift freezes
	DestinationsWrite Scope = "destinations:write" // whom a merchant may pay
	FreezesWrite      Scope = "freezes:write"      // freeze payouts; the operator too
)

var (
	ofOperator = []Scope{MerchantsWrite, DeadLetters, ApproversWrite, WalletsWrite, PayoutsHold}
	ofApprover = []Scope{ApprovalsWrite, DestinationsWrite}
	ofBoth     = []Scope{ApprovalsRead, FreezesWrite}
)

// OfOperator says whether no merchant and no approver has a scope.
func (s Scope) OfOperator() bool { return slices.Contains(ofOperator, s) }

// OfApprover says whether approvers alone have a scope.
func (s Scope) OfApprover() bool { return slices.Contains(ofApprover, s) }

// OfMerchant says whether a merchant's key can have a scope.
func (s Scope) OfMerchant() bool { return slices.Contains(Grantable, s) }

// Grantable are the scopes that a merchant's key can have.
var Grantable = []Scope{
	PaymentsRead, PaymentsWrite, PaymentsDecide, LedgerRead, WebhooksRead, WebhooksWrite, EventsRead,
	ConnectionsRead, ConnectionsWrite, CallbacksRead, CallbacksWrite, PayoutsRead, PayoutsWrite, Everything,
}

// Caller is who makes a request: a merchant with a key's scopes, the operator, or an approver.
type Caller struct {
	Merchant Merchant // empty for the others
	Key      string   // the key's id, for the log; empty for the others
	Scopes   []Scope
	Operator bool
	Approver string // the approver's id
}

// May says whether the caller has a scope.
func (c Caller) May(s Scope) bool {
	switch {
	case c.Operator:
		return !s.OfApprover()
	case c.Approver != "":
		return s == PayoutsRead || s.OfApprover() || slices.Contains(ofBoth, s)
	}
	return s.OfMerchant() && (slices.Contains(c.Scopes, s) || slices.Contains(c.Scopes, Everything))
}

// Name is the caller's name in records: the merchant's or the approver's id, or "operator".
func (c Caller) Name() string {
	switch {
	case c.Operator:
		return "operator"
	case c.Approver != "":
		return c.Approver
	}
	return c.Merchant.ID
}
