package register

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/parts"
)

// TestCostOfTellingOfNewAddresses: a payment's way has no write more. A batch of the stream costs reads once a minute for
// each merchant, and what a provider is told of is sent in one request for up to ten connections.
func TestCostOfTellingOfNewAddresses(t *testing.T) {
	w := newWorld(t)
	w.connect(merchantA, "alchemy", webhookA)
	w.connect(merchantA, "alchemy", webhookB)
	asked := map[string]int{}
	counted := middleware.InitializeMiddlewareFunc("Counted", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		asked[middleware.GetOperationName(ctx)]++
		return next.HandleInitialize(ctx, in)
	})
	connections := w.connections
	connections.Table.Client = dynamodb.NewFromConfig(parts.Config(t, "FARRIER_TEST_DYNAMODB"), func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error { return s.Initialize.Add(counted, middleware.After) })
	})
	w.function.Records.Handle = (&Dispatcher{Connections: connections, Jobs: w.jobs, Now: w.connections.Now}).Handle
	for batch := range 3 {
		var records []events.DynamoDBEventRecord
		for i := range 100 {
			records = append(records, born(merchantA, 100*batch+i))
		}
		if again := w.streamed(records...); len(again) != 0 {
			t.Fatalf("%v come again", again)
		}
		w.now = w.now.Add(time.Second)
	}
	if want := map[string]int{"Query": 1, "GetItem": 2}; !maps.Equal(asked, want) {
		t.Errorf("300 addresses of a merchant with two connections ask for %v, want %v", asked, want)
	}
	if jobs := w.taken(w.jobs); len(jobs) != 6 {
		t.Errorf("%d jobs for three batches and two connections", len(jobs))
	}
}
