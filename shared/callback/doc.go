// Package callback takes what providers tell us over HTTPS: who may tell it (a Connection), how it is
// signed and what it says (a Source), and that it came (a Receipt).
//
// It promises:
//
//   - A callback is a hint. What it says is brought into one form (a Notice); where the connection's Trust is to look,
//     only its chain and transaction are followed (a Hint), never an amount: a forged, lost, late, doubled or
//     reordered callback can cost time and no money. What is unpaid, a ping and a provider's own error ask for nothing.
//   - Nothing is kept before its signature is right, compared in constant time; a signature that came twice is
//     refused. Nothing is parsed before, but where a provider signs what the body says, or puts the signature in it:
//     then only to find it, within bounds.
//   - A receipt is written once under (connection, the provider's event id). The same callback again
//     changes nothing; another body under the same id is kept beside the first, which stands.
//   - A refusal is one of a few words (Refused) that says nothing of what was sent, and the caller of the
//     HTTPS endpoint does not learn which.
//   - A secret is stored only sealed for its own connection (a credential for its own name too), is believed until
//     its end, and neither a secret nor a signature is in a receipt, a log or an error.
//   - A connection is changed as it was read, or not at all; a new secret is believed beside the old ones until their
//     end, and what is shown of one is a fingerprint. Whoever keeps a connection in memory does so for a minute.
//   - Public keys that a provider publishes are asked of its own hosts alone, over HTTPS, and what an unverified
//     delivery names cannot make us ask at will (a Keyring).
//
// It does not hide by its timing whether a connection exists from someone who guesses 80 random bits, and
// it does not keep a provider's own retry from being accepted for as long as its time rule lets it.
//
// A new source is one file with a Source in it, one line in the registry (sources.go) and one in the suite
// (suite_test.go), which holds what every source must do, rightly signed and wrongly: TestEverySource.
package callback
