package watch_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"farrier/shared/chain/evm/node"
	"farrier/shared/cloud"
	"farrier/shared/deposit"
	"farrier/shared/dynamo"
	"farrier/shared/parts"
	"farrier/shared/wallet"
	"farrier/shared/watch"
)

// registry stands in for the tables of addresses and of the roster, which a local DynamoDB would take an hour to fill with a
// million items: it computes them. It is no DynamoDB; what is measured on it is our own work, and the read units by AWS's rule:
// one for each 4 KB read with strong consistency, at least one for a question or a key
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html, read 2026-11-29).
type registry struct {
	addresses int
	each      time.Duration // how long an answer takes
	units     atomic.Int64
	calls     atomic.Int64
}

const (
	answerIn = 5 * time.Millisecond // of a table: AWS speaks of single digits of milliseconds
	itemSize = 420                  // bytes of an address's item, as payments make them
	rowSize  = 85                   // of a row of the roster
	perPage  = 1 << 20 / itemSize
	// rate is how many addresses are made a second: their rows are read until the margin has passed.
	rate = 1
)

// own is the nth of our addresses. It can be recognised by itself.
func own(n int) string {
	var b [20]byte
	binary.BigEndian.PutUint64(b[12:], uint64(n))
	copy(b[:12], []byte(digest("ours", n)[2:14]))
	return "0x" + hex.EncodeToString(b[:])
}

func (g *registry) holds(address string) bool {
	b, err := hex.DecodeString(address[2:])
	if err != nil || len(b) != 20 {
		return false
	}
	n := int(binary.BigEndian.Uint64(b[12:])) // #nosec G115 -- compared right after
	return n >= 0 && n < g.addresses && own(n) == address
}

func (g *registry) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	time.Sleep(g.each)
	g.calls.Add(1)
	var out []byte
	switch _, call, _ := strings.Cut(r.Header.Get("X-Amz-Target"), "."); call {
	case "BatchGetItem":
		out = g.batch(body)
	case "Scan":
		out = g.scan(body)
	case "Query":
		out = g.query()
	default:
		return nil, fmt.Errorf("registry: %s", call)
	}
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(bytes.NewReader(out))}, nil
}

type text struct{ S string }

func (g *registry) batch(body []byte) []byte {
	var in struct {
		RequestItems map[string]struct{ Keys []struct{ PK text } }
	}
	_ = json.Unmarshal(body, &in)
	for name, asked := range in.RequestItems {
		g.units.Add(int64(len(asked.Keys)))
		found := []any{}
		for _, k := range asked.Keys {
			if address := strings.TrimPrefix(k.PK.S, "eip155:"); g.holds(address) {
				found = append(found, map[string]any{"pk": k.PK, "sk": text{"address"}, "address": text{address}, "merchant": text{"mer_1"}, "payment": text{"pay_" + address[34:]}, "shards": map[string]string{"N": "1"}})
			}
		}
		return written(map[string]any{"Responses": map[string]any{name: found}, "UnprocessedKeys": map[string]any{}})
	}
	return nil
}

