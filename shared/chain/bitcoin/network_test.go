package bitcoin_test

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"

	"farrier/shared/chain/bitcoin"
)

const (
	mainnet  = "000000000019d6689c085ae165831e93"
	testnet3 = "000000000933ea01ad0ee984209779ba"
	testnet4 = "00000000da84f2bafbbc53dee25a72ae"
	signet   = "00000008819873e925422c1ff0f99f7c"
	regtest  = "0f9188f13cb7b2c71f2a335e3a4fc328"
	simnet   = "683e86bd5c6d110d91b94b97137ba6bf"
)

// parameters are what btcd knows of the networks. Of testnet4 its version 0.24 knows nothing; its addresses are testnet3's (BIP-94).
var parameters = map[string]*chaincfg.Params{
	mainnet: &chaincfg.MainNetParams, testnet3: &chaincfg.TestNet3Params, testnet4: &chaincfg.TestNet3Params,
	signet: &chaincfg.SigNetParams, regtest: &chaincfg.RegressionNetParams, simnet: &chaincfg.SimNetParams,
}

func TestANetworkIsNamedByItsGenesisBlock(t *testing.T) {
	for reference, known := range parameters {
		n, ok := bitcoin.NetworkOf(reference)
		if !ok || n.Reference() != reference {
			t.Fatalf("%s is %+v", reference, n)
		}
		genesis := known.GenesisBlock.BlockHash().String()
		if reference == testnet4 {
			genesis = testnet4Genesis(t).String()
		}
		if n.Genesis != genesis {
			t.Errorf("%s begins with %s, by btcd with %s", n.Name, n.Genesis, genesis)
		}
		if n.LeastWork != known.PowLimitBits {
			t.Errorf("%s asks for %x, by btcd for %x", n.Name, n.LeastWork, known.PowLimitBits)
		}
		if want := max(1, uint64(known.BIP0034Height)); n.Heights != want && reference != regtest && reference != testnet4 { // #nosec G115 -- a height
			t.Errorf("%s names heights from %d on, by btcd from %d", n.Name, n.Heights, want)
		}
	}
	for _, unknown := range []string{"", "0", "mainnet", mainnet[:31], mainnet + "4", "00000000001 9d6689c085ae165831e9"} {
		if n, ok := bitcoin.NetworkOf(unknown); ok {
			t.Errorf("%q is %+v", unknown, n)
		}
	}
}

// testnet4Genesis hashes the header of BIP-94, "Genesis block", and sees that the hash is its work.
func testnet4Genesis(t *testing.T) chainhash.Hash {
	t.Helper()
	root, err := chainhash.NewHashFromStr("7aa0a7ae1e223414cb807e40cd57e667b718e42aaf9306db9102fe28912b7b4e")
	if err != nil {
		t.Fatal(err)
	}
	header := wire.BlockHeader{Version: 1, MerkleRoot: *root, Timestamp: time.Unix(1714777860, 0), Bits: 0x1d00ffff, Nonce: 393743547}
	hash := header.BlockHash()
	if blockchain.HashToBig(&hash).Cmp(blockchain.CompactToBig(header.Bits)) > 0 {
		t.Fatalf("%s is no work", hash)
	}
	return hash
}
