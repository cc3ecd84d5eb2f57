package parts

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"farrier/shared/dynamo"
)

// ItemSize is what an item counts for in DynamoDB's units: the names and values of its attributes
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html).
func ItemSize(item any) int {
	m, ok := dynamo.Must(item).(*types.AttributeValueMemberM)
	if !ok {
		return 0
	}
	return SizeOf(m.Value)
}

// SizeOf is the size of a marshalled item.
func SizeOf(m dynamo.Item) int {
	n := 0
	for name, v := range m {
		n += len(name) + valueSize(v)
	}
	return n
}

func valueSize(v types.AttributeValue) int {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return len(v.Value)
	case *types.AttributeValueMemberB:
		return len(v.Value)
	case *types.AttributeValueMemberN:
		return len(v.Value)/2 + 2
	case *types.AttributeValueMemberM:
		return 3 + len(v.Value) + SizeOf(v.Value)
	case *types.AttributeValueMemberL:
		n := 3 + len(v.Value)
		for _, e := range v.Value {
			n += valueSize(e)
		}
		return n
	default:
		return 1
	}
}
