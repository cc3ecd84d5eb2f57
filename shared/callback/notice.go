package callback

import (
	"strings"
	"unicode/utf8"

	"farrier/shared/chain"
	"farrier/shared/money"
)

// Kind is what a callback says, whoever sent it.
type Kind string

// The kinds of notices.
const (
	DepositSeen      Kind = "deposit.seen"      // on the chain, not yet deep enough for the provider
	DepositConfirmed Kind = "deposit.confirmed" // deep enough for the provider
	DepositReverted  Kind = "deposit.reverted"  // was on the chain and is not any more

	PaymentPending  Kind = "payment.pending" // unpaid, waiting: never credits
	PaymentPaid     Kind = "payment.paid"
	PaymentPartial  Kind = "payment.partial"
	PaymentExpired  Kind = "payment.expired"
	PaymentFailed   Kind = "payment.failed"
	PaymentRefunded Kind = "payment.refunded"

	PayoutBroadcast Kind = "payout.broadcast"
	PayoutFinal     Kind = "payout.final"
	PayoutFailed    Kind = "payout.failed"

	ProviderError Kind = "provider.error" // the provider's own trouble, inside a well-signed body
	Other         Kind = "other"          // a ping, a test: means nothing for money
)

// looked are the kinds that ask for a look at the chain that they name, where they name one.
var looked = map[Kind]bool{
	DepositSeen: true, DepositConfirmed: true, DepositReverted: true,
	PaymentPaid: true, PaymentPartial: true, PaymentExpired: true, PaymentFailed: true, PaymentRefunded: true,
	PayoutBroadcast: false, PayoutFinal: false, PayoutFailed: false, PaymentPending: false, ProviderError: false, Other: false,
}

// Notice is one thing that a callback says. What the provider does not say is left empty.
type Notice struct {
	Kind      Kind
	Chain     chain.ID
	Tx        string
	Index     string // place of the transfer in the transaction, as the provider gives it
	Address   string // the receiving one
	Asset     money.Asset
	Amount    money.Amount
	Decimals  int
	Code      string // the provider's own name of the asset, kept where Asset is not known
	Object    string // the provider's id of the deposit, payment or payout; Amount is of it in all
	Refund    string // the provider's id of a refund of Object, where Amount is of it alone; without it, of all refunds so far
	Reference string // the merchant's own name for it
	Detail    string // the provider's error code or status, see detail
}

// Hint is the look that a notice asks for; false where it asks for none. A transaction whose name is not one on
// its chain asks for the chain alone: a look finds what there is.
func (n Notice) Hint() (Hint, bool) {
	if !looked[n.Kind] || n.Chain == "" {
		return Hint{}, false
	}
	tx, err := canonical(n.Chain, n.Tx)
	if err != nil {
		tx = ""
	}
	return Hint{Chain: n.Chain, Tx: tx}, true
}

// Lost says that a notice tells of a deposit and not on which chain we could look.
func (n Notice) Lost() bool {
	return n.Chain == "" && (n.Kind == DepositSeen || n.Kind == DepositConfirmed || n.Kind == DepositReverted)
}

// price sets amount and asset by the provider's code for it: as this connection's settings say, or a currency of
// ISO 4217. A code that neither knows is kept as Code, without an amount: its decimals are not known.
func (n *Notice) price(s Settings, code, amount string) error {
	known, found := s.asset(code)
	return n.priceAs(known, found, code, amount)
}

// ReadError is why a rightly signed body says nothing to us: the field that is missing or wrong, and nothing of
// the body.
type ReadError string

func (r ReadError) Error() string { return string(r) }

// UnknownError is an event or a version of a rightly signed body that this code does not know.
type UnknownError struct {
	What string // "event" or "version"
	Name string // as the provider calls it, see detail
}

func (u UnknownError) Error() string { return "the " + u.What + " " + u.Name + " is not known" }

// Outcome is what becomes of such a callback.
func (u UnknownError) Outcome() Outcome {
	if u.What == "version" {
		return UnknownVersion
	}
	return UnknownEvent
}

func unknownEvent(name string) error   { return UnknownError{"event", detail(name)} }
func unknownVersion(name string) error { return UnknownError{"version", detail(name)} }

// detail makes a provider's word fit for a table and a log: at most 128 characters, printable ASCII.
func detail(word string) string {
	word = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, word[:min(len(word), longestName)])
	return word[:min(len(word), longestName)]
}

// nameOf is a provider's or a merchant's name for something, bounded: one that is too long or not UTF-8 is none.
func nameOf(text string) string {
	if len(text) > longestName || !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return ""
	}
	return text
}
