package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"

	"code.dny.dev/ssrf"
)

// What an attempt's trouble is called. These words are shown to the merchant, so none of them tells
// what a name resolved to or what else our network answered.
const (
	troubleAddress     = "address: not one that may be called; it must be public"
	troubleName        = "name: could not be resolved"
	troubleConnect     = "connection: could not be made"
	troubleCertificate = "certificate: not valid for this name and time, or not by a known authority"
	troubleHandshake   = "handshake: no TLS 1.2 or newer was agreed on"
	troubleTime        = "time: no answer came in time"
	troubleAnswer      = "answer: the connection ended without one, or it was not HTTP"
)

func troubleOfStatus(status int) string {
	switch {
	case status >= 200 && status < 300:
		return ""
	case status >= 300 && status < 400:
		return "status " + strconv.Itoa(status) + ": redirects are not followed"
	default:
		return "status " + strconv.Itoa(status) + ": only 2xx is success"
	}
}

// stageError says where on the way to an answer an error happened.
type stageError struct {
	stage stage
	error
}

type stage int

const (
	connecting stage = iota
	handshaking
)

func (e *stageError) Unwrap() error { return e.error }

// dialer connects, and says in its errors how far it came.
type dialer struct {
	net net.Dialer
	tls *tls.Config
}

func (d dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.net.DialContext(ctx, network, address)
	if err != nil {
		return nil, &stageError{connecting, err}
	}
	return conn, nil
}

func (d dialer) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	plain, err := d.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, &stageError{connecting, err}
	}
	config := d.tls.Clone()
	config.ServerName = host
	conn := tls.Client(plain, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = plain.Close()
		return nil, &stageError{handshaking, err}
	}
	return conn, nil
}

// troubleOf says in our words why no answer came.
func troubleOf(err error) string {
	var at *stageError
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var timeout net.Error
	switch {
	case errors.Is(err, ssrf.ErrProhibitedIP), errors.Is(err, ssrf.ErrProhibitedNetwork):
		return troubleAddress
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.As(err, &timeout) && timeout.Timeout():
		return troubleTime
	case errors.As(err, &name):
		return troubleName
	case errors.As(err, &certificate):
		return troubleCertificate
	case errors.As(err, &at) && at.stage == handshaking:
		return troubleHandshake
	case errors.As(err, &at):
		return troubleConnect
	default:
		return troubleAnswer
	}
}
