package proof

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
)

// Fault is what happens to a call of an invocation instead of plain success.
type Fault string

// The faults.
const (
	Sound      Fault = ""
	Refuse     Fault = "refused"             // the service fails before it has done anything
	Lose       Fault = "answer lost"         // done, and the connection broke before the answer came
	Repeat     Fault = "done twice"          // done, the answer lost, and sent again by the SDK itself
	Throttle   Fault = "throttled"           //
	Conflict   Fault = "conflict"            // another transaction holds one of the items
	TimeOut    Fault = "timed out"           // no answer in time, and nothing done
	Late       Fault = "timed out, but done" // no answer in time, yet done
	Slow       Fault = "slow"                // done and answered, half a minute later
	Partly     Fault = "partly refused"      // of a batch, the last message or key was not taken
	StopBefore Fault = "stopped before"      // the process is dead before the service has the call
	StopAfter  Fault = "stopped after"       // the process is dead before it has the answer
)

// Faults are all of them, the plainest first, and Partly twice, as few calls are of that kind.
var Faults = []Fault{Refuse, Lose, StopAfter, StopBefore, Repeat, Throttle, Conflict, TimeOut, Late, Slow, Partly, Partly}

// Trouble is planned for one call of an invocation: the first, from a place on, that it fits.
type Trouble struct {
	At        int // from which call on, from 1
	Fault     Fault
	Writing   bool   // only at a call that writes
	Meanwhile func() // runs to its end just before that call: another process of the same system
}

// target is a call that may meet trouble.
type target struct {
	name   string
	writes bool
	batch  bool // of several messages or keys, which may be taken in part
}

// fits says whether trouble can come about at a call.
func (t Trouble) fits(call target) bool {
	switch {
	case t.Writing && !call.writes:
		return false
	case t.Fault == Conflict:
		return call.writes
	case t.Fault == Partly:
		return call.batch
	default:
		return true
	}
}

// ErrStopped is what a stopped invocation gets from every further call.
var ErrStopped = errors.New("proof: the function was stopped")

// invocation is one run of a function. Its calls happen one after the other, whatever its goroutines do.
type invocation struct {
	mu       sync.Mutex
	troubles []Trouble
	calls    int
	dead     bool
	met      func(call string, f Fault)
}

type invocationKey struct{}

// Invoke runs f as one invocation. It says how many calls it made and whether it was stopped; met hears of
// every fault that came about.
func Invoke(ctx context.Context, troubles []Trouble, met func(call string, f Fault), f func(context.Context) error) (calls int, stopped bool, err error) {
	inv := &invocation{troubles: troubles, met: met}
	err = f(context.WithValue(ctx, invocationKey{}, inv))
	return inv.calls, inv.dead, err
}

// during makes one call of the context's invocation, with what is planned for it. do makes the call itself.
func during(ctx context.Context, call target, do func(Fault) error) error {
	inv, _ := ctx.Value(invocationKey{}).(*invocation)
	if inv == nil {
		return do(Sound)
	}
	inv.mu.Lock()
	defer inv.mu.Unlock()
	if inv.dead {
		return ErrStopped
	}
	inv.calls++
	fault := inv.planned(call)
	if fault == StopBefore {
		inv.dead = true
		return ErrStopped
	}
	err := do(fault)
	if fault == StopAfter {
		inv.dead = true
		return ErrStopped
	}
	return err
}

func (i *invocation) planned(call target) Fault {
	fault := Sound
	waiting := i.troubles
	i.troubles = nil
	for _, t := range waiting {
		if t.At > i.calls || !t.fits(call) {
			i.troubles = append(i.troubles, t)
			continue
		}
		if t.Meanwhile != nil {
			t.Meanwhile()
		}
		if t.Fault != Sound {
			fault = t.Fault
			i.met(call.name, t.Fault)
		}
	}
	return fault
}

var (
	errBroken  = fmt.Errorf("proof: the connection broke: %w", io.ErrUnexpectedEOF)
	errTooLate = fmt.Errorf("proof: no answer in time: %w", context.DeadlineExceeded)
)

// instead is the error of a call that is not made, or nil where it is made.
func (f Fault) instead(parameters any) error {
	switch f {
	case Refuse:
		return refusal(parameters)
	case TimeOut:
		return errTooLate
	case Throttle:
		return throttling(parameters)
	case Conflict:
		return conflict(parameters)
	default:
		return nil
	}
}

// afterwards is the error of a call that was made, or nil where its answer arrives.
func (f Fault) afterwards() error {
	switch f {
	case Lose:
		return errBroken
	case Late:
		return errTooLate
	default:
		return nil
	}
}

func refusal(parameters any) error {
	if _, is := parameters.(*sqs.SendMessageBatchInput); is {
		return &smithy.GenericAPIError{Code: "InternalError", Message: "proof", Fault: smithy.FaultServer}
	}
	return &types.InternalServerError{}
}

// throttling is how each operation says that it is asked for too much
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html, read 2026-11-21).
func throttling(parameters any) error {
	switch in := parameters.(type) {
	case *dynamodb.TransactWriteItemsInput:
		return cancelled(in, "ThrottlingError")
	case *dynamodb.PutItemInput, *dynamodb.GetItemInput, *dynamodb.QueryInput, *dynamodb.BatchGetItemInput:
		return &types.ProvisionedThroughputExceededException{}
	default:
		return &smithy.GenericAPIError{Code: "ThrottlingException", Message: "proof", Fault: smithy.FaultClient}
	}
}

func conflict(parameters any) error {
	switch in := parameters.(type) {
	case *dynamodb.TransactWriteItemsInput:
		return cancelled(in, "TransactionConflict")
	case *dynamodb.PutItemInput, *dynamodb.DeleteItemInput:
		return &types.TransactionConflictException{}
	default:
		return nil
	}
}

// cancelled is a transaction that the reason kept from its last item.
func cancelled(in *dynamodb.TransactWriteItemsInput, reason string) error {
	none := "None"
	reasons := make([]types.CancellationReason, len(in.TransactItems))
	for i := range reasons {
		reasons[i].Code = &none
	}
	reasons[len(reasons)-1].Code = &reason
	return &types.TransactionCanceledException{CancellationReasons: reasons}
}
