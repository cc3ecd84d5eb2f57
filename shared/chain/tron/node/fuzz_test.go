package node_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"farrier/shared/chain"
	"farrier/shared/chain/tron/node"
)

// spoken is what an honest endpoint answered to each question that was put to it.
type spoken struct {
	order   []string // the questions: a path and a body
	answers map[string][]byte
}

// transport gives the answers of a world, and notes them.
func (s *spoken) listening(w *world) roundTripper {
	return func(r *http.Request) (*http.Response, error) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		out := httptest.NewRecorder()
		w.ServeHTTP(out, r)
		if q := r.URL.Path + " " + string(body); s.answers[q] == nil {
			s.order, s.answers[q] = append(s.order, q), out.Body.Bytes()
		}
		return out.Result(), nil
	}
}

// repeating gives the answers again, those to one question as change makes them.
func (s *spoken) repeating(which string, change func([]byte) []byte) roundTripper {
	return func(r *http.Request) (*http.Response, error) {
		body, _ := io.ReadAll(r.Body)
		q := r.URL.Path + " " + string(body)
		answer, known := s.answers[q]
		if !known {
			return nil, errors.New("not asked before")
		}
		if q == which {
			answer = change(slices.Clone(answer))
		}
		out := httptest.NewRecorder()
		_, _ = out.Write(answer)
		return out.Result(), nil
	}
}

func through(t testing.TB, transport http.RoundTripper) *node.Node {
	t.Helper()
	n, err := node.New(node.Options{Config: config(), Endpoints: []string{"http://node"}, Now: time.Now, Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// FuzzOneSpoiltAnswer changes one answer of an honest node in one place. Then the node is in trouble, or it tells
// nothing that the honest one does not: no other amount, token, payer, payee, place or block. And it keeps nothing
// back, unless the spoilt answer is the one that tells which transactions there are. A block's time alone has one teller.
func FuzzOneSpoiltAnswer(f *testing.F) {
	w := serve(f, "usdt", "two-in-one", "out-of-energy", "trx", "trx-failed", "trc10", "fake")
	all := &spoken{answers: map[string][]byte{}}
	tx := recorded(f, "two-in-one")[0].tx()
	ask := func(t testing.TB, n *node.Node) (map[string]bool, error) {
		settled, err := n.Settled(t.Context(), first+8, solid-1, mine)
		if err != nil {
			return nil, err
		}
		block, moved, err := n.Transaction(t.Context(), tx)
		if err != nil {
			return nil, err
		}
		out := map[string]bool{"block " + block.Hash: true}
		for _, m := range append(settled, moved...) {
			out[strings.Join([]string{line(m), m.Tx, m.From, m.Block.Hash}, " ")] = true
		}
		return out, nil
	}
	honest, err := ask(f, through(f, all.listening(w)))
	if err != nil || len(honest) != 6 {
		f.Fatal(honest, err)
	}
	for i, q := range all.order {
		text := string(all.answers[q])
		for _, c := range []struct{ from, to string }{
			{"0x1", "0x0"}, {"SUCCESS", "REVERT"}, {"SUCCESS", "Success"}, {"17d7840", "27d7840"}, {"ddf252", "ddf253"}, {"12500000", "12500001"}, {"12500000", "-12500000"},
			{"12500000", "1.25e7"}, {"TransferContract", "TransferAssetContract"}, {"TransferAssetContract", "TransferContract"}, {"e2e1a549", "e2e1a548"}, {"false", "true"},
			{"logIndex\":\"0x", "logIndex\":\"0x1"}, {"txID", "txid"}, {"hash", "Hash"}, {"[", "[null,"}, {"{", "{\"result\":null,"}, {"}", ""}, {"0x4a62f8a", "0x4a62f8b"},
		} {
			if at := strings.Index(text, c.from); at >= 0 {
				f.Add(byte(i), uint16(at), uint16(len(c.from)), []byte(c.to))
			}
			if at := strings.LastIndex(text, c.from); at >= 0 {
				f.Add(byte(i), uint16(at), uint16(len(c.from)), []byte(c.to))
			}
		}
		f.Add(byte(i), uint16(len(text)/2), uint16(len(text)), []byte{})
		f.Add(byte(i), uint16(0), uint16(len(text)), []byte("{}"))
		f.Add(byte(i), uint16(0), uint16(len(text)), []byte("<html>"))
		f.Add(byte(i), uint16(0), uint16(len(text)), all.answers[all.order[(i+1)%len(all.order)]])
	}
	f.Fuzz(func(t *testing.T, which byte, at, cut uint16, put []byte) {
		question := all.order[int(which)%len(all.order)]
		got, err := ask(t, through(t, all.repeating(question, func(answer []byte) []byte {
			from := min(int(at), len(answer))
			return slices.Concat(answer[:from], put, answer[min(from+int(cut), len(answer)):])
		})))
		if err != nil {
			if got != nil || strings.Contains(question, "Receipt") && strings.Contains(question, tx) {
				return // an endpoint alone may say that it does not know a transaction
			}
			if errors.Is(err, chain.ErrNotFound) {
				t.Fatalf("%s is spoilt, and that is taken for nothing there: %v", question, err)
			}
			return
		}
		for l := range got {
			if !honest[l] {
				t.Fatalf("%s is spoilt, and told is %s", question, l)
			}
		}
		tellsWhich := strings.Contains(question, "eth_getLogs") || strings.Contains(question, "getblockbylimitnext")
		if !tellsWhich && len(got) != len(honest) {
			t.Fatalf("%s is spoilt, and told is only %v", question, got)
		}
	})
}
