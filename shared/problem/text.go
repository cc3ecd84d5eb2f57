package problem

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text says what is wrong with a field that people read: it must be there, be UTF-8 of at most so many characters, and have
// none that cannot be printed.
func Text(field, s string, most int) error {
	switch {
	case s == "":
		return Field(field, "is missing")
	case !utf8.ValidString(s):
		return Field(field, "is not UTF-8")
	case utf8.RuneCountInString(s) > most:
		return Field(field, fmt.Sprintf("is longer than %d characters", most))
	case strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		return Field(field, "has a character that cannot be printed")
	}
	return nil
}

// Pairs bound the metadata that a merchant attaches to something.
type Pairs struct {
	Keys       int
	Key, Value int // characters of each
	Total      int // bytes of all keys and values
}

// Metadata says what is wrong with the field metadata. A value may be empty.
func (p Pairs) Metadata(m map[string]string) error {
	if len(m) > p.Keys {
		return Field("metadata", fmt.Sprintf("has more than %d keys", p.Keys))
	}
	total := 0
	for k, v := range m {
		if err := Text("metadata", k, p.Key); err != nil {
			return err
		}
		if v != "" {
			if err := Text("metadata."+k, v, p.Value); err != nil {
				return err
			}
		}
		total += len(k) + len(v)
	}
	if total > p.Total {
		return Field("metadata", fmt.Sprintf("has more than %d bytes", p.Total))
	}
	return nil
}
