// Package bitcoin knows how Bitcoin's networks write things: their names, addresses, payment URIs.
//
// It promises: an address has one canonical spelling, bech32 and bech32m in lower case, so that equal
// addresses are equal strings; an address is taken only on the network that it belongs to, and only with
// the checksum that its kind must have; what an output's script pays is told in the same spelling, and
// only where it pays one address and nothing else; errors can be shown to anybody, for they repeat nothing
// of what was given.
//
// It is light: no node, and nothing is made before it is first needed, because every function that knows
// of chains starts with it. Package bitcoin/node talks to a chain.
package bitcoin
