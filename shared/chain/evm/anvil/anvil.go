// Package anvil gives a test an EVM chain of its own, which it may reorganise as it likes.
//
// It is for tests alone. The program is the one that `make test` names in FARRIER_TEST_ANVIL; where it
// is not named, the test is skipped.
package anvil

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"farrier/shared/parts"
)

// Payer and Other are unlocked accounts with plenty of the chain's coin
// (of the mnemonic "test test … junk", https://getfoundry.sh/anvil/overview).
const (
	Payer = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
	Other = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"
)

// Chain is a running chain, chain id 31337 unless Start is told another, that mines a block for each transaction.
type Chain struct {
	URL    string
	t      testing.TB
	manual bool // blocks are mined only by Mine
}

// Start starts a chain that ends with the test.
func Start(t testing.TB, args ...string) *Chain {
	t.Helper()
	program := parts.Endpoint(t, "FARRIER_TEST_ANVIL")
	if !slices.Contains(args, "--chain-id") {
		args = append(args, "--chain-id", "31337")
	}
	cmd := exec.Command(program, append([]string{"--port", "0"}, args...)...) // #nosec G204 -- a test's own program
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("anvil: %v", err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if at, ok := strings.CutPrefix(lines.Text(), "Listening on "); ok {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return &Chain{URL: "http://" + at, t: t}
		}
	}
	t.Fatal("anvil ended before it listened")
	return nil
}

// Call makes one JSON-RPC call and reads its result into out, if that is not nil.
func (c *Chain) Call(out any, method string, params ...any) {
	c.t.Helper()
	if err := c.Try(out, method, params...); err != nil {
		c.t.Fatal(err)
	}
}

