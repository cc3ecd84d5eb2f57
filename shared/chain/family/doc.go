// Package family says what the chains of one CAIP-2 namespace have in common: how they write addresses and transactions,
// and which address a public key has.
//
// It promises: an address has one canonical spelling in its family, so that equal addresses are equal strings, and no
// text is an address of two families; what is refused is refused with words that are safe to show.
//
// It stands apart from package chain because it needs each family's arithmetic: who only passes chains' names on, as
// the function receive does, stays without it.
package family
