package register

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/stream"
)

// Function is both halves as one Lambda function.
type Function struct {
	Records   stream.Consumer // with a Dispatcher's Handle
	Registrar *Registrar
}

// Invoke is the Lambda handler of the streams and of the queue. In the queue there are jobs, and records that were set
// aside and are put back.
func (f Function) Invoke(ctx context.Context, payload json.RawMessage) (events.SQSEventResponse, error) {
	var batch struct {
		Records []struct {
			events.SQSMessage
			Source string `json:"eventSource"`
		}
	}
	if err := json.Unmarshal(payload, &batch); err != nil || len(batch.Records) == 0 || batch.Records[0].Source != "aws:sqs" {
		return f.Records.Invoke(ctx, payload)
	}
	var jobs, aside events.SQSEvent
	for _, m := range batch.Records {
		m.EventSource = m.Source
		if _, is := parseJob(m.Body); is {
			jobs.Records = append(jobs.Records, m.SQSMessage)
		} else {
			aside.Records = append(aside.Records, m.SQSMessage)
		}
	}
	answer := f.Registrar.Invoke(ctx, jobs)
	if len(aside.Records) == 0 {
		return answer, nil
	}
	text, err := json.Marshal(aside)
	if err != nil {
		return answer, fmt.Errorf("register: %w", err)
	}
	other, err := f.Records.Invoke(ctx, text)
	answer.BatchItemFailures = append(answer.BatchItemFailures, other.BatchItemFailures...)
	return answer, err
}
