package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"farrier/shared/dynamo"
	"farrier/shared/money"
	"farrier/shared/parts"
)

func TestConformanceManyItemsOfSeveralTablesAreReadTogether(t *testing.T) {
	one, other := parts.Table(t), parts.Table(t)
	var wanted []dynamo.Want
	for i := range 130 {
		table := []dynamo.Table{one, other}[i%2]
		item := thing{PK: "a", SK: fmt.Sprint(i), Amount: money.Units(int64(i)), Version: 1}
		if i%5 != 0 {
			if err := table.Create(ctx, item); err != nil {
				t.Fatal(err)
			}
		}
		w := dynamo.Want{Table: table.Name, Key: dynamo.Key{PK: item.PK, SK: item.SK}}
		wanted = append(wanted, w, w) // who asks twice is answered once
	}
	found, err := dynamo.GetMany(ctx, one.Client, wanted)
	if err != nil || len(found) != 130-26 {
		t.Fatalf("%d found, %v", len(found), err)
	}
	for i, w := range wanted {
		item, is := found[w]
		var read thing
		if is {
			if err := dynamo.Unmarshal(item, &read); err != nil {
				t.Fatal(err)
			}
		}
		if exists := (i/2)%5 != 0; is != exists || exists && (read.SK != w.Key.SK || read.Amount.Cmp(money.Units(int64(i/2))) != 0) {
			t.Errorf("%v: there %t, %+v", w.Key, is, read)
		}
	}
	if none, err := dynamo.GetMany(ctx, one.Client, nil); err != nil || len(none) != 0 {
		t.Errorf("nothing wanted: %v, %v", none, err)
	}
}

func TestWhatATableLeavesUnprocessedIsAskedForAgainAndNotForEver(t *testing.T) {
	for name, c := range map[string]struct {
		perAnswer int // keys that one answer processes
		requests  int
		fails     bool
	}{
		"all at once":      {perAnswer: 100, requests: 1},
		"three at a time":  {perAnswer: 3, requests: 4},
		"never one of all": {perAnswer: 0, requests: 6, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			requests := 0
			client := tableWith(func(asked types.KeysAndAttributes) (items, left []dynamo.Item) {
				requests++
				if !aws.ToBool(asked.ConsistentRead) {
					t.Error("a read that may be old")
				}
				n := min(c.perAnswer, len(asked.Keys))
				return asked.Keys[:n], asked.Keys[n:]
			})
			var wanted []dynamo.Want
			for i := range 10 {
				wanted = append(wanted, dynamo.Want{Table: "things", Key: dynamo.Key{PK: "a", SK: fmt.Sprint(i)}})
			}
			found, err := dynamo.GetMany(ctx, client, wanted)
			var unread *dynamo.UnreadError
			if c.fails && (!errors.As(err, &unread) || !slices.Equal(unread.Wants, wanted) || len(found) != 0) {
				t.Errorf("%d found, %v", len(found), err)
			}
			if (err != nil) != c.fails || !c.fails && len(found) != 10 || requests != c.requests {
				t.Errorf("%d found in %d requests, %v", len(found), requests, err)
			}
		})
	}
}

func TestAnItemThatManyAskForKeepsNoOtherFromBeingRead(t *testing.T) {
	var wanted []dynamo.Want
	for i := range 250 { // three requests, of which the second asks for the hot one
		wanted = append(wanted, dynamo.Want{Table: "things", Key: dynamo.Key{PK: "a", SK: fmt.Sprint(i)}})
	}
	hot := wanted[150]
	client := tableWith(func(asked types.KeysAndAttributes) (items, left []dynamo.Item) {
		for _, key := range asked.Keys {
			if sk := key["sk"].(*types.AttributeValueMemberS); sk.Value == hot.Key.SK {
				left = append(left, key)
			} else {
				items = append(items, key)
			}
		}
		return items, left
	})
	found, err := dynamo.GetMany(ctx, client, wanted)
	var unread *dynamo.UnreadError
	if !errors.As(err, &unread) || !slices.Equal(unread.Wants, []dynamo.Want{hot}) || len(found) != len(wanted)-1 {
		t.Fatalf("%d found, %v", len(found), err)
	}
	if !unread.AnyOf(wanted[149:151]) || unread.AnyOf(wanted[:150]) || (*dynamo.UnreadError)(nil).AnyOf(wanted) {
		t.Error("it does not say rightly what was not read")
	}
}

// tableWith is a client of one table, things, which answers with some of the keys that it is asked for and leaves others.
func tableWith(answer func(asked types.KeysAndAttributes) (items, left []dynamo.Item)) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{Region: "us-east-1", APIOptions: []func(*middleware.Stack) error{func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("table", func(_ context.Context, in middleware.InitializeInput, _ middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			asked := in.Parameters.(*dynamodb.BatchGetItemInput).RequestItems["things"]
			items, left := answer(asked)
			out := &dynamodb.BatchGetItemOutput{Responses: map[string][]dynamo.Item{"things": items}}
			if len(left) > 0 {
				out.UnprocessedKeys = map[string]types.KeysAndAttributes{"things": {Keys: left, ConsistentRead: asked.ConsistentRead}}
			}
			return middleware.InitializeOutput{Result: out}, middleware.Metadata{}, nil
		}), middleware.After)
	}}})
}
