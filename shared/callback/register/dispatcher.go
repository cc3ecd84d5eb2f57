package register

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/callback"
	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/queue"
	"farrier/shared/stream"
	"farrier/shared/wallet"
)

// earlierWait is how long the addresses from before a connection registered wait: longer than a process goes on with what
// it knows of a merchant's connections, so that none falls between the two.
const earlierWait = callback.KeepFor + 2*time.Minute

// mostMerchants bounds the merchants in memory.
const mostMerchants = 10_000

// Dispatcher makes jobs of what the streams of addresses and of connections tell. It asks nobody but the table of
// connections, once a minute for each merchant that makes addresses.
type Dispatcher struct {
	Connections callback.Connections
	Jobs        queue.Queue
	Now         cloud.Clock

	mu    sync.Mutex
	known map[string]known
}

// known are a merchant's connections that register, for a while.
type known struct {
	connections []callback.Connection
	until       time.Time
}

var errContent = errors.New("register: the record is neither an address with its merchant nor a connection")

// Handle is for a stream.Consumer. It sends jobs to the queue, and never waits for a provider.
func (d *Dispatcher) Handle(ctx context.Context, records []events.DynamoDBEventRecord) []error {
	answers, jobs, made := d.sorted(records)
	for _, merchant := range slices.Sorted(maps.Keys(made)) {
		connections, err := d.registering(ctx, merchant)
		for i := range made[merchant] {
			answers[i] = err
		}
		for _, c := range connections {
			jobs = append(jobs, d.jobs(c, made[merchant])...)
		}
	}
	if err := d.Jobs.Send(ctx, jobs...); err != nil { // some may be sent: they come twice, which does no harm
		for i := range answers {
			if answers[i] == nil {
				answers[i] = err
			}
		}
	}
	return answers
}

// sorted are the jobs that records ask for by themselves, and for each merchant the new addresses by their records' places.
func (d *Dispatcher) sorted(records []events.DynamoDBEventRecord) (answers []error, jobs []queue.Message, made map[string]map[int]string) {
	answers, made = make([]error, len(records)), map[string]map[int]string{}
	for i, record := range records {
		job, address, err := d.read(record)
		switch {
		case err != nil:
			answers[i] = stream.Unfit{Reason: err}
		case job != nil:
			jobs = append(jobs, job.message(earlierWait))
		case address.Merchant != "":
			if made[address.Merchant] == nil {
				made[address.Merchant] = map[int]string{}
			}
			made[address.Merchant][i] = address.Address
		}
	}
	return answers, jobs, made
}

// read says what a record means: a job for a connection that begins to register, or a new address; or nothing.
func (d *Dispatcher) read(record events.DynamoDBEventRecord) (*Job, wallet.Address, error) {
	if record.EventName == string(events.DynamoDBOperationTypeRemove) {
		return nil, wallet.Address{}, nil
	}
	image := dynamo.Image(record.Change.NewImage)
	switch dynamo.StreamKey(record).SK {
	case "address":
		var a wallet.Address
		if err := dynamo.Unmarshal(image, &a); err != nil || a.Merchant == "" || a.Address == "" {
			return nil, a, errContent
		}
		if !strings.HasPrefix(a.PK, callback.RegisteringFamily+":") {
			return nil, wallet.Address{}, nil
		}
		return nil, a, nil
	case "connection":
		var c callback.Connection
		if err := dynamo.Unmarshal(image, &c); err != nil || c.ID == "" {
			return nil, wallet.Address{}, errContent
		}
		if !c.Registers() || c.Version != c.RegistersFrom {
			return nil, wallet.Address{}, nil
		}
		return &Job{Connection: c.ID, Earlier: &Earlier{From: c.RegistersFrom}}, wallet.Address{}, nil
	case "key", "reference": // names that are taken; no address is one of them
		return nil, wallet.Address{}, nil
	default:
		return nil, wallet.Address{}, errContent
	}
}

// jobs are those for new addresses and one connection.
func (d *Dispatcher) jobs(c callback.Connection, made map[int]string) []queue.Message {
	at, is := providers[c.Provider]
	if !is {
		return nil
	}
	var jobs []queue.Message
	for part := range slices.Chunk(slices.Sorted(maps.Values(made)), at.most) {
		jobs = append(jobs, Job{Connection: c.ID, Addresses: part}.message(at.delay(d.Now())))
	}
	return jobs
}

// registering are a merchant's connections that register, with a memory of a minute.
func (d *Dispatcher) registering(ctx context.Context, merchant string) ([]callback.Connection, error) {
	d.mu.Lock()
	recalled := d.known[merchant]
	d.mu.Unlock()
	now := d.Now()
	if now.Before(recalled.until) {
		return recalled.connections, nil
	}
	found, err := d.Connections.Registering(ctx, merchant)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known == nil || len(d.known) >= mostMerchants {
		d.known = map[string]known{}
	}
	d.known[merchant] = known{connections: found, until: now.Add(callback.KeepFor)}
	return found, nil
}
