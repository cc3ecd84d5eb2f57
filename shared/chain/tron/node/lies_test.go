package node_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"farrier/shared/chain"
	"farrier/shared/chain/jsonrpc"
	"farrier/shared/chain/pool"
	"farrier/shared/chain/tron/node"
)

const everything = "usdt two-in-one out-of-energy revert no-event fake nothing trx trx-failed trc10"

// settled is what a chain says is settled, as one line.
func settled(t *testing.T, n *node.Node) (string, error) {
	t.Helper()
	got, err := n.Settled(t.Context(), first, solid, mine)
	return strings.Join(lines(got), "\n"), err
}

func honest(t *testing.T) *world { return serve(t, strings.Fields(everything)...) }

// at changes a part of an answer that lies below keys and numbers; nil takes it away.
func put(answer any, value any, path ...any) any {
	in := answer
	for i, step := range path {
		last := i == len(path)-1
		switch step := step.(type) {
		case string:
			m, ok := in.(map[string]any)
			if !ok {
				return answer
			}
			if last && value == nil {
				delete(m, step)
			} else if last {
				m[step] = value
			}
			in = m[step]
		case int:
			list, ok := in.([]any)
			if !ok || len(list) <= step {
				return answer
			}
			if last {
				list[step] = value
			}
			in = list[step]
		}
	}
	return answer
}

