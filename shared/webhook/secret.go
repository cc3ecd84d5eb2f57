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

const secretBytes = 32 // the specification wants 24 to 64

// newSecret makes a secret.
func newSecret(random io.Reader) ([]byte, error) {
	key := make([]byte, secretBytes)
	_, err := io.ReadFull(random, key)
	return key, err
}

// shown is a secret as its owner gets it.
func shown(key []byte) string { return secretPrefix + base64.StdEncoding.EncodeToString(key) }

// newPair makes an Ed25519 key: the seed, and behind it the public key (RFC 8032, section 5.1.5), which would take as long
// to reckon for each webhook as to sign.
func newPair(random io.Reader) (ed25519.PrivateKey, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(random, seed); err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// publicOf is the public half of a key, as anyone may see it.
func publicOf(pair ed25519.PrivateKey) string {
	public, _ := pair.Public().(ed25519.PublicKey)
	return publicPrefix + base64.StdEncoding.EncodeToString(public)
}
