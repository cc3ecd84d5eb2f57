package callback

import (
	"context"
	"crypto"
	"net/http"
)

// Keys are what a connection's deliveries are verified with, and its encrypted bodies opened.
type Keys struct {
	// Secrets verify a signature: shared secrets and public keys, as the API was given them, valid now.
	Secrets []string
	// Credentials are the named secrets that the source needs besides (Source.Credentials).
	Credentials map[string]string
	// Published are the provider's public keys under an id, or all of them under "". It fails with KeyUnknown
	// where the provider has none of this id, and otherwise for trouble. It is nil where the source publishes none.
	Published func(ctx context.Context, id string) ([]crypto.PublicKey, error)
}

// KeyOpener opens a connection's keys. A Keyring does.
type KeyOpener interface {
	Keys(ctx context.Context, c Connection) (Keys, error)
}

// Credential is a named secret of a connection, beside those that verify.
type Credential struct {
	Name     string // as the API has it: lower case with underscores
	Required bool
	Check    func(string) error // its error follows the field's name; nil: any text of up to 4,096 bytes
	// Fetches marks one that only fetching published keys needs: where keys were given it is not required.
	Fetches bool
	// Apart marks one that only calls to the provider's API need: neither verifying nor reading opens it.
	Apart bool
	// Reads marks one that only reading needs: verifying does not open it.
	Reads bool
}

// Published says where a provider publishes its public keys.
type Published struct {
	// Hosts are all that may be asked. The URL is https and names one of them.
	Hosts []string
	// URL is where the keys are; one URL may hold many keys or, named by the id, one. The id came from a delivery
	// that nobody has verified yet: letters, digits and "-_.:=+@" only, 1 to 128 of them, or "".
	URL func(s Settings, id string) string
	// Header is what the request has beside; nil: nothing.
	Header func(credentials map[string]string) http.Header
	// Read gives the keys in an answer (at most 64 KB) by their ids.
	Read func(body []byte, id string) (map[string]crypto.PublicKey, error)
}
