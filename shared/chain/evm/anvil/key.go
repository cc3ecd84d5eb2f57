package anvil

import (
	"crypto/ecdsa"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"
)

// Key is a private key of a test's own, whose address the chain knows nothing of.
type Key struct {
	Address string
	private *ecdsa.PrivateKey
}

// NewKey makes one.
func NewKey(t testing.TB) Key {
	t.Helper()
	private, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return Key{Address: strings.ToLower(crypto.PubkeyToAddress(private.PublicKey).Hex()), private: private}
}

// Signature signs a digest: r, s and 0 or 1.
func (k Key) Signature(digest [32]byte) ([65]byte, error) {
	signature, err := crypto.Sign(digest[:], k.private)
	if err != nil {
		return [65]byte{}, err
	}
	return [65]byte(signature), nil
}

// Fund gives an address so much of the chain's own coin.
func (c *Chain) Fund(address string, units *big.Int) {
	c.t.Helper()
	c.Call(nil, "anvil_setBalance", address, fmt.Sprintf("0x%x", units))
}

// Unlock has the chain sign for an address as its owner would elsewhere.
func (c *Chain) Unlock(address string) {
	c.t.Helper()
	c.Call(nil, "anvil_impersonateAccount", address)
}

// Drop has the chain forget a transaction that is in no block.
func (c *Chain) Drop(hash string) {
	c.t.Helper()
	c.Call(nil, "anvil_dropTransaction", hash)
}
