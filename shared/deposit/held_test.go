package deposit_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"farrier/shared/deposit"
	"farrier/shared/dynamo"
	"farrier/shared/money"
)

// word is what a provider says of one object, for short: "paid 10", "part 4", "back", "back 3", "back 3 r1", "gone".
func word(text string) deposit.Statement {
	st := deposit.Statement{
		Merchant: "mer_1", Shards: 4, Connection: "con_1", Provider: "acme", Object: "ch/1",
		Asset: "iso4217:EUR", Decimals: 2, At: noon,
	}
	var kind, refund string
	var amount int64
	if n, _ := fmt.Sscanf(text, "%s %d %s", &kind, &amount, &refund); n == 0 {
		panic(text)
	}
	st.Amount, st.Refund = money.Units(amount), refund
	st.Part, st.Back, st.Gone = kind == "part", kind == "back" || kind == "gone", kind == "gone"
	return st
}

func noPayment(context.Context) (string, error) { return "", nil }

var heldKey = dynamo.Key{PK: "mer_1", SK: "held/con_1/ch/1"}

// says states a word; "!" before it expects a contradiction.
func (x table) says(text string) {
	x.t.Helper()
	plain, contradicts := strings.CutPrefix(text, "!")
	_, err := x.State(x.t.Context(), word(plain), noPayment, noon)
	var found *deposit.ContradictionError
	if errors.As(err, &found) != contradicts || (err != nil && !contradicts) {
		x.t.Errorf("%s: %v", text, err)
	}
}

func TestWhatStandsIsNeverMoreThanTheLastTotalSaid(t *testing.T) {
	for _, c := range []struct {
		said   string
		state  deposit.State
		amount int64
		round  int
	}{
		{"paid 10", deposit.Final, 10, 0},
		{"paid 10, paid 10, paid 10", deposit.Final, 10, 0},
		{"paid 10, !paid 11, !paid 9, paid 10", deposit.Final, 10, 0},
		{"part 3, part 6, paid 10", deposit.Final, 10, 2},
		{"part 6, part 3, part 6, paid 10", deposit.Final, 10, 1},
		{"paid 10, part 3, part 6, part 10", deposit.Final, 10, 0},
		{"paid 10, !part 12", deposit.Final, 10, 0},
		{"part 10, paid 8", deposit.Final, 8, 1},
		{"part 10, paid 10, !paid 12, !part 12", deposit.Final, 10, 0},
		{"paid 10, back", deposit.Reversed, 10, 1},
		{"paid 10, gone, paid 10", deposit.Reversed, 10, 1},
		{"paid 10, back, back, paid 10, !paid 12", deposit.Reversed, 10, 1},
		{"back, paid 10", deposit.Dropped, 0, 0},
		{"gone, part 3, paid 10", deposit.Dropped, 0, 0},
		{"paid 10, back 3", deposit.Final, 7, 1},
		{"paid 10, back 3, back 3, back 5, back 3", deposit.Final, 5, 2},
		{"paid 10, back 10", deposit.Reversed, 10, 1},
		{"paid 10, back 12", deposit.Reversed, 10, 1},
		{"paid 10, back 3 r1, back 3 r2, back 3 r1", deposit.Final, 4, 2},
		{"paid 10, back 3 r1, !back 4 r1", deposit.Final, 7, 1},
		{"back 3, paid 10, back 3", deposit.Final, 7, 0},
		{"back 10, paid 10", deposit.Dropped, 0, 0},
		{"part 3, back 3, paid 10", deposit.Final, 7, 1},
	} {
		t.Run(c.said, func(t *testing.T) {
			x := newTable(t)
			for text := range strings.SplitSeq(c.said, ", ") {
				if strings.HasPrefix(text, "!paid") && c.state == deposit.Reversed {
					text = strings.TrimPrefix(text, "!") // what was taken back whole needs no alarm: nothing can follow
				}
				x.says(text)
			}
			d, err := x.Get(t.Context(), heldKey)
			if err != nil || d.State != c.state || d.Amount.Cmp(money.Units(c.amount)) != 0 || d.Round != c.round {
				t.Errorf("%s with %s in round %d, %v; want %s with %d in round %d", d.State, d.Amount, d.Round, err, c.state, c.amount, c.round)
			}
		})
	}
}

