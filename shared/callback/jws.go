package callback

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strings"
)

// jwsVerify are the algorithms that a JWS may name (RFC 7518, section 3.1; RFC 8037, section 3.1). A source allows
// some of them by name; "none" and those with a shared secret are not among them.
var jwsVerify = map[string]func(key crypto.PublicKey, signature, message []byte) bool{
	"RS256": func(k crypto.PublicKey, s, m []byte) bool { return rsaSHA256.takes(k) && rsaSHA256.verify(k, s, m) },
	"RS512": func(k crypto.PublicKey, s, m []byte) bool { return rsaSHA512.takes(k) && rsaSHA512.verify(k, s, m) },
	"EdDSA": func(k crypto.PublicKey, s, m []byte) bool { return ed25519Pure.takes(k) && ed25519Pure.verify(k, s, m) },
	"ES256": es256,
}

// es256's signature is both numbers side by side (RFC 7518, section 3.4).
func es256(key crypto.PublicKey, signature, message []byte) bool {
	k, is := key.(*ecdsa.PublicKey)
	if !is || k.Curve != elliptic.P256() || len(signature) != 64 {
		return false
	}
	sum := sha256.Sum256(message)
	return ecdsa.Verify(k, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
}

// longestJWS bounds a signature header: one of RSA with 4,096 bits has 683 characters, a header a few hundred.
const longestJWS = 4096

// jwsSigned proves a detached JWS in its compact form (RFC 7515, appendix F): "header..signature" over the payload
// that is elsewhere. keys gives the public keys under the id that the header names ("" where it names none).
func jwsSigned(compact string, payload []byte, allowed []string, keys func(id string) ([]crypto.PublicKey, error)) error {
	parts := strings.Split(compact, ".")
	if len(compact) > longestJWS || len(parts) != 3 || parts[1] != "" {
		return HeaderMalformed
	}
	raw, errHeader := base64.RawURLEncoding.Strict().DecodeString(parts[0])
	signature, errSignature := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	var header struct {
		Algorithm string          `json:"alg"`
		KeyID     string          `json:"kid"`
		Critical  json.RawMessage `json:"crit"`
	}
	if errHeader != nil || errSignature != nil || strings.ContainsAny(compact, "\r\n") || json.Unmarshal(raw, &header) != nil {
		return HeaderMalformed
	}
	verify := jwsVerify[header.Algorithm]
	// What is critical must be understood (RFC 7515, section 4.1.11), and nothing is.
	if verify == nil || !slices.Contains(allowed, header.Algorithm) || header.Critical != nil {
		return HeaderMalformed
	}
	candidates, err := keys(header.KeyID)
	if err != nil {
		return err
	}
	message := []byte(parts[0] + "." + base64.RawURLEncoding.EncodeToString(payload))
	for _, key := range candidates {
		if verify(key, signature, message) {
			return nil
		}
	}
	return NoMatch
}

// jwks reads a set of public keys (RFC 7517) by their ids. Keys of a kind that is not verified with here are left out.
func jwks(body []byte) (map[string]crypto.PublicKey, error) {
	var set struct {
		Keys []struct{ Kty, Kid, Use, Crv, N, E, X, Y string }
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, errors.New("is not a set of keys (JWKS)")
	}
	keys := map[string]crypto.PublicKey{}
	for _, k := range set.Keys {
		number := func(text string) *big.Int {
			b, err := base64.RawURLEncoding.DecodeString(text)
			if err != nil {
				return new(big.Int)
			}
			return new(big.Int).SetBytes(b)
		}
		var key crypto.PublicKey
		switch {
		case k.Use == "enc":
			continue
		case k.Kty == "RSA":
			e := number(k.E)
			if !e.IsInt64() || e.Int64() < 3 || e.Int64() > 1<<31-1 {
				continue
			}
			key = &rsa.PublicKey{N: number(k.N), E: int(e.Int64())}
		case k.Kty == "EC" && k.Crv == "P-256":
			point := append([]byte{4}, make([]byte, 64)...)
			x, y := number(k.X), number(k.Y)
			if x.BitLen() > 256 || y.BitLen() > 256 {
				continue
			}
			x.FillBytes(point[1:33])
			y.FillBytes(point[33:])
			public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
			if err != nil {
				continue
			}
			key = public
		case k.Kty == "OKP" && k.Crv == "Ed25519":
			b, err := base64.RawURLEncoding.DecodeString(k.X)
			if err != nil || len(b) != ed25519.PublicKeySize {
				continue
			}
			key = ed25519.PublicKey(b)
		default:
			continue
		}
		if fitting, err := fit(key, nil); err == nil {
			keys[k.Kid] = fitting
		}
	}
	return keys, nil
}
