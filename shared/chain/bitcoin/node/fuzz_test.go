package node

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"

	"farrier/shared/chain"
	"farrier/shared/chain/bitcoin"
)

var simnet, _ = bitcoin.NetworkOf("683e86bd5c6d110d91b94b97137ba6bf")

var onSimnet = chain.Config{ID: "bip122:683e86bd5c6d110d91b94b97137ba6bf", Native: chain.Native{Symbol: "BTC", Decimals: 8}, Finality: chain.Finality{Depth: 6}}

// FuzzBlock changes a block in one place: then it is refused, or tells the very same payments.
func FuzzBlock(f *testing.F) {
	raw, hash := fullBlock(4)
	n := &Node{network: simnet, config: onSimnet}
	told := func(b *wire.MsgBlock) string { return fmt.Sprint(n.inBlock(b, 1000)) }
	honest, reason := provedBlock(raw, hash, 1000, simnet)
	if reason != "" {
		f.Fatal(reason)
	}
	want := told(honest)
	f.Add(uint16(0), uint16(0), []byte(nil))
	f.Add(uint16(80), uint16(1), []byte{4})                                   // fewer transactions than there are
	f.Add(uint16(80), uint16(1), []byte{0xff, 0, 0, 0, 0, 0, 0, 0, 1})        // a great many
	f.Add(uint16(len(raw)), uint16(0), []byte{0})                             // a byte more
	f.Add(uint16(len(raw)-1), uint16(1), []byte(nil))                         // one less
	f.Add(uint16(81), uint16(len(raw)-81), slices.Concat(raw[81:], raw[81:])) // everything twice
	f.Add(uint16(68), uint16(4), []byte{1, 0, 0, 0})                          // another time
	f.Add(uint16(85), uint16(1), []byte{0})                                   // no input
	for at := 0; at < len(raw); at += 7 {
		f.Add(uint16(at), uint16(1), []byte{raw[at] ^ 1}) // #nosec G115 -- a small block
	}
	f.Fuzz(func(t *testing.T, at, cut uint16, put []byte) {
		start := min(int(at), len(raw))
		changed := slices.Concat(raw[:start], put, raw[min(start+int(cut), len(raw)):])
		block, reason := provedBlock(changed, hash, 1000, simnet)
		if reason == "" && told(block) != want {
			t.Fatalf("%x tells %s", changed, told(block))
		}
		if bytes.Equal(changed, raw) && reason != "" {
			t.Fatalf("the honest block: %s", reason)
		}
		other := chainhash.DoubleHashH(changed[:min(len(changed), 80)]) // the block that it would be
		if block, reason := provedBlock(changed, other, 1000, simnet); reason == "" {
			for _, one := range n.inBlock(block, 1000) {
				sound(t, one)
			}
		}
	})
}

// sound checks what holds of every transfer, whatever a node said.
func sound(t *testing.T, one chain.Transfer) {
	t.Helper()
	to, err := bitcoin.ParseAddress(simnet.Reference(), one.To)
	_, isHash := hashOf(one.Tx)
	_, inBlock := hashOf(one.Block.Hash)
	if err != nil || to != one.To || !isHash || !inBlock || one.Amount.Sign() <= 0 || !one.Amount.Big().IsInt64() || one.Amount.Big().Int64() > most || one.From != "" {
		t.Fatalf("%+v, %v", one, err)
	}
}

// FuzzAnyAnswer: whatever bytes a node answers to everything but which network it is on, there is an error or something that
// a chain can hold; that nothing was paid is never made of nonsense.
func FuzzAnyAnswer(f *testing.F) {
	raw, hash := fullBlock(2)
	for _, s := range []string{
		fmt.Sprintf(`{"id":1,"result":"%x"}`, raw), fmt.Sprintf(`{"id":1,"result":"%x"}`, raw[:80]), `{"id":1,"result":"` + hash.String() + `"}`, `{"id":1,"result":7}`, `{"id":1,"result":-7}`,
		`{"id":1,"result":{"height":7,"blockhash":"` + hash.String() + `","txid":"` + hash.String() + `"}}`, `[{"id":1,"result":"` + hex.EncodeToString(raw[:80]) + `"},{"id":2,"result":{"height":1000}}]`,
		`{"result":null,"error":{"code":-5,"message":"No information available about transaction"},"id":1}`, `{"result":null,"error":{"code":-8,"message":"Block height out of range"},"id":1}`,
		`<html>`, ``, `null`, `[]`, `{}`, `{"id":1,"result":""}`, "{\"id\":1,\"result\":\"\xff\"}", `{"id":1,"result":"00"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		n, err := New(Options{Config: onSimnet, Endpoints: []string{"http://user:password@node"}, Now: time.Now, Transport: answering(func(asked []byte) []byte {
			if bytes.Contains(asked, []byte(`"getblockhash","params":[0]`)) {
				return []byte(`{"id":1,"result":"` + simnet.Genesis + `"}`)
			}
			return answer
		})})
		if err != nil {
			t.Fatal(err)
		}
		if head, err := n.Head(t.Context()); err == nil && (len(head.Hash) != 64 || head.Height > tallest) {
			t.Fatalf("%q: the head %+v", answer, head)
		}
		for _, transfers := range []func(context.Context, uint64, uint64, chain.Owned) ([]chain.Transfer, error){n.Transfers, n.Settled} {
			got, err := transfers(t.Context(), 1000, 1001, func(_ context.Context, all []string) (map[string]bool, error) {
				ours := map[string]bool{}
				for _, a := range all {
					ours[a] = true
				}
				return ours, nil
			})
			if err == nil || errors.Is(err, chain.ErrNotFound) { // two blocks cannot both hash to one hash
				t.Fatalf("%q: %v, %v", answer, got, err)
			}
		}
		if block, moved, err := n.Transaction(t.Context(), hash.String()); err == nil {
			t.Fatalf("%q: %+v, %v", answer, block, moved) // one answer cannot be hash, height and block
		}
	})
}

// answering is a transport that answers with the bytes that it makes of the question's.
type answering func(asked []byte) []byte

func (f answering) RoundTrip(r *http.Request) (*http.Response, error) {
	var asked bytes.Buffer
	_, _ = asked.ReadFrom(r.Body)
	w := httptest.NewRecorder()
	_, _ = w.Write(f(asked.Bytes()))
	return w.Result(), nil
}
