package lease_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"farrier/shared/lease"
	"farrier/shared/parts"
)

func TestConformanceALeaseHasOneHolderUntilItIsOver(t *testing.T) {
	table, noon := parts.Table(t), time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for i, take := range []struct {
		holder string
		what   string
		after  time.Duration
		held   bool
	}{
		{"a", "x", 0, true}, {"b", "x", 59 * time.Second, false}, {"a", "x", 59 * time.Second, true}, {"b", "y", 59 * time.Second, true},
		{"b", "x", 119 * time.Second, true}, {"a", "x", 120 * time.Second, false},
	} {
		now := noon.Add(take.after)
		held, err := lease.Take(t.Context(), table, take.what, take.holder, now, now.Add(time.Minute))
		if held != take.held || err != nil {
			t.Errorf("%d: %t, %v", i, held, err)
		}
	}
}

func TestTheHolderIsTheInvocation(t *testing.T) {
	ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: "r1"})
	if lease.Holder(ctx) != "r1" || lease.Holder(context.Background()) != "local" {
		t.Error(lease.Holder(ctx))
	}
}
