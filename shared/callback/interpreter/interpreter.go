// Package interpreter reads receipts and asks for looks.
//
// It promises: a receipt becomes looks in the queue before its record leaves the stream, so a look may be
// asked for twice and never not at all; a receipt that says nothing, or nothing that is known, or speaks of a
// chain that is not configured or of the provider's own trouble, is marked with its outcome and counted, and the
// stream goes on; what is unpaid, a ping or a second body under an event's id asks for nothing.
package interpreter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/callback"
	"farrier/shared/chain"
	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/queue"
	"farrier/shared/stream"
)

// Look is the message that asks the watcher for a look: at a transaction, or at what is new on the chain.
type Look struct {
	Chain chain.ID `json:"chain"`
	Tx    string   `json:"tx"`
}

// Interpreter reads receipts.
type Interpreter struct {
	Known    *callback.Known
	Keyring  *callback.Keyring // for sources that encrypt what they say
	Receipts callback.Receipts
	Chains   *chain.Set
	Looks    queue.Queue
	Metrics  cloud.Metrics
	Log      *slog.Logger
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
	if receipt.Outcome == callback.Conflict {
		return nil // the first body stands
	}
	connection, err := i.Known.Find(ctx, receipt.PK)
	if errors.Is(err, callback.ErrUnknown) {
		return stream.Unfit{Reason: fmt.Errorf("receipt of %s: %w", receipt.PK, err)}
	}
	if err != nil {
		return err
	}
	return i.interpret(ctx, connection, receipt)
}

func (i *Interpreter) interpret(ctx context.Context, c callback.Connection, receipt callback.Receipt) error {
	notices, err := c.Notices(ctx, receipt.Body, i.Keyring)
	var unreadable callback.ReadError
	var unknown callback.UnknownError
	var closed callback.Closed
	switch {
	case errors.As(err, &unreadable):
		return i.mark(ctx, receipt, callback.Unreadable, unreadable.Error())
	case errors.As(err, &unknown):
		return i.mark(ctx, receipt, unknown.Outcome(), unknown.Error())
	case errors.As(err, &closed): // KMS, for the moment
		return err
	case err != nil:
		return stream.Unfit{Reason: err}
	}
	looks, strange := i.looks(notices)
	if err := i.Looks.Send(ctx, looks...); err != nil {
		return err
	}
	if strange > 0 {
		return i.mark(ctx, receipt, callback.UnknownChain, fmt.Sprintf("%d of %d notices are of chains that are not configured", strange, len(notices)))
	}
	if at := slices.IndexFunc(notices, func(n callback.Notice) bool { return n.Kind == callback.ProviderError }); at >= 0 {
		return i.mark(ctx, receipt, callback.ProviderTrouble, notices[at].Detail)
	}
	return i.Receipts.Clear(ctx, receipt) // of the trouble that it was in before, where it is read again
}

// looks are the messages for what asks for a look on configured chains, each once, and how many notices are of others.
func (i *Interpreter) looks(notices []callback.Notice) (looks []queue.Message, strange int) {
	asked := map[callback.Hint]bool{}
	for _, n := range notices {
		hint, asks := n.Hint()
		if !asks {
			if n.Lost() {
				strange++
			}
			continue
		}
		if _, configured := i.Chains.Chain(hint.Chain); !configured {
			strange++
			continue
		}
		if asked[hint] {
			continue
		}
		asked[hint] = true
		looks = append(looks, queue.Message{Body: Look(hint), Group: string(hint.Chain)})
	}
	return looks, strange
}

var metrics = map[callback.Outcome]string{
	callback.Unreadable:      "CallbackUnreadable",
	callback.UnknownEvent:    "CallbackUnknownEvent",
	callback.UnknownVersion:  "CallbackUnknownVersion",
	callback.UnknownChain:    "CallbackUnknownChain",
	callback.ProviderTrouble: "CallbackProviderError",
}

func (i *Interpreter) mark(ctx context.Context, receipt callback.Receipt, o callback.Outcome, detail string) error {
	if err := i.Receipts.Mark(ctx, receipt, o, detail); err != nil {
		return err
	}
	i.Log.ErrorContext(ctx, "callback not understood", "connection", receipt.PK, "event", receipt.Event(), "outcome", string(o), "detail", detail)
	i.Metrics.Count(metrics[o], 1, map[string]string{"connection": receipt.PK, "provider": receipt.Provider})
	return nil
}
