// Package deposit is money coming in: one item for each transfer to one of our addresses.
//
//	seen → confirming → final
//	   ↘        ↘         ↘
//	    dropped ⇄ …        reversed → confirming → final (the next round)
//
// It promises: a deposit is identified by (chain, transaction, index), whoever noticed it first; its
// table key puts the owner (merchant, then payment) in front of that identity, which the transfer's
// destination fixes for ever, so that a merchant's deposits and a payment's deposits are one query and
// no index is paid for. A state moves only along the arrows, each move under the version that was
// read; "round" counts how often it was final before, so that a reversed and returned deposit can be
// credited again once and not twice.
package deposit
