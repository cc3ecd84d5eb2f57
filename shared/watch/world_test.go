package watch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"farrier/shared/chain"
	"farrier/shared/cloud"
	"farrier/shared/deposit"
	"farrier/shared/dynamo"
	"farrier/shared/money"
	"farrier/shared/parts"
	"farrier/shared/wallet"
	"farrier/shared/watch"
)

const (
	someChain = chain.ID("eip155:31337")
	ours      = "0x00000000000000000000000000000000000000a1"
	alsoOurs  = "0x00000000000000000000000000000000000000a2"
	stranger  = "0x00000000000000000000000000000000000000ff"
	depth     = 4
)

// fakeChain is a chain in memory that can reorganise, and a node of it that can fail and lie.
type fakeChain struct {
	mu     sync.Mutex
	blocks []fakeBlock
	made   int

	questions int // that the node was asked

	final  func(head uint64) uint64
	before func(method string) error // called before each answer
	hidden map[string]bool           // transactions that the node's logs do not show
	fetch  func()                    // called between the fetching of blocks and the question whose they are
}

type fakeBlock struct {
	chain.Block
	transfers []chain.Transfer
}

func newChain(blocks int) *fakeChain {
	c := &fakeChain{
		hidden: map[string]bool{}, before: func(string) error { return nil }, fetch: func() {},
		final: func(head uint64) uint64 { return head - min(head, depth) },
	}
	for range blocks {
		c.mine()
	}
	return c
}

// mine adds a block with transfers and gives it.
func (c *fakeChain) mine(transfers ...chain.Transfer) chain.Block {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made++
	b := fakeBlock{Block: chain.Block{
		Height: uint64(len(c.blocks)), Hash: fmt.Sprintf("0x%064x", c.made), Time: time.Unix(int64(1_800_000_000+c.made), 0).UTC(),
	}}
	for _, t := range transfers {
		t.Block = b.Block
		b.transfers = append(b.transfers, t)
	}
	c.blocks = append(c.blocks, b)
	return b.Block
}

func (c *fakeChain) mineEmpty(n int) {
	for range n {
		c.mine()
	}
}

// fork takes blocks from the end and gives them, so that a test can put them back.
func (c *fakeChain) fork(n int) []fakeBlock {
	c.mu.Lock()
	defer c.mu.Unlock()
	cut := len(c.blocks) - n
	gone := slices.Clone(c.blocks[cut:])
	c.blocks = c.blocks[:cut]
	return gone
}

func (c *fakeChain) restore(blocks []fakeBlock) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.blocks = append(c.blocks[:blocks[0].Height], blocks...)
}

func (c *fakeChain) height() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return uint64(len(c.blocks)) - 1
}

func pays(tx, to string, units int64) chain.Transfer {
	return chain.Transfer{
		Chain: someChain, Tx: hash(tx), Index: "log-0", Asset: usdt, Decimals: 6, From: stranger, To: to, Amount: money.Units(units),
	}
}

const usdt = money.Asset("eip155:31337/erc20:0x00000000000000000000000000000000000000cc")

func hash(tx string) string { return fmt.Sprintf("0x%064x", []byte(tx)) }

func (c *fakeChain) ask(method string) error {
	c.mu.Lock()
	before := c.before
	c.questions++
	c.mu.Unlock()
	return before(method)
}

