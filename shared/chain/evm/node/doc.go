// Package node asks the nodes of one EVM chain, over JSON-RPC, what has happened there.
//
// It takes nothing on trust that it can check:
//
//   - whom it asks, and whom it does not believe for a while, is package pool's matter; what an answer must be
//     as a whole is package jsonrpc's;
//   - an answer counts only if it holds what was asked for: a null, a height that no chain has, a log outside
//     the asked range is a *jsonrpc.AnswerError;
//   - a transfer counts only if the receipt of its own transaction succeeded, holds the log, and lies
//     in the block that is canonical at its height; anything else, and a log marked as removed, is
//     pool.ErrReorganised or a *jsonrpc.AnswerError;
//   - an endpoint whose head is below a block that this node has been shown before is pool.ErrBehind: it is
//     asked nothing, so that what it has not heard of is never taken for what is not there;
//   - what moves money (Settled, Sure, SureMined, Spender) is believed only as two endpoints tell it alike.
//
// It also gives them what is signed, and tells what they said to it in one word whatever the node (chain.Word). All endpoints
// in good order are given it, since one may accept and forget. What a node refuses for the transaction's sake is an answer;
// an endpoint that refuses whatever it is asked is in trouble.
package node
