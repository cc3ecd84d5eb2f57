package transaction

import (
	"errors"
	"math/big"

	"farrier/shared/money"
)

// raisedBy is by how many per cent both parts of the price rise before a node takes one transaction for another of the same
// nonce (https://geth.ethereum.org/docs/fundamentals/command-line-options, --txpool.pricebump).
const raisedBy = 10

// What is wrong with a replacement.
var (
	ErrLimit  = errors.New("transaction: the price that would replace it is over the limit")
	ErrOthers = errors.New("transaction: a replacement differs in more than its price")
	ErrTooLow = errors.New("transaction: a replacement's price is not raised enough")
)

// Raised is the transaction at the price that is wanted, or at the least that replaces it where that is more. Nothing else
// of it changes. ErrLimit where a unit of gas would cost more than the limit.
func (t Transaction) Raised(wanted Price, limit money.Amount) (Transaction, error) {
	if err := t.Check(); err != nil {
		return Transaction{}, err
	}
	if wanted.Tip.Cmp(wanted.Max) > 0 {
		return Transaction{}, &Error{"tip", "is more than the whole price"}
	}
	t.Price.Max = larger(raised(t.Price.Max), wanted.Max)
	if t.Kind == Dynamic {
		t.Price.Tip = larger(raised(t.Price.Tip), wanted.Tip)
	}
	if t.Price.Max.Cmp(limit) > 0 {
		return Transaction{}, ErrLimit
	}
	return t, t.Check()
}

// Replaces says why a transaction is no replacement of an older one.
func (t Transaction) Replaces(old Transaction) error {
	price := t.Price
	if err := errors.Join(t.Check(), old.Check()); err != nil {
		return err
	}
	t.Price = old.Price
	if !t.same(old) {
		return ErrOthers
	}
	if price.Max.Cmp(raised(old.Price.Max)) < 0 || t.Kind == Dynamic && price.Tip.Cmp(raised(old.Price.Tip)) < 0 {
		return ErrTooLow
	}
	return nil
}

func (t Transaction) same(other Transaction) bool {
	return t.Kind == other.Kind && t.Chain == other.Chain && t.Nonce == other.Nonce && t.Gas == other.Gas &&
		t.Token == other.Token && t.To == other.To && t.Amount.Cmp(other.Amount) == 0 &&
		t.Price.Max.Cmp(other.Price.Max) == 0 && t.Price.Tip.Cmp(other.Price.Tip) == 0
}

// raised is the least price that a node takes for more: rounded up, and never the same.
func raised(a money.Amount) money.Amount {
	more := new(big.Int).Mul(a.Big(), big.NewInt(raisedBy))
	more.Add(more, big.NewInt(99)).Div(more, big.NewInt(100))
	if more.Sign() == 0 {
		more.SetInt64(1)
	}
	by, err := money.FromBig(more)
	if err != nil { // it is a tenth of what fits 256 bits
		panic("transaction: a price that was not checked")
	}
	return a.Add(by)
}

func larger(a, b money.Amount) money.Amount {
	if a.Cmp(b) < 0 {
		return b
	}
	return a
}
