// Sweep, each minute, brings deliveries that waited long for another attempt back into their queue, and tells of
// connections that are quiet.
package main

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"farrier/shared/callback"
	"farrier/shared/callback/journal"
	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/queue"
	"farrier/shared/webhook"
)

func main() {
	cfg, log, metrics := cloud.Config(), cloud.Log(), cloud.NewMetrics()
	client := dynamodb.NewFromConfig(cfg)
	table := func(variable string) dynamo.Table { return dynamo.Table{Client: client, Name: cloud.Env(variable)} }
	sweeper := webhook.Sweeper{
		Deliveries: webhook.Deliveries{Table: table("DELIVERIES_TABLE")},
		Jobs:       queue.Queue{Client: sqs.NewFromConfig(cfg), URL: cloud.Env("DELIVERIES_QUEUE")},
		Endpoints:  webhook.Endpoints{Table: table("ENDPOINTS_TABLE"), Now: time.Now},
		States:     webhook.States{Table: table("ENDPOINT_STATES_TABLE"), Now: time.Now},
		Now:        time.Now,
		Sleep:      cloud.Sleep,
		For:        45 * time.Second,
		AtOnce:     8,
		PerShard:   250,
		Log:        log,
		Metrics:    metrics,
	}
	watch := &journal.Watch{
		Connections: callback.Connections{Table: table("CONNECTIONS_TABLE"), Now: time.Now},
		Journal:     journal.Journal{Table: table("JOURNAL_TABLE"), Now: time.Now},
		Log:         log,
		Metrics:     metrics,
	}
	lambda.Start(func(ctx context.Context) (webhook.Swept, error) { // trouble with the one keeps from nothing of the other
		quiet := look(ctx, watch)
		swept, err := sweeper.Run(ctx)
		return swept, errors.Join(quiet, err)
	})
}

// look looks for quiet connections, and comes first: a sweep may use up all the time that there is. It may take a few
// seconds itself, and no more, so that the sweep has its own.
func look(ctx context.Context, watch *journal.Watch) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return watch.Run(ctx)
}
