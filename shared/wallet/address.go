package wallet

import (
	"time"

	"farrier/shared/dynamo"
)

// Address is who owns an address: the registry that the watcher asks. Key: the family and the
// address ("eip155:0x…"), because one key pair has the same address on every EVM chain; no address is of two families.
type Address struct {
	PK string `dynamodbav:"pk"`
	SK string `dynamodbav:"sk"` // always "address"

	Address     string    `dynamodbav:"address"` // canonical spelling
	Merchant    string    `dynamodbav:"merchant"`
	Payment     string    `dynamodbav:"payment"`
	Shards      int       `dynamodbav:"shards"`        // of the merchant's accounts, fixed when the merchant was made
	Path        string    `dynamodbav:"path"`          // below the extended public key: "0/1234"
	Fingerprint string    `dynamodbav:"fingerprint"`   // what it was derived from: an anchor for a retry
	Key         string    `dynamodbav:"key,omitempty"` // of that request, where it had an Idempotency-Key: its digest
	Request     string    `dynamodbav:"request"`       // fingerprint of the request that claimed it
	CreatedAt   time.Time `dynamodbav:"created_at"`
}

// KeyOf is where an address lies.
func KeyOf(family, address string) dynamo.Key {
	return dynamo.Key{PK: family + ":" + address, SK: addressItem}
}

const addressItem = "address"

// IsAddress says whether an address lies at a key: the table also holds other names that are claimed for payments.
func IsAddress(key dynamo.Key) bool { return key.SK == addressItem }
