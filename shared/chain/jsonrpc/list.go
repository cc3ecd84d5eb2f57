package jsonrpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// List is an array of objects of which each takes some space. An answer of "{},{},{},…" would take fifty times its size in
// memory; no transaction, log, receipt or trace is so short.
type List[T any] []T

// shortest is how many bytes an element of a List has on average, at the least: a hash alone has more.
const shortest = 40

var errTooMany = errors.New("more elements than there can be")

// UnmarshalJSON stops as soon as there are more elements than there can be.
func (l *List[T]) UnmarshalJSON(text []byte) error {
	if bytes.Equal(text, []byte("null")) {
		*l = nil
		return nil
	}
	all, err := list[T](text, 1+len(text)/shortest)
	*l = all
	return err
}

// list reads an array of so many elements at the most, with nothing after it.
func list[T any](text []byte, most int) ([]T, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if begin, err := d.Token(); err != nil || begin != json.Delim('[') {
		return nil, errors.New("no array")
	}
	out := []T{}
	for d.More() {
		if len(out) == most {
			return nil, errTooMany
		}
		var one T
		if err := d.Decode(&one); err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something after the array")
	}
	return out, nil
}
