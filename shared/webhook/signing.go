package webhook

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"farrier/shared/problem"
)

// Signing is what an endpoint's webhooks are signed by
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme).
type Signing string

// The ways to sign.
const (
	ByHMAC    Signing = "v1"   // HMAC-SHA256 with a secret that both sides have; what is usual
	ByEd25519 Signing = "v1a"  // Ed25519, of which the receiver has the public key alone
	ByBoth    Signing = "both" // a signature of each
)

func (s Signing) hmac() bool    { return s != ByEd25519 }
func (s Signing) ed25519() bool { return s == ByEd25519 || s == ByBoth }

func (s Signing) check() error {
	switch s {
	case "", ByHMAC, ByEd25519, ByBoth:
		return nil
	default:
		return problem.Field("signing", `must be "v1", "v1a" or "both"`)
	}
}

// signer makes one signature of a content, with the identifier of its scheme.
type signer func(content []byte) string

func hmacSigner(key []byte) signer {
	return func(content []byte) string {
		mac := hmac.New(sha256.New, key)
		mac.Write(content)
		return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
}

func ed25519Signer(pair ed25519.PrivateKey) signer {
	return func(content []byte) string {
		return "v1a," + base64.StdEncoding.EncodeToString(ed25519.Sign(pair, content))
	}
}

// sign makes the header webhook-signature: one signature by each signer, so that while keys are being rotated a
// receiver with the old or the new one can verify.
func sign(by []signer, name string, at time.Time, payload string) string {
	content := make([]byte, 0, len(name)+len(payload)+32)
	content = append(append(content, name...), '.')
	content = append(append(content, timestamp(at)...), '.')
	content = append(content, payload...)
	signatures := make([]string, len(by))
	for i, one := range by {
		signatures[i] = one(content)
	}
	return strings.Join(signatures, " ")
}

// timestamp is a moment as it is signed and sent: seconds since 1970.
func timestamp(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }
