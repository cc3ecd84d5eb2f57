package proof

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"farrier/shared/dynamo"
)

// ErrStopped is what a stopped invocation gets from every further call.
var ErrStopped = errors.New("proof: the function was stopped")

// Call is one request to AWS.
type Call struct {
	Function  string
	Service   string
	Operation string
	Tables    string  // that it writes to or reads from, where it is DynamoDB
	Units     float64 // write units, indexes included
}

// Stop says where an invocation ends: at its Nth call (from 1), before AWS has it or after.
type Stop struct {
	At    int
	After bool
}

// AWS is the account that the functions under test see.
type AWS struct {
	Now func() time.Time

	base    aws.Config // without retries: what is tried again is decided here
	mu      sync.Mutex
	names   map[string]string // table name → the notion that it keeps
	indexes map[string]string // notion → attribute that puts an item into its sparse index
	items   map[string]dynamo.Item
	streams map[string][]events.DynamoDBEventRecord
	passed  map[string]int // how many of a notion's records a consumer has passed
	queues  map[string][]Message
	calls   []Call
	number  int
}

// Message is a job in a queue.
type Message struct {
	ID    string
	Body  string
	Due   time.Time
	Tries int
}

// NewAWS stands on the DynamoDB behind base.
func NewAWS(base aws.Config, now func() time.Time) *AWS {
	base.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	return &AWS{
		Now: now, base: base, names: map[string]string{}, indexes: map[string]string{},
		items: map[string]dynamo.Item{}, streams: map[string][]events.DynamoDBEventRecord{}, passed: map[string]int{}, queues: map[string][]Message{},
	}
}

// Config is the configuration that a function builds its clients from.
func (a *AWS) Config(function string) aws.Config {
	cfg := a.base.Copy()
	cfg.APIOptions = append(cfg.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("proof", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			return a.call(ctx, function, in, next)
		}), middleware.Before)
	})
	return cfg
}

// invocation is one run of a function.
type invocation struct {
	mu    sync.Mutex
	stop  Stop
	calls int
	dead  bool
}

type invocationKey struct{}

// Invoke runs f as one invocation and says how many calls it made and whether it was stopped.
func Invoke(ctx context.Context, stop Stop, f func(context.Context) error) (calls int, stopped bool, err error) {
	inv := &invocation{stop: stop}
	err = f(context.WithValue(ctx, invocationKey{}, inv))
	return inv.calls, inv.dead, err
}

// Stopped says whether the invocation of this context is dead, for effects that are not calls to AWS.
func Stopped(ctx context.Context) bool {
	inv, _ := ctx.Value(invocationKey{}).(*invocation)
	if inv == nil {
		return false
	}
	inv.mu.Lock()
	defer inv.mu.Unlock()
	return inv.dead
}

// step counts a call and decides whether it happens and whether its answer arrives.
func (i *invocation) step() (happens, arrives bool) {
	if i == nil {
		return true, true
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.dead {
		return false, false
	}
	i.calls++
	if i.calls != i.stop.At {
		return true, true
	}
	i.dead = true
	return i.stop.After, false
}

func (a *AWS) call(ctx context.Context, function string, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	inv, _ := ctx.Value(invocationKey{}).(*invocation)
	happens, arrives := inv.step()
	if !happens {
		return middleware.InitializeOutput{}, middleware.Metadata{}, ErrStopped
	}
	result, metadata, err := a.perform(ctx, function, in, next)
	if !arrives {
		return middleware.InitializeOutput{}, metadata, ErrStopped
	}
	return middleware.InitializeOutput{Result: result}, metadata, err
}

func (a *AWS) perform(ctx context.Context, function string, in middleware.InitializeInput, next middleware.InitializeHandler) (any, middleware.Metadata, error) {
	call := Call{Function: function, Service: awsmiddleware.GetServiceID(ctx), Operation: middleware.GetOperationName(ctx)}
	if call.Service != dynamodb.ServiceID {
		if _, is := in.Parameters.(*scheduler.CreateScheduleInput); is {
			call.Service = "Scheduler" // its client does not name itself
		}
		result, err := a.inMemory(in.Parameters)
		a.note(call)
		return result, middleware.Metadata{}, err
	}
	// The store is real, and stores and records under one lock, so that a stream tells what happened in its order.
	a.mu.Lock()
	defer a.mu.Unlock()
	result, metadata, err := a.surely(ctx, in, next)
	call.Tables = a.tablesOf(in.Parameters)
	if err == nil {
		call.Units = a.record(in.Parameters)
	}
	a.calls = append(a.calls, call)
	return result, metadata, err
}

// surely has the store's own accidents (a connection that it closes after it has committed) never reach
// a run: faults here come by plan, and a run told by one seed stays the same run.
func (a *AWS) surely(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (any, middleware.Metadata, error) {
	for try := 0; ; try++ {
		out, metadata, err := next.HandleInitialize(ctx, in)
		var answer smithy.APIError
		if err == nil || errors.As(err, &answer) && answer.ErrorFault() != smithy.FaultServer || try == 5 {
			return out.Result, metadata, err
		}
		if result := a.committed(ctx, in.Parameters); result != nil {
			return result, metadata, nil
		}
	}
}

func (a *AWS) note(c Call) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = append(a.calls, c)
}

// Calls are all calls since the last Forget.
func (a *AWS) Calls() []Call {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]Call(nil), a.calls...)
}

