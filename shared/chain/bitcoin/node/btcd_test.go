package node_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/txscript"

	"farrier/shared/chain"
	"farrier/shared/chain/bitcoin/btcd"
	"farrier/shared/chain/bitcoin/node"
	"farrier/shared/chain/evm/anvil"
)

const simnet = chain.ID("bip122:" + btcd.Simnet)

func config() chain.Config {
	return chain.Config{ID: simnet, Native: chain.Native{Symbol: "BTC", Decimals: 8}, Finality: chain.Finality{Depth: 6}}
}

func newNode(t testing.TB, c chain.Config, endpoints ...string) *node.Node {
	t.Helper()
	n, err := node.New(node.Options{Config: c, Endpoints: endpoints, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func owning(ours ...string) chain.Owned {
	return func(_ context.Context, addresses []string) (map[string]bool, error) {
		out := map[string]bool{}
		for _, a := range addresses {
			for _, our := range ours {
				out[a] = out[a] || a == our
			}
		}
		return out, nil
	}
}

// said is a transfer in a line, so that a test can name what it expects.
func said(transfers []chain.Transfer) []string {
	var out []string
	for _, t := range transfers {
		out = append(out, fmt.Sprintf("%s %s of %s to %s", t.Index, t.Amount, t.Asset.Kind()+":"+t.Asset.Reference(), t.To))
	}
	return out
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}

func TestOutputsThatPayUsAreFoundAndNoOthers(t *testing.T) {
	c := btcd.Start(t)
	n := newNode(t, config(), c.URL)
	ours, other := btcd.Address(t), btcd.Address(t)
	from := c.Height() + 1
	tx := c.Tx(
		btcd.Output{To: other, Satoshis: 9},
		btcd.Output{Script: append([]byte{txscript.OP_RETURN, 5}, "hello"...)},
		btcd.Output{To: ours, Satoshis: 5000},
		btcd.Output{To: ours}, // of nothing
		btcd.Output{To: ours, Satoshis: 7})
	c.Mine(tx) // a node would not relay an output of nothing
	id := tx.TxHash().String()
	c.Generate(1)
	again := c.Pay(ours, 11)

	got, err := n.Transfers(t.Context(), from, c.Height(), owning(ours))
	if err != nil {
		t.Fatal(err)
	}
	same(t, said(got), "out-2 5000 of slip44:0 to "+ours, "out-4 7 of slip44:0 to "+ours, "out-0 11 of slip44:0 to "+ours)
	if f := got[0]; f.Tx != id || f.From != "" || f.Decimals != 8 || f.Chain != simnet || f.Block.Height != from || f.Block.Hash != c.Hash(from) || got[2].Tx != again {
		t.Errorf("%+v", got)
	}
	settled, err := n.Settled(t.Context(), from, c.Height(), owning(ours))
	if err != nil || fmt.Sprint(settled) != fmt.Sprint(got) {
		t.Errorf("Settled tells %+v, %v; Transfers told %+v", settled, err, got)
	}
	block, moved, err := n.Transaction(t.Context(), id)
	if err != nil || block != got[0].Block {
		t.Fatalf("Transaction tells %+v, %v; Transfers told %+v", block, err, got[0].Block)
	}
	if len(moved) != 4 || moved[0].To != other || fmt.Sprint(moved[1]) != fmt.Sprint(got[0]) || moved[3].Amount.Sign() <= 0 { // to whomever, with the change
		t.Errorf("%q", said(moved))
	}
	for _, at := range []func(context.Context, uint64) (chain.Block, error){n.BlockAt, n.Sure} {
		if b, err := at(t.Context(), block.Height); err != nil || b != block || !b.Time.Equal(c.TimeOf(block.Height)) {
			t.Errorf("the block is %+v, %v; want %+v", b, err, block)
		}
	}
	if head, err := n.Head(t.Context()); err != nil || head.Height != c.Height() || head.Hash != c.Hash(c.Height()) {
		t.Errorf("Head = %+v, %v", head, err)
	}
}

func TestEveryKindOfAddressIsPaid(t *testing.T) {
	c := btcd.Start(t)
	n := newNode(t, config(), c.URL)
	hash20, hash32 := make([]byte, 20), make([]byte, 32)
	var kinds []string
	for _, made := range []func() (btcutil.Address, error){
		func() (btcutil.Address, error) {
			return btcutil.NewAddressWitnessPubKeyHash(hash20, &chaincfg.SimNetParams)
		},
		func() (btcutil.Address, error) {
			return btcutil.NewAddressWitnessScriptHash(hash32, &chaincfg.SimNetParams)
		},
		func() (btcutil.Address, error) { return btcutil.NewAddressTaproot(hash32, &chaincfg.SimNetParams) },
		func() (btcutil.Address, error) { return btcutil.NewAddressPubKeyHash(hash20, &chaincfg.SimNetParams) },
		func() (btcutil.Address, error) {
			return btcutil.NewAddressScriptHashFromHash(hash20, &chaincfg.SimNetParams)
		},
	} {
		address, err := made()
		if err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, address.EncodeAddress())
	}
	from := c.Height() + 1
	for _, to := range kinds {
		c.Pay(to, 5)
	}
	got, err := n.Transfers(t.Context(), from, c.Height(), owning(kinds...))
	if err != nil || len(got) != len(kinds) {
		t.Errorf("%q, %v", said(got), err)
	}
}

func TestARangeIsToldByHeight(t *testing.T) {
	c := btcd.Start(t)
	n := newNode(t, config(), c.URL)
	ours := btcd.Address(t)
	from := c.Height()
	var want []string
	for i := int64(1); i <= 4; i++ {
		c.Pay(ours, i)
		want = append(want, fmt.Sprintf("out-0 %d of slip44:0 to %s", i, ours))
	}
	got, err := n.Transfers(t.Context(), from, c.Height(), owning(ours))
	if err != nil {
		t.Fatal(err)
	}
	same(t, said(got), want...)
	if all, err := n.Transfers(t.Context(), 0, c.Height(), owning(ours)); err != nil || fmt.Sprint(all) != fmt.Sprint(got) {
		t.Errorf("from the first block on: %q, %v", said(all), err)
	}
}

func TestACoinbaseCountsOnlyWhereFinalMeansThatItCanBeSpent(t *testing.T) {
	c := btcd.Start(t)
	block, moved, err := newNode(t, config(), c.URL).Transaction(t.Context(), coinbaseOf(c))
	if err != nil || len(moved) != 0 || block.Height != c.Height() {
		t.Errorf("with a finality of 6 blocks: %+v, %q, %v", block, said(moved), err)
	}
	deep := config()
	deep.Finality.Depth = 100
	n := newNode(t, deep, c.URL)
	_, moved, err = n.Transaction(t.Context(), coinbaseOf(c))
	if err != nil || len(moved) != 1 {
		t.Fatalf("with one of 100: %q, %v", said(moved), err)
	}
	if got, err := n.Transfers(t.Context(), c.Height(), c.Height(), owning(moved[0].To)); err != nil || fmt.Sprint(got) != fmt.Sprint(moved) {
		t.Errorf("Transfers tells %q, %v", said(got), err)
	}
}

func coinbaseOf(c *btcd.Chain) string {
	var block struct{ Tx []string }
	c.Call(&block, "getblock", c.Hash(c.Height()), 1)
	return block.Tx[0]
}

func TestATransactionThatWaitsOrIsUnknownIsNotFound(t *testing.T) {
	c := btcd.Start(t)
	n := newNode(t, config(), c.URL)
	waiting := c.Send(c.Tx(btcd.Output{To: btcd.Address(t), Satoshis: 5000}))
	for what, tx := range map[string]string{"waiting": waiting, "unknown": strings.Repeat("11", 32), "no name": "11", "with 0x": "0x" + strings.Repeat("1", 62), "nothing": ""} {
		if _, _, err := n.Transaction(t.Context(), tx); !errors.Is(err, chain.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestOnlyTheReplacementThatIsMinedCounts(t *testing.T) {
	c := btcd.Start(t)
	n := newNode(t, config(), c.URL)
	ours, theirs := btcd.Address(t), btcd.Address(t)
	from := c.Height() + 1
	for _, x := range []struct{ first, then string }{{ours, theirs}, {ours, ours}, {theirs, ours}} {
		first := c.Tx(btcd.Output{To: x.first, Satoshis: 5000})
		was := c.Send(first)
		is := c.Send(c.Instead(first, btcd.Output{To: x.then, Satoshis: 6000}))
		for _, tx := range []string{was, is} {
			if _, _, err := n.Transaction(t.Context(), tx); !errors.Is(err, chain.ErrNotFound) {
				t.Errorf("nothing is mined yet: %v", err)
			}
		}
		c.Generate(1)
		if _, _, err := n.Transaction(t.Context(), was); !errors.Is(err, chain.ErrNotFound) {
			t.Errorf("what was replaced: %v", err)
		}
		if _, moved, err := n.Transaction(t.Context(), is); err != nil || moved[0].To != x.then {
			t.Errorf("what is mined: %q, %v", said(moved), err)
		}
	}
	got, err := n.Transfers(t.Context(), from, c.Height(), owning(ours))
	if err != nil {
		t.Fatal(err)
	}
	same(t, said(got), "out-0 6000 of slip44:0 to "+ours, "out-0 6000 of slip44:0 to "+ours)
}

func TestAReorganisedTransactionIsNotFoundUntilItIsIncludedAgain(t *testing.T) {
	c := btcd.Start(t)
	n := newNode(t, config(), c.URL)
	ours := btcd.Address(t)
	tx := c.Pay(ours, 5000)
	before, _, err := n.Transaction(t.Context(), tx)
	if err != nil {
		t.Fatal(err)
	}
	c.Generate(2)
	c.Fork(3)
	if _, _, err := n.Transaction(t.Context(), tx); !errors.Is(err, chain.ErrNotFound) {
		t.Fatalf("after the reorganisation: %v", err)
	}
	if got, err := n.Transfers(t.Context(), before.Height, c.Height(), owning(ours)); err != nil || len(got) > 0 {
		t.Fatalf("%q, %v", said(got), err)
	}
	c.Generate(1)
	after, moved, err := n.Transaction(t.Context(), tx)
	if err != nil || after.Height <= before.Height || after.Hash == before.Hash {
		t.Fatalf("included again in %+v, %v; before in %+v", after, err, before)
	}
	if len(moved) == 0 || moved[0].Index != "out-0" || moved[0].To != ours {
		t.Errorf("%q", said(moved))
	}
}

func TestABlockAboveTheHeadIsNotFoundAndARangeAboveItIsAnError(t *testing.T) {
	c := btcd.Start(t)
	n := newNode(t, config(), c.URL)
	for _, height := range []uint64{c.Height() + 1, 1 << 31, 1<<32 + 1, 1<<64 - 1} {
		if _, err := n.BlockAt(t.Context(), height); !errors.Is(err, chain.ErrNotFound) {
			t.Errorf("BlockAt(%d): %v", height, err)
		}
		for _, transfers := range []func(context.Context, uint64, uint64, chain.Owned) ([]chain.Transfer, error){n.Transfers, n.Settled} {
			if got, err := transfers(t.Context(), height, height, owning()); err == nil || errors.Is(err, chain.ErrNotFound) {
				t.Errorf("a range to %d: %v, %v", height, got, err)
			}
		}
	}
}

func TestFinalityIsADepth(t *testing.T) {
	c := btcd.Start(t)
	head := c.Height()
	for depth, want := range map[uint64]uint64{6: head - 6, 1: head - 1, 10_000: 0} {
		cfg := config()
		cfg.Finality.Depth = depth
		n := newNode(t, cfg, c.URL)
		at, err := n.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := n.Final(t.Context(), at); err != nil || got != want {
			t.Errorf("%d deep: %d, %v; want %d", depth, got, err, want)
		}
		at.Height -= 5 // a head that was read before
		if got, err := n.Final(t.Context(), at); err != nil || got != want-min(want, 5) {
			t.Errorf("%d deep below an older head: %d, %v", depth, got, err)
		}
	}
}

func TestWithoutAnIndexOfTransactionsNothingIsCalledNotThere(t *testing.T) {
	c := btcd.Start(t, btcd.WithoutIndex)
	n := newNode(t, config(), c.URL)
	ours := btcd.Address(t)
	tx := c.Pay(ours, 5000)
	if _, _, err := n.Transaction(t.Context(), tx); err == nil || errors.Is(err, chain.ErrNotFound) || !strings.Contains(err.Error(), "index") {
		t.Errorf("got %v", err)
	}
	if got, err := n.Transfers(t.Context(), c.Height(), c.Height(), owning(ours)); err != nil || len(got) != 1 {
		t.Errorf("the blocks can be read all the same: %q, %v", said(got), err)
	}
}

func TestTheOwnersAreAskedAfterTheirBlockWasRead(t *testing.T) {
	c := btcd.Start(t)
	proxy := anvil.Behind(t, anvil.At(t, c.URL))
	n := newNode(t, config(), proxy.URL)
	ours := btcd.Address(t)
	c.Pay(ours, 5000)
	asked := 0
	_, err := n.Transfers(t.Context(), c.Height()-1, c.Height(), func(_ context.Context, addresses []string) (map[string]bool, error) {
		if asked++; proxy.Calls("getblock") != asked {
			t.Errorf("asked %d times after %d blocks", asked, proxy.Calls("getblock"))
		}
		return nil, nil
	})
	if err != nil || asked != 2 {
		t.Errorf("%d times, %v", asked, err)
	}
	trouble := errors.New("the table is away")
	if _, err := n.Transfers(t.Context(), c.Height(), c.Height(), func(context.Context, []string) (map[string]bool, error) { return nil, trouble }); err != trouble { //nolint:errorlint // the very one
		t.Errorf("got %v", err)
	}
}

// What a fresh block costs: for the table of calls in the documentation.
func TestABlockIsAskedForWithFewCalls(t *testing.T) {
	c := btcd.Start(t)
	proxy := anvil.Behind(t, anvil.At(t, c.URL))
	n := newNode(t, config(), proxy.URL)
	count := func() (all int) {
		for _, m := range []string{"getbestblockhash", "getblockheader", "getblockcount", "getblockhash", "getblock", "getrawtransaction"} {
			all += proxy.Calls(m)
		}
		return all
	}
	for what, x := range map[string]struct {
		ask  func() error
		most int
	}{
		"Head":              {func() error { _, err := n.Head(t.Context()); return err }, 3},
		"BlockAt":           {func() error { _, err := n.BlockAt(t.Context(), 5); return err }, 2},
		"Transfers, one":    {func() error { _, err := n.Transfers(t.Context(), 5, 5, owning()); return err }, 3},
		"Transfers, twenty": {func() error { _, err := n.Transfers(t.Context(), 5, 24, owning()); return err }, 22},
	} {
		if _, err := n.BlockAt(t.Context(), 1); err != nil { // which asks for the chain
			t.Fatal(err)
		}
		before := count()
		if err := x.ask(); err != nil || count()-before > x.most {
			t.Errorf("%s: %d calls, %v", what, count()-before, err)
		}
	}
}

func TestOnlyANetworkThatIsKnownIsWatched(t *testing.T) {
	for fault, change := range map[string]func(*chain.Config){
		"no network":      func(c *chain.Config) { c.ID = "bip122:00000000000000000000000000000000" },
		"is no network":   func(c *chain.Config) { c.ID = "eip155:1" },
		"finality.tag":    func(c *chain.Config) { c.Finality = chain.Finality{Tag: "finalized"} },
		"native.decimals": func(c *chain.Config) { c.Native.Decimals = 18 },
		"finality.agree":  func(c *chain.Config) { c.Finality.Agree = 2 },
	} {
		c := config()
		change(&c)
		if _, err := node.New(node.Options{Config: c, Endpoints: []string{"http://node"}, Now: time.Now}); err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("%s: %v", fault, err)
		}
	}
	for _, endpoint := range []string{"ftp://user:secret@node", "https:///secret", "secret"} {
		if _, err := node.New(node.Options{Config: config(), Endpoints: []string{endpoint}, Now: time.Now}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
	if _, err := node.New(node.Options{Config: config(), Now: time.Now}); err == nil {
		t.Error("a network without endpoints")
	}
}
