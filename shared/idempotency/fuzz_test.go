package idempotency

import (
	"bytes"
	"crypto/rand"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"farrier/shared/problem"
)

// FuzzKey: a header is a key of 1 to 255 printable ASCII characters, or is refused by its name without a word of it.
func FuzzKey(f *testing.F) {
	for _, s := range []string{"order-1", "", " ", "~", "\x7f", "é", "a\nb", strings.Repeat("k", 255), strings.Repeat("k", 256)} {
		f.Add(s)
	}
	form := regexp.MustCompile(`\A[ -~]{1,255}\z`)
	f.Fuzz(func(t *testing.T, key string) {
		err := CheckKey(key)
		if (err == nil) != form.MatchString(key) {
			t.Fatalf("%q: %v", key, err)
		}
		if err != nil && (problem.Of(err).Field != "Idempotency-Key" || len(key) > 20 && strings.Contains(err.Error(), key)) {
			t.Fatalf("%q: %v", key, err)
		}
	})
}

// FuzzKeptAnswer: an answer that was kept comes back byte for byte under its own record and key, and from nothing else.
func FuzzKeptAnswer(f *testing.F) {
	f.Add([]byte(`{"secret":"whsec_x"}`), "application/json", 201, uint16(0), byte(1))
	f.Add([]byte{0xff, 0}, "\xff", -1, uint16(60), byte(0))
	f.Add([]byte{}, "", 0, uint16(3), byte('='))
	f.Fuzz(func(t *testing.T, body []byte, header string, status int, at uint16, change byte) {
		if !regexp.MustCompile(`^[ -~]*$`).MatchString(header) {
			t.Skip() // what net/http writes into a header is text
		}
		kept := Answer{Status: status, Header: map[string]string{"Content-Type": header}, Body: body}
		isKept := func(a *Answer) bool {
			return a.Status == status && bytes.Equal(a.Body, body) && reflect.DeepEqual(a.Header, kept.Header)
		}
		dataKey := bytes.Repeat([]byte{7}, dataKeySize)
		sealed, err := sealUnder(dataKey, "record", kept, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		got, err := open(dataKey, "record", sealed)
		if err != nil || !isKept(got) {
			t.Fatalf("%+v came back as %+v, %v", kept, got, err)
		}
		if _, err := open(dataKey, "another", sealed); err == nil {
			t.Fatal("it opens under another record")
		}
		if _, err := open(bytes.Repeat([]byte{8}, dataKeySize), "record", sealed); err == nil {
			t.Fatal("it opens under another key")
		}
		spoilt := []byte(sealed)
		spoilt[int(at)%len(spoilt)] ^= change
		if got, err := open(dataKey, "record", string(spoilt)); err == nil && !isKept(got) {
			t.Fatalf("%q opens as %+v", spoilt, got)
		}
		if _, err := open(dataKey, "record", string(body)); err == nil {
			t.Fatalf("%q opens", body)
		}
	})
}
