package watch_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/btcsuite/btcd/txscript"

	"farrier/shared/chain"
	"farrier/shared/chain/bitcoin/btcd"
	bitcoin "farrier/shared/chain/bitcoin/node"
	"farrier/shared/chain/evm/anvil"
	"farrier/shared/chain/pool"
	"farrier/shared/wallet"
	"farrier/shared/watch"
)

// coins is a world whose chain is btcd on simnet, behind a proxy that may lie.
type coins struct {
	*world
	*btcd.Chain
	proxy       *anvil.Proxy
	ours, ours2 string // addresses of two payments
	somebody    string
}

// sixDeep is what the chain calls final.
const sixDeep = 6

func newCoins(t *testing.T) *coins {
	t.Helper()
	c := btcd.Start(t)
	k := &coins{world: newWorld(t, 1), Chain: c, proxy: anvil.Behind(t, anvil.At(t, c.URL)), ours: btcd.Address(t), ours2: btcd.Address(t), somebody: btcd.Address(t)}
	k.takes(k.ours, "pay_1")
	k.takes(k.ours2, "pay_2")
	return k
}

// takes makes an address that a payment is paid to.
func (k *coins) takes(address, payment string) {
	k.t.Helper()
	key := wallet.KeyOf("bip122", address)
	err := (&wallet.Roster{Table: k.roster, Now: func() time.Time { return k.clock }}).Claim(k.t.Context(), k.addresses, wallet.Address{
		PK: key.PK, SK: key.SK, Address: address, Merchant: "mer_1", Payment: payment, Shards: 2,
	})
	if err != nil {
		k.t.Fatal(err)
	}
}

func (k *coins) watcher(endpoints ...string) *watch.Watcher {
	k.t.Helper()
	set, err := chain.ParseSet(`[{"id":"bip122:` + btcd.Simnet + `","native":{"symbol":"BTC","decimals":8},"block_time":"10m","finality":{"depth":6}}]`)
	if err != nil {
		k.t.Fatal(err)
	}
	x := k.world.watcher()
	x.Config = set.Chains()[0]
	x.Owners.Family = "bip122"
	if len(endpoints) == 0 {
		endpoints = []string{k.proxy.URL}
	}
	if x.Node, err = bitcoin.New(bitcoin.Options{Config: x.Config, Endpoints: endpoints, Now: time.Now}); err != nil {
		k.t.Fatal(err)
	}
	return x
}

func lookAtCoins(tx string) string { return `{"chain":"bip122:` + btcd.Simnet + `","tx":"` + tx + `"}` }

func TestOnBitcoinADepositIsFollowedToFinality(t *testing.T) {
	k := newCoins(t)
	x := k.watcher()
	k.pass(x)
	tx := k.Send(k.Tx(btcd.Output{To: k.ours, Satoshis: 5000}))
	txs := map[string]string{tx: "tx"}
	k.pass(x)
	k.is(txs) // while it waits, it is nothing
	k.Generate(1)
	k.Pay(k.somebody, 9000)
	k.pass(x)
	k.is(txs, "tx out-0 5000 confirming")
	k.Generate(sixDeep - 2)
	k.pass(x)
	k.is(txs, "tx out-0 5000 confirming")
	k.Generate(1)
	k.pass(x)
	k.is(txs, "tx out-0 5000 final")
	if d := k.all()[0]; string(d.Asset) != "bip122:"+btcd.Simnet+"/slip44:0" || d.To != k.ours || d.From != "" || d.Payment != "pay_1" || d.BlockTime.IsZero() {
		t.Errorf("%+v", d)
	}
}

func TestOnBitcoinTwoOutputsOfOneTransactionAreTwoDeposits(t *testing.T) {
	k := newCoins(t)
	x := k.watcher()
	k.pass(x)
	tx := k.Send(k.Tx(
		btcd.Output{To: k.ours, Satoshis: 5000}, btcd.Output{To: k.somebody, Satoshis: 6000}, btcd.Output{To: k.ours2, Satoshis: 7000}, btcd.Output{To: k.ours, Satoshis: 5000}))
	k.Generate(1 + sixDeep)
	k.pass(x)
	k.is(map[string]string{tx: "tx"}, "tx out-0 5000 final", "tx out-2 7000 final", "tx out-3 5000 final")
}

