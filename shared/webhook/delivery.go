package webhook

import (
	"encoding/binary"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/id"
	"farrier/shared/queue"
)

// Status is how far a delivery has come.
type Status string

// The statuses.
const (
	Pending   Status = "pending"   // an attempt is still to come
	Delivered Status = "delivered" // an attempt was answered with 2xx
	Failed    Status = "failed"    // no more attempts; the reason says why
	Held      Status = "held"      // the endpoint was disabled when its time came
)

// Reason is why a delivery is failed or held.
type Reason string

// The reasons.
const (
	Exhausted Reason = "no attempt succeeded"
	Failing   Reason = "no attempt has succeeded for 72 hours"
	Gone      Reason = "the endpoint answered 410 Gone and was disabled"
	Deleted   Reason = "the endpoint was deleted"
	Disabled  Reason = "the endpoint was disabled"
)

// Cause is why an event is sent again that was sent, or was to be sent, before. It is told in the header webhook-replay.
type Cause string

// The causes.
const (
	Resent    Cause = "resend"  // one delivery, by hand
	Recovered Cause = "recover" // what an endpoint missed
	Replayed  Cause = "replay"  // everything of some time
	Redriven  Cause = "redrive" // what lay in the dead-letter queue
)

// Attempt is one POST and what came of it.
type Attempt struct {
	N      int       `dynamodbav:"n" json:"n" doc:"from 1; the same where one URL after the other was tried"`
	URL    int       `dynamodbav:"url,omitempty" json:"url,omitempty" doc:"which of the fallback URLs, from 1; absent where it was the endpoint's url"`
	At     time.Time `dynamodbav:"at" json:"at"`
	Status int       `dynamodbav:"status,omitempty" json:"status,omitempty" doc:"HTTP status; absent where no answer came"`
	Millis int64     `dynamodbav:"millis" json:"millis" doc:"how long it took"`
	Answer string    `dynamodbav:"answer,omitempty" json:"answer,omitempty" doc:"the start of the answer"`
	Error  string    `dynamodbav:"error,omitempty" json:"error,omitempty" doc:"why it is no success"`

	Sent    Sent              `dynamodbav:"sent" json:"-"`
	Request map[string]string `dynamodbav:"-" json:"request" doc:"the headers that were sent; your own without their values, signatures by their schemes"`
}

// Sent is what is kept of an attempt's request, beside what the event and the time of the attempt say already.
type Sent struct {
	Schemes string        `dynamodbav:"schemes"` // of the signatures: "v1 v1a"
	Version event.Version `dynamodbav:"version,omitempty"`
	Cause   Cause         `dynamodbav:"cause,omitempty"`
	Own     []string      `dynamodbav:"own,omitempty"` // the names of the merchant's own headers
}

// sent is what is kept of a request.
func (p parcel) sent() Sent {
	s := Sent{Version: p.Version, Cause: p.Cause, Own: slices.Sorted(maps.Keys(p.Headers))}
	var schemes []string
	for _, signature := range strings.Fields(p.Signatures) {
		scheme, _, _ := strings.Cut(signature, ",")
		schemes = append(schemes, scheme)
	}
	s.Schemes = strings.Join(schemes, " ")
	return s
}

// request is an attempt's header, as it is shown: without the values of the merchant's own.
func (a Attempt) request(name string) map[string]string {
	if a.Sent.Schemes == "" {
		return map[string]string{}
	}
	shown := map[string]string{}
	for _, own := range a.Sent.Own {
		shown[strings.ToLower(own)] = Masked
	}
	p := parcel{ID: name, At: a.At, Version: a.Sent.Version, Cause: a.Sent.Cause, Signatures: a.Sent.Schemes}
	for header, values := range p.header() {
		if len(values) > 0 {
			shown[strings.ToLower(header)] = values[0]
		}
	}
	return shown
}

// keptAttempts bounds a record: what was sent again and again by hand shows its last attempts.
const keptAttempts = 20

// Delivery is one event on its way to one endpoint. It is written after an attempt, never before, so
// that a first success is one write.
type Delivery struct {
	Event    string `dynamodbav:"pk"`
	Endpoint string `dynamodbav:"sk"`

	Merchant string     `dynamodbav:"merchant"`
	Cause    Cause      `dynamodbav:"cause,omitempty"` // why it is sent once more
	Task     string     `dynamodbav:"task,omitempty"`  // the task that asked for it, which so asks once
	Status   Status     `dynamodbav:"status"`
	Reason   Reason     `dynamodbav:"reason,omitempty"`
	Made     int        `dynamodbav:"made"`           // attempts
	Step     int        `dynamodbav:"step,omitempty"` // attempts in vain that count in the endpoint's schedule
	Attempts []Attempt  `dynamodbav:"attempts,omitempty"`
	NextAt   *time.Time `dynamodbav:"next_at,omitempty"` // of the next attempt; nil where none is to come

	// Both are there only while the next attempt waits in the table and not in the queue.
	DueShard string `dynamodbav:"due_shard,omitempty"`
	DueAt    string `dynamodbav:"due_at,omitempty"`

	// Then is the event that waits for this delivery, where the endpoint wants them in order.
	Then  string `dynamodbav:"then,omitempty"`
	Looks int    `dynamodbav:"looks,omitempty"` // how often this one has looked for the one before it

	UpdatedAt time.Time `dynamodbav:"updated_at"`
	Version   int64     `dynamodbav:"version"` // from 1, raised by every write
}

