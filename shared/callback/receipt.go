package callback

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/id"
)

// Outcome is what became of a callback; empty where nothing was wrong with it.
type Outcome string

// The outcomes that are trouble.
const (
	Conflict        Outcome = "conflict"        // another body came under this id before; this one was not followed
	Unreadable      Outcome = "unreadable"      // it says nothing that we understand
	UnknownEvent    Outcome = "unknown_event"   // its kind of event is not known to this code
	UnknownVersion  Outcome = "unknown_version" // its version is not known
	UnknownChain    Outcome = "unknown_chain"   // it is about a chain that is not configured
	UnknownAsset    Outcome = "unknown_asset"   // it tells of money in an asset that its connection does not know
	Contradiction   Outcome = "contradiction"   // it says something else of an object's money than what stands
	ProviderTrouble Outcome = "provider_error"  // it tells of the provider's own trouble
)

// outcomes are all of them.
var outcomes = []Outcome{Conflict, Unreadable, UnknownEvent, UnknownVersion, UnknownChain, UnknownAsset, Contradiction, ProviderTrouble}

// Outcomes are the outcomes that are trouble.
func Outcomes() []Outcome { return slices.Clone(outcomes) }

// ParseOutcome reads an outcome that is trouble.
func ParseOutcome(s string) (Outcome, bool) {
	o := Outcome(s)
	if !slices.Contains(outcomes, o) {
		return "", false
	}
	return o, true
}

// Receipt is a callback that was believed. Beside its body it is less than 1 KB, whatever was sent.
type Receipt struct {
	PK string `dynamodbav:"pk"` // connection
	SK string `dynamodbav:"sk"` // the provider's event id; "<id>#<SHA-256 of the body>" for a second body

	Merchant   string            `dynamodbav:"merchant"`
	Provider   string            `dynamodbav:"provider"`
	Body       []byte            `dynamodbav:"body"`
	Headers    map[string]string `dynamodbav:"headers,omitempty"` // keptHeaders
	SourceIP   string            `dynamodbav:"source_ip,omitempty"`
	ReceivedAt time.Time         `dynamodbav:"received_at"`

	Outcome Outcome `dynamodbav:"outcome,omitempty"`
	Detail  string  `dynamodbav:"detail,omitempty"`

	// The sparse index "trouble" holds only receipts that have an outcome: in it, each merchant's of each
	// outcome lie together, by time.
	Trouble   string `dynamodbav:"trouble,omitempty"`
	TroubleAt string `dynamodbav:"trouble_at,omitempty"`

	TTL     int64 `dynamodbav:"ttl"` // when it may be forgotten, in Unix seconds
	Version int64 `dynamodbav:"version"`

	keepFor time.Duration // as its connection says; 0 where it says nothing
}

// TroubleIndex is the name of the index of receipts in trouble; its keys are "trouble" and "trouble_at".
const TroubleIndex = "trouble"

// keptHeaders help when a provider asks what became of a request; none of them is secret.
var keptHeaders = []string{"content-type", "user-agent", "x-amzn-trace-id"}

// longestKept is how much of each header is kept.
const longestKept = 128

// MostBody is the largest body that a receipt can hold: an item has 400 KB
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html, read 2026-11-21).
const MostBody = 398 * 1024

// NewReceipt is the receipt of a delivery that Verify proved.
func NewReceipt(c Connection, event string, d Delivery) Receipt {
	r := Receipt{
		PK: c.ID, SK: event, Merchant: c.Merchant, Provider: c.Provider, Body: d.Body, Headers: map[string]string{},
		SourceIP: cut(d.SourceIP), ReceivedAt: d.At.UTC().Truncate(time.Millisecond), Version: 1, keepFor: c.keepFor(),
	}
	for _, name := range keptHeaders {
		if value := d.Headers[name]; value != "" {
			r.Headers[name] = cut(value)
		}
	}
	return r
}

func cut(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), longestKept)], "")
}

// Event is the provider's id of the event.
func (r Receipt) Event() string {
	event, _, _ := strings.Cut(r.SK, "#")
	return event
}

