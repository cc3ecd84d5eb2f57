package callback

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// sortedJSON is a body of JSON with the keys of its objects sorted at every depth, without spaces, numbers as they
// came and text as JSON.stringify writes it (ECMA-262, QuoteJSONString): what some providers sign.
func sortedJSON(body []byte) ([]byte, error) {
	doc, err := parseJSON(body)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	b.Grow(len(body))
	writeSorted(&b, doc.root)
	return []byte(b.String()), nil
}

func writeSorted(b *strings.Builder, v any) {
	switch v := v.(type) {
	case map[string]any:
		b.WriteByte('{')
		for i, name := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b.WriteByte(',')
			}
			quote(b, name)
			b.WriteByte(':')
			writeSorted(b, v[name])
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			writeSorted(b, v[i])
		}
		b.WriteByte(']')
	case string:
		quote(b, v)
	case json.Number:
		b.WriteString(v.String())
	case bool:
		fmt.Fprint(b, v)
	default:
		b.WriteString("null")
	}
}

var escapes = map[rune]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}

func quote(b *strings.Builder, text string) {
	b.WriteByte('"')
	for _, r := range text {
		switch short := escapes[r]; {
		case short != "":
			b.WriteString(short)
		case r < ' ':
			fmt.Fprintf(b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
}

// sortedFields is "k=v&k=v" of fields in the order of their names, without those that are left out, and without
// empty ones unless they are kept. Nothing is escaped.
func sortedFields(fields map[string]string, keepEmpty bool, leftOut ...string) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if slices.Contains(leftOut, name) || (fields[name] == "" && !keepEmpty) {
			continue
		}
		pairs = append(pairs, name+"="+fields[name])
	}
	return strings.Join(pairs, "&")
}
