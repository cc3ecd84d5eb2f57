package node_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"farrier/shared/chain"
	"farrier/shared/chain/tron/node"
)

const (
	tether = "tron:0x2b6653dc/trc20:" + usdt
	trx    = "tron:0x2b6653dc/slip44:195"
)

// all reads everything that a world holds, near the head and as what is settled, and each transaction by itself, and
// sees that the three agree.
func all(t *testing.T, n *node.Node, cases ...string) []string {
	t.Helper()
	near, err := n.Transfers(t.Context(), first, newest, mine)
	if err != nil {
		t.Fatal(err)
	}
	settled, err := n.Settled(t.Context(), first, solid, mine)
	if err != nil {
		t.Fatal(err)
	}
	var alone []chain.Transfer
	for _, name := range cases {
		for _, held := range recorded(t, name) {
			block, moved, err := n.Transaction(t.Context(), held.tx())
			if err != nil || block.Height != held.Height {
				t.Fatalf("%s: block %+v, %v", held.tx(), block, err)
			}
			alone = append(alone, slices.DeleteFunc(moved, func(m chain.Transfer) bool { return m.To != ours && m.To != second })...)
		}
	}
	if !slices.Equal(lines(near), lines(settled)) || !slices.Equal(sorted(lines(near)), sorted(lines(alone))) {
		t.Errorf("near the head %q\nsettled %q\nalone %q", lines(near), lines(settled), lines(alone))
	}
	return lines(near)
}

func lines(transfers []chain.Transfer) []string {
	out := []string{}
	for _, t := range transfers {
		out = append(out, line(t))
	}
	return out
}

func sorted(s []string) []string { slices.Sort(s); return s }

