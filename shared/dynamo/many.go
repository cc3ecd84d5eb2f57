package dynamo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"farrier/shared/cloud"
)

// Want names an item of a table, to be read together with others.
type Want struct {
	Table string // its name
	Key   Key
}

// MaxReads is how many items one request may ask for; the items it brings are at most 16 MB, and those beyond are
// left unprocessed (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html, read 2026-11-29).
const MaxReads = 100

// GetMany reads items of one or several tables, MaxReads in a request, with strong consistency for each; they are no
// snapshot of one moment. What is not in the answer does not exist, but for what an UnreadError names: that error comes
// with everything that was read, any other error with nothing. A read costs what it costs alone.
func GetMany(ctx context.Context, client *dynamodb.Client, wanted []Want) (map[Want]Item, error) {
	found := make(map[Want]Item, len(wanted))
	var unread []Want
	for part := range slices.Chunk(distinct(wanted), MaxReads) {
		left, err := readMany(ctx, client, part, found)
		if err != nil {
			return nil, err
		}
		unread = append(unread, left...)
	}
	if len(unread) > 0 {
		return found, &UnreadError{Wants: unread}
	}
	return found, nil
}

// UnreadError names what was not read, because its table is asked for too much: a single item that many ask for is enough.
type UnreadError struct{ Wants []Want }

func (e *UnreadError) Error() string {
	return fmt.Sprintf("get many: the tables leave %d keys unprocessed", len(e.Wants))
}

// AnyOf says whether some of these were not read. A nil error left nothing out.
func (e *UnreadError) AnyOf(wanted []Want) bool {
	return e != nil && slices.ContainsFunc(wanted, func(w Want) bool { return slices.Contains(e.Wants, w) })
}

// distinct leaves out what was named before: DynamoDB refuses a request that names an item twice.
func distinct(wanted []Want) []Want {
	seen := make(map[Want]bool, len(wanted))
	var once []Want
	for _, w := range wanted {
		if !seen[w] {
			seen[w] = true
			once = append(once, w)
		}
	}
	return once
}

// patience is how many answers that bring nothing are borne, one after the other.
const patience = 6

// readMany asks for up to MaxReads items, and again for those that were left unprocessed: at once where the answer
// was full, and after a pause where it brought nothing, which is how a table says that it is asked for too much. It
// returns what stays unprocessed all the same.
func readMany(ctx context.Context, client *dynamodb.Client, wanted []Want, found map[Want]Item) ([]Want, error) {
	asked := map[string]types.KeysAndAttributes{}
	consistent := true
	for _, w := range wanted {
		of := asked[w.Table]
		of.ConsistentRead, of.Keys = &consistent, append(of.Keys, w.Key.item())
		asked[w.Table] = of
	}
	for idle := 0; ; {
		out, err := client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: asked})
		if err != nil {
			return nil, fmt.Errorf("get many: %w", err)
		}
		brought := 0
		for table, items := range out.Responses {
			for _, item := range items {
				found[Want{Table: table, Key: KeyOf(item)}] = item
				brought++
			}
		}
		if len(out.UnprocessedKeys) == 0 {
			return nil, nil
		}
		asked = out.UnprocessedKeys
		if brought > 0 {
			idle = 0
			continue
		}
		if idle++; idle == patience {
			return wantsOf(asked), nil
		}
		if err := cloud.Sleep(ctx, (25*time.Millisecond)<<idle); err != nil {
			return nil, err
		}
	}
}

func wantsOf(asked map[string]types.KeysAndAttributes) (wants []Want) {
	for table, of := range asked {
		for _, key := range of.Keys {
			wants = append(wants, Want{Table: table, Key: KeyOf(key)})
		}
	}
	return wants
}
