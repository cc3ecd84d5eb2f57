// Package credit moves the books: final and reversed deposits into ledger, balance and payment.
//
// It promises: what a stream record says is only a reason to look; what is booked is decided from the
// deposit as it stands now and from the entries that it already has, so that records may come twice,
// late and in any order. All entries of an account that a batch brings, its balance and their payments
// move in one transaction. An entry that exists already, and says the same, is success; one that says
// something else is set aside for a person. A conflict is decided anew from fresh reads, after a pause
// with jitter. One account's trouble does not hold back another's entries.
//
// For each round of a deposit (a round ends when the chain takes a final deposit back) the book has at
// the end exactly one of: a credit; a credit and its reversal; a void, where it was taken back before
// it was credited. A void lies in the credit's place: whoever comes late with the credit finds it taken.
//
// Held deposits are booked as those of a chain are, on the leg "held". Where a provider's object comes to another amount,
// the reversal and the new credit are neighbours in one transaction, and its payment tells one event.
package credit
