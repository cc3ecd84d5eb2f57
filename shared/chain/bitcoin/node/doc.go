// Package node asks the nodes of one Bitcoin network, over the JSON-RPC of Bitcoin Core and btcd, what has happened there.
//
// It takes nothing on trust that it can check. A block is asked for whole and raw, and counts only if
//
//   - it hashes to the hash that it was asked for by, and the hash is as much work as its header says, which is
//     at least what the network asks for;
//   - its transactions are those that its header's merkle root stands for, each once, the first and only the first a coinbase;
//   - its coinbase names the height that it was asked for at (BIP-34), on the networks and from the heights where that is a rule.
//
// A range of blocks is read from its end backwards, each block by the hash that the one above names, so that a range is
// one chain; its end is canonical before and after. So no endpoint can make up, change, leave out or move a payment in a
// block that miners made. What an endpoint can do alone is to keep newer blocks from us, or to show a chain of its own at
// its own expense: before money moves, two endpoints must name the same end.
//
// What counts, and what does not:
//
//   - A transfer is an output, named "out-N" by its place in its transaction, that pays one address, whatever it spends:
//     nobody in particular sends it. Outputs of nothing and outputs without an address (OP_RETURN, bare keys) are none.
//   - A transaction that waits in a memory pool is not found: it may be replaced by another (BIP-125) that pays somebody else.
//   - A coinbase's outputs cannot be spent before 100 blocks lie on theirs. They are transfers only where the chain's
//     finality is at least that deep; else what the books call final could not be paid out.
//
// An endpoint that keeps no index of transactions cannot tell that it does not know one: that is trouble, not "not there".
package node