// Try is Call where the chain may refuse: the error holds what it says.
func (c *Chain) Try(out any, method string, params ...any) error {
	if params == nil {
		params = []any{}
	}
	body, _ := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	resp, err := http.Post(c.URL, "application/json", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Result json.RawMessage
		Error  *struct{ Message string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	if answer.Error != nil {
		return fmt.Errorf("%s: %s", method, answer.Error.Message)
	}
	if out != nil {
		if err := json.Unmarshal(answer.Result, out); err != nil {
			return fmt.Errorf("%s: %w", method, err)
		}
	}
	return nil
}

// Tx is a transaction to send. Gas is always given, so that one that fails is mined all the same.
type Tx map[string]any

// Send sends a transaction, mined at once unless Automine is off, and gives its hash.
func (c *Chain) Send(tx Tx) string {
	c.t.Helper()
	full := Tx{"from": Payer, "gas": "0x4c4b40"}
	for k, v := range tx {
		full[k] = v
	}
	var hash string
	c.Call(&hash, "eth_sendTransaction", full)
	for mined := c.manual; !mined; { // anvil answers a moment before its block is there
		var receipt json.RawMessage
		c.Call(&receipt, "eth_getTransactionReceipt", hash)
		mined = string(receipt) != "null"
	}
	return hash
}

// Again are the fields of a mined transaction: sent once more after a reorganisation took it away, it has the same hash.
func (c *Chain) Again(hash string) Tx {
	c.t.Helper()
	var was map[string]any
	c.Call(&was, "eth_getTransactionByHash", hash)
	tx := Tx{"data": was["input"]}
	for _, field := range []string{"from", "to", "gas", "value", "nonce", "maxFeePerGas", "maxPriorityFeePerGas", "accessList", "chainId"} {
		if was[field] != nil {
			tx[field] = was[field]
		}
	}
	return tx
}

// Token deploys an ERC-20 of six decimals with the symbol USDT, all of it the payer's, and gives its address.
func (c *Chain) Token() string {
	c.t.Helper()
	return c.deploy(parts.Endpoint(c.t, "FARRIER_TEST_TOKEN_BYTECODE"))
}

// Strange deploys one of the tokens of local/chain/strange by its name, all of it the payer's, and gives its address.
func (c *Chain) Strange(name string) string {
	c.t.Helper()
	return c.deploy(filepath.Join(parts.Endpoint(c.t, "FARRIER_TEST_STRANGE_TOKENS"), name+".json"))
}

func (c *Chain) deploy(artefactFile string) string {
	c.t.Helper()
	text, err := os.ReadFile(artefactFile) // #nosec G304 -- a test's own file
	if err != nil {
		c.t.Fatal(err)
	}
	var artefact struct{ Bytecode string }
	if err := json.Unmarshal(text, &artefact); err != nil {
		c.t.Fatal(err)
	}
	var receipt struct{ ContractAddress string }
	c.Call(&receipt, "eth_getTransactionReceipt", c.Send(Tx{"data": artefact.Bytecode}))
	return strings.ToLower(receipt.ContractAddress)
}

// TransferOf is the call data of an ERC-20 transfer.
func TransferOf(to string, units int64) string {
	return "0xa9059cbb" + strings.Repeat("0", 24) + to[2:] + fmt.Sprintf("%064x", units)
}

// Pay sends a token's units from the payer and gives the transaction's hash.
func (c *Chain) Pay(token, to string, units int64) string {
	c.t.Helper()
	return c.Send(Tx{"to": token, "data": TransferOf(to, units)})
}

// PayCoin sends the chain's own coin from the payer.
func (c *Chain) PayCoin(to string, units int64) string {
	c.t.Helper()
	return c.Send(Tx{"to": to, "value": fmt.Sprintf("0x%x", units)})
}

// Step is one call that a contract makes.
type Step struct {
	To    string
	Value int64
	Data  string
}

// Contract puts a contract at an address; called with anything, it makes these calls one after the other.
func (c *Chain) Contract(at string, steps ...Step) {
	c.t.Helper()
	var code []byte
	for _, s := range steps {
		data, err := hex.DecodeString(strings.TrimPrefix(s.Data, "0x"))
		if err != nil {
			c.t.Fatal(err)
		}
		for offset := 0; offset < len(data); offset += 32 {
			word := make([]byte, 32)
			copy(word, data[offset:])
			code = append(append(code, 0x7f), word...)                         // PUSH32
			code = append(append(append(code, 0x61), word16(offset)...), 0x52) // PUSH2, MSTORE
		}
		to, _ := hex.DecodeString(s.To[2:])
		value, _ := hex.DecodeString(fmt.Sprintf("%016x", s.Value))
		code = append(code, 0x60, 0, 0x60, 0)                                    // no return data
		code = append(append(append(code, 0x61), word16(len(data))...), 0x60, 0) // the data, at 0
		code = append(append(code, 0x67), value...)                              // PUSH8
		code = append(append(code, 0x73), to...)                                 // PUSH20
		code = append(code, 0x5a, 0xf1, 0x50)                                    // GAS, CALL, POP
	}
	c.Call(nil, "anvil_setCode", at, "0x"+hex.EncodeToString(append(code, 0)))
}

func word16(n int) []byte { return []byte{byte(n >> 8), byte(n)} } // #nosec G115 -- call data is short

// Mine adds empty blocks.
func (c *Chain) Mine(blocks int) {
	c.t.Helper()
	c.Call(nil, "anvil_mine", fmt.Sprintf("0x%x", blocks))
}

// MineAt adds a block of that time, which is later than the newest block's.
func (c *Chain) MineAt(at time.Time) {
	c.t.Helper()
	c.Call(nil, "evm_mine", at.Unix())
}

// Reorganise replaces the newest blocks by as many empty ones; their transactions are gone.
func (c *Chain) Reorganise(depth int) {
	c.t.Helper()
	c.Call(nil, "anvil_reorg", depth, []any{})
}

// Automine says whether each transaction gets its block at once.
func (c *Chain) Automine(on bool) {
	c.t.Helper()
	c.Call(nil, "evm_setAutomine", on)
	c.manual = !on
}

// Height is the head's.
func (c *Chain) Height() uint64 {
	c.t.Helper()
	var text string
	c.Call(&text, "eth_blockNumber")
	var h uint64
	if _, err := fmt.Sscanf(text, "0x%x", &h); err != nil {
		c.t.Fatal(err)
	}
	return h
}