// Each lie is about something that is checked twice. None of them may be answered with what is not so.
func TestALieIsNoticedAndAnotherEndpointIsAsked(t *testing.T) {
	usdtTx, coinTx := recorded(t, "usdt")[0].tx(), recorded(t, "trx")[0].tx()
	other := strings.Repeat("ab", 32)
	one, another := honest(t), honest(t)
	want, err := settled(t, at(t, config(), one))
	if err != nil || strings.Count(want, "\n") != 4 {
		t.Fatal(want, err)
	}
	type lie = func(method, argument string, answer any) any
	about := func(method, argument string, change func(any) any) lie {
		return func(m, a string, answer any) any {
			if m == method && strings.Contains(a, argument) {
				return change(answer)
			}
			return answer
		}
	}
	with := func(method, argument string, value any, path ...any) lie {
		return about(method, argument, func(a any) any { return put(a, value, path...) })
	}
	for what, l := range map[string]lie{
		"HTML":                         about("eth_getLogs", "", func(any) any { return raw{200, "<html>busy</html>"} }),
		"HTML of the other API":        about("wallet/getblockbylimitnext", "", func(any) any { return raw{200, "<html>busy</html>"} }),
		"half a JSON":                  about("eth_getTransactionReceipt", "", func(any) any { return raw{200, `{"jsonrpc":"2.0","id":1,"result":{"bl`} }),
		"half a JSON of the other API": about("walletsolidity/gettransactioninfobyid", "", func(any) any { return raw{200, `{"id":"f9`} }),
		"a list in place of an object": about("walletsolidity/gettransactioninfobyid", "", func(any) any { return raw{200, `[]`} }),
		"an error":                     about("wallet/gettransactionbyid", "", func(any) any { return raw{200, `{"Error":"class java.lang.NullPointerException : null"}`} }),
		"throttled": about("wallet/gettransactionbyid", "", func(any) any {
			return raw{200, `{"Error":"class java.lang.IllegalAccessException : lack of computing resources"}`}
		}),
		"429":                                about("walletsolidity/gettransactioninfobyid", "", func(any) any { return raw{429, ""} }),
		"a lite node":                        about("wallet/getblockbylimitnext", "", func(any) any { return raw{200, "this API is closed because this node is a lite fullnode"} }),
		"a disabled part":                    about("wallet/gettransactionbyid", "", func(any) any { return raw{404, `{"Error":"this API is unavailable due to config"}`} }),
		"no logs where the receipt has some": about("eth_getLogs", "", func(a any) any { return a.([]any)[1:2] }),
		"no logs at all, where a block names us in a call of the token": about("eth_getLogs", "", func(any) any { return []any{} }),
		"a log without receipt":                   about("eth_getTransactionReceipt", usdtTx, func(any) any { return nil }),
		"another receipt":                         with("eth_getTransactionReceipt", usdtTx, "0x"+other, "transactionHash"),
		"a receipt of another block":              with("eth_getTransactionReceipt", usdtTx, "0x"+idOf(78000009, 0), "blockHash"),
		"a receipt of a block that is not":        with("eth_getTransactionReceipt", usdtTx, "0x"+idOf(78000010, 5), "blockHash"),
		"a receipt without status":                with("eth_getTransactionReceipt", usdtTx, nil, "status"),
		"a receipt of status 2":                   with("eth_getTransactionReceipt", usdtTx, "0x2", "status"),
		"a receipt that failed":                   with("eth_getTransactionReceipt", usdtTx, "0x0", "status"),
		"a receipt of another amount":             with("eth_getTransactionReceipt", usdtTx, "0x"+other, "logs", 0, "data"),
		"a receipt without its log":               with("eth_getTransactionReceipt", usdtTx, []any{}, "logs"),
		"a receipt whose log has no place":        with("eth_getTransactionReceipt", usdtTx, nil, "logs", 0, "logIndex"),
		"a receipt whose log has another place":   with("eth_getTransactionReceipt", usdtTx, "0x9", "logs", 0, "logIndex"),
		"logs of another amount":                  with("eth_getLogs", "", "0x"+other, 0, "data"),
		"logs to another":                         with("eth_getLogs", "", "0x"+strings.Repeat("0", 24)+"e2e1a54926527fbb4e4420de4c6bab82beaee24d", 2, "topics", 2),
		"logs of another contract":                with("eth_getLogs", "", "0xe2e1a54926527fbb4e4420de4c6bab82beaee24d", 0, "address"),
		"logs of another event":                   with("eth_getLogs", "", "0x"+other, 0, "topics", 0),
		"logs without block":                      with("eth_getLogs", "", nil, 0, "blockHash"),
		"logs of a block out of range":            with("eth_getLogs", "", "0x1", 0, "blockNumber"),
		"logs whose block's id has another name":  with("eth_getLogs", "", "0x"+idOf(78000009, 0), 0, "blockHash"),
		"logs of a block that is not":             with("eth_getLogs", "", "0x"+idOf(78000010, 5), 0, "blockHash"),
		"no blocks":                               about("wallet/getblockbylimitnext", "", func(any) any { return map[string]any{} }),
		"logs that are removed":                   with("eth_getLogs", "", true, 0, "removed"),
		"logs of another form":                    about("eth_getLogs", "", func(any) any { return map[string]any{} }),
		"no result":                               about("walletsolidity/gettransactioninfobyid", usdtTx, func(any) any { return map[string]any{} }),
		"the result of another":                   with("walletsolidity/gettransactioninfobyid", usdtTx, other, "id"),
		"the result of another block":             with("walletsolidity/gettransactioninfobyid", usdtTx, 78000009, "blockNumber"),
		"no result of a contract that has events": with("walletsolidity/gettransactioninfobyid", usdtTx, nil, "receipt", "result"),
		"a result OUT_OF_ENERGY":                  with("walletsolidity/gettransactioninfobyid", usdtTx, "OUT_OF_ENERGY", "receipt", "result"),
		"a result with other logs":                with("walletsolidity/gettransactioninfobyid", usdtTx, other, "log", 0, "data"),
		"a result without logs":                   with("walletsolidity/gettransactioninfobyid", usdtTx, nil, "log"),
		"no transaction":                          about("wallet/gettransactionbyid", coinTx, func(any) any { return map[string]any{} }),
		"another transaction":                     with("wallet/gettransactionbyid", coinTx, other, "txID"),
		"another amount of coin":                  with("wallet/gettransactionbyid", coinTx, 12500001, "raw_data", "contract", 0, "parameter", "value", "amount"),
		"a negative amount of coin":               with("wallet/gettransactionbyid", coinTx, -1, "raw_data", "contract", 0, "parameter", "value", "amount"),
		"a fraction of coin":                      with("wallet/gettransactionbyid", coinTx, 0.5, "raw_data", "contract", 0, "parameter", "value", "amount"),
		"another type of contract":                with("wallet/gettransactionbyid", coinTx, "TransferAssetContract", "raw_data", "contract", 0, "type"),
		"coin that failed after all":              with("wallet/gettransactionbyid", coinTx, "OUT_OF_TIME", "ret", 0, "contractRet"),
		"a block without id":                      with("wallet/getblockbylimitnext", "", nil, "block", 1, "blockID"),
		"a block of another height":               with("wallet/getblockbylimitnext", "", 77, "block", 1, "block_header", "raw_data", "number"),
		"a block of another id":                   with("wallet/getblockbylimitnext", "", idOf(5, 0), "block", 1, "blockID"),
		"a block that does not follow":            with("wallet/getblockbylimitnext", "", other, "block", 1, "block_header", "raw_data", "parentHash"),
		"a block that another does not follow":    with("wallet/getblockbylimitnext", "", idOf(first+1, 1), "block", 1, "blockID"),
		"too few blocks":                          about("wallet/getblockbylimitnext", "", func(a any) any { return map[string]any{"block": a.(map[string]any)["block"].([]any)[1:]} }),
		"a transaction without id":                about("wallet/getblockbylimitnext", "", func(a any) any { return put(a, []any{map[string]any{}}, "block", 0, "transactions") }),
		"an end that is not":                      about("eth_getBlockByNumber", fmt.Sprintf("0x%x", solid), func(any) any { return nil }),
		"an end of another height":                with("eth_getBlockByNumber", fmt.Sprintf("0x%x", solid), "0x1", "number"),
		"an end of another id":                    with("eth_getBlockByNumber", fmt.Sprintf("0x%x", solid), "0x"+idOf(solid, 7), "hash"),
		"an end of no time":                       with("eth_getBlockByNumber", fmt.Sprintf("0x%x", solid), nil, "timestamp"),
		"an end beyond time":                      with("eth_getBlockByNumber", fmt.Sprintf("0x%x", solid), "0xffffffffff", "timestamp"),
	} {
		liar := honest(t)
		liar.lie = l
		if got, err := settled(t, at(t, config(), liar)); err == nil {
			t.Errorf("%s: told without trouble: %q", what, got)
		} else if errors.Is(err, chain.ErrNotFound) {
			t.Errorf("%s: is taken for nothing there: %v", what, err)
		}
		rule := config()
		rule.Finality.Agree = 1
		if got, err := settled(t, at(t, rule, liar, one)); err != nil || got != want {
			t.Errorf("%s: with another endpoint: %q, %v", what, got, err)
		}
		if got, err := settled(t, at(t, config(), liar, one, another)); err != nil || got != want {
			t.Errorf("%s: with two others: %q, %v", what, got, err)
		}
	}
}

