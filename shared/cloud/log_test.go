package cloud

import (
	"bytes"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// written is an output that may be read meanwhile.
type written struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *written) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(b)
}

func (w *written) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func TestWhatAServerSaysUnaskedIsNotRepeatedInTheLog(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		time.Sleep(50 * time.Millisecond)
		_, _ = io.WriteString(conn, "Authorization: Bearer hunter2\r\n")
	}()
	out, before := &written{}, log.Writer()
	log.SetOutput(withoutAnswers{out})
	defer log.SetOutput(before)
	answer, err := (&http.Client{Transport: &http.Transport{}}).Get("http://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	for start := time.Now(); out.String() == "" && time.Since(start) < 5*time.Second; {
		time.Sleep(10 * time.Millisecond)
	}
	if said := out.String(); !strings.HasSuffix(said, "HTTP channel\n") || strings.Contains(said, "hunter2") {
		t.Errorf("%q", said)
	}
	log.Print("another line")
	if !strings.HasSuffix(out.String(), "another line\n") {
		t.Errorf("%q", out.String())
	}
}
