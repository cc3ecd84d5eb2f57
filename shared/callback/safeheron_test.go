package callback

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strconv"
	"strings"
	"testing"
	"time"

	"farrier/shared/money"
)

// sealedSafeheron is a body that says content to the second pair of keys, signed by the first. What it encrypts with is
// random, so it is a function of nothing: the suite's sender keeps what it made.
func sealedSafeheron(t testing.TB, at time.Time, content []byte) []byte {
	t.Helper()
	session := make([]byte, safeheronKey+safeheronIV)
	if _, err := rand.Read(session); err != nil {
		t.Fatal(err)
	}
	key, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, &rsaSenders()[1].PublicKey, session, nil)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(session[:safeheronKey])
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCMWithNonceSize(block, safeheronIV)
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]string{
		"timestamp": strconv.FormatInt(at.UnixMilli(), 10), "key": base64.StdEncoding.EncodeToString(key),
		"bizContent": base64.StdEncoding.EncodeToString(gcm.Seal(nil, session[safeheronKey:], content, nil)),
	}
	fields["sig"] = rsaSigned(t, rsaSenders()[0], []byte(sortedFields(fields, true)))
	fields["rsaType"], fields["aesType"] = "ECB_OAEP", "GCM_NOPADDING"
	body, err := json.MarshalIndent(fields, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func privatePEM(key *rsa.PrivateKey) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

func safeheronSenders(t testing.TB) []provider {
	made := map[string][]byte{}
	sign := func(t testing.TB, at time.Time, content []byte) Delivery {
		name := at.String() + string(content)
		if made[name] == nil {
			made[name] = sealedSafeheron(t, at, content)
		}
		return Delivery{Body: made[name], Headers: Headers{}}
	}
	with := func(n int) Keys {
		return Keys{Secrets: []string{rsaPEM(t, rsaSenders()[n])}, Credentials: map[string]string{"private_key": privatePEM(rsaSenders()[1])}}
	}
	says := func(more string) string {
		return `{"eventType":"TRANSACTION_STATUS_CHANGED","eventDetail":{"txKey":"tx1614","customerRefId":"ref-1","txHash":"` + txA + `","txAmount":"0.05","destinationAddress":"0xd4f1",` + more + `}}`
	}
	eth := money.Asset("eip155:1/slip44:60")
	n := func(kind Kind, state string) Notice {
		return Notice{Kind: kind, Chain: "eip155:1", Tx: txA, Address: "0xd4f1", Asset: eth, Decimals: 18, Amount: wei("50000000000000000"), Object: "tx1614", Reference: "ref-1", Detail: state}
	}
	var reads []reading
	for state, kind := range map[string]Kind{
		"INFLOW BROADCASTING": DepositSeen, "INFLOW CONFIRMING": DepositSeen, "INFLOW COMPLETED": DepositConfirmed, "INFLOW FAILED": DepositReverted, "INFLOW SIGNING": Other,
		"OUTFLOW SUBMITTED": Other, "OUTFLOW BROADCASTING": PayoutBroadcast, "OUTFLOW COMPLETED": PayoutFinal, "OUTFLOW REJECTED": PayoutFailed, "OUTFLOW CANCELLED": PayoutFailed,
		"INTERNAL_TRANSFER COMPLETED": Other,
	} {
		direction, status, _ := strings.Cut(state, " ")
		reads = append(reads, reading{says(`"coinKey":"ETHEREUM_ETH","transactionDirection":"` + direction + `","transactionStatus":"` + status + `"`), []Notice{n(kind, state)}})
	}
	held := n(DepositSeen, "held back: amlLock")
	usdt, test, mapped := n(DepositConfirmed, "INFLOW COMPLETED"), n(DepositConfirmed, "INFLOW COMPLETED"), n(PayoutFinal, "OUTFLOW COMPLETED")
	usdt.Asset, usdt.Amount, usdt.Decimals, usdt.Code = "", money.Amount{}, 0, "USDT(ERC20)_ETHEREUM_USDT"
	test.Asset, test.Amount, test.Decimals, test.Code, test.Chain = "", money.Amount{}, 0, "ETH(SEPOLIA)_ETHEREUM_SEPOLIA", ""
	mapped.Asset, mapped.Amount, mapped.Decimals, mapped.Chain = tronUSDT, money.Units(50000), 6, tron
	two := []Notice{n(DepositConfirmed, "INFLOW COMPLETED"), n(DepositConfirmed, "INFLOW COMPLETED")}
	two[0].Address, two[1].Address, two[1].Amount = "a", "b", wei("1000000000000000000")
	const inflow, outflow = `"transactionDirection":"INFLOW","transactionStatus":"COMPLETED"`, `"sourceAccountType":"VAULT_ACCOUNT","destinationAccountType":"ONE_TIME_ADDRESS","transactionStatus":"COMPLETED"`
	reads = append(reads,
		reading{says(`"coinKey":"ETHEREUM_ETH","amlLock":"YES",` + inflow), []Notice{held}},
		reading{says(`"coinKey":"USDT(ERC20)_ETHEREUM_USDT",` + inflow), []Notice{usdt}},
		reading{says(`"coinKey":"ETH(SEPOLIA)_ETHEREUM_SEPOLIA",` + inflow), []Notice{test}},
		reading{says(`"coinKey":"USDT(TRC20)_TRON_USDT",` + outflow), []Notice{mapped}},
		reading{says(`"coinKey":"ETHEREUM_ETH","sourceAccountType":"UNKNOWN","transactionStatus":"COMPLETED"`), []Notice{n(DepositConfirmed, "INFLOW COMPLETED")}},
		reading{says(`"coinKey":"ETHEREUM_ETH","destinationAddressList":[{"address":"a","amount":"0.05"},{"address":"b","amount":"1"}],` + inflow), two},
		reading{`{"eventType":"WHITELIST_ADDED","eventDetail":{}}`, []Notice{{Kind: Other, Detail: "WHITELIST_ADDED"}}},
	)
	body := says(`"coinKey":"ETHEREUM_ETH",` + inflow)
	p := provider{
		name: "safeheron", connection: connected(t, "safeheron", Settings{Assets: map[string]KnownAsset{"USDT(TRC20)_TRON_USDT": {tronUSDT, 6}}}),
		keys: with(0), others: with(1), sign: sign, body: body, inside: true, window: safeheronWindow,
		signature: inField("sig"), signed: []part{inField("key"), inField("timestamp"), inField("bizContent")},
		reads: reads, unknown: `{"eventType":"TRANSACTION_UNHEARD_OF","eventDetail":{}}`, trouble: `{"eventType":"AML_KYT_ALERT","eventDetail":{}}`,
	}
	doc, err := parseJSON(sign(t, signedAt, []byte(body)).Body)
	if err != nil {
		t.Fatal(err)
	}
	p.event = hashed([]byte("bizContent=" + doc.text("bizContent") + "&key=" + doc.text("key") + "&timestamp=" + doc.text("timestamp")))
	return []provider{p}
}

func TestSafeheronsSDKIsBelieved(t *testing.T) {
	var vectors []struct{ SDK, Key, Private, Content, Body string }
	judged(t, "safeheron.json", &vectors)
	if len(vectors) != 4 {
		t.Fatal(len(vectors))
	}
	for _, v := range vectors {
		keys := Keys{Secrets: []string{v.Key}, Credentials: map[string]string{"private_key": v.Private}}
		d := Delivery{Body: []byte(v.Body), At: time.UnixMilli(1795542544000)}
		if event, err := verifySafeheron(t.Context(), d, Settings{}, keys); err != nil {
			t.Errorf("%s: %q, %v", v.SDK, event, err)
		}
		got, err := readSafeheron(d.Body, Settings{}, keys)
		want := Notice{Kind: Other, Chain: tron, Asset: "tron:0x2b6653dc/slip44:195", Decimals: 6, Amount: money.Units(7000000), Object: "tx1615", Detail: "OUTFLOW SUBMITTED"}
		if strings.Contains(v.Content, "INFLOW") {
			want = Notice{Kind: DepositConfirmed, Chain: "eip155:1", Tx: "0x" + strings.Repeat("ab", 32), Address: "0xd4f1", Asset: "eip155:1/slip44:60", Decimals: 18,
				Amount: wei("50000000000000000"), Object: "tx1614", Reference: "ref-1", Detail: "INFLOW COMPLETED"}
		}
		if err != nil || len(got) != 1 || got[0].Amount.Cmp(want.Amount) != 0 {
			t.Fatalf("%+v, %v", got, err)
		}
		if got[0].Amount = want.Amount; got[0] != want {
			t.Errorf("%+v, want %+v", got[0], want)
		}
	}
}

func TestWhatSafeheronDoesNotSignMakesNoOtherEventAndOpensNothing(t *testing.T) {
	p := safeheronSenders(t)[0]
	d := p.sign(t, signedAt, p.says())
	d.At = signedAt
	for field, value := range map[string]string{"rsaType": "", "aesType": "CBC", "beside": "x"} {
		other := inField(field).put(t, d, value)
		p.believed(t, field, other, p.keys, p.event)
		notices, err := readSafeheron(other.Body, Settings{}, p.keys)
		if _, unreadable := err.(ReadError); field != "beside" && (!unreadable || notices != nil) {
			t.Errorf("%s: %+v, %v", field, notices, err)
		}
	}
}

func TestABodyForAnotherPrivateKeySaysSoAndNoMore(t *testing.T) {
	p := safeheronSenders(t)[0]
	body := p.sign(t, signedAt, p.says()).Body
	for _, private := range []string{"", "hunter2", privatePEM(rsaSenders()[0])} {
		got, err := readSafeheron(body, Settings{}, Keys{Credentials: map[string]string{"private_key": private}})
		if _, unreadable := err.(ReadError); !unreadable || got != nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

func TestAPrivateKeyIsCheckedBeforeItIsKept(t *testing.T) {
	key := rsaSenders()[0]
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	ed, _ := ed25519Pair(t)
	other, err := x509.MarshalPKCS8PrivateKey(ed)
	if err != nil {
		t.Fatal(err)
	}
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for _, right := range []string{privatePEM(key), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})), base64.StdEncoding.EncodeToString(pkcs8)} {
		if err := checkPrivateKey(right); err != nil {
			t.Error(err)
		}
	}
	for _, wrong := range []string{"", "hunter2", rsaPEM(t, key), base64.StdEncoding.EncodeToString(other), privatePEM(short)} {
		if err := checkPrivateKey(wrong); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%.20q: %v", wrong, err)
		}
	}
}

// wei is an amount that int64 does not hold.
func wei(text string) money.Amount {
	a, err := money.ParseUnits(text)
	if err != nil {
		panic(err)
	}
	return a
}
