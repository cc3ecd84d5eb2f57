// Package node asks the nodes of one EVM chain, over JSON-RPC, what has happened there.
//
// It takes nothing on trust that it can check:
//
//   - an endpoint is asked for its chain id before its first use, again every minute and after any
//     trouble, so that another chain's money is never taken for this one's;
//   - an answer counts only if it is whole, well-formed JSON of bounded size that holds what was asked
//     for; HTML, half a JSON, a null, a height that no chain has, a log outside the asked range or
//     marked as removed is an *AnswerError;
//   - a transfer counts only if the receipt of its own transaction succeeded, holds the log, and lies
//     in the block that is canonical at its height; anything else is ErrReorganised or an *AnswerError;
//   - an endpoint whose head is below a block that this node has been shown before is ErrBehind: it is
//     asked nothing, so that what it has not heard of is never taken for what is not there.
//
// Each question is put to one endpoint from beginning to end, and to the next one where that endpoint
// is in trouble. An endpoint in trouble rests for a while and is tried last. Only chain.ErrNotFound
// says "not there", and only when no endpoint in good order says otherwise.
//
// The client for JSON-RPC is our own, of one file: go-ethereum's brings web sockets, telemetry and
// metrics of the host, reads answers of any size, and doubles the time that the function takes to start.
package node
