package stream_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"farrier/shared/parts"
	"farrier/shared/stream"
)

func record(sequence string) events.DynamoDBEventRecord {
	return events.DynamoDBEventRecord{EventID: "event-" + sequence, EventSource: "aws:dynamodb", Change: events.DynamoDBStreamRecord{
		SequenceNumber: sequence, Keys: map[string]events.DynamoDBAttributeValue{"pk": events.NewStringAttribute(sequence), "sk": events.NewStringAttribute("x")},
	}}
}

func invoke(t *testing.T, c stream.Consumer, payload any) []string {
	t.Helper()
	text, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.Invoke(context.Background(), text)
	if err != nil {
		t.Fatal(err)
	}
	failed := []string{}
	for _, f := range answer.BatchItemFailures {
		failed = append(failed, f.ItemIdentifier)
	}
	return failed
}

func TestARecordUnfitForItsContentIsSetAsideAndTheStreamGoesOn(t *testing.T) {
	aside := parts.Queue(t)
	c := stream.Consumer{Aside: aside, Log: slog.New(slog.DiscardHandler), Handle: stream.Each(func(_ context.Context, r events.DynamoDBEventRecord) error {
		switch r.Change.SequenceNumber {
		case "2":
			return stream.Unfit{Reason: errors.New("nonsense")}
		case "4":
			return errors.New("the table is away")
		}
		return nil
	})}
	if failed := invoke(t, c, events.DynamoDBEvent{Records: []events.DynamoDBEventRecord{record("1"), record("2"), record("3")}}); len(failed) != 0 {
		t.Errorf("comes again: %v", failed)
	}
	if failed := invoke(t, c, events.DynamoDBEvent{Records: []events.DynamoDBEventRecord{record("3"), record("4"), record("5")}}); strings.Join(failed, " ") != "4" {
		t.Errorf("trouble at 4: %v comes again", failed)
	}
	out, err := aside.Client.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{QueueUrl: &aside.URL, MaxNumberOfMessages: 10})
	if err != nil || len(out.Messages) != 1 {
		t.Fatalf("%d letters, %v", len(out.Messages), err)
	}
	var letter stream.Aside
	if err := json.Unmarshal([]byte(*out.Messages[0].Body), &letter); err != nil || letter.Reason != "nonsense" || letter.Record.Change.SequenceNumber != "2" {
		t.Errorf("%+v, %v", letter, err)
	}
}

func TestALetterThatIsPutBackGoesThroughTheSameFunction(t *testing.T) {
	var seen []string
	c := stream.Consumer{Log: slog.New(slog.DiscardHandler), Handle: stream.Each(func(_ context.Context, r events.DynamoDBEventRecord) error {
		seen = append(seen, r.Change.SequenceNumber)
		return nil
	})}
	whole, _ := json.Marshal(stream.Aside{Reason: "nonsense", Record: record("2")})
	position := `{"requestContext":{"condition":"RecordAgeExceeded"},"DDBStreamBatchInfo":{"shardId":"shardId-1","startSequenceNumber":"7"}}`
	failed := invoke(t, c, events.SQSEvent{Records: []events.SQSMessage{
		{MessageId: "whole", EventSource: "aws:sqs", Body: string(whole)},
		{MessageId: "position", EventSource: "aws:sqs", Body: position},
		{MessageId: "garbage", EventSource: "aws:sqs", Body: "{"},
	}})
	if strings.Join(seen, " ") != "2" || strings.Join(failed, " ") != "position garbage" {
		t.Errorf("handled %v, come again %v", seen, failed)
	}
}
