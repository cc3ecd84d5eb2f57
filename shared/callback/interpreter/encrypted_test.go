package interpreter

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"farrier/shared/callback"
)

// What Safeheron's own SDK encrypted for the merchant's key is opened here, and only here: the receipt keeps it as it came.
func TestAnEncryptedReceiptIsOpenedAndBecomesALook(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "testdata", "judges", "safeheron.json"))
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct{ Key, Private, Body string }
	if err := json.Unmarshal(raw, &vectors); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		private string
		want    []string
		outcome callback.Outcome
	}{
		"the merchant's key": {vectors[0].Private, []string{`{"chain":"eip155:137","tx":"0x` + strings.Repeat("ab", 32) + `"}`}, ""},
		"another key":        {otherKey(t), nil, callback.Unreadable},
	} {
		r := open(t)
		r.connection, _, err = r.Known.Connections.Create(t.Context(), callback.Asked{
			Merchant: "mer_1", Provider: "safeheron", Secret: vectors[0].Key, Credentials: map[string]string{"private_key": c.private},
			Settings: callback.Settings{Chain: "eip155:137"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if failed := r.bring(t, r.keep(t, "msg_1", vectors[0].Body)); failed != nil {
			t.Fatal(failed)
		}
		stored := r.stored(t, "msg_1")
		if got := messages(t, r.Looks); !slices.Equal(got, c.want) || stored.Outcome != c.outcome || string(stored.Body) != vectors[0].Body {
			t.Errorf("%s: %v, %q", name, got, stored.Outcome)
		}
		if told := r.told.String(); strings.Contains(told, "PRIVATE") || strings.Contains(told, vectors[0].Body[20:60]) {
			t.Errorf("%s: the log tells too much", name)
		}
	}
}

func otherKey(t testing.TB) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}
