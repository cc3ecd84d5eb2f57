package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/merchant"
	"farrier/shared/task"
	"farrier/shared/webhook"
)

// TaskAsked is how a task is to be done.
type TaskAsked struct {
	Rate   int  `json:"rate,omitempty" minimum:"1" maximum:"500" doc:"how many a second at the most; without it 50"`
	DryRun bool `json:"dry_run,omitempty" doc:"count what would be sent, and send nothing"`
}

type recoverEndpoint struct {
	Acting
	ID   string `path:"id"`
	Body *recovery
}

type recovery struct {
	Since *time.Time `json:"since,omitempty" doc:"inclusive; without it the endpoint's missed_since"`
	Until *time.Time `json:"until,omitempty" doc:"exclusive; without it now"`
	TaskAsked
}

type replayEndpoint struct {
	Acting
	ID   string `path:"id"`
	Body replay
}

type replay struct {
	From  time.Time `json:"from" doc:"inclusive"`
	Until time.Time `json:"until" doc:"exclusive"`
	Types []string  `json:"types,omitempty" minItems:"1" maxItems:"50" maxLength:"64" doc:"of the events that the endpoint chooses, only these: types, or patterns such as payment.* and *" example:"payment.*"`
	Round int       `json:"round,omitempty" minimum:"1" maximum:"1000" default:"1" doc:"a replay is done once, however often it is asked for; to have the same one done again, count on"`
	TaskAsked
}

type redriveLetters struct {
	Body *TaskAsked
}

type listTasks struct {
	Acting
	Paging
}

type oneTask struct {
	Acting
	ID string `path:"id"`
}

type changedTask struct {
	Acting
	ID   string `path:"id"`
	Body struct {
		Rate int `json:"rate" minimum:"1" maximum:"500" doc:"how many a second at the most"`
	}
}

// Sending is what was begun, or would be.
type Sending struct {
	Task   *task.View        `json:"task,omitempty" doc:"the task that does it; it may have been begun before"`
	DryRun *webhook.Forecast `json:"dry_run,omitempty" doc:"what would be sent"`
}

// Redriving is what was begun, or would be.
type Redriving struct {
	Task   *task.View    `json:"task,omitempty" doc:"the task that does it; it may have been begun before"`
	DryRun *webhook.Pile `json:"dry_run,omitempty" doc:"what would be moved"`
}

type (
	taskAnswer      struct{ Body task.View }
	sendingAnswer   struct{ Body Sending }
	redrivingAnswer struct{ Body Redriving }
	pileAnswer      struct{ Body webhook.Pile }
)

