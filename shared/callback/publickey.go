package callback

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// leastRSA is the shortest modulus that is believed, in bits.
const leastRSA = 2048

// publicKey reads a public key: PEM of a SubjectPublicKeyInfo, of PKCS #1 or of a certificate, or the base64 of
// their DER. A certificate only carries its key here: who gave it to us vouches for it, and its dates are not looked at.
// The error follows a field's name and repeats nothing of the key.
func publicKey(text string) (crypto.PublicKey, error) {
	text = strings.TrimSpace(text)
	der, form := []byte(nil), ""
	if block, rest := pem.Decode([]byte(text)); block != nil {
		if len(strings.TrimSpace(string(rest))) > 0 {
			return nil, errors.New("must be one PEM block alone")
		}
		if strings.Contains(block.Type, "PRIVATE") {
			return nil, errors.New("is a private key, which stays with its owner; give the public key")
		}
		der, form = block.Bytes, block.Type
	} else {
		b, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\r", "", "\n", "").Replace(text))
		if err != nil || len(b) == 0 {
			return nil, errors.New("must be a public key as PEM or as the base64 of its DER")
		}
		der = b
	}
	return fit(parseKeyDER(der, form))
}

func parseKeyDER(der []byte, form string) (crypto.PublicKey, error) {
	wrong := func(what string) error { return errors.New("holds a " + form + " block whose content is not " + what) }
	switch form {
	case "PUBLIC KEY":
		if k, err := x509.ParsePKIXPublicKey(der); err == nil {
			return k, nil
		}
		return nil, wrong("a SubjectPublicKeyInfo")
	case "RSA PUBLIC KEY":
		if k, err := x509.ParsePKCS1PublicKey(der); err == nil {
			return k, nil
		}
		return nil, wrong("a PKCS #1 public key")
	case "CERTIFICATE":
		if c, err := x509.ParseCertificate(der); err == nil {
			return c.PublicKey, nil
		}
		return nil, wrong("a certificate")
	case "":
		return anyDER(der)
	default:
		return nil, errors.New("must be a PEM block of PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE")
	}
}

func anyDER(der []byte) (crypto.PublicKey, error) {
	if k, err := x509.ParsePKIXPublicKey(der); err == nil {
		return k, nil
	}
	if k, err := x509.ParsePKCS1PublicKey(der); err == nil {
		return k, nil
	}
	if c, err := x509.ParseCertificate(der); err == nil {
		return c.PublicKey, nil
	}
	return nil, errors.New("is base64, but not of the DER of a public key")
}

// fit refuses kinds and sizes of keys that no source uses.
func fit(key crypto.PublicKey, err error) (crypto.PublicKey, error) {
	if err != nil {
		return nil, err
	}
	switch k := key.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < leastRSA {
			return nil, fmt.Errorf("is an RSA key of less than %d bits", leastRSA)
		}
	case *ecdsa.PublicKey, ed25519.PublicKey:
	default:
		return nil, errors.New("must be a key of RSA, ECDSA or Ed25519")
	}
	return key, nil
}

// ed25519Key reads the 32 bytes of an Ed25519 key in hex or base64, or any form that publicKey reads.
func ed25519Key(text string) (ed25519.PublicKey, error) {
	text = strings.TrimSpace(text)
	for _, read := range []func(string) ([]byte, error){hex.DecodeString, decoded} {
		if b, err := read(text); err == nil && len(b) == ed25519.PublicKeySize {
			return b, nil
		}
	}
	key, err := publicKey(text)
	if k, is := key.(ed25519.PublicKey); err == nil && is {
		return k, nil
	}
	return nil, errors.New("must be an Ed25519 public key: 32 bytes in hex or base64, or PEM")
}

// checkPublicKey is a CheckSecret for keys that publicKey reads and a scheme verifies with.
func checkPublicKey(s scheme) func(string) error {
	return func(text string) error {
		key, err := publicKey(text)
		if err != nil {
			return err
		}
		if !s.takes(key) {
			return errors.New("must be a key of " + s.family())
		}
		return nil
	}
}

// publicKeys are the keys among texts that checkPublicKey has checked.
func publicKeys(texts []string) []crypto.PublicKey {
	var keys []crypto.PublicKey
	for _, text := range texts {
		if k, err := publicKey(text); err == nil {
			keys = append(keys, k)
		}
	}
	return keys
}

// public are the keys that a delivery is verified with: those that the connection was given or, where it has none, those
// that the provider publishes under an id. Those that were given need no id.
func (k Keys) public(ctx context.Context, id string) ([]crypto.PublicKey, error) {
	if given := publicKeys(k.Secrets); len(given) > 0 {
		return given, nil
	}
	if k.Published == nil {
		return nil, NoMatch
	}
	return k.Published(ctx, id)
}

// scheme is a way to sign with a private key.
type scheme int

// The schemes.
const (
	rsaSHA256   scheme = iota // PKCS #1 v1.5
	rsaSHA512                 // PKCS #1 v1.5
	ecdsaSHA256               // the signature in DER
	ed25519Pure
)

func (s scheme) family() string { return [...]string{"RSA", "RSA", "ECDSA", "Ed25519"}[s] }

func (s scheme) takes(key crypto.PublicKey) bool {
	switch key.(type) {
	case *rsa.PublicKey:
		return s == rsaSHA256 || s == rsaSHA512
	case *ecdsa.PublicKey:
		return s == ecdsaSHA256
	case ed25519.PublicKey:
		return s == ed25519Pure
	}
	return false
}

// keySigned proves that one of the keys made the signature over the message. Keys of another kind match nothing.
func keySigned(s scheme, keys []crypto.PublicKey, signature, message []byte) error {
	for _, key := range keys {
		if s.takes(key) && s.verify(key, signature, message) {
			return nil
		}
	}
	return NoMatch
}

func (s scheme) verify(key crypto.PublicKey, signature, message []byte) bool {
	switch s {
	case rsaSHA256:
		sum := sha256.Sum256(message)
		return rsa.VerifyPKCS1v15(key.(*rsa.PublicKey), crypto.SHA256, sum[:], signature) == nil
	case rsaSHA512:
		sum := sha512.Sum512(message)
		return rsa.VerifyPKCS1v15(key.(*rsa.PublicKey), crypto.SHA512, sum[:], signature) == nil
	case ecdsaSHA256:
		sum := sha256.Sum256(message)
		return ecdsa.VerifyASN1(key.(*ecdsa.PublicKey), sum[:], signature)
	default:
		return len(signature) == ed25519.SignatureSize && ed25519.Verify(key.(ed25519.PublicKey), message, signature)
	}
}
