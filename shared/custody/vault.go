package custody

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"farrier/shared/seal"
)

// DataKeys is what KMS does for a vault.
type DataKeys interface {
	GenerateDataKey(ctx context.Context, in *kms.GenerateDataKeyInput, options ...func(*kms.Options)) (*kms.GenerateDataKeyOutput, error)
	Decrypt(ctx context.Context, in *kms.DecryptInput, options ...func(*kms.Options)) (*kms.DecryptOutput, error)
}

// Vault seals seeds, each under a data key of its own, which one symmetric key of KMS wraps. The owner is the encryption
// context, which KMS demands again and CloudTrail shows, and the additional data of the seal itself.
type Vault struct {
	Client DataKeys
	KeyID  string // no other key of KMS opens anything
}

// Sealed is a seed as it is stored.
type Sealed struct {
	Version int    `dynamodbav:"version"`
	Key     []byte `dynamodbav:"key"`   // wrapped
	Nonce   []byte `dynamodbav:"nonce"` // of AES-256-GCM
	Seed    []byte `dynamodbav:"seed"`
}

const sealedVersion = 1

// Errors of a vault.
var (
	ErrOwner  = errors.New("custody: a sealed seed needs an owner")
	ErrKeyID  = errors.New("custody: the vault has no key")
	ErrSealed = errors.New("custody: the seed cannot be opened: it, its key or its owner is another one")
)

func (v Vault) check(owner seal.Owner) error {
	switch {
	case v.KeyID == "":
		return ErrKeyID
	case len(owner) == 0:
		return ErrOwner
	}
	return nil
}

// Seal encrypts a seed for its owner.
func (v Vault) Seal(ctx context.Context, owner seal.Owner, s *Seed) (Sealed, error) {
	if err := v.check(owner); err != nil {
		return Sealed{}, err
	}
	out, err := v.Client.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: &v.KeyID, KeySpec: types.DataKeySpecAes256, EncryptionContext: owner})
	if err != nil {
		return Sealed{}, fmt.Errorf("custody: data key: %w", err)
	}
	defer clear(out.Plaintext)
	box, err := boxOf(out.Plaintext)
	if err != nil {
		return Sealed{}, err
	}
	sealed := Sealed{Version: sealedVersion, Key: out.CiphertextBlob, Nonce: make([]byte, box.NonceSize())}
	_, _ = rand.Read(sealed.Nonce) // never fails, as documented
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.secret == nil {
		return Sealed{}, ErrClosed
	}
	sealed.Seed = box.Seal(nil, sealed.Nonce, s.secret[:], additional(owner))
	return sealed, nil
}

// Open decrypts what Seal made for the same owner. ErrSealed for anything else. Close the seed.
func (v Vault) Open(ctx context.Context, owner seal.Owner, sealed Sealed) (*Seed, error) {
	if err := v.check(owner); err != nil {
		return nil, err
	}
	if sealed.Version != sealedVersion {
		return nil, ErrSealed
	}
	out, err := v.Client.Decrypt(ctx, &kms.DecryptInput{KeyId: &v.KeyID, CiphertextBlob: sealed.Key, EncryptionContext: owner})
	var foreign *types.IncorrectKeyException
	var invalid *types.InvalidCiphertextException
	switch {
	case errors.As(err, &foreign), errors.As(err, &invalid):
		return nil, fmt.Errorf("%w: %w", ErrSealed, err)
	case err != nil:
		return nil, fmt.Errorf("custody: data key: %w", err)
	}
	defer clear(out.Plaintext)
	box, err := boxOf(out.Plaintext)
	if err != nil || len(sealed.Nonce) != box.NonceSize() {
		return nil, ErrSealed
	}
	entropy, err := box.Open(nil, sealed.Nonce, sealed.Seed, additional(owner))
	if err != nil {
		return nil, ErrSealed
	}
	defer clear(entropy)
	return NewSeed(entropy)
}

func boxOf(key []byte) (cipher.AEAD, error) {
	if len(key) != 32 {
		return nil, ErrSealed
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, ErrSealed
	}
	return cipher.NewGCM(block)
}

// additional is what a seal is bound to: its version and its owner, each part after its length, in one order.
func additional(owner seal.Owner) []byte {
	data := fmt.Appendf(nil, "farrier seed %d", sealedVersion)
	for _, name := range slices.Sorted(maps.Keys(owner)) {
		for _, part := range []string{name, owner[name]} {
			data = binary.BigEndian.AppendUint64(data, uint64(len(part)))
			data = append(data, part...)
		}
	}
	return data
}
