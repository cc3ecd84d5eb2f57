// Package watch takes our own look at each chain: which transfers to our addresses there are, which have
// become final, which are gone.
//
// # Promises
//
// Nothing is missed. Every block is looked at, from the first one on, in order and without a gap,
// however long the watch was stopped: the journal says up to where, and an anchor that is never
// forgotten stands in for entries that have been. Every block is looked at twice: when it is new, so that
// a deposit is told within a block or two, and when it has become final, so that what a node kept from us
// the first time is found the second. An address that was made before its payer could know it is found
// in every block (see Owners), also where most recipients are passed by a filter in memory (see Filter).
//
// Nothing is believed that the chain does not hold now. A deposit becomes final only by a look at its
// block after the block has become final; whatever was found near the head and is not there then is
// dropped. A large deposit, where the chain's configuration says so, becomes final only when more blocks are (chain.Deeper),
// by one more look at its block. Should a block that was final be reorganised away, which no chain's rule allows and some have
// done, its deposits are reversed first and then observed anew where the new chain has them.
//
// Where several endpoints must agree, one of them that lies delays the watch at the most: what it invents is dropped once
// the others have told the block as final, and a head that it made up is left as soon as the others say that it is not there.
//
// Trouble with a node, a table or another chain delays the watch and changes nothing: an answer that may
// be wrong is an error (see package node), and a pass that meets an error is made again.
//
// # How a kill at any moment leaves no trace
//
// The journal is a list of entries, one to a pass, numbered without gaps, never changed, each made by one
// conditional put: of two watchers that look at the same chain at once, one writes entry n+1 and the
// other reads it. An entry says which blocks its pass looked at, the hash of the last of them, and which
// deposits it found. It is written before its deposits are. So
//
//   - killed before the entry is written, a pass has left nothing, and is made again;
//   - killed after, the deposits may be missing, but the entry names them. Whoever comes next applies the
//     newest entry again, by looking at its blocks again, before it writes one of its own. So all entries
//     but the newest are applied;
//   - a deposit is never stored without an entry that names it, so none is forgotten when its block goes.
//
// Entries live for a week. What an entry names and is not decided when half of that is over is named anew by the next one, so
// a deposit may wait for as long as it has to. Should the watch stand still until entries that are still open have expired,
// this is told, and it goes on from its anchor, whose block is below what they named.
//
// Applying is safe to repeat and to do by two at once: it compares what the chain says now with what is
// stored now, and every write to a deposit is made under the version that was read (package deposit).
//
// # Reorganisations
//
// A pass goes on from the newest entry whose block is still canonical, its base. The entries after the
// base belong to a fork that is gone, or to blocks that an endpoint made up: their blocks' heights are looked at again, and each deposit that
// they name and that the new blocks do not show is decided about: reversed if it was final, left alone
// while its transaction may come back, dropped once its height is final without it.
//
// # Looks
//
// A look is what a callback asks for: a pass out of turn, and then a look at the transaction itself where
// the scan is still far behind it. What that finds is written into the journal like any other pass. A look
// can be forged, late or doubled: it costs a few calls to a node and can change nothing that is not so.
package watch
