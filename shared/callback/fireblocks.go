package callback

import (
	"context"
	"crypto"
	"strings"

	"farrier/shared/chain"
)

// fireblocks is Fireblocks' webhooks. Fireblocks-Webhook-Signature is a detached JWS (RS512) over the raw body, whose key
// is in the set that each environment publishes; Fireblocks-Signature, the older one, is RSA (PKCS #1 v1.5) with SHA-512
// over the raw body in base64, and both come together (https://developers.fireblocks.com/reference/validating-webhooks,
// read 2026-11-24). No time is stamped. Retries go on for hours, and events come in any order.
//
// Keys that a connection is given verify either header; the older one is believed by such keys only.
var fireblocks = Source{
	Trusts:      []Trust{Look, Statement, Ask},
	Regions:     []string{"us", "eu", "eu2", "sandbox"},
	CheckSecret: checkPublicKey(rsaSHA512),
	Published: &Published{
		Hosts: []string{"keys.fireblocks.io", "eu-keys.fireblocks.io", "eu2-keys.fireblocks.io", "sandbox-keys.fireblocks.io"},
		URL:   fireblocksKeys,
		Read:  func(body []byte, _ string) (map[string]crypto.PublicKey, error) { return jwks(body) },
	},
	Verify: verifyFireblocks, Read: readFireblocks, Answer: ok,
}

// fireblocksKeys is where the keys of a workspace's environment are. "us" has no prefix.
func fireblocksKeys(s Settings, _ string) string {
	prefix := ""
	if s.Region != "" && s.Region != "us" {
		prefix = s.Region + "-"
	}
	return "https://" + prefix + "keys.fireblocks.io/.well-known/jwks.json"
}

func verifyFireblocks(ctx context.Context, d Delivery, _ Settings, k Keys) (string, error) {
	err := fireblocksJWS(ctx, d, k)
	if given := publicKeys(k.Secrets); err != nil && len(given) > 0 && d.Headers["fireblocks-signature"] != "" {
		err = fireblocksOlder(d, given)
	}
	if err != nil {
		return "", err
	}
	return fireblocksEvent(d.Body), nil
}

func fireblocksJWS(ctx context.Context, d Delivery, k Keys) error {
	compact, err := d.Headers.one("fireblocks-webhook-signature")
	if err != nil {
		return err
	}
	return jwsSigned(compact, d.Body, []string{"RS512"}, func(id string) ([]crypto.PublicKey, error) {
		if id == "" && len(k.Secrets) == 0 {
			return nil, HeaderMalformed // the key's id is what the set is searched by
		}
		return k.public(ctx, id)
	})
}

func fireblocksOlder(d Delivery, given []crypto.PublicKey) error {
	text, err := d.Headers.one("fireblocks-signature")
	if err != nil {
		return err
	}
	signature, err := inBase64.decode(text)
	if err != nil {
		return err
	}
	return keySigned(rsaSHA512, given, signature, d.Body)
}

// fireblocksEvent is the event's id of version 2; version 1 has none, and there the transaction, its status and the time are it.
func fireblocksEvent(body []byte) string {
	doc, err := parseJSON(body)
	switch {
	case err != nil:
	case doc.name("id") != "":
		return eventID(doc.name("id"))
	case doc.name("data.id") != "" && doc.name("timestamp") != "":
		return eventID(strings.Join([]string{doc.name("data.id"), doc.name("type"), doc.name("data.status"), doc.name("timestamp")}, "/"))
	}
	return hashed(body)
}

// fireblocksCoins are Fireblocks' codes of chains' own coins: of an asset, and (feeCurrency) of what its chain is paid in.
// A token's code tells nothing alone: "MATIC" is a token on Ethereum.
var fireblocksCoins = map[string]chain.ID{
	"BTC": ownCoins["BTC"], "LTC": ownCoins["LTC"], "DOGE": ownCoins["DOGE"], "BCH": ownCoins["BCH"], "DASH": ownCoins["DASH"],
	"ETH": "eip155:1", "TRX": ownCoins["TRX"], "SOL": ownCoins["SOL"], "XRP": ownCoins["XRP"], "XLM": ownCoins["XLM"],
	"MATIC_POLYGON": "eip155:137", "BNB_BSC": "eip155:56", "AVAX": "eip155:43114", "ETH-AETH": "eip155:42161", "ETH-OPT": "eip155:10", "BASECHAIN_ETH": "eip155:8453",
}

