package node_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"farrier/shared/chain"
	"farrier/shared/chain/evm/anvil"
	"farrier/shared/chain/evm/node"
	"farrier/shared/chain/pool"
)

// send sends without waiting for a block.
func send(c *anvil.Chain, tx anvil.Tx) (hash string) {
	tx["from"] = anvil.Payer
	c.Call(&hash, "eth_sendTransaction", tx)
	return hash
}

// telling is a node that notes what it tells.
func telling(t *testing.T, c chain.Config, news *[]string, urls ...string) *node.Node {
	t.Helper()
	n, err := node.New(node.Options{Config: c, Endpoints: urls, Now: time.Now, Tell: func(n pool.News) { *news = append(*news, string(n.Kind)) }})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A transaction of some hundred thousand gas has traces of about 80 MB: it calls another account 400 times with 98,304 bytes.
func TestATransactionWhoseTracesAreTooLargeIsGoneOnWithout(t *testing.T) {
	c := anvil.Start(t)
	rich(c, contract)
	c.Contract(contract, anvil.Step{To: ours, Value: 5})
	c.Call(nil, "anvil_setCode", inner, "0x"+"610190"+"5b"+"60006000"+"62018000"+"6000"+"6000"+"611234"+"5a"+"f1"+"50"+"6001900380"+"6003"+"57"+"00")
	c.Automine(false)
	bomb := send(c, anvil.Tx{"to": inner, "gas": "0x1e8480"})
	send(c, anvil.Tx{"to": contract, "gas": "0x186a0"})
	c.Mine(1)
	for _, way := range ways {
		var news []string
		n := telling(t, traced(way), &news, c.URL, anvil.Behind(t, c).URL)
		for range 2 {
			got, err := n.Settled(t.Context(), c.Height(), c.Height(), owned)
			if err != nil {
				t.Fatalf("%s: %v", way, err)
			}
			same(t, said(got), "trace-0 5 of slip44 to a1")
		}
		if !slices.Equal(news, []string{"left out", "left out"}) && !slices.Equal(news, []string{"left out"}) {
			t.Errorf("%s: told %q", way, news)
		}
		if block, _, err := n.Transaction(t.Context(), bomb); err != nil || block.Height != c.Height() {
			t.Errorf("%s: the transaction by itself: %+v, %v", way, block, err)
		}
	}
}

// refusing is a provider before a chain that refuses some requests.
func refusing(t *testing.T, c *anvil.Chain, refuses func(asked string) bool) string {
	t.Helper()
	p := anvil.Behind(t, c)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, answer := passed(t, p.URL, r)
		if refuses(asked) {
			answer = `{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"too much"}}`
		}
		_, _ = w.Write([]byte(answer))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestWhereAllTracesAreRefusedNothingIsLeftOut(t *testing.T) {
	c, token, _, _ := intricate(t)
	for _, way := range ways {
		var news []string
		n := telling(t, traced(way, token), &news, refusing(t, c, func(asked string) bool { return strings.Contains(asked, "trace") }))
		if got, err := n.Transfers(t.Context(), 1, c.Height(), owned); err == nil || fmt.Sprint(news) != "[refused]" {
			t.Errorf("%s: %q, %v, told %q", way, said(got), err, news)
		}
	}
}

func TestTracesThatAreRefusedByTheBlockAreAskedForByTheTransaction(t *testing.T) {
	c, token, _, _ := intricate(t)
	for _, way := range ways {
		var news []string
		whole := newNode(t, traced(way, token), c.URL)
		want, err := whole.Transfers(t.Context(), 1, c.Height(), owned)
		if err != nil {
			t.Fatal(err)
		}
		n := telling(t, traced(way, token), &news, refusing(t, c, func(asked string) bool { return strings.Contains(asked, way) }))
		got, err := n.Transfers(t.Context(), 1, c.Height(), owned)
		if err != nil || len(news) != 0 {
			t.Fatalf("%s: %v, told %q", way, err, news)
		}
		if !(pool.Told{Transfers: got}).Same(pool.Told{Transfers: want}) {
			t.Errorf("%s:\n got %q\nwant %q", way, said(got), said(want))
		}
	}
}

func TestReceiptsThatAreTooManyAtOnceAreAskedForOneByOne(t *testing.T) {
	c := anvil.Start(t)
	token := c.Token()
	c.Automine(false)
	for i := range 5 {
		send(c, anvil.Tx{"to": token, "data": anvil.TransferOf(ours, int64(i+1)), "gas": "0x186a0"})
	}
	c.Mine(1)
	url := refusing(t, c, func(asked string) bool { return strings.Count(asked, "eth_getTransactionReceipt") > 1 })
	got, err := newNode(t, config(token), url).Transfers(t.Context(), c.Height(), c.Height(), owned)
	if err != nil || len(got) != 5 {
		t.Errorf("%q, %v", said(got), err)
	}
}

func TestLogsOfOneBlockThatAreRefusedAreAskedForTokenByTokenAndThenByReceipts(t *testing.T) {
	c := anvil.Start(t)
	a, b := c.Token(), c.Token()
	c.Automine(false)
	send(c, anvil.Tx{"to": a, "data": anvil.TransferOf(ours, 1), "gas": "0x186a0"})
	send(c, anvil.Tx{"to": b, "data": anvil.TransferOf(ours, 2), "gas": "0x186a0"})
	c.Mine(1)
	for what, refuses := range map[string]func(string) bool{
		"both at once": func(asked string) bool { return strings.Contains(asked, a) && strings.Contains(asked, b) },
		"each":         func(asked string) bool { return strings.Contains(asked, "eth_getLogs") },
	} {
		got, err := newNode(t, config(a, b), refusing(t, c, refuses)).Transfers(t.Context(), c.Height(), c.Height(), owned)
		if err != nil || len(got) != 2 {
			t.Errorf("%s: %q, %v", what, said(got), err)
		}
	}
}

// passed is what was asked, and what the chain answers.
func passed(t *testing.T, url string, r *http.Request) (asked, answer string) {
	t.Helper()
	var question json.RawMessage
	_ = json.NewDecoder(r.Body).Decode(&question)
	resp, err := http.Post(url, "application/json", strings.NewReader(string(question)))
	if err != nil {
		t.Error(err)
		return string(question), ""
	}
	defer func() { _ = resp.Body.Close() }()
	var told json.RawMessage
	_ = json.NewDecoder(resp.Body).Decode(&told)
	return string(question), string(told)
}
