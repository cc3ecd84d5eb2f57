package webhook

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"farrier/shared/outside"
)

func pemOf(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// pkcs8 is a key in PEM.
func pkcs8(t testing.TB, key crypto.Signer) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pemOf("PRIVATE KEY", der)
}

// certify makes a client's certificate of a key, by an authority or, without one, by itself.
func certify(t testing.TB, key crypto.Signer, by *authority, change func(*x509.Certificate)) string {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: "farrier.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(100 * time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if change != nil {
		change(template)
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	return pemOf("CERTIFICATE", der)
}

func newP256(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestAClientCertificateIsPEMOfAChainAndItsOwnKey(t *testing.T) {
	key, other := newP256(t), newP256(t)
	good := certify(t, key, nil, nil)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, _ := ed25519.GenerateKey(rand.Reader)
	sec1, _ := x509.MarshalECPrivateKey(key)
	p224, _ := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	expired := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }
	early := func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }
	server := func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }
	any := func(c *x509.Certificate) { c.ExtKeyUsage = nil }
	for _, c := range []struct {
		sentence string
		Identity
		field, fault string // empty where it is fine
	}{
		{"PKCS #8, ECDSA", Identity{good, pkcs8(t, key)}, "", ""},
		{"SEC 1", Identity{good, pemOf("EC PRIVATE KEY", sec1)}, "", ""},
		{"SEC 1 as OpenSSL writes it", Identity{good, pemOf("EC PARAMETERS", []byte{6, 0}) + pemOf("EC PRIVATE KEY", sec1)}, "", ""},
		{"PKCS #1", Identity{certify(t, rsaKey, nil, nil), pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey))}, "", ""},
		{"PKCS #8, RSA", Identity{certify(t, rsaKey, nil, nil), pkcs8(t, rsaKey)}, "", ""},
		{"PKCS #8, Ed25519", Identity{certify(t, edKey, nil, nil), pkcs8(t, edKey)}, "", ""},
		{"a chain", Identity{good + "\n" + certify(t, other, nil, nil), pkcs8(t, key)}, "", ""},
		{"Windows line ends", Identity{strings.ReplaceAll(good, "\n", "\r\n"), strings.ReplaceAll(pkcs8(t, key), "\n", "\r\n")}, "", ""},
		{"without a stated use", Identity{certify(t, key, nil, any), pkcs8(t, key)}, "", ""},
		{"a curve that TLS does not have", Identity{certify(t, p224, nil, nil), pkcs8(t, p224)}, "private_key", "P-256"},
		{"no certificate", Identity{"", pkcs8(t, key)}, "certificate", "missing"},
		{"a blank certificate", Identity{" \n", pkcs8(t, key)}, "certificate", "missing"},
		{"no key", Identity{good, ""}, "private_key", "missing"},
		{"a blank key", Identity{good, "\r\n\t"}, "private_key", "missing"},
		{"another's key", Identity{good, pkcs8(t, other)}, "private_key", "is not the key"},
		{"a chain from the wrong end", Identity{certify(t, other, nil, nil) + good, pkcs8(t, key)}, "private_key", "is not the key"},
		{"expired", Identity{certify(t, key, nil, expired), pkcs8(t, key)}, "certificate", "expired"},
		{"of tomorrow", Identity{certify(t, key, nil, early), pkcs8(t, key)}, "certificate", "not valid yet"},
		{"a server's", Identity{certify(t, key, nil, server), pkcs8(t, key)}, "certificate", "not for clients"},
		{"no PEM", Identity{"hunter2", pkcs8(t, key)}, "certificate", "not PEM"},
		{"words before", Identity{"Bag Attributes\n" + good, pkcs8(t, key)}, "certificate", "not PEM"},
		{"words behind", Identity{good + "hunter2", pkcs8(t, key)}, "certificate", "not PEM"},
		{"a key in the place of a certificate", Identity{pkcs8(t, key), pkcs8(t, key)}, "certificate", "certificates and of nothing else"},
		{"a key among the chain", Identity{good + pkcs8(t, key), pkcs8(t, key)}, "certificate", "certificates and of nothing else"},
		{"no DER", Identity{pemOf("CERTIFICATE", []byte("hunter2")), pkcs8(t, key)}, "certificate", "certificates and of nothing else"},
		{"six certificates", Identity{strings.Repeat(good, 6), pkcs8(t, key)}, "certificate", "more than 5"},
		{"a long chain", Identity{good + strings.Repeat("\n", MaxCertificatePEM), pkcs8(t, key)}, "certificate", "longer than 16384"},
		{"two keys", Identity{good, pkcs8(t, key) + pkcs8(t, other)}, "private_key", "one private key"},
		{"a certificate in the place of a key", Identity{good, good}, "private_key", "is no private key"},
		{"a public key", Identity{good, pemOf("PUBLIC KEY", []byte{48})}, "private_key", "is no private key"},
		{"a long key", Identity{good, pkcs8(t, key) + strings.Repeat("\n", MaxKeyPEM)}, "private_key", "longer than 8192"},
		{"an encrypted key", Identity{good, pemOf("ENCRYPTED PRIVATE KEY", []byte{48})}, "private_key", "is encrypted"},
		{"an encrypted key of OpenSSL", Identity{good, string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-256-CBC,00"}, Bytes: []byte{1}}))}, "private_key", "is encrypted"},
		{"a key for key agreement", Identity{good, pemOf("PRIVATE KEY", mustHex(t, "302e020100300506032b656e04220420"+strings.Repeat("01", 32)))}, "private_key", "RSA, ECDSA or Ed25519"},
	} {
		chain, der, err := c.read(time.Now())
		if c.field == "" {
			if err != nil || len(chain) == 0 || len(der) == 0 {
				t.Errorf("%s: %v", c.sentence, err)
				continue
			}
			if _, err := (identity{chain: chain, key: der}).certificate(); err != nil {
				t.Errorf("%s: %v", c.sentence, err)
			}
			continue
		}
		if got := fieldsIn(err); len(got) != 1 || got[0] != "client_certificate."+c.field || !strings.Contains(err.Error(), c.fault) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %s %q", c.sentence, err, c.field, c.fault)
		}
	}
}

