package proof

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"farrier/shared/callback"
	"farrier/shared/callback/interpreter"
	"farrier/shared/callback/receiver"
	"farrier/shared/chain"
	"farrier/shared/cloud"
	"farrier/shared/credit"
	"farrier/shared/deposit"
	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/event/notify"
	"farrier/shared/ledger"
	"farrier/shared/payment"
	"farrier/shared/queue"
	"farrier/shared/seal"
	streams "farrier/shared/stream"
	"farrier/shared/task"
	"farrier/shared/timer"
	"farrier/shared/wallet"
	"farrier/shared/watch"
	"farrier/shared/webhook"
)

// wiring puts the functions together as their main.go do, with the world's clock, chain and queues.
type wiring struct {
	*World
	tables Tables
	chains *chain.Set
	random io.Reader
	behind time.Duration // by which the process's clock is late
}

// Now is the time by the process's clock.
func (p wiring) Now() time.Time { return p.World.Now().Add(-p.behind) }

func (p wiring) log() *slog.Logger { return slog.New(slog.NewTextHandler(&p.logged, nil)) }

func (p wiring) metrics() cloud.Metrics {
	return cloud.Metrics{Out: &p.logged, Stack: "proof", Now: p.Now}
}

func (p wiring) table(function, notion string) dynamo.Table {
	return dynamo.Table{Client: dynamodb.NewFromConfig(p.AWS.Config(function)), Name: p.tables[notion]}
}

func (p wiring) to(function, name string) queue.Queue {
	return queue.Queue{Client: sqs.NewFromConfig(p.AWS.Config(function)), URL: name}
}

func (p wiring) sealer(function string) *seal.Sealer {
	return &seal.Sealer{Client: kms.NewFromConfig(p.AWS.Config(function)), KeyID: "key", Now: p.Now}
}

func (p wiring) endpoints(function string) webhook.Endpoints {
	return webhook.Endpoints{Table: p.table(function, "endpoints"), Seal: p.sealer(function), Now: p.Now}
}

func (p wiring) known(function string) *callback.Known {
	return &callback.Known{Connections: callback.Connections{Table: p.table(function, "connections"), Now: p.Now}}
}

func (p wiring) keyring(function string) *callback.Keyring {
	return &callback.Keyring{Sealer: p.sealer(function), Now: p.Now}
}

func (p wiring) payments(function string) payment.Store {
	return payment.Store{
		Payments: p.table(function, "payments"), Addresses: p.table(function, "addresses"), Roster: p.roster(function), Assets: p.chains, Now: p.Now, Random: p.random,
		Expiry: timer.Schedules{Client: scheduler.NewFromConfig(p.AWS.Config(function)), Queue: "expiry"},
	}
}

// functions are the rooms as they run in one process, which it begins.
func (p wiring) functions(process *functions) functions {
	interprets, credits, notifies := p.interpret(), p.credit(), p.notify()
	return functions{
		payments:  p.payments("api"),
		endpoints: p.merchants(),
		sender:    p.sender(),
		replays:   webhook.Replays{Replayer: p.replayer("api"), Tasks: p.tasks("api"), Random: p.random},
		receiver: &receiver.Receiver{
			Known: p.known("receive"), Keyring: p.keyring("receive"), Cap: 256 << 10, Metrics: p.metrics(), Log: p.log(), Now: p.Now,
			Receipts: callback.Receipts{Table: p.table("receive", "callbacks"), KeepFor: 90 * 24 * time.Hour, Now: p.Now},
		},
		cold: p.watcher,
		consumers: []consumer{
			{"interpret", "callbacks", inserts, interprets},
			{"credit", "deposits", settled, credits},
			{"notify", "payments", changes, notifies},
			{"notify", "deposits", all, notifies},
			{"notify", "endpoints", has("disabled_at"), notifies},
			{"notify", "states", has("telling"), notifies},
		},
		workers: []worker{
			{"watch", "looks", "looks-dead-letters", 20, p.looks(process)},
			{"deliver", "deliveries", "deliver-dead-letters", 20, batches(p.courier().Invoke)},
			{"expire", "expiry", "expiry-dead-letters", 20, batches(queue.Batch(p.log(), p.metrics(), p.payments("expire").OnTimer))},
			{"interpret", "interpret", "interpret-dead-letters", 3, interprets},
			{"credit", "credit", "credit-dead-letters", 3, credits},
			{"notify", "notify", "notify-dead-letters", 3, notifies},
			{"replay", "tasks", "tasks-dead-letters", 20, batches(queue.Batch(p.log(), p.metrics(), p.runner().Handle))},
		},
		sweeper: webhook.Sweeper{
			Deliveries: webhook.Deliveries{Table: p.table("sweep", "deliveries")}, Jobs: p.to("sweep", "deliveries"),
			Endpoints: webhook.Endpoints{Table: p.table("sweep", "endpoints"), Now: p.Now}, States: webhook.States{Table: p.table("sweep", "states"), Now: p.Now},
			Now: p.Now, Sleep: p.sleep, AtOnce: 1, PerShard: 250, Log: p.log(), Metrics: p.metrics(),
		},
	}
}

