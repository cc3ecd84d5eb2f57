package journal

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/id"
)

const (
	// Window is how long AWS gathers records before it brings them (MaximumBatchingWindowInSeconds in template.yaml).
	Window = time.Minute
	// Behind is how far the journal is behind at worst while nothing is wrong: the window, and the way there.
	Behind = Window + 15*time.Second

	mostEntries = 500         // in an item: with the longest ids 170 KB, of the 400 that an item may have
	longestSpan = time.Minute // from an item's oldest entry to its newest; a list begins so far before where it begins
	alsoQuiet   = 32          // days that the last item of a connection stays at least: more than it may be quiet
)

// Journal is the table.
type Journal struct {
	Table dynamo.Table
	Now   cloud.Clock
}

// Entry is one receipt: when it came, and its sort key.
type Entry struct {
	At      time.Time
	Receipt string
}

// newer sorts the newest first; those of one moment by their keys, so that no two are equal.
func newer(a, b Entry) int {
	return cmp.Or(b.At.Compare(a.At), strings.Compare(b.Receipt, a.Receipt))
}

// item is what one batch had of one connection.
type item struct {
	PK      string   `dynamodbav:"pk"` // connection
	SK      string   `dynamodbav:"sk"` // when the newest came, and what the entries are
	Entries []string `dynamodbav:"e"`  // the newest first: milliseconds before the newest, "/", the receipt's sort key
	TTL     int64    `dynamodbav:"ttl"`
}

const stampForm = "2006-01-02T15:04:05.000Z" // of one width, to sort

func stamp(at time.Time) string { return at.UTC().Format(stampForm) }

// newItem makes the item of entries that are sorted and few enough. The same entries make the same item.
func newItem(connection string, entries []Entry, ttl int64) item {
	newest := entries[0].At
	i := item{PK: connection, TTL: max(ttl, newest.Add(alsoQuiet*24*time.Hour).Unix())}
	for _, e := range entries {
		i.Entries = append(i.Entries, strconv.FormatInt(newest.Sub(e.At).Milliseconds(), 10)+"/"+e.Receipt)
	}
	sum := id.Digest(i.Entries...)
	i.SK = stamp(newest) + "/" + hex.EncodeToString(sum[:8])
	return i
}

func (i item) newest() (time.Time, error) {
	text, _, _ := strings.Cut(i.SK, "/")
	return time.Parse(stampForm, text)
}

func (i item) entries() ([]Entry, error) {
	newest, err := i.newest()
	if err != nil {
		return nil, fmt.Errorf("journal: item %q: %w", i.SK, err)
	}
	entries := make([]Entry, len(i.Entries))
	for n, text := range i.Entries {
		before, receipt, _ := strings.Cut(text, "/")
		millis, err := strconv.ParseInt(before, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("journal: item %q: %w", i.SK, err)
		}
		entries[n] = Entry{At: newest.Add(-time.Duration(millis) * time.Millisecond), Receipt: receipt}
	}
	return entries, nil
}

// itemsOf cuts what a batch has of a connection into items of bounded length and span.
func itemsOf(connection string, entries []Entry, ttl int64) []item {
	slices.SortFunc(entries, newer)
	entries = slices.Compact(entries)
	var items []item
	for len(entries) > 0 {
		n := 1
		for n < len(entries) && n < mostEntries && entries[0].At.Sub(entries[n].At) <= longestSpan {
			n++
		}
		items = append(items, newItem(connection, entries[:n], ttl))
		entries = entries[n:]
	}
	return items
}

// Latest is when the newest callback came that the journal knows of; the zero time where it knows of none.
func (j Journal) Latest(ctx context.Context, connection string) (time.Time, error) {
	page, _, err := dynamo.List[item](ctx, j.Table, dynamo.Query{PK: connection, Descending: true, Limit: 1})
	if err != nil || len(page) == 0 {
		return time.Time{}, err
	}
	return page[0].newest()
}
