package outside

import (
	"context"
	"crypto/tls"
	"errors"
	"net"

	"code.dny.dev/ssrf"
)

// What trouble is called. These words are shown to merchants, so none of them tells what a name resolved to
// or what else our network answered.
const (
	NotReachable   = "address: not one that may be called; it must be public"
	NoName         = "name: could not be resolved"
	NoConnection   = "connection: could not be made"
	BadCertificate = "certificate: not valid for this name and time, or not by a known authority"
	NoHandshake    = "handshake: no TLS 1.2 or newer was agreed on"
	NotAccepted    = "handshake: ended by the other side, as where it wants a client certificate, or another one"
	NoTime         = "time: no answer came in time"
	NoAnswer       = "answer: the connection ended without one, or it was not HTTP"
)

// Trouble says in our words why no answer came.
func Trouble(err error) string {
	var at *stageError
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var timeout net.Error
	var operation *net.OpError
	switch {
	case errors.Is(err, ssrf.ErrProhibitedIP), errors.Is(err, ssrf.ErrProhibitedNetwork):
		return NotReachable
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.As(err, &timeout) && timeout.Timeout():
		return NoTime
	case errors.As(err, &name):
		return NoName
	case errors.As(err, &certificate):
		return BadCertificate
	case errors.As(err, &at) && at.stage == handshaking:
		return NoHandshake
	case errors.As(err, &at) && at.stage == identifying:
		return NotAccepted
	case errors.As(err, &at):
		return NoConnection
	case errors.As(err, &operation) && operation.Op == "remote error": // an alert of TLS: in TLS 1.3 the server reads our certificate last
		return NotAccepted
	default:
		return NoAnswer
	}
}
