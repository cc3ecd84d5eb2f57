package credit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/cloud"
	"farrier/shared/deposit"
	"farrier/shared/dynamo"
	"farrier/shared/ledger"
	"farrier/shared/payment"
	"farrier/shared/stream"
)

// Crediter books deposits.
type Crediter struct {
	Deposits dynamo.Table
	Payments dynamo.Table
	Ledger   ledger.Store
	Metrics  cloud.Metrics
	Log      *slog.Logger
	Now      cloud.Clock
	Random   *rand.Rand                                       // for jitter
	Sleep    func(ctx context.Context, d time.Duration) error // between tries
}

const (
	// stepsAtOnce keeps a transaction within its limit: each step is an entry and at most one payment, and there is one balance.
	stepsAtOnce = (dynamo.MaxWrites - 1) / 2
	tries       = 8
	firstPause  = 20 * time.Millisecond
)

func (c *Crediter) now() time.Time { return c.Now().UTC().Truncate(time.Millisecond) }

// Handle books what the records' deposits need. It is the Handle of a stream.Consumer.
func (c *Crediter) Handle(ctx context.Context, records []events.DynamoDBEventRecord) []error {
	answers := make([]error, len(records))
	byDeposit, byAccount := groups[int]{}, groups[step]{} // which records ask for a deposit, which steps an account needs
	for i, record := range records {
		byDeposit.add(dynamo.StreamKey(record), i)
	}
	tell := func(key dynamo.Key, err error) {
		for _, i := range byDeposit.of[key] {
			var unfit stream.Unfit
			if answers[i] == nil || errors.As(answers[i], &unfit) {
				answers[i] = err // trouble goes before unfitness, which the next run finds again
			}
		}
	}
	for _, key := range byDeposit.keys {
		steps, err := c.steps(ctx, key)
		if err != nil {
			tell(key, err)
		}
		for _, s := range steps {
			account := ledger.BalanceKey(s.deposit.Merchant, s.deposit.Asset, s.deposit.Shard)
			account.SK += "/" + strconv.Itoa(s.deposit.Decimals) // so that amounts in another unit never lie among them
			byAccount.add(account, s)
		}
	}
	for _, account := range byAccount.keys {
		steps := byAccount.of[account]
		slices.SortFunc(steps, inOrder)
		for chunk := range slices.Chunk(steps, stepsAtOnce) {
			for key, err := range c.book(ctx, chunk) {
				tell(key, err)
			}
		}
	}
	return answers
}

// groups are values by key, the keys in the order in which they came first.
type groups[T any] struct {
	keys []dynamo.Key
	of   map[dynamo.Key][]T
}

func (g *groups[T]) add(key dynamo.Key, value T) {
	if g.of == nil {
		g.of = map[dynamo.Key][]T{}
	}
	if _, known := g.of[key]; !known {
		g.keys = append(g.keys, key)
	}
	g.of[key] = append(g.of[key], value)
}

// inOrder sorts the steps of an account the way its entries lie in the book.
func inOrder(a, b step) int {
	return slices.Compare([]string{ledger.Slot(a.deposit, a.round, a.kind)}, []string{ledger.Slot(b.deposit, b.round, b.kind)})
}

// steps reads a deposit as it stands and decides what it still needs.
func (c *Crediter) steps(ctx context.Context, key dynamo.Key) ([]step, error) {
	var d deposit.Deposit
	if err := c.Deposits.Get(ctx, key, &d); err != nil {
		if errors.Is(err, dynamo.ErrMissing) {
			return nil, stream.Unfit{Reason: fmt.Errorf("deposit %s %s does not exist", key.PK, key.SK)}
		}
		return nil, err
	}
	if d.Round == 0 { // never taken back: no entry can be there but its credit, which the transaction itself finds
		return stepsFor(d, nil), nil
	}
	has, err := c.Ledger.Of(ctx, d)
	if err != nil {
		return nil, err
	}
	return stepsFor(d, has), nil
}

// book writes the steps of one account in one transaction. It answers by deposit for those that failed.
func (c *Crediter) book(ctx context.Context, steps []step) map[dynamo.Key]error {
	failed := map[dynamo.Key]error{}
	for try := 0; len(steps) > 0; try++ {
		b, err := c.open(ctx, steps)
		if err == nil {
			err = c.commit(ctx, b)
		}
		var cancelled *dynamo.Cancelled
		switch {
		case err == nil:
			c.told(b)
			return failed
		case !errors.As(err, &cancelled):
			return everyOne(failed, steps, err)
		case try == tries:
			return everyOne(failed, steps, fmt.Errorf("given up after %d tries: %w", tries, err))
		}
		steps = c.without(steps, b.entries, cancelled.Exists, failed)
		if err := c.pause(ctx, try, cancelled); err != nil {
			return everyOne(failed, steps, err)
		}
	}
	return failed
}

