package node

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"

	"farrier/shared/chain"
)

// BenchmarkFullBlock proves a block as large as the main network's are, 3,500 transactions in 1.3 MB, and reads whom it pays.
func BenchmarkFullBlock(b *testing.B) {

	raw, hash := fullBlock(3500)
	n := &Node{network: simnet, config: chain.Config{ID: "bip122:683e86bd5c6d110d91b94b97137ba6bf", Finality: chain.Finality{Depth: 6}}}
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		block, reason := provedBlock(raw, hash, 1000, simnet)
		if reason != "" {
			b.Fatal(reason)
		}
		if got := n.inBlock(block, 1000); len(got) != 3500*2 {
			b.Fatalf("%d outputs", len(got))
		}
	}
}

func fullBlock(txs int) ([]byte, chainhash.Hash) {
	r := rand.NewChaCha8([32]byte{1})
	bytesOf := func(n int) []byte {
		out := make([]byte, n)
		_, _ = r.Read(out)
		return out
	}
	block := wire.NewMsgBlock(&wire.BlockHeader{Version: 1, Timestamp: time.Unix(1_800_000_000, 0), Bits: 0x207fffff})
	coinbase := wire.NewMsgTx(1)
	coinbase.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Index: wire.MaxPrevOutIndex}, SignatureScript: append(heightInScript(1000), 1, 2, 3)})
	coinbase.AddTxOut(wire.NewTxOut(5e9, append([]byte{0, 20}, bytesOf(20)...)))
	all := []*wire.MsgTx{coinbase}
	for range txs {
		tx := wire.NewMsgTx(2)
		for range 2 {
			in := &wire.TxIn{Witness: wire.TxWitness{bytesOf(72), bytesOf(33)}}
			copy(in.PreviousOutPoint.Hash[:], bytesOf(32))
			tx.AddTxIn(in)
		}
		tx.AddTxOut(wire.NewTxOut(5000, append([]byte{0, 20}, bytesOf(20)...)))
		tx.AddTxOut(wire.NewTxOut(6000, append([]byte{0x51, 32}, bytesOf(32)...)))
		all = append(all, tx)
	}
	var hashes []chainhash.Hash
	for _, tx := range all {
		_ = block.AddTransaction(tx)
		hashes = append(hashes, tx.TxHash())
	}
	block.Header.MerkleRoot = merkleRoot(hashes)
	for number(block.BlockHash()).Cmp(targetOf(block.Header.Bits)) > 0 {
		block.Header.Nonce++
	}
	var raw bytes.Buffer
	if err := block.Serialize(&raw); err != nil {
		panic(err)
	}
	return raw.Bytes(), block.BlockHash()
}