// inTrouble is the receipt with an outcome, in the index.
func (r Receipt) inTrouble(o Outcome, detail string, at time.Time) Receipt {
	r.Outcome, r.Detail = o, detail
	r.Trouble, r.TroubleAt = troubleOf(r.Merchant, o), at.UTC().Format("2006-01-02T15:04:05.000Z") // of one width, to sort
	return r
}

func troubleOf(merchant string, o Outcome) string { return merchant + "/" + string(o) }

// Receipts is the table of receipts.
type Receipts struct {
	Table   dynamo.Table
	KeepFor time.Duration
	Now     cloud.Clock
}

// Kept says what Keep found.
type Kept string

// What Keep can find.
const (
	First  Kept = "first"  // nothing under the event's id
	Again  Kept = "again"  // the same body: nothing was written
	Beside Kept = "beside" // another body, which stands; this one is kept beside it as a conflict
)

// Keep writes a receipt under its event's id: one conditional write where it is the first.
func (r Receipts) Keep(ctx context.Context, receipt Receipt) (Kept, error) {
	receipt.TTL = r.Now().Add(or(receipt.keepFor, r.KeepFor)).Unix()
	stored, err := r.create(ctx, receipt)
	switch {
	case err != nil:
		return "", err
	case stored == nil:
		return First, nil
	case bytes.Equal(stored.Body, receipt.Body):
		return Again, nil
	}
	sum := sha256.Sum256(receipt.Body)
	receipt.SK += "#" + hex.EncodeToString(sum[:])
	_, err = r.create(ctx, receipt.inTrouble(Conflict, "another body came under this id before", r.Now()))
	return Beside, err
}

// create gives the receipt that is there already, if any.
func (r Receipts) create(ctx context.Context, receipt Receipt) (*Receipt, error) {
	err := r.Table.Create(ctx, receipt)
	var stored Receipt
	exists, readErr := dynamo.Exists(err, &stored)
	if exists {
		return &stored, readErr
	}
	return nil, err
}

// Mark gives a receipt that was read at its version an outcome. One that has moved on since (an earlier run
// of the same step marked it) or was forgotten needs none any more.
func (r Receipts) Mark(ctx context.Context, receipt Receipt, o Outcome, detail string) error {
	return r.replace(ctx, receipt.inTrouble(o, detail, r.Now()))
}

// Clear takes its outcome from a receipt that was read again at its version, and understood. One that has none is left.
func (r Receipts) Clear(ctx context.Context, receipt Receipt) error {
	if receipt.Outcome == "" {
		return nil
	}
	receipt.Outcome, receipt.Detail, receipt.Trouble, receipt.TroubleAt = "", "", "", ""
	return r.replace(ctx, receipt)
}

// replace writes a receipt over the one at its version, if that is still there.
func (r Receipts) replace(ctx context.Context, receipt Receipt) error {
	read := receipt.Version
	receipt.Version++
	err := r.Table.Replace(ctx, receipt, read)
	if errors.Is(err, dynamo.ErrStale) {
		return nil
	}
	return err
}

// Of is a page of a connection's receipts, in the order of the provider's event ids.
func (r Receipts) Of(ctx context.Context, connection string, limit int32, cursor string) ([]Receipt, string, error) {
	page, next, err := dynamo.List[Receipt](ctx, r.Table, dynamo.Query{PK: connection, Limit: limit, Cursor: cursor})
	return r.live(page), next, err
}

// InTrouble is a page of a merchant's receipts with an outcome, the newest trouble first.
func (r Receipts) InTrouble(ctx context.Context, merchant string, o Outcome, limit int32, cursor string) ([]Receipt, string, error) {
	keys, next, err := dynamo.List[Receipt](ctx, r.Table, dynamo.Query{
		PK: troubleOf(merchant, o), Index: TroubleIndex, PartitionAttr: "trouble", SortAttr: "trouble_at",
		Descending: true, Limit: limit, Cursor: cursor,
	})
	if err != nil {
		return nil, "", err
	}
	var page []Receipt
	for _, k := range keys { // the index holds keys only; what is in trouble is few
		var receipt Receipt
		err := r.Table.Get(ctx, dynamo.Key{PK: k.PK, SK: k.SK}, &receipt)
		if errors.Is(err, dynamo.ErrMissing) {
			continue
		}
		if err != nil {
			return nil, "", err
		}
		page = append(page, receipt)
	}
	return r.live(page), next, nil
}

