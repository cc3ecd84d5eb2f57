package task

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/dynamo"
	"farrier/shared/id"
	"farrier/shared/problem"
)

// Kind is what tasks of one kind do.
type Kind interface {
	// Step does a little of a task, from its position on: it acts on room things at the most and takes a few seconds at the
	// most. It may be called again for a position that it has left behind.
	Step(ctx context.Context, t Task, room int) (Step, error)
}

// Runner moves tasks on.
type Runner struct {
	Tasks Tasks
	Kinds map[string]Kind
	Slice time.Duration // how long one message is worked for
	Sleep func(context.Context, time.Duration) error
	Log   *slog.Logger
}

var (
	errUnreadable = errors.New("task: the message names no task")
	errUnknown    = errors.New("task: this version does not know the task's kind")
	// errOvertaken leaves the message in the queue: when it comes again its turn is over, or the other one has died.
	errOvertaken = errors.New("task: another copy of the message moves the task")
)

// act is what is to be done about a message.
type act int

const (
	drop   act = iota // it is old, or the task does not run
	resend            // its turn was ended, and the next message may never have been sent
	work
)

// decide compares a message with the task that it is to move.
func decide(m Message, t Task) act {
	switch {
	case t.State != Running:
		return drop
	case m.Turn == t.Turn:
		return work
	case m.Turn == t.Turn-1 && t.Fresh:
		return resend
	default:
		return drop
	}
}

// Handle does a slice of the task that a message names, and sends the next message.
func (r Runner) Handle(ctx context.Context, message events.SQSMessage) error {
	var m Message
	if json.Unmarshal([]byte(message.Body), &m) != nil || m.Owner == "" || !id.Valid("tsk", m.Task) {
		return errUnreadable
	}
	t, err := r.Tasks.Get(ctx, m.Owner, m.Task)
	if problem.Is(err, problem.NotFound) {
		return errUnreadable // tasks are not deleted
	}
	if err != nil {
		return err
	}
	switch decide(m, t) {
	case resend:
		_, err := r.Tasks.prod(ctx, t)
		return err
	case work:
		return r.work(ctx, t)
	default:
		return nil
	}
}

// work does steps until the slice is over or the task is.
func (r Runner) work(ctx context.Context, t Task) error {
	kind, known := r.Kinds[t.Kind]
	if !known {
		return errUnknown
	}
	hand, err := id.New("hand", r.Tasks.now(), r.Tasks.Random)
	if err != nil {
		return err
	}
	for began := r.Tasks.Now(); ; {
		at := r.Tasks.Now()
		step, err := kind.Step(ctx, t, t.Rate)
		if err != nil {
			return fmt.Errorf("task %s: %w", t.ID, err)
		}
		if t, err = r.record(ctx, t, hand, func(t Task) Task { return t.after(step, hand, r.Tasks.now()) }); err != nil {
			return err
		}
		if t.State != Running {
			r.Log.InfoContext(ctx, "task stopped", "task", t.ID, "kind", t.Kind, "state", t.State, "sent", t.Progress.Sent)
			return nil
		}
		if step.Wait > 0 {
			return r.pass(ctx, t, hand, min(step.Wait, longestPause))
		}
		if err := r.keep(ctx, at, step.Sent, t.Rate); err != nil {
			return err
		}
		if r.Tasks.Now().Sub(began) >= r.Slice {
			return r.pass(ctx, t, hand, 0)
		}
	}
}

// keep waits until what was sent since a moment is no more than the rate allows.
func (r Runner) keep(ctx context.Context, since time.Time, sent, rate int) error {
	takes := time.Duration(sent) * time.Second / time.Duration(max(rate, SlowestRate))
	if left := takes - r.Tasks.Now().Sub(since); left > 0 {
		return r.Sleep(ctx, left)
	}
	return nil
}

// pass ends the turn and sends the message of the next.
func (r Runner) pass(ctx context.Context, t Task, hand string, wait time.Duration) error {
	next, err := r.record(ctx, t, hand, func(t Task) Task {
		if t.State != Running {
			return t
		}
		return t.turned(hand, r.Tasks.now())
	})
	if err != nil || next.State != Running {
		return err
	}
	return r.Tasks.send(ctx, next, wait)
}

// record writes what f makes of a task. What its owner changed meanwhile holds, and f is asked again; where someone else
// has moved the task, we are overtaken.
func (r Runner) record(ctx context.Context, t Task, hand string, f func(Task) Task) (Task, error) {
	for {
		next := f(t)
		if next.Version == t.Version {
			return t, nil
		}
		err := r.Tasks.Table.Replace(ctx, next, t.Version)
		if !errors.Is(err, dynamo.ErrStale) {
			return next, err
		}
		stored, err := r.Tasks.Get(ctx, t.Owner, t.ID)
		switch {
		case err != nil:
			return t, err
		case stored.Hand == hand && stored.Steps == next.Steps && stored.Turn == next.Turn: // it was written, and the answer was lost
			return stored, nil
		case stored.Steps != t.Steps || stored.Turn != t.Turn:
			return t, errOvertaken
		}
		t = stored
	}
}
