package family

import (
	"errors"
	"strings"

	"github.com/btcsuite/btcd/btcec/v2"

	"farrier/shared/chain"
	"farrier/shared/chain/bitcoin"
	"farrier/shared/chain/evm"
	"farrier/shared/chain/tron"
)

// Family is what the chains of a namespace have in common.
type Family struct {
	Namespace string // CAIP-2: "eip155"

	parse     func(reference, text string) (string, error)
	read      func(text string) (string, error) // parse, whatever the network
	addressOf func(reference string, key *btcec.PublicKey) string
	show      func(address string) string // nil where people write addresses as they are stored
	txPrefix  string
}

// families are all that there are. No text is an address of two.
var families = []Family{
	{
		Namespace: "eip155", txPrefix: "0x", show: evm.Checksum, read: evm.ParseAddress,
		parse:     func(_, text string) (string, error) { return evm.ParseAddress(text) },
		addressOf: func(_ string, key *btcec.PublicKey) string { return evm.AddressOf(key.SerializeUncompressed()) },
	},
	{
		Namespace: "tron", read: tron.ParseAddress,
		parse:     func(_, text string) (string, error) { return tron.ParseAddress(text) },
		addressOf: func(_ string, key *btcec.PublicKey) string { return tron.AddressOf(key.SerializeUncompressed()) },
	},
	{Namespace: "bip122", parse: bitcoin.ParseAddress, read: bitcoin.ReadAddress,
		addressOf: func(reference string, key *btcec.PublicKey) string {
			return bitcoin.AddressOf(reference, key.SerializeCompressed())
		},
	},
}

// Of is the family of a chain.
func Of(id chain.ID) (Family, bool) {
	for _, f := range families {
		if f.Namespace == id.Namespace() {
			return f, true
		}
	}
	return Family{}, false
}

// Names are the families' namespaces.
func Names() []string {
	var names []string
	for _, f := range families {
		names = append(names, f.Namespace)
	}
	return names
}

// ParseAddress reads an address on a chain of the family and gives its canonical spelling. The error is safe to show.
func (f Family) ParseAddress(id chain.ID, text string) (string, error) {
	return f.parse(id.Reference(), text)
}

// AddressOf is the canonical address of a public key on a chain of the family.
func (f Family) AddressOf(id chain.ID, key *btcec.PublicKey) string {
	return f.addressOf(id.Reference(), key)
}

// Show is a canonical address as people write it: with its checksum, where the canonical spelling has none.
func (f Family) Show(address string) string {
	if f.show == nil {
		return address
	}
	return f.show(address)
}

// Show is a canonical address on a chain as people write it.
func Show(id chain.ID, address string) string {
	f, _ := Of(id)
	return f.Show(address)
}

// Read finds the family that a text is an address of, whatever its network, and the address's canonical spelling.
func Read(text string) (namespace, canonical string, ok bool) {
	for _, f := range families {
		if canonical, err := f.read(text); err == nil {
			return f.Namespace, canonical, true
		}
	}
	return "", "", false
}

// ErrTx is what Tx says. It is safe to show.
var ErrTx = errors.New("is not the hash of a transaction")

// Tx is the canonical spelling of a transaction's hash: 64 hex digits in lower case, after 0x on EVM chains.
func (f Family) Tx(text string) (string, error) {
	digits, hexed := strings.CutPrefix(strings.ToLower(text), "0x")
	if len(digits) != 64 || strings.Trim(digits, "0123456789abcdef") != "" || (f.txPrefix != "" && !hexed) {
		return "", ErrTx
	}
	return f.txPrefix + digits, nil
}
