package callback

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
)

// Source is one kind of provider: what is asked of it when a connection is made, when a callback comes and
// when its receipt is read.
type Source struct {
	// Settle completes a connection's settings and refuses, by the field's name, those that cannot work.
	Settle func(*Settings) error
	// CheckSecret refuses a secret (or a public key) that is not of the provider's form; its error
	// follows the field's name.
	CheckSecret func(secret string) error
	// NewSecret makes a secret for a connection that was given none; nil where only the provider can.
	NewSecret func(random io.Reader) (string, error)
	// Verify proves that one of the secrets signed the delivery, in time, and gives the provider's own id
	// of the event. Its error is Refused for what lies in the delivery, any other for trouble of ours.
	Verify func(Delivery, Settings, []string) (event string, err error)
	// Read says what a body means; its error is a ReadError. Sources of JSON may use readPaths.
	Read func(body []byte, s Settings) ([]Hint, error)
	// Answer is what the provider takes for success.
	Answer Answer
}

// Answer is an HTTP answer without a choice in it.
type Answer struct {
	Status      int
	ContentType string
	Body        string
}

// ok is what most providers take for success: any 2xx, and 200 for those that read "2xx" narrowly.
var ok = Answer{Status: http.StatusOK}

// sources is the registry: the API's provider names, in lower case with hyphens. It never changes.
var sources = map[string]Source{
	"standard-webhooks": standardWebhooks,
	"hmac":              configurableHMAC,
}

// Providers are the names that a connection may have for its provider.
func Providers() []string { return slices.Sorted(maps.Keys(sources)) }

// sourceOf fails for a provider that another version of this code knew.
func sourceOf(provider string) (Source, error) {
	s, known := sources[provider]
	if !known {
		return Source{}, fmt.Errorf("callback: no source is named %q", provider)
	}
	return s, nil
}