func (a *API) taskRoutes(to huma.API) {
	const endpoint, letters, list, one = "/v1/webhook-endpoints/{id}", "/v1/dead-letters", "/v1/tasks", "/v1/tasks/{id}"
	missing := []int{http.StatusNotFound}
	register(a, to, route{
		ID: "recover-webhook-endpoint", Method: http.MethodPost, Path: endpoint + "/recover", Tag: "Webhooks", Summary: "Send a webhook endpoint what it missed",
		More: "Everything that it chooses and that was not delivered: failed, held, or never tried because the endpoint was disabled. What is pending is left alone, " +
			"and so is what was never tried and happened within the last ten minutes while the endpoint was enabled: it is on its way. Each delivery gets its whole schedule again. " +
			"Only one task at a time works for an endpoint: the same one asked for again is that task, which goes on if it was paused; another one is refused (409). " +
			"One that was begun before the endpoint was last enabled gives its place to one that asks for as much.",
		Scope: merchant.WebhooksWrite, Also: merchant.EventsRead, Status: http.StatusAccepted, Errors: missing,
		Example: map[string]any{"since": exampleTime, "rate": 20}, Answer: Sending{Task: &exampleTask},
	}, a.recoverEndpoint)
	register(a, to, route{
		ID: "replay-webhook-endpoint", Method: http.MethodPost, Path: endpoint + "/replay", Tag: "Webhooks", Summary: "Send a webhook endpoint everything of some time again",
		More: "Everything that it chooses between two moments, delivered or not, under the same webhook-id and with the header webhook-replay. What is pending is left alone. " +
			"The same replay asked for again, also when it is done, is that task; for another one, give another round. In place of one that was cancelled or failed the next round is begun.",
		Scope: merchant.WebhooksWrite, Also: merchant.EventsRead, Status: http.StatusAccepted, Errors: missing,
		Example: map[string]any{"from": exampleTime, "until": exampleTime.Add(time.Hour), "types": []string{"payment.*"}, "dry_run": true}, Answer: Sending{DryRun: &exampleForecast},
	}, a.replayEndpoint)
	register(a, to, route{
		ID: "look-at-dead-letters", Method: http.MethodGet, Path: letters, Tag: "Webhooks", Summary: "Say about how many deliveries are in the dead-letter queue",
		More: "For the operator. It reads a few letters and takes none.", Scope: merchant.DeadLetters, Answer: examplePile,
	}, a.lookAtLetters)
	register(a, to, route{
		ID: "redrive-dead-letters", Method: http.MethodPost, Path: letters + "/redrive", Tag: "Webhooks", Summary: "Put the dead letters of deliveries back",
		More:  "For the operator. Each asks for one more attempt. Letters that come after the task was begun stay where they are.",
		Scope: merchant.DeadLetters, Status: http.StatusAccepted, Example: map[string]any{"rate": 20}, Answer: Redriving{Task: &exampleRedrive},
	}, a.redriveLetters)
	register(a, to, route{
		ID: "list-tasks", Method: http.MethodGet, Path: list, Tag: "Tasks", Summary: "List tasks, the newest first",
		More:  "A replay stands where the time ends that it is about. The operator who names no merchant gets its own.",
		Scope: merchant.WebhooksRead, Errors: missing, Answer: Page[task.View]{Data: []task.View{exampleTask}},
	}, a.listTasks)
	register(a, to, route{
		ID: "get-task", Method: http.MethodGet, Path: one, Tag: "Tasks", Summary: "Get a task",
		More:  "One that runs and has not moved for ten minutes is set going again by this.",
		Scope: merchant.WebhooksRead, Errors: missing, Answer: exampleTask,
	}, a.getTask)
	register(a, to, route{
		ID: "change-task", Method: http.MethodPatch, Path: one, Tag: "Tasks", Summary: "Change how fast a task goes",
		Scope: merchant.WebhooksWrite, Errors: []int{http.StatusNotFound, http.StatusConflict}, Example: map[string]any{"rate": 100}, Answer: exampleTask,
	}, a.changeTask)
	for _, act := range []struct {
		verb, summary, more string
		do                  func(s task.Tasks, ctx context.Context, owner, name string) (task.Task, error)
	}{
		{"pause", "Have a task rest until it is resumed", "It takes hold within a few seconds.", task.Tasks.Pause},
		{"resume", "Have a task go on", "Also one that runs and whose message was lost.", task.Tasks.Resume},
		{"cancel", "End a task", "What it has done stays done.", task.Tasks.Cancel},
	} {
		register(a, to, route{
			ID: act.verb + "-task", Method: http.MethodPost, Path: one + "/" + act.verb, Tag: "Tasks", Summary: act.summary, More: act.more,
			Scope: merchant.WebhooksWrite, Errors: missing, Answer: exampleTask,
		}, func(ctx context.Context, in *oneTask) (*taskAnswer, error) {
			return a.withTask(ctx, in, func(ctx context.Context, owner, name string) (task.Task, error) {
				return act.do(a.Replays.Tasks, ctx, owner, name)
			})
		})
	}
}

// replays begins what this request asks for: in every run of it the same.
func (a *API) replays(ctx context.Context) webhook.Replays {
	r := a.Replays
	r.Replayer.Now, r.Random = a.making(ctx)
	r.Tasks.Now = r.Replayer.Now
	return r
}

func (a *API) recoverEndpoint(ctx context.Context, in *recoverEndpoint) (*sendingAnswer, error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	var asked recovery
	put(&asked, in.Body)
	again := webhook.Again{Merchant: owner.ID, Endpoint: in.ID, Since: asked.Since, Until: asked.Until, Rate: asked.Rate}
	if asked.DryRun {
		return foretold(a.Replays.ForecastRecover(ctx, again))
	}
	return begun(a.replays(ctx).Recover(ctx, again))
}

func (a *API) replayEndpoint(ctx context.Context, in *replayEndpoint) (*sendingAnswer, error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	again := webhook.Again{
		Merchant: owner.ID, Endpoint: in.ID, From: &in.Body.From, Until: &in.Body.Until, Types: in.Body.Types, Round: in.Body.Round, Rate: in.Body.Rate,
	}
	if in.Body.DryRun {
		return foretold(a.Replays.ForecastReplay(ctx, again))
	}
	return begun(a.replays(ctx).Replay(ctx, again))
}

