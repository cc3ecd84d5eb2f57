package event

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Payload is what is sent, byte for byte. It is stored deflated (RFC 1951), which halves it: an event about a payment is
// one write unit then, and not two.
type Payload string

// A writer has some 800 KB of tables and a reader 40 KB: they are used again.
var (
	writers = sync.Pool{New: func() any {
		w, err := flate.NewWriter(io.Discard, flate.BestCompression)
		if err != nil {
			panic(err) // the level is one that there is
		}
		return w
	}}
	readers = sync.Pool{New: func() any { return flate.NewReader(bytes.NewReader(nil)) }}
)

// MarshalDynamoDBAttributeValue is how the table has it.
func (p Payload) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) {
	w, ok := writers.Get().(*flate.Writer)
	if !ok {
		return nil, errors.New("event: a pool has lost its writers")
	}
	defer writers.Put(w)
	var out bytes.Buffer
	w.Reset(&out)
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
		text, err := inflated(v.Value)
		*p = Payload(text)
		return err
	case *types.AttributeValueMemberS:
		*p = Payload(v.Value)
		return nil
	default:
		return fmt.Errorf("event: a payload is not stored as %T", av)
	}
}

func inflated(deflated []byte) ([]byte, error) {
	r, ok := readers.Get().(io.ReadCloser)
	if !ok {
		return nil, errors.New("event: a pool has lost its readers")
	}
	defer readers.Put(r)
	if err := r.(flate.Resetter).Reset(bytes.NewReader(deflated), nil); err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
