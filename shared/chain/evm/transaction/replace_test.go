package transaction

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"farrier/shared/money"
)

func TestAReplacementCostsATenthMoreRoundedUpOrWhatIsWanted(t *testing.T) {
	for _, c := range []struct{ max, tip, wantedMax, wantedTip, newMax, newTip string }{
		{"100", "10", "0", "0", "110", "11"},
		{"101", "11", "0", "0", "112", "13"}, // 111.1 and 12.1
		{"1", "0", "0", "0", "2", "1"},
		{"1", "1", "0", "0", "2", "2"},
		{"100", "10", "200", "0", "200", "11"},
		{"100", "10", "200", "50", "200", "50"},
		{"100", "10", "105", "105", "110", "105"},
	} {
		tx := paid(Dynamic, token)
		tx.Price = Price{Max: units(c.max), Tip: units(c.tip)}
		again, err := tx.Raised(Price{units(c.wantedMax), units(c.wantedTip)}, units("1000"))
		if err != nil || again.Price.Max.String() != c.newMax || again.Price.Tip.String() != c.newTip {
			t.Errorf("%+v: %+v, %v", c, again.Price, err)
		}
	}
}

func TestAReplacementOverTheLimitIsNone(t *testing.T) {
	tx := paid(Legacy, "")
	tx.Price.Max = units("100")
	if again, err := tx.Raised(Price{}, units("110")); err != nil || again.Price.Max.Cmp(units("110")) != 0 {
		t.Errorf("%+v, %v", again, err)
	}
	for _, wanted := range []Price{{}, {Max: units("111")}} {
		if again, err := tx.Raised(wanted, units("109")); !errors.Is(err, ErrLimit) || again != (Transaction{}) {
			t.Errorf("%+v, %v", again, err)
		}
	}
	var wrong *Error
	if _, err := tx.Raised(Price{Max: units("1"), Tip: units("2")}, units("1000")); !errors.As(err, &wrong) {
		t.Errorf("a tip over the price: %v", err)
	}
	tx.Gas = 0
	if _, err := tx.Raised(Price{}, units("1000")); !errors.As(err, &wrong) {
		t.Errorf("one that is no transaction is replaced: %v", err)
	}
}

func TestAReplacementChangesNothingButThePrice(t *testing.T) {
	old := paid(Dynamic, token)
	good, err := old.Raised(Price{}, units("1000000000000"))
	if err != nil || good.Replaces(old) != nil {
		t.Fatalf("%v, %v", err, good.Replaces(old))
	}
	for what, change := range map[string]func(*Transaction){
		"the kind":       func(x *Transaction) { x.Kind, x.Price.Tip = Legacy, money.Amount{} },
		"the chain":      func(x *Transaction) { x.Chain = "eip155:1" },
		"the nonce":      func(x *Transaction) { x.Nonce++ },
		"the gas":        func(x *Transaction) { x.Gas++ },
		"what is paid":   func(x *Transaction) { x.Token = "" },
		"whose token":    func(x *Transaction) { x.Token = sender(t).address() },
		"who is paid":    func(x *Transaction) { x.To = sender(t).address() },
		"how much":       func(x *Transaction) { x.Amount = x.Amount.Add(money.Units(1)) },
		"how much, less": func(x *Transaction) { x.Amount = x.Amount.Sub(money.Units(1)) },
	} {
		changed := good
		change(&changed)
		if err := changed.Replaces(old); !errors.Is(err, ErrOthers) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, change := range map[string]func(*Transaction){
		"the same price":       func(x *Transaction) { x.Price = old.Price },
		"a price below":        func(x *Transaction) { x.Price.Max = x.Price.Max.Sub(money.Units(1)) },
		"a tip below":          func(x *Transaction) { x.Price.Tip = x.Price.Tip.Sub(money.Units(1)) },
		"the old price's tip":  func(x *Transaction) { x.Price.Tip = old.Price.Tip },
		"the old price's most": func(x *Transaction) { x.Price.Max = old.Price.Max },
	} {
		changed := good
		change(&changed)
		if err := changed.Replaces(old); !errors.Is(err, ErrTooLow) {
			t.Errorf("%s: %v", what, err)
		}
	}
	var wrong *Error
	changed := good
	changed.To = ""
	if err := changed.Replaces(old); !errors.As(err, &wrong) {
		t.Errorf("one that is no transaction replaces another: %v", err)
	}
}

// A node (geth's list.Add) takes a replacement where both parts of its price are larger, and at least the old ones times
// 110, divided by 100 without rest.
func TestEveryReplacementRisesIsTakenByANodeAndStaysUnderItsLimit(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		old := anything.Draw(r, "transaction")
		limit := money.Units(rapid.Int64Range(0, 1<<52).Draw(r, "limit"))
		for step := 0; ; step++ {
			most := rapid.Int64Range(0, 1<<52).Draw(r, "wanted")
			wanted := Price{money.Units(most), money.Units(rapid.Int64Range(0, most).Draw(r, "wanted tip"))}
			again, err := old.Raised(wanted, limit)
			if errors.Is(err, ErrLimit) {
				if larger(raised(old.Price.Max), wanted.Max).Cmp(limit) <= 0 {
					r.Fatalf("%+v to %+v is under %s", old.Price, wanted, limit)
				}
				return
			}
			if err != nil {
				r.Fatal(err)
			}
			bump := func(a money.Amount) money.Amount {
				b := a.Big()
				b.Mul(b, money.Units(110).Big()).Div(b, money.Units(100).Big())
				x, _ := money.FromBig(b)
				return x
			}
			if again.Price.Max.Cmp(old.Price.Max) <= 0 || again.Price.Max.Cmp(bump(old.Price.Max)) < 0 || again.Price.Max.Cmp(limit) > 0 || again.Price.Max.Cmp(wanted.Max) < 0 {
				r.Fatalf("the price %s after %s, limit %s", again.Price.Max, old.Price.Max, limit)
			}
			if old.Kind == Dynamic && (again.Price.Tip.Cmp(old.Price.Tip) <= 0 || again.Price.Tip.Cmp(bump(old.Price.Tip)) < 0) {
				r.Fatalf("the tip %s after %s", again.Price.Tip, old.Price.Tip)
			}
			if err := again.Replaces(old); err != nil {
				r.Fatal(err)
			}
			if step > 600 {
				r.Fatal("it never comes to the limit")
			}
			old = again
		}
	})
}
