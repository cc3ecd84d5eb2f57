package payment_test

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/chain"
	"farrier/shared/money"
	"farrier/shared/parts"
	"farrier/shared/payment"
	"farrier/shared/problem"
	"farrier/shared/wallet"
)

// The account m/44'/60'/0' of the phrase "test … junk" that every development chain uses.
const xpub = "xpub6Ce9NcJvTk36xtLSrJLZqE7wtgA5deCeYs7rSQtreh4cj6ByPtrg9sD7V2FNFLPnf8heNP3FGkeV9qwfzvZNSd54JoNXVsXFYSYwHsnJxqP"

const manyChains = `[{"id":"eip155:137","name":"Polygon","native":{"symbol":"POL","decimals":18,"coin_type":966},"block_time":"2s","finality":{"tag":"finalized"},
  "tokens":[{"symbol":"USDT","decimals":6,"address":"0xc2132D05D31c914a87C6611C10748AEb04B58e8F"},
    {"symbol":"USDC","decimals":6,"address":"0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359"}]},
  {"id":"eip155:56","name":"BSC","native":{"symbol":"BNB","decimals":18},"block_time":"1s","finality":{"tag":"finalized"}},
  {"id":"bip122:000000000019d6689c085ae165831e93","name":"Bitcoin","native":{"symbol":"BTC","decimals":8},"block_time":"10m","finality":{"depth":6}},
  {"id":"tron:0x2b6653dc","name":"TRON","native":{"symbol":"TRX","decimals":6},"block_time":"3s","finality":{"tag":"solid"},
  "tokens":[{"symbol":"USDT","decimals":6,"address":"TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"}]}]`

const (
	usdt     = "eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f"
	usdc     = "eip155:137/erc20:0x3c499c542cef5e3811e1192ce70d8cc03d5c3359"
	bnb      = "eip155:56/slip44:60"
	btc      = "bip122:000000000019d6689c085ae165831e93/slip44:0"
	tronUSDT = "tron:0x2b6653dc/trc20:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
)

// timers remembers what was scheduled, and can fail.
type timers struct {
	mu    sync.Mutex
	fail  error
	names map[string]time.Time
}

func (s *timers) At(_ context.Context, name string, at time.Time, _ any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	s.names[name] = at
	return nil
}

func store(t *testing.T) (payment.Store, *timers) {
	t.Helper()
	assets, err := chain.ParseSet(manyChains)
	if err != nil {
		t.Fatal(err)
	}
	clock := &timers{names: map[string]time.Time{}}
	return payment.Store{Payments: parts.Table(t), Addresses: parts.Table(t), Expiry: clock, Assets: assets, Now: time.Now, Random: rand.Reader}, clock
}

func request() payment.Request {
	return payment.Request{Merchant: "mer_1", Accounts: wallet.Accounts{"eip155": xpub}, Shards: 1, Asset: usdt, Amount: "10.50", Reference: "order 1", ExpiresIn: 600, IdempotencyKey: "k1"}
}

func TestAPaymentHasItsOwnAddressAndTimer(t *testing.T) {
	s, timer := store(t)
	p, err := s.Create(context.Background(), request())
	if err != nil {
		t.Fatal(err)
	}
	other := request()
	other.Reference, other.IdempotencyKey = "order 2", "k2"
	q, err := s.Create(context.Background(), other)
	if err != nil {
		t.Fatal(err)
	}
	if p.Address == q.Address || p.ID == q.ID {
		t.Errorf("two payments share %s or %s", p.Address, p.ID)
	}
	if at := timer.names[p.ID]; !at.Equal(p.CreatedAt.Add(10 * time.Minute)) {
		t.Errorf("its time is over at %s, made at %s", at, p.CreatedAt)
	}
	v := p.View(p.CreatedAt)
	if v.Amount != "10.50" || v.AmountUnits != "10500000" || v.Status != payment.Waiting || !strings.HasPrefix(v.URIs.EIP681, "ethereum:0xc2132D05D31c914a87C6611C10748AEb04B58e8F@137/transfer?address="+v.Address) {
		t.Errorf("%+v", v)
	}
	if late := p.View(p.ExpiresAt); late.Status != payment.Expired {
		t.Errorf("at its end it shows %s", late.Status)
	}
}

func TestTheSameKeyMakesOnePayment(t *testing.T) {
	s, _ := store(t)
	first, err := s.Create(context.Background(), request())
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			again, err := s.Create(context.Background(), request())
			if err != nil || again.ID != first.ID || again.Address != first.Address || !again.CreatedAt.Equal(first.CreatedAt) {
				t.Errorf("%s %v, want %s", again.ID, err, first.ID)
			}
		})
	}
	wait.Wait()
	other := request()
	other.Amount = "10.51"
	if _, err := s.Create(context.Background(), other); !problem.Is(err, problem.KeyReused) {
		t.Errorf("another body under the same key: %v", err)
	}
}

