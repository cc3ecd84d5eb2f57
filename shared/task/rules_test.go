package task

import (
	"testing"
	"time"

	"farrier/shared/problem"
)

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

func TestWhatATasksOwnerMayDoInEachState(t *testing.T) {
	acts := map[string]func(Task) (Task, error){
		"pause":  func(t Task) (Task, error) { return t.paused(noon) },
		"resume": func(t Task) (Task, error) { return t.resumed(noon) },
		"cancel": func(t Task) (Task, error) { return t.cancelled(noon) },
		"rate":   func(t Task) (Task, error) { return t.atRate(9, noon) },
	}
	for _, c := range []struct {
		state State
		act   string
		then  State // empty for a conflict
		write bool
	}{
		{Running, "pause", Paused, true}, {Running, "resume", Running, false}, {Running, "cancel", Cancelled, true}, {Running, "rate", Running, true},
		{Paused, "pause", Paused, false}, {Paused, "resume", Running, true}, {Paused, "cancel", Cancelled, true}, {Paused, "rate", Paused, true},
		{Done, "pause", "", false}, {Done, "resume", "", false}, {Done, "cancel", "", false}, {Done, "rate", "", false},
		{Failed, "pause", "", false}, {Failed, "resume", "", false}, {Failed, "cancel", "", false}, {Failed, "rate", "", false},
		{Cancelled, "pause", "", false}, {Cancelled, "resume", "", false}, {Cancelled, "cancel", Cancelled, false}, {Cancelled, "rate", "", false},
	} {
		before := Task{State: c.state, Rate: 5, Turn: 3, Version: 7, UpdatedAt: noon}
		after, err := acts[c.act](before)
		switch {
		case c.then == "" && !problem.Is(err, problem.Conflict):
			t.Errorf("%s %s: %v", c.act, c.state, err)
		case c.then != "" && (err != nil || after.State != c.then || (after.Version == 8) != c.write):
			t.Errorf("%s %s: %s at version %d, %v", c.act, c.state, after.State, after.Version, err)
		}
	}
}

func TestARateIsWithinBounds(t *testing.T) {
	for rate, fits := range map[int]bool{-1: false, 0: false, 1: true, 500: true, 501: false} {
		if _, err := (Task{State: Running}).atRate(rate, noon); (err == nil) != fits || err != nil && problem.Of(err).Field != "rate" {
			t.Errorf("%d: %v", rate, err)
		}
	}
}

func TestATaskStallsOnlyWhenItRunsAndHasNotMovedForLong(t *testing.T) {
	for name, c := range map[string]struct {
		state   State
		idle    time.Duration
		stalled bool
	}{
		"a moment ago": {Running, time.Second, false}, "just not": {Running, StalledAfter, false}, "for long": {Running, StalledAfter + 1, true},
		"paused": {Paused, 24 * time.Hour, false}, "done": {Done, 24 * time.Hour, false},
	} {
		one := Task{State: c.state, UpdatedAt: noon.Add(-c.idle), Turn: 2}
		if one.stalled(noon) != c.stalled {
			t.Errorf("%s: %t", name, !c.stalled)
		}
		if again, err := one.resumed(noon); c.stalled && (err != nil || again.Turn != 2) {
			t.Errorf("%s: it loses its place in the queue: %+v, %v", name, again, err)
		}
	}
}

