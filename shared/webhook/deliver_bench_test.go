package webhook

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/event"
)

// sinkVariable makes the test's binary a merchant's server, in a process of its own, so that its work is not counted.
const sinkVariable = "FARRIER_TEST_SINK"

func TestMain(m *testing.M) {
	if os.Getenv(sinkVariable) != "" {
		sink()
		return
	}
	os.Exit(m.Run())
}

// sink serves until its standard input ends. /good answers at once, and its line on standard output says when a request
// came; /hang never answers.
func sink() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	out := bufio.NewWriter(os.Stdout)
	var mu sync.Mutex
	say := func(line string) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = out.WriteString(line + "\n")
		_ = out.Flush()
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/quiet", func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	mux.HandleFunc("/good", func(_ http.ResponseWriter, r *http.Request) {
		at := time.Now().UnixMicro()
		_, _ = io.Copy(io.Discard, r.Body)
		say(r.Header.Get("webhook-id") + " " + strconv.FormatInt(at, 10))
	})
	mux.HandleFunc("/hang", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	go func() { _ = http.Serve(listener, mux) }() // #nosec G114 -- a test's own
	say("http://" + listener.Addr().String())
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// sinkProcess is a sink that runs.
type sinkProcess struct {
	url  string
	mu   sync.Mutex
	came map[string]time.Time // by webhook-id
}

func startSink(t testing.TB) *sinkProcess {
	t.Helper()
	command := exec.Command(os.Args[0]) // #nosec G204 -- this very binary
	command.Env = append(os.Environ(), sinkVariable+"=1")
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = command.Wait() })
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the sink says nothing")
	}
	s := &sinkProcess{url: lines.Text(), came: map[string]time.Time{}}
	go func() {
		for lines.Scan() {
			name, micros, _ := strings.Cut(lines.Text(), " ")
			at, _ := strconv.ParseInt(micros, 10, 64)
			s.mu.Lock()
			s.came[name] = time.UnixMicro(at)
			s.mu.Unlock()
		}
	}()
	return s
}

func (s *sinkProcess) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.came)
}

// BenchmarkDelivered is the processor time of a delivered webhook of about 300 bytes, 32 at once: reading what is known,
// signing, the call over plain HTTP on kept connections, and the record. Store and merchant are other processes.
func BenchmarkDelivered(b *testing.B) {
	const atOnce, batch = 32, 8
	f := newFleet(b, 0, 1, 0, 5*time.Second, 4)
	s := startSink(b)
	e := f.endpoint(Settings{URL: s.url + "/quiet"})
	var batches []events.SQSEvent
	for i := range max(b.N, batch) {
		told := f.event(e, "pay_1", i, "")
		if err := f.courier.Events.Record(context.Background(), told); err != nil {
			b.Fatal(err)
		}
		body, _ := json.Marshal(Job{Merchant: e.Merchant, Event: told.ID, Endpoint: e.ID, Attempt: 1})
		if i%batch == 0 {
			batches = append(batches, events.SQSEvent{})
		}
		last := &batches[len(batches)-1]
		last.Records = append(last.Records, events.SQSMessage{MessageId: strconv.Itoa(i), Body: string(body)})
	}
	before := processor(b)
	b.ResetTimer()
	f.invokeAll(batches, atOnce/batch)
	b.StopTimer()
	n := float64(max(b.N, batch))
	b.ReportMetric(float64((processor(b)-before).Microseconds())/n, "cpu-µs/delivered")
	b.ReportMetric(n/b.Elapsed().Seconds(), "delivered/s")
}

// invokeAll handles batches, some at a time.
func (f *fleet) invokeAll(batches []events.SQSEvent, atOnce int) {
	next := make(chan events.SQSEvent)
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for one := range next {
				answer, err := f.courier.Invoke(context.Background(), one)
				if err != nil || len(answer.BatchItemFailures) > 0 {
					f.t.Errorf("%v %v", answer, err)
				}
			}
		})
	}
	for _, one := range batches {
		next <- one
	}
	close(next)
	all.Wait()
}

