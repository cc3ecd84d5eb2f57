// Interpret turns receipts into looks, and trusted statements into deposits. See package interpreter for what it promises.
package main

import (
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"farrier/shared/callback"
	"farrier/shared/callback/interpreter"
	"farrier/shared/chain"
	"farrier/shared/cloud"
	"farrier/shared/deposit"
	"farrier/shared/dynamo"
	"farrier/shared/outside"
	"farrier/shared/queue"
	"farrier/shared/seal"
	"farrier/shared/stream"
)

func main() { lambda.Start(wired(time.Now).Invoke) }

func wired(now cloud.Clock) stream.Consumer {
	cfg, log := cloud.Config(), cloud.Log()
	tables, queues := dynamodb.NewFromConfig(cfg), sqs.NewFromConfig(cfg)
	chains, err := chain.ParseSet(cloud.Env("CHAINS"))
	if err != nil {
		panic(err)
	}
	sealer := &seal.Sealer{Client: kms.NewFromConfig(cfg), KeyID: cloud.Env("SECRETS_KEY"), Now: now}
	metrics := cloud.NewMetrics()
	i := &interpreter.Interpreter{
		Known: &callback.Known{Connections: callback.Connections{
			Table: dynamo.Table{Client: tables, Name: cloud.Env("CONNECTIONS_TABLE")}, Now: now,
		}},
		Keyring:   &callback.Keyring{Sealer: sealer, Now: now},
		Receipts:  callback.Receipts{Table: dynamo.Table{Client: tables, Name: cloud.Env("CALLBACKS_TABLE")}, Now: now},
		Chains:    chains,
		Looks:     queue.Queue{Client: queues, URL: cloud.Env("LOOKS_QUEUE")},
		Deposits:  deposit.Store{Table: dynamo.Table{Client: tables, Name: cloud.Env("DEPOSITS_TABLE")}, Metrics: metrics},
		Addresses: dynamo.Table{Client: tables, Name: cloud.Env("ADDRESSES_TABLE")},
		Payments:  dynamo.Table{Client: tables, Name: cloud.Env("PAYMENTS_TABLE")},
		Asker:     callback.Asker{Sealer: sealer, HTTP: outside.NewClient(outside.Options{})},
		Own:       queue.Queue{Client: queues, URL: cloud.Env("INTERPRET_QUEUE")},
		Metrics:   metrics, Log: log, Now: now,
	}
	return stream.Consumer{
		Handle: stream.Each(i.Handle), Redriven: stream.Each(i.Redriven), Log: log,
		Aside: queue.Queue{Client: queues, URL: cloud.Env("SET_ASIDE_QUEUE")},
	}
}
