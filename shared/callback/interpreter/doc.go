// Package interpreter reads receipts: it asks for looks, and books what trusted providers say of money that they hold.
//
// It promises: a receipt becomes looks in the queue, and deposits, before its record leaves the stream, so each may be done
// twice, which changes nothing, and never not at all; a receipt that says nothing, or nothing that is known, or speaks of a
// chain that is not configured or of the provider's own trouble, is marked with its outcome and counted, and the
// stream goes on; what is unpaid, a ping or a second body under an event's id asks for nothing.
//
// What a callback may bring about is its connection's trust:
//
//   - look: our own look at the chain. Nothing that it says is believed.
//   - statement: the signed word of who holds the money is believed. Paid, partly paid and confirmed become a held deposit
//     of the connection's merchant, reverted and refunded take it back; what amount stands is package deposit's rule. What is
//     unpaid, pending, expired or failed, the provider's own errors and everything else never credit.
//   - ask: the same, with what the provider's API says of the object in place of the callback's word. A stream never waits for
//     the outside world: such a receipt goes through the function's own queue, whose retries and dead letters are those of
//     the asking, too.
//
// An object is its connection's: the provider's id of it is never looked up among other connections. So one account of a
// provider is believed by one connection: two that are told of the same account book its money twice.
//
// An object counts for a payment whose id is its reference; for any other it is the merchant's money without a payment. What
// goes to one of our own addresses is the chain watch's, whoever tells of it: it asks for a look and is never booked by
// statement, so it cannot count twice. A provider that names no address cannot be checked so: whoever trusts it with
// addresses that are derived here books twice.
package interpreter
