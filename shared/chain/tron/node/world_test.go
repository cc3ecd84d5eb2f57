package node_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"farrier/shared/chain"
	"farrier/shared/chain/tron"
	"farrier/shared/chain/tron/node"
)

// Every answer here was built (testdata/make.cjs): no node of TRON runs where these tests do.

const (
	usdt   = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
	first  = 78_000_000 // a height before all that testdata holds
	solid  = 78_000_021 // the newest solid block; all that testdata holds is below it
	newest = solid + 19
)

// ours and second are addresses of testdata/../../testdata/derived.json, payer is nobody's.
var ours, second, payer = derived(0), derived(1), derived(5)

func derived(index int) string {
	text, err := os.ReadFile("../testdata/derived.json")
	if err != nil {
		panic(err)
	}
	var d struct{ Made []struct{ Address string } }
	if err := json.Unmarshal(text, &d); err != nil {
		panic(err)
	}
	return d.Made[index].Address
}

// told is one transaction as both APIs tell it.
type told struct {
	Height      uint64         `json:"height"`
	Transaction map[string]any `json:"transaction"`
	Receipt     map[string]any `json:"receipt"`
	Info        map[string]any `json:"info"`
	JSONRPC     map[string]any `json:"jsonrpc"`
}

func (t told) tx() string { return t.Info["id"].(string) }

// recorded reads the transactions of one file, fresh at each call.
func recorded(t testing.TB, name string) []told {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Form         string
		Transactions []told
	}
	if err := json.Unmarshal(text, &file); err != nil || file.Form == "" || len(file.Transactions) == 0 {
		t.Fatal(name, err)
	}
	return file.Transactions
}

// world is what one endpoint answers. A test changes its fields before or between questions.
type world struct {
	mu          sync.Mutex
	chainID     string
	head, solid uint64
	forked      uint64 // blocks from here on have other ids than testdata's; 0 for none
	held        []told
	key         string                                        // what TRON-PRO-API-KEY must be, where it is set
	lie         func(method, argument string, answer any) any // changes an answer; a raw is written as it is
	asked       map[string]int                                // how often each method and path was asked
	requests    int                                           // over HTTP
	then        map[string]func()                             // done once, after the first answer to the method
	url         string
}

// raw is an answer that is no JSON of the API's form.
type raw struct {
	status int
	body   string
}

func serve(t testing.TB, cases ...string) *world {
	t.Helper()
	w := &world{chainID: "0x2b6653dc", head: newest, solid: solid, asked: map[string]int{}, then: map[string]func(){}}
	for _, name := range cases {
		w.held = append(w.held, recorded(t, name)...)
	}
	s := httptest.NewServer(w)
	t.Cleanup(s.Close)
	w.url = s.URL
	return w
}

func (w *world) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests++
	body, _ := io.ReadAll(r.Body)
	if w.key != "" && r.Header.Get("TRON-PRO-API-KEY") != w.key {
		out.WriteHeader(http.StatusUnauthorized)
		return
	}
	var answer any
	if r.URL.Path == "/jsonrpc" {
		answer = w.rpc(body)
	} else {
		answer = w.wallet(strings.TrimPrefix(r.URL.Path, "/"), body)
	}
	if x, ok := answer.(raw); ok {
		out.WriteHeader(x.status)
		_, _ = io.WriteString(out, x.body)
		return
	}
	_ = json.NewEncoder(out).Encode(answer)
}

type call struct {
	ID     int    `json:"id"`
	Method string `json:"method"`
	Params []any  `json:"params"`
}

func (w *world) rpc(body []byte) any {
	var one call
	if json.Unmarshal(body, &one) == nil {
		return w.answer(one)
	}
	var many []call
	if json.Unmarshal(body, &many) != nil {
		return raw{400, "no JSON"}
	}
	var out []any
	for _, c := range many {
		a := w.answer(c)
		if x, ok := a.(raw); ok {
			return x
		}
		out = append(out, a)
	}
	return out
}

func (w *world) answer(c call) any {
	argument := ""
	if len(c.Params) > 0 {
		argument, _ = c.Params[0].(string)
	}
	var a any
	switch c.Method {
	case "eth_chainId":
		a = w.chainID
	case "eth_getBlockByNumber":
		a = w.block(argument)
	case "eth_getLogs":
		a = w.logs(c.Params[0].(map[string]any))
	case "eth_getTransactionReceipt":
		if t, ok := w.found(strings.TrimPrefix(argument, "0x")); ok {
			a = t.Receipt
		}
	default:
		a = raw{200, `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"method not found"}}`}
	}
	a = w.told(c.Method, argument, a)
	if x, ok := a.(raw); ok {
		return x
	}
	return map[string]any{"jsonrpc": "2.0", "id": c.ID, "result": a}
}

// told counts a question and lets the test change the answer.
func (w *world) told(method, argument string, answer any) any {
	w.asked[method]++
	if w.lie != nil {
		answer = w.lie(method, argument, answer)
	}
	if then := w.then[method]; then != nil {
		delete(w.then, method)
		then()
	}
	return answer
}

