package webhook

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"farrier/shared/outside"
)

var letter = parcel{ID: "evt_01JD0000000000000000000000", Signatures: "v1,abc", Version: "2026-11-29", Payload: `{"type":"payment.paid"}`, At: noon, Limit: Timeout}

func send(t *testing.T, c *Client, url string) outcome {
	t.Helper()
	return c.post(context.Background(), url, letter)
}

func loopbackClient() *Client { return NewClient(Options{Local: true, Now: time.Now}) }

// impatientClient is for servers that are waited for in vain.
func impatientClient() *Client {
	return NewClient(Options{Local: true, Now: time.Now, Limit: 500 * time.Millisecond})
}

func TestAPostCarriesTheHeadersOfStandardWebhooksAndTheExactBytes(t *testing.T) {
	var got *http.Request
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		_, _ = io.WriteString(w, "thank you")
	}))
	defer server.Close()
	out := send(t, loopbackClient(), server.URL+"/hooks?key=1")
	if !out.delivered() || out.Answer != "thank you" || out.Trouble != "" {
		t.Errorf("%+v", out)
	}
	if got.Method != "POST" || got.RequestURI != "/hooks?key=1" || string(body) != letter.Payload || got.ContentLength != int64(len(body)) {
		t.Errorf("%s %s %q", got.Method, got.RequestURI, body)
	}
	want := map[string]string{
		"Webhook-Id": letter.ID, "Webhook-Timestamp": "1795262400", "Webhook-Signature": "v1,abc", "Webhook-Version": string(letter.Version),
		"Content-Type": "application/json", "User-Agent": "Farrier/1", "Content-Length": strconv.Itoa(len(body)),
	}
	for name, value := range want {
		if got.Header.Get(name) != value {
			t.Errorf("%s is %q, want %q", name, got.Header.Get(name), value)
		}
	}
	if len(got.Header) != len(want) {
		t.Errorf("there are other headers too: %v", got.Header)
	}
}

func TestAPostCarriesTheMerchantsOwnHeadersAndWhyItIsSentAgain(t *testing.T) {
	var got http.Header
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	defer server.Close()
	p := letter
	p.Headers, p.Cause = headersOf(wireHeaders(map[string]string{"authorization": "Bearer abc", "x-shop": "north"})), Recovered
	p.Headers["Webhook-Id"] = []string{"forged"} // no endpoint can have it; what is ours stands above it all the same
	if out := loopbackClient().post(context.Background(), server.URL, p); !out.delivered() {
		t.Fatalf("%+v", out)
	}
	for name, want := range map[string]string{"Authorization": "Bearer abc", "X-Shop": "north", "Webhook-Replay": "recover", "Webhook-Id": letter.ID} {
		if all := got.Values(name); len(all) != 1 || all[0] != want {
			t.Errorf("%s is %q, want %q", name, all, want)
		}
	}
	if len(p.Headers) != 3 {
		t.Errorf("the endpoint's headers were changed: %v", p.Headers)
	}
}

// scripted is a server that does with each connection what f says, in bytes.
func scripted(t *testing.T, f func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				f(conn)
			}()
		}
	}()
	return "http://" + listener.Addr().String() + "/"
}

// heard reads the request, so that closing is not taken for a reset.
func heard(c net.Conn) { _, _ = c.Read(make([]byte, 64<<10)) }

func says(text string) func(net.Conn) {
	return func(c net.Conn) {
		heard(c)
		_, _ = io.WriteString(c, text)
	}
}

// forEver writes a text until nobody reads any more.
func forEver(c net.Conn, text string) {
	for {
		if _, err := io.WriteString(c, text); err != nil {
			return
		}
	}
}

