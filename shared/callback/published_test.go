package callback

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"
)

// answering stands for a provider: what it says at each address, and who asked with what.
type answering struct {
	at    map[string]string
	asked []string
}

func (a *answering) RoundTrip(r *http.Request) (*http.Response, error) {
	address := r.URL.String()
	a.asked = append(a.asked, r.Method+" "+address+" "+r.Header.Get("Authorization"))
	status, body := http.StatusNotFound, ""
	if text, known := a.at[address]; known {
		status, body = http.StatusOK, text
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func ring(a *answering) *Keyring {
	return &Keyring{Now: func() time.Time { return noon }, HTTP: &http.Client{Transport: a}}
}

func jwkOf(id string, key *rsa.PublicKey) string {
	encode := base64.RawURLEncoding.EncodeToString
	return fmt.Sprintf(`{"keys":[{"kty":"RSA","kid":%q,"use":"sig","alg":"RS512","n":%q,"e":%q}]}`, id, encode(key.N.Bytes()), encode(big.NewInt(int64(key.E)).Bytes()))
}

// A callback of a European workspace is believed by the European keys, fetched once, and by no others.
func TestFireblocksIsVerifiedByTheKeysOfItsRegion(t *testing.T) {
	private, _ := rsaPair(t)
	const kid = "webhook-key-2025-01"
	provider := &answering{at: map[string]string{"https://eu-keys.fireblocks.io/.well-known/jwks.json": jwkOf(kid, &private.PublicKey)}}
	keys, body := ring(provider), []byte(`{"id":"e-1"}`)
	d := Delivery{Body: body, Headers: Headers{"fireblocks-webhook-signature": detached(t, private, `{"alg":"RS512","kid":"`+kid+`"}`, body)}}
	european := Connection{ID: "con_1", Provider: "fireblocks", Settings: Settings{Region: "eu"}}
	for range 3 {
		if event, err := european.Verify(context.Background(), d, keys); err != nil || event != "e-1" {
			t.Fatalf("%q, %v", event, err)
		}
	}
	if len(provider.asked) != 1 {
		t.Errorf("%v", provider.asked)
	}
	american := Connection{ID: "con_2", Provider: "fireblocks"}
	if _, err := american.Verify(context.Background(), d, keys); err != KeyUnknown {
		t.Error(err)
	}
}

// Circle is asked for the key by its id and with the connection's API key, and the answer's key verifies.
func TestCircleIsAskedForTheKeyThatSigned(t *testing.T) {
	private, public := p256(t)
	address := "https://api.circle.com/v2/notifications/publicKey/" + circleKeyID
	provider := &answering{at: map[string]string{address: `{"data":{"id":"` + circleKeyID + `","algorithm":"ECDSA_SHA_256","publicKey":"` + public + `"}}`}}
	keys, c := ring(provider), Connection{ID: "con_1", Provider: "circle"}
	credentials := map[string]string{"api_key": "TEST_API_KEY:id:secret"}
	opened := Keys{Credentials: credentials}
	opened.Published = func(ctx context.Context, id string) ([]crypto.PublicKey, error) {
		return keys.published(ctx, c, *circle.Published, credentials, id)
	}
	body := []byte(`{"notificationId":"n-1"}`)
	sum := sha256.Sum256(body)
	signature, err := ecdsa.SignASN1(rand.Reader, private, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	d := Delivery{Body: body, Headers: Headers{"x-circle-signature": inBase64.encode(signature), "x-circle-key-id": circleKeyID}}
	if event, err := c.Verify(context.Background(), d, opened); err != nil || event != "n-1" {
		t.Errorf("%q, %v", event, err)
	}
	if len(provider.asked) != 1 || provider.asked[0] != "GET "+address+" Bearer TEST_API_KEY:id:secret" {
		t.Errorf("%v", provider.asked)
	}
	d.Headers["x-circle-key-id"] = "../../v1/configuration"
	if _, err := c.Verify(context.Background(), d, opened); err != KeyUnknown || len(provider.asked) != 1 {
		t.Errorf("%v, %v", err, provider.asked)
	}
}
