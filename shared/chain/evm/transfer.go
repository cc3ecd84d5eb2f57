package evm

import (
	"bytes"
	"encoding/hex"
	"math/big"
	"strings"

	"farrier/shared/money"
)

// transfer begins a call of transfer(address,uint256) (https://eips.ethereum.org/EIPS/eip-20): the first four bytes of the
// hash of these words.
var transfer = []byte{0xa9, 0x05, 0x9c, 0xbb}

// word is how many bytes an argument takes, callLength what the call takes, addressLength what of a word an address takes.
const word, callLength, addressLength = 32, 4 + 2*word, 20

// TransferCall is the call of a token's contract that sends an amount, of which 256 bits fit, to an address in its canonical
// spelling.
func TransferCall(to string, amount money.Amount) []byte {
	call := make([]byte, callLength)
	copy(call, transfer)
	payee, _ := hex.DecodeString(strings.TrimPrefix(to, "0x"))
	copy(call[4+word-len(payee):], payee)
	number := amount.Big().Bytes()
	number = number[max(0, len(number)-word):]
	copy(call[callLength-len(number):], number)
	return call
}

// ReadTransferCall reads what TransferCall made; false of any other.
func ReadTransferCall(call []byte) (to string, amount money.Amount, ok bool) {
	if len(call) != callLength || !bytes.HasPrefix(call, transfer) {
		return "", money.Amount{}, false
	}
	payee, number := call[4:4+word], call[4+word:]
	if len(bytes.TrimLeft(payee, "\x00")) > addressLength {
		return "", money.Amount{}, false
	}
	amount, err := money.FromBig(new(big.Int).SetBytes(number))
	return "0x" + hex.EncodeToString(payee[word-addressLength:]), amount, err == nil
}