// open reads what the steps change and works out the change.
func (c *Crediter) open(ctx context.Context, steps []step) (*books, error) {
	d := steps[0].deposit
	balance, err := c.Ledger.Balance(ctx, d.Merchant, d.Asset, d.Decimals, d.Shard)
	if err != nil {
		return nil, err
	}
	if balance.Decimals != d.Decimals {
		c.Metrics.Count("EntryConflict", 1, map[string]string{"deposit": d.ID})
		return nil, stream.Unfit{Reason: fmt.Errorf("the account counts %s with %d decimals, and the deposit with %d", balance.Asset, balance.Decimals, d.Decimals)}
	}
	b := &books{balance: balance, payments: map[string]*move{"": nil}} // what names no payment counts for none
	for _, s := range steps {
		if _, read := b.payments[s.deposit.Payment]; read {
			continue
		}
		var p payment.Payment
		err := c.Payments.Get(ctx, dynamo.Key{PK: s.deposit.Merchant, SK: s.deposit.Payment}, &p)
		switch {
		case errors.Is(err, dynamo.ErrMissing): // its request was stopped before the payment was written, yet the address was paid
			b.payments[s.deposit.Payment] = nil
		case err != nil:
			return nil, err
		default:
			b.payments[s.deposit.Payment] = &move{before: p, after: p}
		}
	}
	return b, b.write(c, steps)
}

// commit makes the transaction: entries first, so that a cancellation's positions are the entries' own.
func (c *Crediter) commit(ctx context.Context, b *books) error {
	var writes []dynamo.Write
	for _, e := range b.entries {
		writes = append(writes, dynamo.Write{Table: c.Ledger.Entries, Item: e})
	}
	writes = append(writes, dynamo.Write{Table: c.Ledger.Balances, Item: b.balance.Add(c.now(), b.entries...), Expected: b.balance.Expected()})
	for _, name := range slices.Sorted(maps.Keys(b.payments)) {
		if m := b.payments[name]; m != nil && len(m.events) > 0 {
			writes = append(writes, dynamo.Write{Table: c.Payments, Item: m.after.Next(c.now(), m.events...), Expected: &m.before.Version})
		}
	}
	return dynamo.Transact(ctx, c.Ledger.Entries.Client, writes)
}

// without leaves out the steps whose entry is in the book already. One that says something else is an
// alarm: the first stands, and the deposit is set aside.
func (c *Crediter) without(steps []step, entries []ledger.Entry, exists map[int]dynamo.Item, failed map[dynamo.Key]error) []step {
	var rest []step
	for i, s := range steps {
		item, booked := exists[i]
		if !booked {
			rest = append(rest, s)
			continue
		}
		if err := c.compare(entries[i], item); err != nil {
			failed[s.deposit.Key()] = err
		}
	}
	return rest
}

// errOvertaken: the deposit's steps were decided from a book that another writer has changed since.
var errOvertaken = errors.New("credit: the book has changed; decide again")

// compare decides what it means that an entry's place in the book is taken.
func (c *Crediter) compare(e ledger.Entry, item dynamo.Item) error {
	var stored ledger.Entry
	if err := dynamo.Unmarshal(item, &stored); err != nil {
		return stream.Unfit{Reason: err}
	}
	switch {
	case stored.Same(e):
		return nil
	case e.Kind == ledger.Credit && stored.Kind == ledger.Void:
		return nil // the chain had taken the deposit back before
	case e.Kind == ledger.Void && stored.Kind == ledger.Credit:
		return errOvertaken // now it needs a reversal
	default:
		c.Metrics.Count("EntryConflict", 1, map[string]string{"deposit": e.Deposit})
		return stream.Unfit{Reason: fmt.Errorf("entry %s is in the book and says something else", e.SK)}
	}
}

// pause waits before the next try, where another writer was in the way: up to twice as long each time.
func (c *Crediter) pause(ctx context.Context, try int, why *dynamo.Cancelled) error {
	if !why.Busy && len(why.Stale) == 0 {
		return nil
	}
	most := firstPause << try
	return c.Sleep(ctx, time.Duration(c.Random.Int64N(int64(most))))
}

// told counts what an operator wants to know of.
func (c *Crediter) told(b *books) {
	for _, e := range b.entries {
		c.Log.Info("booked", "kind", e.Kind, "entry", e.ID, "deposit", e.Deposit, "payment", e.Payment)
		if e.Kind == ledger.Reversal && e.Object == "" { // what a provider paid back is no trouble
			c.Metrics.Count("CreditReversed", 1, map[string]string{"deposit": e.Deposit, "merchant": e.Merchant})
		}
	}
}

func everyOne(failed map[dynamo.Key]error, steps []step, err error) map[dynamo.Key]error {
	for _, s := range steps {
		failed[s.deposit.Key()] = err
	}
	return failed
}
