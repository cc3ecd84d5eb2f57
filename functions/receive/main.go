// Receive answers providers' callbacks. See package receiver for what it promises.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"farrier/shared/callback"
	"farrier/shared/callback/receiver"
	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/outside"
	"farrier/shared/seal"
)

func main() { lambda.Start(wired(time.Now).Invoke) }

func wired(now cloud.Clock) *receiver.Receiver {
	cfg := cloud.Config()
	tables := dynamodb.NewFromConfig(cfg)
	return &receiver.Receiver{
		Known: &callback.Known{Connections: callback.Connections{
			Table: dynamo.Table{Client: tables, Name: cloud.Env("CONNECTIONS_TABLE")}, Now: now,
		}},
		Keyring: &callback.Keyring{
			Sealer: &seal.Sealer{Client: kms.NewFromConfig(cfg), KeyID: cloud.Env("SECRETS_KEY"), Now: now},
			HTTP:   outside.NewClient(outside.Options{}), Now: now,
		},
		Receipts: callback.Receipts{
			Table:   dynamo.Table{Client: tables, Name: cloud.Env("CALLBACKS_TABLE")},
			KeepFor: time.Duration(number("CALLBACK_KEEP_DAYS", 90)) * 24 * time.Hour, Now: now,
		},
		Cap:     min(number("CALLBACK_CAP", 256*1024), callback.MostBody),
		Metrics: cloud.NewMetrics(), Log: cloud.Log(), Now: now,
	}
}

// number reads a variable that may be absent; one that is no positive number ends the process.
func number(name string, otherwise int) int {
	n, err := strconv.Atoi(cloud.Getenv(name, strconv.Itoa(otherwise)))
	if err != nil || n < 1 {
		fmt.Fprintf(os.Stderr, "environment variable %s is not a positive number\n", name)
		os.Exit(1)
	}
	return n
}
