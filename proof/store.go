package proof

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"farrier/shared/dynamo"
	"farrier/shared/parts"
)

// Tables are a world's tables by notion.
type Tables map[string]string

// MakeTables makes the tables of the whole system on the store behind a.
func (a *AWS) MakeTables(t testing.TB) Tables {
	t.Helper()
	indexes := map[string]parts.Index{
		"callbacks":  {Name: "trouble", Partition: "trouble", Sort: "trouble_at"},
		"deliveries": {Name: "due", Partition: "due_shard", Sort: "due_at"},
		"states":     {Name: "lined", Partition: "line", Sort: "sk"},
	}
	tables := Tables{}
	for _, notion := range []string{"connections", "addresses", "roster", "passes", "callbacks", "journal", "deposits", "payments", "entries", "balances", "events", "endpoints", "states", "deliveries", "tasks"} {
		var own []parts.Index
		if i, has := indexes[notion]; has {
			own = append(own, i)
			a.indexes[notion] = i.Partition
		}
		tables[notion] = parts.TableOn(t, dynamodb.NewFromConfig(a.base), own...).Name
		a.names[tables[notion]] = notion
	}
	return tables
}

// Wipe empties the account: every item, queue, stream and schedule.
func (a *AWS) Wipe(t TB) {
	t.Helper()
	client := dynamodb.NewFromConfig(a.base)
	var all []itemName
	for name := range a.items {
		all = append(all, name)
	}
	for some := range slices.Chunk(all, 25) {
		requests := map[string][]types.WriteRequest{}
		for _, name := range some {
			requests[name.table] = append(requests[name.table], types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: name.key()}})
		}
		if _, err := client.BatchWriteItem(context.Background(), &dynamodb.BatchWriteItemInput{RequestItems: requests}); err != nil {
			t.Fatalf("wipe: %v", err)
		}
	}
	a.forgetAll()
}

// Written are all versions of a notion's items that were ever committed, in their order.
func (a *AWS) Written(notion string) []dynamo.Item {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.writes[notion])
}

// Items are a notion's items as they stand, by their keys.
func (a *AWS) Items(notion string) []dynamo.Item {
	a.mu.Lock()
	defer a.mu.Unlock()
	var names []itemName
	for name := range a.items {
		if a.names[name.table] == notion {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(x, y itemName) int { return strings.Compare(x.pk+"\x00"+x.sk, y.pk+"\x00"+y.sk) })
	out := make([]dynamo.Item, len(names))
	for i, name := range names {
		out[i] = a.items[name]
	}
	return out
}

// record notes a committed write and returns what it costs in write units
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html).
func (a *AWS) record(parameters any) float64 {
	switch in := parameters.(type) {
	case *dynamodb.PutItemInput:
		return a.put(*in.TableName, in.Item)
	case *dynamodb.DeleteItemInput:
		delete(a.items, nameOf(*in.TableName, in.Key))
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
	notion, name := a.names[table], nameOf(table, item)
	before := a.items[name]
	a.items[name] = item
	a.writes[notion] = append(a.writes[notion], item)
	if hear := a.hear[notion]; hear != nil {
		hear(item)
	}
	a.tell(notion, name, before, item)
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
	var names []string
	switch in := parameters.(type) {
	case *dynamodb.PutItemInput:
		names = []string{*in.TableName}
	case *dynamodb.GetItemInput:
		names = []string{*in.TableName}
	case *dynamodb.QueryInput:
		names = []string{*in.TableName}
	case *dynamodb.DeleteItemInput:
		names = []string{*in.TableName}
	case *dynamodb.ScanInput:
		names = []string{*in.TableName}
	case *dynamodb.BatchGetItemInput:
		for name := range in.RequestItems {
			names = append(names, name)
		}
	case *dynamodb.TransactWriteItemsInput:
		for _, w := range in.TransactItems {
			names = append(names, *w.Put.TableName)
		}
	}
	for i, name := range names {
		names[i] = a.names[name]
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}

// itemName names an item of the account.
type itemName struct{ table, pk, sk string }

func nameOf(table string, item dynamo.Item) itemName {
	text := func(v types.AttributeValue) string {
		s, _ := v.(*types.AttributeValueMemberS)
		if s == nil {
			return ""
		}
		return s.Value
	}
	return itemName{table, text(item["pk"]), text(item["sk"])}
}

func (n itemName) key() dynamo.Item {
	return dynamo.Item{"pk": &types.AttributeValueMemberS{Value: n.pk}, "sk": &types.AttributeValueMemberS{Value: n.sk}}
}

func kilobytes(bytes int) int { return max((bytes+1023)/1024, 1) }

// leaveOne takes one key of each table out of a BatchGetItem's answer and calls it unprocessed.
func leaveOne(parameters, result any) {
	in, is := parameters.(*dynamodb.BatchGetItemInput)
	if !is {
		return
	}
	out := result.(*dynamodb.BatchGetItemOutput)
	out.UnprocessedKeys = map[string]types.KeysAndAttributes{}
	for table, asked := range in.RequestItems {
		last := asked.Keys[len(asked.Keys)-1]
		out.UnprocessedKeys[table] = types.KeysAndAttributes{Keys: []map[string]types.AttributeValue{last}, ConsistentRead: asked.ConsistentRead}
		out.Responses[table] = slices.DeleteFunc(out.Responses[table], func(item map[string]types.AttributeValue) bool {
			return nameOf(table, item) == nameOf(table, last)
		})
	}
}

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
		TableName: &table, ConsistentRead: &consistent, Key: nameOf(table, item).key(),
	})
	return err == nil && reflect.DeepEqual(out.Item, item)
}
