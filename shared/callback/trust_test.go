package callback

import (
	"testing"

	"farrier/shared/problem"
)

func TestATrustMustBeTheSources(t *testing.T) {
	chainMoney, held := Source{Trusts: []Trust{Look, Statement}}, Source{Trusts: []Trust{Statement, Look}}
	silent, answers := Source{Trusts: []Trust{Look, Ask}}, Source{Trusts: []Trust{Look, Ask}, Asking: &Asking{}}
	for _, c := range []struct {
		asked  Trust
		source Source
		want   Trust
	}{
		{"", chainMoney, Look}, {Look, chainMoney, Look}, {Statement, chainMoney, Statement}, {"", held, Statement}, {Look, held, Look},
		{Ask, chainMoney, ""}, {Ask, silent, ""}, {Ask, answers, Ask}, {"blind", chainMoney, ""}, {"", Source{}, ""},
	} {
		got, err := settleTrust(c.asked, c.source)
		if got != c.want || (err == nil) != (c.want != "") || (err != nil && problem.Of(err).Field != "trust") {
			t.Errorf("%q of %v: %q, %v", c.asked, c.source.Trusts, got, err)
		}
	}
}

func TestOnlyWhoIsAskedNeedsTheCredentialsToAsk(t *testing.T) {
	source := Source{Trusts: []Trust{Look, Ask}, Credentials: []Credential{{Name: "api_key", Fetches: true}}, Asking: &Asking{Credentials: []string{"api_key"}}}
	for trust, want := range map[Trust]bool{Look: false, Ask: true} {
		err := checkCredentials(source.trusted(trust), nil, nil, true)
		if (err != nil) != want || (want && problem.Of(err).Field != "credentials.api_key") {
			t.Errorf("%s: %v", trust, err)
		}
	}
	if source.Credentials[0].Required {
		t.Error("the source itself has changed")
	}
}
