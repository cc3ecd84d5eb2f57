package watch_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"farrier/shared/chain"
)

// polygon is a node of a generated chain with blocks as Polygon's are when it is busy: a block every two seconds with 100 to
// 200 transactions and 60 to 100 Transfer logs of the three dollars that most payers use. (Public dashboards over all of
// Polygon's blocks told a mean of 75 to 76 transactions in a block and 2.25 s between two in 2022, up to 1,332 in one:
// https://flipsidecrypto.xyz/Eman-Raz/polygon-block-performance-zUO7x-, read 2026-11-29. So this is about twice the mean of then.)
// A third of the transactions carry coin. One log in every tenth block pays one of our addresses. The same blocks come of
// the same seed; nothing is recorded.
type polygon struct {
	URL    string
	config chain.Config

	blocks []minted
	head   atomic.Int64
	calls  atomic.Int64
	asked  atomic.Int64 // HTTP requests
}

type minted struct {
	hash                 string
	header, whole, logs  []byte
	receipts, carriedOut map[string][]byte // by transaction
}

const transferTopic = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"

var dollars = []chain.Token{
	{Symbol: "USDT", Decimals: 6, Address: "0xc2132d05d31c914a87c6611c10748aeb04b58e8f"},
	{Symbol: "USDC", Decimals: 6, Address: "0x3c499c542cef5e3811e1192ce70d8cc03d5c3359"},
	{Symbol: "USDC.e", Decimals: 6, Address: "0x2791bca1f2de4661ed88a30c99a7a9449aa84174"},
}

// newPolygon makes so many blocks. With coin, the transactions count too, and not the tokens' logs alone.
func newPolygon(t testing.TB, blocks int, coin bool, ours func(n int) string) *polygon {
	t.Helper()
	p := &polygon{config: chain.Config{
		ID: "eip155:137", Name: "Polygon", Native: chain.Native{Symbol: "POL", Decimals: 18, CoinType: 966, Ignore: !coin},
		BlockTime: chain.Duration(2e9), Finality: chain.Finality{Depth: 5}, Tokens: dollars,
	}}
	for n := range blocks {
		p.blocks = append(p.blocks, mint(n, coin, ours))
	}
	p.head.Store(int64(blocks) - 1)
	server := httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(server.Close)
	p.URL = server.URL
	return p
}

func digest(parts ...any) string {
	sum := sha256.Sum256([]byte(fmt.Sprint(parts...)))
	return "0x" + hex.EncodeToString(sum[:])
}

func blockHash(n int) string { return digest("block", n) }

type quantity int64

func (q quantity) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, `"0x%x"`, int64(q)), nil }

