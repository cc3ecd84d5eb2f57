package callback

import (
	"context"
	"crypto/sha512"
	"errors"
	"strings"

	"farrier/shared/chain"
)

// coinPaymentsLegacy is CoinPayments' older API, whose IPN is a form. The header HMAC is HMAC-SHA512 over the raw body
// in hex, with the IPN secret as it stands for its key; no time is stamped, an IPN is sent up to 10 times, and ipn_id
// names it (https://www.coinpayments.net/merchant-tools-ipn, read 2026-11-24).
var coinPaymentsLegacy = Source{
	Trusts: []Trust{Look, Statement, Ask}, CheckSecret: checkIPNSecret, Verify: verifyCoinPaymentsLegacy, Read: readCoinPaymentsLegacy, Answer: ok,
}

// checkIPNSecret: the merchant chose it ("a string of your choosing"), and may have done so long ago.
func checkIPNSecret(secret string) error {
	if len(secret) < 8 || len(secret) > longestSecret || !printable(secret) {
		return errors.New("must be 8 to 256 characters of printable ASCII")
	}
	return nil
}

func verifyCoinPaymentsLegacy(_ context.Context, d Delivery, _ Settings, k Keys) (string, error) {
	given, err := d.Headers.one("hmac")
	if err != nil {
		return "", err
	}
	if err := hmacSigned(sha512.New, k.Secrets, inHex, given, string(d.Body)); err != nil {
		return "", err
	}
	if doc, err := parseForm(d.Body); err == nil && doc.name("ipn_id") != "" {
		return eventID(doc.name("ipn_id")), nil
	}
	return hashed(d.Body), nil
}

// ipnPayments are the types of IPN about a payment to the merchant's order.
var ipnPayments = map[string]bool{"simple": true, "button": true, "cart": true, "donation": true, "api": true}

func readCoinPaymentsLegacy(body []byte, s Settings, _ Keys) ([]Notice, error) {
	doc, err := parseForm(body)
	if err != nil {
		return nil, err
	}
	event, err := doc.required("ipn_type")
	if err != nil {
		return nil, err
	}
	status, err := doc.integer("status")
	if err != nil {
		return nil, err
	}
	n := Notice{Detail: detail(doc.text("status")), Address: doc.name("address")}
	switch {
	case ipnPayments[event]:
		n.Kind, n.Object = paymentStatus(status), doc.name("txn_id") // their own id: send_tx is the chain's
		n.Reference, n.Tx = or(doc.name("custom"), or(doc.name("invoice"), doc.name("item_number"))), doc.name("send_tx")
		return legacyAmount(doc, s, n, "currency2", "received_amount", n.Kind == PaymentPaid)
	case event == "deposit":
		n.Kind, n.Object, n.Tx = depositStatus(status), doc.name("deposit_id"), doc.name("txn_id")
		n.Reference = doc.name("label")
		return legacyAmount(doc, s, n, "currency", "amount", true)
	case event == "withdrawal":
		n.Kind, n.Object, n.Tx = withdrawalStatus(status), doc.name("id"), doc.name("txn_id")
		return legacyAmount(doc, s, n, "currency", "amount", true)
	}
	return nil, unknownEvent(event)
}

// paymentStatus: 100 and more is complete, and 2 ("queued for nightly payout") counts as complete; other numbers from
// 0 to 99 are waiting, 1 ("coin reception confirmed") among them; -1 is "cancelled / timed out", -2 a refund or reversal.
func paymentStatus(status int64) Kind {
	switch {
	case status >= 100, status == 2:
		return PaymentPaid
	case status >= 0:
		return PaymentPending
	case status == -1:
		return PaymentExpired
	case status == -2:
		return PaymentRefunded
	default:
		return PaymentFailed
	}
}

// depositStatus: 0 is pending, 100 confirmed; "use the same logic as payment statuses".
func depositStatus(status int64) Kind {
	switch {
	case status >= 100, status == 2:
		return DepositConfirmed
	case status >= 0:
		return DepositSeen
	default:
		return DepositReverted
	}
}

// withdrawalStatus: 0 waits for an e-mail's confirmation, 1 is pending, 2 "sent/complete"; less than 0 failed.
func withdrawalStatus(status int64) Kind {
	switch {
	case status >= 2:
		return PayoutFinal
	case status >= 0:
		return Other // nothing has gone out
	default:
		return PayoutFailed
	}
}

// legacyAmount reads the amount under a code such as "BTC" or "USDT.TRC20".
func legacyAmount(doc document, s Settings, n Notice, codeField, field string, required bool) ([]Notice, error) {
	code := doc.name(codeField)
	n.Chain = coinPaymentsChain(s, code)
	if !required && !doc.has(field) {
		n.Code = detail(code)
		return []Notice{n}, nil
	}
	amount, err := doc.decimal(field)
	if err != nil {
		return nil, err
	}
	if err := n.priceCoin(s, code, amount, ownCoins); err != nil {
		return nil, ReadError(field + " is no amount of an asset with so many decimals")
	}
	return []Notice{n}, nil
}

// coinPaymentsNetworks are the networks behind the full stop of a token's code: "USDT.TRC20".
var coinPaymentsNetworks = map[string]chain.ID{
	"ERC20": "eip155:1", "BEP20": "eip155:56", "BSC": "eip155:56", "PRC20": "eip155:137", "POLY": "eip155:137", "TRC20": "tron:0x2b6653dc",
	"SOL": "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", "BASE": "eip155:8453", "ARB": "eip155:42161", "AVAXC": "eip155:43114",
}

// coinPaymentsChain is the chain that a code names. "LTCT" and other test coins name none.
func coinPaymentsChain(s Settings, code string) chain.ID {
	if known, found := s.Assets[code]; found && strings.Contains(string(known.Asset), "/") {
		return s.on(chain.ID(known.Asset.Chain()))
	}
	coin, network, token := strings.Cut(strings.ToUpper(code), ".")
	if token {
		return s.on(coinPaymentsNetworks[network])
	}
	return s.on(ownCoins[coin])
}
