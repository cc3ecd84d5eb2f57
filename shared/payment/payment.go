package payment

import (
	"slices"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/money"
)

// Status is what is true of a payment, from what was asked and what was credited.
type Status string

// The statuses.
const (
	Waiting   Status = "waiting"   // nothing credited yet
	Partial   Status = "partial"   // less than asked
	Paid      Status = "paid"      // what was asked, in time
	Over      Status = "over"      // more than was asked, in time
	Late      Status = "late"      // money came after the end, and too little before
	Expired   Status = "expired"   // the time is over and too little has come
	Cancelled Status = "cancelled" // the merchant took it back, and too little had come
)

// Payment is what a merchant asked for and what has come.
type Payment struct {
	PK string `dynamodbav:"pk"` // merchant
	SK string `dynamodbav:"sk"` // payment id

	ID string `dynamodbav:"id"`

	Option          // the first one, or the only one: its attributes are the item's own
	Others []Option `dynamodbav:"others,omitempty"`

	Tolerance
	Policy             // without what is usual
	Verdicts []Verdict `dynamodbav:"verdicts,omitempty"` // what the merchant decided, one at most about each thing

	Reference   string            `dynamodbav:"reference"`
	Metadata    map[string]string `dynamodbav:"metadata,omitempty"`
	PageURL     string            `dynamodbav:"page_url,omitempty"`   // where the payer pays
	WalletURL   string            `dynamodbav:"wallet_url,omitempty"` // where the payer's wallet tells what became of it
	Fingerprint string            `dynamodbav:"-"`                    // of the request: the items that it claimed have it

	Status      Status     `dynamodbav:"status"`
	Ended       bool       `dynamodbav:"ended,omitempty"` // its time was recorded as over
	CreatedAt   time.Time  `dynamodbav:"created_at"`
	ExpiresAt   time.Time  `dynamodbav:"expires_at"`
	CancelledAt *time.Time `dynamodbav:"cancelled_at,omitempty"`
	UpdatedAt   time.Time  `dynamodbav:"updated_at"`
	Version     int64      `dynamodbav:"version"` // from 1, raised by every write
	// Events are the types of the events that the write of this version stands for, each once; none at creation.
	Events []string   `dynamodbav:"events,omitempty"`
	Before event.Mark `dynamodbav:"before,omitempty"` // the event before them
}

// Option is an asset in which a payment may be paid, and what has come in it.
type Option struct {
	Asset    money.Asset  `dynamodbav:"asset"`
	Symbol   string       `dynamodbav:"symbol,omitempty"`
	Decimals int          `dynamodbav:"decimals"`
	Amount   money.Amount `dynamodbav:"amount"`
	Address  string       `dynamodbav:"address"` // lower case
	InTime   money.Amount `dynamodbav:"in_time"` // credited from blocks up to the payment's end
	After    money.Amount `dynamodbav:"after"`   // credited from later blocks
}

// Received is everything credited in this asset.
func (o Option) Received() money.Amount { return o.InTime.Add(o.After) }

// Key is where a payment lies.
func (p Payment) Key() dynamo.Key { return dynamo.Key{PK: p.PK, SK: p.SK} }

// Options are all that the payment may be paid by, in the order in which they were asked for.
func (p Payment) Options() []Option { return append([]Option{p.Option}, p.Others...) }

// withOptions is the payment with these in the place of its own.
func (p Payment) withOptions(all []Option) Payment {
	p.Option, p.Others = all[0], slices.Clone(all[1:])
	return p
}

// Asks says whether money in this asset counts for the payment.
func (p Payment) Asks(asset money.Asset) bool { return p.place(asset) >= 0 }

// place is where among its options the asset is; -1 where it is none of them.
func (p Payment) place(asset money.Asset) int {
	return slices.IndexFunc(p.Options(), func(o Option) bool { return o.Asset == asset })
}
