package callback

import (
	"context"
	"errors"
	"sync"
	"time"
)

// KeepFor is how long a process goes on with what it read of a connection.
const KeepFor = time.Minute

// mostKnown bounds the connections in memory, and apart from them the ids that are none's.
const mostKnown = 10_000

// Known are the connections that this process met in the last minute, and the ids that it found to be
// nobody's: so a busy connection costs one read a minute, and a flood of guesses that repeat one more.
// Guesses never push a connection out.
type Known struct {
	Connections Connections

	mu      sync.Mutex
	met     map[string]acquaintance
	nobodys map[string]time.Time // until when
}

type acquaintance struct {
	connection Connection
	until      time.Time
}

// Find is Connections.Get with a memory.
func (k *Known) Find(ctx context.Context, connection string) (Connection, error) {
	if c, err, sure := k.recall(connection); sure {
		return c, err
	}
	c, err := k.Connections.Get(ctx, connection)
	if err == nil || errors.Is(err, ErrUnknown) {
		k.remember(connection, c, err)
	}
	return c, err
}

func (k *Known) recall(connection string) (c Connection, err error, sure bool) { //nolint:staticcheck // the error is what is recalled
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.Connections.Now()
	if a, met := k.met[connection]; met && now.Before(a.until) {
		return a.connection, nil, true
	}
	return Connection{}, ErrUnknown, now.Before(k.nobodys[connection])
}

func (k *Known) remember(connection string, c Connection, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	until := k.Connections.Now().Add(KeepFor)
	if err != nil {
		if k.nobodys == nil || len(k.nobodys) >= mostKnown {
			k.nobodys = map[string]time.Time{}
		}
		k.nobodys[connection] = until
		return
	}
	if k.met == nil || len(k.met) >= mostKnown {
		k.met = map[string]acquaintance{}
	}
	k.met[connection] = acquaintance{c, until}
}
