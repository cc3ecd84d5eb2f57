package callback

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"time"
)

// standardWebhooks is every sender that follows Standard Webhooks 1.0.0
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, read
// 2026-11-21). The specification leaves the time window open; its own libraries have five minutes.
var standardWebhooks = Source{
	Trusts:      []Trust{Look},
	Paths:       true,
	CheckSecret: func(secret string) error { _, err := parseKey(secret); return err },
	NewSecret:   newSymmetricSecret,
	Verify:      verifyStandardWebhooks,
	Read:        readPaths,
	Answer:      ok,
}

const (
	symmetricPrefix = "whsec_" // a shared secret of 24 to 64 bytes, for signatures "v1"
	publicPrefix    = "whpk_"  // an Ed25519 public key, for signatures "v1a"
	privatePrefix   = "whsk_"

	standardWindow = 5 * time.Minute

	// mostSignatures bounds what one request can make us compute: the header holds one for each of the
	// sender's keys, and a rotation has two.
	mostSignatures = 16
)

func newSymmetricSecret(random io.Reader) (string, error) {
	var b [32]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", err
	}
	return symmetricPrefix + base64.StdEncoding.EncodeToString(b[:]), nil
}

func verifyStandardWebhooks(_ context.Context, d Delivery, _ Settings, k Keys) (string, error) {
	event, err := d.Headers.one("webhook-id")
	if err != nil {
		return "", err
	}
	// What is signed is joined by full stops, so an id with one could be read as another id and time.
	if strings.Contains(event, ".") {
		return "", HeaderMalformed
	}
	stamp, err := d.Headers.one("webhook-timestamp")
	if err != nil {
		return "", err
	}
	signatures, err := signatureList(d.Headers["webhook-signature"])
	if err != nil {
		return "", err
	}
	if err := d.inTime(stamp, time.Second, standardWindow); err != nil {
		return "", err
	}
	content := bytes.Join([][]byte{[]byte(event), []byte(stamp), d.Body}, []byte("."))
	for _, secret := range k.Secrets {
		if key, err := parseKey(secret); err == nil && key.signedOneOf(signatures, content) {
			return eventID(event), nil
		}
	}
	return "", NoMatch
}

// signature is one of those in the header: "v1,<base64>".
type signature struct{ version, value string }

// signatureList reads signatures separated by spaces. Where the header came twice, one of them holds a second comma.
func signatureList(header string) ([]signature, error) {
	if header == "" {
		return nil, HeaderMissing
	}
	var list []signature
	for field := range strings.SplitSeq(header, " ") {
		version, value, _ := strings.Cut(field, ",")
		if strings.Contains(value, ",") {
			return nil, HeaderDoubled
		}
		if list = append(list, signature{version, value}); len(list) > mostSignatures {
			return nil, HeaderMalformed
		}
	}
	return list, nil
}

// key is a shared secret or a public key.
type key struct {
	shared []byte
	public ed25519.PublicKey
}

func parseKey(text string) (key, error) {
	if strings.HasPrefix(text, privatePrefix) {
		return key{}, errors.New(`is a private key, which stays with the sender; its public key begins with "whpk_"`)
	}
	if encoded, ok := strings.CutPrefix(text, publicPrefix); ok {
		b, err := decoded(encoded)
		if err != nil || len(b) != ed25519.PublicKeySize {
			return key{}, errors.New(`must have the base64 of the 32 bytes of an Ed25519 public key after "whpk_"`)
		}
		return key{public: b}, nil
	}
	encoded, ok := strings.CutPrefix(text, symmetricPrefix)
	b, err := decoded(encoded)
	if !ok || err != nil || len(b) < 24 || len(b) > 64 {
		return key{}, errors.New(`must be "whsec_" and the base64 of 24 to 64 bytes, or "whpk_" and the base64 of an Ed25519 public key`)
	}
	return key{shared: b}, nil
}

func (k key) signedOneOf(signatures []signature, content []byte) bool {
	if k.public != nil {
		return k.asymmetric(signatures, content)
	}
	mac := hmac.New(sha256.New, k.shared)
	mac.Write(content)
	expected := []byte(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	for _, s := range signatures {
		if s.version == "v1" && hmac.Equal([]byte(s.value), expected) {
			return true
		}
	}
	return false
}

func (k key) asymmetric(signatures []signature, content []byte) bool {
	for _, s := range signatures {
		if s.version != "v1a" {
			continue
		}
		b, err := decoded(s.value)
		if err == nil && len(b) == ed25519.SignatureSize && ed25519.Verify(k.public, content, b) {
			return true
		}
	}
	return false
}
