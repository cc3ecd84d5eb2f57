package proof

import (
	"context"
	"log/slog"

	"farrier/shared/chain"
	"farrier/shared/cloud"
	"farrier/shared/deposit"
	"farrier/shared/dynamo"
	"farrier/shared/watch"
)

// newWatch is one invocation of watch over the world's chain: a fresh watcher each time, as after a cold start.
func newWatch(w *World, table func(function, notion string) dynamo.Table, config chain.Config, metrics cloud.Metrics, log *slog.Logger) func(context.Context) error {
	return func(ctx context.Context) error {
		watcher := &watch.Watcher{
			Config: config, Node: w.Chain, Passes: table("watch", "passes"), Owners: watch.Owners{Table: table("watch", "addresses")},
			Deposits: deposit.Store{Table: table("watch", "deposits"), Metrics: metrics}, Now: w.Now, Log: log,
		}
		_, err := watcher.Pass(ctx)
		return err
	}
}