// ErrForgotten says that there is no such receipt, or none any more.
var ErrForgotten = errors.New("callback: no such receipt")

// Get reads a receipt by the id that its view shows.
func (r Receipts) Get(ctx context.Context, name string) (Receipt, error) {
	key, known := receiptKey(name)
	if !known {
		return Receipt{}, ErrForgotten
	}
	return r.get(ctx, key)
}

func (r Receipts) get(ctx context.Context, key dynamo.Key) (Receipt, error) {
	var receipt Receipt
	err := r.Table.Get(ctx, key, &receipt)
	if errors.Is(err, dynamo.ErrMissing) || err == nil && len(r.live([]Receipt{receipt})) == 0 {
		return Receipt{}, ErrForgotten
	}
	return receipt, err
}

// readAtOnce is how many receipts of a list are read side by side.
const readAtOnce = 10

// Named are the receipts of a connection under these sort keys, in their order, without those that are forgotten.
func (r Receipts) Named(ctx context.Context, connection string, keys []string) ([]Receipt, error) {
	var found []Receipt
	for some := range slices.Chunk(keys, readAtOnce) {
		receipts, troubles := make([]Receipt, len(some)), make([]error, len(some))
		var all sync.WaitGroup
		for i, sk := range some {
			all.Go(func() { receipts[i], troubles[i] = r.get(ctx, dynamo.Key{PK: connection, SK: sk}) })
		}
		all.Wait()
		for i, err := range troubles {
			switch {
			case err == nil:
				found = append(found, receipts[i])
			case !errors.Is(err, ErrForgotten):
				return nil, err
			}
		}
	}
	return found, nil
}

// live leaves out what may be forgotten: DynamoDB deletes within days of the time to live, not at it.
func (r Receipts) live(page []Receipt) []Receipt {
	now, live := r.Now().Unix(), []Receipt{}
	for _, receipt := range page {
		if receipt.TTL > now {
			live = append(live, receipt)
		}
	}
	return live
}

// ReceiptView is a receipt as the API shows it.
type ReceiptView struct {
	ID         string            `json:"id"`
	Connection string            `json:"connection"`
	Provider   string            `json:"provider"`
	Event      string            `json:"event"` // the provider's id
	Outcome    string            `json:"outcome"`
	Detail     string            `json:"detail,omitempty"`
	ReceivedAt time.Time         `json:"received_at"`
	SourceIP   string            `json:"source_ip,omitempty"`
	Headers    map[string]string `json:"headers,omitempty"`
	Bytes      int               `json:"bytes"`
	Body       string            `json:"body"` // its start, at most mostShown bytes; what is not UTF-8 as U+FFFD
}

// receiptPrefix marks a receipt's id, which is opaque: its key, encoded.
const receiptPrefix = "cbk_"

// longestReceiptKey is the longest sort key that a receipt has: an event's id, and the hash of a second body.
const longestReceiptKey = longestEvent + 1 + 2*sha256.Size

// receiptKey reads an id that View made; false for any other text.
func receiptKey(name string) (dynamo.Key, bool) {
	encoded, is := strings.CutPrefix(name, receiptPrefix)
	text, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	connection, event, _ := strings.Cut(string(text), "/")
	if !is || err != nil || !id.Valid("con", connection) || event == "" || len(event) > longestReceiptKey || !visible(event) {
		return dynamo.Key{}, false
	}
	return dynamo.Key{PK: connection, SK: event}, true
}

// mostShown keeps a page of a hundred receipts well below the 6 MB that Lambda answers.
const mostShown = 4096

// View is what the API shows.
func (r Receipt) View() ReceiptView {
	return ReceiptView{
		ID: receiptPrefix + base64.RawURLEncoding.EncodeToString([]byte(r.PK+"/"+r.SK)), Connection: r.PK, Provider: r.Provider,
		Event: r.Event(), Outcome: or(string(r.Outcome), "accepted"), Detail: r.Detail, ReceivedAt: r.ReceivedAt,
		SourceIP: r.SourceIP, Headers: r.Headers, Bytes: len(r.Body),
		Body: strings.ToValidUTF8(string(r.Body[:min(len(r.Body), mostShown)]), "\uFFFD"),
	}
}
