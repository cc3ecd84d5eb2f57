package wallet

import (
	"errors"
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/btcutil/base58"
	"github.com/btcsuite/btcd/btcutil/hdkeychain"

	"farrier/shared/chain/evm"
	"farrier/shared/problem"
)

// AccountDepth is the depth of an account's key in BIP-44: m / purpose' / coin type' / account'.
const AccountDepth = 3

// XPub is an account's extended public key (BIP-32), from which addresses are derived
// at change/index (BIP-44).
type XPub struct{ key *hdkeychain.ExtendedKey }

// ParseXPub reads a serialised extended public key of an account. Its errors name the field "xpub"
// and never repeat what was given, since that may be a private key.
func ParseXPub(s string) (XPub, error) {
	if len(s) > 120 {
		return XPub{}, problem.Field("xpub", "is too long to be an extended public key")
	}
	key, err := hdkeychain.NewKeyFromString(s)
	if key != nil && key.IsPrivate() || strings.HasPrefix(s, "xprv") {
		return XPub{}, problem.Field("xpub", "is an extended PRIVATE key; give the public one, and treat the key that you sent as exposed")
	}
	switch {
	case errors.Is(err, hdkeychain.ErrBadChecksum):
		return XPub{}, problem.Field("xpub", "has a wrong checksum")
	case err != nil:
		return XPub{}, problem.Field("xpub", "is not an extended public key (BIP-32)")
	case key.Depth() != AccountDepth:
		return XPub{}, problem.Field("xpub", fmt.Sprintf("is at depth %d; give an account's key, m/44'/60'/account', which is at depth %d", key.Depth(), AccountDepth))
	case string(base58.Decode(s)[:4]) != "\x04\x88\xb2\x1e":
		return XPub{}, problem.Field("xpub", `is of another network or kind; it must begin with "xpub"`)
	}
	return XPub{key}, nil
}

// Address is the EVM address at change/index, in lower case.
func (x XPub) Address(change, index uint32) (string, error) {
	branch, err := x.key.Derive(change)
	if err != nil {
		return "", fmt.Errorf("wallet: %w", err)
	}
	leaf, err := branch.Derive(index)
	if err != nil {
		return "", fmt.Errorf("wallet: %w", err)
	}
	public, err := leaf.ECPubKey()
	if err != nil {
		return "", fmt.Errorf("wallet: %w", err)
	}
	return evm.AddressOf(public.SerializeUncompressed()), nil
}
