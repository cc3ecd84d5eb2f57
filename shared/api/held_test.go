package api

import (
	"context"
	"net/http"
	"testing"

	"farrier/shared/deposit"
	"farrier/shared/money"
)

func TestHeldDepositsShowProviderAndObject(t *testing.T) {
	b := newBench(t)
	owner, key := b.merchant()
	made := b.post(key, "/v1/payments", order).want(t, http.StatusCreated)
	for object, payment := range map[string]string{"ch_1": made.text("id"), "ch_2": ""} {
		st := deposit.Statement{
			Merchant: owner, Connection: "con_" + exampleULID, Provider: "nowpayments", Object: object,
			Asset: "iso4217:EUR", Decimals: 2, Amount: money.Units(1050), At: b.now,
		}
		if _, err := b.Deposits.State(context.Background(), st, func(context.Context) (string, error) { return payment, nil }, b.now); err != nil {
			t.Fatal(err)
		}
	}
	all := b.get(key, "/v1/deposits", "").want(t, http.StatusOK).data(t)
	if len(all) != 2 || all[0]["payment"] != made.text("id") || all[1]["payment"] != "" {
		t.Fatalf("%v", all)
	}
	one := b.get(key, "/v1/deposits", "payment="+made.text("id")).want(t, http.StatusOK).data(t)
	if len(one) != 1 || one[0]["provider"] != "nowpayments" || one[0]["object"] != "ch_1" || one[0]["connection"] != "con_"+exampleULID ||
		one[0]["amount"] != "10.50" || one[0]["asset"] != "iso4217:EUR" || one[0]["status"] != "final" {
		t.Errorf("%v", one)
	}
	for _, absent := range []string{"transaction", "chain", "index", "from", "to", "block_time"} {
		if value, there := one[0][absent]; there {
			t.Errorf("%s is %v", absent, value)
		}
	}
}
