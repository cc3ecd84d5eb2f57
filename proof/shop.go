package proof

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// Shop is a merchant's server. It believes only what the official library of Standard Webhooks accepts.
type Shop struct {
	URL string

	mu       sync.Mutex
	secret   string
	manner   Manner
	times    int  // how many more requests it is in that manner
	closed   bool // for good: in that manner to every request
	received map[string]*Told
	refused  int      // requests that it did not answer by 2xx
	wrong    []string // what no honest sender does
}

// Told is an event as the shop got it.
type Told struct {
	Body  string
	Times int
}

// Manner is how a shop answers.
type Manner string

// The manners.
const (
	Polite    Manner = ""
	Broken    Manner = "answers 500"
	Redirects Manner = "redirects"
	HangsUp   Manner = "hangs up before it has read"
	Hangs     Manner = "does not answer"
	Forgets   Manner = "takes it and then loses the line"
)

func newShop(t TB) *Shop {
	s := &Shop{received: map[string]*Told{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Behave has the shop answer the next requests in a manner.
func (s *Shop) Behave(m Manner, times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.manner, s.times = m, times
	}
}

// Close has the shop answer every request in a manner, for good.
func (s *Shop) Close(m Manner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.manner, s.closed = m, true
}

// Recover has the shop answer as it should, unless it is closed.
func (s *Shop) Recover() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.times = 0
}

// Received is what the shop has taken, by webhook-id.
func (s *Shop) Received() map[string]Told {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]Told{}
	for name, told := range s.received {
		out[name] = *told
	}
	return out
}

// Wrong is what the shop has to complain of.
func (s *Shop) Wrong() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.wrong...)
}

func (s *Shop) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	switch manner := s.next(); manner {
	case Broken:
		rw.WriteHeader(http.StatusInternalServerError)
	case Redirects:
		http.Redirect(rw, r, "/elsewhere", http.StatusFound)
	case HangsUp:
		hangUp(rw)
	case Hangs:
		<-r.Context().Done()
	default:
		s.take(r, string(body))
		if manner == Forgets {
			hangUp(rw)
			return
		}
		rw.WriteHeader(http.StatusNoContent)
	}
}

func (s *Shop) next() Manner {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.times == 0 && !s.closed {
		return Polite
	}
	s.times = max(s.times-1, 0)
	s.refused++
	return s.manner
}

func hangUp(rw http.ResponseWriter) {
	if conn, _, err := rw.(http.Hijacker).Hijack(); err == nil {
		_ = conn.Close()
	}
}

func (s *Shop) take(r *http.Request, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := r.Header.Get("webhook-id")
	judge, err := standardwebhooks.NewWebhook(s.secret)
	if err == nil {
		err = judge.VerifyIgnoringTimestamp([]byte(body), r.Header)
	}
	if err != nil {
		s.wrong = append(s.wrong, name+": "+err.Error())
		return
	}
	told := s.received[name]
	if told == nil {
		told = &Told{Body: body}
		s.received[name] = told
	}
	told.Times++
	if told.Body != body {
		s.wrong = append(s.wrong, name+" came with another body")
	}
}

// Refused is how many requests the shop did not answer by 2xx.
func (s *Shop) Refused() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}