func TestAServerThatMisbehavesIsAnOutcomeAndNeverHoldsUsLongerThanTheLimit(t *testing.T) {
	silent := func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }
	for _, c := range []struct {
		sentence string
		f        func(net.Conn)
		status   int
		trouble  string
	}{
		{"never reads, never answers", func(net.Conn) { time.Sleep(3 * time.Second) }, 0, outside.NoTime},
		{"reads, never answers", silent, 0, outside.NoTime},
		{"closes at once", func(net.Conn) {}, 0, outside.NoAnswer},
		{"resets", func(c net.Conn) { heard(c); _ = c.(*net.TCPConn).SetLinger(0) }, 0, outside.NoAnswer},
		{"closes after reading", heard, 0, outside.NoAnswer},
		{"answers when it has read a byte", func(c net.Conn) {
			_, _ = c.Read(make([]byte, 1))
			_, _ = io.WriteString(c, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
			silent(c)
		}, 503, "status 503: only 2xx is success"},
		{"closes in the middle of its header", says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"), 0, outside.NoAnswer},
		{"speaks something else", says("SSH-2.0-OpenSSH_9.2\r\n"), 0, outside.NoAnswer},
		{"has an endless header", func(c net.Conn) {
			heard(c)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			forEver(c, "X-A: "+strings.Repeat("a", 1000)+"\r\n")
		}, 0, outside.NoAnswer},
		{"sends its header byte by byte", func(c net.Conn) {
			heard(c)
			for _, b := range []byte("HTTP/1.1 200 OK\r\n\r\n") {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		}, 0, outside.NoTime},
		{"resets without reading", func(c net.Conn) { time.Sleep(20 * time.Millisecond); _ = c.(*net.TCPConn).SetLinger(0) }, 0, outside.NoAnswer},
		{"resets in the middle of its header", func(c net.Conn) {
			says("HTTP/1.1 200 OK\r\nContent-")(c)
			_ = c.(*net.TCPConn).SetLinger(0)
		}, 0, outside.NoAnswer},
		{"continues for ever", func(c net.Conn) { heard(c); forEver(c, "HTTP/1.1 100 Continue\r\n\r\n") }, 0, outside.NoAnswer},
		{"processes for ever", func(c net.Conn) { heard(c); forEver(c, "HTTP/1.1 102 Processing\r\n\r\n") }, 0, outside.NoAnswer},
		{"hints for ever", func(c net.Conn) {
			heard(c)
			forEver(c, "HTTP/1.1 103 Early Hints\r\nLink: </"+strings.Repeat("a", 3000)+">\r\n\r\n")
		}, 0, outside.NoAnswer},
		{"continues once and answers", says("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), 200, ""},
		{"has one endless line in its header", func(c net.Conn) { heard(c); forEver(c, strings.Repeat("a", 4096)) }, 0, outside.NoAnswer},
		{"has a status of letters", says("HTTP/1.1 abc OK\r\n\r\n"), 0, outside.NoAnswer},
		{"has a status of two digits", says("HTTP/1.1 20 OK\r\n\r\n"), 0, outside.NoAnswer},
		{"has a status of four digits", says("HTTP/1.1 2000 OK\r\n\r\n"), 0, outside.NoAnswer},
		{"has a negative status", says("HTTP/1.1 -20 OK\r\n\r\n"), 0, outside.NoAnswer},
		{"has no status", says("HTTP/1.1\r\n\r\n"), 0, outside.NoAnswer},
		{"has no version", says("HTTP/x 200 OK\r\n\r\n"), 0, outside.NoAnswer},
		{"has a header without a name", says("HTTP/1.1 200 OK\r\n: a\r\n\r\n"), 0, outside.NoAnswer},
		{"has two lengths", says("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"), 0, outside.NoAnswer},
		{"has a negative length", says("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), 0, outside.NoAnswer},
		{"sends its body byte by byte", func(c net.Conn) {
			says("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")(c)
			for {
				if _, err := io.WriteString(c, "a"); err != nil {
					return
				}
				time.Sleep(200 * time.Millisecond)
			}
		}, 200, ""},
		{"sends chunks for ever", func(c net.Conn) {
			says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")(c)
			forEver(c, "1\r\na\r\n")
		}, 200, ""},
		{"sends trailers for ever", func(c net.Conn) {
			says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")(c)
			forEver(c, "X-A: "+strings.Repeat("a", 1000)+"\r\n")
		}, 200, ""},
		{"promises a chunk that is longer than can be", says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\na"), 200, ""},
		{"answers 200 and then nothing of the body it promised", func(c net.Conn) {
			says("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")(c)
			silent(c)
		}, 200, ""},
		{"answers 200 and closes in the middle of the body", says("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), 200, ""},
		{"answers 204", says("HTTP/1.1 204 No Content\r\n\r\n"), 204, ""},
		{"answers 410", says("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"), 410, "status 410: only 2xx is success"},
		{"switches protocols", says("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"), 101, "status 101: only 2xx is success"},
		{"answers 304", says("HTTP/1.1 304 Not Modified\r\n\r\n"), 304, "status 304: redirects are not followed"},
		{"answers 999", says("HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n"), 999, "status 999: only 2xx is success"},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			t.Parallel()
			client := loopbackClient()
			if c.trouble == outside.NoTime {
				client = impatientClient()
			}
			url, started := scripted(t, c.f), time.Now()
			out := send(t, client, url)
			if out.Status != c.status || out.Trouble != c.trouble {
				t.Errorf("%+v, want status %d and %q", out, c.status, c.trouble)
			}
			if took := time.Since(started); took > Timeout/2 {
				t.Errorf("it held us for %v", took)
			}
		})
	}
}

func TestAnAnswerOfTenGigabytesIsReadNoFurtherThanItsStart(t *testing.T) {
	written := make(chan int64, 1)
	url := scripted(t, func(c net.Conn) {
		heard(c)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n")
		n, _ := io.Copy(c, io.LimitReader(half{}, 10<<30))
		written <- n
	})
	started := time.Now()
	out := send(t, loopbackClient(), url)
	if out.Status != 200 || len(out.Answer) > KeptAnswer || time.Since(started) > time.Second {
		t.Errorf("%d, %d bytes kept, after %v", out.Status, len(out.Answer), time.Since(started))
	}
	if n := <-written; n >= 64<<20 { // what lies in the sockets' buffers
		t.Errorf("%d bytes were taken", n)
	}
}

func TestARedirectIsAFailureAndIsNotFollowed(t *testing.T) {
	followed := false
	aim := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed = true }))
	defer aim.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, to := range []string{aim.URL, "http://169.254.169.254/latest/meta-data/"} {
			server := httptest.NewServer(http.RedirectHandler(to, status))
			if out := send(t, loopbackClient(), server.URL); out.Status != status || out.delivered() || followed {
				t.Errorf("%d to %s: %+v, followed: %t", status, to, out, followed)
			}
			server.Close()
		}
	}
}

func TestRetryAfterIsRead(t *testing.T) {
	url := scripted(t, says("HTTP/1.1 500 Internal Server Error\r\nRetry-After: 120\r\nContent-Length: 4\r\n\r\nbusy"))
	out := send(t, loopbackClient(), url)
	if out.Status != 500 || out.RetryAfter != 2*time.Minute || out.Answer != "busy" {
		t.Errorf("%+v", out)
	}
}

func TestNobodyListeningIsAConnectionThatCouldNotBeMade(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	if out := send(t, loopbackClient(), "http://"+listener.Addr().String()); out.Trouble != outside.NoConnection {
		t.Errorf("%+v", out)
	}
}

func TestANameThatDoesNotExistIsSaidToBeTheTrouble(t *testing.T) {
	if out := send(t, NewClient(Options{Now: time.Now, Limit: 5 * time.Second}), "https://nothing.invalid/"); out.Trouble != outside.NoName && out.Trouble != outside.NoTime {
		t.Errorf("%+v", out)
	}
}

// guarded is a client as it runs outside of tests, whose names are resolved by f.
func guarded(t *testing.T, f func(nth int) []string) *Client {
	t.Helper()
	c := NewClient(Options{Now: time.Now, Limit: time.Second})
	resolveBy(t, c, f)
	return c
}

// The URL passes every check of what is written: only the connection shows where it leads.
func TestTheAddressIsCheckedAfterTheNameWasResolved(t *testing.T) {
	reached := false
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	for _, addresses := range [][]string{
		{"127.0.0.1"}, {"169.254.169.254"}, {"10.0.0.1", "127.0.0.1"}, {"::1"}, {"0.0.0.0"}, {"::"},
		{"::ffff:127.0.0.1"}, {"::ffff:10.0.0.1"}, {"::127.0.0.1"}, // IPv4 in IPv6
		{"64:ff9b::7f00:1"}, {"64:ff9b:1::7f00:1"}, // NAT64
		{"2002:7f00:1::"}, {"2002:a00:1::1"}, // 6to4
		{"2001:0:4136:e378:8000:63bf:80ff:fffe"}, // Teredo of 127.0.0.1
		{"fe80::1"}, {"fd00:ec2::254"},
	} {
		c := guarded(t, func(int) []string { return addresses })
		if out := send(t, c, "https://merchant.example:"+port+"/"); out.Trouble != outside.NotReachable || reached {
			t.Errorf("%v: %+v, reached: %t", addresses, out, reached)
		}
	}
}

// The resolver gives a public address where nobody is, and from the next question on that of a server on loopback. A
// kept connection does not resolve again; a new one does, and is checked again.
func TestANameThatIsPublicFirstAndPrivateTheSecondTimeIsRefusedTheSecondTime(t *testing.T) {
	reached := false
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	var rebound atomic.Bool
	c := guarded(t, func(int) []string {
		if rebound.Load() {
			return []string{"127.0.0.1"}
		}
		return []string{"192.88.98.1"} // public, and nobody there
	})
	if out := send(t, c, "https://merchant.example:"+port+"/"); out.Trouble == outside.NotReachable {
		t.Errorf("a public address is refused: %+v", out)
	}
	rebound.Store(true)
	if out := send(t, c, "https://merchant.example:"+port+"/"); out.Trouble != outside.NotReachable || reached {
		t.Errorf("%+v, reached: %t", out, reached)
	}
	// Within one attempt, too: each of its questions gets another answer.
	c = guarded(t, func(nth int) []string { return []string{[]string{"192.88.98.1", "127.0.0.1"}[min(nth, 1)]} })
	for range 2 {
		if out := send(t, c, "https://merchant.example:"+port+"/"); out.delivered() || reached {
			t.Errorf("%+v, reached: %t", out, reached)
		}
	}
}

func TestWhatIsNotHTTPSIsNotSentOutsideALocalRun(t *testing.T) {
	reached := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer server.Close()
	out := send(t, NewClient(Options{Now: time.Now}), strings.Replace(server.URL, "127.0.0.1", "merchant.example", 1))
	if out.Trouble != outside.NotReachable || reached {
		t.Errorf("%+v, reached: %t", out, reached)
	}
}

func TestAProxyFromTheEnvironmentIsNotUsed(t *testing.T) {
	proxied := false
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { proxied = true }))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("HTTPS_PROXY", proxy.URL)
	if c := loopbackClient(); c.http.Transport.(*http.Transport).Proxy != nil {
		t.Error("the transport has a proxy")
	}
	_ = send(t, loopbackClient(), "http://localhost:1/")
	if proxied {
		t.Error("the proxy was asked")
	}
}

func TestACertificateMustBeValidForNameTimeAndAuthority(t *testing.T) {
	authority := newAuthority(t)
	year := 365 * 24 * time.Hour
	for _, c := range []struct {
		sentence string
		tls      *tls.Config
		trouble  string
	}{
		{"good", &tls.Config{Certificates: authority.issue(t, "127.0.0.1", time.Now().Add(year))}, ""},
		{"expired", &tls.Config{Certificates: authority.issue(t, "127.0.0.1", time.Now().Add(-time.Hour))}, outside.BadCertificate},
		{"another name", &tls.Config{Certificates: authority.issue(t, "127.0.0.2", time.Now().Add(year))}, outside.BadCertificate},
		{"not valid yet", &tls.Config{Certificates: authority.issueFrom(t, "127.0.0.1", time.Now().Add(time.Hour), time.Now().Add(year))}, outside.BadCertificate},
		{"signed by itself", &tls.Config{Certificates: selfSigned(t, "127.0.0.1")}, outside.BadCertificate},
		{"TLS 1.2 with an old suite", &tls.Config{Certificates: authority.issue(t, "127.0.0.1", time.Now().Add(year)), MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}}, outside.NoHandshake},
		{"unknown authority", &tls.Config{Certificates: newAuthority(t).issue(t, "127.0.0.1", time.Now().Add(year))}, outside.BadCertificate},
		{"TLS 1.1 at most", &tls.Config{Certificates: authority.issue(t, "127.0.0.1", time.Now().Add(year)), MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, outside.NoHandshake},
		{"TLS 1.2", &tls.Config{Certificates: authority.issue(t, "127.0.0.1", time.Now().Add(year)), MaxVersion: tls.VersionTLS12}, ""},
	} {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		server.TLS = c.tls
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		client := NewClient(Options{Local: true, Now: time.Now, Roots: authority.pool, Limit: 5 * time.Second})
		if out := send(t, client, server.URL); out.Trouble != c.trouble {
			t.Errorf("%s: %+v, want %q", c.sentence, out, c.trouble)
		}
		server.Close()
	}
	silent := scripted(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	if out := send(t, impatientClient(), strings.Replace(silent, "http:", "https:", 1)); out.Trouble != outside.NoTime {
		t.Errorf("a handshake that never ends: %+v", out)
	}
	plain := scripted(t, says("HTTP/1.1 200 OK\r\n\r\n"))
	if out := send(t, loopbackClient(), strings.Replace(plain, "http:", "https:", 1)); out.Trouble != outside.NoHandshake {
		t.Errorf("a server without TLS: %+v", out)
	}
}

func TestAConnectionIsKeptForTheNextPostAndOneThatWasClosedMeanwhileIsReplaced(t *testing.T) {
	var connections, posts atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { posts.Add(1) }))
	server.Config.ConnState = counting(&connections)
	server.Start()
	defer server.Close()
	c := loopbackClient()
	for range 3 {
		if out := send(t, c, server.URL); !out.delivered() {
			t.Fatalf("%+v", out)
		}
	}
	if connections.Load() != 1 {
		t.Errorf("%d connections for 3 posts", connections.Load())
	}
	server.CloseClientConnections() // as a server does that waited too long
	if out := send(t, c, server.URL); !out.delivered() {
		t.Errorf("%+v", out)
	}
	if connections.Load() != 2 || posts.Load() != 4 {
		t.Errorf("%d connections, %d posts", connections.Load(), posts.Load())
	}
}

