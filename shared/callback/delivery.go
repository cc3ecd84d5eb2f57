package callback

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Delivery is one callback as it came.
type Delivery struct {
	Method   string
	URL      string // as the provider called it: scheme, host, path and query
	Query    url.Values
	Headers  Headers
	Body     []byte // byte for byte
	SourceIP string
	At       time.Time // when it came, by our clock
}

// Refused is why a delivery was not believed: a word for our log, not for the sender.
type Refused string

func (r Refused) Error() string { return "refused: " + string(r) }

// The refusals.
const (
	HeaderMissing   Refused = "header missing"
	HeaderDoubled   Refused = "header doubled"
	HeaderMalformed Refused = "header malformed"
	QueryMissing    Refused = "query parameter missing"
	QueryDoubled    Refused = "query parameter doubled"
	BodyMalformed   Refused = "body malformed" // where the signature is in it, or is over what it says
	OutsideWindow   Refused = "outside the time window"
	NoMatch         Refused = "no signature matches"
	KeyUnknown      Refused = "no published key of that id"
	NotAllowed      Refused = "from an address that is not allowed"
	Disabled        Refused = "the connection is disabled"
)

// Headers are a request's headers under names in lower case. A header that came twice is joined by a
// comma, as API Gateway does
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html, read 2026-11-21).
type Headers map[string]string

// NewHeaders takes names in any case.
func NewHeaders(from map[string]string) Headers {
	h := make(Headers, len(from))
	for name, value := range from {
		name = strings.ToLower(name)
		if first, twice := h[name]; twice {
			value = first + "," + value
		}
		h[name] = value
	}
	return h
}

// one is the value of a header that must be there once; such a value has no comma of its own.
func (h Headers) one(name string) (string, error) {
	value := h[name]
	switch {
	case value == "":
		return "", HeaderMissing
	case strings.Contains(value, ","):
		return "", HeaderDoubled
	}
	return value, nil
}

// parameter is the value of a query parameter that must be there once.
func (d Delivery) parameter(name string) (string, error) {
	switch values := d.Query[name]; {
	case len(values) == 0 || values[0] == "":
		return "", QueryMissing
	case len(values) > 1:
		return "", QueryDoubled
	default:
		return values[0], nil
	}
}

// inTime reads a stamp (digits, of the unit) and refuses one that is further from the delivery than the window.
func (d Delivery) inTime(stamp string, unit, window time.Duration) error {
	const longest = len("9999999999999") // milliseconds, to the year 2286
	if stamp == "" || len(stamp) > longest || strings.Trim(stamp, "0123456789") != "" {
		return HeaderMalformed
	}
	n, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return HeaderMalformed
	}
	signed := time.Unix(n, 0)
	if unit == time.Millisecond {
		signed = time.UnixMilli(n)
	}
	if d.At.Sub(signed).Abs() > window {
		return OutsideWindow
	}
	return nil
}

// longestEvent is how long a provider's event id may be before its hash stands for it: a sort key holds 1,024 bytes.
const longestEvent = 256

// eventID is a provider's id as part of a table's key: itself, or its hash where it is too long, is not
// visible ASCII or has the "#" that tells a second body from the first.
func eventID(given string) string {
	if given != "" && len(given) <= longestEvent && !strings.Contains(given, "#") && visible(given) {
		return given
	}
	return hashed([]byte(given))
}

func hashed(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// visible: ASCII without spaces and controls.
func visible(s string) bool { return printable(s) && !strings.Contains(s, " ") }

// printable: ASCII without controls.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// madeOf says whether a name has these characters only and a length in bounds. A regular expression would
// do the same and cost the function a fifth of its start.
func madeOf(s, characters string, shortest, longest int) bool {
	return len(s) >= shortest && len(s) <= longest && strings.Trim(s, characters) == ""
}
