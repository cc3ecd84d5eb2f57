package payout

import (
	"strings"
	"time"

	"farrier/shared/chain"
	"farrier/shared/chain/family"
	"farrier/shared/dynamo"
)

// UsualWait is how long a new destination waits before it is paid, where nothing else is said: time for its owner to see
// that somebody else has added it.
const UsualWait = 24 * time.Hour

// Destination is an address that a merchant has allowed, or has paid: there is a table of either. One key pair has one address
// on all chains of a family, so it is known by its family.
type Destination struct {
	PK string `dynamodbav:"pk"` // merchant
	SK string `dynamodbav:"sk"` // family/first characters…last ones/address, so that look-alikes are neighbours

	Address   string     `dynamodbav:"address"`
	Label     string     `dynamodbav:"label,omitempty"`
	AllowedAt *time.Time `dynamodbav:"allowed_at,omitempty"` // when it was put on the list; nil where it is not on it
	AllowedBy string     `dynamodbav:"allowed_by,omitempty"`
	PaidAt    *time.Time `dynamodbav:"paid_at,omitempty"` // when a payout to it was first made
	Version   int64      `dynamodbav:"version"`
}

// Ends are what people compare an address by: its first and last characters, without what all of a kind begin with, and
// without case where case carries nothing.
type Ends struct{ First, Last string }

// endLength is how many characters at each end people look at; those who poison histories make addresses that have them.
const endLength = 4

// EndsOf are the ends of a canonical address.
func EndsOf(address string) Ends {
	bare := strings.ToLower(address)
	switch at := strings.LastIndexByte(bare, '1'); {
	case strings.HasPrefix(bare, "0x"):
		bare = bare[2:]
	case at > 1 && at+2 < len(bare) && bare == address: // bech32 is all lower case: its prefix, "1" and the version
		bare = bare[at+2:]
	}
	if len(bare) < 2*endLength {
		return Ends{bare, bare}
	}
	return Ends{bare[:endLength], bare[len(bare)-endLength:]}
}

// DestinationKey is where a destination lies.
func DestinationKey(merchant string, on chain.ID, address string) dynamo.Key {
	return dynamo.Key{PK: merchant, SK: endsPrefix(on, EndsOf(address)) + address}
}

// endsPrefix is what the sort keys of all destinations with the same ends begin with.
func endsPrefix(on chain.ID, e Ends) string {
	return on.Namespace() + "/" + e.First + "…" + e.Last + "/"
}

// From is the moment from which a destination may be paid; false where it is not on the list.
func (d Destination) From(wait time.Duration) (time.Time, bool) {
	if d.AllowedAt == nil {
		return time.Time{}, false
	}
	return d.AllowedAt.Add(wait), true
}

// May says whether a destination may be paid now, where a merchant pays only those on its list.
func (d Destination) May(wait time.Duration, now time.Time) bool {
	from, on := d.From(wait)
	return on && !now.Before(from)
}

// Likeness is a known address that a destination has the ends of and is not.
type Likeness struct {
	Address string `dynamodbav:"address"`
	Known   string `dynamodbav:"known"` // "allowed" or "paid"
}

// Likenesses are the known destinations that an address looks like; none where it is one of those that are allowed, which
// somebody has looked at as a whole. Having been paid before is no reason to trust one of two that look alike.
func Likenesses(address string, known []Destination) []Likeness {
	ends := EndsOf(address)
	var all []Likeness
	for _, d := range known {
		switch {
		case d.Address == address && d.AllowedAt != nil:
			return nil
		case d.Address == address || EndsOf(d.Address) != ends:
		case d.AllowedAt != nil:
			all = append(all, Likeness{d.Address, "allowed"})
		default:
			all = append(all, Likeness{d.Address, "paid"})
		}
	}
	return all
}

// Detail says it to a person.
func (l Likeness) Detail(on chain.ID) string {
	how := "that you have paid before"
	if l.Known == "allowed" {
		how = "that you have allowed"
	}
	return "begins and ends like " + family.Show(on, l.Address) + ", " + how + ", and is another address; " +
		"it may have been put into your history to be taken for it. Compare all characters, and say that you have where you mean this one"
}
