package webhook

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"farrier/shared/problem"
)

// Bounds of a merchant's own headers. What KMS seals is at most 4,096 bytes, and the headers are sealed as one.
const (
	MaxHeaders     = 20
	MaxHeaderBytes = 3 << 10 // of all, as they are sent
)

// Masked stands in a view in the place of a header's value, which may be a password.
const Masked = "********"

// ours are the headers that HTTP (RFC 9110, RFC 9112) or we ourselves say; so is all that begins with one of oursBegin.
// A server that hands headers on as CGI does (RFC 3875, 4.1.18) takes _ for -, and Proxy for a setting (httpoxy).
var (
	ours = []string{
		"host", "connection", "keep-alive", "proxy", "upgrade", "te", "trailer", "transfer-encoding", "expect",
		"http2-settings", "accept-encoding", "user-agent", "idempotency-key", "x-idempotency-key",
	}
	oursBegin = []string{"webhook-", "content-", "proxy-"}
)

// checkHeaders says what is wrong with the headers that a merchant wants to be sent.
func checkHeaders(given map[string]string) error {
	if len(given) > MaxHeaders {
		return problem.Field("headers", fmt.Sprintf("are more than %d", MaxHeaders))
	}
	var wrong []error
	seen, total := map[string]bool{}, 0
	for _, name := range slices.Sorted(maps.Keys(given)) {
		value, lower := given[name], strings.ToLower(name)
		switch {
		case !isToken(name):
			wrong = append(wrong, problem.Field("headers", "has a name that HTTP does not know: letters, digits and - are usual"))
		case isOurs(lower):
			wrong = append(wrong, problem.Field("headers."+name, "is a header that cannot be set: HTTP or the webhook itself needs it"))
		case seen[lower]:
			wrong = append(wrong, problem.Field("headers."+name, "stands there twice: names are the same in upper and lower case"))
		case value == Masked:
			wrong = append(wrong, problem.Field("headers."+name, "is what is shown in the place of a value; give the value"))
		case !isHeaderValue(value):
			wrong = append(wrong, problem.Field("headers."+name, "must be visible ASCII, with spaces only between"))
		}
		seen[lower] = true
		total += len(name) + len(value) + len(": \r\n")
	}
	if len(wrong) == 0 && total > MaxHeaderBytes {
		return problem.Field("headers", fmt.Sprintf("are more than %d bytes", MaxHeaderBytes))
	}
	return errors.Join(wrong...)
}

func isOurs(lower string) bool {
	lower = strings.ReplaceAll(lower, "_", "-")
	return slices.Contains(ours, lower) || slices.ContainsFunc(oursBegin, func(p string) bool { return strings.HasPrefix(lower, p) })
}

// isToken: RFC 9110, section 5.6.2.
func isToken(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}

// isHeaderValue: RFC 9110, section 5.5, without what is obsolete there.
func isHeaderValue(value string) bool {
	return value != "" && strings.Trim(value, " ") == value && !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' })
}

// namesOf are the headers' names as they are sent.
func namesOf(given map[string]string) []string {
	names := make([]string, 0, len(given))
	for _, name := range slices.Sorted(maps.Keys(given)) {
		names = append(names, http.CanonicalHeaderKey(name))
	}
	return names
}

// wireHeaders is how headers are sealed: as they are sent, a line for each. No checked value has a line's end in it.
func wireHeaders(given map[string]string) string {
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(given)) {
		out.WriteString(http.CanonicalHeaderKey(name) + ": " + given[name] + "\r\n")
	}
	return out.String()
}

// headersOf reads what wireHeaders wrote.
func headersOf(wire string) http.Header {
	headers := http.Header{}
	for line := range strings.SplitSeq(strings.TrimSuffix(wire, "\r\n"), "\r\n") {
		if name, value, ok := strings.Cut(line, ": "); ok {
			headers[name] = []string{value}
		}
	}
	return headers
}
