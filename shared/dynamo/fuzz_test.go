package dynamo

import (
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"farrier/shared/problem"
)

// FuzzCursor: a cursor is refused by its name, or it is a place in the very list that is asked for, which the store
// can take and which is written as a cursor of the same place.
func FuzzCursor(f *testing.F) {
	place := func(pairs ...string) string {
		key := Item{}
		for i := 0; i < len(pairs); i += 2 {
			key[pairs[i]] = &types.AttributeValueMemberS{Value: pairs[i+1]}
		}
		return cursor(key)
	}
	f.Add(place("pk", "mer_1", "sk", "pay_7"), byte(0))
	f.Add(place("pk", "mer_2", "sk", "pay_7"), byte(0))
	f.Add(place("pk", "mer_1", "sk", "pay_7"), byte(1))
	f.Add(place("pk", "mer_1", "sk", "dep_7"), byte(1))
	f.Add(place("pk", "mer_1", "sk", "pay_5"), byte(2))
	f.Add(place("pk", "mer_1", "sk", "pay_9"), byte(2))
	f.Add(place("pk", "con_1", "sk", "x", "trouble", "mer_1", "trouble_at", "pay_7"), byte(4))
	f.Add(place("pk", "mer_1", "sk", "pay_7", "other", "x"), byte(0))
	f.Add(place("pk", "mer_1", "sk", "pay_"+strings.Repeat("x", 1100)), byte(1))
	f.Add("e30", byte(0))
	f.Add("bnVsbA", byte(0))
	f.Add("!", byte(0))
	f.Fuzz(func(t *testing.T, text string, kind byte) {
		q := Query{PK: "mer_1", Cursor: text, Limit: 10}
		pk, sk := "pk", "sk"
		if kind&1 != 0 {
			q.Prefix = "pay_"
		}
		if kind&2 != 0 {
			q.From, q.To = "pay_3", "pay_8"
		}
		if kind&4 != 0 {
			pk, sk = "trouble", "trouble_at"
			q.Index, q.PartitionAttr, q.SortAttr = "trouble", pk, sk
		}
		in, err := q.input("table")
		if err != nil {
			if p := problem.Of(err); in != nil || p.Code != problem.Invalid || p.Field != "cursor" || len(text) > 20 && strings.Contains(err.Error(), text) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		start := map[string]string{}
		for name, v := range in.ExclusiveStartKey {
			start[name] = v.(*types.AttributeValueMemberS).Value
		}
		if text == "" {
			if len(start) > 0 {
				t.Fatal("no cursor is a place")
			}
			return
		}
		for _, name := range []string{"pk", "sk", pk, sk} {
			if start[name] == "" {
				t.Fatalf("%q: a place without %s: %v", text, name, start)
			}
		}
		if (pk == "pk" && len(start) != 2) || (pk != "pk" && len(start) != 4) || start[pk] != q.PK || !strings.HasPrefix(start[sk], q.Prefix) {
			t.Fatalf("%q: a place outside of the list: %v", text, start)
		}
		if q.From != "" && (start[sk] < q.From || start[sk] > q.To) {
			t.Fatalf("%q: a place outside of the range: %v", text, start)
		}
		// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-partition-sort-keys, read 2026-11-21
		if len(start["pk"]) > 2048 || len(start["sk"]) > 1024 || len(start[pk]) > 2048 || len(start[sk]) > 1024 {
			t.Fatalf("the store refuses a key as long as this one: %d", len(text))
		}
		q.Cursor = cursor(in.ExclusiveStartKey)
		again, err := q.input("table")
		if err != nil || !reflect.DeepEqual(again.ExclusiveStartKey, in.ExclusiveStartKey) {
			t.Fatalf("%q is written %q, %v", text, q.Cursor, err)
		}
	})
}

// FuzzImage: what a stream's record tells of an item is the item, and told again it is the same.
func FuzzImage(f *testing.F) {
	for _, s := range []string{
		`{"s":{"S":"x"},"n":{"N":"1"},"b":{"B":"AAE="},"t":{"BOOL":true},"0":{"NULL":true},"l":{"L":[{"S":"x"},{"L":[]}]},"m":{"M":{"k":{"N":"2"}}}}`,
		`{"ss":{"SS":["a","b"]},"ns":{"NS":["1"]},"bs":{"BS":["AA==","AQ=="]}}`, `{"a":{},"b":null,"c":{"X":1},"d":{"M":{"e":{}}}}`, `{}`, `null`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		image := map[string]events.DynamoDBAttributeValue{}
		if !read(text, &image) {
			return
		}
		item := Image(image)
		if again := Image(Told(item)); !reflect.DeepEqual(again, item) {
			t.Fatalf("%s: %#v is told as %#v", text, item, again)
		}
		for name := range maps.Keys(image) {
			if _, ok := item[name]; !ok {
				t.Fatalf("%s: %q is lost", text, name)
			}
		}
		if key := StreamKey(events.DynamoDBEventRecord{Change: events.DynamoDBStreamRecord{Keys: image}}); key.PK != "" {
			if s, ok := item["pk"].(*types.AttributeValueMemberS); !ok || s.Value != key.PK {
				t.Fatalf("%s: the key %v", text, key)
			}
		}
	})
}

// read says whether a text is an image. The library panics over a binary set of anything but texts; package stream takes that for an error.
func read(text []byte, image *map[string]events.DynamoDBAttributeValue) (ok bool) {
	defer func() { ok = recover() == nil && ok }()
	return json.Unmarshal(text, image) == nil
}
