package outside

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"time"
)

// maxHeader bounds an answer's header.
const maxHeader = 16 << 10

// Options of a client. The zero value is what runs outside of tests and local runs.
type Options struct {
	Local    bool           // the local run: loopback is allowed
	Roots    *x509.CertPool // nil for the system's
	Resolver *net.Resolver  // nil for the system's
}

// NewClient makes a client for addresses that we do not trust; it keeps connections for the next request to the
// same host. The caller limits the time and the size of an answer.
func NewClient(o Options) *http.Client {
	d := dialer{
		net: net.Dialer{Control: onlyReachable(o.Local), Resolver: o.Resolver},
		tls: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Roots, ClientSessionCache: tls.NewLRUClientSessionCache(256)},
	}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:       nil, // not even one from the environment
			DialContext: d.dial, DialTLSContext: d.dialTLS,
			MaxIdleConns: 256, MaxIdleConnsPerHost: 8, IdleConnTimeout: 30 * time.Second,
			MaxResponseHeaderBytes: maxHeader, DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
