package signer

import (
	"time"

	"farrier/shared/approval"
	"farrier/shared/chain"
	"farrier/shared/money"
	"farrier/shared/wallet"
)

// Deed is what the signer is asked to do.
type Deed string

// The deeds.
const (
	Sign  Deed = "sign"  // an attempt of a payout
	Check Deed = "check" // whether a payout's approvals are enough
	Fill  Deed = "fill"  // a nonce that no payout has, with a transaction that pays nothing to the wallet itself
	Open  Deed = "open"  // a wallet
)

// Custody is where a wallet's keys lie.
type Custody string

// The custodies.
const (
	KMS  Custody = "kms"  // one key that never leaves KMS: a chain's hot wallet
	Seed Custody = "seed" // a merchant's seed, which its deposit addresses are derived from
)

// Ask is one call of the signer.
type Ask struct {
	Do       Deed     `json:"do"`
	Merchant string   `json:"merchant,omitempty"` // whose payout, whose seed; of Fill, only where the wallet is a merchant's
	Payout   string   `json:"payout,omitempty"`
	Attempt  *Attempt `json:"attempt,omitempty"` // of Sign and Fill
	Chain    chain.ID `json:"chain,omitempty"`   // of Fill and Open
	Wallet   string   `json:"wallet,omitempty"`  // of Fill: the address that pays
	Custody  Custody  `json:"custody,omitempty"` // of Open
}

// Attempt is a transaction that is to be signed, as far as whoever asks may say it. All attempts of a payout have one nonce
// and the same gas, and both prices of a later one are raised by what nodes demand (transaction.Raised).
type Attempt struct {
	N         int          `json:"n"` // from 1
	Nonce     uint64       `json:"nonce"`
	FeePerGas money.Amount `json:"fee_per_gas"`
	TipPerGas money.Amount `json:"tip_per_gas"`
	Gas       uint64       `json:"gas,omitempty"` // the most; of Fill, 21,000 where it is nothing
}

// Answer is what the signer answers: a Refusal, or what was asked for.
type Answer struct {
	Refused *Refusal `json:"refused,omitempty"`

	*Signed                    // to Sign and Fill
	Verdict  *approval.Verdict `json:"verdict,omitempty"`  // to Check
	Address  string            `json:"address,omitempty"`  // to Open with KMS
	Accounts wallet.Accounts   `json:"accounts,omitempty"` // to Open with Seed
}

// Signed is a signed transaction, which the signer keeps for ever.
type Signed struct {
	Raw         string    `json:"raw"`         // 0x and hex, to be broadcast
	Transaction string    `json:"transaction"` // its hash
	Attempt     Attempt   `json:"attempt"`     // as it was signed
	SignedAt    time.Time `json:"signed_at"`
}

// Refusal says why the signer does not. It is safe to show.
type Refusal struct {
	Code   Code   `json:"code"`
	Detail string `json:"detail"`
}

func (r *Refusal) Error() string { return "signer: refused: " + string(r.Code) + ": " + r.Detail }

// Code is a stable word for the kind of a refusal.
type Code string

// The kinds of refusals.
const (
	Malformed   Code = "malformed"   // what is asked cannot be read
	NotFound    Code = "not_found"   // there is no such payout
	Unreadable  Code = "unreadable"  // the payout's item, or an approval, cannot be read
	Changed     Code = "changed"     // the payout is not the one that was signed before, or is another's item
	State       Code = "state"       // the payout is in a state in which nothing is signed
	Unapproved  Code = "unapproved"  // approvals are missing or do not count; more may come
	Rejected    Code = "rejected"    // an approver has rejected it
	Frozen      Code = "frozen"      // until the freeze is lifted
	WrongChain  Code = "chain"       // it is not configured, or payouts are not made on it
	WrongWallet Code = "wallet"      // it is not one of ours, or not this merchant's
	Destination Code = "destination" // it cannot be paid, is not on the list, or is still waiting
	Limit       Code = "limit"       // over a limit; the next day has another
	Fee         Code = "fee"         // over what it may cost, or over what fees of a day may be
	Nonce       Code = "nonce"       // it is another's, or the payout has another
	OutOfTurn   Code = "attempt"     // its number is not the next, or it would be one too many
	Price       Code = "price"       // it is none, or not raised enough
)
