package node_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire"

	"farrier/shared/chain"
	"farrier/shared/chain/bitcoin/btcd"
	"farrier/shared/chain/bitcoin/node"
	"farrier/shared/chain/evm/anvil"
	"farrier/shared/chain/jsonrpc"
	"farrier/shared/chain/pool"
)

// paid is a chain on which a transaction pays us twice, in a block with another and with blocks above it, behind a node that may lie.
type paid struct {
	*btcd.Chain
	t        *testing.T
	proxy    *anvil.Proxy
	ours, tx string
	height   uint64
	honest   []chain.Transfer
}

func aPaidChain(t *testing.T) *paid {
	t.Helper()
	c := btcd.Start(t)
	p := &paid{Chain: c, t: t, proxy: anvil.Behind(t, anvil.At(t, c.URL)), ours: btcd.Address(t)}
	c.Send(c.Tx(btcd.Output{To: btcd.Address(t), Satoshis: 4000}))
	p.tx = c.Send(c.Tx(btcd.Output{To: p.ours, Satoshis: 5000}, btcd.Output{To: p.ours, Satoshis: 5000}))
	c.Generate(1)
	p.height = c.Height()
	c.Generate(3)
	var err error
	if p.honest, err = p.behind().Transfers(t.Context(), p.height, p.height, owning(p.ours)); err != nil || len(p.honest) != 2 {
		t.Fatalf("%q, %v", said(p.honest), err)
	}
	return p
}

// behind is a node of our own that knows nothing yet and asks the one that may lie.
func (p *paid) behind() *node.Node { return newNode(p.t, config(), p.proxy.URL) }

func (p *paid) raw(height uint64) (text string) {
	p.Call(&text, "getblock", p.Hash(height), 0)
	return text
}

func parsed(t *testing.T, text string) *wire.MsgBlock {
	t.Helper()
	var block wire.MsgBlock
	if err := block.Deserialize(hex.NewDecoder(strings.NewReader(text))); err != nil {
		t.Fatal(err)
	}
	return &block
}

func written(block *wire.MsgBlock) string {
	var out bytes.Buffer
	if err := block.Serialize(&out); err != nil {
		panic(err)
	}
	return hex.EncodeToString(out.Bytes())
}

func TestABlockThatIsNotWhatItClaimsIsRefused(t *testing.T) {
	p := aPaidChain(t)
	for what, change := range map[string]func(b *wire.MsgBlock){
		"more is paid":                            func(b *wire.MsgBlock) { payment(b, p.tx).TxOut[0].Value++ },
		"another is paid":                         func(b *wire.MsgBlock) { payment(b, p.tx).TxOut[0].PkScript[21]++ },
		"a payment is left out":                   func(b *wire.MsgBlock) { b.Transactions = b.Transactions[:2] },
		"all payments are left out":               func(b *wire.MsgBlock) { b.Transactions = b.Transactions[:1] },
		"nothing is left":                         func(b *wire.MsgBlock) { b.Transactions = nil },
		"the coinbase is left out":                func(b *wire.MsgBlock) { b.Transactions = b.Transactions[1:] },
		"a payment is doubled":                    func(b *wire.MsgBlock) { b.Transactions = append(b.Transactions, b.Transactions[2]) }, // of three: the root stays
		"the order is another":                    func(b *wire.MsgBlock) { b.Transactions[1], b.Transactions[2] = b.Transactions[2], b.Transactions[1] },
		"a coinbase more":                         func(b *wire.MsgBlock) { b.Transactions = append(b.Transactions, b.Transactions[0]) },
		"another merkle root":                     func(b *wire.MsgBlock) { b.Header.MerkleRoot[0]++ },
		"another nonce":                           func(b *wire.MsgBlock) { b.Header.Nonce++ },
		"another block before":                    func(b *wire.MsgBlock) { b.Header.PrevBlock[0]++ },
		"another time":                            func(b *wire.MsgBlock) { b.Header.Timestamp = b.Header.Timestamp.Add(time.Hour) },
		"less work":                               func(b *wire.MsgBlock) { b.Header.Bits = 0x2100ffff },
		"an amount below zero":                    func(b *wire.MsgBlock) { payment(b, p.tx).TxOut[0].Value = -1 },
		"more money than there is, worked for":    func(b *wire.MsgBlock) { payment(b, p.tx).TxOut[0].Value = 1 << 60; btcd.Rework(b) },
		"more is paid, with the root and work":    func(b *wire.MsgBlock) { payment(b, p.tx).TxOut[0].Value++; btcd.Rework(b) },
		"another is paid, with the root and work": func(b *wire.MsgBlock) { payment(b, p.tx).TxOut[0].PkScript[21]++; btcd.Rework(b) },
	} {
		lie := parsed(t, p.raw(p.height))
		change(lie)
		p.proxy.Answers(func(method string, honest json.RawMessage) string {
			if method == "getblock" && string(honest) == `"`+p.raw(p.height)+`"` {
				return `"` + written(lie) + `"`
			}
			return ""
		})
		var strange *jsonrpc.AnswerError
		if got, err := p.behind().Transfers(t.Context(), p.height-1, p.height+1, owning(p.ours)); !errors.As(err, &strange) {
			t.Errorf("%s: %q, %v", what, said(got), err)
		}
		if got, err := p.behind().Settled(t.Context(), p.height, p.height, owning(p.ours)); !errors.As(err, &strange) {
			t.Errorf("%s, settled: %q, %v", what, said(got), err)
		}
		if block, got, err := p.behind().Transaction(t.Context(), p.tx); !errors.As(err, &strange) {
			t.Errorf("%s, by itself: %+v, %q, %v", what, block, said(got), err)
		}
	}
}

