package api

import (
	"encoding/base64"

	"farrier/shared/problem"
)

// Paging asks for a page of a list.
type Paging struct {
	Limit  int32  `query:"limit" minimum:"1" maximum:"100" default:"50" doc:"how many at the most"`
	Cursor string `query:"cursor" maxLength:"2048" pattern:"^[A-Za-z0-9_-]+$" patternDescription:"a cursor that this list gave" doc:"next of the page before"`
}

// Page is a page of a list.
type Page[T any] struct {
	Data []T     `json:"data"`
	Next *string `json:"next" doc:"the cursor of the next page; null on the last, but never where events are followed"`
}

// Listed answers with a page.
type Listed[T any] struct{ Body Page[T] }

// listed makes the answer from a store's page.
func listed[T, V any](items []T, next string, view func(T) V) *Listed[V] {
	page := Page[V]{Data: make([]V, len(items))}
	for i, item := range items {
		page.Data[i] = view(item)
	}
	if next != "" {
		page.Next = &next
	}
	return &Listed[V]{Body: page}
}

// opaque wraps a place in a list that is text of its own kind.
func opaque(place string) string { return base64.RawURLEncoding.EncodeToString([]byte(place)) }

// place unwraps what opaque made.
func place(cursor string) (string, error) {
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return "", problem.Field("cursor", "is not one that this list gave")
	}
	return string(b), nil
}
