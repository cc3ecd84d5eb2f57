package node_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"farrier/shared/chain"
	"farrier/shared/chain/evm/anvil"
	"farrier/shared/chain/evm/node"
	"farrier/shared/chain/jsonrpc"
	"farrier/shared/chain/pool"
)

// paid is a chain on which a token's transfer to us lies in a block with others above it.
type paid struct {
	*anvil.Chain
	proxy  *anvil.Proxy
	token  string
	tx     string
	height uint64
}

func aPaidChain(t *testing.T) paid {
	t.Helper()
	c := anvil.Start(t)
	p := paid{Chain: c, proxy: anvil.Behind(t, c), token: c.Token()}
	p.tx = c.Pay(p.token, ours, 5)
	p.height = c.Height()
	c.Mine(3)
	return p
}

// tokenOnly asks for no coin, so that a test can lie about the few calls that remain.
func (p paid) tokenOnly() chain.Config {
	c := config(p.token)
	c.Native.Ignore = true
	return c
}

func replace(old, new string) func(string, json.RawMessage) string {
	return func(_ string, honest json.RawMessage) string { return strings.ReplaceAll(string(honest), old, new) }
}

func only(method string, lie func(string, json.RawMessage) string) func(string, json.RawMessage) string {
	return func(asked string, honest json.RawMessage) string {
		if asked == method {
			return lie(asked, honest)
		}
		return ""
	}
}

func TestAStrangeAnswerIsAnErrorAndNeverNothing(t *testing.T) {
	p := aPaidChain(t)
	html := "<!DOCTYPE html><html><body>Just a moment…</body></html>"
	half := func(honest []byte) (int, []byte) { return http.StatusOK, honest[:len(honest)/2] }
	for what, lie := range map[string]func(){
		"HTML with 200":               func() { p.proxy.Says(http.StatusOK, html) },
		"HTML with 503":               func() { p.proxy.Says(http.StatusServiceUnavailable, html) },
		"429":                         func() { p.proxy.Says(http.StatusTooManyRequests, "slow down") },
		"nothing":                     func() { p.proxy.Says(http.StatusOK, "") },
		"half a JSON":                 func() { p.proxy.Whole(half) },
		"JSON that is no JSON-RPC":    func() { p.proxy.Says(http.StatusOK, `{"status":"ok"}`) },
		"an empty batch":              func() { p.proxy.Says(http.StatusOK, `[]`) },
		"a JSON-RPC error":            func() { p.proxy.Says(http.StatusOK, `{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"x"}}`) },
		"an answer to something else": func() { p.proxy.Says(http.StatusOK, `{"jsonrpc":"2.0","id":77,"result":"0x7a69"}`) },
		"another answer after it":     func() { p.proxy.Whole(func(b []byte) (int, []byte) { return 200, append(b, b...) }) },
		"another chain's id":          func() { p.proxy.Method("eth_chainId", `"0x1"`) },
		"no chain id":                 func() { p.proxy.Method("eth_chainId", `null`) },
		"a null block":                func() { p.proxy.Method("eth_getBlockByNumber", `null`) },
		"a block without hash":        func() { p.proxy.Method("eth_getBlockByNumber", `{"number":"0x2","timestamp":"0x1"}`) },
		"a negative height":           func() { p.proxy.Answers(only("eth_getBlockByNumber", replace(`"number":"0x`, `"number":"-0x`))) },
		"an absurd height": func() {
			p.proxy.Answers(only("eth_getBlockByNumber", replace(`"number":"0x`, `"number":"0x7fffffffffff00`)))
		},
		"a height beyond 64 bits": func() {
			p.proxy.Answers(only("eth_getBlockByNumber", replace(`"number":"0x`, `"number":"0xffffffffffffffff`)))
		},
		"a height as a number":        func() { p.proxy.Answers(only("eth_getBlockByNumber", replace(`"number":"0x`, `"number":2,"was":"`))) },
		"a null list of logs":         func() { p.proxy.Method("eth_getLogs", `null`) },
		"a list of logs that is none": func() { p.proxy.Method("eth_getLogs", `{}`) },
		"a log marked removed":        func() { p.proxy.Answers(only("eth_getLogs", replace(`"removed":false`, `"removed":true`))) },
		"a log of another block hash": func() {
			p.proxy.Answers(only("eth_getLogs", replace(`"blockHash":"0x`, `"blockHash":"0x00000000ffff`)))
		},
		"a log outside the range":   func() { p.proxy.Answers(only("eth_getLogs", replace(`"blockNumber":"0x`, `"blockNumber":"0x1`))) },
		"a log of another contract": func() { p.proxy.Answers(only("eth_getLogs", replace(p.token, contract))) },
		"a log of another event":    func() { p.proxy.Answers(only("eth_getLogs", replace("0xddf252", "0xddf253"))) },
		"a log of a larger amount":  func() { p.proxy.Answers(only("eth_getLogs", replace("0005\"", "0006\""))) },
		"a log without a block":     func() { p.proxy.Answers(only("eth_getLogs", replace(`"blockHash"`, `"was"`))) },
		"a null receipt":            func() { p.proxy.Method("eth_getTransactionReceipt", `null`) },
		"a receipt of another": func() {
			p.proxy.Answers(only("eth_getTransactionReceipt", replace(p.tx, "0x"+strings.Repeat("11", 32))))
		},
		"a receipt that failed": func() {
			p.proxy.Answers(only("eth_getTransactionReceipt", replace(`"status":"0x1"`, `"status":"0x0"`)))
		},
		"a receipt without a status": func() { p.proxy.Answers(only("eth_getTransactionReceipt", replace(`"status"`, `"was"`))) },
		"a receipt without the log":  func() { p.proxy.Answers(only("eth_getTransactionReceipt", replace("0xddf252", "0xddf253"))) },
		"a receipt of another block": func() {
			p.proxy.Answers(only("eth_getTransactionReceipt", replace(`"blockHash":"0x`, `"blockHash":"0x00000000ffff`)))
		},
	} {
		t.Run(what, func(t *testing.T) {
			n := newNode(t, p.tokenOnly(), p.proxy.URL)
			p.proxy.Honest()
			if got, err := n.Transfers(t.Context(), p.height, p.Height(), owned); err != nil || len(got) != 1 {
				t.Fatalf("when honest: %q, %v", said(got), err)
			}
			lie()
			n = newNode(t, p.tokenOnly(), p.proxy.URL)
			if got, err := n.Transfers(t.Context(), p.height, p.Height(), owned); err == nil || errors.Is(err, chain.ErrNotFound) {
				t.Errorf("Transfers = %q, %v", said(got), err)
			}
			p.proxy.Honest()
			if got, err := n.Transfers(t.Context(), p.height, p.Height(), owned); err != nil || len(got) != 1 {
				t.Errorf("when honest again: %q, %v", said(got), err)
			}
		})
	}
}

