package proof

import (
	"hash/fnv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/dynamo"
)

// shards is how many parts a table's stream has. AWS promises the order of one item's records; what lies in
// different shards may be read in any order.
const shards = 2

// keeps is how long a stream remembers
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html, read 2026-11-21).
const keeps = 24 * time.Hour

// stream is the changes of one table.
type stream struct {
	records [shards][]events.DynamoDBEventRecord
	passed  [shards]map[string]int // how many records a consumer has passed
}

func (a *AWS) streamOf(notion string) *stream {
	s := a.streams[notion]
	if s == nil {
		s = &stream{}
		for i := range s.passed {
			s.passed[i] = map[string]int{}
		}
		a.streams[notion] = s
	}
	return s
}

// tell puts a committed write into its table's stream. The caller holds the lock.
func (a *AWS) tell(notion string, name itemName, before, item dynamo.Item) {
	kind := "INSERT"
	if before != nil {
		kind = "MODIFY"
	}
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(name.pk + "\x00" + name.sk))
	records := &a.streamOf(notion).records[hash.Sum32()%shards]
	*records = append(*records, a.event(events.DynamoDBEventRecord{
		EventName: kind, EventSource: "aws:dynamodb", AWSRegion: a.base.Region,
		EventSourceArn: "arn:aws:dynamodb:us-east-1:123456789012:table/" + name.table + "/stream/2026-11-21T00:00:00.000",
		Change:         events.DynamoDBStreamRecord{Keys: dynamo.Told(name.key()), NewImage: dynamo.Told(item), StreamViewType: "NEW_IMAGE"},
	}))
}

// Records shows a consumer what it has not passed yet of a shard.
func (a *AWS) Records(notion, consumer string, shard int) []events.DynamoDBEventRecord {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.streamOf(notion)
	return s.records[shard][s.passed[shard][consumer]:]
}

// Position is how far a consumer is.
func (a *AWS) Position(notion, consumer string, shard int) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.streamOf(notion).passed[shard][consumer]
}

// Pass moves a consumer to a position: forward, or back, where AWS has lost how far it was.
func (a *AWS) Pass(notion, consumer string, shard, position int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.streamOf(notion).passed[shard][consumer] = position
}

// Trim forgets what is older than a stream remembers, and says how many records a consumer of it has missed.
func (a *AWS) Trim(notion, consumer string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	missed := 0
	s := a.streamOf(notion)
	for i, records := range s.records {
		for s.passed[i][consumer] < len(records) && a.Now().Sub(records[s.passed[i][consumer]].Change.ApproximateCreationDateTime.Time) > keeps {
			s.passed[i][consumer]++
			missed++
		}
	}
	return missed
}
