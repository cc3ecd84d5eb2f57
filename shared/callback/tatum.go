package callback

import (
	"context"
	"crypto/sha512"
	"strings"

	"farrier/shared/money"
)

// tatum is Tatum's notifications (https://docs.tatum.io/docs/authenticating-notification-webhooks,
// https://docs.tatum.io/reference/enablewebhookhmac and the notifications in https://github.com/tatumio/docs; read
// 2026-11-24): x-payload-hash is the HMAC-SHA512 over the JSON of the body, in base64, by the secret that the account was
// given with PUT /v4/subscription; without one it signs nothing. The JSON is JSON.stringify's, which is also what it
// sends: the bytes as they came. No time is stamped and no id is given. It wants 2xx.
var tatum = Source{
	Trusts: []Trust{Look}, CheckSecret: checkSharedText, NewSecret: newSharedText, Verify: verifyTatum, Read: readTatum, Answer: ok,
}

func verifyTatum(_ context.Context, d Delivery, _ Settings, k Keys) (string, error) {
	given, err := d.Headers.one("x-payload-hash")
	if err != nil {
		return "", err
	}
	if err := hmacSigned(sha512.New, k.Secrets, inBase64, given, string(d.Body)); err != nil {
		return "", err
	}
	return hashed(d.Body), nil
}

// tatumKinds are the notifications that are about one transaction. ADDRESS_EVENT is about both directions; the sign of the
// amount tells which. Older ones came without their type: "".
var tatumKinds = map[string]Kind{
	"ADDRESS_EVENT": DepositSeen, "ADDRESS_TRANSACTION": DepositSeen, "": DepositSeen,
	"INCOMING_NATIVE_TX": DepositSeen, "INCOMING_FUNGIBLE_TX": DepositSeen, "INCOMING_INTERNAL_TX": DepositSeen,
	"OUTGOING_NATIVE_TX": PayoutBroadcast, "OUTGOING_FUNGIBLE_TX": PayoutBroadcast, "OUTGOING_INTERNAL_TX": PayoutBroadcast,
	"OUTGOING_FAILED_TX": PayoutFailed, "FAILED_TXS_PER_BLOCK": Other, "PAID_FEE": Other,
	"INCOMING_NFT_TX": Other, "OUTGOING_NFT_TX": Other, "INCOMING_MULTITOKEN_TX": Other, "OUTGOING_MULTITOKEN_TX": Other,
	"CONTRACT_NFT_TXS_PER_BLOCK": Other, "CONTRACT_MULTITOKEN_TXS_PER_BLOCK": Other,
	"CONTRACT_EVENT": DepositSeen, "CONTRACT_LOG_EVENT": DepositSeen, "CONTRACT_ADDRESS_LOG_EVENT": DepositSeen,
}

func readTatum(body []byte, s Settings, _ Keys) ([]Notice, error) {
	doc, err := parseJSON(body)
	if err != nil {
		return nil, err
	}
	event := doc.name("subscriptionType")
	kind, known := tatumKinds[event]
	switch {
	case !known:
		return nil, unknownEvent(event)
	case kind == Other || doc.text("type") == "nft" || doc.text("type") == "multitoken":
		return []Notice{{Kind: Other, Detail: detail(event)}}, nil
	}
	n := Notice{Kind: kind, Chain: s.networkOf(doc.text("chain")), Address: doc.name("address"), Index: doc.name("logIndex")}
	if n.Tx, err = doc.requiredName("txId"); err != nil {
		return nil, err
	}
	if err := n.tatumAmount(doc, s); err != nil {
		return nil, err
	}
	return []Notice{n}, nil
}

// tatumAmount reads a decimal in the asset's own unit, with a minus for what goes out. A token comes as its contract,
// whose decimals are not said: its amount is read where the connection's assets have it.
func (n *Notice) tatumAmount(doc document, s Settings) error {
	if !doc.has("amount") { // events of contracts have none
		return nil
	}
	given := doc.name("amount")
	if strings.HasPrefix(given, "-") && n.Kind == DepositSeen {
		n.Kind = PayoutBroadcast
	}
	code := doc.firstName("contractAddress", "asset", "currency")
	known, found := s.Assets[code]
	if !found && tatumCoin(doc) {
		known, found = coinOf(n.Chain)
	}
	decimals := mostDecimals
	if found {
		decimals = known.Decimals
	}
	amount, err := decimalUnits(strings.TrimPrefix(given, "-"), decimals)
	switch {
	case err != nil:
		return ReadError("amount is missing, or is no amount")
	case !found:
		n.Code, amount = code, money.Amount{}
	}
	n.Asset, n.Decimals, n.Amount = known.Asset, known.Decimals, amount
	return nil
}

// tatumCoin says whether the amount is of the chain's own coin.
func tatumCoin(doc document) bool {
	event, kind := doc.name("subscriptionType"), doc.text("type")
	byEvent := strings.HasSuffix(event, "_NATIVE_TX") || strings.HasSuffix(event, "_INTERNAL_TX")
	return kind == "native" || kind == "internal" || (kind == "" && byEvent)
}