func TestAnotherRequestUnderTheKeyOfAStoppedOneSetsNoTimer(t *testing.T) {
	s, timer := store(t)
	timer.fail = errors.New("stopped after the address was claimed")
	if _, err := s.Create(context.Background(), request()); err == nil {
		t.Fatal("went through")
	}
	timer.fail = nil
	other := request()
	other.ExpiresIn = 60
	if _, err := s.Create(context.Background(), other); !problem.Is(err, problem.KeyReused) || len(timer.names) > 0 {
		t.Errorf("%v, timers %v", err, timer.names)
	}
	p, err := s.Create(context.Background(), request())
	if err != nil || !timer.names[p.ID].Equal(p.ExpiresAt) {
		t.Errorf("%+v %v, timers %v", p, err, timer.names)
	}
}

func TestARequestStoppedAfterAnyCallIsFinishedByTheNext(t *testing.T) {
	s, timer := store(t)
	timer.fail = errors.New("stopped after the address was claimed")
	if _, err := s.Create(context.Background(), request()); err == nil {
		t.Fatal("went through")
	}
	timer.fail = nil
	p, err := s.Create(context.Background(), request())
	if err != nil {
		t.Fatal(err)
	}
	addresses := 0
	all := map[string]bool{}
	page, _, err := s.List(context.Background(), "mer_1", 10, "")
	for _, q := range page {
		addresses++
		all[q.Address] = true
	}
	if err != nil || addresses != 1 || !all[p.Address] {
		t.Errorf("%d payments, %v", addresses, err)
	}
}

func TestTwoMerchantsWithOneAccountKeyNeverShareAnAddress(t *testing.T) {
	s, _ := store(t)
	seen := map[string]bool{}
	for _, merchant := range []string{"mer_1", "mer_2"} {
		r := request()
		r.Merchant = merchant
		p, err := s.Create(context.Background(), r)
		if err != nil || seen[p.Address] {
			t.Fatal(p.Address, err)
		}
		seen[p.Address] = true
	}
}

func TestAWrongFieldIsNamed(t *testing.T) {
	s, timer := store(t)
	for _, c := range []struct {
		field  string
		change func(*payment.Request)
	}{
		{"asset", func(r *payment.Request) { r.Asset = "USDT" }},
		{"asset", func(r *payment.Request) { r.Asset = "eip155:137/erc20:0x0000000000000000000000000000000000000001" }},
		{"amount", func(r *payment.Request) { r.Amount = "" }},
		{"amount", func(r *payment.Request) { r.Amount = "0" }},
		{"amount", func(r *payment.Request) { r.Amount = "-5" }},
		{"amount", func(r *payment.Request) { r.Amount = "1.0000001" }},
		{"amount", func(r *payment.Request) { r.Amount = strings.Repeat("9", 78) }},
		{"asset", func(r *payment.Request) { r.Asset = strings.Replace(usdt, "0xc2", "0xc3", 1) }},
		{"options", func(r *payment.Request) { r.Options = []payment.OptionAsked{{Asset: usdt, Amount: "1"}} }},
		{"options", func(r *payment.Request) { options(r, make([]payment.OptionAsked, 9)...) }},
		{"options[1].asset", func(r *payment.Request) {
			options(r, payment.OptionAsked{Asset: usdt, Amount: "1"}, payment.OptionAsked{Asset: strings.Replace(usdt, "c2132d", "C2132D", 1), Amount: "2"})
		}},
		{"options[1].asset", func(r *payment.Request) {
			options(r, payment.OptionAsked{Asset: usdt, Amount: "1"}, payment.OptionAsked{Asset: "eip155:1/slip44:60", Amount: "2"})
		}},
		{"options[2].amount", func(r *payment.Request) {
			options(r, payment.OptionAsked{Asset: usdt, Amount: "1"}, payment.OptionAsked{Asset: usdc, Amount: "1"}, payment.OptionAsked{Asset: bnb, Amount: "0"})
		}},
		{"tolerance.under_bps", func(r *payment.Request) { r.Terms.Under = points(10000) }},
		{"tolerance.over_bps", func(r *payment.Request) { r.Terms.Over = points(-1) }},
		{"policy.partial", func(r *payment.Request) { r.Terms.Policy.Partial = "keep" }},
		{"page_url", func(r *payment.Request) { r.PageURL = "http://shop.example/pay" }},
		{"page_url", func(r *payment.Request) { r.PageURL = "https://user@shop.example/pay" }},
		{"page_url", func(r *payment.Request) { r.PageURL = "https:///pay" }},
		{"page_url", func(r *payment.Request) { r.PageURL = "https://shop.example/a b" }},
		{"page_url", func(r *payment.Request) { r.PageURL = "https://shop.example/" + strings.Repeat("x", 300) }},
		{"reference", func(r *payment.Request) { r.Reference = "" }},
		{"reference", func(r *payment.Request) { r.Reference = strings.Repeat("x", 129) }},
		{"reference", func(r *payment.Request) { r.Reference = "a\nb" }},
		{"reference", func(r *payment.Request) { r.Reference = "\xff" }},
		{"expires_in", func(r *payment.Request) { r.ExpiresIn = 59 }},
		{"expires_in", func(r *payment.Request) { r.ExpiresIn = -1 }},
		{"expires_in", func(r *payment.Request) { r.ExpiresIn = 1 << 62 }},
		{"metadata", func(r *payment.Request) { r.Metadata = map[string]string{"": "x"} }},
		{"metadata.k", func(r *payment.Request) { r.Metadata = map[string]string{"k": strings.Repeat("x", 201)} }},
		{"metadata", func(r *payment.Request) {
			r.Metadata = map[string]string{"a": strings.Repeat("x", 200), "b": strings.Repeat("x", 200)}
		}},
	} {
		r := request()
		c.change(&r)
		_, err := s.Create(context.Background(), r)
		if p := problem.Of(err); err == nil || p.Code != problem.Invalid || p.Field != c.field {
			t.Errorf("%+v: %v, want one that names %s", r, err, c.field)
		}
	}
	if page, _, err := s.List(context.Background(), "mer_1", 10, ""); err != nil || len(page) != 0 || len(timer.names) != 0 {
		t.Errorf("a refused request left %d payments and %d timers, %v", len(page), len(timer.names), err)
	}
}

