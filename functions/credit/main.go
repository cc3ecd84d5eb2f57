// Credit books final and reversed deposits. See package credit for what it promises.
package main

import (
	"math/rand/v2"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"farrier/shared/cloud"
	"farrier/shared/credit"
	"farrier/shared/dynamo"
	"farrier/shared/ledger"
	"farrier/shared/queue"
	"farrier/shared/stream"
)

func main() {
	cfg, log := cloud.Config(), cloud.Log()
	tables := dynamodb.NewFromConfig(cfg)
	crediter := &credit.Crediter{
		Deposits: dynamo.Table{Client: tables, Name: cloud.Env("DEPOSITS_TABLE")},
		Payments: dynamo.Table{Client: tables, Name: cloud.Env("PAYMENTS_TABLE")},
		Ledger: ledger.Store{
			Entries:  dynamo.Table{Client: tables, Name: cloud.Env("ENTRIES_TABLE")},
			Balances: dynamo.Table{Client: tables, Name: cloud.Env("BALANCES_TABLE")},
		},
		Metrics: cloud.NewMetrics(), Log: log, Now: time.Now,
		Random: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())), // #nosec G404 -- jitter, not a secret
		Sleep:  cloud.Sleep,
	}
	consumer := stream.Consumer{
		Handle: crediter.Handle, Log: log,
		Aside: queue.Queue{Client: sqs.NewFromConfig(cfg), URL: cloud.Env("SET_ASIDE_QUEUE")},
	}
	lambda.Start(consumer.Invoke)
}
