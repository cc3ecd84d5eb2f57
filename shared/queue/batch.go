package queue

import (
	"context"
	"log/slog"
	"strconv"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/cloud"
)

// Batch makes a Lambda handler from a function of one message. Messages that fail are named in the
// answer and come again after the queue's visibility time-out; the others are done.
func Batch(log *slog.Logger, metrics cloud.Metrics, f func(context.Context, events.SQSMessage) error) func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
	return func(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
		answer := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
		for _, message := range batch.Records {
			if err := f(ctx, message); err != nil {
				metrics.Count("JobFailed", 1, nil)
				log.WarnContext(ctx, "message comes again", "message", message.MessageId, "error", err)
				answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: message.MessageId})
			}
		}
		return answer, nil
	}
}

// Receives is how often a message has come, from 1.
func Receives(message events.SQSMessage) int {
	n, err := strconv.Atoi(message.Attributes["ApproximateReceiveCount"])
	if err != nil {
		return 1
	}
	return n
}
