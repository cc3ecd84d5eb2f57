// Package timer sends a message to a queue at a moment, by EventBridge Scheduler.
//
// It promises: one name, one message; asking again for the same name is no error; a schedule removes
// itself once it has fired; what cannot be sent lies in the dead-letter queue.
package timer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"
)

// Schedules makes one-time schedules in one group.
type Schedules struct {
	Client      *scheduler.Client
	Group       string
	Role        string // that the scheduler takes to send
	Queue       string // ARN
	DeadLetters string // ARN
}

// At sends body as JSON to the queue at the given second or shortly after it.
func (s Schedules) At(ctx context.Context, name string, at time.Time, body any) error {
	input, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("timer: %w", err)
	}
	text := string(input)
	when := "at(" + at.UTC().Truncate(time.Second).Add(time.Second).Format("2006-01-02T15:04:05") + ")"
	_, err = s.Client.CreateSchedule(ctx, &scheduler.CreateScheduleInput{
		Name: &name, GroupName: &s.Group, ScheduleExpression: &when,
		ActionAfterCompletion: types.ActionAfterCompletionDelete,
		FlexibleTimeWindow:    &types.FlexibleTimeWindow{Mode: types.FlexibleTimeWindowModeOff},
		Target: &types.Target{
			Arn: &s.Queue, RoleArn: &s.Role, Input: &text,
			DeadLetterConfig: &types.DeadLetterConfig{Arn: &s.DeadLetters},
		},
	})
	var exists *types.ConflictException
	if err != nil && !errors.As(err, &exists) {
		return fmt.Errorf("timer: %w", err)
	}
	return nil
}
