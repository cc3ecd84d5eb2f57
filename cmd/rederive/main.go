// Rederive tells credit and notify again of what stands in the tables, for the case that a stream forgot
// records (it keeps them for 24 hours) or was broken: each deposit that is final or was reversed, each
// payment that has changed. What was done before is found done and changes nothing.
//
//	DEPOSITS_TABLE=… PAYMENTS_TABLE=… CREDIT_QUEUE=… NOTIFY_QUEUE=… AWS_REGION=… go run ./cmd/rederive -since 2026-11-20T00:00:00Z
//
// The names are outputs of the stack; credentials come from the environment (aws configure
// export-credentials --format env).
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/queue"
	"farrier/shared/stream"
)

// row is what deposits and payments have in common, as far as it matters here.
type row struct {
	PK        string    `dynamodbav:"pk"`
	SK        string    `dynamodbav:"sk"`
	State     string    `dynamodbav:"state"`  // of a deposit
	Round     int       `dynamodbav:"round"`  // how often it was reversed
	Events    []string  `dynamodbav:"events"` // that a payment's last change stands for
	UpdatedAt time.Time `dynamodbav:"updated_at"`
}

func main() {
	since := flag.String("since", "", "only what changed at this time or later (RFC 3339)")
	flag.Parse()
	from, err := time.Parse(time.RFC3339, *since)
	if err != nil {
		fmt.Fprintln(os.Stderr, "since must be a time such as 2026-11-20T00:00:00Z")
		os.Exit(2)
	}
	cfg := cloud.Config()
	tables, queues := dynamodb.NewFromConfig(cfg), sqs.NewFromConfig(cfg)
	again := func(table, to string, wanted func(row) bool) {
		n, err := derive(context.Background(), dynamo.Table{Client: tables, Name: cloud.Env(table)}, queue.Queue{Client: queues, URL: cloud.Env(to)}, func(r row) bool {
			return !r.UpdatedAt.Before(from) && wanted(r)
		})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Printf("%d of %s sent to %s\n", n, table, to)
	}
	settled := func(r row) bool { return r.State == "final" || r.Round > 0 }
	again("DEPOSITS_TABLE", "CREDIT_QUEUE", settled)
	again("DEPOSITS_TABLE", "NOTIFY_QUEUE", func(r row) bool { return r.State != "" })
	again("PAYMENTS_TABLE", "NOTIFY_QUEUE", func(r row) bool { return len(r.Events) > 0 })
}

// derive sends the wanted rows of a table as records that were set aside are sent, and says how many.
func derive(ctx context.Context, table dynamo.Table, to queue.Queue, wanted func(row) bool) (int, error) {
	n := 0
	err := table.Scan(ctx, func(item dynamo.Item) error {
		var r row
		if err := dynamo.Unmarshal(item, &r); err != nil {
			return err
		}
		if !wanted(r) {
			return nil
		}
		n++
		return to.Send(ctx, queue.Message{Body: stream.Aside{Reason: "derived again", Record: events.DynamoDBEventRecord{
			EventID: r.PK + "/" + r.SK, EventName: "MODIFY", EventSource: "aws:dynamodb",
			EventSourceArn: "arn:aws:dynamodb:::table/" + table.Name,
			Change: events.DynamoDBStreamRecord{
				Keys: dynamo.Told(dynamo.Item{"pk": item["pk"], "sk": item["sk"]}), NewImage: dynamo.Told(item), StreamViewType: "NEW_IMAGE",
			},
		}}})
	})
	return n, err
}