// Where one lie hides another, each of the two APIs still has to be right by itself.
func TestALieThatIsToldTwiceIsNoticedToo(t *testing.T) {
	usdtTx, coinTx, another := recorded(t, "usdt")[0].tx(), recorded(t, "trx")[0].tx(), recorded(t, "two-in-one")[0]
	for what, c := range map[string]struct {
		tx  string
		lie func(method, argument string, answer any) any
	}{
		"both APIs answer about another transaction": {usdtTx, func(method, argument string, answer any) any {
			switch {
			case !strings.Contains(argument, usdtTx):
			case method == "eth_getTransactionReceipt":
				return another.Receipt
			case strings.HasSuffix(method, "infobyid"):
				return another.Info
			}
			return answer
		}},
		"a block and its transaction tell a negative amount": {coinTx, func(method, _ string, answer any) any {
			answer = put(answer, -12500000, "raw_data", "contract", 0, "parameter", "value", "amount")
			return put(answer, -12500000, "block", 7, "transactions", 0, "raw_data", "contract", 0, "parameter", "value", "amount")
		}},
	} {
		w := honest(t)
		w.lie = c.lie
		n := at(t, config(), w)
		if got, err := n.Transfers(t.Context(), first, newest, mine); err == nil {
			t.Errorf("%s: told %q", what, lines(got))
		}
		if _, got, err := n.Transaction(t.Context(), c.tx); err == nil {
			t.Errorf("%s: told %q", what, lines(got))
		}
	}
}

