package watch_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"farrier/shared/chain"
	"farrier/shared/chain/evm/anvil"
	"farrier/shared/money"
	"farrier/shared/watch"
)

// How money is lost on its way in, one by one, and what shows that it is not. What a real chain can show is shown on one,
// here or, where a test was there before, at the place that is named.
//
//	two transfers in one transaction            TestOnARealChainTwoTransfersInOneTransactionAreTwoDeposits
//	a reorganisation of 150 blocks              TestAReorganisationOf150BlocksTakesBackWhatItTook, TestAReorganisationOf150BlocksIsFollowed
//	removed logs                                TestRemovedLogsAreNoDeposits; node: TestAStrangeAnswerIsAnErrorAndNeverNothing
//	confirmed before unconfirmed, doubled,
//	replayed, hours late                        TestConfirmedBeforeUnconfirmedDoubledReplayedAndLateIsOneDeposit;
//	                                            receiver: TestAHundredCopiesAtOnceAreOneReceipt; proof: TestHistories ("call back", "rewind")
//	a watch down for 5,000 blocks               TestOnARealChainAWatcherStoppedFor5000BlocksMissesNothing, TestAWatchDownFor100000BlocksTellsHowFarItIs
//	a fake token of the same symbol             TestAFakeTokenOfTheSameSymbolIsNothing
//	a failed transaction with logs, a receipt
//	that succeeded without the log              TestAFailedTransactionWithLogsIsNothing; node: TestALieIsNoticedAndAnotherEndpointIsAsked (tron: OUT_OF_ENERGY)
//	fee on transfer                             TestFeeOnTransferCreditsWhatArrived
//	rebasing                                    TestARebasingTokenCreditsWhatItsLogsSayAndNoMore
//	no return value, pausable                   TestATokenWithoutAReturnValueIsCredited, TestAPausedTokenPaysNothing
//	decimals and floats                         money: TestADecimalIsReadExactlyOrRefused; TestTheSmallestAndTheLargestAmountAreExact
//	coin made by a contract                     TestCoinSentWithCallDataIsADeposit, TestCoinMadeByAContractIsToldByTraces
//	the wrong chain at the same address         TestTheWrongChainAtTheSameAddressIsAnotherAssetsDeposit, TestAnotherChainUnderTheSameNameStopsTheWatch
//	dust                                        TestDustIsADepositOfItsAmountAndNothingIsNone
//	replaced by fee, same nonce                 TestAReplacedTransactionIsNotADepositAndItsReplacementIs; bitcoin: TestOnlyTheReplacementThatIsMinedCounts
//	address poisoning                           TestDustIsADepositOfItsAmountAndNothingIsNone, TestAFakeTokenOfTheSameSymbolIsNothing (no payee is ever taken from what came)
//	a browser's redirect                        callback: TestTokenPocketOnlyAsksForALook, TestImTokenNamesWhatThePageLeftOut;
//	                                            TestABrowserRedirectIsNoProof
//	an unpaid order with a right signature,
//	a provider's error in a well-signed body    interpreter: TestNothingUnpaidCredits, TestWhatNoticesBringAbout
//	short by an exchange's fee, over, late,
//	in two parts                                payment: TestWhatRemainsPaysAndAUnitLessDoesNot, TestWhatIsNotAsAskedGoesByThePolicy,
//	                                            TestMoneyIsLateAfterTheEndWhicheverCameFirst; proof: TestEveryStopOfInTwoParts, TestEveryStopOfLate

// strange is a real chain whose configured token is one of the strange ones.
func strange(t *testing.T, token string) *real {
	t.Helper()
	r := newReal(t)
	r.token = r.Strange(token)
	return r
}

func TestAReorganisationOf150BlocksTakesBackWhatItTook(t *testing.T) {
	r := newReal(t)
	x := r.watcher(tokensOnly)
	r.pass(x)
	txs := map[string]string{}
	early := r.Pay(r.token, ours, 5)
	txs[early] = "early"
	r.Mine(70)
	for n := range 3 {
		txs[r.Pay(r.token, alsoOurs, int64(10+n))] = fmt.Sprint("gone", n)
		r.Mine(20)
	}
	r.Mine(80)
	r.pass(x)
	r.is(txs, "early log-0 5 final", "gone0 log-0 10 final", "gone1 log-0 11 final", "gone2 log-0 12 final")
	r.Reorganise(150)
	r.Mine(1)
	for range 3 {
		r.pass(x)
	}
	r.is(txs, "early log-0 5 final", "gone0 log-0 10 reversed", "gone1 log-0 11 reversed", "gone2 log-0 12 reversed")
	if p := r.pass(x); p.Height != r.Height() {
		t.Errorf("%+v", p)
	}
}

