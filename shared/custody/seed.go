package custody

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcutil/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg"

	"farrier/shared/chain"
)

// Seed is what a wallet's keys are derived from: 24 words of BIP-39. It is open until Close.
type Seed struct {
	silent
	mu     sync.Mutex
	secret *[entropyLength]byte // nil when closed; behind a pointer, where no printing of fields comes to it
}

// Errors of seeds.
var (
	ErrEntropy = errors.New("custody: a seed needs 32 random bytes")
	ErrPath    = errors.New("custody: there are no keys on this path")
)

// NewSeed makes a seed of 32 random bytes, which are copied.
func NewSeed(entropy []byte) (*Seed, error) {
	if len(entropy) != entropyLength || monotonous(entropy) {
		return nil, ErrEntropy
	}
	return &Seed{secret: (*[entropyLength]byte)(append([]byte(nil), entropy...))}, nil
}

// monotonous says whether one byte is repeated: somebody forgot to fill them.
func monotonous(b []byte) bool {
	for _, x := range b {
		if x != b[0] {
			return false
		}
	}
	return true
}

// Random is where KMS gives randomness.
type Random interface {
	GenerateRandom(ctx context.Context, in *kms.GenerateRandomInput, options ...func(*kms.Options)) (*kms.GenerateRandomOutput, error)
}

// RandomSeed makes a seed of KMS's randomness.
func RandomSeed(ctx context.Context, client Random) (*Seed, error) {
	out, err := client.GenerateRandom(ctx, &kms.GenerateRandomInput{NumberOfBytes: aws.Int32(entropyLength)})
	if err != nil {
		return nil, fmt.Errorf("custody: random: %w", err)
	}
	defer clear(out.Plaintext)
	return NewSeed(out.Plaintext)
}

// Close overwrites the seed. Keys that were derived stay open until they are closed.
func (s *Seed) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.secret != nil {
		clear(s.secret[:])
		s.secret = nil
	}
}

// master is the root of BIP-32. Whoever asks for it overwrites it.
func (s *Seed) master() (*hdkeychain.ExtendedKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.secret == nil {
		return nil, ErrClosed
	}
	text := mnemonic(s.secret)
	defer clear(text)
	seed := stretched(text)
	defer clear(seed)
	master, err := hdkeychain.NewMaster(seed, &chaincfg.MainNetParams)
	if err != nil {
		return nil, ErrEntropy // the chance is one of 2^127
	}
	return master, nil
}

// AccountKey is the extended public key of an account on a chain's path, from which addresses are made without any secret
// (package wallet).
func (s *Seed) AccountKey(id chain.ID, account uint32) (string, error) {
	path, err := pathOf(id, account)
	if err != nil {
		return "", err
	}
	private, err := s.derive(path.steps[:]...)
	if err != nil {
		return "", err
	}
	defer private.Zero()
	public, err := private.Neuter()
	if err != nil {
		return "", ErrPath
	}
	public, err = public.CloneWithVersion(path.version[:])
	if err != nil {
		return "", ErrPath
	}
	return public.String(), nil // before Zero: both share their chain code
}

// Key is the key of an account's address at change/index. Close it.
func (s *Seed) Key(id chain.ID, account, change, index uint32) (*Derived, error) {
	path, err := pathOf(id, account)
	if err != nil {
		return nil, err
	}
	if change >= hdkeychain.HardenedKeyStart || index >= hdkeychain.HardenedKeyStart { // an account's public key reaches none
		return nil, ErrPath
	}
	leaf, err := s.derive(append(path.steps[:], change, index)...)
	if err != nil {
		return nil, err
	}
	defer leaf.Zero()
	private, err := leaf.ECPrivKey()
	if err != nil {
		return nil, ErrPath
	}
	return &Derived{secret: private, public: publicOf(private.PubKey())}, nil
}

// derive walks down from the root, and overwrites what it leaves behind.
func (s *Seed) derive(steps ...uint32) (*hdkeychain.ExtendedKey, error) {
	at, err := s.master()
	if err != nil {
		return nil, err
	}
	for _, step := range steps {
		next, err := at.Derive(step)
		at.Zero()
		if err != nil {
			return nil, ErrPath // there is no key for one of 2^127 steps (BIP-32)
		}
		at = next
	}
	return at, nil
}

// Derived is a key of a seed. It is open until Close.
type Derived struct {
	silent
	mu     sync.Mutex
	secret *btcec.PrivateKey // nil when closed
	public Public
}

// Public is the key's point.
func (k *Derived) Public() Public { return k.public }

// Address is the key's canonical address on EVM chains.
func (k *Derived) Address() string { return k.public.Address() }

// SignDigest signs as RFC 6979 says: the same digest has the same signature.
func (k *Derived) SignDigest(ctx context.Context, digest [32]byte) (Signature, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return Signature{}, err
	}
	if k.secret == nil {
		return Signature{}, ErrClosed
	}
	compact := ecdsa.SignCompact(k.secret, digest[:], false) // v, r, s
	var r, s btcec.ModNScalar
	r.SetByteSlice(compact[1:33])
	s.SetByteSlice(compact[33:])
	return finish(k.public, digest, r, s)
}

// Close overwrites the key.
func (k *Derived) Close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.secret != nil {
		k.secret.Zero()
		k.secret = nil
	}
}

// silent is in whatever holds a secret: none of Go's ways to write a value shows more than that.
type silent struct{}

const hidden = "[secret]"

func (silent) String() string               { return hidden }
func (silent) GoString() string             { return hidden }
func (silent) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte(hidden)) }
func (silent) MarshalText() ([]byte, error) { return []byte(hidden), nil }
func (silent) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }
func (silent) LogValue() slog.Value         { return slog.StringValue(hidden) }
