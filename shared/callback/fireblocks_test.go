package callback

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"testing"
	"time"

	"farrier/shared/problem"
)

func rsaPair(t testing.TB) (*rsa.PrivateKey, string) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return private, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func rs512(t testing.TB, key *rsa.PrivateKey, message []byte) []byte {
	t.Helper()
	sum := sha512.Sum512(message)
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA512, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

// detached is a detached JWS with a header.
func detached(t testing.TB, key *rsa.PrivateKey, header string, body []byte) string {
	t.Helper()
	first := base64.RawURLEncoding.EncodeToString([]byte(header))
	signature := rs512(t, key, []byte(first+"."+base64.RawURLEncoding.EncodeToString(body)))
	return first + ".." + base64.RawURLEncoding.EncodeToString(signature)
}

// fireblocksTransaction is an event of version 2 with the fields of TransactionDetails that matter.
func fireblocksTransaction(from, to, status, sub string) string {
	return `{"id": "3fa85f64-5717-4562-b3fc-2c963f66afa6", "eventType": "transaction.status.updated", "eventVersion": 1, "resourceId": "t-1", "data": {
		"id": "t-1", "externalTxId": "order-7", "status": "` + status + `", "subStatus": "` + sub + `", "txHash": "` + txA + `", "operation": "TRANSFER", "assetId": "USDC_POLYGON_NXTB",
		"feeCurrency": "MATIC_POLYGON", "source": {"type": "` + from + `", "id": ""}, "destination": {"type": "` + to + `", "id": "0"},
		"destinationAddress": "0x94eddd47fc62bdcc0af4b3df6b9c9b9ff8f4a4c0", "index": 0, "amount": 10.25, "amountInfo": {"amount": "10.25", "amountUSD": "10.25"}}, "createdAt": 1700000000}`
}

func fireblocksSenders(t testing.TB) []provider {
	private, given := rsaPair(t)
	other, otherGiven := rsaPair(t)
	s := Settings{Assets: map[string]KnownAsset{"USDC_POLYGON_NXTB": {"eip155:137/erc20:0x3c499c542cef5e3811e1192ce70d8cc03d5c3359", 6}}}
	said := func(kind Kind, word string) []Notice {
		n := Notice{
			Kind: kind, Chain: "eip155:137", Tx: txA, Index: "0", Address: "0x94eddd47fc62bdcc0af4b3df6b9c9b9ff8f4a4c0", Object: "t-1", Reference: "order-7", Detail: word,
		}
		if kind != Other {
			n.Asset, n.Decimals, n.Amount = "eip155:137/erc20:0x3c499c542cef5e3811e1192ce70d8cc03d5c3359", 6, smallest(t, "10250000")
		}
		return []Notice{n}
	}
	reads := []reading{
		{`{"id":"e-1","eventType":"vault_account.created","resourceId":"7"}`, []Notice{{Kind: Other, Object: "7", Detail: "vault_account.created"}}},
		{`{"id":"e-1","eventType":"transaction.alert.stuck_confirming","resourceId":"t-1"}`, []Notice{{Kind: Other, Object: "t-1", Detail: "transaction.alert.stuck_confirming"}}},
		{`{"type":"VAULT_ACCOUNT_ADDED","tenantId":"w","timestamp":1700000000000,"data":{}}`, []Notice{{Kind: Other, Detail: "VAULT_ACCOUNT_ADDED"}}},
		{`{"type":"TRANSACTION_STATUS_UPDATED","tenantId":"w","timestamp":1700000000000,"data":{"id":"t-2","status":"COMPLETED","assetId":"BTC","amount":1e-7,
			"source":{"type":"UNKNOWN"},"destination":{"type":"VAULT_ACCOUNT"}}}`, []Notice{{Kind: DepositConfirmed, Object: "t-2", Detail: "COMPLETED",
			Chain: "bip122:000000000019d6689c085ae165831e93", Asset: "bip122:000000000019d6689c085ae165831e93/slip44:0", Decimals: 8, Amount: smallest(t, "10")}}},
		{`{"eventType":"transaction.created","data":{"id":"t-3","status":"CONFIRMING","assetId":"MATIC","amount":1,"source":{"type":"UNKNOWN"},"destination":{"type":"VAULT_ACCOUNT"}}}`,
			[]Notice{{Kind: DepositSeen, Object: "t-3", Detail: "CONFIRMING", Code: "MATIC"}}},
		{`{"eventType":"transaction.created","data":{"id":"t-4","status":"COMPLETED","operation":"CONTRACT_CALL","source":{"type":"VAULT_ACCOUNT"},"destination":{"type":"ONE_TIME_ADDRESS"}}}`,
			[]Notice{{Kind: Other, Object: "t-4", Detail: "COMPLETED"}}},
		{fireblocksTransaction("UNKNOWN", "VAULT_ACCOUNT", "REJECTED", "AUTO_FREEZE"), said(DepositSeen, "AUTO_FREEZE")},
		{fireblocksTransaction("VAULT_ACCOUNT", "VAULT_ACCOUNT", "COMPLETED", ""), said(Other, "COMPLETED")},
		{fireblocksTransaction("GAS_STATION", "VAULT_ACCOUNT", "COMPLETED", ""), said(Other, "COMPLETED")},
		{fireblocksTransaction("EXCHANGE_ACCOUNT", "FIAT_ACCOUNT", "COMPLETED", ""), said(Other, "COMPLETED")},
	}
	for status, kind := range map[string]Kind{
		"SUBMITTED": DepositSeen, "PENDING_AML_SCREENING": DepositSeen, "CONFIRMING": DepositSeen, "COMPLETED": DepositConfirmed,
		"REJECTED": DepositSeen, "BLOCKED": DepositSeen, "FAILED": DepositReverted, "CANCELLED": DepositReverted,
	} {
		reads = append(reads, reading{fireblocksTransaction("UNKNOWN", "VAULT_ACCOUNT", status, ""), said(kind, status)})
	}
	for status, kind := range map[string]Kind{
		"SUBMITTED": Other, "QUEUED": Other, "PENDING_SIGNATURE": Other, "CANCELLING": Other, "BROADCASTING": PayoutBroadcast, "CONFIRMING": PayoutBroadcast,
		"COMPLETED": PayoutFinal, "FAILED": PayoutFailed, "REJECTED": PayoutFailed, "BLOCKED": PayoutFailed, "CANCELLED": PayoutFailed, "TIMEOUT": PayoutFailed,
	} {
		reads = append(reads, reading{fireblocksTransaction("VAULT_ACCOUNT", "ONE_TIME_ADDRESS", status, ""), said(kind, status)})
	}
	const kid = "webhook-key-2025-01"
	published := provider{
		name: "fireblocks", connection: connected(t, "fireblocks", s), keys: publishing(kid, &private.PublicKey), others: publishing(kid, &other.PublicKey),
		signature: inHeader("fireblocks-webhook-signature"), event: "3fa85f64-5717-4562-b3fc-2c963f66afa6",
		body: fireblocksTransaction("UNKNOWN", "VAULT_ACCOUNT", "COMPLETED", ""),
		sign: func(t testing.TB, _ time.Time, body []byte) Delivery {
			return Delivery{Body: body, Headers: Headers{"fireblocks-webhook-signature": detached(t, private, `{"alg":"RS512","kid":"`+kid+`"}`, body)}}
		},
		reads: reads, unknown: `{"id":"e","eventType":"rumour.spread"}`,
	}
	given1, older := published, published
	given1.name, given1.keys, given1.others = "fireblocks by given keys", withSecrets(given), withSecrets(otherGiven)
	older.name, older.keys, older.others, older.signature = "fireblocks by the older header", given1.keys, given1.others, inHeader("fireblocks-signature")
	older.sign = func(t testing.TB, _ time.Time, body []byte) Delivery {
		return Delivery{Body: body, Headers: Headers{"fireblocks-signature": inBase64.encode(rs512(t, private, body))}}
	}
	return []provider{published, given1, older}
}

// Fireblocks' packages verify no webhook; its documents do it with jose, which is the judge here.
func TestFireblocksAsJoseSigns(t *testing.T) {
	var content struct {
		Judge   string
		Vectors []struct {
			Name, Secret, JWKS, Body string
			Headers                  map[string]string
			Accepted                 bool
		}
	}
	readVectors(t, "fireblocks.json", &content)
	for _, v := range content.Vectors {
		keys := withSecrets(v.Secret)
		if v.JWKS != "" {
			set, err := fireblocks.Published.Read([]byte(v.JWKS), "")
			if err != nil || len(set) != 1 {
				t.Fatalf("%s: %v, %v", v.Name, set, err)
			}
			for id, key := range set {
				keys = publishing(id, key)
			}
		}
		if _, err := verifyFireblocks(context.Background(), Delivery{Headers: NewHeaders(v.Headers), Body: []byte(v.Body)}, Settings{}, keys); (err == nil) != v.Accepted {
			t.Errorf("%s: %v", v.Name, err)
		}
	}
	if len(content.Vectors) == 0 || content.Judge == "" {
		t.Error("no vectors")
	}
}

func TestFireblocksOtherAlgorithmsAndHeadersAreNoSignature(t *testing.T) {
	private, given := rsaPair(t)
	other, _ := rsaPair(t)
	body := []byte(`{}`)
	keys := publishing("k", &private.PublicKey)
	older := inBase64.encode(rs512(t, private, body))
	right := detached(t, private, `{"alg":"RS512","kid":"k"}`, body)
	for what, c := range map[string]struct {
		headers Headers
		keys    Keys
		want    error
	}{
		"none":                                  {Headers{"fireblocks-webhook-signature": detached(t, private, `{"alg":"none","kid":"k"}`, body)}, keys, HeaderMalformed},
		"HMAC with the public key":              {Headers{"fireblocks-webhook-signature": detached(t, private, `{"alg":"HS512","kid":"k"}`, body)}, keys, HeaderMalformed},
		"another size":                          {Headers{"fireblocks-webhook-signature": detached(t, private, `{"alg":"RS256","kid":"k"}`, body)}, keys, HeaderMalformed},
		"something critical":                    {Headers{"fireblocks-webhook-signature": detached(t, private, `{"alg":"RS512","kid":"k","crit":["b64"],"b64":false}`, body)}, keys, HeaderMalformed},
		"no id":                                 {Headers{"fireblocks-webhook-signature": detached(t, private, `{"alg":"RS512"}`, body)}, keys, HeaderMalformed},
		"an id that is not published":           {Headers{"fireblocks-webhook-signature": detached(t, private, `{"alg":"RS512","kid":"l"}`, body)}, keys, KeyUnknown},
		"the older header alone, no key given":  {Headers{"fireblocks-signature": older}, keys, HeaderMissing},
		"both, the newer wrong, no key given":   {Headers{"fireblocks-webhook-signature": detached(t, other, `{"alg":"RS512","kid":"k"}`, body), "fireblocks-signature": older}, keys, NoMatch},
		"both, of which the given key made one": {Headers{"fireblocks-webhook-signature": detached(t, other, `{"alg":"RS512","kid":"x"}`, body), "fireblocks-signature": older}, withSecrets(given), nil},
		"both, the older wrong":                 {Headers{"fireblocks-webhook-signature": right, "fireblocks-signature": "AAAA"}, keys, nil},
		"a body in the signature":               {Headers{"fireblocks-webhook-signature": "e30.e30.AAAA"}, keys, HeaderMalformed},
	} {
		if _, err := verifyFireblocks(context.Background(), Delivery{Headers: c.headers, Body: body}, Settings{}, c.keys); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
	}
}

func TestFireblocksKeysAreWhereTheRegionSays(t *testing.T) {
	for region, want := range map[string]string{
		"": "https://keys.fireblocks.io/.well-known/jwks.json", "us": "https://keys.fireblocks.io/.well-known/jwks.json", "eu": "https://eu-keys.fireblocks.io/.well-known/jwks.json",
		"eu2": "https://eu2-keys.fireblocks.io/.well-known/jwks.json", "sandbox": "https://sandbox-keys.fireblocks.io/.well-known/jwks.json",
	} {
		s := Settings{Region: region}
		if err := s.fits("fireblocks", fireblocks); err != nil || fireblocksKeys(s, "any") != want {
			t.Errorf("%s: %s, %v", region, fireblocksKeys(s, "any"), err)
		}
	}
	for _, wrong := range []string{"EU", "evil.example.com/", "mars", "us,eu"} {
		if err := (Settings{Region: wrong}).fits("fireblocks", fireblocks); problem.Of(err).Field != "region" {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

// Version 1 names no event: the transaction, its status and the time do.
func TestFireblocksEventsHaveAnIDOrAreTheirStatus(t *testing.T) {
	for body, want := range map[string]string{
		`{"id":"e-1","eventType":"x"}`: "e-1",
		`{"type":"TRANSACTION_STATUS_UPDATED","timestamp":17,"data":{"id":"t-1","status":"COMPLETED"}}`: "t-1/TRANSACTION_STATUS_UPDATED/COMPLETED/17",
		`{"type":"VAULT_ACCOUNT_ADDED"}`: hashed([]byte(`{"type":"VAULT_ACCOUNT_ADDED"}`)),
	} {
		if got := fireblocksEvent([]byte(body)); got != want {
			t.Errorf("%s: %s", body, got)
		}
	}
}

func TestFireblocksNamesTheFieldThatCannotBeRead(t *testing.T) {
	for body, want := range map[string]string{
		`{}`:                                  "eventType is missing, or is no text",
		`{"eventType":"transaction.created"}`: "data.status is missing, or is no text",
		`{"eventType":"transaction.created","data":{"status":"BEWITCHED"}}`:                                                                                  "the event BEWITCHED is not known",
		`{"eventType":"transaction.created","data":{"status":"COMPLETED","destination":{"type":"VAULT_ACCOUNT"}}}`:                                           "data.amount is missing, or is no amount",
		`{"eventType":"transaction.created","data":{"status":"COMPLETED","destination":{"type":"VAULT_ACCOUNT"},"assetId":"BTC","amount":0.000000001}}`:      "data.amountInfo.amount is no amount of an asset with so many decimals",
		`{"eventType":"transaction.created","data":{"status":"COMPLETED","destination":{"type":"VAULT_ACCOUNT"},"amountInfo":{"amount":"much"},"amount":1}}`: "data.amountInfo.amount is missing, or is no amount",
	} {
		if got, err := readFireblocks([]byte(body), Settings{}, Keys{}); err == nil || err.Error() != want {
			t.Errorf("%s: %+v, %v, want %s", body, got, err, want)
		}
	}
}