func TestRemovedLogsAreNoDeposits(t *testing.T) {
	r := newReal(t)
	x := r.watcher()
	r.pass(x)
	tx := r.Pay(r.token, ours, 5)
	r.proxy.Answers(func(method string, honest json.RawMessage) string {
		if method == "eth_getLogs" {
			return strings.ReplaceAll(string(honest), `"removed":false`, `"removed":true`)
		}
		return ""
	})
	if p, err := x.Pass(t.Context()); err == nil {
		t.Errorf("%+v", p)
	}
	r.is(nil)
	r.proxy.Honest()
	r.Mine(depth)
	for r.pass(x).Behind > 0 { // fewer blocks at once, after the trouble
	}
	r.is(map[string]string{tx: "tx"}, "tx log-0 5 final")
}

func TestConfirmedBeforeUnconfirmedDoubledReplayedAndLateIsOneDeposit(t *testing.T) {
	r := newReal(t)
	x := r.watcher()
	r.pass(x)
	f := r.function(x)
	tx := r.Pay(r.token, ours, 5)
	txs := map[string]string{tx: "tx"}
	r.Mine(depth)
	f.lookAt(1, look(tx), look(tx)) // "confirmed", twice
	r.is(txs, "tx log-0 5 final")
	f.lookAt(1, look(tx)) // "unconfirmed", after it
	r.Mine(50)
	r.pass(x)
	f.lookAt(1, look(tx), look(tx)) // hours later, and again to a process that is new
	r.function(r.watcher()).lookAt(1, look(tx))
	r.is(txs, "tx log-0 5 final")
	if d := r.all()[0]; d.Version != 1 || d.Round != 0 {
		t.Errorf("%+v", d)
	}
}

func TestAFakeTokenOfTheSameSymbolIsNothing(t *testing.T) {
	r := newReal(t)
	x := r.watcher()
	r.pass(x)
	fake := r.Token()
	tx := r.Pay(fake, ours, 5_000_000)
	if again := r.function(x).lookAt(1, look(tx)); len(again) != 0 { // a callback says that it was paid
		t.Errorf("again: %v", again)
	}
	r.ends(x, nil)
}

func TestAFailedTransactionWithLogsIsNothing(t *testing.T) {
	r := strange(t, "FickleDollar")
	x := r.watcher()
	r.pass(x)
	good := r.Pay(r.token, ours, 5)
	failed := r.Pay(r.token, ours, 13) // tells of the transfer and then takes it back: the transaction fails
	attempt := "0x8beb55b2" + anvil.TransferOf(ours, 13)[10:]
	inner := r.Send(anvil.Tx{"to": r.token, "data": attempt}) // succeeds, though what it tried inside was taken back
	for tx, want := range map[string]string{good: "0x1", failed: "0x0", inner: "0x1"} {
		var receipt struct {
			Status string
			Logs   []any
		}
		r.Call(&receipt, "eth_getTransactionReceipt", tx)
		if receipt.Status != want || (len(receipt.Logs) > 0) != (tx == good) {
			t.Fatalf("%+v", receipt)
		}
	}
	r.function(x).lookAt(1, look(failed), look(inner))
	r.ends(x, map[string]string{good: "good"}, "good log-0 5 final")
}

// The payee gets what its own log says: 99 of 100. That the payer meant 100 counts nowhere.
func TestFeeOnTransferCreditsWhatArrived(t *testing.T) {
	r := strange(t, "FeeDollar")
	x := r.watcher()
	r.pass(x)
	tx := r.Pay(r.token, ours, 1000)
	r.ends(x, map[string]string{tx: "tx"}, "tx log-0 990 final")
	if has := r.balance(r.token, ours); has != "990" {
		t.Errorf("the address holds %s", has)
	}
}