func TestCoinThatBothAPIsCallFailedIsNothingWhateverItsBlockSays(t *testing.T) {
	w := serve(t, "trx")
	w.lie = func(method, _ string, answer any) any {
		if method == "eth_getTransactionReceipt" {
			return put(answer, "0x0", "status")
		}
		if strings.HasSuffix(method, "infobyid") {
			return put(answer, "REVERT", "receipt", "result")
		}
		return answer
	}
	if got := all(t, at(t, config(), w), "trx"); len(got) != 0 {
		t.Errorf("told %q", got)
	}
}

func TestLogsOfABlockThatIsNotAreNoticedWhereNoBlocksAreReadToo(t *testing.T) {
	w, rule := honest(t), config()
	rule.Native = chain.Native{Ignore: true}
	w.lie = func(method, _ string, answer any) any {
		if method == "eth_getLogs" {
			return put(answer, "0x"+idOf(78000010, 5), 0, "blockHash")
		}
		return answer
	}
	if got, err := at(t, rule, w).Transfers(t.Context(), first, newest, mine); !errors.Is(err, pool.ErrReorganised) {
		t.Errorf("%q, %v", lines(got), err)
	}
}

func TestABlockIsTheOneThatWasAskedForAndNamedByItsHeight(t *testing.T) {
	for what, block := range map[string]map[string]any{
		"another height":           {"number": "0x4a62f80", "hash": "0x" + idOf(first, 0), "timestamp": "0x6b0d0000"},
		"the id of another height": {"number": fmt.Sprintf("0x%x", first+5), "hash": "0x" + idOf(first+4, 0), "timestamp": "0x6b0d0000"},
		"an id of 31 bytes":        {"number": fmt.Sprintf("0x%x", first+5), "hash": "0x" + idOf(first+5, 0)[2:], "timestamp": "0x6b0d0000"},
		"a number with zeros":      {"number": "0x04a62f85", "hash": "0x" + idOf(first+5, 0), "timestamp": "0x6b0d0000"},
	} {
		w := honest(t)
		w.lie = func(method, argument string, answer any) any {
			if method == "eth_getBlockByNumber" {
				return block
			}
			return answer
		}
		if b, err := at(t, config(), w).BlockAt(t.Context(), first+5); err == nil {
			t.Errorf("%s: %+v", what, b)
		}
	}
}

func TestARefusalIsToldAsSuch(t *testing.T) {
	for body, want := range map[string]error{
		`{"Error":"class java.lang.IllegalAccessException : lack of computing resources"}`: &jsonrpc.StatusError{Status: 429},
		`{"Error":"class java.lang.NullPointerException : null"}`:                          &jsonrpc.RefusedError{Method: "walletsolidity/getnowblock", Message: "class java.lang.NullPointerException : null"},
	} {
		w := honest(t)
		w.lie = func(method, _ string, answer any) any {
			if method == "walletsolidity/getnowblock" {
				return raw{200, body}
			}
			return answer
		}
		if _, err := at(t, config(), w).Final(t.Context(), chain.Block{Height: newest}); err == nil || !strings.Contains(err.Error(), want.Error()) {
			t.Errorf("%s: %v, want %v", body, err, want)
		}
	}
}

