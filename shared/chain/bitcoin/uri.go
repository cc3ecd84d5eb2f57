package bitcoin

import (
	"net/url"
	"strings"

	"farrier/shared/money"
)

// Decimals of a bitcoin: 100,000,000 satoshis.
const Decimals = 8

// Request is what a payment URI asks for. All but the address may be absent.
type Request struct {
	Address string       // canonical
	Amount  money.Amount // satoshis; nothing is said of an amount that is not positive
	Label   string       // who is paid
	Message string       // what for
}

// PaymentURI asks a wallet to pay, in the form of BIP-21 (https://bips.dev/21): the amount in bitcoin, a decimal number
// without exponent and without trailing zeros.
func PaymentURI(r Request) string {
	var query []string
	if r.Amount.Sign() > 0 {
		query = append(query, "amount="+r.Amount.Shortest(Decimals))
	}
	if r.Label != "" {
		query = append(query, "label="+escaped(r.Label))
	}
	if r.Message != "" {
		query = append(query, "message="+escaped(r.Message))
	}
	if len(query) == 0 {
		return "bitcoin:" + r.Address
	}
	return "bitcoin:" + r.Address + "?" + strings.Join(query, "&")
}

// escaped percent-encodes all that RFC 3986 reserves. A space is %20: to a wallet, a plus sign is a plus sign.
func escaped(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}
