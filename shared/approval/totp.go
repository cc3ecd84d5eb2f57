package approval

import (
	"crypto/hmac"
	"crypto/sha1" // #nosec G505 -- HMAC-SHA-1 is what authenticators know (RFC 6238, 1.2), and HMAC does not need collisions to be hard
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"time"
)

// How the codes are made (RFC 6238, with the values that all authenticators take).
const (
	Digits       = 6
	Period       = 30 * time.Second
	secretLength = 20 // bytes: as many as the hash has (RFC 4226, 4, R6)

	window = 1  // steps before and after the one of the moment that are taken too (RFC 6238, 5.2)
	drift  = 20 // steps before and after within which a clock that is off is told as such: ten minutes
)

// stepAt numbers the period that a moment lies in.
func stepAt(t time.Time) int64 { return t.Unix() / int64(Period/time.Second) }

// codeOf is HOTP (RFC 4226, 5.3) of a step, which makes it TOTP.
func codeOf(secret []byte, step int64) string {
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step)) // #nosec G115 -- steps since 1970
	mac := hmac.New(sha1.New, secret)
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0xf
	number := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
	return fmt.Sprintf("%0*d", Digits, number%1_000_000)
}

// stepOf finds the step that a code belongs to, the nearest to the moment where there are several, and how far that is from
// the moment's own. All steps are compared, each in constant time, so that the time that it takes tells nothing.
func stepOf(secret []byte, code string, at time.Time) (step int64, off int, found bool) {
	here := stepAt(at)
	for away := drift; away >= 0; away-- {
		for _, candidate := range []int{-away, away} {
			if subtle.ConstantTimeCompare([]byte(codeOf(secret, here+int64(candidate))), []byte(code)) == 1 {
				step, off, found = here+int64(candidate), candidate, true
			}
		}
	}
	return step, off, found
}

// wellFormed says whether a text can be a code.
func wellFormed(code string) bool {
	if len(code) != Digits {
		return false
	}
	for i := range len(code) {
		if code[i] < '0' || code[i] > '9' {
			return false
		}
	}
	return true
}

// issuer is the name under which authenticators show the codes.
const issuer = "Farrier"

// otpauth is what an authenticator reads from a QR code
// (https://github.com/google/google-authenticator/wiki/Key-Uri-Format). It holds the secret.
func otpauth(secret []byte, name string) string {
	q := url.Values{}
	q.Set("secret", base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret))
	q.Set("issuer", issuer)
	q.Set("algorithm", "SHA1")
	q.Set("digits", fmt.Sprint(Digits))
	q.Set("period", fmt.Sprint(int(Period.Seconds())))
	return "otpauth://totp/" + url.PathEscape(issuer+":"+name) + "?" + q.Encode()
}
