package webhook

import (
	"strings"
	"testing"
	"time"

	"farrier/shared/event"
	"farrier/shared/id"
	"farrier/shared/problem"
	"farrier/shared/task"
)

func at(d time.Duration) *time.Time { t := noon.Add(d); return &t }

func TestWhatIsSentAgainAndWhatIsLeftAlone(t *testing.T) {
	on := Endpoint{ID: "ep_1", Enabled: true, CreatedAt: noon.Add(-240 * time.Hour), Settings: Settings{Events: []string{"payment.*"}}}
	back := on
	back.EnabledAt = at(-5 * time.Minute)
	paid := func(age time.Duration) event.Event {
		return event.Event{Type: event.PaymentPaid, CreatedAt: noon.Add(-age)}
	}
	is := func(s Status) Delivery { return Delivery{Version: 1, Made: 1, Status: s} }
	for name, c := range map[string]struct {
		endpoint        Endpoint
		told            event.Event
		delivery        Delivery
		types           []string
		recover, replay string
	}{
		"delivered":             {on, paid(time.Hour), is(Delivered), nil, skipDelivered, ""},
		"failed":                {on, paid(time.Hour), is(Failed), nil, "", ""},
		"held":                  {on, paid(time.Hour), is(Held), nil, "", ""},
		"an attempt is to come": {on, paid(time.Hour), is(Pending), nil, skipPending, skipPending},
		"never tried, long ago": {on, paid(time.Hour), Delivery{}, nil, "", ""},
		"never tried, just as old as a job may be":           {on, paid(firstJobs), Delivery{}, nil, "", ""},
		"never tried, younger":                               {on, paid(firstJobs - 1), Delivery{}, nil, skipOnItsWay, skipOnItsWay},
		"never tried, from when the endpoint was disabled":   {back, paid(6 * time.Minute), Delivery{}, nil, "", ""},
		"never tried, from when it was enabled":              {back, paid(5 * time.Minute), Delivery{}, nil, "", ""},
		"never tried, from then by another clock":            {back, paid(5*time.Minute - clocksApart + 1), Delivery{}, nil, "", ""},
		"never tried, surely from after it was enabled":      {back, paid(5*time.Minute - clocksApart), Delivery{}, nil, skipOnItsWay, skipOnItsWay},
		"another waits for it, and its job never came":       {on, paid(time.Hour), Delivery{Version: 1, Status: Pending, Then: "evt_2"}, nil, "", ""},
		"another waits for it, and its job may be under way": {on, paid(time.Minute), Delivery{Version: 1, Status: Pending, Then: "evt_2"}, nil, skipOnItsWay, skipOnItsWay},
		"not chosen":       {on, event.Event{Type: event.DepositFinal, CreatedAt: noon.Add(-time.Hour)}, is(Failed), nil, skipNotChosen, skipNotChosen},
		"a test":           {on, event.Event{Type: event.EndpointTest, CreatedAt: noon.Add(-time.Hour)}, is(Failed), nil, skipTest, skipTest},
		"another type":     {on, paid(time.Hour), is(Failed), []string{"payment.over", "deposit.*"}, skipType, skipType},
		"one of the types": {on, paid(time.Hour), is(Failed), []string{"payment.over", "payment.paid"}, "", ""},
	} {
		one := telling{c.told, unwanted(Terms{Types: c.types}, c.endpoint, c.told), c.delivery}
		if got := one.judged(task.Task{Kind: KindRecover}, c.endpoint, noon); got != c.recover {
			t.Errorf("recover, %s: %q", name, got)
		}
		if got := one.judged(task.Task{Kind: KindReplay}, c.endpoint, noon); got != c.replay {
			t.Errorf("replay, %s: %q", name, got)
		}
	}
}

func TestATermThatCannotBeMeantIsNamed(t *testing.T) {
	e := Endpoint{ID: "ep_1"}
	for name, c := range map[string]struct {
		since, until *time.Time
		field        string
	}{
		"nothing said, nothing missed":  {nil, nil, "since"},
		"since the future":              {at(time.Second), nil, "since"},
		"since now":                     {at(0), nil, "since"},
		"until the future":              {at(-time.Hour), at(time.Second), "until"},
		"until before since":            {at(-time.Hour), at(-2 * time.Hour), "until"},
		"until since":                   {at(-time.Hour), at(-time.Hour), "until"},
		"since before there was any":    {at(-50 * 365 * 24 * time.Hour), nil, "since"},
		"since the year 1":              {&time.Time{}, nil, "since"},
		"the last hour":                 {at(-time.Hour), nil, ""},
		"until now":                     {at(-time.Hour), at(0), ""},
		"three years, as long as it is": {at(-3 * 365 * 24 * time.Hour), at(-time.Hour), ""},
	} {
		_, err := recovering(e, c.since, c.until, noon)
		if (err != nil) != (c.field != "") || err != nil && problem.Of(err).Field != c.field {
			t.Errorf("%s: %v", name, err)
		}
	}
	e.MissedSince = at(-time.Hour)
	if terms, err := recovering(e, nil, nil, noon); err != nil || !terms.Since.Equal(*e.MissedSince) {
		t.Errorf("what was missed is not recovered by itself: %+v, %v", terms, err)
	}
	for _, types := range [][]string{{"payment.unheard"}, {"payment.paid", ""}, {"pay*"}} {
		if _, err := replaying(e, *at(-time.Hour), noon, types, 0, noon); err == nil || !strings.HasPrefix(problem.Of(err).Field, "types[") {
			t.Errorf("%q: %v", types, err)
		}
	}
	if _, err := replaying(e, *at(time.Hour), *at(2 * time.Hour), nil, 0, noon); problem.Of(err).Field != "from" {
		t.Error(err)
	}
}

