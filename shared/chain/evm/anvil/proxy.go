package anvil

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Proxy stands before a chain as a provider does, and may answer for it.
type Proxy struct {
	URL string

	mu     sync.Mutex
	answer func(method string, honest json.RawMessage) string // the result to give; "" gives the honest one
	whole  func(honest []byte) (status int, body []byte)
	calls  map[string]int
}

// Behind starts a proxy that is honest until it is told otherwise.
func Behind(t testing.TB, c *Chain) *Proxy {
	p := &Proxy{calls: map[string]int{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(w, r, c.URL) }))
	t.Cleanup(server.Close)
	p.URL = server.URL
	return p
}

// Honest lets every answer through.
func (p *Proxy) Honest() { p.set(nil, nil) }

// Answers replaces the result of single calls.
func (p *Proxy) Answers(f func(method string, honest json.RawMessage) string) { p.set(f, nil) }

// Method replaces the result of one method.
func (p *Proxy) Method(method, result string) {
	p.Answers(func(asked string, _ json.RawMessage) string {
		if asked == method {
			return result
		}
		return ""
	})
}

// Whole replaces a whole HTTP answer.
func (p *Proxy) Whole(f func(honest []byte) (int, []byte)) { p.set(nil, f) }

// Says replaces every HTTP answer by the same one.
func (p *Proxy) Says(status int, body string) {
	p.Whole(func([]byte) (int, []byte) { return status, []byte(body) })
}

// Calls is how often a method was asked for.
func (p *Proxy) Calls(method string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[method]
}

func (p *Proxy) set(answer func(string, json.RawMessage) string, whole func([]byte) (int, []byte)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer, p.whole = answer, whole
}

type question struct {
	ID     int    `json:"id"`
	Method string `json:"method"`
}

func (p *Proxy) serve(w http.ResponseWriter, r *http.Request, url string) {
	asked, _ := io.ReadAll(r.Body)
	resp, err := http.Post(url, "application/json", bytes.NewReader(asked)) // #nosec G107 -- a test's own chain
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	honest, _ := io.ReadAll(resp.Body)

	p.mu.Lock()
	answer, whole := p.answer, p.whole
	methods := p.methods(asked)
	p.mu.Unlock()
	switch {
	case whole != nil:
		status, body := whole(honest)
		w.WriteHeader(status)
		_, _ = w.Write(body)
	case answer != nil:
		_, _ = w.Write(rewritten(honest, methods, answer))
	default:
		_, _ = w.Write(honest)
	}
}

// methods counts the calls and gives their methods by id.
func (p *Proxy) methods(asked []byte) map[int]string {
	var many []question
	if json.Unmarshal(asked, &many) != nil {
		many = make([]question, 1)
		_ = json.Unmarshal(asked, &many[0])
	}
	out := map[int]string{}
	for _, q := range many {
		p.calls[q.Method]++
		out[q.ID] = q.Method
	}
	return out
}

func rewritten(honest []byte, methods map[int]string, answer func(string, json.RawMessage) string) []byte {
	one := func(r map[string]json.RawMessage) {
		var id int
		_ = json.Unmarshal(r["id"], &id)
		if instead := answer(methods[id], r["result"]); instead != "" {
			r["result"] = json.RawMessage(instead)
		}
	}
	var many []map[string]json.RawMessage
	if json.Unmarshal(honest, &many) == nil {
		for _, r := range many {
			one(r)
		}
		out, _ := json.Marshal(many)
		return out
	}
	var single map[string]json.RawMessage
	_ = json.Unmarshal(honest, &single)
	one(single)
	out, _ := json.Marshal(single)
	return out
}
