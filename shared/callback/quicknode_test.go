package callback

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"
)

const quickNodeToken = "qnsec_a token of one stream"

func gzipped(t testing.TB, body []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	if _, err := writer.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func quickNodeSigns(stamp string, body []byte) Headers {
	return Headers{
		"x-qn-nonce": "b4de57b0", "x-qn-timestamp": stamp,
		"x-qn-signature": inHex.encode(hmacOf(sha256.New, quickNodeToken, "b4de57b0", stamp, string(body))),
	}
}

func quickNodeSenders(t testing.TB) []provider {
	const batch = `{"data": [], "metadata": {"network": "ethereum-mainnet"}}`
	plain := provider{
		name: "quicknode", connection: connected(t, "quicknode", Settings{}), keys: withSecrets(quickNodeToken), others: withSecrets("qnsec_a token of another"),
		signature: inHeader("x-qn-signature"), signed: []part{inHeader("x-qn-nonce"), inHeader("x-qn-timestamp")}, window: 5 * time.Minute, body: batch,
		sign: func(_ testing.TB, at time.Time, body []byte) Delivery {
			return Delivery{Body: body, Headers: quickNodeSigns(strconv.FormatInt(at.Unix(), 10), body)}
		},
		reads: []reading{
			{batch, []Notice{{Kind: Other, Detail: "an empty batch"}}},
			{`{"data":[[{"transactionHash":"` + txA + `","logIndex":"0x1","removed":false},{"transactionHash":"` + txA + `","logIndex":"0x2"},{"transactionHash":"` + txB + `","removed":true}]],
				"metadata":{"network":"polygon-mainnet","dataset":"logs","blocks_reorged":null}}`,
				[]Notice{{Kind: DepositSeen, Chain: "eip155:137", Tx: txA}, {Kind: DepositReverted, Chain: "eip155:137", Tx: txB}}},
			{`{"data":[{"hash":"0x01","parentHash":"0x02","transactions":[{"hash":"` + txB + `","from":"0x3","to":null}]}],"metadata":{"network":"base-mainnet","blocks_reorged":[19271294]}}`,
				[]Notice{{Kind: DepositReverted, Chain: "eip155:8453"}, {Kind: DepositSeen, Chain: "eip155:8453", Tx: txB}}},
			{`{"data":{"what the filter gave":[7]},"metadata":{"network":"arbitrum-mainnet"}}`, []Notice{{Kind: DepositSeen, Chain: "eip155:42161"}}},
			{`[[{"txHash":"` + txA + `"}]]`, []Notice{{Kind: DepositSeen, Tx: txA}}},
			{`{"data":null,"metadata":{"network":"ethereum-sepolia"}}`, []Notice{{Kind: Other, Detail: "an empty batch"}}},
		},
	}
	packed, milliseconds := plain, plain
	packed.name, packed.inside, packed.event = "quicknode, compressed", true, hashed([]byte(batch))
	packed.sign = func(t testing.TB, at time.Time, body []byte) Delivery {
		return Delivery{Body: gzipped(t, body), Headers: quickNodeSigns(strconv.FormatInt(at.Unix(), 10), body)}
	}
	milliseconds.name = "quicknode, in milliseconds"
	milliseconds.sign = func(_ testing.TB, at time.Time, body []byte) Delivery {
		return Delivery{Body: body, Headers: quickNodeSigns(strconv.FormatInt(at.UnixMilli(), 10), body)}
	}
	return []provider{plain, packed, milliseconds}
}

// QuickNode publishes no package that signs or verifies; the judge is a tool that we did not write.
func TestQuickNodeAsOpenSSLSignsAndGzipPacks(t *testing.T) { agrees(t, "quicknode", "quicknode.json") }

// Nobody has verified a body when it is inflated: what becomes too large, or is broken, ends there.
func TestACompressedBodyMayNotBecomeAnySize(t *testing.T) {
	stamp := strconv.FormatInt(signedAt.Unix(), 10)
	whole := gzipped(t, []byte(strings.Repeat(" ", mostInflated)))
	for what, c := range map[string]struct {
		body []byte
		want error
	}{
		"as large as may be": {whole, nil},
		"larger":             {gzipped(t, []byte(strings.Repeat(" ", mostInflated+1))), BodyMalformed},
		"a bomb":             {gzipped(t, make([]byte, 200<<20)), BodyMalformed},
		"cut":                {whole[:len(whole)-5], BodyMalformed},
		"a beginning only":   {[]byte{0x1f, 0x8b}, BodyMalformed},
	} {
		plain, _ := inflated(c.body)
		began := time.Now()
		_, err := verifyQuickNode(t.Context(), Delivery{Headers: quickNodeSigns(stamp, plain), Body: c.body, At: signedAt}, Settings{}, withSecrets(quickNodeToken))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("%s takes %s", what, took)
		}
		if _, err := readQuickNode(c.body, Settings{}, Keys{}); err == nil {
			t.Errorf("%s is read", what)
		}
	}
}

// What is signed has nothing between its parts: none of it can be moved from one to the next.
func TestQuickNodesPartsCannotLendDigitsToEachOther(t *testing.T) {
	stamp := strconv.FormatInt(signedAt.Unix(), 10)
	body := []byte(`{"data":[]}`)
	good := quickNodeSigns(stamp, body)
	for what, d := range map[string]Delivery{
		"nonce to time": {Headers: Headers{"x-qn-nonce": "b4de57b", "x-qn-timestamp": "0" + stamp, "x-qn-signature": good["x-qn-signature"]}, Body: body},
		"time to nonce": {Headers: Headers{"x-qn-nonce": "b4de57b0" + stamp[:1], "x-qn-timestamp": stamp[1:], "x-qn-signature": good["x-qn-signature"]}, Body: body},
		"time to body":  {Headers: Headers{"x-qn-nonce": "b4de57b", "x-qn-timestamp": "0" + stamp[:9], "x-qn-signature": good["x-qn-signature"]}, Body: []byte(stamp[9:] + string(body))},
	} {
		d.At = signedAt
		if len(d.Headers["x-qn-timestamp"]) == 10 {
			d.At = time.Unix(180_000_000, 0)
		}
		if event, err := verifyQuickNode(t.Context(), d, Settings{}, withSecrets(quickNodeToken)); err == nil {
			t.Errorf("%s: %q is believed", what, event)
		}
	}
}

// The same batch at the next attempt, with another nonce and time, compressed or not, is the same event.
func TestABatchSentAgainIsTheSameEvent(t *testing.T) {
	body := []byte(`{"data": [1]}`)
	first := Delivery{Headers: quickNodeSigns("1800000000", body), Body: body, At: signedAt}
	second := Delivery{Headers: quickNodeSigns("1800000060", body), Body: gzipped(t, body), At: signedAt}
	one, err1 := verifyQuickNode(t.Context(), first, Settings{}, withSecrets(quickNodeToken))
	two, err2 := verifyQuickNode(t.Context(), second, Settings{}, withSecrets(quickNodeToken))
	if one == "" || one != two || err1 != nil || err2 != nil {
		t.Errorf("%q %v, %q %v", one, err1, two, err2)
	}
}
