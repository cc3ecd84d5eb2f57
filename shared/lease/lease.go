// Package lease keeps two invocations from doing the same work side by side, where that would only cost twice.
//
// It promises: a lease has one holder at a time and ends by itself, so that there is none to give back for an invocation that
// was killed. It is no lock: whoever holds one may find that it is over, so nothing may rest on it but what things cost.
package lease

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"farrier/shared/dynamo"
)

// item is a lease as it lies in a table of whoever takes it.
type item struct {
	PK        string `dynamodbav:"pk"` // what is leased
	SK        string `dynamodbav:"sk"` // always "lease"
	Holder    string `dynamodbav:"held_by"`
	HeldUntil int64  `dynamodbav:"held_until"` // Unix seconds
}

// Take says whether something is the holder's until then.
func Take(ctx context.Context, table dynamo.Table, what, holder string, now, until time.Time) (bool, error) {
	err := table.PutIf(ctx, item{PK: what, SK: "lease", Holder: holder, HeldUntil: until.Unix()},
		"attribute_not_exists(pk) OR held_until <= :now OR held_by = :holder",
		map[string]any{":now": now.Unix(), ":holder": holder})
	if errors.Is(err, dynamo.ErrStale) {
		return false, nil
	}
	return err == nil, err
}

// Holder is the invocation that a context is of.
func Holder(ctx context.Context) string {
	if call, ok := lambdacontext.FromContext(ctx); ok && call.AwsRequestID != "" {
		return call.AwsRequestID
	}
	return "local"
}
