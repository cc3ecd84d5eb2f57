package node_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"farrier/shared/chain"
	"farrier/shared/chain/evm/anvil"
	"farrier/shared/chain/evm/node"
	"farrier/shared/chain/evm/transaction"
	"farrier/shared/money"
)

// coins is so many of the coin in its smallest unit.
func coins(n int64) *big.Int { return new(big.Int).Mul(big.NewInt(n), big.NewInt(1e18)) }

// purse is a key with coin on a chain, and what it signs.
type purse struct {
	*anvil.Chain
	*node.Node
	anvil.Key
	t *testing.T
}

func aPurse(t *testing.T) purse {
	t.Helper()
	c := anvil.Start(t)
	p := purse{Chain: c, Node: newNode(t, config(), c.URL), Key: anvil.NewKey(t), t: t}
	c.Fund(p.Address, coins(10))
	return p
}

// pays is a signed payment of coin at a price in gwei.
func (p purse) pays(nonce uint64, gwei, tip int64, units *big.Int) chain.Signed {
	p.t.Helper()
	amount, _ := money.FromBig(units)
	tx := transaction.Transaction{
		Kind: transaction.Dynamic, Chain: localhost, Nonce: nonce, Gas: 21_000, To: anvil.Other, Amount: amount,
		Price: transaction.Price{Max: money.Units(gwei * 1e9), Tip: money.Units(tip * 1e9)},
	}
	digest, err := tx.Digest()
	signature, otherwise := p.Signature(digest)
	signed, unsigned := tx.Sign(p.Address, signature)
	if err := errors.Join(err, otherwise, unsigned); err != nil {
		p.t.Fatal(err)
	}
	return chain.Signed{Tx: signed.Hash, Raw: "0x" + hex.EncodeToString(signed.Bytes)}
}

func (p purse) send(signed ...chain.Signed) []chain.Word {
	p.t.Helper()
	said, err := p.Node.Send(p.t.Context(), signed)
	if err != nil {
		p.t.Fatal(err)
	}
	var out []chain.Word
	for _, s := range said {
		if s.Has() != (s.Word == chain.Accepted || s.Word == chain.Known) || s.Has() != (s.Detail == "") && s.Word != chain.Known {
			p.t.Errorf("%+v", s)
		}
		out = append(out, s.Word)
	}
	return out
}

func TestWhatANodeSaysToATransactionHasOneWord(t *testing.T) {
	p := aPurse(t)
	one := big.NewInt(1)
	p.Automine(false)
	first := p.pays(0, 5, 1, one)
	for _, s := range []struct {
		what string
		sent chain.Signed
		said chain.Word
	}{
		{"the first", first, chain.Accepted},
		{"the same again", first, chain.Known},
		{"another of its nonce that pays hardly more", p.pays(0, 5, 1, big.NewInt(2)), chain.Underpriced},
		{"another of its nonce that pays more", p.pays(0, 10, 2, one), chain.Accepted},
		{"one before which others are missing", p.pays(5, 5, 1, one), chain.Accepted},
		{"one that the sender cannot pay", p.pays(1, 5, 1, coins(11)), chain.Unfunded},
		{"no transaction", chain.Signed{Tx: first.Tx, Raw: "0x02"}, chain.Refused},
	} {
		if got := p.send(s.sent); got[0] != s.said {
			t.Errorf("%s: %s", s.what, got)
		}
	}
	p.Mine(1)
	if got := p.send(p.pays(0, 20, 4, one), p.pays(1, 5, 1, one), first); fmt.Sprint(got) != "[nonce_spent accepted nonce_spent]" {
		t.Errorf("after the nonce is spent: %s", got)
	}
}

