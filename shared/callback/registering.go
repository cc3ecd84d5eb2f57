package callback

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"farrier/shared/dynamo"
	"farrier/shared/problem"
)

// Registering says that a provider watches addresses which it must be told of, and that it is told through its API (see
// package register, which makes the calls).
type Registering struct {
	// Credential is the one of Source.Credentials that the API takes.
	Credential string
	// CheckID refuses what is not an id of the provider's webhook or stream; its error follows the field's name.
	CheckID func(string) error
}

// RegisteringFamily is the family of chains whose addresses are registered.
const RegisteringFamily = "eip155"

// settleRegistering checks the id of what addresses are registered with.
func (s Settings) settleRegistering(source Source) error {
	if s.WebhookID == "" {
		return nil
	}
	if source.Registering == nil {
		return problem.Field("webhook_id", "is not for this provider: no addresses are registered with it")
	}
	if err := source.Registering.CheckID(s.WebhookID); err != nil {
		return problem.Field("webhook_id", err.Error())
	}
	if s.Chain != "" && !strings.HasPrefix(s.Chain, RegisteringFamily+":") {
		return problem.Field("webhook_id", "is for EVM chains only")
	}
	return nil
}

// registering is the connection as it registers addresses. Where it did not before, or with another key or for another
// webhook, it begins with this version, and registers once more what was there before.
func (c Connection) registering(before Connection) Connection {
	source := sources[c.Provider]
	if c.Disabled || c.Settings.WebhookID == "" || source.Registering == nil || c.Credentials[source.Registering.Credential] == "" {
		c.RegistersFrom = 0
		return c
	}
	key := source.Registering.Credential
	if !before.Registers() || before.Settings.WebhookID != c.Settings.WebhookID || before.Credentials[key] != c.Credentials[key] {
		c.RegistersFrom = c.Version
	}
	return c
}

// Registers says whether its merchant's addresses are registered with the provider.
func (c Connection) Registers() bool { return c.RegistersFrom > 0 }

// registersList is the partition of the names of a merchant's connections that register or once did (an index would be a
// second one, see watchList).
func registersList(merchant string) string { return "registers " + merchant }

// enlist puts a connection that begins to register on its merchant's list, before it is written: a name too many does nothing.
func (c Connections) enlist(ctx context.Context, conn, before Connection) error {
	if !conn.Registers() || before.Registers() {
		return nil
	}
	return c.list(ctx, listed{PK: registersList(conn.Merchant), SK: conn.ID})
}

// Registering are a merchant's connections that register addresses, as the table has them now.
func (c Connections) Registering(ctx context.Context, merchant string) ([]Connection, error) {
	var found []Connection
	err := c.Table.Each(ctx, dynamo.Query{PK: registersList(merchant)}, func(item dynamo.Item) error {
		var name listed
		if err := dynamo.Unmarshal(item, &name); err != nil {
			return err
		}
		conn, err := c.Get(ctx, name.SK)
		switch {
		case errors.Is(err, ErrUnknown): // it was about to be made
			return nil
		case err != nil:
			return err
		case conn.Registers() && conn.Merchant == merchant:
			found = append(found, conn)
		}
		return nil
	})
	return found, err
}

// RegisteringKey names the credential that the provider's API takes.
func (c Connection) RegisteringKey() (string, bool) {
	source, err := sourceOf(c.Provider)
	if err != nil || source.Registering == nil {
		return "", false
	}
	return source.Registering.Credential, true
}

// Registrars are the providers that addresses are registered with.
func Registrars() []string {
	var names []string
	for _, name := range Providers() {
		if sources[name].Registering != nil {
			names = append(names, name)
		}
	}
	return names
}

var (
	alchemyID = regexp.MustCompile(`^wh_[0-9A-Za-z]{1,64}$`)
	uuidForm  = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
)

// checkAlchemyID: "wh_…", as in the examples of https://www.alchemy.com/docs/reference/notify-api-quickstart (read 2026-11-24).
func checkAlchemyID(id string) error {
	if !alchemyID.MatchString(id) {
		return errors.New(`must be the webhook's id, such as "wh_octjglnywaupz6th"`)
	}
	return nil
}

// checkMoralisID: a UUID (https://docs.moralis.com/streams/api-reference/streams/add-address-to-stream, read 2026-11-24).
func checkMoralisID(id string) error {
	if !uuidForm.MatchString(strings.ToLower(id)) {
		return errors.New("must be the stream's id, a UUID")
	}
	return nil
}
