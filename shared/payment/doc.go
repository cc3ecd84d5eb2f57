// Package payment is what a merchant asked for and what has come.
//
// It promises: the status is a pure function of what was asked, what was credited and the time, so
// that it can be wrong only if those are; a payment is made once for each Idempotency-Key, whatever
// fails in between, because its address is derived from that key and claimed by one conditional
// write; an address that a payer was told is in the registry before the answer leaves; every change
// raises the version and names the events that it stands for.
//
// The order of the three calls that make a payment: the address (which fixes the payment's id), the
// timer of its end, the payment. Whoever runs the request again after a stop in between finds the
// address by the same derivation and goes on from there; where the payment's time is over by then, it is
// written as over. A timer's message that finds no payment waits for it a little.
package payment
