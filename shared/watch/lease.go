package watch

import (
	"context"
	"errors"
	"time"

	"farrier/shared/chain"
	"farrier/shared/dynamo"
)

// lease keeps two invocations from looping over one chain at the same time, which would only cost calls
// to the node: the journal stands up to any number of watchers. Looks take no lease, so that a callback
// never waits for a loop that rests.
type lease struct {
	PK        string `dynamodbav:"pk"` // chain
	SK        string `dynamodbav:"sk"` // always "lease"
	Holder    string `dynamodbav:"held_by"`
	HeldUntil int64  `dynamodbav:"held_until"` // Unix seconds
}

// takeLease says whether the chain is the holder's until then. A lease ends by itself: there is none to
// give back for an invocation that was killed.
func takeLease(ctx context.Context, table dynamo.Table, c chain.ID, holder string, now, until time.Time) (bool, error) {
	err := table.PutIf(ctx, lease{PK: string(c), SK: "lease", Holder: holder, HeldUntil: until.Unix()},
		"attribute_not_exists(pk) OR held_until <= :now OR held_by = :holder",
		map[string]any{":now": now.Unix(), ":holder": holder})
	if errors.Is(err, dynamo.ErrStale) {
		return false, nil
	}
	return err == nil, err
}
