// Package transaction builds what moves money on an EVM chain, and reads it back.
//
// It promises: a Transaction pays one address one amount of the chain's coin or of one ERC-20 token, and can say nothing
// else; it is signed for one chain and no other (EIP-155, EIP-1559); its bytes read back to itself, and bytes that do
// anything else are refused; every number is checked before it is signed. Whoever replaces a transaction keeps all of it
// but the price, which rises.
//
// It holds no key: it gives the digest to be signed and takes the signature. Encoding and recovery are go-ethereum's.
package transaction
