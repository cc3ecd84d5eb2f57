package callback

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/hex"
	"hash"
)

// encoding is how a signature is written.
type encoding string

// The encodings of signatures.
const (
	inHex    encoding = "hex"    // in any case
	inBase64 encoding = "base64" // with padding, in its one spelling
)

// decode reads a signature; what is not of the encoding is refused.
func (e encoding) decode(text string) ([]byte, error) {
	read := hex.DecodeString
	if e == inBase64 {
		read = decoded
	}
	b, err := read(text)
	if err != nil || len(b) == 0 {
		return nil, HeaderMalformed
	}
	return b, nil
}

func (e encoding) encode(b []byte) string {
	if e == inBase64 {
		return base64.StdEncoding.EncodeToString(b)
	}
	return hex.EncodeToString(b)
}

// decoded reads base64 in its one spelling; the library alone would pass over the ends of lines.
func decoded(text string) ([]byte, error) {
	for i := range len(text) {
		if text[i] == '\r' || text[i] == '\n' {
			return nil, base64.CorruptInputError(i)
		}
	}
	return base64.StdEncoding.Strict().DecodeString(text)
}

// hmacOf is the HMAC over parts as if they were joined. A key may be any bytes.
func hmacOf(algorithm func() hash.Hash, key string, parts ...string) []byte {
	mac := hmac.New(algorithm, []byte(key))
	for _, part := range parts {
		_, _ = mac.Write([]byte(part))
	}
	return mac.Sum(nil)
}

// hmacSigned proves that one of the keys made the given signature over the parts as if they were joined. It
// compares in constant time, and goes through every key.
func hmacSigned(algorithm func() hash.Hash, keys []string, written encoding, given string, parts ...string) error {
	signature, err := written.decode(given)
	if err != nil {
		return err
	}
	matched := false
	for _, key := range keys {
		if hmac.Equal(signature, hmacOf(algorithm, key, parts...)) {
			matched = true
		}
	}
	if !matched {
		return NoMatch
	}
	return nil
}

// sameSecret compares texts in constant time, one of which is secret: for sources without a signature.
func sameSecret(keys []string, given string) error {
	matched := false
	for _, key := range keys {
		if key != "" && hmac.Equal([]byte(key), []byte(given)) {
			matched = true
		}
	}
	if !matched {
		return NoMatch
	}
	return nil
}
