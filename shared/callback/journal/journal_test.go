package journal

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"farrier/shared/callback"
	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/parts"
	"farrier/shared/problem"
	"farrier/shared/seal"
	"farrier/shared/stream"
)

const (
	connection = "con_01JD0000000000000000000000"
	another    = "con_01JD0000000000000000000001"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func journalOf(t testing.TB) Journal {
	t.Helper()
	return Journal{Table: parts.Table(t), Now: func() time.Time { return noon }}
}

// record is a receipt as the callbacks' stream tells of it.
func record(of, event string, at time.Time) events.DynamoDBEventRecord {
	receipt := callback.Receipt{PK: of, SK: event, Body: []byte("{}"), ReceivedAt: at, TTL: at.Add(90 * 24 * time.Hour).Unix(), Version: 1}
	image := dynamo.Told(dynamo.Must(receipt).(*types.AttributeValueMemberM).Value)
	return events.DynamoDBEventRecord{EventName: "INSERT", Change: events.DynamoDBStreamRecord{NewImage: image}}
}

func (j Journal) bring(t testing.TB, records ...events.DynamoDBEventRecord) {
	t.Helper()
	for i, err := range j.Handle(context.Background(), records) {
		if err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
	}
}

// pages reads a list to its end.
func (j Journal) pages(t testing.TB, asked Asked) []Entry {
	t.Helper()
	var listed []Entry
	for {
		page, next, err := j.List(context.Background(), asked)
		if err != nil || len(page) > asked.Limit {
			t.Fatal(len(page), err)
		}
		listed = append(listed, page...)
		if next == "" {
			return listed
		}
		asked.Cursor = next
	}
}

func names(entries []Entry) string {
	var list []string
	for _, e := range entries {
		list = append(list, e.Receipt)
	}
	return strings.Join(list, " ")
}

func TestWhatCameIsListedNewestFirst(t *testing.T) {
	j := journalOf(t)
	j.bring(t, record(connection, "b", noon), record(connection, "z/1", noon.Add(-time.Second)), record(another, "x", noon))
	j.bring(t, record(connection, "a", noon.Add(time.Minute)), record(connection, "c", noon.Add(30*time.Second)))
	for limit := 1; limit < 6; limit++ {
		if got := names(j.pages(t, Asked{Connection: connection, Limit: limit})); got != "a c b z/1" {
			t.Errorf("pages of %d: %s", limit, got)
		}
	}
	for want, asked := range map[string]Asked{
		"a c":       {From: noon.Add(time.Millisecond)},
		"a c b":     {From: noon},
		"b z/1":     {Until: noon.Add(30 * time.Second)},
		"c b":       {From: noon, Until: noon.Add(time.Minute)},
		"":          {From: noon.Add(time.Hour)},
		"a c b z/1": {Until: time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -43200))},
	} {
		asked.Connection, asked.Limit = connection, 10
		if got := names(j.pages(t, asked)); got != want {
			t.Errorf("%v: %s, want %s", asked, got, want)
		}
	}
	if got := j.pages(t, Asked{Connection: another, Limit: 10}); len(got) != 1 || got[0] != (Entry{noon, "x"}) {
		t.Errorf("%+v", got)
	}
}

// Batches come late, overlap, come again whole or from their middle, and lie across minutes: the list is the same.
func TestHoweverBatchesLieTheListIsInTheOrderOfTimeAndHasEachOnce(t *testing.T) {
	for seed := range uint64(4) {
		random := mathrand.New(mathrand.NewPCG(seed, 1)) // #nosec G404 -- a test
		j := journalOf(t)
		var all []Entry
		for i := range 300 {
			all = append(all, Entry{noon.Add(time.Duration(random.IntN(600_000)) * time.Millisecond), fmt.Sprint("evt_", i)})
		}
		rest := slices.Clone(all)
		for len(rest) > 0 {
			n := min(len(rest), 1+random.IntN(40))
			var batch []events.DynamoDBEventRecord
			for _, e := range rest[:n] {
				batch = append(batch, record(connection, e.Receipt, e.At))
			}
			j.bring(t, batch...)
			if random.IntN(3) == 0 {
				j.bring(t, batch[random.IntN(n):]...)
			}
			rest = rest[n:]
		}
		slices.SortFunc(all, newer)
		if got := j.pages(t, Asked{Connection: connection, Limit: 1 + random.IntN(100)}); !slices.Equal(got, all) {
			t.Fatalf("seed %d: %d entries, want %d", seed, len(got), len(all))
		}
		from, until := noon.Add(3*time.Minute), noon.Add(7*time.Minute)
		want := slices.DeleteFunc(slices.Clone(all), func(e Entry) bool { return e.At.Before(from) || !e.At.Before(until) })
		if got := j.pages(t, Asked{Connection: connection, Limit: 7, From: from, Until: until}); !slices.Equal(got, want) {
			t.Fatalf("seed %d: %d entries between, want %d", seed, len(got), len(want))
		}
	}
}

