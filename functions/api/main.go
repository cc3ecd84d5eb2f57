// Function api is the HTTPS API of merchants and operators.
package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"farrier/shared/api"
	"farrier/shared/approval"
	"farrier/shared/callback"
	"farrier/shared/callback/journal"
	"farrier/shared/chain"
	"farrier/shared/cloud"
	"farrier/shared/deposit"
	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/gateway"
	"farrier/shared/idempotency"
	"farrier/shared/ledger"
	"farrier/shared/merchant"
	"farrier/shared/payment"
	"farrier/shared/payout"
	"farrier/shared/payout/desk"
	"farrier/shared/payout/policy"
	"farrier/shared/queue"
	"farrier/shared/seal"
	"farrier/shared/task"
	"farrier/shared/timer"
	"farrier/shared/wallet"
	"farrier/shared/webhook"
)

func main() {
	cfg, now, random := cloud.Config(), time.Now, rand.Reader
	chains, err := chain.ParseSet(cloud.Env("CHAINS"))
	rules, errRules := policy.Parse(cloud.Env("PAYOUT_POLICY"))
	if err = errors.Join(err, errRules); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	client := dynamodb.NewFromConfig(cfg)
	table := func(variable string) dynamo.Table { return dynamo.Table{Client: client, Name: cloud.Env(variable)} }
	sealer := &seal.Sealer{Client: kms.NewFromConfig(cfg), KeyID: cloud.Env("SECRETS_KEY"), Now: now}
	merchants := merchant.Store{Table: table("MERCHANTS_TABLE"), Now: now, Random: random}
	events := event.Store{Table: table("EVENTS_TABLE"), Now: now}
	endpoints := webhook.Endpoints{Table: table("ENDPOINTS_TABLE"), Seal: sealer, Now: now, Random: random, Local: cloud.LocalRun()}
	deliveries := webhook.Deliveries{Table: table("DELIVERIES_TABLE")}
	states := webhook.States{Table: table("ENDPOINT_STATES_TABLE"), Now: now}
	queues := sqs.NewFromConfig(cfg)
	jobs := queue.Queue{Client: queues, URL: cloud.Env("DELIVERIES_QUEUE")}
	expiry := timer.Schedules{
		Client: scheduler.NewFromConfig(cfg), Group: cloud.Env("SCHEDULE_GROUP"), Role: cloud.Env("SCHEDULER_ROLE_ARN"),
		Queue: cloud.Env("EXPIRY_QUEUE_ARN"), DeadLetters: cloud.Env("EXPIRY_DEAD_LETTERS_ARN"),
	}
	entries, addresses := ledger.Store{Entries: table("ENTRIES_TABLE"), Balances: table("BALANCES_TABLE")}, table("ADDRESSES_TABLE")
	payouts := payout.Store{Payouts: table("PAYOUTS_TABLE"), References: table("PAYOUT_REFERENCES_TABLE"), Assets: chains, Now: now, Random: random}
	lambda.Start(gateway.Handler(&api.API{
		Room:        api.Front,
		Door:        &merchant.Door{Store: merchants, OperatorKeyHash: cloud.Env("OPERATOR_KEY_HASH"), Now: now},
		Merchants:   merchants,
		Answers:     idempotency.Store{Table: table("ANSWERS_TABLE"), Sealer: sealer, Now: now, Random: random},
		Connections: callback.Connections{Table: table("CONNECTIONS_TABLE"), Sealer: sealer, Chains: chains, Now: now, Random: random},
		Receipts:    callback.Receipts{Table: table("CALLBACKS_TABLE"), Now: now},
		Journal:     journal.Journal{Table: table("JOURNAL_TABLE"), Now: now},
		Interpret:   queue.Queue{Client: queues, URL: cloud.Env("INTERPRET_QUEUE")},
		Payments: payment.Store{
			Payments: table("PAYMENTS_TABLE"), Addresses: addresses, Roster: wallet.RosterIn(client, cloud.Getenv("ROSTER_TABLE", ""), now), Expiry: expiry, Assets: chains, Now: now, Random: random,
		},
		Deposits:   deposit.Store{Table: table("DEPOSITS_TABLE")},
		Ledger:     entries,
		Endpoints:  endpoints,
		Events:     events,
		Deliveries: deliveries,
		Doctor:     webhook.Doctor{Events: events, Endpoints: endpoints, Deliveries: deliveries, States: states},
		Sender:     webhook.Sender{Events: events, Endpoints: endpoints, Deliveries: deliveries, Jobs: jobs, Now: now, Random: random},
		Replays: webhook.Replays{
			Replayer: webhook.Replayer{Events: events, Endpoints: endpoints, Deliveries: deliveries, Jobs: jobs, Now: now},
			Tasks:    task.Tasks{Table: table("TASKS_TABLE"), Queue: queue.Queue{Client: queues, URL: cloud.Env("TASKS_QUEUE")}, Now: now, Random: random},
			Letters:  webhook.Letters{Dead: queue.Queue{Client: queues, URL: cloud.Env("DELIVERIES_DEAD_LETTERS")}, Jobs: jobs},
			Random:   random,
		},
		Payouts:   payouts,
		Approvals: approval.Approvals{Table: table("APPROVALS_TABLE")},
		Pay:       queue.Queue{Client: queues, URL: cloud.Getenv("PAY_QUEUE", "")},
		Desk: desk.Desk{
			Payouts: payouts, Policy: rules, Costs: payout.Costs{Table: table("FEES_TABLE")}, Freezes: payout.Freezes{Table: table("FREEZES_TABLE")},
			Known:   payout.Known{Allowed: payout.Allowed{Table: table("ALLOWED_DESTINATIONS_TABLE")}, Paid: payout.Paid{Table: table("PAID_DESTINATIONS_TABLE")}},
			Wallets: desk.Fixed{}, Addresses: addresses, Ledger: entries, Now: now,
		},
		PublicURL: cloud.Getenv("PUBLIC_URL", ""),
		Local:     cloud.LocalRun(),
		Now:       now, Random: random, Log: cloud.Log(),
	}))
}
