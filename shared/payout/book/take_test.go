package book

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"farrier/shared/dynamo"
	"farrier/shared/ledger"
	"farrier/shared/money"
	"farrier/shared/payout"
)

const dollar = money.Asset("eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f")

// having are the balances of an account whose parts have these amounts available.
func having(amounts ...int64) (all []ledger.Balance) {
	for shard, amount := range amounts {
		b := ledger.NoBalance("mer_1", dollar, 6, shard)
		b.Version, b.Legs = 1, ledger.Legs{ledger.Available: money.Units(amount), ledger.Custody: money.Units(-amount)}
		all = append(all, b)
	}
	return all
}

func TestAPayoutTakesWhatThereIsAndNoMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amounts := rapid.SliceOfN(rapid.Int64Range(-5, 20), 0, 8).Draw(t, "amounts")
		p := payout.Payout{ID: rapid.StringN(1, 5, -1).Draw(t, "id"), Amount: money.Units(rapid.Int64Range(1, 60).Draw(t, "amount"))}
		var has int64
		for _, a := range amounts {
			has += a
		}
		parts, touched, err := take(p, having(amounts...))
		var short *ShortError
		if wants := p.Amount.Big().Int64(); has < wants {
			if !errors.As(err, &short) || short.Has.Cmp(money.Units(has)) != 0 || short.Negative() != (has < 0) {
				t.Fatalf("%d of %v: %v", wants, amounts, err)
			}
			return
		}
		if err != nil {
			t.Fatalf("%s of %v: %v", p.Amount, amounts, err)
		}
		var sum, rests money.Amount
		for _, part := range parts {
			if part.Amount.Sign() <= 0 || part.Amount.Cmp(money.Units(amounts[part.Shard])) > 0 {
				t.Fatalf("%v gives %+v", amounts, part)
			}
			sum = sum.Add(part.Amount)
		}
		if sum.Cmp(p.Amount) != 0 {
			t.Fatalf("%v gives %s for %s", amounts, sum, p.Amount)
		}
		on := map[int]bool{}
		for _, b := range touched {
			if on[b.Shard] {
				t.Fatalf("%d is touched twice", b.Shard)
			}
			on[b.Shard] = true
			rests = rests.Add(b.Legs[ledger.Available])
		}
		if rests.Cmp(p.Amount) < 0 {
			t.Fatalf("%v: what the decision rests on comes to %s, and %s are taken", amounts, rests, p.Amount)
		}
		for shard, a := range amounts {
			if a < 0 && !on[shard] || !on[shard] && slices.ContainsFunc(parts, func(part payout.Part) bool { return part.Shard == shard }) {
				t.Fatalf("%v: the decision does not rest on part %d", amounts, shard)
			}
		}
	})
}

func TestAPayoutIsTakenFromFewPartsAndSeveralPayoutsFromSeveral(t *testing.T) {
	for name, c := range map[string]struct {
		amounts []int64
		want    []payout.Part
	}{
		"one has enough":         {[]int64{3, 12, 4}, []payout.Part{{Shard: 1, Amount: money.Units(10)}}},
		"the largest come first": {[]int64{3, 6, 5}, []payout.Part{{Shard: 1, Amount: money.Units(6)}, {Shard: 2, Amount: money.Units(4)}}},
		"a debt is covered":      {[]int64{-5, 8, 9}, []payout.Part{{Shard: 2, Amount: money.Units(9)}, {Shard: 1, Amount: money.Units(1)}}},
	} {
		got, _, err := take(payout.Payout{ID: "out_1", Amount: money.Units(10)}, having(c.amounts...))
		if err != nil || !slices.EqualFunc(got, c.want, func(a, b payout.Part) bool { return a.Shard == b.Shard && a.Amount.Cmp(b.Amount) == 0 }) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	asked := map[int]bool{}
	for i := range 20 {
		parts, _, err := take(payout.Payout{ID: "out_" + string(rune('a'+i)), Amount: money.Units(1)}, having(5, 5, 5, 5))
		if err != nil {
			t.Fatal(err)
		}
		asked[parts[0].Shard] = true
	}
	if len(asked) < 3 {
		t.Errorf("20 payouts all ask the parts %v", asked)
	}
}

func TestWhatDoesNotFitIntoOneTransactionIsToldAndNotTried(t *testing.T) {
	var amounts []int64
	for range MaxParts {
		amounts = append(amounts, 1)
	}
	p := payout.Payout{ID: "out_1", Amount: money.Units(MaxParts)}
	if parts, touched, err := take(p, having(amounts...)); err != nil || 2*len(parts)+3 > dynamo.MaxWrites || len(touched) != MaxParts {
		t.Errorf("%d parts, %v", len(parts), err)
	}
	p.Amount = money.Units(MaxParts + 1)
	if _, _, err := take(p, having(append(amounts, 1)...)); !errors.Is(err, ErrSpread) {
		t.Error(err)
	}
	// All 64 parts are looked at: ten of them owe, and 44 of the others give.
	p.Amount = money.Units(44)
	if _, _, err := take(p, having(slices.Concat(slices.Repeat([]int64{-1}, 10), slices.Repeat([]int64{1}, 54))...)); !errors.Is(err, ErrSpread) {
		t.Error(err)
	}
	p.Amount = money.Units(32)
	if _, _, err := take(p, having(slices.Concat(slices.Repeat([]int64{-1}, 16), slices.Repeat([]int64{1}, 48))...)); err != nil {
		t.Error(err)
	}
}
