package callback

import (
	"context"
	"testing"
	"time"
)

// vector is a callback as somebody else signed it: the provider's own package, its documentation, or a tool that is
// not ours. How each was made stands at the head of the script beside it, in testdata/judges.
type vector struct {
	Name     string            `json:"name"`
	Secret   string            `json:"secret"`
	Headers  map[string]string `json:"headers"`
	Body     string            `json:"body"`
	Packed   []byte            `json:"packed,omitempty"` // the body as it is sent, where that is not Body
	At       int64             `json:"at,omitempty"`     // when it comes; 0: signedAt
	Event    string            `json:"event,omitempty"`  // the id; "" for the body's hash
	Accepted bool              `json:"accepted"`         // by the judge
}

func vectorsOf(t testing.TB, file string) []vector {
	t.Helper()
	var content struct {
		Judge   string   `json:"judge"`
		Vectors []vector `json:"vectors"`
	}
	judged(t, file, &content)
	if content.Judge == "" || len(content.Vectors) == 0 {
		t.Fatalf("%s: by %q, %d vectors", file, content.Judge, len(content.Vectors))
	}
	return content.Vectors
}

// agrees verifies what the judge made, and hears the same from it.
func agrees(t *testing.T, provider, file string) {
	t.Helper()
	c := connected(t, provider, Settings{})
	for _, v := range vectorsOf(t, file) {
		d := Delivery{Headers: NewHeaders(v.Headers), Body: []byte(v.Body), At: signedAt}
		if v.Packed != nil {
			d.Body = v.Packed
		}
		if v.At != 0 {
			d.At = time.Unix(v.At, 0)
		}
		event, err := c.Verify(context.Background(), d, withSecrets("a secret of somebody else", v.Secret))
		if (err == nil) != v.Accepted {
			t.Errorf("%s, %s: the judge accepts: %v; we: %v", file, v.Name, v.Accepted, err)
		}
		if want := or(v.Event, hashed([]byte(v.Body))); err == nil && event != want {
			t.Errorf("%s, %s: event %q, want %q", file, v.Name, event, want)
		}
	}
}