// counting counts a server's connections.
func counting(connections *atomic.Int32) func(net.Conn, http.ConnState) {
	return func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
}

func TestNothingOfTheRequestAndNothingOfOurNetworkIsInAnOutcome(t *testing.T) {
	url := "https://merchant.example/hooks?key=very-secret"
	c := NewClient(Options{Now: time.Now, Limit: time.Second})
	resolveTo(t, c, "10.1.2.3")
	if said := fmt.Sprintf("%+v", send(t, c, url)); strings.Contains(said, "secret") || strings.Contains(said, "10.1.2.3") {
		t.Error(said)
	}
}

// resolveTo lets every name resolve to these addresses for a client.
func resolveTo(t *testing.T, c *Client, addresses ...string) {
	t.Helper()
	resolveBy(t, c, func(int) []string { return addresses })
}

// resolveBy lets names resolve to what f gives for the nth question: the client's dialer asks a DNS server of ours, over a
// connection that is opened by the test and not by the guarded dialer.
func resolveBy(t *testing.T, c *Client, f func(nth int) []string) {
	t.Helper()
	server := dnsServer(t, f)
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", server)
	}}
	c.http = outside.NewClient(outside.Options{Local: c.local, Resolver: resolver})
}

// dnsServer answers every question with these addresses (RFC 1035, section 4).
func dnsServer(t *testing.T, f func(nth int) []string) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		question := make([]byte, 512)
		for nth := 0; ; nth++ {
			n, from, err := conn.ReadFrom(question)
			if err != nil {
				return
			}
			_, _ = conn.WriteTo(dnsAnswer(question[:n], f(nth)), from)
		}
	}()
	return conn.LocalAddr().String()
}