// mint makes a block. The fields are those of a node's answers, so that reading them costs what it does there.
func mint(n int, coin bool, ours func(int) string) minted {
	r := rand.New(rand.NewPCG(uint64(n), 137))
	someone := func() string { return digest("someone", r.IntN(2_000_000))[:42] }
	txs, logs := 100+r.IntN(101), 60+r.IntN(41)
	of := make([][]map[string]any, txs) // logs by transaction
	for range logs {
		i := r.IntN(txs)
		of[i] = append(of[i], nil)
	}
	b := minted{hash: blockHash(n), receipts: map[string][]byte{}, carriedOut: map[string][]byte{}}
	header := map[string]any{
		"number": quantity(n), "hash": b.hash, "parentHash": blockHash(n - 1), "timestamp": quantity(1_795_000_000 + 2*n), "gasLimit": quantity(45_000_000), "gasUsed": quantity(21_000_000),
		"logsBloom": "0x" + strings.Repeat("5a", 256), "miner": someone(), "stateRoot": digest("state", n), "receiptsRoot": digest("receipts", n), "transactionsRoot": digest("txs", n),
		"extraData": "0x" + strings.Repeat("00", 97), "nonce": "0x0000000000000000", "size": quantity(120_000), "baseFeePerGas": quantity(30_000_000_000), "difficulty": quantity(20), "mixHash": digest(0), "sha3Uncles": digest(1),
	}
	paid := r.IntN(txs)
	if n%10 == 0 {
		of[paid] = append(of[paid], nil)
	}
	var transactions, hashes, all []any
	place := 0
	for i := range txs {
		tx := digest("tx", n, i)
		hashes = append(hashes, tx)
		value := quantity(0)
		if r.IntN(3) == 0 {
			value = quantity(1 + r.Int64N(1e18))
		}
		body := map[string]any{
			"hash": tx, "blockHash": b.hash, "blockNumber": quantity(n), "transactionIndex": quantity(i), "from": someone(), "to": someone(), "value": value, "nonce": quantity(r.IntN(10000)), "gas": quantity(200_000),
			"gasPrice": quantity(60_000_000_000), "maxFeePerGas": quantity(90_000_000_000), "maxPriorityFeePerGas": quantity(30_000_000_000), "input": "0x" + strings.Repeat("a9059cbb", 17+r.IntN(80)), "type": "0x2", "chainId": "0x89",
			"v": "0x1", "r": digest("r", tx), "s": digest("s", tx), "accessList": []any{},
		}
		if coin {
			transactions = append(transactions, body)
		}
		for k := range of[i] {
			to := someone()
			if n%10 == 0 && i == paid && k == 0 {
				to = ours(n / 10)
			}
			of[i][k] = map[string]any{
				"address": dollars[[]int{0, 0, 1, 1, 2}[r.IntN(5)]].Address, "blockHash": b.hash, "blockNumber": quantity(n), "transactionHash": tx, "transactionIndex": quantity(i), "logIndex": quantity(place), "removed": false,
				"topics": []string{transferTopic, "0x" + strings.Repeat("0", 24) + someone()[2:], "0x" + strings.Repeat("0", 24) + to[2:]}, "data": fmt.Sprintf("0x%064x", 1+r.Int64N(1e12)),
			}
			all = append(all, of[i][k])
			place++
		}
		if len(of[i]) > 0 {
			b.receipts[tx] = written(map[string]any{
				"transactionHash": tx, "blockHash": b.hash, "blockNumber": quantity(n), "transactionIndex": quantity(i), "status": "0x1", "logs": of[i], "from": body["from"], "to": body["to"], "gasUsed": quantity(60_000),
				"cumulativeGasUsed": quantity(1_000_000), "effectiveGasPrice": quantity(60_000_000_000), "logsBloom": header["logsBloom"], "type": "0x2", "contractAddress": nil,
			})
			b.carriedOut[tx] = written(body)
		}
	}
	header["transactions"] = hashes
	b.header = written(header)
	if coin {
		header["transactions"] = transactions
		b.whole = written(header)
	}
	b.logs = bytes.Trim(written(all), "[]")
	return b
}

func written(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

type asking struct {
	ID     json.RawMessage   `json:"id"`
	Method string            `json:"method"`
	Params []json.RawMessage `json:"params"`
}

func (p *polygon) serve(w http.ResponseWriter, r *http.Request) {
	text, _ := io.ReadAll(r.Body)
	p.asked.Add(1)
	var many []asking
	if json.Unmarshal(text, &many) != nil {
		many = make([]asking, 1)
		_ = json.Unmarshal(text, &many[0])
		_, _ = w.Write(p.answer(many[0]))
		return
	}
	var out [][]byte
	for _, q := range many {
		out = append(out, p.answer(q))
	}
	_, _ = w.Write(slicesOf(out))
}

func slicesOf(parts [][]byte) []byte {
	return append(append([]byte("["), bytes.Join(parts, []byte(","))...), ']')
}

func (p *polygon) answer(q asking) []byte {
	p.calls.Add(1)
	result := []byte("null")
	switch q.Method {
	case "eth_chainId":
		result = []byte(`"0x89"`)
	case "eth_getBlockByNumber":
		if b := p.at(q.Params[0]); b != nil {
			if result = b.header; string(q.Params[1]) == "true" {
				result = b.whole
			}
		}
	case "eth_getLogs":
		var f struct{ FromBlock, ToBlock json.RawMessage }
		_ = json.Unmarshal(q.Params[0], &f)
		var parts [][]byte
		for n := height(f.FromBlock); n <= height(f.ToBlock); n++ {
			parts = append(parts, p.blocks[n].logs)
		}
		result = slicesOf(parts)
	case "eth_getTransactionReceipt", "eth_getTransactionByHash":
		var tx string
		_ = json.Unmarshal(q.Params[0], &tx)
		for _, b := range p.blocks {
			if r, is := b.receipts[tx]; is {
				if result = r; q.Method == "eth_getTransactionByHash" {
					result = b.carriedOut[tx]
				}
			}
		}
	}
	return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"result":%s}`, q.ID, result)
}

func (p *polygon) at(which json.RawMessage) *minted {
	n := p.head.Load()
	if string(which) != `"latest"` {
		n = height(which)
	}
	if n > p.head.Load() {
		return nil
	}
	return &p.blocks[n]
}

func height(text json.RawMessage) int64 {
	n, _ := strconv.ParseInt(strings.Trim(string(text), `"`)[2:], 16, 64)
	return n
}
