package event

import (
	"encoding/json"
	"strings"
	"testing"

	"farrier/shared/parts"
)

func TestAThinPayloadNamesWhatTheEventIsAboutAndNothingElse(t *testing.T) {
	o := origin
	o.Previous = "evt_01KAJ5M6K2QJ0W8Z3X5C7V9B1N"
	for kind, want := range map[Type]string{
		PaymentPaid:     `"data":{"id":"` + o.Object + `","object":"payment"}}`,
		DepositFinal:    `"data":{"id":"` + o.Object + `","object":"deposit"}}`,
		EndpointFailing: `"data":{"id":"` + o.Object + `","object":"endpoint"}}`,
	} {
		want = `{"type":"` + string(kind) + `","timestamp":"2026-11-21T10:00:05.123Z","previous":"` + o.Previous + `",` + want
		got, in, err := derive(t, o, kind, map[string]string{"id": "x", "status": "paid"}).Body(Thin, Newest())
		if got != want || in != Newest() || err != nil {
			t.Errorf("%s in %q: %v\nwant %s", got, in, err, want)
		}
	}
}

func TestConformanceWhatIsSentIsTheSameBytesBeforeAndAfterItIsStored(t *testing.T) {
	s, o := Store{Table: parts.Table(t), Now: soon}, origin
	o.Previous = "evt_01KAJ5M6K2QJ0W8Z3X5C7V9B1N"
	e := derive(t, o, PaymentPaid, map[string]string{"uri": "a?b=1&c=<ü>"})
	if err := s.Record(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	stored, err := s.Get(t.Context(), e.Merchant, e.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []Form{Full, Thin, ""} {
		before, _, _ := e.Body(form, Newest())
		after, in, err := stored.Body(form, Newest())
		if before != after || in != Newest() || err != nil || (form != Thin) != (after == string(e.Payload)) {
			t.Errorf("%q: %s\nand then %s: %v", form, before, after, err)
		}
	}
}

// changed is a history in which amounts became objects, and then another name.
var changed = history{
	{name: "2026-11-29"},
	{name: "2027-01-01", back: func(_ Type, data json.RawMessage) (json.RawMessage, error) {
		return json.RawMessage(strings.ReplaceAll(string(data), `"amount":{"units":1}`, `"amount":1`)), nil
	}},
	{name: "2027-02-02", back: func(_ Type, data json.RawMessage) (json.RawMessage, error) {
		return json.RawMessage(strings.ReplaceAll(string(data), `"value"`, `"amount"`)), nil
	}},
}

func TestAnEndpointGetsTheVersionThatItIsPinnedToOrTheEventsOwnWhereThatIsOlder(t *testing.T) {
	data := map[Version]string{"2026-11-29": `{"amount":1}`, "2027-01-01": `{"amount":{"units":1}}`, "2027-02-02": `{"value":{"units":1}}`}
	for _, c := range []struct{ recorded, pinned, want Version }{
		{"2027-02-02", "2027-02-02", "2027-02-02"},
		{"2027-02-02", "2027-01-01", "2027-01-01"},
		{"2027-02-02", "2026-11-29", "2026-11-29"},
		{"2027-02-02", "", "2026-11-29"}, // an endpoint that was made before there were versions
		{"2027-01-01", "2027-02-02", "2027-01-01"},
		{"", "2027-02-02", "2026-11-29"}, // an event that was
		{"", "", "2026-11-29"},
	} {
		recorded := data[c.recorded]
		if c.recorded == "" {
			recorded = data["2026-11-29"]
		}
		e := derive(t, origin, PaymentPaid, json.RawMessage(recorded))
		e.Recorded = c.recorded
		got, in, err := e.body(changed, Full, c.pinned)
		want := strings.Replace(string(e.Payload), recorded, data[c.want], 1)
		if got != want || in != c.want || err != nil {
			t.Errorf("recorded in %q for %q: %s in %q, %v\nwant %s", c.recorded, c.pinned, got, in, err, want)
		}
		if _, in, err := e.body(changed, Thin, c.pinned); in != c.want || err != nil {
			t.Errorf("thin, recorded in %q for %q: in %q, %v", c.recorded, c.pinned, in, err)
		}
	}
}

func TestVersionsAreInTheOrderOfTheirDaysAndEachButTheFirstLeadsBack(t *testing.T) {
	for i, v := range versions {
		if len(v.name) != len("2026-11-29") || i > 0 && (v.name <= versions[i-1].name || v.back == nil) {
			t.Errorf("%d: %s", i, v.name)
		}
	}
	if Newest() != Versions()[len(Versions())-1] {
		t.Error("the newest is not the last")
	}
	e := derive(t, origin, PaymentPaid, 1)
	if e.Recorded != Newest() || e.View().Version != Newest() {
		t.Errorf("%+v", e)
	}
}
