package register

import (
	"encoding/json"
	"time"

	"farrier/shared/queue"
)

// Job asks to register addresses of a connection's merchant: those that are named, or a page of those from earlier. In
// the dead-letter queue it has the reason why it lies there; put back, it is the same job.
type Job struct {
	Connection string   `json:"connection"`
	Addresses  []string `json:"addresses,omitempty"`
	Earlier    *Earlier `json:"earlier,omitempty"`
	Reason     string   `json:"reason,omitempty"`
}

// Earlier are the addresses from before a connection registered, from one place on.
type Earlier struct {
	From   int64  `json:"from"`             // the version of the connection that began it: at another it is over
	Cursor string `json:"cursor,omitempty"` // where the page begins; "" is at the merchant's first payment
}

// parseJob reads a message of the queue, where it is a job.
func parseJob(body string) (Job, bool) {
	var j Job
	err := json.Unmarshal([]byte(body), &j)
	return j, err == nil && j.Connection != "" && (len(j.Addresses) > 0) != (j.Earlier != nil)
}

// message is the job for the queue; each connection has its share of a queue that is full.
func (j Job) message(delay time.Duration) queue.Message {
	return queue.Message{Body: j, Delay: delay, Group: j.Connection}
}