func TestExpiryComesOnceAndNotEarly(t *testing.T) {
	s, _ := store(t)
	p, err := s.Create(context.Background(), request())
	if err != nil {
		t.Fatal(err)
	}
	over := payment.Expiry{Merchant: "mer_1", Payment: p.ID}
	if err := s.Expire(context.Background(), over); !errors.Is(err, payment.ErrEarly) {
		t.Errorf("before its time: %v", err)
	}
	s.Now = func() time.Time { return p.ExpiresAt }
	for range 2 {
		if err := s.Expire(context.Background(), over); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Get(context.Background(), "mer_1", p.ID)
	if err != nil || got.Status != payment.Expired || got.Version != 2 {
		t.Errorf("%s at version %d, %v", got.Status, got.Version, err)
	}
	if err := s.Expire(context.Background(), payment.Expiry{Merchant: "mer_1", Payment: "pay_none"}); !errors.Is(err, payment.ErrUnwritten) {
		t.Errorf("a payment that was never written: %v", err)
	}
}

func TestARequestMadeAgainAfterItsTimeWritesAPaymentThatIsOver(t *testing.T) {
	s, timer := store(t)
	timer.fail = errors.New("stopped after the address was claimed")
	if _, err := s.Create(context.Background(), request()); err == nil {
		t.Fatal("went through")
	}
	timer.fail = nil
	s.Now = func() time.Time { return time.Now().Add(11 * time.Minute) }
	p, err := s.Create(context.Background(), request())
	if err != nil || p.Status != payment.Expired || len(timer.names) > 0 {
		t.Errorf("%s %v, timers %v", p.Status, err, timer.names)
	}
	if again, err := s.Create(context.Background(), request()); err != nil || again.ID != p.ID || again.Status != payment.Expired {
		t.Errorf("again: %s %s, %v", again.ID, again.Status, err)
	}
}

func TestATimersMessageForNoPaymentComesAgainTwice(t *testing.T) {
	s, _ := store(t)
	for receives, want := range map[string]error{"1": payment.ErrUnwritten, "2": payment.ErrUnwritten, "3": nil} {
		message := events.SQSMessage{Body: `{"merchant":"mer_1","payment":"pay_none"}`, Attributes: map[string]string{"ApproximateReceiveCount": receives}}
		if err := s.OnTimer(context.Background(), message); !errors.Is(err, want) {
			t.Errorf("at receive %s: %v", receives, err)
		}
	}
	if err := s.OnTimer(context.Background(), events.SQSMessage{Body: "{"}); err == nil {
		t.Error("half a message is done")
	}
}

func points(n int64) *int64 { return &n }

func TestAPaymentWithAllThatItMayHoldIsOneWriteUnit(t *testing.T) {
	s, _ := store(t)
	r := request()
	r.Reference = strings.Repeat("r", payment.MaxReference)
	r.Metadata = map[string]string{"a": strings.Repeat("x", 199), "b": strings.Repeat("x", 199)}
	p, err := s.Create(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	p.PK, p.InTime = "mer_01JD0Z5T3N8Q4W7R2X9Y6V1K5M", money.Units(1<<60)
	if n := parts.ItemSize(p.Next(time.Now(), "payment.partial", "payment.paid")); n > 1024 {
		t.Errorf("%d bytes", n)
	}
}
