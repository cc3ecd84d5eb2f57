// Package jsonrpc speaks JSON-RPC over HTTP to one node (https://www.jsonrpc.org/specification).
//
// It promises: an answer counts only if it is whole, well-formed JSON of bounded size that answers each
// question once; anything else is an error that says of which kind. No error holds the endpoint's URL, its
// password or a header's key. A redirect is not followed: it would carry the key to another host.
//
// It serves nodes that keep to the specification and those that almost do: bitcoind and btcd want Basic
// authentication, answer errors with HTTP status 500 and a JSON body, and leave "jsonrpc" out
// (https://github.com/bitcoin/bitcoin/blob/master/doc/JSON-RPC-interface.md, 2026-11); TRON's gateways want
// a header (https://developers.tron.network/reference/select-network, 2026-11).
//
// The client is our own, of one file: go-ethereum's brings web sockets, telemetry and metrics of the host,
// reads answers of any size, and doubles the time that the function takes to start.
package jsonrpc