func (c *fakeChain) Head(context.Context) (chain.Block, error) {
	if err := c.ask("Head"); err != nil {
		return chain.Block{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.blocks[len(c.blocks)-1].Block, nil
}

func (c *fakeChain) Final(_ context.Context, head chain.Block) (uint64, error) {
	return c.final(head.Height), c.ask("Final")
}

func (c *fakeChain) BlockAt(_ context.Context, height uint64) (chain.Block, error) {
	if err := c.ask("BlockAt"); err != nil {
		return chain.Block{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if height >= uint64(len(c.blocks)) {
		return chain.Block{}, chain.ErrNotFound
	}
	return c.blocks[height].Block, nil
}

func (c *fakeChain) Transfers(ctx context.Context, from, to uint64, owned chain.Owned) ([]chain.Transfer, error) {
	if err := c.ask(fmt.Sprintf("Transfers %d-%d", from, to)); err != nil {
		return nil, err
	}
	c.mu.Lock()
	if to >= uint64(len(c.blocks)) {
		c.mu.Unlock()
		return nil, errors.New("fake: no such block")
	}
	var all []chain.Transfer
	for _, b := range c.blocks[from : to+1] {
		for _, t := range b.transfers {
			if !c.hidden[t.Tx] {
				all = append(all, t)
			}
		}
	}
	c.mu.Unlock()
	c.fetch()
	var addresses []string
	for _, t := range all {
		addresses = append(addresses, t.To)
	}
	keep, err := owned(ctx, addresses)
	return slices.DeleteFunc(all, func(t chain.Transfer) bool { return !keep[t.To] }), err
}

// Settled and Sure are of a chain with one endpoint: its word.
func (c *fakeChain) Settled(ctx context.Context, from, to uint64, owned chain.Owned) ([]chain.Transfer, error) {
	if err := c.ask("Settled"); err != nil {
		return nil, err
	}
	return c.Transfers(ctx, from, to, owned)
}

func (c *fakeChain) Sure(ctx context.Context, height uint64) (chain.Block, error) {
	if err := c.ask("Sure"); err != nil {
		return chain.Block{}, err
	}
	return c.BlockAt(ctx, height)
}

// unsure is a chain whose endpoints do not agree where these are asked for.
func (c *fakeChain) unsure(methods ...string) {
	c.before = func(asked string) error {
		if slices.Contains(methods, asked) {
			return fmt.Errorf("%s: %w", asked, chain.ErrUnsure)
		}
		return nil
	}
}

func (c *fakeChain) Transaction(_ context.Context, tx string) (chain.Block, []chain.Transfer, error) {
	if err := c.ask("Transaction"); err != nil {
		return chain.Block{}, nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range c.blocks {
		var moved []chain.Transfer
		for _, t := range b.transfers {
			if t.Tx == tx {
				moved = append(moved, t)
			}
		}
		if moved != nil {
			return b.Block, moved, nil
		}
	}
	return chain.Block{}, nil, chain.ErrNotFound
}

// world is a chain, the tables, and watchers of them.
type world struct {
	t     *testing.T
	chain *fakeChain
	clock time.Time

	deeper string // rules about large amounts, as JSON
	deep   int    // the most blocks that they ask for

	passes, deposits, addresses dynamo.Table

	filtered bool // every watcher has a filter before the table of addresses
	roster   dynamo.Table
}

func newWorld(t *testing.T, blocks int) *world {
	t.Helper()
	w := &world{t: t, chain: newChain(blocks), clock: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	w.passes, w.deposits, w.addresses, w.roster = parts.Table(t), parts.Table(t), parts.Table(t), parts.Table(t)
	w.owns(ours, "pay_1")
	w.owns(alsoOurs, "pay_2")
	return w
}

func (w *world) owns(address, payment string) { w.makes(address, payment, 0) }

// makes has a process whose clock is off make an address.
func (w *world) makes(address, payment string, off time.Duration) {
	w.t.Helper()
	key := wallet.KeyOf("eip155", address)
	roster := &wallet.Roster{Table: w.roster, Now: func() time.Time { return w.clock.Add(off) }}
	err := roster.Claim(context.Background(), w.addresses, wallet.Address{
		PK: key.PK, SK: key.SK, Address: address, Merchant: "mer_1", Payment: payment, Shards: 2,
	})
	var exists *dynamo.ExistsError // the local AWS loses an answer now and then
	if err != nil && !errors.As(err, &exists) {
		w.t.Fatal(err)
	}
}

// config is the chain's, with the world's rule about large amounts.
func (w *world) config() chain.Config {
	w.t.Helper()
	set, err := chain.ParseSet(fmt.Sprintf(`[{"id":%q,"native":{"ignore":true},"block_time":"2s","finality":{"depth":%d,"deeper":[%s]},
		"tokens":[{"symbol":"USDT","decimals":6,"address":%q}]}]`, someChain, depth, w.deeper, usdt.Reference()))
	if err != nil {
		w.t.Fatal(err)
	}
	c, _ := set.Chain(someChain)
	return c
}

// watcher is one as a new process has it.
func (w *world) watcher() *watch.Watcher { return w.watcherOver(w.deposits.Client) }

func (w *world) watcherOver(client *dynamodb.Client) *watch.Watcher {
	over := func(t dynamo.Table) dynamo.Table { return dynamo.Table{Client: client, Name: t.Name} }
	now := func() time.Time { return w.clock }
	var filter *watch.Filter
	if w.filtered {
		filter = &watch.Filter{Addresses: over(w.addresses), Roster: &wallet.Roster{Table: over(w.roster), Now: now}, Now: now, Log: slog.New(slog.DiscardHandler)}
	}
	return &watch.Watcher{
		Config: w.config(), Node: w.chain, Passes: over(w.passes), Now: now, Log: slog.New(slog.DiscardHandler),
		Owners:   watch.Owners{Table: over(w.addresses), Family: "eip155", Sleep: cloud.Sleep, Filter: filter},
		Deposits: deposit.Store{Table: over(w.deposits), Metrics: cloud.Metrics{Out: io.Discard, Now: now}},
	}
}

// pass makes a pass that must go well.
func (w *world) pass(x *watch.Watcher) watch.Progress {
	w.t.Helper()
	p, err := x.Pass(context.Background())
	if err != nil {
		w.t.Fatalf("pass: %v", err)
	}
	return p
}

// settles makes passes until nothing is behind or pending, on a chain that has grown until all is final.
func (w *world) settles(x *watch.Watcher) {
	w.t.Helper()
	w.chain.mineEmpty(depth + w.deep + 1)
	for range 100 {
		if p := w.pass(x); p.Behind == 0 && p.Pending == 0 {
			return
		}
	}
	w.t.Fatal("it never settles")
}

// stored is every deposit in a line: "tx state@height".
func (w *world) stored() []string {
	w.t.Helper()
	var out []string
	for _, d := range w.all() {
		text := fmt.Sprintf("%s %s@%d", name(d.Tx), d.State, d.Height)
		if d.Round > 0 {
			text += fmt.Sprintf(" round %d", d.Round)
		}
		out = append(out, text)
	}
	return out
}

func (w *world) all() []deposit.Deposit {
	w.t.Helper()
	all, _, err := deposit.Store{Table: w.deposits}.ByMerchant(context.Background(), "mer_1", 0, "")
	if err != nil {
		w.t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b deposit.Deposit) int { return strings.Compare(a.Tx, b.Tx) })
	return all
}

func name(tx string) string {
	var b []byte
	_, _ = fmt.Sscanf(strings.TrimLeft(tx[2:], "0"), "%x", &b)
	return string(b)
}

func (w *world) has(want ...string) {
	w.t.Helper()
	if got := w.stored(); fmt.Sprint(got) != fmt.Sprint(want) {
		w.t.Errorf("\n got %q\nwant %q", got, want)
	}
}

// agrees says how the stored deposits differ from what the chain holds, once everything is settled.
func (w *world) agrees() error {
	canonical := map[string]chain.Transfer{}
	for _, b := range w.chain.blocks {
		for _, t := range b.transfers {
			if (t.To == ours || t.To == alsoOurs) && t.Amount.Sign() > 0 {
				canonical[t.Tx+t.Index] = t
			}
		}
	}
	for _, d := range w.all() {
		t, there := canonical[d.Tx+d.Index]
		switch {
		case !there && d.State != deposit.Dropped && d.State != deposit.Reversed:
			return fmt.Errorf("%s is %s and the chain does not hold it", name(d.Tx), d.State)
		case there && (d.State != deposit.Final || d.BlockHash != t.Block.Hash || d.Amount.Cmp(t.Amount) != 0):
			return fmt.Errorf("%s is %s at %d, the chain has it at %d", name(d.Tx), d.State, d.Height, t.Block.Height)
		}
		delete(canonical, d.Tx+d.Index)
	}
	if len(canonical) > 0 {
		return fmt.Errorf("%d missed: %v", len(canonical), slices.Collect(maps.Keys(canonical)))
	}
	return nil
}

// mortal is a transport of a process that dies at its k-th call: before it is sent or after, unheard.
type mortal struct {
	mu    sync.Mutex
	left  int
	after bool
	dead  bool
}

var errDead = errors.New("the process is dead")

func (m *mortal) RoundTrip(r *http.Request) (*http.Response, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return nil, errDead
	}
	if m.left--; m.left > 0 {
		return http.DefaultTransport.RoundTrip(r)
	}
	m.dead = true
	if m.after {
		if resp, err := http.DefaultTransport.RoundTrip(r); err == nil {
			_ = resp.Body.Close()
		}
	}
	return nil, errDead
}

// mortalClient speaks to the store until its process dies.
func mortalClient(t *testing.T, m *mortal) *dynamodb.Client {
	cfg := parts.Config(t, "FARRIER_TEST_DYNAMODB")
	cfg.HTTPClient = &http.Client{Transport: m}
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	return dynamodb.NewFromConfig(cfg)
}
