package wallet_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"farrier/shared/dynamo"
	"farrier/shared/parts"
	"farrier/shared/wallet"
)

func addressOf(n int) wallet.Address {
	name := fmt.Sprintf("0x%040x", n)
	key := wallet.KeyOf("eip155", name)
	return wallet.Address{PK: key.PK, SK: key.SK, Address: name, Merchant: "mer_1", Payment: fmt.Sprint("pay_", n)}
}

// midnight is when a day's last rows are written.
var midnight = time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)

func TestWhoeverClaimsAnAddressEntersItFirst(t *testing.T) {
	roster, addresses, now := parts.Table(t), parts.Table(t), midnight.Add(-10*time.Second)
	r := &wallet.Roster{Table: roster, Now: func() time.Time { return now }}
	for n := range 20 { // the day changes in their midst
		if err := r.Claim(t.Context(), addresses, addressOf(n)); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Second)
	}
	read := func(since time.Time) (found []string) {
		if err := r.Since(t.Context(), since, func(a string) { found = append(found, a) }); err != nil {
			t.Fatal(err)
		}
		slices.Sort(found)
		return found
	}
	if found := read(midnight.Add(-10 * time.Second)); len(found) != 20 || found[3] != "eip155:"+addressOf(3).Address {
		t.Errorf("found %v", found)
	}
	if found := read(midnight.Add(-7 * time.Second)); len(found) != 17 {
		t.Errorf("found %v", found)
	}
	if found := read(midnight.Add(time.Minute)); len(found) != 0 {
		t.Errorf("found %v", found)
	}
	var a wallet.Address
	if err := addresses.Get(t.Context(), wallet.KeyOf("eip155", addressOf(7).Address), &a); err != nil || a.Payment != "pay_7" {
		t.Errorf("%+v, %v", a, err)
	}
	var exists *dynamo.ExistsError
	if err := r.Claim(t.Context(), addresses, addressOf(7)); !errors.As(err, &exists) {
		t.Errorf("claimed twice: %v", err)
	}
}

// slow is a way to the store that takes its time.
type slow struct{ calls func(n int64) error }

func (s *slow) client(t *testing.T) *dynamodb.Client {
	cfg := parts.Config(t, "FARRIER_TEST_DYNAMODB")
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	n := new(atomic.Int64)
	cfg.HTTPClient = &http.Client{Transport: trip(func(r *http.Request) (*http.Response, error) {
		answer, err := http.DefaultTransport.RoundTrip(r)
		if wrong := s.calls(n.Add(1)); wrong != nil {
			return nil, wrong
		}
		return answer, err
	})}
	return dynamodb.NewFromConfig(cfg)
}

type trip func(*http.Request) (*http.Response, error)

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAnAddressThatTookLongToClaimIsEnteredOnceMore(t *testing.T) {
	for _, c := range []struct {
		slow int64 // which call takes ten minutes
		rows int
	}{{0, 1}, {1, 2}, {2, 2}} {
		now := midnight.Add(12 * time.Hour)
		s := &slow{calls: func(n int64) error {
			if n == c.slow {
				now = now.Add(10 * time.Minute)
			}
			return nil
		}}
		client := s.client(t)
		over := func(x dynamo.Table) dynamo.Table { return dynamo.Table{Client: client, Name: x.Name} }
		r := &wallet.Roster{Table: over(parts.Table(t)), Now: func() time.Time { return now }}
		if err := r.Claim(t.Context(), over(parts.Table(t)), addressOf(1)); err != nil {
			t.Fatal(err)
		}
		rows, recent := 0, 0
		if err := r.Since(t.Context(), midnight, func(string) { rows++ }); err != nil {
			t.Fatal(err)
		}
		if err := r.Since(t.Context(), now.Add(-wallet.Promptly), func(string) { recent++ }); err != nil {
			t.Fatal(err)
		}
		if rows != c.rows || recent == 0 {
			t.Errorf("call %d slow: %d rows, %d of them recent", c.slow, rows, recent)
		}
	}
}

func TestNoAddressIsClaimedWhereTheRosterFails(t *testing.T) {
	roster, addresses := parts.Table(t), parts.Table(t)
	now := midnight
	for what, calls := range map[string]func(int64) error{
		"refused":     func(int64) error { return errors.New("refused") },
		"always slow": func(int64) error { now = now.Add(time.Minute); return nil },
	} {
		s := &slow{calls: calls}
		r := &wallet.Roster{Table: dynamo.Table{Client: s.client(t), Name: roster.Name}, Now: func() time.Time { return now }}
		if err := r.Claim(t.Context(), addresses, addressOf(1)); err == nil {
			t.Errorf("%s: claimed", what)
		}
		var a wallet.Address
		if err := addresses.Get(t.Context(), wallet.KeyOf("eip155", addressOf(1).Address), &a); !errors.Is(err, dynamo.ErrMissing) {
			t.Errorf("%s: %+v, %v", what, a, err)
		}
	}
}

func TestWhereNoRosterIsKeptAnAddressIsOneWrite(t *testing.T) {
	addresses := parts.Table(t)
	calls := int64(0)
	s := &slow{calls: func(n int64) error { calls = n; return nil }}
	var none *wallet.Roster
	if err := none.Claim(t.Context(), dynamo.Table{Client: s.client(t), Name: addresses.Name}, addressOf(1)); err != nil || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
}