func dnsAnswer(question []byte, addresses []string) []byte {
	end := 12
	for question[end] != 0 {
		end += int(question[end]) + 1
	}
	kind := question[end+2] // 1: A, 28: AAAA
	end += 5
	answer := append([]byte{question[0], question[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, question[12:end]...)
	for _, a := range addresses {
		ip := net.ParseIP(a)
		record := []byte{0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 0, 0, 16}
		if !strings.Contains(a, ":") { // else it is written as IPv6, even where it is IPv4 in it
			ip, record[11] = ip.To4(), 4
		}
		if (len(ip) == 4) != (kind == 1) {
			continue
		}
		answer = append(append(answer, record...), ip...)
		answer[7]++
	}
	return answer
}

// authority signs certificates for a test.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pool        *x509.CertPool
}

func newAuthority(t testing.TB) authority {
	t.Helper()
	key := newP256(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(1000 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, _ := x509.ParseCertificate(der)
	pool := x509.NewCertPool()
	pool.AddCert(certificate)
	return authority{certificate, key, pool}
}

func (a authority) issue(t testing.TB, address string, until time.Time) []tls.Certificate {
	t.Helper()
	return a.issueFrom(t, address, time.Now().Add(-2*time.Hour), until)
}

func (a authority) issueFrom(t testing.TB, address string, from, until time.Time) []tls.Certificate {
	t.Helper()
	key := newP256(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), IPAddresses: []net.IP{net.ParseIP(address)},
		NotBefore: from, NotAfter: until, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}
}

// selfSigned is right in all but who says so.
func selfSigned(t *testing.T, address string) []tls.Certificate {
	t.Helper()
	alone := newAuthority(t)
	template := *alone.certificate
	template.IPAddresses, template.IsCA = []net.IP{net.ParseIP(address)}, false
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, alone.key.Public(), alone.key)
	if err != nil {
		t.Fatal(err)
	}
	return []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: alone.key}}
}