func TestAnAnswerIsReadOnlyUpToACap(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		spaces := bytes.Repeat([]byte(" "), 1<<20)
		for range 64 {
			if _, err := w.Write(spaces); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	_, err := newNode(t, config(), server.URL).Head(t.Context())
	var large *jsonrpc.TooLargeError
	if !errors.As(err, &large) {
		t.Errorf("got %v", err)
	}
}

func TestALaggingEndpointIsBehindAndSaysNothingAboutATransaction(t *testing.T) {
	p := aPaidChain(t)
	n := newNode(t, p.tokenOnly(), p.proxy.URL)
	if _, err := n.BlockAt(t.Context(), p.Height()); err != nil {
		t.Fatal(err)
	}
	var early json.RawMessage
	p.Call(&early, "eth_getBlockByNumber", "0x1", false)
	p.proxy.Answers(func(method string, _ json.RawMessage) string {
		switch method {
		case "eth_getBlockByNumber":
			return string(early)
		case "eth_getTransactionReceipt":
			return "null"
		}
		return ""
	})
	if _, err := n.Head(t.Context()); !errors.Is(err, pool.ErrBehind) {
		t.Errorf("Head: %v", err)
	}
	if _, _, err := n.Transaction(t.Context(), p.tx); !errors.Is(err, pool.ErrBehind) {
		t.Errorf("Transaction: %v", err)
	}
}

func TestARefusedRangeIsHalvedUntilItIsAnswered(t *testing.T) {
	for what, refuse := range map[string]func(http.ResponseWriter){
		"more than 10000 results": func(w http.ResponseWriter) {
			_, _ = w.Write([]byte(`{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"query returned more than 10000 results"}}`))
		},
		"413": func(w http.ResponseWriter) { w.WriteHeader(http.StatusRequestEntityTooLarge) },
		"an answer beyond the cap": func(w http.ResponseWriter) {
			spaces := bytes.Repeat([]byte(" "), 1<<20)
			for range 33 {
				_, _ = w.Write(spaces)
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			questions := 1
			if strings.HasPrefix(what, "more than") { // which is also how calls are limited: it is asked for less once in a question
				questions = 2
			}
			halved(t, questions, refuse)
		})
	}
}

func TestALimitOfCallsIsNotAskedNineTimes(t *testing.T) {
	p := aPaidChain(t)
	p.Mine(40)
	n := newNode(t, p.tokenOnly(), p.proxy.URL)
	if _, err := n.Head(t.Context()); err != nil {
		t.Fatal(err)
	}
	requests := n.Counts().Requests
	p.proxy.Says(http.StatusOK, `{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"calls"}}`)
	if _, err := n.Transfers(t.Context(), 1, p.Height(), owned); !jsonrpc.Limited(err) || n.Counts().Requests != requests+2 {
		t.Errorf("%d requests, %v", n.Counts().Requests-requests, err)
	}
}

func halved(t *testing.T, questions int, refuse func(http.ResponseWriter)) {
	p := aPaidChain(t)
	p.Mine(40)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked bytes.Buffer
		_, _ = asked.ReadFrom(r.Body)
		var many []struct {
			ID     int
			Method string
			Params []struct{ FromBlock, ToBlock string }
		}
		_ = json.Unmarshal(asked.Bytes(), &many)
		for _, q := range many {
			if q.Method == "eth_getLogs" && height(t, q.Params[0].ToBlock)-height(t, q.Params[0].FromBlock) > 5 {
				refuse(w)
				return
			}
		}
		resp, err := http.Post(p.URL, "application/json", &asked)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = resp.Body.Close() }()
		var b bytes.Buffer
		_, _ = b.ReadFrom(resp.Body)
		_, _ = w.Write(b.Bytes())
	}))
	defer server.Close()
	n := newNode(t, p.tokenOnly(), server.URL)
	got, err := n.Transfers(t.Context(), 1, p.Height(), owned)
	for range questions - 1 {
		if err == nil {
			t.Error("it answered before")
		}
		got, err = n.Transfers(t.Context(), 1, p.Height(), owned)
	}
	if err != nil {
		t.Fatal(err)
	}
	same(t, said(got), "log-0 5 of erc20 to a1")
}

