package node

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"farrier/shared/chain"
)

// Built answers: what nodes that cannot be run here are documented to say otherwise than anvil. Not recorded from any.

var builtBlock = chain.Block{Height: 7, Hash: "0x" + strings.Repeat("b", 64)}

func flat(kind, path, rest string) string {
	return fmt.Sprintf(`{"type":%q,"traceAddress":%s,"transactionHash":"0x%s","blockHash":%q,"blockNumber":7,%s}`, kind, path, strings.Repeat("a", 64), builtBlock.Hash, rest)
}

func pays(value string) string {
	return `"action":{"callType":"call","from":"0x0000000000000000000000000000000000000001","to":"0x0000000000000000000000000000000000000002","value":"` + value + `"}`
}

func read(t *testing.T, traces ...string) []string {
	t.Helper()
	var all []flatTrace
	if err := json.Unmarshal([]byte("["+strings.Join(traces, ",")+"]"), &all); err != nil {
		t.Fatal(err)
	}
	moved, err := flatMoves("trace_block", all, builtBlock)
	if err != nil {
		return []string{err.Error()}
	}
	var out []string
	for _, m := range moved[common.HexToHash(strings.Repeat("a", 64))] {
		out = append(out, m.amount.String())
	}
	return out
}

func TestTheNumberOfAMoveDoesNotDependOnCallsThatMoveNothing(t *testing.T) {
	root := flat("call", "[]", pays("0x0"))
	with := read(t, root, flat("call", "[0]", pays("0x0")), flat("call", "[1]", pays("0x5")), flat("call", "[2]", pays("0x6")))
	without := read(t, root, flat("call", "[0]", pays("0x5")), flat("call", "[1]", pays("0x6")))
	if fmt.Sprint(with) != "[5 6]" || fmt.Sprint(without) != "[5 6]" {
		t.Errorf("%v and %v", with, without)
	}
}

func TestFramesCountInTheOrderInWhichTheyRanHoweverTheyAreListed(t *testing.T) {
	got := read(t, flat("call", "[10]", pays("0x4")), flat("call", "[2,1]", pays("0x3")), flat("call", "[2]", pays("0x1")), flat("call", "[]", pays("0x9")), flat("call", "[2,0]", pays("0x2")))
	if fmt.Sprint(got) != "[1 2 3 4]" {
		t.Error(got)
	}
}

func TestWhatLiesBelowAFailedFrameMovesNothing(t *testing.T) {
	failed := pays("0x1") + `,"error":"out of gas"`
	for _, x := range []struct {
		want   string
		traces []string
	}{
		{"[]", []string{flat("call", "[]", failed), flat("call", "[0]", pays("0x2"))}},
		{"[8 9]", []string{flat("call", "[]", pays("0x0")), flat("call", "[1]", failed), flat("call", "[1,0]", pays("0x2")), flat("call", "[1,0,3]", pays("0x2")), flat("call", "[0]", pays("0x8")), flat("call", "[10]", pays("0x9"))}},
		{"[]", []string{flat("call", "[]", pays("0x0")), flat("create", "[0]", `"action":{"from":"0x0000000000000000000000000000000000000001","value":"0x5"},"error":"Out of gas"`)}},
	} {
		if got := read(t, x.traces...); fmt.Sprint(got) != x.want {
			t.Errorf("%v, want %s", got, x.want)
		}
	}
}

func TestARewardIsNoTransactions(t *testing.T) {
	reward := `{"type":"reward","action":{"author":"0x0000000000000000000000000000000000000001","rewardType":"block","value":"0x5"},"blockNumber":7,"traceAddress":[]}`
	if got := read(t, flat("call", "[]", pays("0x0")), reward, flat("call", "[0]", pays("0x3"))); fmt.Sprint(got) != "[3]" {
		t.Error(got)
	}
}

func TestACallcodeAndADelegationMoveNothingToThemWhoseCodeRuns(t *testing.T) {
	for _, kind := range []string{"delegatecall", "callcode", "staticcall"} {
		got := read(t, flat("call", "[]", pays("0x0")), flat("call", "[0]", strings.Replace(pays("0x5"), `"callType":"call"`, `"callType":"`+kind+`"`, 1)))
		if len(got) != 0 {
			t.Errorf("%s: %v", kind, got)
		}
	}
	for _, kind := range []string{"DELEGATECALL", "CALLCODE", "STATICCALL"} {
		got, err := treeMoves("m", treeTrace{Type: "CALL", Calls: []treeTrace{{Type: kind, Value: nil}}})
		if err != nil || len(got) != 0 {
			t.Errorf("%s: %v, %v", kind, got, err)
		}
	}
}

func TestACreationThatSucceededHasAnAddress(t *testing.T) {
	create := `"action":{"from":"0x0000000000000000000000000000000000000001","value":"0x5"}`
	root := flat("call", "[]", pays("0x0"))
	if got := read(t, root, flat("create", "[0]", create+`,"result":{"address":"0x0000000000000000000000000000000000000003"}`)); fmt.Sprint(got) != "[5]" {
		t.Error(got)
	}
	if got := read(t, root, flat("create", "[0]", create)); len(got) != 1 || !strings.Contains(got[0], "without sender or receiver") {
		t.Error(got)
	}
}
