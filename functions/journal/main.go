// Journal writes down what each connection sent, in the order of time. See package journal for what it promises.
package main

import (
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"farrier/shared/callback/journal"
	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/queue"
	"farrier/shared/stream"
)

func main() { lambda.Start(wired(time.Now).Invoke) }

func wired(now cloud.Clock) stream.Consumer {
	cfg := cloud.Config()
	j := journal.Journal{Table: dynamo.Table{Client: dynamodb.NewFromConfig(cfg), Name: cloud.Env("JOURNAL_TABLE")}, Now: now}
	return stream.Consumer{
		Handle: j.Handle, Log: cloud.Log(),
		Aside: queue.Queue{Client: sqs.NewFromConfig(cfg), URL: cloud.Env("SET_ASIDE_QUEUE")},
	}
}
