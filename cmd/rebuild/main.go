// Rebuild adds up every balance from its entries and compares it with what is stored.
// It changes nothing and ends with status 1 where anything differs.
//
//	ENTRIES_TABLE=… BALANCES_TABLE=… AWS_REGION=… go run ./cmd/rebuild
//
// The account's credentials come from the environment (aws configure export-credentials --format env).
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/ledger"
)

func main() {
	client := dynamodb.NewFromConfig(cloud.Config())
	book := ledger.Store{
		Entries:  dynamo.Table{Client: client, Name: cloud.Env("ENTRIES_TABLE")},
		Balances: dynamo.Table{Client: client, Name: cloud.Env("BALANCES_TABLE")},
	}
	wrong := 0
	accounts, entries, err := book.Check(context.Background(), func(d ledger.Difference) {
		wrong++
		fmt.Println("DIFFERS", d)
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	fmt.Printf("%d accounts rebuilt from %d entries, %d differ\n", accounts, entries, wrong)
	if wrong > 0 {
		os.Exit(1)
	}
}
