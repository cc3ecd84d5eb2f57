package webhook

import (
	"context"
	"testing"
	"time"

	"farrier/shared/event"
)

func TestAnEndpointThatIsEnabledAgainRemembersSinceWhenItMissed(t *testing.T) {
	day := 24 * time.Hour
	made := Endpoint{Enabled: true, CreatedAt: noon, Settings: Settings{Schedule: []int{0, 3600}}}
	off := made.disabled("by request", noon.Add(10*day))
	on := off.enabled(noon.Add(12 * day))
	held := noon.Add(10*day - failingAtMost) // what waited in its line when the endpoint was disabled, longer than its schedule
	if !on.Enabled || on.DisabledAt != nil || on.DisabledReason != "" || on.MissedSince == nil || !on.MissedSince.Equal(held) || !on.EnabledAt.Equal(noon.Add(12*day)) {
		t.Fatalf("%+v", on)
	}
	if again := on.enabled(noon.Add(13 * day)); !again.EnabledAt.Equal(*on.EnabledAt) {
		t.Error("one that is enabled already was enabled again")
	}
	later := on.disabled("by request", noon.Add(15*day)).enabled(noon.Add(16 * day))
	if !later.MissedSince.Equal(held) {
		t.Errorf("the second time hides the first: %v", later.MissedSince)
	}
	young := made.disabled("by request", noon.Add(time.Minute)).enabled(noon.Add(time.Hour))
	if !young.MissedSince.Equal(noon) {
		t.Errorf("it missed what happened before it was made: %v", young.MissedSince)
	}
	usual := Endpoint{Enabled: true, CreatedAt: noon}.disabled("by request", noon.Add(30*day)).enabled(noon.Add(31 * day))
	if reach := noon.Add(30 * day).Sub(*usual.MissedSince); reach < 3*day || reach > 4*day {
		t.Errorf("the usual schedule is not %s long", reach)
	}
}

func TestConformanceSinceWhenAnEndpointIsDisabledStaysKnownWhenItIsChanged(t *testing.T) {
	ctx := context.Background()
	e := newEndpoints(t)
	old := Endpoint{Merchant: "mer_1", ID: "ep_01JD0000000000000000000000", Settings: wanted.Settings, DisabledReason: "by request", CreatedAt: noon, UpdatedAt: noon.Add(time.Hour), Version: 3}
	if err := e.Table.Create(ctx, old); err != nil { // as a version wrote it that did not note the moment
		t.Fatal(err)
	}
	changed, err := e.Update(ctx, "mer_1", old.ID, func(s *Settings) { s.Limit = 7 }, Private{})
	if err != nil || changed.DisabledAt == nil || !changed.DisabledAt.Equal(old.UpdatedAt) || !changed.missesFrom().Equal(old.missesFrom()) {
		t.Errorf("%+v %v", changed, err)
	}
	if on, err := e.Enable(ctx, "mer_1", old.ID); err != nil || on.DisabledAt != nil || !on.MissedSince.Equal(old.missesFrom()) {
		t.Errorf("%+v %v", on, err)
	}
}

func TestAnEndpointThatWasDisabledBeforeTheMomentWasNotedMissesFromItsLastWriteOn(t *testing.T) {
	day := 24 * time.Hour
	old := Endpoint{CreatedAt: noon, UpdatedAt: noon.Add(10 * day), DisabledReason: "by request", Settings: Settings{Schedule: []int{0}}}
	want := noon.Add(10*day - failingAtMost)
	if from := old.missesFrom(); !from.Equal(want) {
		t.Errorf("it misses from %v, want %v", from, want)
	}
	if on := old.enabled(noon.Add(12 * day)); on.MissedSince == nil || !on.MissedSince.Equal(want) {
		t.Errorf("it offers to recover from %v, want %v", on.MissedSince, want)
	}
	if from := (Endpoint{Enabled: true, CreatedAt: noon, UpdatedAt: noon.Add(day)}).missesFrom(); !from.IsZero() {
		t.Errorf("one that is enabled misses from %v", from)
	}
}

func TestAnEndpointThatIsPinnedToNoVersionShowsTheOldest(t *testing.T) {
	if got := (Endpoint{}).View(noon).Version; got != event.Versions()[0] || got == "" {
		t.Errorf("%q", got)
	}
	if got := (Endpoint{Settings: Settings{Pinned: "2031-01-01"}}).View(noon).Version; got != "2031-01-01" {
		t.Errorf("%q", got)
	}
}

func TestOnlyARecoverOfAllThatWasMissedEndsIt(t *testing.T) {
	missed, back := noon, noon.Add(time.Hour)
	on := Endpoint{Enabled: true, MissedSince: &missed, EnabledAt: &back}
	first := noon.Add(-time.Hour) // when it was enabled before that
	for name, c := range map[string]struct {
		since, until time.Time
		enabled      *time.Time
		ends         bool
	}{
		"all of it":                  {noon, back.Add(clocksApart), &back, true},
		"more":                       {noon.Add(-time.Hour), back.Add(time.Hour), &back, true},
		"not from the start":         {noon.Add(time.Second), back.Add(clocksApart), &back, false},
		"not until it was on":        {noon, back.Add(-time.Second), &back, false},
		"by another clock":           {noon, back, &back, false},
		"neither at both ends":       {noon.Add(time.Second), back.Add(-time.Second), &back, false},
		"begun before it was off":    {noon, back.Add(time.Hour), &first, false},
		"begun when it never was so": {noon, back.Add(time.Hour), nil, false},
	} {
		if got := on.recovered(Terms{Since: &c.since, EnabledAt: c.enabled}, c.until); (got.MissedSince == nil) != c.ends {
			t.Errorf("%s: %v", name, got.MissedSince)
		}
	}
	if off := on.disabled("by request", back.Add(time.Hour)).recovered(Terms{Since: &noon, EnabledAt: &back}, back.Add(2*time.Hour)); off.MissedSince == nil {
		t.Error("a disabled endpoint misses what is made meanwhile")
	}
}
