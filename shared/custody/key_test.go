package custody

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"math/big"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/ethereum/go-ethereum/crypto"

	"farrier/shared/chain"
	"farrier/shared/chain/evm/transaction"
	"farrier/shared/money"
	"farrier/shared/parts"
)

// verified says by go-ethereum that a signature is the key's: with a low s, and the v that recovers it.
func verified(t *testing.T, k Key, digest [32]byte, signature Signature) {
	t.Helper()
	recovered, err := crypto.Ecrecover(digest[:], signature[:])
	public := k.Public()
	if err != nil || !slices.Equal(recovered, public[:]) {
		t.Errorf("the signature %x is of %x, %v", signature, recovered, err)
	}
	if !crypto.VerifySignature(public[:], digest[:], signature[:64]) { // it refuses a high s
		t.Errorf("the signature %x is not verified", signature)
	}
}

// kmsKey makes a key on the real part.
func kmsKey(t testing.TB, spec types.KeySpec) (*kms.Client, string) {
	t.Helper()
	client := kms.NewFromConfig(parts.Config(t, "FARRIER_TEST_AWS"))
	out, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: spec, KeyUsage: types.KeyUsageTypeSignVerify})
	if err != nil {
		t.Fatal(err)
	}
	return client, *out.KeyMetadata.KeyId
}

func TestAKeyOfKMSSignsSoThatAChainBelievesIt(t *testing.T) {
	client, id := kmsKey(t, types.KeySpecEccSecgP256k1)
	k, err := Find(t.Context(), client, id)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 40 { // half of them come with a high s, and half with each v
		digest := sha256.Sum256([]byte{byte(i)})
		signature, err := k.SignDigest(t.Context(), digest)
		if err != nil {
			t.Fatal(err)
		}
		verified(t, k, digest, signature)
	}
	known, err := Known(client, id, k.Public())
	if err != nil || known.Address() != k.Address() {
		t.Fatalf("%v", err)
	}
	tx := transaction.Transaction{
		Kind: transaction.Dynamic, Chain: chain.ID("eip155:137"), Gas: 21_000, To: "0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
		Amount: money.Units(1), Price: transaction.Price{Max: money.Units(2), Tip: money.Units(1)},
	}
	digest, err := tx.Digest()
	if err != nil {
		t.Fatal(err)
	}
	signature, err := known.SignDigest(t.Context(), digest)
	if err != nil {
		t.Fatal(err)
	}
	if signed, err := tx.Sign(k.Address(), signature); err != nil || signed.From != k.Address() {
		t.Errorf("%+v, %v", signed, err)
	}
}

func TestAKeyOfKMSOfAnotherKindIsRefused(t *testing.T) {
	client, id := kmsKey(t, types.KeySpecEccNistP256)
	if k, err := Find(t.Context(), client, id); !errors.Is(err, ErrSpec) || k != nil {
		t.Errorf("%v, %v", k, err)
	}
	if _, err := Find(t.Context(), client, "no-such-key"); err == nil {
		t.Error("a key that is not there is found")
	}
}

// standIn takes the place of a KMS that answers what no KMS should; nothing here can make a real one do that.
type standIn struct {
	public func() (*kms.GetPublicKeyOutput, error)
	sign   func(digest []byte) ([]byte, error)
	asked  *kms.SignInput
}

func (s *standIn) GetPublicKey(context.Context, *kms.GetPublicKeyInput, ...func(*kms.Options)) (*kms.GetPublicKeyOutput, error) {
	return s.public()
}

func (s *standIn) Sign(_ context.Context, in *kms.SignInput, _ ...func(*kms.Options)) (*kms.SignOutput, error) {
	s.asked = in
	b, err := s.sign(in.Message)
	return &kms.SignOutput{Signature: b}, err
}

func private(t *testing.T, seed string) *btcec.PrivateKey {
	t.Helper()
	b := sha256.Sum256([]byte(seed))
	key, _ := btcec.PrivKeyFromBytes(b[:])
	return key
}

