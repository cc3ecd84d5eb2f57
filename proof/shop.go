package proof

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"

	"github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// Shop is a merchant's server. It believes only what the official library of Standard Webhooks accepts.
type Shop struct {
	URL string

	wait  func(time.Duration)       // what its slowness takes
	meets func(at time.Time) string // of each webhook: what is wrong about its being sent
	hears func(name, body string)   // of each event as it is taken for the first time

	mu       sync.Mutex
	keys     []key
	manner   Manner
	times    int  // how many more requests it is in that manner
	closed   bool // for good: in that manner to every request
	received map[string]*Told
	refused  int      // requests that it did not answer by 2xx
	wrong    []string // what no honest sender does
}

// key is a secret, from when on it signs, and until when; the zero time is for good.
type key struct {
	secret      string
	from, until time.Time
}

// Told is an event as the shop got it.
type Told struct {
	Body     string
	Times    int
	Answered int // of those: by 2xx
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
	Tarries   Manner = "takes it after three seconds"
	Busy      Manner = "answers 503 and asks for two minutes"
	Gone      Manner = "answers 410"
)

// asked is what a busy shop asks for.
const asked = 2 * time.Minute

func newShop(t TB, wait func(time.Duration)) *Shop {
	s := &Shop{received: map[string]*Told{}, wait: wait}
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

// Closed says whether it does not answer as it should, for good.
func (s *Shop) Closed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// Recover has the shop answer as it should, unless it is closed.
func (s *Shop) Recover() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.times = 0
}

// Learn gives the shop a secret that signs from now on, beside those before it for the overlap.
func (s *Shop) Learn(secret string, now time.Time, overlap time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.keys {
		if end := now.Add(overlap); s.keys[i].until.IsZero() || s.keys[i].until.After(end) {
			s.keys[i].until = end
		}
	}
	s.keys = append(s.keys, key{secret: secret, from: now})
}

// Rotating says whether a secret that was rotated away signs yet.
func (s *Shop) Rotating(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.keys {
		if now.Before(k.until) {
			return true
		}
	}
	return false
}

// Secrets are all that it ever had.
func (s *Shop) Secrets() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.keys {
		all = append(all, k.secret)
	}
	return all
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

// Has says whether it has taken an event.
func (s *Shop) Has(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.received[name] != nil
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
		s.wait(15 * time.Second)
		<-r.Context().Done()
	case Busy:
		rw.Header().Set("Retry-After", strconv.Itoa(int(asked.Seconds())))
		rw.WriteHeader(http.StatusServiceUnavailable)
	case Gone:
		rw.WriteHeader(http.StatusGone)
	case Forgets:
		s.take(r, string(body), false)
		hangUp(rw)
	case Tarries:
		s.wait(3 * time.Second)
		fallthrough
	default:
		s.take(r, string(body), true)
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
	if s.manner != Tarries {
		s.refused++
	}
	return s.manner
}

func hangUp(rw http.ResponseWriter) {
	if conn, _, err := rw.(http.Hijacker).Hijack(); err == nil {
		_ = conn.Close()
	}
}

func (s *Shop) take(r *http.Request, body string, answered bool) {
	name := r.Header.Get("webhook-id")
	wrong := s.verify(r, body)
	if s.meets != nil {
		seconds, _ := strconv.ParseInt(r.Header.Get("webhook-timestamp"), 10, 64)
		if why := s.meets(time.Unix(seconds, 0)); why != "" {
			wrong = append(wrong, why)
		}
	}
	if s.hears != nil && !s.Has(name) {
		s.hears(name, body)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, why := range wrong {
		s.wrong = append(s.wrong, name+": "+why)
	}
	told := s.received[name]
	if told == nil {
		told = &Told{Body: body}
		s.received[name] = told
	}
	told.Times++
	if answered {
		told.Answered++
	}
	if told.Body != body {
		s.wrong = append(s.wrong, name+" came with another body")
	}
}

// apart is by how much a key's beginning and end may look other than they are: clocks disagree, and an attempt that is under
// way goes on with what it has read.
const apart = 3 * time.Minute

// verify has the judge look at a webhook with every key: each that signs at its time has to have signed it, and no other.
func (s *Shop) verify(r *http.Request, body string) (wrong []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seconds, err := strconv.ParseInt(r.Header.Get("webhook-timestamp"), 10, 64)
	if err != nil {
		return []string{err.Error()}
	}
	at, believed := time.Unix(seconds, 0), false
	for i, k := range s.keys {
		judge, err := standardwebhooks.NewWebhook(k.secret)
		if err == nil {
			err = judge.VerifyIgnoringTimestamp([]byte(body), r.Header)
		}
		begun, over := !at.Before(k.from.Add(apart)), !k.until.IsZero() && at.After(k.until.Add(apart))
		signs := begun && (k.until.IsZero() || at.Before(k.until.Add(-apart)))
		switch {
		case err != nil && signs:
			wrong = append(wrong, fmt.Sprintf("is not signed by secret %d: %v", i, err))
		case err == nil && over:
			wrong = append(wrong, fmt.Sprintf("is signed by secret %d, which was rotated away", i))
		case err == nil:
			believed = true
		}
	}
	if !believed && len(wrong) == 0 {
		wrong = append(wrong, "is signed by no secret of its time")
	}
	return wrong
}

// Refused is how many requests the shop did not answer by 2xx.
func (s *Shop) Refused() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}
