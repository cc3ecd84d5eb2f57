package watch_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"farrier/shared/chain"
	"farrier/shared/chain/evm/anvil"
	"farrier/shared/chain/evm/node"
	"farrier/shared/chain/pool"
	"farrier/shared/money"
	"farrier/shared/watch"
)

// real is a world whose chain is anvil, behind a proxy that may lie.
type real struct {
	*world
	*anvil.Chain
	proxy *anvil.Proxy
	token string
}

func newReal(t *testing.T) *real {
	t.Helper()
	c := anvil.Start(t)
	r := &real{world: newWorld(t, 1), Chain: c, proxy: anvil.Behind(t, c), token: c.Token()}
	c.Mine(5)
	return r
}

func tokensOnly(c *chain.Config) { c.Native.Ignore = true }

func (r *real) watcher(settings ...func(*chain.Config)) *watch.Watcher {
	r.t.Helper()
	x := r.world.watcher()
	x.Config.Tokens = []chain.Token{{Symbol: "USDT", Decimals: 6, Address: r.token}}
	x.Config.Native = chain.Native{Symbol: "ETH", Decimals: 18, CoinType: 60}
	for _, set := range settings {
		set(&x.Config)
	}
	n, err := node.New(node.Options{Config: x.Config, Endpoints: []string{r.proxy.URL}, Now: time.Now})
	if err != nil {
		r.t.Fatal(err)
	}
	x.Node = n
	return x
}

// is compares what is stored with lines like "paid 5 confirming"; txs are named by their hashes.
func (w *world) is(txs map[string]string, want ...string) {
	w.t.Helper()
	got := map[string]bool{}
	for _, d := range w.all() {
		got[fmt.Sprintf("%s %s %s %s", txs[d.Tx], d.Index, d.Amount, d.State)] = true
	}
	for _, line := range want {
		if !got[line] {
			w.t.Errorf("%q is not among %v", line, got)
		}
	}
	if len(got) != len(want) {
		w.t.Errorf("stored %v, want %q", got, want)
	}
}

func TestOnARealChainTokensAndCoinsBecomeFinalDeposits(t *testing.T) {
	r := newReal(t)
	x := r.watcher()
	r.pass(x)
	token := r.Pay(r.token, ours, 5)
	coin := r.PayCoin(alsoOurs, 7)
	r.Pay(r.token, anvil.Other, 9)
	txs := map[string]string{token: "token", coin: "coin"}
	r.pass(x)
	r.is(txs, "token log-0 5 confirming", "coin native 7 confirming")
	r.Mine(depth)
	r.pass(x)
	r.is(txs, "token log-0 5 final", "coin native 7 final")
	d := r.all()[0]
	if d.BlockTime.IsZero() || d.From != anvil.Payer || d.Version != 2 {
		t.Errorf("%+v", d)
	}
}

func TestOnARealChainTwoTransfersInOneTransactionAreTwoDeposits(t *testing.T) {
	r := newReal(t)
	const contract = "0x00000000000000000000000000000000000c0de0"
	r.Pay(r.token, contract, 1000)
	r.Contract(contract,
		anvil.Step{To: r.token, Data: anvil.TransferOf(ours, 5)},
		anvil.Step{To: r.token, Data: anvil.TransferOf(ours, 5)},
		anvil.Step{To: r.token, Data: anvil.TransferOf(alsoOurs, 6)})
	x := r.watcher()
	r.pass(x)
	tx := r.Send(anvil.Tx{"to": contract})
	r.Mine(depth)
	r.pass(x)
	r.is(map[string]string{tx: "tx"}, "tx log-0 5 final", "tx log-1 5 final", "tx log-2 6 final")
}

func TestOnARealChainAFailedTransactionAndAFakeTokenAreNothing(t *testing.T) {
	r := newReal(t)
	x := r.watcher()
	fake := r.Token()
	r.pass(x)
	r.Pay(fake, ours, 5)
	r.Send(anvil.Tx{"from": anvil.Other, "to": r.token, "data": anvil.TransferOf(ours, 5)}) // has none
	r.Send(anvil.Tx{"to": r.token, "value": "0x5", "data": anvil.TransferOf(ours, 5)})      // a token takes no coin
	r.Pay(r.token, ours, 0)
	r.Mine(depth)
	r.pass(x)
	r.is(nil)
}

func TestOnARealChainAReorganisationDropsBeforeFinalAndReversesAfter(t *testing.T) {
	r := newReal(t)
	x := r.watcher()
	r.pass(x)
	early := r.Pay(r.token, ours, 5)
	r.Mine(depth)
	late := r.Pay(r.token, ours, 6)
	txs := map[string]string{early: "early", late: "late"}
	r.pass(x)
	r.is(txs, "early log-0 5 final", "late log-0 6 confirming")
	again := r.Again(early)
	r.Reorganise(depth + 3)
	r.pass(x)
	r.is(txs, "early log-0 5 reversed", "late log-0 6 confirming")
	if r.Send(again) != early {
		t.Fatal("the same transaction has another hash")
	}
	r.pass(x)
	r.is(txs, "early log-0 5 confirming", "late log-0 6 confirming")
	r.Mine(depth)
	r.pass(x)
	r.is(txs, "early log-0 5 final", "late log-0 6 dropped")
	for _, d := range r.all() {
		if d.Tx == early && d.Round != 1 {
			t.Errorf("round %d", d.Round)
		}
	}
}

