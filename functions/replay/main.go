// Replay moves tasks on, a slice for each message: what endpoints missed or want again, and dead letters that are put back.
package main

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/queue"
	"farrier/shared/task"
	"farrier/shared/webhook"
)

func main() { lambda.Start(wired(time.Now)) }

func wired(now cloud.Clock) func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
	cfg, log := cloud.Config(), cloud.Log()
	store, queues := dynamodb.NewFromConfig(cfg), sqs.NewFromConfig(cfg)
	table := func(variable string) dynamo.Table { return dynamo.Table{Client: store, Name: cloud.Env(variable)} }
	jobs := queue.Queue{Client: queues, URL: cloud.Env("DELIVERIES_QUEUE")}
	again := webhook.Replayer{
		Events:     event.Store{Table: table("EVENTS_TABLE")},
		Endpoints:  webhook.Endpoints{Table: table("ENDPOINTS_TABLE"), Now: now},
		Deliveries: webhook.Deliveries{Table: table("DELIVERIES_TABLE")},
		Jobs:       jobs,
		Now:        now,
	}
	letters := webhook.Letters{Dead: queue.Queue{Client: queues, URL: cloud.Env("DELIVERIES_DEAD_LETTERS")}, Jobs: jobs}
	runner := task.Runner{
		Tasks: task.Tasks{Table: table("TASKS_TABLE"), Queue: queue.Queue{Client: queues, URL: cloud.Env("TASKS_QUEUE")}, Now: now, Random: rand.Reader},
		Kinds: map[string]task.Kind{webhook.KindRecover: again, webhook.KindReplay: again, webhook.KindRedrive: letters},
		Slice: 40 * time.Second, // of the function's 60
		Sleep: cloud.Sleep,
		Log:   log,
	}
	return queue.Batch(log, cloud.NewMetrics(), runner.Handle)
}
