package idempotency

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
)

// dataKeySize is that of a record's key: KMS encrypts 4,096 bytes at the most, and an answer may be longer.
const dataKeySize = 32

// randomness is the endless stream that grows from a data key: AES-256 in counter mode (NIST SP 800-38A).
func randomness(dataKey []byte) (io.Reader, error) {
	block, err := cipherFor(dataKey, "randomness of the run")
	if err != nil {
		return nil, err
	}
	return cipher.StreamReader{S: cipher.NewCTR(block, make([]byte, aes.BlockSize)), R: zeros{}}, nil
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
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
	block, err := cipherFor(dataKey, "answer")
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// cipherFor gives each purpose a key of its own (HKDF, RFC 5869).
func cipherFor(dataKey []byte, purpose string) (cipher.Block, error) {
	key, err := hkdf.Expand(sha256.New, dataKey, purpose, dataKeySize)
	if err != nil {
		return nil, err
	}
	return aes.NewCipher(key)
}
