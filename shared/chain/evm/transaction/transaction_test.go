package transaction

import (
	"encoding/hex"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"

	"farrier/shared/chain/evm"
	"farrier/shared/money"
)

const (
	payee = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"
	token = "0xc2132d05d31c914a87c6611c10748aeb04b58e8f"
)

func units(text string) money.Amount {
	a, err := money.ParseUnits(text)
	if err != nil {
		panic(err)
	}
	return a
}

// paid is a good transaction of each kind and of each thing that is paid.
func paid(kind Kind, of string) Transaction {
	t := Transaction{
		Kind: kind, Chain: "eip155:137", Nonce: 7, Gas: 90_000, Token: of, To: payee, Amount: units("10500000"),
		Price: Price{Max: units("50000000000")},
	}
	if kind == Dynamic {
		t.Price.Tip = units("30000000000")
	}
	return t
}

func all() (list []Transaction) {
	for _, kind := range []Kind{Legacy, Dynamic} {
		list = append(list, paid(kind, ""), paid(kind, token))
	}
	return list
}

// hand is a key, held in the hand of a test.
type hand struct{ key *btcec.PrivateKey }

func handOf(t testing.TB, text string) hand {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != 32 {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	key, _ := btcec.PrivKeyFromBytes(b)
	return hand{key}
}

func (h hand) address() string { return evm.AddressOf(h.key.PubKey().SerializeUncompressed()) }

func (h hand) sign(digest [32]byte) (signature [65]byte) {
	compact := ecdsa.SignCompact(h.key, digest[:], false)
	copy(signature[:], compact[1:])
	signature[64] = compact[0] - 27
	return signature
}

func (h hand) signs(t testing.TB, tx Transaction) Signed {
	t.Helper()
	digest, err := tx.Digest()
	if err != nil {
		t.Fatalf("%+v: %v", tx, err)
	}
	signed, err := tx.Sign(h.address(), h.sign(digest))
	if err != nil {
		t.Fatalf("%+v: %v", tx, err)
	}
	return signed
}

func sender(t testing.TB) hand { return handOf(t, strings.Repeat("46", 32)) }

// The example of https://eips.ethereum.org/EIPS/eip-155.
func TestTheExampleOfEIP155IsSignedAsItSays(t *testing.T) {
	tx := Transaction{
		Kind: Legacy, Chain: "eip155:1", Nonce: 9, Gas: 21_000, Price: Price{Max: units("20000000000")},
		To: "0x3535353535353535353535353535353535353535", Amount: units("1000000000000000000"),
	}
	digest, err := tx.Digest()
	if err != nil || hex.EncodeToString(digest[:]) != "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53" {
		t.Errorf("digest %x, %v", digest, err)
	}
	signed := sender(t).signs(t, tx)
	want := "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025" +
		"a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
	if hex.EncodeToString(signed.Bytes) != want {
		t.Errorf("bytes %x", signed.Bytes)
	}
	if signed.From != "0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f" {
		t.Errorf("from %s", signed.From)
	}
}

func TestWhatIsSignedReadsBackToItself(t *testing.T) {
	for _, tx := range all() {
		signed := sender(t).signs(t, tx)
		back, again, err := Decode(signed.Bytes)
		if err != nil || !back.same(tx) {
			t.Errorf("%+v: %+v, %v", tx, back, err)
		}
		if again.From != sender(t).address() || again.Hash != signed.Hash || len(signed.Hash) != 66 {
			t.Errorf("%+v: %+v", tx, again)
		}
		if signed.Hash != "0x"+hex.EncodeToString(evm.Keccak256(signed.Bytes)) {
			t.Errorf("%+v: the hash is %s", tx, signed.Hash)
		}
	}
}

func TestAFieldThatIsWrongIsNamed(t *testing.T) {
	most := tooMuch.Sub(money.Units(1))
	for what, c := range map[string]struct {
		change func(*Transaction)
		field  string
	}{
		"no chain":                 {func(x *Transaction) { x.Chain = "" }, "chain"},
		"no number":                {func(x *Transaction) { x.Chain = "eip155:" }, "chain"},
		"chain 0":                  {func(x *Transaction) { x.Chain = "eip155:0" }, "chain"},
		"a sign":                   {func(x *Transaction) { x.Chain = "eip155:+137" }, "chain"},
		"a second spelling":        {func(x *Transaction) { x.Chain = "eip155:0137" }, "chain"},
		"more behind it":           {func(x *Transaction) { x.Chain = "eip155:137:1" }, "chain"},
		"over EIP-2294":            {func(x *Transaction) { x.Chain = "eip155:9223372036854775772" }, "chain"},
		"another family":           {func(x *Transaction) { x.Chain = "tron:0x2b6653dc" }, "chain"},
		"an unknown kind":          {func(x *Transaction) { x.Kind = 1 }, "kind"},
		"the last nonce":           {func(x *Transaction) { x.Nonce = math.MaxUint64 }, "nonce"},
		"no gas":                   {func(x *Transaction) { x.Gas = 0 }, "gas"},
		"a little too little gas":  {func(x *Transaction) { x.Gas = x.intrinsicGas() - 1 }, "gas"},
		"too much gas":             {func(x *Transaction) { x.Gas = maxGas + 1 }, "gas"},
		"no price":                 {func(x *Transaction) { x.Price = Price{} }, "price"},
		"a price below nothing":    {func(x *Transaction) { x.Price = Price{Max: money.Units(-1)} }, "price"},
		"a tip below nothing":      {func(x *Transaction) { x.Price.Tip = money.Units(-1) }, "tip"},
		"a tip over the price":     {func(x *Transaction) { x.Price.Tip = x.Price.Max.Add(money.Units(1)) }, "tip"},
		"a price of 256 bits":      {func(x *Transaction) { x.Price.Max = most }, "price"},
		"nobody":                   {func(x *Transaction) { x.To = "0x" + strings.Repeat("0", 40) }, "to"},
		"a precompile":             {func(x *Transaction) { x.To = "0x" + strings.Repeat("0", 37) + "100" }, "to"},
		"no payee":                 {func(x *Transaction) { x.To = "" }, "to"},
		"a short payee":            {func(x *Transaction) { x.To = payee[:41] }, "to"},
		"a long payee":             {func(x *Transaction) { x.To = payee + "0" }, "to"},
		"a payee without hex":      {func(x *Transaction) { x.To = "0x" + strings.Repeat("g", 40) }, "to"},
		"a spelling for people":    {func(x *Transaction) { x.To = evm.Checksum(payee) }, "to"},
		"an amount below nothing":  {func(x *Transaction) { x.Amount = money.Units(-1) }, "amount"},
		"an amount over 256 bits":  {func(x *Transaction) { x.Amount = tooMuch }, "amount"},
		"an amount far over them":  {func(x *Transaction) { x.Amount = tooMuch.Add(tooMuch) }, "amount"},
		"a price far over 256 bit": {func(x *Transaction) { x.Price.Max = tooMuch.Add(tooMuch) }, "price"},
	} {
		for _, tx := range all() {
			c.change(&tx)
			refused(t, what, tx, c.field)
		}
	}
	for what, c := range map[string]struct {
		change func(*Transaction)
		field  string
	}{
		"nobody's token":     {func(x *Transaction) { x.Token = "0x" + strings.Repeat("0", 40) }, "token"},
		"a token for people": {func(x *Transaction) { x.Token = evm.Checksum(token) }, "token"},
		"paid to the token":  {func(x *Transaction) { x.To = x.Token }, "to"},
		"nothing of a token": {func(x *Transaction) { x.Amount = money.Units(0) }, "amount"},
	} {
		tx := paid(Dynamic, token)
		c.change(&tx)
		refused(t, what, tx, c.field)
	}
	legacy := paid(Legacy, "")
	legacy.Price.Tip = money.Units(1)
	refused(t, "a tip in a legacy transaction", legacy, "tip")
	rich := paid(Dynamic, "")
	rich.Amount = most
	refused(t, "all coin there can be, and gas", rich, "price")
}

func refused(t *testing.T, what string, tx Transaction, field string) {
	t.Helper()
	var wrong *Error
	if err := tx.Check(); !errors.As(err, &wrong) || wrong.Field != field {
		t.Errorf("%s: %v", what, err)
	}
	if _, err := tx.Digest(); !errors.As(err, &wrong) {
		t.Errorf("%s has a digest: %v", what, err)
	}
	if _, err := tx.Sign(payee, [65]byte{1}); !errors.As(err, &wrong) {
		t.Errorf("%s is signed: %v", what, err)
	}
}

func TestBoundsThemselvesAreTaken(t *testing.T) {
	most := tooMuch.Sub(money.Units(1))
	for what, change := range map[string]func(*Transaction){
		"the last chain":     func(x *Transaction) { x.Chain = "eip155:9223372036854775771" },
		"the first chain":    func(x *Transaction) { x.Chain = "eip155:1" },
		"the first nonce":    func(x *Transaction) { x.Nonce = 0 },
		"the last nonce":     func(x *Transaction) { x.Nonce = math.MaxUint64 - 1 },
		"the least gas":      func(x *Transaction) { x.Gas = x.intrinsicGas() },
		"the most gas":       func(x *Transaction) { x.Gas = maxGas },
		"the least price":    func(x *Transaction) { x.Price = Price{Max: money.Units(1)} },
		"all of it a tip":    func(x *Transaction) { x.Kind = Dynamic; x.Price.Tip = x.Price.Max },
		"the most of tokens": func(x *Transaction) { x.Token, x.Amount = token, most },
		"nothing of coin":    func(x *Transaction) { x.Token, x.Amount = "", money.Units(0) },
	} {
		for _, tx := range all() {
			change(&tx)
			signed := sender(t).signs(t, tx)
			if back, _, err := Decode(signed.Bytes); err != nil || !back.same(tx) {
				t.Errorf("%s: %+v, %v", what, back, err)
			}
		}
	}
}

func TestASignatureThatIsNotTheSendersIsRefused(t *testing.T) {
	n := btcec.S256().N
	for _, tx := range all() {
		digest, err := tx.Digest()
		if err != nil {
			t.Fatal(err)
		}
		good := sender(t).sign(digest)
		for what, c := range map[string]struct {
			change func(*[65]byte)
			want   error
		}{
			"another v": {func(s *[65]byte) { s[64] ^= 1 }, ErrSender},
			"v of 27":   {func(s *[65]byte) { s[64] += 27 }, ErrSignature},
			"v of 2":    {func(s *[65]byte) { s[64] = 2 }, ErrSignature},
			"no r":      {func(s *[65]byte) { clear(s[:32]) }, ErrSignature},
			"no s":      {func(s *[65]byte) { clear(s[32:64]) }, ErrSignature},
			"a high s": {func(s *[65]byte) { // the same signature's other form, which EIP-2 refuses
				new(big.Int).Sub(n, new(big.Int).SetBytes(s[32:64])).FillBytes(s[32:64])
				s[64] ^= 1
			}, ErrSignature},
			"another digest": {func(s *[65]byte) { *s = sender(t).sign([32]byte{1}) }, ErrSender},
			"another key":    {func(s *[65]byte) { *s = handOf(t, strings.Repeat("47", 32)).sign(digest) }, ErrSender},
		} {
			changed := good
			c.change(&changed)
			if _, err := tx.Sign(sender(t).address(), changed); !errors.Is(err, c.want) && !(what == "another v" || what == "another digest") {
				t.Errorf("%s: %v", what, err)
			} else if err == nil {
				t.Errorf("%s: signed", what)
			}
		}
	}
}
