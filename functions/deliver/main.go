// Deliver makes one signed POST for each job in its queue, and records what came of it.
package main

import (
	"crypto/rand"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/queue"
	"farrier/shared/seal"
	"farrier/shared/webhook"
)

func main() {
	cfg := cloud.Config()
	store, queues := dynamodb.NewFromConfig(cfg), sqs.NewFromConfig(cfg)
	states := dynamo.Table{Client: store, Name: cloud.Env("ENDPOINT_STATES_TABLE")}
	courier := webhook.Courier{
		Events: event.Store{Table: dynamo.Table{Client: store, Name: cloud.Env("EVENTS_TABLE")}},
		Endpoints: webhook.Endpoints{
			Table: dynamo.Table{Client: store, Name: cloud.Env("ENDPOINTS_TABLE")},
			Seal:  &seal.Sealer{Client: kms.NewFromConfig(cfg), KeyID: cloud.Env("SECRETS_KEY"), Now: time.Now},
			Now:   time.Now,
		},
		Deliveries:  webhook.Deliveries{Table: dynamo.Table{Client: store, Name: cloud.Env("DELIVERIES_TABLE")}},
		Jobs:        queue.Queue{Client: queues, URL: cloud.Env("DELIVERIES_QUEUE")},
		DeadLetters: queue.Queue{Client: queues, URL: cloud.Env("DELIVERIES_DEAD_LETTERS")},
		States:      webhook.States{Table: states, Now: time.Now},
		Places:      webhook.Places{Table: states, Together: cloud.Number("SLOW_PLACES"), PerEndpoint: webhook.PlacesForOne, Now: time.Now, Sleep: cloud.Sleep},
		Client:      webhook.NewClient(webhook.Options{Local: cloud.LocalRun(), Now: time.Now}),
		Now:         time.Now,
		Sleep:       cloud.Sleep,
		Random:      rand.Reader,
		AtOnce:      10,
		Log:         cloud.Log(),
		Metrics:     cloud.NewMetrics(),
	}
	lambda.Start(courier.Invoke)
}
