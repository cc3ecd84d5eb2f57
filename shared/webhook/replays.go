package webhook

import (
	"cmp"
	"context"
	"io"
	"time"

	"farrier/shared/id"
	"farrier/shared/problem"
	"farrier/shared/task"
)

// Replays begins what is sent again as a task.
type Replays struct {
	Replayer
	Tasks   task.Tasks
	Letters Letters
	Random  io.Reader
}

// Again asks for events to be sent to an endpoint again.
type Again struct {
	Merchant, Endpoint string
	Since, From, Until *time.Time
	Types              []string
	Round              int
	Rate               int // 0 for UsualRate
}

// Recover begins a task that sends what an endpoint chooses and did not get. The same one is answered with the one that
// is on its way, and has it go on. One from before the endpoint was last enabled gives its place to one that asks for as much.
func (r Replays) Recover(ctx context.Context, a Again) (task.Task, error) {
	e, terms, err := r.recovery(ctx, a)
	if err != nil {
		return task.Task{}, err
	}
	name, err := id.New("tsk", r.now(), r.Random)
	if err != nil {
		return task.Task{}, err
	}
	err = r.Tasks.Replace(ctx, e.Merchant, e.ID, func(t task.Task) bool {
		earlier, err := termsOf(t)
		return err == nil && t.Kind == KindRecover && terms.replaces(earlier)
	})
	if err != nil {
		return task.Task{}, err
	}
	return r.start(ctx, KindRecover, name, e, terms, a.Rate)
}

// Replay begins a task that sends what an endpoint chooses, delivered or not. The same one, of the same round, is
// done once for ever; what was cancelled or failed is not done, and gives its place to the round after it.
func (r Replays) Replay(ctx context.Context, a Again) (task.Task, error) {
	e, terms, err := r.repetition(ctx, a)
	if err != nil {
		return task.Task{}, err
	}
	for ; ; terms.Round++ {
		t, err := r.start(ctx, KindReplay, replayID(a.Merchant, terms), e, terms, a.Rate)
		if err != nil || !t.State.InVain() {
			return t, err
		}
	}
}

// ForecastRecover counts what Recover would send.
func (r Replays) ForecastRecover(ctx context.Context, a Again) (Forecast, error) {
	e, terms, err := r.recovery(ctx, a)
	if err != nil {
		return Forecast{}, err
	}
	return r.forecast(ctx, task.Task{Owner: a.Merchant, Kind: KindRecover}, terms, e, countedByForecast)
}

// ForecastReplay counts what Replay would send.
func (r Replays) ForecastReplay(ctx context.Context, a Again) (Forecast, error) {
	e, terms, err := r.repetition(ctx, a)
	if err != nil {
		return Forecast{}, err
	}
	return r.forecast(ctx, task.Task{Owner: a.Merchant, Kind: KindReplay}, terms, e, countedByForecast)
}

func (r Replays) recovery(ctx context.Context, a Again) (Endpoint, Terms, error) {
	e, err := r.enabled(ctx, a)
	if err != nil {
		return e, Terms{}, err
	}
	terms, err := recovering(e, a.Since, a.Until, r.now())
	return e, terms, err
}

func (r Replays) repetition(ctx context.Context, a Again) (Endpoint, Terms, error) {
	e, err := r.enabled(ctx, a)
	if err != nil {
		return e, Terms{}, err
	}
	if a.From == nil {
		return e, Terms{}, problem.Field("from", "is missing")
	}
	if a.Until == nil {
		return e, Terms{}, problem.Field("until", "is missing")
	}
	terms, err := replaying(e, *a.From, *a.Until, a.Types, a.Round, r.now())
	return e, terms, err
}

func (r Replays) enabled(ctx context.Context, a Again) (Endpoint, error) {
	return enabled(ctx, r.Endpoints, a.Merchant, a.Endpoint)
}

func (r Replays) start(ctx context.Context, kind, name string, e Endpoint, terms Terms, rate int) (task.Task, error) {
	return r.Tasks.Start(ctx, task.Task{Owner: e.Merchant, ID: name, Kind: kind, Subject: e.ID, Terms: terms.text(), Rate: cmp.Or(rate, UsualRate)})
}

// Redrive begins a task that moves all dead letters back into their queue.
func (r Replays) Redrive(ctx context.Context, rate int) (task.Task, error) {
	name, err := id.New("tsk", r.now(), r.Random)
	if err != nil {
		return task.Task{}, err
	}
	return r.Tasks.Start(ctx, task.Task{Owner: task.Operator, ID: name, Kind: KindRedrive, Subject: "dead-letters", Terms: "{}", Rate: cmp.Or(rate, UsualRate)})
}
