package event

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Payload is what is sent, byte for byte. It is stored deflated (RFC 1951), which halves it: an event about a payment is
// one write unit then, and not two.
type Payload string

// MarshalDynamoDBAttributeValue is how the table has it.
func (p Payload) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(w, string(p)); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return &types.AttributeValueMemberB{Value: out.Bytes()}, nil
}

// UnmarshalDynamoDBAttributeValue reads it, deflated or plain.
func (p *Payload) UnmarshalDynamoDBAttributeValue(av types.AttributeValue) error {
	switch v := av.(type) {
	case *types.AttributeValueMemberB:
		text, err := io.ReadAll(flate.NewReader(bytes.NewReader(v.Value)))
		*p = Payload(text)
		return err
	case *types.AttributeValueMemberS:
		*p = Payload(v.Value)
		return nil
	default:
		return fmt.Errorf("event: a payload is not stored as %T", av)
	}
}
