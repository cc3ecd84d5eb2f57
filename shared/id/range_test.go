package id

import (
	"testing"
	"time"
)

func TestAnIdLiesBetweenTheBoundsOfItsMomentAndOutsideThoseOfOthers(t *testing.T) {
	at := time.Date(2026, 11, 29, 12, 0, 0, 123e6, time.UTC)
	for _, name := range []string{Derived("evt", at, "a"), Derived("evt", at, "b"), First("evt", at)} {
		if !Valid("evt", name) || name < First("evt", at) || name > LastBefore("evt", at.Add(time.Millisecond)) {
			t.Errorf("%s is not within its own millisecond", name)
		}
		if name >= First("evt", at.Add(time.Millisecond)) || name <= LastBefore("evt", at) {
			t.Errorf("%s is within another millisecond", name)
		}
	}
	if !Valid("evt", LastBefore("evt", at)) {
		t.Error("a bound that is no id")
	}
}
