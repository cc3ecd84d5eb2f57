package webhook

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"farrier/shared/event"
	"farrier/shared/problem"
)

// Bounds of the settings.
const (
	MaxFallbacks = 4
	MaxTimeout   = int(LongestTimeout / time.Second)
	MaxAttempts  = 15
	MaxWait      = 24 * 60 * 60     // seconds before one attempt
	MaxWaits     = 7 * 24 * 60 * 60 // seconds of all waits
	MaxLimit     = 1000             // attempts in a second
)

// check says all that is wrong with the settings.
func (s Settings) check(local bool) error {
	return errors.Join(
		checkURL(s.URL, local), s.checkFallbacks(local), checkPatterns(s.Events), checkWhere(s.Where), s.checkPayload(), checkVersion(s.Pinned),
		within("timeout", s.Timeout, MaxTimeout), s.checkSchedule(), within("limit", s.Limit, MaxLimit), s.Signing.check())
}

// within: 0 stands for what is usual.
func within(field string, n, most int) error {
	if n < 0 || n > most {
		return problem.Field(field, fmt.Sprintf("must be from 1 to %d", most))
	}
	return nil
}

func (s Settings) checkPayload() error {
	switch s.Payload {
	case "", event.Full, event.Thin:
		return nil
	default:
		return problem.Field("payload", `must be "full" or "thin"`)
	}
}

func (s Settings) checkFallbacks(local bool) error {
	if len(s.Fallbacks) > MaxFallbacks {
		return problem.Field("fallback_urls", fmt.Sprintf("are more than %d", MaxFallbacks))
	}
	var wrong []error
	seen := []string{sameURL(s.URL)}
	for i, text := range s.Fallbacks {
		field := fmt.Sprintf("fallback_urls[%d]", i)
		if err := checkURL(text, local); err != nil {
			wrong = append(wrong, problem.Field(field, problem.Of(err).Detail))
		} else if slices.Contains(seen, sameURL(text)) {
			wrong = append(wrong, problem.Field(field, "stands there already, or is the endpoint's own url"))
		}
		seen = append(seen, sameURL(text))
	}
	return errors.Join(wrong...)
}

// checkServers refuses to send webhooks to one of these, under any path.
func (s Settings) checkServers(refused []string) error {
	var wrong []error
	for i, text := range s.urls() {
		field := "url"
		if i > 0 {
			field = fmt.Sprintf("fallback_urls[%d]", i-1)
		}
		if server := serverOf(text); server != "" && slices.ContainsFunc(refused, func(one string) bool { return serverOf(one) == server }) {
			wrong = append(wrong, problem.Field(field, "must not be an address of this API, which takes no webhooks"))
		}
	}
	return errors.Join(wrong...)
}

// sameURL is a URL without the differences of spelling that mean nothing (RFC 3986, section 6.2.2.1).
func sameURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return text
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	u.Path = cmp.Or(u.Path, "/")
	return u.String()
}

func (s Settings) checkSchedule() error {
	if len(s.Schedule) > MaxAttempts {
		return problem.Field("schedule", fmt.Sprintf("has more than %d attempts", MaxAttempts))
	}
	total := 0
	for i, wait := range s.Schedule {
		if wait < 0 || wait > MaxWait {
			return problem.Field(fmt.Sprintf("schedule[%d]", i), fmt.Sprintf("must be from 0 to %d seconds", MaxWait))
		}
		total += wait
	}
	if total > MaxWaits {
		return problem.Field("schedule", fmt.Sprintf("takes more than %d seconds in all", MaxWaits))
	}
	return nil
}

// tidied are checked settings in one spelling: what is usual is left out.
func (s Settings) tidied() Settings {
	s.Fallbacks, s.Schedule = orNone(s.Fallbacks), orNone(s.Schedule)
	s.Events, s.Where.Assets = slices.Clone(s.Events), orNone(s.Where.Assets)
	if len(s.Where.Metadata) == 0 {
		s.Where.Metadata = nil
	}
	if s.Payload == event.Full {
		s.Payload = ""
	}
	if s.Signing == ByHMAC {
		s.Signing = ""
	}
	return s
}

// orNone is a copy; it is nil where there is nothing.
func orNone[T any](list []T) []T { return append([]T(nil), list...) }

// UsualSchedule is that of an endpoint without one of its own: seconds before each attempt.
func UsualSchedule() []int {
	seconds := make([]int, len(schedule))
	for i, wait := range schedule {
		seconds[i] = int(wait / time.Second)
	}
	return seconds
}
