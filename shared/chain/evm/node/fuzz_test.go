package node_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"iter"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"farrier/shared/chain"
	"farrier/shared/chain/evm/node"
)

// recorded is what anvil 1.7.1 answered on 2026-11-21 about two blocks: a contract's transaction with transfers of two
// tokens and of a third that is not configured, and a payment of the coin to us. Only the fields logsBloom are left out.
type recorded struct {
	Tokens       []string
	From, To     uint64
	Transactions []string
	Answers      map[string]json.RawMessage // by method and parameters
}

func record(t testing.TB) recorded {
	t.Helper()
	text, err := os.ReadFile("testdata/anvil.json")
	if err != nil {
		t.Fatal(err)
	}
	var r recorded
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// node is one whose only endpoint gives the answers. A question that was not recorded gets an error, as of a node that does not know it.
func (r recorded) node(t testing.TB, answers map[string]json.RawMessage) *node.Node {
	t.Helper()
	return throughBytes(t, config(r.Tokens...), func(asked []byte) []byte {
		type question struct {
			ID     int
			Method string
			Params json.RawMessage
		}
		var many []question
		if json.Unmarshal(asked, &many) != nil {
			many = make([]question, 1)
			if err := json.Unmarshal(asked, &many[0]); err != nil {
				t.Fatal(err)
			}
		}
		var said [][]byte
		for _, q := range many {
			id, _ := json.Marshal(q.ID)
			answer, ok := answers[q.Method+" "+string(q.Params)]
			if !ok {
				said = append(said, []byte(`{"jsonrpc":"2.0","id":`+string(id)+`,"error":{"code":-32000,"message":"unknown"}}`))
				continue
			}
			said = append(said, []byte(`{"jsonrpc":"2.0","id":`+string(id)+`,"result":`+string(answer)+`}`))
		}
		return append(append([]byte("["), bytes.Join(said, []byte(","))...), ']')
	})
}

// throughBytes is a node whose endpoint answers with the bytes that f makes of the question's.
func throughBytes(t testing.TB, c chain.Config, f func([]byte) []byte) *node.Node {
	t.Helper()
	n, err := node.New(node.Options{Config: c, Endpoints: []string{"http://node"}, Now: time.Now, Transport: roundTripper(func(r *http.Request) []byte {
		var asked bytes.Buffer
		_, _ = asked.ReadFrom(r.Body)
		return f(asked.Bytes())
	})})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

type roundTripper func(*http.Request) []byte

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	_, _ = w.Write(f(r))
	return w.Result(), nil
}

func TestTheRecordedAnswersTellThreePaymentsToUs(t *testing.T) {
	r := record(t)
	got, err := r.node(t, r.Answers).Transfers(t.Context(), r.From, r.To, owned)
	if err != nil {
		t.Fatal(err)
	}
	same(t, said(got), "log-1 5 of erc20 to a1", "log-3 7 of erc20 to a2", "native 11 of slip44 to a2")
}

// FuzzOneSpoiltAnswer changes one answer of an honest node in one place. Then the node is in trouble, or it tells
// nothing that the honest one does not: no other amount, token, payee or block; and of tokens all of it, unless the
// answer that tells which transactions there are is the spoilt one. Some things have one teller alone: what a
// transaction carries of the coin is told by its block, whether it succeeded and what it moved by its receipt.
func FuzzOneSpoiltAnswer(f *testing.F) {
	r := record(f)
	questions := slices.Sorted(maps.Keys(r.Answers))
	for i, q := range questions {
		text := string(r.Answers[q])
		for _, c := range spoilt(text, r) {
			f.Add(byte(i), uint16(c.at), uint16(c.cut), []byte(c.put))
		}
		for _, other := range questions { // the answer to another question
			if q != other {
				f.Add(byte(i), uint16(0), uint16(len(text)), []byte(r.Answers[other]))
			}
		}
	}
	honest, err := r.node(f, r.Answers).Transfers(f.Context(), r.From, r.To, owned)
	if err != nil {
		f.Fatal(err)
	}
	told := map[string]bool{}
	for _, t := range honest {
		told[line(t)] = true
	}
	blocks := map[string]chain.Block{}
	for _, tx := range r.Transactions {
		block, _, err := r.node(f, r.Answers).Transaction(f.Context(), tx)
		if err != nil {
			f.Fatal(err)
		}
		blocks[tx] = block
	}
	f.Fuzz(func(t *testing.T, which byte, at, cut uint16, put []byte) {
		question := questions[int(which)%len(questions)]
		text := r.Answers[question]
		start := min(int(at), len(text))
		answers := maps.Clone(r.Answers)
		answers[question] = slices.Concat(text[:start], put, text[min(start+int(cut), len(text)):])
		got, err := r.node(t, answers).Transfers(t.Context(), r.From, r.To, owned)
		if err != nil && (len(got) > 0 || errors.Is(err, chain.ErrNotFound)) {
			t.Fatalf("%s: %v, %v", question, said(got), err)
		}
		names := strings.HasPrefix(question, "eth_getLogs") || strings.HasSuffix(question, ",true]")
		if err == nil && tokens(got) != tokens(honest) && !names {
			t.Fatalf("%s as %s hides some: %v", question, answers[question], said(got))
		}
		for _, one := range got {
			sound(t, one)
			carried := one.Index == "native" && strings.HasSuffix(question, ",true]")
			if !told[line(one)] && !carried {
				t.Fatalf("%s as %s tells %s", question, answers[question], line(one))
			}
			if carried && (blocks[one.Tx].Hash != one.Block.Hash || one.To != ours && one.To != alsoOurs) {
				t.Fatalf("%s as %s tells %s in %s", question, answers[question], line(one), one.Block.Hash)
			}
		}
		for tx, honest := range blocks {
			block, moved, err := r.node(t, answers).Transaction(t.Context(), tx)
			if err != nil {
				continue
			}
			if block.Hash != honest.Hash || block.Height != honest.Height {
				t.Fatalf("%s as %s puts %s into %+v", question, answers[question], tx, block)
			}
			for _, one := range moved {
				if sound(t, one); one.Tx != tx || one.Block != block {
					t.Fatalf("%s as %s tells %+v of %s", question, answers[question], one, tx)
				}
			}
		}
	})
}

// tokens counts the transfers that are not the coin's.
func tokens(transfers []chain.Transfer) int {
	n := 0
	for _, t := range transfers {
		if t.Index != "native" {
			n++
		}
	}
	return n
}

// change is one place of a text, and what stands there instead.
type change struct {
	at, cut int
	put     string
}

// spoilt are the ways in which nodes have lied, or might: each field's value, wherever it stands, replaced by another.
func spoilt(text string, r recorded) []change {
	all := []change{{0, len(text), "null"}, {0, len(text), "[]"}, {len(text) / 2, len(text), ""}}
	for field, puts := range map[string][]string{
		"data": {`"0x"`, `"0x06"`, `"0x` + strings.Repeat("0", 63) + `6"`, `"0x` + strings.Repeat("f", 64) + `"`, `"0x` + strings.Repeat("f", 66) + `"`}, "value": {`"0x0"`, `"-0x1"`, `"0x1` + strings.Repeat("0", 64) + `"`, "7"},
		"blockHash": {`"0x` + strings.Repeat("7", 64) + `"`, `"0x7"`, "null"}, "hash": {`"0x` + strings.Repeat("7", 64) + `"`, "null"}, "transactionHash": {`"0x` + strings.Repeat("7", 64) + `"`},
		"blockNumber": {`"0x1"`, `"-0x5"`, `"0xffffffffffffffff"`, `"0x10000000000000000"`, "6"}, "number": {`"0x1"`, `"-0x5"`, `"0xffffffffffffffff"`}, "timestamp": {`"0xffffffffffff"`, `"-0x1"`},
		"logIndex": {`"0x0"`, `"0x7"`, "null"}, "removed": {"true"}, "status": {`"0x0"`, `"0x2"`, "null"}, "address": {`"` + r.Tokens[0] + `"`, `"` + r.Tokens[1] + `"`, `"0x7"`}, "to": {`"` + ours + `"`, "null"},
	} {
		for at, value := range values(text, `"`+field+`":`) {
			for _, put := range puts {
				all = append(all, change{at, len(value), put})
			}
		}
	}
	for at := range values(text, `"0xddf252`) { // another event, so that one transfer is told less
		all = append(all, change{at, 1, "7"})
	}
	return all
}

// values are the texts, up to the next comma or brace, that stand behind each place of the name, by where they stand.
func values(text, name string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for from := 0; ; {
			i := strings.Index(text[from:], name)
			if i < 0 {
				return
			}
			from += i + len(name)
			if !yield(from, text[from:from+strings.IndexAny(text[from:]+",", ",}]")]) {
				return
			}
		}
	}
}

