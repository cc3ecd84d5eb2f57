package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"farrier/shared/approval"
	"farrier/shared/chain"
	"farrier/shared/chain/evm"
	"farrier/shared/dynamo"
	"farrier/shared/ledger"
	"farrier/shared/money"
	"farrier/shared/payout"
	"farrier/shared/payout/policy"
	"farrier/shared/problem"
	"farrier/shared/wallet"
)

// Desk is all that is asked before a payout is made.
type Desk struct {
	Payouts   payout.Store // its Facts are the desk's
	Policy    policy.Policy
	Costs     payout.Costs
	Freezes   payout.Freezes
	Known     payout.Known
	Wallets   Wallets
	Addresses dynamo.Table // of deposits
	Ledger    ledger.Store
	Now       func() time.Time
}

// Wallets says which addresses pay.
type Wallets interface {
	// Hot is the address of a chain's hot wallet; "" where none is open.
	Hot(ctx context.Context, on chain.ID) (string, error)
}

// Fixed are wallets by their chain.
type Fixed map[chain.ID]string

// Hot is the address of a chain's hot wallet.
func (w Fixed) Hot(_ context.Context, on chain.ID) (string, error) { return w[on], nil }

// Store keeps payouts, with this desk's facts.
func (d Desk) Store() payout.Store {
	s := d.Payouts
	s.Facts = facts{d}
	return s
}

// Create makes a payout, or finds the one that the same request made before. Of the request it reads Wished, and chooses Wallet
// and FeeMost.
func (d Desk) Create(ctx context.Context, r payout.Request) (payout.Payout, error) {
	if r.Wished != "" {
		address, err := evm.ParseAddress(r.Wished) // payouts are made on EVM chains
		if err != nil {
			return payout.Payout{}, problem.Field("wallet", err.Error())
		}
		r.Wished = address
	}
	p, made, err := d.Payouts.Made(ctx, r)
	if made || err != nil {
		return p, err
	}
	if r.Wallet, err = d.wallet(ctx, r.Merchant, p.Chain(), r.Wished); err != nil {
		return payout.Payout{}, err
	}
	cost, err := d.cost(ctx, p.Chain())
	if err != nil {
		return payout.Payout{}, err
	}
	if r.FeeMost, err = d.most(cost, p.Asset, p.Speed); err != nil {
		return payout.Payout{}, err
	}
	p.Wallet, p.FeeMost = r.Wallet, r.FeeMost
	if err := d.refuse(ctx, p); err != nil {
		return payout.Payout{}, err
	}
	return d.Store().Create(ctx, r)
}

// wallet is the one that pays: the chain's hot wallet, or the merchant's own deposit address that was wished for.
func (d Desk) wallet(ctx context.Context, merchant string, on chain.ID, wished string) (string, error) {
	hot, err := d.Wallets.Hot(ctx, on)
	switch {
	case err != nil:
		return "", err
	case wished == "" && hot == "":
		return "", problem.Field("asset", "cannot be paid out: no wallet is open on its chain")
	case wished == "":
		return hot, nil
	}
	if wished == hot {
		return hot, nil
	}
	var owned wallet.Address
	err = d.Addresses.Get(ctx, wallet.KeyOf(on.Namespace(), wished), &owned)
	switch {
	case err != nil && !errors.Is(err, dynamo.ErrMissing):
		return "", err
	case err != nil || owned.Merchant != merchant:
		return "", problem.Field("wallet", "is neither a wallet of the chain nor one of the merchant's addresses")
	}
	return wished, nil
}

// cost is what a chain costs now.
func (d Desk) cost(ctx context.Context, on chain.ID) (payout.Cost, error) {
	c, err := d.Costs.Get(ctx, on, d.Now())
	if errors.Is(err, payout.ErrNoCost) {
		return c, problem.New(problem.Unavailable, fmt.Sprintf("it is not known just now what a transaction on %s costs; come again in a few minutes", on))
	}
	return c, err
}

