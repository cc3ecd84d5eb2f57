package callback

import (
	"errors"
	"strings"
	"testing"
	"time"

	judge "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// FuzzStandardWebhooks: whatever we believe, the official library believes; whatever we do not is Refused.
func FuzzStandardWebhooks(f *testing.F) {
	at := time.Unix(1_800_000_000, 0)
	body := []byte(`{"a":1}`)
	good := officially(f, secretA, "msg_1", at, body)["webhook-signature"]
	for _, signature := range []string{good, good + " " + good, good + "," + good, "v1a,AAAA " + good, "v1,", ""} {
		f.Add("msg_1", "1800000000", signature, body)
	}
	f.Add("msg_1.1800000000", "1800000000", good, body)
	f.Add("msg_1", "+1800000000", good, body)
	signer, err := judge.NewWebhook(secretA)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, event, stamp, signature string, body []byte) {
		h := Headers{"webhook-id": event, "webhook-timestamp": stamp, "webhook-signature": signature}
		got, err := verifyStandardWebhooks(t.Context(), Delivery{Headers: h, Body: body, At: at}, Settings{}, withSecrets(secretB, secretA))
		if err == nil {
			if theirs := signer.VerifyIgnoringTimestamp(body, httpHeaders(h)); theirs != nil || got != eventID(event) {
				t.Fatalf("believed %q, %v", got, theirs)
			}
			return
		}
		var refused Refused
		if !errors.As(err, &refused) || got != "" {
			t.Fatalf("%q, %v", got, err)
		}
	})
}

// FuzzHMAC: with any headers and any body, what we believe is what the secret signs over what the template names.
func FuzzHMAC(f *testing.F) {
	const secret = "a secret of enough letters"
	f.Add("sha256=00", "1800000000", "e-1", []byte("{}"), byte(0))
	f.Add("AAAA", "1800000000000", "", []byte(`{"id":7}`), byte(7))
	f.Add("a,a", "", "a,b", []byte{0xff}, byte(13))
	f.Fuzz(func(t *testing.T, signature, stamp, event string, body []byte, choice byte) {
		h := chosen(choice)
		s := Settings{HMAC: &h}
		if err := configurableHMAC.Settle(&s); err != nil {
			t.Fatal(err)
		}
		h = *s.HMAC
		d := Delivery{Headers: Headers{"x-sig": signature, "x-time": stamp, "x-id": event}, Body: body, At: time.Unix(1_800_000_000, 0)}
		var refused Refused
		if got, err := verifyHMAC(t.Context(), d, s, withSecrets(secret)); err == nil {
			t.Fatalf("a signature was guessed: %q", got)
		} else if !errors.As(err, &refused) {
			t.Fatal(err)
		}
		content, err := h.signed(d)
		if err != nil {
			return
		}
		d.Headers["x-sig"] = h.Prefix + encoding(h.Encoding).encode(hmacOf(h.algorithm(), secret, content))
		got, err := verifyHMAC(t.Context(), d, s, withSecrets(secret))
		if err != nil || got == "" || len(got) > longestEvent || strings.Contains(got, "#") {
			t.Fatalf("%q, %v", got, err)
		}
	})
}

// chosen is one of the ways to configure an HMAC, bit by bit.
func chosen(choice byte) HMAC {
	h := HMAC{Header: "x-sig"}
	for bit, set := range []func(){
		func() { h.Algorithm = "sha512" },
		func() { h.Encoding = "base64" },
		func() { h.Prefix = "sha256=" },
		func() { h.TimestampHeader = "x-time" },
		func() {
			if h.TimestampHeader != "" {
				h.TimestampUnit = "ms"
			}
		},
		func() { h.EventHeader = "x-id" },
		func() {
			if h.EventHeader == "" {
				h.EventPath = "event.id"
			}
		},
	} {
		if choice&(1<<bit) != 0 {
			set()
		}
	}
	return h
}

// FuzzHints: any body is read or unreadable; what is read is something that a chain may be asked.
func FuzzHints(f *testing.F) {
	for _, body := range []string{
		`{"data":{"chain":"eip155:137","transaction":"` + txA + `"}}`, `{"data":{"chain":"eip155:137"}}`, `[[{"a":[1,2.5e9,null]}]]`, `{"data":`, "\xff",
	} {
		f.Add([]byte(body), "", "data.chain", "data.transaction")
	}
	f.Add([]byte(`{"a":["0x12"]}`), "eip155:1", "", "a.0")
	f.Fuzz(func(t *testing.T, body []byte, fixed, chainPath, transactionPath string) {
		notices, err := readPaths(body, Settings{Chain: fixed, ChainPath: chainPath, TransactionPath: transactionPath}, Keys{})
		var unreadable ReadError
		if err != nil {
			if !errors.As(err, &unreadable) || notices != nil {
				t.Fatalf("%v, %v", notices, err)
			}
			return
		}
		if len(notices) == 0 || len(notices) > mostTransactions {
			t.Fatalf("%d notices", len(notices))
		}
		for _, n := range notices {
			h, _ := n.Hint()
			if h.Chain == "" || len(h.Tx) > longestName || (h.Tx != "" && !visible(h.Tx)) {
				t.Fatalf("%q", h)
			}
		}
	})
}
