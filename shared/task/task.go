package task

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"farrier/shared/problem"
)

// State is whether a task goes on.
type State string

// The states.
const (
	Running   State = "running"
	Paused    State = "paused"    // until it is resumed
	Done      State = "done"      // all of it
	Cancelled State = "cancelled" // by request; what was done stays done
	Failed    State = "failed"    // it cannot go on; the reason says why
)

// InVain says that it ended before all was done.
func (s State) InVain() bool { return s == Cancelled || s == Failed }

// ended says that nothing will happen any more.
func (s State) ended() bool { return s == Done || s.InVain() }

// Operator owns the tasks that are no merchant's.
const Operator = "operator"

// The rates that a task may have, a second.
const (
	SlowestRate = 1
	FastestRate = 500
)

// StalledAfter is how long a running task may stand still: longer than a message that was taken by one who died is kept
// from others (the queue's visibility time-out, 6 minutes) and than a Kind may wait.
const StalledAfter = 10 * time.Minute

// longestPause bounds how long a Kind may have its task wait for its next step.
const longestPause = 5 * time.Minute

// Task is one piece of long work.
type Task struct {
	Owner string `dynamodbav:"pk"` // a merchant, or Operator
	ID    string `dynamodbav:"sk"`

	Kind    string `dynamodbav:"kind"`
	Subject string `dynamodbav:"subject"` // what one task at a time works on
	Terms   string `dynamodbav:"terms"`   // what was asked for, as the Kind's JSON

	State  State  `dynamodbav:"state"`
	Reason string `dynamodbav:"reason,omitempty"` // why it is paused or failed, or what it has left though it is done
	Rate   int    `dynamodbav:"rate"`             // things done in a second, at the most

	Progress Progress `dynamodbav:"progress"`
	Position string   `dynamodbav:"position,omitempty"` // how far it has come, in the Kind's own words

	Turn  int64  `dynamodbav:"turn"`            // of the message that moves it; messages of other turns are old
	Fresh bool   `dynamodbav:"fresh,omitempty"` // no step of this turn is recorded
	Steps int64  `dynamodbav:"steps"`           // recorded
	Hand  string `dynamodbav:"hand,omitempty"`  // who recorded the last step or turn; none where it was resumed

	SentAgainAt *time.Time `dynamodbav:"sent_again_at,omitempty"` // when the message of this turn was last sent once more

	CreatedAt time.Time  `dynamodbav:"created_at"`
	UpdatedAt time.Time  `dynamodbav:"updated_at"`
	EndedAt   *time.Time `dynamodbav:"ended_at,omitempty"`
	Version   int64      `dynamodbav:"version"` // from 1, raised by every write
}

// Progress is what a task has done so far.
type Progress struct {
	Looked  int            `dynamodbav:"looked" json:"looked_at" doc:"things that it has looked at"`
	Sent    int            `dynamodbav:"sent" json:"sent" doc:"of those: things that it has done something about"`
	Skipped map[string]int `dynamodbav:"skipped,omitempty" json:"skipped,omitempty" doc:"of those: things that it has left alone, by why"`
	Total   int            `dynamodbav:"total,omitempty" json:"total,omitempty" doc:"things in all; absent where nobody knows beforehand"`
}

// Step is what one step of the work did.
type Step struct {
	Position string // from which the next step goes on
	Looked   int
	Sent     int
	Skipped  map[string]int
	Total    int // of the whole task, where it is known now

	Done  bool
	Left  string        // of one that is done: what it has left undone, and why
	Fail  string        // why the task cannot go on
	Pause string        // why the task has to wait for a person
	Wait  time.Duration // before the next step
}

// same says whether two tasks are about the same work.
func (t Task) same(other Task) bool {
	return t.Kind == other.Kind && t.Subject == other.Subject && t.Terms == other.Terms
}

// stalled says that a running task stands still: its message was lost, or waits in a long queue.
func (t Task) stalled(now time.Time) bool {
	return t.State == Running && now.Sub(t.UpdatedAt) > StalledAfter
}

// mayBeLost says whether the message of the task's turn is to be sent again: it may never have been sent, or the task has
// stalled. Once it was sent again it is given as long once more.
func (t Task) mayBeLost(now time.Time) bool {
	lately := t.SentAgainAt != nil && now.Sub(*t.SentAgainAt) <= StalledAfter
	return (t.State == Running && t.Fresh || t.stalled(now)) && !lately
}

// sentAgain is the task once the message of a turn was sent again, which moves nothing. A task in another turn stays as it is.
func (t Task) sentAgain(turn int64, now time.Time) Task {
	if t.State == Running && t.Turn == turn {
		t.Version++
		t.SentAgainAt = &now
	}
	return t
}

func (t Task) next(now time.Time) Task {
	t.Version++
	t.UpdatedAt = now
	return t
}

