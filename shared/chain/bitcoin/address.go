package bitcoin

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/btcutil/base58"
	"github.com/btcsuite/btcd/btcutil/bech32"
	//lint:ignore SA1019 BIP-141 and BIP-16 hash keys and scripts with it; nothing newer may take its place
	"golang.org/x/crypto/ripemd160" // #nosec G507 -- as the chain demands
)

// What ParseAddress says of a text that is no address of the network. They are safe to show to a caller.
var (
	ErrAddress  = errors.New("must be a Bitcoin address")
	ErrChecksum = errors.New("has a wrong checksum: the address is mistyped")
	ErrCase     = errors.New("mixes capital and small letters, as an address of this kind never does")
	ErrEncoding = errors.New("has the checksum of another kind of address: bech32 belongs to P2WPKH and P2WSH, bech32m to P2TR (BIP-350)")
	ErrKind     = errors.New("is an address of a kind that is not taken: P2WPKH, P2WSH, P2TR, P2PKH and P2SH are")
)

// NetworkError says of an address that it belongs to other networks. It is safe to show to a caller.
type NetworkError struct{ Is, Want string }

func (e *NetworkError) Error() string {
	return fmt.Sprintf("is an address of another network (%s), not of %s", e.Is, e.Want)
}

// longest is the length of the longest bech32 text (BIP-173); addresses in base58 are shorter.
const longest = 90

// ParseAddress reads an address of the network with that CAIP-2 reference and gives its canonical spelling.
// It takes P2WPKH, P2WSH and P2TR (BIP-173, BIP-350), all in small or all in capital letters, and P2PKH and P2SH.
func ParseAddress(network, text string) (string, error) {
	n, ok := NetworkOf(network)
	switch {
	case !ok:
		return "", fmt.Errorf("bitcoin: there is no network %q", network)
	case text == "" || len(text) > longest:
		return "", ErrAddress
	}
	// What is whole in base58 is that: simnet's such addresses may begin as if they were bech32, with "Sb1" or "sb1".
	hash, first, err := base58.CheckDecode(text)
	switch {
	case err == nil && len(hash) == ripemd160.Size:
		return n.parseBase58(hash, first)
	case hasPrefix(text):
		return n.parseSegwit(text)
	case errors.Is(err, base58.ErrChecksum) && len(text) >= 26 && len(text) <= 35: // as long as such an address is
		return "", ErrChecksum
	default:
		return "", ErrAddress
	}
}

// ReadAddress reads an address of whichever network and gives its canonical spelling.
func ReadAddress(text string) (string, error) {
	for _, n := range networks {
		if canonical, err := ParseAddress(n.Reference(), text); err == nil {
			return canonical, nil
		}
	}
	return "", ErrAddress
}

// hasPrefix says whether a text begins as a bech32 address of any network.
func hasPrefix(text string) bool {
	lower := strings.ToLower(text)
	return named(func(n Network) bool { return strings.HasPrefix(lower, n.prefix+"1") }) != ""
}

func (n Network) parseSegwit(text string) (string, error) {
	prefix, data, checksum, err := bech32.DecodeGeneric(text)
	var mixed bech32.ErrMixedCase
	var wrong bech32.ErrInvalidChecksum
	switch {
	case errors.As(err, &mixed):
		return "", ErrCase
	case errors.As(err, &wrong):
		return "", ErrChecksum
	case err != nil || len(data) == 0:
		return "", ErrAddress
	}
	version := data[0]
	program, err := bech32.ConvertBits(data[1:], 5, 8, false)
	switch {
	case err != nil || version > 16:
		return "", ErrAddress
	case (version == 0) != (checksum == bech32.Version0):
		return "", ErrEncoding
	case version == 0 && len(program) != 20 && len(program) != 32, version == 1 && len(program) != 32, version > 1:
		return "", ErrKind
	case prefix != n.prefix:
		return "", n.not(func(other Network) bool { return other.prefix == prefix })
	}
	return n.segwit(version, program), nil
}

func (n Network) parseBase58(hash []byte, first byte) (string, error) {
	if first != n.pubKeyHash && first != n.scriptHash {
		return "", n.not(func(other Network) bool { return other.pubKeyHash == first || other.scriptHash == first })
	}
	return base58.CheckEncode(hash, first), nil
}

func (n Network) not(holds func(Network) bool) error {
	is := named(holds)
	if is == "" {
		return ErrAddress // of another coin
	}
	return &NetworkError{Is: is, Want: n.Name}
}

// segwit spells a witness program that parseSegwit takes. The library can fail only for data of more than five bits.
func (n Network) segwit(version byte, program []byte) string {
	data, err := bech32.ConvertBits(program, 8, 5, true)
	if err != nil {
		panic(fmt.Sprintf("bitcoin: %v", err))
	}
	encode := bech32.EncodeM
	if version == 0 {
		encode = bech32.Encode
	}
	text, err := encode(n.prefix, append([]byte{version}, data...))
	if err != nil {
		panic(fmt.Sprintf("bitcoin: %v", err))
	}
	return text
}

// AddressOf is the native segwit address (P2WPKH, BIP-84) of a compressed public key, which has 33 bytes, on the network with
// that CAIP-2 reference. Another length, as a network that is not known, is a mistake of the program, which panics.
func AddressOf(network string, compressed []byte) string {
	n, ok := NetworkOf(network)
	if !ok || len(compressed) != 33 {
		panic(fmt.Sprintf("bitcoin: no address of %d bytes on the network %q", len(compressed), network))
	}
	return n.segwit(0, hash160(compressed))
}

// hash160 is how keys and scripts are hashed (BIP-16, BIP-141).
func hash160(data []byte) []byte {
	sum := sha256.Sum256(data)
	h := ripemd160.New() // #nosec G406 -- as the chain demands
	h.Write(sum[:])
	return h.Sum(nil)
}

// Paid is the address that an output's script pays, in its canonical spelling; false for every script that is not exactly
// that of an address: bare keys and multisig, data (OP_RETURN), witness versions that the network does not know yet.
func (n Network) Paid(script []byte) (string, bool) {
	const (
		op1, push20, push32            = 0x51, 0x14, 0x20
		opDup, opHash160               = 0x76, 0xa9
		opEqual, opEqualVerify, opSign = 0x87, 0x88, 0xac
	)
	switch {
	case len(script) == 22 && script[0] == 0 && script[1] == push20: // BIP-141: P2WPKH
		return n.segwit(0, script[2:]), true
	case len(script) == 34 && script[0] == 0 && script[1] == push32: // BIP-141: P2WSH
		return n.segwit(0, script[2:]), true
	case len(script) == 34 && script[0] == op1 && script[1] == push32: // BIP-341: P2TR
		return n.segwit(1, script[2:]), true
	case len(script) == 25 && script[0] == opDup && script[1] == opHash160 && script[2] == push20 && script[23] == opEqualVerify && script[24] == opSign:
		return base58.CheckEncode(script[3:23], n.pubKeyHash), true
	case len(script) == 23 && script[0] == opHash160 && script[1] == push20 && script[22] == opEqual: // BIP-16
		return base58.CheckEncode(script[2:22], n.scriptHash), true
	default:
		return "", false
	}
}
