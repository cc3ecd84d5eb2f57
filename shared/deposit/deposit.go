package deposit

import (
	"strings"
	"time"

	"farrier/shared/chain"
	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/money"
)

// State is how far a deposit has come.
type State string

// The states.
const (
	Seen       State = "seen"       // known to the network, in no block yet
	Confirming State = "confirming" // in a canonical block that is not final
	Final      State = "final"      // may be credited
	Dropped    State = "dropped"    // gone before it was final
	Reversed   State = "reversed"   // gone after it was final: the credit is taken back
)

// Conflict marks an item that is no deposit: what a chain told of a final deposit's own block and
// transaction, and which differs from it. It is kept for a person to look at and moves nowhere.
const Conflict State = "conflict"

var moves = map[State][]State{
	"":         {Seen, Confirming, Final},
	Seen:       {Confirming, Final, Dropped},
	Confirming: {Confirming, Final, Dropped}, // to itself: included again in another block
	Dropped:    {Seen, Confirming, Final},
	Final:      {Reversed},
	Reversed:   {Confirming, Final},
}

// CanMove says whether a deposit may go from one state to another.
func CanMove(from, to State) bool {
	for _, s := range moves[from] {
		if s == to {
			return true
		}
	}
	return false
}

// Deposit is one transfer to one of our addresses, or one object of a provider that holds its money (Held). Block, amount
// and asset are as the chain, or the provider, told them last.
type Deposit struct {
	PK string `dynamodbav:"pk"` // merchant
	SK string `dynamodbav:"sk"` // payment/chain/transaction/index; payment/connection/object where a provider holds it

	ID       string       `dynamodbav:"id"` // "dep_" and a hash of chain, transaction and index, or of connection and object
	Merchant string       `dynamodbav:"merchant"`
	Payment  string       `dynamodbav:"payment"`
	Shard    int          `dynamodbav:"shard"` // of the account that is credited
	Chain    chain.ID     `dynamodbav:"chain"`
	Tx       string       `dynamodbav:"tx"`
	Index    string       `dynamodbav:"index"`
	Asset    money.Asset  `dynamodbav:"asset"`
	Decimals int          `dynamodbav:"decimals"`
	From     string       `dynamodbav:"from"`
	To       string       `dynamodbav:"to"`
	Amount   money.Amount `dynamodbav:"amount"`

	Height    uint64    `dynamodbav:"height"`
	BlockHash string    `dynamodbav:"block_hash"`
	BlockTime time.Time `dynamodbav:"block_time"`

	Held *Held `dynamodbav:"held,omitempty"` // of money that a provider holds: in place of all that a chain tells

	State     State     `dynamodbav:"state"`
	Round     int       `dynamodbav:"round"` // how often it has been reversed
	NoticedAt time.Time `dynamodbav:"noticed_at"`
	UpdatedAt time.Time `dynamodbav:"updated_at"`
	Version   int64     `dynamodbav:"version"` // from 1, raised by every write

	Before event.Mark `dynamodbav:"before,omitempty"` // the event before the one that this version stands for
}

// Events are the types of the events that this version stands for: one or, where nothing is sure yet (seen) or no money
// was told of, none.
func (d Deposit) Events() []string {
	switch d.State {
	case Confirming, Final, Dropped, Reversed:
		if !d.Nothing() {
			return []string{"deposit." + string(d.State)}
		}
	}
	return nil
}

// marked is the deposit that carries the mark of the event before its next version.
func (d Deposit) marked() Deposit {
	d.Before = event.MarkOf(d.Version, d.UpdatedAt, d.Events(), d.Before)
	return d
}

// Key is where a deposit lies.
func (d Deposit) Key() dynamo.Key { return dynamo.Key{PK: d.PK, SK: d.SK} }

// KeyOf is where the deposit of a transfer to a payment's address lies.
func KeyOf(merchant, payment string, c chain.ID, tx, index string) dynamo.Key {
	return dynamo.Key{PK: merchant, SK: strings.Join([]string{payment, string(c), tx, index}, "/")}
}

// IDOf is the public id of the deposit of a transfer.
func IDOf(c chain.ID, tx, index string) string {
	return idOf(string(c), tx, index)
}
