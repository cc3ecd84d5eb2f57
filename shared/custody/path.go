package custody

import (
	"github.com/btcsuite/btcd/btcutil/hdkeychain"

	"farrier/shared/chain"
	"farrier/shared/chain/tron"
)

// path is where an account's key lies, m / purpose' / coin type' / account', and how its public half is written.
type path struct {
	steps   [3]uint32
	version [4]byte // SLIP-132
}

const bitcoinMain chain.ID = "bip122:000000000019d6689c085ae165831e93"

// pathOf is BIP-44 for EVM chains, which share Ether's coin type as they share addresses, and for TRON; BIP-84 for Bitcoin,
// where every test network has the coin type 1 (SLIP-44).
func pathOf(id chain.ID, account uint32) (path, error) {
	var purpose, coin uint32
	version := [4]byte{0x04, 0x88, 0xb2, 0x1e} // xpub
	switch {
	case id.Namespace() == "eip155":
		purpose, coin = 44, 60
	case id.Namespace() == "tron":
		purpose, coin = 44, tron.CoinType
	case id == bitcoinMain:
		purpose, coin, version = 84, 0, [4]byte{0x04, 0xb2, 0x47, 0x46} // zpub
	case id.Namespace() == "bip122":
		purpose, coin, version = 84, 1, [4]byte{0x04, 0x5f, 0x1c, 0xf6} // vpub
	default:
		return path{}, ErrPath
	}
	const hardened = hdkeychain.HardenedKeyStart
	if account >= hardened {
		return path{}, ErrPath
	}
	return path{[3]uint32{hardened + purpose, hardened + coin, hardened + account}, version}, nil
}
