package node_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"farrier/shared/chain"
	"farrier/shared/chain/evm/anvil"
	"farrier/shared/chain/jsonrpc"
	"farrier/shared/chain/pool"
)

// Both ways of asking are answered by anvil for real. What other nodes answer otherwise (a precompile left out, a reward,
// a list that is out of order) is in the tests of traces_form_test.go, on built answers.
var ways = []string{chain.FlatTraces, chain.GethTraces}

const (
	inner   = "0x00000000000000000000000000000000000c0de1"
	failing = "0x00000000000000000000000000000000000c0de2"
	dying   = "0x00000000000000000000000000000000000c0de3"
	maker   = "0x00000000000000000000000000000000000c0de4"
	proxied = "0x00000000000000000000000000000000000c0de5"
)

func traced(way string, tokens ...string) chain.Config {
	c := config(tokens...)
	c.Native.Traces = way
	return c
}

func rich(c *anvil.Chain, addresses ...string) {
	for _, a := range addresses {
		c.Call(nil, "anvil_setBalance", a, "0x100000")
	}
}

// intricate is a chain with one transaction that moves coin in every way that a contract can, and one that fails.
func intricate(t *testing.T) (c *anvil.Chain, token, tx, failed string) {
	t.Helper()
	c = anvil.Start(t)
	token = c.Token()
	rich(c, contract, inner, failing, dying, maker, proxied)
	c.Pay(token, contract, 50)
	c.Contract(inner, anvil.Step{To: alsoOurs, Value: 7}, anvil.Step{To: anvil.Other, Value: 8})
	// It pays us, has another contract pay us, and fails: all of it is taken back.
	c.Call(nil, "anvil_setCode", failing, "0x"+
		"6000600060006000"+"6009"+"73"+ours[2:]+"5af150"+
		"6000600060006000"+"6000"+"73"+inner[2:]+"5af150"+
		"60006000fd")
	c.Call(nil, "anvil_setCode", dying, "0x73"+ours[2:]+"ff") // ends itself, and leaves us what it has
	c.Call(nil, "anvil_setCode", maker, "0x600060006004f000") // makes an empty contract and gives it 4
	// Runs inner's code by delegation: what it sends is its own.
	c.Call(nil, "anvil_setCode", proxied, "0x600060006000600073"+inner[2:]+"5af45000")
	c.Contract(contract,
		anvil.Step{To: "0x0000000000000000000000000000000000000004", Data: "0x01"}, // a precompile
		anvil.Step{To: ours, Value: 5},
		anvil.Step{To: inner},
		anvil.Step{To: failing, Value: 1},
		anvil.Step{To: token, Data: anvil.TransferOf(ours, 3)},
		anvil.Step{To: maker},
		anvil.Step{To: proxied},
		anvil.Step{To: dying},
		anvil.Step{To: ours, Value: 6})
	tx = c.Send(anvil.Tx{"to": contract, "value": "0x2"})
	failed = c.Send(anvil.Tx{"to": failing, "value": "0x2"})
	return c, token, tx, failed
}

func TestCoinThatContractsSendOnIsFoundWhereTracesAreAskedFor(t *testing.T) {
	c, token, tx, failed := intricate(t)
	for _, way := range ways {
		n := newNode(t, traced(way, token), c.URL)
		got, err := n.Transfers(t.Context(), 1, c.Height(), owned)
		if err != nil {
			t.Fatalf("%s: %v", way, err)
		}
		same(t, said(got), "log-0 3 of erc20 to a1", "trace-0 5 of slip44 to a1", "trace-1 7 of slip44 to a2",
			"trace-4 7 of slip44 to a2", "trace-6 1048576 of slip44 to a1", "trace-7 6 of slip44 to a1")
		if got[1].Tx != tx || got[1].From != contract || got[2].From != inner || got[3].From != proxied || got[4].From != dying || got[1].Decimals != 18 {
			t.Errorf("%s: %+v", way, got)
		}
		_, moved, err := n.Transaction(t.Context(), tx)
		if err != nil {
			t.Fatalf("%s: %v", way, err)
		}
		made := moved[5].To[40:]
		same(t, said(moved), "log-0 3 of erc20 to a1", "native 2 of slip44 to e0", "trace-0 5 of slip44 to a1", "trace-1 7 of slip44 to a2",
			"trace-2 8 of slip44 to c8", "trace-3 4 of slip44 to "+made, "trace-4 7 of slip44 to a2", "trace-5 8 of slip44 to c8",
			"trace-6 1048576 of slip44 to a1", "trace-7 6 of slip44 to a1")
		if block, moved, err := n.Transaction(t.Context(), failed); err != nil || len(moved) != 0 || block.Height == 0 {
			t.Errorf("%s: the failed one moved %q, %v", way, said(moved), err)
		}
	}
}

