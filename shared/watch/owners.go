package watch

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"farrier/shared/dynamo"
	"farrier/shared/wallet"
)

// Owners is the table of addresses, which says whose an address is.
//
// It is asked with strong consistency and only after the block was fetched. An address is stored before
// anybody is told of it, so it is stored before its payer can sign, before the block is made and before
// the block is fetched: what is not in the answer was not ours when the block was made. No list of
// addresses in memory could promise that by itself; see Filter for the one that stands before the table.
type Owners struct {
	Table  dynamo.Table
	Family string // of the chain's addresses: one key pair has one address on all chains of a family
	Sleep  func(context.Context, time.Duration) error
	Filter *Filter // spares the table most questions; nil for none
}

// perCall is how many keys BatchGetItem takes
// (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html).
const perCall = 100

// Of finds the owners of those addresses that are ours.
func (o Owners) Of(ctx context.Context, addresses []string) (map[string]wallet.Address, error) {
	distinct, err := o.Filter.perhaps(ctx, o.Family, slices.Sorted(maps.Keys(set(addresses))))
	if err != nil {
		return nil, err
	}
	out := map[string]wallet.Address{}
	for part := range slices.Chunk(distinct, perCall) {
		if err := o.read(ctx, part, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func set(values []string) map[string]bool {
	out := map[string]bool{}
	for _, v := range values {
		out[v] = true
	}
	return out
}

// read asks for up to a hundred addresses, and again for those that the table left unprocessed.
func (o Owners) read(ctx context.Context, addresses []string, into map[string]wallet.Address) error {
	consistent := true
	asked := types.KeysAndAttributes{ConsistentRead: &consistent}
	for _, a := range addresses {
		key := wallet.KeyOf(o.Family, a)
		asked.Keys = append(asked.Keys, dynamo.Item{"pk": dynamo.Must(key.PK), "sk": dynamo.Must(key.SK)})
	}
	for attempt := 0; ; attempt++ {
		out, err := o.Table.Client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{o.Table.Name: asked},
		})
		if err != nil {
			return fmt.Errorf("owners: %w", err)
		}
		for _, item := range out.Responses[o.Table.Name] {
			var a wallet.Address
			if err := dynamo.Unmarshal(item, &a); err != nil {
				return fmt.Errorf("owners: %w", err)
			}
			into[a.Address] = a
		}
		left := out.UnprocessedKeys[o.Table.Name]
		if len(left.Keys) == 0 {
			return nil
		}
		if attempt == 5 {
			return fmt.Errorf("owners: the table leaves %d keys unprocessed", len(left.Keys))
		}
		asked.Keys = left.Keys
		if err := o.Sleep(ctx, (50*time.Millisecond)<<attempt); err != nil {
			return err
		}
	}
}
