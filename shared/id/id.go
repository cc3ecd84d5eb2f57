// Package id makes the names of things: a prefix that says what it is and a ULID that sorts by time.
//
// It promises: a new id is unguessable in its 80 random bits; a derived id is a pure function of its
// time and parts, so that the same step run again names the same thing.
package id

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"io"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
)

// New makes an id such as "pay_01JD…" from a moment and a source of randomness.
func New(prefix string, at time.Time, random io.Reader) (string, error) {
	u, err := ulid.New(ulid.Timestamp(at), random)
	if err != nil {
		return "", err
	}
	return prefix + "_" + u.String(), nil
}

// Derived makes an id whose last 80 bits are the hash of parts: the same moment and parts, the same id.
func Derived(prefix string, at time.Time, parts ...string) string {
	sum := Digest(parts...)
	var u ulid.ULID
	_ = u.SetTime(ulid.Timestamp(at))
	copy(u[6:], sum[:10])
	return prefix + "_" + u.String()
}

// LastBefore is the last of all ids of the moments before one.
func LastBefore(prefix string, at time.Time) string {
	var u ulid.ULID
	_ = u.SetTime(ulid.Timestamp(at.Add(-time.Millisecond)))
	for i := 6; i < len(u); i++ {
		u[i] = 0xff
	}
	return prefix + "_" + u.String()
}

// First is the least id of a moment.
func First(prefix string, at time.Time) string {
	var u ulid.ULID
	_ = u.SetTime(ulid.Timestamp(at))
	return prefix + "_" + u.String()
}

// Digest is the SHA-256 of the parts, each preceded by its length so that no two lists collide.
func Digest(parts ...string) [sha256.Size]byte {
	h := sha256.New()
	var n [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// Short names parts in 22 characters: half of their Digest, in base64url.
func Short(parts ...string) string {
	sum := Digest(parts...)
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// Valid says whether s is an id with this prefix, so that a path's parameter never reaches a table unchecked.
func Valid(prefix, s string) bool {
	rest, ok := strings.CutPrefix(s, prefix+"_")
	if !ok {
		return false
	}
	_, err := ulid.ParseStrict(rest)
	return err == nil && rest == strings.ToUpper(rest)
}
