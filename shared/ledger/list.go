package ledger

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"farrier/shared/dynamo"
	"farrier/shared/problem"
)

// timed are what the sort keys begin with whose rest sorts by time: ids of payments and of payouts.
var timed = []string{"pay_", "out_"}

// untimed is what the sort keys of money begin with that came for no payment.
const untimed = "/"

// place is where an entry stands among all of a merchant's: those of the newest payments and payouts are the last, and those
// that belong to none are before all others.
type place struct{ moment, sk string }

func placeOf(sk string) place {
	for _, prefix := range timed {
		if rest, ok := strings.CutPrefix(sk, prefix); ok {
			return place{rest, sk}
		}
	}
	return place{"", sk}
}

func (p place) compare(other place) int {
	return cmp.Or(cmp.Compare(p.moment, other.moment), cmp.Compare(p.sk, other.sk))
}

// List reads a page of a merchant's entries, those of the newest payments and payouts first. The pages of all shards are merged,
// of payments and of payouts: sort keys compare across shards, so the last one given is where the next page begins in each.
func (s Store) List(ctx context.Context, merchant string, shards int, limit int32, after string) ([]Entry, string, error) {
	if after != "" && !validCursor(after) {
		return nil, "", problem.Field("cursor", "is not one that this list gave")
	}
	var all []Entry
	for _, prefix := range append(slices.Clone(timed), untimed) {
		if prefix == untimed && len(all) > int(limit) {
			break // they come last
		}
		for shard := range max(shards, 1) {
			q := dynamo.Query{PK: PartitionOf(merchant, shard), Descending: true, Prefix: prefix, Limit: limit + 1} // one more, to know whether a page follows
			if after != "" {
				if q.Prefix, q.From, q.To = "", prefix, lastBefore(prefix, after); q.To < q.From {
					continue
				}
				q.Limit++ // To is inclusive: the cursor's own entry was on the page before
			}
			page, _, err := dynamo.List[Entry](ctx, s.Entries, q)
			if err != nil {
				return nil, "", err
			}
			for _, e := range page {
				if after == "" || placeOf(e.SK).compare(placeOf(after)) < 0 {
					all = append(all, e)
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b Entry) int { return placeOf(b.SK).compare(placeOf(a.SK)) })
	if len(all) <= int(limit) {
		return all, "", nil
	}
	return all[:limit], all[limit-1].SK, nil
}

// lastBefore is the last sort key with a prefix that may stand behind a cursor in the list.
func lastBefore(prefix, cursor string) string {
	switch at := placeOf(cursor); {
	case prefix != untimed:
		return prefix + at.moment
	case at.moment == "":
		return cursor
	default:
		return prefix + "~" // above every letter of an id
	}
}

func validCursor(s string) bool {
	return len(s) <= 200 && strings.Count(s, "/") == 3
}