func TestOnBitcoinOnlyTheReplacementThatIsMinedCounts(t *testing.T) {
	k := newCoins(t)
	x := k.watcher()
	k.pass(x)
	toUs, away, more := k.Tx(btcd.Output{To: k.ours, Satoshis: 5000}), k.Tx(btcd.Output{To: k.ours, Satoshis: 5000}), k.Tx(btcd.Output{To: k.somebody, Satoshis: 5000})
	txs := map[string]string{k.Send(toUs): "first", k.Send(away): "away before", k.Send(more): "somebody's before"}
	f := k.function(x)
	f.lookAt(1, lookAtCoins(toUs.TxHash().String())) // a wallet tells of it at once
	k.is(txs)
	txs[k.Send(k.Instead(toUs, btcd.Output{To: k.ours, Satoshis: 4000}))] = "with more fee"
	txs[k.Send(k.Instead(away, btcd.Output{To: k.somebody, Satoshis: 5000}))] = "away"
	txs[k.Send(k.Instead(more, btcd.Output{To: k.ours2, Satoshis: 6000}))] = "ours after all"
	k.pass(x)
	k.is(txs)
	k.Generate(1 + sixDeep)
	k.pass(x)
	k.is(txs, "with more fee out-0 4000 final", "ours after all out-0 6000 final")
}

func TestOnBitcoinAReorganisationDropsBeforeFinalAndReversesAfter(t *testing.T) {
	k := newCoins(t)
	x := k.watcher()
	k.pass(x)
	stays, spent := k.Tx(btcd.Output{To: k.ours, Satoshis: 5000}), k.Tx(btcd.Output{To: k.ours2, Satoshis: 6000})
	txs := map[string]string{k.Send(stays): "stays", k.Send(spent): "spent"}
	k.Generate(3)
	k.pass(x)
	k.is(txs, "stays out-0 5000 confirming", "spent out-0 6000 confirming")
	k.Fork(3, k.Instead(spent, btcd.Output{To: k.somebody, Satoshis: 1})) // spent twice, the second time for somebody else
	k.pass(x)
	k.Generate(1 + sixDeep) // the other waited again, and is mined again
	k.pass(x)
	k.is(txs, "stays out-0 5000 final", "spent out-0 6000 dropped")

	k.Fork(8, k.Instead(stays, btcd.Output{To: k.somebody, Satoshis: 1})) // deeper than what is final
	k.pass(x)
	k.Generate(1 + sixDeep)
	k.pass(x)
	k.is(txs, "stays out-0 5000 reversed", "spent out-0 6000 dropped")
}

func TestOnBitcoinAFinalDepositThatIsMinedAgainIsCreditedAgain(t *testing.T) {
	k := newCoins(t)
	x := k.watcher()
	k.pass(x)
	tx := k.Pay(k.ours, 5000)
	k.Generate(sixDeep)
	k.pass(x)
	txs := map[string]string{tx: "tx"}
	k.is(txs, "tx out-0 5000 final")
	k.Fork(8)
	k.pass(x)
	k.is(txs, "tx out-0 5000 reversed")
	k.Generate(1 + sixDeep)
	k.pass(x)
	k.is(txs, "tx out-0 5000 final")
	if d := k.all()[0]; d.Round != 1 {
		t.Errorf("round %d", d.Round)
	}
}

func TestOnBitcoinDustAndDataAreToldForWhatTheyAre(t *testing.T) {
	k := newCoins(t)
	x := k.watcher()
	k.pass(x)
	tx := k.Tx(btcd.Output{To: k.ours, Satoshis: 1}, btcd.Output{To: k.ours}, btcd.Output{Script: []byte{txscript.OP_RETURN, 1, 7}, Satoshis: 600})
	k.Mine(tx) // no node relays so little
	k.Generate(sixDeep)
	k.pass(x)
	k.is(map[string]string{tx.TxHash().String(): "dust"}, "dust out-0 1 final")
}