func TestABatchAgainWritesNothingNew(t *testing.T) {
	j := journalOf(t)
	for range 2 {
		j.bring(t, record(connection, "a", noon), record(connection, "b", noon.Add(time.Second)))
	}
	page, err := j.Table.Query(context.Background(), dynamo.Query{PK: connection})
	if err != nil || len(page.Items) != 1 {
		t.Errorf("%d items, %v", len(page.Items), err)
	}
}

func TestAnItemIsBoundedInLengthAndSpan(t *testing.T) {
	long := strings.Repeat("x", 256)
	var entries []Entry
	for i := range 2*mostEntries + 1 {
		entries = append(entries, Entry{noon, fmt.Sprintf("%s#%064d", long, i)})
	}
	entries = append(entries, Entry{noon.Add(-longestSpan - time.Millisecond), "old"})
	items := itemsOf(connection, entries, noon.Add(400*24*time.Hour).Unix())
	if len(items) != 4 || len(items[3].Entries) != 1 || items[0].TTL != noon.Add(400*24*time.Hour).Unix() {
		t.Fatalf("%d items", len(items))
	}
	for _, i := range items {
		if size := parts.ItemSize(i); size > 200*1024 {
			t.Errorf("an item of %d bytes", size)
		}
	}
}

// TestWhatTheJournalCosts: a write unit is a kilobyte.
func TestWhatTheJournalCosts(t *testing.T) {
	for _, n := range []int{1, 10, 100, 500} {
		var entries []Entry
		for i := range n {
			entries = append(entries, Entry{noon.Add(time.Duration(i) * 60 * time.Second / time.Duration(n)), fmt.Sprintf("msg_2KWPBgLlAfxdpx2AI54pPJ8%04d", i)})
		}
		units := 0
		for _, i := range itemsOf(connection, entries, noon.Unix()) {
			units += (parts.ItemSize(i) + 1023) / 1024
		}
		t.Logf("%d callbacks in a minute: %d write units, %.3f for each", n, units, float64(units)/float64(n))
		if most := 1 + n/20; units > most {
			t.Errorf("%d callbacks: %d write units, want at most %d", n, units, most)
		}
	}
}

func TestARecordWithoutAReceiptIsUnfitAndKeepsBackNoOther(t *testing.T) {
	j := journalOf(t)
	marked := record(connection, "a", noon)
	marked.EventName = "MODIFY"
	answers := j.Handle(context.Background(), []events.DynamoDBEventRecord{{EventName: "INSERT"}, record(connection, "a", noon), marked, {EventName: "REMOVE"}})
	var unfit stream.Unfit
	if !asUnfit(answers[0], &unfit) || answers[1] != nil || answers[2] != nil || answers[3] != nil {
		t.Errorf("%v", answers)
	}
	if got := names(j.pages(t, Asked{Connection: connection, Limit: 10})); got != "a" {
		t.Error(got)
	}
}

func asUnfit(err error, into *stream.Unfit) bool {
	u, is := err.(stream.Unfit)
	*into = u
	return is
}

func TestWhileTheTableIsGoneTheRecordsOfItsConnectionsComeAgain(t *testing.T) {
	j := journalOf(t)
	j.Table.Name = "no-such-table"
	for _, err := range j.Handle(context.Background(), []events.DynamoDBEventRecord{record(connection, "a", noon), record(another, "b", noon)}) {
		var unfit stream.Unfit
		if err == nil || asUnfit(err, &unfit) {
			t.Error(err)
		}
	}
}