func TestWhatIsAndWhatIsNotATransfer(t *testing.T) {
	for _, c := range []struct {
		what string
		file string
		want []string
	}{
		{"a TRC-20 transfer", "usdt", []string{"78000010 log-0 " + ours + " 25500000 " + tether}},
		{"two transfers in one transaction, numbered by their places in its own receipt", "two-in-one", []string{
			"78000011 log-1 " + ours + " 10000000 " + tether, "78000011 log-2 " + second + " 20000000 " + tether}},
		{"OUT_OF_ENERGY, with and without the event", "out-of-energy", nil},
		{"REVERT, with and without the event", "revert", nil},
		{"a call that succeeded without the event", "no-event", nil},
		{"a fake token, alone and beside the real one", "fake", []string{"78000015 log-1 " + ours + " 5 " + tether}},
		{"a transfer of nothing", "nothing", nil},
		{"a TRX transfer", "trx", []string{"78000017 native " + ours + " 12500000 " + trx}},
		{"a TRX transfer that failed, by its block or by its result", "trx-failed", nil},
		{"a TRC-10 transfer, which JSON-RPC shows as value", "trc10", nil},
	} {
		t.Run(c.what, func(t *testing.T) {
			if got := all(t, at(t, config(), serve(t, c.file)), c.file); !slices.Equal(got, c.want) {
				t.Errorf("got %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestATransferIsWhole(t *testing.T) {
	got, err := at(t, config(), serve(t, "usdt")).Transfers(t.Context(), first, newest, mine)
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	x, held := got[0], recorded(t, "usdt")[0]
	amount := x.Amount.String()
	want := chain.Transfer{
		Chain: "tron:0x2b6653dc", Tx: held.tx(), Index: "log-0", From: payer, To: ours, Asset: tether, Decimals: 6,
		Block: chain.Block{Height: 78000010, Hash: idOf(78000010, 0), Time: time.Unix(1796000030, 0).UTC()}, Amount: x.Amount,
	}
	if x != want || amount != "25500000" {
		t.Errorf("got %+v, %s\nwant %+v", x, amount, want)
	}
}

func TestAllOfAChainIsFoundInOrderWhateverTheEndpointsLimits(t *testing.T) {
	files := []string{"usdt", "two-in-one", "out-of-energy", "revert", "no-event", "fake", "nothing", "trx", "trx-failed", "trc10"}
	want := []string{
		"78000010 log-0 " + ours + " 25500000 " + tether, "78000011 log-1 " + ours + " 10000000 " + tether, "78000011 log-2 " + second + " 20000000 " + tether,
		"78000015 log-1 " + ours + " 5 " + tether, "78000017 native " + ours + " 12500000 " + trx,
	}
	for what, lie := range map[string]func(method, argument string, answer any) any{
		"": nil,
		"more than three logs at once are refused": func(method, _ string, answer any) any {
			if logs, ok := answer.([]any); ok && method == "eth_getLogs" && len(logs) > 3 {
				return raw{200, `{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"query returned more than 3 results"}}`}
			}
			return answer
		},
		"more than three blocks at once are too large, after some were not": func(method, _ string, answer any) any {
			list, ok := answer.(map[string]any)
			if !ok || method != "wallet/getblockbylimitnext" || len(list["block"].([]any)) <= 3 {
				return answer
			}
			if list["block"].([]any)[0].(map[string]any)["blockID"] == idOf(first, 0) {
				return answer
			}
			return raw{413, "too large"}
		},
	} {
		w := serve(t, files...)
		w.lie = lie
		if got := all(t, at(t, config(), w), files...); !slices.Equal(got, want) {
			t.Errorf("%s: got %q\nwant %q", what, got, want)
		}
	}
}

func TestWhatIsNotConfiguredIsNotAskedFor(t *testing.T) {
	onlyCoin, onlyToken := config(), config()
	onlyCoin.Tokens, onlyToken.Native = nil, chain.Native{Ignore: true}
	w := serve(t, "usdt", "trx")
	if got := all(t, at(t, onlyCoin, w), "usdt", "trx"); len(got) != 1 || !strings.HasSuffix(got[0], trx) || w.asked["eth_getLogs"] != 0 {
		t.Errorf("%q, %v", got, w.asked)
	}
	w = serve(t, "usdt", "trx")
	if got := all(t, at(t, onlyToken, w), "usdt", "trx"); len(got) != 1 || !strings.HasSuffix(got[0], tether) || w.asked["wallet/getblockbylimitnext"]+w.asked["wallet/gettransactionbyid"] != 0 {
		t.Errorf("%q, %v", got, w.asked)
	}
}

func TestNobodyIsAskedAboutTransactionsThatPayOthers(t *testing.T) {
	w := serve(t, "usdt", "two-in-one", "trx", "nothing")
	nobody := func(context.Context, []string) (map[string]bool, error) { return nil, nil }
	got, err := at(t, config(), w).Transfers(t.Context(), first, newest, nobody)
	if err != nil || len(got) != 0 || w.asked["eth_getTransactionReceipt"] != 0 {
		t.Errorf("%v, %v, %v", got, err, w.asked)
	}
}

func TestTransfersOfNothingToUsCostNoQuestion(t *testing.T) {
	w := serve(t, "nothing")
	if got, err := at(t, config(), w).Transfers(t.Context(), first, newest, mine); err != nil || len(got) != 0 || w.asked["eth_getTransactionReceipt"] != 0 {
		t.Errorf("%v, %v, %v", got, err, w.asked)
	}
}

func TestAnErrorOfOurOwnTableIsNoEndpointsTrouble(t *testing.T) {
	broken := func(context.Context, []string) (map[string]bool, error) { return nil, context.DeadlineExceeded }
	w := serve(t, "usdt")
	if _, err := at(t, config(), w, w).Transfers(t.Context(), first, newest, broken); err != context.DeadlineExceeded || w.asked["eth_getLogs"] != 1 {
		t.Errorf("%v, %v", err, w.asked)
	}
}

// copies are so many transactions like one, in the same block, each with a name of its own.
func copies(t *testing.T, one told, many int) []told {
	t.Helper()
	text, err := json.Marshal(one)
	if err != nil {
		t.Fatal(err)
	}
	var out []told
	for i := range many {
		var c told
		if err := json.Unmarshal([]byte(strings.ReplaceAll(string(text), one.tx(), fmt.Sprintf("%064x", i+1))), &c); err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

func TestManySmallPaymentsInABlockTakeFewRequests(t *testing.T) {
	w := serve(t)
	w.held = copies(t, recorded(t, "trx")[0], 100)
	n := at(t, config(), w)
	if _, err := n.Head(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, look := range []func(context.Context, uint64, uint64, chain.Owned) ([]chain.Transfer, error){n.Transfers, n.Settled} {
		before := w.requests
		got, err := look(t.Context(), w.held[0].Height, w.held[0].Height, mine)
		if err != nil || len(got) != 100 || got[99].Index != "native" || got[99].Tx != fmt.Sprintf("%064x", 100) {
			t.Fatalf("%d, %v", len(got), err)
		}
		if took := w.requests - before; took > 10 { // one by one it is 300
			t.Errorf("%d requests", took)
		}
	}
	w.lie = func(method, _ string, answer any) any { // one of them went wrong, says the list of results
		if all, ok := answer.([]any); ok && strings.HasSuffix(method, "gettransactioninfobyblocknum") {
			all[7].(map[string]any)["result"] = "FAILED"
		}
		return answer
	}
	if got, err := n.Transfers(t.Context(), w.held[0].Height, w.held[0].Height, mine); err != nil || len(got) != 99 {
		t.Errorf("%d, %v", len(got), err)
	}
	w.lie = func(method, _ string, answer any) any { // of one of them it says nothing
		if all, ok := answer.([]any); ok && strings.HasSuffix(method, "gettransactioninfobyblocknum") {
			return all[1:]
		}
		return answer
	}
	if got, err := n.Transfers(t.Context(), w.held[0].Height, w.held[0].Height, mine); err == nil {
		t.Errorf("%d, %v", len(got), err)
	}
}
