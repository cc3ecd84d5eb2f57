package pool_test

import (
	"testing"

	"farrier/shared/chain"
	"farrier/shared/chain/pool"
	"farrier/shared/money"
)

func TestTwoEndpointsTellTheSameOnlyWhereEveryPartOfItIsTheSame(t *testing.T) {
	one := func() pool.Told {
		return pool.Told{End: "a", Transfers: []chain.Transfer{{Tx: "t", Index: "log-0", Amount: money.Units(5)}, {Tx: "u", Index: "native", Amount: money.Units(6)}}}
	}
	if !one().Same(one()) || !(pool.Told{}).Same(pool.Told{}) {
		t.Error("the same is not the same")
	}
	for what, change := range map[string]func(*pool.Told){
		"another end":        func(x *pool.Told) { x.End = "b" },
		"one less":           func(x *pool.Told) { x.Transfers = x.Transfers[:1] },
		"another amount":     func(x *pool.Told) { x.Transfers[1].Amount = money.Units(7) },
		"another payee":      func(x *pool.Told) { x.Transfers[0].To = "x" },
		"another block":      func(x *pool.Told) { x.Transfers[0].Block.Hash = "x" },
		"in another order":   func(x *pool.Told) { x.Transfers[0], x.Transfers[1] = x.Transfers[1], x.Transfers[0] },
		"another log number": func(x *pool.Told) { x.Transfers[0].Index = "log-1" },
	} {
		other := one()
		change(&other)
		if one().Same(other) || other.Same(one()) {
			t.Errorf("%s is taken for the same", what)
		}
	}
}
