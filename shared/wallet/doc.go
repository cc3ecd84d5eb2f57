// Package wallet makes addresses and says who owns them.
//
// It promises: addresses come from an extended public key alone, so that no function that makes them
// can move what they hold; an extended private key given by mistake is refused and appears nowhere;
// an address has one owner for ever, decided by one conditional write.
package wallet
