package task

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/id"
	"farrier/shared/problem"
	"farrier/shared/queue"
)

// Tasks keeps tasks and sends the messages that move them.
type Tasks struct {
	Table  dynamo.Table
	Queue  queue.Queue
	Now    cloud.Clock
	Random io.Reader
}

// Message moves a task on: one slice of it.
type Message struct {
	Owner string `json:"owner"`
	Task  string `json:"task"`
	Turn  int64  `json:"turn"`
}

// holder says which task is the last that was begun about a subject.
type holder struct {
	Owner   string `dynamodbav:"pk"`
	Subject string `dynamodbav:"sk"`
	Task    string `dynamodbav:"task"`
	Version int64  `dynamodbav:"version"`
}

func holderKey(owner, subject string) dynamo.Key {
	return dynamo.Key{PK: owner, SK: "about#" + subject}
}

var errNone = problem.New(problem.NotFound, "there is no such task")

// Start begins a task: its owner, id, kind, subject, terms and rate are given. Where the same work is on its way, or the
// same id was begun before, that task is returned, and goes on if it was paused; where other work about the same subject is on
// its way, that is a conflict.
func (s Tasks) Start(ctx context.Context, asked Task) (Task, error) {
	now := s.now()
	asked.State, asked.Turn, asked.Fresh, asked.Version, asked.CreatedAt, asked.UpdatedAt = Running, 1, true, 1, now, now
	for {
		earlier, err := s.Get(ctx, asked.Owner, asked.ID)
		switch {
		case err == nil && !earlier.same(asked):
			return Task{}, problem.New(problem.Conflict, "a task of this id was begun and is another one")
		case err == nil:
			return s.goOn(ctx, earlier.Owner, earlier.ID, Task.askedAgain)
		case !problem.Is(err, problem.NotFound):
			return Task{}, err
		}
		held, current, err := s.current(ctx, asked.Owner, asked.Subject)
		switch {
		case err != nil:
			return Task{}, err
		case current != nil && current.same(asked):
			return s.goOn(ctx, current.Owner, current.ID, Task.askedAgain)
		case current != nil:
			return Task{}, problem.New(problem.Conflict, fmt.Sprintf("the task %s (%s) is %s: let it end, resume it or cancel it", current.ID, current.Kind, current.State))
		}
		err = s.begin(ctx, asked, held)
		var cancelled *dynamo.Cancelled
		if errors.As(err, &cancelled) { // someone was first, or this very call whose answer was lost
			if err := cloud.Sleep(ctx, 10*time.Millisecond); err != nil {
				return Task{}, err
			}
			continue
		}
		if err != nil {
			return Task{}, err
		}
		return asked, s.send(ctx, asked, 0)
	}
}

// begin writes the task, and that it is the one about its subject.
func (s Tasks) begin(ctx context.Context, asked Task, held holder) error {
	mine := dynamo.Write{Table: s.Table, Item: holder{Owner: asked.Owner, Subject: held.Subject, Task: asked.ID, Version: held.Version + 1}}
	if held.Version > 0 {
		mine.Expected = &held.Version
	}
	return dynamo.Transact(ctx, s.Table.Client, []dynamo.Write{{Table: s.Table, Item: asked}, mine})
}

// current is the task about a subject that is not at its end; nil where there is none.
func (s Tasks) current(ctx context.Context, owner, subject string) (holder, *Task, error) {
	key := holderKey(owner, subject)
	held := holder{Owner: owner, Subject: key.SK}
	err := s.Table.Get(ctx, key, &held)
	if errors.Is(err, dynamo.ErrMissing) {
		return held, nil, nil
	}
	if err != nil {
		return held, nil, err
	}
	found, err := s.Get(ctx, owner, held.Task)
	if err != nil || found.State.ended() {
		return held, nil, err
	}
	return held, &found, nil
}

