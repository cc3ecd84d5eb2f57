package callback

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"farrier/shared/problem"
)

const circleKeyID = "879dc113-5ca4-4ff7-a6b7-54652083fcf8"

func p256(t testing.TB) (*ecdsa.PrivateKey, string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return private, base64.StdEncoding.EncodeToString(der)
}

// publishing are keys that a provider publishes under one id.
func publishing(id string, key crypto.PublicKey) Keys {
	return Keys{Published: func(_ context.Context, asked string) ([]crypto.PublicKey, error) {
		if asked != id {
			return nil, KeyUnknown
		}
		return []crypto.PublicKey{key}, nil
	}}
}

func circleNotice(event, blockchain, state, more string) string {
	return `{"subscriptionId": "80b9b08f-fd12-4f40-a3a6-51bad45cec51", "notificationId": "b3f2761f-6ae8-49f8-a730-6216aea08900", "notificationType": "` + event + `",
		"notification": {"id": "c4d1da72-111e-4d52-bdbf-2e74a2d803d5", "blockchain": "` + blockchain + `", "state": "` + state + `",
		"destinationAddress": "0x94eddd47fc62bdcc0af4b3df6b9c9b9ff8f4a4c0", "txHash": "` + txA + `", "tokenId": "36b6931a-873a-56a8-8a27-b706b17104ee",
		"refId": "order-7"` + more + `}, "timestamp": "2023-06-29T15:05:33.135665781Z", "version": 2}`
}

func circleSenders(t testing.TB) []provider {
	private, given := p256(t)
	other, otherGiven := p256(t)
	s := Settings{Assets: map[string]KnownAsset{"36b6931a-873a-56a8-8a27-b706b17104ee": {"eip155:137/erc20:0x3c499c542cef5e3811e1192ce70d8cc03d5c3359", 6}}}
	said := func(kind Kind, detail string) []Notice {
		return []Notice{{
			Kind: kind, Chain: "eip155:137", Tx: txA, Address: "0x94eddd47fc62bdcc0af4b3df6b9c9b9ff8f4a4c0", Object: "c4d1da72-111e-4d52-bdbf-2e74a2d803d5",
			Reference: "order-7", Detail: detail, Asset: "eip155:137/erc20:0x3c499c542cef5e3811e1192ce70d8cc03d5c3359", Decimals: 6, Amount: smallest(t, "10250000"),
		}}
	}
	const amounts = `, "amounts": ["10.25"]`
	reads := []reading{
		{`{"notificationType":"webhooks.test","notification":{"hello":"world"},"version":2}`, []Notice{{Kind: Other, Detail: "webhooks.test"}}},
		{circleNotice("challenges.initialize", "MATIC", "COMPLETE", ""), []Notice{{Kind: Other, Object: "c4d1da72-111e-4d52-bdbf-2e74a2d803d5", Detail: "challenges.initialize"}}},
	}
	for state, kind := range map[string]Kind{
		"INITIATED": DepositSeen, "CONFIRMED": DepositSeen, "STUCK": DepositSeen, "COMPLETE": DepositConfirmed,
		"FAILED": DepositReverted, "DENIED": DepositReverted, "CANCELLED": DepositReverted,
	} {
		reads = append(reads, reading{circleNotice("transactions.inbound", "MATIC", state, amounts), said(kind, state)})
	}
	for state, kind := range map[string]Kind{
		"INITIATED": Other, "CLEARED": Other, "QUEUED": Other, "SENT": PayoutBroadcast, "CONFIRMED": PayoutBroadcast, "COMPLETE": PayoutFinal,
		"FAILED": PayoutFailed, "DENIED": PayoutFailed, "CANCELED": PayoutFailed,
	} {
		reads = append(reads, reading{circleNotice("transactions.outbound", "MATIC", state, amounts), said(kind, state)})
	}
	failed := said(PayoutFailed, "INSUFFICIENT_NATIVE_TOKEN")
	reads = append(reads, reading{circleNotice("transactions.outbound", "MATIC", "FAILED", amounts+`, "errorReason": "INSUFFICIENT_NATIVE_TOKEN"`), failed})
	call := Notice{Kind: PayoutBroadcast, Chain: "eip155:84532", Tx: txA, Address: failed[0].Address, Object: failed[0].Object, Reference: "order-7", Detail: "SENT",
		Code: "36b6931a-873a-56a8-8a27-b706b17104ee"}
	reads = append(reads, reading{circleNotice("transactions.outbound", "BASE-SEPOLIA", "SENT", ""), []Notice{call}})

	sender := provider{
		name: "circle", connection: connected(t, "circle", s), keys: publishing(circleKeyID, &private.PublicKey), others: publishing(circleKeyID, &other.PublicKey),
		signature: inHeader("x-circle-signature"), signed: []part{inHeader("x-circle-key-id")},
		body: circleNotice("transactions.inbound", "MATIC", "COMPLETE", amounts), event: "b3f2761f-6ae8-49f8-a730-6216aea08900",
		sign: func(t testing.TB, _ time.Time, body []byte) Delivery {
			sum := sha256.Sum256(body)
			signature, err := ecdsa.SignASN1(rand.Reader, private, sum[:])
			if err != nil {
				t.Fatal(err)
			}
			return Delivery{Body: body, Headers: Headers{"x-circle-signature": inBase64.encode(signature), "x-circle-key-id": circleKeyID}}
		},
		reads: reads, unknown: circleNotice("transactions.sideways", "MATIC", "COMPLETE", ""),
	}
	pinned := sender
	pinned.name, pinned.keys, pinned.others, pinned.signed = "circle by given keys", withSecrets(given), withSecrets(otherGiven), nil
	return []provider{sender, pinned}
}

// The example of https://developers.circle.com/wallets/webhook-notifications (read 2026-11-24): key, signature and body.
func TestCircleAsItsDocumentsSign(t *testing.T) {
	const key = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAESl76SZPBJemW0mJNN4KTvYkLT8bOT4UGhFhzNk3fJqf6iuPlLQLq533FelXwczJbjg2U1PHTvQTK7qOQnDL2Tg=="
	d := Delivery{
		Headers: Headers{
			"x-circle-key-id":    circleKeyID,
			"x-circle-signature": "MEQCIBlJPX7t0FDOcozsRK6qIQwik5Fq6mhAtCSSgIB/yQO7AiB9U5lVpdufKvPhk3cz4TH2f5MP7ArnmPRBmhPztpsIFQ==",
		},
		Body: []byte(`{"subscriptionId":"00000000-0000-0000-0000-000000000000","notificationId":"00000000-0000-0000-0000-000000000000",` +
			`"notificationType":"webhooks.test","notification":{"hello":"world"},"timestamp":"2024-01-26T18:22:19.779834211Z","version":2}`),
	}
	answer := fmt.Sprintf(`{"data":{"id":"%s","algorithm":"ECDSA_SHA_256","publicKey":"%s","createDate":"2023-06-28T21:47:35.107250Z"}}`, circleKeyID, key)
	published, err := readCircleKey([]byte(answer), circleKeyID)
	if err != nil {
		t.Fatal(err)
	}
	for what, keys := range map[string]Keys{"published": publishing(circleKeyID, published[circleKeyID]), "given": withSecrets(key)} {
		event, err := verifyCircle(context.Background(), d, Settings{}, keys)
		if err != nil || event != "00000000-0000-0000-0000-000000000000" {
			t.Errorf("%s: %q, %v", what, event, err)
		}
	}
	d.Body[0] = ' '
	if _, err := verifyCircle(context.Background(), d, Settings{}, withSecrets(key)); err != NoMatch {
		t.Error(err)
	}
}

func TestCirclesKeyIsAskedForByItsIDWithTheAPIKey(t *testing.T) {
	from := circle.Published
	if got := from.URL(Settings{}, circleKeyID); got != "https://api.circle.com/v2/notifications/publicKey/"+circleKeyID {
		t.Error(got)
	}
	if got := from.Header(map[string]string{"api_key": "TEST_API_KEY:id:secret"}).Get("Authorization"); got != "Bearer TEST_API_KEY:id:secret" {
		t.Error(got)
	}
	_, ec := p256(t)
	_, edwards := ed25519Pair(t)
	for _, answer := range []string{
		"", "{}", `{"data":{}}`, `{"data":{"id":"another","algorithm":"ECDSA_SHA_256","publicKey":"` + ec + `"}}`,
		`{"data":{"id":"` + circleKeyID + `","algorithm":"NONE","publicKey":"` + ec + `"}}`,
		`{"data":{"id":"` + circleKeyID + `","algorithm":"ECDSA_SHA_256","publicKey":"` + edwards + `"}}`,
		`{"data":{"id":"` + circleKeyID + `","algorithm":"ECDSA_SHA_256","publicKey":"AAAA"}}`,
	} {
		if keys, err := from.Read([]byte(answer), circleKeyID); err == nil {
			t.Errorf("%s: %v", answer, keys)
		}
	}
}

func TestAConnectionToCircleHasAnAPIKeyOrThePublicKeys(t *testing.T) {
	_, given := p256(t)
	_, edwards := ed25519Pair(t)
	for want, asked := range map[string]Asked{
		"":                     {Credentials: map[string]string{"api_key": "TEST_API_KEY:0123456789:abcdef"}},
		" ":                    {Keys: []string{given}},
		"credentials.api_key":  {},
		"credentials.api_key ": {Credentials: map[string]string{"api_key": "with a space in it"}},
		"keys[0]":              {Keys: []string{edwards}},
		"region":               {Keys: []string{given}, Settings: Settings{Region: "eu"}},
	} {
		asked.Merchant, asked.Provider = "mer_1", "circle"
		source, err := asked.settle(nil)
		if err == nil {
			_, _, err = asked.secrets(source, rand.Reader)
		}
		if want = strings.TrimSpace(want); (err == nil) != (want == "") || (err != nil && problem.Of(err).Field != want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

func TestCirclesVersionsAndAmountsThatAreNotKnown(t *testing.T) {
	for body, want := range map[string]string{
		strings.Replace(circleNotice("transactions.inbound", "MATIC", "COMPLETE", ""), `"version": 2`, `"version": 3`, 1): "the version 3 is not known",
		circleNotice("transactions.inbound", "MATIC", "BEWITCHED", ""):                                                    "the event BEWITCHED is not known",
		circleNotice("transactions.inbound", "MATIC", "COMPLETE", `, "amounts": ["1", "2"]`):                              "notification.amounts are more than one",
		circleNotice("transactions.inbound", "MATIC", "COMPLETE", `, "amounts": ["much"]`):                                "notification.amounts.0 is no amount",
		`{"notificationType":"transactions.inbound","version":2}`:                                                         "notification.state is missing, or is no text",
		`{"version":2}`: "notificationType is missing, or is no text",
	} {
		if got, err := readCircle([]byte(body), Settings{}, Keys{}); err == nil || err.Error() != want {
			t.Errorf("%+v, %v, want %s", got, err, want)
		}
	}
	if !json.Valid([]byte(circleNotice("e", "b", "s", ""))) {
		t.Error("the example is no JSON")
	}
}
