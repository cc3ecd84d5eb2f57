package callback

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"farrier/shared/chain"
	"farrier/shared/dynamo"
	"farrier/shared/parts"
	"farrier/shared/problem"
	"farrier/shared/seal"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func chains(t testing.TB) *chain.Set {
	t.Helper()
	set, err := chain.ParseSet(`[{"id":"eip155:137","name":"Polygon","block_time":"2s","finality":{"depth":1}}]`)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// connections is the real table and the real KMS.
func connections(t testing.TB) Connections {
	t.Helper()
	client, key := parts.Key(t)
	now := func() time.Time { return noon }
	return Connections{
		Table:  parts.Table(t, parts.Index{Name: MerchantIndex, Partition: "merchant", Sort: "id"}),
		Sealer: &seal.Sealer{Client: client, KeyID: key, Now: now},
		Chains: chains(t), Now: now, Random: rand.Reader,
	}
}

func TestAConnectionIsStoredWithItsSecretsSealed(t *testing.T) {
	table, ctx := connections(t), context.Background()
	created, made, err := table.Create(ctx, Asked{Merchant: "mer_1", Provider: "standard-webhooks", Keys: []string{secretA, secretB}})
	if err != nil || made != "" {
		t.Fatalf("%q, %v", made, err)
	}
	got, err := table.Get(ctx, created.ID)
	if err != nil || !reflect.DeepEqual(got, created) {
		t.Fatalf("got %+v, want %+v, %v", got, created, err)
	}
	if got.Trust != Look || got.Version != 1 || !got.CreatedAt.Equal(noon) {
		t.Errorf("%+v", got)
	}
	var raw map[string]any
	if err := table.Table.Get(ctx, dynamo.Key{PK: created.ID, SK: "connection"}, &raw); err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(raw); strings.Contains(text, "MfKQ") || strings.Contains(text, "C2FV") {
		t.Error("a secret is readable in the table")
	}
	keys, err := (&Keyring{Sealer: table.Sealer, Now: table.Now}).Keys(ctx, got)
	if err != nil || !reflect.DeepEqual(keys.Secrets, []string{secretA, secretB}) {
		t.Errorf("%v, %v", keys.Secrets, err)
	}
	got.ID = "con_00000000000000000000000000"
	table.Sealer = &seal.Sealer{Client: table.Sealer.Client, KeyID: table.Sealer.KeyID, Now: table.Now}
	if _, err := (&Keyring{Sealer: table.Sealer, Now: table.Now}).Keys(ctx, got); err == nil {
		t.Error("another connection opened the secret")
	}
}

func TestASecretIsMadeWhereNoneIsGiven(t *testing.T) {
	table, ctx := connections(t), context.Background()
	for provider, settings := range map[string]Settings{"standard-webhooks": {}, "hmac": {HMAC: &HMAC{Header: "x-sig"}}} {
		created, made, err := table.Create(ctx, Asked{Merchant: "mer_1", Provider: provider, Settings: settings})
		if err != nil {
			t.Fatal(err)
		}
		if err := sources[provider].CheckSecret(made); err != nil {
			t.Errorf("%s: the secret that was made %v", provider, err)
		}
		if keys, err := (&Keyring{Sealer: table.Sealer, Now: table.Now}).Keys(ctx, created); err != nil || !reflect.DeepEqual(keys.Secrets, []string{made}) {
			t.Errorf("%s: %v", provider, err)
		}
		view, err := json.Marshal(created.View())
		if err != nil || strings.Contains(string(view), made) || strings.Contains(string(view), created.Sealed) {
			t.Errorf("%s: the view shows a secret: %s, %v", provider, view, err)
		}
	}
}

func TestAConnectionThatDoesNotExistIsUnknownAndAMalformedIDNeverReachesTheTable(t *testing.T) {
	if _, err := connections(t).Get(context.Background(), "con_01JD0000000000000000000000"); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	unreachable := Connections{} // has no client to reach a table with
	for _, id := range []string{"", "con_", "con_x", "mer_01JD0000000000000000000000", "con_01jd0000000000000000000000", "con_01JD0000000000000000000000#", strings.Repeat("x", 5000)} {
		if _, err := unreachable.Get(context.Background(), id); !errors.Is(err, ErrUnknown) {
			t.Errorf("%.40q: %v", id, err)
		}
	}
}

func TestWhatAConnectionCannotBeIsRefusedByTheFieldsName(t *testing.T) {
	table := Connections{Chains: chains(t), Now: time.Now, Random: rand.Reader} // refused before KMS or table are asked
	header := &HMAC{Header: "x-sig"}
	for _, c := range []struct {
		field string
		asked Asked
	}{
		{"merchant", Asked{Provider: "standard-webhooks"}},
		{"provider", Asked{Merchant: "m"}},
		{"provider", Asked{Merchant: "m", Provider: "Standard-Webhooks"}},
		{"trust", Asked{Merchant: "m", Provider: "standard-webhooks", Trust: "statement"}},
		{"secret", Asked{Merchant: "m", Provider: "standard-webhooks", Secret: "whsec_short"}},
		{"secret", Asked{Merchant: "m", Provider: "standard-webhooks", Secret: "whsk_" + strings.Repeat("A", 86) + "=="}},
		{"secret", Asked{Merchant: "m", Provider: "hmac", Secret: "short", Settings: Settings{HMAC: header}}},
		{"secret", Asked{Merchant: "m", Provider: "hmac", Secret: strings.Repeat("x", 257), Settings: Settings{HMAC: header}}},
		{"secret", Asked{Merchant: "m", Provider: "hmac", Secret: "two lines are\nnone", Settings: Settings{HMAC: header}}},
		{"keys", Asked{Merchant: "m", Provider: "standard-webhooks", Secret: secretA, Keys: []string{secretB}}},
		{"keys", Asked{Merchant: "m", Provider: "standard-webhooks", Keys: make([]string, 11)}},
		{"keys[1]", Asked{Merchant: "m", Provider: "standard-webhooks", Keys: []string{secretA, ""}}},
		{"hmac", Asked{Merchant: "m", Provider: "hmac"}},
		{"hmac", Asked{Merchant: "m", Provider: "standard-webhooks", Settings: Settings{HMAC: header}}},
		{"hmac.header", Asked{Merchant: "m", Provider: "hmac", Settings: Settings{HMAC: &HMAC{}}}},
		{"chain", Asked{Merchant: "m", Provider: "standard-webhooks", Settings: Settings{Chain: "polygon"}}},
		{"chain", Asked{Merchant: "m", Provider: "standard-webhooks", Settings: Settings{Chain: "eip155:5"}}},
		{"chain_path", Asked{Merchant: "m", Provider: "standard-webhooks", Settings: Settings{Chain: "eip155:137", ChainPath: "a"}}},
		{"chain_path", Asked{Merchant: "m", Provider: "standard-webhooks", Settings: Settings{ChainPath: ".a"}}},
		{"transaction_path", Asked{Merchant: "m", Provider: "standard-webhooks", Settings: Settings{TransactionPath: strings.Repeat("a", 129)}}},
		{"transaction_path", Asked{Merchant: "m", Provider: "standard-webhooks", Settings: Settings{TransactionPath: "\xff"}}},
	} {
		_, made, err := table.Create(context.Background(), c.asked)
		if !problem.Is(err, problem.Invalid) || problem.Of(err).Field != c.field || made != "" {
			t.Errorf("%s: %v", c.field, err)
		}
		if c.asked.Secret != "" && strings.Contains(err.Error(), c.asked.Secret) {
			t.Errorf("%s: the error repeats the secret", c.field)
		}
	}
}

func TestAChainIsNamedAsCAIP2Names(t *testing.T) {
	for name, good := range map[string]bool{
		"eip155:137": true, "bip122:000000000019d6689c085ae165831e93": true, "tron:0x2b6653dc": true, "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp": true,
		"": false, "polygon": false, "ei:1": false, "eip155:": false, "eip155:1/x": false, "EIP155:1": false, "eip155:1:2": false, "toolongname:1": false,
		"eip155:" + strings.Repeat("1", 33): false,
	} {
		if chainForm(name) != good {
			t.Errorf("%q", name)
		}
	}
}

func TestTheLargestSecretsFitWhatKMSEncrypts(t *testing.T) {
	many := make([]Secret, mostSecrets)
	for i := range many {
		many[i] = Secret{Text: strings.Repeat("x", longestSecret), Ends: &noon}
	}
	if all := len(sealedSecrets(many)); all > mostSealed {
		t.Errorf("%d bytes", all)
	}
}
