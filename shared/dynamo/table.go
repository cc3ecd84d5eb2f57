package dynamo

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Item is a stored item as the SDK gives it.
type Item = map[string]types.AttributeValue

// Key names an item.
type Key struct{ PK, SK string }

// KeyOf is an item's key, whatever else is in it.
func KeyOf(item Item) Key {
	pk, _ := item["pk"].(*types.AttributeValueMemberS)
	sk, _ := item["sk"].(*types.AttributeValueMemberS)
	if pk == nil || sk == nil {
		return Key{}
	}
	return Key{PK: pk.Value, SK: sk.Value}
}

func (k Key) item() Item {
	return Item{"pk": &types.AttributeValueMemberS{Value: k.PK}, "sk": &types.AttributeValueMemberS{Value: k.SK}}
}

// Errors that decide what a caller does next.
var (
	// ErrStale: the item is not at the version that was read; read again and decide again.
	ErrStale = errors.New("dynamo: the item has changed since it was read")
	// ErrMissing: there is no such item.
	ErrMissing = errors.New("dynamo: no such item")
	// ErrUnreadable: the item is not of the kind that was asked for; asking again does not help.
	ErrUnreadable = errors.New("dynamo: the item cannot be read")
)

// ExistsError tells that Create found another item under its key.
type ExistsError struct{ Stored Item }

func (*ExistsError) Error() string { return "dynamo: the item exists" }

// Table is one table, or the way to it.
type Table struct {
	Client *dynamodb.Client
	Name   string
}

// Get reads an item into out. It returns ErrMissing where there is none.
func (t Table) Get(ctx context.Context, key Key, out any) error {
	consistent := true
	got, err := t.Client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &t.Name, Key: key.item(), ConsistentRead: &consistent})
	if err != nil {
		return t.wrap("get", err)
	}
	if len(got.Item) == 0 {
		return ErrMissing
	}
	return Unmarshal(got.Item, out)
}

// Create writes an item that must not exist yet: one write unit for each KB.
// Where one exists the error is an *ExistsError with what is stored, for the caller to compare.
func (t Table) Create(ctx context.Context, item any) error {
	return t.put(ctx, "create", Must(item), "attribute_not_exists(pk)", nil)
}

// Replace writes a whole item over the one whose version is still expected.
// The item must carry its new version in the attribute "version".
func (t Table) Replace(ctx context.Context, item any, expected int64) error {
	return t.put(ctx, "replace", Must(item), "version = :expected", Item{":expected": Must(expected)})
}

// Follow writes the version of an item that follows the one that was read: 0 where there was none. It returns ErrStale
// where someone else has written since. The item must carry its new version in the attribute "version".
func (t Table) Follow(ctx context.Context, item any, read int64) error {
	if read > 0 {
		return t.Replace(ctx, item, read)
	}
	err := t.Create(ctx, item)
	var exists *ExistsError
	if errors.As(err, &exists) {
		return ErrStale
	}
	return err
}

// PutIf writes an item under a condition of the caller's own; it returns ErrStale where that fails.
func (t Table) PutIf(ctx context.Context, item any, condition string, values map[string]any) error {
	marshalled := Item{}
	for name, v := range values {
		marshalled[name] = Must(v)
	}
	return t.put(ctx, "put", Must(item), condition, marshalled)
}

func (t Table) put(ctx context.Context, verb string, item types.AttributeValue, condition string, values Item) error {
	m, ok := item.(*types.AttributeValueMemberM)
	if !ok {
		return fmt.Errorf("dynamo: %T is not an item", item)
	}
	in := &dynamodb.PutItemInput{
		TableName: &t.Name, Item: m.Value, ConditionExpression: &condition,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if len(values) > 0 {
		in.ExpressionAttributeValues = values
	}
	_, err := t.Client.PutItem(ctx, in)
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) {
		if verb == "create" {
			return &ExistsError{Stored: failed.Item}
		}
		return ErrStale
	}
	return t.wrap(verb, err)
}

// Delete removes an item; an absent one is no error.
func (t Table) Delete(ctx context.Context, key Key) error {
	_, err := t.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &t.Name, Key: key.item()})
	return t.wrap("delete", err)
}

func (t Table) wrap(verb string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s in %s: %w", verb, t.Name, err)
}

// Exists says whether err is an *ExistsError and reads the stored item into out.
func Exists(err error, out any) (bool, error) {
	var exists *ExistsError
	if !errors.As(err, &exists) {
		return false, nil
	}
	return true, Unmarshal(exists.Stored, out)
}

// Must marshals a value whose type is ours, so that it cannot fail for its content.
func Must(v any) types.AttributeValue {
	av, err := attributevalue.MarshalWithOptions(v, func(o *attributevalue.EncoderOptions) { o.UseEncodingMarshalers = true })
	if err != nil {
		panic(fmt.Sprintf("dynamo: %T cannot be stored: %v", v, err))
	}
	return av
}

// Unmarshal reads an item into a struct, or returns ErrUnreadable.
func Unmarshal(item Item, out any) error {
	err := attributevalue.UnmarshalMapWithOptions(item, out, func(o *attributevalue.DecoderOptions) { o.UseEncodingUnmarshalers = true })
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return nil
}
