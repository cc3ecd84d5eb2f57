package id

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
)

// FuzzValid: a name is valid in one spelling alone, the one that the document's patterns describe, and names a moment.
func FuzzValid(f *testing.F) {
	for _, s := range []string{
		"pay_01JD0Z5T3N8Q4W7R2X9Y6V1K5M", "pay_01jd0z5t3n8q4w7r2x9y6v1k5m", "pay_81JD0Z5T3N8Q4W7R2X9Y6V1K5M", "pay_7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "pay_01JD0Z5T3N8Q4W7R2X9Y6V1K5",
		"pay_01JD0Z5T3N8Q4W7R2X9Y6V1KIL", "PAY_01JD0Z5T3N8Q4W7R2X9Y6V1K5M", "pay_pay_01JD0Z5T3N8Q4W7R2X9Y6V1K5M", "pay_", "", "pay_01JD0Z5T3N8Q4W7R2X9Y6V1K5\u0130",
	} {
		f.Add(s)
	}
	pattern := regexp.MustCompile(`^pay_[0-7][0-9A-HJKMNP-TV-Z]{25}$`)
	f.Fuzz(func(t *testing.T, s string) {
		if Valid("pay", s) != pattern.MatchString(s) {
			t.Fatalf("%q is valid: %t", s, Valid("pay", s))
		}
		if !Valid("pay", s) {
			return
		}
		u, err := ulid.ParseStrict(strings.TrimPrefix(s, "pay_"))
		if err != nil || "pay_"+u.String() != s || Valid("dep", s) || Valid("pa", s) {
			t.Fatalf("%q is %q, %v", s, u, err)
		}
	})
}

// FuzzDerived: the same moment and parts name the same thing, in a valid name of that moment; parts that are cut
// elsewhere name another.
func FuzzDerived(f *testing.F) {
	f.Add(int64(1795262400000), "payments", "mer_1")
	f.Add(int64(0), "", "")
	f.Add(int64(1)<<48-1, "a", "\xff")
	f.Fuzz(func(t *testing.T, millis int64, a, b string) {
		if millis < 0 || millis >= 1<<48 {
			t.Skip() // before 1970, or after the year 10889
		}
		at := time.UnixMilli(millis)
		name := Derived("evt", at, a, b)
		u, err := ulid.ParseStrict(strings.TrimPrefix(name, "evt_"))
		if err != nil || !Valid("evt", name) || u.Time() != uint64(millis) || Derived("evt", at, a, b) != name {
			t.Fatalf("%d %q %q: %q, %v", millis, a, b, name, err)
		}
		for _, other := range [][]string{{a + b}, {a + b, ""}, {"", a + b}, {b, a}} {
			if same := len(other) == 2 && other[0] == a && other[1] == b; !same && Derived("evt", at, other...) == name {
				t.Fatalf("%q and %q are both %q", []string{a, b}, other, name)
			}
		}
	})
}
