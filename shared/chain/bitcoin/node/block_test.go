package node

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"

	"farrier/shared/chain/bitcoin"
)

func TestTheFirstBlockOfTheMainNetworkIsProved(t *testing.T) {
	mainnet, _ := bitcoin.NetworkOf("000000000019d6689c085ae165831e93")
	var raw bytes.Buffer
	if err := chaincfg.MainNetParams.GenesisBlock.Serialize(&raw); err != nil {
		t.Fatal(err)
	}
	hash, ok := hashOf(mainnet.Genesis)
	if !ok {
		t.Fatal(mainnet.Genesis)
	}
	if _, reason := provedBlock(raw.Bytes(), hash, 0, mainnet); reason != "" {
		t.Error(reason)
	}
	if _, reason := provedHeader(raw.Bytes()[:80], hash, mainnet); reason != "" {
		t.Error(reason)
	}
	if _, reason := provedBlock(raw.Bytes(), hash, 227_931, mainnet); reason == "" { // where blocks name their heights
		t.Error("the first block is taken for another")
	}
}

func TestATargetIsReadAsBtcdReadsIt(t *testing.T) {
	for _, bits := range []uint32{0x1d00ffff, 0x207fffff, 0x1e0377ae, 0x1703255b, 0, 1, 0x01003456, 0x01123456, 0x02008000, 0x03123456, 0x04923456, 0x04123456, 0x05009234, 0x20123456, 0xff7fffff, 0xffffffff} {
		if got, want := targetOf(bits), blockchain.CompactToBig(bits); got.Cmp(want) != 0 {
			t.Errorf("%08x is %x, by btcd %x", bits, got, want)
		}
	}
}

func TestAHeightIsWrittenAsTxscriptWritesIt(t *testing.T) {
	for _, height := range []uint64{0, 1, 16, 17, 127, 128, 255, 256, 32_767, 32_768, 65_535, 227_931, 8_388_607, 8_388_608, 1<<31 - 1} {
		want, err := txscript.NewScriptBuilder().AddInt64(int64(height)).Script() // #nosec G115 -- below 2^31
		if err != nil {
			t.Fatal(err)
		}
		if got := heightInScript(height); !bytes.Equal(got, want) {
			t.Errorf("%d is %x, by txscript %x", height, got, want)
		}
	}
}

func TestAMerkleRootIsThatOfBtcd(t *testing.T) {
	var txs []*btcutil.Tx
	var hashes []chainhash.Hash
	for n := uint32(0); n < 40; n++ {
		tx := wire.NewMsgTx(1)
		tx.LockTime = n
		txs, hashes = append(txs, btcutil.NewTx(tx)), append(hashes, tx.TxHash())
		if got, want := merkleRoot(append([]chainhash.Hash(nil), hashes...)), blockchain.CalcMerkleRoot(txs, false); got != want {
			t.Errorf("of %d: %s, by btcd %s", len(txs), got, want)
		}
	}
}

// FuzzHeader: 80 bytes are a header only of their own hash, and only where btcd finds the work in it.
func FuzzHeader(f *testing.F) {
	var raw bytes.Buffer
	if err := chaincfg.SimNetParams.GenesisBlock.Header.Serialize(&raw); err != nil {
		f.Fatal(err)
	}
	f.Add(raw.Bytes(), uint32(0x207fffff))
	f.Add(raw.Bytes(), uint32(0x1d00ffff))
	f.Add(raw.Bytes(), uint32(0x207fffff|1<<23))
	f.Add(raw.Bytes()[:79], uint32(0))
	f.Add(append(raw.Bytes(), 0), uint32(0xffffffff))

	f.Fuzz(func(t *testing.T, raw []byte, bits uint32) {
		if len(raw) >= 76 {
			raw = bytes.Clone(raw)
			binary.LittleEndian.PutUint32(raw[72:], bits)
		}
		hash := chainhash.DoubleHashH(raw)
		header, reason := provedHeader(raw, hash, simnet)
		target := blockchain.CompactToBig(bits)
		good := len(raw) == 80 && target.Sign() > 0 && target.Cmp(chaincfg.SimNetParams.PowLimit) <= 0 && blockchain.HashToBig(&hash).Cmp(target) <= 0
		if good != (reason == "") || good && header.BlockHash() != hash {
			t.Fatalf("%x: %q", raw, reason)
		}
		hash[0]++
		if _, reason := provedHeader(raw, hash, simnet); reason == "" {
			t.Fatalf("%x is taken for another", raw)
		}
	})
}
