package interpreter

import (
	"context"
	"errors"
	"slices"

	"farrier/shared/callback"
)

// trouble is what is wrong with a receipt.
type trouble struct {
	outcome callback.Outcome
	detail  string
}

// metrics are the outcomes' names in CloudWatch.
var metrics = map[callback.Outcome]string{
	callback.Contradiction:   "CallbackContradiction",
	callback.UnknownAsset:    "CallbackUnknownAsset",
	callback.Unreadable:      "CallbackUnreadable",
	callback.UnknownVersion:  "CallbackUnknownVersion",
	callback.UnknownEvent:    "CallbackUnknownEvent",
	callback.UnknownChain:    "CallbackUnknownChain",
	callback.ProviderTrouble: "CallbackProviderError",
}

// gravest are the outcomes, the gravest first: a receipt has one.
var gravest = []callback.Outcome{
	callback.Contradiction, callback.UnknownAsset, callback.Unreadable, callback.UnknownVersion, callback.UnknownEvent,
	callback.UnknownChain, callback.ProviderTrouble,
}

// troubleIn says what a source's error means for the receipt; false for errors that are not about what was said.
func troubleIn(err error) (trouble, bool) {
	var unreadable callback.ReadError
	var unknown callback.UnknownError
	switch {
	case errors.As(err, &unreadable):
		return trouble{callback.Unreadable, unreadable.Error()}, true
	case errors.As(err, &unknown):
		return trouble{unknown.Outcome(), unknown.Error()}, true
	default:
		return trouble{}, false
	}
}

// said is the provider's own trouble, where it tells of some.
func said(notices []callback.Notice) []trouble {
	at := slices.IndexFunc(notices, func(n callback.Notice) bool { return n.Kind == callback.ProviderError })
	if at < 0 {
		return nil
	}
	return []trouble{{callback.ProviderTrouble, notices[at].Detail}}
}

// done ends the reading of a receipt: it is marked with the gravest of what is wrong with it or, where nothing is, cleared of
// the trouble that it was in before.
func (i *Interpreter) done(ctx context.Context, receipt callback.Receipt, found ...trouble) error {
	if len(found) == 0 {
		return i.Receipts.Clear(ctx, receipt)
	}
	worst := slices.MinFunc(found, func(a, b trouble) int { return slices.Index(gravest, a.outcome) - slices.Index(gravest, b.outcome) })
	if err := i.Receipts.Mark(ctx, receipt, worst.outcome, worst.detail); err != nil {
		return err
	}
	i.Log.ErrorContext(ctx, "callback not understood", "connection", receipt.PK, "event", receipt.Event(), "outcome", string(worst.outcome), "detail", worst.detail)
	i.Metrics.Count(metrics[worst.outcome], 1, map[string]string{"connection": receipt.PK, "provider": receipt.Provider})
	return nil
}
