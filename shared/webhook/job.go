package webhook

import (
	"encoding/json"
	"errors"
	"time"

	"farrier/shared/id"
	"farrier/shared/queue"
)

// Job is one attempt that is to be made: a message in the queue of deliveries.
type Job struct {
	Merchant string `json:"merchant"`
	Event    string `json:"event"`
	Endpoint string `json:"endpoint"`
	Attempt  int    `json:"attempt"` // from 1

	// Turn is when the attempt may be made, where the sweep has let it go from its endpoint's line: a limit was seen to then.
	Turn *time.Time `json:"turn,omitempty"`
	// Trial says that it is to be made though the endpoint rests: the one that the sweep chose to try it, or one that a
	// person has asked for.
	Trial bool `json:"trial,omitempty"`
}

// tried is the job of an attempt that a person has asked for.
func (j Job) tried() Job {
	j.Trial = true
	return j
}

// Message is the job as a message. Its group is the endpoint, whose share of the queue it counts to.
func (j Job) Message(delay time.Duration) queue.Message {
	return queue.Message{Body: j, Delay: max(delay, 0), Group: j.Endpoint}
}

// Letter is a message in the queue of deliveries that were given up: the attempt that was the last, and why.
// A plain Job is there only if it is from before SQS's own dead letters had a queue of their own.
type Letter struct {
	Job    Job    `json:"job"`
	Reason Reason `json:"reason"`
}

var errUnreadable = errors.New("webhook: the message is neither a job nor a dead letter")

// parseJob reads a message of the queue of deliveries; redriven says that it is a dead letter that was
// put back, which asks for one more attempt.
func parseJob(text string) (job Job, redriven bool, err error) {
	var message struct {
		Job
		Letter *Job `json:"job"`
	}
	if json.Unmarshal([]byte(text), &message) != nil {
		return Job{}, false, errUnreadable
	}
	job = message.Job
	if message.Letter != nil {
		job, redriven = *message.Letter, true
	}
	if !id.Valid("evt", job.Event) || !id.Valid("ep", job.Endpoint) || job.Merchant == "" || job.Attempt < 1 {
		return Job{}, false, errUnreadable
	}
	return job, redriven, nil
}

// step is what is to be done about a job.
type step int

const (
	drop   step = iota // nothing is left to do
	mend               // the attempt was made, but what follows it may never have been done
	wait               // it is too early
	pursue             // make the attempt
)

// clocks is by how much the clock of whoever sent a job may be ahead.
const clocks = 10 * time.Second

// decide compares a job with what is recorded of its delivery.
func decide(j Job, d Delivery, now time.Time) step {
	switch {
	case j.Attempt < d.Made: // a later attempt was made, so this one had its sequel
		return drop
	case j.Attempt == d.Made:
		return mend
	case d.settled():
		return drop
	case d.DueAt != "" && d.early(now) > clocks: // the sweep will send a job of its own
		return drop
	case d.DueAt == "" && d.early(now) > 0:
		return wait
	default:
		return pursue
	}
}
