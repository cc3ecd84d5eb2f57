// Package callback takes what providers tell us over HTTPS: who may tell it (a Connection), how it is
// signed and what it says (a Source), and that it came (a Receipt).
//
// It promises:
//
//   - A callback is a hint. What it says is a chain and perhaps a transaction to look at (a Hint), never an
//     amount: a forged, lost, late, doubled or reordered callback can cost time and no money.
//   - Nothing is parsed and nothing is kept before its signature is right, over the bytes as they came,
//     compared in constant time; a signature header that came twice is refused.
//   - A receipt is written once under (connection, the provider's event id). The same callback again
//     changes nothing; another body under the same id is kept beside the first, which stands.
//   - A refusal is one of a few words (Refused) that says nothing of what was sent, and the caller of the
//     HTTPS endpoint does not learn which.
//   - A secret is stored only sealed for its own connection, and neither a secret nor a signature is in a
//     receipt, a log or an error.
//
// It does not hide by its timing whether a connection exists from someone who guesses 80 random bits, and
// it does not keep a provider's own retry from being accepted for as long as its time rule lets it.
//
// A new source is one file with a Source in it and one line in the registry (source.go). What every source
// must do, rightly signed and wrongly, is one suite: TestEverySource.
package callback
