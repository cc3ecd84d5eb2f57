// Package node asks the nodes of one TRON network what has happened there.
//
// It was never run against a real node: none can be run where it was written. Its tests serve answers that
// were built in the form that java-tron's documentation and source give them (testdata/make.cjs); before it
// is trusted with money, watch a test network with it (docs/chains.md says how).
//
// A node of TRON speaks two languages, and each claim is held against both:
//
//   - JSON-RPC, in the manner of Ethereum, at /jsonrpc: the blocks' names, logs over ranges of blocks,
//     receipts (https://tronprotocol.github.io/documentation-en/api/json-rpc/, read on 2026-11-29);
//   - the HTTP API below /wallet, and for solid blocks below /walletsolidity: whole transactions with their
//     contract's type, their results (https://tronprotocol.github.io/documentation-en/api/http/, same day).
//
// What it takes for true:
//
//   - a TRC-20 transfer: eth_getLogs tells the Transfer event of a configured contract; the transaction's
//     receipt has status 1 and the very same events; gettransactioninfobyid, which reads solid blocks where
//     the question is about those, has the result SUCCESS and the very same logs. An event without that result
//     (OUT_OF_ENERGY, REVERT) is nothing, and so is that result without the event;
//   - a TRX transfer: the block holds a transaction of the type TransferContract with the result SUCCESS;
//     gettransactionbyid tells it alike (where more than three in a block pay us, the block's word does, and the results are
//     those of gettransactioninfobyblocknum); the receipt has status 1 and no result says otherwise. The coin's
//     transfers are never read from JSON-RPC: it shows a TRC-10 token's transfer, votes and frozen coin as
//     "value" too, and nobody could tell them apart (JsonRpcApiUtil.getTransactionAmount of java-tron 4.8.0);
//   - a block: the first eight bytes of its id are its height; blocks that are read whole follow from one
//     another; the one that a transfer lies in is canonical as the last answer arrives;
//   - a solid block, as /walletsolidity tells it: one that JSON-RPC shows at its height.
//
// An endpoint that says anything else is in trouble, rests and is told of (packages pool and jsonrpc).
//
// Transactions are named by 64 hex digits in lower case without 0x, blocks by their ids in the same way,
// addresses by their base58 text.
package node
