package webhook

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"

	"farrier/shared/problem"
)

// Bounds of a client certificate.
const (
	MaxCertificatePEM = 16 << 10 // bytes of the chain
	MaxKeyPEM         = 8 << 10  // bytes of the private key
	maxChain          = 5
	maxKey            = 4096 // bytes that KMS seals
	leastRSA          = 2048 // bits
)

// Identity is a client certificate as a merchant gives it: by it an endpoint's server knows us (mutual TLS). The zero
// value takes away the one that there is.
type Identity struct{ Certificate, PrivateKey string } // PEM

// ClientCertificate is one as it is stored: in its endpoint's item, so that chain and key change in one write, and a delivery
// reads them with what else it needs. Notify reads it with the endpoint: one read unit more for each 4 KB.
type ClientCertificate struct {
	Chain [][]byte `dynamodbav:"chain"` // DER, ours first
	Key   string   `dynamodbav:"key"`   // sealed PKCS #8
}

// ClientCertificateView is one as its merchant sees it.
type ClientCertificateView struct {
	Subject     string    `json:"subject"`
	Fingerprint string    `json:"fingerprint" doc:"SHA-256 of the certificate, in hex"`
	ExpiresAt   time.Time `json:"expires_at"`
}

// View shows the certificate without its key.
func (c ClientCertificate) View() *ClientCertificateView {
	leaf, err := x509.ParseCertificate(c.Chain[0])
	if err != nil {
		return nil // it was read when it was stored
	}
	sum := sha256.Sum256(leaf.Raw)
	return &ClientCertificateView{Subject: leaf.Subject.String(), Fingerprint: hex.EncodeToString(sum[:]), ExpiresAt: leaf.NotAfter.UTC()}
}

// read says what is wrong with an identity, or gives the chain and the key in DER.
func (i Identity) read(now time.Time) (chain [][]byte, key []byte, err error) {
	chain, leaf, err := readChain(i.Certificate)
	if err != nil {
		return nil, nil, problem.Field("client_certificate.certificate", err.Error())
	}
	if !now.Before(leaf.NotAfter) {
		return nil, nil, problem.Field("client_certificate.certificate", "has expired")
	}
	if now.Before(leaf.NotBefore) {
		return nil, nil, problem.Field("client_certificate.certificate", "is not valid yet")
	}
	private, err := readKey(i.PrivateKey)
	if err != nil {
		return nil, nil, problem.Field("client_certificate.private_key", err.Error())
	}
	if public, ok := leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(private.Public()) {
		return nil, nil, problem.Field("client_certificate.private_key", "is not the key of the certificate, which must be the first of its chain")
	}
	key, err = x509.MarshalPKCS8PrivateKey(private)
	if err != nil || len(key) > maxKey {
		return nil, nil, problem.Field("client_certificate.private_key", fmt.Sprintf("is longer than %d bytes", maxKey))
	}
	return chain, key, nil
}

// wrong is what is wrong with a text of PEM; it repeats nothing of it.
type wrong string

func (w wrong) Error() string { return string(w) }

func readChain(text string) (chain [][]byte, leaf *x509.Certificate, err error) {
	blocks, err := readPEM(text, MaxCertificatePEM)
	if err != nil {
		return nil, nil, err
	}
	if len(blocks) > maxChain {
		return nil, nil, wrong(fmt.Sprintf("has more than %d certificates", maxChain))
	}
	for i, b := range blocks {
		certificate, err := x509.ParseCertificate(b.Bytes)
		if b.Type != "CERTIFICATE" || err != nil {
			return nil, nil, wrong("must be PEM of certificates and of nothing else")
		}
		if i == 0 {
			leaf = certificate
		}
		chain = append(chain, b.Bytes)
	}
	if uses := leaf.ExtKeyUsage; len(uses)+len(leaf.UnknownExtKeyUsage) > 0 &&
		!slices.Contains(uses, x509.ExtKeyUsageClientAuth) && !slices.Contains(uses, x509.ExtKeyUsageAny) {
		return nil, nil, wrong("begins with one that is not for clients (extended key usage clientAuth)")
	}
	return chain, leaf, nil
}

func readKey(text string) (crypto.Signer, error) {
	blocks, err := readPEM(text, MaxKeyPEM)
	if err != nil {
		return nil, err
	}
	blocks = slices.DeleteFunc(blocks, func(b *pem.Block) bool { return b.Type == "EC PARAMETERS" }) // openssl writes them before the key
	if len(blocks) != 1 {
		return nil, wrong("must be PEM of one private key and of nothing else")
	}
	block := blocks[0]
	if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
		return nil, wrong("is encrypted; give it without a password")
	}
	key, err := parseKey(block)
	if err != nil {
		return nil, wrong("is no private key in PKCS #8, PKCS #1 or SEC 1")
	}
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if k.N.BitLen() < leastRSA {
			return nil, wrong(fmt.Sprintf("is an RSA key of less than %d bits", leastRSA))
		}
		return k, nil
	case *ecdsa.PrivateKey:
		if k.Curve == elliptic.P224() { // crypto/tls signs by the other three that crypto/x509 reads
			return nil, wrong("is of a curve that TLS does not have; P-256, P-384 and P-521 it has")
		}
		return k, nil
	case ed25519.PrivateKey:
		return k, nil
	default:
		return nil, wrong("must be of RSA, ECDSA or Ed25519")
	}
}

func parseKey(b *pem.Block) (any, error) {
	switch b.Type {
	case "RSA PRIVATE KEY":
		return x509.ParsePKCS1PrivateKey(b.Bytes)
	case "EC PRIVATE KEY":
		return x509.ParseECPrivateKey(b.Bytes)
	case "PRIVATE KEY":
		return x509.ParsePKCS8PrivateKey(b.Bytes)
	default:
		return nil, wrong(b.Type)
	}
}

// readPEM reads a text that is PEM from its beginning to its end.
func readPEM(text string, most int) ([]*pem.Block, error) {
	if len(text) > most {
		return nil, wrong(fmt.Sprintf("is longer than %d bytes", most))
	}
	if strings.TrimSpace(text) == "" {
		return nil, wrong("is missing")
	}
	var blocks []*pem.Block
	for rest := bytes.TrimSpace([]byte(text)); len(rest) > 0; rest = bytes.TrimSpace(rest) {
		block, after := pem.Decode(rest)
		if block == nil || !bytes.HasPrefix(rest, []byte("-----BEGIN ")) {
			return nil, wrong("is not PEM, or has something else beside")
		}
		blocks, rest = append(blocks, block), after
	}
	return blocks, nil
}

// identity is a client certificate for a connection. Its name changes with the certificate and with the key.
type identity struct {
	name  string
	chain [][]byte
	key   []byte // PKCS #8
}

func (i identity) certificate() (tls.Certificate, error) {
	key, err := x509.ParsePKCS8PrivateKey(i.key)
	return tls.Certificate{Certificate: i.chain, PrivateKey: key}, err
}
