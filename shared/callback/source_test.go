package callback

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestEveryProviderHasAllThatASourceIsAsked(t *testing.T) {
	for _, name := range Providers() {
		s, err := sourceOf(name)
		if err != nil || len(s.Trusts) == 0 || (s.CheckSecret == nil && s.Published == nil) || s.Verify == nil || s.Read == nil || s.Answer.Status/100 != 2 {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}

func TestAProviderOfAnotherVersionIsOurTroubleAndNoRefusal(t *testing.T) {
	c := Connection{Provider: "of tomorrow"}
	_, err := c.Verify(context.Background(), Delivery{}, Keys{})
	var refused Refused
	if err == nil || errors.As(err, &refused) {
		t.Errorf("verify: %v", err)
	}
	_, err = c.Notices(context.Background(), nil, Keys{})
	var unreadable ReadError
	if err == nil || errors.As(err, &unreadable) {
		t.Errorf("notices: %v", err)
	}
}

func TestAnEventIDIsAlwaysFitForAKey(t *testing.T) {
	for given, want := range map[string]string{
		"evt_1": "evt_1", "a/b:c=": "a/b:c=", strings.Repeat("x", 256): strings.Repeat("x", 256),
		"a#b": hashed([]byte("a#b")), "a b": hashed([]byte("a b")), "é": hashed([]byte("é")), "": hashed(nil),
		strings.Repeat("x", 257): hashed([]byte(strings.Repeat("x", 257))),
	} {
		if got := eventID(given); got != want {
			t.Errorf("%.20q: %q", given, got)
		}
	}
}