// prod sends the message of a task's turn again where it may be lost. It is sent first and noted then: who is stopped in
// between sends once more, and of two copies one is overtaken.
func (s Tasks) prod(ctx context.Context, t Task) (Task, error) {
	if !t.mayBeLost(s.now()) {
		return t, nil
	}
	if err := s.send(ctx, t, 0); err != nil {
		return Task{}, err
	}
	return s.change(ctx, t.Owner, t.ID, func(now Task, at time.Time) (Task, error) { return now.sentAgain(t.Turn, at), nil })
}

// Get reads a task.
func (s Tasks) Get(ctx context.Context, owner, name string) (Task, error) {
	var found Task
	if !id.Valid("tsk", name) {
		return found, errNone
	}
	err := s.Table.Get(ctx, dynamo.Key{PK: owner, SK: name}, &found)
	if errors.Is(err, dynamo.ErrMissing) {
		return found, errNone
	}
	return found, err
}

// Look reads a task, and sends the message again of one that has stalled.
func (s Tasks) Look(ctx context.Context, owner, name string) (Task, error) {
	found, err := s.Get(ctx, owner, name)
	if err != nil || !found.stalled(s.now()) {
		return found, err
	}
	return s.prod(ctx, found)
}

// List reads a page of an owner's tasks, the newest first.
func (s Tasks) List(ctx context.Context, owner string, limit int32, cursor string) ([]Task, string, error) {
	return dynamo.List[Task](ctx, s.Table, dynamo.Query{PK: owner, Prefix: "tsk_", Descending: true, Limit: limit, Cursor: cursor})
}

// Pause has a task rest.
func (s Tasks) Pause(ctx context.Context, owner, name string) (Task, error) {
	return s.change(ctx, owner, name, Task.paused)
}

// Resume has a task go on that is paused, or has stalled.
func (s Tasks) Resume(ctx context.Context, owner, name string) (Task, error) {
	return s.goOn(ctx, owner, name, Task.resumed)
}

// goOn writes what f makes of a task, and sees that it has a message.
func (s Tasks) goOn(ctx context.Context, owner, name string, f func(Task, time.Time) (Task, error)) (Task, error) {
	t, err := s.change(ctx, owner, name, f)
	if err != nil {
		return Task{}, err
	}
	return s.prod(ctx, t)
}

// Cancel ends a task. What it has done stays done.
func (s Tasks) Cancel(ctx context.Context, owner, name string) (Task, error) {
	return s.change(ctx, owner, name, Task.cancelled)
}

// Replace ends the task about a subject where f says that the one that is begun next takes its place.
func (s Tasks) Replace(ctx context.Context, owner, subject string, f func(Task) bool) error {
	_, current, err := s.current(ctx, owner, subject)
	if err != nil || current == nil || !f(*current) {
		return err
	}
	_, err = s.change(ctx, owner, current.ID, Task.replaced)
	return err
}

// SetRate changes how fast a task goes.
func (s Tasks) SetRate(ctx context.Context, owner, name string, rate int) (Task, error) {
	return s.change(ctx, owner, name, func(t Task, now time.Time) (Task, error) { return t.atRate(rate, now) })
}

// change writes what f makes of a task; f is called again where the task moved on meanwhile.
func (s Tasks) change(ctx context.Context, owner, name string, f func(Task, time.Time) (Task, error)) (Task, error) {
	for {
		before, err := s.Get(ctx, owner, name)
		if err != nil {
			return Task{}, err
		}
		after, err := f(before, s.now())
		if err != nil || reflect.DeepEqual(before, after) {
			return after, err
		}
		err = s.Table.Replace(ctx, after, before.Version)
		if !errors.Is(err, dynamo.ErrStale) {
			return after, err
		}
	}
}

func (s Tasks) send(ctx context.Context, t Task, wait time.Duration) error {
	return s.Queue.Send(ctx, queue.Message{Body: Message{Owner: t.Owner, Task: t.ID, Turn: t.Turn}, Delay: wait, Group: t.Owner})
}

func (s Tasks) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }
