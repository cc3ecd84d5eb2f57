package idempotency

import (
	"context"
	"io"
	"time"
)

// Run is the right to do a call's work, once. Whatever a second run of the same call has to make again
// is made from At and Random.
type Run struct {
	At     time.Time // of the first call
	Random io.Reader // the same bytes in every run

	store   Store
	record  record
	dataKey []byte
}

// Keep makes the answer the one that is given again. After an error the answer is still true: a later
// call makes the same thing again.
func (r *Run) Keep(ctx context.Context, a Answer) error {
	sealed, err := sealUnder(r.dataKey, r.record.PK, a, r.store.Random)
	if err != nil {
		return err
	}
	r.record.Answer = sealed
	return r.write(ctx)
}

// Release frees the key for the same request at once: this run failed for a reason that was not the caller's.
func (r *Run) Release(ctx context.Context) error {
	r.record.LeaseUntil = r.store.Now().UTC().Truncate(time.Millisecond)
	return r.write(ctx)
}

func (r *Run) write(ctx context.Context) error {
	r.record.Version++
	return r.store.Table.Replace(ctx, r.record, r.record.Version-1)
}
