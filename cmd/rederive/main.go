// Rederive tells interpret, credit and notify again of what stands in the tables; see package rederive.
//
//	CALLBACKS_TABLE=… DEPOSITS_TABLE=… PAYMENTS_TABLE=… PAYOUTS_TABLE=… EVENTS_TABLE=… \
//	INTERPRET_QUEUE=… CREDIT_QUEUE=… NOTIFY_QUEUE=… AWS_REGION=… go run ./cmd/rederive -since 2026-11-20T00:00:00Z
//
// JOURNAL_QUEUE besides lists the callbacks by time again; ENDPOINTS_TABLE and ENDPOINT_STATES_TABLE besides tell again of
// endpoints in trouble. The names are outputs of the stack; credentials come from the environment (aws configure
// export-credentials --format env).
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/queue"
	"farrier/shared/rederive"
)

func main() {
	since := flag.String("since", "", "only what changed at this time or later (RFC 3339)")
	flag.Parse()
	from, err := time.Parse(time.RFC3339, *since)
	if err != nil {
		fmt.Fprintln(os.Stderr, "since must be a time such as 2026-11-20T00:00:00Z")
		os.Exit(2)
	}
	cfg := cloud.Config()
	table := func(name string) dynamo.Table {
		return dynamo.Table{Client: dynamodb.NewFromConfig(cfg), Name: cloud.Env(name)}
	}
	to := func(name string) queue.Queue {
		return queue.Queue{Client: sqs.NewFromConfig(cfg), URL: cloud.Env(name)}
	}
	source := rederive.Source{
		Callbacks: table("CALLBACKS_TABLE"), Deposits: table("DEPOSITS_TABLE"), Payments: table("PAYMENTS_TABLE"), Payouts: table("PAYOUTS_TABLE"),
		Events:    event.Store{Table: table("EVENTS_TABLE")},
		Interpret: to("INTERPRET_QUEUE"), Credit: to("CREDIT_QUEUE"), Notify: to("NOTIFY_QUEUE"),
		Journal: queue.Queue{Client: sqs.NewFromConfig(cfg), URL: cloud.Getenv("JOURNAL_QUEUE", "")},
	}
	if cloud.Getenv("ENDPOINTS_TABLE", "") != "" {
		source.Endpoints, source.EndpointStates = table("ENDPOINTS_TABLE"), table("ENDPOINT_STATES_TABLE")
	}
	sent, err := source.Since(context.Background(), from)
	fmt.Printf("sent again: %d callbacks to interpret, %d to the journal, %d deposits to credit, %d deposits, %d payments, %d payouts and %d changes of endpoints to notify\n",
		sent.CallbacksToInterpret, sent.CallbacksToJournal, sent.DepositsToCredit, sent.DepositsToNotify, sent.PaymentsToNotify, sent.PayoutsToNotify, sent.EndpointsToNotify+sent.StatesToNotify)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
