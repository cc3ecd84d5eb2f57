package jsonrpc_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"farrier/shared/chain/jsonrpc"
)

// many is an answer of 6 MB that holds two million things.
func many(before, after string) string {
	return before + strings.Repeat("{},", 2<<20) + "{}" + after
}

// allocated is how many bytes were allocated while something ran, whether they were given back or not.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestAnAnswerOfNothingsTakesNoMemory(t *testing.T) {
	type element struct{ A, B, C, D, E, F, G, H, I, J, K, L *int }
	for what, body := range map[string]string{"a batch": many("[", "]"), "a list": many(`{"id":1,"result":[`, `]}`), "a list within": many(`{"id":1,"result":[{"in":[`, `]}]}`)} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
		c, err := jsonrpc.Open(server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		n := allocated(func() {
			q := &jsonrpc.Call{Method: "m", Cap: jsonrpc.Large}
			err := c.Ask(t.Context(), q)
			if err == nil && what == "a list" {
				err = q.Read(new(jsonrpc.List[element]))
			} else if err == nil {
				err = q.Read(new([]struct{ In jsonrpc.List[element] }))
			}
			var strange *jsonrpc.AnswerError
			if !errors.As(err, &strange) {
				t.Errorf("%s: %v", what, err)
			}
		})
		server.Close()
		if n > 20*uint64(len(body)) { // the answer itself, read and copied; without the bound five times as much
			t.Errorf("%s: %d MB were allocated", what, n>>20)
		}
	}
}

func TestAListIsReadWhole(t *testing.T) {
	var l jsonrpc.List[map[string]string]
	long := strings.Repeat("x", 60)
	if err := json.Unmarshal([]byte(`[{"a":"`+long+`"},{"a":"`+long+`"}]`), &l); err != nil || len(l) != 2 || l[1]["a"] != long {
		t.Errorf("%v, %v", l, err)
	}
	if err := json.Unmarshal([]byte(` [ ] `), &l); err != nil || l == nil || len(l) != 0 {
		t.Errorf("an empty one: %v, %v", l, err)
	}
	if err := json.Unmarshal([]byte(`[{}]`), &l); err != nil || len(l) != 1 {
		t.Errorf("one: %v, %v", l, err)
	}
	if err := json.Unmarshal([]byte(`null`), &l); err != nil || l != nil {
		t.Errorf("none: %v, %v", l, err)
	}
	for _, text := range []string{`{}`, `"x"`, `[1]`, `[{},{},{}]`, `7`} {
		if err := json.Unmarshal([]byte(text), &l); err == nil {
			t.Errorf("%s is a list", text)
		}
	}
}

func TestASmallQuestionHasNoLargeAnswer(t *testing.T) {
	c, _ := answering(t, 200, `{"id":1,"result":"`+strings.Repeat("x", 300<<10)+`"}`)
	var large *jsonrpc.TooLargeError
	if err := c.Ask(t.Context(), &jsonrpc.Call{Method: "m"}); !errors.As(err, &large) || large.Cap != 256<<10 {
		t.Errorf("got %v", err)
	}
	if err := c.Ask(t.Context(), &jsonrpc.Call{Method: "m", Cap: jsonrpc.Large}); err != nil {
		t.Errorf("got %v", err)
	}
}
