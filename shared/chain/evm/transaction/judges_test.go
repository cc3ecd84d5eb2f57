package transaction

import (
	"encoding/hex"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"farrier/shared/chain"
	"farrier/shared/parts"
)

// judgement is what another library says of a signed transaction.
type judgement struct {
	Kind              Kind
	Chain, Nonce, Gas uint64
	Max, Tip          string
	Token, To, Amount string
	From, Hash        string
}

type judged struct {
	Transactions []*judgement
	Personal     []string
	Typed        []string
}

// known draws a transaction whose chain and nonce JavaScript's numbers can tell (under 2^53).
func known(seed int) Transaction {
	const safe = 1<<53 - 1
	t := anything.Example(seed)
	id, _ := numberOf(t.Chain)
	t.Chain = chain.ID("eip155:" + new(big.Int).SetUint64(1+id.Uint64()%(safe/2-18)).String())
	t.Nonce %= safe
	return t
}

// The judges are viem and eth-account.
func TestConformanceJudgesOfOtherLanguagesReadWhatIsSignedAndWhoSigned(t *testing.T) {
	const many = 200
	h := sender(t)
	var asked struct {
		Transactions []string `json:"transactions"`
		Personal     []string `json:"personal"`
		Typed        []string `json:"typed"`
	}
	var made []Transaction
	var signed []Signed
	for i := range many {
		tx := known(i)
		made, signed = append(made, tx), append(signed, h.signs(t, tx))
		asked.Transactions = append(asked.Transactions, "0x"+hex.EncodeToString(signed[i].Bytes))
	}
	for i := range many { // the same with a bit changed
		changed := append([]byte(nil), signed[i].Bytes...)
		at := rapid.IntRange(0, 8*len(changed)-1).Example(i)
		changed[at/8] ^= 1 << (at % 8)
		asked.Transactions = append(asked.Transactions, "0x"+hex.EncodeToString(changed))
	}
	messages := [][]byte{nil, []byte("hello world"), []byte("马蹄\n"), {0, 255, 25}, []byte(strings.Repeat("x", 1000))}
	for _, m := range messages {
		asked.Personal = append(asked.Personal, "0x"+hex.EncodeToString(m))
	}
	typed := []string{mail, string(number(`"115792089237316195423570985008687907853269984665640564039457584007913129639935"`)), permit}
	asked.Typed = typed
	for program, by := range map[string]string{"judge.js": "viem", "judge.py": "eth_account"} {
		t.Run(by, func(t *testing.T) {
			var said judged
			parts.Judge(t, program, by, asked, &said)
			if len(said.Transactions) != 2*many || len(said.Personal) != len(messages) || len(said.Typed) != len(typed) {
				t.Fatalf("%d transactions, %d messages, %d typed", len(said.Transactions), len(said.Personal), len(said.Typed))
			}
			kinds := map[Kind]int{}
			for i, tx := range made {
				id, _ := numberOf(tx.Chain)
				want := judgement{tx.Kind, id.Uint64(), tx.Nonce, tx.Gas, tx.Price.Max.String(), tx.Price.Tip.String(), tx.Token, tx.To, tx.Amount.String(), h.address(), signed[i].Hash}
				if got := said.Transactions[i]; got == nil || *got != want {
					t.Errorf("%x says\n%+v, not\n%+v", signed[i].Bytes, got, want)
				}
				kinds[tx.Kind]++
			}
			if kinds[Legacy] < many/4 || kinds[Dynamic] < many/4 {
				t.Errorf("too few of a kind: %v", kinds)
			}
			for i, changed := range said.Transactions[many:] {
				if changed != nil && changed.From == h.address() {
					t.Errorf("%s is believed to be the sender's", asked.Transactions[many+i])
				}
			}
			for i, m := range messages {
				if digest := PersonalDigest(m); said.Personal[i] != "0x"+hex.EncodeToString(digest[:]) {
					t.Errorf("%q: %s, not %x", m, said.Personal[i], digest)
				}
			}
			for i, text := range typed {
				id := chain.ID("eip155:1")
				if text == permit {
					id = "eip155:137"
				}
				if digest, err := TypedDigest(id, []byte(text)); err != nil || said.Typed[i] != "0x"+hex.EncodeToString(digest[:]) {
					t.Errorf("%s: %s, not %x, %v", text, said.Typed[i], digest, err)
				}
			}
		})
	}
}

// permit is what EIP-2612 has signed, with numbers and bytes of several kinds and lists added to it.
const permit = `{"types": {
  "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "version", "type": "string"}, {"name": "chainId", "type": "uint256"}, {"name": "verifyingContract", "type": "address"}],
  "Item": [{"name": "id", "type": "bytes32"}, {"name": "amounts", "type": "uint256[]"}],
  "Permit": [{"name": "owner", "type": "address"}, {"name": "spender", "type": "address"}, {"name": "value", "type": "uint256"}, {"name": "nonce", "type": "uint64"},
   {"name": "shift", "type": "int16"}, {"name": "open", "type": "bool"}, {"name": "data", "type": "bytes"}, {"name": "items", "type": "Item[]"}]},
 "primaryType": "Permit",
 "domain": {"name": "USD Coin", "version": "2", "chainId": 137, "verifyingContract": "0x3c499c542cef5e3811e1192ce70d8cc03d5c3359"},
 "message": {"owner": "0x70997970c51812dc3a010c7d01b50e0d17dc79c8", "spender": "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266", "value": "10500000", "nonce": 7,
  "shift": -5, "open": true, "data": "0x00ff", "items": [
   {"id": "0x000000000000000000000000000000000000000000000000000000000000002a", "amounts": [1, 2, "3"]}, {"id": "0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "amounts": []}]}}`
