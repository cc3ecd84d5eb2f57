package callback

import (
	"context"
	"errors"
	"sync"
	"time"

	"farrier/shared/id"
)

// KeepFor is how long a process goes on with what it read of a connection.
const KeepFor = time.Minute

// mostKnown bounds the connections in memory, and apart from them the ids that are nobody's.
const mostKnown = 10_000

// Known are the connections that this process met in the last minute, and the ids that it found to be
// nobody's: a busy connection costs one read a minute, and so does a guess that is repeated.
// Guesses never push a connection out.
type Known struct {
	Connections Connections

	mu      sync.Mutex
	met     map[string]answer
	nobodys map[string]answer
}

// answer is what the table said, for a while.
type answer struct {
	connection Connection
	err        error
	until      time.Time
}

// Find is Connections.Get with a memory.
func (k *Known) Find(ctx context.Context, connection string) (Connection, error) {
	if !id.Valid("con", connection) {
		return Connection{}, ErrUnknown
	}
	if a, recalled := k.recall(connection); recalled {
		return a.connection, a.err
	}
	return k.Fresh(ctx, connection)
}

// Fresh reads a connection whatever is remembered of it, and remembers that: for somebody who has just changed it.
func (k *Known) Fresh(ctx context.Context, connection string) (Connection, error) {
	c, err := k.Connections.Get(ctx, connection)
	a := answer{connection: c, err: err, until: k.Connections.Now().Add(KeepFor)}
	switch {
	case err == nil:
		k.remember(&k.met, connection, a)
	case errors.Is(err, ErrUnknown):
		k.remember(&k.nobodys, connection, a)
	}
	return c, err
}

func (k *Known) recall(connection string) (answer, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	a, recalled := k.met[connection]
	if !recalled {
		a, recalled = k.nobodys[connection]
	}
	return a, recalled && k.Connections.Now().Before(a.until)
}

func (k *Known) remember(where *map[string]answer, connection string, a answer) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if *where == nil || len(*where) >= mostKnown {
		*where = map[string]answer{}
	}
	(*where)[connection] = a
}
