package callback

import (
	"slices"
	"strings"

	"farrier/shared/problem"
)

// Trust is what a connection's callbacks may bring about.
type Trust string

// The kinds of trust.
const (
	Look      Trust = "look"      // our own look at the chain; nothing is believed
	Statement Trust = "statement" // the signed word of who holds the money is believed
	Ask       Trust = "ask"       // the object is fetched from the provider's API, and that is believed
)

// Trusts are the kinds of trust that a connection may be given, where its source has them.
func Trusts() []Trust { return []Trust{Look, Statement, Ask} }

// has says whether connections of a source may be given a trust: to ask, somebody must be there who answers.
func (s Source) has(trust Trust) bool {
	return slices.Contains(s.Trusts, trust) && (trust != Ask || s.Asking != nil)
}

// Holds says whether a notice of a kind is the provider's word on money that it holds. Where a provider tells of the same
// money in two ways, under two ids, only one of them is.
func (c Connection) Holds(kind Kind) bool {
	held := sources[c.Provider].Held
	return held == nil || slices.Contains(held, kind)
}

// trusted is the source with the credentials that a trust makes required.
func (s Source) trusted(trust Trust) Source {
	if trust != Ask || s.Asking == nil {
		return s
	}
	s.Credentials = slices.Clone(s.Credentials)
	for i, c := range s.Credentials {
		if slices.Contains(s.Asking.Credentials, c.Name) {
			s.Credentials[i].Required, s.Credentials[i].Fetches = true, false
		}
	}
	return s
}

// settleTrust is the trust of a connection that asks for one (or, by "", for its source's usual one).
func settleTrust(asked Trust, source Source) (Trust, error) {
	trust := asked
	if trust == "" && len(source.Trusts) > 0 {
		trust = source.Trusts[0]
	}
	if !source.has(trust) {
		return "", problem.Field("trust", "must be, for this provider, one of "+source.trustNames())
	}
	return trust, nil
}

func (s Source) trustNames() string {
	var names []string
	for _, t := range s.Trusts {
		if s.has(t) {
			names = append(names, string(t))
		}
	}
	return strings.Join(names, ", ")
}
