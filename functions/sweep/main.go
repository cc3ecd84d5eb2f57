// Sweep brings deliveries that waited long for another attempt back into their queue, each minute.
package main

import (
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/queue"
	"farrier/shared/webhook"
)

func main() {
	cfg := cloud.Config()
	sweeper := webhook.Sweeper{
		Deliveries: webhook.Deliveries{Table: dynamo.Table{Client: dynamodb.NewFromConfig(cfg), Name: cloud.Env("DELIVERIES_TABLE")}},
		Jobs:       queue.Queue{Client: sqs.NewFromConfig(cfg), URL: cloud.Env("DELIVERIES_QUEUE")},
		Now:        time.Now,
		PerShard:   250,
		Log:        cloud.Log(),
		Metrics:    cloud.NewMetrics(),
	}
	lambda.Start(sweeper.Run)
}
