package callback

import (
	"context"
	"crypto/sha256"
	"fmt"

	"farrier/shared/chain"
)

// alchemy is Alchemy Notify (https://www.alchemy.com/docs/reference/notify-api-quickstart and
// https://www.alchemy.com/docs/reference/address-activity-webhook, read 2026-11-24): X-Alchemy-Signature is the
// HMAC-SHA256 over the raw body in hex, by the signing key of the one webhook (the auth token of the team signs
// nothing). No time is stamped. It wants 200 within 5 seconds and tries again for ten minutes (for an hour on the
// largest plan). After a reorganisation it sends what the new blocks hold, and old logs as removed.
var alchemy = Source{
	Trusts:      []Trust{Look},
	CheckSecret: checkSharedText,
	Credentials: []Credential{{Name: "auth_token", Check: checkSharedText, Apart: true}}, // for registering addresses
	Verify:      verifyAlchemy,
	Read:        readAlchemy,
	Answer:      ok,
	Registering: &Registering{Credential: "auth_token", CheckID: checkAlchemyID},
}

func verifyAlchemy(_ context.Context, d Delivery, _ Settings, k Keys) (string, error) {
	given, err := d.Headers.one("x-alchemy-signature")
	if err != nil {
		return "", err
	}
	if err := hmacSigned(sha256.New, k.Secrets, inHex, given, string(d.Body)); err != nil {
		return "", err
	}
	return d.eventAt("id"), nil
}

func readAlchemy(body []byte, s Settings, _ Keys) ([]Notice, error) {
	doc, err := parseJSON(body)
	if err != nil {
		return nil, err
	}
	event, err := doc.required("type")
	if err != nil {
		return nil, err
	}
	// A webhook whose account is over its limit says so in place of what happened.
	if trouble := doc.text("event.error"); trouble != "" {
		return []Notice{{Kind: ProviderError, Detail: detail(trouble)}}, nil
	}
	on := s.networkOf(doc.text("event.network"))
	switch event {
	case "ADDRESS_ACTIVITY":
		return alchemyActivity(doc, on)
	case "MINED_TRANSACTION": // in a block, which may not stay
		return alchemySent(doc, on, PayoutBroadcast, event)
	case "DROPPED_TRANSACTION":
		return alchemySent(doc, on, PayoutFailed, event)
	case "GRAPHQL":
		return alchemyCustom(doc, on), nil
	case "NFT_ACTIVITY", "NFT_METADATA_UPDATED":
		return []Notice{{Kind: Other, Detail: event}}, nil
	default:
		return nil, unknownEvent(event)
	}
}

func alchemyActivity(doc document, on chain.ID) ([]Notice, error) {
	if _, is := doc.at("event.activity").([]any); !is {
		return nil, ReadError("event.activity is missing, or is no list")
	}
	var notices []Notice
	for i, transfer := range doc.list("event.activity") {
		if transfer.has("erc721TokenId") || transfer.has("erc1155Metadata") { // "token" may be either
			continue
		}
		n, err := alchemyTransfer(transfer, on)
		if err != nil {
			return nil, ReadError(fmt.Sprintf("event.activity.%d.%s", i, err))
		}
		notices = append(notices, n)
	}
	return orOther(notices, "NFT"), nil
}

func alchemyTransfer(transfer document, on chain.ID) (Notice, error) {
	hash, err := transfer.requiredName("hash")
	if err != nil {
		return Notice{}, err
	}
	n := Notice{
		Kind: DepositSeen, Chain: on, Tx: hash, Address: transfer.name("toAddress"), Code: transfer.name("asset"),
		Index: transfer.firstName("log.logIndex", "typeTraceAddress"),
	}
	if transfer.truth("log.removed") {
		n.Kind = DepositReverted
	}
	if contract := transfer.name("rawContract.address"); contract != "" {
		n.Asset = tokenOn(on, contract)
		if decimals, err := transfer.integer("rawContract.decimals"); err == nil && decimals >= 0 && decimals <= mostDecimals {
			n.Decimals = int(decimals)
		}
	} else if coin, known := coinOf(on); known {
		n.Asset, n.Decimals = coin.Asset, coin.Decimals
	}
	// The field value is a float: only the raw one is read.
	if someAmount(transfer.name("rawContract.rawValue")) {
		if n.Amount, err = transfer.units("rawContract.rawValue"); err != nil {
			return Notice{}, err
		}
	}
	return n, nil
}

// alchemySent is about a transaction that our own application sent.
func alchemySent(doc document, on chain.ID, kind Kind, event string) ([]Notice, error) {
	hash, err := doc.requiredName("event.transaction.hash")
	if err != nil {
		return nil, err
	}
	return []Notice{{Kind: kind, Chain: on, Tx: hash, Address: doc.name("event.transaction.to"), Object: hash, Detail: event}}, nil
}

// alchemyCustom reads a webhook whose operator chose what is in it: the transactions of a block, where it has them.
func alchemyCustom(doc document, on chain.ID) []Notice {
	var notices []Notice
	for _, log := range doc.list("event.data.block.logs") {
		if hash := log.name("transaction.hash"); hash != "" {
			notices = append(notices, Notice{Kind: DepositSeen, Chain: on, Tx: hash})
		}
	}
	for _, tx := range doc.list("event.data.block.transactions") {
		if hash := tx.name("hash"); hash != "" {
			notices = append(notices, Notice{Kind: DepositSeen, Chain: on, Tx: hash})
		}
	}
	return orOther(notices, "GRAPHQL")
}
