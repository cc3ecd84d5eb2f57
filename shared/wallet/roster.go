package wallet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"

	"farrier/shared/dynamo"
)

// Roster is the list of addresses in the order of their making, for whoever keeps them all in memory: an address is
// entered before it is claimed, so before anybody can be told of it. A row without an address (of a writer that was
// stopped in between) does no harm.
//
// A row lies under its writer's time, and no clock is right. What a reader may rely on is this: a row is stored, and the
// claim behind it made, within Promptly of the time that it bears, or it is entered again before anybody is told; and two
// of our clocks differ by less than Disagree. So once a reader has read all rows of a time that lies Margin back, no
// further one can come there. The first bound is kept by Claim itself, whatever time-outs its function has. The second is
// generous: AWS keeps the clocks of its hosts within a millisecond or so of each other
// (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/set-time.html, read 2026-11-29).
type Roster struct {
	Table  dynamo.Table
	Now    func() time.Time
	AtOnce int // questions asked at the same time; 0 for all
}

// The bounds, and how long rows are kept for readers.
const (
	Promptly = 30 * time.Second
	Disagree = 150 * time.Second
	Margin   = Promptly + Disagree
	RosterIs = 48 * time.Hour
)

// rosterShards spread the rows of a moment: a partition takes 1,000 writes a second
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html, read 2026-11-29).
const rosterShards = 4

// row is an address in the roster. It is short: it is read again and again until Margin has passed.
type row struct {
	PK  string `dynamodbav:"pk"` // day and shard
	SK  string `dynamodbav:"sk"` // moment, and the address's own partition key
	TTL int64  `dynamodbav:"ttl"`
}

// RosterIn is the roster in the table of that name, or nil where it is empty: then none is kept.
func RosterIn(client *dynamodb.Client, name string, now func() time.Time) *Roster {
	if name == "" {
		return nil
	}
	return &Roster{Table: dynamo.Table{Client: client, Name: name}, Now: now}
}

// errLate: the roster takes so long that its rows would lie where no reader looks any more.
var errLate = errors.New("wallet: the roster is too slow")

// Claim creates the address's item, as Create does, with its row in the roster before it. Where r is nil, no roster is kept.
func (r *Roster) Claim(ctx context.Context, addresses dynamo.Table, a Address) error {
	if r == nil {
		return addresses.Create(ctx, a)
	}
	entered, err := r.enter(ctx, a.PK)
	if err != nil {
		return err
	}
	claimed := addresses.Create(ctx, a)
	if r.late(entered) { // a reader may have begun in between, and looks for rows of its own time only
		if _, err := r.enter(ctx, a.PK); err != nil {
			return err
		}
	}
	return claimed
}

// enter stores a row that bears a time within Promptly of the time that it was stored.
func (r *Roster) enter(ctx context.Context, address string) (time.Time, error) {
	for range 3 {
		at := r.Now().UTC().Truncate(time.Millisecond)
		err := r.Table.Create(ctx, row{PK: partition(at, shardOf(address)), SK: moment(at) + "/" + address, TTL: at.Add(RosterIs).Unix()})
		var exists *dynamo.ExistsError // the same row, stored by a call whose answer was lost
		if err != nil && !errors.As(err, &exists) {
			return at, err
		}
		if !r.late(at) {
			return at, nil
		}
	}
	return time.Time{}, errLate
}

func (r *Roster) late(at time.Time) bool { return r.Now().Sub(at) > Promptly }

// Since reads every row that bears that time or a later one, and hands over the partition keys of the addresses.
func (r *Roster) Since(ctx context.Context, since time.Time, each func(address string)) error {
	questions, ctx := errgroup.WithContext(ctx)
	questions.SetLimit(cmp.Or(r.AtOnce, 2*rosterShards))
	var one sync.Mutex
	last := r.Now().Add(Disagree)
	for day := dayOf(since); day <= dayOf(last); day++ {
		for shard := range rosterShards {
			questions.Go(func() error {
				return r.Table.Each(ctx, dynamo.Query{PK: ofDay(day, shard), From: moment(since)}, func(item dynamo.Item) error {
					var found row
					if err := dynamo.Unmarshal(item, &found); err != nil {
						return err
					}
					_, address, _ := strings.Cut(found.SK, "/")
					one.Lock()
					defer one.Unlock()
					each(address)
					return nil
				})
			})
		}
	}
	return questions.Wait()
}

func shardOf(address string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(address))
	return int(h.Sum32() % rosterShards)
}

func dayOf(at time.Time) int64 { return at.Unix() / 86400 }

func ofDay(day int64, shard int) string { return fmt.Sprintf("%d/%d", day, shard) }

func partition(at time.Time, shard int) string { return ofDay(dayOf(at), shard) }

// moment is a time in milliseconds, in as many digits as it has until the year 2286, so that their order is that of time.
func moment(at time.Time) string { return fmt.Sprintf("%013d", at.UnixMilli()) }