// TestTheOrderOfWordsDoesNotMatter holds for words that do not contradict each other.
func TestTheOrderOfWordsDoesNotMatter(t *testing.T) {
	words := []string{"part 3", "part 6", "paid 10", "paid 10", "back 2 r1", "back 4 r2"}
	for seed := range uint64(20) {
		x := newTable(t)
		for _, i := range rand.New(rand.NewPCG(seed, 0)).Perm(len(words)) {
			x.says(words[i])
		}
		if d, err := x.Get(t.Context(), heldKey); err != nil || d.State != deposit.Final || d.Amount.Cmp(money.Units(4)) != 0 {
			t.Errorf("seed %d: %s with %s, %v", seed, d.State, d.Amount, err)
		}
	}
}

func TestAnotherAssetIsAContradiction(t *testing.T) {
	for _, change := range []func(*deposit.Statement){
		func(s *deposit.Statement) { s.Asset = "iso4217:USD" },
		func(s *deposit.Statement) { s.Decimals = 3 },
	} {
		x := newTable(t)
		x.says("paid 10")
		st := word("paid 10")
		change(&st)
		var found *deposit.ContradictionError
		if _, err := x.State(t.Context(), st, noPayment, noon); !errors.As(err, &found) {
			t.Error(err)
		}
	}
}

func TestAnObjectCountsForTheFirstPaymentThatItNamed(t *testing.T) {
	x := newTable(t)
	names := func(payment string) func(context.Context) (string, error) {
		return func(context.Context) (string, error) { return payment, nil }
	}
	for _, payment := range []string{"pay_1", "pay_2", ""} {
		if _, err := x.State(t.Context(), word("paid 10"), names(payment), noon); err != nil {
			t.Fatal(err)
		}
	}
	if of, _, err := x.ByPayment(t.Context(), "mer_1", "pay_1", 10, ""); err != nil || len(of) != 1 || of[0].ID != deposit.HeldID("con_1", "ch/1") {
		t.Errorf("%+v, %v", of, err)
	}
	other := word("paid 5")
	other.Object = "ch/2"
	if _, err := x.State(t.Context(), other, noPayment, noon); err != nil {
		t.Fatal(err)
	}
	all, _, err := x.ByMerchant(t.Context(), "mer_1", 10, "")
	if err != nil || len(all) != 2 || all[0].Payment != "pay_1" || all[1].Payment != "" || all[1].Shard >= 4 {
		t.Errorf("%+v, %v", all, err)
	}
	if v := all[1].View(); v.Provider != "acme" || v.Connection != "con_1" || v.Object != "ch/2" || v.Transaction != "" || v.Amount != "0.05" {
		t.Errorf("%+v", v)
	}
}

func TestAHundredWordsAtOnceMakeOneDeposit(t *testing.T) {
	x := newTable(t)
	var wait sync.WaitGroup
	for i := range 100 {
		wait.Go(func() {
			for { // as the stream does with what others were faster at
				payment := fmt.Sprintf("pay_%d", i%3)
				_, err := x.State(context.Background(), word([]string{"part 4", "paid 10", "back 1 r1"}[i%3]), func(context.Context) (string, error) { return payment, nil }, noon)
				if err == nil {
					return
				}
			}
		})
	}
	wait.Wait()
	all, _, err := x.ByMerchant(t.Context(), "mer_1", 10, "")
	if err != nil || len(all) != 1 || all[0].State != deposit.Final || all[0].Amount.Cmp(money.Units(9)) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestOnlyWhatWasNeverThereRaisesAnAlarm(t *testing.T) {
	x := newTable(t)
	x.says("paid 10")
	x.says("back")
	if x.alarms.Len() > 0 {
		t.Error(x.alarms.String())
	}
	y := newTable(t)
	y.says("paid 10")
	y.says("gone")
	if !strings.Contains(y.alarms.String(), `"DepositReversed":1`) {
		t.Error("no alarm")
	}
}
