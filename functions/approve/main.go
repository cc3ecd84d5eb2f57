// Function approve is the part of the HTTPS API by which payouts are let go: approvers and their approvals, freezes, lists of
// destinations, wallets. No other function writes what it writes.
package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	lambdas "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"farrier/shared/api"
	"farrier/shared/approval"
	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/gateway"
	"farrier/shared/idempotency"
	"farrier/shared/merchant"
	"farrier/shared/payout"
	"farrier/shared/payout/policy"
	"farrier/shared/queue"
	"farrier/shared/seal"
	"farrier/shared/signer"
)

func main() {
	cfg, now, random := cloud.Config(), time.Now, rand.Reader
	rules, err := policy.Parse(cloud.Env("PAYOUT_POLICY"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	client := dynamodb.NewFromConfig(cfg)
	table := func(variable string) dynamo.Table { return dynamo.Table{Client: client, Name: cloud.Env(variable)} }
	sealer := &seal.Sealer{Client: kms.NewFromConfig(cfg), KeyID: cloud.Env("APPROVERS_KEY"), Now: now}
	merchants := merchant.Store{Table: table("MERCHANTS_TABLE"), Now: now}
	lambda.Start(gateway.Handler(&api.API{
		Room:      api.Approving,
		Door:      &merchant.Door{Store: merchants, OperatorKeyHash: cloud.Env("OPERATOR_KEY_HASH"), Now: now},
		Merchants: merchants,
		Answers:   idempotency.Store{Table: table("ANSWERS_TABLE"), Sealer: sealer, Now: now, Random: random},
		Payouts:   payout.Store{Payouts: table("PAYOUTS_TABLE"), Now: now},
		Known: payout.Known{
			Allowed: payout.Allowed{Table: table("ALLOWED_DESTINATIONS_TABLE"), Now: now}, Paid: payout.Paid{Table: table("PAID_DESTINATIONS_TABLE"), Now: now},
		},
		Freezes:   payout.Freezes{Table: table("FREEZES_TABLE"), Now: now},
		Approvers: approval.Approvers{Table: table("APPROVERS_TABLE"), Seal: sealer.Seal, Now: now, Random: random},
		Approvals: approval.Approvals{Table: table("APPROVALS_TABLE"), Now: now},
		Policy:    rules,
		Signer:    signer.Lambda(lambdas.NewFromConfig(cfg), cloud.Getenv("SIGN_FUNCTION", "")),
		Pay:       queue.Queue{Client: sqs.NewFromConfig(cfg), URL: cloud.Getenv("PAY_QUEUE", "")},
		Now:       now, Random: random, Log: cloud.Log(),
	}))
}
