// Package link writes what a payer's wallet can open, or read as a QR code, to pay an amount of an asset to an address.
//
// It promises: every link that names an amount names the whole amount, in digits, and the address that it was given, in
// the spelling of its chain; a link is there only where the wallet's maker says how it is written for that asset; and no
// link says anything that has to be true for money to be credited: what a wallet does with it is seen on the chain alone.
package link
