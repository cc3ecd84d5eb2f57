// Package evm knows how EVM chains write things: addresses, checksums, payment URIs.
//
// It promises: an address has one canonical spelling, lower case with 0x, so that equal addresses are
// equal strings; a mixed-case address whose EIP-55 checksum is wrong is refused, because a checksum
// that was written and does not fit is a mistyped address; the checksummed spelling is for people.
// It is light: no node, no go-ethereum. Package evm/node talks to a chain.
package evm
