package node_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"farrier/shared/chain"
	"farrier/shared/chain/evm/anvil"
	"farrier/shared/chain/evm/node"
	"farrier/shared/chain/pool"
)

const (
	ours      = "0x00000000000000000000000000000000000000a1"
	alsoOurs  = "0x00000000000000000000000000000000000000a2"
	contract  = "0x00000000000000000000000000000000000c0de0"
	localhost = chain.ID("eip155:31337")
)

func owned(_ context.Context, addresses []string) (map[string]bool, error) {
	out := map[string]bool{}
	for _, a := range addresses {
		out[a] = a == ours || a == alsoOurs
	}
	return out, nil
}

func config(tokens ...string) chain.Config {
	c := chain.Config{ID: localhost, Native: chain.Native{Symbol: "ETH", Decimals: 18, CoinType: 60}, Finality: chain.Finality{Depth: 3}}
	for _, t := range tokens {
		c.Tokens = append(c.Tokens, chain.Token{Symbol: "USDT", Decimals: 6, Address: t})
	}
	return c
}

func newNode(t testing.TB, c chain.Config, endpoints ...string) *node.Node {
	t.Helper()
	n, err := node.New(node.Options{Config: c, Endpoints: endpoints, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// said is a transfer in a line, so that a test can name what it expects.
func said(transfers []chain.Transfer) []string {
	var out []string
	for _, t := range transfers {
		out = append(out, fmt.Sprintf("%s %s of %s to %s", t.Index, t.Amount, t.Asset.Kind(), t.To[40:]))
	}
	return out
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}

func TestTokensAndCoinsPaidToUsAreFound(t *testing.T) {
	c := anvil.Start(t)
	token := c.Token()
	n := newNode(t, config(token), c.URL)
	first := c.Height() + 1
	tx := c.Pay(token, ours, 5)
	coin := c.PayCoin(alsoOurs, 7)
	c.Pay(token, anvil.Other, 9)

	got, err := n.Transfers(t.Context(), first, c.Height(), owned)
	if err != nil {
		t.Fatal(err)
	}
	same(t, said(got), "log-0 5 of erc20 to a1", "native 7 of slip44 to a2")
	if got[0].Tx != tx || got[0].From != anvil.Payer || got[0].Decimals != 6 || got[1].Tx != coin || got[1].Decimals != 18 {
		t.Errorf("%+v", got)
	}
	block, moved, err := n.Transaction(t.Context(), tx)
	if err != nil || len(moved) != 1 || fmt.Sprint(moved[0]) != fmt.Sprint(got[0]) || block != got[0].Block {
		t.Errorf("Transaction tells %+v in %+v, %v; Transfers told %+v", moved, block, err, got[0])
	}
	if at, err := n.BlockAt(t.Context(), block.Height); err != nil || at != block {
		t.Errorf("BlockAt = %+v, %v; want %+v", at, err, block)
	}
}

func TestTwoTransfersInOneTransactionHaveIndexesOfTheirOwn(t *testing.T) {
	c := anvil.Start(t)
	token, fake := c.Token(), c.Token()
	for _, x := range []string{token, fake} {
		c.Pay(x, contract, 1000)
	}
	c.Contract(contract,
		anvil.Step{To: fake, Data: anvil.TransferOf(ours, 99)}, // of the right symbol, at another address
		anvil.Step{To: token, Data: anvil.TransferOf(ours, 5)},
		anvil.Step{To: token, Data: anvil.TransferOf(anvil.Other, 6)},
		anvil.Step{To: token, Data: anvil.TransferOf(ours, 5)},
		anvil.Step{To: token, Data: anvil.TransferOf(ours, 0)}, // of nothing
		anvil.Step{To: token, Data: anvil.TransferOf(alsoOurs, 7)})
	c.Automine(false)
	c.Pay(token, anvil.Other, 1) // so that places in the block and in the receipt differ
	tx := c.Send(anvil.Tx{"to": contract, "value": "0x3"})
	c.Mine(1)
	n := newNode(t, config(token), c.URL)

	got, err := n.Transfers(t.Context(), c.Height(), c.Height(), owned)
	if err != nil {
		t.Fatal(err)
	}
	same(t, said(got), "log-1 5 of erc20 to a1", "log-3 5 of erc20 to a1", "log-5 7 of erc20 to a2")
	_, moved, err := n.Transaction(t.Context(), tx)
	if err != nil {
		t.Fatal(err)
	}
	same(t, said(moved), "log-1 5 of erc20 to a1", "log-2 6 of erc20 to c8", "log-3 5 of erc20 to a1", "log-5 7 of erc20 to a2", "native 3 of slip44 to e0")
}

func TestATransactionThatFailedMovesNothing(t *testing.T) {
	c := anvil.Start(t)
	token := c.Token()
	n := newNode(t, config(token), c.URL)
	poor := c.Send(anvil.Tx{"from": anvil.Other, "to": token, "data": anvil.TransferOf(ours, 5)})
	withValue := c.Send(anvil.Tx{"to": token, "data": "0x00", "value": "0x5"}) // a token takes no coin
	got, err := n.Transfers(t.Context(), 1, c.Height(), func(_ context.Context, all []string) (map[string]bool, error) {
		return map[string]bool{ours: true, token: true}, nil
	})
	if err != nil || len(got) != 0 {
		t.Errorf("found %q, %v", said(got), err)
	}
	for _, tx := range []string{poor, withValue} {
		if block, moved, err := n.Transaction(t.Context(), tx); err != nil || len(moved) != 0 || block.Height == 0 {
			t.Errorf("Transaction = %+v, %q, %v", block, said(moved), err)
		}
	}
}

func TestAReorganisedTransactionIsNotFoundUntilItIsIncludedAgain(t *testing.T) {
	c := anvil.Start(t)
	token := c.Token()
	n := newNode(t, config(token), c.URL)
	c.Mine(5)
	tx := c.Pay(token, ours, 5)
	again := c.Again(tx)
	before, _, err := n.Transaction(t.Context(), tx)
	if err != nil {
		t.Fatal(err)
	}
	c.Reorganise(3)
	if _, _, err := n.Transaction(t.Context(), tx); !errors.Is(err, chain.ErrNotFound) {
		t.Fatalf("after the reorganisation: %v", err)
	}
	if got := c.Send(again); got != tx {
		t.Fatalf("sent again it is %s, not %s", got, tx)
	}
	after, moved, err := n.Transaction(t.Context(), tx)
	for range 50 { // anvil shows a receipt a moment before its block replaces the one that was there
		if !errors.Is(err, pool.ErrReorganised) {
			break
		}
		time.Sleep(10 * time.Millisecond)
		after, moved, err = n.Transaction(t.Context(), tx)
	}
	if err != nil || after.Hash == before.Hash {
		t.Fatalf("included again in %+v, %v", after, err)
	}
	same(t, said(moved), "log-0 5 of erc20 to a1")
}

func TestAPendingTransactionIsNotFound(t *testing.T) {
	c := anvil.Start(t)
	token := c.Token()
	n := newNode(t, config(token), c.URL)
	c.Automine(false)
	if _, _, err := n.Transaction(t.Context(), c.Pay(token, ours, 5)); !errors.Is(err, chain.ErrNotFound) {
		t.Fatalf("got %v", err)
	}
}

func TestABlockAboveTheHeadIsNotFoundAndARangeAboveItIsAnError(t *testing.T) {
	c := anvil.Start(t)
	token := c.Token()
	n := newNode(t, config(token), c.URL)
	if _, err := n.BlockAt(t.Context(), c.Height()+1); !errors.Is(err, chain.ErrNotFound) {
		t.Errorf("BlockAt: %v", err)
	}
	if _, err := n.Transfers(t.Context(), 1, c.Height()+1, owned); err == nil {
		t.Error("Transfers answered for a block that does not exist")
	}
}

func TestFinalityFollowsTheTagOrTheDepth(t *testing.T) {
	c := anvil.Start(t, "--slots-in-an-epoch", "1")
	c.Mine(10)
	for _, f := range []struct {
		rule chain.Finality
		want uint64
	}{{chain.Finality{Depth: 4}, 6}, {chain.Finality{Depth: 40}, 0}, {chain.Finality{Tag: "finalized"}, 8}, {chain.Finality{Tag: "safe"}, 9}} {
		cfg := config()
		cfg.Finality = f.rule
		n := newNode(t, cfg, c.URL)
		head, err := n.Head(t.Context())
		if err != nil || head.Height != 10 {
			t.Fatalf("Head = %+v, %v", head, err)
		}
		if got, err := n.Final(t.Context(), head); err != nil || got != f.want {
			t.Errorf("%+v: final = %d, %v; want %d", f.rule, got, err, f.want)
		}
	}
}

// A configured contract that logs Transfers with two words of data, as some strange token may, and one of the usual form.
func TestATransferWhoseDataIsNotOneWordIsNoTransfer(t *testing.T) {
	c := anvil.Start(t)
	topics := "7f" + strings.Repeat("0", 24) + ours[2:] + "7f" + strings.Repeat("0", 24) + anvil.Payer[2:] +
		"7fddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
	c.Call(nil, "anvil_setCode", contract, "0x"+"6005600052"+topics+"60406000a3"+topics+"60206000a3"+topics+"60006000a3"+"00")
	tx := c.Send(anvil.Tx{"to": contract})
	n := newNode(t, config(contract), c.URL)
	got, err := n.Transfers(t.Context(), c.Height(), c.Height(), owned)
	if err != nil {
		t.Fatal(err)
	}
	same(t, said(got), "log-1 5 of erc20 to a1")
	_, moved, err := n.Transaction(t.Context(), tx)
	if err != nil {
		t.Fatal(err)
	}
	same(t, said(moved), "log-1 5 of erc20 to a1")
}
