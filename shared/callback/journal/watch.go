package journal

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"farrier/shared/callback"
	"farrier/shared/cloud"
)

// Watch tells of connections that are quiet: nothing came for longer than their quiet_after. It is run each minute.
type Watch struct {
	Connections callback.Connections
	Journal     Journal
	Metrics     cloud.Metrics
	Log         *slog.Logger

	next map[string]time.Time // connection → when it is looked at again
}

// often is how long a connection that is not quiet goes unread at the most: what is changed about it is seen then.
const often = 5 * time.Minute

// atOnce is how many connections are looked at side by side.
const atOnce = 10

// Run looks at every connection that is watched. Trouble with one keeps it from no other.
func (w *Watch) Run(ctx context.Context) error {
	watched, err := w.Connections.WatchList(ctx)
	if err != nil {
		return err
	}
	again, troubles := make([]time.Time, len(watched)), make([]error, len(watched))
	for from := 0; from < len(watched); from += atOnce {
		var some sync.WaitGroup
		for i := from; i < min(from+atOnce, len(watched)); i++ {
			some.Go(func() { again[i], troubles[i] = w.look(ctx, watched[i]) })
		}
		some.Wait()
	}
	w.next = map[string]time.Time{} // forgets those that are watched no more
	for i, connection := range watched {
		w.next[connection] = again[i]
	}
	return errors.Join(troubles...)
}

// look looks at a connection, where it is time, and says when to look again.
func (w *Watch) look(ctx context.Context, connection string) (again time.Time, err error) {
	now := w.Journal.Now()
	if again = w.next[connection]; now.Before(again) {
		return again, nil
	}
	c, err := w.Connections.Get(ctx, connection)
	if errors.Is(err, callback.ErrUnknown) {
		return now, nil // it is on the list before it is made
	}
	if err != nil {
		return now, err
	}
	if c.WatchedSince.IsZero() {
		return now.Add(often), nil // it was watched before
	}
	latest, err := w.Journal.Latest(ctx, connection)
	if err != nil {
		return now, err
	}
	if !c.Quiet(latest, now, Behind) {
		return sooner(now.Add(often), c.QuietFrom(latest, Behind)), nil
	}
	w.Log.WarnContext(ctx, "connection is quiet", "connection", c.ID, "provider", c.Provider, "latest", latest, "quiet_after", c.QuietAfter)
	w.Metrics.Count("ConnectionQuiet", 1, map[string]string{"connection": c.ID, "provider": c.Provider})
	return now, nil
}

func sooner(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
