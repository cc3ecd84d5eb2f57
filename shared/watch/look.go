package watch

import (
	"context"
	"errors"

	"farrier/shared/chain"
	"farrier/shared/dynamo"
)

// Look makes a pass and then looks at transactions by themselves, where no pass has come upon them yet:
// while the scan is far behind, the payer need not wait for it. It gives those that no block holds yet.
func (w *Watcher) Look(ctx context.Context, txs []string) (unmined []string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.journal.table, w.journal.chain = w.Passes, w.Config.ID
	for range races {
		if _, err = w.pass(ctx); err == nil {
			unmined, err = w.look(ctx, txs)
		}
		if !errors.Is(err, errOvertaken) {
			break
		}
	}
	return unmined, err
}

// look writes what it finds into the journal as a pass over no blocks, so that it is followed like the rest.
func (w *Watcher) look(ctx context.Context, txs []string) (unmined []string, err error) {
	// What is final is read before the transactions are: a block that goes while they are read is then not called final.
	head, final, err := w.head(ctx)
	if err != nil && !errors.Is(err, chain.ErrUnsure) {
		return nil, err
	}
	var news []finding
	var looked []string
	for _, tx := range txs {
		if w.journal.follows(tx) {
			continue
		}
		found, err := w.inTransaction(ctx, tx, final)
		if errors.Is(err, chain.ErrNotFound) {
			unmined = append(unmined, tx)
			continue
		}
		if err != nil {
			return nil, err
		}
		found, err = w.unknown(ctx, found)
		if err != nil {
			return nil, err
		}
		if len(found) > 0 {
			news, looked = append(news, found...), append(looked, tx)
		}
	}
	if len(news) == 0 {
		return unmined, nil
	}
	newest := w.journal.newest()
	entry, err := w.record(ctx, newest, Entry{
		Number: newest.Number + 1, Base: newest.Number, At: w.Now(), Looked: looked,
		From: newest.To + 1, To: newest.To, Hash: newest.Hash, After: newest.Final, Final: newest.Final,
	}, w.journal.unnamed(news))
	if err != nil {
		return nil, err
	}
	w.Log.InfoContext(ctx, "found ahead of the scan", "chain", w.Config.ID, "transactions", len(looked), "scanned", newest.To, "head", head.Height)
	return unmined, w.apply(ctx, entry, news, final)
}

// unknown are the findings whose deposits are not stored as they are found.
func (w *Watcher) unknown(ctx context.Context, found []finding) ([]finding, error) {
	var out []finding
	for _, f := range found {
		d, err := w.Deposits.Get(ctx, f.key().at(w.Config.ID))
		if err != nil && !errors.Is(err, dynamo.ErrMissing) {
			return nil, err
		}
		if err != nil || d.BlockHash != f.Block.Hash {
			out = append(out, f)
		}
	}
	return out, nil
}

// follows says whether an entry that is still open names the transaction.
func (j *journal) follows(tx string) bool {
	return len(j.keys(func(_ Entry, k Key) bool { return k.Tx == tx })) > 0
}
