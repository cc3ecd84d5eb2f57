package proof_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"

	"farrier/proof"
	"farrier/shared/chain"
	"farrier/shared/chain/bitcoin/btcd"
	"farrier/shared/chain/bitcoin/node"
	"farrier/shared/money"
)

// These play some of them on a real Bitcoin chain.

func TestOnBtcdPaid(t *testing.T) { stopsOnBtcd(t, ofPaid) }
func TestOnBtcdReorganisedBeforeFinality(t *testing.T) {
	stopsOnBtcd(t, ofReorganisedBeforeFinality)
}
func TestOnBtcdReorganisedAfterTheCredit(t *testing.T) {
	stopsOnBtcd(t, ofReorganisedAfterTheCredit)
}

// A watch asks Bitcoin's nodes more, and smaller, questions.
const everySome = 19

func stopsOnBtcd(t *testing.T, s scenario) {
	t.Helper()
	on := newBitcoinChain(t)
	a, tables := account(t)
	stops(t, s, everySome, func() *proof.History {
		on.reset()
		return proof.NewHistoryOn(t, a, tables, on, proof.OnBitcoin)
	})
}

// bitcoinChain is btcd on simnet, with blocks by the world's clock.
type bitcoinChain struct {
	t     *testing.T
	btcd  *btcd.Chain
	empty uint64                 // the height before all payments
	again map[string]*wire.MsgTx // every transaction that was ever included, to be included once more
	last  time.Time              // of the newest block
	final map[string]uint64      // by hash: how many final blocks lay above each block that was ever final
}

var _ proof.Chain = (*bitcoinChain)(nil)

func newBitcoinChain(t *testing.T) *bitcoinChain {
	t.Helper()
	c := &bitcoinChain{t: t, btcd: btcd.Bare(t)}
	c.btcd.Fund(proof.Start.Add(-time.Hour))
	c.empty = c.btcd.Height()
	return c
}

// reset takes every payment away.
func (c *bitcoinChain) reset() {
	c.btcd.Rewind(c.empty)
	c.again, c.last, c.final = map[string]*wire.MsgTx{}, proof.Start, map[string]uint64{}
}

// Mine has the payer make these payments, or make them again, each in a transaction of its own.
func (c *bitcoinChain) Mine(now time.Time, transfers ...chain.Transfer) []chain.Transfer {
	var txs []*wire.MsgTx
	for _, t := range transfers {
		tx, known := c.again[t.Tx]
		if !known {
			satoshis, err := strconv.ParseInt(t.Amount.String(), 10, 64)
			if err != nil {
				c.t.Fatal(err)
			}
			tx = c.btcd.Tx(btcd.Output{To: t.To, Satoshis: satoshis})
			c.again[tx.TxHash().String()] = tx
		}
		txs = append(txs, tx)
	}
	if c.last = c.last.Add(time.Second); c.last.Before(now) {
		c.last = now
	}
	c.btcd.MineAt(c.last, txs...)
	height := c.btcd.Height()
	c.grown(height, 4)
	if len(transfers) == 0 {
		return nil
	}
	return c.transfers(height, height)
}

// grown notes what is final now, as far as blocks were added.
func (c *bitcoinChain) grown(height uint64, blocks int) {
	for above := range uint64(blocks) { // #nosec G115 -- a few
		hash := c.btcd.Hash(height - finality - above)
		c.final[hash] = max(c.final[hash], above)
	}
}

// Reorganise replaces blocks by empty ones, and adds one more, without which no fork is followed.
func (c *bitcoinChain) Reorganise(depth int) []chain.Transfer {
	head := c.btcd.Height()
	gone := c.transfers(head-uint64(depth)+1, head) // #nosec G115 -- a few
	c.btcd.Fork(depth)
	c.last = c.btcd.TimeOf(c.btcd.Height())
	c.grown(head+1, depth+4)
	return gone
}

func (c *bitcoinChain) Canonical() []chain.Transfer {
	return c.transfers(c.empty, c.btcd.Height()-finality)
}

func (c *bitcoinChain) WasFinal(hash string, deeper uint64) bool {
	above, final := c.final[hash]
	return final && above >= deeper
}

func (c *bitcoinChain) Node(w *proof.World) chain.Node {
	n, err := node.New(node.Options{Config: w.Config, Endpoints: []string{c.btcd.URL}, Now: w.Now, Transport: w.Requests()})
	if err != nil {
		c.t.Fatal(err)
	}
	return n
}

// transfers are the judge's own reading of the blocks: the payer's first outputs, as btcd's library reads whom they pay. The
// second is the change.
func (c *bitcoinChain) transfers(from, to uint64) (all []chain.Transfer) {
	const on = "bip122:" + btcd.Simnet
	for height := from; height <= to; height++ {
		block := c.btcd.Block(height)
		at := chain.Block{Height: height, Hash: block.BlockHash().String(), Time: block.Header.Timestamp.UTC()}
		for _, tx := range block.Transactions[1:] {
			_, paid, _, err := txscript.ExtractPkScriptAddrs(tx.TxOut[0].PkScript, &chaincfg.SimNetParams)
			if err != nil || len(paid) != 1 {
				c.t.Fatalf("%s pays %v, %v", tx.TxHash(), paid, err)
			}
			all = append(all, chain.Transfer{
				Chain: on, Tx: tx.TxHash().String(), Index: "out-0", Block: at, Asset: money.Asset(on + "/slip44:0"), Decimals: 8,
				To: paid[0].EncodeAddress(), Amount: money.Units(tx.TxOut[0].Value),
			})
		}
	}
	return all
}
