package dynamo

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"farrier/shared/problem"
)

// Query asks for the items of one partition in the order of their sort keys.
type Query struct {
	PK         string
	Prefix     string // of the sort key; or
	From, To   string // inclusive bounds of the sort key; both or only one of them
	Descending bool
	Limit      int32  // items on a page; 0 is as many as AWS gives at once
	Cursor     string // of the page before, from Page.Next

	Index                   string // another index than the table's own, with
	PartitionAttr, SortAttr string // its key attributes (default "pk" and "sk")
}

// Page is one page of a query.
type Page struct {
	Items []Item
	Next  string // the cursor of the next page; empty on the last
}

// Query reads one page.
func (t Table) Query(ctx context.Context, q Query) (Page, error) {
	in, err := q.input(t.Name)
	if err != nil {
		return Page{}, err
	}
	out, err := t.Client.Query(ctx, in)
	if err != nil {
		return Page{}, t.wrap("query", err)
	}
	return Page{Items: out.Items, Next: cursor(out.LastEvaluatedKey)}, nil
}

// Each reads every page and hands each item to f until it returns an error.
func (t Table) Each(ctx context.Context, q Query, f func(Item) error) error {
	for {
		page, err := t.Query(ctx, q)
		if err != nil {
			return err
		}
		for _, item := range page.Items {
			if err := f(item); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		q.Cursor = page.Next
	}
}

// Each reads every page and hands each item, as a T, to f until it returns an error.
func Each[T any](ctx context.Context, t Table, q Query, f func(T) error) error {
	return t.Each(ctx, q, func(item Item) error {
		var one T
		if err := Unmarshal(item, &one); err != nil {
			return err
		}
		return f(one)
	})
}

// List reads one page into a slice of T and returns the cursor of the next.
func List[T any](ctx context.Context, t Table, q Query) ([]T, string, error) {
	page, err := t.Query(ctx, q)
	if err != nil {
		return nil, "", err
	}
	out := make([]T, len(page.Items))
	for i, item := range page.Items {
		if err := Unmarshal(item, &out[i]); err != nil {
			return nil, "", err
		}
	}
	return out, page.Next, nil
}

func (q Query) input(table string) (*dynamodb.QueryInput, error) {
	pk, sk := q.PartitionAttr, q.SortAttr
	if pk == "" {
		pk = "pk"
	}
	if sk == "" {
		sk = "sk"
	}
	condition, names := "#pk = :pk", map[string]string{"#pk": pk}
	values := Item{":pk": Must(q.PK)}
	switch {
	case q.Prefix != "":
		condition += " AND begins_with(#sk, :prefix)"
		values[":prefix"] = Must(q.Prefix)
	case q.From != "" && q.To != "":
		condition += " AND #sk BETWEEN :from AND :to"
		values[":from"], values[":to"] = Must(q.From), Must(q.To)
	case q.From != "":
		condition += " AND #sk >= :from"
		values[":from"] = Must(q.From)
	case q.To != "":
		condition += " AND #sk <= :to"
		values[":to"] = Must(q.To)
	}
	if len(values) > 1 {
		names["#sk"] = sk
	}
	forward, consistent := !q.Descending, q.Index == ""
	in := &dynamodb.QueryInput{
		TableName: &table, KeyConditionExpression: &condition, ExpressionAttributeNames: names,
		ExpressionAttributeValues: values, ScanIndexForward: &forward, ConsistentRead: &consistent,
	}
	if q.Index != "" {
		in.IndexName = &q.Index
	}
	if q.Limit > 0 {
		in.Limit = &q.Limit
	}
	if q.Cursor != "" {
		start, ok := q.position(pk, sk)
		if !ok {
			return nil, problem.Field("cursor", "is not one that this list gave")
		}
		in.ExclusiveStartKey = start
	}
	return in, nil
}

// cursor hides the last key of a page. It says nothing that the page did not, and position refuses one of another partition.
func cursor(last Item) string {
	if len(last) == 0 {
		return ""
	}
	key := map[string]string{}
	for name, v := range last {
		if s, ok := v.(*types.AttributeValueMemberS); ok {
			key[name] = s.Value
		}
	}
	b, _ := json.Marshal(key)
	return base64.RawURLEncoding.EncodeToString(b)
}

// The longest keys that DynamoDB takes, in bytes; it refuses the whole query for a longer one
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html, read 2026-11-21).
const (
	maxPartition = 2048
	maxSort      = 1024
)

// position reads a cursor. It must name the keys of table and index, all of them and nothing else, within the query's range.
func (q Query) position(pkAttr, skAttr string) (Item, bool) {
	b, err := base64.RawURLEncoding.DecodeString(q.Cursor)
	if err != nil {
		return nil, false
	}
	key := map[string]string{}
	if json.Unmarshal(b, &key) != nil || key[pkAttr] != q.PK || !strings.HasPrefix(key[skAttr], q.Prefix) {
		return nil, false
	}
	longest := map[string]int{"pk": maxPartition, "sk": maxSort, pkAttr: maxPartition, skAttr: maxSort}
	for name, most := range longest {
		if key[name] == "" || len(key[name]) > most || len(key) != len(longest) {
			return nil, false
		}
	}
	if at := key[skAttr]; q.From != "" && at < q.From || q.To != "" && at > q.To {
		return nil, false
	}
	item := Item{}
	for name, v := range key {
		item[name] = Must(v)
	}
	return item, true
}

// Scan reads the whole table and hands each item to f. It is for tools, never for a function on the way of money.
func (t Table) Scan(ctx context.Context, f func(Item) error) error {
	consistent := true
	in := &dynamodb.ScanInput{TableName: &t.Name, ConsistentRead: &consistent}
	for {
		out, err := t.Client.Scan(ctx, in)
		if err != nil {
			return t.wrap("scan", err)
		}
		for _, item := range out.Items {
			if err := f(item); err != nil {
				return err
			}
		}
		if len(out.LastEvaluatedKey) == 0 {
			return nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

// EachKey reads the keys of one of several equal parts of the table, with strong consistency: whatever was written before it
// began is among them. It costs the reading of whole items all the same.
func (t Table) EachKey(ctx context.Context, part, of int32, f func(Key)) error {
	consistent, keys := true, "pk, sk"
	in := &dynamodb.ScanInput{TableName: &t.Name, ConsistentRead: &consistent, ProjectionExpression: &keys, Segment: &part, TotalSegments: &of}
	for {
		out, err := t.Client.Scan(ctx, in)
		if err != nil {
			return t.wrap("scan", err)
		}
		for _, item := range out.Items {
			var k struct {
				PK string `dynamodbav:"pk"`
				SK string `dynamodbav:"sk"`
			}
			if err := Unmarshal(item, &k); err != nil {
				return err
			}
			f(Key(k))
		}
		if len(out.LastEvaluatedKey) == 0 {
			return nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}
