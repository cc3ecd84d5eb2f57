package ledger

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"farrier/shared/chain"
	"farrier/shared/deposit"
	"farrier/shared/id"
	"farrier/shared/money"
)

// Leg names one side of an entry.
type Leg string

// The legs.
const (
	Available Leg = "available" // owed to the merchant
	Custody   Leg = "custody"   // held on the chain, negative
	Held      Leg = "held"      // held by a custodian or gateway, negative
	Reserved  Leg = "reserved"  // owed to the merchant and set aside for its payouts
	Fees      Leg = "fees"      // what the network took for the merchant's payouts, negative; the operator bears it, and may bill it
)

// Legs are amounts by leg; an entry's sum to zero.
type Legs map[Leg]money.Amount

// Sum is the sum over all legs.
func (l Legs) Sum() money.Amount {
	var sum money.Amount
	for _, a := range l {
		sum = sum.Add(a)
	}
	return sum
}

// Plus adds other leg by leg.
func (l Legs) Plus(other Legs) Legs {
	out := maps.Clone(l)
	if out == nil {
		out = Legs{}
	}
	for leg, a := range other {
		out[leg] = out[leg].Add(a)
	}
	return out
}

// Negative is the opposite of every leg.
func (l Legs) Negative() Legs {
	out := Legs{}
	for leg, a := range l {
		out[leg] = a.Neg()
	}
	return out
}

// Equal says whether both have the same amounts; an absent leg is zero.
func (l Legs) Equal(other Legs) bool {
	for _, leg := range slices.Concat(slices.Collect(maps.Keys(l)), slices.Collect(maps.Keys(other))) {
		if l[leg].Cmp(other[leg]) != 0 {
			return false
		}
	}
	return true
}

// Kind is what an entry is for.
type Kind string

// The kinds.
const (
	Credit   Kind = "credit"   // a final deposit
	Reversal Kind = "reversal" // a credited deposit that the chain took back, or its provider
	Void     Kind = "void"     // a deposit that was taken back before it was credited: it takes the credit's place, so that none can come late

	Reserve Kind = "reserve" // money set aside for a payout; in a later round, money that had been given back
	Release Kind = "release" // the same given back: the payout was not made
	Paid    Kind = "paid"    // a payout that is made
	Fee     Kind = "fee"     // what the network took for a payout's transaction, whether or not that paid
	Unpaid  Kind = "unpaid"  // a payout that was made and that the chain took back; it is on its way again
	Unfee   Kind = "unfee"   // its fee
)

// Kinds are all that there are.
func Kinds() []Kind {
	return []Kind{Credit, Reversal, Void, Reserve, Release, Paid, Fee, Unpaid, Unfee}
}

// Entry is one line of the book. Its key holds nothing but the identity of what it is of, the round and the slot, so that each
// can be written once, whatever became of the item that it is of. A transfer's identity is its payment, which its destination
// fixes, and the deposit's id; that of what is taken from a part of an account is the payout's and the part. Ids of payments and
// payouts sort by time, and so do the lines.
type Entry struct {
	PK string `dynamodbav:"pk"` // merchant/shard
	SK string `dynamodbav:"sk"` // payment/deposit/round/slot, payout/shard/round/kind

	ID       string      `dynamodbav:"id"`
	Kind     Kind        `dynamodbav:"kind"`
	Merchant string      `dynamodbav:"merchant"`
	Shard    int         `dynamodbav:"shard"`
	Asset    money.Asset `dynamodbav:"asset"`
	Decimals int         `dynamodbav:"decimals"`
	Legs     Legs        `dynamodbav:"legs"`
	Deposit  string      `dynamodbav:"deposit,omitempty"`
	Payment  string      `dynamodbav:"payment,omitempty"`
	Payout   string      `dynamodbav:"payout,omitempty"` // in place of deposit and payment
	Toward   Toward      `dynamodbav:"toward,omitempty"`
	Chain    chain.ID    `dynamodbav:"chain"`
	Tx       string      `dynamodbav:"tx"`
	Index    string      `dynamodbav:"index,omitempty"`

	Connection string `dynamodbav:"connection,omitempty"` // where a provider holds the money, in place of chain, tx and index
	Object     string `dynamodbav:"object,omitempty"`

	At time.Time `dynamodbav:"at"` // when it was written
}

// Toward says what of its payment the money counts for.
type Toward string

// What money counts for; "" is nothing, as where it is another asset than was asked for.
const (
	TowardInTime Toward = "in_time"
	TowardAfter  Toward = "after"
)

// PartitionOf is where an account's entries lie.
func PartitionOf(merchant string, shard int) string { return merchant + "/" + strconv.Itoa(shard) }

// PrefixOf is what the sort keys of all entries of a deposit begin with.
func PrefixOf(d deposit.Deposit) string {
	return d.Payment + "/" + d.ID + "/"
}

// Slot is a place that one entry of a deposit can take: in each round one credit (or void) and one reversal.
func Slot(d deposit.Deposit, round int, kind Kind) string {
	slot := Credit
	if kind == Reversal {
		slot = Reversal
	}
	return fmt.Sprintf("%s%03d/%s", PrefixOf(d), round, slot)
}

// EntryFor makes the entry of a deposit's round.
func EntryFor(d deposit.Deposit, round int, kind Kind, legs Legs, toward Toward, now time.Time) Entry {
	sk := Slot(d, round, kind)
	e := Entry{
		PK: PartitionOf(d.Merchant, d.Shard), SK: sk, ID: id.Derived("ent", d.NoticedAt, d.Merchant, sk), Kind: kind,
		Merchant: d.Merchant, Shard: d.Shard, Asset: d.Asset, Decimals: d.Decimals, Legs: legs,
		Deposit: d.ID, Payment: d.Payment, Toward: toward, Chain: d.Chain, Tx: d.Tx, Index: d.Index, At: now,
	}
	if d.Held != nil {
		e.Connection, e.Object = d.Held.Connection, d.Held.Object
	}
	return e
}

// Outgoing is a payout as the book knows it.
type Outgoing struct {
	Merchant string
	Payout   string
	AskedAt  time.Time
	Chain    chain.ID
	Tx       string // that was mined
	Round    int
}

// Entry makes an entry of the payout in a part of an account.
func (o Outgoing) Entry(account Balance, kind Kind, legs Legs, now time.Time) Entry {
	sk := fmt.Sprintf("%s/%02d/%03d/%s", o.Payout, account.Shard, o.Round, kind)
	return Entry{
		PK: PartitionOf(o.Merchant, account.Shard), SK: sk, ID: id.Derived("ent", o.AskedAt, o.Merchant, sk), Kind: kind,
		Merchant: o.Merchant, Shard: account.Shard, Asset: account.Asset, Decimals: account.Decimals, Legs: legs,
		Payout: o.Payout, Chain: o.Chain, Tx: o.Tx, At: now,
	}
}

// Same says whether two entries say the same; when they were written does not matter.
func (e Entry) Same(other Entry) bool {
	return e.PK == other.PK && e.SK == other.SK && e.Kind == other.Kind && e.Asset == other.Asset &&
		e.Deposit == other.Deposit && e.Payment == other.Payment && e.Payout == other.Payout && e.Legs.Equal(other.Legs)
}
