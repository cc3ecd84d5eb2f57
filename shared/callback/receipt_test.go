package callback

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/parts"
)

func receipts(t testing.TB) Receipts {
	t.Helper()
	return Receipts{
		Table:   parts.Table(t, parts.Index{Name: TroubleIndex, Partition: "trouble", Sort: "trouble_at"}),
		KeepFor: 90 * 24 * time.Hour, Now: func() time.Time { return noon },
	}
}

func receiptOf(event, body string) Receipt {
	c := Connection{ID: "con_01JD0000000000000000000000", Merchant: "mer_01JD0000000000000000000000", Provider: "standard-webhooks"}
	return NewReceipt(c, event, Delivery{Body: []byte(body), At: noon, SourceIP: "192.0.2.1", Headers: Headers{
		"content-type": "application/json", "webhook-signature": "v1,secret", "authorization": "secret", "user-agent": "test",
	}})
}

func keep(t *testing.T, r Receipts, receipt Receipt, want Kept) {
	t.Helper()
	if kept, err := r.Keep(context.Background(), receipt); kept != want || err != nil {
		t.Fatalf("%s: %q, %v, want %q", receipt.SK, kept, err, want)
	}
}

func all(t *testing.T, r Receipts) []Receipt {
	t.Helper()
	page, next, err := r.Of(context.Background(), receiptOf("", "").PK, 0, "")
	if err != nil || next != "" {
		t.Fatal(next, err)
	}
	return page
}

func TestTheSameEventAgainIsOneReceipt(t *testing.T) {
	r := receipts(t)
	keep(t, r, receiptOf("evt_1", "{}"), First)
	r.Now = func() time.Time { return noon.Add(time.Hour) }
	keep(t, r, receiptOf("evt_1", "{}"), Again)
	page := all(t, r)
	if len(page) != 1 || page[0].TTL != noon.Add(90*24*time.Hour).Unix() || page[0].Outcome != "" {
		t.Errorf("%+v", page)
	}
}

func TestASecondDifferentBodyIsKeptBesideTheFirst(t *testing.T) {
	r, ctx := receipts(t), context.Background()
	keep(t, r, receiptOf("evt_1", "first"), First)
	keep(t, r, receiptOf("evt_1", "second"), Beside)
	keep(t, r, receiptOf("evt_1", "second"), Beside)
	keep(t, r, receiptOf("evt_1", "third"), Beside)
	keep(t, r, receiptOf("evt_1", "first"), Again)
	page := all(t, r)
	if len(page) != 3 || page[0].SK != "evt_1" || string(page[0].Body) != "first" || page[0].Outcome != "" || page[0].Trouble != "" {
		t.Fatalf("%+v", page)
	}
	for _, beside := range page[1:] {
		if beside.Event() != "evt_1" || beside.Outcome != Conflict || !strings.HasPrefix(beside.SK, "evt_1#") {
			t.Errorf("%+v", beside)
		}
	}
	trouble, next, err := r.InTrouble(ctx, page[0].Merchant, Conflict, 10, "")
	if len(trouble) != 2 || next != "" || err != nil {
		t.Errorf("%d in trouble, %q, %v", len(trouble), next, err)
	}
}

func TestAReceiptKeepsWhatHelpsSupportAndNoSignature(t *testing.T) {
	r := receipts(t)
	keep(t, r, receiptOf("evt_1", "\xff\x00body"), First)
	got := all(t, r)[0]
	if string(got.Body) != "\xff\x00body" || got.SourceIP != "192.0.2.1" || !got.ReceivedAt.Equal(noon) {
		t.Errorf("%+v", got)
	}
	if len(got.Headers) != 2 || got.Headers["content-type"] != "application/json" || got.Headers["user-agent"] != "test" {
		t.Errorf("%v", got.Headers)
	}
}

func TestAReceiptIsLessThanAKilobyteBesideItsBody(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	c := Connection{ID: "con_01JD0000000000000000000000", Merchant: "mer_01JD0000000000000000000000", Provider: "standard-webhooks"}
	r := NewReceipt(c, eventID(strings.Repeat("x", longestEvent)), Delivery{At: noon.Add(time.Millisecond), SourceIP: long, Headers: Headers{
		"content-type": long, "user-agent": long, "x-amzn-trace-id": long, "webhook-id": long,
	}})
	r.TTL = noon.Unix()
	if size := parts.ItemSize(r); size >= 1024 {
		t.Errorf("%d bytes", size)
	}
	if size := parts.ItemSize(receiptOf("msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", "")); size > 400 {
		t.Errorf("a usual one takes %d bytes", size)
	}
}

func TestMarkingAReceiptTwiceIsMarkingItOnce(t *testing.T) {
	r, ctx := receipts(t), context.Background()
	keep(t, r, receiptOf("evt_1", "{"), First)
	read := all(t, r)[0]
	for range 2 {
		if err := r.Mark(ctx, read, Unreadable, "the body is not JSON"); err != nil {
			t.Fatal(err)
		}
	}
	got := all(t, r)[0]
	if got.Outcome != Unreadable || got.Version != 2 || got.Detail != "the body is not JSON" || string(got.Body) != "{" || got.TTL != read.TTL {
		t.Errorf("%+v", got)
	}
	if err := r.Table.Delete(ctx, dynamo.Key{PK: read.PK, SK: read.SK}); err != nil {
		t.Fatal(err)
	}
	if err := r.Mark(ctx, read, Unreadable, ""); err != nil {
		t.Fatal(err)
	}
	if len(all(t, r)) != 0 {
		t.Error("a forgotten receipt came back")
	}
}

