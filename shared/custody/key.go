package custody

import (
	"context"
	"errors"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"

	"farrier/shared/chain/evm"
)

// Key signs, and never shows what it signs with.
type Key interface {
	// Public is the uncompressed point.
	Public() Public
	// Address is the key's canonical address on EVM chains.
	Address() string
	// SignDigest signs 32 bytes that are a hash already.
	SignDigest(ctx context.Context, digest [32]byte) (Signature, error)
}

// Signature is r and s, of 32 bytes each, and v: 0 or 1, as the point's second coordinate is even or odd.
type Signature [65]byte

// Public is an uncompressed secp256k1 point: 4, and two coordinates of 32 bytes.
type Public [65]byte

// Errors of keys. None has any of a key in it.
var (
	ErrPublic    = errors.New("custody: it is no public key of secp256k1")
	ErrSignature = errors.New("custody: the signature is not the key's")
	ErrClosed    = errors.New("custody: the key was closed")
)

// ReadPublic checks that bytes are an uncompressed point of the curve.
func ReadPublic(b []byte) (Public, error) {
	if len(b) != len(Public{}) || b[0] != 4 {
		return Public{}, ErrPublic
	}
	if _, err := btcec.ParsePubKey(b); err != nil {
		return Public{}, ErrPublic
	}
	return Public(b), nil
}

// Address is the key's canonical address on EVM chains.
func (p Public) Address() string { return evm.AddressOf(p[:]) }

// Point is the key in the library's form.
func (p Public) Point() (*btcec.PublicKey, error) {
	point, err := btcec.ParsePubKey(p[:])
	if err != nil {
		return nil, ErrPublic
	}
	return point, nil
}

func publicOf(point *btcec.PublicKey) Public { return Public(point.SerializeUncompressed()) }

// finish makes of any r and s a signature with a low s and the right v. ErrSignature where they are not the key's for this
// digest: exactly then no v recovers the key (https://www.secg.org/sec1-v2.pdf, 4.1.6).
func finish(public Public, digest [32]byte, r, s btcec.ModNScalar) (signature Signature, err error) {
	point, err := public.Point()
	if err != nil {
		return Signature{}, err
	}
	if s.IsOverHalfOrder() { // n-s is as good (https://eips.ethereum.org/EIPS/eip-2)
		s.Negate()
	}
	if r.IsZero() || s.IsZero() {
		return Signature{}, ErrSignature
	}
	var compact [65]byte // v first, as the library has it
	r.PutBytesUnchecked(compact[1:33])
	s.PutBytesUnchecked(compact[33:])
	for v := range byte(2) {
		compact[0] = 27 + v
		if recovered, _, err := ecdsa.RecoverCompact(compact[:], digest[:]); err == nil && recovered.IsEqual(point) {
			copy(signature[:], compact[1:])
			signature[64] = v
			return signature, nil
		}
	}
	return Signature{}, ErrSignature // r is of a point over n, which no chain can tell: one of 2^127
}