// What is credited is what logs say. A change of everybody's balance makes no log: what it adds is nobody's deposit, and
// what it takes is taken back from nobody. So such a token's custody does not equal the books; docs/chains.md says so.
func TestARebasingTokenCreditsWhatItsLogsSayAndNoMore(t *testing.T) {
	r := strange(t, "RebasingDollar")
	x := r.watcher()
	r.pass(x)
	first := r.Pay(r.token, ours, 1000)
	txs := map[string]string{first: "first"}
	r.Mine(depth)
	r.pass(x)
	for _, percent := range []int{200, 50} {
		rebased := r.Send(anvil.Tx{"to": r.token, "data": fmt.Sprintf("0xbc4f2d6d%064x", percent)})
		r.function(x).lookAt(1, look(rebased))
		r.ends(x, txs, "first log-0 1000 final")
		if has := r.balance(r.token, ours); has != fmt.Sprint(10*percent) {
			t.Errorf("the address holds %s at %d%%", has, percent)
		}
	}
	second := r.Pay(r.token, ours, 10)
	txs[second] = "second"
	r.ends(x, txs, "first log-0 1000 final", "second log-0 10 final")
}

func TestATokenWithoutAReturnValueIsCredited(t *testing.T) {
	r := strange(t, "SilentDollar")
	x := r.watcher()
	r.pass(x)
	tx := r.Pay(r.token, ours, 7)
	r.ends(x, map[string]string{tx: "tx"}, "tx log-0 7 final")
}

func TestAPausedTokenPaysNothing(t *testing.T) {
	r := strange(t, "FickleDollar")
	x := r.watcher()
	r.pass(x)
	pause := func(on int) { r.Send(anvil.Tx{"to": r.token, "data": fmt.Sprintf("0x02329a29%064x", on)}) }
	pause(1)
	r.Pay(r.token, ours, 5)
	pause(0)
	after := r.Pay(r.token, ours, 6)
	r.ends(x, map[string]string{after: "after"}, "after log-0 6 final")
}

func TestTheSmallestAndTheLargestAmountAreExact(t *testing.T) {
	r := newReal(t)
	x := r.watcher()
	r.pass(x)
	const payer = "0x00000000000000000000000000000000000c0de0"
	r.Contract(payer, anvil.Step{To: r.token, Data: anvil.TransferOf(ours, 999_999_999_999_999)})
	r.Pay(r.token, payer, 999_999_999_999_999)
	large := r.Send(anvil.Tx{"to": payer})
	// 9007199254740993 is the first whole number that a float of 64 bits does not hold; and no int64 holds the second.
	odd := r.PayCoin(ours, 9007199254740993)
	huge := r.Send(anvil.Tx{"to": alsoOurs, "value": "0x8ac7230489e80001"})
	r.ends(x, map[string]string{large: "large", odd: "odd", huge: "huge"},
		"large log-0 999999999999999 final", "odd native 9007199254740993 final", "huge native 10000000000000000001 final")
}

func TestCoinSentWithCallDataIsADeposit(t *testing.T) {
	r := newReal(t)
	x := r.watcher()
	r.pass(x)
	tx := r.Send(anvil.Tx{"to": ours, "value": "0x5", "data": "0x6f72646572203432"})
	r.ends(x, map[string]string{tx: "tx"}, "tx native 5 final")
}

// A contract that sends coin on makes no log and no transaction of its own. Where the chain's nodes offer traces it is a
// deposit like any other; where they do not, nothing is credited, and nothing wrong either.
func TestCoinMadeByAContractIsToldByTraces(t *testing.T) {
	for _, traces := range []string{"", chain.FlatTraces} {
		r := newReal(t)
		x := r.watcher(func(c *chain.Config) { c.Native.Traces = traces })
		r.pass(x)
		const contract = "0x00000000000000000000000000000000000c0de0"
		r.Contract(contract, anvil.Step{To: ours, Value: 5}, anvil.Step{To: ours, Value: 3})
		tx := r.Send(anvil.Tx{"to": contract, "value": "0x9"})
		r.Mine(depth)
		r.pass(x)
		var got []string
		for _, d := range r.all() {
			got = append(got, fmt.Sprintf("%s %s", d.Amount, d.State))
			if d.Tx != tx {
				t.Errorf("%+v", d)
			}
		}
		slices.Sort(got)
		if want := map[string]string{"": "[]", chain.FlatTraces: "[3 final 5 final]"}[traces]; fmt.Sprint(got) != want {
			t.Errorf("traces %q: %v, want %s", traces, got, want)
		}
		var has string
		if r.Call(&has, "eth_getBalance", ours, "latest"); has != "0x8" {
			t.Errorf("the address holds %s", has)
		}
	}
}