// most is what a payout may cost.
func (d Desk) most(c payout.Cost, asset money.Asset, s payout.Speed) (money.Amount, error) {
	on := chain.ID(asset.Chain())
	fee, err := d.Policy.Fees.Of(on)
	if err != nil {
		return money.Amount{}, problem.Field("asset", err.Error())
	}
	if asks := c.Asks(asset, s); asks.Cmp(fee.Most) > 0 {
		return money.Amount{}, problem.Field("speed", fmt.Sprintf("may cost %s now, in the smallest unit of the chain's coin, and %s is the most that a payout may; "+
			"choose a slower one or come again", asks, fee.Most))
	}
	return c.Most(asset, s, fee.Most), nil
}

// refuse says what would be refused later.
func (d Desk) refuse(ctx context.Context, p payout.Payout) error {
	var frozen *payout.FrozenError
	if err := d.Freezes.Check(ctx, p); errors.As(err, &frozen) {
		return problem.New(problem.Frozen, frozen.Error())
	} else if err != nil {
		return err
	}
	to, err := d.Known.Allowed.Get(ctx, p.PK, p.Chain(), p.To)
	if err != nil {
		return err
	}
	if _, err := d.Policy.Approvals.RuleFor(p.Asset, p.Amount); err != nil {
		return named(err)
	}
	if err := d.Policy.Allows(p, to, nil, d.Now()); err != nil {
		return named(err)
	}
	return d.covered(ctx, p)
}

// named says which field a refusal is about.
func named(err error) error {
	var (
		fee         *payout.FeeError
		destination *policy.DestinationError
		over        *payout.ExceededError
		unlimited   *payout.UnlimitedError
		ruleless    *approval.NoRuleError
	)
	switch {
	case errors.As(err, &destination):
		return problem.Field("to", "may not be paid: "+destination.Error())
	case errors.As(err, &over):
		return problem.Field("amount", "is over a limit: "+over.Error())
	case errors.As(err, &unlimited), errors.As(err, &ruleless), errors.As(err, &fee):
		return problem.Field("asset", "cannot be paid out: "+err.Error())
	}
	return err
}

// covered says whether the balance has the amount. Payouts that are on their way to it are not counted: the book does that.
func (d Desk) covered(ctx context.Context, p payout.Payout) error {
	totals, err := d.Ledger.Totals(ctx, p.PK)
	if err != nil {
		return err
	}
	var available money.Amount
	for _, t := range totals {
		if t.Asset == p.Asset {
			available = t.Legs[ledger.Available]
		}
	}
	if p.Amount.Cmp(available) > 0 {
		return problem.Field("amount", "is more than the balance: "+available.Decimal(p.Decimals)+" is available")
	}
	return nil
}

// facts are what the store of payouts asks.
type facts struct{ d Desk }

// Ours says whether an address is a deposit address or a hot wallet.
func (f facts) Ours(ctx context.Context, on chain.ID, address string) (bool, error) {
	err := f.d.Addresses.Get(ctx, wallet.KeyOf(on.Namespace(), address), &wallet.Address{})
	if err == nil || !errors.Is(err, dynamo.ErrMissing) {
		return err == nil, err
	}
	for _, c := range f.d.Payouts.Assets.Chains() {
		if c.ID.Namespace() != on.Namespace() { // one key has one address on all chains of a family
			continue
		}
		hot, err := f.d.Wallets.Hot(ctx, c.ID)
		if err != nil || hot == address {
			return err == nil, err
		}
	}
	return false, nil
}

// Least is what the policy says, and of a chain's own coin as much as it costs to send it.
func (f facts) Least(ctx context.Context, asset money.Asset) (money.Amount, error) {
	least := f.d.Policy.LeastOf(asset)
	if asset.Kind() != "slip44" {
		return least, nil
	}
	c, err := f.d.cost(ctx, chain.ID(asset.Chain()))
	if fee := c.Fee(asset, payout.Normal); err == nil && fee.Cmp(least) > 0 {
		least = fee
	}
	return least, err
}

// Known are the destinations that a merchant has allowed or paid whose ends are an address's.
func (f facts) Known(ctx context.Context, merchant string, on chain.ID, ends payout.Ends) ([]payout.Destination, error) {
	return f.d.Known.Like(ctx, merchant, on, ends)
}
