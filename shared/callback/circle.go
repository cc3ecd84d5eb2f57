package callback

import (
	"context"
	"crypto"
	"errors"
	"net/http"
	"strings"

	"farrier/shared/chain"
)

// circle is Circle's notifications of version 2. X-Circle-Signature is ECDSA on P-256 with SHA-256 over the raw body, DER
// in base64; X-Circle-Key-Id is the id of the public key, which its API gives to the bearer of an API key
// (https://developers.circle.com/api-reference/verify-webhook-signatures and …/api-reference/wallets/common/get-notification-signature,
// read 2026-11-24). No time is stamped; notificationId is the same over retries; any 2xx is success; the URL is checked by HEAD.
//
// The public keys of Circle's other products (CPN, StableFX, Gateway) are at other paths: their connections are given the keys.
var circle = Source{
	Trusts:      []Trust{Look, Statement, Ask},
	CheckSecret: checkPublicKey(ecdsaSHA256),
	Credentials: []Credential{{Name: "api_key", Required: true, Fetches: true, Check: checkBearer}},
	Published: &Published{
		Hosts: []string{circleHost},
		URL: func(_ Settings, id string) string {
			return "https://" + circleHost + "/v2/notifications/publicKey/" + id
		},
		Header: bearerOf("api_key"),
		Read:   readCircleKey,
	},
	Asking: askCircle, Verify: verifyCircle, Read: readCircle, Answer: ok,
}

// circleHost serves the live and the test API: the API key says which.
const circleHost = "api.circle.com"

// checkBearer refuses what cannot stand in an Authorization header (RFC 6750, section 2.1, is wider than what providers give).
func checkBearer(text string) error {
	if len(text) < 16 || len(text) > longestSecret || !visible(text) {
		return errors.New("must be 16 to 256 characters of ASCII without spaces")
	}
	return nil
}

// bearerOf is a request's header with a credential in it.
func bearerOf(credential string) func(map[string]string) http.Header {
	return func(credentials map[string]string) http.Header {
		return http.Header{"Authorization": {"Bearer " + credentials[credential]}, "Accept": {"application/json"}}
	}
}

func readCircleKey(body []byte, id string) (map[string]crypto.PublicKey, error) {
	doc, err := parseJSON(body)
	if err != nil {
		return nil, errors.New("is not JSON")
	}
	if doc.text("data.id") != id || doc.text("data.algorithm") != "ECDSA_SHA_256" {
		return nil, errors.New("is of another key, or of another algorithm")
	}
	key, err := publicKey(doc.text("data.publicKey"))
	if err != nil || !ecdsaSHA256.takes(key) {
		return nil, errors.New("holds no public key of ECDSA")
	}
	return map[string]crypto.PublicKey{id: key}, nil
}

func verifyCircle(ctx context.Context, d Delivery, _ Settings, k Keys) (string, error) {
	given, err := d.Headers.one("x-circle-signature")
	if err != nil {
		return "", err
	}
	signature, err := inBase64.decode(given)
	if err != nil {
		return "", err
	}
	id, err := d.Headers.one("x-circle-key-id")
	if err != nil {
		return "", err
	}
	keys, err := k.public(ctx, id)
	if err != nil {
		return "", err
	}
	if err := keySigned(ecdsaSHA256, keys, signature, d.Body); err != nil {
		return "", err
	}
	if doc, err := parseJSON(d.Body); err == nil && doc.name("notificationId") != "" {
		return eventID(doc.name("notificationId")), nil
	}
	return hashed(d.Body), nil
}

