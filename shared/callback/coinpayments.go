package callback

import (
	"context"
	"crypto/sha256"
	"strings"
	"time"
)

// coinPayments is CoinPayments' API of 2023 and later, whose webhooks are signed as requests to it are: HMAC-SHA256 in
// base64, with the client's secret as text for its key, over U+FEFF, method, URL, client, timestamp and raw body
// (https://a-docs.coinpayments.net/api/auth/generate-api-signature and …/api/webhooks/authenticating-requests;
// github.com/CoinPaymentsNet/CoinPaymentsNET.github.io, openapi/paths/webhooks/webhooks.md of 2024-10-25; read 2026-11-24).
//
// The timestamp is UTC without a zone. It is the sending's: in the documented example it is four seconds after the
// event's own. So a window applies. Nothing is said of the times of retries; a notice that is lost is found by our look.
var coinPayments = Source{
	Trusts: []Trust{Look, Statement, Ask}, CheckSecret: checkSharedText, Verify: verifyCoinPayments, Read: readCoinPayments, Answer: ok,
}

func verifyCoinPayments(_ context.Context, d Delivery, _ Settings, k Keys) (string, error) {
	given, err := d.Headers.one("x-coinpayments-signature")
	if err != nil {
		return "", err
	}
	client, err := d.Headers.one("x-coinpayments-client")
	if err != nil {
		return "", err
	}
	stamp, err := d.Headers.one("x-coinpayments-timestamp")
	if err != nil {
		return "", err
	}
	signed, err := time.Parse("2006-01-02T15:04:05", stamp)
	if err != nil {
		return "", HeaderMalformed
	}
	if d.At.Sub(signed).Abs() > standardWindow {
		return "", OutsideWindow
	}
	err = NoMatch
	for _, url := range calledAs(d.URL) {
		if err = hmacSigned(sha256.New, k.Secrets, inBase64, given, "\ufeff", d.Method, url, client, stamp, string(d.Body)); err == nil {
			return coinPaymentsEvent(d.Body), nil
		}
	}
	return "", err
}

// calledAs are the spellings of a URL that its owner may have given to a provider: in a local run the scheme is http.
// No other part of it may differ, so what was signed for one connection is never believed for another.
func calledAs(url string) []string {
	if rest, secure := strings.CutPrefix(url, "https://"); secure {
		return []string{url, "http://" + rest}
	}
	return []string{url}
}

// coinPaymentsEvent is what makes an event one. The body's id alone may be no event's (the API's document calls it an
// address's): its type and time are beside it. A wallet's notice has neither: its bytes are what it is.
func coinPaymentsEvent(body []byte) string {
	doc, err := parseJSON(body)
	id, kind, at := doc.name("id"), doc.name("type"), doc.name("timestamp")
	if err != nil || id == "" || kind == "" || at == "" {
		return hashed(body)
	}
	return eventID(id + "/" + kind + "/" + at)
}

// coinPaymentsInvoices are the events of invoices and of their payments (…/api/webhooks/clients), in lower case: the
// documents write "invoicePaid" and the example "InvoiceCreated". "Pending" is seen on the chain and not confirmed;
// "paid" is confirmed and held by CoinPayments; "completed" is in the merchant's balance.
var coinPaymentsInvoices = map[string]Kind{
	"invoicecreated": PaymentPending, "invoicepending": PaymentPending, "invoicepaid": PaymentPaid, "invoicecompleted": PaymentPaid,
	"invoicecancelled": PaymentFailed, "invoicetimedout": PaymentExpired, "paymentcreated": PaymentPending, "paymenttimedout": PaymentExpired,
}

// coinPaymentsStates are the states of an invoice in which it is paid.
var coinPaymentsStates = map[string]bool{"paid": true, "completed": true}

// coinPaymentsTransfers are the types of a wallet's transactions (…/api/webhooks/wallets), in lower case.
var coinPaymentsTransfers = map[string]Kind{
	"internalreceive": DepositConfirmed, "utxoexternalreceive": DepositConfirmed, "accountbasedexternalreceive": DepositConfirmed,
	"accountbasedexternaltokenreceive": DepositConfirmed, "sameuserreceive": DepositConfirmed,
	"externalspend": PayoutFinal, "internalspend": PayoutFinal, "sameuserspend": PayoutFinal, "accountbasedtokenspend": PayoutFinal, "autosweeping": PayoutFinal,
	"conversion": Other, "receivetestfundsfrompool": Other, "returntestfundstopool": Other,
}

func readCoinPayments(body []byte, s Settings, _ Keys) ([]Notice, error) {
	doc, err := parseJSON(body)
	if err != nil {
		return nil, err
	}
	if doc.has("transactionType") {
		return readCoinPaymentsTransfer(doc, s)
	}
	event, err := doc.required("type")
	if err != nil {
		return nil, err
	}
	kind, known := coinPaymentsInvoices[strings.ToLower(event)]
	if !known {
		return nil, unknownEvent(event)
	}
	state := doc.text("invoice.state")
	if kind == PaymentPaid && !coinPaymentsStates[strings.ToLower(state)] {
		return nil, ReadError("invoice.state does not say that the invoice is paid, as type does")
	}
	// No amount: the documents do not say in which unit an invoice's are.
	return []Notice{{
		Kind: kind, Chain: s.on(""), Object: doc.name("invoice.id"), Detail: detail(state),
		Reference: or(doc.name("invoice.invoiceId"), doc.name("invoice.invoiceNumber")),
	}}, nil
}

// readCoinPaymentsTransfer reads a wallet's notice (openapi/components/responses/wallets/wallet-notification-payload.yaml).
func readCoinPaymentsTransfer(doc document, s Settings) ([]Notice, error) {
	event, err := doc.required("transactionType")
	if err != nil {
		return nil, err
	}
	kind, known := coinPaymentsTransfers[strings.ToLower(event)]
	if !known {
		return nil, unknownEvent(event)
	}
	if kind == Other {
		return []Notice{{Kind: Other, Object: doc.name("transactionId"), Detail: detail(event)}}, nil
	}
	deep, err := deepEnough(doc)
	if err != nil {
		return nil, err
	}
	if !deep {
		kind = map[Kind]Kind{DepositConfirmed: DepositSeen, PayoutFinal: PayoutBroadcast}[kind]
	}
	code := doc.name("symbol")
	n := Notice{
		Kind: kind, Tx: doc.name("txHash"), Address: doc.name("address"), Object: doc.name("transactionId"),
		Reference: doc.name("spendRequestId"), Chain: coinPaymentsChain(s, code),
	}
	amount, err := doc.decimal("amount")
	if err != nil {
		return nil, err
	}
	if err := n.priceCoin(s, code, amount, ownCoins); err != nil {
		return nil, ReadError("amount is no amount of an asset with so many decimals")
	}
	return []Notice{n}, nil
}

// deepEnough compares confirmations with those that CoinPayments requires. Where it names neither, the transfer is
// within CoinPayments, and done.
func deepEnough(doc document) (bool, error) {
	if !doc.has("confirmations") && !doc.has("requiredConfirmations") {
		return doc.name("txHash") == "", nil
	}
	got, err := doc.integer("confirmations")
	if err != nil {
		return false, err
	}
	required, err := doc.integer("requiredConfirmations")
	if err != nil {
		return false, err
	}
	return got >= required, nil
}
