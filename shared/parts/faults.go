package parts

import (
	"context"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"
)

// Faults stands in the SDK: Before answers instead of AWS; After takes AWS's answer away.
type Faults struct {
	mu            sync.Mutex
	Before, After func(operation string) error
}

// Tables is a client of the test's tables that meets the faults.
func (f *Faults) Tables(t testing.TB) *dynamodb.Client {
	t.Helper()
	return dynamodb.NewFromConfig(Config(t, "FARRIER_TEST_DYNAMODB"), func(o *dynamodb.Options) { o.APIOptions = append(o.APIOptions, f.add) })
}

func (f *Faults) add(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("faults", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		operation := middleware.GetOperationName(ctx)
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.Before != nil {
			if err := f.Before(operation); err != nil {
				return middleware.InitializeOutput{}, middleware.Metadata{}, err
			}
		}
		out, metadata, err := next.HandleInitialize(ctx, in)
		if err == nil && f.After != nil {
			err = f.After(operation)
		}
		return out, metadata, err
	}), middleware.Before)
}