func mustHex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAClientCertificateIsShownByItsSubjectFingerprintAndEndAlone(t *testing.T) {
	key := newP256(t)
	chain, _, err := Identity{certify(t, key, nil, nil), pkcs8(t, key)}.read(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(chain[0])
	v := ClientCertificate{Chain: chain, Key: "sealed"}.View()
	if v.Subject != "CN=farrier.example" || v.Fingerprint != hex.EncodeToString(sum[:]) || time.Until(v.ExpiresAt) < 90*time.Hour {
		t.Errorf("%+v", v)
	}
}

// identify makes a parcel's identity by an authority.
func identify(t testing.TB, by authority, name string) *identity {
	t.Helper()
	key := newP256(t)
	chain, der, err := Identity{certify(t, key, &by, func(c *x509.Certificate) { c.Subject.CommonName = name }), pkcs8(t, key)}.read(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return &identity{name: name, chain: chain, key: der}
}

func TestAServerThatAsksForACertificateIsShownThatOfItsEndpointAndNoOther(t *testing.T) {
	servers, clients := newAuthority(t), newAuthority(t)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName)
		}))
		server.TLS = &tls.Config{
			Certificates: servers.issue(t, "127.0.0.1", time.Now().Add(time.Hour)), MaxVersion: version,
			ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients.pool,
		}
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		client := NewClient(Options{Local: true, Now: time.Now, Roots: servers.pool, Limit: 5 * time.Second})
		shop, other := identify(t, clients, "shop"), identify(t, clients, "other")
		for i, c := range []struct {
			identity *identity
			answer   string
			trouble  string
		}{
			{shop, "shop", ""}, {nil, "", outside.NotAccepted}, {other, "other", ""}, {shop, "shop", ""},
			{identify(t, servers, "stranger"), "", outside.NotAccepted},
			{&identity{name: "spoilt", chain: shop.chain, key: []byte("hunter2")}, "", outside.NoHandshake},
		} {
			p := letter
			p.Identity = c.identity
			if out := client.post(context.Background(), server.URL, p); out.Answer != c.answer || out.Trouble != c.trouble {
				t.Errorf("TLS %x, %d: %+v, want %q or %q", version, i, out, c.answer, c.trouble)
			}
		}
		server.Close()
	}
}

