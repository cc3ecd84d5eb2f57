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

// registering is the connection with the mark of those that register addresses. RegistersFrom names the version that
// began it: what was there before is registered once more where the key, or what it is for, is another.
func (c Connection) registering(before Connection) Connection {
	source := sources[c.Provider]
	if c.Disabled || c.Settings.WebhookID == "" || source.Registering == nil || c.Credentials[source.Registering.Credential] == "" {
		c.Registers, c.RegistersFrom = "", 0
		return c
	}
	key := source.Registering.Credential
	if before.Registers == "" || before.Settings.WebhookID != c.Settings.WebhookID || before.Credentials[key] != c.Credentials[key] {
		c.RegistersFrom = c.Version
	}
	c.Registers = c.Merchant
	return c
}

// RegistersIndex is the sparse index of connections that register addresses: keys "registers", which is the merchant, and "id".
const RegistersIndex = "registers"

// Registering are a merchant's connections that register addresses, as the table has them now. The index is a moment
// behind the table.
func (c Connections) Registering(ctx context.Context, merchant string) ([]Connection, error) {
	var found []Connection
	q := dynamo.Query{PK: merchant, Index: RegistersIndex, PartitionAttr: "registers", SortAttr: "id"}
	err := c.Table.Each(ctx, q, func(item dynamo.Item) error {
		var key Connection // the index holds keys only
		if err := dynamo.Unmarshal(item, &key); err != nil {
			return err
		}
		conn, err := c.Get(ctx, key.PK)
		if err == nil && conn.Registers == merchant {
			found = append(found, conn)
		}
		return err
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