// What nodes say was read in their sources (see words).
func TestTheNodesOfAllMakersAreUnderstood(t *testing.T) {
	for word, said := range map[chain.Word][]string{
		chain.Known: {"already known", "ALREADY_EXISTS: already known", "AlreadyKnown", "transaction already imported", "Known transaction", "INTERNAL_ERROR: existing tx with same hash"},
		chain.NonceSpent: {"nonce too low: next nonce 6, tx nonce 5", "Nonce too low", "OldNonce, Current nonce: 6, nonce of rejected tx: 5",
			"INTERNAL_ERROR: nonce too low", "nonce too low: address 0xab current nonce (6) > tx nonce (5)"},
		chain.Underpriced: {"replacement transaction underpriced", "Replacement transaction underpriced", "INTERNAL_ERROR: could not replace existing tx",
			"replacement transaction underpriced: new tx gas fee cap 11 <= 10 queued", "ReplacementNotAllowed", "insufficient gas price to replace existing transaction"},
		chain.TooCheap: {"transaction underpriced", "transaction underpriced: gas tip cap 0, minimum needed 1", "transaction gas price below minimum: gas tip cap 1, minimum needed 1000000",
			"max fee per gas less than block base fee", "INTERNAL_ERROR: fee too low", "INTERNAL_ERROR: underpriced", "FeeTooLow, MaxFeePerGas too low",
			"Gas price below current base fee", "Gas price below configured minimum gas price"},
		chain.Unfunded: {"insufficient funds for gas * price + value: balance 1, tx cost 2, overshot 1", "Insufficient funds for gas * price + value",
			"Upfront cost exceeds account balance", "INTERNAL_ERROR: insufficient funds", "InsufficientFunds, Account balance: 0"},
		chain.Later: {"txpool is full", "account limit exceeded: pooled 16 txs", "INTERNAL_ERROR: pending sub-pool is full", "future transaction tries to replace pending",
			"nonce too high", "NonceGap, Future nonce. Expected nonce: 5", "Transaction nonce is too distant from current sender nonce", "Initial sync is still in progress"},
		chain.Refused: {"exceeds block gas limit", "invalid sender", "transaction type not supported", ""},
	} {
		for _, message := range said {
			if got := answering(t, -32000, message); got.Word != word || got.Detail == "" && message != "" {
				t.Errorf("%q is %+v, and should be %s", message, got, word)
			}
		}
	}
}

// answering is what is made of a refusal of a transaction.
func answering(t *testing.T, code int, message string) chain.Taken {
	t.Helper()
	said, err := refusingNode(t, code, message).Send(t.Context(), []chain.Signed{{Tx: "0x01", Raw: "0x02"}})
	if err != nil {
		t.Fatalf("%q: %v", message, err)
	}
	return said[0]
}

