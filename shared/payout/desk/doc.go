// Package desk is where payouts are asked for: it finds out what the text of a request does not tell, chooses the wallet that
// pays and what the payout may cost, and refuses early what would be refused later.
//
// It promises: what it refuses it refuses by the field's name, or with a code to branch on; the same request gets the payout
// that it made before, whatever is true by now. It decides nothing: the signer judges by its own tables, and the book says
// whether there is enough money. So what passes here may fail later, and an early answer that is wrong costs no money.
package desk
