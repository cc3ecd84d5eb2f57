// Watch takes our own look at each chain: each minute in a loop, and whenever a callback hints at something.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"farrier/shared/chain"
	"farrier/shared/chain/nodes"
	"farrier/shared/cloud"
	"farrier/shared/deposit"
	"farrier/shared/dynamo"
	"farrier/shared/wallet"
	"farrier/shared/watch"
)

func main() {
	chains, err := chain.ParseSet(cloud.Env("CHAINS"))
	must(err)
	endpoints, err := nodes.Endpoints(cloud.Env("CHAIN_ENDPOINTS"), chains)
	must(err)
	tables, log, metrics := dynamodb.NewFromConfig(cloud.Config()), cloud.Log(), cloud.NewMetrics()
	table := func(name string) dynamo.Table { return dynamo.Table{Client: tables, Name: cloud.Env(name)} }
	filter := watch.FilterOver(table("ADDRESSES_TABLE"), wallet.RosterIn(tables, cloud.Getenv("ROSTER_TABLE", ""), time.Now), time.Now, log)
	told := nodes.Teller{Log: log, Metrics: metrics}.Tell
	f := &watch.Function{Filter: filter, Metrics: metrics, Now: time.Now, Sleep: cloud.Sleep, Log: log}
	for _, c := range chains.Chains() {
		n, err := nodes.Open(c, endpoints[c.ID], time.Now, told)
		must(err)
		f.Watchers = append(f.Watchers, &watch.Watcher{
			Config: c, Node: n, Agree: c.Finality.Agreeing(len(endpoints[c.ID])), Passes: table("PASSES_TABLE"), Now: time.Now, Log: log,
			Owners:   watch.Owners{Table: table("ADDRESSES_TABLE"), Family: c.ID.Namespace(), Sleep: cloud.Sleep, Filter: filter},
			Deposits: deposit.Store{Table: table("DEPOSITS_TABLE"), Metrics: metrics},
		})
	}
	lambda.Start(f.Invoke)
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "watch:", err)
		os.Exit(1)
	}
}