// The statuses of transactions (https://developers.fireblocks.com/reference/statuses and …/transaction-statuses, read
// 2026-11-24; enum TransactionStateEnum of @fireblocks/ts-sdk 18.0.0), by the direction in which the money goes. What came in
// and was rejected is on the chain, and frozen: it is seen, and never confirmed.
var (
	fireblocksIncoming = map[string]Kind{
		"SUBMITTED": DepositSeen, "PENDING_AML_SCREENING": DepositSeen, "PENDING_ENRICHMENT": DepositSeen, "PENDING_AUTHORIZATION": DepositSeen,
		"QUEUED": DepositSeen, "PENDING_3RD_PARTY": DepositSeen, "PENDING_3RD_PARTY_MANUAL_APPROVAL": DepositSeen, "BROADCASTING": DepositSeen,
		"CONFIRMING": DepositSeen, "COMPLETED": DepositConfirmed, "PARTIALLY_COMPLETED": DepositSeen,
		"REJECTED": DepositSeen, "BLOCKED": DepositSeen, "CANCELLED": DepositReverted, "FAILED": DepositReverted,
	}
	fireblocksOutgoing = map[string]Kind{
		"SUBMITTED": Other, "PENDING_AML_SCREENING": Other, "PENDING_ENRICHMENT": Other, "PENDING_AUTHORIZATION": Other, "QUEUED": Other,
		"PENDING_SIGNATURE": Other, "PENDING_3RD_PARTY": Other, "PENDING_3RD_PARTY_MANUAL_APPROVAL": Other, "CANCELLING": Other,
		"BROADCASTING": PayoutBroadcast, "CONFIRMING": PayoutBroadcast, "PARTIALLY_COMPLETED": PayoutBroadcast, "COMPLETED": PayoutFinal,
		"CANCELLED": PayoutFailed, "REJECTED": PayoutFailed, "BLOCKED": PayoutFailed, "FAILED": PayoutFailed, "TIMEOUT": PayoutFailed,
	}
	// fireblocksTransactions are the events that hold a transaction, of both versions.
	fireblocksTransactions = map[string]bool{
		"transaction.created": true, "transaction.status.updated": true, "transaction.approval_status.updated": true,
		"transaction.network_records.processing_completed": true, "TRANSACTION_CREATED": true, "TRANSACTION_STATUS_UPDATED": true, "TRANSACTION_APPROVAL_STATUS_UPDATED": true,
	}
	// fireblocksOthers begin the names of events that tell of no money (enum WebhookEvent of @fireblocks/ts-sdk 18.0.0, and
	// https://developers.fireblocks.com/reference/webhooks-structures).
	fireblocksOthers = []string{
		"transaction.alert.", "external_wallet.", "internal_wallet.", "contract_wallet.", "vault_account.", "embedded_wallet.", "onchain_data.", "connection.",
		"VAULT_ACCOUNT_", "INTERNAL_WALLET_", "EXTERNAL_WALLET_", "EXCHANGE_ACCOUNT_", "FIAT_ACCOUNT_", "NETWORK_CONNECTION_",
	}
)

func readFireblocks(body []byte, s Settings, _ Keys) ([]Notice, error) {
	doc, err := parseJSON(body)
	if err != nil {
		return nil, err
	}
	event := or(doc.text("eventType"), doc.text("type"))
	if event == "" {
		return nil, missing("eventType")
	}
	if fireblocksTransactions[event] {
		return readFireblocksTransaction(doc.in("data"), s)
	}
	for _, prefix := range fireblocksOthers {
		if strings.HasPrefix(event, prefix) {
			return []Notice{{Kind: Other, Object: doc.name("resourceId"), Detail: detail(event)}}, nil
		}
	}
	return nil, unknownEvent(event)
}

func readFireblocksTransaction(tx document, s Settings) ([]Notice, error) {
	status, err := tx.required("status")
	if err != nil {
		return nil, ReadError("data." + err.Error())
	}
	kind, known := fireblocksKind(tx, status)
	if !known {
		return nil, unknownEvent(status)
	}
	n := Notice{
		Kind: kind, Tx: tx.name("txHash"), Index: tx.name("index"), Address: tx.name("destinationAddress"), Object: tx.name("id"),
		Reference: or(tx.name("externalTxId"), tx.name("customerRefId")), Detail: detail(or(tx.text("subStatus"), status)),
		Chain: s.on(or(fireblocksCoins[tx.name("feeCurrency")], fireblocksCoins[tx.name("assetId")])),
	}
	if kind == Other {
		return []Notice{n}, nil
	}
	amount, err := fireblocksAmount(tx)
	if err != nil {
		return nil, err
	}
	if err := n.priceCoin(s, tx.name("assetId"), amount, fireblocksCoins); err != nil {
		return nil, ReadError("data.amountInfo.amount is no amount of an asset with so many decimals")
	}
	return []Notice{n}, nil
}

// fireblocksKind: money comes in where a vault receives from outside, and goes out where a vault pays to outside. Between
// vaults, for gas, and what is no transfer (a call, a message) is nothing that anybody paid.
func fireblocksKind(tx document, status string) (Kind, bool) {
	const vault = "VAULT_ACCOUNT"
	from, to := tx.text("source.type"), tx.text("destination.type")
	incoming, known := fireblocksIncoming[status]
	outgoing, alsoKnown := fireblocksOutgoing[status]
	switch {
	case !known && !alsoKnown:
		return "", false
	case tx.has("operation") && tx.text("operation") != "TRANSFER", from == to, from == "GAS_STATION":
		return Other, true
	case from == vault:
		return outgoing, alsoKnown
	case to == vault:
		return or(incoming, DepositSeen), true
	}
	return Other, true
}

// fireblocksAmount is text in "amountInfo", or the number that was there before.
func fireblocksAmount(tx document) (string, error) {
	field := "amountInfo.amount"
	if !tx.has(field) {
		field = "amount"
	}
	amount, err := tx.decimal(field)
	if err != nil {
		return "", ReadError("data." + field + " is missing, or is no amount")
	}
	return amount, nil
}
