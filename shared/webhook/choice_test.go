package webhook

import (
	"strings"
	"testing"

	"farrier/shared/event"
	"farrier/shared/problem"
)

const (
	dollar = "eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f"
	coin   = "eip155:137/slip44:966"
)

func told(kind event.Type, data string, metadata map[string]string) event.Event {
	return event.Event{Type: kind, Payload: event.Payload(`{"type":"` + string(kind) + `","data":` + data + `}`), Metadata: metadata}
}

func TestAnEndpointIsToldOfWhatItsChoiceIsAbout(t *testing.T) {
	paid := told("payment.paid", `{"asset":"`+dollar+`","options":[{"asset":"`+dollar+`"},{"asset":"`+coin+`"}],"metadata":{"shop":"north","tour":""}}`, nil)
	plain := told("payment.paid", `{"asset":"`+dollar+`","options":[{"asset":"`+dollar+`"}]}`, nil)
	came := told("deposit.final", `{"asset":"`+coin+`"}`, map[string]string{"shop": "north"})
	went := told("payout.final", `{"asset":"`+coin+`","metadata":{"shop":"north"}}`, nil)
	failing := told("endpoint.failing", `{"id":"ep_1"}`, nil)
	for name, c := range map[string]struct {
		where Where
		want  [5]bool // paid, plain, came, went, failing
	}{
		"nothing":              {Where{}, [5]bool{true, true, true, true, true}},
		"any of its assets":    {Where{Assets: []string{coin, "iso4217:EUR"}}, [5]bool{true, false, true, true, true}},
		"its first asset":      {Where{Assets: []string{dollar}}, [5]bool{true, true, false, false, true}},
		"metadata":             {Where{Metadata: map[string]string{"shop": "north"}}, [5]bool{true, false, true, true, true}},
		"all of metadata":      {Where{Metadata: map[string]string{"shop": "north", "tour": ""}}, [5]bool{true, false, false, false, true}},
		"another value":        {Where{Metadata: map[string]string{"shop": "south"}}, [5]bool{false, false, false, false, true}},
		"an empty value":       {Where{Metadata: map[string]string{"floor": ""}}, [5]bool{false, false, false, false, true}},
		"both asset and shop":  {Where{Assets: []string{coin}, Metadata: map[string]string{"shop": "north"}}, [5]bool{true, false, true, true, true}},
		"an asset of no event": {Where{Assets: []string{"iso4217:EUR"}, Metadata: map[string]string{"shop": "north"}}, [5]bool{false, false, false, false, true}},
	} {
		e := Endpoint{ID: "ep_2", Settings: Settings{Events: []string{"*"}, Where: c.where}}
		if got := [5]bool{e.Chooses(paid), e.Chooses(plain), e.Chooses(came), e.Chooses(went), e.Chooses(failing)}; got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		if e.Events = []string{"deposit.dropped"}; e.Chooses(paid) || e.Chooses(came) || e.Chooses(went) {
			t.Errorf("%s: it is chosen whatever the type", name)
		}
	}
}

func TestAChoiceOfWhatNoEventIsAboutIsRefusedByItsField(t *testing.T) {
	keys := map[string]string{}
	for _, k := range strings.Split("abcdefghijk", "") {
		keys[k] = "x"
	}
	for _, c := range []struct {
		where Where
		field string // empty where it is fine
	}{
		{Where{}, ""},
		{Where{Assets: []string{dollar, coin, "iso4217:EUR"}, Metadata: map[string]string{"shop": "", strings.Repeat("ü", 40): strings.Repeat("ü", 200)}}, ""},
		{Where{Assets: []string{dollar, "USDT"}}, "where.assets[1]"},
		{Where{Assets: []string{"eip155:137/erc20:0xC2132D05D31c914a87C6611C10748AEb04B58e8F"}}, "where.assets[0]"},
		{Where{Assets: []string{"iso4217:eur"}}, "where.assets[0]"},
		{Where{Assets: []string{coin, coin}}, "where.assets[1]"},
		{Where{Assets: make([]string, MaxAssets+1)}, "where.assets"},
		{Where{Metadata: keys}, "where.metadata"},
		{Where{Metadata: map[string]string{"": "x"}}, "where.metadata"},
		{Where{Metadata: map[string]string{strings.Repeat("k", 41): "x"}}, "where.metadata"},
		{Where{Metadata: map[string]string{"shop": strings.Repeat("x", 201)}}, "where.metadata.shop"},
	} {
		err := checkWhere(c.where)
		if (err == nil) != (c.field == "") || (err != nil && problem.Of(err).Field != c.field) {
			t.Errorf("%+v: %v, want the field %q", c.where, err, c.field)
		}
	}
}

func TestOnlyAVersionThatThereIsCanBePinned(t *testing.T) {
	for _, v := range event.Versions() {
		if err := checkVersion(v); err != nil {
			t.Errorf("%s: %v", v, err)
		}
	}
	if err := checkVersion(""); err != nil {
		t.Error(err)
	}
	for _, v := range []event.Version{"2026-11-28", "1", "newest"} {
		if err := checkVersion(v); problem.Of(err).Field != "version" {
			t.Errorf("%s: %v", v, err)
		}
	}
}
