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

// acted are the kinds of trust that this version acts on. This is the one place that refuses the others.
var acted = []Trust{Look}

// Trusts are the kinds of trust that a connection may be given.
func Trusts() []Trust { return slices.Clone(acted) }

// settleTrust is the trust of a connection that asks for one (or, by "", for its source's usual one).
func settleTrust(asked Trust, source Source) (Trust, error) {
	trust := asked
	if trust == "" && len(source.Trusts) > 0 {
		trust = source.Trusts[0]
	}
	switch {
	case !slices.Contains(source.Trusts, trust):
		return "", problem.Field("trust", "must be, for this provider, one of "+trustNames(source.Trusts))
	case !slices.Contains(acted, trust):
		return "", problem.Field("trust", "is of a kind that is not acted on yet; what is: "+trustNames(acted))
	}
	return trust, nil
}

func trustNames(trusts []Trust) string {
	names := make([]string, len(trusts))
	for i, t := range trusts {
		names[i] = string(t)
	}
	return strings.Join(names, ", ")
}