// What an endpoint keeps from us at every place looks like a chain without it; only another endpoint knows better.
func TestAnEndpointThatKeepsATransferToItselfIsOutvoted(t *testing.T) {
	want, err := settled(t, at(t, config(), honest(t)))
	if err != nil {
		t.Fatal(err)
	}
	silent := serve(t, strings.Fields(strings.Replace(everything, "usdt", "", 1))...)
	if got, err := settled(t, at(t, config(), silent, honest(t))); !errors.Is(err, chain.ErrUnsure) {
		t.Errorf("two who disagree: %q, %v", got, err)
	}
	if got, err := settled(t, at(t, config(), silent, honest(t), honest(t))); err != nil || got != want {
		t.Errorf("two against one: %q, %v", got, err)
	}
}

func TestAnEndpointOfAnotherNetworkIsNotBelieved(t *testing.T) {
	shasta := honest(t)
	shasta.chainID = "0x94a9059e"
	_, err := at(t, config(), shasta).Head(t.Context())
	var wrong *pool.WrongChainError
	if !errors.As(err, &wrong) || wrong.Got != "0x94a9059e" {
		t.Errorf("got %v", err)
	}
	if head, err := at(t, config(), shasta, honest(t)).Head(t.Context()); err != nil || head.Height != newest {
		t.Errorf("with another endpoint: %+v, %v", head, err)
	}
	for _, id := range []string{"", "728126428", "0x", "0x2b6653d", strings.Repeat("0xff", 99)} {
		w := honest(t)
		w.chainID = id
		if _, err := at(t, config(), w).Head(t.Context()); err == nil {
			t.Errorf("%.20q is taken for 0x2b6653dc", id)
		}
	}
}

func TestAHeadThatIsYetToComeIsNotBelieved(t *testing.T) {
	early := honest(t)
	early.lie = func(method, argument string, answer any) any {
		if b, ok := answer.(map[string]any); ok && method == "eth_getBlockByNumber" {
			b["timestamp"] = fmt.Sprintf("0x%x", seconds(newest)+7201)
		}
		return answer
	}
	if head, err := at(t, config(), early).Head(t.Context()); err == nil || !strings.Contains(err.Error(), "yet to come") {
		t.Errorf("%+v, %v", head, err)
	}
}

func TestALaggingEndpointIsLeftOut(t *testing.T) {
	lags, n := honest(t), (*node.Node)(nil)
	n = at(t, config(), lags)
	if b, err := n.BlockAt(t.Context(), newest); err != nil || b.Hash != idOf(newest, 0) {
		t.Fatal(b, err)
	}
	lags.head, lags.solid = newest-5, solid-5
	if _, err := n.Head(t.Context()); !errors.Is(err, pool.ErrBehind) {
		t.Errorf("its head: %v", err)
	}
	if _, _, err := n.Transaction(t.Context(), strings.Repeat("ab", 32)); !errors.Is(err, pool.ErrBehind) {
		t.Errorf("a transaction that it does not know: %v", err)
	}
	// Its logs of blocks that it does not have are empty without an error.
	if got, err := n.Transfers(t.Context(), first, newest, mine); err == nil {
		t.Errorf("its transfers: %v", got)
	}
	// Solid here, and not yet there: the endpoint that is behind has no result to show.
	behind := honest(t)
	behind.solid = 78000009
	if got, err := settled(t, at(t, config(), behind)); err == nil {
		t.Errorf("settled before it is solid: %q", got)
	}
}

func TestLogsOfABlockThatComesWhileTheyAreAskedForAreNotTakenForNone(t *testing.T) {
	w, rule := honest(t), config()
	rule.Native = chain.Native{Ignore: true}
	w.head = 78000009
	w.then["eth_getLogs"] = func() { w.head = newest }
	if got, err := at(t, rule, w).Transfers(t.Context(), first, 78000010, mine); err == nil {
		t.Errorf("told %q", lines(got))
	}
}

