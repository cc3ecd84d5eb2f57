package proof_test

import (
	"fmt"
	"math/big"
	"strconv"
	"testing"
	"time"

	"farrier/proof"
	"farrier/shared/chain"
	"farrier/shared/chain/evm/anvil"
	"farrier/shared/chain/evm/node"
	"farrier/shared/money"
)

// These play scenarios on a real chain, by the adapter that is deployed: each plain, and with a stop after every few
// of its calls to AWS and requests to the node.

func TestOnAnvilPaid(t *testing.T)       { stopsOnAnvil(t, ofPaid) }
func TestOnAnvilInTwoParts(t *testing.T) { stopsOnAnvil(t, ofInTwoParts) }
func TestOnAnvilReorganisedBeforeFinality(t *testing.T) {
	stopsOnAnvil(t, ofReorganisedBeforeFinality)
}
func TestOnAnvilReorganisedAfterTheCredit(t *testing.T) {
	stopsOnAnvil(t, ofReorganisedAfterTheCredit)
}

// everyFew is odd, so that the stops fall on reads and writes alike.
const everyFew = 5

func stopsOnAnvil(t *testing.T, s scenario) {
	t.Helper()
	on := newRealChain(t)
	a, tables := account(t)
	stops(t, s, everyFew, func() *proof.History {
		on.reset()
		return proof.NewHistoryOn(t, a, tables, on)
	})
}

// realChain is anvil, with the world's token on it and blocks by the world's clock.
type realChain struct {
	t     *testing.T
	anvil *anvil.Chain
	token string
	empty string              // the snapshot before all payments
	again map[string]anvil.Tx // every transaction that was ever included, to be sent once more
	last  time.Time           // of the newest block
	final map[string]uint64   // by hash: how many final blocks lay above each block that was ever final
}

var _ proof.Chain = (*realChain)(nil)

func newRealChain(t *testing.T) *realChain {
	t.Helper()
	c := &realChain{t: t, anvil: anvil.Start(t, "--chain-id", "1000", "--timestamp", fmt.Sprint(proof.Start.Unix()-60))}
	c.token = c.anvil.Token() // the first contract of the first account: its address is the world's token
	c.anvil.Automine(false)
	c.anvil.Call(&c.empty, "evm_snapshot")
	return c
}

// reset takes every payment away.
func (c *realChain) reset() {
	c.anvil.Call(nil, "evm_revert", c.empty)
	c.anvil.Call(&c.empty, "evm_snapshot") // a snapshot serves once
	c.again, c.last, c.final = map[string]anvil.Tx{}, proof.Start, map[string]uint64{}
}

// Mine has the payer make these transfers, or make them again. The chain demands that each block is later than the one before.
func (c *realChain) Mine(now time.Time, transfers ...chain.Transfer) []chain.Transfer {
	for _, t := range transfers {
		if again, known := c.again[t.Tx]; known {
			c.anvil.Send(again)
			continue
		}
		units, err := strconv.ParseInt(t.Amount.String(), 10, 64)
		if err != nil {
			c.t.Fatal(err)
		}
		c.anvil.Pay(c.token, t.To, units)
	}
	if c.last = c.last.Add(time.Second); c.last.Before(now) {
		c.last = now
	}
	c.anvil.MineAt(c.last)
	for above, height := uint64(0), c.anvil.Height(); above < 4 && height >= finality+above; above++ {
		c.final[c.block(fmt.Sprintf("0x%x", height-finality-above)).Hash] = above
	}
	if len(transfers) == 0 {
		return nil
	}
	included := c.transfers(c.anvil.Height(), c.anvil.Height())
	if len(included) != len(transfers) {
		c.t.Fatalf("of %d transfers, %d were included", len(transfers), len(included))
	}
	for _, t := range included {
		c.again[t.Tx] = c.anvil.Again(t.Tx)
	}
	return included
}

// Reorganise replaces blocks by empty ones of the same heights.
func (c *realChain) Reorganise(depth int) []chain.Transfer {
	head := c.anvil.Height()
	gone := c.transfers(head-uint64(depth)+1, head) // #nosec G115 -- a few
	c.anvil.Reorganise(depth)
	c.last = c.block("latest").Time
	return gone
}

// finality is the world's rule.
const finality = 3

func (c *realChain) Canonical() []chain.Transfer { return c.transfers(0, c.anvil.Height()-finality) }

func (c *realChain) WasFinal(hash string, deeper uint64) bool {
	above, final := c.final[hash]
	return final && above >= deeper
}

func (c *realChain) Node(w *proof.World) chain.Node {
	n, err := node.New(node.Options{Config: w.Config, Endpoints: []string{c.anvil.URL}, Now: w.Now, Transport: w.Requests()})
	if err != nil {
		c.t.Fatal(err)
	}
	return n
}

// transfer is the first topic of an ERC-20 token's Transfer(address,address,uint256) (https://eips.ethereum.org/EIPS/eip-20).
const transferTopic = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"

// transfers are the judge's own reading of the chain's logs: of every token, to whomever.
func (c *realChain) transfers(from, to uint64) []chain.Transfer {
	var logs []struct {
		Address, Data, BlockNumber, TransactionHash string
		Topics                                      []string
	}
	c.anvil.Call(&logs, "eth_getLogs", map[string]any{"fromBlock": fmt.Sprintf("0x%x", from), "toBlock": fmt.Sprintf("0x%x", to)})
	var all []chain.Transfer
	before := map[string]int{} // logs of the same transaction
	for _, l := range logs {
		place := before[l.TransactionHash]
		before[l.TransactionHash]++
		if len(l.Topics) != 3 || l.Topics[0] != transferTopic {
			continue
		}
		units, _ := new(big.Int).SetString(l.Data[2:], 16)
		amount, err := money.FromBig(units)
		if err != nil {
			c.t.Fatal(err)
		}
		all = append(all, chain.Transfer{
			Chain: "eip155:1000", Tx: l.TransactionHash, Index: fmt.Sprint("log-", place), Block: c.block(l.BlockNumber),
			Asset: money.Asset("eip155:1000/erc20:" + l.Address), Decimals: 6, From: "0x" + l.Topics[1][26:], To: "0x" + l.Topics[2][26:], Amount: amount,
		})
	}
	return all
}

func (c *realChain) block(which string) chain.Block {
	var b struct{ Number, Hash, Timestamp string }
	c.anvil.Call(&b, "eth_getBlockByNumber", which, false)
	return chain.Block{Height: uint64(hex(c.t, b.Number)), Hash: b.Hash, Time: time.Unix(hex(c.t, b.Timestamp), 0).UTC()} // #nosec G115 -- a height
}
