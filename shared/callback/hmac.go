package callback

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"strings"
	"time"

	"farrier/shared/problem"
)

// configurableHMAC is any provider whose header is an HMAC over the body, perhaps with the time or the
// event's id: what is left to choose is in the connection's settings.
var configurableHMAC = Source{
	Settle: func(s *Settings) error {
		if s.HMAC == nil {
			return problem.Field("hmac", "is required: it says how the provider signs")
		}
		settled := *s.HMAC // the caller's stays as it is
		s.HMAC = &settled
		return settled.settle()
	},
	Trusts:      []Trust{Look},
	Paths:       true,
	CheckSecret: checkSharedText,
	NewSecret:   newSharedText,
	Verify:      verifyHMAC,
	Read:        readPaths,
	Answer:      ok,
}

// HMAC says how a provider signs.
type HMAC struct {
	Header    string `json:"header" dynamodbav:"header"`                             // that holds the signature
	Algorithm string `json:"algorithm,omitempty" dynamodbav:"algorithm"`             // "sha256" (default) or "sha512"
	Encoding  string `json:"encoding,omitempty" dynamodbav:"encoding"`               // "hex" (default) or "base64"
	Prefix    string `json:"prefix,omitempty" dynamodbav:"prefix,omitempty"`         // before the signature: "sha256="
	Template  string `json:"template,omitempty" dynamodbav:"template"`               // what is signed, of {id}, {timestamp} and {body}
	EventPath string `json:"event_path,omitempty" dynamodbav:"event_path,omitempty"` // to the event's id in a body of JSON

	// EventHeader holds the event's id. Where the template does not sign it, one that heard a callback can
	// send it again under other ids: more receipts and more looks, no money.
	EventHeader string `json:"event_header,omitempty" dynamodbav:"event_header,omitempty"`

	TimestampHeader string `json:"timestamp_header,omitempty" dynamodbav:"timestamp_header,omitempty"`
	TimestampUnit   string `json:"timestamp_unit,omitempty" dynamodbav:"timestamp_unit,omitempty"` // "s" (default) or "ms"
	WindowSeconds   int    `json:"window_seconds,omitempty" dynamodbav:"window_seconds,omitempty"` // default 300
}

// A provider that stamps the event and not the attempt needs a window as long as it goes on trying.
const longestWindow = 7 * 24 * 60 * 60

// headerForm is a header's name, in lower case (RFC 9110, section 5.6.2).
func headerForm(s string) bool {
	return madeOf(s, "abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~", 1, 64)
}

func (h *HMAC) settle() error {
	h.Header, h.TimestampHeader, h.EventHeader = strings.ToLower(h.Header), strings.ToLower(h.TimestampHeader), strings.ToLower(h.EventHeader)
	h.Algorithm, h.Encoding = or(h.Algorithm, "sha256"), or(h.Encoding, "hex")
	if h.TimestampHeader == "" {
		h.Template = or(h.Template, "{body}")
	} else {
		h.Template, h.TimestampUnit = or(h.Template, "{timestamp}.{body}"), or(h.TimestampUnit, "s")
		h.WindowSeconds = or(h.WindowSeconds, int(standardWindow/time.Second))
	}
	return h.check()
}

func (h *HMAC) check() error {
	named := func(s string) bool { return s == "" || headerForm(s) }
	switch {
	case h.Header == "" || !named(h.Header):
		return problem.Field("hmac.header", "must be the name of a header")
	case h.Algorithm != "sha256" && h.Algorithm != "sha512":
		return problem.Field("hmac.algorithm", `must be "sha256" or "sha512"`)
	case h.Encoding != "hex" && h.Encoding != "base64":
		return problem.Field("hmac.encoding", `must be "hex" or "base64"`)
	case len(h.Prefix) > 32 || strings.Contains(h.Prefix, ",") || !printable(h.Prefix):
		return problem.Field("hmac.prefix", "must be at most 32 printable characters without a comma")
	case !named(h.TimestampHeader):
		return problem.Field("hmac.timestamp_header", "must be the name of a header")
	case !named(h.EventHeader):
		return problem.Field("hmac.event_header", "must be the name of a header")
	case h.EventPath != "" && !pathForm(h.EventPath):
		return problem.Field("hmac.event_path", pathRule)
	case h.EventPath != "" && h.EventHeader != "":
		return problem.Field("hmac.event_path", "cannot be set beside event_header")
	case h.TimestampHeader == "" && (h.WindowSeconds != 0 || h.TimestampUnit != ""):
		return problem.Field("hmac.timestamp_header", "is required for a window or a unit")
	case h.TimestampHeader != "" && h.TimestampUnit != "s" && h.TimestampUnit != "ms":
		return problem.Field("hmac.timestamp_unit", `must be "s" or "ms"`)
	case h.TimestampHeader != "" && (h.WindowSeconds < 1 || h.WindowSeconds > longestWindow):
		return problem.Field("hmac.window_seconds", "must be from 1 to 604800")
	}
	return h.checkTemplate()
}