func TestAHeightOfTheFutureIsNotThere(t *testing.T) {
	n := at(t, config(), honest(t))
	if _, err := n.BlockAt(t.Context(), newest+1); !errors.Is(err, chain.ErrNotFound) {
		t.Errorf("BlockAt: %v", err)
	}
	if _, err := n.Sure(t.Context(), newest+1); !errors.Is(err, chain.ErrNotFound) {
		t.Errorf("Sure: %v", err)
	}
	if _, err := n.Transfers(t.Context(), newest, newest+1, mine); err == nil || errors.Is(err, chain.ErrNotFound) {
		t.Errorf("Transfers: %v", err)
	}
	w := honest(t)
	w.lie = func(method, _ string, answer any) any {
		return put(put(answer, "0xffffffffffffffff", "number"), "0x"+strings.Repeat("ff", 32), "hash")
	}
	if head, err := at(t, config(), w).Head(t.Context()); err == nil {
		t.Errorf("a head of %d", head.Height)
	}
}

func TestAnUnknownTransactionIsNotFound(t *testing.T) {
	n := at(t, config(), honest(t))
	for _, tx := range []string{strings.Repeat("ab", 32), "0x" + strings.Repeat("ab", 32), strings.Repeat("AB", 32), "", "ab"} {
		if _, moved, err := n.Transaction(t.Context(), tx); !errors.Is(err, chain.ErrNotFound) || moved != nil {
			t.Errorf("%q: %v, %v", tx, moved, err)
		}
	}
}

func TestABlockThatIsReorganisedAwayIsNotBelieved(t *testing.T) {
	tx := recorded(t, "usdt")[0].tx()
	for _, after := range []string{"eth_getLogs", "wallet/getblockbylimitnext", "eth_getTransactionReceipt", "wallet/gettransactioninfobyid"} {
		w := honest(t)
		w.then[after] = func() { w.forked = first + 2 }
		if got, err := at(t, config(), w).Transfers(t.Context(), first, newest, mine); !errors.Is(err, pool.ErrReorganised) {
			t.Errorf("after %s: %v, %v", after, lines(got), err)
		}
		if strings.Contains(after, "byid") || strings.Contains(after, "Receipt") {
			w := honest(t)
			w.then[after] = func() { w.forked = first + 2 }
			if _, moved, err := at(t, config(), w).Transaction(t.Context(), tx); !errors.Is(err, pool.ErrReorganised) {
				t.Errorf("the transaction, after %s: %v, %v", after, lines(moved), err)
			}
		}
	}
	w := honest(t)
	w.forked = first + 2
	got, err := at(t, config(), w).Transfers(t.Context(), first, newest, mine)
	if err != nil || len(got) != 5 || got[0].Block.Hash != idOf(78000010, w.forked) {
		t.Errorf("asked again: %v, %v", lines(got), err)
	}
}

func TestFinalIsWhatIsSolidOrDeepEnough(t *testing.T) {
	head := chain.Block{Height: newest}
	for _, c := range []struct {
		what string
		rule chain.Finality
		want uint64
	}{
		{"solid", chain.Finality{Tag: node.Solid}, solid},
		{"finalized", chain.Finality{Tag: node.Finalized}, solid},
		{"a depth", chain.Finality{Depth: 25}, newest - 25},
		{"a depth beyond the first block", chain.Finality{Depth: newest + 1}, 0},
	} {
		rule := config()
		rule.Finality = c.rule
		if got, err := at(t, rule, honest(t)).Final(t.Context(), head); err != nil || got != c.want {
			t.Errorf("%s: %d, %v, want %d", c.what, got, err, c.want)
		}
	}
	ahead := honest(t)
	ahead.solid = newest
	if got, err := at(t, config(), ahead).Final(t.Context(), chain.Block{Height: solid + 1}); err != nil || got != solid+1 {
		t.Errorf("never above the head that was asked for: %d, %v", got, err)
	}
	if got, err := at(t, config(), ahead, honest(t)).Final(t.Context(), head); err != nil || got != solid {
		t.Errorf("the lower of two: %d, %v", got, err)
	}
}

