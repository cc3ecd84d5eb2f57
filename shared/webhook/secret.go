package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"strconv"
	"strings"
	"time"
)

// secretPrefix marks a secret of Standard Webhooks
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme).
const secretPrefix = "whsec_"

const secretBytes = 32 // the specification wants 24 to 64

func newSecret(random io.Reader) ([]byte, error) {
	key := make([]byte, secretBytes)
	_, err := io.ReadFull(random, key)
	return key, err
}

// shown is a secret as its owner gets it.
func shown(key []byte) string { return secretPrefix + base64.StdEncoding.EncodeToString(key) }

// sign makes the header webhook-signature: one v1 signature for each key, so that while a secret is
// being rotated a receiver with either of them can verify.
func sign(keys [][]byte, name string, at time.Time, payload string) string {
	signed := name + "." + strconv.FormatInt(at.Unix(), 10) + "." + payload
	signatures := make([]string, len(keys))
	for i, key := range keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(signed))
		signatures[i] = "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	return strings.Join(signatures, " ")
}