func TestOnBitcoinALookFindsWhatWasMinedASecondAgo(t *testing.T) {
	k := newCoins(t)
	x := k.watcher()
	k.pass(x)
	f := k.function(x)
	tx := k.Send(k.Tx(btcd.Output{To: k.ours, Satoshis: 5000}))
	f.asleep = func() { k.Generate(1) }
	if again := f.lookAt(1, lookAtCoins(tx)); len(again) != 0 {
		t.Errorf("again: %v", again)
	}
	k.is(map[string]string{tx: "tx"}, "tx out-0 5000 confirming")
}

func TestOnBitcoinAWatcherStoppedForManyBlocksMissesNothing(t *testing.T) {
	k := newCoins(t)
	k.pass(k.watcher())
	txs := map[string]string{}
	var want []string
	for n := range int64(8) {
		k.Generate(100)
		name := string(rune('a' + n))
		txs[k.Pay(k.ours, 1000+n)] = name
		want = append(want, fmt.Sprintf("%s out-0 %d final", name, 1000+n))
	}
	k.Generate(sixDeep)
	x := k.watcher()
	for passes := 1; ; passes++ {
		if p := k.pass(x); p.Behind == 0 && p.Pending == 0 {
			t.Logf("%d blocks in %d passes", p.Height, passes)
			break
		}
	}
	k.is(txs, want...)
}

func TestOnBitcoinAStrangeNodeDelaysAndLosesNothing(t *testing.T) {
	k := newCoins(t)
	x := k.watcher()
	k.pass(x)
	tx := k.Pay(k.ours, 5000)
	for what, lie := range map[string]func(){
		"HTML":        func() { k.proxy.Says(http.StatusOK, "<html>Just a moment…</html>") },
		"half a JSON": func() { k.proxy.Whole(func(b []byte) (int, []byte) { return 200, b[:len(b)/2] }) },
		"429":         func() { k.proxy.Says(http.StatusTooManyRequests, "") },
		"an older block": func() {
			old := k.Hash(5)
			k.proxy.Answers(func(method string, _ json.RawMessage) string {
				if method == "getbestblockhash" {
					return `"` + old + `"`
				}
				return ""
			})
		},
		"a negative height": func() {
			k.proxy.Answers(func(method string, honest json.RawMessage) string {
				var header map[string]any
				if json.Unmarshal(honest, &header) != nil {
					return ""
				}
				header["height"] = -5
				text, _ := json.Marshal(header)
				return string(text)
			})
		},
	} {
		lie()
		if p, err := x.Pass(t.Context()); err == nil {
			t.Errorf("%s: %+v", what, p)
		}
		k.is(nil)
	}
	other := `"000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"` // the main network's first block
	k.proxy.Method("getblockhash", other)
	var wrong *pool.WrongChainError
	if _, err := x.Pass(t.Context()); !errors.As(err, &wrong) {
		t.Errorf("another network: %v", err)
	}
	k.is(nil)
	k.proxy.Honest()
	k.Generate(sixDeep)
	k.pass(x)
	k.is(map[string]string{tx: "tx"}, "tx out-0 5000 final")
}

func TestOnBitcoinAForkThatOneEndpointShowsAloneMakesNothingFinal(t *testing.T) {
	k := newCoins(t)
	x := k.watcher(k.URL, k.proxy.URL)
	k.pass(x)
	tx := k.Pay(k.ours, 5000)
	k.pass(x)
	tip := k.Height()
	k.Generate(sixDeep)
	k.proxy.Method("getblockcount", fmt.Sprint(tip)) // the second endpoint has not heard of what would make it final
	if p, err := x.Pass(t.Context()); err == nil && p.Final >= tip {
		t.Errorf("%+v", p)
	}
	k.is(map[string]string{tx: "tx"}, "tx out-0 5000 confirming")
	k.proxy.Honest()
	k.pass(x)
	k.is(map[string]string{tx: "tx"}, "tx out-0 5000 final")
}
