package tron

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/btcutil/base58"

	"farrier/shared/chain/evm"
)

// The networks' CAIP-2 ids.
const (
	Mainnet = "tron:0x2b6653dc"
	Shasta  = "tron:0x94a9059e" // a test network
	Nile    = "tron:0xcd8690dc" // a test network
)

// CoinType is TRON's in SLIP-44: keys are derived below m/44'/195', and the coin is the asset slip44:195.
const CoinType = 195

// Decimals are the coin's: 1 TRX are 1,000,000 sun.
const Decimals = 6

// Depth is the least number of blocks above one that is final. A block is solid once 19 of the 27 witnesses, who take
// turns, have made one on it (DposService.updateSolidBlock of java-tron 4.8.0).
const Depth = 19

// ErrAddress is what ParseAddress says, in some cases with a word on why. It is safe to show to a caller.
var ErrAddress = errors.New(`must be a TRON address: "T" and 33 more letters and digits, in the case that the wallet shows`)

// prefix is the byte before an account's 20 in the base58 text and in the hex of the HTTP API.
const prefix = 0x41

// accountLength is how many bytes name an account.
const accountLength = 20

// longest is more than any text in base58check that somebody may mistake for an address of TRON.
const longest = 64

// ParseAddress reads an address and gives its canonical spelling, which is the only one that it takes.
func ParseAddress(text string) (string, error) {
	account, err := parse(text)
	if err != nil {
		return "", err
	}
	return FromBytes(account), nil
}

func parse(text string) (account [accountLength]byte, err error) {
	if strings.HasPrefix(text, "0x") || strings.HasPrefix(text, "0X") {
		return account, fmt.Errorf("%w; one that begins with 0x is of an EVM chain", ErrAddress)
	}
	if len(text) > longest {
		return account, ErrAddress
	}
	payload, version, err := base58.CheckDecode(text)
	switch {
	case errors.Is(err, base58.ErrChecksum) && len(text) == 34:
		return account, fmt.Errorf("%w; its checksum is wrong, so it was mistyped", ErrAddress)
	case err != nil:
		return account, ErrAddress
	case version != prefix || len(payload) != accountLength:
		return account, fmt.Errorf("%w; this one is of another network", ErrAddress)
	}
	return [accountLength]byte(payload), nil
}

// AddressOf is the canonical address of an uncompressed secp256k1 public key (see evm.AddressOf).
func AddressOf(uncompressed []byte) string {
	address, err := FromHex(evm.AddressOf(uncompressed))
	if err != nil {
		panic("tron: a key without address: " + err.Error()) // AddressOf gives 0x and 40 hex digits
	}
	return address
}

// FromBytes is the canonical address of an account.
func FromBytes(account [accountLength]byte) string {
	return base58.CheckEncode(account[:], prefix)
}

// Hex is how the JSON-RPC API spells a canonical address: 0x and 40 hex digits in lower case.
func Hex(address string) (string, error) {
	account, err := parse(address)
	if err != nil {
		return "", err
	}
	return "0x" + hex.EncodeToString(account[:]), nil
}

var errHex = errors.New("tron: no account in hex: neither 0x and 40 hex digits nor 41 and 40 hex digits")

// FromHex is the canonical address of an account as a node spells it: 0x and 40 hex digits in the JSON-RPC
// API, 41 and 40 hex digits in the HTTP API.
func FromHex(text string) (string, error) {
	digits, found := strings.CutPrefix(text, "0x")
	if !found {
		digits, found = strings.CutPrefix(text, "41")
	}
	account, err := hex.DecodeString(digits)
	if !found || err != nil || len(account) != accountLength {
		return "", errHex
	}
	return FromBytes([accountLength]byte(account)), nil
}
