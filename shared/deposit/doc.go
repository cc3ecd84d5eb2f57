// Package deposit is money coming in: one item for each transfer to one of our addresses, and one for each object of a
// provider that holds the money itself and whose word is believed (a held deposit).
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
//
// Before it is final, a deposit says what the chain told last: the same transaction in another block may
// move another amount. A final deposit never changes but by being reversed, and it is reversed only out
// of the block that it lies in: whoever has heard of the reorganisation must name that block, so that
// late news of an older fork takes nothing back. The reversing write raises the round and leaves asset
// and amount as they were credited: a version in state reversed and round n takes back the credit of
// round n-1.
package deposit
