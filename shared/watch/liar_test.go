package watch_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"farrier/shared/chain"
	evm "farrier/shared/chain/evm/node"
	"farrier/shared/watch"
)

// liar is an endpoint of an EVM chain that shows blocks which are not there, transfers that were never made, and an old
// final block, where a test says so. It is made: no real node lies at will.
type liar struct {
	height, ahead uint64
	finalLie      bool
	pays          map[uint64]string // block and transaction
}

func hexOf(n uint64) string { return fmt.Sprintf("0x%x", n) }
func liarsHash(n uint64, made bool) string {
	if made {
		return fmt.Sprintf("0xff%062x", n)
	}
	return fmt.Sprintf("0xaa%062x", n)
}
func topic(a string) string { return "0x000000000000000000000000" + a[2:] }

func (n *liar) block(h uint64) any {
	if h > n.height+n.ahead {
		return nil
	}
	return map[string]any{"number": hexOf(h), "hash": liarsHash(h, h > n.height), "timestamp": hexOf(1_800_000_000 + h)}
}
func (n *liar) log(h uint64, tx string) any {
	return map[string]any{"address": usdt.Reference(), "topics": []string{"0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef", topic(stranger), topic(ours)},
		"data": fmt.Sprintf("0x%064x", 5), "blockNumber": hexOf(h), "blockHash": liarsHash(h, false), "transactionHash": tx, "logIndex": "0x0"}
}
func (n *liar) answer(method string, p []any) any {
	switch method {
	case "eth_chainId":
		return "0x7a69"
	case "eth_getBlockByNumber":
		switch p[0] {
		case "latest":
			return n.block(n.height + n.ahead)
		case "finalized":
			if n.finalLie {
				return n.block(1)
			}
			return n.block(n.height - 4)
		}
		var h uint64
		_, _ = fmt.Sscanf(p[0].(string), "0x%x", &h)
		return n.block(h)
	case "eth_getLogs":
		f := p[0].(map[string]any)
		var a, b uint64
		_, _ = fmt.Sscanf(f["fromBlock"].(string), "0x%x", &a)
		_, _ = fmt.Sscanf(f["toBlock"].(string), "0x%x", &b)
		out := []any{}
		for h, tx := range n.pays {
			if a <= h && h <= b {
				out = append(out, n.log(h, tx))
			}
		}
		return out
	case "eth_getTransactionReceipt":
		for h, tx := range n.pays {
			if tx == p[0] {
				return map[string]any{"transactionHash": tx, "blockHash": liarsHash(h, false), "blockNumber": hexOf(h), "status": "0x1", "logs": []any{n.log(h, tx)}}
			}
		}
		return nil
	}
	return nil
}
func (n *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var raw json.RawMessage
	_ = json.NewDecoder(r.Body).Decode(&raw)
	type q struct {
		ID     int    `json:"id"`
		Method string `json:"method"`
		Params []any  `json:"params"`
	}
	var many []q
	if raw[0] == '[' {
		_ = json.Unmarshal(raw, &many)
	} else {
		var one q
		_ = json.Unmarshal(raw, &one)
		_ = json.NewEncoder(w).Encode(map[string]any{"jsonrpc": "2.0", "id": one.ID, "result": n.answer(one.Method, one.Params)})
		return
	}
	var out []any
	for _, x := range many {
		out = append(out, map[string]any{"jsonrpc": "2.0", "id": x.ID, "result": n.answer(x.Method, x.Params)})
	}
	_ = json.NewEncoder(w).Encode(out)
}

// three are endpoints of one chain, of which two must agree, and a watcher over them. All are honest at first.
func three(t *testing.T, w *world) ([]*liar, *watch.Watcher) {
	t.Helper()
	x := w.watcher()
	x.Config.Finality = chain.Finality{Tag: "finalized"}
	var nodes []*liar
	var urls []string
	for range 3 {
		n := &liar{height: 100, pays: map[uint64]string{}}
		s := httptest.NewServer(n)
		t.Cleanup(s.Close)
		nodes, urls = append(nodes, n), append(urls, s.URL)
	}
	w.clock = time.Unix(1_800_000_100, 0)
	n, err := evm.New(evm.Options{Config: x.Config, Endpoints: urls, Now: func() time.Time { return w.clock }})
	if err != nil {
		t.Fatal(err)
	}
	x.Node, x.Agree = n, 2
	return nodes, x
}

// grows lets the chain grow by two blocks before each of so many passes, and gives how many went well after each other at the end.
func (w *world) grows(nodes []*liar, x *watch.Watcher, passes int) (well int) {
	w.t.Helper()
	for range passes {
		w.clock = w.clock.Add(4 * time.Second)
		for _, n := range nodes {
			n.height += 2
		}
		p, err := x.Pass(w.t.Context())
		w.t.Logf("honest head %d: %+v, %v", nodes[1].height, p, err)
		if well++; err != nil || p.Unsure != nil {
			well = 0
		}
	}
	return well
}

func TestAMadeUpHeadOfOneEndpointDoesNotStopTheWatch(t *testing.T) {
	w := newWorld(t, 1)
	nodes, x := three(t, w)
	w.grows(nodes, x, 3)
	nodes[0].ahead = 100
	w.grows(nodes, x, 6)
	paid := nodes[1].height + 1
	for _, n := range nodes {
		n.pays[paid] = hash("real")
	}
	w.grows(nodes, x, 8)
	nodes[0].ahead = 0
	if well := w.grows(nodes, x, 4); well < 3 {
		t.Errorf("%d passes went well", well)
	}
	w.has(fmt.Sprintf("real final@%d", paid))
}

func TestATransferThatOneEndpointInventsDoesNotStopTheWatch(t *testing.T) {
	w := newWorld(t, 1)
	nodes, x := three(t, w)
	w.grows(nodes, x, 3)
	made := nodes[0].height + 2
	nodes[0].pays[made] = hash("fake")
	if well := w.grows(nodes, x, 10); well < 5 {
		t.Errorf("%d passes went well", well)
	}
	w.has(fmt.Sprintf("fake dropped@%d", made))
}
