// Expire records that the time of payments is over. See package payment for what it promises.
package main

import (
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/payment"
	"farrier/shared/queue"
)

func main() {
	payments := payment.Store{
		Payments: dynamo.Table{Client: dynamodb.NewFromConfig(cloud.Config()), Name: cloud.Env("PAYMENTS_TABLE")},
		Now:      time.Now,
	}
	lambda.Start(queue.Batch(cloud.Log(), cloud.NewMetrics(), payments.OnTimer))
}
