// Notify makes events of what changed in the tables of payments, deposits, payouts, endpoints and how they do, and one job for
// each endpoint that wants to know.
package main

import (
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/event/notify"
	"farrier/shared/queue"
	"farrier/shared/stream"
	"farrier/shared/webhook"
)

func main() {
	cfg := cloud.Config()
	store, queues := dynamodb.NewFromConfig(cfg), sqs.NewFromConfig(cfg)
	notifier := notify.Notifier{
		Events:    event.Store{Table: dynamo.Table{Client: store, Name: cloud.Env("EVENTS_TABLE")}, Now: time.Now},
		Endpoints: webhook.Endpoints{Table: dynamo.Table{Client: store, Name: cloud.Env("ENDPOINTS_TABLE")}},
		Payments:  dynamo.Table{Client: store, Name: cloud.Env("PAYMENTS_TABLE")},
		Jobs:      queue.Queue{Client: queues, URL: cloud.Env("DELIVERIES_QUEUE")},
		Owners:    notify.Owners{Client: sns.NewFromConfig(cfg), Topic: cloud.Env("ENDPOINT_TROUBLE_TOPIC")},
		Metrics:   cloud.NewMetrics(),
	}
	consumer := stream.Consumer{
		Handle: notifier.Handle,
		Plain:  notify.Plain,
		Aside:  queue.Queue{Client: queues, URL: cloud.Env("SET_ASIDE_QUEUE")},
		Log:    cloud.Log(),
	}
	lambda.Start(consumer.Invoke)
}