func payment(b *wire.MsgBlock, id string) *wire.MsgTx {
	return b.Transactions[slices.IndexFunc(b.Transactions, func(tx *wire.MsgTx) bool { return tx.TxHash().String() == id })]
}

func TestABlockIsNotTakenForOneOfAnotherHeight(t *testing.T) {
	p := aPaidChain(t)
	for what, lie := range map[string]string{
		"one that pays, higher than it lies": `"` + p.Hash(p.height) + `"`,
		"one from the beginning":             `"` + p.Hash(1) + `"`,
	} {
		p.proxy.Answers(func(method string, honest json.RawMessage) string {
			if method == "getblockhash" && string(honest) == `"`+p.Hash(p.height+2)+`"` {
				return lie
			}
			return ""
		})
		var strange *jsonrpc.AnswerError
		if got, err := p.behind().Transfers(t.Context(), p.height+2, p.height+2, owning(p.ours)); !errors.As(err, &strange) {
			t.Errorf("%s: %q, %v", what, said(got), err)
		}
	}
	// A transaction that is said to lie higher than it does.
	p.proxy.Answers(func(method string, honest json.RawMessage) string {
		return strings.ReplaceAll(string(honest), fmt.Sprintf(`"height":%d`, p.height), fmt.Sprintf(`"height":%d`, p.height-10))
	})
	if block, got, err := p.behind().Transaction(t.Context(), p.tx); err == nil || errors.Is(err, chain.ErrNotFound) {
		t.Errorf("%+v, %q, %v", block, said(got), err)
	}
}

func TestAnotherNetworkIsRefused(t *testing.T) {
	p := aPaidChain(t)
	const mainnet = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
	genesis := p.Hash(0)
	p.proxy.Answers(func(method string, honest json.RawMessage) string {
		if method == "getblockhash" && string(honest) == `"`+genesis+`"` {
			return `"` + mainnet + `"`
		}
		return ""
	})
	var wrong *pool.WrongChainError
	if _, err := p.behind().Head(t.Context()); !errors.As(err, &wrong) || wrong.Want != btcd.Simnet || wrong.Got != mainnet[:32] {
		t.Errorf("Head: %v", err)
	}
	if got, err := p.behind().Transfers(t.Context(), p.height, p.height, owning(p.ours)); !errors.As(err, &wrong) {
		t.Errorf("Transfers: %q, %v", said(got), err)
	}
	if _, _, err := p.behind().Transaction(t.Context(), p.tx); !errors.As(err, &wrong) {
		t.Errorf("Transaction: %v", err)
	}
	p.proxy.Honest()
	other := config()
	other.ID = chain.ID("bip122:" + mainnet[:32])
	if _, err := newNode(t, other, p.proxy.URL).Head(t.Context()); !errors.As(err, &wrong) {
		t.Errorf("simnet where the main network is configured: %v", err)
	}
}

