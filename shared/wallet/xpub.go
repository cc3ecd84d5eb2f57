package wallet

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/btcsuite/btcd/btcutil/base58"
	"github.com/btcsuite/btcd/btcutil/hdkeychain"

	"farrier/shared/chain"
	"farrier/shared/chain/family"
	"farrier/shared/problem"
)

// AccountDepth is the depth of an account's key in BIP-44 and BIP-84: m / purpose' / coin type' / account'.
const AccountDepth = 3

// Accounts are the extended public keys that a merchant's addresses come from, by family of chains ("eip155").
type Accounts map[string]string

// Check reads every key. Its errors name the field.
func (a Accounts) Check() error {
	if len(a) == 0 {
		return problem.Field("xpub", "is missing")
	}
	for _, namespace := range slices.Sorted(maps.Keys(a)) {
		if _, err := a.read(namespace); err != nil {
			return err
		}
	}
	return nil
}

// With are the accounts with others for families that have none. One that is there already stays.
func (a Accounts) With(others Accounts) (Accounts, error) {
	all := Accounts{}
	maps.Copy(all, a)
	for _, namespace := range slices.Sorted(maps.Keys(others)) {
		if _, err := others.read(namespace); err != nil {
			return nil, err
		}
		switch has, is := a[namespace]; {
		case is && has != others[namespace]:
			return nil, problem.Field(fieldOf(namespace), "is another key than the one that addresses are made from already; that one stays")
		case !is:
			all[namespace] = others[namespace]
		}
	}
	return all, nil
}

// Of is the key for a chain. Its error names the field where there is none.
func (a Accounts) Of(id chain.ID) (XPub, error) {
	x, err := a.read(id.Namespace())
	if err != nil {
		return XPub{}, err
	}
	if want := versions[id.Namespace()].on(id); !slices.Contains(want, x.version) {
		return XPub{}, problem.Field(fieldOf(id.Namespace()), fmt.Sprintf("is of another network than %s: it must begin with %s", id, prefixes(want)))
	}
	return x, nil
}

func (a Accounts) read(namespace string) (XPub, error) {
	field := fieldOf(namespace)
	if _, known := versions[namespace]; !known {
		return XPub{}, problem.Field(field, fmt.Sprintf("names no family of chains; there are %s", strings.Join(family.Names(), ", ")))
	}
	text, given := a[namespace]
	if !given {
		return XPub{}, problem.Field(field, "is not there: the merchant has no account for these chains")
	}
	return parse(field, namespace, text)
}

// fieldOf is the field that a family's key is given in.
func fieldOf(namespace string) string {
	if namespace == "eip155" {
		return "xpub"
	}
	return "xpubs." + namespace
}

// XPub is an account's extended public key (BIP-32), from which addresses are derived at change/index (BIP-44).
type XPub struct {
	key     *hdkeychain.ExtendedKey
	version version // as its first four bytes say
}

// version is what an extended key's first four bytes say: "xpub".
type version struct{ prefix, bytes string }

// The versions of public keys (https://github.com/satoshilabs/slips/blob/master/slip-0132.md). Wallets write an account of
// BIP-84 as a zpub or as an xpub.
var (
	xpub = version{"xpub", "\x04\x88\xb2\x1e"}
	zpub = version{"zpub", "\x04\xb2\x47\x46"}
	tpub = version{"tpub", "\x04\x35\x87\xcf"}
	vpub = version{"vpub", "\x04\x5f\x1c\xf6"}
)

// kept are the versions that a family takes on its main network and on the others, where those differ.
type kept struct{ main, test []version }

var versions = map[string]kept{
	"eip155": {main: []version{xpub}},
	"bip122": {main: []version{xpub, zpub}, test: []version{tpub, vpub}},
	"tron":   {main: []version{xpub}},
}

// on are the versions that are right on a chain.
func (k kept) on(id chain.ID) []version {
	if id.Namespace() == "bip122" && id != bitcoinMain {
		return k.test
	}
	return k.main
}

const bitcoinMain chain.ID = "bip122:000000000019d6689c085ae165831e93"

func (k kept) all() []version { return slices.Concat(k.main, k.test) }

func prefixes(versions []version) string {
	var names []string
	for _, v := range versions {
		names = append(names, fmt.Sprintf("%q", v.prefix))
	}
	return strings.Join(names, " or ")
}

// parse reads a serialised extended public key of an account. Its errors name the field and never repeat what was given,
// since that may be a private key.
func parse(field, namespace, s string) (XPub, error) {
	if len(s) > 120 {
		return XPub{}, problem.Field(field, "is too long to be an extended public key")
	}
	key, err := hdkeychain.NewKeyFromString(s)
	if key != nil && key.IsPrivate() || len(s) >= 4 && s[1:4] == "prv" {
		return XPub{}, problem.Field(field, "is an extended PRIVATE key; give the public one, and treat the key that you sent as exposed")
	}
	switch {
	case errors.Is(err, hdkeychain.ErrBadChecksum):
		return XPub{}, problem.Field(field, "has a wrong checksum")
	case err != nil:
		return XPub{}, problem.Field(field, "is not an extended public key (BIP-32)")
	case key.Depth() != AccountDepth:
		return XPub{}, problem.Field(field, fmt.Sprintf("is at depth %d; give an account's key, such as m/44'/60'/account', which is at depth %d", key.Depth(), AccountDepth))
	}
	known := versions[namespace].all()
	begins := string(base58.Decode(s)[:4])
	for _, v := range known {
		if v.bytes == begins {
			return XPub{key, v}, nil
		}
	}
	return XPub{}, problem.Field(field, "is of another network or kind; it must begin with "+prefixes(known))
}

// Address is the canonical address of change/index on a chain.
func (x XPub) Address(id chain.ID, change, index uint32) (string, error) {
	f, known := family.Of(id)
	if !known {
		return "", fmt.Errorf("wallet: no addresses are known for %s", id)
	}
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
	return f.AddressOf(id, public), nil
}