func height(t *testing.T, text string) uint64 {
	t.Helper()
	h, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		t.Error(err)
	}
	return h
}

func TestTheNextEndpointAnswersWhereTheFirstIsInTrouble(t *testing.T) {
	p := aPaidChain(t)
	second := anvil.Behind(t, p.Chain)
	n := newNode(t, p.tokenOnly(), p.proxy.URL, second.URL)
	p.proxy.Method("eth_chainId", `"0x1"`)
	got, err := n.Transfers(t.Context(), p.height, p.Height(), owned)
	if err != nil {
		t.Fatal(err)
	}
	same(t, said(got), "log-0 5 of erc20 to a1")
	asked := p.proxy.Calls("eth_chainId")
	if _, err := n.Head(t.Context()); err != nil || p.proxy.Calls("eth_chainId") != asked {
		t.Errorf("the endpoint in trouble was asked again at once, %v", err)
	}
}

func TestATransactionIsNotFoundOnlyWhereNoEndpointKnowsIt(t *testing.T) {
	p := aPaidChain(t)
	p.proxy.Method("eth_getTransactionReceipt", "null")
	n := newNode(t, p.tokenOnly(), p.proxy.URL, p.URL)
	if _, moved, err := n.Transaction(t.Context(), p.tx); err != nil || len(moved) != 1 {
		t.Errorf("got %q, %v", said(moved), err)
	}
}

func TestTheChainIsAskedForAgainAfterAMinute(t *testing.T) {
	p := aPaidChain(t)
	now := time.Now()
	n, err := node.New(node.Options{Config: p.tokenOnly(), Endpoints: []string{p.proxy.URL}, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Head(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.proxy.Method("eth_chainId", `"0x89"`)
	now = now.Add(time.Minute)
	var wrong *pool.WrongChainError
	if _, err := n.Head(t.Context()); !errors.As(err, &wrong) || wrong.Got != "137" || wrong.Want != "31337" {
		t.Errorf("got %v", err)
	}
}

func TestTheOwnersTroubleIsNotTheEndpoints(t *testing.T) {
	p := aPaidChain(t)
	n := newNode(t, p.tokenOnly(), p.proxy.URL)
	trouble := errors.New("table is busy")
	_, err := n.Transfers(t.Context(), p.height, p.Height(), func(context.Context, []string) (map[string]bool, error) { return nil, trouble })
	if err != trouble {
		t.Errorf("got %v", err)
	}
}

func TestNoErrorNamesTheEndpointsKey(t *testing.T) {
	n := newNode(t, config(), "http://127.0.0.1:1/v2/a-secret-key")
	if _, err := n.Head(t.Context()); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
	if _, err := node.New(node.Options{Config: config(), Endpoints: []string{"ftp://x/a-secret-key"}, Now: time.Now}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

func TestABlockMayNameTensOfThousandsOfTransactions(t *testing.T) {
	p := aPaidChain(t)
	p.proxy.Answers(only("eth_getBlockByNumber", replace(`"number"`, `"names":"`+strings.Repeat("7", 3<<20)+`","number"`)))
	n := newNode(t, p.tokenOnly(), p.proxy.URL)
	if head, err := n.Head(t.Context()); err != nil || head.Height != p.Height() {
		t.Errorf("%+v, %v", head, err)
	}
	if _, err := n.BlockAt(t.Context(), p.height); err != nil {
		t.Error(err)
	}
}
