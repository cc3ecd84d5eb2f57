package callback

import (
	"context"
	"slices"
	"testing"

	"farrier/shared/problem"
)

const (
	alchemyWebhook = "wh_octjglnywaupz6th"
	moralisStream  = "3fa84f64-5717-4562-b3fc-2c963f66afa6"
)

func TestTheIDThatAddressesAreRegisteredWithIsOfItsProvider(t *testing.T) {
	for _, c := range []struct {
		provider string
		settings Settings
		refused  bool
	}{
		{"alchemy", Settings{WebhookID: alchemyWebhook}, false},
		{"alchemy", Settings{WebhookID: alchemyWebhook, Chain: "eip155:137"}, false},
		{"alchemy", Settings{WebhookID: moralisStream}, true},
		{"alchemy", Settings{WebhookID: "wh_a/../b"}, true},
		{"alchemy", Settings{WebhookID: alchemyWebhook, Chain: "bip122:000000000019d6689c085ae165831e93"}, true},
		{"moralis", Settings{WebhookID: moralisStream}, false},
		{"moralis", Settings{WebhookID: alchemyWebhook}, true},
		{"moralis", Settings{WebhookID: "../" + moralisStream}, true},
		{"moralis", Settings{WebhookID: moralisStream + "\n"}, true},
		{"tatum", Settings{WebhookID: moralisStream}, true},
	} {
		err := c.settings.fits(c.provider, sources[c.provider])
		if (err != nil) != c.refused || (err != nil && problem.Of(err).Field != "webhook_id") {
			t.Errorf("%s %+v: %v", c.provider, c.settings, err)
		}
	}
}

func TestWhatRegistersHasACredentialOfItsSource(t *testing.T) {
	if names := Registrars(); !slices.Equal(names, []string{"alchemy", "moralis"}) {
		t.Errorf("%v", names)
	}
	for _, name := range Registrars() {
		source := sources[name]
		if !slices.ContainsFunc(source.Credentials, func(c Credential) bool {
			return c.Name == source.Registering.Credential && c.Apart && !c.Required
		}) {
			t.Errorf("%s registers by a credential that it has not, or that is more than that", name)
		}
	}
}

func TestAConnectionRegistersWhileItHasKeyAndID(t *testing.T) {
	table, ctx := connections(t), context.Background()
	conn, _, err := table.Create(ctx, Asked{Merchant: "mer_1", Provider: "alchemy", Secret: "a signing key of the webhook"})
	if err != nil || conn.Registers() {
		t.Fatalf("without key and id: %+v, %v", conn, err)
	}
	other, _, err := table.Create(ctx, Asked{
		Merchant: "mer_1", Provider: "moralis", Secret: "a streams secret of the account", Settings: Settings{WebhookID: moralisStream},
		Credentials: map[string]string{"api_key": "the key of the account"},
	})
	if err != nil || other.RegistersFrom != 1 {
		t.Fatalf("with both: %+v, %v", other, err)
	}
	is, not := true, false
	for _, step := range []struct {
		what      string
		change    Change
		registers bool
		from      int64
	}{
		{"the id alone", Change{Settings: Settings{WebhookID: alchemyWebhook}}, false, 0},
		{"and the key", Change{Credentials: map[string]string{"auth_token": "the token of the team"}}, true, 3},
		{"something else", Change{Care: Care{KeepDays: 7}}, true, 3},
		{"another key", Change{Credentials: map[string]string{"auth_token": "another token of the team"}}, true, 5},
		{"another webhook", Change{Settings: Settings{WebhookID: "wh_another"}}, true, 6},
		{"disabled", Change{Enabled: &not}, false, 0},
		{"enabled", Change{Enabled: &is}, true, 8},
		{"without the key", Change{Clear: []string{"credentials.auth_token"}}, false, 0},
	} {
		step.change.Version = conn.Version
		if conn, _, err = table.Change(ctx, conn, step.change); err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
		if conn.Registers() != step.registers || conn.RegistersFrom != step.from {
			t.Errorf("%s: registers %t from %d", step.what, conn.Registers(), conn.RegistersFrom)
		}
		found, err := table.Registering(ctx, "mer_1")
		if want := 1 + map[bool]int{true: 1}[step.registers]; err != nil || len(found) != want {
			t.Errorf("%s: %d are found, want %d, %v", step.what, len(found), want, err)
		}
	}
	if found, err := table.Registering(ctx, "mer_2"); len(found) != 0 || err != nil {
		t.Errorf("another merchant has %d, %v", len(found), err)
	}
}