// checkTemplate sees to it that the body is signed, that a time that is checked is signed too, and that
// nothing is to be signed that is not there.
func (h *HMAC) checkTemplate() error {
	bodies, stamps, ids := strings.Count(h.Template, "{body}"), strings.Count(h.Template, "{timestamp}"), strings.Count(h.Template, "{id}")
	timestamps := 0
	if h.TimestampHeader != "" {
		timestamps = 1
	}
	switch {
	case len(h.Template) > 128:
		return problem.Field("hmac.template", "must be at most 128 characters")
	case bodies != 1:
		return problem.Field("hmac.template", "must have {body} once")
	case stamps != timestamps:
		return problem.Field("hmac.template", "must have {timestamp} once where there is a timestamp_header, and not otherwise")
	case ids > 1 || (ids == 1 && h.EventHeader == ""):
		return problem.Field("hmac.template", "may have {id} once, where there is an event_header")
	case strings.Count(h.Template, "{") != bodies+stamps+ids:
		return problem.Field("hmac.template", "may have {id}, {timestamp} and {body} only")
	}
	return nil
}

// The key of the HMAC is the secret's text as it stands. The sender chose it, so only what is surely a mistake is refused.
func checkSharedText(secret string) error {
	if len(secret) < 8 || len(secret) > longestSecret || !printable(secret) {
		return errors.New("must be 8 to 256 characters of printable ASCII")
	}
	return nil
}

func newSharedText(random io.Reader) (string, error) {
	var b [32]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", err
	}
	return hex.EncodeToString(b[:]), nil
}

func verifyHMAC(_ context.Context, d Delivery, s Settings, k Keys) (string, error) {
	h := s.HMAC
	if h == nil {
		return "", errors.New("callback: a connection of the provider hmac without its settings")
	}
	given, err := d.Headers.one(h.Header)
	if err != nil {
		return "", err
	}
	given, prefixed := strings.CutPrefix(given, h.Prefix)
	if !prefixed {
		return "", HeaderMalformed
	}
	content, err := h.signed(d)
	if err != nil {
		return "", err
	}
	if err := hmacSigned(h.algorithm(), k.Secrets, encoding(h.Encoding), given, content); err != nil {
		return "", err
	}
	return h.event(d, s.Format), nil
}

// signed is what the provider signed, or why the delivery cannot be believed whatever its signature is.
func (h *HMAC) signed(d Delivery) (string, error) {
	event, stamp := d.Headers[h.EventHeader], ""
	if strings.Contains(event, ",") {
		return "", HeaderDoubled
	}
	if h.TimestampHeader != "" {
		var err error
		if stamp, err = d.Headers.one(h.TimestampHeader); err != nil {
			return "", err
		}
		unit := time.Second
		if h.TimestampUnit == "ms" {
			unit = time.Millisecond
		}
		if err := d.inTime(stamp, unit, time.Duration(h.WindowSeconds)*time.Second); err != nil {
			return "", err
		}
	}
	return strings.NewReplacer("{id}", event, "{timestamp}", stamp, "{body}", string(d.Body)).Replace(h.Template), nil
}

func (h *HMAC) algorithm() func() hash.Hash {
	if h.Algorithm == "sha512" {
		return sha512.New
	}
	return sha256.New
}

// event is the provider's id of a delivery whose signature was right; a body that names none is its own.
func (h *HMAC) event(d Delivery, format string) string {
	if given := d.Headers[h.EventHeader]; h.EventHeader != "" && given != "" {
		return eventID(given)
	}
	if h.EventPath == "" {
		return hashed(d.Body)
	}
	doc, err := parseAs(format, d.Body)
	if err != nil {
		return hashed(d.Body)
	}
	switch v := doc.at(h.EventPath).(type) {
	case string:
		return eventID(v)
	case json.Number:
		return eventID(v.String())
	default:
		return hashed(d.Body)
	}
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