func TestTheWrongChainAtTheSameAddressIsAnotherAssetsDeposit(t *testing.T) {
	r := newReal(t)
	other := anvil.Start(t, "--chain-id", "31338")
	elsewhere := &real{world: r.world, Chain: other, proxy: anvil.Behind(t, other), token: other.Token()}
	other.Mine(5)
	x := r.watcher()
	y := elsewhere.watcher(func(c *chain.Config) { c.ID = "eip155:31338" })
	r.pass(x)
	r.pass(y)
	if r.token != elsewhere.token {
		t.Fatal("the tokens have different addresses, so the test shows nothing")
	}
	tx := elsewhere.Pay(elsewhere.token, ours, 5) // the payment was asked for on the first chain
	other.Mine(depth)
	r.Mine(depth + 1)
	r.pass(x)
	r.is(nil)
	r.pass(y)
	r.is(map[string]string{tx: "tx"}, "tx log-0 5 final")
	if d := r.all()[0]; d.Chain != "eip155:31338" || d.Asset != money.Asset("eip155:31338/erc20:"+elsewhere.token) {
		t.Errorf("%s of %s", d.Asset, d.Chain)
	}
}

func TestDustIsADepositOfItsAmountAndNothingIsNone(t *testing.T) {
	r := newReal(t)
	x := r.watcher()
	r.pass(x)
	token := r.Pay(r.token, ours, 1)
	coin := r.PayCoin(ours, 1)
	r.Pay(r.token, ours, 0)
	r.PayCoin(ours, 0)
	r.ends(x, map[string]string{token: "token", coin: "coin"}, "token log-0 1 final", "coin native 1 final")
}

func TestAReplacedTransactionIsNotADepositAndItsReplacementIs(t *testing.T) {
	r := newReal(t)
	x := r.watcher()
	r.pass(x)
	f := r.function(x)
	r.Automine(false)
	var nonce string
	r.Call(&nonce, "eth_getTransactionCount", anvil.Payer, "latest")
	pay := func(units int64, gwei int) string {
		price := fmt.Sprintf("0x%x", gwei*1_000_000_000)
		return r.Send(anvil.Tx{"to": r.token, "data": anvil.TransferOf(ours, units), "nonce": nonce, "gasPrice": price})
	}
	first := pay(5, 10)
	if again := f.lookAt(1, look(first)); len(again) != 1 { // told of while it waits
		t.Errorf("again: %v", again)
	}
	second := pay(6, 40)
	r.Mine(1)
	f.lookAt(1, look(first), look(second))
	r.ends(x, map[string]string{first: "first", second: "second"}, "second log-0 6 final")
}

// A page or an app that returns from a wallet brings a hash, which asks for a look and is no more than that: a hash of
// nothing, of another's payment or of a failed one changes nothing, and the right one changes what the chain holds.
func TestABrowserRedirectIsNoProof(t *testing.T) {
	r := newReal(t)
	x := r.watcher()
	r.pass(x)
	f := r.function(x)
	others := r.Pay(r.token, anvil.Other, 5)
	failed := r.Send(anvil.Tx{"from": anvil.Other, "to": r.token, "data": anvil.TransferOf(ours, 500_000)})
	f.lookAt(5, look("0x"+strings.Repeat("ab", 32)), look(others), look(failed))
	r.ends(x, nil)
	tx := r.Pay(r.token, ours, 5)
	f.lookAt(1, look(tx))
	r.is(map[string]string{tx: "tx"}, "tx log-0 5 confirming")
}

// ends lets what was mined become final and compares what is stored then.
func (r *real) ends(x *watch.Watcher, txs map[string]string, want ...string) {
	r.t.Helper()
	r.Mine(depth)
	r.pass(x)
	r.is(txs, want...)
}

func (r *real) balance(token, owner string) string {
	r.t.Helper()
	var word string
	r.Call(&word, "eth_call", map[string]any{"to": token, "data": "0x70a08231" + strings.Repeat("0", 24) + owner[2:]}, "latest")
	var n int64
	if _, err := fmt.Sscanf(word, "0x%x", &n); err != nil {
		r.t.Fatal(err)
	}
	return fmt.Sprint(n)
}
