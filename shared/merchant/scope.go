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
	Everything       Scope = "*"                 // all of these
)

// MerchantsWrite makes merchants and their keys, and the operator alone has it. Extended public keys are the operator's to
// give and to see, whatever scope a key has.
const MerchantsWrite Scope = "merchants:write"

// DeadLetters looks at the dead letters of deliveries, which are of all merchants, and puts them back. The operator alone has it.
const DeadLetters Scope = "dead-letters:write"

// OfOperator says whether the operator alone has a scope.
func (s Scope) OfOperator() bool { return s == MerchantsWrite || s == DeadLetters }

// Grantable are the scopes that a merchant's key can have.
var Grantable = []Scope{
	PaymentsRead, PaymentsWrite, PaymentsDecide, LedgerRead, WebhooksRead, WebhooksWrite, EventsRead,
	ConnectionsRead, ConnectionsWrite, CallbacksRead, CallbacksWrite, Everything,
}

// Caller is who makes a request: a merchant with a key's scopes, or the operator.
type Caller struct {
	Merchant Merchant // empty for the operator
	Key      string   // the key's id, for the log; empty for the operator
	Scopes   []Scope
	Operator bool
}

// May says whether the caller has a scope.
func (c Caller) May(s Scope) bool {
	if c.Operator {
		return true
	}
	return !s.OfOperator() && (slices.Contains(c.Scopes, s) || slices.Contains(c.Scopes, Everything))
}

// Name is the caller's name in records: the merchant's id, or "operator".
func (c Caller) Name() string {
	if c.Operator {
		return "operator"
	}
	return c.Merchant.ID
}