func refusingNode(t *testing.T, code int, message string) *node.Node {
	t.Helper()
	return throughBytes(t, config(), func(asked []byte) []byte {
		if strings.Contains(string(asked), "eth_chainId") {
			return []byte(`{"jsonrpc":"2.0","id":1,"result":"0x7a69"}`)
		}
		text, _ := json.Marshal(message)
		return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"error":{"code":%d,"message":%s}}`, code, text)
	})
}

func TestTheEndpointsOwnTroubleIsNoAnswerAboutTheTransaction(t *testing.T) {
	for code, message := range map[int]string{-32601: "the method does not exist", 429: "compute units per second exceeded", -32005: "limit"} {
		if said, err := refusingNode(t, code, message).Send(t.Context(), []chain.Signed{{Tx: "0x01", Raw: "0x02"}}); err == nil {
			t.Errorf("%d: %+v", code, said)
		}
	}
}

func TestAllEndpointsAreToldAndTheKindestCounts(t *testing.T) {
	s := over(t, 3)
	p := purse{Chain: s.Chain, Node: s.Node, Key: anvil.NewKey(t), t: t}
	s.Fund(p.Address, coins(1))
	s.proxies[1].Says(500, "")
	signed := p.pays(0, 5, 1, big.NewInt(1))
	if got := p.send(signed); got[0] != chain.Accepted || s.proxies[2].Calls("eth_sendRawTransaction") != 1 {
		t.Errorf("%s, the third was asked %d times", got, s.proxies[2].Calls("eth_sendRawTransaction"))
	}
	for _, proxy := range s.proxies {
		proxy.Says(500, "")
	}
	if said, err := s.Send(t.Context(), []chain.Signed{signed}); err == nil {
		t.Errorf("nobody answered: %+v", said)
	}
}

func TestTheNonceIsThatOfTheNewestBlockAndNotOfWhatWaits(t *testing.T) {
	p := aPurse(t)
	p.send(p.pays(0, 5, 1, big.NewInt(1)))
	p.Automine(false)
	p.send(p.pays(1, 5, 1, big.NewInt(1)))
	if got, err := p.Nonce(t.Context(), p.Address); got != 1 || err != nil {
		t.Errorf("%d, %v", got, err)
	}
}

func TestGasIsEstimatedWithRoomWhereCodeRuns(t *testing.T) {
	p := aPurse(t)
	token := p.Token()
	p.Pay(token, p.Address, 100)
	coin := chain.Payment{From: p.Address, To: anvil.Other, Amount: money.Units(1)}
	if gas, err := p.Gas(t.Context(), coin); gas != 21_000 || err != nil {
		t.Errorf("coin: %d, %v", gas, err)
	}
	paid := chain.Payment{From: p.Address, To: ours, Token: token, Amount: money.Units(60)}
	if gas, err := p.Gas(t.Context(), paid); gas < 40_000 || gas > 100_000 || err != nil {
		t.Errorf("token: %d, %v", gas, err)
	}
	paid.Amount = money.Units(101)
	var no *chain.WouldFailError
	if gas, err := p.Gas(t.Context(), paid); !errors.As(err, &no) {
		t.Errorf("more than there is: %d, %v", gas, err)
	}
	p.Call(nil, "anvil_setCode", contract, "0x5b600056") // runs for ever
	if gas, err := p.Gas(t.Context(), chain.Payment{From: p.Address, To: contract, Amount: money.Units(1)}); !errors.As(err, &no) {
		t.Errorf("more than a payment may: %d, %v", gas, err)
	}
}

func TestAnAddressWithCodeIsAContractUnlessItOnlyDelegates(t *testing.T) {
	p := aPurse(t)
	p.Call(nil, "anvil_setCode", alsoOurs, "0xef0100"+strings.Repeat("ab", 20))
	for address, want := range map[string]bool{p.Token(): true, ours: false, alsoOurs: false} {
		if is, err := p.Node.Contract(t.Context(), address); is != want || err != nil {
			t.Errorf("%s: %t, %v", address, is, err)
		}
	}
}

func TestWhatIsMinedIsToldWithItsFeeAndWhatIsNotIsLeftOut(t *testing.T) {
	p := aPurse(t)
	paid := p.pays(0, 5, 1, big.NewInt(1))
	p.send(paid)
	token := p.Token()
	failed := p.Chain.Send(anvil.Tx{"to": token, "data": anvil.TransferOf(ours, math.MaxInt64)})
	p.Automine(false)
	waiting := p.pays(1, 5, 1, big.NewInt(1))
	p.send(waiting)
	for name, ask := range map[string]func() (map[string]chain.Mined, error){
		"Mined": func() (map[string]chain.Mined, error) {
			return p.Mined(t.Context(), []string{paid.Tx, waiting.Tx, failed})
		},
		"SureMined": func() (map[string]chain.Mined, error) {
			return p.SureMined(t.Context(), []string{paid.Tx, waiting.Tx, failed})
		},
	} {
		got, err := ask()
		m := got[paid.Tx]
		if err != nil || len(got) != 2 || m.Reverted || !got[failed].Reverted || m.Tx != paid.Tx || m.Block.Height == 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		var after string
		p.Call(&after, "eth_getBalance", p.Address, "latest")
		left, _ := new(big.Int).SetString(after[2:], 16)
		if spent := new(big.Int).Sub(coins(10), left); spent.Sub(spent, big.NewInt(1)).Cmp(m.Fee.Big()) != 0 {
			t.Errorf("%s: the fee is %s, and %s was spent", name, m.Fee, spent)
		}
	}
	p.Reorganise(3)
	if got, err := p.Mined(t.Context(), []string{paid.Tx}); len(got) != 0 || err != nil {
		t.Errorf("after a reorganisation: %+v, %v", got, err)
	}
}

func TestAReceiptThatOneEndpointMakesUpIsNotSure(t *testing.T) {
	s := over(t, 2)
	s.proxies[0].Answers(only("eth_getTransactionReceipt", replace(`"effectiveGasPrice":"0x`, `"effectiveGasPrice":"0x1`)))
	if got, err := s.SureMined(t.Context(), []string{s.tx}); !errors.Is(err, chain.ErrUnsure) {
		t.Errorf("%+v, %v", got, err)
	}
	s.proxies[0].Method("eth_getTransactionReceipt", "null")
	if got, err := s.SureMined(t.Context(), []string{s.tx}); !errors.Is(err, chain.ErrUnsure) {
		t.Errorf("one that keeps it from us: %+v, %v", got, err)
	}
}

func TestWhoSpentANonceIsFoundWithAndWithoutTheMethodForIt(t *testing.T) {
	p := aPurse(t)
	var sent []chain.Signed
	for nonce := range uint64(3) {
		sent = append(sent, p.pays(nonce, 5, 1, big.NewInt(1)))
		p.send(sent[nonce])
		p.Mine(100)
	}
	url := refusing(t, p.Chain, func(asked string) bool { return strings.Contains(asked, "eth_getTransactionBySenderAndNonce") })
	for name, n := range map[string]*node.Node{"by its method": p.Node, "by a search": newNode(t, config(), url)} {
		for nonce, s := range sent {
			if m, err := n.Spender(t.Context(), p.Address, uint64(nonce)); m.Tx != s.Tx || m.Block.Hash == "" || err != nil {
				t.Errorf("%s: %d: %+v, %v", name, nonce, m, err)
			}
		}
		if m, err := n.Spender(t.Context(), p.Address, 3); !errors.Is(err, chain.ErrNotFound) {
			t.Errorf("%s: one that nobody has: %+v, %v", name, m, err)
		}
	}
}

func TestTheMarketIsWhatOthersPayInBlocksThatAreNotEmpty(t *testing.T) {
	p := aPurse(t)
	empty, err := p.Market(t.Context())
	if err != nil || empty.Base.Sign() <= 0 || empty.Low.Sign() <= 0 || empty.High.Cmp(empty.Low) != 0 {
		t.Fatalf("nobody has paid yet: %+v, %v", empty, err)
	}
	p.Automine(false)
	for nonce, tip := range []int64{1, 2, 3, 4, 5} {
		p.send(p.pays(uint64(nonce), 50, tip, big.NewInt(1)))
	}
	p.Mine(2)
	m, err := p.Market(t.Context())
	for began := time.Now(); m.Height < p.Height() && time.Since(began) < 10*time.Second; { // anvil notes fees a moment after a block
		m, err = p.Market(t.Context())
	}
	if err != nil || m.Height != p.Height() || m.Low.Cmp(money.Units(1e9)) != 0 || m.Middle.Cmp(money.Units(3e9)) != 0 || m.High.Cmp(money.Units(5e9)) != 0 {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestAnAnswerAboutFeesThatCannotBeIsAnError(t *testing.T) {
	p := aPurse(t)
	proxy := anvil.Behind(t, p.Chain)
	n := newNode(t, config(), proxy.URL)
	for what, answer := range map[string]string{
		"no fees":            `{"oldestBlock":"0x0","baseFeePerGas":[],"gasUsedRatio":[],"reward":[]}`,
		"fewer than blocks":  `{"oldestBlock":"0x0","baseFeePerGas":["0x1"],"gasUsedRatio":[0.5],"reward":[["0x1","0x1","0x1"]]}`,
		"no rewards":         `{"oldestBlock":"0x0","baseFeePerGas":["0x1","0x1"],"gasUsedRatio":[0.5]}`,
		"too few rewards":    `{"oldestBlock":"0x0","baseFeePerGas":["0x1","0x1"],"gasUsedRatio":[0.5],"reward":[["0x1"]]}`,
		"null for a reward":  `{"oldestBlock":"0x0","baseFeePerGas":["0x1","0x1"],"gasUsedRatio":[0.5],"reward":[["0x1",null,"0x1"]]}`,
		"a negative price":   `{"oldestBlock":"0x0","baseFeePerGas":["0x1","-0x1"],"gasUsedRatio":[0.5],"reward":[["0x1","0x1","0x1"]]}`,
		"a height of no one": `{"oldestBlock":"0xffffffffffffffff","baseFeePerGas":["0x1","0x1"],"gasUsedRatio":[0.5],"reward":[["0x1","0x1","0x1"]]}`,
	} {
		proxy.Method("eth_feeHistory", answer)
		if m, err := n.Market(t.Context()); err == nil {
			t.Errorf("%s: %+v", what, m)
		}
	}
}

func TestManyBlocksAreAskedForAtOnceAndThoseToComeLeftOut(t *testing.T) {
	p := aPurse(t)
	p.Mine(30)
	proxy := anvil.Behind(t, p.Chain)
	n := newNode(t, config(), proxy.URL)
	got, err := n.BlocksAt(t.Context(), []uint64{1, 30, 31, 7})
	if err != nil || len(got) != 3 {
		t.Fatalf("%+v, %v", got, err)
	}
	for height, block := range got {
		if at, err := n.BlockAt(t.Context(), height); at != block || err != nil {
			t.Errorf("%+v, not %+v, %v", block, at, err)
		}
	}
}