// circleChains are Circle's names of chains (enum Blockchain of @circle-fin/developer-controlled-wallets 10.8.1).
var circleChains = map[string]chain.ID{
	"ETH": "eip155:1", "ETH-SEPOLIA": "eip155:11155111", "AVAX": "eip155:43114", "AVAX-FUJI": "eip155:43113",
	"MATIC": "eip155:137", "MATIC-AMOY": "eip155:80002", "ARB": "eip155:42161", "ARB-SEPOLIA": "eip155:421614",
	"UNI": "eip155:130", "UNI-SEPOLIA": "eip155:1301", "BASE": "eip155:8453", "BASE-SEPOLIA": "eip155:84532",
	"OP": "eip155:10", "OP-SEPOLIA": "eip155:11155420", "NEAR": "near:mainnet", "NEAR-TESTNET": "near:testnet",
	"SOL": "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", "SOL-DEVNET": "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1",
}

// The states of transactions (https://developers.circle.com/api-reference/wallets/common/transactions-inbound and
// …/transactions-outbound; enum TransactionState of the SDK). CONFIRMED is in a block and not deep enough.
var (
	circleInbound = map[string]Kind{
		"INITIATED": DepositSeen, "CLEARED": DepositSeen, "QUEUED": DepositSeen, "SENT": DepositSeen, "CONFIRMED": DepositSeen, "STUCK": DepositSeen,
		"COMPLETE": DepositConfirmed, "FAILED": DepositReverted, "DENIED": DepositReverted, "CANCELLED": DepositReverted, "CANCELED": DepositReverted,
	}
	circleOutbound = map[string]Kind{
		"INITIATED": Other, "CLEARED": Other, "QUEUED": Other, "SENT": PayoutBroadcast, "STUCK": PayoutBroadcast, "CONFIRMED": PayoutBroadcast,
		"COMPLETE": PayoutFinal, "FAILED": PayoutFailed, "DENIED": PayoutFailed, "CANCELLED": PayoutFailed, "CANCELED": PayoutFailed,
	}
)

func readCircle(body []byte, s Settings, _ Keys) ([]Notice, error) {
	doc, err := parseJSON(body)
	if err != nil {
		return nil, err
	}
	event, err := doc.required("notificationType")
	if err != nil {
		return nil, err
	}
	if version := doc.name("version"); version != "2" {
		return nil, unknownVersion(version)
	}
	switch {
	case event == "webhooks.test", strings.HasPrefix(event, "challenges."):
		return []Notice{{Kind: Other, Object: doc.name("notification.id"), Detail: detail(event)}}, nil
	case event == "transactions.inbound":
		return readCircleTransaction(doc.in("notification"), s, circleInbound)
	case event == "transactions.outbound":
		return readCircleTransaction(doc.in("notification"), s, circleOutbound)
	}
	return nil, unknownEvent(event)
}

// readCircleTransaction reads a transaction. Its token is named by an id of Circle's: the connection's assets say what it is.
func readCircleTransaction(tx document, s Settings, kinds map[string]Kind) ([]Notice, error) {
	state, err := tx.required("state")
	if err != nil {
		return nil, ReadError("notification." + err.Error())
	}
	kind, known := kinds[state]
	if !known {
		return nil, unknownEvent(state)
	}
	n := Notice{
		Kind: kind, Chain: s.on(circleChains[tx.text("blockchain")]), Tx: tx.name("txHash"), Address: tx.name("destinationAddress"),
		Object: tx.name("id"), Reference: tx.name("refId"), Detail: detail(or(tx.text("errorReason"), state)),
	}
	switch amounts := tx.list("amounts"); {
	case len(amounts) > 1:
		return nil, ReadError("notification.amounts are more than one")
	case len(amounts) == 0:
		n.Code = tx.name("tokenId") // a contract's call, or a token that is one of its kind
		return []Notice{n}, nil
	}
	amount, err := tx.decimal("amounts.0")
	if err != nil {
		return nil, ReadError("notification." + err.Error())
	}
	if err := n.priceCoin(s, tx.name("tokenId"), amount, nil); err != nil {
		return nil, ReadError("notification.amounts are no amount of an asset with so many decimals")
	}
	return []Notice{n}, nil
}
