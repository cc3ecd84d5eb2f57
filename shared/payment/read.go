package payment

import (
	"context"
	"errors"

	"farrier/shared/dynamo"
	"farrier/shared/id"
	"farrier/shared/problem"
)

// Get reads a merchant's payment.
func (s Store) Get(ctx context.Context, merchant, name string) (Payment, error) {
	var p Payment
	if !id.Valid("pay", name) {
		return p, problem.New(problem.NotFound, "there is no such payment")
	}
	err := s.Payments.Get(ctx, dynamo.Key{PK: merchant, SK: name}, &p)
	if errors.Is(err, dynamo.ErrMissing) {
		return p, problem.New(problem.NotFound, "there is no such payment")
	}
	return p, err
}

// List reads a page of a merchant's payments, the newest first.
func (s Store) List(ctx context.Context, merchant string, limit int32, cursor string) ([]Payment, string, error) {
	return dynamo.List[Payment](ctx, s.Payments, dynamo.Query{PK: merchant, Descending: true, Limit: limit, Cursor: cursor})
}
