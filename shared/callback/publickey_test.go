package callback

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"
)

// pairs are keys of each kind.
type pairs struct {
	rsa     *rsa.PrivateKey
	ecdsa   *ecdsa.PrivateKey
	ed25519 ed25519.PrivateKey
}

func newPairs(t testing.TB) pairs {
	t.Helper()
	r, err1 := rsa.GenerateKey(rand.Reader, 2048)
	e, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, d, err3 := ed25519.GenerateKey(rand.Reader)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	return pairs{r, e, d}
}

func spki(t testing.TB, key crypto.PublicKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func TestAPublicKeyIsReadInEachOfItsForms(t *testing.T) {
	p := newPairs(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(-time.Hour)} // expired: it only carries the key
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &p.rsa.PublicKey, p.rsa)
	if err != nil {
		t.Fatal(err)
	}
	rsaDER := spki(t, &p.rsa.PublicKey)
	pkcs1 := x509.MarshalPKCS1PublicKey(&p.rsa.PublicKey)
	for name, c := range map[string]struct {
		text string
		want interface{ Equal(crypto.PublicKey) bool }
	}{
		"SPKI of RSA":           {block("PUBLIC KEY", rsaDER), &p.rsa.PublicKey},
		"SPKI of ECDSA":         {block("PUBLIC KEY", spki(t, &p.ecdsa.PublicKey)), &p.ecdsa.PublicKey},
		"SPKI of Ed25519":       {block("PUBLIC KEY", spki(t, p.ed25519.Public())), p.ed25519.Public().(ed25519.PublicKey)},
		"PKCS #1":               {block("RSA PUBLIC KEY", pkcs1), &p.rsa.PublicKey},
		"a certificate":         {block("CERTIFICATE", certificate), &p.rsa.PublicKey},
		"with space around":     {"\n " + block("PUBLIC KEY", rsaDER) + "\n", &p.rsa.PublicKey},
		"with ends as Windows'": {strings.ReplaceAll(block("PUBLIC KEY", rsaDER), "\n", "\r\n"), &p.rsa.PublicKey},
		"base64 of SPKI":        {base64.StdEncoding.EncodeToString(rsaDER), &p.rsa.PublicKey},
		"base64 in lines":       {strings.Join(strings.SplitAfterN(base64.StdEncoding.EncodeToString(rsaDER), "A", 3), "\n"), &p.rsa.PublicKey},
		"base64 of PKCS #1":     {base64.StdEncoding.EncodeToString(pkcs1), &p.rsa.PublicKey},
		"base64 of certificate": {base64.StdEncoding.EncodeToString(certificate), &p.rsa.PublicKey},
	} {
		if got, err := publicKey(c.text); err != nil || !c.want.Equal(got) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestWhatIsNoPublicKeyIsRefusedInWordsThatRepeatNothing(t *testing.T) {
	p := newPairs(t)
	private := x509.MarshalPKCS1PrivateKey(p.rsa)
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for text, says := range map[string]string{
		"":                                "must be a public key",
		"hunter2":                         "must be a public key",
		"aHVudGVyMg==":                    "not of the DER",
		block("PUBLIC KEY", private):      "not a SubjectPublicKeyInfo",
		block("RSA PUBLIC KEY", private):  "not a PKCS #1",
		block("CERTIFICATE", private):     "not a certificate",
		block("X509 CRL", private):        "must be a PEM block of",
		block("RSA PRIVATE KEY", private): "is a private key",
		block("PUBLIC KEY", spki(t, &p.rsa.PublicKey)) + block("PUBLIC KEY", spki(t, &p.rsa.PublicKey)): "one PEM block alone",
		block("PUBLIC KEY", spki(t, &short.PublicKey)):                                                  "less than 2048 bits",
	} {
		_, err := publicKey(text)
		if err == nil || !strings.Contains(err.Error(), says) || (text != "" && strings.Contains(err.Error(), strings.TrimSpace(text))) {
			t.Errorf("%.40q: %v, want %q", text, err, says)
		}
	}
	if err := checkPublicKey(rsaSHA256)(block("PUBLIC KEY", spki(t, &p384.PublicKey))); err == nil || !strings.Contains(err.Error(), "RSA") {
		t.Error(err)
	}
	if err := checkPublicKey(ed25519Pure)(block("PUBLIC KEY", spki(t, p.ed25519.Public()))); err != nil {
		t.Error(err)
	}
}

func TestAnEd25519KeyMayBeItsBytesAlone(t *testing.T) {
	public := newPairs(t).ed25519.Public().(ed25519.PublicKey)
	for _, text := range []string{
		hex.EncodeToString(public), strings.ToUpper(hex.EncodeToString(public)), base64.StdEncoding.EncodeToString(public), block("PUBLIC KEY", spki(t, public)),
	} {
		if got, err := ed25519Key(text); err != nil || !got.Equal(public) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	for _, text := range []string{"", hex.EncodeToString(public[1:]), block("PUBLIC KEY", spki(t, &newPairs(t).ecdsa.PublicKey))} {
		if _, err := ed25519Key(text); err == nil {
			t.Errorf("%.20q is taken", text)
		}
	}
}

func TestASignatureIsProvedByOneOfTheKeysAndItsOwnSchemeAlone(t *testing.T) {
	p, message := newPairs(t), []byte("message")
	sum256, sum512 := sha256.Sum256(message), sha512.Sum512(message)
	r256, err1 := rsa.SignPKCS1v15(rand.Reader, p.rsa, crypto.SHA256, sum256[:])
	r512, err2 := rsa.SignPKCS1v15(rand.Reader, p.rsa, crypto.SHA512, sum512[:])
	e256, err3 := ecdsa.SignASN1(rand.Reader, p.ecdsa, sum256[:])
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	signatures := map[scheme][]byte{rsaSHA256: r256, rsaSHA512: r512, ecdsaSHA256: e256, ed25519Pure: ed25519.Sign(p.ed25519, message)}
	own := map[scheme]crypto.PublicKey{rsaSHA256: &p.rsa.PublicKey, rsaSHA512: &p.rsa.PublicKey, ecdsaSHA256: &p.ecdsa.PublicKey, ed25519Pure: p.ed25519.Public()}
	all := []crypto.PublicKey{&p.rsa.PublicKey, &p.ecdsa.PublicKey, p.ed25519.Public(), "no key"}
	for s, signature := range signatures {
		for other := range signatures {
			if err := keySigned(other, all, signature, message); (err == nil) != (s == other) {
				t.Errorf("%d by %d: %v", s, other, err)
			}
		}
		for name, keys := range map[string][]crypto.PublicKey{"none": nil, "another pair's": {own2(t, s)}} {
			if err := keySigned(s, keys, signature, message); !errors.Is(err, NoMatch) {
				t.Errorf("%d, keys %s: %v", s, name, err)
			}
		}
		for _, wrong := range [][]byte{nil, {}, signature[1:], append(signature[:len(signature):len(signature)], 0)} {
			if err := keySigned(s, []crypto.PublicKey{own[s]}, wrong, message); !errors.Is(err, NoMatch) {
				t.Errorf("%d, a signature of %d bytes: %v", s, len(wrong), err)
			}
		}
		if err := keySigned(s, []crypto.PublicKey{own[s]}, signature, []byte("massage")); !errors.Is(err, NoMatch) {
			t.Errorf("%d, another message: %v", s, err)
		}
	}
}

func own2(t *testing.T, s scheme) crypto.PublicKey {
	p := newPairs(t)
	return map[scheme]crypto.PublicKey{rsaSHA256: &p.rsa.PublicKey, rsaSHA512: &p.rsa.PublicKey, ecdsaSHA256: &p.ecdsa.PublicKey, ed25519Pure: p.ed25519.Public()}[s]
}
