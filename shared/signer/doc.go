// Package signer is the way to the one room where keys that move money are used: what it is asked, what it answers, and the
// call of it. The room itself is package room, in which nothing but functions/sign is wired.
//
// It promises: what is asked names things, and never says what is to be signed: the room reads the payout itself. The same
// attempt of the same payout is answered with the same bytes for ever, whatever price is named with it later; the answer says
// what was signed. A refusal is an answer, a *Refusal, with a code to branch on and a detail that is safe to show; every
// other error is trouble, after which the same may be asked again.
package signer