func (w *world) wallet(path string, body []byte) any {
	var q struct {
		Value           string
		Start, End, Num uint64
	}
	if err := json.Unmarshal(body, &struct {
		Value    *string `json:"value"`
		StartNum *uint64 `json:"startNum"`
		EndNum   *uint64 `json:"endNum"`
		Num      *uint64 `json:"num"`
	}{&q.Value, &q.Start, &q.End, &q.Num}); err != nil {
		return raw{200, `{"Error":"class org.tron.json.JSONException"}`}
	}
	var a any = map[string]any{}
	switch path {
	case "walletsolidity/getnowblock":
		a = w.whole(w.solid)
	case "wallet/getblockbylimitnext":
		blocks := []any{}
		for h := q.Start; h < q.End && h <= w.head; h++ {
			blocks = append(blocks, w.whole(h))
		}
		if len(blocks) > 0 {
			a = map[string]any{"block": blocks}
		}
	case "wallet/gettransactionbyid":
		if t, ok := w.found(q.Value); ok {
			a = t.Transaction
		}
	case "wallet/gettransactioninfobyid", "walletsolidity/gettransactioninfobyid":
		if t, ok := w.found(q.Value); ok && (strings.HasPrefix(path, "wallet/") || t.Height <= w.solid) {
			a = t.Info
		}
	case "wallet/gettransactioninfobyblocknum", "walletsolidity/gettransactioninfobyblocknum":
		all := []any{}
		for _, t := range w.held {
			if t.Height == q.Num && t.Height <= w.head && (strings.HasPrefix(path, "wallet/") || t.Height <= w.solid) {
				all = append(all, w.placed(t).Info)
			}
		}
		a = all
	default:
		a = raw{404, `{"Error":"this API is unavailable due to config"}`}
	}
	return w.told(path, q.Value, a)
}

func (w *world) found(tx string) (told, bool) {
	for _, t := range w.held {
		if t.tx() == tx && t.Height <= w.head {
			return w.placed(t), true
		}
	}
	return told{}, false
}

// placed gives a transaction's answers the id that its block has now.
func (w *world) placed(t told) told {
	text, _ := json.Marshal(t)
	var out told
	_ = json.Unmarshal([]byte(strings.ReplaceAll(string(text), idOf(t.Height, 0), idOf(t.Height, w.forked))), &out)
	return out
}

// idOf is a block's id: its height and what make.cjs puts behind it; another on a fork.
func idOf(height, forked uint64) string {
	seed := fmt.Sprintf("block %d", height)
	if forked > 0 && height >= forked {
		seed += fmt.Sprintf(" of a fork from %d", forked)
	}
	sum := sha256.Sum256([]byte(seed))
	return fmt.Sprintf("%016x", height) + hex.EncodeToString(sum[:])[16:]
}

func seconds(height uint64) uint64 { return 1_796_000_000 + (height-first)*3 }

func (w *world) block(which string) any {
	var height uint64
	switch which {
	case "latest":
		height = w.head
	case "finalized":
		height = w.solid
	default:
		if _, err := fmt.Sscanf(which, "0x%x", &height); err != nil {
			return raw{200, `{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"invalid block number"}}`}
		}
	}
	if height > w.head {
		return nil
	}
	return map[string]any{
		"number": fmt.Sprintf("0x%x", height), "hash": "0x" + idOf(height, w.forked), "parentHash": "0x" + idOf(height-1, w.forked),
		"timestamp": fmt.Sprintf("0x%x", seconds(height)), "transactions": []any{},
	}
}

func (w *world) whole(height uint64) map[string]any {
	transactions := []any{}
	for _, t := range w.held {
		if t.Height == height {
			transactions = append(transactions, w.placed(t).Transaction)
		}
	}
	return map[string]any{
		"blockID": idOf(height, w.forked), "transactions": transactions,
		"block_header": map[string]any{"raw_data": map[string]any{
			"number": height, "parentHash": idOf(height-1, w.forked), "timestamp": seconds(height) * 1000,
		}},
	}
}

// logs are those that java-tron finds: of all transactions, failed or not, up to its own head.
func (w *world) logs(filter map[string]any) any {
	var from, to uint64
	_, _ = fmt.Sscanf(filter["fromBlock"].(string), "0x%x", &from)
	_, _ = fmt.Sscanf(filter["toBlock"].(string), "0x%x", &to)
	out := []any{}
	for _, t := range w.held {
		if t.Height < from || t.Height > min(to, w.head) {
			continue
		}
		for _, l := range w.placed(t).Receipt["logs"].([]any) {
			l := l.(map[string]any)
			wanted := false
			for _, a := range filter["address"].([]any) {
				wanted = wanted || a == l["address"]
			}
			if topics := l["topics"].([]any); wanted && topics[0] == filter["topics"].([]any)[0] {
				out = append(out, l)
			}
		}
	}
	return out
}

func config() chain.Config {
	return chain.Config{
		ID: tron.Mainnet, Name: "TRON", BlockTime: chain.Duration(3 * time.Second), Finality: chain.Finality{Tag: node.Solid},
		Native: chain.Native{Symbol: "TRX", Decimals: 6, CoinType: tron.CoinType},
		Tokens: []chain.Token{{Symbol: "USDT", Decimals: 6, Address: usdt}},
	}
}

// at is a Node of those endpoints.
func at(t testing.TB, c chain.Config, worlds ...*world) *node.Node {
	t.Helper()
	var urls []string
	for _, w := range worlds {
		urls = append(urls, w.url)
	}
	n, err := node.New(node.Options{Config: c, Endpoints: urls, Now: func() time.Time { return time.Unix(int64(seconds(newest)), 0) }})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// mine owns two addresses.
func mine(_ context.Context, addresses []string) (map[string]bool, error) {
	out := map[string]bool{}
	for _, a := range addresses {
		if a == ours || a == second {
			out[a] = true
		}
	}
	return out, nil
}

// line is a transfer in short.
func line(t chain.Transfer) string {
	return fmt.Sprintf("%d %s %s %s %s", t.Block.Height, t.Index, t.To, t.Amount, t.Asset)
}
