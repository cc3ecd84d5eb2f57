package callback

import (
	"slices"
	"testing"

	"farrier/shared/problem"
)

func TestATrustMustBeTheSourcesAndOneThatIsActedOn(t *testing.T) {
	chainMoney, held := Source{Trusts: []Trust{Look, Statement}}, Source{Trusts: []Trust{Statement, Look}}
	for _, c := range []struct {
		asked  Trust
		source Source
		want   Trust
	}{{"", chainMoney, Look}, {Look, chainMoney, Look}, {Look, held, Look}, {Ask, chainMoney, ""}, {"blind", chainMoney, ""}, {"", Source{}, ""}} {
		if got, err := settleTrust(c.asked, c.source); got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q of %v: %q, %v", c.asked, c.source.Trusts, got, err)
		}
	}
	for _, trust := range []Trust{Statement, Ask} {
		got, err := settleTrust(trust, Source{Trusts: []Trust{trust}})
		if slices.Contains(Trusts(), trust) != (err == nil) || (err != nil && problem.Of(err).Field != "trust") || (err == nil && got != trust) {
			t.Errorf("%s: %q, %v", trust, got, err)
		}
	}
}
