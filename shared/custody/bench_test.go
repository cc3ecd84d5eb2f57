package custody

import (
	"crypto/sha256"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"

	"farrier/shared/parts"
	"farrier/shared/seal"
)

// BenchmarkSignKMS is the call alone, and with all that is done to its answer.
func BenchmarkSignKMS(b *testing.B) {
	client, id := kmsKey(b, types.KeySpecEccSecgP256k1)
	k, err := Find(b.Context(), client, id)
	if err != nil {
		b.Fatal(err)
	}
	digest := sha256.Sum256([]byte("digest"))
	b.Run("call", func(b *testing.B) {
		for b.Loop() {
			if _, err := client.Sign(b.Context(), &kms.SignInput{
				KeyId: aws.String(id), Message: digest[:], MessageType: types.MessageTypeDigest, SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256,
			}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("whole", func(b *testing.B) {
		for b.Loop() {
			if _, err := k.SignDigest(b.Context(), digest); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkOverhead is what is done to KMS's answer, without the call.
func BenchmarkOverhead(b *testing.B) {
	sum := sha256.Sum256([]byte("a key"))
	key, point := btcec.PrivKeyFromBytes(sum[:])
	answer := ecdsa.Sign(key, sum[:]).Serialize()
	k, err := Known(&standIn{sign: func([]byte) ([]byte, error) { return answer, nil }}, "id", publicOf(point))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := k.SignDigest(b.Context(), sum); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDerive(b *testing.B) {
	s := seedOf(b, vectors[4][0])
	for b.Loop() {
		k, err := s.Key("eip155:137", 0, 0, 1)
		if err != nil {
			b.Fatal(err)
		}
		k.Close()
	}
}

func BenchmarkSignDerived(b *testing.B) {
	k, err := seedOf(b, vectors[4][0]).Key("eip155:137", 0, 0, 1)
	if err != nil {
		b.Fatal(err)
	}
	digest := sha256.Sum256([]byte("digest"))
	for b.Loop() {
		if _, err := k.SignDigest(b.Context(), digest); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	client, id := parts.Key(b)
	v, owner := Vault{client, id}, seal.Owner{"wallet": "wal_1"}
	sealed, err := v.Seal(b.Context(), owner, seedOf(b, vectors[4][0]))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, err := v.Open(b.Context(), owner, sealed)
		if err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}