// ID is the delivery's public id: it names both its keys.
func (d Delivery) ID() string {
	return "dlv_" + strings.TrimPrefix(d.Event, "evt_") + "_" + strings.TrimPrefix(d.Endpoint, "ep_")
}

// keyOfID reads what ID wrote.
func keyOfID(name string) (dynamo.Key, bool) {
	rest, ok := strings.CutPrefix(name, "dlv_")
	ev, ep, both := strings.Cut(rest, "_")
	key := dynamo.Key{PK: "evt_" + ev, SK: "ep_" + ep}
	return key, ok && both && id.Valid("evt", key.PK) && id.Valid("ep", key.SK)
}

func (d Delivery) key() dynamo.Key { return dynamo.Key{PK: d.Event, SK: d.Endpoint} }

// settled says that no attempt is to come.
func (d Delivery) settled() bool { return d.Version > 0 && d.Status != Pending }

// early is how long it is until the next attempt may be made.
func (d Delivery) early(now time.Time) time.Duration {
	if d.NextAt == nil {
		return 0
	}
	return max(d.NextAt.Sub(now), 0)
}

// job is the delivery's next attempt.
func (d Delivery) job() Job {
	return Job{Merchant: d.Merchant, Event: d.Event, Endpoint: d.Endpoint, Attempt: d.Made + 1}
}

// after is the delivery once an attempt was made, which may have called several URLs. In line says that it waits in its
// endpoint's own line.
func (d Delivery) after(r round, waits []time.Duration, inLine bool, now time.Time, random io.Reader) Delivery {
	d.Step = d.counted()
	d = d.with(r.attempts, now)
	if r.last.cut {
		return d.waitInLine(now)
	}
	if !r.last.delivered() {
		d.Step++
	}
	wait, another := waitAfter(waits, d.Step, r.last.RetryAfter, random)
	switch {
	case r.last.delivered():
		d.Step = 0
		return d.settle(Delivered, "")
	case r.gone():
		return d.settle(Failed, Gone)
	case !another:
		return d.settle(Failed, Exhausted)
	case inLine:
		return d.waitInLine(now.Add(wait))
	case wait <= queue.MaxDelay:
		return d.waitInQueue(now.Add(wait))
	default:
		return d.waitInTable(now.Add(wait), now.Add(wait))
	}
}

// counted is how many attempts in vain count in the schedule. The version before did not note them: there it was all, until
// the delivery was recovered or replayed and so begins anew. Its attempts are known by having no schemes of signatures.
func (d Delivery) counted() int {
	if d.Step > 0 || len(d.Attempts) == 0 || d.Cause == Recovered || d.Cause == Replayed {
		return d.Step
	}
	if last := d.Attempts[len(d.Attempts)-1]; last.Sent.Schemes != "" || last.Status/100 == 2 {
		return 0
	}
	return d.Made
}

// parked is the delivery that waits for its turn in its endpoint's line.
func (d Delivery) parked(now time.Time) Delivery {
	until := now
	if d.NextAt != nil && d.NextAt.After(now) {
		until = *d.NextAt
	}
	return d.next(now).waitInLine(until)
}

// behind is the delivery that waits for another one to be settled. Should nobody wake it, it looks again by itself, less
// often each time.
func (d Delivery) behind(now time.Time) Delivery {
	length := min(lookAgain<<min(d.Looks, 10), looksAtLeast)
	d.Looks++
	return d.next(now).waitInTable(now, now.Add(length))
}

// followed is the delivery for which the one of another event waits.
func (d Delivery) followed(by string, now time.Time) Delivery {
	d = d.next(now)
	d.Status, d.Then = Pending, by
	return d
}

// same says whether two are one write.
func (d Delivery) same(other Delivery) bool {
	return d.Version == other.Version && d.Status == other.Status && d.Then == other.Then && d.DueAt == other.DueAt && d.UpdatedAt.Equal(other.UpdatedAt)
}

// announced says that nothing is known of the delivery but that others wait for it: its job is still to come.
func (d Delivery) announced() bool {
	return d.Status == Pending && d.Made == 0 && d.NextAt == nil && d.DueAt == ""
}

const (
	lookAgain    = 5 * time.Minute
	looksAtLeast = 6 * time.Hour
)

// lost says that the delivery's job is surely gone from the queue: it was to be made hours ago, and SQS has tried longer
// than it does (20 times, each after 9 minutes).
func (d Delivery) lost(now time.Time) bool {
	due := d.UpdatedAt
	if d.NextAt != nil {
		due = *d.NextAt
	}
	return d.Status == Pending && d.DueAt == "" && !due.IsZero() && now.Sub(due) > lostAfter
}

const lostAfter = 6 * time.Hour

