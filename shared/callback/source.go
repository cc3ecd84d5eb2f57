package callback

import (
	"context"
	"io"
	"net/http"
)

// Source is one kind of provider: what is asked of it when a connection is made, when a callback comes and
// when its receipt is read.
type Source struct {
	// Trusts are what a connection may be trusted with, the usual one first.
	Trusts []Trust
	// Settle completes a connection's settings and refuses, by the field's name, those that cannot work; nil
	// where there is nothing beside what every source has.
	Settle func(*Settings) error
	// Paths: Read follows the connection's own paths (readPaths). Other sources know their bodies, and refuse paths.
	Paths bool
	// Regions are the parts of the provider that a connection may be with, the usual one first; nil where it has one.
	Regions []string
	// CheckSecret refuses a secret (or a public key) that is not of the provider's form; its error follows the
	// field's name. nil: nothing is given, since the provider publishes its keys. Where it publishes them and there is
	// a CheckSecret too, a connection may be given keys: then these are believed alone, and none is fetched.
	CheckSecret func(secret string) error
	// NewSecret makes a secret for a connection that was given none; nil where only the provider can.
	NewSecret func(random io.Reader) (string, error)
	// Orders: nothing is signed, and each order has an address of its own, with a secret in it (see order.go).
	Orders bool
	// Credentials are the named secrets beside those that verify.
	Credentials []Credential
	// Published is where the provider's public keys are; nil where it publishes none.
	Published *Published
	// Verify proves that one of the keys signed the delivery, in time, and gives the provider's own id of the
	// event (eventID, hashed). Its error is Refused for what lies in the delivery, any other for trouble of ours.
	Verify func(ctx context.Context, d Delivery, s Settings, k Keys) (event string, err error)
	// Read says what a body means; its error is a ReadError or an UnknownError. Its keys are empty unless Encrypted.
	Read func(body []byte, s Settings, k Keys) ([]Notice, error)
	// Encrypted: Read needs the keys.
	Encrypted bool
	// Held are the kinds of notices that tell of money that the provider holds; nil: all that can. A source that tells of
	// the same money as a deposit and as a payment, under two ids, names the one that is believed.
	Held []Kind
	// Registering is how it is told which addresses to watch; nil where it is not.
	Registering *Registering
	// Asking is how the provider's API is asked for the object of a notice; nil where nobody can be asked.
	Asking *Asking
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