func begun(t task.Task, err error) (*sendingAnswer, error) {
	view := t.View()
	return &sendingAnswer{Body: Sending{Task: &view}}, err
}

func foretold(f webhook.Forecast, err error) (*sendingAnswer, error) {
	return &sendingAnswer{Body: Sending{DryRun: &f}}, err
}

func (a *API) lookAtLetters(ctx context.Context, _ *struct{}) (*pileAnswer, error) {
	pile, err := a.Replays.Letters.Look(ctx)
	return &pileAnswer{Body: pile}, err
}

func (a *API) redriveLetters(ctx context.Context, in *redriveLetters) (*redrivingAnswer, error) {
	var asked TaskAsked
	put(&asked, in.Body)
	if asked.DryRun {
		pile, err := a.Replays.Letters.Look(ctx)
		return &redrivingAnswer{Body: Redriving{DryRun: &pile}}, err
	}
	begun, err := a.replays(ctx).Redrive(ctx, asked.Rate)
	view := begun.View()
	return &redrivingAnswer{Body: Redriving{Task: &view}}, err
}

func (a *API) listTasks(ctx context.Context, in *listTasks) (*Listed[task.View], error) {
	owner, err := a.taskOwner(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	tasks, next, err := a.Replays.Tasks.List(ctx, owner, in.Limit, in.Cursor)
	return listed(tasks, next, task.Task.View), err
}

func (a *API) getTask(ctx context.Context, in *oneTask) (*taskAnswer, error) {
	return a.withTask(ctx, in, a.Replays.Tasks.Look)
}

func (a *API) changeTask(ctx context.Context, in *changedTask) (*taskAnswer, error) {
	return a.withTask(ctx, &oneTask{in.Acting, in.ID}, func(ctx context.Context, owner, name string) (task.Task, error) {
		return a.Replays.Tasks.SetRate(ctx, owner, name, in.Body.Rate)
	})
}

// withTask answers with what f makes of the task asked for.
func (a *API) withTask(ctx context.Context, in *oneTask, f func(ctx context.Context, owner, name string) (task.Task, error)) (*taskAnswer, error) {
	owner, err := a.taskOwner(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	t, err := f(ctx, owner, in.ID)
	return &taskAnswer{Body: t.View()}, err
}

// taskOwner is whose tasks a request is about: the operator has some of its own.
func (a *API) taskOwner(ctx context.Context, named string) (string, error) {
	if callerOf(ctx).Operator && named == "" {
		return task.Operator, nil
	}
	owner, err := a.merchantFor(ctx, named)
	return owner.ID, err
}

var (
	exampleTask = task.View{
		ID: "tsk_" + exampleULID, Kind: webhook.KindRecover, Terms: json.RawMessage(`{"endpoint":"ep_` + exampleULID + `","since":"2026-11-20T12:00:00Z"}`),
		State: task.Running, Rate: 20, Progress: task.Progress{Looked: 240, Sent: 180, Skipped: map[string]int{"delivered": 60}},
		CreatedAt: exampleTime.Add(24 * time.Hour), UpdatedAt: exampleTime.Add(24*time.Hour + 9*time.Second),
	}
	exampleRedrive = task.View{
		ID: "tsk_" + exampleULID, Kind: webhook.KindRedrive, Terms: json.RawMessage(`{}`), State: task.Done, Rate: 20,
		Progress: task.Progress{Looked: 31, Sent: 31}, CreatedAt: exampleTime, UpdatedAt: exampleTime.Add(3 * time.Second), EndedAt: exampleEnd,
	}
	exampleEnd      = func() *time.Time { at := exampleTime.Add(3 * time.Second); return &at }()
	exampleForecast = webhook.Forecast{
		Looked: 240, Sent: 180, Skipped: map[string]int{"not_chosen": 57, "pending": 3}, Complete: true,
		ByType: map[string]webhook.Tally{"payment.paid": {Sent: 180, Skipped: map[string]int{"pending": 3}}},
	}
	examplePile = webhook.Pile{About: 31, Seen: 10, OldestAt: &exampleTime, Reasons: map[string]int{string(webhook.Exhausted): 10}}
)
