// Package btcd gives a test a Bitcoin chain of its own, simnet, which it may reorganise as it likes, and a wallet with
// coins that can be spent.
//
// It is for tests alone. The program is the one that `make test` names in FARRIER_TEST_BTCD; where it is not named, the
// test is skipped.
package btcd

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcec/v2"

	"farrier/shared/chain/bitcoin"
	"farrier/shared/parts"
)

// Simnet is the chain's CAIP-2 reference.
const Simnet = "683e86bd5c6d110d91b94b97137ba6bf"

// mature is how deep a block must lie for its coinbase to be spent, and funded how high the chain is once Start is done:
// simnet knows segregated witness from block 300 on.
const (
	mature = 100
	funded = 320
)

// Chain is a running node. It mines a block only when it is told to.
type Chain struct {
	URL    string // with user and password
	t      testing.TB
	key    *btcec.PrivateKey
	script []byte // of the wallet's address
	spent  int    // blocks whose coinbase is spent, from the first on
	unique int64  // tells the coinbases of equal height apart
}

// Start starts a node that ends with the test, and mines until its wallet has coins.
func Start(t testing.TB, args ...string) *Chain {
	t.Helper()
	c := Bare(t, args...)
	c.Generate(funded)
	return c
}

// WithoutIndex is an argument of Start: the node keeps no index of transactions.
const WithoutIndex = "--without-index"

// Bare starts a node with an empty chain.
func Bare(t testing.TB, args ...string) *Chain {
	t.Helper()
	program := parts.Endpoint(t, "FARRIER_TEST_BTCD")
	c := &Chain{t: t, key: newKey(t)}
	c.script = scriptOf(c.key.PubKey())
	folder := t.TempDir()
	settings := filepath.Join(folder, "btcd.conf")
	if err := os.WriteFile(settings, nil, 0o600); err != nil { // else it looks for one of the user's
		t.Fatal(err)
	}
	index := []string{"--txindex"}
	if slices.Contains(args, WithoutIndex) {
		index, args = nil, slices.DeleteFunc(args, func(a string) bool { return a == WithoutIndex })
	}
	password := rand.Text()
	cmd := exec.Command(program, append([]string{ // #nosec G204 -- a test's own program
		"--simnet", "--configfile=" + settings, "--datadir=" + folder, "--logdir=" + folder, "--nolisten", "--nodnsseed", "--utxocachemaxsize=5",
		"--notls", "--rpclisten=127.0.0.1:0", "--rpcuser=farrier", "--rpcpass=" + password, "--miningaddr=" + bitcoin.AddressOf(Simnet, c.key.PubKey().SerializeCompressed()),
	}, append(index, args...)...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("btcd: %v", err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	var said []string
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		said = append(said, lines.Text())
		if _, at, ok := strings.Cut(lines.Text(), "RPC server listening on "); ok {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			c.URL = "http://farrier:" + password + "@" + at
			return c
		}
	}
	t.Fatalf("btcd ended before it listened: %s", strings.Join(said, "\n"))
	return nil
}

// Try makes one JSON-RPC call and gives what the node objects, "" where nothing.
func (c *Chain) Try(out any, method string, params ...any) string {
	c.t.Helper()
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "1.0", "id": 1, "method": method, "params": params})
	if err != nil {
		c.t.Fatal(err)
	}
	resp, err := http.Post(c.URL, "application/json", bytes.NewReader(body))
	if err != nil {
		c.t.Fatalf("%s: %v", method, err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Result json.RawMessage
		Error  *struct{ Message string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		c.t.Fatalf("%s: %v", method, err)
	}
	if answer.Error != nil {
		return answer.Error.Message
	}
	if out != nil {
		if err := json.Unmarshal(answer.Result, out); err != nil {
			c.t.Fatalf("%s: %v", method, err)
		}
	}
	return ""
}

// Call is Try where the node must not object.
func (c *Chain) Call(out any, method string, params ...any) {
	c.t.Helper()
	if objection := c.Try(out, method, params...); objection != "" {
		c.t.Fatalf("%s: %s", method, objection)
	}
}

// Generate has the node mine blocks, with what waits in its memory pool.
func (c *Chain) Generate(blocks int) {
	c.t.Helper()
	c.Call(nil, "generate", blocks)
}

// Height is the head's.
func (c *Chain) Height() uint64 {
	c.t.Helper()
	var height uint64
	c.Call(&height, "getblockcount")
	return height
}

// Hash is of the canonical block at a height.
func (c *Chain) Hash(height uint64) string {
	c.t.Helper()
	var hash string
	c.Call(&hash, "getblockhash", height)
	return hash
}

// Rewind gives up all blocks above a height, and whatever the wallet has spent. What they held may wait again.
func (c *Chain) Rewind(height uint64) {
	c.t.Helper()
	if c.Height() > height {
		c.Call(nil, "invalidateblock", c.Hash(height+1))
	}
	c.spent = 0
}

// Waiting are the transactions in the memory pool.
func (c *Chain) Waiting() []string {
	c.t.Helper()
	var txs []string
	c.Call(&txs, "getrawmempool")
	return txs
}

// TimeOf is the time that the block at a height says.
func (c *Chain) TimeOf(height uint64) time.Time {
	c.t.Helper()
	return c.Block(height).Header.Timestamp
}

// Address is one of nobody else's: P2WPKH, of a fresh key.
func Address(t testing.TB) string {
	t.Helper()
	return bitcoin.AddressOf(Simnet, newKey(t).PubKey().SerializeCompressed())
}

func newKey(t testing.TB) *btcec.PrivateKey {
	t.Helper()
	key, err := btcec.NewPrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}