// Forget empties the list of calls.
func (a *AWS) Forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = nil
}

// inMemory answers for the services that are kept here.
func (a *AWS) inMemory(parameters any) (any, error) {
	switch in := parameters.(type) {
	case *sqs.SendMessageBatchInput:
		out := &sqs.SendMessageBatchOutput{}
		for _, e := range in.Entries {
			a.Put(*in.QueueUrl, *e.MessageBody, time.Duration(e.DelaySeconds)*time.Second)
			out.Successful = append(out.Successful, sqstypes.SendMessageBatchResultEntry{Id: e.Id})
		}
		return out, nil
	case *scheduler.CreateScheduleInput:
		text := strings.TrimSuffix(strings.TrimPrefix(*in.ScheduleExpression, "at("), ")")
		at, err := time.Parse("2006-01-02T15:04:05", text)
		if err != nil {
			return nil, err
		}
		a.Put(*in.Target.Arn, *in.Target.Input, at.Sub(a.Now()))
		return &scheduler.CreateScheduleOutput{}, nil
	case *kms.EncryptInput:
		return &kms.EncryptOutput{CiphertextBlob: []byte(fmt.Sprint(in.EncryptionContext) + "\x00" + string(in.Plaintext))}, nil
	case *kms.DecryptInput:
		owner, secret, ok := strings.Cut(string(in.CiphertextBlob), "\x00")
		if !ok || owner != fmt.Sprint(in.EncryptionContext) {
			return nil, errors.New("proof: InvalidCiphertextException")
		}
		return &kms.DecryptOutput{Plaintext: []byte(secret)}, nil
	default:
		return nil, fmt.Errorf("proof: %T is not answered here", parameters)
	}
}

// Put puts a message into a queue.
func (a *AWS) Put(queue, body string, delay time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.number++
	a.queues[queue] = append(a.queues[queue], Message{ID: "message-" + strconv.Itoa(a.number), Body: body, Due: a.Now().Add(delay)})
}

// Take takes up to n due messages out of a queue.
func (a *AWS) Take(queue string, n int) []Message {
	a.mu.Lock()
	defer a.mu.Unlock()
	var taken, rest []Message
	for _, m := range a.queues[queue] {
		if len(taken) < n && !m.Due.After(a.Now()) {
			taken = append(taken, m)
		} else {
			rest = append(rest, m)
		}
	}
	a.queues[queue] = rest
	return taken
}

// Return puts a message back that was not handled.
func (a *AWS) Return(queue string, m Message) {
	a.mu.Lock()
	defer a.mu.Unlock()
	m.Tries++
	a.queues[queue] = append(a.queues[queue], m)
}

// Waiting is what lies in a queue, due or not.
func (a *AWS) Waiting(queue string) []Message {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]Message(nil), a.queues[queue]...)
}