func (t Task) end(s State, why string, now time.Time) Task {
	t.State, t.Reason, t.EndedAt = s, why, &now
	return t
}

// after is the task with one more step, by a hand. A task that somebody paused or cancelled meanwhile stays so, unless
// the step was its last.
func (t Task) after(s Step, hand string, now time.Time) Task {
	t = t.next(now)
	t.Steps++
	t.Position, t.Fresh, t.Hand = s.Position, false, hand
	t.Progress.Looked += s.Looked
	t.Progress.Sent += s.Sent
	if len(s.Skipped) > 0 {
		sum := maps.Clone(t.Progress.Skipped)
		if sum == nil {
			sum = map[string]int{}
		}
		for why, n := range s.Skipped {
			sum[why] += n
		}
		t.Progress.Skipped = sum
	}
	if s.Total > 0 {
		t.Progress.Total = s.Total
	}
	switch {
	case t.State.ended():
		return t
	case s.Done:
		return t.end(Done, s.Left, now)
	case s.Fail != "":
		return t.end(Failed, s.Fail, now)
	case s.Pause != "" && t.State == Running:
		t.State, t.Reason = Paused, s.Pause
	}
	return t
}

// turned is the task whose next message is another one.
func (t Task) turned(hand string, now time.Time) Task {
	t = t.next(now)
	t.Turn, t.Fresh, t.Hand, t.SentAgainAt = t.Turn+1, true, hand, nil
	return t
}

// paused is the task that rests until it is resumed.
func (t Task) paused(now time.Time) (Task, error) {
	switch {
	case t.State == Paused:
		return t, nil
	case t.State.ended():
		return t, t.over("paused")
	}
	t = t.next(now)
	t.State, t.Reason = Paused, "by request"
	return t, nil
}

// resumed is the task that goes on, by a message of a new turn. One that runs already is left alone: a new turn would move it
// to the back of the queue, and whoever asks often enough would keep it from ever running.
func (t Task) resumed(now time.Time) (Task, error) {
	switch {
	case t.State.ended():
		return t, t.over("resumed")
	case t.State == Running:
		return t, nil
	}
	t = t.turned("", now)
	t.State, t.Reason = Running, ""
	return t, nil
}

// askedAgain is the task once it was asked for again: one that is paused goes on.
func (t Task) askedAgain(now time.Time) (Task, error) {
	if t.State != Paused {
		return t, nil
	}
	return t.resumed(now)
}

// cancelled is the task that ends before its time.
func (t Task) cancelled(now time.Time) (Task, error) {
	switch {
	case t.State == Cancelled:
		return t, nil
	case t.State.ended():
		return t, t.over("cancelled")
	}
	return t.next(now).end(Cancelled, "by request", now), nil
}

// replaced is the task whose place another one takes.
func (t Task) replaced(now time.Time) (Task, error) {
	if t.State.ended() {
		return t, nil
	}
	return t.next(now).end(Cancelled, "another one has taken its place", now), nil
}

// atRate is the task at another rate.
func (t Task) atRate(rate int, now time.Time) (Task, error) {
	switch {
	case rate < SlowestRate || rate > FastestRate:
		return t, problem.Field("rate", fmt.Sprintf("must be from %d to %d a second", SlowestRate, FastestRate))
	case t.Rate == rate:
		return t, nil
	case t.State.ended():
		return t, t.over("changed")
	}
	t = t.next(now)
	t.Rate = rate
	return t, nil
}

func (t Task) over(what string) error {
	return problem.New(problem.Conflict, fmt.Sprintf("the task is %s: it cannot be %s", t.State, what))
}

// View is a task as its owner sees it.
type View struct {
	ID        string          `json:"id"`
	Kind      string          `json:"kind" doc:"what it does: recover, replay or redrive; there will be more"`
	Terms     json.RawMessage `json:"terms" doc:"what was asked for"`
	State     State           `json:"state" enum:"running,paused,done,cancelled,failed"`
	Reason    string          `json:"reason,omitempty" doc:"why it is paused, cancelled or failed, or what it has left though it is done"`
	Rate      int             `json:"rate" doc:"how many it sends in a second at the most"`
	Progress  Progress        `json:"progress"`
	CreatedAt time.Time       `json:"created_at"`
	UpdatedAt time.Time       `json:"updated_at" doc:"when it last moved, or was changed"`
	EndedAt   *time.Time      `json:"ended_at,omitempty"`
}

// View shows the task.
func (t Task) View() View {
	return View{
		ID: t.ID, Kind: t.Kind, Terms: json.RawMessage(t.Terms), State: t.State, Reason: t.Reason, Rate: t.Rate, Progress: t.Progress,
		CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt, EndedAt: t.EndedAt,
	}
}
