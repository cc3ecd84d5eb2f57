package proof

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"farrier/shared/dynamo"
)

// Call is one request to AWS.
type Call struct {
	Function  string
	Service   string
	Operation string
	Tables    string  // that it writes to or reads from, where it is DynamoDB
	Units     float64 // write units, indexes included
}

func (c Call) String() string { return strings.TrimSpace(c.Operation + " " + c.Tables) }

// AWS is the account that the functions under test see.
type AWS struct {
	Now  func() time.Time
	Wait func(time.Duration) // for what is slow

	base      aws.Config // without retries: what is tried again is decided here
	mu        sync.Mutex
	names     map[string]string // table name → the notion that it keeps
	indexes   map[string]string // notion → attribute that puts an item into its sparse index
	items     map[itemName]dynamo.Item
	writes    map[string][]dynamo.Item     // notion → every version that was written
	hear      map[string]func(dynamo.Item) // notion → who hears of each version as it is written
	streams   map[string]*stream
	queues    map[string][]Message
	schedules map[string]bool
	calls     []Call
	number    int
}

// Message is a job in a queue.
type Message struct {
	ID    string
	Body  string
	Due   time.Time
	Tries int
}

// NewAWS stands on the DynamoDB behind base.
func NewAWS(base aws.Config) *AWS {
	base.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	a := &AWS{base: base, names: map[string]string{}, indexes: map[string]string{}}
	a.forgetAll()
	return a
}

