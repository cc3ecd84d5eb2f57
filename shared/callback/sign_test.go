package callback

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

// Test case 2 of RFC 4231, section 4.3.
const (
	rfc4231Key    = "Jefe"
	rfc4231Text   = "what do ya want for nothing?"
	rfc4231SHA256 = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
	rfc4231SHA512 = "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
)

func TestAnHMACIsOverItsPartsAsIfTheyWereJoined(t *testing.T) {
	for i := range len(rfc4231Text) {
		if err := hmacSigned(sha256.New, []string{"other", rfc4231Key}, inHex, rfc4231SHA256, rfc4231Text[:i], "", rfc4231Text[i:]); err != nil {
			t.Errorf("parted at %d: %v", i, err)
		}
	}
	raw, err := hex.DecodeString(rfc4231SHA512)
	if err != nil {
		t.Fatal(err)
	}
	if err := hmacSigned(sha512.New, []string{rfc4231Key}, inBase64, base64.StdEncoding.EncodeToString(raw), rfc4231Text); err != nil {
		t.Error(err)
	}
}

func TestHexIsOfAnyCaseAndBase64OfOneSpelling(t *testing.T) {
	raw, _ := hex.DecodeString(rfc4231SHA256)
	encoded := base64.StdEncoding.EncodeToString(raw)
	for _, c := range []struct {
		written encoding
		given   string
		want    error
	}{
		{inHex, strings.ToUpper(rfc4231SHA256), nil},
		{inHex, rfc4231SHA256[:62] + "4" + "4", NoMatch},
		{inHex, rfc4231SHA256[:62], NoMatch},
		{inHex, rfc4231SHA256[:63], HeaderMalformed},
		{inHex, "0x" + rfc4231SHA256, HeaderMalformed},
		{inHex, "", HeaderMalformed},
		{inHex, encoded, HeaderMalformed},
		{inBase64, encoded, nil},
		{inBase64, strings.TrimRight(encoded, "="), HeaderMalformed},
		{inBase64, encoded + "\n", HeaderMalformed},
		{inBase64, encoded[:20] + "\n" + encoded[20:], HeaderMalformed},
		{inBase64, encoded[:42] + string(encoded[42]+1) + "=", HeaderMalformed}, // other bits behind the last byte
		{inBase64, base64.URLEncoding.EncodeToString([]byte("\xfb\xff")), HeaderMalformed},
		{inBase64, "", HeaderMalformed},
	} {
		if err := hmacSigned(sha256.New, []string{rfc4231Key}, c.written, c.given, rfc4231Text); !errors.Is(err, c.want) {
			t.Errorf("%s %q: %v, want %v", c.written, c.given, err, c.want)
		}
	}
}

func TestWithoutAKeyNothingMatches(t *testing.T) {
	if err := hmacSigned(sha256.New, nil, inHex, rfc4231SHA256, rfc4231Text); !errors.Is(err, NoMatch) {
		t.Error(err)
	}
	for _, keys := range [][]string{nil, {""}, {"a"}} {
		if err := sameSecret(keys, ""); !errors.Is(err, NoMatch) {
			t.Errorf("%q: %v", keys, err)
		}
	}
	if err := sameSecret([]string{"a", "b"}, "b"); err != nil {
		t.Error(err)
	}
}
