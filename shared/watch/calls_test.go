package watch_test

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"farrier/shared/chain"
	bitcoin "farrier/shared/chain/bitcoin/node"
	"farrier/shared/chain/evm/anvil"
	"farrier/shared/chain/evm/node"
	"farrier/shared/watch"
)

// What a chain's nodes are asked in a month, as the function watch counts it itself: its minutes are run one after the
// other over a real node that grows as the chain does, while the world's clock goes on. That no time passes while a pass
// runs makes the figures for a chain on which a deposit always waits an upper bound.

// growing is a chain that grows while the function sleeps.
type growing struct {
	*world
	mine  func(blocks int)
	pay   func()
	block time.Duration
	mined time.Time
}

// calls runs minutes and gives the calls of an average one. Where something always waits, a payment is made each minute.
func (g *growing) calls(x *watch.Watcher, minutes int, waits bool) float64 {
	g.t.Helper()
	f := g.function(x)
	f.asleep = func() {
		if blocks := int(g.clock.Sub(g.mined) / g.block); blocks > 0 {
			g.mine(blocks)
			g.mined = g.mined.Add(time.Duration(blocks) * g.block)
		}
	}
	g.mined = g.clock
	calls, begun := int64(0), g.clock
	for i := range minutes + 1 {
		if waits {
			g.pay()
		}
		s := f.minute()[0]
		if s.Trouble != "" || s.Unsure != "" {
			g.t.Fatalf("%+v", s)
		}
		if i > 0 { // the first one begins the watch
			calls += s.Calls
		}
		g.clock = begun.Add(time.Duration(i+1) * time.Minute)
		f.asleep()
	}
	return float64(calls) / float64(minutes)
}

// minutes are enough for several rounds of blocks that become final without a deposit.
func minutes(block time.Duration) int {
	return max(4, int(math.Ceil(float64(256*block)/float64(time.Minute))))
}

// onEVM is a chain of that block time, over anvil, whose node tags the final blocks.
func onEVM(t *testing.T, block time.Duration) (*growing, *anvil.Chain, string) {
	t.Helper()
	c := anvil.Start(t)
	token := c.Token()
	g := &growing{world: newWorld(t, 1), block: block}
	g.clock = time.Now()
	g.mine, g.pay = c.Mine, func() { c.Pay(token, ours, 5) }
	c.Mine(100)
	return g, c, token
}

type setting struct {
	name      string
	coin      bool
	traces    string
	endpoints int
	waits     bool
}

var settings = []setting{
	{name: "tokens", endpoints: 1},
	{name: "and the coin", coin: true, endpoints: 1},
	{name: "and traces", coin: true, traces: chain.FlatTraces, endpoints: 1},
	{name: "tokens, two agree", endpoints: 2},
	{name: "and the coin, two agree", coin: true, endpoints: 2},
	{name: "tokens, two agree, one always waits", endpoints: 2, waits: true},
}

func (s setting) month(t *testing.T, block time.Duration) float64 {
	t.Helper()
	g, c, token := onEVM(t, block)
	x := g.watcher()
	x.Config = chain.Config{
		ID: someChain, BlockTime: chain.Duration(block), Finality: chain.Finality{Tag: "finalized"},
		Tokens: []chain.Token{{Symbol: "USDT", Decimals: 6, Address: token}},
		Native: chain.Native{Symbol: "ETH", Decimals: 18, CoinType: 60, Ignore: !s.coin, Traces: s.traces},
	}
	var urls []string
	for range s.endpoints {
		urls = append(urls, c.URL)
	}
	n, err := node.New(node.Options{Config: x.Config, Endpoints: urls, Now: func() time.Time { return g.clock }})
	if err != nil {
		t.Fatal(err)
	}
	x.Node = n
	many := minutes(block)
	if s.waits {
		many = 4
	}
	return g.calls(x, many, s.waits) * 60 * 24 * 30
}