func (a *AWS) forgetAll() {
	a.items, a.writes, a.streams, a.queues = map[itemName]dynamo.Item{}, map[string][]dynamo.Item{}, map[string]*stream{}, map[string][]Message{}
	a.schedules, a.calls, a.number, a.hear = map[string]bool{}, nil, 0, map[string]func(dynamo.Item){}
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

func (a *AWS) call(ctx context.Context, function string, in middleware.InitializeInput, next middleware.InitializeHandler) (out middleware.InitializeOutput, metadata middleware.Metadata, err error) {
	call := Call{Function: function, Service: awsmiddleware.GetServiceID(ctx), Operation: middleware.GetOperationName(ctx)}
	if call.Service == dynamodb.ServiceID {
		call.Tables = a.tablesOf(in.Parameters)
	} else if _, is := in.Parameters.(*scheduler.CreateScheduleInput); is {
		call.Service = "Scheduler" // its client does not name itself
	}
	err = during(ctx, target{call.String(), writes(in.Parameters), batch(in.Parameters)}, func(f Fault) error {
		if err := f.instead(in.Parameters); err != nil {
			return err
		}
		var err error
		for range f.times(in.Parameters) {
			out.Result, metadata, err = a.perform(ctx, call, f, in, next)
		}
		if f == Slow {
			a.Wait(30 * time.Second)
		}
		if late := f.afterwards(); late != nil {
			return late
		}
		return err
	})
	if err != nil {
		out.Result = nil
	}
	return out, metadata, err
}

// writes says whether a call changes an item of a table.
func writes(parameters any) bool {
	switch parameters.(type) {
	case *dynamodb.PutItemInput, *dynamodb.DeleteItemInput, *dynamodb.TransactWriteItemsInput:
		return true
	default:
		return false
	}
}

// batch says whether a call may be done in part.
func batch(parameters any) bool {
	switch parameters.(type) {
	case *sqs.SendMessageBatchInput, *dynamodb.BatchGetItemInput:
		return true
	default:
		return false
	}
}

// times is how often a call is made. A transaction that the SDK sends again carries the same token, and is
// done once (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html, read 2026-11-21).
func (f Fault) times(parameters any) int {
	if _, is := parameters.(*dynamodb.TransactWriteItemsInput); is || f != Repeat {
		return 1
	}
	return 2
}

func (a *AWS) perform(ctx context.Context, call Call, f Fault, in middleware.InitializeInput, next middleware.InitializeHandler) (any, middleware.Metadata, error) {
	if call.Service != dynamodb.ServiceID {
		result, err := a.inMemory(in.Parameters, f == Partly)
		a.note(call)
		return result, middleware.Metadata{}, err
	}
	// The store is real, and stores and records under one lock, so that a stream tells what happened in its order.
	a.mu.Lock()
	defer a.mu.Unlock()
	result, metadata, err := a.surely(ctx, in, next)
	if err == nil {
		call.Units = a.record(in.Parameters)
		if f == Partly {
			leaveOne(in.Parameters, result)
		}
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
func (a *AWS) inMemory(parameters any, partly bool) (any, error) {
	switch in := parameters.(type) {
	case *sqs.SendMessageBatchInput:
		return a.send(in, partly), nil
	case *scheduler.CreateScheduleInput:
		return a.schedule(in)
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

func (a *AWS) send(in *sqs.SendMessageBatchInput, partly bool) *sqs.SendMessageBatchOutput {
	out := &sqs.SendMessageBatchOutput{}
	for i, e := range in.Entries {
		if partly && i == len(in.Entries)-1 {
			code := "InternalError"
			out.Failed = append(out.Failed, sqstypes.BatchResultErrorEntry{Id: e.Id, Code: &code})
			continue
		}
		a.Put(*in.QueueUrl, *e.MessageBody, time.Duration(e.DelaySeconds)*time.Second)
		out.Successful = append(out.Successful, sqstypes.SendMessageBatchResultEntry{Id: e.Id})
	}
	return out
}

func (a *AWS) schedule(in *scheduler.CreateScheduleInput) (any, error) {
	text := strings.TrimSuffix(strings.TrimPrefix(*in.ScheduleExpression, "at("), ")")
	at, err := time.Parse("2006-01-02T15:04:05", text)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	exists := a.schedules[*in.Name]
	a.schedules[*in.Name] = true
	a.mu.Unlock()
	if exists {
		return nil, &schedulertypes.ConflictException{}
	}
	a.Put(*in.Target.Arn, *in.Target.Input, at.Sub(a.Now()))
	return &scheduler.CreateScheduleOutput{}, nil
}

// Put puts a message into a queue.
func (a *AWS) Put(queue, body string, delay time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.number++
	a.queues[queue] = append(a.queues[queue], Message{ID: "message-" + strconv.Itoa(a.number), Body: body, Due: a.Now().Add(delay)})
}

// Take takes up to n due messages out of a queue, beginning with any of them: SQS promises no order.
func (a *AWS) Take(queue string, first, n int) []Message {
	a.mu.Lock()
	defer a.mu.Unlock()
	var due, rest []Message
	for _, m := range a.queues[queue] {
		if m.Due.After(a.Now()) {
			rest = append(rest, m)
		} else {
			due = append(due, m)
		}
	}
	if len(due) > 0 {
		first %= len(due)
		due = append(append([]Message(nil), due[first:]...), due[:first]...)
	}
	n = min(n, len(due))
	a.queues[queue] = append(rest, due[n:]...)
	return due[:n]
}

// Return puts a message back that was not handled; it comes again after the visibility time-out.
func (a *AWS) Return(queue string, m Message, visibility time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	m.Tries++
	m.Due = a.Now().Add(visibility)
	a.queues[queue] = append(a.queues[queue], m)
}

// Double has a queue hold its first due message twice, as a standard queue now and then delivers one; it says whether there
// was one.
func (a *AWS) Double(queue string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, m := range a.queues[queue] {
		if !m.Due.After(a.Now()) {
			a.queues[queue] = append([]Message{m}, a.queues[queue]...)
			return true
		}
	}
	return false
}

// Acknowledge takes whatever a queue still holds of a message away.
func (a *AWS) Acknowledge(queue string, m Message) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.queues[queue] = slices.DeleteFunc(a.queues[queue], func(other Message) bool { return other.ID == m.ID })
}

// Waiting is what lies in a queue, due or not.
func (a *AWS) Waiting(queue string) []Message {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]Message(nil), a.queues[queue]...)
}

// Changes is how many things have happened: writes and messages.
func (a *AWS) Changes() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.number
}

// event is the number of a thing that happened, for its id. The caller holds the lock.
func (a *AWS) event(record events.DynamoDBEventRecord) events.DynamoDBEventRecord {
	a.number++
	record.EventID = "event-" + strconv.Itoa(a.number)
	record.Change.SequenceNumber = fmt.Sprintf("%021d", a.number)
	record.Change.ApproximateCreationDateTime = events.SecondsEpochTime{Time: a.Now()}
	return record
}
