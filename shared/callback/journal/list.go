package journal

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/problem"
)

// Asked asks for a page of what came from a connection.
type Asked struct {
	Connection  string
	From, Until time.Time // from the one, before the other; zero for no bound
	Limit       int
	Cursor      string // of the page before
}

const itemsAtOnce = 20

// errEnough ends a reading that has gone far enough.
var errEnough = errors.New("journal: enough")

// List is a page of entries, the newest first, and the cursor of the next page.
func (j Journal) List(ctx context.Context, asked Asked) (entries []Entry, next string, err error) {
	reading, err := asked.reading()
	if err != nil {
		return nil, "", err
	}
	query := dynamo.Query{PK: asked.Connection, Descending: true, Limit: itemsAtOnce, To: reading.latestItem()}
	err = j.Table.Each(ctx, query, func(stored dynamo.Item) error {
		var i item
		if err := dynamo.Unmarshal(stored, &i); err != nil {
			return err
		}
		return reading.take(i)
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, "", err
	}
	reading.settle(time.Time{})
	if page := reading.page; len(page) > asked.Limit {
		return page[:asked.Limit], cursor(page[asked.Limit-1]), nil
	}
	return reading.page, "", nil
}

// reading goes through items, the newest first, and puts their entries in order: an entry has its place when all items
// that are still to come are older than it.
type reading struct {
	asked   Asked
	before  *Entry // the last of the page before
	pending []Entry
	page    []Entry // one more than is asked for shows that there are more
}

func (a Asked) reading() (*reading, error) {
	r := &reading{asked: a}
	if a.Cursor == "" {
		return r, nil
	}
	last, err := position(a.Cursor)
	r.before = &last
	return r, err
}

// latestItem is the last sort key of an item that could hold an entry of this page.
func (r *reading) latestItem() string {
	latest := r.asked.Until
	if r.before != nil {
		latest = r.before.At
	}
	if latest = latest.Add(longestSpan).UTC(); latest.Year() > 9999 || latest.Year() < 1970 { // no bound, and none that a stamp can say
		return ""
	}
	return stamp(latest) + "0" // follows "/", whatever stands behind it
}

// take takes an item; errEnough where no later one matters.
func (r *reading) take(i item) error {
	entries, err := i.entries()
	if err != nil {
		return err
	}
	newest, err := i.newest()
	if err != nil {
		return err
	}
	r.settle(newest)
	if len(r.page) > r.asked.Limit || newest.Before(r.asked.From) {
		return errEnough
	}
	r.pending = append(r.pending, slices.DeleteFunc(entries, func(e Entry) bool { return !r.wanted(e) })...)
	return nil
}

func (r *reading) wanted(e Entry) bool {
	return !e.At.Before(r.asked.From) && (r.asked.Until.IsZero() || e.At.Before(r.asked.Until)) && (r.before == nil || newer(*r.before, e) < 0)
}

// settle puts those on the page that are newer than everything still to come.
func (r *reading) settle(to time.Time) {
	slices.SortFunc(r.pending, newer)
	r.pending = slices.Compact(r.pending) // a record that came again is in two items
	n := 0
	for n < len(r.pending) && r.pending[n].At.After(to) && len(r.page) <= r.asked.Limit {
		r.page = append(r.page, r.pending[n])
		n++
	}
	r.pending = r.pending[n:]
}

func cursor(last Entry) string {
	return base64.RawURLEncoding.EncodeToString([]byte(stamp(last.At) + "/" + last.Receipt))
}

const longestKey = 1024 // of a table's sort key

func position(cursor string) (Entry, error) {
	wrong := problem.Field("cursor", "is not one that this list gave")
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return Entry{}, wrong
	}
	at, receipt, found := strings.Cut(string(text), "/")
	moment, err := time.Parse(stampForm, at)
	if err != nil || !found || receipt == "" || len(receipt) > longestKey {
		return Entry{}, wrong
	}
	return Entry{At: moment, Receipt: receipt}, nil
}
