package node

import (
	"bytes"
	"math/big"
	"slices"

	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"

	"farrier/shared/chain/bitcoin"
)

// provedHeader reads a header that hashes to that hash and is the work that it says. The reason says why it is none.
func provedHeader(raw []byte, hash chainhash.Hash, network bitcoin.Network) (wire.BlockHeader, string) {
	var header wire.BlockHeader
	if len(raw) != wire.MaxBlockHeaderPayload {
		return header, "a header that has not 80 bytes"
	}
	if err := header.Deserialize(bytes.NewReader(raw)); err != nil {
		return header, "no header"
	}
	return header, doubtful(header, hash, network)
}

// doubtful says what is wrong with a header that is said to have that hash; "" where nothing is.
func doubtful(header wire.BlockHeader, hash chainhash.Hash, network bitcoin.Network) string {
	target := targetOf(header.Bits)
	switch {
	case header.BlockHash() != hash:
		return "another block than was asked for"
	case target.Sign() <= 0 || target.Cmp(targetOf(network.LeastWork)) > 0:
		return "a block of less work than the network asks for"
	case number(hash).Cmp(target) > 0:
		return "a block without the work that it claims"
	}
	return ""
}

// targetOf is the number that a hash must not be above, which a header writes in 32 bits: an exponent, to the base 256, of the
// first byte, and 23 bits with a sign (https://developer.bitcoin.org/reference/block_chain.html#target-nbits).
func targetOf(bits uint32) *big.Int {
	exponent, target := uint(bits>>24), big.NewInt(int64(bits&0x007fffff))
	if exponent < 3 {
		target.Rsh(target, 8*(3-exponent))
	} else {
		target.Lsh(target, 8*(exponent-3))
	}
	if bits&0x00800000 != 0 {
		target.Neg(target)
	}
	return target
}

// number is a hash as the number that is compared with a target: its last byte counts most.
func number(hash chainhash.Hash) *big.Int {
	b := hash[:]
	slices.Reverse(b)
	return new(big.Int).SetBytes(b)
}

// provedBlock reads a block and checks it as the package promises. The reason says why it is none.
func provedBlock(raw []byte, hash chainhash.Hash, height uint64, network bitcoin.Network) (*wire.MsgBlock, string) {
	if len(raw) < wire.MaxBlockHeaderPayload {
		return nil, "a block without a header"
	}
	if _, reason := provedHeader(raw[:wire.MaxBlockHeaderPayload], hash, network); reason != "" {
		return nil, reason // before anything larger is read
	}
	var block wire.MsgBlock
	rest := bytes.NewReader(raw)
	if err := block.Deserialize(rest); err != nil || rest.Len() > 0 {
		return nil, "a block that is not whole"
	}
	if reason := misshapen(&block); reason != "" {
		return nil, reason
	}
	return &block, unlike(&block, height, network)
}

// misshapen says what no block has; "" where there is nothing.
func misshapen(block *wire.MsgBlock) string {
	if len(block.Transactions) == 0 {
		return "a block without transactions"
	}
	for i, tx := range block.Transactions {
		// That the first is a coinbase also rules out that hashes from within the tree are shown as if they were
		// transactions: they would have to begin with 32 zeros (BIP-54, "64-byte transactions").
		if isCoinbase(tx) != (i == 0) {
			return "a block whose first transaction alone should be a coinbase"
		}
		if slices.ContainsFunc(tx.TxOut, func(o *wire.TxOut) bool { return o.Value < 0 || o.Value > most }) {
			return "a block with more money than there is"
		}
	}
	return ""
}

// most is all the money that there will ever be, in satoshis.
const most = 21_000_000 * 100_000_000

// unlike says in what a block's transactions are not those that its header stands for; "" where they are.
func unlike(block *wire.MsgBlock, height uint64, network bitcoin.Network) string {
	txs := make([]chainhash.Hash, len(block.Transactions))
	seen := make(map[chainhash.Hash]bool, len(txs))
	for i, tx := range block.Transactions {
		txs[i] = tx.TxHash()
		if seen[txs[i]] {
			return "a block with the same transaction twice" // its root could be that of the block without (CVE-2012-2459)
		}
		seen[txs[i]] = true
	}
	if merkleRoot(txs) != block.Header.MerkleRoot {
		return "a block with other transactions than its header stands for"
	}
	if from := network.Heights; from > 0 && height >= from && !bytes.HasPrefix(block.Transactions[0].TxIn[0].SignatureScript, heightInScript(height)) {
		return "a block of another height"
	}
	return ""
}

// isCoinbase says whether a transaction spends nothing that exists: one input, of no transaction.
func isCoinbase(tx *wire.MsgTx) bool {
	return len(tx.TxIn) == 1 && tx.TxIn[0].PreviousOutPoint == wire.OutPoint{Index: wire.MaxPrevOutIndex}
}

// merkleRoot hashes pairs, and pairs of pairs, until one is left; an odd one at the end is paired with itself
// (https://developer.bitcoin.org/reference/block_chain.html#merkle-trees). The hashes are used up.
func merkleRoot(level []chainhash.Hash) chainhash.Hash {
	for len(level) > 1 {
		if len(level)%2 == 1 {
			level = append(level, level[len(level)-1])
		}
		for i := 0; i < len(level); i += 2 {
			level[i/2] = chainhash.DoubleHashH(append(bytes.Clone(level[i][:]), level[i+1][:]...))
		}
		level = level[:len(level)/2]
	}
	return level[0]
}

// heightInScript is how a coinbase's script begins that names a height: as the least push of a number (BIP-34, and
// Bitcoin Core's "CScript() << nHeight").
func heightInScript(height uint64) []byte {
	const op1 = 0x51
	switch {
	case height == 0:
		return []byte{0}
	case height <= 16:
		return []byte{op1 + byte(height) - 1}
	}
	var number []byte
	for ; height > 0; height >>= 8 {
		number = append(number, byte(height)) // #nosec G115 -- the lowest byte
	}
	if number[len(number)-1]&0x80 != 0 { // which would be the sign
		number = append(number, 0)
	}
	return append([]byte{byte(len(number))}, number...) // #nosec G115 -- at most 9
}
