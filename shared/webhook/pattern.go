package webhook

import (
	"fmt"
	"slices"
	"strings"

	"farrier/shared/event"
	"farrier/shared/problem"
)

// MaxPatterns is how many patterns an endpoint may have.
const MaxPatterns = 50

// checkPatterns refuses a pattern that no event of the catalogue can match: it would wait in silence for ever.
func checkPatterns(patterns []string) error {
	if len(patterns) == 0 {
		return problem.Field("events", `is missing: say which events, such as ["payment.*"] or ["*"]`)
	}
	if len(patterns) > MaxPatterns {
		return problem.Field("events", fmt.Sprintf("has more than %d patterns", MaxPatterns))
	}
	for i, p := range patterns {
		if !matchesAny(p) {
			return problem.Field(fmt.Sprintf("events[%d]", i), `is neither an event type, nor the beginning of some with ".*", nor "*"`)
		}
	}
	return nil
}

func matchesAny(pattern string) bool {
	return slices.ContainsFunc(event.Catalogue(), func(k event.Kind) bool { return matches(pattern, k.Type) })
}

// matches: "*" is every type, "payment.*" every type that begins with "payment.", anything else itself.
func matches(pattern string, t event.Type) bool {
	if pattern == "*" {
		return true
	}
	if prefix, wild := strings.CutSuffix(pattern, "*"); wild {
		return strings.HasSuffix(prefix, ".") && strings.HasPrefix(string(t), prefix)
	}
	return pattern == string(t)
}