func TestTroubleIsListedByMerchantAndOutcomeNewestFirst(t *testing.T) {
	r, ctx := receipts(t), context.Background()
	for i := range 5 {
		at := noon.Add(time.Duration(i) * time.Minute)
		r.Now = func() time.Time { return at }
		keep(t, r, receiptOf(fmt.Sprint("evt_", i), "{"), First)
		if err := r.Mark(ctx, all(t, r)[i], Unreadable, ""); err != nil {
			t.Fatal(err)
		}
	}
	keep(t, r, receiptOf("evt_fine", "{}"), First)
	var listed []string
	for cursor, more := "", true; more; more = cursor != "" {
		page, next, err := r.InTrouble(ctx, receiptOf("", "").Merchant, Unreadable, 2, cursor)
		if err != nil || len(page) > 2 {
			t.Fatal(len(page), err)
		}
		for _, receipt := range page {
			listed = append(listed, receipt.Event())
		}
		cursor = next
	}
	if got := strings.Join(listed, " "); got != "evt_4 evt_3 evt_2 evt_1 evt_0" {
		t.Error(got)
	}
	for _, q := range []struct {
		merchant string
		outcome  Outcome
	}{{"mer_other", Unreadable}, {receiptOf("", "").Merchant, Conflict}} {
		if page, _, err := r.InTrouble(ctx, q.merchant, q.outcome, 10, ""); len(page) != 0 || err != nil {
			t.Errorf("%v: %v, %v", q, page, err)
		}
	}
}

func TestAPageEndsWhereTheNextBegins(t *testing.T) {
	r, ctx := receipts(t), context.Background()
	for i := range 5 {
		keep(t, r, receiptOf(fmt.Sprint("evt_", i), "{}"), First)
	}
	seen := 0
	for cursor, more := "", true; more; more = cursor != "" {
		page, next, err := r.Of(ctx, receiptOf("", "").PK, 2, cursor)
		if err != nil {
			t.Fatal(err)
		}
		seen, cursor = seen+len(page), next
	}
	if seen != 5 {
		t.Errorf("%d of 5", seen)
	}
	if _, _, err := r.Of(ctx, "con_other", 2, "bm9uc2Vuc2U"); err == nil {
		t.Error("a cursor that no list gave was taken")
	}
}

func TestAReceiptPastItsTimeIsNotListed(t *testing.T) {
	r := receipts(t)
	keep(t, r, receiptOf("evt_1", "{}"), First)
	r.Now = func() time.Time { return noon.Add(90 * 24 * time.Hour) }
	if page := all(t, r); len(page) != 0 {
		t.Errorf("%+v", page)
	}
}

func TestTheViewOfAReceipt(t *testing.T) {
	v := receiptOf("evt_1", "\xff"+strings.Repeat("x", mostShown)).View()
	if v.Outcome != "accepted" || v.Event != "evt_1" || v.Bytes != mostShown+1 || len(v.Body) > mostShown+2 || !strings.HasPrefix(v.Body, "\uFFFDx") {
		t.Errorf("%+v", v)
	}
	beside := receiptOf("evt_1", "").inTrouble(Conflict, "why", noon).View()
	if beside.Outcome != "conflict" || beside.Detail != "why" || !strings.HasPrefix(beside.ID, "cbk_") {
		t.Errorf("%+v", beside)
	}
}

func TestOnlyTroubleIsAnOutcomeToAskFor(t *testing.T) {
	for text, want := range map[string]bool{"conflict": true, "unreadable": true, "unknown_chain": true, "": false, "accepted": false, "x": false} {
		if _, known := ParseOutcome(text); known != want {
			t.Errorf("%q", text)
		}
	}
}

func TestATableThatIsGoneIsTroubleAndNoAnswer(t *testing.T) {
	r := receipts(t)
	r.Table.Name = "no-such-table"
	kept, err := r.Keep(context.Background(), receiptOf("evt_1", "{}"))
	var exists *dynamo.ExistsError
	if kept != "" || err == nil || errors.As(err, &exists) {
		t.Errorf("%q, %v", kept, err)
	}
}

func TestAConnectionsOwnDaysComeBeforeTheDeployments(t *testing.T) {
	for days, want := range map[int]time.Duration{0: 90 * 24 * time.Hour, 1: 24 * time.Hour, 3650: 3650 * 24 * time.Hour} {
		r := receipts(t)
		receipt := NewReceipt(Connection{ID: receiptOf("", "").PK, Care: Care{KeepDays: days}}, "evt_1", Delivery{At: noon})
		keep(t, r, receipt, First)
		if got := all(t, r)[0].TTL; got != noon.Add(want).Unix() {
			t.Errorf("%d days: %d", days, got)
		}
	}
}

// A receipt's id comes from outside: it names a receipt as View would, or nothing.
func FuzzReceiptID(f *testing.F) {
	f.Add(receiptOf("evt_1", "").View().ID)
	f.Add(receiptOf("evt_1#"+strings.Repeat("0", 64), "").View().ID)
	f.Add("cbk_Y29uXzAx")
	f.Fuzz(func(t *testing.T, name string) {
		key, known := receiptKey(name)
		if known && (Receipt{PK: key.PK, SK: key.SK}).View().ID != name {
			t.Fatalf("%q is %+v", name, key)
		}
	})
}
