package book

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/ledger"
	"farrier/shared/money"
	"farrier/shared/payout"
)

// Books moves payouts and what is booked of them.
type Books struct {
	Payouts payout.Store
	Ledger  ledger.Store
	Random  func(below int64) int64                          // for jitter
	Sleep   func(ctx context.Context, d time.Duration) error // between tries
}

const (
	tries      = 10
	firstPause = 20 * time.Millisecond
	mostPause  = time.Second
)

// Errors for a person: the tables contradict each other.
var (
	ErrParts    = errors.New("book: what was taken from the parts of the account is not the payout's amount")
	ErrUnit     = errors.New("book: the account counts its asset in another unit than the payout")
	ErrConflict = errors.New("book: the payout's place in the book is taken by an entry that the payout does not know of")
)

// errBusy says that nothing was written.
var errBusy = fmt.Errorf("book: given up after %d tries, since others keep writing to the payout or its account; come again", tries)

// Step decides about a payout as it stands and writes what was decided, with its entries and their balances, or nothing where
// that is the payout itself. It decides anew where another writer was faster, so that decide must be a pure rule.
//
// To set money aside that is not there is a *ShortError, or ErrSpread where it is and lies in too many places: nothing is written.
func (b Books) Step(ctx context.Context, merchant, name string, decide func(payout.Payout, time.Time) (payout.Payout, error)) (payout.Payout, error) {
	var tried payout.Payout
	booked := false // before: the entries of what was tried
	for try := range tries {
		p, err := b.Payouts.Get(ctx, merchant, name)
		switch {
		case err != nil || p.Same(tried): // the same: it was written, and the answer was lost on its way
			return p, err
		case booked && p.Version < tried.Version:
			return p, ErrConflict
		}
		now := b.Payouts.Now().UTC().Truncate(time.Millisecond)
		next, err := decide(p, now)
		if err != nil || next.Version == p.Version {
			return p, err
		}
		t := transaction{Books: b, before: p, after: next, now: now}
		if err := t.write(ctx); err != nil {
			return p, err
		}
		err = t.commit(ctx)
		var cancelled *dynamo.Cancelled
		switch {
		case err == nil:
			return t.after, nil
		case !errors.As(err, &cancelled):
			return p, err
		}
		tried, booked = t.after, t.booked(cancelled)
		if err := b.Sleep(ctx, time.Duration(b.Random(int64(min(firstPause<<try, mostPause))))); err != nil {
			return p, err
		}
	}
	return payout.Payout{}, errBusy
}

// transaction is one move in the making.
type transaction struct {
	Books
	before, after payout.Payout
	now           time.Time
	entries       []ledger.Entry
	accounts      []*account
}

// account is a part of one, as it was read, and what is added to it.
type account struct {
	ledger.Balance
	entries []ledger.Entry
}

// write works out what the move changes in the book.
func (t *transaction) write(ctx context.Context) error {
	c := changeOf(t.before, t.after)
	if c.money == "" {
		return nil
	}
	if c.money == ledger.Reserve && t.after.Round == 0 {
		if err := t.reserve(ctx); err != nil {
			return err
		}
	}
	var sum money.Amount
	for _, part := range t.after.Parts {
		if err := t.enter(ctx, c, t.after.Asset, t.after.Decimals, part.Shard, c.money, part.Amount); err != nil {
			return err
		}
		sum = sum.Add(part.Amount)
	}
	if sum.Cmp(t.after.Amount) != 0 {
		return fmt.Errorf("%w: %s and %s", ErrParts, sum, t.after.Amount)
	}
	if c.fee.Sign() == 0 {
		return nil
	}
	coin, decimals, err := t.coin()
	if err != nil {
		return err
	}
	return t.enter(ctx, c, coin, decimals, t.after.Parts[0].Shard, c.fees, c.fee)
}

// reserve chooses the parts of the account that give the money.
func (t *transaction) reserve(ctx context.Context) error {
	balances, err := t.Ledger.Parts(ctx, t.after.PK, t.after.Asset)
	if err != nil {
		return err
	}
	parts, touched, err := take(t.after, balances)
	if err != nil {
		return err
	}
	t.after.Parts = parts
	for _, b := range touched {
		t.accounts = append(t.accounts, &account{Balance: b})
	}
	return nil
}

// enter adds an entry to the transaction and to its account.
func (t *transaction) enter(ctx context.Context, c change, asset money.Asset, decimals, shard int, kind ledger.Kind, amount money.Amount) error {
	a, err := t.account(ctx, asset, decimals, shard)
	switch {
	case err != nil:
		return err
	case a.Decimals != decimals:
		return fmt.Errorf("%w: %s with %d decimals, and %d", ErrUnit, asset, a.Decimals, decimals)
	}
	of := ledger.Outgoing{
		Merchant: t.after.PK, Payout: t.after.ID, AskedAt: t.after.CreatedAt, Chain: t.after.Chain(), Tx: c.tx, Round: t.after.Round,
	}
	e := of.Entry(a.Balance, kind, legsOf(kind, amount), t.now)
	t.entries, a.entries = append(t.entries, e), append(a.entries, e)
	return nil
}

// account finds a part of an account among those that were read, or reads it.
func (t *transaction) account(ctx context.Context, asset money.Asset, decimals, shard int) (*account, error) {
	for _, a := range t.accounts {
		if a.Asset == asset && a.Shard == shard {
			return a, nil
		}
	}
	b, err := t.Ledger.Balance(ctx, t.after.PK, asset, decimals, shard)
	a := &account{Balance: b}
	t.accounts = append(t.accounts, a)
	return a, err
}

// coin is what fees are paid in. Where it is not watched, and so has no decimals, it is counted as EVM chains count it.
func (t *transaction) coin() (money.Asset, int, error) {
	c, ok := t.Payouts.Assets.Chain(t.after.Chain())
	if !ok {
		return "", 0, fmt.Errorf("book: the chain %s is not configured", t.after.Chain())
	}
	const wei = 18
	return c.NativeAsset(), cmp.Or(c.Native.Decimals, wei), nil
}

// commit makes the transaction: entries first, so that a cancellation's positions are the entries' own.
func (t *transaction) commit(ctx context.Context) error {
	var writes []dynamo.Write
	for _, e := range t.entries {
		writes = append(writes, dynamo.Write{Table: t.Ledger.Entries, Item: e})
	}
	for _, a := range t.accounts {
		writes = append(writes, dynamo.Write{Table: t.Ledger.Balances, Item: a.Add(t.now, a.entries...), Expected: a.Expected()})
	}
	writes = append(writes, dynamo.Write{Table: t.Payouts.Payouts, Item: t.after, Expected: &t.before.Version})
	return dynamo.Transact(ctx, t.Payouts.Payouts.Client, writes)
}

// booked says that an entry of the transaction is there already.
func (t *transaction) booked(why *dynamo.Cancelled) bool {
	for i := range why.Exists {
		if i < len(t.entries) {
			return true
		}
	}
	return false
}
