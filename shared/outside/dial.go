package outside

import (
	"context"
	"crypto/tls"
	"net"
)

// stageError says where on the way to an answer an error happened.
type stageError struct {
	stage stage
	error
}

type stage int

const (
	connecting stage = iota
	handshaking
	identifying // the other side asked in the handshake for a certificate of ours
)

func (e *stageError) Unwrap() error { return e.error }

// dialer connects, and says in its errors how far it came.
type dialer struct {
	net         net.Dialer
	tls         *tls.Config
	certificate *tls.Certificate // ours, for a server that asks; nil for none
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
	came := handshaking
	config := d.tls.Clone()
	config.ServerName = host
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		came = identifying
		if d.certificate == nil {
			return &tls.Certificate{}, nil
		}
		return d.certificate, nil
	}
	conn := tls.Client(plain, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = plain.Close()
		return nil, &stageError{came, err}
	}
	return conn, nil
}
