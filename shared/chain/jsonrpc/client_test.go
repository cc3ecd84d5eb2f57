package jsonrpc_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"farrier/shared/chain/jsonrpc"
)

// answering is a client of a server that gives every request the same answer, and what it was last asked.
func answering(t *testing.T, status int, body string, headers ...string) (*jsonrpc.Client, func() (http.Header, string)) {
	t.Helper()
	var header http.Header
	var asked string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		header, asked = r.Header.Clone(), string(b)
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	c, err := jsonrpc.Open(strings.Replace(server.URL, "http://", "http://user:p%40ss@", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c, func() (http.Header, string) { return header, asked }
}

func TestUserAndPasswordGoIntoTheHeaderAndIntoNoError(t *testing.T) {
	c, asked := answering(t, 200, `{"result":7,"error":null,"id":1}`)
	c.Header = http.Header{"Tron-Pro-Api-Key": {"k"}}
	q := &jsonrpc.Call{Method: "getblockcount"}
	if err := c.Ask(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	var height int
	if err := q.Read(&height); err != nil || height != 7 {
		t.Errorf("%d, %v", height, err)
	}
	header, body := asked()
	r := http.Request{Header: header}
	if user, password, ok := r.BasicAuth(); !ok || user != "user" || password != "p@ss" || header.Get("TRON-PRO-API-KEY") != "k" {
		t.Errorf("sent with %v", header)
	}
	if body != `{"jsonrpc":"2.0","id":1,"method":"getblockcount","params":[]}` {
		t.Errorf("asked %s", body)
	}
	if c.Name() != "127.0.0.1" {
		t.Errorf("its name is %q", c.Name())
	}
	c, err := jsonrpc.Open("http://user:p%40ss@127.0.0.1:1/secret", nil)
	if err != nil {
		t.Fatal(err)
	}
	err = c.Ask(t.Context(), q)
	for _, secret := range []string{"user", "p@ss", "p%40ss", "secret"} {
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%v names %s", err, secret)
		}
	}
}

func TestAnErrorWithStatus500IsTheNodesOwn(t *testing.T) {
	c, _ := answering(t, 500, `{"result":null,"error":{"code":-8,"message":"Block height out of range"},"id":1}`)
	q := &jsonrpc.Call{Method: "getblockhash", Params: []any{9}}
	if err := c.Ask(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	var refused *jsonrpc.RefusedError
	if !errors.As(q.Err, &refused) || refused.Code != -8 || q.Null() || !errors.Is(q.Read(new(int)), q.Err) {
		t.Errorf("got %v", q.Err)
	}
}

func TestAStatusIsAnErrorWithWhatItAsksToWait(t *testing.T) {
	throttled := `{"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"slow down"}}`
	for _, x := range []struct {
		status     int
		body, says string
		want       time.Duration
	}{
		{429, "slow down", "7", 7 * time.Second}, {429, throttled, "", 0}, {503, "<html>", "120", 2 * time.Minute},
		{503, "", "-1", 0}, {401, "", "99999999999", 0}, {302, "", "Wed, 21 Oct 2026 07:28:00 GMT", 0},
	} {
		c, _ := answering(t, x.status, x.body, "Retry-After", x.says, "Location", "http://127.0.0.1:1/")
		err := c.Ask(t.Context(), &jsonrpc.Call{Method: "m"})
		var status *jsonrpc.StatusError
		if !errors.As(err, &status) || status.Status != x.status || status.RetryAfter != x.want {
			t.Errorf("%d with %q: %v, %+v", x.status, x.says, err, status)
		}
	}
}

func TestARedirectIsNotFollowedBecauseItWouldCarryTheKeyAway(t *testing.T) {
	elsewhere := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere = true }))
	defer other.Close()
	c, _ := answering(t, http.StatusTemporaryRedirect, "", "Location", other.URL)
	if err := c.Ask(t.Context(), &jsonrpc.Call{Method: "m"}); err == nil || elsewhere {
		t.Errorf("%v, followed: %v", err, elsewhere)
	}
}

func TestEachCallGetsItsOwnAnswerInAnyOrder(t *testing.T) {
	c, _ := answering(t, 200, `[{"id":2,"error":{"code":1,"message":"no"}},{"id":1,"result":null}]`)
	a, b := &jsonrpc.Call{Method: "a"}, &jsonrpc.Call{Method: "b"}
	if err := c.Ask(t.Context(), a, b); err != nil {
		t.Fatal(err)
	}
	if !a.Null() || a.Err != nil || b.Null() || b.Err == nil || a.Read(new(int)) == nil {
		t.Errorf("a %+v, b %+v", a, b)
	}
}