func TestACursorThatNoListGaveIsRefused(t *testing.T) {
	j := journalOf(t)
	for _, text := range []string{"x", "bm9uc2Vuc2U", cursor(Entry{noon, ""}), cursor(Entry{noon, strings.Repeat("x", 1025)})} {
		if _, _, err := j.List(context.Background(), Asked{Connection: connection, Limit: 1, Cursor: text}); problem.Of(err).Field != "cursor" {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// watching is a watch over two connections that may be quiet for ten minutes, at a settable time.
type watching struct {
	*Watch
	ids  []string
	now  time.Time
	told told
}

// told is what is written by several at once.
type told struct {
	mu sync.Mutex
	bytes.Buffer
}

func (w *told) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Buffer.Write(b)
}

func watch(t *testing.T) *watching {
	t.Helper()
	w := &watching{now: noon}
	now := func() time.Time { return w.now }
	client, key := parts.Key(t)
	connections := callback.Connections{
		Table:  parts.Table(t),
		Sealer: &seal.Sealer{Client: client, KeyID: key, Now: now}, Now: now, Random: rand.Reader,
	}
	for _, quiet := range []int{600, 600, 0} {
		c, _, err := connections.Create(context.Background(), callback.Asked{Merchant: "mer_1", Provider: "standard-webhooks", Care: callback.Care{QuietAfter: quiet}})
		if err != nil {
			t.Fatal(err)
		}
		w.ids = append(w.ids, c.ID)
	}
	w.Watch = &Watch{
		Connections: connections, Journal: Journal{Table: parts.Table(t), Now: now},
		Metrics: cloud.Metrics{Out: &w.told, Stack: "test", Now: now}, Log: slog.New(slog.DiscardHandler),
	}
	return w
}

// quiet are the places of the connections that a run tells of.
func (w *watching) quiet(t *testing.T) (places []int) {
	t.Helper()
	w.told.Reset()
	if err := w.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for i, id := range w.ids {
		if strings.Contains(w.told.String(), id) {
			places = append(places, i)
		}
	}
	if strings.Count(w.told.String(), `"ConnectionQuiet":1`) != len(places) {
		t.Error(w.told.String())
	}
	return places
}

func TestAQuietConnectionIsToldEachMinuteUntilSomethingComes(t *testing.T) {
	w := watch(t)
	w.Journal.bring(t, record(w.ids[0], "a", noon.Add(5*time.Minute)))
	for _, at := range []struct {
		minute int
		want   []int
	}{{0, nil}, {5, nil}, {11, nil}, {12, []int{1}}, {13, []int{1}}, {16, []int{1}}, {17, []int{0, 1}}, {18, []int{0, 1}}} {
		w.now = noon.Add(time.Duration(at.minute) * time.Minute)
		if got := w.quiet(t); !slices.Equal(got, at.want) {
			t.Errorf("minute %d: %v, want %v", at.minute, got, at.want)
		}
	}
	w.Journal.bring(t, record(w.ids[0], "b", noon.Add(18*time.Minute)))
	w.now = noon.Add(19 * time.Minute)
	if got := w.quiet(t); !slices.Equal(got, []int{1}) {
		t.Errorf("%v", got)
	}
}

func TestAConnectionThatIsNotQuietIsReadOnceInFiveMinutes(t *testing.T) {
	w := watch(t)
	w.quiet(t)
	table := w.Journal.Table
	w.Journal.Table.Name = "no-such-table"
	w.now = noon.Add(5*time.Minute - time.Second)
	if got := w.quiet(t); got != nil {
		t.Errorf("%v", got)
	}
	w.now = noon.Add(5 * time.Minute)
	if err := w.Run(context.Background()); err == nil {
		t.Error("it was not read again")
	}
	w.Journal.Table = table
	w.now = noon.Add(12 * time.Minute)
	if got := w.quiet(t); len(got) != 2 {
		t.Errorf("after the trouble: %v", got)
	}
}
