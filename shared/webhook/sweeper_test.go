package webhook

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/id"
	"farrier/shared/parts"
	"farrier/shared/queue"
)

// waitingDeliveries writes deliveries that failed three times, the nth of them due n minutes after noon.
func waitingDeliveries(t *testing.T, d Deliveries, count int) []Delivery {
	t.Helper()
	list := make([]Delivery, count)
	for i := range list {
		ev, _ := id.New("evt", noon, rand.Reader)
		ep, _ := id.New("ep", noon, rand.Reader)
		due := noon.Add(time.Duration(i) * time.Minute)
		list[i] = Delivery{Event: ev, Endpoint: ep, Merchant: "mer_1", Made: 3, Version: 1, UpdatedAt: noon}.waitInTable(due, due)
		if err := d.write(context.Background(), list[i]); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

func newSweeper(t *testing.T, now time.Time) (Sweeper, *bytes.Buffer) {
	t.Helper()
	counted := &bytes.Buffer{}
	clock := func() time.Time { return now }
	return Sweeper{
		Deliveries: Deliveries{Table: parts.Table(t, parts.Index{Name: dueIndex, Partition: "due_shard", Sort: "due_at"})},
		Endpoints:  Endpoints{Table: parts.Table(t), Now: clock},
		States:     States{Table: statesTable(t), Now: clock},
		Jobs:       parts.Queue(t), Now: clock, PerShard: 100, AtOnce: 4,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Metrics: cloud.Metrics{Out: counted, Now: clock},
	}, counted
}

func statesTable(t *testing.T) dynamo.Table {
	t.Helper()
	return parts.Table(t, parts.Index{Name: linedIndex, Partition: "line", Sort: "sk"})
}

// jobsIn reads what is in a real queue now.
func jobsIn(t *testing.T, q queue.Queue) map[Job]int {
	t.Helper()
	found := map[Job]int{}
	for empty := 0; empty < 2; {
		out, err := q.Client.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{QueueUrl: &q.URL, MaxNumberOfMessages: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			empty++
		}
		for _, m := range out.Messages {
			var j Job
			if err := json.Unmarshal([]byte(*m.Body), &j); err != nil {
				t.Fatal(err)
			}
			found[j]++
		}
	}
	return found
}

func TestConformanceASweepSendsWhatIsDueAndClaimsItForFiveMinutes(t *testing.T) {
	s, _ := newSweeper(t, noon.Add(9*time.Minute))
	list := waitingDeliveries(t, s.Deliveries, 20)
	swept, err := s.Run(context.Background())
	if err != nil || swept != (Swept{Sent: 10}) {
		t.Errorf("%+v %v", swept, err)
	}
	jobs := jobsIn(t, s.Jobs)
	for i, d := range list {
		want := Job{Merchant: "mer_1", Event: d.Event, Endpoint: d.Endpoint, Attempt: 4}
		if got := jobs[want]; got != 1 && i < 10 || got != 0 && i >= 10 {
			t.Errorf("%d jobs for the delivery due at %s", got, d.DueAt)
		}
	}
	if swept, err := s.Run(context.Background()); err != nil || swept.Sent != 0 {
		t.Errorf("at once again: %+v %v", swept, err)
	}
	later := s
	later.Now = func() time.Time { return noon.Add(14 * time.Minute) }
	if swept, err := later.Run(context.Background()); err != nil || swept.Sent != 15 { // 10 that nobody has seen to, and 5 new
		t.Errorf("five minutes later: %+v %v", swept, err)
	}
}

func TestConformanceASweepIsBoundedAndSaysHowManyRemain(t *testing.T) {
	s, counted := newSweeper(t, noon.Add(time.Hour))
	s.PerShard = 2
	waitingDeliveries(t, s.Deliveries, 60)
	total := 0
	for range 60 {
		counted.Reset()
		swept, err := s.Run(context.Background())
		if err != nil || swept.Sent > 2*dueShards || total+swept.Sent+swept.Remaining != 60 {
			t.Fatalf("after %d: %+v %v", total, swept, err)
		}
		if !strings.Contains(counted.String(), `"DeliveriesDue":`+strconv.Itoa(swept.Remaining)) {
			t.Errorf("the metric says %s", counted)
		}
		if total += swept.Sent; swept.Remaining == 0 {
			break
		}
	}
	if total != 60 || len(jobsIn(t, s.Jobs)) != 60 {
		t.Errorf("%d were sent", total)
	}
}

func TestConformanceTwoSweepsAtOnceSendEachDeliveryOnce(t *testing.T) {
	s, _ := newSweeper(t, noon.Add(time.Hour))
	s.Metrics.Out = io.Discard
	waitingDeliveries(t, s.Deliveries, 40)
	var results [3]Swept
	var all sync.WaitGroup
	for i := range results {
		all.Go(func() {
			var err error
			if results[i], err = s.Run(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if sent := results[0].Sent + results[1].Sent + results[2].Sent; sent != 40 {
		t.Errorf("%d were sent: %+v", sent, results)
	}
	for job, times := range jobsIn(t, s.Jobs) {
		if times != 1 {
			t.Errorf("%d times %+v", times, job)
		}
	}
}

func TestConformanceADeliveryThatIsNoLongerWaitingLeavesTheIndex(t *testing.T) {
	s, _ := newSweeper(t, noon.Add(time.Hour))
	for _, d := range waitingDeliveries(t, s.Deliveries, 5) {
		if err := s.Deliveries.write(context.Background(), after(d, outcome{Status: 200})); err != nil {
			t.Fatal(err)
		}
	}
	if swept, err := s.Run(context.Background()); err != nil || swept != (Swept{}) {
		t.Errorf("%+v %v", swept, err)
	}
}

func TestTheDueIndexIsSpreadOverAllItsShards(t *testing.T) {
	count := map[string]int{}
	for range 4000 {
		ev, _ := id.New("evt", noon, rand.Reader)
		count[Delivery{Event: ev, Endpoint: "ep_1"}.waitInTable(noon, noon).DueShard]++
	}
	for shard, n := range count {
		if n < 350 || n > 650 {
			t.Errorf("shard %s has %d of 4000", shard, n)
		}
	}
	if len(count) != dueShards {
		t.Errorf("%d shards", len(count))
	}
}

func TestConformanceAJobIsHeldBackByItsDelayInTheRealQueue(t *testing.T) {
	q := parts.Queue(t)
	job := Job{Merchant: "mer_1", Event: "evt_01JD0000000000000000000000", Endpoint: "ep_01JD0000000000000000000000", Attempt: 2}
	if err := q.Send(context.Background(), job.Message(1500*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if now := jobsIn(t, q); len(now) != 0 {
		t.Errorf("it is there at once: %v", now)
	}
	for deadline := time.Now().Add(6 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if jobsIn(t, q)[job] == 1 {
			return
		}
	}
	t.Error("it never comes")
}
