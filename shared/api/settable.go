package api

import (
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// settable is a field of a change: left out it leaves a setting as it is, and null takes the setting back to what is
// usual. Its route names it among those that may be null.
type settable[T any] struct {
	given bool
	value T // the zero value for null
}

// UnmarshalJSON is called only where the field is there, null or not.
func (s *settable[T]) UnmarshalJSON(text []byte) error {
	s.given = true
	return json.Unmarshal(text, &s.value)
}

// Schema is that of the value; the field's tag makes it nullable, or the value's own type does.
func (settable[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "Value") // the name is for a type without one, and no list or number is named
}
