package merchant

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"farrier/shared/dynamo"
	"farrier/shared/parts"
	"farrier/shared/payment"
	"farrier/shared/problem"
	"farrier/shared/wallet"
)

// xpub and xprv are the two halves of m/44'/60'/1' of the mnemonic "test test … junk".
const (
	xpub = "xpub6Ce9NcJvTk372KjsGfWqbcex5DumjpNquQLApoeQUavSCjEc823BV1tb4rXUuPuht8h2hSxkg2EXUaKUJmniJvRZAELxypsCzBFdtosmV76"
	// xprv is BIP-32's test vector 1 at m: a private key that the whole world knows.
	xprv = "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"
)

var start = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func store(t *testing.T) Store {
	t.Helper()
	return Store{Table: parts.Table(t), Now: func() time.Time { return start }, Random: rand.Reader}
}

func shop(t *testing.T, s Store) Merchant {
	t.Helper()
	m, err := s.Create(context.Background(), Request{Name: "Shop", Accounts: wallet.Accounts{"eip155": xpub}})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func issue(t *testing.T, s Store, merchant string, scopes ...Scope) (Key, string) {
	t.Helper()
	k, text, err := s.IssueKey(context.Background(), merchant, "back end", scopes)
	if err != nil {
		t.Fatal(err)
	}
	return k, text
}

func TestConformanceAMerchantIsReadAsItWasMade(t *testing.T) {
	s := store(t)
	made := shop(t, s)
	got, err := s.Get(context.Background(), made.ID)
	if err != nil || !reflect.DeepEqual(got, made) || got.Shards != 1 {
		t.Fatalf("%+v, %v; made %+v", got, err, made)
	}
}

func TestWhatCannotBeAMerchantIsRefusedByTheFieldsName(t *testing.T) {
	s := Store{Now: time.Now, Random: rand.Reader}
	for name, c := range map[string]struct {
		r     Request
		field string
	}{
		"no name":          {Request{Accounts: wallet.Accounts{"eip155": xpub}}, "name"},
		"long name":        {Request{Name: strings.Repeat("é", MaxName+1), Accounts: wallet.Accounts{"eip155": xpub}}, "name"},
		"unprintable name": {Request{Name: "a\x00b", Accounts: wallet.Accounts{"eip155": xpub}}, "name"},
		"name not UTF-8":   {Request{Name: "\xff", Accounts: wallet.Accounts{"eip155": xpub}}, "name"},
		"negative shards":  {Request{Name: "Shop", Accounts: wallet.Accounts{"eip155": xpub}, Shards: -1}, "shards"},
		"many shards":      {Request{Name: "Shop", Accounts: wallet.Accounts{"eip155": xpub}, Shards: MaxShards + 1}, "shards"},
		"no xpub":          {Request{Name: "Shop"}, "xpub"},
		"private key":      {Request{Name: "Shop", Accounts: wallet.Accounts{"eip155": xprv}}, "xpub"},
		"wrong checksum":   {Request{Name: "Shop", Accounts: wallet.Accounts{"eip155": xpub[:len(xpub)-1] + "7"}}, "xpub"},
	} {
		_, err := s.Create(context.Background(), c.r)
		var p *problem.Error
		if !errors.As(err, &p) || p.Field != c.field {
			t.Errorf("%s: %v", name, err)
		} else if key := c.r.Accounts["eip155"]; key != "" && strings.Contains(err.Error(), key) {
			t.Errorf("%s: the refusal repeats the key", name)
		}
	}
}

func TestConformanceASecondRunMakesTheSameMerchantAndTheSameKey(t *testing.T) {
	s := store(t)
	again := func() Store {
		s := s
		s.Random = strings.NewReader(strings.Repeat("randomness", 10))
		return s
	}
	first, second := shop(t, again()), shop(t, again())
	if !reflect.DeepEqual(first, second) {
		t.Fatalf("%+v, then %+v", first, second)
	}
	k1, text1 := issue(t, again(), first.ID, Everything)
	k2, text2 := issue(t, again(), first.ID, Everything)
	if k1.ID != k2.ID || text1 != text2 {
		t.Fatalf("%s, then %s", k1.ID, k2.ID)
	}
}

func TestConformanceAKeyOpensTheDoorToItsMerchantWithItsScopes(t *testing.T) {
	s := store(t)
	m := shop(t, s)
	_, text := issue(t, s, m.ID, PaymentsRead, LedgerRead)
	caller, err := (&Door{Store: s, Now: s.Now}).Authenticate(context.Background(), text)
	if err != nil || !reflect.DeepEqual(caller.Merchant, m) || caller.Operator {
		t.Fatalf("%+v, %v", caller, err)
	}
	for scope, may := range map[Scope]bool{PaymentsRead: true, LedgerRead: true, PaymentsWrite: false, MerchantsWrite: false} {
		if caller.May(scope) != may {
			t.Errorf("%s: %t", scope, !may)
		}
	}
}

func TestConformanceAKeyIsStoredAsItsHashAlone(t *testing.T) {
	s := store(t)
	k, text := issue(t, s, shop(t, s).ID, Everything)
	var item map[string]any
	if err := s.Table.Get(context.Background(), dynamo.Key{PK: k.PK, SK: k.SK}, &item); err != nil {
		t.Fatal(err)
	}
	secret := text[len(text)-43:]
	for name, v := range item {
		if s, ok := v.(string); ok && strings.Contains(s, secret) {
			t.Errorf("%s holds the key's text", name)
		}
	}
}

func TestAllOfAMerchantsScopesDoNotMakeAnOperator(t *testing.T) {
	if (Caller{Scopes: []Scope{Everything}}).May(MerchantsWrite) {
		t.Error("a merchant's key makes merchants")
	}
	if !(Caller{Operator: true}).May(MerchantsWrite) {
		t.Error("the operator does not")
	}
}

func TestTheOperatorIsKnownByItsHash(t *testing.T) {
	d := &Door{OperatorKeyHash: hashOf("fk_op_secret"), Now: time.Now}
	if caller, err := d.Authenticate(context.Background(), "fk_op_secret"); err != nil || !caller.Operator {
		t.Fatalf("%+v, %v", caller, err)
	}
	for _, token := range []string{"", "fk_op_secre", "fk_op_secret ", "fk_op_secret,fk_op_secret", hashOf("fk_op_secret")} {
		if caller, err := d.Authenticate(context.Background(), token); !problem.Is(err, problem.Unauthorized) || caller.Operator {
			t.Errorf("%q: %+v, %v", token, caller, err)
		}
	}
}

func TestWithoutAnOperatorsHashNobodyIsTheOperator(t *testing.T) {
	if caller, err := (&Door{Now: time.Now}).Authenticate(context.Background(), ""); err == nil || caller.Operator {
		t.Fatalf("%+v, %v", caller, err)
	}
}

func TestConformanceEveryWrongKeyIsTheSameRefusal(t *testing.T) {
	s := store(t)
	m := shop(t, s)
	_, text := issue(t, s, m.ID, Everything)
	revoked, revokedText := issue(t, s, m.ID, Everything)
	if err := s.RevokeKey(context.Background(), m.ID, revoked.ID); err != nil {
		t.Fatal(err)
	}
	other := shop(t, s)
	for name, token := range map[string]string{
		"none":              "",
		"not one":           "hello",
		"wrong secret":      text[:len(text)-43] + strings.Repeat("A", 43),
		"cut short":         text[:len(text)-1],
		"too long":          text + "A",
		"lower case":        strings.ToLower(text),
		"another merchant":  "fk_" + other.ID[4:] + text[29:],
		"unknown merchant":  "fk_01JD0Z5T3N8Q4W7R2X9Y6V1K5M" + text[29:],
		"unknown key":       text[:30] + "01JD0Z5T3N8Q4W7R2X9Y6V1K5M" + text[56:],
		"revoked":           revokedText,
		"doubled by comma":  text + "," + text,
		"of another length": strings.Repeat("f", 5000),
	} {
		d := &Door{Store: s, Now: s.Now}
		for range 2 { // asked of the table, then of memory
			_, err := d.Authenticate(context.Background(), token)
			if err == nil || err.Error() != errUnknownCaller.Error() {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestConformanceARevokedKeyIsRefusedAfterAMinuteAtMost(t *testing.T) {
	s := store(t)
	m := shop(t, s)
	k, text := issue(t, s, m.ID, Everything)
	now := start
	d := &Door{Store: s, Now: func() time.Time { return now }}
	authenticate := func() error { _, err := d.Authenticate(context.Background(), text); return err }
	if err := authenticate(); err != nil {
		t.Fatal(err)
	}
	if err := s.RevokeKey(context.Background(), m.ID, k.ID); err != nil {
		t.Fatal(err)
	}
	now = now.Add(KeepFor)
	if err := authenticate(); !problem.Is(err, problem.Unauthorized) {
		t.Fatalf("a minute later: %v", err)
	}
	if err := s.RevokeKey(context.Background(), m.ID, k.ID); err != nil {
		t.Fatalf("revoked again: %v", err)
	}
}

func TestConformanceAKeyIsReadOnceAMinute(t *testing.T) {
	s := store(t)
	reads := 0
	counted := parts.Config(t, "FARRIER_TEST_DYNAMODB")
	counted.HTTPClient = countingClient{&reads}
	s.Table.Client = dynamodb.NewFromConfig(counted)
	m := shop(t, s)
	_, text := issue(t, s, m.ID, Everything)
	d, before := &Door{Store: s, Now: s.Now}, reads
	for range 5 {
		if _, err := d.Authenticate(context.Background(), text); err != nil {
			t.Fatal(err)
		}
	}
	if reads-before != 2 { // the key and its merchant
		t.Fatalf("%d requests", reads-before)
	}
	for range 5 {
		_, _ = d.Authenticate(context.Background(), text[:30]+"01JD0Z5T3N8Q4W7R2X9Y6V1K5M"+text[56:])
	}
	if reads-before != 3 { // an unknown key is remembered too
		t.Fatalf("%d requests", reads-before)
	}
}

func TestConformanceTroubleWithTheTableIsNoRefusal(t *testing.T) {
	s := store(t)
	_, text := issue(t, s, shop(t, s).ID, Everything)
	s.Table.Name = "no-such-table"
	_, err := (&Door{Store: s, Now: s.Now}).Authenticate(context.Background(), text)
	if err == nil || problem.Is(err, problem.Unauthorized) {
		t.Fatalf("%v", err)
	}
}

func TestScopesThatAKeyCannotHave(t *testing.T) {
	for name, scopes := range map[string][]Scope{
		"none": nil, "unknown": {"payments:all"}, "the operator's": {MerchantsWrite}, "twice": {PaymentsRead, PaymentsRead},
	} {
		_, _, err := Store{}.IssueKey(context.Background(), "mer_x", "name", scopes)
		var p *problem.Error
		if !errors.As(err, &p) || p.Field != "scopes" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestConformanceNoKeyForAMerchantThatIsNot(t *testing.T) {
	s := store(t)
	if _, _, err := s.IssueKey(context.Background(), "mer_01JD0Z5T3N8Q4W7R2X9Y6V1K5M", "name", []Scope{Everything}); !problem.Is(err, problem.NotFound) {
		t.Fatal(err)
	}
	if err := s.RevokeKey(context.Background(), "mer_01JD0Z5T3N8Q4W7R2X9Y6V1K5M", "key_01JD0Z5T3N8Q4W7R2X9Y6V1K5M"); !problem.Is(err, problem.NotFound) {
		t.Fatal(err)
	}
}

type countingClient struct{ n *int }

func (c countingClient) Do(r *http.Request) (*http.Response, error) {
	*c.n++
	return http.DefaultClient.Do(r)
}

// asBefore stores a merchant as it was stored when there were EVM chains alone.
func asBefore(t *testing.T, s Store) Merchant {
	t.Helper()
	m := shop(t, s)
	if err := s.Table.Delete(context.Background(), dynamo.Key{PK: m.PK, SK: m.SK}); err != nil {
		t.Fatal(err)
	}
	err := s.Table.Create(context.Background(), map[string]any{"pk": m.ID, "sk": "merchant", "id": m.ID, "name": m.Name, "xpub": xpub, "shards": 3, "created_at": m.CreatedAt, "version": 1})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestConformanceAMerchantOfBeforeThereWereSeveralFamiliesKeepsItsAccount(t *testing.T) {
	s := store(t)
	made := asBefore(t, s)
	_, text := issue(t, s, made.ID, Everything)
	got, err := s.Get(context.Background(), made.ID)
	if err != nil || got.Accounts["eip155"] != xpub || len(got.Accounts) != 1 || got.Home != payment.AtAddress || got.Shards != 3 {
		t.Fatalf("%+v, %v", got, err)
	}
	if caller, err := (&Door{Store: s, Now: s.Now}).Authenticate(context.Background(), text); err != nil || caller.Merchant.Accounts["eip155"] != xpub {
		t.Errorf("%+v, %v", caller, err)
	}
	if _, err := s.Change(context.Background(), made.ID, Change{Accounts: wallet.Accounts{"tron": xpub}}); err != nil {
		t.Fatal(err)
	}
	if got, err = s.Get(context.Background(), made.ID); err != nil || got.Accounts["eip155"] != xpub || got.Accounts["tron"] != xpub || got.Home != payment.AtAddress || got.Version != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestConformanceWhereReferencesAreClaimedStaysWhateverAccountsAreAdded(t *testing.T) {
	s := store(t)
	for home, first := range map[payment.Home]wallet.Accounts{payment.AtName: {"tron": xpub}, payment.AtAddress: {"eip155": xpub}} {
		m, err := s.Create(context.Background(), Request{Name: "Shop", Accounts: first})
		if err != nil || m.Home != home {
			t.Fatalf("%+v, %v", m, err)
		}
		if _, err := s.Change(context.Background(), m.ID, Change{Accounts: wallet.Accounts{"tron": xpub, "eip155": xpub}}); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Get(context.Background(), m.ID); err != nil || len(got.Accounts) != 2 || got.Home != home {
			t.Errorf("%+v, %v, want %s", got, err, home)
		}
	}
}

// Without the field it is as the accounts say, and that is stored before there are others.
func TestConformanceAMerchantWithoutAHomeGetsItBeforeItGetsAnAccount(t *testing.T) {
	s := store(t)
	m, err := s.Create(context.Background(), Request{Name: "Shop", Accounts: wallet.Accounts{"tron": xpub}})
	if err != nil {
		t.Fatal(err)
	}
	m.Home, m.Version = "", 2
	if err := s.Table.Replace(context.Background(), m, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Change(context.Background(), m.ID, Change{Accounts: wallet.Accounts{"eip155": xpub}}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(context.Background(), m.ID); err != nil || got.Home != payment.AtName {
		t.Errorf("%+v, %v", got, err)
	}
}
