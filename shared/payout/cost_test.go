package payout

import (
	"context"
	"errors"
	"testing"
	"time"

	"farrier/shared/money"
	"farrier/shared/parts"
)

func cost() Cost {
	return Cost{
		Base: money.Units(30), CoinGas: 21_000, TokenGas: 100_000, At: noon,
		Prices: map[Speed]Price{Normal: {FeePerGas: money.Units(62), TipPerGas: money.Units(2)}, Slow: {FeePerGas: money.Units(31), TipPerGas: money.Units(2)}},
	}
}

func TestAPayoutMayCostSomeTimesItsPriceAndNeverMoreThanAnyMay(t *testing.T) {
	c := cost()
	for what, got := range map[string]struct{ got, want money.Amount }{
		"the fee of the coin":       {c.Fee(pol, Normal), money.Units(32 * 21_000)},
		"the fee of a token":        {c.Fee(usdt, Normal), money.Units(32 * 100_000)},
		"a fee at its most":         {c.Fee(pol, Slow), money.Units(31 * 21_000)},
		"what is asked":             {c.Asks(pol, Normal), money.Units(62 * 21_000)},
		"the most":                  {c.Most(pol, Normal, money.Units(1<<60)), money.Units(3 * 62 * 21_000)},
		"the most under a low cap":  {c.Most(pol, Normal, money.Units(62*21_000+1)), money.Units(62*21_000 + 1)},
		"of a speed that is absent": {c.Asks(pol, Fast), money.Units(0)},
	} {
		if got.got.Cmp(got.want) != 0 {
			t.Errorf("%s: %s, not %s", what, got.got, got.want)
		}
	}
}

func TestConformanceACostIsForgottenAfterAWhileAndAnOlderOneChangesNothing(t *testing.T) {
	s, ctx := Costs{Table: parts.Table(t)}, context.Background()
	if _, err := s.Get(ctx, "eip155:137", noon); !errors.Is(err, ErrNoCost) {
		t.Fatal(err)
	}
	older := cost()
	older.At, older.Base = noon.Add(-time.Second), money.Units(7)
	for _, c := range []Cost{cost(), cost(), older} {
		if err := s.Tell(ctx, "eip155:137", c); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Get(ctx, "eip155:137", noon.Add(KeepCost))
	if err != nil || got.Base.Cmp(money.Units(30)) != 0 || got.Prices[Slow].FeePerGas.Cmp(money.Units(31)) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := s.Get(ctx, "eip155:137", noon.Add(KeepCost+time.Millisecond)); !errors.Is(err, ErrNoCost) {
		t.Error(err)
	}
	if _, err := s.Get(ctx, "eip155:1", noon); !errors.Is(err, ErrNoCost) {
		t.Error(err)
	}
}
