package callback

import (
	"errors"
	"testing"

	"farrier/shared/problem"
)

func TestOnlyAddressesOnTheListAreAllowed(t *testing.T) {
	s := Settings{Sources: []string{"192.0.2.0/24", "198.51.100.7", "2001:db8::/32"}}
	if err := s.settle(nil); err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{
		"192.0.2.1": true, "192.0.2.255": true, "::ffff:192.0.2.1": true, "198.51.100.7": true, "2001:db8::1": true,
		"192.0.3.1": false, "198.51.100.8": false, "2001:db9::1": false, "": false, "x": false, "192.0.2.1, 10.0.0.1": false,
	} {
		if s.allows(address) != want {
			t.Errorf("%q: want %t", address, want)
		}
	}
	if !(Settings{}).allows("") {
		t.Error("without a list an address is refused")
	}
}

func TestWhereADeliveryComesFromIsLookedAtBeforeAnyKey(t *testing.T) {
	c := Connection{Provider: "standard-webhooks", Settings: Settings{Sources: []string{"192.0.2.1/32"}}}
	var closed KeyOpener // would fail
	if _, err := c.Verify(t.Context(), Delivery{SourceIP: "192.0.2.2"}, closed); !errors.Is(err, NotAllowed) {
		t.Error(err)
	}
}

func TestAddressesAreCheckedWhenTheyAreSet(t *testing.T) {
	for _, text := range []string{"", "x", "192.0.2.1/24", "192.0.2.0/33", "fe80::1%eth0", "::ffff:192.0.2.0/120", "192.0.2.0-192.0.2.9"} {
		err := (&Settings{Sources: []string{"192.0.2.1", text}}).settle(nil)
		if !problem.Is(err, problem.Invalid) || problem.Of(err).Field != "sources[1]" {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := (&Settings{Sources: make([]string, 51)}).settle(nil); problem.Of(err).Field != "sources" {
		t.Error(err)
	}
}
