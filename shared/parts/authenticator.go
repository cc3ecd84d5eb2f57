package parts

import (
	"crypto/hmac"
	"crypto/sha1" // #nosec G505 -- what authenticators know
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"testing"
	"time"
)

// Authenticator is what an app on a person's telephone makes of the otpauth:// address in a QR code (RFC 6238, with the usual
// six digits of thirty seconds).
type Authenticator struct{ secret []byte }

// NewAuthenticator reads the address.
func NewAuthenticator(t testing.TB, address string) Authenticator {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "otpauth" || u.Host != "totp" {
		t.Fatalf("no address of an authenticator: %v", err)
	}
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(u.Query().Get("secret"))
	if err != nil {
		t.Fatal(err)
	}
	return Authenticator{secret}
}

// Code is what it shows at a moment.
func (a Authenticator) Code(at time.Time) string {
	mac := hmac.New(sha1.New, a.secret)
	_ = binary.Write(mac, binary.BigEndian, at.Unix()/30)
	sum := mac.Sum(nil)
	number := binary.BigEndian.Uint32(sum[sum[len(sum)-1]&15:]) & 0x7fffffff
	return fmt.Sprintf("%06d", number%1_000_000)
}
