package evm

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/sha3"
)

// ErrAddress is what ParseAddress says. It is safe to show to a caller.
var ErrAddress = errors.New("must be an address: 0x and 40 hex digits, in one case or with a right EIP-55 checksum")

// ParseAddress reads an address and gives its canonical spelling, lower case.
// Digits all in one case carry no checksum (https://eips.ethereum.org/EIPS/eip-55); mixed case must carry the right one.
func ParseAddress(s string) (string, error) {
	digits, ok := strings.CutPrefix(s, "0x")
	if !ok || len(digits) != 40 {
		return "", ErrAddress
	}
	if _, err := hex.DecodeString(digits); err != nil {
		return "", ErrAddress
	}
	lower := strings.ToLower(s)
	if digits != strings.ToLower(digits) && digits != strings.ToUpper(digits) && s != Checksum(lower) {
		return "", ErrAddress
	}
	return lower, nil
}

// Checksum is the spelling of a canonical address for people: a letter is a capital where the same
// digit of the hash of the lower-case text is 8 or more (https://eips.ethereum.org/EIPS/eip-55).
func Checksum(address string) string {
	out := []byte(strings.ToLower(address))
	if len(out) != 42 {
		return address
	}
	sum := hex.EncodeToString(Keccak256(out[2:]))
	for i := 2; i < len(out); i++ {
		if out[i] >= 'a' && sum[i-2] >= '8' {
			out[i] -= 'a' - 'A'
		}
	}
	return string(out)
}

// AddressOf is the canonical address of an uncompressed secp256k1 public key, of 65 bytes with its
// leading 0x04 or of 64 without: the last 20 bytes of the key's Keccak-256. Any other length is a
// mistake of the program and panics.
func AddressOf(uncompressed []byte) string {
	if len(uncompressed) == 65 && uncompressed[0] == 4 {
		uncompressed = uncompressed[1:]
	}
	if len(uncompressed) != 64 {
		panic(fmt.Sprintf("evm: an uncompressed public key has 64 or 65 bytes, not %d", len(uncompressed)))
	}
	return "0x" + hex.EncodeToString(Keccak256(uncompressed)[12:])
}

// Keccak256 is the hash of Ethereum, which is Keccak as submitted and not SHA-3 as standardised.
func Keccak256(data []byte) []byte {
	h := sha3.NewLegacyKeccak256()
	h.Write(data)
	return h.Sum(nil)
}
