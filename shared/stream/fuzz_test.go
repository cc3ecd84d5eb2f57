package stream_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"reflect"
	"slices"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/stream"
)

// FuzzInvoke: any payload is an error, or is answered with the records that are to come again, and those are the
// first that met trouble and nothing else.
func FuzzInvoke(f *testing.F) {
	whole, _ := json.Marshal(events.DynamoDBEvent{Records: []events.DynamoDBEventRecord{record("1"), record("2")}})
	f.Add(whole, byte(0))
	f.Add(whole, byte(1))
	for _, s := range []string{
		``, `null`, `{}`, `[]`, `{"Records":null}`, `{"Records":[]}`, `{"Records":[null]}`, `{"Records":[{}]}`, `{"Records":{}}`, `{"Records":[{"eventSource":7}]}`,
		`{"Records":[{"dynamodb":{"Keys":{"pk":null,"sk":{}}}}]}`, `{"Records":[{"dynamodb":{"NewImage":{"a":{"BS":[1]}}}}]}`, `{"Records":[{"dynamodb":{"NewImage":{"a":{"L":[null]}}}}]}`,
		`{"Records":[{"eventSource":"aws:sqs","messageId":"m","body":"{}"}]}`, `{"Records":[{"eventSource":"aws:sqs","messageId":"m","body":"{\"record\":{\"dynamodb\":{\"Keys\":{\"pk\":{\"BS\":[1]}}}}}"}]}`,
	} {
		f.Add([]byte(s), byte(0))
	}
	f.Fuzz(func(t *testing.T, payload []byte, fails byte) {
		var handled []events.DynamoDBEventRecord
		c := stream.Consumer{Log: slog.New(slog.DiscardHandler), Handle: func(_ context.Context, records []events.DynamoDBEventRecord) []error {
			handled = append(handled, records...)
			answers := make([]error, len(records))
			if int(fails) < len(records) {
				answers[fails] = errors.New("the table is away")
			}
			return answers
		}}
		answer, err := c.Invoke(t.Context(), payload)
		if err != nil {
			if len(handled) > 0 || len(answer.BatchItemFailures) > 0 {
				t.Fatalf("%q: %v after %d records", payload, err, len(handled))
			}
			return
		}
		if answer.BatchItemFailures == nil { // ministack and AWS read null differently
			t.Fatalf("%q: no list of failures", payload)
		}
		var batch events.SQSEvent
		if json.Unmarshal(payload, &batch) == nil && batch.Records[0].EventSource == "aws:sqs" {
			if len(handled)+len(answer.BatchItemFailures) < len(batch.Records) {
				t.Fatalf("%q: of %d letters %d were handled and %d come again", payload, len(batch.Records), len(handled), len(answer.BatchItemFailures))
			}
			return
		}
		want := []events.SQSBatchItemFailure{}
		if int(fails) < len(handled) {
			want = append(want, events.SQSBatchItemFailure{ItemIdentifier: handled[fails].Change.SequenceNumber})
		}
		if !slices.Equal(answer.BatchItemFailures, want) {
			t.Fatalf("%q: %v come again, want %v", payload, answer.BatchItemFailures, want)
		}
	})
}

// FuzzLetter: a record that is set aside and put back is the record that it was, whatever is in it.
func FuzzLetter(f *testing.F) {
	for _, s := range []string{
		`{"eventID":"1","eventSource":"aws:dynamodb","dynamodb":{"ApproximateCreationDateTime":1795250000,"Keys":{"pk":{"S":"a"},"sk":{"S":"b"}},"SequenceNumber":"1","NewImage":{"n":{"N":"1"},"b":{"B":"AAE="},"t":{"BOOL":true},"0":{"NULL":true},"l":{"L":[{"S":"x"}]},"m":{"M":{"k":{"SS":["a","b"]}}},"ns":{"NS":["1","2"]},"bs":{"BS":["AA=="]}}}}`,
		`{"dynamodb":{"Keys":{"pk":{"S":"a"}},"NewImage":{"a":{},"b":null,"c":{"X":1}}}}`,
		`{"dynamodb":{"Keys":{"pk":{"S":"\ud800\u0000"}},"ApproximateCreationDateTime":1795250000.75,"SizeBytes":-1}}`,
		`{"dynamodb":{"Keys":{"pk":{"S":"a"}},"OldImage":{"a":{"S":"x","N":"1"}}},"userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"}}`,
	} {
		f.Add([]byte(s), "nonsense")
	}
	f.Fuzz(func(t *testing.T, text []byte, reason string) {
		if !json.Valid(text) {
			t.Skip()
		}
		var told events.DynamoDBEventRecord
		through := func(payload any) int {
			body, err := json.Marshal(payload)
			if err != nil {
				t.Fatal(err)
			}
			handled := 0
			c := stream.Consumer{Log: slog.New(slog.DiscardHandler), Handle: stream.Each(func(_ context.Context, r events.DynamoDBEventRecord) error {
				told = r
				handled++
				return nil
			})}
			if _, err := c.Invoke(t.Context(), body); err != nil {
				return 0
			}
			return handled
		}
		if through(map[string]any{"Records": []json.RawMessage{text}}) == 0 || len(told.Change.Keys) == 0 {
			return // AWS makes no such record
		}
		first := told
		letter, err := json.Marshal(stream.Aside{Reason: reason, Record: first})
		if err != nil {
			t.Fatalf("%q cannot be set aside: %v", text, err)
		}
		if through(events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", EventSource: "aws:sqs", Body: string(letter)}}}) != 1 {
			t.Fatalf("%q is not handled when it is put back as %s", text, letter)
		}
		told.Change.ApproximateCreationDateTime = first.Change.ApproximateCreationDateTime // a float to the library, and read by nobody
		if !reflect.DeepEqual(told, first) {
			t.Fatalf("%+v comes back as %+v", first, told)
		}
	})
}
