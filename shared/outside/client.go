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

// suites are those of TLS 1.2 with forward secrecy and authenticated encryption (RFC 9325, section 4.2); those of TLS 1.3
// all have both.
var suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// Options of a client. The zero value is what runs outside of tests and local runs.
type Options struct {
	Local       bool             // the local run: loopback is allowed
	Roots       *x509.CertPool   // nil for the system's
	Resolver    *net.Resolver    // nil for the system's
	Certificate *tls.Certificate // what a server that asks for one is shown; nil for none
}

// NewClient makes a client for addresses that we do not trust; it keeps connections for the next request to the
// same host. The caller limits the time and the size of an answer.
func NewClient(o Options) *http.Client {
	config := &tls.Config{MinVersion: tls.VersionTLS12, CipherSuites: suites, RootCAs: o.Roots, ClientSessionCache: tls.NewLRUClientSessionCache(256)}
	d := dialer{net: net.Dialer{Control: onlyReachable(o.Local), Resolver: o.Resolver}, tls: config, certificate: o.Certificate}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:       nil, // not even one from the environment
			DialContext: d.dial, DialTLSContext: d.dialTLS,
			MaxIdleConns: 256, IdleConnTimeout: 30 * time.Second,
			MaxIdleConnsPerHost:    32, // more than one process posts at once: a burst to one host must not shake hands anew each time
			MaxResponseHeaderBytes: maxHeader, DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