// line is all that money depends on. A block's time is told by the block alone.
func line(t chain.Transfer) string {
	return strings.Join([]string{t.Tx, t.Index, t.Block.Hash, string(t.Asset), t.From, t.To, t.Amount.String()}, " ")
}

var address, hash = regexp.MustCompile(`^0x[0-9a-f]{40}$`), regexp.MustCompile(`^0x[0-9a-f]{64}$`)

// sound checks what holds of every transfer, whatever the node said: names in their canonical spelling, an amount
// that a contract can hold, a height and a time that a chain can have.
func sound(t *testing.T, one chain.Transfer) {
	t.Helper()
	if !hash.MatchString(one.Tx) || !hash.MatchString(one.Block.Hash) || !address.MatchString(one.From) || !address.MatchString(one.To) ||
		one.Amount.Sign() <= 0 || one.Amount.Big().BitLen() > 256 || one.Block.Height > 1e15 || one.Block.Time.Unix() < 0 || one.Block.Time.Year() > 9999 {
		t.Fatalf("%+v", one)
	}
}

// FuzzAnyAnswer: whatever bytes a node answers to everything but its chain, there is an error or something that a
// chain can hold; that nothing was moved is never made of nonsense.
func FuzzAnyAnswer(f *testing.F) {
	for _, s := range []string{
		`{"jsonrpc":"2.0","id":1,"result":"0x7a69"}`, `[{"jsonrpc":"2.0","id":1,"result":{"number":"0x1"}},{"jsonrpc":"2.0","id":2,"result":[{"topics":["0x"]}]}]`,
		`<html>`, ``, `null`, `[]`, `[null]`, `{}`, `{"id":1,"error":null,"result":null}`, `{"id":1.5,"result":1}`, `{"id":-1,"result":{}}`, `[{"id":1,"result":{}},{"id":1,"result":{}}]`,
		`{"id":1,"result":{"number":"0x1","hash":"0x1111111111111111111111111111111111111111111111111111111111111111","timestamp":"0x1"}}`,
		`{"id":1,"error":{"code":-32005,"message":"query returned more than 10000 results"}}`, "{\"id\":1,\"result\":\"\xff\"}",
	} {
		f.Add([]byte(s))
	}
	token := config(contract)
	token.Native.Ignore = true
	f.Fuzz(func(t *testing.T, answer []byte) {
		n := throughBytes(t, token, func(asked []byte) []byte {
			if bytes.Contains(asked, []byte("eth_chainId")) {
				return []byte(`{"jsonrpc":"2.0","id":1,"result":"0x7a69"}`)
			}
			return answer
		})
		if head, err := n.Head(t.Context()); err == nil && (!hash.MatchString(head.Hash) || head.Height > 1e15 || head.Time.Year() > 9999) {
			t.Fatalf("%q: the head %+v", answer, head)
		}
		if block, err := n.BlockAt(t.Context(), 7); err == nil && block.Height != 7 {
			t.Fatalf("%q: the block %+v", answer, block)
		}
		got, err := n.Transfers(t.Context(), 1, 1, owned)
		if errors.Is(err, chain.ErrNotFound) || err != nil && len(got) > 0 {
			t.Fatalf("%q: %v, %v", answer, got, err)
		}
		for _, one := range got {
			sound(t, one)
		}
		if err == nil && !json.Valid(answer) {
			t.Fatalf("%q is no JSON and tells %v", answer, got)
		}
		if block, moved, err := n.Transaction(t.Context(), "0x"+strings.Repeat("11", 32)); err == nil {
			for _, one := range moved {
				if sound(t, one); one.Block != block {
					t.Fatalf("%q: %+v in %+v", answer, one, block)
				}
			}
		}
	})
}

