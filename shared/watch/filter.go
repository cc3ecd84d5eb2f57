package watch

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bits-and-blooms/bloom/v3"
	"golang.org/x/sync/errgroup"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/wallet"
)

// Filter knows all addresses that are ours, in little memory, and may take a few others for them: it says which
// recipients of a block need not be looked up, and the table of addresses decides about the rest. One serves all watchers
// of a process.
//
// It is never older than the block that it lets pass. Its base are the keys of the table, read with strong consistency
// from a moment on. Whatever was made since is in the roster, where a row is stored before its address, which is stored
// before anybody is told of it, before its payer can sign and before its block is made: so the roster is read, with strong
// consistency, after the block was fetched and before it is judged, back to where nothing can have been added since the
// last time (wallet.Margin). Where that fails, the pass fails and is made again. While there is no base, the table is asked about everything.
type Filter struct {
	Addresses dynamo.Table
	Roster    *wallet.Roster
	Now       cloud.Clock
	Log       *slog.Logger
	AtOnce    int // parts of the table that are read at the same time; 0 for 4

	base    atomic.Pointer[base]
	loading sync.Mutex
}

// FilterOver is the filter before a table of addresses, or nil where no roster is kept.
func FilterOver(addresses dynamo.Table, roster *wallet.Roster, now cloud.Clock, log *slog.Logger) *Filter {
	if roster == nil {
		return nil
	}
	return &Filter{Addresses: addresses, Roster: roster, Now: now, Log: log}
}

const (
	parts = 4
	// wrong is how often a generation takes a stranger's address for ours; each is asked in turn, so their chances add up.
	wrong = 2e-5
	// A generation that is full is followed by one for an eighth as many addresses as there are, and no less than these.
	growth, smallest = 8, 1 << 14
	// stale is how old a base may become without having read the roster: half as long as rows are kept. Only a process that
	// was frozen for so long meets it.
	stale = wallet.RosterIs / 2
)

// Load reads the base, where there is none. What goes wrong is told and tried again at the next call: until then
// the watch asks the table.
func (f *Filter) Load(ctx context.Context) {
	if f == nil || f.base.Load() != nil || !f.loading.TryLock() {
		return
	}
	defer f.loading.Unlock()
	began := f.Now()
	loaded, err := cloud.Guarded(func() (*base, error) { return f.load(ctx, began) })
	if err != nil {
		f.Log.ErrorContext(ctx, "the addresses could not be read into the filter", "error", err.Error())
		return
	}
	// Told before it is shared: from then on the watchers add to it.
	f.Log.InfoContext(ctx, "the filter holds all addresses", "addresses", loaded.holds, "bytes", loaded.bytes(), "took", f.Now().Sub(began).String())
	f.base.Store(loaded)
}

func (f *Filter) load(ctx context.Context, began time.Time) (*base, error) {
	of := cmp.Or(f.AtOnce, parts)
	b := &base{seed: maphash.MakeSeed(), upTo: began.Add(-wallet.Margin)}
	sums := make([][]uint64, of)
	reading, ctx := errgroup.WithContext(ctx)
	for part := range of {
		reading.Go(func() error {
			return f.Addresses.EachKey(ctx, int32(part), int32(of), func(k dynamo.Key) { // #nosec G115 -- a few
				if wallet.IsAddress(k) {
					sums[part] = append(sums[part], b.sum(k.PK))
				}
			})
		})
	}
	if err := reading.Wait(); err != nil {
		return nil, err
	}
	count := 0
	for _, some := range sums {
		count += len(some)
	}
	b.grow(max(count, smallest))
	for _, some := range sums {
		for _, sum := range some {
			b.add(sum)
		}
	}
	return b, nil
}

// perhaps are those of the addresses, which a block names that has been fetched, that may be ours.
func (f *Filter) perhaps(ctx context.Context, family string, addresses []string) ([]string, error) {
	if f == nil || len(addresses) == 0 {
		return addresses, nil
	}
	b := f.base.Load()
	if b != nil && f.Now().Sub(b.readTo()) > stale {
		f.base.CompareAndSwap(b, nil)
		b = nil
	}
	if b == nil {
		return addresses, nil
	}
	if err := f.catchUp(ctx, b); err != nil {
		return nil, fmt.Errorf("roster: %w", err)
	}
	return b.among(family, addresses), nil
}

// catchUp adds what has been entered in the roster since it was read last.
func (f *Filter) catchUp(ctx context.Context, b *base) error {
	began := f.Now()
	var entered []string
	if err := f.Roster.Since(ctx, b.readTo(), func(address string) { entered = append(entered, address) }); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, address := range entered {
		b.add(b.sum(address))
	}
	if to := began.Add(-wallet.Margin); to.After(b.upTo) {
		b.upTo = to
	}
	return nil
}

// base is a set of addresses that answers "perhaps" or "surely not". It grows by generations.
type base struct {
	seed maphash.Seed

	mu          sync.RWMutex
	generations []*bloom.BloomFilter
	left        int // room in the newest
	holds       int
	upTo        time.Time // every row of the roster that bears an earlier time is in
}

func (b *base) readTo() time.Time {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.upTo
}

// sum stands for an address by the partition key of its item.
func (b *base) sum(address string) uint64 { return maphash.String(b.seed, address) }

func word(sum uint64) []byte { return binary.LittleEndian.AppendUint64(nil, sum) }

func (b *base) grow(room int) {
	b.generations, b.left = append(b.generations, bloom.NewWithEstimates(uint(room), wrong)), room // #nosec G115 -- positive
}

// add takes an address in, unless it seems to be there. The caller holds the lock.
func (b *base) add(sum uint64) {
	if b.may(sum) {
		return
	}
	if b.left == 0 {
		b.grow(max(b.holds/growth, smallest))
	}
	b.generations[len(b.generations)-1].Add(word(sum))
	b.left--
	b.holds++
}

func (b *base) may(sum uint64) bool {
	for _, g := range b.generations {
		if g.Test(word(sum)) {
			return true
		}
	}
	return false
}

// among are the addresses of a family that may be ours.
func (b *base) among(family string, addresses []string) []string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []string
	for _, address := range addresses {
		if b.may(b.sum(wallet.KeyOf(family, address).PK)) {
			out = append(out, address)
		}
	}
	return out
}

// bytes is the memory that the generations take.
func (b *base) bytes() int {
	bits := uint(0)
	for _, g := range b.generations {
		bits += g.Cap()
	}
	return int(bits / 8) // #nosec G115 -- fits
}