func (p wiring) over(function string, handle func(context.Context, []events.DynamoDBEventRecord) []error) handler {
	return streams.Consumer{Handle: handle, Aside: p.to(function, function+"-dead-letters"), Log: p.log()}.Invoke
}

func (p wiring) interpret() handler {
	i := &interpreter.Interpreter{
		Known: p.known("interpret"), Keyring: p.keyring("interpret"), Receipts: callback.Receipts{Table: p.table("interpret", "callbacks"), Now: p.Now},
		Chains: p.chains, Looks: p.to("interpret", "looks"), Metrics: p.metrics(), Log: p.log(), Now: p.Now,
		Deposits:  deposit.Store{Table: p.table("interpret", "deposits"), Metrics: p.metrics()},
		Addresses: p.table("interpret", "addresses"), Payments: p.table("interpret", "payments"),
		Asker: callback.Asker{Sealer: p.sealer("interpret")}, Own: p.to("interpret", "interpret"),
	}
	return streams.Consumer{
		Handle: streams.Each(i.Handle), Redriven: streams.Each(i.Redriven), Aside: p.to("interpret", "interpret-dead-letters"), Log: p.log(),
	}.Invoke
}

func (p wiring) credit() handler {
	c := &credit.Crediter{
		Deposits: p.table("credit", "deposits"), Payments: p.table("credit", "payments"),
		Ledger:  ledger.Store{Entries: p.table("credit", "entries"), Balances: p.table("credit", "balances")},
		Metrics: p.metrics(), Log: p.log(), Now: p.Now, Random: rand.New(rand.NewPCG(1, 1)), Sleep: p.sleep, // #nosec G404 -- jitter
	}
	return p.over("credit", c.Handle)
}

func (p wiring) notify() handler {
	n := notify.Notifier{
		Events:    event.Store{Table: p.table("notify", "events"), Now: p.Now},
		Endpoints: webhook.Endpoints{Table: p.table("notify", "endpoints")},
		Payments:  p.table("notify", "payments"),
		Jobs:      p.to("notify", "deliveries"),
		Metrics:   p.metrics(),
	}
	return p.over("notify", n.Handle)
}

// roster is none where nobody keeps all addresses in memory.
func (p wiring) roster(function string) *wallet.Roster {
	if !p.filtered {
		return nil
	}
	return &wallet.Roster{Table: p.table(function, "roster"), Now: p.Now, AtOnce: 1}
}

// filter is a process's own, and empty at its start. One question follows the other, so that a run stays the same run.
func (p wiring) filter() *watch.Filter {
	filter := watch.FilterOver(p.table("watch", "addresses"), p.roster("watch"), p.Now, p.log())
	if filter != nil {
		filter.AtOnce = 1
	}
	return filter
}

func (p wiring) watcher() *watch.Watcher {
	return &watch.Watcher{
		Config: p.Config, Node: p.Chain.Node(p.World), Passes: p.table("watch", "passes"), Owners: watch.Owners{Table: p.table("watch", "addresses"), Family: p.Config.ID.Namespace(), Sleep: p.sleep, Filter: p.filter()},
		Deposits: deposit.Store{Table: p.table("watch", "deposits"), Metrics: p.metrics()}, AtOnce: 1, Now: p.Now, Log: p.log(),
	}
}

