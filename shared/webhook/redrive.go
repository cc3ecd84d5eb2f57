package webhook

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"farrier/shared/queue"
	"farrier/shared/task"
)

// Letters are the dead letters of deliveries: attempts that were the last. (Jobs that SQS gives up, because they met trouble of
// ours each time, go to another queue; what lies here of them is from before that one.)
//
// They are moved by receiving, sending and deleting, and not by SQS's StartMessageMoveTask: that one takes everything,
// with what fails again while it runs, cannot tell what it would move, forgets its progress, and is not there on every
// local AWS.
type Letters struct {
	Dead queue.Queue
	Jobs queue.Queue
}

const (
	lettersAtOnce = 10 // as SQS gives and takes (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html)
	// letterHeld is how long a letter that was taken is kept from others: it is moved, or left where it is and not met
	// again by the same look through the queue.
	letterHeld = 2 * time.Minute
	// emptyHands is how many looks in a row must bring nothing before there is nothing: SQS may overlook what is there.
	emptyHands = 2
	// vainLooks ends a redrive that only meets what it leaves alone.
	vainLooks = 100
)

// Why a letter is left where it is.
const (
	skipNewer      = "newer"      // it came after the redrive was begun: what was put back has failed again
	skipUnreadable = "unreadable" // it is neither a job nor a letter: a person must look at it
)

// Step moves letters back: it is task.Kind's. A letter whose job was sent and which was not deleted is sent again: the
// courier finds its delivery open already.
func (l Letters) Step(ctx context.Context, t task.Task, room int) (task.Step, error) {
	step := task.Step{Skipped: map[string]int{}}
	empty, vain := looksOf(t.Position)
	for step.Sent < room && empty < emptyHands && vain < vainLooks && step.Looked < looksPerStep {
		letters, err := l.take(ctx, min(lettersAtOnce, room-step.Sent), letterHeld)
		if err != nil {
			return task.Step{}, err
		}
		moved, err := l.move(ctx, t, letters, &step)
		if err != nil {
			return task.Step{}, err
		}
		switch {
		case len(letters) == 0:
			empty++
		case moved == 0:
			empty, vain = 0, vain+1
		default:
			empty, vain = 0, 0
		}
	}
	step.Done = empty >= emptyHands || vain >= vainLooks
	if step.Done {
		step.Left = left(t.Progress.Looked+step.Looked, t.Progress.Sent+step.Sent, vain)
	}
	step.Position = strconv.Itoa(empty) + "/" + strconv.Itoa(vain)
	return step, nil
}

// left says what a redrive that is over has left where it was; nothing where that is told by what it skipped.
func left(looked, sent, vain int) string {
	switch {
	case vain >= vainLooks:
		return "it met only letters that are newer or unreadable for long, and stopped: older ones may be left behind them"
	case looked > 0 && sent == 0:
		return "nothing was put back: all letters that it met are newer or unreadable"
	default:
		return ""
	}
}

// looksOf reads a position: how many looks brought nothing, and how many nothing to move.
func looksOf(position string) (empty, vain int) {
	for i := range position {
		if position[i] == '/' {
			empty, _ = strconv.Atoi(position[:i])
			vain, _ = strconv.Atoi(position[i+1:])
		}
	}
	return empty, vain
}

// take receives letters. They are back in the queue after a while, unless they are deleted.
func (l Letters) take(ctx context.Context, most int, held time.Duration) ([]types.Message, error) {
	out, err := l.Dead.Client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &l.Dead.URL, MaxNumberOfMessages: int32(most), // #nosec G115 -- at most lettersAtOnce
		WaitTimeSeconds: 1, VisibilityTimeout: int32(held / time.Second), // #nosec G115 -- minutes
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameSentTimestamp},
	})
	if err != nil {
		return nil, err
	}
	return out.Messages, nil
}

// move sends the jobs of letters and deletes them, in this order.
func (l Letters) move(ctx context.Context, t task.Task, letters []types.Message, step *task.Step) (int, error) {
	var jobs []queue.Message
	var gone []types.DeleteMessageBatchRequestEntry
	for i, letter := range letters {
		step.Looked++
		job, _, err := parseJob(*letter.Body)
		switch {
		case err != nil:
			step.Skipped[skipUnreadable]++
		case sentAt(letter).After(t.CreatedAt):
			step.Skipped[skipNewer]++
		default:
			name := strconv.Itoa(i)
			jobs = append(jobs, queue.Message{Body: json.RawMessage(*letter.Body), Group: job.Endpoint})
			gone = append(gone, types.DeleteMessageBatchRequestEntry{Id: &name, ReceiptHandle: letter.ReceiptHandle})
		}
	}
	if len(jobs) == 0 {
		return 0, nil
	}
	if err := l.Jobs.Send(ctx, jobs...); err != nil {
		return 0, err
	}
	// One that is not deleted comes again, and is sent again: no harm.
	if _, err := l.Dead.Client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &l.Dead.URL, Entries: gone}); err != nil {
		return 0, err
	}
	step.Sent += len(jobs)
	return len(jobs), nil
}

// sentAt is when a letter came into its first queue: one that SQS itself moved keeps the time of its job.
func sentAt(letter types.Message) time.Time {
	millis, err := strconv.ParseInt(letter.Attributes[string(types.MessageSystemAttributeNameSentTimestamp)], 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(millis).UTC()
}

// Pile is what lies in the dead-letter queue, as far as a look can tell.
type Pile struct {
	About    int            `json:"about" doc:"how many letters wait there, by SQS's own estimate"`
	Taken    int            `json:"taken" doc:"how many more somebody is just handling"`
	Seen     int            `json:"seen" doc:"how many of them this look has read"`
	OldestAt *time.Time     `json:"oldest_seen_at,omitempty" doc:"when the oldest of those was sent"`
	Reasons  map[string]int `json:"reasons,omitempty" doc:"of those, by why they are dead"`
}

// Look says what lies in the dead-letter queue. It reads a few letters and takes none.
func (l Letters) Look(ctx context.Context) (Pile, error) {
	about, err := l.Dead.Client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &l.Dead.URL, AttributeNames: []types.QueueAttributeName{
		types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
	}})
	if err != nil {
		return Pile{}, err
	}
	letters, err := l.take(ctx, lettersAtOnce, time.Second) // the SDK cannot say none
	if err != nil {
		return Pile{}, err
	}
	pile := Pile{Seen: len(letters), Reasons: map[string]int{}}
	pile.About, _ = strconv.Atoi(about.Attributes[string(types.QueueAttributeNameApproximateNumberOfMessages)])
	pile.Taken, _ = strconv.Atoi(about.Attributes[string(types.QueueAttributeNameApproximateNumberOfMessagesNotVisible)])
	pile.About = max(pile.About, pile.Seen)
	for _, letter := range letters {
		if at := sentAt(letter); !at.IsZero() && (pile.OldestAt == nil || at.Before(*pile.OldestAt)) {
			pile.OldestAt = &at
		}
		pile.Reasons[reasonOf(*letter.Body)]++
	}
	return pile, nil
}

// reasonOf says why a letter is dead.
func reasonOf(body string) string {
	if _, _, err := parseJob(body); err != nil {
		return skipUnreadable
	}
	var letter Letter
	if json.Unmarshal([]byte(body), &letter) == nil && letter.Reason != "" {
		return string(letter.Reason)
	}
	return "it could not be handled"
}
