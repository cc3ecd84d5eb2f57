package outside

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestOnlyPublicAddressesMayBeConnectedTo(t *testing.T) {
	for address, fine := range map[string]bool{
		"93.184.215.14": true, "2606:4700::6810:84e5": true, "2a00:1450:4001:800::200e": true, "1.1.1.1": true,
		"0.0.0.0": false, "0.1.2.3": false, "127.0.0.1": false, "127.255.255.254": false, "::1": false, "::": false,
		"10.0.0.1": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false, // private
		"169.254.169.254": false, "169.254.170.2": false, "fe80::1": false, "fd00:ec2::254": false, // link-local, metadata
		"100.64.0.1": false, "100.100.100.200": false, "168.63.129.16": false, "192.0.0.192": false, // CGNAT, others' metadata
		"fc00::1": false, "fdff::1": false, "fec0::1": false, // ULA, site-local
		"224.0.0.1": false, "239.255.255.250": false, "ff02::1": false, "255.255.255.255": false, "240.0.0.1": false,
		"192.0.2.1": false, "198.51.100.1": false, "203.0.113.1": false, "2001:db8::1": false, "3fff::1": false, // documentation
		"198.18.0.1": false, "2001:2::1": false, // benchmarking
		"2002:7f00:1::": false, "2002:a9fe:a9fe::": false, "192.88.99.1": false, // 6to4
		"64:ff9b::7f00:1": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b:1::1": false, // NAT64
		"::ffff:127.0.0.1": false, "::ffff:93.184.215.14": false, "::127.0.0.1": false, // IPv4 in IPv6
		"2001:0:4136:e378:8000:63bf:3fff:fdd2": false, // Teredo
		"100::1":                               false, "5f00::1": false,
	} {
		if MayReach(netip.MustParseAddr(address), false) != fine {
			t.Errorf("%s: want may reach = %t", address, fine)
		}
	}
}

// asked is one request, and what came of it in our words.
func asked(t *testing.T, c *http.Client, url string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.Do(request)
	if err != nil {
		return 0, Trouble(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode, ""
}

func TestAClientReachesOnlyWhatIsPublicAndFollowsNothing(t *testing.T) {
	calls := 0
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, "/", http.StatusFound)
		case "/slow":
			<-r.Context().Done()
		}
	}))
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:9")
	local := NewClient(Options{Local: true, Roots: roots})
	for name, c := range map[string]struct {
		client *http.Client
		url    string
		status int
		says   string
	}{
		"the local run":            {local, server.URL, 200, ""},
		"a redirect":               {local, server.URL + "/away", 302, ""},
		"too slow":                 {local, server.URL + "/slow", 0, NoTime},
		"outside of the local run": {NewClient(Options{Roots: roots}), server.URL, 0, NotReachable},
		"an unknown authority":     {NewClient(Options{Local: true, Roots: x509.NewCertPool()}), server.URL, 0, BadCertificate},
		"a closed port":            {local, "https://127.0.0.1:1", 0, NoConnection},
		"no TLS":                   {local, "http://" + strings.TrimPrefix(server.URL, "https://"), 400, ""},
	} {
		if status, says := asked(t, c.client, c.url); status != c.status || says != c.says {
			t.Errorf("%s: %d %q", name, status, says)
		}
	}
	if calls != 3 {
		t.Errorf("%d calls", calls)
	}
	if Trouble(errors.New("hunter2")) != NoAnswer {
		t.Error("an unknown error is repeated")
	}
}

func TestAServerThatHasBothIsSpokenToInHTTP1(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 1 {
			w.WriteHeader(http.StatusHTTPVersionNotSupported)
		}
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	if status, says := asked(t, NewClient(Options{Local: true, Roots: roots}), server.URL); status != 200 {
		t.Errorf("%d %q", status, says)
	}
}
