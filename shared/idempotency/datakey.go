package idempotency

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha3"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
)

// dataKeySize is that of a record's key: KMS encrypts 4,096 bytes at the most, and an answer may be longer.
const dataKeySize = 32

// randomness is the endless stream that grows from a data key (SHAKE256, FIPS 202).
func randomness(dataKey []byte) (io.Reader, error) {
	key, err := keyFor(dataKey, "randomness of the run")
	if err != nil {
		return nil, err
	}
	stream := sha3.NewSHAKE256()
	_, err = stream.Write(key)
	return stream, err
}

// sealUnder encrypts an answer with AES-256-GCM (NIST SP 800-38D) for one record alone.
func sealUnder(dataKey []byte, record string, a Answer, random io.Reader) (string, error) {
	aead, err := aeadFor(dataKey)
	if err != nil {
		return "", err
	}
	plain, err := json.Marshal(a)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, aead.NonceSize())
	if _, err := io.ReadFull(random, nonce); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(aead.Seal(nonce, nonce, plain, []byte(record))), nil
}

func open(dataKey []byte, record, sealed string) (*Answer, error) {
	aead, err := aeadFor(dataKey)
	if err != nil {
		return nil, err
	}
	blob, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil || len(blob) < aead.NonceSize() {
		return nil, errors.New("idempotency: the kept answer is damaged")
	}
	plain, err := aead.Open(nil, blob[:aead.NonceSize()], blob[aead.NonceSize():], []byte(record))
	if err != nil {
		return nil, errors.New("idempotency: the kept answer does not open")
	}
	var a Answer
	return &a, json.Unmarshal(plain, &a)
}

func aeadFor(dataKey []byte) (cipher.AEAD, error) {
	key, err := keyFor(dataKey, "answer")
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// keyFor gives each purpose a key of its own (HKDF, RFC 5869).
func keyFor(dataKey []byte, purpose string) ([]byte, error) {
	return hkdf.Expand(sha256.New, dataKey, purpose, dataKeySize)
}
