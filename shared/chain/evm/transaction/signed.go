package transaction

import (
	"bytes"
	"errors"
	"math/big"
	"strings"

	"github.com/ethereum/go-ethereum/core/types"

	"farrier/shared/chain"
	"farrier/shared/chain/evm"
	"farrier/shared/money"
)

// Signed is a transaction as it is broadcast.
type Signed struct {
	Bytes []byte
	Hash  string // what the chain calls it: 0x and lower-case hex
	From  string // who signed it, in canonical spelling
}

// What is wrong with a signature, or with bytes that somebody calls a transaction.
var (
	ErrSignature = errors.New("transaction: the signature is not one, has a high s (EIP-2) or a wrong v")
	ErrSender    = errors.New("transaction: it is signed by another key than the sender's")
	ErrBytes     = errors.New("transaction: these are not the bytes of a signed transaction")
	ErrUnbound   = errors.New("transaction: its signature is bound to no chain (EIP-155)")
	ErrOther     = errors.New("transaction: it does something else than to pay an address")
)

// longest is more than any transaction of this package has in bytes.
const longest = 512

// Digest is what the sender's key signs.
func (t Transaction) Digest() ([32]byte, error) {
	if err := t.Check(); err != nil {
		return [32]byte{}, err
	}
	id, err := t.chainID()
	if err != nil {
		return [32]byte{}, err
	}
	return signerOf(id).Hash(t.unsigned(id)), nil
}

// Sign puts the sender's signature to it: r, s and v, which is 0 or 1 as the point's second coordinate is even or odd.
func (t Transaction) Sign(sender string, signature [65]byte) (Signed, error) {
	if err := t.Check(); err != nil {
		return Signed{}, err
	}
	id, err := t.chainID()
	if err != nil {
		return Signed{}, err
	}
	if signature[64] > 1 {
		return Signed{}, ErrSignature
	}
	tx, err := t.unsigned(id).WithSignature(signerOf(id), signature[:])
	if err != nil {
		return Signed{}, ErrSignature
	}
	signed, err := asSigned(id, tx)
	switch {
	case err != nil:
		return Signed{}, err
	case signed.From != sender:
		return Signed{}, ErrSender
	}
	return signed, nil
}

// Decode reads the bytes of a signed transaction that Sign could have made, and of no other.
func Decode(b []byte) (Transaction, Signed, error) {
	var tx types.Transaction
	switch {
	case len(b) > longest, tx.UnmarshalBinary(b) != nil:
		return Transaction{}, Signed{}, ErrBytes
	case !tx.Protected():
		return Transaction{}, Signed{}, ErrUnbound
	}
	t, err := read(&tx)
	if err != nil {
		return Transaction{}, Signed{}, err
	}
	signed, err := asSigned(tx.ChainId(), &tx)
	switch {
	case err != nil:
		return Transaction{}, Signed{}, err
	case !bytes.Equal(signed.Bytes, b):
		return Transaction{}, Signed{}, ErrBytes
	}
	return t, signed, nil
}

// read turns go-ethereum's form into ours, and checks it.
func read(tx *types.Transaction) (t Transaction, err error) {
	// A chain id that is no number of a chain is refused by Check.
	t = Transaction{Kind: Kind(tx.Type()), Chain: chain.ID("eip155:" + tx.ChainId().String()), Nonce: tx.Nonce(), Gas: tx.Gas()}
	if t.Price.Max, err = money.FromBig(tx.GasFeeCap()); err != nil {
		return t, ErrBytes
	}
	if t.Kind == Dynamic {
		if t.Price.Tip, err = money.FromBig(tx.GasTipCap()); err != nil {
			return t, ErrBytes
		}
	}
	if t.Amount, err = money.FromBig(tx.Value()); err != nil {
		return t, ErrBytes
	}
	if t.Kind != Legacy && t.Kind != Dynamic || tx.To() == nil || len(tx.AccessList()) != 0 {
		return t, ErrOther
	}
	t.To = strings.ToLower(tx.To().Hex())
	if len(tx.Data()) != 0 {
		var ok bool
		value := t.Amount
		t.Token = t.To
		if t.To, t.Amount, ok = evm.ReadTransferCall(tx.Data()); !ok || value.Sign() != 0 {
			return t, ErrOther
		}
	}
	return t, t.Check()
}

func asSigned(id *big.Int, tx *types.Transaction) (Signed, error) {
	from, err := types.Sender(signerOf(id), tx)
	if err != nil {
		return Signed{}, ErrSignature
	}
	b, err := tx.MarshalBinary()
	if err != nil {
		return Signed{}, err
	}
	return Signed{Bytes: b, Hash: tx.Hash().Hex(), From: strings.ToLower(from.Hex())}, nil
}

func signerOf(id *big.Int) types.Signer { return types.NewLondonSigner(id) }
