package transaction

import (
	"bytes"
	"encoding/hex"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"farrier/shared/money"
)

// transfer begins the data of a call of transfer(address,uint256) (https://eips.ethereum.org/EIPS/eip-20): the first four
// bytes of the hash of these words.
var transfer = []byte{0xa9, 0x05, 0x9c, 0xbb}

// word is how many bytes an argument takes, dataLength what the call takes.
const word, dataLength = 32, 4 + 2*word

// data is what a token's contract is called with; empty where coin is paid.
func (t Transaction) data() []byte {
	if t.Token == "" {
		return nil
	}
	data := append(make([]byte, 0, dataLength), transfer...)
	data = append(data, common.LeftPadBytes(common.HexToAddress(t.To).Bytes(), word)...)
	return append(data, common.LeftPadBytes(t.Amount.Big().Bytes(), word)...)
}

// transferOf reads what data made; false of any other.
func transferOf(data []byte) (to string, amount money.Amount, ok bool) {
	if len(data) != dataLength || !bytes.HasPrefix(data, transfer) {
		return "", money.Amount{}, false
	}
	payee, number := data[4:4+word], data[4+word:]
	if len(bytes.TrimLeft(payee, "\x00")) > common.AddressLength {
		return "", money.Amount{}, false
	}
	amount, err := money.FromBig(new(big.Int).SetBytes(number))
	return "0x" + hex.EncodeToString(payee[word-common.AddressLength:]), amount, err == nil
}
