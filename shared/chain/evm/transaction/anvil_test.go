package transaction

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"farrier/shared/chain/evm/anvil"
	"farrier/shared/money"
)

// mined is what a node says of a transaction that is in a block.
type mined struct{ Status, From, To, TransactionHash, Type string }

func broadcast(c *anvil.Chain, signed Signed) error {
	var hash string
	err := c.Try(&hash, "eth_sendRawTransaction", "0x"+hex.EncodeToString(signed.Bytes))
	if err == nil && hash != signed.Hash {
		return fmt.Errorf("the chain calls it %s, and we %s", hash, signed.Hash)
	}
	return err
}

func receipt(c *anvil.Chain, hash string) (r *mined) {
	c.Call(&r, "eth_getTransactionReceipt", hash)
	return r
}

func quantity(t *testing.T, c *anvil.Chain, method string, params ...any) *big.Int {
	t.Helper()
	var text string
	c.Call(&text, method, params...)
	n, ok := new(big.Int).SetString(strings.TrimPrefix(text, "0x"), 16)
	if !ok {
		t.Fatalf("%s: %q", method, text)
	}
	return n
}

// rich is a chain on which our key has coin and tokens.
func rich(t *testing.T) (c *anvil.Chain, h hand, token string) {
	t.Helper()
	c, h = anvil.Start(t), sender(t)
	token = c.Token()
	c.Call(nil, "anvil_setBalance", h.address(), "0x8ac7230489e80000")
	c.Pay(token, h.address(), 1_000_000_000)
	return c, h, token
}

func balance(t *testing.T, c *anvil.Chain, token, of string) *big.Int {
	t.Helper()
	if token == "" {
		return quantity(t, c, "eth_getBalance", of, "latest")
	}
	data := "0x70a08231" + strings.Repeat("0", 24) + of[2:] // balanceOf(address)
	return quantity(t, c, "eth_call", map[string]string{"to": token, "data": data}, "latest")
}

func TestAChainMinesWhatIsSignedOnceAndRefusesItFromAnother(t *testing.T) {
	c, h, token := rich(t)
	for nonce, what := range []struct {
		kind  Kind
		token string
	}{{Legacy, ""}, {Dynamic, ""}, {Legacy, token}, {Dynamic, token}} {
		tx := paid(what.kind, what.token)
		tx.Chain, tx.Nonce = "eip155:31337", uint64(nonce)
		tx.To = fmt.Sprintf("0x%040x", 0xbeef0000+nonce)
		signed := h.signs(t, tx)
		changed := signed
		changed.Bytes = append([]byte(nil), signed.Bytes...)
		changed.Bytes[len(changed.Bytes)-1] ^= 1 // of s: it is signed by somebody without any coin
		if err := broadcast(c, changed); err == nil || !strings.Contains(err.Error(), "Insufficient funds") {
			t.Errorf("%+v: a changed one: %v", tx, err)
		}
		if err := broadcast(c, signed); err != nil {
			t.Fatalf("%+v: %v", tx, err)
		}
		c.Mine(1)
		got := receipt(c, signed.Hash)
		if got == nil || got.Status != "0x1" || got.From != h.address() || got.Type != fmt.Sprintf("0x%x", byte(tx.Kind)) {
			t.Errorf("%+v: %+v", tx, got)
		}
		if has := balance(t, c, what.token, tx.To); has.Cmp(tx.Amount.Big()) != 0 {
			t.Errorf("%+v: the payee has %s", tx, has)
		}
		if err := broadcast(c, signed); err == nil {
			t.Errorf("%+v is taken twice", tx)
		}
	}
	tx := paid(Dynamic, "")
	tx.Nonce = 4 // of another chain
	if err := broadcast(c, h.signs(t, tx)); err == nil {
		t.Error("one of another chain is taken")
	}
}

func TestAChainTakesAReplacementAndMinesItAlone(t *testing.T) {
	c, h, token := rich(t)
	c.Automine(false)
	for nonce, kind := range []Kind{Legacy, Dynamic} {
		old := paid(kind, token)
		old.Chain, old.Nonce = "eip155:31337", uint64(nonce)
		again, err := old.Raised(Price{}, old.Price.Max.Add(old.Price.Max))
		if err != nil {
			t.Fatal(err)
		}
		almost := again
		almost.Price.Max = old.Price.Max
		almost.Price.Tip = old.Price.Tip
		almost.Amount = almost.Amount.Sub(money.Units(1)) // another transaction, at the old price
		before := balance(t, c, token, old.To)
		signed, replacement := h.signs(t, old), h.signs(t, again)
		if err := broadcast(c, signed); err != nil {
			t.Fatal(err)
		}
		if err := broadcast(c, h.signs(t, almost)); err == nil || !strings.Contains(err.Error(), "underpriced") {
			t.Errorf("a replacement at the old price: %v", err)
		}
		if err := broadcast(c, replacement); err != nil {
			t.Errorf("a replacement: %v", err)
		}
		c.Mine(1)
		if first, second := receipt(c, signed.Hash), receipt(c, replacement.Hash); first != nil || second == nil || second.Status != "0x1" {
			t.Errorf("of the first and its replacement: %+v, %+v", first, second)
		}
		if got := balance(t, c, token, old.To); got.Sub(got, before).Cmp(old.Amount.Big()) != 0 {
			t.Errorf("%s was paid", got)
		}
	}
}
