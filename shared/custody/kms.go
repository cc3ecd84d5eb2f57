package custody

import (
	"context"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/btcsuite/btcd/btcec/v2"
)

// Signer is what KMS does for a key that never leaves it.
type Signer interface {
	GetPublicKey(ctx context.Context, in *kms.GetPublicKeyInput, options ...func(*kms.Options)) (*kms.GetPublicKeyOutput, error)
	Sign(ctx context.Context, in *kms.SignInput, options ...func(*kms.Options)) (*kms.SignOutput, error)
}

// KMS is a key of KMS: ECC_SECG_P256K1, to sign and verify.
type KMS struct {
	client Signer
	id     string
	public Public
}

// ErrSpec says that a key of KMS is of another kind.
var ErrSpec = errors.New("custody: the key of KMS is not one that signs by secp256k1")

// Find asks KMS for a key. The answer is worth keeping: Known needs no call.
func Find(ctx context.Context, client Signer, id string) (*KMS, error) {
	out, err := client.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: &id})
	if err != nil {
		return nil, fmt.Errorf("custody: public key: %w", err)
	}
	if out.KeySpec != types.KeySpecEccSecgP256k1 || out.KeyUsage != types.KeyUsageTypeSignVerify ||
		!slices.Contains(out.SigningAlgorithms, types.SigningAlgorithmSpecEcdsaSha256) {
		return nil, ErrSpec
	}
	public, err := publicOfDER(out.PublicKey)
	if err != nil {
		return nil, err
	}
	return &KMS{client, id, public}, nil
}

// Known is a key whose public half is known already. Whatever KMS says later, only that half's signatures are believed.
func Known(client Signer, id string, public Public) (*KMS, error) {
	if _, err := ReadPublic(public[:]); err != nil {
		return nil, err
	}
	return &KMS{client, id, public}, nil
}

// Public is the key's point.
func (k *KMS) Public() Public { return k.public }

// Address is the key's canonical address on EVM chains.
func (k *KMS) Address() string { return k.public.Address() }

// SignDigest costs one call of KMS. Two signatures of the same digest differ.
func (k *KMS) SignDigest(ctx context.Context, digest [32]byte) (Signature, error) {
	out, err := k.client.Sign(ctx, &kms.SignInput{
		KeyId: aws.String(k.id), Message: digest[:], MessageType: types.MessageTypeDigest, SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256,
	})
	if err != nil {
		return Signature{}, fmt.Errorf("custody: sign: %w", err)
	}
	r, s, err := scalars(out.Signature)
	if err != nil {
		return Signature{}, err
	}
	return finish(k.public, digest, r, s)
}

// The names of the curve and of its keys (https://www.secg.org/sec2-v2.pdf, RFC 5480).
var (
	oidKey   = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidCurve = asn1.ObjectIdentifier{1, 3, 132, 0, 10}
)

// publicOfDER reads a SubjectPublicKeyInfo (RFC 5280), as GetPublicKey answers. The library of Go knows no secp256k1.
func publicOfDER(der []byte) (Public, error) {
	var info struct {
		Algorithm struct{ Key, Curve asn1.ObjectIdentifier }
		Point     asn1.BitString
	}
	rest, err := asn1.Unmarshal(der, &info)
	if err != nil || len(rest) != 0 || !info.Algorithm.Key.Equal(oidKey) || !info.Algorithm.Curve.Equal(oidCurve) || info.Point.BitLength%8 != 0 {
		return Public{}, ErrPublic
	}
	return ReadPublic(info.Point.Bytes)
}

// scalars reads an ECDSA signature of DER (RFC 3279, 2.2.3). Numbers that are nothing, below it or over the order are none.
func scalars(der []byte) (r, s btcec.ModNScalar, err error) {
	var pair struct{ R, S asn1.RawValue }
	rest, err := asn1.Unmarshal(der, &pair)
	if err != nil || len(rest) != 0 || !scalar(&r, pair.R) || !scalar(&s, pair.S) {
		return r, s, ErrSignature
	}
	return r, s, nil
}

func scalar(n *btcec.ModNScalar, value asn1.RawValue) bool {
	b := value.Bytes
	if value.Class != asn1.ClassUniversal || value.Tag != asn1.TagInteger || len(b) == 0 || b[0] > 0x7f {
		return false
	}
	if b[0] == 0 {
		if b = b[1:]; len(b) == 0 || b[0] < 0x80 { // nothing, or not the shortest form
			return false
		}
	}
	return len(b) <= 32 && !n.SetByteSlice(b)
}
