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
// snapshot of one moment. What is not in the answer does not exist. A read costs what it costs alone.
func GetMany(ctx context.Context, client *dynamodb.Client, wanted []Want) (map[Want]Item, error) {
	found := make(map[Want]Item, len(wanted))
	for part := range slices.Chunk(distinct(wanted), MaxReads) {
		if err := readMany(ctx, client, part, found); err != nil {
			return nil, err
		}
	}
	return found, nil
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
// was full, and after a pause where it brought nothing, which is how a table says that it is asked for too much.
func readMany(ctx context.Context, client *dynamodb.Client, wanted []Want, found map[Want]Item) error {
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
			return fmt.Errorf("get many: %w", err)
		}
		brought := 0
		for table, items := range out.Responses {
			for _, item := range items {
				var key struct {
					PK string `dynamodbav:"pk"`
					SK string `dynamodbav:"sk"`
				}
				if err := Unmarshal(item, &key); err != nil {
					return err
				}
				found[Want{Table: table, Key: Key(key)}] = item
				brought++
			}
		}
		if len(out.UnprocessedKeys) == 0 {
			return nil
		}
		asked = out.UnprocessedKeys
		if brought > 0 {
			idle = 0
			continue
		}
		if idle++; idle == patience {
			return fmt.Errorf("get many: the tables leave keys unprocessed")
		}
		if err := cloud.Sleep(ctx, (25*time.Millisecond)<<idle); err != nil {
			return err
		}
	}
}
