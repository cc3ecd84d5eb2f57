package btcd

import (
	"encoding/hex"
	"strings"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
)

// Output is what a transaction pays to an address.
type Output struct {
	To       string
	Satoshis int64
	Script   []byte // in place of an address
}

// Pay sends satoshis to an address and mines a block with it. It gives the transaction's id.
func (c *Chain) Pay(to string, satoshis int64) string {
	c.t.Helper()
	id := c.Send(c.Tx(Output{To: to, Satoshis: satoshis}))
	c.Generate(1)
	return id
}

// fee is what a transaction leaves to the miner.
const fee = 10_000

// Tx is a signed transaction that spends a coin which no other has spent. It may be replaced (BIP-125).
func (c *Chain) Tx(outputs ...Output) *wire.MsgTx {
	c.t.Helper()
	c.spent++
	coinbase := c.Block(uint64(c.spent)).Transactions[0] // #nosec G115 -- a small number
	hash := coinbase.TxHash()
	return c.signed(wire.OutPoint{Hash: hash}, coinbase.TxOut[0].Value, fee, outputs)
}

// Instead is a transaction that spends the same coin with a higher fee, so that it takes the other's place where that waits.
func (c *Chain) Instead(of *wire.MsgTx, outputs ...Output) *wire.MsgTx {
	c.t.Helper()
	var had int64
	for _, o := range of.TxOut {
		had += o.Value
	}
	return c.signed(of.TxIn[0].PreviousOutPoint, had+fee, 10*fee, outputs)
}

func (c *Chain) signed(coin wire.OutPoint, has, fee int64, outputs []Output) *wire.MsgTx {
	c.t.Helper()
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(&wire.TxIn{PreviousOutPoint: coin, Sequence: wire.MaxTxInSequenceNum - 2})
	for _, o := range outputs {
		if o.To != "" {
			address, err := btcutil.DecodeAddress(o.To, &chaincfg.SimNetParams)
			if err != nil {
				c.t.Fatal(err)
			}
			if o.Script, err = txscript.PayToAddrScript(address); err != nil {
				c.t.Fatal(err)
			}
		}
		tx.AddTxOut(wire.NewTxOut(o.Satoshis, o.Script))
		fee += o.Satoshis
	}
	tx.AddTxOut(wire.NewTxOut(has-fee, c.script))
	spends := txscript.NewCannedPrevOutputFetcher(c.script, has)
	witness, err := txscript.WitnessSignature(tx, txscript.NewTxSigHashes(tx, spends), 0, has, c.script, txscript.SigHashAll, c.key, true)
	if err != nil {
		c.t.Fatal(err)
	}
	tx.TxIn[0].Witness = witness
	return tx
}

// Send gives a transaction to the node, which keeps it in its memory pool. It gives its id.
func (c *Chain) Send(tx *wire.MsgTx) string {
	c.t.Helper()
	var id string
	c.Call(&id, "sendrawtransaction", unparsed(tx.Serialize), true)
	return id
}

// Block is the canonical one at a height.
func (c *Chain) Block(height uint64) *wire.MsgBlock {
	c.t.Helper()
	var text string
	c.Call(&text, "getblock", c.Hash(height), 0)
	var block wire.MsgBlock
	if err := block.Deserialize(hex.NewDecoder(strings.NewReader(text))); err != nil {
		c.t.Fatal(err)
	}
	return &block
}

func scriptOf(key *btcec.PublicKey) []byte {
	return append([]byte{txscript.OP_0, txscript.OP_DATA_20}, btcutil.Hash160(key.SerializeCompressed())...)
}
