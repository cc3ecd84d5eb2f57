package proof

import (
	"context"
	"fmt"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"farrier/shared/dynamo"
	"farrier/shared/parts"
)

// Table makes a fresh table for a notion. sparse is the partition attribute of its sparse index, if it has one.
func (a *AWS) Table(t testing.TB, notion string, indexes ...parts.Index) string {
	t.Helper()
	name := parts.TableOn(t, dynamodb.NewFromConfig(a.base), indexes...).Name
	a.mu.Lock()
	defer a.mu.Unlock()
	a.names[name] = notion
	for _, i := range indexes {
		a.indexes[notion] = i.Partition
	}
	return name
}

// Stream shows a consumer the records of a notion's table that it has not passed yet.
func (a *AWS) Stream(notion, consumer string) []events.DynamoDBEventRecord {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.streams[notion][a.passed[notion+"/"+consumer]:]
}

// Pass moves a consumer n records on.
func (a *AWS) Pass(notion, consumer string, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.passed[notion+"/"+consumer] += n
}

// record notes a committed write and returns what it costs in write units
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html).
func (a *AWS) record(parameters any) float64 {
	switch in := parameters.(type) {
	case *dynamodb.PutItemInput:
		return a.put(*in.TableName, in.Item)
	case *dynamodb.DeleteItemInput:
		delete(a.items, itemName(*in.TableName, in.Key))
		return 1
	case *dynamodb.TransactWriteItemsInput:
		units := 0.0
		for _, w := range in.TransactItems {
			units += 2 * a.put(*w.Put.TableName, w.Put.Item)
		}
		return units
	default:
		return 0
	}
}

func (a *AWS) put(table string, item dynamo.Item) float64 {
	notion, name := a.names[table], itemName(table, item)
	before := a.items[name]
	a.items[name] = item
	kind := "INSERT"
	if before != nil {
		kind = "MODIFY"
	}
	a.number++
	a.streams[notion] = append(a.streams[notion], events.DynamoDBEventRecord{
		EventID: "event-" + strconv.Itoa(a.number), EventName: kind, EventSource: "aws:dynamodb", AWSRegion: a.base.Region,
		EventSourceArn: "arn:aws:dynamodb:us-east-1:123456789012:table/" + table + "/stream/2026-11-21T00:00:00.000",
		Change: events.DynamoDBStreamRecord{
			Keys:     dynamo.Told(dynamo.Item{"pk": item["pk"], "sk": item["sk"]}),
			NewImage: dynamo.Told(item), SequenceNumber: fmt.Sprintf("%021d", a.number), StreamViewType: "NEW_IMAGE",
		},
	})
	return float64(kilobytes(max(parts.SizeOf(item), parts.SizeOf(before)))) + a.indexUnits(notion, before, item)
}

// indexUnits is what a write costs in the table's sparse index: 1 to put or to remove an entry, 2 to change its key.
func (a *AWS) indexUnits(notion string, before, after dynamo.Item) float64 {
	attribute, has := a.indexes[notion]
	if !has {
		return 0
	}
	was, is := before[attribute] != nil, after[attribute] != nil
	switch {
	case was && is:
		return 2
	case was || is:
		return 1
	default:
		return 0
	}
}

func (a *AWS) tablesOf(parameters any) string {
	seen := map[string]bool{}
	switch in := parameters.(type) {
	case *dynamodb.PutItemInput:
		seen[a.names[*in.TableName]] = true
	case *dynamodb.GetItemInput:
		seen[a.names[*in.TableName]] = true
	case *dynamodb.QueryInput:
		seen[a.names[*in.TableName]] = true
	case *dynamodb.DeleteItemInput:
		seen[a.names[*in.TableName]] = true
	case *dynamodb.BatchGetItemInput:
		for name := range in.RequestItems {
			seen[a.names[name]] = true
		}
	case *dynamodb.TransactWriteItemsInput:
		for _, w := range in.TransactItems {
			seen[a.names[*w.Put.TableName]] = true
		}
	}
	var names []string
	for name := range seen {
		names = append(names, name)
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}

func itemName(table string, item dynamo.Item) string {
	text := func(v types.AttributeValue) string {
		s, _ := v.(*types.AttributeValueMemberS)
		if s == nil {
			return ""
		}
		return s.Value
	}
	return table + "\x00" + text(item["pk"]) + "\x00" + text(item["sk"])
}

func kilobytes(bytes int) int { return max((bytes+1023)/1024, 1) }

// committed says whether a write is in the store whose answer was lost: it returns the answer, or nil.
func (a *AWS) committed(ctx context.Context, parameters any) any {
	switch in := parameters.(type) {
	case *dynamodb.PutItemInput:
		if a.holds(ctx, *in.TableName, in.Item) {
			return &dynamodb.PutItemOutput{}
		}
	case *dynamodb.TransactWriteItemsInput:
		if first := in.TransactItems[0].Put; a.holds(ctx, *first.TableName, first.Item) {
			return &dynamodb.TransactWriteItemsOutput{}
		}
	}
	return nil
}

func (a *AWS) holds(ctx context.Context, table string, item dynamo.Item) bool {
	consistent := true
	out, err := dynamodb.NewFromConfig(a.base).GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &table, ConsistentRead: &consistent, Key: dynamo.Item{"pk": item["pk"], "sk": item["sk"]},
	})
	return err == nil && reflect.DeepEqual(out.Item, item)
}

// Adopt takes over tables that another account made.
func (a *AWS) Adopt(tables Tables) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for notion, name := range tables {
		a.names[name] = notion
	}
	a.indexes["callbacks"], a.indexes["deliveries"] = "trouble", "due_shard"
}
