package webhook

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"io"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// processor is what the whole process has used so far.
func processor(b testing.TB) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkAttempt is the processor's time of an attempt on a kept TLS connection with 300 bytes: the signatures, the
// post, and the least that a server can do, which runs in the same process.
func BenchmarkAttempt(b *testing.B) {
	authority := newAuthority(b)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: authority.issue(b, "127.0.0.1", time.Now().Add(time.Hour))})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go answerAll(conn)
		}
	}()
	payload := `{"type":"payment.paid","data":"` + strings.Repeat("a", 267) + `"}`
	key := make([]byte, secretBytes)
	pair := ed25519.NewKeyFromSeed(key)
	for name, by := range map[string][]signer{"v1": {hmacSigner(key)}, "v1a": {ed25519Signer(pair)}, "both": {hmacSigner(key), ed25519Signer(pair)}} {
		for _, atOnce := range []int{1, 32} {
			b.Run(name+"/"+strconv.Itoa(atOnce)+" at once", func(b *testing.B) {
				client := NewClient(Options{Local: true, Now: time.Now, Roots: authority.pool})
				url := "https://" + listener.Addr().String() + "/hooks"
				places := make(chan struct{}, atOnce)
				before := processor(b)
				for b.Loop() {
					places <- struct{}{}
					go func() {
						defer func() { <-places }()
						p := letter
						p.Payload, p.At = payload, time.Now()
						p.Signatures = sign(by, p.ID, p.At, payload)
						if out := client.post(context.Background(), url, p); !out.delivered() {
							b.Errorf("%+v", out)
						}
					}()
				}
				for range atOnce {
					places <- struct{}{}
				}
				b.ReportMetric(float64((processor(b)-before).Microseconds())/float64(b.N), "µs-processor/op")
			})
		}
	}
}

// answerAll answers each request of a connection, which comes in one piece.
func answerAll(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	buffer := make([]byte, 16<<10)
	for {
		if _, err := conn.Read(buffer); err != nil {
			return
		}
		if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"); err != nil {
			return
		}
	}
}