// paced tells an endpoint so many events, so many in a second, and returns how long each took to arrive.
func (f *fleet) paced(s *sinkProcess, e Endpoint, perSecond, n int) []time.Duration {
	f.t.Helper()
	events := make([]event.Event, n)
	for i := range events {
		events[i] = f.event(e, "pay_"+strconv.FormatInt(time.Now().UnixNano(), 36), i, "")
		if err := f.courier.Events.Record(context.Background(), events[i]); err != nil {
			f.t.Fatal(err)
		}
	}
	sent := make([]time.Time, n)
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	before := s.count()
	for i, told := range events {
		<-tick.C
		sent[i] = time.Now()
		f.send(e, told)
	}
	eventually(f.t, 2*time.Minute, "all have come", func() bool { return s.count() >= before+n })
	s.mu.Lock()
	defer s.mu.Unlock()
	took := make([]time.Duration, n)
	for i, told := range events {
		took[i] = s.came[told.ID].Sub(sent[i])
	}
	slices.Sort(took)
	return took
}

func quantile(sorted []time.Duration, share float64) time.Duration {
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}

func report(b *testing.B, name string, took []time.Duration) {
	for label, share := range map[string]float64{"p50": 0.5, "p99": 0.99} {
		b.ReportMetric(float64(quantile(took, share).Microseconds())/1000, name+"-"+label+"-ms")
	}
}

// BenchmarkPaced is how long a webhook takes from the queue to the merchant at 200 in a second.
func BenchmarkPaced(b *testing.B) {
	f := newFleet(b, 16, 1, 0, 5*time.Second, 8)
	s := startSink(b)
	e := f.endpoint(Settings{URL: s.url + "/good"})
	f.paced(s, e, 200, 200)
	for b.Loop() {
		before := processor(b)
		took := f.paced(s, e, 200, 2000)
		report(b, "took", took)
		b.ReportMetric(float64((processor(b)-before).Microseconds())/2000, "cpu-µs/delivered")
	}
}

// BenchmarkFairness is how long webhooks of a good endpoint take while 50 dead and 50 hanging ones hold 100,000 messages:
// alone, while those arrive, and when they wait. FARRIER_BENCH_HELD says another number than 100,000.
func BenchmarkFairness(b *testing.B) {
	held := 100_000
	if text := os.Getenv("FARRIER_BENCH_HELD"); text != "" {
		held, _ = strconv.Atoi(text)
	}
	for b.Loop() {
		f := newFleet(b, 16, 1, 0, Timeout, 8)
		s := startSink(b)
		good := f.endpoint(Settings{URL: s.url + "/good"})
		f.paced(s, good, 50, 100)
		alone := f.paced(s, good, 50, 1000)
		var bad []Endpoint
		for range 50 {
			bad = append(bad, f.endpoint(Settings{URL: s.url + "/hang"}), f.endpoint(Settings{URL: deadURL(b)}))
		}
		told := make([]event.Event, len(bad)) // one event for each is enough: what is counted are messages
		arriving := make(chan struct{})
		go func() {
			defer close(arriving)
			for i := range held {
				e := bad[i%len(bad)]
				if i < len(bad) {
					told[i] = f.event(e, "pay_1", 0, "")
				}
				one := told[i%len(bad)]
				one.ID = strings.TrimSuffix(one.ID, one.ID[len(one.ID)-6:]) + fmt.Sprintf("%06d", i)
				one.Merchant = e.Merchant
				if err := f.courier.Events.Record(context.Background(), one); err != nil {
					b.Error(err)
				}
				f.send(e, one)
			}
		}()
		report(b, "arriving", f.paced(s, good, 50, 1000))
		<-arriving
		eventually(b, 20*time.Minute, "all others wait in the table", func() bool {
			f.mu.Lock()
			defer f.mu.Unlock()
			return len(f.waiting) < 2*len(bad)
		})
		waiting := f.paced(s, good, 50, 1000)
		report(b, "alone", alone)
		report(b, "waiting", waiting)
		b.ReportMetric(float64(quantile(waiting, 0.99))/float64(quantile(alone, 0.99)), "waiting-p99/alone-p99")
		f.stop()
	}
}
