package dynamo

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Write is one conditional put inside a transaction.
type Write struct {
	Table    Table
	Item     any
	Expected *int64 // the version that is replaced; nil creates
}

// Following is the Write of Follow: of the version of an item that follows the one that was read, 0 where there was none.
func (t Table) Following(item any, read int64) Write {
	if read > 0 {
		return Write{Table: t, Item: item, Expected: &read}
	}
	return Write{Table: t, Item: item}
}

// Cancelled tells why a transaction did not happen, write by write.
type Cancelled struct {
	// Exists maps the position of a write whose item exists (Expected nil) to what is stored.
	Exists map[int]Item
	// Stale are the positions of writes whose item has another version.
	Stale []int
	// Busy: another transaction or a throttle was in the way; the same transaction may be run again.
	Busy bool
}

func (c *Cancelled) Error() string {
	return fmt.Sprintf("dynamo: transaction cancelled: %d exist, %d stale, busy %t", len(c.Exists), len(c.Stale), c.Busy)
}

// MaxWrites is how many items a transaction may hold
// (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html).
const MaxWrites = 100

// Transact makes all writes or none: two write units for each KB.
// It returns *Cancelled where it did not happen; any other reason (an item too large, a validation)
// is an error for a person.
func Transact(ctx context.Context, client *dynamodb.Client, writes []Write) error {
	in := &dynamodb.TransactWriteItemsInput{TransactItems: make([]types.TransactWriteItem, len(writes))}
	for i, w := range writes {
		m, ok := Must(w.Item).(*types.AttributeValueMemberM)
		if !ok {
			return fmt.Errorf("dynamo: %T is not an item", w.Item)
		}
		condition := "attribute_not_exists(pk)"
		put := &types.Put{TableName: &writes[i].Table.Name, Item: m.Value, ConditionExpression: &condition,
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld}
		if w.Expected != nil {
			condition = "version = :expected"
			put.ExpressionAttributeValues = Item{":expected": Must(*w.Expected)}
		}
		in.TransactItems[i].Put = put
	}
	_, err := client.TransactWriteItems(ctx, in)
	return cancelled(err, writes)
}

func cancelled(err error, writes []Write) error {
	var busy *types.TransactionInProgressException
	if errors.As(err, &busy) {
		return &Cancelled{Busy: true}
	}
	var failed *types.TransactionCanceledException
	if !errors.As(err, &failed) {
		return err
	}
	c := &Cancelled{Exists: map[int]Item{}}
	for i, reason := range failed.CancellationReasons {
		code := ""
		if reason.Code != nil {
			code = *reason.Code
		}
		switch code {
		case "", "None":
		case "ConditionalCheckFailed":
			if i < len(writes) && writes[i].Expected == nil {
				c.Exists[i] = reason.Item
			} else {
				c.Stale = append(c.Stale, i)
			}
		case "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded":
			c.Busy = true
		default: // ItemCollectionSizeLimitExceeded, ValidationError
			return fmt.Errorf("dynamo: transaction refused: %s: %w", code, err)
		}
	}
	return c
}