func TestASolidBlockIsOneOfTheSameChain(t *testing.T) {
	for what, lie := range map[string]func(method, argument string, answer any) any{
		"another network's": func(method, _ string, answer any) any {
			if method == "walletsolidity/getnowblock" {
				return put(answer, idOf(solid, 3), "blockID")
			}
			return answer
		},
		"none": func(method, _ string, answer any) any {
			return map[bool]any{true: map[string]any{}, false: answer}[method == "walletsolidity/getnowblock"]
		},
		"refused": func(method, _ string, answer any) any {
			return map[bool]any{true: raw{404, ""}, false: answer}[method == "walletsolidity/getnowblock"]
		},
	} {
		w := honest(t)
		w.lie = lie
		if got, err := at(t, config(), w).Final(t.Context(), chain.Block{Height: newest}); err == nil {
			t.Errorf("%s: %d", what, got)
		}
	}
	w := honest(t)
	w.solid = newest + 3 // the solid part of a gateway is ahead of its JSON-RPC
	if got, err := at(t, config(), w).Final(t.Context(), chain.Block{Height: newest}); !errors.Is(err, pool.ErrBehind) || errors.Is(err, chain.ErrNotFound) {
		t.Errorf("%d, %v", got, err)
	}
}

// Before java-tron 4.8.0 JSON-RPC knows no tag but latest and earliest.
func TestANodeWithoutFinalizedSaysSoAndSolidWorksThere(t *testing.T) {
	old := honest(t)
	old.lie = func(method, argument string, answer any) any {
		if argument == "finalized" {
			return raw{200, `{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"invalid block number","data":"{}"}}`}
		}
		return answer
	}
	rule := config()
	rule.Finality = chain.Finality{Tag: node.Finalized}
	_, err := at(t, rule, old).Final(t.Context(), chain.Block{Height: newest})
	var refused *jsonrpc.RefusedError
	if !errors.As(err, &refused) || refused.Code != -32602 {
		t.Errorf("finalized: %v", err)
	}
	if got, err := at(t, config(), old).Final(t.Context(), chain.Block{Height: newest}); err != nil || got != solid {
		t.Errorf("solid: %d, %v", got, err)
	}
}

func TestSureIsWhatTwoEndpointsTellAlike(t *testing.T) {
	fork := honest(t)
	fork.forked = first + 1
	if b, err := at(t, config(), honest(t), honest(t)).Sure(t.Context(), first+5); err != nil || b.Hash != idOf(first+5, 0) {
		t.Errorf("%+v, %v", b, err)
	}
	if b, err := at(t, config(), fork, honest(t)).Sure(t.Context(), first+5); !errors.Is(err, chain.ErrUnsure) {
		t.Errorf("%+v, %v", b, err)
	}
}

