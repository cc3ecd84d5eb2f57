package callback

import (
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
)

// RFC 7515, appendix A: the same payload under RS256 (A.2) and ES256 (A.3), with their public keys.
const (
	rfc7515Payload = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"
	rfc7515RSA     = `{"keys":[{"kty":"RSA","kid":"2011","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"},{"kty":"oct","kid":"secret","k":"AAAA"},{"kty":"RSA","kid":"enc","use":"enc","n":"AQ","e":"AQAB"},{"kty":"RSA","kid":"short","n":"AQ","e":"AQAB"}]}`
	rfc7515RS256   = "eyJhbGciOiJSUzI1NiJ9..cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
	rfc7515EC      = `{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},{"kty":"EC","crv":"P-256","kid":"off the curve","x":"f83O","y":"x_FE"}]}`
	rfc7515ES256   = "eyJhbGciOiJFUzI1NiJ9..DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
)

func setOf(t testing.TB, set string) func(string) ([]crypto.PublicKey, error) {
	t.Helper()
	keys, err := jwks([]byte(set))
	if err != nil {
		t.Fatal(err)
	}
	return func(string) ([]crypto.PublicKey, error) {
		var all []crypto.PublicKey
		for _, k := range keys {
			all = append(all, k)
		}
		return all, nil
	}
}

func TestThePublishedJWSAreBelieved(t *testing.T) {
	allowed := []string{"RS256", "ES256"}
	for _, c := range []struct{ compact, keys string }{{rfc7515RS256, rfc7515RSA}, {rfc7515ES256, rfc7515EC}} {
		if err := jwsSigned(c.compact, []byte(rfc7515Payload), allowed, setOf(t, c.keys)); err != nil {
			t.Errorf("%.30s: %v", c.compact, err)
		}
		for name, wrong := range map[string]struct {
			compact, payload, keys string
			allowed                []string
			want                   error
		}{
			"another payload":      {c.compact, rfc7515Payload + " ", c.keys, allowed, NoMatch},
			"not allowed":          {c.compact, rfc7515Payload, c.keys, []string{"RS512"}, HeaderMalformed},
			"keys of another":      {c.compact, rfc7515Payload, map[bool]string{true: rfc7515EC, false: rfc7515RSA}[c.keys == rfc7515RSA], allowed, NoMatch},
			"not detached":         {strings.Replace(c.compact, "..", ".e30.", 1), rfc7515Payload, c.keys, allowed, HeaderMalformed},
			"padded":               {c.compact + "=", rfc7515Payload, c.keys, allowed, HeaderMalformed},
			"with the end of line": {c.compact + "\n", rfc7515Payload, c.keys, allowed, HeaderMalformed},
			"a part more":          {c.compact + ".", rfc7515Payload, c.keys, allowed, HeaderMalformed},
			"too long":             {c.compact + strings.Repeat("A", longestJWS), rfc7515Payload, c.keys, allowed, HeaderMalformed},
		} {
			if err := jwsSigned(wrong.compact, []byte(wrong.payload), wrong.allowed, setOf(t, wrong.keys)); !errors.Is(err, wrong.want) {
				t.Errorf("%.30s, %s: %v", c.compact, name, err)
			}
		}
	}
}

func TestAJWSWhoseHeaderIsNotToBeTrustedIsRefused(t *testing.T) {
	p := newPairs(t)
	public := func(string) ([]crypto.PublicKey, error) { return []crypto.PublicKey{p.ed25519.Public()}, nil }
	signed := func(header string) string {
		head := base64.RawURLEncoding.EncodeToString([]byte(header))
		return head + ".." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(p.ed25519, []byte(head+"."+base64.RawURLEncoding.EncodeToString([]byte("{}")))))
	}
	all := []string{"EdDSA", "none", "HS256", ""} // even where a source would allow it
	for header, want := range map[string]error{
		`{"alg":"EdDSA"}`:                            nil,
		`{"alg":"EdDSA","kid":"x","typ":"JWT"}`:      nil,
		`{"alg":"EdDSA","crit":["b64"],"b64":false}`: HeaderMalformed,
		`{"alg":"EdDSA","crit":[]}`:                  HeaderMalformed,
		`{"alg":"none"}`:                             HeaderMalformed,
		`{"alg":"HS256"}`:                            HeaderMalformed,
		`{}`:                                         HeaderMalformed,
		`{"alg":7}`:                                  HeaderMalformed,
		`x`:                                          HeaderMalformed,
	} {
		if err := jwsSigned(signed(header), []byte("{}"), all, public); !errors.Is(err, want) {
			t.Errorf("%s: %v", header, err)
		}
	}
	named := ""
	_ = jwsSigned(signed(`{"alg":"EdDSA","kid":"k-1"}`), []byte("{}"), all, func(id string) ([]crypto.PublicKey, error) { named = id; return nil, nil })
	if named != "k-1" {
		t.Errorf("keys were asked for %q", named)
	}
	if err := jwsSigned(signed(`{"alg":"EdDSA"}`), []byte("{}"), all, func(string) ([]crypto.PublicKey, error) { return nil, KeyUnknown }); !errors.Is(err, KeyUnknown) {
		t.Error(err)
	}
}

func TestASetOfKeysLeavesOutWhatDoesNotVerifyHere(t *testing.T) {
	for set, want := range map[string][]string{
		rfc7515RSA: {"2011"}, rfc7515EC: {""}, `{}`: nil, `{"keys":[]}`: nil,
		`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"e","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},{"kty":"OKP","crv":"X25519","kid":"x","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`: {"e"},
		`{"keys":[{"kty":"RSA","kid":"e","n":"` + base64.RawURLEncoding.EncodeToString(newPairs(t).rsa.N.Bytes()) + `","e":"AQ"}]}`:                                                                     nil,
	} {
		keys, err := jwks([]byte(set))
		var ids []string
		for id := range keys {
			ids = append(ids, id)
		}
		if err != nil || !slices.Equal(ids, want) {
			t.Errorf("%.60s: %q, %v", set, ids, err)
		}
	}
	if _, err := jwks([]byte("hunter2")); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}

// FuzzJWS: no JWS is believed but those that the keys made.
func FuzzJWS(f *testing.F) {
	f.Add(rfc7515RS256, []byte(rfc7515Payload))
	f.Add(rfc7515ES256, []byte(rfc7515Payload))
	f.Add("eyJhbGciOiJub25lIn0..", []byte("{}"))
	rsaKeys, ecKeys := setOf(f, rfc7515RSA), setOf(f, rfc7515EC)
	f.Fuzz(func(t *testing.T, compact string, payload []byte) {
		for _, keys := range []func(string) ([]crypto.PublicKey, error){rsaKeys, ecKeys} {
			err := jwsSigned(compact, payload, []string{"RS256", "RS512", "ES256", "EdDSA"}, keys)
			var refused Refused
			if err != nil && !errors.As(err, &refused) {
				t.Fatal(err)
			}
			if err == nil && string(payload) != rfc7515Payload {
				t.Fatalf("%q over %q", compact, payload)
			}
		}
	})
}
