// Package queue sends jobs to SQS and reads them in batches.
//
// It promises: Send returns only when SQS has every message (a part that SQS refuses for load is sent
// again); a batch handler answers item by item, so that one bad message never brings back its neighbours.
package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// MaxDelay is the longest that SQS holds a message back
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-delay-queues.html).
const MaxDelay = 15 * time.Minute

// Message is one job.
type Message struct {
	Body  any           // sent as JSON
	Delay time.Duration // up to MaxDelay, in whole seconds, rounded up
	Group string        // of a fair queue: whose share this is (a chain, an endpoint)
}

// Queue is a queue to send to.
type Queue struct {
	Client *sqs.Client
	URL    string
}

// Send sends messages, ten at a time, as SQS allows.
func (q Queue) Send(ctx context.Context, messages ...Message) error {
	for len(messages) > 0 {
		n := min(len(messages), 10)
		if err := q.sendTen(ctx, messages[:n]); err != nil {
			return err
		}
		messages = messages[n:]
	}
	return nil
}

func (q Queue) sendTen(ctx context.Context, messages []Message) error {
	entries := make([]types.SendMessageBatchRequestEntry, len(messages))
	for i, m := range messages {
		body, err := json.Marshal(m.Body)
		if err != nil {
			return fmt.Errorf("queue: %w", err)
		}
		text, name := string(body), strconv.Itoa(i)
		entries[i] = types.SendMessageBatchRequestEntry{Id: &name, MessageBody: &text,
			DelaySeconds: int32((min(m.Delay, MaxDelay) + time.Second - 1) / time.Second)} // #nosec G115 -- at most 900
		if m.Group != "" {
			entries[i].MessageGroupId = &messages[i].Group
		}
	}
	for attempt := 0; ; attempt++ {
		out, err := q.Client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.URL, Entries: entries})
		if err != nil {
			return fmt.Errorf("queue: send: %w", err)
		}
		if len(out.Failed) == 0 {
			return nil
		}
		refused := map[string]bool{}
		for _, f := range out.Failed {
			if f.SenderFault || attempt == 2 {
				return fmt.Errorf("queue: message refused: %s", *f.Code)
			}
			refused[*f.Id] = true
		}
		entries = slices.DeleteFunc(entries, func(e types.SendMessageBatchRequestEntry) bool { return !refused[*e.Id] })
	}
}
