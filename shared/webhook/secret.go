package webhook

import (
	"crypto/ed25519"
	"encoding/base64"
	"io"
)

// The prefixes of Standard Webhooks, of a secret and of an Ed25519 public key
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme).
const (
	secretPrefix = "whsec_"
	publicPrefix = "whpk_"
)

const secretBytes = 32 // the specification wants 24 to 64; an Ed25519 seed has 32

// newSecret makes a secret, or a seed.
func newSecret(random io.Reader) ([]byte, error) {
	key := make([]byte, secretBytes)
	_, err := io.ReadFull(random, key)
	return key, err
}

// shown is a secret as its owner gets it.
func shown(key []byte) string { return secretPrefix + base64.StdEncoding.EncodeToString(key) }

// publicOf is the public key of a seed, as anyone may see it.
func publicOf(seed []byte) string {
	public, _ := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	return publicPrefix + base64.StdEncoding.EncodeToString(public)
}
