package transaction

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"farrier/shared/chain"
	"farrier/shared/chain/evm"
	"farrier/shared/money"
)

// Kind is a transaction's type, as its first byte says it (EIP-2718).
type Kind byte

// The kinds.
const (
	Legacy  Kind = types.LegacyTxType     // with one price, bound to its chain by EIP-155
	Dynamic Kind = types.DynamicFeeTxType // with a limit and a tip, EIP-1559
)

// Transaction pays an address.
type Transaction struct {
	Kind   Kind
	Chain  chain.ID // "eip155:137"
	Nonce  uint64
	Gas    uint64 // the most that may be used
	Price  Price
	Token  string // the ERC-20 contract, in canonical spelling; empty where the chain's coin is paid
	To     string // who is paid, in canonical spelling
	Amount money.Amount
}

// Price is what a unit of gas may cost, in wei.
type Price struct {
	Max money.Amount // with the base fee; for a legacy transaction, what is paid
	Tip money.Amount // for the block's maker; nothing for a legacy transaction
}

// Error says which field of a transaction is wrong, without what stands there.
type Error struct{ Field, Detail string }

func (e *Error) Error() string { return "transaction: " + e.Field + " " + e.Detail }

// The bounds of numbers.
const (
	// maxChain is the largest chain id (https://eips.ethereum.org/EIPS/eip-2294).
	maxChain = math.MaxInt64 - 36
	// maxGas is the most gas that one transaction may use on Ethereum (https://eips.ethereum.org/EIPS/eip-7825). A
	// transfer on a chain without this limit needs no more either.
	maxGas = 1 << 24
)

// Intrinsic gas (https://eips.ethereum.org/EIPS/eip-2028): no transaction that offers less is taken by a node.
const gasOfAny, gasOfZero, gasOfByte = 21_000, 4, 16

// Check says what is wrong with a transaction.
func (t Transaction) Check() error {
	if _, err := t.chainID(); err != nil {
		return err
	}
	if err := t.checkAddresses(); err != nil {
		return err
	}
	switch {
	case t.Kind != Legacy && t.Kind != Dynamic:
		return &Error{"kind", "is neither legacy nor of EIP-1559"}
	case t.Nonce == math.MaxUint64: // https://eips.ethereum.org/EIPS/eip-2681
		return &Error{"nonce", "is too large"}
	case t.Gas < t.intrinsicGas():
		return &Error{"gas", "is less than any such transaction uses"}
	case t.Gas > maxGas:
		return &Error{"gas", "is more than a transfer can use"}
	case t.Price.Max.Sign() <= 0:
		return &Error{"price", "must be more than nothing"}
	case t.Price.Tip.Sign() < 0:
		return &Error{"tip", "is below nothing"}
	case t.Price.Tip.Cmp(t.Price.Max) > 0:
		return &Error{"tip", "is more than the whole price"}
	case t.Kind == Legacy && t.Price.Tip.Sign() != 0:
		return &Error{"tip", "has no place in a legacy transaction"}
	case t.Amount.Sign() < 0:
		return &Error{"amount", "is below nothing"}
	case t.Token != "" && t.Amount.Sign() == 0:
		return &Error{"amount", "is nothing"} // of coin, nothing may be paid: that fills a gap between nonces
	case !fits(t.Amount):
		return &Error{"amount", "does not fit 256 bits"}
	case !fits(t.Cost()):
		return &Error{"price", "does not fit 256 bits with all the gas"}
	}
	return nil
}

func (t Transaction) checkAddresses() error {
	if err := checkAddress("to", t.To); err != nil {
		return err
	}
	if t.Token == "" {
		return nil
	}
	if t.Token == t.To {
		return &Error{"to", "is the token's own contract, which gives nothing back"}
	}
	return checkAddress("token", t.Token)
}

// nobody begins addresses that have no key: nothing (0x0…0) and the chain's built-in contracts (precompiles).
var nobody = "0x" + strings.Repeat("0", 36)

func checkAddress(field, address string) error {
	switch canonical, err := evm.ParseAddress(address); {
	case err != nil:
		return &Error{field, err.Error()}
	case canonical != address:
		return &Error{field, "is not in its canonical spelling"}
	case strings.HasPrefix(address, nobody):
		return &Error{field, "belongs to nobody"}
	}
	return nil
}

// chainID is the number that binds a signature to a chain. There is no default.
func (t Transaction) chainID() (*big.Int, error) {
	return numberOf(t.Chain)
}

func numberOf(id chain.ID) (*big.Int, error) {
	n, err := strconv.ParseUint(id.Reference(), 10, 64)
	if id.Namespace() != "eip155" || err != nil || n == 0 || n > maxChain || string(id) != fmt.Sprintf("eip155:%d", n) {
		return nil, &Error{"chain", `must name an EVM chain, such as "eip155:137"`}
	}
	return new(big.Int).SetUint64(n), nil
}

// Cost is the most that the sender's coin can lose by it: all the gas, and the amount where coin is paid.
func (t Transaction) Cost() money.Amount {
	cost := new(big.Int).Mul(new(big.Int).SetUint64(t.Gas), t.Price.Max.Big())
	if t.Token == "" {
		cost.Add(cost, t.Amount.Big())
	}
	all, err := money.FromBig(cost)
	if err != nil { // only of a transaction that Check refuses
		return tooMuch
	}
	return all
}

// tooMuch is 2^256: more than any amount that fits.
var tooMuch = func() money.Amount {
	most, err := money.FromBig(new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1)))
	if err != nil {
		panic(err)
	}
	return most.Add(money.Units(1))
}()

func fits(a money.Amount) bool { return a.Cmp(tooMuch) < 0 }

func (t Transaction) intrinsicGas() uint64 {
	gas := uint64(gasOfAny)
	for _, b := range t.data() {
		if b == 0 {
			gas += gasOfZero
		} else {
			gas += gasOfByte
		}
	}
	return gas
}

// data is what a token's contract is called with; empty where coin is paid.
func (t Transaction) data() []byte {
	if t.Token == "" {
		return nil
	}
	return evm.TransferCall(t.To, t.Amount)
}

// unsigned is the transaction in go-ethereum's form. It is asked of checked ones.
func (t Transaction) unsigned(id *big.Int) *types.Transaction {
	to, value := common.HexToAddress(t.To), t.Amount.Big()
	if t.Token != "" {
		to, value = common.HexToAddress(t.Token), new(big.Int)
	}
	if t.Kind == Legacy {
		return types.NewTx(&types.LegacyTx{Nonce: t.Nonce, GasPrice: t.Price.Max.Big(), Gas: t.Gas, To: &to, Value: value, Data: t.data()})
	}
	return types.NewTx(&types.DynamicFeeTx{
		ChainID: id, Nonce: t.Nonce, GasTipCap: t.Price.Tip.Big(), GasFeeCap: t.Price.Max.Big(), Gas: t.Gas, To: &to, Value: value, Data: t.data(),
	})
}