func TestOnARealChainAWatcherStoppedFor5000BlocksMissesNothing(t *testing.T) {
	r := newReal(t)
	r.pass(r.watcher(tokensOnly))
	txs := map[string]string{}
	var want []string
	for n := range 10 {
		r.Mine(500)
		txs[r.Pay(r.token, ours, int64(n+1))] = fmt.Sprint(n)
		want = append(want, fmt.Sprintf("%d log-0 %d final", n, n+1))
	}
	r.Mine(depth)
	x := r.watcher(tokensOnly)
	for passes := 1; ; passes++ {
		p := r.pass(x)
		if p.Behind == 0 && p.Pending == 0 {
			t.Logf("%d blocks in %d passes", p.Height, passes)
			break
		}
	}
	r.is(txs, want...)
}

func TestOnARealChainALookFindsWhatWasMinedASecondAgo(t *testing.T) {
	r := newReal(t)
	x := r.watcher()
	r.pass(x)
	f := r.function(x)
	r.Automine(false)
	tx := r.Pay(r.token, ours, 5)
	f.asleep = func() { r.Mine(1) }
	if again := f.lookAt(1, look(tx)); len(again) != 0 {
		t.Errorf("again: %v", again)
	}
	r.is(map[string]string{tx: "tx"}, "tx log-0 5 confirming")
}

func TestOnARealChainAnAddressMadeWhileItsBlockIsScannedIsFound(t *testing.T) {
	r := newReal(t)
	x := r.watcher()
	r.pass(x)
	const fresh = "0x00000000000000000000000000000000000000a4"
	tx := r.Pay(r.token, fresh, 5)
	made := false
	r.proxy.Answers(func(method string, _ json.RawMessage) string {
		if method == "eth_getLogs" && !made { // the block has been fetched, its owners not yet
			made = true
			r.owns(fresh, "pay_4")
		}
		return ""
	})
	r.pass(x)
	r.is(map[string]string{tx: "tx"}, "tx log-0 5 confirming")
}

func TestOnARealChainAStrangeNodeDelaysAndLosesNothing(t *testing.T) {
	r := newReal(t)
	x := r.watcher()
	r.pass(x)
	tx := r.Pay(r.token, ours, 5)
	var early json.RawMessage
	r.Call(&early, "eth_getBlockByNumber", "0x1", false)
	for what, lie := range map[string]func(){
		"HTML":        func() { r.proxy.Says(http.StatusOK, "<html>Just a moment…</html>") },
		"half a JSON": func() { r.proxy.Whole(func(b []byte) (int, []byte) { return 200, b[:len(b)/2] }) },
		"429":         func() { r.proxy.Says(http.StatusTooManyRequests, "") },
		"an older height": func() {
			r.proxy.Method("eth_getBlockByNumber", string(early))
		},
		"a negative height": func() {
			r.proxy.Answers(func(_ string, honest json.RawMessage) string {
				return strings.ReplaceAll(string(honest), `"number":"0x`, `"number":"-0x`)
			})
		},
	} {
		lie()
		if p, err := x.Pass(t.Context()); err == nil {
			t.Errorf("%s: %+v", what, p)
		}
		r.is(nil)
	}
	r.proxy.Method("eth_chainId", `"0x1"`)
	x = r.watcher() // one that lags a little is not in trouble, and would be asked for its chain a minute later
	var wrong *pool.WrongChainError
	if _, err := x.Pass(t.Context()); !errors.As(err, &wrong) {
		t.Errorf("another chain id: %v", err)
	}
	r.is(nil)
	r.proxy.Honest()
	r.Mine(depth)
	r.pass(x)
	r.is(map[string]string{tx: "tx"}, "tx log-0 5 final")
	if d := r.all()[0]; d.Amount.Cmp(money.Units(5)) != 0 {
		t.Errorf("%+v", d)
	}
}

// The figures are for the documentation: what a provider charges for.
func TestAPassAsksTheNodeForLittle(t *testing.T) {
	r := newReal(t)
	x := r.watcher(tokensOnly)
	r.pass(x)
	r.Mine(8)
	r.pass(x)
	methods := []string{"eth_chainId", "eth_getBlockByNumber", "eth_getLogs", "eth_getTransactionReceipt", "eth_getTransactionByHash"}
	count := func() (all int) {
		for _, m := range methods {
			all += r.proxy.Calls(m)
		}
		return all
	}
	before := count()
	r.pass(x)
	unchanged := count() - before
	r.Mine(3)
	before = count()
	r.pass(x)
	quiet := count() - before
	r.Pay(r.token, ours, 5)
	before = count()
	r.pass(x)
	t.Logf("calls: %d when nothing is new, %d for new blocks, %d with a deposit", unchanged, quiet, count()-before)
	if unchanged > 3 || quiet > 6 {
		t.Errorf("%d and %d calls", unchanged, quiet)
	}
}
