package callback

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"farrier/shared/problem"
	"farrier/shared/seal"
)

func TestAnOrdersAddressIsBelievedForThatOrderAlone(t *testing.T) {
	bodies := map[string]string{
		"tokenpocket":     `{"result": 1, "action": "pushTransaction", "actionId": "a", "txID": "0x1"}`,
		"imtoken":         `{"chain": "eip155:137", "hash": "0x1"}`,
		"bitpay-unsigned": `{"id": "i", "status": "paid"}`,
	}
	for _, provider := range Providers() {
		if !sources[provider].Orders {
			continue
		}
		t.Run(provider, func(t *testing.T) {
			table, ctx := connections(t), context.Background()
			conn, _, err := table.Create(ctx, Asked{Merchant: "mer_1", Provider: provider})
			if err != nil {
				t.Fatal(err)
			}
			keys := &Keyring{Sealer: table.Sealer, Now: table.Now}
			for _, order := range []string{"order-7", "a/b?c=d&e#f,g", "订单 7", strings.Repeat("x", 128)} {
				query, err := table.OrderAddress(ctx, conn, order)
				if err != nil {
					t.Fatal(err)
				}
				named, err := url.ParseQuery(query)
				if err != nil || named.Get("order") != order {
					t.Fatalf("%s, %v", query, err)
				}
				d := Delivery{Body: []byte(bodies[provider]), Query: named, At: noon}
				event, err := conn.Verify(ctx, d, keys)
				if err != nil {
					t.Errorf("%s: %v", order, err)
				}
				d.Query = url.Values{"order": {order + "8"}, "secret": {named.Get("secret")}}
				if _, err := conn.Verify(ctx, d, keys); !errors.Is(err, NoMatch) {
					t.Errorf("another order with this one's secret: %v", err)
				}
				d.Query = url.Values{"order": {order}}
				if _, err := conn.Verify(ctx, d, keys); !errors.Is(err, QueryMissing) {
					t.Errorf("without the secret: %v", err)
				}
				if strings.Contains(event, named.Get("secret")) {
					t.Errorf("%s tells the secret", event)
				}
			}
			if len(bodies[provider]) == 0 {
				t.Error("is not in the list of this test")
			}
		})
	}
	if n := len(slices.DeleteFunc(Providers(), func(p string) bool { return !sources[p].Orders })); n != len(bodies) {
		t.Errorf("%d providers", n)
	}
}

func TestWhatHasNoOrderAddressIsToldSo(t *testing.T) {
	table, conn := rotating(t)
	if _, err := table.OrderAddress(context.Background(), conn, "order-7"); !problem.Is(err, problem.Invalid) {
		t.Error(err)
	}
	conn.Provider = "imtoken"
	for _, order := range []string{"", strings.Repeat("x", 129), "a\nb", "\xff"} {
		if _, err := table.OrderAddress(context.Background(), conn, order); problem.Of(err).Field != "order" {
			t.Errorf("%q: %v", order, err)
		}
	}
}

func TestAnOrdersAddressOutlivesARotationUntilTheOldSecretEnds(t *testing.T) {
	table, ctx := connections(t), context.Background()
	conn, _, err := table.Create(ctx, Asked{Merchant: "mer_1", Provider: "imtoken"})
	if err != nil {
		t.Fatal(err)
	}
	before, err := table.OrderAddress(ctx, conn, "order-7")
	if err != nil {
		t.Fatal(err)
	}
	conn, _ = table.must(t, conn, Change{NewSecret: true})
	after, err := table.OrderAddress(ctx, conn, "order-7")
	if err != nil || after == before {
		t.Fatalf("%s, %v", after, err)
	}
	for at, good := range map[time.Duration][2]bool{0: {true, true}, 25 * time.Hour: {false, true}} {
		now := func() time.Time { return noon.Add(at) }
		keys := &Keyring{Sealer: &seal.Sealer{Client: table.Sealer.Client, KeyID: table.Sealer.KeyID, Now: now}, Now: now}
		for i, query := range []string{before, after} {
			named, _ := url.ParseQuery(query)
			if _, err := conn.Verify(ctx, Delivery{Body: []byte(`{}`), Query: named, At: now()}, keys); (err == nil) != good[i] {
				t.Errorf("%s later, address %d: %v", at, i, err)
			}
		}
	}
}
