// Package book moves payouts together with what the ledger says of them.
//
// It promises: a payout's move, its entries and the balances that they change are one transaction, decided anew where another
// writer was faster and found done where only the answer was lost. So a balance always equals its entries, and the leg
// "reserved" of an account is always the sum of its payouts that are booked.
//
// What is posted to an account is what its merchant is owed: available and reserved. Reserved is never above posted by a payout,
// which is to say that no payout takes more than is available: a part of the account gives no more than it has, and all parts
// together no less than nothing remains in. Where a reversed deposit has put parts below zero, the parts that give must cover
// these too, and all of them move to their next version, so that of two payouts at once only one relies on the same money. A
// merchant who has less than nothing is told apart (ShortError.Negative): its payouts wait.
//
// # The rounds of a payout
//
// For each round of a payout, the book has at most one entry of each kind in each part, and at the end of the round exactly one
// of these stories:
//
//	reserve, release                     given up before it was signed, or another transaction has its nonce
//	reserve, release and fee             mined and reverted
//	reserve, paid and fee                made
//	unpaid and unfee, …                  the next round of one that was made
//	reserve (and unfee), …               the next round of one that was not made
//
// A reorganisation that takes back the end of a payout that was made brings its money back from "custody" to "reserved": it was
// never out, and its transaction, whose bytes everybody has, may take it out again. Nothing is available that was not.
//
// One that takes back the end of a payout that was not made reserves its money again, in the same parts, even where it is no
// longer available: the transaction may be mined now, and then the money is gone whatever the book says. Reserved is all that may
// still leave, so what is available may become less than nothing, as by a deposit's reversal, and the account's payouts wait.
// These two are all that can make it so.
//
// A payout's money may lie in more parts than one transaction can move (MaxParts); this is ErrSpread.
package book
