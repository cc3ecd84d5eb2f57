// Package ledger is the double-entry book.
//
// It promises: an entry is written once and never changed, and its legs sum to zero; an account is one
// merchant's share of one asset (merchant, asset, shard), and its balance item holds the sum of each
// leg over all its entries, so that each account balances by itself and no two accounts share an item;
// entries, balance and the payments they belong to move in one transaction, so that what one of them
// says the others say too; a balance can be rebuilt from its entries, and must come out the same.
//
// A payout's money goes from "available" to the leg "reserved" before anything is signed, and from there to "custody" when it is
// paid, or back. What the network takes for it goes to the leg "fees" of the same merchant's account of the chain's own coin,
// against "custody": nobody is charged, and how much an operator paid for a merchant is known. What is owed to a merchant is what
// is available and what is reserved, and no payout reserves more than is available (package payout/book).
//
// An amount on the leg "available" is what the platform owes the merchant and may be paid out; the leg
// "custody" is the same money held on the chain, with the opposite sign; of money that a custodian or
// gateway holds it is the leg "held", so that what the chain must hold can be told from the book alone.
package ledger