// FuzzChainID: an endpoint is believed to be on our chain only where it says so in the one form that EIP-695 has.
func FuzzChainID(f *testing.F) {
	for _, s := range []string{`"0x7a69"`, `"0x7A69"`, `"0x07a69"`, `"31337"`, `31337`, `"0x1"`, `null`, `"0x"`, `""`, `{}`, `"-0x7a69"`, `"0x10000000000000000000000000000000000000000000000000000000000007a69"`} {
		f.Add([]byte(s))
	}
	r := record(f)
	f.Fuzz(func(t *testing.T, said []byte) {
		answers := maps.Clone(r.Answers)
		answers["eth_chainId []"] = said
		_, err := r.node(t, answers).Head(t.Context())
		var text string
		_ = json.Unmarshal(said, &text)
		digits, prefixed := strings.CutPrefix(strings.ToLower(text), "0x")
		value, ok := new(big.Int).SetString(digits, 16)
		if err == nil && !(prefixed && ok && value.Int64() == 31337 && value.IsInt64()) {
			t.Fatalf("%q is taken for our chain", said)
		}
		if err != nil && text == "0x7a69" && json.Valid(said) {
			t.Fatalf("%q: %v", said, err)
		}
	})
}

// FuzzEndpoint: an endpoint is an http or https URL with a host, and what is refused is not repeated: it may hold a key.
func FuzzEndpoint(f *testing.F) {
	for _, s := range []string{"http://127.0.0.1:8545", "https://user:key@node.example/v2/key?x=y", "ftp://node/key", "https:///key", "HTTPS://NODE", "http://[::1", "", "\x00", "https://no de/", "http://node\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := node.New(node.Options{Config: config(contract), Endpoints: []string{text}, Now: time.Now, Transport: roundTripper(func(*http.Request) []byte { return []byte("{}") })})
		if err == nil {
			_, err = n.Head(t.Context())
			if lower := strings.ToLower(text); !strings.HasPrefix(lower, "http://") && !strings.HasPrefix(lower, "https://") {
				t.Fatalf("%q is taken for an endpoint", text)
			}
		}
		secret := text[min(len(text), len("https://")):]
		if _, path, ok := strings.Cut(secret, "/"); ok && len(path) > 8 && strings.Contains(err.Error(), path) {
			t.Fatalf("%q is repeated: %v", text, err)
		}
	})
}