// rows are the chains by their block times, 2026-11.
var rows = []struct {
	name  string
	block time.Duration
}{
	{"Polygon, Base, Optimism", 2 * time.Second}, {"Ethereum", 12 * time.Second}, {"BSC", 750 * time.Millisecond}, {"Arbitrum", 250 * time.Millisecond},
}

// cell is millions of calls a month as docs/chains.md has them.
func cell(month float64) string { return fmt.Sprintf("%.2f", month/1e6) }

// documented are the cells of a row of the table in docs/chains.md.
func documented(t *testing.T, name string) []string {
	t.Helper()
	docs, err := os.ReadFile("../../docs/chains.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(docs)) {
		if cells := strings.Split(strings.TrimSpace(line), " | "); len(cells) == len(settings)+2 && cells[0] == "| "+name {
			cells[len(cells)-1] = strings.TrimSuffix(cells[len(cells)-1], " |")
			return cells[2:]
		}
	}
	t.Fatalf("docs/chains.md has no row %s", name)
	return nil
}

// With FARRIER_NODE_CALLS=all every cell is measured, which takes minutes; else two, so that the table cannot rot unseen.
func TestTheTableOfNodeCallsAMonthIsTheMeasuredOne(t *testing.T) {
	all := os.Getenv("FARRIER_NODE_CALLS") == "all"
	for i, r := range rows {
		want := documented(t, r.name)
		for j, s := range settings {
			if !all && (i != 0 || j != 0 && j != 4) {
				continue
			}
			if got := cell(s.month(t, r.block)); got != want[j] {
				t.Errorf("%s, %s: %s million calls, documented are %s", r.name, s.name, got, want[j])
			}
		}
	}
}

// The calls that one deposit adds, from when it is seen until it is final.
func TestWhatADepositAddsToTheNodeCalls(t *testing.T) {
	for _, s := range settings[:5] {
		g, c, token := onEVM(t, 2*time.Second)
		x := g.watcher()
		x.Config = chain.Config{
			ID: someChain, BlockTime: chain.Duration(2 * time.Second), Finality: chain.Finality{Depth: depth},
			Tokens: []chain.Token{{Symbol: "USDT", Decimals: 6, Address: token}},
			Native: chain.Native{Symbol: "ETH", Decimals: 18, CoinType: 60, Ignore: !s.coin, Traces: s.traces},
		}
		urls := []string{c.URL, c.URL}[:s.endpoints]
		n, err := node.New(node.Options{Config: x.Config, Endpoints: urls, Now: func() time.Time { return g.clock }})
		if err != nil {
			t.Fatal(err)
		}
		x.Node = n
		took := func(change func()) int64 { // a pass after a change, and one that makes its block final
			before := n.Counts().Calls
			change()
			g.pass(x)
			c.Mine(depth)
			g.pass(x)
			return n.Counts().Calls - before
		}
		g.pass(x)
		quiet := took(func() { c.Mine(1) })
		added := took(g.pay) - quiet
		t.Logf("%s: %d calls without, %d more with one", s.name, quiet, added)
		if added <= 0 || added > 40 {
			t.Errorf("%s: a deposit adds %d calls", s.name, added)
		}
	}
}

// Bitcoin, over btcd, with FARRIER_NODE_CALLS=all: a pass each minute.
func TestTheNodeCallsAMonthOfBitcoin(t *testing.T) {
	if os.Getenv("FARRIER_NODE_CALLS") != "all" {
		t.Skip("measured with FARRIER_NODE_CALLS=all")
	}
	for _, endpoints := range []int{1, 2} {
		k := newCoins(t)
		x := k.watcher()
		c := x.Config
		n, err := bitcoin.New(bitcoin.Options{Config: c, Endpoints: []string{k.Chain.URL, k.Chain.URL}[:endpoints], Now: func() time.Time { return k.clock }})
		if err != nil {
			t.Fatal(err)
		}
		x.Node = n
		k.clock = time.Now()
		g := &growing{world: k.world, block: 10 * time.Minute, mine: k.Generate}
		t.Logf("%d endpoints: %.2f million calls a month", endpoints, g.calls(x, 60, false)*60*24*30/1e6)
	}
}
