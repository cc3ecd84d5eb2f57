// Package payment is what a merchant asked for and what has come.
//
// It promises: the status, what remains, whether it is settled and how it stands with money that is not as it was asked for
// are pure functions of what was asked, what was credited, what the merchant decided and the time, so that they can be wrong
// only if those are; shares of several assets are exact fractions, and nothing is rounded in a payer's disfavour by more
// than one smallest unit; a reference is one payment of its merchant, whatever fails in between, because its addresses are
// derived from the reference and the reference is claimed by one conditional write; no address is of two payments; an address that a payer was told is in the
// registry before the answer leaves; every change raises the version and names the events that it stands for.
//
// The order of the calls that make a payment: the Idempotency-Key, where there is one; the reference's claim at the
// merchant's home (it fixes the payment's id); the addresses of further families; the timer of its
// end; the payment. Whoever runs the request again after a stop in between finds what was claimed by the same derivation
// and goes on from there; where the payment's time is over by then, it is written as over. A timer's message that finds no
// payment waits for it a little.
package payment