func TestTheTwoWaysAgree(t *testing.T) {
	c, token, _, _ := intricate(t)
	flat, err := newNode(t, traced(chain.FlatTraces, token), c.URL).Transfers(t.Context(), 1, c.Height(), owned)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := newNode(t, traced(chain.GethTraces, token), c.URL).Transfers(t.Context(), 1, c.Height(), owned)
	if err != nil || len(flat) == 0 {
		t.Fatal(err)
	}
	if !(pool.Told{Transfers: flat}).Same(pool.Told{Transfers: tree}) {
		t.Errorf("\nflat %+v\ntree %+v", flat, tree)
	}
}

func TestWithoutTracesOnlyTheTransactionsOwnValueIsSeen(t *testing.T) {
	c, token, tx, _ := intricate(t)
	n := newNode(t, config(token), c.URL)
	_, moved, err := n.Transaction(t.Context(), tx)
	if err != nil {
		t.Fatal(err)
	}
	same(t, said(moved), "log-0 3 of erc20 to a1", "native 2 of slip44 to e0")
}

// Two endpoints of which one tells another trace settle nothing.
func TestATraceThatOneEndpointMadeUpSettlesNothing(t *testing.T) {
	c, token, _, _ := intricate(t)
	for _, way := range ways {
		liar := anvil.Behind(t, c)
		liar.Answers(only(way, replace(`"value":"0x5"`, `"value":"0x7000"`)))
		n := newNode(t, traced(way, token), c.URL, liar.URL)
		if got, err := n.Settled(t.Context(), 1, c.Height(), owned); !errors.Is(err, chain.ErrUnsure) {
			t.Errorf("%s: %q, %v", way, said(got), err)
		}
	}
}

func TestStrangeTracesAreAnError(t *testing.T) {
	c, token, tx, _ := intricate(t)
	p := anvil.Behind(t, c)
	block, _, err := newNode(t, config(token), c.URL).Transaction(t.Context(), tx)
	if err != nil {
		t.Fatal(err)
	}
	type lie struct{ old, new string }
	for way, lies := range map[string]map[string]lie{
		chain.FlatTraces: {
			"of another block":         {block.Hash, "0x" + strings.Repeat("7", 64)},
			"of another height":        {`"blockNumber":`, `"blockNumber":9`},
			"without a transaction":    {`"transactionHash"`, `"was"`},
			"without the transaction":  {tx, "0x" + strings.Repeat("7", 64)},
			"without places":           {`"traceAddress"`, `"was"`},
			"in one place":             {`"traceAddress":[2]`, `"traceAddress":[1]`},
			"of a kind that is no one": {`"type":"call"`, `"type":"gift"`},
			"of a call that is none":   {`"callType":"call"`, `"callType":"gift"`},
			"with a negative value":    {`"value":"0x5"`, `"value":"-0x5"`},
			"to nobody":                {`"to":"` + ours + `"`, `"to":null`},
			"with a height as text":    {`"blockNumber":`, `"blockNumber":"0x1","was":`},
		},
		chain.GethTraces: {
			"without a transaction":    {`"txHash"`, `"was"`},
			"without the transaction":  {tx, "0x" + strings.Repeat("7", 64)},
			"without a result":         {`"result"`, `"was"`},
			"of a kind that is no one": {`"type":"CALL"`, `"type":"GIFT"`},
			"with a negative value":    {`"value":"0x5"`, `"value":"-0x5"`},
			"to nobody":                {`"to":"` + ours + `"`, `"to":null`},
		},
	} {
		lies["null"] = lie{}
		for what, l := range lies {
			p.Answers(only(way, func(_ string, honest json.RawMessage) string {
				if what == "null" {
					return "null"
				}
				told := strings.ReplaceAll(string(honest), l.old, l.new)
				if told == string(honest) {
					t.Errorf("%s %s: the lie is none", way, what)
				}
				return told
			}))
			got, err := newNode(t, traced(way, token), p.URL).Transfers(t.Context(), block.Height, block.Height, owned)
			var strange *jsonrpc.AnswerError
			if !errors.As(err, &strange) || got != nil {
				t.Errorf("%s %s: %q, %v", way, what, said(got), err)
			}
		}
	}
}