func TestRequestsAndTheCallsInThemAreCounted(t *testing.T) {
	c, _ := answering(t, 500, "")
	copied := *c
	for range 2 {
		_ = copied.Ask(t.Context(), &jsonrpc.Call{Method: "a"}, &jsonrpc.Call{Method: "b"}, &jsonrpc.Call{Method: "c"})
	}
	_, _, _ = c.Post(t.Context(), nil)
	if requests, calls := c.Counts(); requests != 3 || calls != 7 {
		t.Errorf("%d requests, %d calls", requests, calls)
	}
	if requests, calls := (&jsonrpc.Client{}).Counts(); requests+calls != 0 {
		t.Error("a client that was not opened counts")
	}
}

func TestAnAnswerThatFitsNoQuestionIsStrange(t *testing.T) {
	for _, body := range []string{
		`[]`, `[{"id":1,"result":1}]`, `[{"id":1,"result":1},{"id":1,"result":1}]`, `[{"id":1,"result":1},{"id":3,"result":1}]`,
		`[{"id":1,"result":1},{"id":2}]`, `{"id":1,"result":1}`, `{}`, `null`, ``, `<html>`, `[{"id":1,"result":1},{"id":2,"res`,
	} {
		c, _ := answering(t, 200, body)
		err := c.Ask(t.Context(), &jsonrpc.Call{Method: "a"}, &jsonrpc.Call{Method: "b"})
		var strange *jsonrpc.AnswerError
		if !errors.As(err, &strange) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestAnAnswerIsReadOnlyUpToItsCap(t *testing.T) {
	c, _ := answering(t, 200, `{"id":1,"result":"`+strings.Repeat("x", 100)+`"}`)
	c.Cap = 100
	var large *jsonrpc.TooLargeError
	if err := c.Ask(t.Context(), &jsonrpc.Call{Method: "m"}); !errors.As(err, &large) || !jsonrpc.TooMuch(err) {
		t.Errorf("got %v", err)
	}
}

func TestOnlyAQuestionThatWasTakenAndNotAnsweredInTimeIsTooMuch(t *testing.T) {
	stop := make(chan struct{})
	for what, hang := range map[string]func(http.ResponseWriter){
		"no answer":   func(http.ResponseWriter) { <-stop },
		"half of one": func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"id":1,`); w.(http.Flusher).Flush(); <-stop },
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(r.Body)
			hang(w)
		}))
		t.Cleanup(server.Close)
		c, err := jsonrpc.Open(server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		c.HTTP.Timeout = 50 * time.Millisecond
		err = c.Ask(t.Context(), &jsonrpc.Call{Method: "m"})
		if !jsonrpc.Late(err) || !jsonrpc.TooMuch(err) {
			t.Errorf("%s: %v", what, err)
		}
		if took := c.Slowest(); took < 50*time.Millisecond || c.Slowest() != 0 {
			t.Errorf("%s: it took %s", what, took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if err := c.Ask(ctx, &jsonrpc.Call{Method: "m"}); jsonrpc.TooMuch(err) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s, and the caller's time is over: %v", what, err)
		}
		cancel()
	}
	close(stop)
	c, _ := answering(t, 200, "")
	c.HTTP = &http.Client{Timeout: 50 * time.Millisecond, Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}}
	if err := c.Ask(t.Context(), &jsonrpc.Call{Method: "m"}); err == nil || jsonrpc.TooMuch(err) {
		t.Errorf("nobody is there: %v", err)
	}
}

func TestARefusalIsTooMuchOnlyWhereANarrowerQuestionMayMendIt(t *testing.T) {
	for code, want := range map[int]bool{-32000: true, -32602: true, -32005: true, 429: false, -32600: false, -32601: false, -32700: false} {
		if got := jsonrpc.TooMuch(&jsonrpc.RefusedError{Code: code}); got != want {
			t.Errorf("%d: %t", code, got)
		}
	}
}

func TestACallEndsWithItsContext(t *testing.T) {
	c, _ := answering(t, 200, `{"id":1,"result":1}`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Ask(ctx, &jsonrpc.Call{Method: "m"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAnEndpointIsAnHTTPURL(t *testing.T) {
	for _, text := range []string{"", "ftp://h/secret", "https:///secret", "secret", "http://[::1"} {
		if _, err := jsonrpc.Open(text, nil); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
