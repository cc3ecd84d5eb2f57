package interpreter

import (
	"context"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"farrier/shared/callback"
	"farrier/shared/dynamo"
	"farrier/shared/queue"
	"farrier/shared/stream"
)

// Again asks interpret, by its own queue, to read a receipt as it stands now. Twice does no harm: what the first reading
// changes about the receipt, the second finds changed.
func Again(ctx context.Context, to queue.Queue, receipt callback.Receipt) error {
	stored, _ := dynamo.Must(receipt).(*types.AttributeValueMemberM)
	image := dynamo.Told(stored.Value)
	return to.Send(ctx, queue.Message{Body: stream.Aside{Reason: "read again", Record: events.DynamoDBEventRecord{
		EventID: receipt.PK + "/" + receipt.SK, EventName: string(events.DynamoDBOperationTypeInsert), EventSource: "aws:dynamodb",
		Change: events.DynamoDBStreamRecord{
			Keys:     map[string]events.DynamoDBAttributeValue{"pk": image["pk"], "sk": image["sk"]},
			NewImage: image, StreamViewType: "NEW_IMAGE",
		},
	}}})
}
