package interpreter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"farrier/shared/callback"
	"farrier/shared/chain"
	"farrier/shared/chain/family"
	"farrier/shared/deposit"
	"farrier/shared/dynamo"
	"farrier/shared/id"
	"farrier/shared/money"
	"farrier/shared/payment"
	"farrier/shared/wallet"
)

// moves are the kinds of notices that can move money, and how.
var moves = map[callback.Kind]struct{ back, part, gone bool }{
	callback.PaymentPaid:      {},
	callback.DepositConfirmed: {},
	callback.PaymentPartial:   {part: true},
	callback.PaymentRefunded:  {back: true},
	callback.DepositReverted:  {back: true, gone: true},
}

func tellOfMoney(notices []callback.Notice) bool {
	for _, n := range notices {
		if _, moves := moves[n.Kind]; moves {
			return true
		}
	}
	return false
}

// believe books what notices say of money that the connection's provider holds, and asks for looks at what goes to
// addresses of ours.
func (i *Interpreter) believe(ctx context.Context, c callback.Connection, receipt callback.Receipt, notices []callback.Notice) ([]trouble, error) {
	chains, held, err := i.apart(ctx, c, notices)
	if err != nil {
		return nil, err
	}
	found, err := i.look(ctx, chains)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(chains, func(n callback.Notice) bool { return n.Chain == "" && tellOfMoney([]callback.Notice{n}) }) {
		found = append(found, trouble{callback.UnknownChain, "money for an address of ours is told of without its chain"})
	}
	objects, wrong := i.objects(held)
	for _, o := range objects {
		wrong, err := i.state(ctx, c, receipt, o)
		if err != nil {
			return nil, err
		}
		found = append(found, wrong...)
	}
	return append(found, wrong...), nil
}

// apart tells what goes to addresses of ours from money that the provider holds. What does not move money is neither.
func (i *Interpreter) apart(ctx context.Context, c callback.Connection, notices []callback.Notice) (chains, held []callback.Notice, err error) {
	for _, n := range notices {
		ours, err := i.ours(ctx, n.Address)
		if err != nil {
			return nil, nil, err
		}
		if ours {
			if n.Chain == "" && strings.Contains(string(n.Asset), "/") {
				n.Chain = chain.ID(n.Asset.Chain())
			}
			chains = append(chains, n)
			continue
		}
		if _, moves := moves[n.Kind]; moves && c.Holds(n.Kind) {
			held = append(held, n)
		}
	}
	return chains, held, nil
}

// ours says whether an address was derived here. Addresses are the same on every chain of a family, whichever the provider
// names; and providers write them in one case as often as with a checksum, which may be wrong then.
func (i *Interpreter) ours(ctx context.Context, address string) (bool, error) {
	namespace, canonical, is := family.Read(address)
	if !is {
		if namespace, canonical, is = family.Read(strings.ToLower(address)); !is {
			return false, nil
		}
	}
	var owner wallet.Address
	err := i.Addresses.Get(ctx, wallet.KeyOf(namespace, canonical), &owner)
	if errors.Is(err, dynamo.ErrMissing) {
		return false, nil
	}
	return err == nil, err
}

// object is what a callback says of one object in one way.
type object struct {
	callback.Notice
	references []string
}

// objects are what notices say of objects that can be booked. Notices of one kind of the same object are its parts: a
// transfer that pays several addresses at once says what each gets, and the object has the sum.
func (i *Interpreter) objects(notices []callback.Notice) (objects []object, wrong []trouble) {
	type name struct {
		kind                  callback.Kind
		object, refund, asset string
	}
	at := map[name]int{}
	for _, n := range notices {
		if found, is := i.unfit(n); is {
			wrong = append(wrong, found)
			continue
		}
		if silent(n) {
			continue
		}
		named := name{n.Kind, n.Object, n.Refund, string(n.Asset)}
		place, known := at[named]
		if !known {
			place = len(objects)
			at[named] = place
			objects = append(objects, object{Notice: n})
			objects[place].Amount = money.Amount{}
		}
		o := &objects[place]
		o.Amount = o.Amount.Add(n.Amount)
		o.references = append(o.references, n.Reference)
	}
	return objects, wrong
}

// silent says that a notice names no amount, where only an amount can move something.
func silent(n callback.Notice) bool {
	switch move := moves[n.Kind]; {
	case move.gone:
		return false
	case move.back && n.Asset == "":
		return false // all of it
	default:
		return n.Amount.Sign() == 0
	}
}

// unfit says why what a notice says of money cannot be booked.
func (i *Interpreter) unfit(n callback.Notice) (trouble, bool) {
	switch known, configured := i.Chains.Asset(n.Asset); {
	case n.Asset == "" && n.Code != "" && !moves[n.Kind].back:
		return trouble{callback.UnknownAsset, "the connection's assets do not say what " + n.Code + " stands for"}, true
	case configured && known.Decimals != n.Decimals:
		return trouble{callback.UnknownAsset, fmt.Sprintf("the connection's assets give %s %d decimals, and it has %d", n.Asset, n.Decimals, known.Decimals)}, true
	case n.Amount.Sign() < 0:
		return trouble{callback.Unreadable, "the amount is less than zero"}, true
	case n.Object == "" && (n.Asset != "" || moves[n.Kind].back):
		return trouble{callback.Unreadable, "money is told of without the id of an object"}, true
	}
	return trouble{}, false
}

// state books what is said of one object.
func (i *Interpreter) state(ctx context.Context, c callback.Connection, receipt callback.Receipt, o object) ([]trouble, error) {
	move := moves[o.Kind]
	st := deposit.Statement{
		Merchant: c.Merchant, Shards: c.Shards, Connection: c.ID, Provider: c.Provider, Object: o.Object,
		Back: move.back, Gone: move.gone, Part: move.part, Refund: o.Refund,
		Asset: o.Asset, Decimals: o.Decimals, Amount: o.Amount, At: receipt.ReceivedAt,
	}
	if move.gone { // what was never there is gone whole, whatever amount is named
		st.Amount = money.Amount{}
	}
	paymentOf := func(ctx context.Context) (string, error) { return i.paymentOf(ctx, c.Merchant, o.references) }
	news, err := i.Deposits.State(ctx, st, paymentOf, i.Now().UTC().Truncate(time.Millisecond))
	var contradicts *deposit.ContradictionError
	if errors.As(err, &contradicts) {
		return []trouble{{callback.Contradiction, contradicts.Reason}}, nil
	}
	if err == nil {
		i.Log.InfoContext(ctx, "statement", "connection", c.ID, "object", o.Object, "kind", string(o.Kind), "news", news)
	}
	return nil, err
}

// paymentOf is the merchant's payment whose id is among references; "" where none is.
func (i *Interpreter) paymentOf(ctx context.Context, merchant string, references []string) (string, error) {
	for _, name := range references {
		if !id.Valid("pay", name) {
			continue
		}
		var p payment.Payment
		err := i.Payments.Get(ctx, dynamo.Key{PK: merchant, SK: name}, &p)
		if err == nil {
			return p.ID, nil
		}
		if !errors.Is(err, dynamo.ErrMissing) {
			return "", err
		}
	}
	return "", nil
}