func (g *registry) scan(body []byte) []byte {
	var in struct {
		Segment, TotalSegments int
		ExclusiveStartKey      struct{ PK text }
	}
	_ = json.Unmarshal(body, &in)
	from, to := g.addresses*in.Segment/in.TotalSegments, g.addresses*(in.Segment+1)/in.TotalSegments
	if last := in.ExclusiveStartKey.PK.S; last != "" {
		b, _ := hex.DecodeString(last[len(last)-16:])
		from = int(binary.BigEndian.Uint64(b)) + 1 // #nosec G115 -- ours
	}
	page := min(to, from+perPage)
	g.units.Add(int64((page - from) * itemSize / 4096))
	var b bytes.Buffer
	b.WriteString(`{"Items":[`)
	for n := from; n < page; n++ {
		if n > from {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"pk":{"S":"eip155:%s"},"sk":{"S":"address"}}`, own(n))
	}
	b.WriteByte(']')
	if page < to {
		fmt.Fprintf(&b, `,"LastEvaluatedKey":{"pk":{"S":"eip155:%s"},"sk":{"S":"address"}}`, own(page-1))
	}
	b.WriteByte('}')
	return b.Bytes()
}

// query is a shard of the roster: a quarter of what was made within the margin.
func (g *registry) query() []byte {
	rows := int(wallet.Margin.Seconds()) * rate / 4
	g.units.Add(int64(max(1, (rows*rowSize+4095)/4096)))
	var items []any
	for n := range rows {
		items = append(items, map[string]any{"pk": text{"1"}, "sk": text{"0000000000000/eip155:" + own(g.addresses-1-n)}, "ttl": map[string]string{"N": "1"}})
	}
	return written(map[string]any{"Items": items, "Count": rows})
}

// scale is one watch of the generated chain.
type scale struct {
	*polygon
	*registry
	passes, deposits dynamo.Table
	filter           *watch.Filter
}

func newScale(b *testing.B, p *polygon, addresses int, each time.Duration, filtered bool) *scale {
	b.Helper()
	s := &scale{polygon: p, registry: &registry{addresses: addresses, each: each}, passes: parts.Table(b), deposits: parts.Table(b)}
	if filtered {
		s.filter = watch.FilterOver(s.table(), &wallet.Roster{Table: s.table(), Now: time.Now}, time.Now, slog.New(slog.DiscardHandler))
		s.filter.Load(context.Background())
		s.units.Store(0)
	}
	return s
}

func (s *scale) table() dynamo.Table {
	return dynamo.Table{Name: "stand-in", Client: dynamodb.New(dynamodb.Options{
		Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""), HTTPClient: &http.Client{Transport: s.registry},
	})}
}

func (s *scale) watcher(b *testing.B) *watch.Watcher {
	b.Helper()
	n, err := node.New(node.Options{Config: s.config, Endpoints: []string{s.URL}, Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	config := s.config
	config.Start = 1
	return &watch.Watcher{
		Config: config, Node: n, Passes: s.passes, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Owners:   watch.Owners{Table: s.table(), Family: "eip155", Sleep: cloud.Sleep, Filter: s.filter},
		Deposits: deposit.Store{Table: s.deposits, Metrics: cloud.Metrics{Out: io.Discard, Now: time.Now}},
	}
}

// BenchmarkWatch is how many blocks a second the watch goes through, far behind (hundreds of blocks in a pass) and at the head (a
// block in a pass, each looked at twice). One deposit comes in ten blocks.
//
//	python3 local/parts.py --aws -- go test -run - -bench Watch -benchtime 1x -count 5 ./shared/watch
func BenchmarkWatch(b *testing.B) {
	for _, coin := range []bool{false, true} {
		blocks := 500
		if coin {
			blocks = 100
		}
		p := newPolygon(b, blocks, coin, own)
		for _, addresses := range []int{100_000, 1_000_000} {
			for _, filtered := range []bool{false, true} {
				name := fmt.Sprintf("coin=%t/addresses=%d/filter=%t", coin, addresses, filtered)
				b.Run("behind/"+name, func(b *testing.B) { behind(b, newScale(b, p, addresses, answerIn, filtered)) })
				b.Run("head/"+name, func(b *testing.B) { atHead(b, newScale(b, p, addresses, answerIn, filtered)) })
			}
		}
	}
}

func behind(b *testing.B, s *scale) {
	s.head.Store(int64(len(s.blocks)) - 1)
	for range b.N {
		s.passes, s.deposits = parts.Table(b), parts.Table(b)
		x := s.watcher(b)
		s.measure(b, len(s.blocks)-1, func() {
			for {
				p, err := x.Pass(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				if p.Behind == 0 {
					return
				}
			}
		})
	}
}

// warmUp and followed are the blocks that are there at first, and those that come one by one.
const warmUp, followed = 20, 50

func atHead(b *testing.B, s *scale) {
	for range b.N {
		s.passes, s.deposits = parts.Table(b), parts.Table(b)
		s.head.Store(warmUp)
		x := s.watcher(b)
		if _, err := x.Pass(b.Context()); err != nil {
			b.Fatal(err)
		}
		s.measure(b, followed, func() {
			for range followed {
				s.head.Add(1)
				if _, err := x.Pass(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func (s *scale) measure(b *testing.B, blocks int, f func()) {
	s.polygon.calls.Store(0)
	s.asked.Store(0)
	s.units.Store(0)
	began, used := time.Now(), processor(b)
	f()
	took, each := time.Since(began), float64(blocks)
	b.ReportMetric(each/took.Seconds(), "blocks/s")
	b.ReportMetric((processor(b)-used).Seconds()*1000/each, "cpu-ms/block")
	b.ReportMetric(float64(s.polygon.calls.Load())/each, "node-calls/block")
	b.ReportMetric(float64(s.asked.Load())/each, "node-requests/block")
	b.ReportMetric(float64(s.units.Load())/each, "read-units/block")
	b.ReportMetric(0, "ns/op")
}

// processor is the processor time that this process has used, the generated node's included.
func processor(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkFilter is what a filter takes: memory, the time and read units of its loading (the stand-in answers at once), and
// how many strangers of a million it takes for ours.
//
//	go test -run - -bench Filter -benchtime 1x -count 5 ./shared/watch
func BenchmarkFilter(b *testing.B) {
	for _, addresses := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprintf("addresses=%d", addresses), func(b *testing.B) {
			for range b.N {
				s := &scale{registry: &registry{addresses: addresses}}
				before := heap()
				began := time.Now()
				s.filter = watch.FilterOver(s.table(), &wallet.Roster{Table: s.table(), Now: time.Now}, time.Now, slog.New(slog.DiscardHandler))
				s.filter.Load(b.Context())
				took := time.Since(began)
				loading := s.units.Load()
				owners := watch.Owners{Table: s.table(), Family: "eip155", Sleep: cloud.Sleep, Filter: s.filter}
				if found, err := owners.Of(b.Context(), []string{own(0), own(addresses - 1), own(addresses)}); err != nil || len(found) != 2 {
					b.Fatal(found, err)
				}
				b.ReportMetric(float64(heap()-before)/float64(addresses), "heap-bytes/address")
				s.units.Store(0)
				const strangers, calls = 1_000_000, 100
				for call := range calls {
					var some []string
					for n := range strangers / calls {
						some = append(some, digest("stranger", call, n)[:42])
					}
					if _, err := owners.Of(b.Context(), some); err != nil {
						b.Fatal(err)
					}
				}
				wrong := s.units.Load() - calls*int64(4*max(1, (int(wallet.Margin.Seconds())*rate/4*rowSize+4095)/4096))
				b.ReportMetric(float64(wrong), "false-positives/million")
				b.ReportMetric(took.Seconds(), "load-s")
				b.ReportMetric(float64(loading), "load-read-units")
				b.ReportMetric(0, "ns/op")
			}
		})
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) // #nosec G115 -- fits
}
