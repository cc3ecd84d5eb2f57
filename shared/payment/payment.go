package payment

import (
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/money"
)

// Status is what is true of a payment, from what was asked and what was credited.
type Status string

// The statuses.
const (
	Waiting Status = "waiting" // nothing credited yet
	Partial Status = "partial" // less than asked
	Paid    Status = "paid"    // exactly what was asked, in time
	Over    Status = "over"    // more than was asked, in time
	Late    Status = "late"    // money came after the time was over, and too little before
	Expired Status = "expired" // the time is over and too little has come
)

// Payment is what a merchant asked for and what has come.
type Payment struct {
	PK string `dynamodbav:"pk"` // merchant
	SK string `dynamodbav:"sk"` // payment id

	ID       string       `dynamodbav:"id"`
	Merchant string       `dynamodbav:"merchant"`
	Asset    money.Asset  `dynamodbav:"asset"`
	Decimals int          `dynamodbav:"decimals"`
	Amount   money.Amount `dynamodbav:"amount"`
	InTime   money.Amount `dynamodbav:"in_time"` // credited from blocks up to ExpiresAt
	After    money.Amount `dynamodbav:"after"`   // credited from later blocks

	Reference   string            `dynamodbav:"reference"`
	Metadata    map[string]string `dynamodbav:"metadata,omitempty"`
	Address     string            `dynamodbav:"address"` // lower case
	Fingerprint string            `dynamodbav:"fingerprint"`

	Status    Status    `dynamodbav:"status"`
	Ended     bool      `dynamodbav:"ended,omitempty"` // its time was recorded as over
	CreatedAt time.Time `dynamodbav:"created_at"`
	ExpiresAt time.Time `dynamodbav:"expires_at"`
	UpdatedAt time.Time `dynamodbav:"updated_at"`
	Version   int64     `dynamodbav:"version"` // from 1, raised by every write
	// Events are the types of the events that the write of this version stands for; none at creation.
	Events []string `dynamodbav:"events,omitempty"`
}

// Key is where a payment lies.
func (p Payment) Key() dynamo.Key { return dynamo.Key{PK: p.PK, SK: p.SK} }