func TestAnEndpointIsWhereAllItsPartsLieAndItsKeyGoesIntoTheHeaderOnly(t *testing.T) {
	w := honest(t)
	w.key = "1234-abcd"
	host := strings.TrimPrefix(w.url, "http://")
	for _, url := range []string{
		"http://TRON-PRO-API-KEY:1234-abcd@" + host, "http://TRON-PRO-API-KEY:1234-abcd@" + host + "/", "http://tron-pro-api-key:1234-abcd@" + host + "/jsonrpc",
	} {
		n, err := node.New(node.Options{Config: config(), Endpoints: []string{url}, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := settled(t, n); err != nil || got == "" {
			t.Errorf("%s: %q, %v", url, got, err)
		}
	}
	var seen []string
	record := roundTripper(func(r *http.Request) (*http.Response, error) {
		seen = append(seen, r.URL.String(), r.Header.Get("Authorization"))
		return nil, errors.New("no network")
	})
	for url, want := range map[string]string{
		"https://TRON-PRO-API-KEY:secret@h.example/a%2Fb/jsonrpc": "https://h.example/a%2Fb/jsonrpc ",
		"https://h.example/token?k=v":                             "https://h.example/token/jsonrpc?k=v ",
		"https://user:secret@h.example":                           "https://h.example/jsonrpc Basic dXNlcjpzZWNyZXQ=",
	} {
		seen = nil
		n, err := node.New(node.Options{Config: config(), Endpoints: []string{url}, Now: time.Now, Transport: record})
		if err != nil {
			t.Fatal(err)
		}
		_, err = n.Head(t.Context())
		if got := strings.Join(seen, " "); got != want {
			t.Errorf("%s: asked %q, want %q", url, got, want)
		}
		for _, hidden := range []string{"secret", "token", "k=v", "a%2Fb"} {
			if err == nil || strings.Contains(err.Error(), hidden) {
				t.Errorf("the error tells %s: %v", hidden, err)
			}
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAMistakenConfigurationIsRefused(t *testing.T) {
	for what, change := range map[string]func(*node.Options){
		"another family": func(o *node.Options) { o.Config.ID = "eip155:728126428" },
		"a tag of EVM":   func(o *node.Options) { o.Config.Finality = chain.Finality{Tag: "safe"} },
		"no endpoint":    func(o *node.Options) { o.Endpoints = nil },
		"no URL":         func(o *node.Options) { o.Endpoints = []string{"grpc.trongrid.io:50051"} },
		"a token in hex": func(o *node.Options) { o.Config.Tokens[0].Address = "0xa614f803b6fd780986a42c78ec9c7f77e6ded13c" },
	} {
		o := node.Options{Config: config(), Endpoints: []string{"https://api.trongrid.io"}, Now: time.Now}
		change(&o)
		if n, err := node.New(o); err == nil {
			t.Errorf("%s: %v", what, n)
		}
	}
}

// Beside its transfer the token's contract logs another one with two words of data, as every answer tells alike.
func TestATransferWhoseDataIsNotOneWordIsNoTransfer(t *testing.T) {
	want, err := at(t, config(), honest(t)).Transfers(t.Context(), first, solid, mine)
	if err != nil || len(want) == 0 {
		t.Fatal(err)
	}
	w := honest(t)
	double := func(one any) any { // the first log of each list is there once more, at another place and longer
		logs, ok := one.([]any)
		if !ok || len(logs) == 0 {
			return one
		}
		l := maps.Clone(logs[0].(map[string]any))
		l["data"], l["logIndex"] = l["data"].(string)+strings.Repeat("0", 64), "0xffff"
		return append(slices.Clone(logs), l)
	}
	w.lie = func(method, _ string, answer any) any {
		m, ok := answer.(map[string]any)
		switch {
		case method == "eth_getLogs":
			return double(answer)
		case ok && method == "eth_getTransactionReceipt":
			m["logs"] = double(m["logs"])
		case ok && strings.HasSuffix(method, "gettransactioninfobyid"):
			m["log"] = double(m["log"])
		}
		return answer
	}
	got, err := at(t, config(), w).Transfers(t.Context(), first, solid, mine)
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v\n got %v\nwant %v", err, got, want)
	}
}

func TestABlockThatIsNotKnownYetIsNoTroubleNearTheHead(t *testing.T) {
	w := honest(t)
	w.head = newest - 1
	var news []string
	n, err := node.New(node.Options{
		Config: config(), Endpoints: []string{w.url, honest(t).url}, Now: func() time.Time { return time.Unix(int64(seconds(newest)), 0) },
		Tell: func(n pool.News) { news = append(news, string(n.Kind)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Transfers(t.Context(), newest, newest, mine); err != nil || len(news) != 0 {
		t.Errorf("%v, told %q", err, news)
	}
}
