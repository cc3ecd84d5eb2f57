// Register tells providers which new addresses to watch: streams into jobs, and jobs into calls. See package register.
package main

import (
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"farrier/shared/callback"
	"farrier/shared/callback/register"
	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/outside"
	"farrier/shared/queue"
	"farrier/shared/seal"
	"farrier/shared/stream"
)

func main() { lambda.Start(wired(time.Now).Invoke) }

func wired(now cloud.Clock) register.Function {
	cfg, log := cloud.Config(), cloud.Log()
	tables, queues := dynamodb.NewFromConfig(cfg), sqs.NewFromConfig(cfg)
	connections := callback.Connections{Table: dynamo.Table{Client: tables, Name: cloud.Env("CONNECTIONS_TABLE")}, Now: now}
	jobs := queue.Queue{Client: queues, URL: cloud.Env("REGISTER_QUEUE")}
	letters := queue.Queue{Client: queues, URL: cloud.Env("REGISTER_DEAD_LETTERS")}
	dispatcher := &register.Dispatcher{Connections: connections, Jobs: jobs, Now: now}
	return register.Function{
		Records: stream.Consumer{Handle: dispatcher.Handle, Aside: letters, Log: log},
		Registrar: &register.Registrar{
			Connections: connections,
			Payments:    dynamo.Table{Client: tables, Name: cloud.Env("PAYMENTS_TABLE")},
			Sealer:      &seal.Sealer{Client: kms.NewFromConfig(cfg), KeyID: cloud.Env("SECRETS_KEY"), Now: now},
			Jobs:        jobs, DeadLetters: letters,
			HTTP:   outside.NewClient(outside.Options{Local: cloud.LocalRun()}),
			AtOnce: 10, Log: log, Metrics: cloud.NewMetrics(),
		},
	}
}