func TestConnectionsOfOneCertificateAreKeptAndThoseOfFewCertificatesAlone(t *testing.T) {
	servers, clients := newAuthority(t), newAuthority(t)
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.TLS = &tls.Config{Certificates: servers.issue(t, "127.0.0.1", time.Now().Add(time.Hour)), ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients.pool}
	server.Config.ConnState = counting(&connections)
	server.StartTLS()
	defer server.Close()
	client := NewClient(Options{Local: true, Now: time.Now, Roots: servers.pool, Limit: 5 * time.Second})
	first := identify(t, clients, "first")
	sendAs := func(i *identity) {
		t.Helper()
		p := letter
		p.Identity = i
		if out := client.post(context.Background(), server.URL, p); !out.delivered() {
			t.Fatalf("%+v", out)
		}
	}
	for range 3 {
		sendAs(first)
	}
	if connections.Load() != 1 {
		t.Errorf("%d connections for 3 posts", connections.Load())
	}
	for i := range maxIdentified + 5 {
		sendAs(&identity{name: strings.Repeat("x", i+1), chain: first.chain, key: first.key})
		if i%10 == 0 {
			sendAs(first) // what is used is not forgotten
		}
	}
	if len(client.known.clients) != maxIdentified || client.known.clients["first"] == nil || client.known.clients["x"] != nil {
		t.Errorf("%d are kept", len(client.known.clients))
	}
	if got := connections.Load(); got != 1+maxIdentified+5 {
		t.Errorf("%d connections", got)
	}
}

// FuzzPEM: what is not a chain with its key is refused by its field's name and repeated nowhere; what is taken can be
// used, and is short enough to be sealed.
func FuzzPEM(f *testing.F) {
	key := newP256(f)
	good := certify(f, key, nil, nil)
	f.Add(good, pkcs8(f, key))
	f.Add(good+good, pkcs8(f, key)+"\n")
	f.Add("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----")
	f.Add(" ", "0")
	f.Add("x"+good, strings.Replace(pkcs8(f, key), "PRIVATE", "EC PRIVATE", 2))
	f.Add(strings.Replace(good, "\n", "\nA: b\n\n", 1), pkcs8(f, key)[:60])
	f.Fuzz(func(t *testing.T, certificate, private string) {
		chain, der, err := Identity{certificate, private}.read(time.Now())
		if err != nil {
			if got := fieldsIn(err); len(got) != 1 || !strings.HasPrefix(got[0], "client_certificate.") || len(err.Error()) > 200 {
				t.Fatalf("%v", err)
			}
			return
		}
		if len(chain) == 0 || len(chain) > maxChain || len(der) > maxKey || (ClientCertificate{Chain: chain}).View() == nil {
			t.Fatalf("a chain of %d and a key of %d bytes", len(chain), len(der))
		}
		made, err := identity{chain: chain, key: der}.certificate()
		if err != nil {
			t.Fatal(err)
		}
		signed, err := made.PrivateKey.(crypto.Signer).Sign(rand.Reader, bytes.Repeat([]byte{1}, 32), crypto.SHA256)
		if _, edwards := made.PrivateKey.(ed25519.PrivateKey); !edwards && (err != nil || len(signed) == 0) {
			t.Fatalf("the key does not sign: %v", err)
		}
	})
}
