package event

import (
	"slices"
	"strings"
)

// Type names a kind of event: what it is about, a dot, what happened.
type Type string

// The types.
const (
	PaymentPartial   Type = "payment.partial"
	PaymentPaid      Type = "payment.paid"
	PaymentOver      Type = "payment.over"
	PaymentLate      Type = "payment.late"
	PaymentExpired   Type = "payment.expired"
	PaymentCancelled Type = "payment.cancelled"
	PaymentDecided   Type = "payment.decided"
	PaymentReversed  Type = "payment.reversed"

	DepositConfirming Type = "deposit.confirming"
	DepositFinal      Type = "deposit.final"
	DepositDropped    Type = "deposit.dropped"
	DepositReversed   Type = "deposit.reversed"

	PayoutRequested  Type = "payout.requested"
	PayoutApproved   Type = "payout.approved"
	PayoutHeld       Type = "payout.held"
	PayoutBroadcast  Type = "payout.broadcast"
	PayoutConfirming Type = "payout.confirming"
	PayoutFinal      Type = "payout.final"
	PayoutFailed     Type = "payout.failed"
	PayoutReplaced   Type = "payout.replaced"
	PayoutCancelled  Type = "payout.cancelled"
	PayoutReopened   Type = "payout.reopened"

	EndpointFailing   Type = "endpoint.failing"
	EndpointRecovered Type = "endpoint.recovered"
	EndpointDisabled  Type = "endpoint.disabled"
	EndpointTest      Type = "endpoint.test"
)

// kind is what events of the type are about: "payment".
func (t Type) kind() string {
	about, _, _ := strings.Cut(string(t), ".")
	return about
}

// Kind is an entry of the catalogue.
type Kind struct {
	Type    Type   `json:"type"`
	Meaning string `json:"meaning"`
}

var catalogue = []Kind{
	{PaymentPartial, "Less than was asked has been credited so far."},
	{PaymentPaid, "What was asked has been credited, in time and within the tolerance."},
	{PaymentOver, "More than was asked has been credited, in time, and more than the tolerance allows."},
	{PaymentLate, "Money came after the payment's time was over, or after it was cancelled, and too little before."},
	{PaymentExpired, "The payment's time is over and too little has come."},
	{PaymentCancelled, "The merchant has cancelled the payment; or more of it is credited since, from a block before that moment, and it is too little still. Later money is told as late."},
	{PaymentDecided, "The merchant has decided about money that is not as it was asked for; the payment's decisions and whether it is settled say what."},
	{PaymentReversed, "The chain took back money that had been credited; the payment's amounts are lower again."},
	{DepositConfirming, "A transfer to a payment's address is in a block that is not final yet."},
	{DepositFinal, "A transfer is final: it will be credited."},
	{DepositDropped, "A transfer is gone from the chain before it was final."},
	{DepositReversed, "A transfer is gone from the chain after it was final; its credit is taken back."},
	{PayoutRequested, "A payout was asked for; nothing is decided about it. Told again when it was held and is looked at anew."},
	{PayoutApproved, "The payout's approvals are complete, or it needs none. Told again when it was held after that and goes on."},
	{PayoutHeld, "The payout waits for a person; its reason says why. Nothing of it was signed."},
	{PayoutBroadcast, "A signed transaction of the payout was given to the chain; from now on only the chain says what becomes of it. Told again when the block that it lay in is gone."},
	{PayoutConfirming, "A transaction of the payout is in a block that is not final yet. Told again when that block was gone and it is in another one."},
	{PayoutFinal, "The payout is paid: its transaction is final."},
	{PayoutFailed, "The payout is not paid: it was refused before anything was signed, or its transaction was mined and reverted, which costs its fee."},
	{PayoutReplaced, "The payout is not paid: another transaction of the wallet took its place for good."},
	{PayoutCancelled, "The payout was taken back before anything was signed."},
	{PayoutReopened, "The chain took back the block by which the payout had ended; its status says where it stands now, and its end is told again."},
	{EndpointFailing, "No attempt to reach one of your webhook endpoints has succeeded for a while."},
	{EndpointRecovered, "A webhook endpoint that was failing has answered with success again."},
	{EndpointDisabled, "A webhook endpoint is disabled: by request, by its answer 410, or after 72 hours without one success. What happens from now on is kept for it."},
	{EndpointTest, "A test that was asked for; it is sent to the endpoint that it was asked for, whatever that one subscribes to."},
}

// Catalogue lists every type with its meaning.
func Catalogue() []Kind { return slices.Clone(catalogue) }

// Meaning says what an event of a type tells; nothing where there is no such type.
func Meaning(t Type) string {
	for _, k := range catalogue {
		if k.Type == t {
			return k.Meaning
		}
	}
	return ""
}

// Known says whether the catalogue has this type.
func Known(t Type) bool {
	return slices.ContainsFunc(catalogue, func(k Kind) bool { return k.Type == t })
}
