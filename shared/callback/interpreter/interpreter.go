package interpreter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/callback"
	"farrier/shared/chain"
	"farrier/shared/cloud"
	"farrier/shared/deposit"
	"farrier/shared/dynamo"
	"farrier/shared/queue"
	"farrier/shared/stream"
)

// Interpreter reads receipts.
type Interpreter struct {
	Known    *callback.Known
	Keyring  *callback.Keyring // for sources that encrypt what they say
	Receipts callback.Receipts
	Chains   *chain.Set
	Looks    queue.Queue

	// For connections whose word is believed.
	Deposits  deposit.Store
	Addresses dynamo.Table
	Payments  dynamo.Table
	// For connections whose provider is asked.
	Asker callback.Asker
	Own   queue.Queue // this function's own queue: what must wait for the outside world goes through it

	Metrics cloud.Metrics
	Log     *slog.Logger
	Now     cloud.Clock
}

// Handle reads one record of the callbacks' stream.
func (i *Interpreter) Handle(ctx context.Context, record events.DynamoDBEventRecord) error {
	if record.EventName != string(events.DynamoDBOperationTypeInsert) {
		return nil // marked by ourselves, or forgotten
	}
	var receipt callback.Receipt
	if err := dynamo.Unmarshal(dynamo.Image(record.Change.NewImage), &receipt); err != nil {
		return stream.Unfit{Reason: err}
	}
	return i.read(ctx, receipt, false)
}

// Redriven reads a receipt that comes out of the function's own queue: set aside before, sent there to be asked about, or
// to be read again. Only its key matters where the receipt is still there.
func (i *Interpreter) Redriven(ctx context.Context, record events.DynamoDBEventRecord) error {
	var receipt callback.Receipt
	err := i.Receipts.Table.Get(ctx, dynamo.StreamKey(record), &receipt)
	if errors.Is(err, dynamo.ErrMissing) {
		if len(record.Change.NewImage) == 0 {
			return nil // forgotten meanwhile
		}
		err = dynamo.Unmarshal(dynamo.Image(record.Change.NewImage), &receipt)
	}
	if err != nil {
		return err
	}
	return i.read(ctx, receipt, true)
}

// read reads a receipt, in the stream or out of the queue.
func (i *Interpreter) read(ctx context.Context, receipt callback.Receipt, queued bool) error {
	if receipt.Outcome == callback.Conflict {
		return nil // the first body stands
	}
	find := i.Known.Find
	if queued { // a setting may have been mended this minute
		find = i.Known.Fresh
	}
	c, err := find(ctx, receipt.PK)
	if errors.Is(err, callback.ErrUnknown) {
		return stream.Unfit{Reason: fmt.Errorf("receipt of %s: %w", receipt.PK, err)}
	}
	if err != nil {
		return err
	}
	notices, err := c.Notices(ctx, receipt.Body, i.Keyring)
	if found, is := troubleIn(err); is {
		return i.done(ctx, receipt, found)
	}
	if closed := (callback.Closed{}); errors.As(err, &closed) { // KMS, for the moment
		return err
	}
	if err != nil {
		return stream.Unfit{Reason: err}
	}
	if c.Trust == callback.Ask && !queued && tellOfMoney(notices) {
		return i.toAsk(ctx, receipt)
	}
	found, err := i.follow(ctx, c, receipt, notices)
	if err != nil {
		return err
	}
	return i.done(ctx, receipt, append(found, said(notices)...)...)
}

// follow brings about what notices may bring about, by what the connection is trusted with.
func (i *Interpreter) follow(ctx context.Context, c callback.Connection, receipt callback.Receipt, notices []callback.Notice) ([]trouble, error) {
	switch c.Trust {
	case callback.Statement:
		return i.believe(ctx, c, receipt, notices)
	case callback.Ask:
		answers, found, err := i.ask(ctx, c, notices)
		if err != nil {
			return nil, err
		}
		more, err := i.believe(ctx, c, receipt, answers)
		return append(found, more...), err
	default:
		return i.look(ctx, notices)
	}
}