func TestNonsenseIsTroubleAndNeverNothing(t *testing.T) {
	p := aPaidChain(t)
	for what, lie := range map[string]func(){
		"HTML":         func() { p.proxy.Says(http.StatusOK, "<html>Just a moment…</html>") },
		"half a JSON":  func() { p.proxy.Whole(func(b []byte) (int, []byte) { return 200, b[:len(b)/2] }) },
		"nothing":      func() { p.proxy.Says(http.StatusOK, "") },
		"429":          func() { p.proxy.Says(http.StatusTooManyRequests, "slow down") },
		"401":          func() { p.proxy.Says(http.StatusUnauthorized, "401 Unauthorized.") },
		"null":         func() { p.proxy.Answers(func(string, json.RawMessage) string { return "null" }) },
		"a list":       func() { p.proxy.Answers(func(string, json.RawMessage) string { return "[]" }) },
		"a short hash": func() { p.proxy.Answers(func(string, json.RawMessage) string { return `"00"` }) },
		"no hex": func() {
			p.proxy.Answers(func(string, json.RawMessage) string { return `"` + strings.Repeat("zz", 40) + `"` })
		},
		"zeros": func() {
			p.proxy.Answers(func(string, json.RawMessage) string { return `"` + strings.Repeat("00", 80) + `"` })
		},
		"too much": func() { p.proxy.Says(http.StatusOK, `{"id":1,"result":"`+strings.Repeat("0", 10<<20)+`"}`) },
		"warming up": func() {
			p.proxy.Says(http.StatusInternalServerError, `{"result":null,"error":{"code":-28,"message":"Loading block index…"},"id":1}`)
		},
		"method unknown": func() {
			p.proxy.Says(http.StatusNotFound, `{"result":null,"error":{"code":-32601,"message":"Method not found"},"id":1}`)
		},
		"not in the pool": func() {
			p.proxy.Says(http.StatusOK, `{"result":null,"error":{"code":-5,"message":"No such mempool transaction. Use -txindex or provide a block hash to enable blockchain transaction queries. Use gettransaction for wallet transactions."},"id":1}`)
		},
		"being indexed": func() {
			p.proxy.Says(http.StatusOK, `{"result":null,"error":{"code":-5,"message":"No such mempool transaction. Blockchain transactions are still in the process of being indexed. Use gettransaction for wallet transactions."},"id":1}`)
		},
	} {
		lie()
		n := p.behind()
		if head, err := n.Head(t.Context()); err == nil || errors.Is(err, chain.ErrNotFound) {
			t.Errorf("%s: the head %+v, %v", what, head, err)
		}
		if block, err := n.BlockAt(t.Context(), p.height); err == nil || errors.Is(err, chain.ErrNotFound) {
			t.Errorf("%s: the block %+v, %v", what, block, err)
		}
		if got, err := n.Transfers(t.Context(), p.height, p.height, owning(p.ours)); err == nil || errors.Is(err, chain.ErrNotFound) {
			t.Errorf("%s: %q, %v", what, said(got), err)
		}
		if _, got, err := n.Transaction(t.Context(), p.tx); err == nil || errors.Is(err, chain.ErrNotFound) {
			t.Errorf("%s: the transaction %q, %v", what, said(got), err)
		}
	}
}