func TestAKMSThatAnswersWithAWrongSignatureIsAnError(t *testing.T) {
	key, other := private(t, "a key"), private(t, "another")
	digest := sha256.Sum256([]byte("digest"))
	good := ecdsa.Sign(key, digest[:]).Serialize()
	n := btcec.S256().N
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(good, &pair); err != nil {
		t.Fatal(err)
	}
	der := func(r, s *big.Int) []byte {
		b, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	over := new(big.Int).Add(n, pair.S)
	trouble := errors.New("trouble")
	for what, c := range map[string]struct {
		answer []byte
		err    error
		want   error
	}{
		"right":                 {good, nil, nil},
		"with a high s":         {der(pair.R, new(big.Int).Sub(n, pair.S)), nil, nil},
		"by another key":        {ecdsa.Sign(other, digest[:]).Serialize(), nil, ErrSignature},
		"of another digest":     {ecdsa.Sign(key, make([]byte, 32)).Serialize(), nil, ErrSignature},
		"nothing":               {nil, nil, ErrSignature},
		"half":                  {good[:len(good)/2], nil, ErrSignature},
		"a byte more":           {append(slices.Clone(good), 0), nil, ErrSignature},
		"no r":                  {der(new(big.Int), pair.S), nil, ErrSignature},
		"no s":                  {der(pair.R, new(big.Int)), nil, ErrSignature},
		"s below nothing":       {der(pair.R, new(big.Int).Neg(pair.S)), nil, ErrSignature},
		"s over the order":      {der(pair.R, over), nil, ErrSignature},
		"s is the order":        {der(pair.R, n), nil, ErrSignature},
		"s of 300 bits":         {der(pair.R, new(big.Int).Lsh(pair.S, 44)), nil, ErrSignature},
		"r and s, not in DER":   {append(pair.R.FillBytes(make([]byte, 32)), pair.S.FillBytes(make([]byte, 32))...), nil, ErrSignature},
		"r and s in each other": {der(pair.S, pair.R), nil, ErrSignature},
		"trouble":               {nil, trouble, trouble},
	} {
		s := &standIn{sign: func([]byte) ([]byte, error) { return c.answer, c.err }}
		k, err := Known(s, "id", publicOf(key.PubKey()))
		if err != nil {
			t.Fatal(err)
		}
		signature, err := k.SignDigest(t.Context(), digest)
		if !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if err != nil && signature != (Signature{}) {
			t.Errorf("%s: %x leaves beside %v", what, signature, err)
		}
		if err == nil {
			verified(t, k, digest, signature)
		}
		if s.asked.MessageType != types.MessageTypeDigest || s.asked.SigningAlgorithm != types.SigningAlgorithmSpecEcdsaSha256 || *s.asked.KeyId != "id" {
			t.Errorf("%s: asked %+v", what, s.asked)
		}
	}
}

func spki(t *testing.T, key, curve asn1.ObjectIdentifier, point []byte) []byte {
	t.Helper()
	type algorithm struct{ Key, Curve asn1.ObjectIdentifier }
	b, err := asn1.Marshal(struct {
		Algorithm algorithm
		Point     asn1.BitString
	}{algorithm{key, curve}, asn1.BitString{Bytes: point, BitLength: 8 * len(point)}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAPublicKeyThatIsNotOneOfTheCurveIsRefused(t *testing.T) {
	point := private(t, "a key").PubKey()
	good := point.SerializeUncompressed()
	off := slices.Clone(good)
	off[64] ^= 1
	hybrid := slices.Clone(good)
	hybrid[0] = 6 | good[64]&1
	p256, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for what, der := range map[string][]byte{
		"off the curve":         spki(t, oidKey, oidCurve, off),
		"of another curve":      spki(t, oidKey, oidCurve, p256.PublicKey().Bytes()),
		"of another curve's id": spki(t, oidKey, asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}, good),
		"of another algorithm":  spki(t, asn1.ObjectIdentifier{1, 3, 132, 1, 12}, oidCurve, good),
		"compressed":            spki(t, oidKey, oidCurve, point.SerializeCompressed()),
		"hybrid":                spki(t, oidKey, oidCurve, hybrid),
		"nothing":               nil,
		"no point":              spki(t, oidKey, oidCurve, nil),
		"a byte more":           append(spki(t, oidKey, oidCurve, good), 0),
	} {
		out := &kms.GetPublicKeyOutput{
			PublicKey: der, KeySpec: types.KeySpecEccSecgP256k1, KeyUsage: types.KeyUsageTypeSignVerify,
			SigningAlgorithms: []types.SigningAlgorithmSpec{types.SigningAlgorithmSpecEcdsaSha256},
		}
		s := &standIn{public: func() (*kms.GetPublicKeyOutput, error) { return out, nil }}
		if k, err := Find(t.Context(), s, "id"); !errors.Is(err, ErrPublic) || k != nil {
			t.Errorf("%s: %v", what, err)
		}
		out.PublicKey = spki(t, oidKey, oidCurve, good)
		if k, err := Find(t.Context(), s, "id"); err != nil || k.Public() != Public(good) {
			t.Fatal(err)
		}
		out.KeyUsage = types.KeyUsageTypeKeyAgreement
		if _, err := Find(t.Context(), s, "id"); !errors.Is(err, ErrSpec) {
			t.Errorf("a key that does not sign: %v", err)
		}
	}
	if _, err := Known(nil, "id", Public(off)); !errors.Is(err, ErrPublic) {
		t.Errorf("off the curve is known: %v", err)
	}
}

// FuzzAnswer: whatever KMS answers, what leaves is the key's signature or an error.
func FuzzAnswer(f *testing.F) {
	sum := sha256.Sum256([]byte("a key"))
	key, point := btcec.PrivKeyFromBytes(sum[:])
	digest := sha256.Sum256([]byte("digest"))
	f.Add(ecdsa.Sign(key, digest[:]).Serialize())
	for _, text := range []string{"", "3006020100020100", "3006020101020101", "30080202008002020080"} {
		b, _ := hex.DecodeString(text)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		k, err := Known(&standIn{sign: func([]byte) ([]byte, error) { return answer, nil }}, "id", publicOf(point))
		if err != nil {
			t.Fatal(err)
		}
		if signature, err := k.SignDigest(t.Context(), digest); err == nil {
			verified(t, k, digest, signature)
		}
	})
}
