package interpreter

import (
	"context"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/callback"
	"farrier/shared/dynamo"
	"farrier/shared/queue"
	"farrier/shared/stream"
)

// Again asks interpret, by its own queue, to read a receipt as it stands then. Twice does no harm: what the first reading
// changes about the receipt, the second finds changed.
func Again(ctx context.Context, to queue.Queue, receipt callback.Receipt) error {
	return sendKey(ctx, to, receipt, "read again")
}

// sendKey sends a receipt through the function's own queue, by its key.
func sendKey(ctx context.Context, to queue.Queue, receipt callback.Receipt, reason string) error {
	keys := dynamo.Told(dynamo.Item{"pk": dynamo.Must(receipt.PK), "sk": dynamo.Must(receipt.SK)})
	return to.Send(ctx, queue.Message{Body: stream.Aside{Reason: reason, Record: events.DynamoDBEventRecord{
		EventID: receipt.PK + "/" + receipt.SK, EventName: string(events.DynamoDBOperationTypeInsert), EventSource: "aws:dynamodb",
		Change: events.DynamoDBStreamRecord{Keys: keys},
	}}})
}