func TestARecoverReplacesOneFromBeforeItsEndpointWasEnabledThatAskedForNoMore(t *testing.T) {
	terms := func(since, until, enabled *time.Time) Terms {
		return Terms{Since: since, Until: until, EnabledAt: enabled}
	}
	before := at(-5 * time.Hour)
	for name, c := range map[string]struct {
		later, earlier Terms
		replaces       bool
	}{
		"the same, before that":             {terms(at(-9*time.Hour), nil, at(0)), terms(at(-9*time.Hour), nil, before), true},
		"the same, when it never was off":   {terms(at(-9*time.Hour), nil, at(0)), terms(at(-9*time.Hour), nil, nil), true},
		"the same, since then":              {terms(at(-9*time.Hour), nil, at(0)), terms(at(-9*time.Hour), nil, at(0)), false},
		"where it never was off":            {terms(at(-9*time.Hour), nil, nil), terms(at(-9*time.Hour), nil, nil), false},
		"more at the beginning":             {terms(at(-9*time.Hour), nil, at(0)), terms(at(-8*time.Hour), nil, before), true},
		"less at the beginning":             {terms(at(-7*time.Hour), nil, at(0)), terms(at(-8*time.Hour), nil, before), false},
		"until now, and the other one less": {terms(at(-9*time.Hour), nil, at(0)), terms(at(-9*time.Hour), at(-6*time.Hour), before), true},
		"the same time":                     {terms(at(-9*time.Hour), at(-6*time.Hour), at(0)), terms(at(-9*time.Hour), at(-6*time.Hour), before), true},
		"less at the end":                   {terms(at(-9*time.Hour), at(-7*time.Hour), at(0)), terms(at(-9*time.Hour), at(-6*time.Hour), before), false},
		"not until now, and the other one":  {terms(at(-9*time.Hour), at(-6*time.Hour), at(0)), terms(at(-9*time.Hour), nil, before), false},
	} {
		if c.later.replaces(c.earlier) != c.replaces {
			t.Errorf("%s: %t", name, !c.replaces)
		}
	}
	if until := terms(at(-time.Hour), nil, at(3*time.Second)).until(noon); !until.Equal(*at(3*time.Second + clocksApart)) {
		t.Errorf("one that was begun by a late clock goes until %s", until)
	}
}

func TestAReplayIsNamedByWhatItIs(t *testing.T) {
	e := Endpoint{ID: "ep_1"}
	name := func(merchant string, from, until time.Duration, types []string, round int) string {
		terms, err := replaying(e, *at(from), *at(until), types, round, noon)
		if err != nil {
			t.Fatal(err)
		}
		return replayID(merchant, terms)
	}
	one := name("mer_1", -2*time.Hour, -time.Hour, []string{"payment.*", "deposit.*"}, 0)
	if !id.Valid("tsk", one) {
		t.Fatal(one)
	}
	for what, same := range map[string]string{
		"the order of types":      name("mer_1", -2*time.Hour, -time.Hour, []string{"deposit.*", "payment.*", "deposit.*"}, 0),
		"that it is the first":    name("mer_1", -2*time.Hour, -time.Hour, []string{"payment.*", "deposit.*"}, 1),
		"less than a millisecond": name("mer_1", -2*time.Hour+time.Microsecond, -time.Hour, []string{"payment.*", "deposit.*"}, 1),
	} {
		if same != one {
			t.Errorf("%s makes it another", what)
		}
	}
	for what, other := range map[string]string{
		"a merchant": name("mer_2", -2*time.Hour, -time.Hour, []string{"payment.*", "deposit.*"}, 1),
		"a start":    name("mer_1", -3*time.Hour, -time.Hour, []string{"payment.*", "deposit.*"}, 1),
		"an end":     name("mer_1", -2*time.Hour, 0, []string{"payment.*", "deposit.*"}, 1),
		"types":      name("mer_1", -2*time.Hour, -time.Hour, nil, 1),
		"a round":    name("mer_1", -2*time.Hour, -time.Hour, []string{"payment.*", "deposit.*"}, 2),
	} {
		if other == one {
			t.Errorf("another one of %s is the same", what)
		}
	}
}

func TestTermsAreReadAsTheyWereWritten(t *testing.T) {
	terms, err := replaying(Endpoint{ID: "ep_1"}, *at(-time.Hour), noon, []string{"payment.*"}, 3, noon)
	if err != nil {
		t.Fatal(err)
	}
	read, err := termsOf(task.Task{Terms: terms.text()})
	if err != nil || read.text() != terms.text() || !read.from().Equal(*at(-time.Hour)) || !read.until(noon.Add(time.Hour)).Equal(noon) {
		t.Errorf("%+v, %v", read, err)
	}
	for _, text := range []string{"", "null", "{}", `{"endpoint":"ep_1"}`, `{"since":"2026-11-29T12:00:00Z"}`, "["} {
		if _, err := termsOf(task.Task{Terms: text}); err == nil {
			t.Errorf("%q", text)
		}
	}
}