func TestAHeightThatNoBlockHasIsRefused(t *testing.T) {
	p := aPaidChain(t)
	for _, lie := range []string{"-7", "4294967296", "1e99", "null", `"7"`} {
		p.proxy.Answers(func(method string, honest json.RawMessage) string {
			if method == "getblockheader" {
				return strings.ReplaceAll(string(honest), `"height":`, `"height":`+lie+`,"was":`)
			}
			return ""
		})
		if head, err := p.behind().Head(t.Context()); err == nil {
			t.Errorf("%s: the head %+v", lie, head)
		}
		if block, got, err := p.behind().Transaction(t.Context(), p.tx); err == nil || errors.Is(err, chain.ErrNotFound) {
			t.Errorf("%s: %+v, %q, %v", lie, block, said(got), err)
		}
		p.proxy.Method("getblockcount", lie)
		if final, err := p.behind().Final(t.Context(), chain.Block{Height: p.height}); err == nil {
			t.Errorf("%s: final is %d", lie, final)
		}
	}
}

func TestWhatABitcoinCoreSaysOfTransactionsItDoesNotKnowIsUnderstood(t *testing.T) {
	p := aPaidChain(t)
	whole := func(status int, body string) {
		p.proxy.Whole(func(honest []byte) (int, []byte) {
			if bytes.Contains(honest, []byte(p.tx)) { // the answer to getrawtransaction
				return status, []byte(body)
			}
			return http.StatusOK, honest
		})
	}
	whole(http.StatusInternalServerError, `{"result":null,"error":{"code":-5,"message":"No such mempool or blockchain transaction. Use gettransaction for wallet transactions."},"id":1}`)
	if _, _, err := p.behind().Transaction(t.Context(), p.tx); !errors.Is(err, chain.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

// An index of transactions may name a block that the chain gave up (Bitcoin Core's does until the transaction is mined again).
func TestATransactionInABlockThatWasGivenUpIsNotFound(t *testing.T) {
	p := aPaidChain(t)
	var was, height json.RawMessage
	p.Call(&was, "getrawtransaction", p.tx, 1)
	gone := p.Hash(p.height)
	p.Call(&height, "getblockheader", gone, true)
	p.Fork(5)
	p.proxy.Whole(func(honest []byte) (int, []byte) { // btcd forgets at once
		switch {
		case bytes.Contains(honest, []byte(p.tx)):
			return http.StatusOK, fmt.Appendf(nil, `{"id":1,"result":%s}`, was)
		case bytes.Contains(honest, []byte("is not in the main chain")):
			return http.StatusOK, fmt.Appendf(nil, `{"id":1,"result":%s}`, height)
		}
		return http.StatusOK, honest
	})
	if block, got, err := p.behind().Transaction(t.Context(), p.tx); !errors.Is(err, chain.ErrNotFound) {
		t.Errorf("%+v, %q, %v", block, said(got), err)
	}
}

func TestAChainThatChangesWhileItIsReadIsReadAgain(t *testing.T) {
	p := aPaidChain(t)
	changed := false
	p.proxy.Answers(func(method string, _ json.RawMessage) string {
		if method == "getblock" && !changed {
			changed = true
			p.Fork(5)
		}
		return ""
	})
	if got, err := p.behind().Transfers(t.Context(), p.height, p.height+1, owning(p.ours)); !errors.Is(err, pool.ErrReorganised) {
		t.Errorf("%q, %v", said(got), err)
	}
	if got, err := p.behind().Transfers(t.Context(), p.height, p.height+1, owning(p.ours)); err != nil || len(got) > 0 {
		t.Errorf("asked again: %q, %v", said(got), err)
	}
}

func TestAnEndpointThatIsBehindIsAskedNothing(t *testing.T) {
	p := aPaidChain(t)
	n := p.behind()
	if _, err := n.Transfers(t.Context(), p.height, p.height+3, owning(p.ours)); err != nil {
		t.Fatal(err)
	}
	old := p.Hash(p.height - 1)
	var header, raw json.RawMessage
	p.Call(&header, "getblockheader", old, true)
	p.Call(&raw, "getblockheader", old, false)
	p.proxy.Answers(func(method string, honest json.RawMessage) string {
		switch {
		case method == "getbestblockhash":
			return `"` + old + `"`
		case method == "getblockcount":
			return fmt.Sprint(p.height - 1)
		case method == "getrawtransaction":
			return `{"txid":"` + p.tx + `"}` // it waits, says who has not heard of the block
		}
		return ""
	})
	if head, err := n.Head(t.Context()); !errors.Is(err, pool.ErrBehind) {
		t.Errorf("%+v, %v", head, err)
	}
	if _, _, err := n.Transaction(t.Context(), p.tx); !errors.Is(err, pool.ErrBehind) || errors.Is(err, chain.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if final, err := n.Final(t.Context(), chain.Block{Height: p.height}); !errors.Is(err, pool.ErrBehind) {
		t.Errorf("%d, %v", final, err)
	}
}

func TestTheNextEndpointAnswersWhereTheFirstLies(t *testing.T) {
	p := aPaidChain(t)
	lie := written(func() *wire.MsgBlock {
		b := parsed(t, p.raw(p.height))
		payment(b, p.tx).TxOut[0].Value = 1e8
		return b
	}())
	p.proxy.Method("getblock", `"`+lie+`"`)
	n := newNode(t, config(), p.proxy.URL, p.URL)
	got, err := n.Transfers(t.Context(), p.height, p.height, owning(p.ours))
	if err != nil || fmt.Sprint(got) != fmt.Sprint(p.honest) {
		t.Errorf("%q, %v", said(got), err)
	}
	before := p.proxy.Calls("getblock")
	if _, err := n.Transfers(t.Context(), p.height, p.height, owning(p.ours)); err != nil || p.proxy.Calls("getblock") != before {
		t.Errorf("the one that lied was asked again: %v", err)
	}
}

func TestAForkThatOneEndpointKeepsForItselfSettlesNothing(t *testing.T) {
	p := aPaidChain(t)
	alone := btcd.Bare(t) // with a chain of its own: anybody can work for simnet's
	alone.Generate(int(p.Height()) + 10)
	n := newNode(t, config(), alone.URL, p.URL)
	if got, err := n.Settled(t.Context(), p.height, p.height, owning(p.ours)); !errors.Is(err, chain.ErrUnsure) {
		t.Errorf("%q, %v", said(got), err)
	}
	if block, err := n.Sure(t.Context(), p.height); !errors.Is(err, chain.ErrUnsure) {
		t.Errorf("%+v, %v", block, err)
	}
	n = newNode(t, config(), alone.URL, p.URL, p.proxy.URL) // a third decides
	if got, err := n.Settled(t.Context(), p.height, p.height, owning(p.ours)); err != nil || fmt.Sprint(got) != fmt.Sprint(p.honest) {
		t.Errorf("%q, %v", said(got), err)
	}
	n = newNode(t, config(), alone.URL, p.URL)
	head, err := n.Head(t.Context())
	if err != nil || head.Height != p.Height() {
		t.Fatalf("%+v, %v", head, err)
	}
	head.Height += 10
	if final, err := n.Final(t.Context(), head); err != nil || final != p.Height()-6 {
		t.Errorf("final is %d, %v, though only one sees so many blocks", final, err)
	}
}

func TestABlockThatIsNotKnownYetIsNoTroubleNearTheHead(t *testing.T) {
	p := aPaidChain(t)
	var news []string
	c := config()
	c.Finality.Agree = 1
	n, err := node.New(node.Options{Config: c, Endpoints: []string{p.proxy.URL, p.URL}, Now: time.Now, Tell: func(n pool.News) { news = append(news, string(n.Kind)) }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.BlockAt(t.Context(), 1); err != nil { // which asks for the chain
		t.Fatal(err)
	}
	p.proxy.Says(http.StatusOK, `{"id":1,"result":null,"error":{"code":-8,"message":"Block height out of range"}}`)
	if _, err := n.Transfers(t.Context(), p.Height(), p.Height(), owning(p.ours)); err != nil || len(news) != 0 {
		t.Errorf("%v, told %q", err, news)
	}
}
