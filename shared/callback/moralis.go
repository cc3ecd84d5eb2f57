package callback

import (
	"context"
	"crypto/hmac"
	"encoding/hex"
	"fmt"

	"golang.org/x/crypto/sha3"

	"farrier/shared/chain"
	"farrier/shared/money"
)

// moralis is Moralis Streams (https://docs.moralis.com/streams-api/evm/response-body, …/streams/webhooks/webhook-payloads and
// the package @moralisweb3/streams 2.27.2; read 2026-11-24): x-signature is "0x" and the Keccak-256 over the raw body and
// the account's streams secret behind it, in lower-case hex. Keccak is a sponge: who knows a digest cannot go on from
// it. No time is stamped. It wants 2xx, also for the test that it sends when a stream is made, and tries again after a
// minute and later, for a day; each attempt counts itself in the body. A block is said twice, unconfirmed and confirmed,
// in either order.
var moralis = Source{
	Trusts: []Trust{Look}, CheckSecret: checkSharedText, Verify: verifyMoralis, Read: readMoralis, Answer: ok,
	Credentials: []Credential{{Name: "api_key", Check: checkSharedText, Apart: true}}, // for registering addresses
	Registering: &Registering{Credential: "api_key", CheckID: checkMoralisID},
}

func verifyMoralis(_ context.Context, d Delivery, _ Settings, k Keys) (string, error) {
	given, err := d.Headers.one("x-signature")
	if err != nil {
		return "", err
	}
	matched := false
	for _, secret := range k.Secrets {
		if hmac.Equal([]byte(given), []byte(keccakBehind(d.Body, secret))) {
			matched = true
		}
	}
	if !matched {
		return "", NoMatch
	}
	// It gives no id, and one block of one stream may come in several bodies.
	return hashed(d.Body), nil
}

func keccakBehind(body []byte, secret string) string {
	sum := sha3.NewLegacyKeccak256()
	_, _ = sum.Write(body)
	_, _ = sum.Write([]byte(secret))
	return "0x" + hex.EncodeToString(sum.Sum(nil))
}

func readMoralis(body []byte, s Settings, _ Keys) ([]Notice, error) {
	doc, err := parseJSON(body)
	if err != nil {
		return nil, err
	}
	if _, isText := doc.at("chainId").(string); !isText {
		return nil, missing("chainId")
	}
	if doc.text("chainId") == "" && doc.text("block.hash") == "" { // the test: everything is there, and empty
		return []Notice{{Kind: Other, Detail: "test"}}, nil
	}
	on, known := chainNumbered(doc.text("chainId"))
	if s.Chain != "" {
		on = chain.ID(s.Chain)
	} else if !known {
		return nil, ReadError("chainId is not the number of a chain")
	}
	kind := DepositSeen
	if doc.truth("confirmed") {
		kind = DepositConfirmed
	}
	return moralisBlock(doc, Notice{Kind: kind, Chain: on, Reference: doc.name("tag")})
}

// moralisBlock reads what a block did, as far as it moved money; each is like a notice. Balances (nativeBalances) and
// approvals are no transfers.
func moralisBlock(doc document, like Notice) ([]Notice, error) {
	var notices []Notice
	for _, list := range []struct {
		name string
		read func(document, Notice) (Notice, bool, error)
	}{{"erc20Transfers", moralisToken}, {"txs", moralisCoin}, {"txsInternal", moralisCoin}} {
		for i, item := range doc.list(list.name) {
			n, money, err := list.read(item, like)
			if err != nil {
				return nil, ReadError(fmt.Sprintf("%s.%d.%s", list.name, i, err))
			}
			if money {
				notices = append(notices, n)
			}
		}
	}
	if len(notices) == 0 { // a stream of a contract's own events
		for _, log := range doc.list("logs") {
			if hash := log.name("transactionHash"); hash != "" {
				n := like
				n.Tx, n.Index = hash, log.name("logIndex")
				notices = append(notices, n)
			}
		}
	}
	return orOther(notices, "no transfer"), nil
}

func moralisToken(transfer document, n Notice) (_ Notice, isMoney bool, err error) {
	if n.Tx, err = transfer.requiredName("transactionHash"); err != nil {
		return n, false, err
	}
	if n.Amount, err = transfer.units("value"); err != nil {
		return n, false, err
	}
	n.Index, n.Address, n.Code = transfer.name("logIndex"), transfer.name("to"), transfer.name("tokenSymbol")
	n.Asset = tokenOn(n.Chain, transfer.firstName("contract", "address"))
	if decimals, err := transfer.integer("tokenDecimals"); err == nil && decimals >= 0 && decimals <= mostDecimals {
		n.Decimals = int(decimals)
	}
	return n, true, nil
}

// moralisCoin is a transaction, or one that a contract made; one that failed, or moves nothing, brought no money.
func moralisCoin(tx document, n Notice) (_ Notice, isMoney bool, err error) {
	if n.Tx = tx.firstName("hash", "transactionHash"); n.Tx == "" {
		return n, false, missing("hash")
	}
	if tx.name("receiptStatus") == "0" || !someAmount(tx.name("value")) {
		return n, false, nil
	}
	if n.Amount, err = tx.units("value"); err != nil {
		return n, false, err
	}
	n.Address = tx.firstName("toAddress", "to")
	if coin, known := coinOf(n.Chain); known {
		n.Asset, n.Decimals = coin.Asset, coin.Decimals
	}
	return n, n.Amount.Cmp(money.Amount{}) > 0, nil
}
