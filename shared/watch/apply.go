package watch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"farrier/shared/chain"
	"farrier/shared/deposit"
	"farrier/shared/dynamo"
	"farrier/shared/wallet"
)

// finding is a transfer to one of our addresses.
type finding struct {
	chain.Transfer
	owner   wallet.Address
	settles uint64 // the height that has to be final before it is
	sure    bool   // told alike by as many endpoints as must agree: only then may it be final
}

func (f finding) key() Key {
	k := Key{Merchant: f.owner.Merchant, Payment: f.owner.Payment, Tx: f.Tx, Index: f.Index, Height: f.Block.Height}
	if f.settles != k.Height {
		k.Settles = f.settles
	}
	return k
}

// at is the key without its heights, which change as a transaction is included again.
func (k Key) at(c chain.ID) dynamo.Key { return deposit.KeyOf(k.Merchant, k.Payment, c, k.Tx, k.Index) }

// find gives the deposits that the entry's blocks, and the transactions that it looks at, hold now.
func (w *Watcher) find(ctx context.Context, e Entry) ([]finding, error) {
	var found []finding
	for _, r := range e.ranges() {
		more, err := w.inRange(ctx, r)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	for _, tx := range e.Looked {
		more, err := w.inTransaction(ctx, tx, e.Final)
		if err != nil && !errors.Is(err, chain.ErrNotFound) {
			return nil, err
		}
		found = append(found, more...)
	}
	return found, nil
}

// inRange gives the deposits of a range. What is final is believed as several endpoints tell it.
func (w *Watcher) inRange(ctx context.Context, r heights) ([]finding, error) {
	ask := w.Node.Transfers
	if r.settled {
		ask = w.Node.Settled
	}
	owners := map[string]wallet.Address{}
	transfers, err := ask(ctx, r.from, r.to, w.owned(owners))
	if err != nil {
		return nil, fmt.Errorf("blocks %d to %d: %w", r.from, r.to, err)
	}
	return w.belonging(transfers, owners, r.settled), nil
}

// owned asks the table of addresses and keeps what it answers.
func (w *Watcher) owned(into map[string]wallet.Address) chain.Owned {
	return func(ctx context.Context, addresses []string) (map[string]bool, error) {
		owners, err := w.Owners.Of(ctx, addresses)
		ours := map[string]bool{}
		for address, owner := range owners {
			into[address], ours[address] = owner, true
		}
		return ours, err
	}
}

func (w *Watcher) belonging(transfers []chain.Transfer, owners map[string]wallet.Address, sure bool) []finding {
	var found []finding
	for _, t := range transfers {
		if owner, ours := owners[t.To]; ours {
			found = append(found, finding{Transfer: t, owner: owner, settles: w.Config.Settles(t), sure: sure})
		}
	}
	return found
}

// inTransaction gives the deposits of one transaction. Where its block is final they are sure, or, where the endpoints
// that must agree do not, left to the scan, which has yet to come there.
func (w *Watcher) inTransaction(ctx context.Context, tx string, final uint64) ([]finding, error) {
	block, moved, err := w.Node.Transaction(ctx, tx)
	if err != nil {
		return nil, fmt.Errorf("transaction %s: %w", tx, err)
	}
	if block.Height <= final {
		found, err := w.inFinal(ctx, block.Height)
		if !errors.Is(err, chain.ErrUnsure) || block.Height <= w.journal.newest().Final {
			return slices.DeleteFunc(found, func(f finding) bool { return f.Tx != tx }), err
		}
	}
	var to []string
	for _, t := range moved {
		to = append(to, t.To)
	}
	owners, err := w.Owners.Of(ctx, to)
	return w.belonging(moved, owners, false), err
}

// inFinal gives the deposits of a block that is final.
func (w *Watcher) inFinal(ctx context.Context, height uint64) ([]finding, error) {
	return w.inRange(ctx, heights{height, height, true})
}

// doubtful are the deposits that are to be looked at again if the entry's blocks do not show them: those
// in blocks that it makes final, those that settle by it, and all that were found in blocks that have been
// reorganised away since.
func (w *Watcher) doubtful(e Entry) []Key {
	final := heights{from: e.After + 1, to: e.Final}
	return w.journal.keys(func(from Entry, k Key) bool {
		return from.Number < e.Number && (final.has(k.Height) || final.has(k.settles()) || from.Number > e.Base)
	})
}

// again are the blocks, final for some time, of the deposits that settle by the entry. Their last look is the one that
// makes them final, as it is with all others.
func (w *Watcher) again(e Entry) []uint64 {
	final := heights{from: e.After + 1, to: e.Final}
	var out []uint64
	for _, k := range w.journal.keys(func(_ Entry, k Key) bool { return final.has(k.settles()) && k.Height <= e.After }) {
		out = append(out, k.Height)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// atOnce is how many deposits are written at the same time where nothing else is asked for.
const atOnce = 16

// apply brings the deposits to what the entry says. It may be run again and again, by several watchers:
// each step goes by what the chain says now and what is stored now.
func (w *Watcher) apply(ctx context.Context, e Entry, found []finding, final uint64) error {
	steps, ctx := errgroup.WithContext(ctx)
	steps.SetLimit(cmp.Or(w.AtOnce, atOnce))
	canonical := w.remembering()
	shown := map[dynamo.Key]bool{}
	for _, f := range found {
		shown[f.key().at(w.Config.ID)] = true
		steps.Go(func() error { return w.observe(ctx, f, max(final, e.Final), canonical) })
	}
	for _, k := range w.doubtful(e) {
		if key := k.at(w.Config.ID); !shown[key] {
			shown[key] = true
			steps.Go(func() error { return w.missing(ctx, key, e, canonical) })
		}
	}
	if err := steps.Wait(); err != nil {
		return fmt.Errorf("pass %d: %w", e.Number, err)
	}
	w.applied = max(w.applied, e.Number)
	return nil
}

// canonicalOf says whether a deposit's block is canonical.
type canonicalOf func(ctx context.Context, d deposit.Deposit) (bool, error)

// remembering asks for each height once; about a final deposit, from whom money would be taken back, it asks
// as many endpoints as must agree.
func (w *Watcher) remembering() canonicalOf {
	type question struct {
		height uint64
		sure   bool
	}
	var mu sync.Mutex
	known := map[question]string{}
	return func(ctx context.Context, d deposit.Deposit) (bool, error) {
		mu.Lock()
		defer mu.Unlock()
		q := question{d.Height, d.State == deposit.Final}
		if _, ok := known[q]; !ok {
			ask := w.Node.BlockAt
			if q.sure {
				ask = w.Node.Sure
			}
			at, err := ask(ctx, q.height)
			if err != nil {
				return false, fmt.Errorf("block %d: %w", q.height, err)
			}
			known[q] = at.Hash
		}
		return known[q] == d.BlockHash, nil
	}
}

// observe records a transfer that is in a canonical block. Where its deposit is final in another block,
// that block must be gone: then the deposit is reversed before it begins anew.
func (w *Watcher) observe(ctx context.Context, f finding, final uint64, canonical canonicalOf) error {
	state := deposit.Confirming
	if f.sure && f.settles <= final {
		state = deposit.Final
	}
	_, err := w.Deposits.Observe(ctx, f.owner, f.Transfer, state, w.Now())
	var elsewhere *deposit.ElsewhereError
	if !errors.As(err, &elsewhere) {
		return err
	}
	stored := elsewhere.Stored
	there, err := canonical(ctx, stored)
	switch {
	case err != nil:
		return err
	case there:
		return fmt.Errorf("%w: %s is in the blocks %s and %s", ErrContradiction, f.Tx, stored.BlockHash, f.Block.Hash)
	}
	if err := w.retract(ctx, stored); err != nil {
		return err
	}
	_, err = w.Deposits.Observe(ctx, f.owner, f.Transfer, state, w.Now())
	return err
}

// missing decides about a deposit that was found once and that the entry's blocks do not show.
func (w *Watcher) missing(ctx context.Context, key dynamo.Key, e Entry, canonical canonicalOf) error {
	d, err := w.Deposits.Get(ctx, key)
	if errors.Is(err, dynamo.ErrMissing) {
		return nil // named in the journal by a watcher that died, and gone before anybody wrote it
	}
	if err != nil {
		return err
	}
	if d.State == deposit.Dropped || d.State == deposit.Reversed {
		return nil
	}
	there, err := canonical(ctx, d)
	switch {
	case errors.Is(err, chain.ErrNotFound) && d.State != deposit.Final && d.Height > e.Final:
		return nil // above the head, which was made up or rolled back
	case err != nil:
		return err
	case there && !e.scanned(d.Height):
		return nil // it lies elsewhere, where it should
	case there:
		return w.disputed(ctx, d, e)
	case d.State != deposit.Final && d.Height > e.Final:
		return nil // it may come back until its height is final
	}
	return w.retract(ctx, d)
}

func (e Entry) scanned(height uint64) bool {
	return slices.ContainsFunc(e.ranges(), func(r heights) bool { return r.has(height) })
}

// settled says whether the height was scanned as final.
func (e Entry) settled(height uint64) bool {
	return slices.ContainsFunc(e.ranges(), func(r heights) bool { return r.settled && r.has(height) })
}

// disputed decides about a deposit whose block is canonical and was scanned without finding it. Where several endpoints must
// agree, their word about the block once it is final decides: no one endpoint that insists on a transfer can stop the watch.
func (w *Watcher) disputed(ctx context.Context, d deposit.Deposit, e Entry) error {
	switch {
	case w.Agree < 2:
		return w.twoAgainstOne(ctx, d)
	case e.settled(d.Height), d.State == deposit.Final:
		return w.takeBack(ctx, d)
	}
	return nil
}

// twoAgainstOne decides where one endpoint's word is all there is. One of its two answers was wrong, so the transaction is
// asked for as well.
func (w *Watcher) twoAgainstOne(ctx context.Context, d deposit.Deposit) error {
	block, moved, err := w.Node.Transaction(ctx, d.Tx)
	if errors.Is(err, chain.ErrNotFound) {
		return w.takeBack(ctx, d)
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrContradiction, d.Tx, err)
	}
	if block.Hash != d.BlockHash {
		return ErrReorganised
	}
	if slices.ContainsFunc(moved, func(t chain.Transfer) bool { return tells(t, d) }) {
		return fmt.Errorf("%w: %s is in block %d and the scan does not show it", ErrContradiction, d.Tx, d.Height)
	}
	return w.takeBack(ctx, d)
}

// takeBack retracts a deposit that its block does not hold; a final one only where the endpoints that must agree say so.
func (w *Watcher) takeBack(ctx context.Context, d deposit.Deposit) error {
	if d.State == deposit.Final {
		there, err := w.inFinal(ctx, d.Height)
		switch {
		case err != nil:
			return err
		case slices.ContainsFunc(there, func(f finding) bool { return tells(f.Transfer, d) }):
			return fmt.Errorf("%w: %s is in block %d after all", ErrContradiction, d.Tx, d.Height)
		}
	}
	return w.retract(ctx, d)
}

// tells says whether a transfer is the deposit's.
func tells(t chain.Transfer, d deposit.Deposit) bool {
	return t.Tx == d.Tx && t.Index == d.Index && t.To == d.To
}

func (w *Watcher) retract(ctx context.Context, d deposit.Deposit) error {
	state, news, err := w.Deposits.Retract(ctx, d.Key(), d.BlockHash, w.Now())
	if news {
		w.Log.WarnContext(ctx, "deposit gone", "chain", w.Config.ID, "deposit", d.ID, "state", state, "tx", d.Tx, "height", d.Height, "block", d.BlockHash)
	}
	return err
}