// looks is the function watch over the queue of looks.
func (p wiring) looks(process *functions) handler {
	return func(ctx context.Context, payload json.RawMessage) (events.SQSEventResponse, error) {
		f := watch.Function{Watchers: []*watch.Watcher{process.warm()}, Metrics: p.metrics(), Now: p.Now, Sleep: p.sleep, Log: p.log()}
		answer, err := f.Invoke(ctx, payload)
		if err != nil {
			return events.SQSEventResponse{}, err
		}
		return answer.(events.SQSEventResponse), nil
	}
}

func (p wiring) courier() webhook.Courier {
	return webhook.Courier{
		Events: event.Store{Table: p.table("deliver", "events")}, Endpoints: p.endpoints("deliver"),
		Deliveries: webhook.Deliveries{Table: p.table("deliver", "deliveries")},
		States:     webhook.States{Table: p.table("deliver", "states"), Now: p.Now},
		Places:     webhook.Places{Table: p.table("deliver", "states"), Together: 8, PerEndpoint: 2, Now: p.Now, Sleep: p.sleep},
		Jobs:       p.to("deliver", "deliveries"), DeadLetters: p.to("deliver", givenUp),
		Client: webhook.NewClient(webhook.Options{Local: true, Now: p.Now, Limit: 300 * time.Millisecond}),
		Now:    p.Now, Sleep: p.sleep, Random: p.random, AtOnce: 1, Log: p.log(), Metrics: p.metrics(),
	}
}

// merchants are the endpoints as the API keeps them.
func (p wiring) merchants() webhook.Endpoints {
	e := p.endpoints("api")
	e.Random, e.Local = p.random, true
	return e
}

func (p wiring) sender() webhook.Sender {
	return webhook.Sender{
		Events: event.Store{Table: p.table("api", "events")}, Endpoints: p.merchants(), Deliveries: webhook.Deliveries{Table: p.table("api", "deliveries")},
		Jobs: p.to("api", "deliveries"), Now: p.Now, Random: p.random,
	}
}

func (p wiring) tasks(function string) task.Tasks {
	return task.Tasks{Table: p.table(function, "tasks"), Queue: p.to(function, "tasks"), Now: p.Now, Random: p.random}
}

func (p wiring) replayer(function string) webhook.Replayer {
	return webhook.Replayer{
		Events: event.Store{Table: p.table(function, "events")}, Endpoints: webhook.Endpoints{Table: p.table(function, "endpoints"), Now: p.Now},
		Deliveries: webhook.Deliveries{Table: p.table(function, "deliveries")}, Jobs: p.to(function, "deliveries"), AtOnce: 1, Now: p.Now,
	}
}

func (p wiring) runner() task.Runner {
	again := p.replayer("replay")
	return task.Runner{
		Tasks: p.tasks("replay"), Kinds: map[string]task.Kind{webhook.KindRecover: again, webhook.KindReplay: again},
		Slice: 40 * time.Second, Sleep: p.sleep, Log: p.log(),
	}
}

func batches(f func(context.Context, events.SQSEvent) (events.SQSEventResponse, error)) handler {
	return func(ctx context.Context, payload json.RawMessage) (events.SQSEventResponse, error) {
		var batch events.SQSEvent
		if err := json.Unmarshal(payload, &batch); err != nil {
			return events.SQSEventResponse{}, err
		}
		return f(ctx, batch)
	}
}

// The filters of the event source mappings in template.yaml.
func inserts(r events.DynamoDBEventRecord) bool { return r.EventName == "INSERT" }
func changes(r events.DynamoDBEventRecord) bool { return r.EventName == "MODIFY" }
func all(events.DynamoDBEventRecord) bool       { return true }
func has(attribute string) func(events.DynamoDBEventRecord) bool {
	return func(r events.DynamoDBEventRecord) bool {
		_, is := r.Change.NewImage[attribute]
		return is
	}
}
func settled(r events.DynamoDBEventRecord) bool {
	state := r.Change.NewImage["state"]
	return state.DataType() == events.DataTypeString && (state.String() == "final" || state.String() == "reversed")
}