// alsoDelivered is the delivery with the success of another run, whose attempt was made beside the
// recorded ones.
func (d Delivery) alsoDelivered(other Delivery, now time.Time) Delivery {
	return d.with(other.Attempts[len(other.Attempts)-1:], now).settle(Delivered, "")
}

// unsent is the delivery whose endpoint could not even be tried.
func (d Delivery) unsent(s Status, r Reason, now time.Time) Delivery { return d.next(now).settle(s, r) }

// reopened is the delivery with one more attempt to come, now. It waits in the table as well as in the
// queue, so that the sweep finds it should the job never be sent.
//
// What is recovered or replayed gets its endpoint's whole schedule again.
func (d Delivery) reopened(why Cause, task string, now time.Time) Delivery {
	d.Cause, d.Task = why, task
	if why == Recovered || why == Replayed {
		d.Step = 0
	}
	return d.next(now).waitInTable(now, now.Add(claimFor))
}

// due says whether the delivery waits in the table and its time has come.
func (d Delivery) due(now time.Time) bool {
	return d.Status == Pending && d.DueAt != "" && d.DueAt <= dueAt(now)
}

// claimed is the delivery that a sweep is about to send a job for; should it be stopped before it has,
// the delivery is due again a little later.
func (d Delivery) claimed(now time.Time) Delivery {
	d = d.next(now)
	d.DueAt = dueAt(now.Add(claimFor))
	return d
}

const claimFor = 5 * time.Minute

// with adds an attempt, of one call or of several. The list that d shares with others is left alone.
func (d Delivery) with(calls []Attempt, now time.Time) Delivery {
	d = d.next(now)
	d.Made++
	d.Attempts = slices.Clone(d.Attempts[max(len(d.Attempts)-keptAttempts+len(calls), 0):])
	for i := range d.Attempts {
		d.Attempts[i].Sent.Own = nil // the last one has them
	}
	for _, a := range calls {
		a.N = d.Made
		d.Attempts = append(d.Attempts, a)
	}
	return d
}

func (d Delivery) next(now time.Time) Delivery {
	d.Version++
	d.UpdatedAt = now
	return d
}

func (d Delivery) settle(s Status, r Reason) Delivery {
	d.Status, d.Reason, d.NextAt, d.DueShard, d.DueAt = s, r, nil, "", ""
	return d
}

func (d Delivery) waitInQueue(until time.Time) Delivery {
	d.Status, d.Reason, d.NextAt, d.DueShard, d.DueAt = Pending, "", &until, "", ""
	return d
}

func (d Delivery) waitInTable(until, due time.Time) Delivery {
	d.Status, d.Reason, d.NextAt, d.DueShard, d.DueAt = Pending, "", &until, dueShard(d.key()), dueAt(due)
	return d
}

// waitInLine has the delivery wait in its endpoint's own line, from which the sweep lets it go when it is its turn.
func (d Delivery) waitInLine(until time.Time) Delivery {
	d.Status, d.Reason, d.NextAt, d.DueShard, d.DueAt = Pending, "", &until, lineShard(d.key()), dueAt(until)
	return d
}

// inLine says whether it waits there.
func (d Delivery) inLine() bool { return strings.HasPrefix(d.DueShard, d.Endpoint+"/") }

// lineShards is over how many partitions of the due index one endpoint's line is spread.
const lineShards = 4

func lineShard(k dynamo.Key) string {
	sum := id.Digest(k.SK, k.PK)
	return lineOf(k.SK, int(binary.BigEndian.Uint32(sum[:4])%lineShards))
}

func lineOf(endpoint string, shard int) string { return endpoint + "/" + strconv.Itoa(shard) }

// dueShards is over how many partitions the due index is spread: one takes 1,000 writes a second.
const dueShards = 8

func dueShard(k dynamo.Key) string {
	sum := id.Digest(k.SK, k.PK)
	return strconv.Itoa(int(binary.BigEndian.Uint32(sum[:4]) % dueShards))
}

// dueAt is a moment whose text sorts as time does, which RFC 3339 with its optional fraction does not.
func dueAt(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// DeliveryView is a delivery as its merchant sees it.
type DeliveryView struct {
	ID        string     `json:"id"`
	Event     string     `json:"event"`
	Endpoint  string     `json:"endpoint"`
	Status    Status     `json:"status" enum:"pending,delivered,failed,held"`
	Reason    Reason     `json:"reason,omitempty" doc:"why it is failed or held"`
	Made      int        `json:"made" doc:"attempts so far"`
	Attempts  []Attempt  `json:"attempts" doc:"the last ones"`
	NextAt    *time.Time `json:"next_at,omitempty" doc:"of the next attempt; absent where none is to come"`
	UpdatedAt time.Time  `json:"updated_at"`
}

// View shows the delivery.
func (d Delivery) View() DeliveryView {
	attempts := append([]Attempt{}, d.Attempts...)
	for i := range attempts {
		attempts[i].Request = attempts[i].request(d.Event)
	}
	return DeliveryView{
		ID: d.ID(), Event: d.Event, Endpoint: d.Endpoint, Status: d.Status, Reason: d.Reason, Made: d.Made,
		Attempts: attempts, NextAt: d.NextAt, UpdatedAt: d.UpdatedAt,
	}
}
