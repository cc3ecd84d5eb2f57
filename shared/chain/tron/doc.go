// Package tron knows how the TRON networks write things: addresses and the names of the networks.
//
// It promises: an address has one canonical spelling, the base58check text that wallets show ("T…", where
// the case of a letter matters), so that equal addresses are equal strings; a text whose checksum does not
// fit, an address of an EVM chain and one of another network are refused, each with a word on why.
// It is light: no node. Package tron/node talks to a chain.
//
// An account is the same 20 bytes as on an EVM chain, the end of the Keccak-256 of the public key. The text
// puts the byte 0x41 before them and four bytes of checksum behind
// (https://tronprotocol.github.io/documentation-en/mechanism-algorithm/account/, read on 2026-11-29). The
// JSON-RPC API writes the 20 bytes as 0x and 40 hex digits, the HTTP API as 41 and 40 hex digits. Mainnet and
// the test networks share all of it: an address does not say which of them it is on.
//
// A network is named by the hex of what its nodes answer to eth_chainId, the last four bytes of the hash of
// its first block (TIP-474): "tron:0x2b6653dc", as WalletConnect and most wallets write it and as package
// callback does. The CAIP-2 profile that was accepted in September 2026
// (https://github.com/ChainAgnostic/namespaces/pull/170) writes the same number in decimal,
// "tron:728126428"; this system has one spelling for each chain, and does not take that one.
package tron
