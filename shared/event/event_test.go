package event

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"farrier/shared/dynamo"
	"farrier/shared/id"
	"farrier/shared/parts"
	"farrier/shared/problem"
)

var origin = Origin{
	Table: "payments", Key: dynamo.Key{PK: "mer_01KAJ5K7Q0M4T8X2V6B9N3R1ZC", SK: "pay_01KAJ5M2W4H7D9F3K6P8S1V5YE"},
	Version: 2, At: time.Date(2026, 11, 21, 10, 0, 5, 123e6, time.UTC), Object: "pay_01KAJ5M2W4H7D9F3K6P8S1V5YE",
}

// soon is when the origin's events are recorded.
func soon() time.Time { return origin.At.Add(time.Second) }

func derive(t *testing.T, o Origin, kind Type, data any) Event {
	t.Helper()
	e, err := Derived(o, kind, data)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestThePayloadIsTypeTimeAndDataAndNothingIsEscapedForPages(t *testing.T) {
	e := derive(t, origin, PaymentPaid, map[string]string{"uri": "a?b=1&c=<ü>"})
	want := `{"type":"payment.paid","timestamp":"2026-11-21T10:00:05.123Z","data":{"uri":"a?b=1&c=<ü>"}}`
	if string(e.Payload) != want {
		t.Errorf("%s", e.Payload)
	}
	view := e.View()
	if string(view.Data) != `{"uri":"a?b=1&c=<ü>"}` || view.ID != e.ID || view.Type != PaymentPaid || !view.Timestamp.Equal(origin.At) || view.Object != origin.Object {
		t.Errorf("%+v", view)
	}
}

func TestAnEventsIDComesFromTheWriteAndTheTypeAlone(t *testing.T) {
	e := derive(t, origin, PaymentPaid, 1)
	if again := derive(t, origin, PaymentPaid, 2); again.ID != e.ID {
		t.Error("the data changes the id")
	}
	if !id.Valid("evt", e.ID) || strings.Contains(e.ID, ".") {
		t.Errorf("%s is no webhook-id", e.ID)
	}
	others := map[string]Origin{"table": origin, "merchant": origin, "object": origin, "version": origin, "time": origin}
	for name, o := range others {
		switch name {
		case "table":
			o.Table = "deposits"
		case "merchant":
			o.Key.PK += "x"
		case "object":
			o.Key.SK += "x"
		case "version":
			o.Version++
		case "time":
			o.At = o.At.Add(time.Millisecond)
		}
		if derive(t, o, PaymentPaid, 1).ID == e.ID {
			t.Errorf("another %s has the same id", name)
		}
	}
	if derive(t, origin, PaymentOver, 1).ID == e.ID {
		t.Error("another type has the same id")
	}
}

func TestWhatTheCatalogueDoesNotHaveIsNoEvent(t *testing.T) {
	if _, err := Derived(origin, "payment.payed", 1); err == nil {
		t.Error("it is accepted")
	}
	seen := map[Type]bool{}
	for _, k := range Catalogue() {
		object, what, ok := strings.Cut(string(k.Type), ".")
		if !ok || object == "" || what == "" || k.Meaning == "" || seen[k.Type] || !Known(k.Type) {
			t.Errorf("%+v", k)
		}
		seen[k.Type] = true
	}
}

func TestConformanceAnEventIsRecordedOnceAndItsFirstTellingStands(t *testing.T) {
	s, ctx := Store{Table: parts.Table(t), Now: soon}, t.Context()
	e := derive(t, origin, PaymentPaid, "first")
	for range 2 {
		if err := s.Record(ctx, e); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Record(ctx, derive(t, origin, PaymentPaid, "second")); err != ErrTold {
		t.Errorf("another telling: %v", err)
	}
	read, err := s.Get(ctx, e.Merchant, e.ID)
	if err != nil || !reflect.DeepEqual(read, e) {
		t.Errorf("%+v, want %+v: %v", read, e, err)
	}
	for _, c := range [][2]string{{"mer_other", e.ID}, {e.Merchant, "evt_01KAJ5M6K2QJ0W8Z3X5C7V9B1N"}, {e.Merchant, "x"}, {e.Merchant, ""}} {
		if _, err := s.Get(ctx, c[0], c[1]); !problem.Is(err, problem.NotFound) {
			t.Errorf("%v: %v", c, err)
		}
	}
}

func TestConformanceEventsAreListedNewestFirst(t *testing.T) {
	s, ctx := Store{Table: parts.Table(t), Now: soon}, t.Context()
	var want []string
	for version := range int64(5) {
		o := origin
		o.Version, o.At = version+1, origin.At.Add(time.Duration(version)*time.Second)
		e := derive(t, o, PaymentPartial, version)
		want = append([]string{e.ID}, want...)
		if err := s.Record(ctx, e); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for cursor := ""; ; {
		page, next, err := s.List(ctx, origin.Key.PK, 2, cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			got = append(got, e.ID)
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if _, _, err := s.List(ctx, origin.Key.PK, 2, "nonsense"); problem.Of(err).Field != "cursor" {
		t.Errorf("a wrong cursor: %v", err)
	}
}

func TestAPayloadIsStoredInHalfTheBytesAndReadBackByteForByte(t *testing.T) {
	e := derive(t, origin, PaymentPaid, map[string]string{"uri": strings.Repeat("eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f ü ", 9)})
	item, ok := dynamo.Must(e).(*types.AttributeValueMemberM)
	if !ok {
		t.Fatalf("%T", dynamo.Must(e))
	}
	var back Event
	if err := dynamo.Unmarshal(item.Value, &back); err != nil || !reflect.DeepEqual(back, e) {
		t.Errorf("%+v, %v", back, err)
	}
	if stored := parts.ItemSize(e); stored > len(e.Payload)/2+300 {
		t.Errorf("%d bytes of payload are stored in %d", len(e.Payload), stored)
	}
	item.Value["payload"] = &types.AttributeValueMemberS{Value: string(e.Payload)} // as it was stored before it was deflated
	if err := dynamo.Unmarshal(item.Value, &back); err != nil || !reflect.DeepEqual(back, e) {
		t.Errorf("%+v, %v", back, err)
	}
	item.Value["payload"] = &types.AttributeValueMemberB{Value: []byte("not deflated")}
	if err := dynamo.Unmarshal(item.Value, &back); err == nil {
		t.Error("bytes that are none are read")
	}
}

func TestAnEventNamesTheOneBeforeItByTheMarkThatTheItemCarries(t *testing.T) {
	first := derive(t, origin, PaymentPartial, 1)
	if first.Previous != "" || strings.Contains(string(first.Payload), "previous") {
		t.Errorf("the first one names another: %+v", first)
	}
	next := origin
	next.Version, next.At = 3, origin.At.Add(time.Second)
	next, err := next.After(MarkOf(origin.Version, origin.At, []string{"payment.over", "payment.partial"}, "carried"))
	if err != nil {
		t.Fatal(err)
	}
	chain, err := Chain(next, []Type{PaymentPaid, PaymentReversed}, 2)
	if err != nil || len(chain) != 2 || chain[0].Previous != first.ID || chain[1].Previous != chain[0].ID {
		t.Fatalf("%+v, %v", chain, err)
	}
	if !strings.Contains(string(chain[0].Payload), `","previous":"`+first.ID+`","data":`) || chain[0].View().Previous != first.ID {
		t.Errorf("%s", chain[0].Payload)
	}
	if chain[0].ID != derive(t, alone(next), PaymentPaid, 2).ID {
		t.Error("what came before changes the id")
	}
	if MarkOf(4, origin.At, nil, "1/payment.paid/2") != "1/payment.paid/2" {
		t.Error("a write without events forgets the mark")
	}
}

// alone is an origin that knows of nothing before.
func alone(o Origin) Origin {
	o.Previous = ""
	return o
}

func TestAMarkThatNamesNoEarlierEventIsRefused(t *testing.T) {
	for _, m := range []Mark{"x", "1/payment.paid", "1/payment.payed/7", "0/payment.paid/7", "2/payment.paid/7", "-1/payment.paid/7", "1/payment.paid/-7", "1/payment.paid/7/8", "one/payment.paid/7", "1//7"} {
		if o, err := origin.After(m); err == nil || o.Previous != "" {
			t.Errorf("%q is taken", m)
		}
	}
	if o, err := origin.After("1/payment.paid/7"); err != nil || o.Previous == "" {
		t.Errorf("%+v, %v", o, err)
	}
}
