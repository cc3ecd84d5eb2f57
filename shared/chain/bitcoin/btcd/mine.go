package btcd

import (
	"bytes"
	"encoding/hex"
	"io"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/mining"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
)

// Fork gives up the newest blocks for a chain that is longer by one: its first block holds these transactions, the others
// hold none. What the blocks that are gone held waits again in the memory pool, where nothing contradicts it.
func (c *Chain) Fork(depth int, txs ...*wire.MsgTx) {
	c.t.Helper()
	height := c.Height() - uint64(depth) // #nosec G115 -- a small number
	parent := c.Block(height)
	for range depth + 1 {
		height++
		parent = c.Submit(c.Build(parent, height, parent.Header.Timestamp.Add(time.Second), txs...))
		txs = nil
	}
	if got := c.Hash(height); got != parent.BlockHash().String() {
		c.t.Fatalf("the chain did not change to %s: at height %d is %s", parent.BlockHash(), height, got)
	}
}

// Mine adds a block with these transactions alone, also such as no node relays.
func (c *Chain) Mine(txs ...*wire.MsgTx) {
	c.t.Helper()
	c.MineAt(c.TimeOf(c.Height()).Add(time.Second), txs...)
}

// MineAt adds a block of that time, with these transactions alone.
func (c *Chain) MineAt(at time.Time, txs ...*wire.MsgTx) {
	c.t.Helper()
	height := c.Height()
	c.Submit(c.Build(c.Block(height), height+1, at, txs...))
}

// Fund mines blocks of the wallet until it has coins, the first of that time and each a second later than the one before.
func (c *Chain) Fund(from time.Time) {
	c.t.Helper()
	parent := c.Block(0)
	for height := uint64(1); height <= funded; height++ {
		parent = c.Submit(c.Build(parent, height, from))
		from = from.Add(time.Second)
	}
}

// Submit gives a block to the node, which must take it.
func (c *Chain) Submit(block *wire.MsgBlock) *wire.MsgBlock {
	c.t.Helper()
	var objection string
	c.Call(&objection, "submitblock", unparsed(block.Serialize))
	if objection != "" {
		c.t.Fatalf("submitblock: %s", objection)
	}
	return block
}

// ready votes for the rules that simnet takes up by vote (BIP-9): those of segregated witness and of taproot.
const ready = 0x20000007

// Build mines a block at a height on its parent: simnet asks for so little work that every second try finds it.
func (c *Chain) Build(parent *wire.MsgBlock, height uint64, at time.Time, txs ...*wire.MsgTx) *wire.MsgBlock {
	c.t.Helper()
	c.unique++
	named, err := txscript.NewScriptBuilder().AddInt64(int64(height)).AddInt64(c.unique).AddData([]byte("farrier")).Script() // #nosec G115 -- a small number
	if err != nil {
		c.t.Fatal(err)
	}
	coinbase := wire.NewMsgTx(1)
	coinbase.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Index: wire.MaxPrevOutIndex}, SignatureScript: named, Sequence: wire.MaxTxInSequenceNum})
	coinbase.AddTxOut(wire.NewTxOut(blockchain.CalcBlockSubsidy(int32(height), &chaincfg.SimNetParams), c.script)) // #nosec G115 -- a small number
	all := []*btcutil.Tx{btcutil.NewTx(coinbase)}
	for _, tx := range txs {
		all = append(all, btcutil.NewTx(tx))
	}
	if len(txs) > 0 {
		mining.AddWitnessCommitment(all[0], all)
	}
	block := wire.NewMsgBlock(wire.NewBlockHeader(ready, hashOf(parent), &chainhash.Hash{}, parent.Header.Bits, 0))
	if parent.Header.PrevBlock == (chainhash.Hash{}) {
		block.Header.Bits = chaincfg.SimNetParams.PowLimitBits
	}
	block.Header.Timestamp = at.Truncate(time.Second)
	for _, tx := range all {
		if err := block.AddTransaction(tx.MsgTx()); err != nil {
			c.t.Fatal(err)
		}
	}
	block.Header.MerkleRoot = blockchain.CalcMerkleRoot(all, false)
	Work(block)
	return block
}

// Work finds the nonce for a block whose header was changed.
func Work(block *wire.MsgBlock) {
	target := blockchain.CompactToBig(block.Header.Bits)
	for hash := block.BlockHash(); blockchain.HashToBig(&hash).Cmp(target) > 0; hash = block.BlockHash() {
		block.Header.Nonce++
	}
}

func hashOf(block *wire.MsgBlock) *chainhash.Hash {
	hash := block.BlockHash()
	return &hash
}

// unparsed is the hex of what a serialiser writes.
func unparsed(serialise func(io.Writer) error) string {
	var out bytes.Buffer
	if err := serialise(&out); err != nil {
		panic(err)
	}
	return hex.EncodeToString(out.Bytes())
}

// Rework gives a block whose transactions were changed the merkle root and the work that fit them. Its hash is another one then.
func Rework(block *wire.MsgBlock) {
	var all []*btcutil.Tx
	for _, tx := range block.Transactions {
		all = append(all, btcutil.NewTx(tx))
	}
	block.Header.MerkleRoot = blockchain.CalcMerkleRoot(all, false)
	Work(block)
}