func TestTheMessageOfATurnIsSentAgainWhereItMayBeLostAndNotOftenerThanATaskMayStall(t *testing.T) {
	ago := func(d time.Duration) *time.Time { at := noon.Add(-d); return &at }
	long := StalledAfter + 1
	for name, c := range map[string]struct {
		task Task
		lost bool
	}{
		"no step of its turn is recorded":            {Task{State: Running, Fresh: true, UpdatedAt: noon}, true},
		"and it was sent again just now":             {Task{State: Running, Fresh: true, UpdatedAt: noon, SentAgainAt: ago(0)}, false},
		"a step is recorded":                         {Task{State: Running, UpdatedAt: noon}, false},
		"it stands still":                            {Task{State: Running, UpdatedAt: *ago(long)}, true},
		"and was sent again lately":                  {Task{State: Running, UpdatedAt: *ago(2 * long), SentAgainAt: ago(StalledAfter)}, false},
		"and was sent again long ago":                {Task{State: Running, UpdatedAt: *ago(2 * long), SentAgainAt: ago(long)}, true},
		"paused":                                     {Task{State: Paused, Fresh: true, UpdatedAt: *ago(long)}, false},
		"done before the message of its turn was it": {Task{State: Done, Fresh: true, UpdatedAt: *ago(long)}, false},
	} {
		if c.task.mayBeLost(noon) != c.lost {
			t.Errorf("%s: %t", name, !c.lost)
		}
	}
	one := Task{State: Running, Fresh: true, Turn: 2, Version: 5, UpdatedAt: *ago(long)}
	if again := one.sentAgain(2, noon); again.Turn != 2 || again.Version != 6 || !again.UpdatedAt.Equal(one.UpdatedAt) || again.mayBeLost(noon) {
		t.Errorf("%+v", again)
	}
	if next := one.sentAgain(1, noon); next.SentAgainAt != nil || next.Version != 5 {
		t.Errorf("the message of another turn counts: %+v", next)
	}
	if next := one.sentAgain(2, noon).turned("h", noon); next.SentAgainAt != nil {
		t.Errorf("the message of the turn before counts: %+v", next)
	}
}

func TestWhatAMessageAsksForDependsOnItsTurn(t *testing.T) {
	for name, c := range map[string]struct {
		turn int64
		task Task
		want act
	}{
		"its own turn":               {4, Task{State: Running, Turn: 4}, work},
		"its own turn, begun":        {4, Task{State: Running, Turn: 4, Steps: 9}, work},
		"the next was not seen yet":  {4, Task{State: Running, Turn: 5, Fresh: true}, resend},
		"the next was begun":         {4, Task{State: Running, Turn: 5}, drop},
		"long ago":                   {4, Task{State: Running, Turn: 9, Fresh: true}, drop},
		"one that is not there yet":  {5, Task{State: Running, Turn: 4}, drop},
		"paused":                     {4, Task{State: Paused, Turn: 4}, drop},
		"done":                       {4, Task{State: Done, Turn: 4}, drop},
		"cancelled, next never sent": {4, Task{State: Cancelled, Turn: 5, Fresh: true}, drop},
	} {
		if got := decide(Message{Turn: c.turn}, c.task); got != c.want {
			t.Errorf("%s: %d", name, got)
		}
	}
}

func TestAStepIsCountedAndHoldsWhateverTheOwnerDidMeanwhile(t *testing.T) {
	step := Step{Position: "p", Looked: 5, Sent: 3, Skipped: map[string]int{"old": 2}, Total: 50}
	before := Task{State: Running, Fresh: true, Version: 3, Steps: 1, Progress: Progress{Looked: 1, Skipped: map[string]int{"old": 1}}}
	after := before.after(step, "h", noon)
	if after.Progress.Looked != 6 || after.Progress.Sent != 3 || after.Progress.Skipped["old"] != 3 || after.Progress.Total != 50 || after.Position != "p" || after.Fresh || after.Version != 4 {
		t.Errorf("%+v", after)
	}
	if before.Progress.Skipped["old"] != 1 {
		t.Error("the task before was changed")
	}
	last := step
	last.Done = true
	for state, then := range map[State][2]State{Running: {Running, Done}, Paused: {Paused, Done}, Cancelled: {Cancelled, Cancelled}} {
		one := Task{State: state}
		if got := one.after(step, "h", noon).State; got != then[0] {
			t.Errorf("a step of a task that is %s: %s", state, got)
		}
		if got := one.after(last, "h", noon).State; got != then[1] {
			t.Errorf("the last step of a task that is %s: %s", state, got)
		}
	}
	if got := (Task{State: Running}).after(Step{Fail: "gone"}, "h", noon); got.State != Failed || got.Reason != "gone" || got.EndedAt == nil {
		t.Errorf("%+v", got)
	}
	if got := (Task{State: Running}).after(Step{Pause: "off"}, "h", noon); got.State != Paused || got.Reason != "off" || got.EndedAt != nil {
		t.Errorf("%+v", got)
	}
}
